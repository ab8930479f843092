"""What the bindings call: requests become the author's, and whatever happens becomes an answer.

The bindings' own modules are stood in for; `closed` shuts a whole process, so it has one of its own.
"""

import subprocess
import sys
import types
import unittest
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from atelier_plugin import (
    Canvas,
    Failure,
    Outcome,
    ParameterFailure,
    Request,
    SourceFailure,
    memory,
    serve,
    testing,
)

SCHEMA = """{"type": "object", "additionalProperties": false,
    "properties": {"size": {"type": "integer", "maximum": 9, "default": 3}}}"""


class Case:
    """A case of a variant, told by its class."""

    def __init__(self, value: Any) -> None:
        self.value = value


class Named(Case): ...


class Source(Case): ...


class Other(Case): ...


class Kind(Enum):
    PICTURE = 0
    DOCUMENT = 1


BINDINGS = SimpleNamespace(
    SourceKind=Kind,
    Description=lambda *parts: parts,
    Outcome=lambda *parts: parts,
    Note=lambda key, value: (key, value),
    Failure_Parameter=Named,
    Failure_Source=Source,
    Failure_Other=Other,
)


def preparer(prepare: Callable[[Request], Any], takes: Any = ("picture",)) -> Any:
    plugin = types.ModuleType("plugin")
    vars(plugin).update(prepare=prepare, takes=takes)
    modules = {
        "componentize_py_types": SimpleNamespace(Err=memory.Err),
        "wit_world": SimpleNamespace(),
        "wit_world.exports": SimpleNamespace(preparer=BINDINGS),
    }
    with mock.patch.dict(sys.modules, modules):
        return serve.preparer(plugin, "x", "1.2.3", "Does x.", SCHEMA)()


def asked(plugin: Any, parameters: str = "{}") -> Any:
    picture = testing.picture(1, 1, bytes(4))
    request = SimpleNamespace(
        sources=[Case(picture.handle), Case("{}")],
        parameters=parameters,
        output=memory.Size(64, 32),
    )
    with mock.patch.object(serve, "close"):
        return plugin.prepare(request)


class Serve(unittest.TestCase):
    def refused(self, prepare: Callable[[Request], Any], parameters: str = "{}") -> Any:
        with self.assertRaises(memory.Err) as refused:
            asked(preparer(prepare), parameters)
        return refused.exception.value

    def test_a_request_and_an_outcome_pass(self) -> None:
        def prepare(request: Request) -> Outcome:
            self.assertEqual(request.output, (64, 32))
            self.assertEqual(request.parameters, {"size": 3})
            self.assertEqual([picture.size for picture in request.pictures], [(1, 1)])
            self.assertEqual(request.documents, ["{}"])
            canvas = Canvas((2, 2))
            return Outcome([canvas], "in {image}\ud800", {"people": []}, {"size": 3})

        (canvas,), prompt, keypoints, notes = asked(preparer(prepare))
        self.assertIsInstance(canvas, memory.Canvas)
        self.assertEqual((prompt, keypoints), ("in {image}?", '{"people": []}'))
        self.assertEqual(notes, [("size", "3")])

    def test_what_it_is_comes_from_the_package(self) -> None:
        with mock.patch.object(serve, "close"):
            described = preparer(lambda request: Outcome(), ["picture", "document"]).describe()
        kinds = [Kind.PICTURE, Kind.DOCUMENT]
        self.assertEqual(described, ("x", "1.2.3", "Does x.", SCHEMA, kinds))

    def test_failures_are_cases_of_the_interface(self) -> None:
        def failing(failure: Exception) -> Callable[[Request], Any]:
            def prepare(request: Request) -> Any:
                raise failure

            return prepare

        refused = self.refused(failing(ParameterFailure("size", "is odd")))
        self.assertEqual((type(refused), refused.value), (Named, ("size", "is odd")))
        refused = self.refused(failing(SourceFailure("too dark")))
        self.assertEqual((type(refused), refused.value), (Source, "too dark"))
        refused = self.refused(failing(Failure("no luck")))
        self.assertEqual((type(refused), refused.value), (Other, "no luck"))
        refused = self.refused(lambda request: Outcome(), '{"size": 10}')
        self.assertEqual(refused.value, ("size", "is 10, and must be at most 9"))

    def test_a_mistake_is_told_with_its_place_and_logged(self) -> None:
        testing.reset()

        def prepare(request: Request) -> Any:
            return request.documents[1]

        refused = self.refused(prepare)
        self.assertIs(type(refused), Other)
        place = r"^IndexError: list index out of range \(test_serve.py, line \d+, in prepare\)$"
        self.assertRegex(refused.value, place)
        self.assertEqual(testing.lines, [("error", refused.value)])
        self.assertIn("SystemExit: 3 (", self.refused(lambda request: sys.exit(3)).value)

    def test_what_is_no_outcome_is_refused(self) -> None:
        canvas = Canvas((1, 1))
        for outcome, message in (
            (None, "TypeError: prepare returned None, not an Outcome"),
            (Outcome([testing.picture(1, 1, bytes(4))]), "not a Canvas"),  # type: ignore[list-item]
            (Outcome([canvas, canvas]), "one canvas is twice"),
        ):
            with self.subTest(message):
                self.assertIn(message, self.refused(lambda request, it=outcome: it).value)  # type: ignore[misc]

    def test_a_module_that_is_no_plugin_stops_the_build(self) -> None:
        for takes in (None, [], "picture", ["film"]):
            with self.subTest(takes), self.assertRaisesRegex(TypeError, "plugin.py must say takes"):
                preparer(lambda request: None, takes)
        with self.assertRaisesRegex(TypeError, "has no function prepare"):
            preparer(None)  # type: ignore[arg-type]


CLOSED = """
import json, os, random, sys, time
from atelier_plugin import testing
from atelier_plugin.closed import close
said = sys.stdout
close()
print("one\\ntwo")
for call in (
    lambda: open("x"), time.time, lambda: os.urandom(4), lambda: __import__("wave"),
    input, lambda: random.SystemRandom().random(), lambda: time.strftime("%Y"),
):
    try:
        call()
    except Exception as error:
        print(f"{type(error).__name__}: {error}")
said.write(json.dumps(testing.lines))
"""


class Closed(unittest.TestCase):
    def test_what_a_component_lacks_says_so(self) -> None:
        package = str(Path(serve.__file__).parents[1])
        command = [sys.executable, "-B", "-c", CLOSED]
        run = subprocess.run(
            command, env={"PYTHONPATH": package}, capture_output=True, text=True, check=True
        )
        for line in (
            '["info", "one"], ["info", "two"]',
            "OSError: builtins.open: a plugin has no files",
            "OSError: time.time: a plugin has no clock",
            "OSError: os.urandom: a plugin has no randomness: see atelier_plugin.random",
            "OSError: random._urandom: a plugin has no randomness",
            "OSError: time.strftime: a plugin has no clock",
            "OSError: builtins.input: a plugin has no terminal",
            "ImportError: wave was not there when the component was built",
        ):
            with self.subTest(line):
                self.assertIn(line, run.stdout)
