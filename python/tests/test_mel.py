"""Mel spectrograms as transformers, against the published programs."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import trompe
from trompe._mel import Preset

FIXTURES = Path(__file__).parents[2] / "features/tests/fixtures"
REFERENCES = json.loads((FIXTURES / "mel.json").read_text())["presets"]
SIGNALS = list(REFERENCES["musicnn"])
SOUNDS = [np.fromfile(FIXTURES / f"{name}.i16", dtype="<i2") / 32_768.0 for name in SIGNALS]
#: What a user writes who knows musicnn's paper and not its preset.
MUSICNN: dict[str, Any] = {
    "rate": 16_000,
    "frame": 512,
    "hop": 256,
    "pad": "zero",
    "mel": {"bands": 96, "scale": "slaney", "norm": "slaney", "high": 8_000},
    "log": {"kind": "log10", "multiply": 10_000, "add": 1},
    "patch": 187,
}


def kept_rows() -> dict[tuple[str, str], Any]:
    """The rows of every spectrogram that the fixtures keep, by preset and signal."""
    numbers = np.fromfile(FIXTURES / "mel.f32", dtype="<f4").astype(np.float64)
    kept, start = {}, 0
    for preset in get_args(Preset):
        bands = REFERENCES[preset][SIGNALS[0]]["patches"][2]
        for signal in SIGNALS:
            size = len(REFERENCES[preset][signal]["rows"]) * bands
            kept[preset, signal] = numbers[start : start + size].reshape(-1, bands)
            start += size
    assert start == len(numbers)
    return kept


def test_the_presets_are_those_of_the_fixtures() -> None:
    assert get_args(Preset) == tuple(REFERENCES)
    with pytest.raises(ValueError, match=f"not one of {', '.join(REFERENCES)}"):
        trompe.MelSpectrogram("wav2vec").fit(SOUNDS)  # type: ignore[arg-type]


@pytest.mark.parametrize("preset", get_args(Preset))
def test_presets_agree_with_the_published_programs(preset: Preset) -> None:
    spectrograms = trompe.MelSpectrogram(preset, n_jobs=-1).fit_transform(SOUNDS)
    patches = trompe.MelSpectrogram(preset, patches=True, n_jobs=-1).fit_transform(SOUNDS)
    kept = kept_rows()
    for signal, rows, of_net in zip(SIGNALS, spectrograms, patches, strict=True):
        reference = REFERENCES[preset][signal]
        slack = 1e-6 * (reference["range"][1] - reference["range"][0])
        assert rows.dtype == np.float32 and len(rows) == reference["frames"]
        np.testing.assert_allclose(
            rows[reference["rows"]], kept[preset, signal], rtol=0, atol=slack
        )
        assert len(of_net) == reference["patches"][0] and of_net.dtype == np.float32
        assert of_net[0].size == reference["patches"][1] * reference["patches"][2]
        means = of_net.reshape(len(of_net), -1).mean(axis=1, dtype=np.float64)
        np.testing.assert_allclose(means, reference["means"], rtol=0, atol=slack)


@pytest.mark.parametrize("options", [{}, {"patches": True}, {"aggregate": "mean"}])
def test_it_is_a_transformer(options: dict[str, Any]) -> None:
    mel = trompe.MelSpectrogram(**options)
    first = mel.fit_transform(SOUNDS)
    assert mel.sample_rate == 16_000
    # Threads, forms of arrays and copies of the transformer change no number.
    for other in [
        trompe.MelSpectrogram(**options, n_jobs=-1),
        trompe.MelSpectrogram(**options, n_jobs=2),
        clone(mel),
        pickle.loads(pickle.dumps(mel)),
    ]:
        again = other.fit(SOUNDS).transform([sound.astype(np.float32) for sound in SOUNDS])
        for left, right in zip(first, again, strict=True):
            np.testing.assert_array_equal(left, right)
    assert mel.set_params(n_jobs=1).get_params()["n_jobs"] == 1
    assert len(mel.transform([])) == 0
    assert mel.get_feature_names_out().tolist() == [f"mel_{band}" for band in range(96)]


def test_the_mean_is_that_of_the_frames() -> None:
    frames = trompe.MelSpectrogram().fit_transform(SOUNDS)
    means = trompe.MelSpectrogram(aggregate="mean").fit_transform(SOUNDS)
    assert means.shape == (len(SOUNDS), 96)
    np.testing.assert_allclose(means, [rows.mean(axis=0) for rows in frames], rtol=1e-4, atol=1e-6)
    model = make_pipeline(trompe.MelSpectrogram(aggregate="mean"), LogisticRegression())
    model.fit(SOUNDS, ["tone"] * 4 + ["other"] * (len(SOUNDS) - 4))
    of = trompe.from_sklearn(model, audio=16_000)
    np.testing.assert_allclose(
        of.posteriors(SOUNDS[:2]), model.predict_proba(SOUNDS[:2]), rtol=1e-6
    )


def test_settings_are_what_a_preset_stands_for() -> None:
    preset = trompe.MelSpectrogram(patches=True).fit_transform(SOUNDS)
    own = trompe.MelSpectrogram(MUSICNN, patches=True).fit_transform(SOUNDS)
    for left, right in zip(preset, own, strict=True):
        np.testing.assert_array_equal(left, right)
    changed = {"preset": "musicnn", "layout": "n1mt", "mel": {"bands": np.int64(32)}}
    turned = trompe.MelSpectrogram(changed, patches=True).fit_transform(SOUNDS)
    assert turned[0].shape == (1, 1, 32, 187)
    # Without patches their length need not be stated, and the rate of a preset may be another.
    short = {key: value for key, value in MUSICNN.items() if key != "patch"} | {"rate": 22_050}
    mel = trompe.MelSpectrogram(short)
    assert mel.fit_transform(SOUNDS)[0].shape == (263, 96) and mel.sample_rate == 22_050
    assert trompe.MelSpectrogram({"preset": "musicnn", "rate": 22_050}).sample_rate == 22_050
    assert MUSICNN["patch"] == 187, "a dict that was given stays as it is"


def test_files_and_arrays_give_the_same() -> None:
    run = trompe.corpus("synthetic", clips_per_class=2)
    paths = run.paths[:2]
    mel = trompe.MelSpectrogram(n_jobs=-1)
    arrays = [trompe.read_sound(path, mel.sample_rate) for path in paths]
    for left, right in zip(mel.fit_transform(paths), mel.fit_transform(arrays), strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"preset": {**MUSICNN, "hopp": 3}}, "settings: .*hopp"),
        ({"preset": {**MUSICNN, "hop": 0}}, "hop = 0"),
        ({"preset": {**MUSICNN, "mel": 96}}, "settings: "),
        ({"preset": {**MUSICNN, "mel": {**MUSICNN["mel"], "high": 9_000}}}, "mel.high"),
        ({"preset": {**MUSICNN, "hop": [np.nan]}}, "settings: "),
        ({"preset": {**MUSICNN, "hop": object()}}, "preset: settings that are no numbers"),
        ({"preset": {**MUSICNN, "rate": None}}, "rate is missing"),
        ({"preset": {**MUSICNN, "rate": 16e3}}, "rate 16000.0"),
        ({"preset": {"preset": 3}}, "3 is not the name"),
        ({"preset": {"rate": 16_000}}, "settings: missing field"),
        ({"preset": 96}, "neither a name nor a dict"),
        ({"patches": True, "aggregate": "mean"}, "aggregate: patches have no mean"),
        ({"aggregate": "max"}, "aggregate"),
        ({"n_jobs": 0}, "n_jobs"),
    ],
)
def test_settings_out_of_range_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        trompe.MelSpectrogram(**options).fit(SOUNDS)


def test_clips_that_cannot_be_used_are_named() -> None:
    mel = trompe.MelSpectrogram(patches=True).fit(SOUNDS)
    with pytest.raises(ValueError, match=r"X\[1\]: .*too short"):
        mel.transform([SOUNDS[0], SOUNDS[0][:1_000]])
    with pytest.raises(ValueError, match=r"X\[0\]: NaN at place 0"):
        mel.transform([np.full(16_000, np.nan)])
    with pytest.raises(FileNotFoundError, match="nothing.wav"):
        mel.transform([Path("nothing.wav")])
    with pytest.raises(ValueError, match="features: no model's file names a MelSpectrogram"):
        trompe.AdaBoostMH(rounds=5).fit(np.eye(6), [0, 1] * 3, features=mel)
