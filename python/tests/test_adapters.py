"""Victims of other packages."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import types
import warnings
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


def test_a_classifier_of_the_real_art() -> None:
    pytest.importorskip("art", reason="the Adversarial Robustness Toolbox is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from art.estimators.classification import BlackBoxClassifier

    box = BlackBox((8, 8, 1))
    real = BlackBoxClassifier(box.predict, (8, 8, 1), 2, clip_values=(0.0, 1.0))
    of = trompe.from_art(real, classes=["dark", "bright"], fingerprint="1")
    same = trompe.from_art(box, classes=["dark", "bright"], fingerprint="1")
    images = np.random.default_rng(1).integers(0, 256, (9, 8, 8, 1), dtype=np.uint8)
    np.testing.assert_array_equal(of.log_odds(images), same.log_odds(images))
    run = trompe.fool(of, threshold=0.99, **SHORT)
    assert len(run) > 0 and run.verify(of)["passed"]


#: In a process of its own, because a backend is chosen once.
KERAS = """
import numpy as np, keras, trompe
keras.utils.set_random_seed(1)
model = keras.Sequential([
    keras.Input((8, 8, 1)),
    keras.layers.Flatten(),
    keras.layers.Dense(2, activation="softmax"),
])
of = trompe.from_keras(model, classes=["a", "b"], image=(8, 8, 1), fingerprint="1")
images = np.random.default_rng(1).integers(0, 256, (9, 8, 8, 1), dtype=np.uint8)
kernel, bias = (np.asarray(weights, dtype=np.float64) for weights in model.get_weights())
logits = images.reshape(9, 64) / 255 @ kernel + bias
shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
np.testing.assert_allclose(of.posteriors(images), shares, atol=1e-5)
run = trompe.fool(of, threshold=0.6, budget=400, exhibits=2, random_candidates=20)
print(len(run), run.verify(of)["passed"])
"""


def test_a_model_of_the_real_keras() -> None:
    found = [name for name in ("jax", "torch", "tensorflow") if importlib.util.find_spec(name)]
    if importlib.util.find_spec("keras") is None or not found:
        pytest.skip("Keras is not installed, or has no backend")
    done = subprocess.run(
        [sys.executable, "-c", KERAS],
        env=os.environ | {"KERAS_BACKEND": found[0]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    exhibits, passed = done.stdout.split()[-2:]
    assert int(exhibits) > 0 and passed == "True"


def test_other_packages_are_imported_only_when_they_are_used() -> None:
    code = (
        "import sys, trompe\nfor name in trompe.__all__: getattr(trompe, name)\n"
        "print(sorted({'torch', 'keras', 'art', 'onnxruntime'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_module_of_torch() -> None:
    torch: types.ModuleType = pytest.importorskip("torch")
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 2)).eval()
    of = trompe.from_torch(net, classes=["a", "b"], image=(8, 8, 1), fingerprint="1")
    run = trompe.fool(of, emitter="gradient-ascent", threshold=0.6, **SHORT)
    assert run.verify(of)["passed"]
