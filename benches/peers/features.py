#!/usr/bin/env python3
"""Times the AdaBFFs features of a 30-s clip: ours beside librosa, Essentia and numpy.

    python3 benches/peers/features.py [--repeats 7] [--clip CLIP] [--json]

All run in one thread on the same clip from memory, one after the other in every round; CPU
time is measured, so that a busy machine is unfair to nobody. Same work: Hann frames of 1,024 samples, hop 512;
40 cepstral coefficients, zero crossings, centroid, spread, 16 roll-offs, error of a linear
predictor of order 32 in f64; mean and variance over 130 frames. Essentia's predictor and
roll-off follow other definitions (same work, other numbers); librosa's predictor is Burg's.
"""
import argparse
import tempfile
import time
import warnings

from common import Row, built, cpu_ms, in_environment, interleaved, report

in_environment(["numpy==2.4.6", "scipy", "librosa==0.11.0", "essentia==2.1b6.dev1389"])

import numpy as np
import scipy.fft
import scipy.signal

RATE, FRAME, HOP, TEXTURE, ORDER, ROLLOFFS = 22_050, 1024, 512, 130, 32, 16
PERCENTS = [i / (ROLLOFFS + 1) for i in range(1, ROLLOFFS + 1)]


def synthetic_clip():
    """Thirty seconds of a sweeping tone over coloured noise."""
    rng = np.random.Generator(np.random.PCG64(7))
    t = np.arange(30 * RATE) / RATE
    noise = scipy.signal.lfilter([0.05], [1, -0.9], rng.standard_normal(len(t)))
    return (0.3 * scipy.signal.chirp(t, 60, 30, 8000, method="logarithmic") + noise).astype("<f4")


def texture(rows):
    windows = rows[: len(rows) // TEXTURE * TEXTURE].reshape(-1, TEXTURE, rows.shape[1])
    return np.column_stack([windows.mean(axis=1), windows.var(axis=1)])


def filterbank():
    edges = np.concatenate([133.3333333 + 66.66666666 * np.arange(13), np.zeros(29)])
    edges[13:] = edges[12] * 1.0711703 ** np.arange(1, 30)
    f = np.arange(FRAME // 2 + 1) * RATE / FRAME
    up = (f - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    down = (edges[2:, None] - f) / (edges[2:] - edges[1:-1])[:, None]
    return (np.clip(np.minimum(up, down), 0, None) * (2 / (edges[2:] - edges[:-2]))[:, None]).astype("f4")


class Librosa:
    """librosa 0.11's functions on one shared transform."""

    def __init__(self):
        import librosa

        self.librosa, self.bank = librosa, filterbank()
        self.window = scipy.signal.get_window("hann", FRAME)

    def __call__(self, clip):
        lib = self.librosa
        S = np.abs(lib.stft(clip, n_fft=FRAME, hop_length=HOP, center=False))
        mfcc = lib.feature.mfcc(S=np.log10(np.maximum(self.bank @ S, 1e-10)), n_mfcc=40)
        crossings = lib.feature.zero_crossing_rate(clip, frame_length=FRAME, hop_length=HOP, center=False)
        centroid = lib.feature.spectral_centroid(S=S, sr=RATE, n_fft=FRAME)
        spread = lib.feature.spectral_bandwidth(S=S, sr=RATE, n_fft=FRAME, centroid=centroid)
        rolloffs = [lib.feature.spectral_rolloff(S=S, sr=RATE, n_fft=FRAME, roll_percent=p) for p in PERCENTS]
        frames = lib.util.frame(clip.astype("f8"), frame_length=FRAME, hop_length=HOP, axis=0) * self.window
        a = lib.lpc(frames, order=ORDER, axis=-1)
        error = (np.abs(np.fft.rfft(a, FRAME)).T * S) ** 2
        rows = [mfcc, crossings, centroid, spread, *rolloffs, error.mean(axis=0, keepdims=True)]
        return texture(np.concatenate(rows).T)


class Essentia:
    """Essentia's streaming network: one C++ graph for the clip."""

    def __init__(self):
        import essentia
        import essentia.streaming as streaming

        essentia.log.infoActive = essentia.log.warningActive = False
        self.essentia, self.s = essentia, streaming

    def __call__(self, clip):
        e, s = self.essentia, self.s
        pool = e.Pool()
        # VectorInput streams one token at a time: samples would cost the scheduler a hundred
        # times the work, frames cost it nothing to speak of.
        frames = np.ascontiguousarray(np.lib.stride_tricks.sliding_window_view(clip, FRAME)[::HOP])
        source = s.VectorInput(frames)
        window = s.Windowing(type="hann", normalized=False, zeroPhase=False)
        spectrum = s.Spectrum(size=FRAME)
        mfcc = s.MFCC(
            inputSize=FRAME // 2 + 1, sampleRate=RATE, numberBands=40, numberCoefficients=40,
            lowFrequencyBound=133, highFrequencyBound=6854, logType="log", type="magnitude",
        )
        crossings, centroid = s.ZeroCrossingRate(), s.Centroid(range=RATE / 2)
        moments, shape = s.CentralMoments(range=RATE / 2), s.DistributionShape()
        lpc = s.LPC(order=ORDER, sampleRate=RATE)
        source.data >> window.frame
        source.data >> crossings.signal
        window.frame >> spectrum.frame
        window.frame >> lpc.frame
        for algorithm in (mfcc.spectrum, centroid.array, moments.array):
            spectrum.spectrum >> algorithm
        moments.centralMoments >> shape.centralMoments
        mfcc.bands >> None
        mfcc.mfcc >> (pool, "mfcc")
        crossings.zeroCrossingRate >> (pool, "crossings")
        centroid.centroid >> (pool, "centroid")
        shape.spread >> (pool, "spread")
        shape.skewness >> None
        shape.kurtosis >> None
        lpc.lpc >> (pool, "lpc")
        lpc.reflection >> (pool, "reflection")
        for i, percent in enumerate(PERCENTS):
            rolloff = s.RollOff(cutoff=percent, sampleRate=RATE)
            spectrum.spectrum >> rolloff.spectrum
            rolloff.rollOff >> (pool, f"rolloff.{i:02}")
        e.run(source)
        scalars = [pool[name] for name in ("crossings", "centroid", "spread")]
        rolloffs = [pool[f"rolloff.{i:02}"] for i in range(ROLLOFFS)]
        error = np.prod(1 - pool["reflection"] ** 2, axis=1)
        return texture(np.column_stack([pool["mfcc"], *scalars, *rolloffs, error]))


class Numpy:
    """Everything over all frames at once, f32 but for the predictor."""

    def __init__(self):
        self.window = scipy.signal.get_window("hann", FRAME).astype("f4")
        self.bank = filterbank().T.copy()
        f = np.arange(FRAME // 2 + 1) * RATE / FRAME
        self.powers = np.column_stack([np.ones_like(f), f, f * f])
        self.basis = scipy.fft.dct(np.eye(40), type=2, norm="ortho", axis=0).T.astype("f4")

    def __call__(self, clip):
        raw = np.lib.stride_tricks.sliding_window_view(clip, FRAME)[::HOP]
        frames = raw * self.window
        S = np.abs(scipy.fft.rfft(frames, axis=1))
        mfcc = np.log10(np.maximum(S @ self.bank, 1e-10)) @ self.basis
        sign = clip < 0
        changes = np.concatenate([[0], np.cumsum(sign[1:] != sign[:-1])])
        starts = np.arange(len(raw)) * HOP
        crossings = changes[starts + FRAME - 1] - changes[starts]
        total, first, second = (S @ self.powers).T
        centroid = first / total
        spread = np.sqrt(np.maximum(second / total - centroid**2, 0))
        cumulative = np.cumsum(S, axis=1)
        rolloffs = [
            np.searchsorted(row, row[-1] * np.array(PERCENTS)) for row in cumulative
        ]
        rows = [mfcc, crossings, centroid, spread, np.array(rolloffs), self.predictor_error(frames)]
        return texture(np.column_stack(rows))

    @staticmethod
    def predictor_error(frames):
        size = scipy.fft.next_fast_len(FRAME + ORDER, real=True)
        spectrum = scipy.fft.rfft(frames.astype("f8"), size, axis=1)
        r = scipy.fft.irfft(spectrum.real**2 + spectrum.imag**2, size, axis=1)[:, : ORDER + 1].T.copy()
        error, a = r[0].copy(), np.zeros_like(r)
        for order in range(1, ORDER + 1):
            k = -(r[order] + np.einsum("jn,jn->n", a[1:order], r[order - 1 : 0 : -1])) / error
            a[1:order] += k * a[order - 1 : 0 : -1]
            a[order] = k
            error *= 1 - k * k
        return error / FRAME


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--clip", help="audio file instead of the synthetic clip")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    clip = synthetic_clip()
    if arguments.clip:
        import librosa

        clip, _ = librosa.load(arguments.clip, sr=RATE, mono=True, duration=30)
    peers = {
        "librosa, shared transform": (Librosa(), 150),
        "Essentia, streaming": (Essentia(), 23),
        "numpy, vectorized": (Numpy(), 9),
    }
    program = built("time_adabffs", "trompe-features")
    with tempfile.NamedTemporaryFile(suffix=".f32") as file:
        clip.astype("<f4").tofile(file.name)
        for peer, _ in peers.values():
            assert peer(clip).shape == (len(clip) // HOP // TEXTURE, 120)  # and warm

        def timed(peer):
            start = time.process_time()
            peer(clip)
            return 1e3 * (time.process_time() - start)

        def ours():
            # Starting, reading and the first run cancel out.
            return (cpu_ms([program, file.name, 61]) - cpu_ms([program, file.name, 1])) / 60

        contenders = {name: lambda peer=peer: timed(peer) for name, (peer, _) in peers.items()}
        medians = interleaved({**contenders, "trompe": ours}, arguments.repeats)
    report([
        Row("AdaBFFs features, 30-s clip", name, medians["trompe"], medians[name], goal=goal)
        for name, (_, goal) in peers.items()
    ])


if __name__ == "__main__":
    main()
