#!/usr/bin/env python3
"""Writes a convolutional net that trompe trained as an ONNX file, without any of trompe.

    pip install numpy onnx
    python3 tests/convnet_to_onnx.py lenet.safetensors lenet.onnx

Beside it come the description (lenet.toml) and the classes (lenet.txt), so that `trompe fool lenet.onnx`,
`tests/onnx_scores.py SET lenet.onnx` and every other ONNX program can use it. The net takes pixels from 0
to 255, channels first, and gives logits.
"""
import argparse
import json
import struct
from pathlib import Path

import numpy as np


def read(path):
    """Classes, architecture, mean image and parameters of a model file."""
    raw = Path(path).read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + length])

    def tensor(name):
        start, end = header[name]["data_offsets"]
        return np.frombuffer(raw[8 + length + start : 8 + length + end], "<f4")

    model = json.loads(header["__metadata__"]["trompe"])
    if model["classifier"]["kind"] != "convolutional":
        raise SystemExit(f"{path}: is no convolutional net, but {model['classifier']['kind']}")
    return model["classes"], model["classifier"]["architecture"], tensor("mean"), tensor("parameters")


def to_onnx(architecture, mean, parameters):
    """The net in ONNX's layout: channels first, pixels 0 to 255 as input, logits as output."""
    from onnx import TensorProto, helper, numpy_helper

    shape = architecture["input"]
    height, width, channels = shape["height"], shape["width"], shape["channels"]
    nodes, constants, at = [], [], 0

    def constant(name, value):
        constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    mean = mean.reshape(height, width, channels).transpose(2, 0, 1)[None]
    nodes.append(helper.make_node("Sub", ["x", constant("mean", mean)], ["centred"]))
    nodes.append(helper.make_node("Mul", ["centred", constant("scale", np.float32(1 / 256))], ["v0"]))
    flat = False
    for index, layer in enumerate(architecture["layers"]):
        before, after = f"v{index}", f"v{index + 1}"
        if layer["kind"] == "convolution":
            kernel, out = layer["kernel"], layer["channels"]
            count = kernel * kernel * channels * out
            weights = parameters[at : at + count].reshape(kernel, kernel, channels, out)
            biases = parameters[at + count : at + count + out]
            at += count + out
            names = [constant(f"w{index}", weights.transpose(3, 2, 0, 1)), constant(f"b{index}", biases)]
            nodes.append(helper.make_node("Conv", [before, *names], [after]))
            height, width, channels = height - kernel + 1, width - kernel + 1, out
        elif layer["kind"] == "max-pool":
            side = layer["side"]
            nodes.append(helper.make_node(
                "MaxPool", [before], [after], kernel_shape=[side] * 2, strides=[side] * 2))
            height, width = height // side, width // side
        elif layer["kind"] == "rectifier":
            nodes.append(helper.make_node("Relu", [before], [after]))
        else:
            units, size = layer["units"], height * width * channels
            weights = parameters[at : at + size * units].reshape(height, width, channels, units)
            biases = parameters[at + size * units : at + size * units + units]
            at += size * units + units
            if not flat:
                nodes.append(helper.make_node("Flatten", [before], [f"flat{index}"]))
                before, flat = f"flat{index}", True
            rows = weights.transpose(2, 0, 1, 3).reshape(size, units)
            names = [constant(f"w{index}", rows), constant(f"b{index}", biases)]
            nodes.append(helper.make_node("Gemm", [before, *names], [after]))
            height, width, channels = 1, 1, units
    assert at == len(parameters), "all parameters are used"
    x = helper.make_tensor_value_info(
        "x", TensorProto.FLOAT, ["n", shape["channels"], shape["height"], shape["width"]])
    y = helper.make_tensor_value_info(f"v{len(architecture['layers'])}", TensorProto.FLOAT, ["n", channels])
    graph = helper.make_graph(nodes, "net", [x], [y], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return model.SerializeToString()


def description(architecture, classes_file):
    shape = architecture["input"]
    colour = "grey" if shape["channels"] == 1 else "rgb"
    zeros, ones = [0.0] * shape["channels"], [1.0] * shape["channels"]
    return "".join([
        f'width = {shape["width"]}\nheight = {shape["height"]}\ncolour = "{colour}"\nlayout = "nchw"\n',
        f'mean = {zeros}\ndeviation = {ones}\noutput = "logits"\nclasses = "{classes_file}"\n',
    ])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("model", type=Path, help="what `trompe train` wrote")
    parser.add_argument("out", type=Path, help="ONNX file to write")
    arguments = parser.parse_args()
    classes, architecture, mean, parameters = read(arguments.model)
    names = arguments.out.with_suffix(".txt")
    arguments.out.write_bytes(to_onnx(architecture, mean, parameters))
    names.write_text("".join(f"{name}\n" for name in classes))
    arguments.out.with_suffix(".toml").write_text(description(architecture, names.name))


if __name__ == "__main__":
    main()
