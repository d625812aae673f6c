#!/usr/bin/env python3
"""How certain classifiers are of genuine items and of random candidates, on one scale.

Trains each classifier, draws random candidates with five seeds, and prints the table of docs/levels.md.
Three cells are computed again in numpy, from the rows that `trompe` keeps (base-rate.npz, and the genuine
reference inside the model's file), by code that shares nothing with trompe.

    python3 benches/levels.py target/release/trompe OUT [NAME ...]

Needs numpy. Names choose rows; without names all are made, which takes about an hour on two cores.
"""

import io
import json
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np

CANDIDATES = 1000
SEEDS = 5

# Name: how it is trained, and how random candidates are made.
SOUND = ["--bank", "loops"]
ROWS = {
    "adabffs, 4000 rounds": (["styles", "--rounds", "4000"], SOUND),
    "adabffs, 250 rounds": (["styles", "--rounds", "250"], SOUND),
    "adabffs, 60 rounds": (["styles", "--rounds", "60"], SOUND),
    "adabffs, 4000 rounds, normalized": (["styles", "--rounds", "4000", "--votes", "normalized"], SOUND),
    "adabffs, 250 rounds, normalized": (["styles", "--rounds", "250", "--votes", "normalized"], SOUND),
    "adabffs, 60 rounds, normalized": (["styles", "--rounds", "60", "--votes", "normalized"], SOUND),
    "logistic, sound": (["styles", "--classifier", "logistic"], SOUND),
    "srcam": (["styles", "--classifier", "srcam"], SOUND),
    "adaboost-mh, 250 rounds, pixels against patches": (["mnist", "--classifier", "adaboost-mh", "--rounds", "250"], ["--generator", "patches"]),
    "logistic, pixels against patches": (["mnist", "--classifier", "logistic"], ["--generator", "patches"]),
    "lenet against patches": (["mnist", "--classifier", "lenet"], ["--generator", "patches"]),
    "lenet against cppn": (["mnist", "--classifier", "lenet"], ["--generator", "cppn"]),
    "lenet against pixels": (["mnist", "--classifier", "lenet"], ["--generator", "pixels"]),
    "lenet-5 against patches": (["mnist", "--classifier", "lenet-5"], ["--generator", "patches"]),
}


def run(trompe, *arguments):
    subprocess.run([trompe, *arguments, "--quiet"], check=True, stdout=subprocess.DEVNULL)


def reports(trompe, out, name):
    training, candidates = ROWS[name]
    folder = out / name.replace(", ", "-").replace(" ", "-")
    folder.mkdir(parents=True, exist_ok=True)
    model = out / ("-".join(training).replace("--", "") + ".safetensors")
    if not model.exists():
        run(trompe, "train", *training, "--out", str(model))
    config = folder / "config.toml"
    config.write_text(f"base_rate_candidates = {CANDIDATES}\n")
    found = []
    for seed in range(1, SEEDS + 1):
        to = folder / f"seed-{seed}"
        if (to / "run.toml").exists() and not (to / "report.json").exists():
            run(trompe, "fool", "--resume", str(to))
        elif not (to / "report.json").exists():
            run(trompe, "fool", str(model), *candidates, "--config", str(config), "--budget", "32", "--seed", str(seed), "--out", str(to))
        found.append(json.loads((to / "report.json").read_text()))
    return model, folder, found


def rate(report, at):
    return next(rates for rates in report["genuine"]["rates"] if rates["at"] == at)


def separation(report, score):
    """Of genuine items from random candidates by this score, if the report has it."""
    return next((s for s in report["genuine"]["separation"] if s["score"] == score), None)


def mean(values):
    return sum(values) / len(values)


def percent(values):
    """Mean and range over seeds."""
    if None in values:
        return "undefined"
    return f"{100 * mean(values):.1f} ({100 * min(values):.1f}-{100 * max(values):.1f})"


def row(name, found):
    genuine = found[0]["genuine"]
    apart = [separation(r, "highest score") for r in found]
    by_distance = [separation(r, "Mahalanobis distance") for r in found]
    cells = [name, genuine["source"]["kind"] + (" BIASED" if genuine["biased"] else "")]
    for at in [{"posterior": 0.999}, {"level": 0.1}, {"level": 0.5}, {"level": 0.9}]:
        shares = [rate(r, at)["random"] for r in found]
        cells.append(percent([s and s["share"] for s in shares]))
        right = rate(found[0], at)["genuine_right"]
        cells.append("-" if right is None else f"{100 * right['share']:.1f} ({100 * right['low']:.1f}-{100 * right['high']:.1f})")
    low = min(s["auroc_interval"]["low"] for s in apart)
    high = max(s["auroc_interval"]["high"] for s in apart)
    cells.append(f"{mean([s['auroc'] for s in apart]):.3f} ({low:.3f}-{high:.3f})")
    low = min(s["fpr95_interval"]["low"] for s in apart)
    high = max(s["fpr95_interval"]["high"] for s in apart)
    cells.append(f"{mean([s['fpr95'] for s in apart]):.3f} ({low:.3f}-{high:.3f})")
    if None in by_distance:
        cells.append("-")
    else:
        low = min(s["auroc_interval"]["low"] for s in by_distance)
        high = max(s["auroc_interval"]["high"] for s in by_distance)
        cells.append(f"{mean([s['auroc'] for s in by_distance]):.3f} ({low:.3f}-{high:.3f})")
    worth = genuine["calibration"]

    def number(key):
        if worth[key] is None:
            return "-"
        between = worth[key + "_interval"]
        return f"{worth[key]:.3f} ({between['low']:.3f}-{between['high']:.3f})"

    band = worth["ece_band"]
    cells += [
        f"{number('nll_raw')} → {number('nll')}, uniform {worth['nll_uniform']:.3f}",
        f"{number('ece_raw')} → {number('ece')}" + ("" if band is None else f", perfect {band['low']:.3f}-{band['high']:.3f}"),
        "-" if genuine["reliable"] is None else f"{genuine['reliable']['posterior']:.6f}",
    ]
    return cells


def reference_of(model):
    """The genuine reference inside a model's file: a safetensors file whose tensor `reference` is an .npz."""
    data = Path(model).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    start, end = json.loads(data[8 : 8 + length])["reference"]["data_offsets"]
    return np.load(io.BytesIO(data[8 + length + start : 8 + length + end]))


def level_limits(reference, q):
    """For each class, the score that a candidate must exceed; nan where undefined."""
    scores, y, group = reference["log_odds"], reference["y"], reference["group"]
    best = scores.max(axis=1)
    single = (scores == best[:, None]).sum(axis=1) == 1
    right = single & (scores.argmax(axis=1) == y)
    limits = np.full(scores.shape[1], np.nan)
    for k in range(scores.shape[1]):
        mine = right & (y == k)
        groups, index, sizes = np.unique(group[mine], return_inverse=True, return_counts=True)
        if len(groups) < 9 or (len(groups) + 1) * min(q, 1 - q) < 1 - 1e-9:
            continue
        s = scores[mine, k]
        order = np.argsort(s, kind="stable")
        reached = np.cumsum(1 / sizes[index][order]) / (len(groups) + 1)
        limits[k] = s[order][np.argmax(reached >= q - 1e-12)]
    return limits


def check(model, folder, found):
    """Computes three cells again: the share at 0.999, the share at level 0.5, and the AUROC."""
    rows = np.load(folder / "seed-1" / "base-rate.npz")["log_odds"]
    reference = reference_of(model)
    top = rows.max(axis=1)
    label = np.where((rows == top[:, None]).sum(axis=1) == 1, rows.argmax(axis=1), -1)
    at_999 = np.mean((label >= 0) & (top >= np.log(0.999 / 0.001)))
    limits = level_limits(reference, 0.5)
    counted = (label < 0) | ~np.isnan(limits[label])
    at_level = np.mean(((label >= 0) & (top > limits[label]))[counted]) if counted.any() else float("nan")
    genuine = reference["log_odds"].max(axis=1)
    auroc = np.mean((genuine[:, None] > top[None, :]) + 0.5 * (genuine[:, None] == top[None, :]))
    said = rate(found[0], {"posterior": 0.999})["random"]["share"]
    assert abs(at_999 - said) < 1e-12, (at_999, said)
    said = rate(found[0], {"level": 0.5})["random"]
    assert said is None or abs(at_level - said["share"]) < 1e-12, (at_level, said)
    said = separation(found[0], "highest score")["auroc"]
    assert abs(auroc - said) < 1e-12, (auroc, said)


def coverage_of_halves(model):
    """A held-out reference against itself: half of the groups as the reference, the other half as new items."""
    reference = reference_of(model)
    scores, y, group = reference["log_odds"], reference["y"], reference["group"]
    first = np.random.default_rng(1).permutation(group.max() + 1)[: (group.max() + 1) // 2]
    inside = np.isin(group, first)
    half = {"log_odds": scores[inside], "y": y[inside], "group": group[inside]}
    right = ~inside & (scores.argmax(axis=1) == y)
    shares = []
    for q in [0.1, 0.5, 0.9]:
        limits = level_limits(half, q)[y[right]]
        defined = ~np.isnan(limits)
        shares.append(np.mean(scores[right, y[right]][defined] > limits[defined]))
    print(f"{model.name}: of {right.sum()} items of new groups {', '.join(f'{100 * s:.1f} %' for s in shares)} reach 0.1, 0.5, 0.9")


def main():
    trompe, out, names = sys.argv[1], Path(sys.argv[2]), sys.argv[3:] or list(ROWS)
    head = ["classifier", "reference"]
    for at in ["0.999", "level 0.1", "level 0.5", "level 0.9"]:
        head += [f"random at {at}, %", f"genuine at {at}, %"]
    head += ["AUROC", "FPR95", "AUROC by Mahalanobis distance", "NLL raw → calibrated", "ECE raw → calibrated", "reliable from"]
    print("|".join(["", *head, ""]))
    print("|" + "---|" * len(head))
    for name in names:
        model, folder, found = reports(trompe, out, name)
        check(model, folder, found)
        print("|".join(["", *row(name, found), ""]), flush=True)
    for model in sorted(out.glob("mnist*.safetensors")):
        coverage_of_halves(model)


if __name__ == "__main__":
    main()
