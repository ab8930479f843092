#!/usr/bin/env bash
# Builds first-party plugins as anybody builds theirs: with `atelier plugin build`.
#
#   plugins/build.sh [NAME…]      these, or all
#
# ATELIER           the built program                        (target/release/atelier)
# PLUGINS_OUT       where NAME/plugin.toml and NAME/plugin.wasm go   (target/plugins)
# CARGO_TARGET_DIR  as always; compilers' results for WebAssembly go to wasm/ in it (target)
set -euo pipefail
if [ -n "${ATELIER:-}" ]; then ATELIER=$(realpath "$ATELIER"); fi
cd "$(dirname "${BASH_SOURCE[0]}")/.."

CARGO_TARGET_DIR=$(realpath -m "${CARGO_TARGET_DIR:-target}")
export CARGO_TARGET_DIR
readonly atelier=${ATELIER:-$CARGO_TARGET_DIR/release/atelier}
readonly out=${PLUGINS_OUT:-$CARGO_TARGET_DIR/plugins}

names=("$@")
if [ "${#names[@]}" -eq 0 ]; then
    for package in plugins/*/plugin.toml; do
        names+=("$(basename "$(dirname "$package")")")
    done
fi

# What the plugins run through `infer`.
mkdir -p "$out/../models"
install -m 644 plugins/*/model/*.onnx "$out/../models"
for name in "${names[@]}"; do
    "$atelier" plugin build "plugins/$name"
    mkdir -p "$out/$name"
    install -m 644 "plugins/$name/build/plugin.toml" "plugins/$name/build/plugin.wasm" "$out/$name"
done
