#!/usr/bin/env python3
"""Basis pursuit denoising beside SPAMS' LARS homotopy: the same problems, one run, interleaved.

    cargo build --release --example time_bpdn
    python3 benches/peers/bpdn.py [--repeats 5]

Installs the peer into a throw-away environment. A dictionary of 900 random unit-norm atoms
in 768 dimensions; 200 signals, each a combination of 24 atoms with 12 % noise, of length 1.
Milliseconds of CPU time a signal on one thread, medians. The Gram matrix is given to both:
it is computed once a dictionary. Solutions are only compared when residual and l1 norm
agree within 1 %; the script fails otherwise.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

PACKAGES = ["numpy==2.4.6", "scipy", "spams-bin==2.6.14"]
ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "target" / "release" / "examples" / "time_bpdn"


def in_environment() -> None:
    """Runs this script again inside a temporary environment that has the peer."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "-q", *PACKAGES], check=True)
        subprocess.run([python, __file__, "--inside", *sys.argv[1:]], check=True)


def ours(problem: Path, epsilon: float, rounds: int, signals: int):
    """CPU time of more rounds less that of one (reading, Gram matrix), and the figures."""

    def run(count: int):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([PROGRAM, problem, str(epsilon), str(count)], check=True,
                              capture_output=True, text=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return spent, json.loads(done.stdout)

    (once, _), (more, figures) = run(1), run(1 + rounds)
    return 1e3 * (more - once) / rounds / signals, figures


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    if not options.inside:
        return in_environment()

    import numpy
    import spams

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

    result = {}
    with tempfile.TemporaryDirectory() as folder:
        problem = Path(folder) / "problem.npz"
        numpy.savez(problem, D=numpy.ascontiguousarray(d.T), X=numpy.ascontiguousarray(x.T))
        for epsilon, rounds in ((0.1, 1), (0.2, 10)):
            mine, theirs = [], []
            for _ in range(options.repeats):
                milliseconds, figures = ours(problem, epsilon, rounds, signals)
                mine.append(milliseconds)
                milliseconds, norm, residual, support = peer(epsilon)
                theirs.append(milliseconds)
                assert abs(figures["mean_l1"] / norm - 1) < 0.01, (figures, norm)
                assert abs(figures["worst_residual"] / epsilon - 1) < 0.01, figures
                assert abs(residual / epsilon - 1) < 0.01, residual
            a, b = statistics.median(mine), statistics.median(theirs)
            result[epsilon] = {"trompe_ms": a, "spams_ms": b, "ratio": b / a, "support": support}
            print(f"epsilon {epsilon}: trompe {a:.3f} ms, SPAMS {b:.3f} ms, {b / a:.1f} x, "
                  f"support {support:.0f}", file=sys.stderr)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
