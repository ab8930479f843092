"""Drawing by the host, smooth at the edges: what Python would take seconds for.

Coordinates are in pixels, (0, 0) the top left corner of the canvas and (0.5, 0.5) the middle of
its first pixel; they may lie outside. Colours are laid over what is there, by their alpha. What
cannot be drawn is `Refused`: a coordinate that is no finite number, a width, radius or size that
is not above 0, more than 10000 points.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from atelier_plugin.bindings import ask, interface
from atelier_plugin.geometry import LARGEST_SIGNED, Colour, Region, Size, whole
from atelier_plugin.pictures import Canvas, Picture

_host = interface("draw")
_pictures = interface("pictures")

Place = Sequence[float]
Paint = str | Sequence[int]


def lines(canvas: Canvas, points: Iterable[Place], width: float, colour: Paint) -> None:
    """Lines from each point to the next, round at ends and corners. One point is a dot."""
    through = [_point(point) for point in points]
    ask(_host.lines, canvas.handle, through, float(width), _colour(colour))


def disc(canvas: Canvas, centre: Place, radius: float, colour: Paint) -> None:
    """A filled disc."""
    ask(_host.disc, canvas.handle, _point(centre), float(radius), _colour(colour))


def ellipse(canvas: Canvas, centre: Place, radii: Place, degrees: float, colour: Paint) -> None:
    """A filled ellipse: half its axes, and the turn of the first from the right, clockwise."""
    turn = float(degrees)
    ask(_host.ellipse, canvas.handle, _point(centre), _point(radii), turn, _colour(colour))


def polygon(canvas: Canvas, corners: Iterable[Place], colour: Paint) -> None:
    """A filled polygon, closed from the last point to the first. Where it crosses itself, the
    even-odd rule says what is inside.
    """
    ask(_host.polygon, canvas.handle, [_point(corner) for corner in corners], _colour(colour))


def blit(
    canvas: Canvas,
    picture: Picture,
    at: Sequence[int],
    size: Sequence[int] | None = None,
    part: Sequence[int] | None = None,
) -> None:
    """Lays a picture, or a part of it, over the canvas by its alpha: top left corner at `at`,
    brought to `size` (Lanczos, three lobes) where that is given. What falls outside is dropped.
    """
    cut = Region.whole(picture.size) if part is None else Region.of(part)
    to = Size(cut.width, cut.height) if size is None else Size.of(size)
    x, y = (whole("a place", value, -LARGEST_SIGNED - 1, LARGEST_SIGNED) for value in at)
    frame = _host.Frame(x, y, to.width, to.height)
    ask(_host.blit, canvas.handle, picture.handle, _pictures.Region(*cut), frame)


def _point(place: Place) -> Any:
    x, y = place
    return _host.Point(float(x), float(y))


def _colour(given: Paint) -> Any:
    return _host.Colour(*Colour.of(given))
