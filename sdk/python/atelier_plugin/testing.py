"""What a plugin's tests are made of. In a component none of it works.

grey = testing.picture(2, 1, bytes([9, 9, 9, 255]) * 2)
schema = Path("parameters.schema.json")
outcome = plugin.prepare(testing.request([grey], {"colours": 3}, schema=schema))
assert testing.rgba(outcome.pictures[0])[:4] == bytes([9, 9, 9, 255])
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from atelier_plugin import infer, memory
from atelier_plugin.exchange import Request
from atelier_plugin.failures import Refused
from atelier_plugin.geometry import Size
from atelier_plugin.memory.raster import Raster
from atelier_plugin.pictures import Canvas, Picture
from atelier_plugin.schema import EMPTY, Schema

settings = memory.SETTINGS
"""What `settings.get` finds: a value for each key, of those that JSON has."""

lines = memory.LINES
"""What was logged: pairs of level and line."""


def picture(width: int, height: int, rgba: bytes, media: str | None = None) -> Picture:
    """A picture of these pixels: width × height × 4 bytes."""
    if len(rgba) != width * height * 4:
        raise ValueError(f"{width}×{height} pixels are {width * height * 4} bytes, not {len(rgba)}")
    return Picture(memory.Picture(Raster(width, height, bytearray(rgba)), media))


def rgba(of: Picture | Canvas) -> bytes:
    """All pixels of a picture or canvas."""
    return bytes(of.handle.raster.pixels)


def request(
    sources: Sequence[Picture | str],
    parameters: Mapping[str, Any] | None = None,
    output: Sequence[int] = (1024, 1024),
    schema: Path | None = None,
) -> Request:
    """What a job would ask, its parameters checked against the schema's file."""
    checks = Schema(EMPTY if schema is None else schema.read_text(encoding="utf-8"))
    return Request(list(sources), checks.parameters(json.dumps(parameters or {})), Size.of(output))


def answer_with(model: str, answer: Callable[[list[infer.Tensor]], Sequence[infer.Tensor]]) -> None:
    """Lets `answer` stand for a model of the host's. It may raise `Refused` with a kind."""

    def run(inputs: list[memory.Tensor]) -> list[memory.Tensor]:
        try:
            outputs = answer([infer.lifted(one) for one in inputs])
        except Refused as refused:
            trouble = getattr(memory, f"Trouble_{(refused.kind or 'failed').capitalize()}")
            raise memory.Err(trouble(str(refused))) from None
        return [infer.lowered(one) for one in outputs]

    memory.MODELS[model] = run


def seed_with(seed: int) -> None:
    """Lets `random` begin anew, with the numbers of this seed. They are not those of a job."""
    memory.seed_with(seed)


def reset() -> None:
    """Forgets models, settings and what was logged, and seeds `random` with 0."""
    memory.MODELS.clear()
    settings.clear()
    lines.clear()
    memory.seed_with(0)
