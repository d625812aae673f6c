#!/usr/bin/env python3
"""Runs this run on a Ray cluster. May be started again after any failure: what is there is
not computed again.

    TROMPE       the program, on every node          (trompe)
    RAY_ADDRESS  the cluster                         (a new one on this machine)

The folder must be on a disk that all nodes share, under the same path.
"""

import os
import subprocess

# Nobody is told of this cluster.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import ray  # noqa: E402

ROUNDS = @ROUNDS@
SHARDS = @SHARDS@
TROMPE = os.environ.get("TROMPE", "trompe")
FOLDER = os.path.dirname(os.path.abspath(__file__))


def trompe(*arguments):
    subprocess.run([TROMPE, "--quiet", *map(str, arguments)], cwd=FOLDER, check=True)


# A node that dies is made up for by another, a shard that fails is tried again.
def compute(number, shard):
    trompe("--threads", 1, "fool", "shard", "."@MODEL@, "--round", number, "--shard", shard)


if __name__ == "__main__":
    ray.init(address=os.environ.get("RAY_ADDRESS"))
    task = ray.remote(num_cpus=1, max_retries=3, retry_exceptions=True)(compute)
    for number in range(ROUNDS):
        waiting = [task.remote(number, shard) for shard in range(SHARDS)]
        while waiting:
            done, waiting = ray.wait(waiting)
            try:
                ray.get(done)
            except ray.exceptions.RayError as error:
                print(f"left to the merge, which fills it in: {error}")
        trompe("fool", "merge", "."@MODEL@, "--round", number, "--fill")
