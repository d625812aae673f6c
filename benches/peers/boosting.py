#!/usr/bin/env python3
"""Boosting beside its peers: the same generated 9,000 x 120 x 10 data, one run, interleaved.

    python3 benches/peers/boosting.py [--rounds 100] [--repeats 3] [--json]

Installs the peers into a throw-away environment. Every figure is milliseconds of CPU time a
round, on one thread, without reading the data; sorting and binning count. A round of
XGBoost and LightGBM is ten trees (one a class), of the others one stump or tree for all
classes. The original's package, MultiBoost, is not on the package index: its 253-300 ms
a stump round were measured elsewhere and are not reproduced here.
"""

import argparse
import tempfile
import time
from pathlib import Path

from common import Row, built, cpu_ms, in_environment, interleaved, report

in_environment(["numpy==2.4.6", "scikit-learn==1.9.1", "xgboost==3.2.0", "lightgbm==4.7.0"])

import lightgbm
import numpy
import xgboost
from sklearn.ensemble import AdaBoostClassifier
from sklearn.tree import DecisionTreeClassifier


def generate(path: Path):
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
    program = built("time_boosting")
    many, one = (cpu_ms([program, features, count, learner, 1]) for count in (rounds + 1, 1))
    return (many - one) / rounds


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--peer-rounds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()

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
        medians = interleaved(contenders, options.repeats)

    def row(peer, depth, goal=None):
        own = "trompe stumps" if depth == 1 else "trompe two-node trees"
        work = f"boosting round, 9,000 x 120 x 10, depth {depth}"
        return Row(work, peer, medians[own], medians[peer], goal=goal)

    report([
        row("scikit-learn SAMME, depth 1", 1),
        row("XGBoost hist, depth 1", 1),
        row("LightGBM, 2 leaves", 1),
        row("scikit-learn SAMME, depth 2", 2),
        row("XGBoost hist, depth 2", 2),
        row("LightGBM, 3 leaves", 2),
    ])


if __name__ == "__main__":
    main()
