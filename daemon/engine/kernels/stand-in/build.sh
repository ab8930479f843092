#!/usr/bin/env bash
# Builds a driver and a run-time compiler for a card that is not there:
#
#   daemon/engine/kernels/stand-in/build.sh FOLDER
#   LD_LIBRARY_PATH=FOLDER atelier generate --device cuda …
#
# Whoever has FOLDER before all others in LD_LIBRARY_PATH finds a card there that the processor plays.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ $# -eq 1 ] || { echo "usage: build.sh FOLDER" >&2 && exit 2; }
mkdir -p "$1"
options=(-O2 -std=c++17 -fPIC -shared -fvisibility=hidden -Wall -Wextra)
"${CXX:-c++}" "${options[@]}" "$here/driver.cpp" -ldl -o "$1/libcuda.so"
"${CXX:-c++}" "${options[@]}" "-DSTAND_IN_KERNELS=\"$(dirname "$here")\"" "$here/compiler.cpp" -o "$1/libnvrtc.so"
