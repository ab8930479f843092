#!/usr/bin/env bash
# Times a model's stages with our engine and, if PYTHON has diffusers, with the reference
# implementation: in turns within one run, because a machine that is busy with other work slows both.
#
#   MODEL=models/klein-4b [PYTHON=venv/bin/python] [ROUNDS=2] tests/bench/run.sh [bench's options]
#
# Every round's JSON documents go to stdout, one a line; the tables and, in the end, the ratios to
# stderr. No test depends on any of it.
set -euo pipefail

: "${MODEL:?names the model to time: a diffusers pipeline folder}"
BENCH="${BENCH:-target/release/examples/bench}"
ROUNDS="${ROUNDS:-2}"
HERE="$(dirname "$0")"
ours="$(mktemp)"
theirs="$(mktemp)"
trap 'rm -f "$ours" "$theirs"' EXIT

for ((round = 1; round <= ROUNDS; round++)); do
    "$BENCH" "$MODEL" "$@" | tee -a "$ours"
    if [ -n "${PYTHON:-}" ]; then
        "$PYTHON" "$HERE/peer.py" "$MODEL" "$@" | tee -a "$theirs"
    fi
done

if [ -s "$theirs" ]; then
    "$PYTHON" - "$ours" "$theirs" >&2 <<'PYTHON'
import json
import statistics
import sys


def seconds(path):
    stages = {}
    for line in open(path):
        for stage in json.loads(line)["stages"]:
            stages.setdefault(stage["name"], []).append(stage["seconds"])
    return {name: statistics.median(all) for name, all in stages.items()}


ours, theirs = map(seconds, sys.argv[1:])
print(f"{'stage':14}{'ours s':>10}{'peer s':>10}{'ratio':>8}")
for name in ours:
    if name in theirs:
        print(f"{name:14}{ours[name]:10.3f}{theirs[name]:10.3f}{ours[name] / theirs[name]:8.2f}")
PYTHON
fi
