#!/usr/bin/env python3
"""Times the modulation features of a 30-s clip: ours beside numpy and librosa.

    python3 benches/peers/modulations.py [--repeats 5] [--clip CLIP] [--json]

All run in one thread on the same clip from memory, interleaved; CPU time is measured, so
that a busy machine is unfair to nobody. The numpy peer computes the same definition in its
own way (exact responses at every bin, f64), so its numbers are compared with ours, too.
librosa's constant-Q transform has narrower filters; its envelopes are cut as fine as 256 Hz
needs, then weighed with the same modulation filters.
"""
import argparse
import json
import tempfile
import time
import warnings

from common import Row, built, cpu_ms, cpu_ms_and_output, in_environment, interleaved, report

in_environment(["numpy==2.4.6", "scipy", "librosa==0.11.0"])

import numpy as np
import scipy.fft

from features import synthetic_clip

RATE, LOWEST, Q, RATE_Q = 22_050, 180.0, 4.0, 2.0
CENTRES = LOWEST * 2 ** (np.arange(96) / 24)
RATES = 2.0 ** np.arange(1, 9)


def deviation(bandwidth):
    return bandwidth / (2 * np.sqrt(np.log(2)))


def gammatone(centre, hertz):
    """Response of Slaney's four sections, 1 at the centre."""
    step = 2 * np.pi / RATE
    decay = np.exp(-1.019 * step * (24.7 + centre / 9.26449))
    roots = [s * np.sqrt(3 + r * 2**1.5) for r in (1, -1) for s in (1, -1)]

    def response(f):
        delay = np.exp(-1j * step * f)
        poles = 1 - 2 * decay * np.cos(step * centre) * delay + decay**2 * delay**2
        zeros = [1 - decay * (np.cos(step * centre) + r * np.sin(step * centre)) * delay for r in roots]
        return np.prod(zeros, axis=0) / poles**4

    return response(hertz) / response(centre)


class Numpy:
    """FFT filter bank with decimation per band; responses prepared beforehand."""

    def __init__(self, front_end, dtype):
        self.front_end, self.dtype, self.plans = front_end, dtype, {}

    def plan(self, samples):
        length = scipy.fft.next_fast_len(samples + RATE, real=True)
        f = np.arange(length // 2 + 1) * RATE / length
        bands = []
        for centre in CENTRES:
            if self.front_end == "gammatone":
                reach = 4.6 * 1.019 * (24.7 + centre / 9.26449)
            else:
                reach = 3.5 * deviation(centre / Q)
            bins = np.flatnonzero((f > max(0, centre - reach)) & (f < centre + reach))
            if self.front_end == "gammatone":
                response = gammatone(centre, f[bins])
            else:
                response = np.exp(-0.5 * ((f[bins] - centre) / deviation(centre / Q)) ** 2)
            size = scipy.fft.next_fast_len(max(len(bins), int(1260 * length / RATE)))
            kind = np.complex64 if self.dtype == np.float32 else np.complex128
            bands.append((bins[0], response.astype(kind), size))
        top = int(530 * length / RATE)
        weights = np.exp(-(((f[:top] - RATES[:, None]) / deviation(RATES[:, None] / RATE_Q)) ** 2))
        weights[:, 0] = 0
        return length, bands, weights.astype(self.dtype)

    def __call__(self, clip):
        clip = clip.astype(self.dtype)
        if len(clip) not in self.plans:
            self.plans[len(clip)] = self.plan(len(clip))
        length, bands, weights = self.plans[len(clip)]
        spectrum = scipy.fft.rfft((clip - clip.mean()) / clip.std(), length)
        rows = []
        for first, response, size in bands:
            piece = spectrum[first : first + len(response)] * response
            envelope = np.abs(scipy.fft.ifft(piece, size)) * (2 * size / length)
            envelope = envelope[: len(clip) * size // length]
            count = len(envelope)
            power = scipy.fft.rfft(envelope - envelope.mean(), size)[: weights.shape[1]]
            rows.append(weights @ (power.real**2 + power.imag**2) * (2 / (size * count)))
        return np.concatenate(rows)


class Librosa:
    """librosa.cqt with its filters shortened to a quarter (the fastest setting)."""

    def __init__(self):
        import librosa

        self.librosa = librosa

    def __call__(self, clip):
        hop = 16
        bands = np.abs(
            self.librosa.cqt(
                clip, sr=RATE, hop_length=hop, fmin=LOWEST, n_bins=96, bins_per_octave=24, filter_scale=0.25
            )
        )
        bands -= bands.mean(axis=1, keepdims=True)
        size = scipy.fft.next_fast_len(bands.shape[1], real=True)
        power = np.abs(scipy.fft.rfft(bands, size, axis=1)) ** 2
        f = np.arange(power.shape[1]) * RATE / hop / size
        weights = np.exp(-(((f - RATES[:, None]) / deviation(RATES[:, None] / RATE_Q)) ** 2))
        return (power @ weights.T.astype("f4")).ravel()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--clip", help="audio file instead of the synthetic clip")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    clip = synthetic_clip()
    if arguments.clip:
        import librosa

        clip, _ = librosa.load(arguments.clip, sr=RATE, mono=True, duration=30)
    fronts = ("gammatone", "constant-q")
    peers = {front: Numpy(front, np.float32) for front in fronts}
    cqt = Librosa()
    notes = []
    with tempfile.NamedTemporaryFile(suffix=".f32") as file:
        clip.astype("<f4").tofile(file.name)

        def program(front, repeats):
            settings = json.dumps({"front_end": front})
            return [built("time_modulations", "trompe-features"), file.name, repeats, settings]

        for front in fronts:
            _, lines = cpu_ms_and_output(program(front, 1))
            vector = np.array(json.loads(lines.splitlines()[-1]))
            reference = Numpy(front, np.float64)(clip)
            error = np.abs(vector - reference) / np.maximum(reference, 1e-3 * reference.max())
            assert error.max() < 1e-2, error.max()
            notes.append(f"{front}: ours against numpy in f64: median error {np.median(error):.1e}, "
                         f"worst {error.max():.1e}")
        for peer in [*peers.values(), cqt]:
            assert peer(clip).shape == (768,)  # and warm

        def timed(peer):
            start = time.process_time()
            peer(clip)
            return 1e3 * (time.process_time() - start)

        def ours(front):
            # Starting, reading and planning cancel out.
            return (cpu_ms(program(front, 21)) - cpu_ms(program(front, 1))) / 20

        contenders = {"librosa": lambda: timed(cqt)}
        for front in fronts:
            contenders[f"numpy {front}"] = lambda front=front: timed(peers[front])
            contenders[f"trompe {front}"] = lambda front=front: ours(front)
        medians = interleaved(contenders, arguments.repeats)
    work = "modulations, 30-s clip, "
    rows = [
        Row(work + front, "numpy f32, the same", medians[f"trompe {front}"], medians[f"numpy {front}"], goal=3)
        for front in fronts
    ]
    rows.append(Row(work + "constant-q", "librosa.cqt", medians["trompe constant-q"], medians["librosa"], goal=3))
    report(rows, notes)


if __name__ == "__main__":
    main()
