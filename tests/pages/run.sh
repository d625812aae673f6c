#!/usr/bin/env bash
# Every page of trompe in a browser, made by the program from synthetic material: fooling sets of sound and of
# images, a run, an evaluation, a comparison, a gallery, the report of a study.
# `bash tests/pages/run.sh target/debug/trompe`; SHOTS=FOLDER keeps screenshots, PAGES=FOLDER keeps the pages.
set -euo pipefail
trompe=$(realpath "${1:?give the program, such as target/debug/trompe}")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
bash listening-test/tests/browser/install.sh

place=${PAGES:-}
if [ -z "$place" ]; then
  place=$(mktemp -d)
  trap 'rm -rf "$place"' EXIT
fi
trompe() { "$trompe" --quiet "$@" >/dev/null; }

# three exhibits a class at most, found and verified by the program itself
[ -d "$place/demo" ] || trompe demo --offline --rounds 200 --budget 600 --out "$place/demo"
if [ ! -d "$place/images" ]; then
  trompe train synthetic-digits --classifier logistic --out "$place/digits.safetensors"
  trompe fool "$place/digits.safetensors" --generator patches --threshold 0.9 --budget 3000 --out "$place/images"
fi
[ -d "$place/evaluation" ] ||
  trompe evaluate synthetic --rounds 20 --trials 2 --permutations 99 --out "$place/evaluation"
[ -d "$place/comparison" ] || trompe compare "$place/demo/run" "$place/images" --out "$place/comparison"
[ -d "$place/site" ] || trompe gallery "$place/demo/run" "$place/images" --out "$place/site"
if [ ! -d "$place/results" ]; then
  trompe listen build --set "$place/demo/run" --real synthetic --out "$place/study" \
    --contact lab@example.org --retain-until 2099-12-31
  # numbers do not matter here, and simulations take most of the time
  sed -i 's/^simulations = .*/simulations = 39/; s/^resamples = .*/resamples = 100/' "$place/study/study.toml"
  trompe listen reseal "$place/study"
  trompe listen simulate "$place/study" --database "$place/answers.sqlite" --listeners 8
  trompe listen analyze "$place/study" --database "$place/answers.sqlite" --simulated --out "$place/results"
fi

node tests/pages/check.mjs "$place" \
  "set of sound=demo/run/fooling-set/index.html" \
  "set of images=images/fooling-set/index.html" \
  "run=demo/run/report.html" \
  "run of images=images/report.html" \
  "evaluation=evaluation/index.html" \
  "comparison=comparison/index.html" \
  "gallery=site/index.html" \
  "set in the gallery=site/run/fooling-set/index.html" \
  "report of a study=results/report.html"
