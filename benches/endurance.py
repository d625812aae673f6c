#!/usr/bin/env python3
"""Does a long search stay as small and as fast as it was? Watches one until it ends.

    cargo build --release
    trompe train mnist --classifier lenet-5 --out lenet-5.safetensors
    python3 benches/endurance.py lenet-5.safetensors --evaluations 100000000

The threshold is out of reach, so the search spends its whole budget. Twelve times a minute its
memory, its open files and (from the checkpoint, which it writes as often) its evaluations are
noted. What is printed leaves the first tenth out: the slope of memory by least squares, and
evaluations a second of processor time of the first and the last quarter of what remains.
"""

import argparse
import os
import re
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TICKS = os.sysconf("SC_CLK_TCK")
INTERVAL = 5.0


def observe(process, folder):
    """Seconds of processor time, bytes resident, open files, evaluations, bytes of the run."""
    stat = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    checkpoint = folder / "checkpoint.json"
    done = re.search(rb'"evaluations":(\d+)', checkpoint.read_bytes()[:2000])
    return {
        "time": time.monotonic(),
        "processor": (int(stat[11]) + int(stat[12])) / TICKS,
        "resident": int(stat[21]) * os.sysconf("SC_PAGE_SIZE"),
        "files": len(os.listdir(f"/proc/{process}/fd")),
        "evaluations": int(done.group(1)),
        "checkpoint": checkpoint.stat().st_size,
        "trace": (folder / "trace.jsonl").stat().st_size,
    }


def watch(search, folder):
    """What is observed until the search ends."""
    seen = []
    while search.poll() is None:
        try:
            seen.append(observe(search.pid, folder))
        except (FileNotFoundError, ProcessLookupError):
            pass  # no checkpoint yet, or just being renamed, or the end
        time.sleep(INTERVAL)
    return seen


def slope_per_hour(seen, key):
    hours = [row["time"] / 3600 for row in seen]
    return statistics.linear_regression(hours, [row[key] for row in seen]).slope


def rate(seen):
    first, last = seen[0], seen[-1]
    return (last["evaluations"] - first["evaluations"]) / (last["processor"] - first["processor"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--evaluations", type=int, default=100_000_000)
    parser.add_argument("--program", type=Path, default=ROOT / "target" / "release" / "trompe")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        search = subprocess.Popen([
            arguments.program, "--quiet", "fool", arguments.model, "--generator", "patches",
            "--threshold", "0.99999999999999", "--budget", str(arguments.evaluations), "--out", run,
        ], stdout=subprocess.DEVNULL)
        seen = watch(search, run)
        if search.returncode != 0:
            raise SystemExit(f"the search ended with {search.returncode}")
    seen = seen[len(seen) // 10:]
    quarter = len(seen) // 4
    early, late = rate(seen[:quarter]), rate(seen[-quarter:])
    mebi = 1 << 20
    print(f"{arguments.evaluations:,} evaluations asked for, the last seen at {seen[-1]['evaluations']:,} "
          f"({len(seen)} observations, {seen[-1]['processor']:,.0f} s of processor time)")
    print(f"memory     {seen[0]['resident'] / mebi:.1f} to {seen[-1]['resident'] / mebi:.1f} MiB, "
          f"slope {slope_per_hour(seen, 'resident') / mebi:+.3f} MiB an hour")
    print(f"open files {min(row['files'] for row in seen)} to {max(row['files'] for row in seen)}")
    print(f"rate       {early:,.0f}, then {late:,.0f} evaluations a second of processor time "
          f"({100 * (late / early - 1):+.1f} %)")
    print(f"checkpoint {seen[0]['checkpoint']:,} to {seen[-1]['checkpoint']:,} bytes; "
          f"trace {seen[0]['trace']:,} to {seen[-1]['trace']:,}")


if __name__ == "__main__":
    main()
