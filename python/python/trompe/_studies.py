"""Studies with people: build, try out, analyze."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from trompe import _trompe
from trompe._run import Run

if TYPE_CHECKING:
    import pandas as pd

AnyPath = str | os.PathLike[str]
Listener = Literal["chance", "skilled", "biased", "careless", "leaving"]


class Study:
    """The folder of a study. ``trompe listen serve`` hands it out.

    Parameters
    ----------
    folder : path
        What `Study.build` or the command wrote.
    """

    def __init__(self, folder: AnyPath) -> None:
        self.folder = Path(folder)
        if not (self.folder / "study.toml").is_file():
            raise ValueError(f"{self.folder}: holds no study; make one with Study.build")
        #: What was built, if this object built it: items, loudness, warnings.
        self.built: dict[str, Any] = {}

    @classmethod
    def build(
        cls,
        out: AnyPath,
        sets: Sequence[AnyPath | Run],
        *,
        contact: str,
        retain_until: str,
        real: Sequence[AnyPath] = (),
        title: str | None = None,
        seed: int = 1,
        seconds: float | None = None,
        fooling: int = 30,
        controls: int = 10,
        catch: int = 3,
        practice: int = 2,
    ) -> Study:
        """Build a study of fooling sets and real controls.

        Parameters
        ----------
        out : path
            New folder.
        sets : sequence of paths or Run
            Fooling sets; those of one medium and the same classes share a block.
        contact : str
            Who answers for the study.
        retain_until : str
            Day by which answers are erased, YYYY-MM-DD.
        real : sequence of paths
            Real controls: folders with one folder a class.
        title : str, optional
            Shown to participants.
        seed : int
            Of names and plans.
        seconds : float, optional
            To cut from the middle of each excerpt; whole excerpts by default.
        fooling, controls, catch, practice : int
            Items of a participant and block.

        Returns
        -------
        Study
        """
        folders = [os.fspath(item.set if isinstance(item, Run) else item) for item in sets]
        report = _trompe.build(
            os.fspath(out),
            folders,
            [os.fspath(path) for path in real],
            contact,
            retain_until,
            title,
            seed,
            seconds,
            (fooling, controls, catch, practice),
        )
        study = cls(out)
        study.built = json.loads(report)
        return study

    def simulate(
        self,
        database: AnyPath,
        *,
        listeners: int = 20,
        kinds: Sequence[Listener] = ("chance", "skilled"),
        seed: int = 1,
        longest: float = 600.0,
    ) -> dict[str, Any]:
        """Let simulated listeners take the study through its own server.

        Parameters
        ----------
        database : path
            Answers; made if it does not exist. Simulated ones are marked and never mixed with people's.
        listeners : int
        kinds : sequence of str
            In turn: chance, skilled, biased, careless, leaving.
        seed : int
        longest : float
            Seconds after which everything stops.

        Returns
        -------
        dict
            How many finished, left or failed, and the number of answers.
        """
        report: dict[str, Any] = json.loads(
            _trompe.simulate(
                os.fspath(self.folder), os.fspath(database), listeners, list(kinds), seed, longest
            )
        )
        return report

    def answers(self, database: AnyPath) -> pd.DataFrame:
        """Answers, one row each.

        Parameters
        ----------
        database : path

        Returns
        -------
        pandas.DataFrame
            Needs pandas. To look at them counts as a look at results.
        """
        import pandas as pd

        rows = json.loads(_trompe.answers(os.fspath(self.folder), os.fspath(database)))
        return pd.DataFrame(rows)

    def analyze(self, database: AnyPath, out: AnyPath, *, simulated: bool = False) -> Analysis:
        """Analyze answers as the study's plan says.

        Parameters
        ----------
        database : path
        out : path
            Folder for the page, the numbers and the tables. Those of an earlier analysis in it are
            replaced, unless somebody changed them.
        simulated : bool
            Whether simulated listeners are analyzed instead of people.

        Returns
        -------
        Analysis
        """
        report = _trompe.analyze(
            os.fspath(self.folder), os.fspath(database), os.fspath(out), simulated
        )
        return Analysis(Path(out), json.loads(report))


class Analysis:
    """The results of a study.

    Attributes
    ----------
    folder : Path
        Page, numbers and tables.
    report : dict
        The numbers.
    """

    def __init__(self, folder: Path, report: dict[str, Any]) -> None:
        self.folder = folder
        self.report = report

    @property
    def agreement(self) -> Path:
        """What `compare` takes as its study."""
        return self.folder / "agreement.json"

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables by name.

        Returns
        -------
        dict of str to pandas.DataFrame
            Needs pandas.
        """
        import pandas as pd

        return {file.stem: pd.read_csv(file) for file in sorted(self.folder.glob("*.csv"))}
