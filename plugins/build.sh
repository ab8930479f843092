#!/usr/bin/env bash
# Builds the first-party plugins to WebAssembly components.
#
#   plugins/build.sh
#
# PLUGINS_OUT       where NAME/plugin.toml and NAME/plugin.wasm go   (target/plugins)
# COMPONENTIZE      a built atelier-componentize                     (else it is built first)
# CARGO_TARGET_DIR  as always; the WebAssembly build has wasm/ in it (target)
#
# The compiler needs Rust's standard library for wasm32-unknown-unknown. Where the active toolchain
# has it, it is used. On Debian, which packages a rustc that can build it from source, those
# packages are installed, and nothing of that compiler leaks into other builds. Elsewhere the
# script stops and says what to do.
set -euo pipefail
if [ -n "${COMPONENTIZE:-}" ]; then COMPONENTIZE=$(realpath "$COMPONENTIZE"); fi
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly triple=wasm32-unknown-unknown
readonly plugins=(fit pose pose-from-photo)
readonly target=${CARGO_TARGET_DIR:-target}
readonly out=${PLUGINS_OUT:-$target/plugins}
readonly wasm_target=$target/wasm
readonly debian_rustc=/usr/bin/rustc
# The workspace's rust-version.
readonly oldest_minor=95

say() { printf '%s\n' "plugins: $*" >&2; }

stop() {
    say "$1"
    say "run: rustup target add $triple"
    exit 1
}

# The standard library of the active toolchain.
has_own_std() {
    local libdir
    libdir=$(rustc --print target-libdir --target "$triple") || return 1
    compgen -G "$libdir/libstd-*.rlib" >/dev/null
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# The minor version of Debian's rustc, or nothing where there is none.
debian_minor() {
    [ -x "$debian_rustc" ] || return 0
    "$debian_rustc" --version | sed -n 's/^rustc 1\.\([0-9]*\)\..*/\1/p'
}

has_debian_source() {
    local sysroot
    sysroot=$("$debian_rustc" --print sysroot) || return 1
    [ -e "$sysroot/lib/rustlib/src/rust/library/std/Cargo.toml" ]
}

debian_is_ready() {
    local minor
    minor=$(debian_minor)
    [ -n "$minor" ] && [ "$minor" -ge "$oldest_minor" ] && has_debian_source
}

install_from_debian() {
    command -v apt-get >/dev/null ||
        stop "this toolchain has no standard library for $triple"
    [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null ||
        stop "this toolchain has no standard library for $triple, and installing Debian's packages needs root or sudo"
    say "this toolchain has no standard library for $triple: installing Debian's rustc-web and"
    say "rust-web-src, which can build it (137 MB to download, 780 MB on disk; cargo and rustc on"
    say "the PATH stay as they are)"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq -o Dpkg::Use-Pty=0 --no-install-recommends rustc-web rust-web-src >&2 ||
        stop "Debian's packages could not be installed"
    debian_is_ready ||
        stop "Debian's rustc is 1.$(debian_minor), and 1.$oldest_minor or newer with its source is needed"
}

# Sets `compiler`, the environment of the WebAssembly build, and `flags`, cargo's.
choose_compiler() {
    if has_own_std; then
        compiler=()
        flags=()
        return
    fi
    debian_is_ready || install_from_debian
    local sysroot host linker
    sysroot=$(rustc --print sysroot)
    host=$(rustc --version --verbose | sed -n 's/^host: //p')
    linker=$sysroot/lib/rustlib/$host/bin/rust-lld
    # Debian keeps it apart from the toolchain.
    [ -x "$linker" ] || linker=$(command -v rust-lld) ||
        stop "the active toolchain has no rust-lld, and none is on the PATH"
    compiler=(
        "RUSTC=$debian_rustc"
        # Lets a stable compiler build its own standard library.
        RUSTC_BOOTSTRAP=1
        "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$linker"
    )
    flags=(-Z "build-std=std,panic_abort")
}

# The same source gives the same bytes wherever it lies: the places of panics are relative.
path_flags() {
    printf '%s\x1f%s' \
        "--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo" \
        "--remap-path-prefix=$PWD=/atelier"
}

build_module() {
    env "${compiler[@]}" CARGO_ENCODED_RUSTFLAGS="$(path_flags)" \
        cargo rustc --quiet --package "atelier-plugin-$1" --lib --crate-type cdylib \
        --profile wasm --target "$triple" --target-dir "$wasm_target" "${flags[@]}"
}

componentize() {
    if [ -n "${COMPONENTIZE:-}" ]; then
        "$COMPONENTIZE" "$@"
    else
        cargo run --quiet --release --package atelier-componentize -- "$@"
    fi
}

choose_compiler
# What the plugins run through `infer`.
mkdir -p "$out/../models"
install -m 644 plugins/*/model/*.onnx "$out/../models"
for plugin in "${plugins[@]}"; do
    build_module "$plugin"
    mkdir -p "$out/$plugin"
    componentize "$wasm_target/$triple/wasm/atelier_plugin_${plugin//-/_}.wasm" \
        "$out/$plugin/plugin.wasm" >/dev/null
    install -m 644 "plugins/$plugin/plugin.toml" "$out/$plugin/plugin.toml"
    say "$out/$plugin/plugin.wasm, $(wc -c <"$out/$plugin/plugin.wasm") bytes"
done
