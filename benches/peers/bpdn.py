#!/usr/bin/env python3
"""Basis pursuit denoising beside SPAMS' LARS homotopy: the same problems, one run, interleaved.

    python3 benches/peers/bpdn.py [--repeats 5] [--json]

Installs the peer into a throw-away environment. A dictionary of 900 random unit-norm atoms
in 768 dimensions; 200 signals, each a combination of 24 atoms with 12 % noise, of length 1.
Milliseconds of CPU time a signal on one thread, medians. The Gram matrix is given to both:
it is computed once a dictionary. Solutions are only compared when residual and l1 norm
agree within 1 %; the script fails otherwise.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

from common import Row, built, cpu_ms_and_output, in_environment, interleaved, report

in_environment(["numpy==2.4.6", "scipy", "spams-bin==2.6.14"])

import numpy
import spams


def ours(problem: Path, epsilon: float, rounds: int, signals: int):
    """CPU time of more rounds less that of one (reading, Gram matrix), and the figures."""

    def run(count: int):
        spent, printed = cpu_ms_and_output([built("time_bpdn"), problem, epsilon, count])
        return spent, json.loads(printed)

    (once, _), (more, figures) = run(1), run(1 + rounds)
    return (more - once) / rounds / signals, figures


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rng = numpy.random.default_rng(3)
    dimensions, atoms, signals = 768, 900, 200
    d = rng.normal(size=(dimensions, atoms))
    d /= numpy.linalg.norm(d, axis=0)
    x = numpy.empty((dimensions, signals))
    for column in range(signals):
        chosen = rng.choice(atoms, 24, replace=False)
        clean = d[:, chosen] @ rng.normal(size=24)
        noise = rng.normal(size=dimensions)
        x[:, column] = clean / numpy.linalg.norm(clean) + 0.12 * noise / numpy.linalg.norm(noise)
    x = numpy.asfortranarray(x / numpy.linalg.norm(x, axis=0))
    d = numpy.asfortranarray(d)
    gram = numpy.asfortranarray(d.T @ d)

    def peer(epsilon: float):
        start = time.process_time()
        # Given the Gram matrix, SPAMS wants D^T x as well: that product counts.
        q = numpy.asfortranarray(d.T @ x)
        code = spams.lasso(x, Q=gram, q=q, lambda1=epsilon**2, mode=1, numThreads=1)
        spent = time.process_time() - start
        residual = numpy.linalg.norm(x - d @ code.toarray(), axis=0).max()
        return 1e3 * spent / signals, abs(code).sum() / signals, residual, code.nnz / signals

    rows = []
    with tempfile.TemporaryDirectory() as folder:
        problem = Path(folder) / "problem.npz"
        numpy.savez(problem, D=numpy.ascontiguousarray(d.T), X=numpy.ascontiguousarray(x.T))
        for epsilon, rounds in ((0.1, 1), (0.2, 10)):
            _, figures = ours(problem, epsilon, rounds, signals)
            _, norm, residual, support = peer(epsilon)
            assert abs(figures["mean_l1"] / norm - 1) < 0.01, (figures, norm)
            assert abs(figures["worst_residual"] / epsilon - 1) < 0.01, figures
            assert abs(residual / epsilon - 1) < 0.01, residual
            medians = interleaved({
                "trompe": lambda: ours(problem, epsilon, rounds, signals)[0],
                "SPAMS": lambda: peer(epsilon)[0],
            }, options.repeats)
            work = f"BPDN 768 x 900, eps {epsilon}, support {support:.0f}"
            rows.append(Row(work, "SPAMS, LARS homotopy", medians["trompe"], medians["SPAMS"], goal=2))
    report(rows, ["l1 norms and residuals agree within 1 %"])


if __name__ == "__main__":
    main()
