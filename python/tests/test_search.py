"""Searches by turns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import trompe
from conftest import SHORT, brightness, content, crossings, hearing, victim

IMAGES: dict[str, Any] = {
    "image": (8, 8, 1),
    "output": "log_odds",
    "fingerprint": "brightness",
    "budget": 400,
    "exhibits": 2,
}


def search(out: Path, **options: Any) -> trompe.Search:
    return trompe.Search(["dark", "bright"], out=out, **(IMAGES | options))


def finish(turns: trompe.Search, portion: int | None = None) -> None:
    while not turns.done:
        turns.tell(brightness(turns.ask(portion)))


@pytest.mark.parametrize("portion", [None, 1, 7])
def test_turns_come_to_the_run_of_fool(portion: int | None, tmp_path: Path) -> None:
    run = trompe.fool(victim(), **SHORT, out=tmp_path / "whole")
    turns = search(tmp_path / "turns")
    finish(turns, portion)
    assert turns.evaluations == run.evaluations and turns.open_classes == 0
    assert turns.ask().shape == (0,)
    whole, parts = content(run.folder), content(turns.folder)
    for name in ["trace.jsonl", "archive.json"]:
        assert whole[name] == parts[name]
    # What was found is delivered by a victim with the same fingerprint.
    delivered = trompe.resume(turns.folder, victim())
    assert delivered.manifest == run.manifest
    reaching = [elite for elite in turns.elites() if elite["reaches"]]
    assert {elite["class"] for elite in reaching} == {"dark", "bright"}
    assert {elite["evaluation"] for elite in reaching} >= {
        exhibit["evaluation"] for exhibit in run.exhibits
    }


def test_turns_of_sound_come_to_the_run_of_fool(tmp_path: Path) -> None:
    options: dict[str, Any] = {"bank": "synthetic-loops", "budget": 40, "exhibits": 1}
    run = trompe.fool(hearing(), **options, random_candidates=5, out=tmp_path / "whole")
    with trompe.Search(
        ["hiss", "hum"],
        audio=16_000,
        seconds=2.0,
        fingerprint="crossings",
        out=tmp_path / "turns",
        **options,
    ) as turns:
        while not turns.done:
            sounds = turns.ask()
            assert sounds.dtype == np.float32 and sounds.shape[1] == 32_000
            turns.tell(crossings(sounds))
    assert content(turns.folder)["archive.json"] == content(run.folder)["archive.json"]


def test_a_search_that_was_closed_goes_on(tmp_path: Path) -> None:
    finish(search(tmp_path / "whole"))
    rounds = 0
    while True:
        turns = search(tmp_path / "parts")
        for _ in range(2):
            if not turns.done:
                turns.tell(brightness(turns.ask()))
        if turns.done:
            break
        turns.ask()  # asked and never told
        turns.close()
        rounds += 1
    assert rounds > 2
    whole, parts = content(tmp_path / "whole"), content(tmp_path / "parts")
    assert whole["archive.json"] == parts["archive.json"]
    assert whole["trace.jsonl"] == parts["trace.jsonl"]
    with pytest.raises(ValueError, match="another|other"):
        search(tmp_path / "parts", fingerprint="another")


def test_turns_are_kept(tmp_path: Path) -> None:
    turns = search(tmp_path / "run")
    with pytest.raises(RuntimeError, match="nothing was asked"):
        turns.tell(np.zeros((1, 2)))
    images = turns.ask(5)
    assert images.shape == (5, 8, 8, 1)
    with pytest.raises(RuntimeError, match="tell the scores"):
        turns.ask()
    for scores, message in [
        (np.zeros((4, 2)), r"shape \(4, 2\), not \(5, 2\)"),
        (np.full((5, 2), np.nan), "finite"),
    ]:
        with pytest.raises(ValueError, match=message):
            turns.tell(scores)
    turns.tell(brightness(images))
    with pytest.raises(ValueError, match="at least 1"):
        turns.ask(0)
    finish(turns)
    assert turns.done


def test_scores_that_are_not_what_was_stated_may_be_told_again(tmp_path: Path) -> None:
    turns = search(tmp_path / "run", output="probabilities")
    images = turns.ask()
    with pytest.raises(ValueError, match="no probability"):
        turns.tell(np.full((len(images), 2), 1.5))
    bright = 1 / (1 + np.exp(-brightness(images)[:, 1]))
    turns.tell(np.stack([1 - bright, bright], axis=1))
    assert turns.evaluations == len(images)


def test_settings_of_a_search_are_checked(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="gradient"):
        search(tmp_path / "run", emitter="gradient-ascent")
    with pytest.raises(ValueError, match="budget"):
        search(tmp_path / "run", budget=0)


def test_a_search_that_is_dropped_ends() -> None:
    for _ in range(20):
        turns = trompe.Search(["dark", "bright"], **IMAGES)
        turns.ask()
        del turns
