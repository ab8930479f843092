"""Render the reference models' cases with `atelier generate`, and say how far each picture is from the reference's.

    python3 pictures.py ATELIER FIXTURES [--device cuda] [--precisions f32,bf16,fp8] [--cases klein/text,dev]
                        [--at-once 1] [--seconds 120] [--keep FOLDER]

FIXTURES holds a folder for each model. One with `model/` and `cases/NAME/` is a pipeline folder with its cases; one
with cases alone is of a model that ATELIER knows by the folder's name. A case has `request.json`, `expected.png` and
the references that it names.

Prints one JSON document: for each case and precision the PSNR in dB (99 for equal pictures) and the least that it must
have. Ends with 1 where one has less, failed, equals that of another precision, or was not reached within --seconds.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageChops, ImageStat

# dB that a picture must have to the reference's, which was computed in f32.
LEAST = {"f32": 45.0, "bf16": 30.0, "fp8": 28.0}
# Of equal pictures, whose ratio has no number.
EQUAL = 99.0
# Pictures to look at afterwards.
KEPT = 4


@dataclass(frozen=True)
class Case:
    """A request of the reference's, and the model that it is made with."""

    name: str
    folder: Path
    model: str


@dataclass(frozen=True)
class Renderer:
    """How pictures are made: the program, where it computes, where it puts them, and until when."""

    atelier: str
    device: str
    out: Path
    deadline: float


def find(fixtures: Path) -> list[Case]:
    """All cases below a folder, those of pipeline folders first: they test the most in the least time."""
    found = []
    for kind in sorted(path for path in fixtures.iterdir() if path.is_dir()):
        whole = (kind / "model").is_dir()
        model = str(kind / "model") if whole else kind.name
        requests = sorted((kind / "cases" if whole else kind).glob("*/request.json"))
        cases = [Case(f"{kind.name}/{file.parent.name}", file.parent, model) for file in requests]
        found.append((not whole, cases))
    found.sort(key=lambda group: group[0])
    return [case for _, cases in found for case in cases]


def psnr(found: Image.Image, expected: Image.Image) -> float:
    """Peak signal-to-noise ratio in dB; NaN for pictures of unequal sizes."""
    if found.size != expected.size:
        return math.nan
    difference = ImageStat.Stat(ImageChops.difference(found, expected))
    mean = sum(difference.sum2) / sum(difference.count)
    return EQUAL if mean == 0 else 10 * math.log10(255**2 / mean)


def command(renderer: Renderer, case: Case, precision: str, output: Path) -> list[str]:
    asked = json.loads((case.folder / "request.json").read_text())
    words = [renderer.atelier, "generate", "--json", "--model", case.model, "--prompt", asked["prompt"]]
    if asked.get("negative") is not None:
        words += ["--negative", asked["negative"]]
    for name in ("width", "height", "steps", "guidance", "seed"):
        words += [f"--{name}", str(asked[name])]
    for name in asked["references"]:
        words += ["--reference", str(case.folder / name)]
    return [*words, "--device", renderer.device, "--precision", precision, "--output", str(output)]


def render(renderer: Renderer, case: Case, precision: str) -> dict:
    """Makes one picture and compares it."""
    row = {"case": case.name, "precision": precision, "db": None, "least": LEAST[precision], "ok": False}
    left = renderer.deadline - time.monotonic()
    if left < 1:
        return {**row, "error": "not reached: the time was over"}
    output = renderer.out / f"{case.name.replace('/', '-')}-{precision}.png"
    began = time.monotonic()
    try:
        run = subprocess.run(
            command(renderer, case, precision, output), capture_output=True, text=True, timeout=left, check=False
        )
    except subprocess.TimeoutExpired:
        return {**row, "error": "stopped: the time was over", "seconds": round(time.monotonic() - began, 2)}
    row["seconds"] = round(time.monotonic() - began, 2)
    if run.returncode != 0:
        return {**row, "error": fault(run)}
    try:
        with Image.open(output) as found, Image.open(case.folder / "expected.png") as expected:
            picture = found.convert("RGB")
            decibels = psnr(picture, expected.convert("RGB"))
    except OSError as cause:
        return {**row, "error": f"it cannot be read: {cause}"}
    if math.isnan(decibels):
        return {**row, "error": "it is of another size"}
    pixels = hashlib.sha256(picture.tobytes()).hexdigest()
    return {**row, "db": round(decibels, 2), "ok": decibels >= LEAST[precision], "pixels": pixels}


def refuse_twins(rows: list[dict]) -> None:
    """Fails pictures that are equal in two precisions: then one of them was not computed in its own."""
    seen = {}
    for row in rows:
        key = row["case"], row.get("pixels")
        if key[1] and (first := seen.setdefault(key, row)) is not row:
            row.update(ok=False, error=f"the same picture as in {first['precision']}")


def fault(run: subprocess.CompletedProcess) -> str:
    """What the program says for itself, or its last words."""
    try:
        error = json.loads(run.stdout)["error"]
        return f"{error['code']}: {error['message']}"
    except (ValueError, KeyError, TypeError):
        last = run.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        return f"status {run.returncode}: {last[0]}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("atelier")
    parser.add_argument("fixtures", type=Path)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--precisions", default="f32,bf16,fp8")
    parser.add_argument("--cases", default="", help="beginnings of names, by commas; left out, all")
    parser.add_argument("--at-once", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--keep", type=Path, help="a folder for some of the pictures that fell short")
    a = parser.parse_args()
    wanted = tuple(name for name in a.cases.split(",") if name)
    cases = [case for case in find(a.fixtures) if not wanted or case.name.startswith(wanted)]
    if not cases:
        parser.error(f"{a.fixtures} holds no such case")
    with tempfile.TemporaryDirectory() as out, ThreadPoolExecutor(a.at_once) as pool:
        renderer = Renderer(a.atelier, a.device, Path(out), time.monotonic() + a.seconds)
        asked = [(case, precision) for case in cases for precision in a.precisions.split(",")]
        rows = list(pool.map(lambda one: render(renderer, *one), asked))
        refuse_twins(rows)
        short = [row for row in rows if row["db"] is not None and not row["ok"]]
        for row in short[:KEPT] if a.keep else []:
            name = f"{row['case'].replace('/', '-')}-{row['precision']}.png"
            shutil.copy(Path(out) / name, a.keep / name)
    print(json.dumps({"device": a.device, "pictures": rows}))
    return 0 if all(row["ok"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
