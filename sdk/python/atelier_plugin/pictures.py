"""Pictures that live in the host. A plugin reads the regions that it needs, and no more: each
pixel that passes through Python costs time. Pixels are RGBA, 8 bits each, not premultiplied,
sRGB, rows top to bottom.
"""

from collections.abc import Sequence
from typing import Any

from atelier_plugin.bindings import ask, interface
from atelier_plugin.geometry import LARGEST_SIGNED, Colour, Region, Size, whole

_host = interface("pictures")


class Picture:
    """A picture that exists; it cannot be changed."""

    def __init__(self, handle: Any) -> None:
        """Wraps a picture of the host's. Tests use `testing.picture`."""
        self.handle = handle

    @property
    def size(self) -> Size:
        """Its width and height in pixels."""
        size = self.handle.size()
        return Size(size.width, size.height)

    @property
    def format(self) -> str | None:
        """The media type of the file that it came from, `image/jpeg` say; none for a picture that
        another plugin made. The pixels are upright and sRGB whatever the file said.
        """
        media: str | None = self.handle.format()
        return media

    def read(self, region: Sequence[int] | None = None) -> bytes:
        """The pixels of a region, or of all: width × height × 4 bytes."""
        at = Region.whole(self.size) if region is None else Region.of(region)
        pixels: bytes = ask(self.handle.read, _host.Region(*at))
        return pixels

    def resized(self, size: Sequence[int]) -> "Picture":
        """A copy of another size, made by the host (Lanczos, three lobes)."""
        return Picture(ask(self.handle.resized, _host.Size(*Size.of(size))))


class Canvas:
    """A new picture, all pixels transparent black until something is put on it."""

    def __init__(self, size: Sequence[int], background: str | Sequence[int] | None = None) -> None:
        """A blank canvas, or one filled with `background`."""
        self.handle = ask(_host.Canvas.create, _host.Size(*Size.of(size)))
        if background is not None:
            self.fill(background)

    @property
    def size(self) -> Size:
        """Its width and height in pixels."""
        size = self.handle.size()
        return Size(size.width, size.height)

    def fill(self, colour: str | Sequence[int], region: Sequence[int] | None = None) -> None:
        """Sets all pixels of a region, or of all, to one colour."""
        at = Region.whole(self.size) if region is None else Region.of(region)
        ask(self.handle.fill, _host.Region(*at), tuple(Colour.of(colour)))

    def write(self, pixels: bytes, region: Sequence[int] | None = None) -> None:
        """Puts width × height × 4 bytes at a region, or on all."""
        at = Region.whole(self.size) if region is None else Region.of(region)
        ask(self.handle.write, _host.Region(*at), bytes(pixels))

    def paste(self, picture: Picture, x: int, y: int) -> None:
        """Puts a picture's pixels, alpha and all, with its top left corner at (x, y), which may
        lie outside; what falls outside is dropped. `draw.blit` lays over instead.
        """
        low = -LARGEST_SIGNED - 1
        x, y = whole("x", x, low, LARGEST_SIGNED), whole("y", y, low, LARGEST_SIGNED)
        self.handle.paste(picture.handle, x, y)

    def snapshot(self) -> Picture:
        """What is on it now, as a picture that can be read, resized and pasted."""
        return Picture(ask(self.handle.snapshot))
