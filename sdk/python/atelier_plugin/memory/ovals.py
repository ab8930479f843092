"""Discs and ellipses, as the host draws them: the formulas are those of `sdk/draw/src/oval.rs` and
`turn.rs`, whose sine is the same on every machine.
"""

from itertools import accumulate
from math import floor, fmod, pi, sqrt

from atelier_plugin.memory.raster import WHOLE, Paint, Place, Raster, touched

LINES = 16
PARTS = WHOLE // LINES


def ellipse(on: Raster, centre: Place, radii: Place, degrees: float, paint: Paint) -> None:
    """A filled ellipse, its first axis turned clockwise from the right."""
    (x, y), (a, b) = centre, radii
    cosine, sine = cosine_and_sine(degrees)
    height = (a * sine) * (a * sine) + (b * cosine) * (b * cosine)
    slant = (a - b) * (a + b) * sine * cosine / height
    breadth = a * b / height
    half_width = sqrt((a * cosine) * (a * cosine) + (b * sine) * (b * sine))
    half_height = sqrt(height)
    columns = touched(on.width, x - half_width, x + half_width)
    for row in touched(on.height, y - half_height, y + half_height) if columns else ():
        steps = [0] * (len(columns) + 1)
        for line in range(LINES):
            v = row + (line + 0.5) / LINES - y
            inside = height - v * v
            if inside > 0:
                middle, half = x + slant * v, breadth * sqrt(inside)
                _step(steps, middle - half - columns.start, 1)
                _step(steps, middle + half - columns.start, -1)
        on.cover(row, columns.start, list(accumulate(steps))[: len(columns)], paint)


def _step(steps: list[int], x: float, sign: int) -> None:
    """All that is right of `x` is inside (1) or outside again (-1) on one line."""
    last = len(steps) - 1
    parts = min(max(floor(x * PARTS + 0.5), 0), last * PARTS)
    pixel, part = divmod(parts, PARTS)
    steps[pixel] += sign * (PARTS - part)
    if pixel < last:
        steps[pixel + 1] += sign * part


def cosine_and_sine(degrees: float) -> tuple[float, float]:
    """Of any angle; multiples of 90° are exact."""
    turned = fmod(degrees, 360.0)
    quarter = int(turned / 90.0 + (-0.5 if turned < 0 else 0.5))
    rest = (turned - quarter * 90.0) * (pi / 180.0)
    sine, cosine = _series(rest, 1), _series(rest, 0)
    turns = ((cosine, sine), (-sine, cosine), (-cosine, -sine), (sine, -cosine))
    return turns[quarter % 4]


def _series(x: float, first: int) -> float:
    term = total = x if first else 1.0
    for n in range(1, 10):
        k = float(first + 2 * n)
        term *= -x * x / (k * (k - 1.0))
        total += term
    return total
