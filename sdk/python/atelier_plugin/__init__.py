"""What the author of an Atelier plugin imports.

A plugin is a file `plugin.py` that says what it `takes` and has a function `prepare`:

    from atelier_plugin import Canvas, Outcome, Request

    takes = ["picture"]

    def prepare(request: Request) -> Outcome:
        picture = request.only_picture()
        canvas = Canvas(picture.size)
        canvas.paste(picture, 0, 0)
        return Outcome([canvas])

Its name, version and summary are in `plugin.toml`, its parameters in `parameters.schema.json`.

The same code runs in two places. In a component, pictures live in the host and this package calls
it. In `python3 -m unittest`, on the author's machine, they are plain memory (`testing` makes
them). `infer`, `random` and `settings` are modules of their own, because a component may only
import what its `plugin.toml` asks for.

The package must never hide a host's refusal: each is a `Refused` with the host's own sentence.
"""

from atelier_plugin import draw, log
from atelier_plugin.exchange import Outcome, Request
from atelier_plugin.failures import Failure, ParameterFailure, Refused, SourceFailure
from atelier_plugin.geometry import Colour, Point, Region, Size
from atelier_plugin.pictures import Canvas, Picture

__all__ = [
    "Canvas",
    "Colour",
    "Failure",
    "Outcome",
    "ParameterFailure",
    "Picture",
    "Point",
    "Refused",
    "Region",
    "Request",
    "Size",
    "SourceFailure",
    "draw",
    "log",
]
