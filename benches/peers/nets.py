#!/usr/bin/env python3
"""Times foreign nets with the built-in runtime beside ONNX Runtime, both inside trompe.

    trompe corpus fetch musicnn --out musicnn
    trompe corpus fetch efficientnet-lite0 --out efficientnet-lite0
    python3 benches/peers/nets.py musicnn/*.onnx efficientnet-lite0/*.onnx [--repeats 3] [--json]

Both run in one thread on the same input, one after the other in every round: one image of random
pixels, or one 30-s excerpt of noise, whose front end is the same code for both. Items a second of
CPU time.
"""

import argparse
import json
import subprocess
from pathlib import Path

from common import Row, built, in_environment, interleaved, report

in_environment(["onnxruntime==1.32.0"])

import onnxruntime

LIBRARY = next((Path(onnxruntime.__file__).parent / "capi").glob("libonnxruntime.so*"))


def per_second(program, net, runtime):
    def rate():
        environment = {"ORT_DYLIB_PATH": str(LIBRARY)}
        output = subprocess.run([program, net, runtime], check=True, capture_output=True, env=environment)
        return json.loads(output.stdout)["per_second"]

    return rate


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("nets", type=Path, nargs="+")
    arguments = parser.parse_args()
    program = built("time_nets")
    rows = []
    for net in arguments.nets:
        rates = {name: per_second(program, net, name) for name in ("rten", "onnxruntime")}
        medians = interleaved(rates, arguments.repeats)
        # A fetched folder's name ends in a hash.
        name = net.parent.name.rpartition("-")[0] if net.stem == "model" else net.stem
        rows.append(Row(f"posteriors of {name}, one input", f"ONNX Runtime {onnxruntime.__version__}",
                        medians["rten"], medians["onnxruntime"], unit="/s"))
    report(rows)


if __name__ == "__main__":
    main()
