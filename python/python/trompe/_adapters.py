"""Victims from other packages, which are imported only when they are used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np

from trompe._victim import Array, Output, Victim


def from_sklearn(
    estimator: Any,
    *,
    audio: int | None = None,
    image: tuple[int, int, int] | None = None,
    features: Any = None,
    scale: float | None = None,
    **options: Any,
) -> Victim:
    """Make a fitted scikit-learn estimator a victim.

    Parameters
    ----------
    estimator : estimator
        With ``predict_proba`` and ``classes_``: a classifier or a pipeline. It gets one row an input: raw
        samples, flat pixels, or what `features` makes of them.
    audio, image
        As for `Victim`.
    features : transformer, optional
        Its ``transform`` is applied to the inputs first, such as `AdaBFFs`. A pipeline that starts with
        `AdaBFFs` needs none.
    scale : float, optional
        Pixels are multiplied by this, such as ``1 / 255``.
    **options
        As for `Victim`: `genuine`, `fingerprint`, `batch`, `seconds`.

    Returns
    -------
    Victim

    Examples
    --------
    >>> import numpy as np, trompe
    >>> from sklearn.linear_model import LogisticRegression
    >>> pixels = np.random.default_rng(1).integers(0, 256, (40, 16))
    >>> bright = np.where(pixels.mean(axis=1) > 127, "bright", "dark")
    >>> model = LogisticRegression(max_iter=1000).fit(pixels / 255, bright)
    >>> trompe.from_sklearn(model, image=(4, 4, 1), scale=1 / 255)
    <trompe.Victim callable, 2 classes, image=(4, 4, 1)>
    """
    for name in ("predict_proba", "classes_"):
        if not hasattr(estimator, name):
            kind = type(estimator).__name__
            raise TypeError(f"estimator: {kind} has no {name}; give a fitted classifier with it")

    def function(inputs: Array) -> Array:
        rows: Any = inputs.reshape(len(inputs), -1)
        if scale is not None:
            rows = rows * scale
        if features is not None:
            rows = features.transform(rows)
        return cast(Array, estimator.predict_proba(rows))

    options.setdefault("output", "probabilities")
    return Victim(function, classes=estimator.classes_, audio=audio, image=image, **options)


def from_torch(
    module: Any,
    *,
    classes: Sequence[object],
    audio: int | None = None,
    image: tuple[int, int, int] | None = None,
    output: Output = "logits",
    scale: float = 1 / 255,
    prepare: Callable[[Any], Any] | None = None,
    **options: Any,
) -> Victim:
    """Make a PyTorch module a victim.

    Parameters
    ----------
    module : torch.nn.Module
        In the mode that it is judged in (``module.eval()``). It gets float32 tensors: sounds of shape
        ``(inputs, samples)``, images of shape ``(inputs, channels, rows, columns)``.
    classes, audio, image, output
        As for `Victim`.
    scale : float
        Pixels are multiplied by this.
    prepare : callable, optional
        Applied to the tensor before the module, such as a normalization.
    **options
        As for `Victim`.

    Returns
    -------
    Victim
        Of images with its gradient, if `output` is ``logits`` or ``log_odds``.
    """
    import torch

    # By the buffers of arrays and by lists: a torch that was built for another major version of numpy
    # refuses its arrays.
    def tensor_of(array: Array) -> Any:
        values = np.array(array, dtype=np.float32, order="C")
        return torch.frombuffer(values, dtype=torch.float32).reshape(values.shape)

    def array_of(tensor: Any) -> Array:
        return np.asarray(tensor.detach().float().cpu().tolist(), dtype=np.float32)

    def forward(tensor: Any) -> Any:
        device = next((p.device for p in module.parameters()), torch.device("cpu"))
        tensor = tensor.to(device)
        return module(tensor if prepare is None else prepare(tensor))

    def function(inputs: Array) -> Array:
        tensor = tensor_of(inputs)
        with torch.no_grad():
            return array_of(forward(tensor if image is None else as_net(tensor)))

    def as_net(images: Any) -> Any:
        return images.permute(0, 3, 1, 2) * scale

    def gradient(pixels: Array, label: int) -> tuple[float, Array]:
        with torch.enable_grad():
            values = tensor_of(pixels[None]).requires_grad_()
            row = forward(as_net(values))[0].double()
            if output == "logits":
                others = torch.cat([row[:label], row[label + 1 :]])
                odds = row[label] - torch.logsumexp(others, 0)
            else:
                odds = row[label]
            odds.backward()
        return float(odds.detach()), array_of(values.grad[0])

    if image is not None and output in {"logits", "log_odds"}:
        options.setdefault("gradient", gradient)
    return Victim(function, classes=classes, audio=audio, image=image, output=output, **options)


def from_keras(
    model: Any,
    *,
    classes: Sequence[object],
    audio: int | None = None,
    image: tuple[int, int, int] | None = None,
    output: Output = "probabilities",
    scale: float = 1 / 255,
    **options: Any,
) -> Victim:
    """Make a Keras model a victim.

    Parameters
    ----------
    model : keras.Model
        It gets float32 arrays: sounds of shape ``(inputs, samples)``, images of shape
        ``(inputs, rows, columns, channels)``.
    classes, audio, image, output
        As for `Victim`.
    scale : float
        Pixels are multiplied by this.
    **options
        As for `Victim`.

    Returns
    -------
    Victim
    """

    def function(inputs: Array) -> Array:
        values = np.asarray(inputs, dtype=np.float32)
        if image is not None:
            values = values * np.float32(scale)
        return np.asarray(model.predict_on_batch(values))

    return Victim(function, classes=classes, audio=audio, image=image, output=output, **options)


def from_art(
    classifier: Any,
    *,
    classes: Sequence[object] | None = None,
    audio: int | None = None,
    image: tuple[int, int, int] | None = None,
    output: Output = "probabilities",
    **options: Any,
) -> Victim:
    """Make a classifier of the Adversarial Robustness Toolbox a victim.

    Parameters
    ----------
    classifier : art.estimators.classification.BlackBoxClassifier
        Or any other of its classifiers: what counts is ``predict``, ``input_shape``, ``nb_classes`` and
        ``clip_values``.
    classes : sequence, optional
        Names of the classes; numbers from 0 by default.
    audio, image
        As for `Victim`. `image` is taken from ``input_shape`` if neither is given.
    output
        As for `Victim`: what ``predict`` returns.
    **options
        As for `Victim`.

    Returns
    -------
    Victim
        Pixels 0 to 255 become the range of ``clip_values``, if it is stated.
    """
    shape = tuple(classifier.input_shape)
    channels_first = False
    if audio is None and image is None:
        if len(shape) != 3:
            raise ValueError(f"classifier: its input_shape is {shape}; give audio= or image=")
        channels_first = shape[0] in {1, 3} and shape[2] not in {1, 3}
        image = (shape[1], shape[2], shape[0]) if channels_first else shape
    names = range(classifier.nb_classes) if classes is None else classes
    clip = classifier.clip_values

    def function(inputs: Array) -> Array:
        values = inputs.astype(np.float32)
        if image is not None:
            if channels_first:
                values = values.transpose(0, 3, 1, 2)
            if clip is not None:
                low, high = np.float32(np.min(clip[0])), np.float32(np.max(clip[1]))
                values = low + values * ((high - low) / np.float32(255))
            values = values.reshape(len(values), *shape)
        return np.asarray(classifier.predict(values))

    return Victim(function, classes=list(names), audio=audio, image=image, output=output, **options)
