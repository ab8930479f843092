#!/usr/bin/env bash
# Says whether a card computes what it should, and how fast: README.md beside this file explains each number.
#
#   tests/gpu/run.sh ATELIER [FIXTURES] [OUT]
#
# ATELIER is the program, FIXTURES the folder with the reference models' cases [default: tests/fixtures]. Needs
# Python with Pillow, and for the peer PyTorch and diffusers; nothing is installed, and nothing is left behind but
# what goes to OUT: report.json, table.txt, log.txt and a few of the pictures that fell short.
#
# One JSON document goes to stdout, progress and a table to stderr. Status: 0 all is as it should be, 1 a part
# failed, a picture or a kernel is wrong, or the time was over; 2 wrong usage. A missed target fails nothing.
#
# By environment: DEVICE (cuda), SIZE (klein-4b), WIDTH and HEIGHT (1024), PRECISIONS ("f32 bf16 fp8"), CASES (names'
# beginnings, by commas), STREAMED (klein-9b) within VRAM (8GiB), WHOLE (dev, where the card has 80 GB), PYTHON
# (python3), PEER (peer.py), PEER_WHEELS (a folder of wheels for it), COMMIT, SECONDS_IN_ALL (525).
set -uo pipefail
# Seconds with a point, whatever the user's language.
export LC_ALL=C

usage() {
    echo "$1" >&2
    echo "usage: run.sh ATELIER [FIXTURES] [OUT]" >&2
    exit 2
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
[ $# -ge 1 ] && [ $# -le 3 ] || usage "run.sh takes one to three arguments"
[ -x "$1" ] && [ -f "$1" ] || usage "$1 is no program"
atelier=$(realpath "$1")
fixtures=${2:-$root/tests/fixtures}
[ -d "$fixtures" ] || usage "$fixtures is no folder"
out=${3:-}
[ -z "$out" ] || mkdir -p "$out" || exit 2

device=${DEVICE:-cuda}
size=${SIZE:-klein-4b}
width=${WIDTH:-1024}
height=${HEIGHT:-1024}
streamed=${STREAMED:-klein-9b}
vram=${VRAM:-8GiB}
python=${PYTHON:-python3}
# Nine minutes, less what the report takes.
ends=${SECONDS_IN_ALL:-525}
case $device in
    cpu) precisions=${PRECISIONS:-f32 bf16} ;;
    *) precisions=${PRECISIONS:-f32 bf16 fp8} ;;
esac
command -v "$python" >/dev/null || usage "$python is missing: PYTHON names the Python to use"

work=$(mktemp -d)
running=
finish() {
    local status=1 keep="$work/kept"
    trap - EXIT
    [ -z "$running" ] || kill "$running" 2>/dev/null
    mkdir -p "$keep"
    "$python" "$here/report.py" all "$work" >"$keep/report.json" 2>"$keep/table.txt" && status=0
    cat "$keep/table.txt" >&2
    cat "$keep/report.json"
    if [ -n "$out" ]; then
        for log in "$work"/*.err; do printf '==> %s\n' "$(basename "$log" .err)" && cat "$log"; done >"$keep/log.txt"
        cp "$keep"/* "$out"
    fi
    rm -rf "$work"
    exit "$status"
}
trap finish EXIT
trap 'note run 130 0 interrupted; exit' INT
trap 'note run 143 0 interrupted; exit' TERM

# Of this run alone: settings, keys, compiled kernels, and what PyTorch and the driver would keep.
export ATELIER_HOME=$work/home CUDA_CACHE_PATH=$work/driver TORCHINDUCTOR_CACHE_DIR=$work/inductor
export TRITON_CACHE_DIR=$work/triton HF_HOME=$work/hf HF_HUB_OFFLINE=1 PYTHONDONTWRITEBYTECODE=1
mkdir -p "$ATELIER_HOME" "$work/kept"
printf '[device]\ndevice = "%s"\n' "$device" >"$ATELIER_HOME/config.toml"

# note PART STATUS SECONDS WORDS: how a part ended, for the report.
note() {
    local IFS=$'\t'
    printf '%s\n' "$*" >>"$work/parts.tsv"
    printf '==> %s: %s\n' "$1" "$4" >&2
}

# part NAME LIMIT COMMAND…: runs it for LIMIT seconds at most, or for as long as there is time.
part() {
    local name=$1 limit=$2 left=$((ends - SECONDS)) began=$EPOCHREALTIME status seconds
    shift 2
    ((limit <= left)) || limit=$left
    if ((limit < 5)); then
        note "$name" 1 0 "not run: the time was over"
        return
    fi
    PART_SECONDS=$limit timeout --kill-after=3 "$limit" "$@" </dev/null >"$work/$name.out" 2>"$work/$name.err" &
    running=$!
    wait "$running"
    status=$?
    running=
    seconds=$(awk -v from="$began" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.2f", to - from }')
    case $status in
        0) note "$name" 0 "$seconds" "ok, $seconds s" ;;
        124 | 137) note "$name" "$status" "$seconds" "FAILED: stopped after $limit s" ;;
        *) note "$name" "$status" "$seconds" "FAILED with status $status after $seconds s" ;;
    esac
    return "$status"
}

skip() { note "$1" - 0 "skipped: $2"; }

generate() {
    part "$1" "$2" "$atelier" generate --json --model starter --prompt "a red apple" --seed 1 --steps 4 \
        --width "$width" --height "$height" --device "$device" --precision "${precisions##* }" --output "$work/$1.png"
}

bench() {
    local name=$1 limit=$2 of=$3
    shift 3
    part "$name" "$limit" "$atelier" bench --json --size "$of" --device "$device" \
        --width "$width" --height "$height" "$@"
}

# What the card is, in words: what the driver says, else what the program found.
number=0
case $device in cuda:*) number=${device#cuda:} ;; esac
facts() {
    nvidia-smi -i "$number" --format=csv,noheader,nounits \
        --query-gpu=name,driver_version,memory.total,compute_cap,clocks.max.sm,clocks.max.memory,power.limit \
        >"$work/card.csv" 2>/dev/null
    grep -m 1 -s '^model name' /proc/cpuinfo | sed 's/.*: *//' >"$work/processor"
    "$atelier" --version >"$work/version" 2>/dev/null
    echo "${COMMIT:-$(cat "$root/commit" 2>/dev/null || git -C "$root" describe --always --dirty 2>/dev/null)}" \
        >"$work/commit"
    printf '%s\n' "$(date -u +%FT%TZ)" "$device" "$size" "$width" "$height" "$vram" >"$work/asked"
}
mebibytes() {
    case $device in cuda*) ;; *) return ;; esac
    [ ! -s "$work/card.csv" ] || cut -d, -f3 "$work/card.csv" | tr -d ' '
    grep -ohE "cuda:$number: [^;]*" "$work/doctor.out" | grep -oE '[0-9]+ MiB' | cut -d' ' -f1
}

facts
part doctor 20 "$atelier" --json doctor
"$python" "$here/report.py" findings "$work/doctor.out" >&2

# Correctness. The first two are also the first picture after a start, with a cold and with a warm cache.
generate first-cold 60
generate first-warm 30
part kernels 60 "$atelier" bench --kernels --json --device "$device"
# Whether it is taken by itself: the picture says so where the card did not pass its trial.
trial() {
    # shellcheck disable=SC2016  # the words are of the shell within
    part trial 60 bash -c 'told=$("$1" generate --json --model starter --prompt "a red apple" --seed 1 --steps 1 \
        --width 256 --height 256 --device auto --output "$2") || exit
        echo "$told"
        ! grep "did not pass its trial" <<<"$told" >&2' trial "$atelier" "$work/trial.png"
}
case $device in
    cuda*) trial ;;
    *) skip trial "there is no card to try" ;;
esac
case $device in cuda*) at_once=3 ;; *) at_once=1 ;; esac
part pictures 130 "$python" "$here/pictures.py" "$atelier" "$fixtures" --device "$device" \
    --precisions "${precisions// /,}" --cases "${CASES:-}" --at-once "$at_once" --keep "$work/kept"

# Speed, one after the other: what runs beside a measurement is in it.
narrow=${precisions#f32 }
narrow=${narrow// /,}
bench bench 80 "$size" --precision "$narrow"
# A process of its own for each precision: what one leaves behind would count for the next.
bench memory-bf16 40 "$size" --precision bf16 --runs 1
bench memory-fp8 40 "$size" --precision "${precisions##* }" --runs 1
bench references 50 "$size" --precision "$narrow" --part step --references 2
bench streamed 50 "$streamed" --precision "${precisions##* }" --part step --vram "$vram"
bench resident 40 "$streamed" --precision "${precisions##* }" --part step
memory=$(mebibytes | head -n 1)
if [ -n "${WHOLE:-}" ] || [ "${memory:-0}" -ge 76294 ]; then
    bench whole 70 "${WHOLE:-dev}" --precision "${precisions##* }" --part step
else
    skip whole "dev in fp8 needs a card of 80 GB"
fi

# The peer: PyTorch and diffusers.
peer=${PEER:-$root/tests/bench/peer.py}
wheels=${PEER_WHEELS:-$root/wheels}
if [ -d "$wheels" ]; then
    for wheel in "$wheels"/*.whl; do
        [ ! -f "$wheel" ] || "$python" -m zipfile -e "$wheel" "$work/site"
    done
    export PYTHONPATH=$work/site${PYTHONPATH:+:$PYTHONPATH}
fi
case $device in
    cuda*) export CUDA_VISIBLE_DEVICES=$number && theirs=(--device cuda --runs 9) ;;
    *) theirs=(--device cpu) ;;
esac
peer() {
    local name=$1 limit=$2
    shift 2
    part "$name" "$limit" "$python" "$peer" "${theirs[@]}" "$@"
}
can() { timeout 30 "$python" -c "$1" 2>"$work/import.err"; }
step() {
    peer "$@" --random "$size" --dtype bfloat16 --width "$width" --height "$height"
}
if [ ! -f "$peer" ]; then
    skip peer "$peer is missing: PEER names another"
elif ((ends - SECONDS < 60)); then
    note peer 1 0 "not run: the time was over"
elif ! can 'import torch'; then
    skip peer "$python cannot import torch: $(tail -n 1 "$work/import.err")"
else
    peer peer-gemm 40 --gemm
    if ! grep -q -e "\"$size\":" "$peer"; then
        skip peer-eager "the peer knows no size $size"
    elif ! can 'from diffusers import Flux2Transformer2DModel'; then
        skip peer-eager "no diffusers with FLUX.2 can be imported: $(tail -n 1 "$work/import.err")"
    else
        step peer-eager 50
        step peer-references 40 --references 2
        step peer-compiled 160 --compile
    fi
fi
