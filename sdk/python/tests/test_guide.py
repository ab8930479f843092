"""The examples of README.md: each block runs by itself, and the first plugin passes its own tests."""

import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from atelier_plugin import testing

SDK = Path(__file__).parents[1]
README = (SDK / "README.md").read_text("utf-8")

FILE = re.compile(r"^`([\w./]+)`\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PYTHON = re.compile(r"(?<!\w`\n\n)^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Guide(unittest.TestCase):
    def test_each_example_runs_as_it_stands(self) -> None:
        examples = PYTHON.findall(README)
        self.assertEqual(len(examples), 7)
        for example in examples:
            with self.subTest(example.splitlines()[0]):
                testing.reset()
                code = compile(example, "README.md", "exec")
                exec(code, {"__name__": "example"})  # noqa: S102 - the guide is ours

    def test_the_first_plugin_passes_its_own_tests(self) -> None:
        files = FILE.findall(README)
        names = [name for name, _ in files]
        expected = ["plugin.py", "parameters.schema.json", "tests/test_sepia.py"]
        self.assertEqual(names, expected)
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files:
                path = Path(folder) / name
                path.parent.mkdir(exist_ok=True)
                path.write_text(text, "utf-8")
            run = subprocess.run(
                [sys.executable, "-B", "-m", "unittest", "discover", "tests"],
                cwd=folder,
                env={"PYTHONPATH": f".:{SDK}"},
                capture_output=True,
                text=True,
                check=False,
            )
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("Ran 2 tests", run.stderr)
