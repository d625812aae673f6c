"""Victims: whatever is being fooled."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from trompe import _trompe

Output = Literal["log_odds", "logits", "probabilities", "sigmoid"]
Runtime = Literal["rten", "onnxruntime", "onnxruntime-cuda"]
Array = npt.NDArray[Any]

#: Inputs of one call where nothing is stated: sounds are large, images small.
_BATCH = {"audio": 32, "image": 256}

#: Seconds of an excerpt where nothing is stated, as in Sturm's experiments.
SECONDS = 30.0


class Victim:
    """A classifier that is fooled, as a callable.

    Parameters
    ----------
    function : callable
        Takes an array of inputs and returns an array of shape ``(inputs, classes)``. Sounds come as
        ``float32`` of shape ``(inputs, samples)`` in [-1, 1], images as ``uint8`` of shape
        ``(inputs, rows, columns, channels)``. The numbers of an input must not depend on the inputs
        beside it. It is called on the thread that called `fool`, and every array it gets is its own.
    classes : sequence
        Names of the classes, in the order of the numbers. Other objects are named by ``str``.
    audio : int, optional
        Sample rate in hertz, if it takes sound.
    image : tuple of int, optional
        ``(rows, columns, channels)``, if it takes images. Either this or `audio` must be given.
    output : {"log_odds", "logits", "probabilities", "sigmoid"}
        What the numbers are: ``ln(p / (1 - p))`` of each class, inputs of a softmax, probabilities that
        add up to 1, or one probability a class. Probabilities below 1e-12, and above 1 - 1e-12 where
        they do not add up to 1, count as that.
    batch : int, optional
        Most inputs of one call. 32 sounds or 256 images by default.
    genuine : tuple, optional
        ``(inputs, labels, groups)``: genuine items that it was not trained on, their class names, and
        what each shares with others (artist, album, file; None for an item of its own; the whole may be
        None). They are scored at once, and give every result a level. Sounds may differ in length.
    gradient : callable, optional
        For images: takes real pixels in [0, 255] of shape ``(rows, columns, channels)`` and a class
        index, and returns the log-odds of the class and their gradient, an array of the same shape.
    fingerprint : str or bytes, optional
        What changes whenever the numbers do, such as a version, or the bytes of the weights. Runs of a
        victim without one can be neither resumed nor verified, and say so.
    seconds : float
        Length of excerpts and of the sounds that `probe` makes. Genuine sounds and files are cut to it,
        because scores of other lengths do not compare.

    Examples
    --------
    >>> import numpy as np, trompe
    >>> def brightness(images):
    ...     light = images.reshape(len(images), -1).mean(axis=1) / 16 - 8
    ...     return np.stack([-light, light], axis=1)
    >>> victim = trompe.Victim(brightness, classes=["dark", "bright"], image=(8, 8, 1),
    ...                        output="log_odds", fingerprint="brightness 1")
    >>> victim.predict(np.full((1, 8, 8, 1), 255, dtype=np.uint8))
    array(['bright'], dtype='<U6')
    """

    _rust: _trompe.Victim
    #: Length of excerpts in seconds.
    seconds: float

    def __init__(
        self,
        function: Callable[[Array], Any],
        *,
        classes: Sequence[object] | Array,
        audio: int | None = None,
        image: tuple[int, int, int] | None = None,
        output: Output = "probabilities",
        batch: int | None = None,
        genuine: tuple[Any, ...] | None = None,
        gradient: Callable[[Array, int], tuple[float, Array]] | None = None,
        fingerprint: str | bytes | None = None,
        seconds: float = SECONDS,
    ) -> None:
        if not callable(function):
            raise TypeError(f"function: a {type(function).__name__} is not callable")
        if not seconds > 0:
            raise ValueError(f"seconds: {seconds} is no length; give a number above 0")
        if batch is None:
            batch = _BATCH["audio" if image is None else "image"]
        if batch < 1:
            raise ValueError(f"batch: {batch}, at least 1 is needed")
        if isinstance(fingerprint, str):
            fingerprint = fingerprint.encode()
        names = [str(name) for name in classes]
        runtime = f"Python {platform.python_version()}, numpy {np.__version__}"
        self._rust = _trompe.Victim.of_callable(
            function, names, audio, image, output, batch, fingerprint, gradient, runtime, seconds
        )
        self.seconds = float(seconds)
        if genuine is not None:
            self._set_genuine(*genuine)

    def _set_genuine(
        self, inputs: Any, labels: Sequence[object], groups: Sequence[object] | None = None
    ) -> None:
        index = {name: number for number, name in enumerate(self.classes)}
        unknown = sorted({str(label) for label in labels} - index.keys())
        if unknown:
            raise ValueError(f"genuine: no class is called {', '.join(unknown)}")
        named = None if groups is None else [None if g is None else str(g) for g in groups]
        numbers = [index[str(label)] for label in labels]
        self._rust.set_genuine(inputs, numbers, named)

    @classmethod
    def _of(cls, rust: _trompe.Victim) -> Victim:
        victim = cls.__new__(cls)
        victim._rust = rust
        victim.seconds = SECONDS
        return victim

    @property
    def classes(self) -> list[str]:
        """Names of the classes."""
        return self._rust.classes

    @property
    def audio(self) -> int | None:
        """Sample rate in hertz, if it takes sound."""
        return self._rust.audio

    @property
    def image(self) -> tuple[int, int, int] | None:
        """``(rows, columns, channels)``, if it takes images."""
        return self._rust.image

    @property
    def kind(self) -> str:
        """Name of its kind: ``callable``, or the classifier of a model's file."""
        return self._rust.kind

    @property
    def fingerprint(self) -> str | None:
        """SHA-256 that names its scores in everything made with it."""
        return self._rust.fingerprint

    @property
    def runtime(self) -> str | None:
        """Name and version of what computes its scores; None of models that the package runs itself."""
        return self._rust.runtime

    @property
    def genuine_items(self) -> int | None:
        """Number of genuine items that levels are counted among."""
        return self._rust.genuine_items

    def log_odds(self, inputs: Any) -> npt.NDArray[np.float64]:
        """Log-odds of inputs.

        Parameters
        ----------
        inputs : sequence of arrays, or array
            Sounds, or images of shape ``(images, rows, columns, channels)``.

        Returns
        -------
        array of shape (inputs, classes)
        """
        return _trompe.log_odds(self._rust, inputs)

    def posteriors(self, inputs: Any) -> npt.NDArray[np.float64]:
        """Posteriors of inputs, ``1 / (1 + exp(-log_odds))``.

        Parameters
        ----------
        inputs : sequence of arrays, or array
            As for `log_odds`.

        Returns
        -------
        array of shape (inputs, classes)
        """
        return posteriors(self.log_odds(inputs))

    def predict(self, inputs: Any) -> npt.NDArray[np.str_]:
        """Labels of inputs: the class of the highest log-odds.

        Parameters
        ----------
        inputs : sequence of arrays, or array
            As for `log_odds`.

        Returns
        -------
        array of str
            Where two classes are exactly the highest there is no label: an empty string.
        """
        scores = self.log_odds(inputs)
        tied = (scores == scores.max(axis=1, keepdims=True)).sum(axis=1) > 1
        labels = np.asarray(self.classes)[scores.argmax(axis=1)]
        return np.where(tied, "", labels)

    def __repr__(self) -> str:
        takes = f"audio={self.audio}" if self.audio else f"image={self.image}"
        return f"<trompe.Victim {self.kind}, {len(self.classes)} classes, {takes}>"


def posteriors(log_odds: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Posteriors of log-odds.

    Parameters
    ----------
    log_odds : array

    Returns
    -------
    array
    """
    result: npt.NDArray[np.float64] = np.exp(-np.logaddexp(0.0, -log_odds))
    return result


def load(path: str | os.PathLike[str], *, runtime: Runtime | None = None) -> Victim:
    """Open a model's file as a victim.

    Parameters
    ----------
    path : path
        What the command reads: a file of ``trompe train``, an ONNX file with its description, a folder
        with a ``model.onnx``, or the name of a model that can be fetched.
    runtime : {"rten", "onnxruntime", "onnxruntime-cuda"}, optional
        What runs an ONNX net: the built-in runtime, which is the default, or ONNX Runtime, from the
        package ``onnxruntime`` of this interpreter or from the library that ``ORT_DYLIB_PATH`` names.
        Last bits differ between them, so a run goes on with the runtime that it was started with.

    Returns
    -------
    Victim
        With its genuine reference, if it has one.
    """
    return Victim._of(_trompe.Victim.of_file(os.fspath(path), runtime))


def as_victim(victim: Victim | str | os.PathLike[str]) -> Victim:
    """`victim` itself, or the model in the file that it names."""
    return victim if isinstance(victim, Victim) else load(victim)
