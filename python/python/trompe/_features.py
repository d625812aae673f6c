"""Feature sets as scikit-learn transformers."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin

from trompe import _trompe

Clips = Sequence[Any] | npt.NDArray[Any]


def threads_of(n_jobs: int | None) -> int:
    """Threads for ``n_jobs`` as joblib counts them; 0 for all."""
    if n_jobs is None:
        return 1
    if n_jobs == 0:
        raise ValueError("n_jobs: 0 is no number of threads; -1 takes all")
    return n_jobs if n_jobs > 0 else max(1, (os.cpu_count() or 1) + 1 + n_jobs)


class SoundTransformer(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """What all transformers of sound have in common."""

    aggregate: Literal["mean"] | None
    n_jobs: int | None

    def _rows(self, X: Clips, threads: int) -> list[npt.NDArray[np.float32]]:
        """Return the rows of every clip."""
        raise NotImplementedError

    def _names(self) -> list[str]:
        """Names of the columns; also checks the settings."""
        raise NotImplementedError

    def _check(self) -> None:
        if self.aggregate not in {"mean", None}:
            raise ValueError(f"aggregate: {self.aggregate!r} is neither 'mean' nor None")
        threads_of(self.n_jobs)

    def fit(self, X: Clips, y: Any = None) -> Any:
        """Check the settings; nothing is learned.

        Parameters
        ----------
        X : sequence of arrays or paths
        y : ignored

        Returns
        -------
        self
        """
        self._check()
        self._names()
        return self

    def transform(self, X: Clips) -> Any:
        """Compute the features of clips.

        Parameters
        ----------
        X : sequence of arrays or paths
            Mono sound at the sample rate of the settings, which may differ in length, or audio files,
            which are resampled.

        Returns
        -------
        array of shape (clips, features), or list of arrays of shape (rows, features)
            The mean of each clip's rows, or with ``aggregate=None`` all of them.
        """
        self._check()
        if isinstance(X, (str, bytes, os.PathLike)):
            raise ValueError("X: one path; give a list of paths")
        clips = self._rows(X, threads_of(self.n_jobs))
        if self.aggregate is None:
            return clips
        if not clips:
            return np.zeros((0, len(self._names())), dtype=np.float32)
        return np.stack([rows.mean(axis=0, dtype=np.float64) for rows in clips]).astype(np.float32)

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Names of the features.

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        array of str
        """
        return np.asarray(self._names(), dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.two_d_array = False
        tags.no_validation = True
        return tags


class _FeatureSet(SoundTransformer):
    """A feature set that model files can name."""

    def _settings(self) -> dict[str, Any]:
        raise NotImplementedError

    def settings_json(self) -> str:
        """Return the settings as model files have them."""
        return json.dumps(self._settings())

    def _rows(self, X: Clips, threads: int) -> list[npt.NDArray[np.float32]]:
        return _trompe.extract(self.settings_json(), X, threads)

    def _names(self) -> list[str]:
        return _trompe.feature_names(self.settings_json())


class AdaBFFs(_FeatureSet):
    """Bags of frames of features: means and variances of 60 features over 3 s (Bergstra et al. 2006).

    Forty cepstral coefficients, zero crossings, spectral centroid, spread, 16 roll-offs and the error of
    a linear predictor of each frame; means and variances over disjoint texture windows.

    Parameters
    ----------
    sample_rate : int
        Of the arrays given, in hertz.
    frame, hop : int
        Samples of a frame, and from one to the next.
    texture : int
        Frames of a texture window.
    aggregate : {"mean", None}
        One vector a clip, the mean of its vectors, or all vectors.
    n_jobs : int, optional
        Threads; -1 takes all. The numbers do not depend on it.

    Examples
    --------
    >>> import numpy as np, trompe
    >>> clips = np.random.default_rng(1).uniform(-0.5, 0.5, (2, 4 * 22_050)).astype("float32")
    >>> trompe.AdaBFFs().fit_transform(clips).shape
    (2, 120)
    >>> [rows.shape for rows in trompe.AdaBFFs(aggregate=None).fit_transform(clips)]
    [(1, 120), (1, 120)]
    """

    def __init__(
        self,
        sample_rate: int = 22_050,
        frame: int = 1_024,
        hop: int = 512,
        texture: int = 130,
        aggregate: Literal["mean"] | None = "mean",
        n_jobs: int | None = None,
    ) -> None:
        self.sample_rate = sample_rate
        self.frame = frame
        self.hop = hop
        self.texture = texture
        self.aggregate = aggregate
        self.n_jobs = n_jobs

    def _settings(self) -> dict[str, Any]:
        return {
            "set": "adabffs",
            "sample_rate": self.sample_rate,
            "frame": self.frame,
            "hop": self.hop,
            "texture": self.texture,
        }


class Modulations(_FeatureSet):
    """Auditory temporal modulations: 96 channels by rates of 2 Hz to 256 Hz (Panagakis et al. 2009).

    Parameters
    ----------
    sample_rate : int
        Of the arrays given, in hertz.
    front_end : {"gammatone", "constant-q"}
        Filters that make the channels.
    lowest : float
        Centre of the lowest channel in hertz.
    q, rate_q : float
        Centre over bandwidth of constant-Q filters, and of modulation filters.
    measure : {"energy", "magnitude"}
        Mean square of a modulation, or its root.
    log : bool
        Whether the common logarithm is taken.
    aggregate : {"mean", None}
        A clip has one vector: as an array (clips, features), or as a list.
    n_jobs : int, optional
        Threads; -1 takes all. The numbers do not depend on it.

    Examples
    --------
    >>> import numpy as np, trompe
    >>> clips = np.random.default_rng(1).uniform(-0.5, 0.5, (1, 4 * 22_050)).astype("float32")
    >>> trompe.Modulations().fit_transform(clips).shape
    (1, 768)
    """

    def __init__(
        self,
        sample_rate: int = 22_050,
        front_end: str = "gammatone",
        lowest: float = 180.0,
        q: float = 4.0,
        rate_q: float = 2.0,
        measure: Literal["energy", "magnitude"] = "energy",
        log: bool = False,
        aggregate: Literal["mean"] | None = "mean",
        n_jobs: int | None = None,
    ) -> None:
        self.sample_rate = sample_rate
        self.front_end = front_end
        self.lowest = lowest
        self.q = q
        self.rate_q = rate_q
        self.measure = measure
        self.log = log
        self.aggregate = aggregate
        self.n_jobs = n_jobs

    def _settings(self) -> dict[str, Any]:
        return {
            "set": "modulations",
            "sample_rate": self.sample_rate,
            "front_end": self.front_end,
            "lowest": self.lowest,
            "q": self.q,
            "rate_q": self.rate_q,
            "measure": self.measure,
            "log": self.log,
        }
