#!/usr/bin/env bash
# Installs the browser that BROWSER names (chromium by default) and the packages of package.json, where they are
# missing. One process at a time, because .ci/run starts several tests in a browser side by side.
set -euo pipefail
exec 9<"${BASH_SOURCE[0]}"
flock 9
cd "$(dirname "${BASH_SOURCE[0]}")"
programs=(chromium)
if [ "${BROWSER:-}" = firefox ]; then programs=(firefox-esr pulseaudio); fi
missing=()
for program in "${programs[@]}"; do command -v "$program" >/dev/null || missing+=("$program"); done
if [ ${#missing[@]} -gt 0 ]; then
  apt-get update -qq
  apt-get install -y -qq "${missing[@]}"
fi
[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-audit --no-fund
