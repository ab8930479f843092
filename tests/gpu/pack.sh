#!/usr/bin/env bash
# Packs all that a machine with a card needs: the program, stripped, and this folder with what it reads.
#
#   tests/gpu/pack.sh ATELIER OUT.tar     [PEER_WHEELS=FOLDER: wheels of diffusers, for a machine without it]
#
# Writes OUT.tar.xz (or .zst, or .gz, whichever the machine can), and fails where it is larger than 60 MB. There:
#
#   tar xf OUT.tar.xz      (or python3 -m tarfile -e OUT.tar.xz)
#   cd atelier-gpu && tests/gpu/run.sh ./atelier
set -euo pipefail

[ $# -eq 2 ] && [ -f "$1" ] || { echo "usage: pack.sh ATELIER OUT.tar" >&2; exit 2; }
most=60000000
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
pack=$work/atelier-gpu
mkdir -p "$pack/tests/gpu" "$pack/tests/bench" "$pack/tests/fixtures"

strip -o "$pack/atelier" "$1"
cp "$here"/*.{sh,py,md} "$pack/tests/gpu/"

# Models and pictures. What tests compare on the way to a picture stays here.
for kind in klein dev; do
    mkdir -p "$pack/tests/fixtures/$kind"
    cp -R "$root/tests/fixtures/$kind/model" "$root/tests/fixtures/$kind/cases" "$pack/tests/fixtures/$kind/"
done
cp -R "$root/tests/fixtures/starter" "$pack/tests/fixtures/"
find "$pack/tests/fixtures" \( -name tensors.safetensors -o -name templated.txt \) -delete

cp "${PEER:-$root/tests/bench/peer.py}" "$pack/tests/bench/peer.py"
[ -z "${PEER_WHEELS:-}" ] || { mkdir "$pack/wheels" && cp "$PEER_WHEELS"/*.whl "$pack/wheels/"; }
echo "${COMMIT:-$(git -C "$root" describe --always --dirty)}" >"$pack/commit"

if command -v xz >/dev/null; then
    packed=$2.xz with='xz -6 -T0'
elif command -v zstd >/dev/null; then
    packed=$2.zst with='zstd -q -15'
else
    packed=$2.gz with=gzip
fi
tar -C "$work" --sort=name --owner=0 --group=0 -cf - atelier-gpu | $with >"$packed"

size=$(stat -c %s "$packed")
du -sb "$pack"/* | sort -n | sed "s|$pack/||" >&2
echo "$packed: $size bytes of at most $most" >&2
[ "$size" -le "$most" ] || exit 1
echo "$packed"
