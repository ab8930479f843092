#!/usr/bin/env bash
# Compiles the kernels as C++ and compares them, in the emulator, with plain arithmetic; first that the emulator
# notices what it is there for.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for check in check_emulator check check_picture check_tensor; do
    "${CXX:-c++}" -O2 -std=c++17 -ffp-contract=off -Wall -Wno-unknown-pragmas "$check.cpp" -o "$folder/$check"
    "$folder/$check"
done
