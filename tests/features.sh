#!/usr/bin/env bash
# Checks that the root crate builds with every combination of its cargo features. Takes minutes:
# before a release.
set -euo pipefail
cd "$(dirname "$0")/.."

combinations=("" cli listen onnx onnxruntime cli,listen cli,onnx listen,onnx cli,listen,onnx cli,listen,onnxruntime)
for features in "${combinations[@]}"; do
  echo "features: ${features:-none}"
  RUSTFLAGS="-D warnings" cargo check --quiet --package trompe --no-default-features --features "$features" \
    --target-dir target/features
done
