"""Numbers are checked before the bindings see them: those would end the call without a word."""

import unittest

from atelier_plugin import Colour, Region, Size


class Geometry(unittest.TestCase):
    def test_a_number_that_does_not_fit_is_named(self) -> None:
        for made, error, message in (
            (lambda: Size.of((2.0, 1)), TypeError, "a width is 2.0, not a whole number"),  # type: ignore[arg-type]
            (lambda: Size.of((True, 1)), TypeError, "a width is True"),
            (lambda: Size.of((1, -1)), ValueError, "a height is -1; it must be 0 to 4294967295"),
            (lambda: Region.of((0, 2**32, 1, 1)), ValueError, "y is 4294967296"),
            (lambda: Region.of((0, 0, 1)), ValueError, "not enough values"),
            (lambda: Colour.of((0, 0, 256)), ValueError, "a colour's part is 256"),
            (lambda: Colour.of("red"), ValueError, '"red" is not a colour like #rrggbb'),
            (lambda: Colour.of("#12345"), ValueError, "is not a colour"),
        ):
            with self.subTest(message), self.assertRaisesRegex(error, message):
                made()

    def test_a_colour_is_read_from_text_and_numbers(self) -> None:
        self.assertEqual(Colour.of("#FF8000"), (255, 128, 0, 255))
        self.assertEqual(Colour.of("#ff800040"), (255, 128, 0, 64))
        self.assertEqual(Colour.of((1, 2, 3)), (1, 2, 3, 255))
        self.assertEqual(Colour(1, 2, 3).hex, "#010203")
        self.assertEqual(Colour.of("#01020304").hex, "#01020304")

    def test_a_size_keeps_its_aspect_within_a_box(self) -> None:
        self.assertEqual(Size(4000, 3000).within((512, 512)), (512, 384))
        self.assertEqual(Size(3000, 4000).within((512, 512)), (384, 512))
        self.assertEqual(Size(10, 10).within((40, 20)), (20, 20))
        self.assertEqual(Size(10000, 1).within((100, 100)), (100, 1))
