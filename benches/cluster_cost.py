#!/usr/bin/env python3
"""What dividing a run costs: processor time of shards and merges for more and more shards.

    cargo build --release
    trompe train styles --rounds 4000 --reference-folds 0 --out adabffs.safetensors
    python3 benches/cluster_cost.py adabffs.safetensors --bank loops

Every plan has the same budget over three rounds, of which the first two are computed here, one
shard after the other on one thread. Two lines are fitted by least squares: a shard's time over
its evaluations (the intercept is what starting costs: reading model, bank and elites), and a
merge's time over its shards. From them follows the model of the page on clusters,

    time(nodes) = rounds x (ceil(shards / nodes) x (start + evaluations x each) + merge).
"""

import argparse
import math
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = ROOT / "target" / "release" / "trompe"
ROUNDS = 3
SHARDS = [1, 2, 4, 8, 16, 32, 64]


def trompe(*arguments):
    """Seconds of processor time and of the clock that a command takes on one thread."""
    before, start = os.times(), time.perf_counter()
    command = [PROGRAM, "--quiet", "--threads", "1", *(str(word) for word in arguments)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    return processor, time.perf_counter() - start


def measure(arguments, shards, folder):
    """Medians over the shards and merges of the first two rounds of one plan."""
    run = Path(folder) / f"of-{shards}"
    trompe("fool", "plan", arguments.model, "--bank", arguments.bank, "--budget", arguments.budget,
           "--rounds", ROUNDS, "--shards", shards, "--threshold", "0.9999999", "--out", run)
    computed, merged = [], []
    for number in range(ROUNDS - 1):
        for shard in range(shards):
            computed.append(trompe("fool", "shard", run, "--round", number, "--shard", shard)[0])
        merged.append(trompe("fool", "merge", run, "--round", number)[0])
    size = statistics.median(path.stat().st_size for path in run.glob("rounds/**/shard-*.json"))
    return {
        "shards": shards,
        "evaluations": arguments.budget / ROUNDS / shards,
        "shard": statistics.median(computed),
        "merge": statistics.median(merged),
        "bytes": size,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--bank", default="loops")
    parser.add_argument("--budget", type=int, default=9600)
    arguments = parser.parse_args()
    rows = []
    print("| shards a round | evaluations a shard | a shard, s | a merge, s | a shard's file, kB |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for shards in SHARDS:
            row = measure(arguments, shards, folder)
            rows.append(row)
            print(f"| {row['shards']} | {row['evaluations']:.0f} | {row['shard']:.2f} | {row['merge']:.2f} "
                  f"| {row['bytes'] / 1000:.0f} |", flush=True)
    shard = statistics.linear_regression([r["evaluations"] for r in rows], [r["shard"] for r in rows])
    merge = statistics.linear_regression([r["shards"] for r in rows], [r["merge"] for r in rows])
    print(f"\nstart {shard.intercept:.2f} s, each evaluation {1e3 * shard.slope:.2f} ms, "
          f"merge {merge.intercept:.2f} s + {1e3 * merge.slope:.1f} ms a shard")

    def predicted(evaluations, rounds, shards, nodes):
        each = shard.intercept + evaluations / rounds / shards * shard.slope
        return rounds * (math.ceil(shards / nodes) * each + merge.intercept + shards * merge.slope)

    print("\n| one-processor nodes | 1,000,000 evaluations in 10 rounds, a shard a node | speed-up |\n|---|---|---|")
    alone = predicted(1e6, 10, 1, 1)
    for nodes in [1, 2, 10, 100, 1000]:
        hours = predicted(1e6, 10, nodes, nodes)
        print(f"| {nodes} | {hours / 60:.1f} min | {alone / hours:.1f} |")


if __name__ == "__main__":
    main()
