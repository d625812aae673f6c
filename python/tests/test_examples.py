"""The examples, in processes of their own; memory; the time of an import."""

from __future__ import annotations

import doctest
import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import trompe
from conftest import brightness, command, victim

EXAMPLES = Path(__file__).parents[1] / "examples"


def run_example(name: str, *arguments: object) -> tuple[str, int]:
    """Run an example, and return what it prints and how many classes it fooled."""
    line = [sys.executable, "-W", "error", str(EXAMPLES / name), *map(str, arguments)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    assert "verified: True" in done.stdout
    exhibits = re.search(r"Run (\d+) exhibits of (\d+) of", done.stdout)
    assert exhibits is not None, done.stdout
    return done.stdout, int(exhibits[2])


@pytest.mark.parametrize("name", ["fool_pipeline.py", "fool_numpy_net.py"])
def test_an_example_fools_its_victim_and_the_set_verifies(name: str) -> None:
    assert run_example(name)[1] >= 2


def test_a_net_of_torch_is_fooled() -> None:
    if importlib.util.find_spec("torch") is None:
        pytest.skip("PyTorch is not installed")
    assert run_example("fool_torch_net.py")[1] >= 2


def test_a_published_tagger_is_fooled_with_the_scores_of_the_command(tmp_path: Path) -> None:
    if importlib.util.find_spec("onnxruntime") is None:
        pytest.skip("the package onnxruntime is not installed")
    if not os.environ.get("TROMPE_TEST_FETCH"):
        pytest.skip("it fetches the package musicnn: set TROMPE_TEST_FETCH=1")
    fetched = command("corpus", "fetch", "musicnn")
    assert fetched.returncode == 0, fetched.stderr
    nets = Path(fetched.stdout.strip())
    printed, fooled = run_example("fool_musicnn.py", nets, tmp_path / "run")
    assert fooled >= 1
    difference = re.search(r"largest difference to the command: (\S+)", printed)
    assert difference is not None and float(difference[1]) <= 1e-4
    # The same of the command itself.
    run = trompe.Run(tmp_path / "run")
    done = command("predict", nets / "MSD_musicnn.onnx", *run.files, "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert len(said) == len(run)
    for answer, exhibit in zip(said, run.exhibits, strict=True):
        by_command = [answer["classes"][name]["posterior"] for name in run.classes]
        np.testing.assert_allclose(exhibit["posteriors"], by_command, atol=1e-4)


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
