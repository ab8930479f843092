#!/usr/bin/env bash
# Checks the SDKs for Python and JavaScript, and what is written with them: style, types, tests, the
# examples of the guides, and the cases of the plugins, all without a component.
#
#   sdk/check.sh
#
# Its tools come from .ci/guests.sh, which installs them at the first time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
exec </dev/null

.ci/guests.sh check
guests=$(realpath -m "${CARGO_TARGET_DIR:-target}")/tools/guests
# shellcheck disable=SC1091 # Made by .ci/guests.sh.
source "$guests/environment"
export PYTHONDONTWRITEBYTECODE=1

ruff() { "$guests/checkers/bin/ruff" "$@" --quiet --no-cache --config sdk/python/pyproject.toml; }

# mypy_in FOLDER FILE…: each plugin is called `plugin`, so each is checked by itself.
mypy_in() {
    local configured=$PWD/sdk/python
    (
        cd "$1"
        shift
        MYPYPATH=$configured "$guests/checkers/bin/mypy" --no-error-summary \
            --config-file "$configured/pyproject.toml" --cache-dir "$guests/mypy" "$@"
    )
}

python_sources=(sdk/python sdk/templates/python plugins/palette tests/fixtures/plugins/asks-python)
ruff check "${python_sources[@]}"
ruff format --check "${python_sources[@]}"
mypy_in sdk/python atelier_plugin
mypy_in sdk/python/tests .
mypy_in sdk/templates/python plugin.py
mypy_in plugins/palette plugin.py
mypy_in tests/fixtures/plugins/asks-python plugin.py
PYTHONPATH=sdk/python python3 -m unittest discover --quiet --start-directory sdk/python/tests
PYTHONPATH=sdk/python:plugins/palette \
    python3 -m unittest discover --quiet --start-directory plugins/palette/tests

# Where node and tsc look for the package, from every plugin in this repository.
mkdir -p node_modules
ln -sfn ../sdk/js node_modules/atelier-plugin
node "$guests/node/node_modules/typescript/bin/tsc" --project sdk/js/tests
node --test sdk/js/tests/*.test.js plugins/collage/tests/*.test.js >"$guests/node.log" || {
    grep -A 25 '^ *not ok' "$guests/node.log" || cat "$guests/node.log"
    exit 1
}
