"""AdaBFFs features of 100 clips beside librosa: `python benches/clip_features.py`.

Ours with two jobs, decoding included; librosa's functions on one shared transform
(benches/peers/features.py), on the first ten clips in one process. Prints wall-clock milliseconds a clip and
their ratio, three times.
Needs librosa and, at the first time, the collection `styles-2`.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
from pathlib import Path
from typing import Any

import trompe

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benches" / "peers"))
os.environ["TROMPE_PEERS_INSIDE"] = "1"
peers: Any = importlib.import_module("features")
librosa: Any = importlib.import_module("librosa")


def main() -> None:
    """Measure and print."""
    paths = trompe.corpus("styles-2").paths[:100]
    theirs = peers.Librosa()
    ours = trompe.AdaBFFs(n_jobs=2)
    ours.transform(paths[:4])
    theirs(librosa.load(paths[0], sr=peers.RATE, mono=True, duration=30)[0])
    for _ in range(3):
        start = time.perf_counter()
        for path in paths[:10]:
            theirs(librosa.load(path, sr=peers.RATE, mono=True, duration=30)[0])
        middle = time.perf_counter()
        ours.transform(paths)
        slow, fast = 100 * (middle - start), 10 * (time.perf_counter() - middle)
        print(f"librosa {slow:.0f} ms, ours {fast:.2f} ms: {slow / fast:.0f} x")


if __name__ == "__main__":
    main()
