#!/usr/bin/env bash
# Everything that must hold of the Python package: `bash python/check.sh [LIBRARY]`.
#
# LIBRARY is the extension module, if cargo built it already (`cargo test` does: target/debug/deps/lib_trompe.so);
# without it the package is installed as a user does, by `pip install ./python`.
set -euo pipefail
cd "$(dirname "$0")"

library=${1:+$(realpath "../$1" 2>/dev/null || realpath "$1")}
cache=${TROMPE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/trompe}
venv=$cache/python-check
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
python=$venv/bin/python
"$python" -m pip install --quiet --disable-pip-version-check -r requirements-check.txt

if [ -n "$library" ]; then
  # What the wheel holds, in the place where pip puts it.
  site=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  rm -rf "$site/trompe"
  cp -r python/trompe "$site/trompe"
  rm -f "$site"/trompe/*.so
  cp "$library" "$site/trompe/_trompe.abi3.so"
else
  "$python" -m pip install --quiet --disable-pip-version-check --force-reinstall --no-deps .
fi

"$python" -m ruff format --check .
"$python" -m ruff check .
"$python" -m mypy --strict python/trompe tests examples benches
# Away from the sources, so that the installed package is what is tested.
tests=$PWD/tests
cd "$(mktemp -d)"
"$python" -m pytest -q -p no:cacheprovider -W error --rootdir "$tests/.." -c "$tests/../pyproject.toml" "$tests"
"$python" -m pytest -q -p no:cacheprovider -W error --doctest-modules --pyargs trompe \
  --ignore-glob '*__main__.py'
