#!/usr/bin/env python3
"""Times mel spectrograms of a 30-s clip: ours beside librosa and torchaudio.

    python3 benches/peers/mel.py [--repeats 9] [--json]

All run in one thread on the same clip from memory, one after the other in every round; CPU
time is measured. The front end of musicnn, with 96 bands of Slaney's scale on frames of 512
samples at 16 kHz, and that of PANNs, with 64 bands on frames of 1,024 samples at 32 kHz; power
without a logarithm, since the functions of the peers have none. Peers compute in f32, their
own way of working, ours in f64; results must agree within 1e-4 of their range. torchaudio is
that of the Python at hand or Debian's `python3-torchaudio`: the package index has it with CUDA
alone, gigabytes of it. Where there is none, the output says so.
"""
import argparse
import json
import sys
import tempfile
import time
import warnings

from common import Row, built, cpu_ms, in_environment, interleaved, report

in_environment(["numpy==2.4.6", "librosa==0.11.0"])

import librosa
import numpy as np

try:
    warnings.filterwarnings("ignore")  # Debian's is built for an older numpy, and says so
    sys.path.append("/usr/lib/python3/dist-packages")
    import torch
    import torchaudio
except ImportError:
    torchaudio = None

SECONDS = 30
FRONT_ENDS = {
    "musicnn": {"rate": 16_000, "frame": 512, "hop": 256, "bands": 96, "low": 0.0, "high": 8_000.0, "pad": "constant"},
    "PANNs": {"rate": 32_000, "frame": 1_024, "hop": 320, "bands": 64, "low": 50.0, "high": 14_000.0, "pad": "reflect"},
}


def synthetic_clip(rate):
    """A tone that sweeps through coloured noise."""
    rng = np.random.Generator(np.random.PCG64(7))
    t = np.arange(SECONDS * rate) / rate
    noise = np.convolve(rng.standard_normal(len(t)), 0.05 * 0.9 ** np.arange(60), mode="same")
    return (0.3 * np.sin(2 * np.pi * (60 * t + 100 * t**2)) + noise).astype("<f4")


def settings(front):
    """Our settings of a front end, as JSON."""
    return json.dumps({
        "frame": front["frame"], "hop": front["hop"], "pad": {"constant": "zero", "reflect": "reflect"}[front["pad"]],
        "mel": {"bands": front["bands"], "scale": "slaney", "norm": "slaney", "low": front["low"], "high": front["high"]},
        "log": {"kind": "none"}, "patch": 1,
    })


def with_librosa(front, clip):
    return lambda: librosa.feature.melspectrogram(
        y=clip, sr=front["rate"], n_fft=front["frame"], hop_length=front["hop"], n_mels=front["bands"],
        fmin=front["low"], fmax=front["high"], pad_mode=front["pad"],
    ).T


def with_torchaudio(front, clip):
    """The plan is made once, as ours is."""
    torch.set_num_threads(1)
    plan = torchaudio.transforms.MelSpectrogram(
        sample_rate=front["rate"], n_fft=front["frame"], hop_length=front["hop"], n_mels=front["bands"],
        f_min=front["low"], f_max=front["high"], mel_scale="slaney", norm="slaney", pad_mode=front["pad"],
    )
    # Without numpy, whose version may be another than torch was built for.
    waveform = torch.frombuffer(bytearray(clip.tobytes()), dtype=torch.float32)
    return lambda: plan(waveform).T


def timed(peer):
    """CPU milliseconds of a call, of ten in a row."""
    start = time.process_time()
    for _ in range(10):
        peer()
    return 1e2 * (time.process_time() - start)


def compare(name, front, repeats, program):
    clip = synthetic_clip(front["rate"])
    peers = {f"librosa {librosa.__version__}": (with_librosa, 8)}
    if torchaudio is not None:
        peers[f"torchaudio {torchaudio.__version__}"] = (with_torchaudio, 2)
    peers = {peer: (make(front, clip), goal) for peer, (make, goal) in peers.items()}
    notes = [] if torchaudio else [f"mel, {name}: torchaudio is not installed, nothing is compared with it"]
    with tempfile.NamedTemporaryFile(suffix=".f32") as file, tempfile.NamedTemporaryFile(suffix=".f32") as out:
        clip.tofile(file.name)
        command = [program, file.name, front["rate"], settings(front)]
        cpu_ms([*command, 1, out.name])
        ours = np.fromfile(out.name, dtype="<f4").reshape(-1, front["bands"])
        for peer, (call, _) in peers.items():
            theirs = np.array(call().tolist())  # and warm
            worst = np.abs(ours - theirs).max() / np.ptp(theirs)
            assert worst < 1e-4, f"{name}, {peer}: differs by {worst:.1e} of the range"
            notes.append(f"mel, {name}: {peer} differs by at most {worst:.1e} of the range")
        # Starting, reading and the first run cancel out.
        contenders = {peer: lambda call=call: timed(call) for peer, (call, _) in peers.items()}
        contenders["trompe"] = lambda: (cpu_ms([*command, 201]) - cpu_ms([*command, 1])) / 200
        medians = interleaved(contenders, repeats)
    work = f"mel spectrogram of {name}, 30-s clip"
    rows = [Row(work, peer, medians["trompe"], medians[peer], goal=goal) for peer, (_, goal) in peers.items()]
    return rows, notes


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    program = built("time_mel", "trompe-features")
    results = [compare(name, front, arguments.repeats, program) for name, front in FRONT_ENDS.items()]
    report([row for rows, _ in results for row in rows], [note for _, notes in results for note in notes])


if __name__ == "__main__":
    main()
