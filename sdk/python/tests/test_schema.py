"""A schema is understood in full or stops the build; parameters are held to it."""

import json
import unittest
from typing import Any

from atelier_plugin import ParameterFailure
from atelier_plugin.schema import Schema


def schema(**properties: Any) -> Schema:
    root = {"type": "object", "properties": properties, "additionalProperties": False}
    return Schema(json.dumps(root))


class Understood(unittest.TestCase):
    def test_what_is_not_understood_stops_the_build(self) -> None:
        for rules, message in (
            ({"type": "integer", "multipleOf": 2}, "`x` has `multipleOf`, which the SDK does not"),
            ({"type": "object"}, "must have a type: one of string, integer"),
            ({"type": "array", "items": {"type": "null"}}, r"property `x\[\]` must have a type"),
            ({"type": "array"}, r"property `x\[\]` is not an object"),
            ({"type": "integer", "maximum": 5, "default": 6}, "the default of property `x` is 6"),
        ):
            with self.subTest(message), self.assertRaisesRegex((ValueError, TypeError), message):
                schema(x=rules)
        for root in ('{"type": "object"}', '{"additionalProperties": false}', "[]", "{"):
            with self.subTest(root), self.assertRaises((ValueError, TypeError)):
                Schema(root)

    def test_no_schema_takes_no_parameters(self) -> None:
        self.assertEqual(Schema().parameters("{}"), {})
        with self.assertRaisesRegex(
            ParameterFailure, "there is no such parameter; there are: none"
        ):
            Schema().parameters('{"x": 1}')


class Parameters(unittest.TestCase):
    def test_defaults_fill_in_and_whole_decimals_are_whole(self) -> None:
        rules = {"type": "integer", "default": 4}
        checks = schema(count=rules, name={"type": "string"})
        self.assertEqual(checks.parameters("{}"), {"count": 4})
        given = checks.parameters('{"count": 7.0, "name": "a"}')
        self.assertEqual(given, {"count": 7, "name": "a"})
        self.assertIs(type(given["count"]), int)

    def test_calls_share_no_default(self) -> None:
        checks = schema(names={"type": "array", "items": {"type": "string"}, "default": []})
        checks.parameters("{}")["names"].append("x")
        self.assertEqual(checks.parameters("{}"), {"names": []})

    def test_each_rule_refuses_by_name(self) -> None:
        for rules, value, message in (
            ({"type": "integer"}, 1.5, "x: is 1.5, and must be a whole number"),
            ({"type": "integer"}, True, "x: is true, and must be a whole number"),
            ({"type": "number", "minimum": 0.5}, 0.25, "x: is 0.25, and must be at least 0.5"),
            ({"type": "integer", "maximum": 3}, 4, "x: is 4, and must be at most 3"),
            ({"type": "boolean"}, 1, "x: is 1, and must be true or false"),
            ({"type": "string", "enum": ["a", "b"]}, "c", 'x: is "c", and must be one of "a", "b"'),
            ({"type": "string", "pattern": "^a"}, "b", 'x: is "b", and must fit ^a'),
            ({"type": "string", "minLength": 2}, "é", 'x: is "é", of 1 characters, and must be'),
            ({"type": "array", "items": {"type": "string"}}, ["a", 2], "x[1]: is 2, and must be"),
            ({"type": "array", "items": {"type": "string"}, "maxItems": 1}, ["a", "b"], "at most"),
        ):
            with self.subTest(message), self.assertRaises(ParameterFailure) as refused:
                schema(x=rules).parameters(json.dumps({"x": value}))
            self.assertIn(message, str(refused.exception))

    def test_what_is_missing_or_unknown_is_named(self) -> None:
        root = {
            "type": "object",
            "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
            "required": ["a"],
            "additionalProperties": False,
        }
        checks = Schema(json.dumps(root))
        for text, name, message in (
            ("{}", "a", "is required"),
            ('{"a": "x", "c": 1}', "c", "there is no such parameter; there are: a, b"),
            ("[]", "", "not a JSON object"),
            ("{", "", "not a JSON object: "),
        ):
            with self.subTest(text), self.assertRaises(ParameterFailure) as refused:
                checks.parameters(text)
            self.assertEqual(refused.exception.name, name)
            self.assertIn(message, refused.exception.message)
