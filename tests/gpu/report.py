"""Put together what run.sh found: one JSON document on stdout, a short table on stderr.

    python3 report.py all WORK          of the folder in which run.sh keeps what each part printed
    python3 report.py findings FILE     of `atelier doctor --json`: what is missing here, in its words

Ends with 1 where a part failed. A target that is missed is said and fails nothing: targets are of one card, the
correctness of a picture is of all.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import table

# The sizes and the card that the targets are for.
TARGETED = ("klein-4b", 1024, 1024)
STEPS = 4
BENCHES = ("bench", "memory-bf16", "memory-fp8", "references", "streamed", "resident", "whole")
PEERS = ("peer-gemm", "peer-eager", "peer-references", "peer-compiled")
CARD = ("name", "driver", "memory_mib", "capability", "sm_mhz_most", "memory_mhz_most", "watt_most")


def load(path: Path):
    """The JSON document that a part printed; None where it printed none."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None


def words(path: Path) -> str | None:
    return (path.read_text().strip() or None) if path.exists() else None


def parts(work: Path) -> list[dict]:
    """How each part ended. A status of None is of one that was skipped."""
    found = []
    for line in (words(work / "parts.tsv") or "").splitlines():
        name, status, seconds, said = line.split("\t", 3)
        part = {"name": name, "status": None if status == "-" else int(status), "seconds": float(seconds), "said": said}
        # The program's hints come after what went wrong.
        errors = [line for line in (words(work / f"{name}.err") or "").splitlines() if not line.startswith("  ")]
        if part["status"] and errors:
            part["last_words"] = errors[-1]
        found.append(part)
    return found


def faced(work: Path) -> dict:
    """What was asked for, of which program, on what."""
    date, device, size, width, height, vram = (words(work / "asked") or "\n\n\n0\n0\n").split("\n")
    card = None
    if text := words(work / "card.csv"):
        card = dict(zip(CARD, (field.strip() for field in text.split(",")), strict=False))
    return {
        "date": date,
        "program": words(work / "version"),
        "commit": words(work / "commit"),
        "asked": {"device": device, "size": size, "width": int(width), "height": int(height), "vram": vram},
        "card": card,
        "processor": words(work / "processor"),
    }


def timed(bench: dict | None, part: str, precision: str) -> dict | None:
    """A part of a benchmark in a precision."""
    rows = (bench or {}).get("results", [])
    return next((row for row in rows if row["part"] == part and row["precision"] == precision), None)


def milliseconds(bench: dict | None, part: str, precision: str) -> float | None:
    row = timed(bench, part, precision)
    return row and row["ms"]


def whole_picture(bench: dict | None, precision: str) -> float | None:
    """Seconds of text, steps and VAE, as they were timed by themselves."""
    stages = [milliseconds(bench, part, precision) for part in ("text", "step", "vae")]
    if None in stages:
        return None
    text, step, vae = stages
    return (text + STEPS * step + vae) / 1e3


def peak(bench: dict | None, precision: str) -> int | None:
    """MiB of the card at most: parts have it one after the other."""
    peaks = [row["peak_mib"] for row in (bench or {}).get("results", []) if row["precision"] == precision]
    return max(peaks) if peaks and None not in peaks else None


def over(one: float | None, other: float | None) -> float | None:
    return one / other if one and other else None


def streaming(found: dict) -> float | None:
    """A streamed step over the longer of what it computes and what it brings, each by itself."""
    steps = [row for row in (found["streamed"] or {}).get("results", []) if row["part"] == "step"]
    if not steps or not steps[0]["streamed_gb"] or not steps[0]["link_gb_s"]:
        return None
    step = steps[0]
    transfer = 1e3 * step["streamed_gb"] / step["link_gb_s"]
    compute = milliseconds(found["resident"], "step", step["precision"])
    return compute and step["ms"] / max(compute, transfer)


def ratios(found: dict) -> dict:
    """What is said of two numbers of one run; None where one is missing."""
    bench, peer = found["bench"], found["peer"]
    bf16, fp8 = (milliseconds(bench, "step", precision) for precision in ("bf16", "fp8"))
    compiled, eager, read = (
        (peer[f"peer-{name}"] or {}).get("step_ms") for name in ("compiled", "eager", "references")
    )
    peaks = over(peak(found["memory-fp8"], "fp8"), peak(found["memory-bf16"], "bf16"))
    return {
        "bf16_step_over_fp8_step": over(bf16, fp8),
        "peer_compiled_over_fp8_step": over(compiled, fp8),
        "peer_compiled_over_bf16_step": over(compiled, bf16),
        "peer_eager_over_fp8_step": over(eager, fp8),
        "peer_eager_over_bf16_step": over(eager, bf16),
        "peer_eager_over_bf16_step_with_references": over(read, milliseconds(found["references"], "step", "bf16")),
        "peer_eager_over_fp8_step_with_references": over(read, milliseconds(found["references"], "step", "fp8")),
        "memory_saved_by_fp8": None if peaks is None else 1 - peaks,
        "streamed_step_over_longer_of_compute_and_transfer": streaming(found),
    }


def targets(found: dict, seconds: dict) -> list[dict]:
    """The issue's targets: `met` is None where the number is missing, or of something else than they are for."""
    bench, shares = found["bench"], found["ratios"]
    asked = found["asked"]
    judged = asked["device"].startswith("cuda") and (asked["size"], asked["width"], asked["height"]) == TARGETED
    step = {precision: milliseconds(bench, "step", precision) for precision in ("bf16", "fp8")}
    whole = found["whole"] if (found["whole"] or {}).get("size") == "dev" else None
    rows = [
        ("fp8 step, ms", step["fp8"], "at most", 45),
        ("bf16 step, ms", step["bf16"], "at most", 60),
        ("our bf16 step / fp8 step", shares["bf16_step_over_fp8_step"], "at least", 1.3),
        ("peer compiled / fp8 step", shares["peer_compiled_over_fp8_step"], "more than", 1),
        ("picture of 4 steps in fp8, s", whole_picture(bench, "fp8"), "at most", 0.35),
        ("first picture, warm cache, s", seconds.get("first-warm"), "at most", 20),
        ("memory saved by fp8", shares["memory_saved_by_fp8"], "at least", 0.4),
        ("streamed step / longer part", shares["streamed_step_over_longer_of_compute_and_transfer"], "at most", 1.25),
        ("dev whole in fp8, step, ms", milliseconds(whole, "step", "fp8"), "any", None),
    ]
    holds = {
        "at most": lambda value, bound: value <= bound,
        "at least": lambda value, bound: value >= bound,
        "more than": lambda value, bound: value > bound,
        "any": lambda *_: True,
    }
    return [
        {
            "target": name,
            "found": value,
            "rule": rule,
            "bound": bound,
            "met": holds[rule](value, bound) if judged and value is not None else None,
        }
        for name, value, rule, bound in rows
    ]


def gather(work: Path) -> dict:
    ended = parts(work)
    seconds = {part["name"]: part["seconds"] for part in ended if part["status"] == 0}
    found = {
        **faced(work),
        "parts": ended,
        "doctor": load(work / "doctor.out"),
        "first_picture": {"cold_seconds": seconds.get("first-cold"), "warm_seconds": seconds.get("first-warm")},
        "pictures": (load(work / "pictures.out") or {}).get("pictures"),
        "kernels": (load(work / "kernels.out") or {}).get("kernels"),
    }
    for name in BENCHES:
        document = load(work / f"{name}.out")
        found[name] = document if document and "results" in document else None
    found["peer"] = {name: load(work / f"{name}.out") for name in PEERS}
    found["ratios"] = ratios(found)
    found["targets"] = targets(found, seconds)
    found["good"] = bool(ended) and not any(part["status"] for part in ended)
    return found


def main() -> int:
    if len(sys.argv) != 3 or sys.argv[1] not in ("all", "findings"):
        print(__doc__, file=sys.stderr)
        return 2
    if sys.argv[1] == "findings":
        table.findings(load(Path(sys.argv[2])))
        return 0
    found = gather(Path(sys.argv[2]))
    print(json.dumps(found, indent=1))
    table.show(found)
    return 0 if found["good"] else 1


if __name__ == "__main__":
    sys.exit(main())
