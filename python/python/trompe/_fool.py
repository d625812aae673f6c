"""Runs: from a victim to a verified fooling set."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from trompe import _trompe
from trompe._run import Run, temporary_folder
from trompe._settings import Emitter, Generator, settings_of
from trompe._victim import Victim, as_victim

Progress = Callable[[int, int, int], object]


def fool(
    victim: Victim | str | os.PathLike[str],
    *,
    bank: str | os.PathLike[str] | None = None,
    generator: Generator | Mapping[str, Any] | None = None,
    threshold: float | None = None,
    level: float | None = None,
    budget: int | None = None,
    seed: int | None = None,
    exhibits: int | None = None,
    emitter: Emitter | Mapping[str, Any] | None = None,
    targets: Sequence[object] = (),
    seconds: float | None = None,
    random_candidates: int | None = None,
    out: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Run:
    """Search for inputs that a victim labels with near certainty.

    Every exhibit is written to a file, read back, scored again, and kept only if the label and the
    score of the file are what they are said to be. The same seed gives the same bytes, also with the
    command, and for any number of threads.

    Parameters
    ----------
    victim : Victim or path
        What is fooled.
    bank : path or name, optional
        Loops that sounds are composed from: a folder, or a name of `collections`. ``"loops"`` by
        default, which is fetched.
    generator : str or dict, optional
        How images are made: patches (default), pixels, tiles, cppn, values. A dict has its settings
        beside ``"generator"``.
    threshold : float, optional
        Posterior that an exhibit must reach. 0.999 by default.
    level : float, optional
        Level among genuine items to reach instead; the victim needs ``genuine``.
    budget : int, optional
        Evaluations to spend at most; 20,000 by default. Random candidates come in addition.
    seed : int, optional
        Seed of every random number; 1 by default.
    exhibits : int, optional
        Exhibits wanted per class; 3 by default.
    emitter : str or dict, optional
        How candidates are proposed: climber (default), map-elites, random, gradient-ascent.
    targets : sequence, optional
        Classes that are searched for; all by default.
    seconds : float, optional
        Length of excerpts; that of the victim by default.
    random_candidates : int, optional
        Random candidates that measure the base rate; 1,000 by default.
    out : path, optional
        New or empty folder of the run. A temporary folder by default, which lasts as long as the `Run`.
    progress : callable, optional
        Called after every generation with evaluations done, budget, and the number of open classes.

    Returns
    -------
    Run

    Raises
    ------
    KeyboardInterrupt
        At once. The folder keeps what was done, and `resume` goes on with it.
    Exception
        Whatever the victim raises, with its traceback. The folder keeps what was done.

    Examples
    --------
    >>> import numpy as np, trompe
    >>> def brightness(images):
    ...     light = images.reshape(len(images), -1).mean(axis=1) / 8 - 16
    ...     return np.stack([-light, light], axis=1)
    >>> victim = trompe.Victim(brightness, classes=["dark", "bright"], image=(8, 8, 1),
    ...                        output="log_odds", fingerprint="brightness 2")
    >>> run = trompe.fool(victim, generator="patches", budget=500, exhibits=1, random_candidates=50)
    >>> run.labels.tolist(), run.samples.shape
    (['dark', 'bright'], (2, 8, 8, 1))
    >>> run.verify(victim)["passed"]
    True
    """
    victim = as_victim(victim)
    settings = settings_of(
        victim,
        bank=bank,
        generator=generator,
        threshold=threshold,
        level=level,
        budget=budget,
        seed=seed,
        exhibits=exhibits,
        emitter=emitter,
        targets=targets,
        seconds=seconds,
        random_candidates=random_candidates,
    )
    temporary = None if out is not None else temporary_folder()
    folder = os.fspath(out) if out is not None else os.path.join(str(temporary), "run")
    _, notes = _trompe.fool(victim._rust, settings, folder, progress)
    return Run(folder, notes=notes, _temporary=temporary)


def resume(
    folder: str | os.PathLike[str],
    victim: Victim | None = None,
    *,
    progress: Progress | None = None,
) -> Run:
    """Go on with a run, however it ended.

    Parameters
    ----------
    folder : path
        The folder of the run, or of a `Search`, which is then delivered.
    victim : Victim, optional
        The callable that it was started on, with the same fingerprint, or the model, in the same
        runtime. Runs of models' files keep a copy of the model and need none.
    progress : callable, optional
        As for `fool`.

    Returns
    -------
    Run
        The same, to the byte, as if it had not been interrupted.
    """
    rust = None if victim is None else victim._rust
    _, notes = _trompe.resume(os.fspath(folder), rust, progress)
    return Run(folder, notes=notes)
