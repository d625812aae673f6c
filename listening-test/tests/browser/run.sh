#!/usr/bin/env bash
# Whole studies in a browser: a real fooling set with controls from a corpus on a desk and on a
# phone, sound and pictures in one study, impatience on a slow line, and a study without a server.
# `bash listening-test/tests/browser/run.sh` takes Chromium, with BROWSER=firefox Firefox; SHOTS=FOLDER keeps
# screenshots.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../../.. && pwd)
trompe="$root/target/debug/trompe"
alone="$root/target/debug/trompe-listen"
# as the tests build them: `cargo build` would compile everything once more, with other features
(cd "$root" && cargo test --workspace --no-run --quiet)
bash install.sh

place=$(mktemp -d)
sink=
trap 'if [ -n "$sink" ]; then kill "$sink"; fi; rm -rf "$place"' EXIT
# without any sound device Firefox does not start to play
if [ "${BROWSER:-}" = firefox ]; then
  HOME=$place XDG_RUNTIME_DIR=$place pulseaudio -n --exit-idle-time=-1 --log-level=error \
    --load=module-null-sink --load="module-native-protocol-unix socket=$place/sink auth-anonymous=1" &
  sink=$!
  export PULSE_SERVER="unix:$place/sink"
fi
shots() { if [ -n "${SHOTS:-}" ]; then echo "--shots $SHOTS/$1"; fi; }

# three exhibits a class, found and verified by the program itself
"$trompe" --quiet demo --offline --rounds 200 --budget 600 --out "$place/demo" >/dev/null
"$trompe" listen build --out "$place/study" --set "$place/demo/run/fooling-set" --real synthetic \
  --contact lab@example.org --retain-until 2099-12-31 --controls 6 --fooling 8 --catch 1 --practice 1 >/dev/null

# They wait for sound most of the time, so several run side by side; each prints when it has ended.
AT_ONCE=4
failed=0
running=()
finish() {
  local name=${running[0]%% *} process=${running[0]##* }
  running=("${running[@]:1}")
  local status=0
  wait "$process" || status=$?
  cat "$place/log-$name"
  if [ "$status" -ne 0 ]; then
    echo "$name failed with exit code $status"
    failed=1
  fi
}
# take NAME SCRIPT ARGUMENTS...
take() {
  local name=$1
  shift
  if [ "${#running[@]}" -eq "$AT_ONCE" ]; then finish; fi
  node "$@" >"$place/log-$name" 2>&1 &
  running+=("$name $!")
}
# Two need a driver that tells the bodies of requests, and one that prints; Firefox's does neither.
if [ "${BROWSER:-}" = firefox ]; then
  echo "not in Firefox: take-hastily.mjs, print-report.mjs"
else
  take hastily take-hastily.mjs "$alone"
  take print print-report.mjs "$alone"
fi
take desk take-study.mjs "$trompe listen" --study "$place/study" $(shots desk)
take phone take-study.mjs "$alone" --phone --dark --language ar $(shots phone)
take introductions introductions.mjs "$alone"
take link link.mjs
take mushra take-mushra.mjs "$alone"
take track take-track.mjs "$alone"
take bs1116 take-bs1116.mjs "$alone"
take keyboard keyboard.mjs "$alone"
take consent consent.mjs "$alone"
take codes codes.mjs
take folder take-folder.mjs "$alone"
while [ "${#running[@]}" -gt 0 ]; do finish; done
exit "$failed"
