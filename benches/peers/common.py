"""What all scripts here share: an environment with the peers, CPU time, and one table.

Imported before numpy: nobody gets more than one thread, nor a kernel that is forced on it.
"""

import os

for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
    os.environ.pop(name, None)
for name in ("OPENBLAS", "OMP", "MKL", "NUMBA"):
    os.environ[f"{name}_NUM_THREADS"] = "1"

import dataclasses
import functools
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INSIDE = "TROMPE_PEERS_INSIDE"


def in_environment(packages):
    """Runs the calling script again in a throw-away environment with `packages`, unless that
    is where it runs already."""
    if os.environ.get(INSIDE):
        return
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "-q", *packages], check=True)
        done = subprocess.run([python, *sys.argv], env={**os.environ, INSIDE: "1"})
    sys.exit(done.returncode)


@functools.cache
def built(name, package="trompe") -> Path:
    """The program of a bench target, built with optimization."""
    command = ["cargo", "build", "--release", "-p", package, "--bench", name, "--message-format=json"]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    messages = [json.loads(line) for line in done.stdout.splitlines()]
    programs = [m["executable"] for m in messages if m.get("executable") and m["target"]["name"] == name]
    return Path(programs[-1])


def cpu_ms(command) -> float:
    """CPU milliseconds of a child process."""
    return cpu_ms_and_output(command)[0]


def cpu_ms_and_output(command):
    """CPU milliseconds of a child process, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return 1e3 * spent, done.stdout


@dataclasses.dataclass
class Row:
    """One piece of work, ours beside a peer's: medians of CPU time on one thread."""

    work: str
    peer: str
    ours: float
    theirs: float
    unit: str = "ms"  # less is better; of "/s", more is
    goal: float | None = None  # how many times as fast we want to be

    @property
    def factor(self) -> float:
        return self.theirs / self.ours if self.unit == "ms" else self.ours / self.theirs


def interleaved(contenders, repeats):
    """Medians of `repeats` measurements of each, one after the other in every round."""
    figures = {name: [] for name in contenders}
    for _ in range(repeats):
        for name, measure in contenders.items():
            figures[name].append(measure())
    return {name: statistics.median(values) for name, values in figures.items()}


def report(rows, notes=()):
    """Prints the rows: as one JSON object where `--json` was given, else as a table."""
    if "--json" in sys.argv:
        print(json.dumps({"rows": [dataclasses.asdict(row) for row in rows], "notes": list(notes)}))
        return
    for note in notes:
        print(note)
    for row in rows:
        goal = "" if row.goal is None else f"   goal {row.goal:g} x"
        print(f"{row.work:44} {row.peer:28} {row.theirs:12.4g} {row.unit:3} "
              f"ours {row.ours:10.4g}   {row.factor:6.2f} x{goal}")
