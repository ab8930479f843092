"""What is drawn in memory is what the host draws, byte for byte: sdk/draw wrote the golden file."""

import math
import unittest
from collections.abc import Callable
from pathlib import Path

from atelier_plugin import Canvas, Picture, Refused, draw, testing

GOLDEN = Path(__file__).parents[2] / "draw/tests/golden/drawings.txt"


def source(width: int, height: int) -> Picture:
    """A picture to lay over: its bytes count up by 37."""
    pixels = bytes(n * 37 % 256 for n in range(width * height * 4))
    return testing.picture(width, height, pixels)


def points(words: list[str]) -> list[tuple[float, float]]:
    numbers = iter(map(float, words))
    return list(zip(numbers, numbers, strict=True))


def call(canvas: Canvas, name: str, *words: str) -> None:
    if name == "lines":
        draw.lines(canvas, points([*words[2:]]), float(words[0]), f"#{words[1]}")
    elif name == "disc":
        draw.disc(canvas, points([*words[2:]])[0], float(words[0]), f"#{words[1]}")
    elif name == "ellipse":
        (radii,), (centre,) = points([*words[:2]]), points([*words[4:]])
        draw.ellipse(canvas, centre, radii, float(words[2]), f"#{words[3]}")
    elif name == "polygon":
        draw.polygon(canvas, points([*words[1:]]), f"#{words[0]}")
    elif name == "overlay":
        width, height, x, y = map(int, words)
        draw.blit(canvas, source(width, height), (x, y))
    else:
        raise AssertionError(name)


class Drawing(unittest.TestCase):
    def test_every_drawing_has_the_hosts_bytes(self) -> None:
        blocks = GOLDEN.read_text(encoding="utf-8").rstrip().split("\n\n")[1:]
        self.assertGreaterEqual(len(blocks), 7)
        for block in blocks:
            calls, expected = block.split("\npixels\n")
            header, *lines = calls.split("\n")
            _, name, width, height, background = header.split(" ")
            with self.subTest(name):
                canvas = Canvas((int(width), int(height)), f"#{background}")
                for line in lines:
                    call(canvas, *line.split(" "))
                made = testing.rgba(canvas).hex()
                stride = int(width) * 8
                rows = [made[at : at + stride] for at in range(0, len(made), stride)]
                self.assertEqual(rows, expected.split("\n"))

    def test_what_cannot_be_drawn_is_refused_with_the_hosts_words(self) -> None:
        canvas = Canvas((4, 4))
        white, at = "#ffffff", (1, 1)
        refusals: tuple[tuple[Callable[[], None], str], ...] = (
            (
                lambda: draw.disc(canvas, (math.nan, 1), 1, white),
                "a coordinate is nan, which is no finite number",
            ),
            (
                lambda: draw.lines(canvas, [at], 1e39, white),
                "the width is inf, which is no finite number",
            ),
            (lambda: draw.disc(canvas, at, 0, white), "the radius is 0, and it must be above 0"),
            (
                lambda: draw.ellipse(canvas, at, (1, -2), 0, white),
                "a radius is -2, and it must be above 0",
            ),
            (
                lambda: draw.polygon(canvas, [at] * 10001, white),
                "10001 points are more than the 10000 that one call draws",
            ),
            (
                lambda: draw.blit(canvas, source(2, 2), at, part=(1, 0, 2, 1)),
                "2 x 1 pixels at (1, 0) do not lie inside 2 x 2",
            ),
        )
        for drawing, message in refusals:
            with self.subTest(message), self.assertRaises(Refused) as refused:
                drawing()
            self.assertEqual(str(refused.exception), message)
        self.assertEqual(testing.rgba(canvas), bytes(64))

    def test_a_part_is_brought_to_another_size_and_laid_over_by_its_alpha(self) -> None:
        half = testing.picture(2, 1, bytes([0, 0, 0, 255, 255, 0, 0, 128]))
        canvas = Canvas((3, 2), "#0000ff")
        draw.blit(canvas, half, (1, 0), size=(2, 2), part=(1, 0, 1, 1))
        row = bytes([0, 0, 255, 255]) + bytes([128, 0, 127, 255]) * 2
        self.assertEqual(testing.rgba(canvas), row * 2)
