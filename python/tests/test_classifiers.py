"""Classifiers as scikit-learn estimators."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.model_selection import cross_val_score
from sklearn.utils.estimator_checks import parametrize_with_checks

import trompe
from conftest import command

RNG = np.random.default_rng(1)
Y = np.arange(150) % 3
#: Three clouds in 12 dimensions.
X = RNG.normal(size=(150, 12)) + 4 * RNG.normal(size=(3, 12))[Y]
NAMES = np.array(["jazz", "polka", "techno"])[Y]


def expected_failures(estimator: Any) -> dict[str, str]:
    """Checks that an estimator cannot pass by its nature."""
    if isinstance(estimator, trompe.AdaBoostMH):
        return {}
    why = "samples that are multiples of each other, here of one or two features, share every code"
    return dict.fromkeys(
        [
            "check_positive_only_tag_during_fit",
            "check_classifier_data_not_an_array",
            "check_fit2d_1feature",
        ],
        why,
    )


@parametrize_with_checks(  # type: ignore[untyped-decorator]
    [trompe.AdaBoostMH(rounds=50), trompe.SparseRepresentation(normalization="standardize")],
    expected_failed_checks=expected_failures,
)
def test_estimators_keep_the_rules_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize("kind", [trompe.AdaBoostMH(rounds=60), trompe.SparseRepresentation()])
def test_a_classifier_fits_predicts_and_is_kept(kind: Any, tmp_path: Path) -> None:
    fitted = kind.fit(X[::2], NAMES[::2])
    assert fitted.classes_.tolist() == ["jazz", "polka", "techno"]
    assert fitted.score(X[1::2], NAMES[1::2]) > 0.85
    odds = fitted.log_odds(X)
    assert odds.shape == (150, 3)
    np.testing.assert_allclose(fitted.posteriors(X), 1 / (1 + np.exp(-odds)), rtol=1e-12)
    shares = fitted.predict_proba(X)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    np.testing.assert_array_equal(shares.argmax(axis=1), odds.argmax(axis=1))
    joblib.dump(fitted, tmp_path / "fitted.joblib")
    for copy in [pickle.loads(pickle.dumps(fitted)), joblib.load(tmp_path / "fitted.joblib")]:
        np.testing.assert_array_equal(copy.log_odds(X), odds)
        assert copy.get_params() == fitted.get_params()
    assert cross_val_score(kind, X, Y, cv=3).mean() > 0.85


def test_samples_may_have_several_vectors() -> None:
    bags = [np.stack([row, row]) for row in X]
    of_bags = trompe.AdaBoostMH(rounds=40).fit(bags, NAMES)
    assert of_bags.score(bags, NAMES) > 0.9
    assert of_bags.predict(bags).shape == (150,)
    # The mean of equal votes is the vote.
    np.testing.assert_allclose(of_bags.log_odds(bags), of_bags.log_odds(X), rtol=1e-12)
    with pytest.raises(ValueError, match="sample 1 has no vector"):
        of_bags.predict([bags[0], np.zeros((0, 12))])


def test_a_classifier_of_sound_becomes_a_models_file(tmp_path: Path) -> None:
    clips = trompe.corpus("synthetic", clips_per_class=3)
    features = trompe.AdaBFFs(aggregate=None, n_jobs=-1)
    bags = features.fit_transform(clips)
    fitted = trompe.AdaBoostMH(rounds=40).fit(bags, clips.labels, features=features)
    path = tmp_path / "model.safetensors"
    fitted.save(path)
    of = trompe.load(path)
    assert of.audio == 22_050 and of.classes == clips.classes
    np.testing.assert_allclose(of.log_odds([clips[0]])[0], fitted.log_odds(bags[:1])[0], rtol=1e-12)
    done = command(
        "fool",
        path,
        *["--bank", "synthetic-loops", "--budget", "20", "--seconds", "4"],
        "--threshold",
        "0.6",
        "--out",
        tmp_path / "run",
    )
    assert done.returncode == 0, done.stderr
    other = tmp_path / "other.safetensors"
    trompe.AdaBoostMH(rounds=5).fit(X, NAMES).save(other)
    with pytest.raises(ValueError, match="elsewhere"):
        trompe.fool(other, bank="synthetic-loops", budget=20)
    with pytest.raises(ValueError, match="12 columns, the feature set has 120"):
        trompe.AdaBoostMH(rounds=5).fit(X, NAMES, features=features)


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (trompe.AdaBoostMH(rounds=0), "rounds"),
        (trompe.AdaBoostMH(learner="tree"), "learner|variant"),  # type: ignore[arg-type]
        (trompe.SparseRepresentation(epsilon=0.0), "epsilon"),
        (trompe.SparseRepresentation(iterations=0), "iterations"),
    ],
)
def test_parameters_out_of_range_are_named(estimator: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        estimator.fit(X, NAMES)
