"""Nets in ONNX files: which runtime runs them, and that it stays the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import trompe
from conftest import SHORT, Array, command, content

DESCRIPTION = """\
classes = "classes.txt"
width = 8
height = 8
colour = "grey"
mean = [127.5]
deviation = [127.5]
output = "logits"
"""


def field(number: int, value: int | str | bytes) -> bytes:
    """A field of a protocol buffer: a number, or a text or message with its length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value: int) -> bytes:
    low, rest = value & 127, value >> 7
    return bytes([low | 128]) + varint(rest) if rest else bytes([low])


def tensor(name: str, values: Array) -> bytes:
    kind = {"float32": 1, "int64": 7}[values.dtype.name]
    axes = b"".join(field(1, axis) for axis in values.shape)
    return axes + field(2, kind) + field(8, name) + field(9, values.tobytes())


def node(operator: str, inputs: list[str], output: str) -> bytes:
    return b"".join(field(1, name) for name in inputs) + field(2, output) + field(4, operator)


def stated(name: str, axes: tuple[int, ...]) -> bytes:
    """What a graph says of its input or output."""
    shape = b"".join(field(1, field(1, axis)) for axis in axes)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, shape)))


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a net of two layers with its description."""
    rng = np.random.default_rng(1)
    first = rng.normal(0, 0.2, (64, 32)).astype(np.float32)
    second = rng.normal(0, 2, (32, 3)).astype(np.float32)
    nodes = [
        node("Reshape", ["image", "flat"], "pixels"),
        node("MatMul", ["pixels", "first"], "sums"),
        node("Tanh", ["sums"], "hidden"),
        node("MatMul", ["hidden", "second"], "logits"),
    ]
    tensors = [
        tensor("flat", np.array([1, 64])),
        tensor("first", first),
        tensor("second", second),
    ]
    graph = b"".join(field(1, one) for one in nodes) + field(2, "net")
    graph += b"".join(field(5, one) for one in tensors)
    graph += field(11, stated("image", (1, 1, 8, 8))) + field(12, stated("logits", (1, 3)))
    folder = tmp_path_factory.mktemp("net")
    model = field(1, 8) + field(7, graph) + field(8, field(2, 13))
    (folder / "net.onnx").write_bytes(model)
    (folder / "net.toml").write_text(DESCRIPTION)
    (folder / "classes.txt").write_text("a\nb\nc\n")
    return folder / "net.onnx"


IMAGES = np.random.default_rng(2).integers(0, 256, (20, 8, 8, 1), dtype=np.uint8)


def test_the_built_in_runtime_is_the_default(net: Path, tmp_path: Path) -> None:
    plain, chosen = trompe.load(net), trompe.load(net, runtime="rten")
    assert plain.runtime == chosen.runtime and "rten" in str(plain.runtime)
    np.testing.assert_array_equal(plain.log_odds(IMAGES), chosen.log_odds(IMAGES))
    run = trompe.fool(chosen, threshold=0.9, **SHORT, out=tmp_path / "run")
    assert len(run) > 0 and run.verify()["passed"]


def test_onnx_runtime_runs_a_net_where_it_is_asked_for(net: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime", reason="the package onnxruntime is not installed")
    foreign = trompe.load(net, runtime="onnxruntime")
    assert foreign.runtime is not None and foreign.runtime.startswith("ONNX Runtime 1.")
    # The choice is that victim's alone.
    own = trompe.load(net)
    assert own.runtime is not None and "rten" in own.runtime
    np.testing.assert_allclose(foreign.log_odds(IMAGES), own.log_odds(IMAGES), atol=1e-4)
    run = trompe.fool(foreign, threshold=0.9, **SHORT, out=tmp_path / "run")
    assert len(run) > 0
    assert run.manifest["origin"]["classifier"]["runtime"]["name"] == foreign.runtime
    verified = run.verify(foreign)
    assert verified["passed"] and "other_runtime" not in verified
    # The run's copy of the net is opened by the built-in runtime, and the difference is said.
    other = run.verify()
    assert other["passed"] and other["other_runtime"]["now"] == own.runtime
    # The command's run with the same runtime is the same, and each goes on with its own alone.
    line = "--threshold 0.9 --budget 400 --exhibits 2 --runtime onnxruntime --generator patches"
    (tmp_path / "few.toml").write_text("base_rate_candidates = 20\n")
    options = [*line.split(), "--config", tmp_path / "few.toml", "--out", tmp_path / "command"]
    done = command("fool", net, *options)
    assert done.returncode == 0, done.stderr
    assert content(tmp_path / "command") == content(tmp_path / "run")
    again = trompe.resume(tmp_path / "run", foreign)
    assert again.manifest == run.manifest
    with pytest.raises(ValueError, match="another"):
        trompe.resume(tmp_path / "run")


def test_runtimes_that_do_not_apply_are_refused(net: Path, model: Path) -> None:
    with pytest.raises(ValueError, match="'tensorrt' is not one of rten, onnxruntime"):
        trompe.load(net, runtime="tensorrt")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="runtime rten: .*is no net in an ONNX file"):
        trompe.load(model, runtime="rten")


def test_a_run_goes_on_with_its_own_model(net: Path, tmp_path: Path) -> None:
    run = trompe.fool(net, threshold=0.9, **SHORT, out=tmp_path / "run")
    assert trompe.resume(tmp_path / "run", trompe.load(net)).manifest == run.manifest
    other = net.parent / "other.onnx"
    other.write_bytes(net.read_bytes())
    other.with_suffix(".toml").write_text(DESCRIPTION.replace("127.5", "100.0"))
    with pytest.raises(ValueError, match="another"):
        trompe.resume(tmp_path / "run", trompe.load(other))
