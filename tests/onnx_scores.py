#!/usr/bin/env python3
"""Scores the delivered files of a fooling set again, without any of trompe.

    pip install numpy onnxruntime pillow      # and librosa for nets of sound
    python3 tests/onnx_scores.py SET NET.onnx [--tolerance 1e-4]

Reads every file of `manifest.json`, computes the net's input as the description beside the
net (NET.toml) says, by numpy and librosa, runs onnxruntime, and compares the posteriors with
those of the manifest. Exit code 0: all agree; 1: a file, its hash, a label or a posterior
differs; 2: something cannot be read.
"""
import argparse
import hashlib
import json
import sys
import tomllib
import wave
from pathlib import Path

import numpy as np
import onnxruntime

# Front ends of published nets, by the names and keys of descriptions; each written down from
# its source, not from trompe's table.
MUSICNN = {
    "rate": 16_000, "frame": 512, "hop": 256, "pad": "zero", "power": 2,
    "mel": {"bands": 96, "scale": "slaney", "norm": "slaney", "low": 0, "high": 8_000},
    "log": {"kind": "log10", "multiply": 10_000, "add": 1}, "patch": 187, "tail": "drop", "layout": "ntm",
}
VGGISH = {
    "rate": 16_000, "frame": 400, "fft": 512, "hop": 160, "pad": "none", "power": 1,
    "mel": {"bands": 64, "scale": "htk", "norm": "none", "triangles": "mel", "low": 125, "high": 7_500},
    "log": {"kind": "ln", "add": 0.01}, "patch": 96, "tail": "drop", "layout": "ntm",
}
PANNS = {
    "rate": 32_000, "frame": 1_024, "hop": 320, "pad": "reflect", "power": 2,
    "mel": {"bands": 64, "scale": "slaney", "norm": "slaney", "low": 50, "high": 14_000},
    "log": {"kind": "db", "floor": 1e-10}, "patch": 1_001, "patch_hop": 1_000, "tail": "silence", "layout": "n1tm",
}
AST = {
    "rate": 16_000, "frame": 400, "fft": 512, "hop": 160, "pad": "none", "power": 2,
    "window": "hann-symmetric", "remove_dc": True, "preemphasis": 0.97,
    "mel": {"bands": 128, "scale": "kaldi", "norm": "none", "low": 20, "high": 8_000},
    "log": {"kind": "ln", "floor": 2.0**-23}, "mean": -4.2677393, "deviation": 2 * 4.5689974,
    "patch": 1_024, "tail": "zero", "layout": "ntm",
}
PRESETS = {
    "musicnn": MUSICNN,
    "vggish": VGGISH,
    "yamnet": VGGISH | {"log": {"kind": "ln", "add": 0.001}, "patch_hop": 48, "tail": "silence"},
    "panns": PANNS,
    "ast": AST,
    "clap": PANNS | {"rate": 48_000, "hop": 480, "tail": "repeat-whole"},
}


class Unreadable(Exception):
    """What cannot be read or is not understood."""


class Different(Exception):
    """What is not as the manifest says."""


# ---------------------------------------------------------------- sound


def read_wav(path, rate):
    """Samples in [-1, 1)."""
    with wave.open(str(path)) as file:
        if (file.getnchannels(), file.getsampwidth(), file.getframerate()) != (1, 2, rate):
            raise Different(f"{path}: is not mono sound of 16 bits at {rate} Hz")
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2") / 32_768.0


def mel_filters(settings):
    """Weights, bands by bins."""
    import librosa

    mel, rate, fft = settings["mel"], settings["rate"], settings.get("fft", settings["frame"])
    low, high = mel.get("low", 0), mel.get("high", rate / 2)
    straight_in_mel = mel.get("triangles", "mel" if mel["scale"] == "kaldi" else "hertz") == "mel"
    norm = None if mel["norm"] == "none" else mel["norm"]
    htk = mel["scale"] != "slaney"
    if not straight_in_mel:
        return librosa.filters.mel(
            sr=rate, n_fft=fft, n_mels=mel["bands"], fmin=low, fmax=high, htk=htk, norm=norm, dtype=np.float64
        )
    bins = librosa.hz_to_mel(np.arange(fft // 2 + 1) * rate / fft, htk=htk)
    edges = np.linspace(*librosa.hz_to_mel(np.array([low, high]), htk=htk), mel["bands"] + 2)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    weights = np.maximum(0, np.minimum(rising, falling))
    if norm == "slaney":
        hertz = librosa.mel_to_hz(edges, htk=htk)
        weights *= 2 / (hertz[2:] - hertz[:-2])
    return weights


def frames_of(samples, settings):
    """Frames, as long as the window."""
    frame, hop, fft = settings["frame"], settings["hop"], settings.get("fft", settings["frame"])
    length = frame
    if settings["pad"] != "none":
        mode = {"zero": "constant", "reflect": "reflect"}[settings["pad"]]
        samples, length = np.pad(samples, fft // 2, mode=mode), fft
    if len(samples) < length:
        raise Different(f"sound of {len(samples)} samples is shorter than a frame")
    frames = np.lib.stride_tricks.sliding_window_view(samples, length)[::hop]
    start = (length - frame) // 2
    return frames[:, start : start + frame]


def spectrogram(samples, settings):
    """Frames by bands, compressed, before mean and deviation."""
    frame, fft = settings["frame"], settings.get("fft", settings["frame"])
    frames = settings.get("scale", 1) * frames_of(samples, settings)
    if settings.get("remove_dc", False):
        frames = frames - frames.mean(axis=1, keepdims=True)
    if settings.get("preemphasis", 0):
        frames = frames - settings["preemphasis"] * np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    symmetric = settings.get("window", "hann") == "hann-symmetric"
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(frame) / (frame - 1 if symmetric else frame))
    magnitudes = np.abs(np.fft.rfft(frames * window, fft, axis=1))
    values = magnitudes ** settings.get("power", 2) @ mel_filters(settings).T
    log = settings["log"]
    values = log.get("multiply", 1) * values + log.get("add", 0)
    if log["kind"] == "none":
        return values
    values = np.maximum(values, log.get("floor", 0))
    if log["kind"] != "db":
        return {"ln": np.log, "log10": np.log10}[log["kind"]](values)
    reference = log.get("reference", 1)
    reference = values.max() if reference == "max" else max(reference, log.get("floor", 0))
    decibels = 10 * np.log10(values) - 10 * np.log10(reference)
    return np.maximum(decibels, decibels.max() - log.get("top_db", np.inf))


def lengthened(samples, length, tail):
    """Sound that fills all patches."""
    if len(samples) >= length:
        return samples
    if tail == "repeat":
        return np.resize(samples, length)
    if tail == "repeat-whole":
        samples = np.tile(samples, length // len(samples))
    return np.pad(samples, [0, length - len(samples)])


def patches_needed(items, patch, hop):
    """Fewest patches that leave out nothing but gaps between patches."""
    count = 1
    while (count - 1) * hop + patch < items and count * hop < items:
        count += 1
    return count


def sound_input(samples, settings):
    """The net's input, patches first."""
    patch, tail = settings["patch"], settings.get("tail", "drop")
    hop = settings.get("patch_hop", patch)
    waveform = settings.get("input", "mel") == "waveform"
    if waveform:
        rows, step, first = samples[:, None], 1, 1
    else:
        step, centred = settings["hop"], settings["pad"] != "none"
        first = 0 if centred else settings["frame"]
        rows = None
    if tail in ("silence", "repeat", "repeat-whole") or (waveform and tail == "zero"):
        if waveform:
            items = len(samples)
        elif centred:
            items = len(samples) // step + 1
        else:
            items = max(0, -(-(len(samples) - first) // step)) + 1
        count = patches_needed(items, patch, hop)
        items = (count - 1) * hop + patch
        length = items if waveform else (items - 1) * step + first
        samples = lengthened(samples, length, tail)
        rows = samples[:, None] if waveform else spectrogram(samples, settings)
    elif not waveform:
        rows = spectrogram(samples, settings)
    if tail == "drop":
        count = (len(rows) - patch) // hop + 1 if len(rows) >= patch else 0
    elif tail == "zero":
        count = patches_needed(len(rows), patch, hop)
        rows = np.pad(rows, [[0, max(0, (count - 1) * hop + patch - len(rows))], [0, 0]])
    if count == 0:
        raise Different("the sound is shorter than a patch")
    rows = (rows - settings.get("mean", 0)) / settings.get("deviation", 1)
    values = np.stack([rows[i * hop : i * hop + patch] for i in range(count)])
    layout = settings.get("layout", "nt" if waveform else "ntm")
    if layout == "nt":
        return values[:, :, 0]
    return {
        "ntm": values,
        "n1tm": values[:, None],
        "n1mt": values.transpose(0, 2, 1)[:, None],
        "ntm1": values[..., None],
    }[layout]


# ---------------------------------------------------------------- images


def image_input(path, description):
    """The net's input, one row a crop."""
    from PIL import Image

    grey = description["colour"] == "grey"
    with Image.open(path) as file:
        pixels = np.asarray(file.convert("L" if grey else "RGB"), dtype=np.float64)
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    if description["colour"] == "bgr":
        pixels = pixels[:, :, ::-1]
    width, height = description["width"], description["height"]
    crops = description.get("crops", {"kind": "whole"})
    size = (crops["height"], crops["width"]) if crops["kind"] == "ten" else (height, width)
    if pixels.shape[:2] != size:
        raise Different(f"{path}: is {pixels.shape[1]} x {pixels.shape[0]}, not {size[1]} x {size[0]}")
    parts = [pixels]
    if crops["kind"] == "ten":
        down, right = size[0] - height, size[1] - width
        places = [(0, 0), (0, right), (down, 0), (down, right), (down // 2, right // 2)]
        parts = [pixels[y : y + height, x : x + width] for y, x in places]
        parts += [part[:, ::-1] for part in parts]
    values = (np.stack(parts) - description["mean"]) / description["deviation"]
    return values if description.get("layout", "nchw") == "nhwc" else values.transpose(0, 3, 1, 2)


# ---------------------------------------------------------------- the net


class Net:
    """A net with its description and classes."""

    def __init__(self, path):
        toml = path.with_suffix(".toml")
        try:
            self.description = tomllib.loads(toml.read_text())
            self.classes = [line.strip() for line in (path.parent / self.description["classes"]).read_text().splitlines()]
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except (OSError, KeyError, ValueError) as error:
            raise Unreadable(f"{path}: {error!r}") from error
        self.audio = self.description.get("audio")
        if self.audio is not None and "preset" in self.audio:
            if self.audio["preset"] not in PRESETS:
                raise Unreadable(f"{toml}: preset {self.audio['preset']!r} is not known here")
            self.audio = PRESETS[self.audio["preset"]] | self.audio
        self.input = self.session.get_inputs()[0]
        self.output = self.description.get("output_name", self.session.get_outputs()[0].name)

    def run(self, values):
        """Outputs, one row an item; as many items at once as the net takes."""
        types = {"tensor(float)": "f4", "tensor(double)": "f8", "tensor(float16)": "f2", "tensor(uint8)": "u1"}
        if self.input.type not in types:
            raise Unreadable(f"input of type {self.input.type}")
        if self.input.type == "tensor(uint8)":
            values = np.rint(values).clip(0, 255)
        values = values.astype(types[self.input.type])
        batch = self.input.shape[0] if isinstance(self.input.shape[0], int) else 1
        rows = []
        for start in range(0, len(values), batch):
            part = values[start : start + batch]
            filled = np.concatenate([part, np.repeat(part[-1:], batch - len(part), axis=0)])
            (out,) = self.session.run([self.output], {self.input.name: filled})
            rows.append(out.reshape(batch, -1)[: len(part)])
        rows = np.concatenate(rows).astype(np.float64)
        if rows.shape[1] != len(self.classes):
            raise Unreadable(f"{rows.shape[1]} outputs for {len(self.classes)} classes")
        return rows

    def posteriors(self, path):
        """Posterior of every class of a file."""
        if self.audio is not None:
            values = sound_input(read_wav(path, self.audio["rate"]), self.audio)
            kind, combine = self.audio.get("output"), self.audio.get("combine", "mean")
        else:
            values = image_input(path, self.description)
            kind, combine = self.description.get("output"), "mean"
        rows = self.run(values)
        if kind == "logits":
            rows = np.exp(rows - rows.max(axis=1, keepdims=True))
            rows /= rows.sum(axis=1, keepdims=True)
        elif kind == "sigmoid-logits":
            rows = 0.5 + 0.5 * np.tanh(rows / 2)
        elif kind not in ("probabilities", "sigmoid"):
            raise Unreadable(f"output = {kind!r} is not known here")
        return {"mean": np.mean, "max": np.max, "median": np.median}[combine](rows, axis=0)


def check(exhibit, folder, net, tolerance):
    """Largest difference of a posterior."""
    path = folder / exhibit["file"]
    if hashlib.sha256(path.read_bytes()).hexdigest() != exhibit["sha256"]:
        raise Different(f"{path}: has another SHA-256 than the manifest says")
    ours = net.posteriors(path)
    theirs = np.array(exhibit["posteriors"], dtype=np.float64)
    if ours.shape != theirs.shape:
        raise Different(f"{path}: {len(theirs)} posteriors for {len(ours)} classes")
    if abs(theirs[exhibit["class"]] - exhibit["posterior"]) > 1e-9:
        raise Different(f"{path}: posterior and posteriors of the manifest differ")
    if exhibit["label"] != net.classes[exhibit["class"]]:
        raise Different(f"{path}: label {exhibit['label']!r} is not class {net.classes[exhibit['class']]!r}")
    worst = np.abs(ours - theirs).max()
    if not worst <= tolerance:
        at = int(np.nanargmax(np.abs(ours - theirs)))
        raise Different(f"{path}: {net.classes[at]} has {ours[at]:.6f} here, {theirs[at]:.6f} in the manifest")
    return worst


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("set", type=Path, help="folder of the fooling set")
    parser.add_argument("net", type=Path, help="ONNX file, with its description and classes beside it")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="of every posterior")
    arguments = parser.parse_args()
    try:
        net = Net(arguments.net)
        exhibits = json.loads((arguments.set / "manifest.json").read_text())["exhibits"]
        if not exhibits:
            raise Unreadable(f"{arguments.set}: no exhibits to check")
        different, worst = 0, 0.0
        for exhibit in exhibits:
            try:
                worst = max(worst, check(exhibit, arguments.set, net, arguments.tolerance))
            except Different as error:
                different += 1
                print(f"DIFFERS {error}")
    except (Unreadable, OSError, KeyError, ValueError) as error:
        print(f"onnx_scores.py: {error}", file=sys.stderr)
        return 2
    print(f"{len(exhibits) - different} of {len(exhibits)} agree within {arguments.tolerance:g}; largest difference {worst:.1e}")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
