"""Victims and data that the tests share."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import trompe

Array = npt.NDArray[Any]


def brightness(images: Array) -> Array:
    """Log-odds of dark and bright."""
    light = images.reshape(len(images), -1).mean(axis=1) / 9 - 14
    return np.stack([-light, light], axis=1)


def crossings(sounds: Array) -> Array:
    """Log-odds of hiss and hum, by zero crossings a second at 16 kHz."""
    signs = np.signbit(sounds)
    rate = (signs[:, 1:] != signs[:, :-1]).mean(axis=1) * 16_000
    hiss = (rate - 2_000) / 100
    return np.stack([hiss, -hiss], axis=1)


def victim(function: Callable[[Array], Any] = brightness, **options: Any) -> trompe.Victim:
    """Make a victim of small images."""
    stated: dict[str, Any] = {
        "classes": ["dark", "bright"],
        "image": (8, 8, 1),
        "output": "log_odds",
        "fingerprint": "brightness",
    }
    return trompe.Victim(function, **(stated | options))


def hearing(function: Callable[[Array], Any] = crossings, **options: Any) -> trompe.Victim:
    """Make a victim of sound."""
    stated: dict[str, Any] = {
        "classes": ["hiss", "hum"],
        "audio": 16_000,
        "output": "log_odds",
        "fingerprint": "crossings",
        "seconds": 2.0,
    }
    return trompe.Victim(function, **(stated | options))


#: A short run.
SHORT: dict[str, Any] = {"budget": 400, "exhibits": 2, "random_candidates": 20}


def content(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder by its name."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def command(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    line = [sys.executable, "-m", "trompe", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, check=False, cwd=cwd)


@pytest.fixture(scope="session")
def mnist() -> trompe.Images:
    """MNIST as the fetch cache has it."""
    return trompe.images("mnist")


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train a small model of sound by the command."""
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    done = command("train", "synthetic", "--clips", "12", "--rounds", "50", "--out", path)
    assert done.returncode == 0, done.stderr
    return path
