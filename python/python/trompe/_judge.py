"""What victims say of sets, files and inputs."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

from trompe import _trompe
from trompe._run import Run
from trompe._settings import settings_of
from trompe._victim import Victim, as_victim

Path = str | os.PathLike[str]


def verify(set: Path | Run, victim: Victim | Path | None = None) -> dict[str, Any]:
    """Score every file of a fooling set again.

    Parameters
    ----------
    set : path or Run
        The fooling set's folder.
    victim : Victim or path, optional
        What it was made on. By default the model that the run keeps; a callable must be given.

    Returns
    -------
    dict
        ``passed``, and under ``exhibits`` for each file its label and posterior now and what is wrong
        with it. Victims that are callables need not give the same bits everywhere: 1e-4 is allowed.
    """
    folder = set.set if isinstance(set, Run) else set
    rust = None if victim is None else as_victim(victim)._rust
    verified: dict[str, Any] = json.loads(_trompe.verify(os.fspath(folder), rust))
    return verified


def predict(victim: Victim | Path, inputs: Any, *, whole: bool = False) -> list[dict[str, Any]]:
    """Say what a victim calls inputs: label, posterior, calibrated posterior, level.

    Parameters
    ----------
    victim : Victim or path
    inputs : paths or arrays
        Files, folders of files, or arrays as for `Victim.log_odds`.
    whole : bool
        Sound of files is taken as it would be delivered (16 bits, the length of genuine items), or
        whole.

    Returns
    -------
    list of dict
        ``pandas.json_normalize`` makes a table of it. Of paths each has its ``file``.

    Raises
    ------
    ValueError
        For a file that is named and cannot be read.

    Warns
    -----
    UserWarning
        For files of folders that are nothing that the victim judges.
    """
    victim = as_victim(victim)
    if isinstance(inputs, (str, os.PathLike)):
        inputs = [inputs]
    if are_paths("inputs", inputs):
        paths = [os.fspath(path) for path in inputs]
        predicted = json.loads(_trompe.predict(victim._rust, paths, whole))
        _warn_of(predicted["not_read"])
        files: list[dict[str, Any]] = predicted["files"]
        return files
    answers: list[dict[str, Any]] = json.loads(_trompe.predict_inputs(victim._rust, inputs))
    return answers


def _warn_of(not_read: list[tuple[str, str]]) -> None:
    import warnings

    if not_read:
        first, why = not_read[0]
        message = f"{len(not_read)} files were not read, such as {first}: {why}"
        warnings.warn(message, stacklevel=3)


def probe(victim: Victim | Path, genuine: Path | None = None) -> list[dict[str, Any]]:
    """Say what a victim calls inputs without content: silence, noise, a sine, flat grey.

    Parameters
    ----------
    victim : Victim or path
    genuine : path, optional
        A genuine file that is taken apart: frames shuffled, phases drawn at random, reversed. Without
        it, the item that was taken apart when the victim's genuine reference was made.

    Returns
    -------
    list of dict
        As `predict`, with the name of the ``probe``, and the ``item`` of the reference that it is of.
    """
    path = None if genuine is None else os.fspath(genuine)
    probes: list[dict[str, Any]] = json.loads(_trompe.probe(as_victim(victim)._rust, path))
    return probes


def transfer(
    set: Path | Run,
    victim: Victim | Path,
    *,
    threshold: float | None = None,
    level: float | None = None,
) -> dict[str, Any]:
    """Say what another victim makes of a fooling set.

    Parameters
    ----------
    set : path or Run
    victim : Victim or path
        It need not be the one that the set was made on.
    threshold, level : float, optional
        What it is held to; the posterior of its kind by default.

    Returns
    -------
    dict
        Under ``exhibits`` for each file the label and posterior of both.
    """
    folder = os.fspath(set.set if isinstance(set, Run) else set)
    rust = as_victim(victim)._rust
    transferred: dict[str, Any] = json.loads(_trompe.transfer(folder, rust, threshold, level))
    return transferred


def compare(runs: Sequence[Path | Run], out: Path, *, study: Path | None = None) -> dict[str, Any]:
    """Set finished runs side by side.

    Parameters
    ----------
    runs : sequence of paths or Run
        Runs that differ in their seed alone are one group.
    out : path
        Folder for the page, JSON and CSV. Those of an earlier comparison in it are replaced.
    study : path, optional
        What `Study.analyze` wrote on these fooling sets.

    Returns
    -------
    dict
        Survival of filters and conversions is not measured of callables, which no file holds.
    """
    folders = [os.fspath(run.folder if isinstance(run, Run) else run) for run in runs]
    answers = None if study is None else os.fspath(study)
    compared: dict[str, Any] = json.loads(_trompe.compare(folders, os.fspath(out), answers))
    return compared


def equalize(
    victim: Victim | Path,
    recordings: Sequence[Any],
    *,
    out: Path,
    severities: Sequence[float] = (6.0,),
    threshold: float | None = None,
    level: float | None = None,
    budget: int | None = None,
    seed: int | None = None,
    targets: Sequence[object] = (),
) -> dict[str, Any]:
    """Relabel recordings by filtering alone.

    Parameters
    ----------
    victim : Victim or path
        It judges sound and names one class.
    recordings : sequence of paths or arrays
        Files, or mono sounds at the victim's sample rate.
    out : path
        Folder for one fooling set a severity, which must not hold an equalization.
    severities : sequence of float
        Greatest gains in decibels.
    threshold, level, budget, seed, targets
        As for `fool`; the budget is that of one recording and severity.

    Returns
    -------
    dict
        Under ``severities`` the share of attempts that were reached, and every attempt. Arrays are
        called ``recordings[0]``, ``recordings[1]``.
    """
    victim = as_victim(victim)
    if victim.audio is None:
        raise ValueError("victim: it takes images; equalize filters sound")
    settings = settings_of(
        victim,
        bank=None,
        generator=None,
        threshold=threshold,
        level=level,
        budget=budget,
        seed=seed,
        exhibits=None,
        emitter=None,
        targets=targets,
        seconds=None,
        random_candidates=None,
    )
    search = json.dumps(json.loads(settings)["search"])
    gains = [float(gain) for gain in severities]
    files = are_paths("recordings", recordings)
    given = [os.fspath(path) for path in recordings] if files else recordings
    equalized: dict[str, Any] = json.loads(
        _trompe.equalize(victim._rust, given, files, gains, search, os.fspath(out))
    )
    return equalized


def are_paths(name: str, inputs: Any) -> bool:
    """Whether inputs are paths, and not arrays: the first of them tells."""
    if isinstance(inputs, (str, bytes, os.PathLike)):
        raise ValueError(f"{name}: one path; give a list of paths")
    return isinstance(next(iter(inputs), None), (str, os.PathLike))
