#!/usr/bin/env bash
# The main job, end to end, as a user would do it: a home, two plugins, a daemon; references and
# manifests dropped into the inbox; signed pictures out of the outbox.
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

step "1. Two plugins, and the model that comes with Atelier"
# The starter draws icons, in seconds. Every folder in models/ is a model too, by its name; with only
# one there, jobs that name none use it instead.
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

# make NAME: drops the manifest, waits for its picture, and says how long it took.
make() {
    local name=$1 dropped delivered picture=$home/outbox/$1.png result=$home/done/$1.result.toml
    sed 's/^/    /' "$here/demo/$name.toml"
    cp "$here/demo/$name.toml" "$home/inbox/.$name.toml"
    dropped=$(now)
    mv "$home/inbox/.$name.toml" "$home/inbox/$name.toml"
    until [ -e "$picture" ]; do
        if [ -e "$home/failed/$name.error.toml" ]; then
            cat "$home/failed/$name.error.toml"
            exit 1
        fi
        sleep 0.01
    done
    delivered=$(now)
    until [ -e "$result" ]; do sleep 0.01; done
    awk -v picture="$picture" -v dropped="$dropped" -v delivered="$delivered" -v infer="$(value "$result" infer)" 'BEGIN {
        total = delivered - dropped
        printf "%s\n%.2f s from dropping the manifest to delivery, %.2f s of it not inference\n", picture, total, total - infer
    }'
}

step "3. Two references first, the manifest last, by rename"
cp "$here"/demo/*.png "$home/inbox/"
make poster

step "4. The same two side by side"
make pair

step "5. Keypoints, drawn as a skeleton and followed"
cp "$here/fixtures/keypoints/dancer.json" "$home/inbox/"
make dancer

step "6. What they say of themselves"
show "$ATELIER" jobs
show "$ATELIER" verify "$home/outbox/poster.png"

step "Done"
echo "pictures: $home/outbox"
echo "results:  $home/done"
kill "$daemon"
wait "$daemon" || true
trap - EXIT
