"""Victims of other packages."""

from __future__ import annotations

import sys
import types
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import trompe
from conftest import SHORT, brightness


def test_an_estimator_of_pixels() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (60, 64))
    pixels[30:] = pixels[30:] // 2 + 128
    bright = np.repeat([0, 1], 30)
    model = LogisticRegression(max_iter=1000).fit(pixels / 255, bright)
    of = trompe.from_sklearn(model, image=(8, 8, 1), scale=1 / 255, fingerprint="1")
    assert of.classes == ["0", "1"]
    expected = model.predict_proba(pixels / 255)
    np.testing.assert_allclose(of.posteriors(pixels.reshape(-1, 8, 8, 1)), expected, rtol=1e-9)
    run = trompe.fool(of, threshold=0.9, **SHORT)
    assert run.verify(of)["passed"] and len(run) > 0


def test_an_estimator_on_the_packages_own_features() -> None:
    """The callable computes features by the package while the package waits for it."""
    rng = np.random.default_rng(1)
    noise = [rng.uniform(-0.5, 0.5, 22_050 * 4).astype(np.float32) for _ in range(6)]
    time = np.arange(22_050 * 4) / 22_050
    tones = [(0.5 * np.sin(2 * np.pi * f * time)).astype(np.float32) for f in range(200, 800, 100)]
    features = trompe.AdaBFFs(n_jobs=-1)
    model = make_pipeline(features, StandardScaler(), LogisticRegression())
    model.fit([*noise, *tones], ["noise"] * 6 + ["tone"] * 6)
    of = trompe.from_sklearn(model, audio=22_050, fingerprint="pipeline", seconds=4.0)
    run = trompe.fool(
        of, bank="synthetic-loops", threshold=0.7, budget=40, exhibits=1, random_candidates=4
    )
    assert run.verify(of)["passed"]
    # Features beside the estimator give the same as features in it.
    rest = make_pipeline(*[step for _, step in model.steps[1:]])
    apart = trompe.from_sklearn(rest, audio=22_050, features=model[0])
    np.testing.assert_allclose(apart.log_odds(noise[:2]), of.log_odds(noise[:2]), rtol=1e-9)


def test_an_estimator_without_probabilities_is_refused() -> None:
    with pytest.raises(TypeError, match="predict_proba"):
        trompe.from_sklearn(StandardScaler(), image=(8, 8, 1))


class BlackBox:
    """What counts of ART's classifiers."""

    nb_classes = 2
    clip_values = (0.0, 1.0)

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.input_shape = shape
        self.seen: tuple[int, ...] = ()
        self.peak = 0.0

    def predict(self, values: Any) -> Any:
        self.seen, self.peak = values.shape[1:], max(self.peak, float(values.max()))
        bright = 1 / (1 + np.exp(-brightness(values.reshape(len(values), -1) * 255)[:, 1]))
        return np.stack([1 - bright, bright], axis=1)


@pytest.mark.parametrize("shape", [(8, 8, 1), (1, 8, 8)])
def test_a_classifier_of_art(shape: tuple[int, ...]) -> None:
    box = BlackBox(shape)
    of = trompe.from_art(box, classes=["dark", "bright"], fingerprint="1")
    assert of.image == (8, 8, 1)
    white = np.full((1, 8, 8, 1), 255, dtype=np.uint8)
    assert of.predict(white)[0] == "bright"
    assert box.seen == shape and box.peak == pytest.approx(1)
    run = trompe.fool(of, threshold=0.99, **SHORT)
    assert run.verify(of)["passed"]


def test_a_model_of_keras() -> None:
    class Model:
        def predict_on_batch(self, values: Any) -> Any:
            assert values.dtype == np.float32 and values.max() <= 1
            bright = 1 / (1 + np.exp(-brightness(values * 255)[:, 1]))
            return np.stack([1 - bright, bright], axis=1)

    of = trompe.from_keras(Model(), classes=["dark", "bright"], image=(8, 8, 1), fingerprint="1")
    assert trompe.fool(of, **SHORT).verify(of)["passed"]


def test_other_packages_are_imported_only_when_they_are_used() -> None:
    assert not {"torch", "keras", "art"} & sys.modules.keys()


def test_a_module_of_torch() -> None:
    torch: types.ModuleType = pytest.importorskip("torch")
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 2)).eval()
    of = trompe.from_torch(net, classes=["a", "b"], image=(8, 8, 1), fingerprint="1")
    run = trompe.fool(of, emitter="gradient-ascent", threshold=0.6, **SHORT)
    assert run.verify(of)["passed"]
