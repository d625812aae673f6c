"""Fool music-genre and image classifiers, and prove it with people.

A *victim* is whatever is being fooled: a callable, a scikit-learn estimator, a model's file. `fool`
searches for sounds or images that it labels with near certainty; `verify` scores every delivered file
again.

Names are loaded when they are first used, so that ``import trompe`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trompe._adapters import from_art, from_keras, from_sklearn, from_torch
    from trompe._classifiers import AdaBoostMH, SparseRepresentation
    from trompe._corpora import Clips, Images, collections, corpus, images, read_image, read_sound
    from trompe._features import AdaBFFs, Modulations
    from trompe._fool import fool, resume
    from trompe._judge import compare, equalize, predict, probe, transfer, verify
    from trompe._mel import MelSpectrogram
    from trompe._run import Run
    from trompe._search import Search
    from trompe._studies import Study
    from trompe._victim import Victim, load

_HOME = {
    "AdaBFFs": "_features",
    "AdaBoostMH": "_classifiers",
    "Clips": "_corpora",
    "Images": "_corpora",
    "MelSpectrogram": "_mel",
    "Modulations": "_features",
    "Run": "_run",
    "Search": "_search",
    "SparseRepresentation": "_classifiers",
    "Study": "_studies",
    "Victim": "_victim",
    "collections": "_corpora",
    "compare": "_judge",
    "corpus": "_corpora",
    "equalize": "_judge",
    "fool": "_fool",
    "from_art": "_adapters",
    "from_keras": "_adapters",
    "from_sklearn": "_adapters",
    "from_torch": "_adapters",
    "images": "_corpora",
    "load": "_victim",
    "predict": "_judge",
    "probe": "_judge",
    "read_image": "_corpora",
    "read_sound": "_corpora",
    "resume": "_fool",
    "transfer": "_judge",
    "verify": "_judge",
}

__all__ = [
    "AdaBFFs",
    "AdaBoostMH",
    "Clips",
    "Images",
    "MelSpectrogram",
    "Modulations",
    "Run",
    "Search",
    "SparseRepresentation",
    "Study",
    "Victim",
    "__version__",
    "collections",
    "compare",
    "corpus",
    "equalize",
    "fool",
    "from_art",
    "from_keras",
    "from_sklearn",
    "from_torch",
    "images",
    "load",
    "predict",
    "probe",
    "read_image",
    "read_sound",
    "resume",
    "transfer",
    "verify",
]

__version__: str


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from trompe import _trompe

        return _trompe.__version__
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'trompe' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"trompe.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
