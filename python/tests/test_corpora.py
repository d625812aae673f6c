"""Corpora as sequences, with splits and groups for scikit-learn."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold, PredefinedSplit

import trompe


def test_a_corpus_is_a_sequence_of_sounds() -> None:
    clips = trompe.corpus("synthetic", clips_per_class=3, sample_rate=16_000)
    assert len(clips) == 3 * len(clips.classes) == len(list(clips.labels))
    assert clips.about.provenance == "synthetic"
    sound = clips[0]
    assert sound.dtype == np.float32 and sound.ndim == 1 and np.abs(sound).max() <= 1
    longer = trompe.read_sound(clips.paths[0], 32_000)
    assert len(longer) == pytest.approx(2 * len(sound), abs=2)
    np.testing.assert_array_equal(clips[-1], clips.read(len(clips) - 1))
    part = clips[2:5]
    assert len(part) == 3 and part.labels.tolist() == clips.labels[2:5].tolist()
    np.testing.assert_array_equal(clips[clips.labels == clips.classes[0]][1], clips[1])
    frame = clips.to_dataframe()
    assert frame["class"].tolist() == clips.labels.tolist()


def test_groups_go_into_scikit_learns_splitters() -> None:
    clips = trompe.corpus("synthetic", clips_per_class=6)
    folds = GroupKFold(3).split(clips, clips.labels, clips.groups)
    for train, test in folds:
        assert not set(clips.groups[train]) & set(clips.groups[test])
        assert len(clips.take(train)) + len(clips.take(test)) == len(clips)
    with pytest.raises(ValueError, match="no test part"):
        _ = clips.predefined_split


def test_folders_and_tables_are_read(tmp_path: Path) -> None:
    clips = trompe.corpus("synthetic", clips_per_class=2)
    for number, (path, label) in enumerate(zip(clips.paths, clips.labels, strict=True)):
        folder = tmp_path / "folders" / str(label)
        folder.mkdir(parents=True, exist_ok=True)
        os.symlink(path, folder / f"{number}.wav")
    mine = trompe.corpus(tmp_path / "folders")
    assert mine.classes == sorted(clips.classes) and len(mine) == len(clips)
    assert mine.about.provenance == "unstated"
    lines = [
        f"{path},{label},{'test' if number % 2 else 'train'},{number // 2}"
        for number, (path, label) in enumerate(zip(clips.paths, clips.labels, strict=True))
    ]
    table = tmp_path / "manifest.csv"
    table.write_text("\n".join(["path,label,split,artist", *lines]))
    listed = trompe.corpus(table, group_by="artist")
    assert isinstance(listed.predefined_split, PredefinedSplit)
    (train, test), *_ = listed.predefined_split.split()
    assert set(listed.splits[test]) == {"test"} and set(listed.splits[train]) == {"train"}
    assert len(set(listed.groups)) == len(clips) // 2
    with pytest.raises(ValueError, match="album"):
        trompe.corpus(table, group_by="album")


def test_images_are_arrays(mnist: trompe.Images) -> None:
    assert mnist.pixels.shape == (70_000, 28, 28, 1) and mnist.pixels.dtype == np.uint8
    assert mnist.classes == [str(digit) for digit in range(10)]
    test = mnist.split("test")
    assert len(test) == 10_000 == len(test.labels)
    with pytest.raises(ValueError, match="no part 'valid'"):
        mnist.split("valid")


def test_what_is_no_corpus_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nothing-of-the-kind"):
        trompe.corpus("nothing-of-the-kind")
    with pytest.raises(ValueError, match="images, not a corpus"):
        trompe.corpus("mnist")
    with pytest.raises(ValueError, match="group_by"):
        trompe.corpus("synthetic", group_by="mood")  # type: ignore[arg-type]
    text = tmp_path / "song.wav"
    text.write_text("no sound")
    with pytest.raises(ValueError, match="song.wav"):
        trompe.read_sound(text)
    with pytest.raises(FileNotFoundError):
        trompe.read_image(tmp_path / "none.png")


def test_collections_are_listed() -> None:
    kinds = {row["name"]: row["kind"] for row in trompe.collections()}
    assert kinds["mnist"] == "images" and kinds["loops"] == "bank"
