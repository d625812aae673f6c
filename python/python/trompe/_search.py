"""A search by turns: ask for candidates, score them, tell the scores."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from trompe import _trompe
from trompe._run import TemporaryFolder, temporary_folder
from trompe._settings import Emitter, Generator, settings_of
from trompe._victim import SECONDS, Array, Output, Victim


class Search:
    """A search whose candidates are scored by the caller, with ``ask`` and ``tell`` as in pyribs.

    It is the search of `fool`: the same seed asks for the same candidates and keeps the same archive,
    in whatever portions they are asked for. Emitters and archive are one object here.

    Parameters
    ----------
    classes : sequence
        Names of the classes, in the order of the scores.
    audio, image, output, seconds, fingerprint
        As for `Victim`: what candidates are, and what scores will be told.
    bank, generator, threshold, budget, seed, exhibits, emitter, targets
        As for `fool`. Gradient ascent needs a `Victim`, and is refused.
    whole_budget : bool
        Whether the whole budget is asked for even when every class has its exhibits.
    out : path, optional
        Folder of the search. If it holds a search already, this one continues from its last
        checkpoint; the settings must be the same. By default, a temporary folder.

    Examples
    --------
    >>> import numpy as np, trompe
    >>> with trompe.Search(["dark", "bright"], image=(8, 8, 1), output="log_odds", budget=100,
    ...                    exhibits=1, fingerprint="brightness") as search:
    ...     while not search.done:
    ...         images = search.ask(10)
    ...         light = images.reshape(len(images), -1).mean(axis=1) / 8 - 16
    ...         search.tell(np.stack([-light, light], axis=1))
    >>> sorted({elite["class"] for elite in search.elites() if elite["reaches"]})
    ['bright', 'dark']
    """

    def __init__(
        self,
        classes: Sequence[object],
        *,
        audio: int | None = None,
        image: tuple[int, int, int] | None = None,
        output: Output = "log_odds",
        seconds: float = SECONDS,
        fingerprint: str | bytes | None = None,
        bank: str | os.PathLike[str] | None = None,
        generator: Generator | Mapping[str, Any] | None = None,
        threshold: float | None = None,
        budget: int | None = None,
        seed: int | None = None,
        exhibits: int | None = None,
        emitter: Emitter | Mapping[str, Any] | None = None,
        targets: Sequence[object] = (),
        whole_budget: bool = False,
        out: str | os.PathLike[str] | None = None,
    ) -> None:
        victim = Victim(
            _never_called,
            classes=classes,
            audio=audio,
            image=image,
            output=output,
            batch=_ONE_GENERATION,
            fingerprint=fingerprint,
            seconds=seconds,
        )
        settings = settings_of(
            victim,
            bank=bank,
            generator=generator,
            threshold=threshold,
            level=None,
            budget=budget,
            seed=seed,
            exhibits=exhibits,
            emitter=emitter,
            targets=targets,
            seconds=None,
            random_candidates=None,
            whole_budget=whole_budget,
        )
        self.classes = victim.classes
        self._temporary: TemporaryFolder | None = None
        if out is None:
            self._temporary = temporary_folder()
            out = os.path.join(str(self._temporary), "run")
        #: Folder of the search.
        self.folder = Path(out)
        self._search = _trompe.Search(victim._rust, settings, os.fspath(out))
        self._generation: Array | None = None
        self._scores: list[npt.NDArray[np.float64]] = []
        self._asked = 0
        self._told = 0
        self._done = False
        self._fetch()

    @property
    def done(self) -> bool:
        """Whether there is nothing more to ask for: every class has its exhibits, or no budget is left."""
        return self._done

    @property
    def evaluations(self) -> int:
        """Evaluations of the generations that were told whole."""
        return self._search.evaluations

    @property
    def open_classes(self) -> int | None:
        """Number of classes that still want exhibits; None before the first generation was told."""
        return self._search.open_classes

    def ask(self, n: int | None = None) -> Array:
        """Return the next candidates.

        Parameters
        ----------
        n : int, optional
            Most candidates; the rest of the generation by default. An emitter decides on a generation
            at a time, so fewer may come.

        Returns
        -------
        array
            As a `Victim` gets them; empty when the search is done.
        """
        if self._asked != self._told:
            raise RuntimeError("ask: tell the scores of what was asked first")
        if n is not None and n < 1:
            raise ValueError(f"n: {n}, at least 1 is needed")
        if self._generation is None:
            self._fetch()
        if self._generation is None:
            return np.zeros((0,), dtype=np.uint8)
        last = len(self._generation) if n is None else self._asked + n
        part = self._generation[self._asked : last].copy()
        self._asked += len(part)
        return part

    def tell(self, scores: npt.ArrayLike) -> None:
        """Take the scores of the candidates last asked for.

        Parameters
        ----------
        scores : array of shape (candidates, classes)
            What `output` says.
        """
        if self._generation is None or self._asked == self._told:
            raise RuntimeError("tell: nothing was asked")
        rows = np.array(scores, dtype=np.float64)
        wanted = (self._asked - self._told, len(self.classes))
        if rows.shape != wanted:
            raise ValueError(f"scores: an array of shape {rows.shape}, not {wanted}")
        if not np.isfinite(rows).all():
            raise ValueError("scores: every score must be a finite number")
        self._scores.append(rows)
        self._told = self._asked
        if self._told < len(self._generation):
            return
        try:
            self._search.tell(np.concatenate(self._scores))
        except ValueError:
            self._scores.pop()
            self._told -= len(rows)
            raise
        self._generation, self._scores, self._asked, self._told = None, [], 0, 0
        self._fetch()

    def _fetch(self) -> None:
        """Wait for the next generation."""
        self._generation = self._search.ask()
        self._done = self._generation is None

    def elites(self) -> list[dict[str, Any]]:
        """Return the archive after the last generation that was told, by class, best first.

        Returns
        -------
        list of dict
            With the ``class``, whether the elite ``reaches`` it, its ``log_odds``, ``evaluation``,
            ``parent``, ``emitter``, ``made_by`` and ``genome``. Closes a search that is not done.
        """
        self.close()
        checkpoint = self.folder / "checkpoint.json"
        if not checkpoint.is_file():
            return []
        content = json.loads(checkpoint.read_text("utf-8"))
        return _elites(content["state"]["archive"], self.classes)

    def close(self) -> None:
        """Write a checkpoint and end. Candidates that were not told are asked for again on resuming."""
        self._search.close()
        if self._generation is not None:
            self._generation, self._scores, self._asked, self._told = None, [], 0, 0
        self._done = True

    def __enter__(self) -> Search:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


#: More than any generation has.
_ONE_GENERATION = 2**31


def _never_called(_: Array) -> Array:
    raise RuntimeError("a search by turns calls no victim")


def _elites(archive: dict[str, Any], classes: list[str]) -> list[dict[str, Any]]:
    """Elites of an archive as a checkpoint has it."""
    limit = archive["rules"]["threshold"]
    by_evaluation = {elite["evaluation"]: elite for elite in archive["elites"]}
    elites = []
    for index, (name, niche) in enumerate(zip(classes, archive["niches"], strict=True)):
        for evaluation in niche:
            elite = by_evaluation[evaluation]
            odds = elite["log_odds"]
            others = [value for other, value in enumerate(odds) if other != index]
            reaches = odds[index] > max(others) and odds[index] >= limit
            elites.append({"class": name, "reaches": reaches, **elite})
    return elites
