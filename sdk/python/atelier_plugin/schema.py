"""Checks a job's parameters against `parameters.schema.json` and fills in its defaults.

The schema is what a form is made of, so it is the one place where a parameter is described. Only
the part of JSON Schema that a form can show is understood; anything else stops the build, because
a rule that nobody checks is worse than none.
"""

import json
import re
from typing import Any

from atelier_plugin.failures import ParameterFailure

EMPTY = '{"type":"object","properties":{},"additionalProperties":false}'

_TYPES: dict[str, tuple[Any, str]] = {
    "string": (str, "a text"),
    "integer": (int, "a whole number"),
    "number": ((int, float), "a number"),
    "boolean": (bool, "true or false"),
    "array": (list, "a list"),
}
_NOTES = {"title", "description", "examples", "default", "$comment", "$schema"}
_LIMITS = {"minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"}
_RULES = {"type", "enum", "pattern", "items"} | _LIMITS
_OBJECT = {"type", "properties", "required", "additionalProperties"}


class Schema:
    """A schema that is understood in full."""

    def __init__(self, text: str = EMPTY) -> None:
        """Raises `ValueError` or `TypeError` where something in it is not understood."""
        root = json.loads(text)
        _understood("the schema", root, _OBJECT | _NOTES)
        if root.get("type") != "object" or root.get("additionalProperties") is not False:
            raise ValueError('the schema must have "type": "object", "additionalProperties": false')
        self.properties: dict[str, Any] = root.get("properties", {})
        self.required: list[str] = root.get("required", [])
        for name, rules in self.properties.items():
            _check_rules(name, rules)

    def parameters(self, text: str) -> dict[str, Any]:
        """The checked parameters of a JSON object, with defaults. Raises `ParameterFailure`."""
        try:
            given = json.loads(text)
        except ValueError as error:
            raise ParameterFailure("", f"not a JSON object: {error}") from None
        if not isinstance(given, dict):
            raise ParameterFailure("", "not a JSON object")
        for name in given:
            if name not in self.properties:
                known = ", ".join(self.properties) or "none"
                raise ParameterFailure(name, f"there is no such parameter; there are: {known}")
        for name in self.required:
            if name not in given:
                raise ParameterFailure(name, "is required")
        checked = {name: _checked(name, self.properties[name], given[name]) for name in given}
        for name, rules in self.properties.items():
            if "default" in rules and name not in checked:
                # Checked again for the sake of the copy: a plugin may change its parameters.
                checked[name] = _checked(name, rules, rules["default"])
        return checked


def _understood(where: str, rules: Any, known: set[str]) -> None:
    if not isinstance(rules, dict):
        raise TypeError(f"{where} is not an object")
    for key in rules:
        if key not in known:
            raise ValueError(f"{where} has `{key}`, which the SDK does not check: leave it out")


def _check_rules(name: str, rules: Any) -> None:
    _understood(f"property `{name}`", rules, _RULES | _NOTES)
    if rules.get("type") not in _TYPES:
        raise ValueError(f"property `{name}` must have a type: one of {', '.join(_TYPES)}")
    if rules["type"] == "array":
        _check_rules(f"{name}[]", rules.get("items"))
    if "default" in rules:
        try:
            rules["default"] = _checked(name, rules, rules["default"])
        except ParameterFailure as failure:
            raise ValueError(f"the default of property `{name}` {failure.message}") from None


def _checked(name: str, rules: dict[str, Any], value: Any) -> Any:
    types, words = _TYPES[rules["type"]]
    if rules["type"] == "integer" and isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, types) or (isinstance(value, bool) and types is not bool):
        raise ParameterFailure(name, f"is {_shown(value)}, and must be {words}")
    if "enum" in rules and value not in rules["enum"]:
        choices = ", ".join(_shown(choice) for choice in rules["enum"])
        raise ParameterFailure(name, f"is {_shown(value)}, and must be one of {choices}")
    if isinstance(value, str):
        _within(name, rules, len(value), "Length", f"{_shown(value)}, of {len(value)} characters")
        if "pattern" in rules and not re.search(rules["pattern"], value):
            raise ParameterFailure(name, f"is {_shown(value)}, and must fit {rules['pattern']}")
    elif isinstance(value, list):
        _within(name, rules, len(value), "Items", f"a list of {len(value)}")
        return [_checked(f"{name}[{at}]", rules["items"], one) for at, one in enumerate(value)]
    elif not isinstance(value, bool):
        _within(name, rules, value, "imum", _shown(value))
    return value


def _within(name: str, rules: dict[str, Any], measure: float, ending: str, shown: str) -> None:
    low, high = rules.get(f"min{ending}"), rules.get(f"max{ending}")
    if low is not None and measure < low:
        raise ParameterFailure(name, f"is {shown}, and must be at least {low}")
    if high is not None and measure > high:
        raise ParameterFailure(name, f"is {shown}, and must be at most {high}")


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"
