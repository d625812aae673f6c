"""AdaBFFs features of 100 clips beside librosa: `python benches/features.py`.

Ours with two jobs, decoding included; librosa's functions on one shared transform (benches/peers/features.py),
on the first ten clips in one process. Prints wall-clock milliseconds a clip and their ratio, three times.
Needs librosa and, at the first time, the collection `styles-2`.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benches" / "peers"))
os.environ["TROMPE_PEERS_INSIDE"] = "1"

import features as peers  # type: ignore[import-not-found]  # noqa: E402
import librosa  # type: ignore[import-not-found,unused-ignore]  # noqa: E402

import trompe  # noqa: E402


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
        per_clip = 1e3 * (middle - start) / 10, 1e3 * (time.perf_counter() - middle) / 100
        print(f"librosa {per_clip[0]:.0f} ms, ours {per_clip[1]:.2f} ms: {per_clip[0] / per_clip[1]:.0f} x")


if __name__ == "__main__":
    main()
