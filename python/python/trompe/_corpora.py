"""Corpora: clips and images with labels, groups and splits."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from trompe import _trompe

if TYPE_CHECKING:
    import pandas as pd

Group = Literal["artist", "album", "track", "source"]


@dataclass(frozen=True)
class About:
    """What is known of a corpus as a whole.

    Attributes
    ----------
    name : str
    provenance : str
        ``recorded``, ``rendered``, ``synthetic`` or ``unstated``.
    licence : str or None
    labels : str
        What the labels are worth, in a sentence.
    classes : list of str
    notes : list of str
        What was noted when it was opened.
    """

    name: str
    provenance: str
    licence: str | None
    labels: str
    classes: list[str]
    notes: list[str]


class _Items:
    """Labels, splits and groups of the items of a corpus."""

    about: About
    #: Class of each item, as an index into ``about.classes``.
    targets: npt.NDArray[np.int64]
    _splits: list[str | None]

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def classes(self) -> list[str]:
        """Names of the classes."""
        return self.about.classes

    @property
    def labels(self) -> npt.NDArray[np.str_]:
        """Class name of each item: ``y`` for scikit-learn."""
        return np.asarray(self.classes, dtype=np.str_)[self.targets]

    @property
    def splits(self) -> npt.NDArray[np.str_]:
        """Part of the corpus' own partition: train, valid, test, or an empty string."""
        return np.asarray([split or "" for split in self._splits], dtype=np.str_)

    @property
    def predefined_split(self) -> Any:
        """The corpus' test part as scikit-learn's ``PredefinedSplit``.

        Raises
        ------
        ValueError
            If the corpus has no test part.
        """
        from sklearn.model_selection import PredefinedSplit

        test = self.splits == "test"
        if not test.any():
            raise ValueError(f"corpus {self.about.name} has no test part")
        return PredefinedSplit(np.where(test, 0, -1))


class Clips(_Items, Sequence[Any]):
    """A corpus of clips: as a sequence, the sound of each, read when it is asked for.

    So a corpus can be given to `AdaBFFs` as it is, and to scikit-learn's splitters with its `labels`
    and `groups`.

    Attributes
    ----------
    about : About
    sample_rate : int
        That sound is read at, in hertz.
    table : list of dict
        What is known of each clip: id, path, class, other_labels, split, fold, group, start, end.
    targets : array of int
        Class of each clip, as an index into ``classes``.
    """

    def __init__(self, about: About, table: list[dict[str, Any]], sample_rate: int) -> None:
        self.about = about
        self.table = table
        self.sample_rate = sample_rate
        self.targets = np.asarray([clip["class"] for clip in table], dtype=np.int64)
        self._splits = [clip["split"] for clip in table]

    @property
    def groups(self) -> npt.NDArray[np.str_]:
        """What must not be divided between training and test; a clip without a group is its own."""
        return np.asarray([clip["group"] or f"clip {clip['id']}" for clip in self.table])

    @property
    def paths(self) -> list[Path]:
        """The files."""
        return [Path(clip["path"]) for clip in self.table]

    def read(self, index: int) -> npt.NDArray[np.float32]:
        """Sound of a clip, mono, at `sample_rate`.

        Parameters
        ----------
        index : int

        Returns
        -------
        array of shape (samples,)
        """
        clip = self.table[index]
        return _trompe.read_sound(clip["path"], self.sample_rate, clip["start"], clip["end"])

    def take(self, indices: Sequence[int] | npt.NDArray[np.int64]) -> Clips:
        """Return the clips at these places, such as a fold's.

        Parameters
        ----------
        indices : sequence of int

        Returns
        -------
        Clips
        """
        return Clips(self.about, [self.table[int(index)] for index in indices], self.sample_rate)

    def to_dataframe(self) -> pd.DataFrame:
        """One row a clip; the class by name.

        Returns
        -------
        pandas.DataFrame
            Needs pandas.
        """
        import pandas as pd

        frame = pd.DataFrame(self.table)
        frame["class"] = self.labels
        return frame

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self.take(list(range(*index.indices(len(self)))))
        if isinstance(index, (list, np.ndarray)):
            return self.take(np.arange(len(self))[np.asarray(index)])
        return self.read(index)

    def __iter__(self) -> Iterator[npt.NDArray[np.float32]]:
        return (self.read(index) for index in range(len(self)))

    def __repr__(self) -> str:
        classes = len(self.classes)
        return f"<trompe.Clips {self.about.name}: {len(self)} clips, {classes} classes>"


class Images(_Items):
    """A corpus of images in memory.

    Attributes
    ----------
    about : About
    pixels : array of uint8, shape (images, rows, columns, channels)
    targets : array of int
        Class of each image, as an index into ``classes``.
    """

    def __init__(
        self,
        about: About,
        pixels: npt.NDArray[np.uint8],
        targets: npt.NDArray[np.int64],
        splits: list[str | None],
    ) -> None:
        self.about = about
        self.pixels = pixels
        self.targets = targets
        self._splits = splits

    def split(self, name: Literal["train", "valid", "test"]) -> Images:
        """Return the images of a part of the corpus' own partition.

        Parameters
        ----------
        name : {"train", "valid", "test"}

        Returns
        -------
        Images
        """
        chosen = np.flatnonzero(self.splits == name)
        if len(chosen) == 0:
            raise ValueError(f"corpus {self.about.name} has no part '{name}'")
        splits: list[str | None] = [name] * len(chosen)
        return Images(self.about, self.pixels[chosen], self.targets[chosen], splits)

    def __repr__(self) -> str:
        return f"<trompe.Images {self.about.name}: {len(self)} images, {len(self.classes)} classes>"


def collections() -> list[dict[str, Any]]:
    """List the collections that can be fetched, with what they are and their licences.

    Returns
    -------
    list of dict

    Examples
    --------
    >>> import trompe
    >>> "mnist" in [collection["name"] for collection in trompe.collections()]
    True
    """
    rows: list[dict[str, Any]] = json.loads(_trompe.list_collections())
    return rows


def corpus(
    name: str | os.PathLike[str],
    *,
    sample_rate: int = 22_050,
    seed: int = 1,
    clips_per_class: int | None = None,
    group_by: Group | None = None,
) -> Clips:
    """Open a corpus of clips.

    Parameters
    ----------
    name : name or path
        A name of `collections`, which is fetched if it is not in the cache; or a folder per class, a
        table with labels, or a data set as it is downloaded (FMA, MTG-Jamendo, GTZAN and others).
    sample_rate : int
        That sound is read at, in hertz.
    seed, clips_per_class
        Of collections that are rendered.
    group_by : {"artist", "album", "track", "source"}, optional
        Which of the groups that the corpus states `Clips.groups` are.

    Returns
    -------
    Clips

    Examples
    --------
    >>> import trompe
    >>> clips = trompe.corpus("synthetic", clips_per_class=2)
    >>> len(clips) == 2 * len(clips.classes), clips[0].dtype
    (True, dtype('float32'))
    """
    opened, notes = _trompe.open_clips(os.fspath(name), seed, clips_per_class, group_by)
    content = json.loads(opened)
    return Clips(_about(content, notes), content["clips"], sample_rate)


def images(
    name: str | os.PathLike[str], *, seed: int = 1, clips_per_class: int | None = None
) -> Images:
    """Open a corpus of images.

    Parameters
    ----------
    name : name or path
        As for `corpus`: ``"mnist"``, a folder per class of PNG or JPEG files, IDX files.
    seed, clips_per_class
        Of collections that are drawn.

    Returns
    -------
    Images
    """
    pixels, targets, opened, notes = _trompe.open_images(os.fspath(name), seed, clips_per_class)
    content = json.loads(opened)
    return Images(_about(content, notes), pixels, targets, content["splits"])


def _about(content: dict[str, Any], notes: list[str]) -> About:
    facts = ("name", "provenance", "licence", "labels", "classes")
    return About(**{fact: content[fact] for fact in facts}, notes=notes)


def read_sound(
    path: str | os.PathLike[str],
    sample_rate: int = 22_050,
    *,
    start: float = 0.0,
    end: float | None = None,
) -> npt.NDArray[np.float32]:
    """Read an audio file, mono, resampled.

    Parameters
    ----------
    path : path
        WAV, AIFF, FLAC, MP3, Ogg Vorbis, Opus, AAC, and what else the command reads.
    sample_rate : int
        In hertz.
    start, end : float
        A stretch of it in seconds.

    Returns
    -------
    array of shape (samples,)
    """
    return _trompe.read_sound(os.fspath(path), sample_rate, start, end)


def read_image(path: str | os.PathLike[str]) -> npt.NDArray[np.uint8]:
    """Read an image file.

    Parameters
    ----------
    path : path

    Returns
    -------
    array of shape (rows, columns, channels)
    """
    return _trompe.read_image(os.fspath(path))
