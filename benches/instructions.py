#!/usr/bin/env python3
"""Counts the instructions of the hot paths under callgrind, which no other load disturbs:

    python3 benches/instructions.py           compare with benches/instructions.json
    python3 benches/instructions.py --update  write it anew

Each path runs often and once more often than that; the difference is what one run costs,
without starting and preparing. More than 5 % above the file fails; the file's counts hold for
one compiler, one version of the dependencies and one kind of processor.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RECORD = ROOT / "benches" / "instructions.json"
TOLERANCE = 0.05

# How many runs are counted of each, so that a count is a few hundred million.
PATHS = {
    "features": 1,
    "modulations": 1,
    "stumps": 20,
    "sparse": 10,
    "excerpts": 4,
    "lenet": 2,
    "cppn": 50,
    "archive": 50_000,
}


def built():
    """The program, with the optimization of tests."""
    command = ["cargo", "build", "--workspace", "--bench", "hot_paths", "--message-format=json"]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    return [m["executable"] for m in messages if m.get("executable") and m["target"]["name"] == "hot_paths"][-1]


def instructions(program, name, count):
    with tempfile.TemporaryDirectory() as folder:
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", program, name, str(count)]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{name}: {done.stderr}")
    return int(re.search(r"Collected : (\d+)", done.stderr).group(1))


def main():
    program = built()
    counts = {}
    for name, count in PATHS.items():
        counts[name] = round((instructions(program, name, 1 + count) - instructions(program, name, 1)) / count)
        print(f"{name:12} {counts[name]:14,}", flush=True)
    if "--update" in sys.argv:
        RECORD.write_text(json.dumps(counts, indent=2) + "\n")
        return
    known = json.loads(RECORD.read_text())
    slower = {name: count / known[name] - 1 for name, count in counts.items() if count > (1 + TOLERANCE) * known[name]}
    for name, more in slower.items():
        print(f"{name}: {100 * more:.1f} % more instructions than on record")
    sys.exit(1 if slower else 0)


if __name__ == "__main__":
    main()
