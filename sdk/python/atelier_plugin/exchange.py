"""What the host hands to a plugin, and what the plugin hands back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from atelier_plugin.failures import SourceFailure
from atelier_plugin.geometry import Size
from atelier_plugin.pictures import Canvas, Picture


@dataclass
class Request:
    """What the host asks for."""

    sources: list[Picture | str]
    """What the reference names, in its order; at least one. A document is its text."""
    parameters: dict[str, Any]
    """The parameters of the job's `prepare` entry, checked against `parameters.schema.json` and
    with its defaults filled in. A property without a default is absent where the job left it out.
    """
    output: Size
    """The size of the picture that the job makes."""

    @property
    def pictures(self) -> list[Picture]:
        """Those sources that are pictures."""
        return [source for source in self.sources if isinstance(source, Picture)]

    @property
    def documents(self) -> list[str]:
        """The texts of those sources that are documents."""
        return [source for source in self.sources if isinstance(source, str)]

    def only_picture(self) -> Picture:
        """The picture, where the reference is exactly one; raises `SourceFailure` otherwise."""
        if len(self.sources) != 1 or not isinstance(self.sources[0], Picture):
            given = f"{len(self.pictures)} pictures and {len(self.documents)} documents"
            raise SourceFailure(f"this plugin takes one picture, and the reference is {given}")
        return self.sources[0]


@dataclass
class Outcome:
    """What came out."""

    pictures: Sequence[Canvas] = ()
    """Used as references in this order, or given to the job's next plugin. May be empty where
    there are keypoints for a next plugin.
    """
    prompt: str | None = None
    """Words to add to the prompt. `{image}` in them becomes the number of the first picture."""
    keypoints: str | Mapping[str, Any] | None = None
    """Keypoints found or used, as OpenPose JSON: its text, or what `json.dumps` makes it of."""
    notes: Mapping[str, object] = field(default_factory=dict)
    """Facts for the provenance record, which is signed and public: nothing private belongs here.
    At most 32; a key is 1 to 64 of a–z, 0–9, _, - and ., a value one line of 1000 characters.
    """
