#!/usr/bin/env bash
# Times `atelier generate` with the starter model from its start to the signed file, 256×256 in 4 steps, and
# says which share of the machine's matrix product that is.
#
#   [ATELIER=target/release/atelier] [BENCH=target/release/examples/bench] [ROUNDS=5] tests/bench/starter.sh
#
# Rounds go in turns with the measurement of the product's rate, because a machine that is busy with other
# work slows both. The first round also unpacks the model, makes the keys and digests the model; it is told
# apart. One JSON document on stdout, a table on stderr.
set -euo pipefail

ATELIER="${ATELIER:-target/release/atelier}"
BENCH="${BENCH:-target/release/examples/bench}"
ROUNDS="${ROUNDS:-5}"
home="$(mktemp -d)"
trap 'rm -rf "$home"' EXIT
export ATELIER_HOME="$home"

for ((round = 0; round <= ROUNDS; round++)); do
    started=$(date +%s.%N)
    "$ATELIER" generate --prompt "a red apple on a blue background" --seed "$round" \
        --output "$home/$round.png" --json 2>/dev/null >"$home/$round.json"
    ended=$(date +%s.%N)
    "$ATELIER" verify "$home/$round.png" >/dev/null
    printf '%s %s\n' "$started" "$ended" >>"$home/seconds"
    model=$("$ATELIER" model list --json | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["path"])')
    "$BENCH" "$model" --width 256 --height 256 --steps 4 --runs 1 2>/dev/null >>"$home/bench"
done

python3 - "$home/seconds" "$home/bench" <<'PYTHON'
import json
import statistics
import sys

seconds = [float(end) - float(start) for start, end in map(str.split, open(sys.argv[1]))]
runs = [json.loads(line) for line in open(sys.argv[2])]
times = {"transformer": runs[0]["steps"]}
flop = sum(stage["flop"] * times.get(stage["name"], 1) for stage in runs[0]["stages"])
rate = statistics.median(run["gemm_gflop_per_second"] for run in runs)
whole = statistics.median(seconds[1:])
stages = {
    stage["name"]: statistics.median(run["stages"][place]["seconds"] for run in runs)
    for place, stage in enumerate(runs[0]["stages"])
}
report = {
    "threads": runs[0]["threads"],
    "first_seconds": seconds[0],
    "seconds": whole,
    "all_seconds": seconds[1:],
    "gflop": flop / 1e9,
    "gemm_gflop_per_second": rate,
    "share_of_gemm": flop / 1e9 / rate / whole,
    "stages": stages,
}
print(json.dumps(report))
print(f"first start to signed file   {seconds[0]:6.2f} s", file=sys.stderr)
print(f"start to signed file         {whole:6.2f} s (median of {len(seconds) - 1})", file=sys.stderr)
print(f"work                         {flop / 1e9:6.1f} GFLOP", file=sys.stderr)
print(f"share of the product's rate  {100 * report['share_of_gemm']:6.0f} % of {rate:.0f} GFLOP/s", file=sys.stderr)
PYTHON
