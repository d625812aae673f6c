#!/usr/bin/env bash
# A whole study in WebKit, the engine of Safari: `bash webkit.sh COMMAND`, such as target/debug/trompe-listen.
# Installs Debian's WebKitGTK with its driver; gives it a display and a sound device that nobody hears.
set -euo pipefail
command=$(realpath "${1:?give the program, such as target/debug/trompe-listen}")
cd "$(dirname "${BASH_SOURCE[0]}")"
if ! command -v WebKitWebDriver >/dev/null || ! command -v xvfb-run >/dev/null || ! command -v pulseaudio >/dev/null; then
  apt-get update -qq
  apt-get install -y -qq webkit2gtk-driver xvfb xauth pulseaudio gstreamer1.0-plugins-base gstreamer1.0-plugins-good \
    gstreamer1.0-pulseaudio
fi
MINIBROWSER=$(find /usr/lib -path '*/webkit2gtk-*/MiniBrowser' | sort | tail -n 1)
export MINIBROWSER

place=$(mktemp -d)
HOME=$place XDG_RUNTIME_DIR=$place pulseaudio -n --exit-idle-time=-1 --log-level=error \
  --load=module-null-sink --load="module-native-protocol-unix socket=$place/sink auth-anonymous=1" &
sink=$!
trap 'kill "$sink"; rm -rf "$place"' EXIT
PULSE_SERVER="unix:$place/sink" XDG_RUNTIME_DIR=$place timeout 240 xvfb-run -a node take-webkit.mjs "$command"
