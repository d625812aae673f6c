"""Classifiers of the library as scikit-learn estimators."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import assert_all_finite, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from trompe import _trompe
from trompe._features import AdaBFFs, Modulations
from trompe._victim import posteriors


def _is_bag(X: Any) -> bool:
    """Whether every sample is an array of vectors of its own."""
    return isinstance(X, (list, tuple)) and len(X) > 0 and all(np.ndim(rows) == 2 for rows in X)


class _Classifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """What the classifiers have in common."""

    _kind: str

    def _params(self) -> dict[str, Any]:
        raise NotImplementedError

    def _rows(self, X: Any, *, reset: bool) -> tuple[npt.NDArray[np.float32], list[int]]:
        """Feature vectors, and how many each sample has."""
        bags = _is_bag(X)
        counts = [len(rows) for rows in X] if bags else []
        if 0 in counts:
            raise ValueError(f"X: sample {counts.index(0)} has no vector")
        table = validate_data(self, np.concatenate(X) if bags else X, reset=reset, dtype=np.float64)
        limit = np.finfo(np.float32).max
        if np.abs(table).max(initial=0.0) > limit:
            raise ValueError(f"X: numbers above {limit:.3g}, which is infinity in 32 bits")
        return table.astype(np.float32), counts or [1] * len(table)

    def fit(
        self,
        X: Any,
        y: npt.ArrayLike,
        *,
        features: AdaBFFs | Modulations | None = None,
    ) -> Any:
        """Fit.

        Parameters
        ----------
        X : array of shape (samples, features), or list of arrays of shape (vectors, features)
            One vector a sample, or several. They are used as 32-bit numbers.
        y : array of shape (samples,)
            Class of each sample.
        features : transformer, optional
            What X was computed by from sound. With it, `save` writes a model that judges sound.

        Returns
        -------
        self
        """
        vectors, counts = self._rows(X, reset=True)
        if y is None:
            raise ValueError("fit requires y to be passed, but the target y is None")
        labels = column_or_1d(y, warn=True)
        assert_all_finite(labels, input_name="y")
        check_classification_targets(labels)
        if len(labels) != len(counts):
            raise ValueError(
                f"inconsistent lengths: {len(counts)} samples in X, {len(labels)} in y"
            )
        self.classes_, numbers = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"y has {len(self.classes_)} class, the classifier needs at least two classes"
            )
        if features is not None and not hasattr(features, "settings_json"):
            kind = type(features).__name__
            raise ValueError(
                f"features: no model's file names a {kind}; give AdaBFFs or Modulations"
            )
        self._model = _trompe.Classifier.fit(
            self._kind,
            json.dumps(self._params()),
            vectors,
            counts,
            numbers.tolist(),
            _names(self.classes_),
            None if features is None else features.settings_json(),
        )
        self.fitted_ = True
        return self

    def log_odds(self, X: Any) -> npt.NDArray[np.float64]:
        """Log-odds, of shape (samples, classes).

        Parameters
        ----------
        X : as for `fit`

        Returns
        -------
        array
        """
        check_is_fitted(self, "fitted_")
        vectors, counts = self._rows(X, reset=False)
        return self._model.log_odds(vectors, counts)

    def decision_function(self, X: Any) -> npt.NDArray[np.float64]:
        """Log-odds, as scikit-learn wants them: of two classes those of the second less the first.

        Parameters
        ----------
        X : as for `fit`

        Returns
        -------
        array
        """
        scores = self.log_odds(X)
        return scores if len(self.classes_) > 2 else scores[:, 1] - scores[:, 0]

    def posteriors(self, X: Any) -> npt.NDArray[np.float64]:
        """Posteriors by the published formula, one a class: they need not add up to 1.

        Parameters
        ----------
        X : as for `fit`

        Returns
        -------
        array of shape (samples, classes)
        """
        return posteriors(self.log_odds(X))

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Posteriors divided by their sum.

        Parameters
        ----------
        X : as for `fit`

        Returns
        -------
        array of shape (samples, classes)
        """
        scores = self.log_odds(X)
        logs = -np.logaddexp(0.0, -scores)
        shares = np.exp(logs - logs.max(axis=1, keepdims=True))
        result: npt.NDArray[np.float64] = shares / shares.sum(axis=1, keepdims=True)
        return result

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Class of the highest log-odds; of the first where several are equal.

        Parameters
        ----------
        X : as for `fit`

        Returns
        -------
        array of shape (samples,)
        """
        scores = self.log_odds(X)
        labels: npt.NDArray[Any] = self.classes_[scores.argmax(axis=1)]
        return labels

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a model's file, which `trompe.load` and the command read.

        Parameters
        ----------
        path : path
            A file in it is replaced, whole or not at all. It judges sound if `fit` was told
            `features`.
        """
        check_is_fitted(self, "fitted_")
        self._model.save(os.fspath(path))

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__().copy()
        model = state.pop("_model", None)
        if model is not None:
            state["_bytes"] = model.to_bytes()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        content = state.pop("_bytes", None)
        super().__setstate__(state)
        if content is not None:
            with tempfile.TemporaryDirectory(prefix="trompe-") as folder:
                file = Path(folder) / "model.safetensors"
                file.write_bytes(content)
                self._model = _trompe.Classifier.of_file(os.fspath(file))


def _names(classes: Sequence[object] | npt.NDArray[Any]) -> list[str]:
    names = [str(name) for name in classes]
    # Different objects may look alike; their places do not.
    return names if len(set(names)) == len(names) else [str(n) for n in range(len(names))]


class AdaBoostMH(_Classifier):
    """AdaBoost.MH (Schapire & Singer 1999), as in Sturm's first system.

    Parameters
    ----------
    rounds : int
        Rounds of boosting.
    learner : {"stump", "two-node-tree"}
        What is boosted.
    votes : {"raw", "normalized"}
        Whether a vote is divided by the sum of weights.
    aggregation : {"mean", "sum"}
        How the votes of a sample's vectors become one.

    Examples
    --------
    >>> import trompe
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> bool(trompe.AdaBoostMH(rounds=50).fit(X, y).score(X, y) > 0.95)
    True
    """

    _kind = "adaboost-mh"

    def __init__(
        self,
        rounds: int = 4_000,
        learner: Literal["stump", "two-node-tree"] = "stump",
        votes: Literal["raw", "normalized"] = "raw",
        aggregation: Literal["mean", "sum"] = "mean",
    ) -> None:
        self.rounds = rounds
        self.learner = learner
        self.votes = votes
        self.aggregation = aggregation

    def _params(self) -> dict[str, Any]:
        return {
            "rounds": self.rounds,
            "learner": self.learner,
            "votes": self.votes,
            "aggregation": self.aggregation,
        }


class SparseRepresentation(_Classifier):
    """Sparse representation classification (Wright et al. 2009), as in Sturm's second system.

    A sample is coded by the training samples, with the least sum of weights that comes as near as
    `epsilon`; the class whose part of the code comes nearest is its label.

    Parameters
    ----------
    epsilon : float
        How far the code may miss the sample.
    unit_norm : bool
        Whether samples are scaled to length 1.
    normalization : {"min-max", "standardize"}
        How features are brought to one scale.
    iterations : int, optional
        Most iterations of SPGL1; None follows the LASSO path exactly.

    Examples
    --------
    >>> import trompe
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> trompe.SparseRepresentation().fit(X[::2], y[::2]).predict(X[1:4]).shape
    (3,)
    """

    _kind = "sparse-representation"

    def __init__(
        self,
        epsilon: float = 0.1,
        unit_norm: bool = True,
        normalization: Literal["min-max", "standardize"] = "min-max",
        iterations: int | None = None,
    ) -> None:
        self.epsilon = epsilon
        self.unit_norm = unit_norm
        self.normalization = normalization
        self.iterations = iterations

    def _params(self) -> dict[str, Any]:
        solver: dict[str, Any] = {"name": "homotopy"}
        if self.iterations is not None:
            solver = {"name": "spgl1", "iterations": self.iterations}
        return {
            "normalization": self.normalization,
            "unit-norm": self.unit_norm,
            "epsilon": self.epsilon,
            "solver": solver,
        }
