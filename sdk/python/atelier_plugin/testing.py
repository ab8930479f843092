"""What a plugin's tests are made of. In a component none of it works.

grey = testing.picture(2, 1, bytes([9, 9, 9, 255]) * 2)
schema = Path("parameters.schema.json")
outcome = plugin.prepare(testing.request([grey], {"colours": 3}, schema=schema))
assert testing.rgba(outcome.pictures[0])[:4] == bytes([9, 9, 9, 255])
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from atelier_plugin import memory
from atelier_plugin.exchange import Request
from atelier_plugin.geometry import Size
from atelier_plugin.pictures import Canvas, Picture
from atelier_plugin.raster import Raster
from atelier_plugin.schema import EMPTY, Schema

models = memory.MODELS
"""What `infer.run` finds: a function of the bindings' tensors for each name."""

settings = memory.SETTINGS
"""What `settings.get` finds: the JSON of each key's value."""

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
