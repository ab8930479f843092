"""Pictures in memory have the host's rules and sentences."""

import unittest

from atelier_plugin import Canvas, Picture, Refused, SourceFailure, log, testing


def numbered(width: int, height: int) -> Picture:
    """A picture whose pixels are numbered from 1, the same number in all four bytes."""
    pixels = b"".join(bytes([n + 1]) * 4 for n in range(width * height))
    return testing.picture(width, height, pixels)


def reds(of: Picture | Canvas) -> list[int]:
    return list(testing.rgba(of)[::4])


class Pictures(unittest.TestCase):
    def test_a_region_is_read_and_written_row_by_row(self) -> None:
        picture = numbered(3, 3)
        self.assertEqual((picture.size, picture.format), ((3, 3), None))
        pixels = picture.read((1, 1, 2, 2))
        self.assertEqual(list(pixels[::4]), [5, 6, 8, 9])
        canvas = Canvas((3, 3))
        canvas.write(pixels, (0, 1, 2, 2))
        self.assertEqual(reds(canvas), [0, 0, 0, 5, 6, 0, 8, 9, 0])
        canvas.fill("#07070707", (2, 0, 1, 3))
        self.assertEqual(reds(canvas.snapshot()), [0, 0, 7, 5, 6, 7, 8, 9, 7])

    def test_a_paste_over_the_edges_keeps_what_is_inside(self) -> None:
        for x, y, expected in (
            (0, 0, [1, 2, 0, 3, 4, 0]),
            (-1, -1, [4, 0, 0, 0, 0, 0]),
            (2, 1, [0, 0, 0, 0, 0, 1]),
            (3, 0, [0] * 6),
            (-(2**31), 2**31 - 1, [0] * 6),
        ):
            with self.subTest(x=x, y=y):
                canvas = Canvas((3, 2))
                canvas.paste(numbered(2, 2), x, y)
                self.assertEqual(reds(canvas), expected)

    def test_what_the_host_refuses_is_refused_with_its_words(self) -> None:
        picture, canvas = numbered(2, 2), Canvas((2, 2))
        for call, message in (
            (lambda: Canvas((0, 4)), "a picture of 0 x 4 pixels has none"),
            (lambda: Canvas((20000, 1)), "20000 x 1 pixels: a side may have 16384"),
            (lambda: picture.resized((1, 0)), "a picture of 1 x 0 pixels has none"),
            (
                lambda: picture.read((1, 0, 2, 2)),
                "2 x 2 pixels at (1, 0) do not lie inside 2 x 2",
            ),
            (
                lambda: canvas.fill("#000000", (0, 0, 0, 1)),
                "0 x 1 pixels at (0, 0) do not lie inside 2 x 2",
            ),
            (
                lambda: canvas.write(bytes(15)),
                "a region of 2 x 2 pixels is 16 bytes, not 15",
            ),
        ):
            with self.subTest(message), self.assertRaises(Refused) as refused:
                call()
            self.assertEqual((str(refused.exception), refused.exception.kind), (message, None))

    def test_a_snapshot_stays_as_it_was(self) -> None:
        canvas = Canvas((1, 1), (1, 2, 3))
        before = canvas.snapshot()
        canvas.fill("#ffffff")
        self.assertEqual(before.read(), bytes([1, 2, 3, 255]))

    def test_a_resized_picture_keeps_one_colour_and_no_hidden_one_bleeds(self) -> None:
        flat = testing.picture(7, 3, bytes([10, 20, 30, 255]) * 21)
        for size in ((1, 1), (20, 2), (2, 20)):
            self.assertEqual(flat.resized(size).read()[:4], bytes([10, 20, 30, 255]))
        row = bytes([255, 0, 0, 255]) * 32 + bytes([0, 255, 0, 0]) * 32
        small = testing.picture(64, 1, row).resized((16, 1)).read()
        self.assertEqual(set(small[1::4]), {0})
        self.assertEqual((small[:4], small[-1]), (bytes([255, 0, 0, 255]), 0))

    def test_only_picture_takes_exactly_one(self) -> None:
        picture = numbered(1, 1)
        self.assertIs(testing.request([picture]).only_picture(), picture)
        with self.assertRaisesRegex(SourceFailure, "is 1 pictures and 1 documents"):
            testing.request([picture, "{}"]).only_picture()

    def test_what_is_logged_is_kept_for_tests(self) -> None:
        testing.reset()
        log.warn("half a pair: \ud800")
        log.progress(0.5)
        self.assertEqual(testing.lines, [("warn", "half a pair: ?")])
