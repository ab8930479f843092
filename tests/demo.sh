#!/usr/bin/env bash
# The main job, end to end, as a user would do it: a home, a model, two plugins, a daemon; two
# references and a manifest dropped into the inbox; a signed picture out of the outbox.
#
# Run by `make demo`, which says where the program and the plugins are:
#   ATELIER   the program
#   PLUGINS   the folder with the built plugins
# Everything it makes lies in ./demo-home, made anew each time; look around in it afterwards.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
: "${ATELIER:?run this with make demo}" "${PLUGINS:?run this with make demo}"

# A private message bus, so that the demo also runs where no desktop session is, and meets no
# daemon that is running already.
if [ "${1:-}" != on-private-bus ]; then
    command -v dbus-run-session >/dev/null || { echo "dbus-run-session is missing: make setup" >&2; exit 1; }
    # What the bus itself has to say (as root: about limits) is nobody's concern here.
    exec dbus-run-session -- "$0" on-private-bus 3>&2 2>/dev/null
fi
exec 2>&3 3>&-

home=$PWD/demo-home
export ATELIER_HOME=$home

step() { printf '\n\033[1m%s\033[0m\n' "$*"; }
show() { printf '$ %s\n' "${*/#$ATELIER/atelier}"; "$@"; }
now() { date +%s.%N; }
# value FILE KEY: the number of a `key = 1.5` line.
value() { sed -n "s/^$2 *= *//p" "$1" | head -n 1; }

rm -rf "$home"
mkdir -p "$home/models" "$home/plugins"

step "1. A model and two plugins"
# Every folder in models/ is a model, by its name; with only one, jobs need not name it. This one
# is as small as a FLUX.2 can be, with random weights: it paints nothing that means anything, by
# exactly the arithmetic of the real ones.
cp -r "$here/fixtures/klein/model" "$home/models/klein-tiny"
cp -r "$PLUGINS/pose" "$PLUGINS/fit" "$home/plugins/"
show "$ATELIER" plugin list
show "$ATELIER" model list

step "2. The daemon"
echo "\$ atelier daemon &"
"$ATELIER" daemon 2>"$home/daemon.log" &
daemon=$!
trap 'kill "$daemon" 2>/dev/null || true' EXIT
until grep -q ready "$home/daemon.log"; do
    kill -0 "$daemon" 2>/dev/null || { cat "$home/daemon.log"; exit 1; }
    sleep 0.05
done
echo "ready; it watches $home/inbox"

step "3. References first, the manifest last, by rename"
cp "$here/fixtures/klein/cases/one-reference/reference-1.png" "$home/inbox/view.png"
cp "$here/fixtures/keypoints/dancer.json" "$home/inbox/dancer.json"
cp "$here/demo.toml" "$home/inbox/.poster.toml"
sed 's/^/    /' "$here/demo.toml"
dropped=$(now)
mv "$home/inbox/.poster.toml" "$home/inbox/poster.toml"

step "4. The picture"
picture=$home/outbox/poster.png
result=$home/done/poster.result.toml
until [ -e "$picture" ]; do
    if [ -e "$home/failed/poster.error.toml" ]; then
        cat "$home/failed/poster.error.toml"
        exit 1
    fi
    sleep 0.01
done
delivered=$(now)
until [ -e "$result" ]; do sleep 0.01; done
show "$ATELIER" jobs

step "5. What it says of itself"
show "$ATELIER" verify "$picture"

step "Done"
echo "picture:  $picture"
echo "result:   $result"
awk -v dropped="$dropped" -v delivered="$delivered" -v infer="$(value "$result" infer)" 'BEGIN {
    total = delivered - dropped
    printf "time:     %.2f s from dropping the manifest to delivery, %.2f s of it not inference\n", total, total - infer
}'
kill "$daemon"
wait "$daemon" || true
trap - EXIT
