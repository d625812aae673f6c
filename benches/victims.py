#!/usr/bin/env python3
"""How easily each kind of victim is fooled, on one scale: prints the tables of docs/victims.md.

Every victim is searched by the climber with the same budget and three seeds; as many random candidates are
drawn beside each search. A model's file that is there already is used again, as is a finished run.

    python3 benches/victims.py target/release/trompe OUT [--seeds N] [NAME ...]

Needs numpy. Names choose rows; without names all are made, which takes some hours on two cores: the taggers
and sparse representation cost most.
"""

import argparse
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np

from levels import mean, run

BUDGET = 500
POSTERIORS = [0.5, 0.999]

# Excerpts of 30 s, as genuine items are: scores of other lengths do not compare.
LOOPS = ["--bank", "loops"]
PATCHES = ["--generator", "patches"]
# Tags that labels of the collection `game-music` mean.
TAGS_OF_GAME_MUSIC = {"MSD": ["ambient", "electronic", "metal"], "MTT": ["ambient", "electronic", "metal"]}

# Name: how the model is made (words of `trompe train`, or the name of a fetched net), and how candidates are.
VICTIMS = {
    "adabffs, 4000 rounds": (["styles", "--rounds", "4000"], LOOPS),
    "adabffs, 250 rounds": (["styles", "--rounds", "250"], LOOPS),
    "srcam": (["styles", "--classifier", "srcam"], LOOPS),
    "logistic, sound": (["styles", "--classifier", "logistic"], LOOPS),
    "MSD_musicnn": ("musicnn", LOOPS),
    "MSD_vgg": ("musicnn", LOOPS),
    "MTT_musicnn": ("musicnn", LOOPS),
    "MTT_vgg": ("musicnn", LOOPS),
    "lenet": (["mnist", "--classifier", "lenet"], PATCHES),
    "lenet-5": (["mnist", "--classifier", "lenet-5"], PATCHES),
    "softmax": (["mnist", "--classifier", "logistic"], PATCHES),
    "efficientnet-lite0": ("efficientnet-lite0", PATCHES),
}


def fetched(trompe, collection, out):
    """The folder of a fetched collection, copied: a reference is written beside the net."""
    folder = out / collection
    if not folder.exists():
        path = subprocess.run([trompe, "corpus", "fetch", collection, "--quiet"], check=True, capture_output=True, text=True)
        shutil.copytree(path.stdout.strip(), folder)
    return folder


def victim(trompe, out, name):
    made, _ = VICTIMS[name]
    if isinstance(made, list):
        model = out / ("-".join(made).replace("--", "") + ".safetensors")
        if not model.exists():
            run(trompe, "train", *made, "--out", str(model))
        return model
    if made != "musicnn":
        return made
    net = fetched(trompe, made, out) / f"{name}.onnx"
    known = net.with_suffix(".genuine")
    if not known.exists():
        labels = out / f"{name}-labels.toml"
        tags = TAGS_OF_GAME_MUSIC[name.split("_")[0]]
        labels.write_text("".join(f'{tag} = "{tag}"\n' for tag in tags) + 'orchestral = ""\n')
        run(trompe, "reference", str(net), "--genuine", "game-music", "--labels", str(labels))
        known.touch()
    return net


def searches(trompe, out, name, seeds):
    model = victim(trompe, out, name)
    folder = out / "searches" / name.replace(", ", "-").replace(" ", "-")
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "config.toml"
    config.write_text(f"base_rate_candidates = {BUDGET}\n")
    for seed in range(1, seeds + 1):
        to = folder / f"seed-{seed}"
        if (to / "run.toml").exists() and not (to / "report.json").exists():
            run(trompe, "fool", "--resume", str(to))
        elif not (to / "report.json").exists():
            run(trompe, "fool", str(model), *VICTIMS[name][1], "--config", str(config), "--budget", str(BUDGET),
                "--exhibits", "1", "--seed", str(seed), "--out", str(to))
        rows = np.load(to / "base-rate.npz")["log_odds"]
        yield json.loads((to / "report.json").read_text()), rows


def reached(rows, limits, tags):
    """For each class, whether one of these candidates reaches its limit: under its label alone, or as a tag."""
    above = rows >= limits
    if not tags:
        top = rows.max(axis=1, keepdims=True)
        above &= (rows == top) & ((rows == top).sum(axis=1, keepdims=True) == 1)
    return above


def limits_of(report):
    """What is asked for, in order: a name, the limit of each class in log-odds (nan where undefined), and the
    classes that the search reached."""
    classes = report["classes"]
    for posterior in POSTERIORS:
        limit = np.full(len(classes), np.log(posterior / (1 - posterior)))
        yield posterior, limit, sum((c["best_posterior"] or 0) >= posterior for c in classes)
    for level in report.get("levels") or []:
        thresholds = report["origin"]["reference"]["thresholds"]
        limit = next(t["log_odds"] for t in thresholds if t["level"] == level["level"])
        yield f"level {level['level']}", np.array(limit, dtype=float), level["classes_reached"]


def coverage(name, found):
    """One line a victim and limit: classes reached by search and by as many random candidates, the share of
    random candidates that reach one, evaluations; means over seeds with their range."""
    lines = {}
    for report, rows in found:
        tags = report["origin"]["classifier"]["posterior_kind"] == "sigmoid"
        for at, limit, by_search in limits_of(report):
            random = reached(rows, limit, tags)
            line = lines.setdefault(at, {"of": int(np.sum(~np.isnan(limit))), "search": [], "random": [], "rate": []})
            line["search"].append(by_search)
            line["random"].append(int(random.any(axis=0).sum()))
            line["rate"].append(100 * random.any(axis=1).mean())
    for at, line in lines.items():
        print(f"|{name}|{at}|{line['of']}|{between(line['search'])}|{between(line['random'])}|{between(line['rate'], 1)}|")


def between(values, digits=0):
    """Mean and range over seeds."""
    if min(values) == max(values):
        return f"{values[0]:.{digits}f}"
    return f"{mean(values):.1f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def certainty(name, found):
    """One line a victim: genuine items against random candidates, and what it calls what is no music or digit."""
    report = found[0][0]
    apart = [next((s for s in (r.get("genuine") or {}).get("separation", []) if s["score"] == "highest score"), None) for r, _ in found]
    auroc = "-"
    if None not in apart:
        low, high = min(s["auroc_interval"]["low"] for s in apart), max(s["auroc_interval"]["high"] for s in apart)
        auroc = f"{mean([s['auroc'] for s in apart]):.3f} ({low:.3f}-{high:.3f})"
    best = [np.median([c["best_posterior"] or 0 for c in r["classes"]]) for r, _ in found]
    probes = ", ".join(f"{p['probe']}: {p['label']} {p['posterior']:.3f}" for p in report.get("probes") or [])
    print(f"|{name}|{auroc}|{mean(best):.3f}|{probes}|")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("trompe")
    arguments.add_argument("out", type=Path)
    arguments.add_argument("names", nargs="*", metavar="NAME", help=", ".join(VICTIMS))
    arguments.add_argument("--seeds", type=int, default=3)
    given = arguments.parse_intermixed_args()
    names = given.names or list(VICTIMS)
    given.out.mkdir(parents=True, exist_ok=True)
    found = {name: list(searches(given.trompe, given.out, name, given.seeds)) for name in names}
    print("| victim | limit | classes with it | reached by search | by as many random candidates | random candidates that reach a class, % |")
    print("|" + "---|" * 6)
    for name in names:
        coverage(name, found[name])
    print("\n| victim | AUROC, genuine against random | median best posterior | probes |")
    print("|" + "---|" * 4)
    for name in names:
        certainty(name, found[name])


if __name__ == "__main__":
    main()
