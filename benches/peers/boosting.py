#!/usr/bin/env python3
"""Boosting beside its peers: the same generated 9,000 x 120 x 10 data, one run, interleaved.

    cargo build --release --example time_boosting
    python3 benches/peers/boosting.py [--rounds 100] [--repeats 3]

Installs the peers into a throw-away environment. Every figure is milliseconds of CPU time a
round, on one thread, without reading the data; sorting and binning count. A round of
XGBoost and LightGBM is ten trees (one a class), of the others one stump or tree for all
classes. The original's package, MultiBoost, is not on the package index: its 253-300 ms
a stump round were measured elsewhere and are not reproduced here.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

PACKAGES = ["numpy==2.4.6", "scikit-learn==1.9.1", "xgboost==3.2.0", "lightgbm==4.7.0"]
ROOT = Path(__file__).resolve().parents[2]


def in_environment() -> None:
    """Runs this script again inside a temporary environment that has the peers."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "-q", *PACKAGES], check=True)
        subprocess.run([python, __file__, "--inside", *sys.argv[1:]], check=True)


def generate(path: Path):
    import numpy

    rng = numpy.random.default_rng(1)
    classes, excerpts, vectors, features = 10, 100, 9, 120
    centres = rng.normal(size=(classes, features)) * 0.35
    of_excerpt = numpy.repeat(numpy.arange(classes), excerpts)
    offsets = rng.normal(size=(classes * excerpts, features)) * 0.6
    noise = rng.normal(size=(classes * excerpts, vectors, features))
    x = (centres[of_excerpt][:, None] + offsets[:, None] + noise).reshape(-1, features)
    y = numpy.repeat(of_excerpt, vectors)
    x = x.astype(numpy.float32)
    clip = numpy.repeat(numpy.arange(classes * excerpts), vectors)
    numpy.savez(path, X=x, y=y, clip=clip)
    return x, y


def cpu_ms_a_round(fit, rounds: int) -> float:
    start = time.process_time()
    fit()
    return 1e3 * (time.process_time() - start) / rounds


def ours(features: Path, learner: str, rounds: int) -> float:
    """CPU time of the program, less that of a run of a single round (reading, sorting)."""
    import resource

    program = ROOT / "target" / "release" / "examples" / "time_boosting"

    def cpu(count: int) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([program, features, str(count), learner, "1"], check=True,
                       stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return 1e3 * (cpu(rounds + 1) - cpu(1)) / rounds


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--peer-rounds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    if not options.inside:
        return in_environment()

    import lightgbm
    import xgboost
    from sklearn.ensemble import AdaBoostClassifier
    from sklearn.tree import DecisionTreeClassifier

    with tempfile.TemporaryDirectory() as folder:
        features = Path(folder) / "features.npz"
        x, y = generate(features)
        few, many = options.peer_rounds, options.rounds

        def samme(depth):
            tree = DecisionTreeClassifier(max_depth=depth)
            return lambda: AdaBoostClassifier(tree, n_estimators=few).fit(x, y)

        def hist(depth):
            model = xgboost.XGBClassifier(n_estimators=many, max_depth=depth, n_jobs=1)
            return lambda: model.fit(x, y)

        def gbm(leaves):
            model = lightgbm.LGBMClassifier(n_estimators=many, num_leaves=leaves, n_jobs=1,
                                            verbose=-1)
            return lambda: model.fit(x, y)

        contenders = {
            "trompe stumps": lambda: ours(features, "stump", many),
            "trompe two-node trees": lambda: ours(features, "two-node-tree", many),
            "scikit-learn SAMME, depth 1": lambda: cpu_ms_a_round(samme(1), few),
            "scikit-learn SAMME, depth 2": lambda: cpu_ms_a_round(samme(2), few),
            "XGBoost hist, depth 1": lambda: cpu_ms_a_round(hist(1), many),
            "XGBoost hist, depth 2": lambda: cpu_ms_a_round(hist(2), many),
            "LightGBM, 2 leaves": lambda: cpu_ms_a_round(gbm(2), many),
            "LightGBM, 3 leaves": lambda: cpu_ms_a_round(gbm(3), many),
        }
        times = {name: [] for name in contenders}
        for _ in range(options.repeats):
            for name, measure in contenders.items():
                times[name].append(measure())

    medians = {name: statistics.median(values) for name, values in times.items()}
    for name, median in medians.items():
        ratio = median / medians["trompe stumps"]
        print(f"{name:30} {median:8.2f} ms a round  {ratio:6.1f} x trompe stumps", file=sys.stderr)
    print(json.dumps({"ms_per_round": medians, "all": times}))


if __name__ == "__main__":
    main()
