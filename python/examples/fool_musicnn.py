"""Fool musicnn, a tagger of music, through ONNX Runtime in Python.

Its arguments are the folder that `trompe corpus fetch musicnn` prints, and a new folder for the run.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

import trompe

folder, out = Path(sys.argv[1]), Path(sys.argv[2])
net = folder / "MSD_musicnn.onnx"
mel = trompe.MelSpectrogram("musicnn", patches=True, n_jobs=-1)
session = onnxruntime.InferenceSession(net, providers=["CPUExecutionProvider"])
name = session.get_inputs()[0].name


def tags(sounds: Any) -> Any:
    """The mean over the patches of every sound, three seconds each."""
    shown = mel.transform(sounds)
    return np.stack([session.run(["tags"], {name: patches})[0].mean(axis=0) for patches in shown])


victim = trompe.Victim(
    tags,
    classes=(folder / "MSD.txt").read_text().splitlines(),
    audio=mel.sample_rate,
    output="sigmoid",
    fingerprint=net.read_bytes(),
    seconds=3,
)
run = trompe.fool(
    victim, bank="synthetic-loops", threshold=0.4, budget=40, random_candidates=10, out=out
)
print(run)
print("verified:", run.verify(victim)["passed"])
# The command knows the net by the file beside it, and runs it itself.
difference = np.abs(trompe.load(net).posteriors(run.samples) - victim.posteriors(run.samples))
print("largest difference to the command:", difference.max())
