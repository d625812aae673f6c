#!/usr/bin/env bash
# Builds the wheel and the source distribution into python/dist: `bash python/wheel.sh`.
#
# One wheel serves CPython 3.10 and later (abi3). Zig's linker makes it run on every Linux with glibc 2.28 or
# later (manylinux_2_28), whatever this machine has.
set -euo pipefail
cd "$(dirname "$0")"

tools=${TROMPE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/trompe}/python-wheel
[ -x "$tools/bin/maturin" ] || python3 -m venv "$tools"
"$tools/bin/pip" install --quiet --upgrade 'maturin>=1.9,<2' ziglang

PATH=$tools/bin:$PATH maturin build --release --strip --zig --compatibility manylinux_2_28 --sdist --out dist
ls -l dist
