"""Pixels in plain memory that shapes can be drawn on, for an author's tests."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, cos, floor, hypot, radians, sin

SAMPLES = [(2 * n + 1) / 8 for n in range(4)]
"""Where a pixel is sampled, across and down."""

Place = tuple[float, float]
Paint = tuple[int, int, int, int]


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
                self._blend(column, row, (r, g, b, a), 1.0)

    def lines(self, points: list[Place], radius: float, paint: Paint) -> None:
        """Lines from point to point, round at their ends."""
        pairs = list(pairwise(points)) or [(p, p) for p in points]
        inside = _any_of([_near(start, end, radius) for start, end in pairs])
        self._cover(points, radius, inside, paint)

    def ellipse(self, centre: Place, radii: Place, degrees: float, paint: Paint) -> None:
        """A filled ellipse, its first axis turned clockwise from the right."""
        c, s = cos(radians(degrees)), sin(radians(degrees))

        def inside(x: float, y: float) -> bool:
            x, y = x - centre[0], y - centre[1]
            return hypot((x * c + y * s) / radii[0], (y * c - x * s) / radii[1]) <= 1

        self._cover([centre], max(radii), inside, paint)

    def polygon(self, corners: list[Place], paint: Paint) -> None:
        """A filled polygon by the even-odd rule."""
        edges = list(zip(corners, corners[1:] + corners[:1], strict=True))

        def inside(x: float, y: float) -> bool:
            crossed = False
            for (ax, ay), (bx, by) in edges:
                if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
                    crossed = not crossed
            return crossed

        self._cover(corners, 0, inside, paint)

    def _cover(
        self,
        points: list[Place],
        reach: float,
        inside: Callable[[float, float], bool],
        paint: Paint,
    ) -> None:
        if not points:
            return
        xs, ys = [x for x, _ in points], [y for _, y in points]
        left, right = max(0, floor(min(xs) - reach)), min(self.width, ceil(max(xs) + reach) + 1)
        top, bottom = max(0, floor(min(ys) - reach)), min(self.height, ceil(max(ys) + reach) + 1)
        for y in range(top, bottom):
            for x in range(left, right):
                hits = sum(inside(x + dx, y + dy) for dx in SAMPLES for dy in SAMPLES)
                if hits:
                    self._blend(x, y, paint, hits / len(SAMPLES) ** 2)

    def _blend(self, x: int, y: int, paint: Paint, share: float) -> None:
        at = (y * self.width + x) * 4
        over = paint[3] / 255 * share
        under = self.pixels[at + 3] / 255 * (1 - over)
        total = over + under
        if total == 0:
            return
        for channel in range(3):
            mixed = paint[channel] * over + self.pixels[at + channel] * under
            self.pixels[at + channel] = round(mixed / total)
        self.pixels[at + 3] = round(255 * total)


def _near(start: Place, end: Place, radius: float) -> Callable[[float, float], bool]:
    dx, dy = end[0] - start[0], end[1] - start[1]
    square = dx * dx + dy * dy

    def inside(x: float, y: float) -> bool:
        along = ((x - start[0]) * dx + (y - start[1]) * dy) / square if square else 0.0
        along = min(1.0, max(0.0, along))
        return hypot(x - start[0] - along * dx, y - start[1] - along * dy) <= radius

    return inside


def _any_of(shapes: list[Callable[[float, float], bool]]) -> Callable[[float, float], bool]:
    return lambda x, y: any(shape(x, y) for shape in shapes)
