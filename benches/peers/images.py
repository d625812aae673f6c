#!/usr/bin/env python3
"""The image side beside its peers: one run, interleaved, CPU time of one thread.

    trompe train mnist --classifier lenet --out lenet.safetensors
    trompe train mnist --classifier lenet-5 --out lenet-5.safetensors
    python3 benches/peers/images.py lenet.safetensors lenet-5.safetensors [--repeats 5] [--json]

Installs the peers into a throw-away environment. onnxruntime runs the same weights, and its
logits are compared with ours; numpy draws networks like ours (four inputs, about ten nodes);
pyribs searches the same trivial problem of 10 niches and 100 genes. Every figure is items a
second of CPU time, the median over the repeats.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import ROOT, Row, built, in_environment, interleaved, report

in_environment(["numpy==2.4.6", "onnx==1.22.0", "onnxruntime==1.32.0", "ribs==0.12.0"])

sys.path.append(str(ROOT / "tests"))
from convnet_to_onnx import read, to_onnx


def per_second(items: int, work) -> float:
    work()
    start, done = time.process_time(), 0
    while time.process_time() - start < 2.0:
        work()
        done += items
    return done / (time.process_time() - start)


def session(path: Path):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(to_onnx(*read(path)[1:]), options, ["CPUExecutionProvider"])


def agree(program: Path, model: Path) -> float:
    """Largest difference between onnxruntime's logits and ours on 200 random images."""
    import numpy

    images = numpy.random.default_rng(1).integers(0, 256, (200, 1, 28, 28), numpy.uint8)
    with tempfile.NamedTemporaryFile() as file:
        file.write(images.tobytes())
        file.flush()
        output = subprocess.run([program, "logits", model, file.name], check=True, capture_output=True)
    ours = numpy.array(json.loads(output.stdout)).reshape(200, 10)
    theirs = session(model).run(None, {"x": images.astype(numpy.float32)})[0]
    return float(abs(ours - theirs).max())


def onnx_rate(model: Path, batch: int):
    import numpy

    net = session(model)
    images = numpy.random.default_rng(1).integers(0, 256, (batch, 1, 28, 28)).astype(numpy.float32)
    return lambda: per_second(batch, lambda: net.run(None, {"x": images}))


def numpy_rate(program: Path, side: int):
    """The networks that ours draws, without the nodes no output needs, by whole-image operations."""
    import numpy

    output = subprocess.run([program, "networks", str(side)], check=True, capture_output=True)
    axis = numpy.linspace(-1, 1, side, dtype=numpy.float32)
    x, y = numpy.meshgrid(axis, axis)
    inputs = [x, y, numpy.sqrt((x * x + y * y) / 2), numpy.ones_like(x)]
    functions = {
        "sine": lambda v: numpy.sin(v, out=v),
        "sigmoid": lambda v: 2 / (1 + numpy.exp(-v)) - 1,
        "gaussian": lambda v: numpy.exp(-v * v),
        "linear": lambda v: numpy.clip(v, -3, 3) / 3,
    }
    networks = [(graph["activations"], in_order(graph)) for graph in json.loads(output.stdout)]

    def draw():
        for activations, order in networks:
            values = dict(enumerate(inputs))
            for node, links in order:
                total = numpy.zeros_like(x)
                for start, weight in links:
                    total += numpy.float32(weight) * values[start]
                values[node] = functions[activations[node - 4]](total)
            (numpy.minimum(numpy.abs(values[4]), 1) * 255 + 0.5).astype(numpy.uint8)

    return lambda: per_second(len(networks), draw)


def in_order(graph):
    """The nodes that the output, node 4, needs, each after those it needs, with their links."""
    into = {}
    for link in graph["links"]:
        into.setdefault(link["to"], []).append((link["from"], link["weight"]))
    order, seen = [], set(range(4))

    def visit(node):
        if node not in seen:
            seen.add(node)
            for start, _ in into.get(node, []):
                visit(start)
            order.append((node, into.get(node, [])))

    visit(4)
    return order


def ribs_rate(batch: int):
    import numpy
    from ribs.archives import GridArchive
    from ribs.emitters import GaussianEmitter
    from ribs.schedulers import Scheduler

    archive = GridArchive(solution_dim=100, dims=[10], ranges=[(0, 10)], seed=1)
    emitter = GaussianEmitter(archive, sigma=0.1, x0=numpy.zeros(100), batch_size=batch, seed=1)
    scheduler = Scheduler(archive, [emitter])

    def generation():
        solutions = scheduler.ask()
        scores = -(solutions.reshape(-1, 10, 10) ** 2).sum(axis=2)
        top = scores.argmax(axis=1)
        scheduler.tell(scores.max(axis=1), top[:, None] + 0.5)

    return lambda: per_second(batch, generation)


def ours(program: Path, *arguments):
    def rate() -> float:
        command = [program, *map(str, arguments)]
        output = subprocess.run(command, check=True, capture_output=True)
        return json.loads(output.stdout)["per_second"]

    return rate


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("models", type=Path, nargs="+")
    arguments = parser.parse_args()
    program = built("time_images")
    notes, works = [], []
    for model in arguments.models:
        notes.append(f"{model.name}: logits differ by at most {agree(program, model):.1e}")
        for batch in (1, 8, 32, 400):
            works.append((f"{model.stem} posteriors, batch {batch}", "onnxruntime", 1,
                          onnx_rate(model, batch), ours(program, "posteriors", model, batch)))
    for side in (28, 256):
        works.append((f"CPPN, {side} x {side}", "numpy", 10,
                      numpy_rate(program, side), ours(program, "cppn", side)))
    for batch, goal in ((36, 10), (1000, None)):
        works.append((f"archive and emitter, batch {batch}", "pyribs", goal,
                      ribs_rate(batch), ours(program, "search", batch)))
    contenders = {}
    for work, peer, _, theirs, own in works:
        contenders[work, peer], contenders[work, "trompe"] = theirs, own
    medians = interleaved(contenders, arguments.repeats)
    report([
        Row(work, peer, medians[work, "trompe"], medians[work, peer], unit="/s", goal=goal)
        for work, peer, goal, _, _ in works
    ], notes)


if __name__ == "__main__":
    main()
