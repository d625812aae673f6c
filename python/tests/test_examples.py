"""The examples, in processes of their own; memory; the time of an import."""

from __future__ import annotations

import doctest
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import trompe
from conftest import brightness, victim

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.parametrize("name", ["fool_pipeline.py", "fool_numpy_net.py"])
def test_an_example_fools_its_victim_and_the_set_verifies(name: str) -> None:
    line = [sys.executable, "-W", "error", str(EXAMPLES / name)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    exhibits = re.search(r"Run (\d+) exhibits of (\d+) of", done.stdout)
    assert exhibits is not None and int(exhibits[2]) >= 2, done.stdout
    assert "verified: True" in done.stdout


def test_what_the_documentation_shows_is_so() -> None:
    page = Path(__file__).parents[2] / "docs/python.md"
    failed, tried = doctest.testfile(str(page), module_relative=False)
    assert tried > 8 and failed == 0


def resident() -> int:
    """Bytes of this process that are in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_memory_does_not_grow_with_evaluations() -> None:
    def function(images: Any) -> Any:
        return np.array(brightness(images))  # a new array each call

    of = victim(function, image=(28, 28, 1))
    options: dict[str, Any] = {"threshold": 1 - 1e-15, "random_candidates": 0}
    trompe.fool(of, budget=1_000, **options)  # warms allocator, threads, imports
    before = resident()
    run = trompe.fool(of, budget=10_000, **options)
    assert run.evaluations == 10_000
    assert resident() - before < 20e6


def test_an_import_loads_neither_numpy_nor_the_library() -> None:
    code = (
        "import sys, trompe; "
        "print(sorted({'numpy', 'sklearn', 'pandas', 'trompe._trompe'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there() -> None:
    for name in trompe.__all__:
        assert getattr(trompe, name) is not None
    assert set(dir(trompe)) == set(trompe.__all__)
    with pytest.raises(AttributeError, match="nonsense"):
        _ = trompe.nonsense
