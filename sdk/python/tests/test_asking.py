"""What plugin.toml has to ask for: models, settings and random numbers, as a test answers them."""

import unittest

from atelier_plugin import Refused, infer, random, settings, testing
from atelier_plugin.infer import Tensor


class Asking(unittest.TestCase):
    def setUp(self) -> None:
        testing.reset()

    def test_a_model_is_answered_by_the_test(self) -> None:
        def doubled(inputs: list[Tensor]) -> list[Tensor]:
            (given,) = inputs
            self.assertEqual((given.name, given.shape, given.kind), ("image", [1, 2], "bytes"))
            return [Tensor([2], [2.0 * number for number in given.numbers], "out")]

        testing.answer_with("double", doubled)
        (out,) = infer.run("double", [Tensor((1, 2), bytes([3, 4]), "image", "bytes")])
        self.assertEqual((out.name, out.shape, out.numbers), ("out", [2], [6.0, 8.0]))
        self.assertEqual(out.kind, "floats")

    def test_what_goes_wrong_with_a_model_has_a_kind(self) -> None:
        with self.assertRaises(Refused) as missing:
            infer.run("absent", [])
        self.assertEqual(missing.exception.kind, "missing")

        def refuse(inputs: list[Tensor]) -> list[Tensor]:
            raise Refused("it takes one tensor", "input")

        testing.answer_with("picky", refuse)
        with self.assertRaises(Refused) as refused:
            infer.run("picky", [])
        self.assertEqual(refused.exception.kind, "input")
        self.assertEqual(str(refused.exception), "it takes one tensor")

    def test_a_tensor_is_checked_before_it_is_sent(self) -> None:
        testing.answer_with("any", lambda inputs: inputs)
        for tensor, error in (
            (Tensor([1], [2**31], kind="integers"), ValueError),
            (Tensor([1], [1.5], kind="integers"), TypeError),
            (Tensor([1], [256], kind="bytes"), ValueError),
            (Tensor([-1], [1.0]), ValueError),
            (Tensor([1], [1.0], kind="doubles"), ValueError),
        ):
            with self.subTest(tensor), self.assertRaises(error):
                infer.run("any", [tensor])

    def test_random_numbers_follow_from_the_seed(self) -> None:
        def drawn(seed: int) -> tuple[bytes, float]:
            testing.seed_with(seed)
            return random.bytes_of(5), random.generator().random()

        self.assertEqual(drawn(7), drawn(7))
        self.assertNotEqual(drawn(7), drawn(8))
        self.assertEqual(len(random.bytes_of(65536)), 65536)
        with self.assertRaisesRegex(Refused, "65537 random bytes are too many at once"):
            random.bytes_of(65537)
        with self.assertRaises(ValueError):
            random.bytes_of(-1)

    def test_a_setting_is_what_json_has_or_the_default(self) -> None:
        testing.settings["studio"] = {"name": "North", "rooms": [1, 2]}
        self.assertEqual(settings.get("studio"), {"name": "North", "rooms": [1, 2]})
        self.assertIsNone(settings.get("absent"))
        self.assertEqual(settings.get("absent", 3), 3)
