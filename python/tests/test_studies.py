"""A study of a fooling set, taken by simulated listeners."""

from __future__ import annotations

from pathlib import Path

import pytest

import trompe
from conftest import SHORT, victim


def test_a_study_is_built_tried_out_and_analyzed(tmp_path: Path) -> None:
    run = trompe.fool(victim(), **SHORT, out=tmp_path / "run")
    study = trompe.Study.build(
        tmp_path / "study", [run], contact="Lab", retain_until="2031-12-31", practice=0
    )
    assert sum(study.built["items"].values()) >= len(run)
    done = study.simulate(tmp_path / "answers.db", listeners=6, kinds=["chance"])
    assert done["finished"] == 6 and not done["failed"]
    answers = study.answers(tmp_path / "answers.db")
    # Of what was acknowledged, consent and checks are no answers to trials.
    assert 0 < len(answers) < done["answers"]
    assert answers["participant"].nunique() == 6
    assert answers["participant"].str.startswith("sim-").all()
    analysis = study.analyze(tmp_path / "answers.db", tmp_path / "results", simulated=True)
    assert analysis.agreement.is_file() and analysis.report
    assert all(len(table.columns) > 0 for table in analysis.tables.values())
    compared = trompe.compare([run], tmp_path / "comparison", study=analysis.agreement)
    assert compared["groups"]


def test_what_is_wrong_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no study"):
        trompe.Study(tmp_path)
    with pytest.raises(ValueError, match="contact"):
        trompe.Study.build(tmp_path / "study", [], contact="", retain_until="2031-12-31")
    with pytest.raises(ValueError, match="nothing"):
        trompe.Study.build(
            tmp_path / "study", [tmp_path / "nothing"], contact="Lab", retain_until="2031-12-31"
        )
