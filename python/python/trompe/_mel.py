"""Mel spectrograms as nets of sound take them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from trompe import _trompe
from trompe._features import Clips, SoundTransformer

Preset = Literal["musicnn", "vggish", "yamnet", "panns", "ast", "clap"]


class MelSpectrogram(SoundTransformer):
    """Mel spectrograms, by the front end of a published net or by settings of your own.

    Frames, windows, mel scale, logarithm and patches differ from net to net. A preset has them all, and
    is checked against the programs that the nets came with. The settings are the keys of the table
    ``[audio]`` that describes an ONNX net of sound (docs/victims.md).

    Parameters
    ----------
    preset : {"musicnn", "vggish", "yamnet", "panns", "ast", "clap"} or dict
        The front end of a net, or settings. A dict with a ``"preset"`` changes what it names of that
        one; a dict without it has every required setting, and ``"rate"``, the sample rate in hertz.
    patches : bool
        Whether each clip becomes the patches that the net takes, an array whose first axis counts
        them, or its spectrogram, an array (frames, bands).
    aggregate : {"mean", None}
        One vector a clip, the mean of its frames, or all of it.
    n_jobs : int, optional
        Threads; -1 takes all. The numbers do not depend on it.

    Examples
    --------
    >>> import numpy as np, trompe
    >>> clips = np.random.default_rng(1).uniform(-0.5, 0.5, (2, 10 * 16_000)).astype("float32")
    >>> [rows.shape for rows in trompe.MelSpectrogram("musicnn").fit_transform(clips)]
    [(626, 96), (626, 96)]
    >>> trompe.MelSpectrogram("musicnn", patches=True).fit_transform(clips)[0].shape
    (3, 187, 96)
    >>> narrow = {"preset": "musicnn", "mel": {"bands": 48}}
    >>> trompe.MelSpectrogram(narrow, aggregate="mean").fit_transform(clips).shape
    (2, 48)
    """

    def __init__(
        self,
        preset: Preset | Mapping[str, Any] = "musicnn",
        patches: bool = False,
        aggregate: Literal["mean"] | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.preset = preset
        self.patches = patches
        self.aggregate = aggregate
        self.n_jobs = n_jobs

    @property
    def sample_rate(self) -> int:
        """Of the arrays given, in hertz."""
        return self._settings()[1]

    def _settings(self) -> tuple[dict[str, Any], int]:
        """Return the settings as the library has them, and the sample rate."""
        if isinstance(self.preset, str):
            own: dict[str, Any] = {"preset": self.preset}
        elif isinstance(self.preset, Mapping):
            own = dict(self.preset)
        else:
            raise ValueError(f"preset: {self.preset!r} is neither a name nor a dict of settings")
        rate = own.pop("rate", None)
        name = own.pop("preset", None)
        if name is not None:
            if not isinstance(name, str):
                raise ValueError(f"preset: {name!r} is not the name of a preset")
            text, of_preset = _trompe.mel_preset(name)
            own = _over(json.loads(text), own)
            rate = of_preset if rate is None else rate
        if rate is None:
            raise ValueError("preset: rate is missing: give the sample rate in hertz, or a preset")
        if (
            isinstance(rate, bool)
            or not isinstance(rate, (int, np.integer))
            or not 0 < rate < 2**32
        ):
            raise ValueError(f"preset: rate {rate!r} is no sample rate in hertz")
        if not self.patches:
            own.setdefault("patch", 1)
        return own, int(rate)

    def _check(self) -> None:
        super()._check()
        if self.patches and self.aggregate is not None:
            raise ValueError(
                "aggregate: patches have no mean; give patches=False or aggregate=None"
            )

    def _names(self) -> list[str]:
        settings, rate = self._settings()
        _trompe.check_mel(_json(settings), rate)
        return [f"mel_{band}" for band in range(settings["mel"]["bands"])]

    def _rows(self, X: Clips, threads: int) -> list[npt.NDArray[np.float32]]:
        settings, rate = self._settings()
        return _trompe.mel_spectrograms(_json(settings), rate, bool(self.patches), X, threads)


def _over(base: dict[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Put `own` over `base`; dicts within are put together likewise."""
    merged = dict(base)
    for key, value in own.items():
        inner = merged.get(key)
        if isinstance(inner, dict) and isinstance(value, Mapping):
            merged[key] = _over(inner, value)
        else:
            merged[key] = value
    return merged


def _json(settings: dict[str, Any]) -> str:
    """Write settings as JSON; numbers of numpy count as numbers."""
    try:
        return json.dumps(settings, default=lambda value: value.item())
    except (TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"preset: settings that are no numbers or names: {error}") from error
