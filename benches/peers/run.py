#!/usr/bin/env python3
"""Every comparison with other people's programs, in one command:

    python3 benches/peers/run.py [--out docs/peers.md]

Builds the programs, trains the nets that are compared, installs the peers of each script
into a throw-away environment of its own, checks that results are equivalent, runs ours and
theirs one after the other in every round, and writes the medians as a table. Needs Rust,
Python 3 with venv, and the package index; took 9 minutes, the build apart, on two idle cores.
What `remarks.md` says of missed aims is written by hand and put below the table.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NETS = ["lenet", "lenet-5"]
FOREIGN = ["musicnn", "efficientnet-lite0"]


def cargo(*arguments):
    subprocess.run(["cargo", *arguments], cwd=ROOT, check=True)


def nets():
    """The nets that the image side is timed on, trained where they are not there yet."""
    folder = ROOT / "target" / "peers"
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.safetensors" for name in NETS]
    for name, path in zip(NETS, paths):
        if not path.exists():
            program = ROOT / "target" / "release" / "trompe"
            subprocess.run([program, "train", "mnist", "--classifier", name, "--out", path], check=True)
    return paths


def foreign_nets():
    """The nets that recipes fetch."""
    program = ROOT / "target" / "release" / "trompe"
    fetch = lambda name: subprocess.run([program, "corpus", "fetch", name], check=True, stdout=subprocess.PIPE, text=True)
    folders = [Path(fetch(name).stdout.strip()) for name in FOREIGN]
    return [net for folder in folders for net in sorted(folder.glob("*.onnx"))]


def measure(script, *arguments):
    print(f"-- {script}", file=sys.stderr, flush=True)
    command = [sys.executable, HERE / script, "--json", *arguments]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def number(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def page(results):
    lines = [
        "# trompe beside its peers",
        "",
        "Written by `python3 benches/peers/run.py`: medians of CPU time on one thread, ours and theirs",
        f"interleaved in one run on {processor()} (load {os.getloadavg()[0]:.1f} at the end).",
        "`x` is how many times as fast trompe is.",
        "",
        "| work | peer | peer's | ours | | x | aimed at |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in (row for result in results for row in result["rows"]):
        ours, theirs, unit = row["ours"], row["theirs"], row["unit"]
        factor = theirs / ours if unit == "ms" else ours / theirs
        goal = "" if row["goal"] is None else f"{row['goal']:g}{'' if factor >= row['goal'] else ' (missed)'}"
        lines.append(f"| {row['work']} | {row['peer']} | {number(theirs)} | {number(ours)} | {unit} "
                     f"| {number(factor)} | {goal} |")
    notes = [note for result in results for note in result["notes"]]
    lines += ["", "Equivalence, checked before anything is timed:", "", *(f"- {note}" for note in notes), ""]
    return "\n".join(lines) + "\n" + (HERE / "remarks.md").read_text()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "peers.md")
    arguments = parser.parse_args()
    cargo("build", "--release", "--workspace", "--bins")
    paths = nets()
    results = [
        measure("features.py"),
        measure("modulations.py"),
        measure("mel.py"),
        measure("bpdn.py"),
        measure("boosting.py"),
        measure("images.py", *paths),
        measure("nets.py", *foreign_nets()),
    ]
    arguments.out.write_text(page(results))
    print(f"written: {arguments.out}")


if __name__ == "__main__":
    main()
