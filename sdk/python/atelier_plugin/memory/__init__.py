"""Stands in for the host where there is none: pictures in plain memory, for an author's tests.

It has the shape of componentize-py's bindings and the host's rules and sentences, so that a test
finds what a job would. What is drawn has the host's bytes; what is resized may differ by a shade.
Only limits are not held: those of time, memory and pixels depend on the user's settings.
"""

import json
import random as _random
import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from math import copysign, inf, isfinite
from types import SimpleNamespace
from typing import Any

from atelier_plugin.memory import lines as strokes
from atelier_plugin.memory import ovals, polygons
from atelier_plugin.memory.raster import Raster
from atelier_plugin.memory.resample import lanczos

MOST_POINTS = 10000
MOST_BYTES = 65536
LONGEST_SIDE = 16384


class Err(Exception):
    """As in componentize_py_types: what the host refused."""

    def __init__(self, value: Any) -> None:
        super().__init__(value)
        self.value = value


@dataclass
class Size:
    width: int
    height: int


@dataclass
class Region:
    x: int
    y: int
    width: int
    height: int


@dataclass
class Point:
    x: float
    y: float


@dataclass
class Colour:
    r: int
    g: int
    b: int
    a: int


@dataclass
class Frame:
    x: int
    y: int
    width: int
    height: int


def _possible(size: Size | Frame) -> None:
    pixels = f"{size.width} x {size.height} pixels"
    if size.width < 1 or size.height < 1:
        raise Err(f"a picture of {pixels} has none")
    if max(size.width, size.height) > LONGEST_SIDE:
        raise Err(f"{pixels}: a side may have {LONGEST_SIDE}")


class Picture:
    def __init__(self, raster: Raster, media: str | None = None) -> None:
        self.raster = raster
        self.media = media

    def size(self) -> Size:
        return Size(self.raster.width, self.raster.height)

    def format(self) -> str | None:
        return self.media

    def read(self, at: Region) -> bytes:
        _inside(self.raster, at)
        return self.raster.cut(at.x, at.y, at.width, at.height)

    def resized(self, to: Size) -> "Picture":
        _possible(to)
        old = self.raster
        pixels = lanczos(bytes(old.pixels), (old.width, old.height), (to.width, to.height))
        return Picture(Raster(to.width, to.height, bytearray(pixels)))


class Canvas:
    def __init__(self, raster: Raster) -> None:
        self.raster = raster

    @classmethod
    def create(cls, of: Size) -> "Canvas":
        _possible(of)
        return cls(Raster(of.width, of.height, bytearray(of.width * of.height * 4)))

    def size(self) -> Size:
        return Size(self.raster.width, self.raster.height)

    def write(self, at: Region, pixels: bytes) -> None:
        _inside(self.raster, at)
        expected = at.width * at.height * 4
        if len(pixels) != expected:
            region = f"a region of {at.width} x {at.height} pixels"
            raise Err(f"{region} is {expected} bytes, not {len(pixels)}")
        self.raster.put(Raster(at.width, at.height, bytearray(pixels)), at.x, at.y)

    def fill(self, at: Region, colour: tuple[int, int, int, int]) -> None:
        _inside(self.raster, at)
        self.write(at, bytes(colour) * (at.width * at.height))

    def paste(self, source: Picture, x: int, y: int) -> None:
        self.raster.put(source.raster, x, y)

    def snapshot(self) -> Picture:
        raster = self.raster
        return Picture(Raster(raster.width, raster.height, bytearray(raster.pixels)))


def _inside(raster: Raster, at: Region) -> None:
    right, bottom = at.x + at.width, at.y + at.height
    if at.width < 1 or at.height < 1 or right > raster.width or bottom > raster.height:
        place = f"{at.width} x {at.height} pixels at ({at.x}, {at.y})"
        raise Err(f"{place} do not lie inside {raster.width} x {raster.height}")


def _single(number: float) -> float:
    """The nearest of 32 bits, which is what reaches the host."""
    try:
        return float(struct.unpack("f", struct.pack("f", number))[0])
    except OverflowError:
        return copysign(inf, number)


def _finite(what: str, number: float) -> float:
    single = _single(number)
    if not isfinite(single):
        raise Err(f"{what} is {single}, which is no finite number")
    return single


def _above_zero(what: str, number: float) -> float:
    single = _finite(what, number)
    if single <= 0:
        raise Err(f"{what} is {single:g}, and it must be above 0")
    return single


def _place(point: Point) -> tuple[float, float]:
    return _finite("a coordinate", point.x), _finite("a coordinate", point.y)


def _places(points: list[Point]) -> list[tuple[float, float]]:
    if len(points) > MOST_POINTS:
        raise Err(f"{len(points)} points are more than the {MOST_POINTS} that one call draws")
    return [_place(point) for point in points]


def _lines(on: Canvas, through: list[Point], width: float, colour: Colour) -> None:
    places, radius = _places(through), _above_zero("the width", width) / 2
    strokes.lines(on.raster, places, radius, _parts(colour))


def _disc(on: Canvas, centre: Point, radius: float, colour: Colour) -> None:
    place, reach = _place(centre), _above_zero("the radius", radius)
    ovals.ellipse(on.raster, place, (reach, reach), 0.0, _parts(colour))


def _ellipse(on: Canvas, centre: Point, radii: Point, degrees: float, colour: Colour) -> None:
    place = _place(centre)
    reach = _above_zero("a radius", radii.x), _above_zero("a radius", radii.y)
    ovals.ellipse(on.raster, place, reach, _finite("the turn", degrees), _parts(colour))


def _polygon(on: Canvas, corners: list[Point], colour: Colour) -> None:
    polygons.polygon(on.raster, _places(corners), _parts(colour))


def _blit(on: Canvas, source: Picture, part: Region, to: Frame) -> None:
    pixels = source.read(part)
    _possible(to)
    scaled = lanczos(pixels, (part.width, part.height), (to.width, to.height))
    on.raster.lay_over(Raster(to.width, to.height, bytearray(scaled)), to.x, to.y)


def _parts(colour: Colour) -> tuple[int, int, int, int]:
    return (colour.r, colour.g, colour.b, colour.a)


class _Level(Enum):
    DEBUG = 0
    INFO = 1
    WARN = 2
    ERROR = 3


class _Carrier:
    """A case of a variant, told by its class's name as in the bindings."""

    def __init__(self, value: Any) -> None:
        self.value = value


class Numbers_Floats(_Carrier): ...


class Numbers_Integers(_Carrier): ...


class Numbers_Bytes(_Carrier): ...


class Trouble_Denied(_Carrier): ...


class Trouble_Missing(_Carrier): ...


class Trouble_Input(_Carrier): ...


class Trouble_Failed(_Carrier): ...


@dataclass
class Tensor:
    name: str
    shape: list[int]
    numbers: _Carrier


MODELS: dict[str, Callable[[list[Tensor]], list[Tensor]]] = {}
SETTINGS: dict[str, Any] = {}
LINES: list[tuple[str, str]] = []
_SEEDED = _random.Random(0)


def _run(model: str, inputs: list[Tensor]) -> list[Tensor]:
    if model not in MODELS:
        hint = f"testing.answer_with({model!r}, …)"
        raise Err(Trouble_Missing(f"the test has no model {model}: {hint}"))
    return MODELS[model](inputs)


def _bytes(count: int) -> bytes:
    if count > MOST_BYTES:
        raise Err(f"{count} random bytes are too many at once; {MOST_BYTES} are allowed")
    return _SEEDED.randbytes(count)


def _setting(key: str) -> str | None:
    return json.dumps(SETTINGS[key]) if key in SETTINGS else None


def seed_with(seed: int) -> None:
    """Starts the random bytes anew."""
    _SEEDED.seed(seed)


pictures = SimpleNamespace(Size=Size, Region=Region, Picture=Picture, Canvas=Canvas)
draw = SimpleNamespace(
    Point=Point, Colour=Colour, Frame=Frame,
    lines=_lines, disc=_disc, ellipse=_ellipse, polygon=_polygon, blit=_blit,
)  # fmt: skip
log = SimpleNamespace(
    Level=_Level,
    write=lambda level, line: LINES.append((level.name.lower(), line)),
    progress=lambda fraction: None,
)
infer = SimpleNamespace(
    Tensor=Tensor,
    run=_run,
    Numbers_Floats=Numbers_Floats,
    Numbers_Integers=Numbers_Integers,
    Numbers_Bytes=Numbers_Bytes,
)
random = SimpleNamespace(bytes=_bytes)
settings = SimpleNamespace(get=_setting)
