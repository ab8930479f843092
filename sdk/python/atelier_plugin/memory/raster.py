"""Pixels in plain memory, and colours laid over them as the host lays them.

Numbers are whole, so that a test sees the bytes that a job will: the formulas are those of
`sdk/draw/src/blend.rs`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor

Place = tuple[float, float]
Paint = tuple[int, int, int, int]

WHOLE = 4096
"""The coverage of a pixel that lies wholly inside a shape."""

OPAQUE = 255 * WHOLE
"""An alpha of 255 times a whole coverage."""


@dataclass
class Raster:
    """RGBA pixels, rows top to bottom."""

    width: int
    height: int
    pixels: bytearray

    def cut(self, x: int, y: int, width: int, height: int) -> bytes:
        """The pixels of a region that lies inside."""
        starts = (((y + row) * self.width + x) * 4 for row in range(height))
        return b"".join(self.pixels[start : start + width * 4] for start in starts)

    def put(self, source: "Raster", x: int, y: int) -> None:
        """Another's pixels; what falls outside is dropped."""
        left, right = max(x, 0), min(x + source.width, self.width)
        if left >= right:
            return
        for row in range(max(y, 0), min(y + source.height, self.height)):
            part = source.cut(left - x, row - y, right - left, 1)
            start = (row * self.width + left) * 4
            self.pixels[start : start + len(part)] = part

    def lay_over(self, source: "Raster", x: int, y: int) -> None:
        """Another's pixels by their alpha; what falls outside is dropped."""
        for row in range(max(y, 0), min(y + source.height, self.height)):
            for column in range(max(x, 0), min(x + source.width, self.width)):
                at = ((row - y) * source.width + column - x) * 4
                r, g, b, a = source.pixels[at : at + 4]
                self._over((row * self.width + column) * 4, (r, g, b, a), WHOLE)

    def cover(self, row: int, left: int, coverages: Iterable[int], paint: Paint) -> None:
        """Lays a colour over a row from the pixel `left` on, by a coverage for each pixel."""
        at = (row * self.width + left) * 4
        for coverage in coverages:
            if coverage:
                self._over(at, paint, coverage)
            at += 4

    def _over(self, at: int, paint: Paint, coverage: int) -> None:
        source = paint[3] * coverage
        if source >= OPAQUE:
            self.pixels[at : at + 4] = bytes((*paint[:3], 255))
            return
        over, under = source * 255, self.pixels[at + 3] * (OPAQUE - source)
        alpha = _nearest(over + under, OPAQUE)
        if source == 0 or alpha == 0:
            return
        for channel in range(3):
            mixed = paint[channel] * over + self.pixels[at + channel] * under
            self.pixels[at + channel] = _nearest(mixed, over + under)
        self.pixels[at + 3] = alpha


def _nearest(dividend: int, divisor: int) -> int:
    return (dividend + divisor // 2) // divisor


def touched(side: int, low: float, high: float) -> range:
    """Which of `side` rows or columns have a pixel between two coordinates."""
    first = floor(min(max(low, 0), side))
    return range(first, max(first, ceil(min(max(high, 0), side))))
