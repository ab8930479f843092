"""Stands in for the host where there is none: pictures in plain memory, for an author's tests.

It has the shape of componentize-py's bindings and the host's rules, so that a test finds what a
job would. Resampling is the host's formula; drawing is sampled 16 times a pixel, which differs
from the host's in a few shades at the edges. Golden pictures come from `atelier plugin test`.
"""

import random as _random
from dataclasses import dataclass
from enum import Enum
from types import SimpleNamespace
from typing import Any

from atelier_plugin.raster import Raster
from atelier_plugin.resample import lanczos


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


def _not_empty(size: Size) -> None:
    if size.width < 1 or size.height < 1:
        raise Err(f"a picture of {size.width}×{size.height} pixels is empty")


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
        _not_empty(to)
        old = self.raster
        pixels = lanczos(bytes(old.pixels), (old.width, old.height), (to.width, to.height))
        return Picture(Raster(to.width, to.height, bytearray(pixels)))


class Canvas:
    def __init__(self, raster: Raster) -> None:
        self.raster = raster

    @classmethod
    def create(cls, of: Size) -> "Canvas":
        _not_empty(of)
        return cls(Raster(of.width, of.height, bytearray(of.width * of.height * 4)))

    def size(self) -> Size:
        return Size(self.raster.width, self.raster.height)

    def write(self, at: Region, pixels: bytes) -> None:
        _inside(self.raster, at)
        expected = at.width * at.height * 4
        if len(pixels) != expected:
            raise Err(f"the region needs {expected} bytes, not {len(pixels)}")
        self.raster.put(Raster(at.width, at.height, bytearray(pixels)), at.x, at.y)

    def fill(self, at: Region, colour: tuple[int, int, int, int]) -> None:
        self.write(at, bytes(colour) * (at.width * at.height))

    def paste(self, source: Picture, x: int, y: int) -> None:
        self.raster.put(source.raster, x, y)

    def snapshot(self) -> Picture:
        raster = self.raster
        return Picture(Raster(raster.width, raster.height, bytearray(raster.pixels)))


def _inside(raster: Raster, at: Region) -> None:
    right, bottom = at.x + at.width, at.y + at.height
    if at.width < 1 or at.height < 1 or right > raster.width or bottom > raster.height:
        place = f"{at.width}×{at.height} at ({at.x}, {at.y})"
        raise Err(f"the region {place} is not inside {raster.width}×{raster.height}")


def _drawable(numbers: list[float], sizes: list[float]) -> None:
    if any(number - number != 0 for number in numbers + sizes):
        raise Err("a coordinate or size is no finite number")
    if any(size <= 0 for size in sizes):
        raise Err("a width, radius or size is not above 0")


def _flat(points: list[Point]) -> list[float]:
    if len(points) > 10000:
        raise Err(f"{len(points)} points are more than 10000")
    return [number for point in points for number in (point.x, point.y)]


def _lines(on: Canvas, through: list[Point], width: float, colour: Colour) -> None:
    _drawable(_flat(through), [width])
    on.raster.lines([(p.x, p.y) for p in through], width / 2, _parts(colour))


def _disc(on: Canvas, centre: Point, radius: float, colour: Colour) -> None:
    _drawable(_flat([centre]), [radius])
    on.raster.ellipse((centre.x, centre.y), (radius, radius), 0.0, _parts(colour))


def _ellipse(on: Canvas, centre: Point, radii: Point, degrees: float, colour: Colour) -> None:
    _drawable([centre.x, centre.y, degrees], [radii.x, radii.y])
    on.raster.ellipse((centre.x, centre.y), (radii.x, radii.y), degrees, _parts(colour))


def _polygon(on: Canvas, corners: list[Point], colour: Colour) -> None:
    _drawable(_flat(corners), [])
    on.raster.polygon([(p.x, p.y) for p in corners], _parts(colour))


def _blit(on: Canvas, source: Picture, part: Region, to: Frame) -> None:
    cut = Raster(part.width, part.height, bytearray(source.read(part)))
    scaled = Picture(cut).resized(Size(to.width, to.height))
    on.raster.lay_over(scaled.raster, to.x, to.y)


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


class Trouble_Missing(_Carrier): ...


@dataclass
class Tensor:
    name: str
    shape: list[int]
    numbers: _Carrier


MODELS: dict[str, Any] = {}
SETTINGS: dict[str, str] = {}
LINES: list[tuple[str, str]] = []
_SEEDED = _random.Random(0)


def _run(model: str, inputs: list[Tensor]) -> list[Tensor]:
    if model not in MODELS:
        raise Err(Trouble_Missing(f"the test has no model {model}: testing.models[{model!r}] = …"))
    return MODELS[model](inputs)


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
random = SimpleNamespace(bytes=_SEEDED.randbytes)
settings = SimpleNamespace(get=SETTINGS.get)
