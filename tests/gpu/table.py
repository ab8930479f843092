"""The table for people, of what report.py gathered. Nothing is computed here that the JSON document lacks."""

from __future__ import annotations

import sys


def say(text: str = "") -> None:
    print(text, file=sys.stderr)


def number(value: float | None, digits: int = 2, wide: int = 10) -> str:
    return "-".rjust(wide) if value is None else f"{value:{wide}.{digits}f}"


def findings(doctor: object) -> None:
    """How the card stands, and all that does not work."""
    for finding in doctor if isinstance(doctor, list) else []:
        if finding["what"] == "device" or finding["health"] == "bad":
            mark = "FAIL" if finding["health"] == "bad" else "    "
            say(f"{mark} {finding['what']}: {finding['says']}")
            for line in (finding.get("advice") or "").splitlines():
                say(f"       {line}")


def pictures(rows: list[dict]) -> None:
    precisions = list(dict.fromkeys(row["precision"] for row in rows))
    say(f"\n{'picture, dB to the reference':34}" + "".join(f"{name:>11}" for name in precisions))
    errors = {}
    for case in dict.fromkeys(row["case"] for row in rows):
        line = f"{case:34}"
        for row in (row for row in rows if row["case"] == case):
            line += number(row["db"]) + (" " if row["ok"] else "!")
            if error := row.get("error"):
                errors.setdefault(error, []).append(f"{case} {row['precision']}")
        say(line)
    least = {row["precision"]: row["least"] for row in rows}
    say(f"{'at least':34}" + "".join(number(least[name]) + " " for name in precisions))
    for error, cases in errors.items():
        say(f"! {cases[0]}{f' and {len(cases) - 1} more' if cases[1:] else ''}: {error}")


def kernels(rows: list[dict]) -> None:
    """The case of each kernel that is furthest off, beside what it may be off."""
    say(f"\n{'kernel, distance to its twin':34}{'worst':>11}{'most':>11}  cases")
    for kernel in dict.fromkeys(row["kernel"] for row in rows):
        own = [row for row in rows if row["kernel"] == kernel]

        # A distance that is no number is null in JSON, and the worst of all.
        def excess(row: dict) -> float:
            return float("inf") if row["distance"] is None else row["distance"] / row["most"]

        worst = max(own, key=excess)
        distance = "NaN" if worst["distance"] is None else f"{worst['distance']:.1e}"
        mark = f"!  ({worst['case']})" if excess(worst) > 1 else ""
        say(f"{kernel:34}{distance:>11}{worst['most']:11.1e}{len(own):7}{mark}")


def bench(name: str, document: dict) -> None:
    references = f", {document['references']} references" if document["references"] else ""
    picture = f"{document['width']}x{document['height']}{references}, {document['tokens']} tokens"
    say(f"\n{name}: {document['size']}, {picture}")
    say(f"{'':16}{'ms':>10}{'TFLOP':>10}{'TFLOP/s':>10}{'share':>8}{'peak MiB':>10}{'weights':>10}")
    for product in document["products"]:
        tflop = 2e-12 * product["rows"] * product["outputs"] * product["inputs"]
        rest = number(product["ms"]) + number(tflop, 3) + number(product["tflops"])
        say(f"{'product':10}{product['precision']:6}{rest}{'100 %':>8}")
    for row in document["results"]:
        share = f"{100 * row['share_of_product']:.0f} %"
        rest = number(row["ms"]) + number(row["tflop"], 3) + number(row["tflops"])
        memory = number(row["peak_mib"], 0) + number(row["weights_mib"], 0)
        say(f"{row['part']:10}{row['precision']:6}{rest}{share:>8}{memory}")
        if row["streamed_gb"] is not None:
            share = row["share_of_link"]
            of_link = "" if share is None else f", {100 * share:.0f} % of the link's {row['link_gb_s']:.1f} GB/s"
            say(f"{'':16}{row['streamed_gb']:10.3f} GB streamed in each run{of_link}")


def memory(documents: dict) -> None:
    say(f"\n{'peak MiB in a process of its own':34}{'text':>10}{'step':>10}{'vae':>10}")
    for name, document in documents.items():
        peaks = {row["part"]: row["peak_mib"] for row in document["results"]}
        say(f"{name:34}" + "".join(number(peaks.get(part), 0) for part in ("text", "step", "vae")))


def peer(documents: dict) -> None:
    say(f"\n{'the peer':26}{'ms':>10}{'TFLOP/s':>10}")
    for name, document in documents.items():
        if document and "step_ms" in document:
            say(f"{name.removeprefix('peer-'):26}{number(document['step_ms'])}{number(document['tflops'], 1)}")
        for key, rate in (document or {}).items():
            if key.startswith("gemm_"):
                say(f"{key.removesuffix('_tflops'):26}{number(None)}{number(rate, 1)}")


def targets(rows: list[dict]) -> None:
    marks = {True: "met", False: "MISSED", None: "not judged"}
    say(f"\n{'target':34}{'found':>10}{'':>4}bound")
    for row in rows:
        bound = "" if row["bound"] is None else f"{row['rule']} {row['bound']}"
        mark = "unmeasured" if row["found"] is None else marks[row["met"]]
        say(f"{row['target']:34}{number(row['found'])}{'':4}{bound:16}{mark}")


def show(found: dict) -> None:
    card = found["card"] or {}
    on = f"{card['name']}, driver {card['driver']}" if card else found["processor"]
    say(f"\n{found['date']}, {found['asked']['device']}: {on}; {found['program']}, commit {found['commit']}")
    if found["pictures"]:
        pictures(found["pictures"])
    if found["kernels"]:
        kernels(found["kernels"])
    for name in ("bench", "references", "streamed", "resident", "whole"):
        if found[name]:
            bench(name, found[name])
    if own := {name: found[name] for name in ("memory-bf16", "memory-fp8") if found[name]}:
        memory(own)
    if any(found["peer"].values()):
        peer(found["peer"])
    first = found["first_picture"]
    say(f"\nfirst picture: {number(first['cold_seconds'], 2, 0)} s cold, {number(first['warm_seconds'], 2, 0)} s warm")
    targets(found["targets"])
    say()
    for part in found["parts"]:
        if part["status"] is None or part["status"]:
            say(f"{part['name']}: {part['said']}" + (f": {part['last_words']}" if "last_words" in part else ""))
    say("all parts are good" if found["good"] else "NOT all parts are good")
