"""Finished runs: numbers, files, and what a notebook shows of them."""

from __future__ import annotations

import base64
import html
import json
import os
import shutil
import tempfile
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from trompe import _trompe
from trompe._victim import Victim, as_victim

if TYPE_CHECKING:
    import pandas as pd

#: Most exhibits that a notebook shows.
_SHOWN = 12


class TemporaryFolder:
    """A folder that is removed with the last object that holds it."""

    def __init__(self) -> None:
        self._path = tempfile.mkdtemp(prefix="trompe-")
        weakref.finalize(self, shutil.rmtree, self._path, ignore_errors=True)

    def __str__(self) -> str:
        return self._path


def temporary_folder() -> TemporaryFolder:
    """Make a new folder."""
    return TemporaryFolder()


class Run:
    """A finished run, read from its folder.

    Parameters
    ----------
    folder : path
        What `fool` or the command wrote.

    Attributes
    ----------
    folder : Path
        The run's folder: configuration, trace, fooling set, report.
    report : dict
        The numbers of the run, as ``report.json`` has them.
    manifest : dict
        What the fooling set says of itself and of every exhibit.
    notes : list of str
        What should be known of the run.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        notes: Sequence[str] = (),
        _temporary: TemporaryFolder | None = None,
    ) -> None:
        self._temporary = _temporary
        self.folder = Path(folder)
        report = self.folder / "report.json"
        if not report.is_file():
            raise ValueError(
                f"{self.folder}: holds no finished run; go on with one by trompe.resume"
            )
        self.report: dict[str, Any] = json.loads(report.read_text("utf-8"))
        manifest = self.set / "manifest.json"
        self.manifest: dict[str, Any] = json.loads(manifest.read_text("utf-8"))
        self.notes = list(notes)

    @property
    def set(self) -> Path:
        """Folder of the fooling set."""
        return self.folder / "fooling-set"

    @property
    def page(self) -> Path:
        """The report as a page."""
        return self.folder / "report.html"

    @property
    def exhibits(self) -> list[dict[str, Any]]:
        """The exhibits, by class, best first."""
        exhibits: list[dict[str, Any]] = self.manifest["exhibits"]
        return exhibits

    @property
    def files(self) -> list[Path]:
        """The delivered files."""
        return [self.set / exhibit["file"] for exhibit in self.exhibits]

    @property
    def classes(self) -> list[str]:
        """Names of the classes."""
        classes: list[str] = self.manifest["origin"]["classes"]
        return classes

    @property
    def evaluations(self) -> int:
        """Evaluations done."""
        return int(self.report["evaluations"])

    @property
    def sample_rate(self) -> int | None:
        """Sample rate of the exhibits in hertz; None of images."""
        rate: int | None = self._input.get("sample_rate")
        return rate

    @property
    def _input(self) -> dict[str, int]:
        """What the victim takes."""
        return self.manifest["origin"]["classifier"]["input"] or {}

    @property
    def resumable(self) -> bool:
        """Whether the run can be resumed and verified: its victim has a fingerprint."""
        return bool(self.manifest["origin"]["classifier"]["sha256"])

    @property
    def samples(self) -> npt.NDArray[Any]:
        """The delivered files, decoded.

        Returns
        -------
        array
            Sounds as float32 of shape ``(exhibits, samples)``, images as uint8 of shape
            ``(exhibits, rows, columns, channels)``.
        """
        rate = self.sample_rate
        if not self.files and rate is not None:
            return np.zeros((0, 0), dtype=np.float32)
        if not self.files:
            shape = [self._input.get(side, 0) for side in ("height", "width", "channels")]
            return np.zeros((0, *shape), dtype=np.uint8)
        if rate is not None:
            return np.stack([_trompe.read_sound(os.fspath(path), rate) for path in self.files])
        return np.stack([_trompe.read_image(os.fspath(path)) for path in self.files])

    @property
    def labels(self) -> npt.NDArray[np.str_]:
        """Label of every exhibit."""
        return np.asarray([exhibit["label"] for exhibit in self.exhibits], dtype=np.str_)

    @property
    def posteriors(self) -> npt.NDArray[np.float64]:
        """Posterior of every exhibit and class, of the delivered file."""
        rows = [exhibit["posteriors"] for exhibit in self.exhibits]
        return np.asarray(rows, dtype=np.float64).reshape(-1, len(self.classes))

    @property
    def levels(self) -> npt.NDArray[np.float64]:
        """Level of every exhibit among genuine items of its class; NaN where there is none."""
        levels = [exhibit.get("level") for exhibit in self.exhibits]
        return np.asarray([np.nan if level is None else level for level in levels])

    def evaluations_to(self, posterior: float = 0.999) -> dict[str, int | None]:
        """Count evaluations until a candidate was first labelled with each class at a posterior.

        Parameters
        ----------
        posterior : float

        Returns
        -------
        dict
            Class names to evaluations, None where it was not reached. The random candidates that the
            search starts from count.
        """
        if not 0 < posterior < 1:
            raise ValueError(f"posterior: {posterior} is not between 0 and 1")
        limit = np.log(posterior / (1 - posterior))
        reached: dict[str, int | None] = {}
        for of_class in self.report["classes"]:
            first = (number for number, log_odds in of_class["curve"] if log_odds >= limit)
            reached[of_class["label"]] = next(first, None)
        return reached

    def to_dataframe(self) -> pd.DataFrame:
        """One row an exhibit: file, label, posterior, level, evaluation, and how it was made.

        Returns
        -------
        pandas.DataFrame
            Needs pandas.
        """
        import pandas as pd

        columns = ["file", "label", "posterior", "level", "evaluation", "emitter", "made_by"]
        rows = [[exhibit.get(column) for column in columns] for exhibit in self.exhibits]
        return pd.DataFrame(rows, columns=columns)

    def verify(self, victim: Victim | None = None) -> dict[str, Any]:
        """Score every delivered file again.

        Parameters
        ----------
        victim : Victim, optional
            The callable that was fooled; runs of models' files need none.

        Returns
        -------
        dict
            As `verify`.
        """
        rust = None if victim is None else as_victim(victim)._rust
        verified: dict[str, Any] = json.loads(_trompe.verify(os.fspath(self.set), rust))
        return verified

    def __len__(self) -> int:
        return len(self.exhibits)

    def __repr__(self) -> str:
        reached = len({exhibit["label"] for exhibit in self.exhibits})
        return (
            f"<trompe.Run {len(self)} exhibits of {reached} of {len(self.classes)} classes, "
            f"{self.evaluations} evaluations, {self.folder}>"
        )

    def _repr_html_(self) -> str:
        cells = []
        for exhibit, path in list(zip(self.exhibits, self.files, strict=True))[:_SHOWN]:
            data = base64.b64encode(path.read_bytes()).decode("ascii")
            if path.suffix == ".wav":
                shown = (
                    f'<audio controls preload="none" src="data:audio/wav;base64,{data}"></audio>'
                )
            else:
                shown = (
                    f'<img alt="" src="data:image/png;base64,{data}" '
                    'style="height:96px;image-rendering:pixelated">'
                )
            level = exhibit.get("level")
            facts = f"{exhibit['posterior']:.6f}"
            if level is not None:
                facts += f", level {level:.3f}"
            cells.append(
                f'<figure style="display:inline-block;margin:4px"><div>{shown}</div><figcaption>'
                f"{html.escape(exhibit['label'])} {facts}</figcaption></figure>"
            )
        more = len(self) - len(cells)
        rest = f"<p>{more} more in {html.escape(str(self.set))}</p>" if more > 0 else ""
        return f"<p>{html.escape(repr(self))}</p>{''.join(cells)}{rest}"
