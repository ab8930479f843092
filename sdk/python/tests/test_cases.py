"""The cases of the projects in Python, run natively. `atelier plugin test` runs their components."""

import importlib
import sys
import tomllib
import unittest
from pathlib import Path
from types import ModuleType

import png
from atelier_plugin import Failure, Picture, testing

ROOT = Path(__file__).parents[3]
PROJECTS = [ROOT / "sdk/templates/python", ROOT / "plugins/palette"]


def plugin_of(project: Path) -> ModuleType:
    """Its `plugin.py`, and the modules beside it, whatever was imported before."""
    for file in project.glob("*.py"):
        sys.modules.pop(file.stem, None)
    sys.path.insert(0, str(project))
    try:
        return importlib.import_module("plugin")
    finally:
        sys.path.remove(str(project))


def source(file: Path) -> Picture | str:
    return testing.picture(*png.read(file)) if file.suffix == ".png" else file.read_text("utf-8")


class Cases(unittest.TestCase):
    def test_the_projects_cases_pass(self) -> None:
        for project in PROJECTS:
            plugin = plugin_of(project)
            cases = sorted((project / "cases").glob("*/case.toml"))
            self.assertGreaterEqual(len(cases), 2)
            for case in cases:
                with self.subTest(f"{project.name}: {case.parent.name}"):
                    self.check(plugin, project, case.parent)

    def check(self, plugin: ModuleType, project: Path, folder: Path) -> None:
        case = tomllib.loads((folder / "case.toml").read_text("utf-8"))
        sources = [source(folder / name) for name in case["inputs"]]
        schema = project / "parameters.schema.json"
        try:
            asked = testing.request(sources, case.get("parameters"), case["output"], schema)
            made = plugin.prepare(asked)
        except Failure as failure:
            self.assertIn(case.get("fails"), str(failure))
            return
        self.assertNotIn("fails", case)
        self.assertEqual(made.prompt, case.get("prompt"))
        self.assertEqual(len(made.pictures), len(case["pictures"]))
        for canvas, name in zip(made.pictures, case["pictures"], strict=True):
            width, height, expected = png.read(folder / name)
            self.assertEqual(canvas.size, (width, height))
            pairs = zip(testing.rgba(canvas), expected, strict=True)
            far = max(abs(one - other) for one, other in pairs)
            self.assertLessEqual(far, case.get("tolerance", 0))
