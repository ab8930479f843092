#!/usr/bin/env bash
# Times a model's stages with our engine and, if PYTHON has diffusers, with the reference
# implementation: in turns within one run, because a machine that is busy with other work slows both.
#
#   MODEL=models/klein-4b [PYTHON=venv/bin/python] [ROUNDS=2] [PRECISIONS="f32 bf16"] tests/bench/run.sh \
#       [bench's options]
#
# Each round goes through all precisions, first ours and then the reference's.
# Every round's JSON documents go to stdout, one a line; the tables and, in the end, the ratios to
# stderr. No test depends on any of it.
set -euo pipefail

: "${MODEL:?names the model to time: a diffusers pipeline folder}"
BENCH="${BENCH:-target/release/examples/bench}"
ROUNDS="${ROUNDS:-2}"
PRECISIONS="${PRECISIONS:-f32}"
HERE="$(dirname "$0")"
ours="$(mktemp)"
theirs="$(mktemp)"
trap 'rm -f "$ours" "$theirs"' EXIT

for ((round = 1; round <= ROUNDS; round++)); do
    for precision in $PRECISIONS; do
        "$BENCH" "$MODEL" --precision "$precision" "$@" | tee -a "$ours"
        if [ -n "${PYTHON:-}" ]; then
            case "$precision" in
                f32) dtype=float32 ;;
                bf16) dtype=bfloat16 ;;
                *) echo "the peer knows no $precision" >&2 && exit 2 ;;
            esac
            "$PYTHON" "$HERE/peer.py" "$MODEL" --dtype "$dtype" "$@" | tee -a "$theirs"
        fi
    done
done

if [ -s "$theirs" ]; then
    "$PYTHON" - "$ours" "$theirs" >&2 <<'PYTHON'
import json
import statistics
import sys


NAMES = {"float32": "f32", "bfloat16": "bf16"}


def seconds(path):
    stages = {}
    for line in open(path):
        run = json.loads(line)
        precision = run.get("precision") or NAMES[run["dtype"]]
        for stage in run["stages"]:
            stages.setdefault((precision, stage["name"]), []).append(stage["seconds"])
    return {name: statistics.median(all) for name, all in stages.items()}


ours, theirs = map(seconds, sys.argv[1:])
print(f"{'precision':11}{'stage':14}{'ours s':>10}{'peer s':>10}{'ratio':>8}")
for both in ours:
    if both in theirs:
        print(f"{both[0]:11}{both[1]:14}{ours[both]:10.3f}{theirs[both]:10.3f}{ours[both] / theirs[both]:8.2f}")
PYTHON
fi
