"""Run by sdk/check.sh, with sdk/python and plugins/palette on PYTHONPATH."""

import unittest
from pathlib import Path

import plugin
from atelier_plugin import ParameterFailure, SourceFailure, testing
from names import NAMES, name
from oklab import from_srgb, to_srgb

SCHEMA = Path(__file__).parent.parent / "parameters.schema.json"


def palette(pixels, **parameters):
    picture = testing.picture(len(pixels), 1, b"".join(bytes(pixel) for pixel in pixels))
    return plugin.prepare(testing.request([picture], parameters, schema=SCHEMA))


class Palette(unittest.TestCase):
    def test_bands_are_as_wide_as_their_share(self):
        red, blue = (215, 38, 30, 255), (36, 98, 208, 255)
        made = palette([red, blue, red, red], width=16, height=16)
        self.assertEqual(testing.rgba(made.pictures[0]), (bytes(red) * 12 + bytes(blue) * 4) * 16)
        self.assertEqual(made.prompt, "in the colours of image {image}: red and blue")
        self.assertEqual(made.notes, {"colours": "#d7261e 75%, #2462d0 25%"})

    def test_a_rare_colour_still_has_a_band(self):
        grey, lime = (128, 128, 128, 255), (159, 213, 43, 255)
        made = palette([grey] * 79 + [lime], width=16, height=16)
        self.assertEqual(testing.rgba(made.pictures[0])[: 16 * 4], bytes(grey) * 15 + bytes(lime))

    def test_what_looks_the_same_is_one_colour(self):
        made = palette([(128, 128, 128, 255), (131, 128, 128, 255)], prompt=False)
        self.assertEqual(len(made.notes["colours"].split(",")), 1)
        self.assertIsNone(made.prompt)

    def test_transparent_pixels_have_no_colour(self):
        with self.assertRaises(SourceFailure):
            palette([(255, 0, 0, 0)])

    def test_the_number_of_colours_is_held_to_its_range(self):
        with self.assertRaises(ParameterFailure) as refused:
            palette([(0, 0, 0, 255)], colours=13)
        self.assertEqual(refused.exception.name, "colours")

    def test_oklab_and_back_is_the_same_colour(self):
        for colour in NAMES.values():
            rgb = tuple(bytes.fromhex(colour))
            self.assertEqual(to_srgb(from_srgb(rgb)), rgb)

    def test_each_name_is_its_own_nearest(self):
        for word, colour in NAMES.items():
            self.assertEqual(name(from_srgb(tuple(bytes.fromhex(colour)))), word)


if __name__ == "__main__":
    unittest.main()
