"""Polygons, as the host draws them: the formulas are those of `sdk/draw/src/corners.rs`."""

from math import floor
from typing import NamedTuple

from atelier_plugin.memory.raster import WHOLE, Paint, Place, Raster, touched

LINES = 16
SAMPLES = 8
SAMPLE = WHOLE // (LINES * SAMPLES)


class _Edge(NamedTuple):
    top: float
    bottom: float
    x: float
    slope: float
    y: float


def polygon(on: Raster, corners: list[Place], paint: Paint) -> None:
    """A filled polygon by the even-odd rule: each edge flips all samples to its right."""
    edges = _edges(corners, on.height)
    if not edges:
        return
    columns = touched(on.width, min(x for x, _ in corners), max(x for x, _ in corners))
    rows = touched(on.height, min(e.top for e in edges), max(0.0, *(e.bottom for e in edges)))
    for row in rows if columns else ():
        flips = [0] * (len(columns) + 1)
        for edge in edges:
            if edge.top < row + 1 and edge.bottom > row:
                _cross(edge, row, columns.start, flips)
        inside, coverages = 0, []
        for flip in flips[:-1]:
            inside ^= flip
            coverages.append(inside.bit_count() * SAMPLE)
        on.cover(row, columns.start, coverages, paint)


def _edges(corners: list[Place], height: int) -> list[_Edge]:
    edges = []
    for one, other in zip(corners, corners[1:] + corners[:1], strict=True):
        upper, lower = (one, other) if one[1] <= other[1] else (other, one)
        top, bottom = upper[1], lower[1]
        if top < bottom and bottom > 0 and top < height:
            near = upper if abs(top) < abs(bottom) else lower
            slope = (lower[0] - upper[0]) / (bottom - top)
            edges.append(_Edge(top, bottom, near[0], slope, near[1]))
    return edges


def _cross(edge: _Edge, row: int, first: int, flips: list[int]) -> None:
    last = (len(flips) - 1) * SAMPLES
    for line in range(LINES):
        y = row + (line + 0.5) / LINES
        if not edge.top <= y < edge.bottom:
            continue
        x = edge.x + (y - edge.y) * edge.slope - first
        pixel, part = divmod(min(max(floor(x * SAMPLES + 0.5), 0), last), SAMPLES)
        before = (1 << part) - 1
        flips[pixel] ^= ((1 << SAMPLES) - 1 ^ before) << (line * SAMPLES)
        if pixel + 1 < len(flips):
            flips[pixel + 1] ^= before << (line * SAMPLES)
