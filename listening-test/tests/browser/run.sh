#!/usr/bin/env bash
# Whole studies in Chromium: a real fooling set with controls from a corpus on a desk and on a
# phone, sound and pictures in one study, and a study without a server.
# `bash listening-test/tests/browser/run.sh`; SHOTS=FOLDER keeps screenshots.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../../.. && pwd)
trompe="$root/target/debug/trompe"
alone="$root/target/debug/trompe-listen"
(cd "$root" && cargo build --workspace --quiet)
command -v chromium >/dev/null || { apt-get update -qq && apt-get install -y -qq chromium; }
[ -d node_modules ] || npm ci --no-audit --no-fund

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
shots() { if [ -n "${SHOTS:-}" ]; then echo "--shots $SHOTS/$1"; fi; }

# three exhibits a class, found and verified by the program itself
"$trompe" --quiet demo --offline --rounds 200 --budget 600 --out "$place/demo" >/dev/null
"$trompe" listen build --out "$place/study" --set "$place/demo/run/fooling-set" --real synthetic \
  --contact lab@example.org --retain-until 2099-12-31 --controls 6 --fooling 8 --catch 1 --practice 1 >/dev/null
node take-study.mjs "$trompe listen" --study "$place/study" $(shots desk)
node take-study.mjs "$alone" --phone --dark --language ar $(shots phone)
node take-folder.mjs "$alone"
