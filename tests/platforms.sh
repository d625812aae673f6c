#!/usr/bin/env bash
# Does a run have the same bytes whatever built the program and whatever processor it meets?
# Searches on sound and on images, by the same two models, with
#
#   - a debug build, a release build, and a release build without shared libraries;
#   - the last on emulated processors: a basic x86-64 (SSE3), one with AVX2, that without FMA.
#
# Every folder must be that of the debug build, byte by byte. Needs Rust and qemu-user.
set -euo pipefail
cd "$(dirname "$0")/.."
target=$(rustc -vV | sed -n 's/^host: //p')
work=$(mktemp -d /tmp/trompe-platforms-XXXXXX)
trap 'rm -rf "$work"' EXIT

cargo build
cargo build --release
RUSTFLAGS="-C target-feature=+crt-static" cargo build --release --target "$target"
debug=$PWD/target/debug/trompe
release=$PWD/target/release/trompe
static=$PWD/target/$target/release/trompe
ldd "$static" 2>&1 | grep -q "statically linked" || { echo "$static needs shared libraries" >&2; exit 1; }

cd "$work"
printf 'base_rate_candidates = 30\n[composition]\nseconds = 10.0\n' >sound.toml
printf 'base_rate_candidates = 30\n' >images.toml
"$release" --quiet train synthetic --rounds 60 --out sound.safetensors >/dev/null
"$release" --quiet train synthetic-digits --classifier lenet-5 --out images.safetensors >/dev/null

# Three searches with the program `$2...`, in the folder `$1`.
search() {
    local name=$1
    shift
    local start=$SECONDS
    mkdir "$name"
    "$@" --quiet fool sound.safetensors --config sound.toml --bank synthetic-loops --budget 60 \
        --out "$name/sound" >/dev/null
    for generator in patches cppn; do
        "$@" --quiet fool images.safetensors --config images.toml --generator "$generator" \
            --budget 1000 --out "$name/$generator" >/dev/null
    done
    diff -r debug "$name"
    echo "$name: $(find "$name" -type f | wc -l) files as of the debug build ($((SECONDS - start)) s)"
}

search debug "$debug"
search release "$release"
search static "$static"
search basic qemu-x86_64 -cpu qemu64 "$static"
search avx2 qemu-x86_64 -cpu Haswell "$static"
search avx2-without-fma qemu-x86_64 -cpu Haswell,-fma "$static"
