"""Feature sets as transformers."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone

import trompe

CLIPS = [
    np.random.default_rng(number).uniform(-0.5, 0.5, 22_050 * 4 + number).astype(np.float32)
    for number in range(5)
]


@pytest.mark.parametrize("kind", [trompe.AdaBFFs, trompe.Modulations])
def test_a_set_is_a_transformer(kind: Any) -> None:
    features = kind()
    first = features.fit_transform(CLIPS)
    assert first.dtype == np.float32 and first.shape == (5, len(features.get_feature_names_out()))
    # Threads, forms of arrays and copies of the transformer change no number.
    for other in [
        kind(n_jobs=-1),
        kind(n_jobs=2),
        clone(features),
        pickle.loads(pickle.dumps(features)),
    ]:
        np.testing.assert_array_equal(other.fit(CLIPS).transform(CLIPS), first)
    np.testing.assert_array_equal(
        features.transform([c[: 22_050 * 4][::1] for c in CLIPS[:1]]), first[:1]
    )
    np.testing.assert_array_equal(features.transform([c.astype(np.float64) for c in CLIPS]), first)
    assert features.set_params(n_jobs=1).get_params()["n_jobs"] == 1
    assert features.transform([]).shape == (0, first.shape[1])
    bags = kind(aggregate=None).fit_transform(CLIPS)
    np.testing.assert_allclose([bag.mean(axis=0) for bag in bags], first, rtol=1e-5, atol=1e-6)


def test_settings_are_checked_without_a_fit_too() -> None:
    np.testing.assert_array_equal(
        trompe.AdaBFFs().transform(CLIPS[:1]), trompe.AdaBFFs().fit(CLIPS).transform(CLIPS[:1])
    )
    with pytest.raises(ValueError, match="aggregate"):
        trompe.AdaBFFs(aggregate="median").transform(CLIPS)  # type: ignore[arg-type]


def test_files_and_arrays_give_the_same() -> None:
    clips = trompe.corpus("synthetic", clips_per_class=2)[:3]
    features = trompe.AdaBFFs(n_jobs=-1).fit(clips)
    np.testing.assert_array_equal(features.transform(clips), features.transform(clips.paths))


@pytest.mark.parametrize(
    ("clips", "message"),
    [
        ([CLIPS[0], np.zeros(100)], r"X\[1\]: .*short"),
        ([np.full(22_050 * 4, np.nan)], r"X\[0\]: NaN at place 0"),
        ([np.zeros((2, 22_050))], r"X\[0\]: .*mono"),
        ([np.array(["a"])], r"X\[0\]"),
        ("song.mp3", "list of paths"),
    ],
)
def test_clips_that_cannot_be_used_are_named(clips: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        trompe.AdaBFFs().fit(CLIPS).transform(clips)


def test_a_missing_file_is_an_os_error() -> None:
    with pytest.raises(FileNotFoundError, match="nothing.wav"):
        trompe.AdaBFFs().fit(CLIPS).transform([Path("nothing.wav")])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sample_rate": 100}, "sample_rate"),
        ({"frame": 1_000}, "frame"),
        ({"aggregate": "median"}, "aggregate"),
        ({"n_jobs": 0}, "n_jobs"),
    ],
)
def test_settings_out_of_range_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        trompe.AdaBFFs(**options).fit(CLIPS)
