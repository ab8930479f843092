"""Sizes, places and colours, checked before they reach the host.

The bindings end the whole call, without a word, where a number does not fit its type. Here it is
an exception that names the number instead. A plain tuple does wherever one of these is expected.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

LARGEST_UNSIGNED = 2**32 - 1
LARGEST_SIGNED = 2**31 - 1


def whole(what: str, value: int, low: int = 0, high: int = LARGEST_UNSIGNED) -> int:
    """`value`, if it is a whole number from `low` to `high`."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{what} is {value!r}, not a whole number: use int(), round() or //")
    if not low <= value <= high:
        raise ValueError(f"{what} is {value}; it must be {low} to {high}")
    return value


class Size(NamedTuple):
    """Width and height in pixels, each at least 1."""

    width: int
    height: int

    @staticmethod
    def of(given: Sequence[int]) -> "Size":
        """A checked size from anything with two numbers."""
        width, height = given
        return Size(whole("a width", width), whole("a height", height))

    def within(self, box: Sequence[int]) -> "Size":
        """The largest size of this aspect that fits `box`, each side at least 1."""
        width, height = box
        if width * self.height <= height * self.width:
            return Size(width, max(1, round(self.height * width / self.width)))
        return Size(max(1, round(self.width * height / self.height)), height)


class Region(NamedTuple):
    """A rectangle of pixels, `x` and `y` its top left corner."""

    x: int
    y: int
    width: int
    height: int

    @staticmethod
    def of(given: Sequence[int]) -> "Region":
        """A checked region from anything with four numbers."""
        x, y, width, height = given
        return Region(
            whole("x", x), whole("y", y), whole("a width", width), whole("a height", height)
        )

    @staticmethod
    def whole(size: Sequence[int]) -> "Region":
        """All of a picture of this size."""
        return Region.of((0, 0, *size))


class Point(NamedTuple):
    """A place on a canvas, in pixels: (0.5, 0.5) is the middle of the first one."""

    x: float
    y: float


class Colour(NamedTuple):
    """R, G, B and A, 0 to 255 each, not premultiplied, sRGB."""

    r: int
    g: int
    b: int
    a: int = 255

    @staticmethod
    def of(given: str | Sequence[int]) -> "Colour":
        """A checked colour from `#rrggbb`, `#rrggbbaa`, or three or four numbers."""
        if isinstance(given, str):
            if not re.fullmatch(r"#([0-9a-fA-F]{6}|[0-9a-fA-F]{8})", given):
                raise ValueError(f'"{given}" is not a colour like #rrggbb or #rrggbbaa')
            given = tuple(bytes.fromhex(given[1:]))
        return Colour(*(whole("a colour's part", part, 0, 255) for part in given))

    @property
    def hex(self) -> str:
        """`#rrggbb`, or `#rrggbbaa` where it is not opaque."""
        return "#" + bytes(self if self.a < 255 else self[:3]).hex()
