"""Lines, as the host draws them: the formulas are those of `sdk/draw/src/capsules.rs`."""

from itertools import accumulate, pairwise
from math import ceil, floor, inf, sqrt

from atelier_plugin.memory.raster import WHOLE, Paint, Place, Raster, touched

Stretch = tuple[float, float]


def lines(on: Raster, through: list[Place], radius: float, paint: Paint) -> None:
    """Each point joined to the next, round at ends and corners; all of it is one shape."""
    pairs = pairwise(through) if len(through) > 1 else ((dot, dot) for dot in through)
    segments = [_Segment(a, b) for a, b in pairs]
    reach = radius + 0.5
    ends = [end for segment in segments for end in (segment.a, segment.b)]
    if not ends:
        return
    xs, ys = [x for x, _ in ends], [y for _, y in ends]
    columns = touched(on.width, min(xs) - reach, max(xs) + reach)
    for y in touched(on.height, min(ys) - reach, max(ys) + reach):
        middle = y + 0.5
        row = _Row(columns)
        for segment in segments:
            if segment.top - reach < middle < segment.bottom + reach:
                row.add(segment, radius, middle)
        on.cover(y, columns.start, row.coverages(), paint)


class _Segment:
    """Two points; around it lies a capsule, all that is within a radius."""

    def __init__(self, a: Place, b: Place) -> None:
        self.a, self.b = a, b
        self.way = (b[0] - a[0], b[1] - a[1])
        self.length = sqrt(self.way[0] * self.way[0] + self.way[1] * self.way[1])
        self.cross = a[0] * b[1] - a[1] * b[0]
        self.top, self.bottom = min(a[1], b[1]), max(a[1], b[1])

    def distance(self, x: float, y: float) -> float:
        across, down = self.way
        ax, ay, bx, by = x - self.a[0], y - self.a[1], x - self.b[0], y - self.b[1]
        if self.length == 0 or ax * across + ay * down <= 0:
            return sqrt(ax * ax + ay * ay)
        if bx * across + by * down >= 0:
            return sqrt(bx * bx + by * by)
        return abs(across * y - down * x + self.cross) / self.length

    def stretch(self, radius: float, y: float) -> Stretch | None:
        """From where to where the points of a height are inside: two discs and what is between."""
        parts = []
        for x, end in (self.a, self.b):
            inside = radius * radius - (y - end) * (y - end)
            if inside >= 0:
                parts.append((x - sqrt(inside), x + sqrt(inside)))
        between = self._between(radius, y)
        if between:
            parts.append(between)
        return (min(low for low, _ in parts), max(high for _, high in parts)) if parts else None

    def _between(self, radius: float, y: float) -> Stretch | None:
        if self.length == 0:
            return None
        across, down = self.way
        wide = radius * self.length
        level = across * y + self.cross
        beside = _within(down, level - wide, level + wide)
        after_a = _within(across, across * self.a[0] + down * (self.a[1] - y), inf)
        before_b = _within(across, -inf, across * self.b[0] + down * (self.b[1] - y))
        if not (beside and after_a and before_b):
            return None
        low = max(beside[0], after_a[0], before_b[0])
        high = min(beside[1], after_a[1], before_b[1])
        return (low, high) if low <= high else None


def _within(factor: float, low: float, high: float) -> Stretch | None:
    """The x for which low ≤ factor · x ≤ high."""
    if factor == 0:
        return (-inf, inf) if low <= 0 <= high else None
    return min(low / factor, high / factor), max(low / factor, high / factor)


class _Row:
    """One row's coverages: pixels along the rims, and stretches that are whole."""

    def __init__(self, columns: range) -> None:
        self.first = columns.start + 0.5
        self.rim = [0] * len(columns)
        self.whole = [0] * (len(columns) + 1)

    def add(self, segment: _Segment, radius: float, y: float) -> None:
        stretch = segment.stretch(radius + 0.5, y)
        if stretch is None:
            return
        outer = self._middles(stretch)
        # A line thinner than a pixel has no inside.
        deep = segment.stretch(radius - 0.5, y) if radius > 0.5 else None
        inner = self._middles(deep) if deep else range(0)
        if not inner:
            inner = range(outer.stop, outer.stop)
        self.whole[inner.start] += 1
        self.whole[inner.stop] -= 1
        for rim in (range(outer.start, inner.start), range(inner.stop, outer.stop)):
            for pixel in rim:
                share = _coverage(segment.distance(self.first + pixel, y), radius)
                self.rim[pixel] = max(self.rim[pixel], share)

    def _middles(self, stretch: Stretch) -> range:
        """The pixels whose middles are in a stretch."""
        last = len(self.rim)
        start = ceil(min(max(stretch[0] - self.first, 0), last))
        return range(start, max(start, floor(min(max(stretch[1] - self.first + 1, 0), last))))

    def coverages(self) -> list[int]:
        depths = accumulate(self.whole)
        return [WHOLE if depth > 0 else rim for rim, depth in zip(self.rim, depths, strict=False)]


def _coverage(distance: float, radius: float) -> int:
    """The share of a pixel's breadth, at a distance from a line's middle, that is inside."""
    inside = min(distance + 0.5, radius) - max(distance - 0.5, -radius)
    return int(min(max(inside, 0.0), 1.0) * WHOLE + 0.5)
