"""Converts EfficientNet-Lite0 from a PyTorch weights file to ONNX, with numpy and onnx alone.

    python3 efficientnet-lite0.py WEIGHTS.pth NAMES.json FOLDER

Writes FOLDER/model.onnx and FOLDER/classes.txt. The weights file is of PyTorch's legacy form:
five pickles, then the storages in raw bytes. Only the few names that such a file needs are
unpickled, so it cannot run code. Batch normalization is folded into the convolutions.
"""

import collections
import json
import math
import pathlib
import pickle
import struct
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE = 224
EPSILON = 1e-3  # of batch normalization
OPSET, IR_VERSION = 13, 7

# Repeats, kernel, stride, expansion, input and output channels of each group of blocks
# (Tan & Le 2019, table 1; the lite variant has no squeeze-and-excitation and ReLU6).
GROUPS = [
    (1, 3, 1, 1, 32, 16),
    (2, 3, 2, 6, 16, 24),
    (2, 5, 2, 6, 24, 40),
    (3, 3, 2, 6, 40, 80),
    (3, 5, 1, 6, 80, 112),
    (4, 5, 2, 6, 112, 192),
    (1, 3, 1, 6, 192, 320),
]

STORAGES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


def rebuild_tensor(storage, offset, size, stride, *_):
    return storage, offset, size, stride


class WeightsUnpickler(pickle.Unpickler):
    """Knows dictionaries, tensors and storages, and refuses everything else."""

    def __init__(self, file, storages):
        super().__init__(file)
        self.storages = storages

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return rebuild_tensor
        if module == "torch" and name in STORAGES:
            return STORAGES[name]
        raise pickle.UnpicklingError(f"{module}.{name} is no part of a weights file")

    def persistent_load(self, identifier):
        _, dtype, key, _, _, _ = identifier
        self.storages[key] = dtype
        return key


def read_weights(path):
    """All tensors of the weights file by name."""
    storages = {}
    with open(path, "rb") as file:
        for _ in range(3):  # magic number, protocol, system
            WeightsUnpickler(file, storages).load()
        tensors = WeightsUnpickler(file, storages).load()
        keys = WeightsUnpickler(file, storages).load()
        data = {}
        for key in keys:
            (count,) = struct.unpack("<q", file.read(8))
            dtype = storages[key]
            data[key] = np.frombuffer(file.read(count * dtype.itemsize), dtype)
    weights = {}
    for name, (key, offset, size, stride) in tensors.items():
        # The strides matter: these tensors were transposed without being copied.
        values = data[key][offset:]
        steps = [step * values.itemsize for step in stride]
        weights[name] = np.lib.stride_tricks.as_strided(values, size, steps).copy()
    return weights


class Network:
    """The graph under construction."""

    def __init__(self, weights):
        self.weights = weights
        self.nodes = []
        self.constants = []
        self.constant("zero", np.array(0, np.float32))
        self.constant("six", np.array(6, np.float32))

    def constant(self, name, values):
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, operator, inputs, output, **attributes):
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def convolution(self, value, side, name, norm, kernel, stride=1, groups=1, clip=True):
        """Convolution with "same" padding as TensorFlow has it, normalization, ReLU6."""
        gain, bias, mean, variance = (
            self.weights[f"{norm}.{part}"]
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = gain / np.sqrt(variance + np.float32(EPSILON))
        kernels = self.weights[f"{name}.weight"] * scale[:, None, None, None]
        out_side = math.ceil(side / stride)
        padding = max((out_side - 1) * stride + kernel - side, 0)
        before, after = padding // 2, padding - padding // 2
        output = f"convolution_{len(self.nodes)}"
        self.node(
            "Conv",
            [
                value,
                self.constant(f"{output}_kernels", kernels),
                self.constant(f"{output}_bias", bias - mean * scale),
            ],
            output,
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[before, before, after, after],
            group=groups,
        )
        if clip:
            output = self.node("Clip", [output, "zero", "six"], f"{output}_clipped")
        return output, out_side

    def block(self, value, side, name, kernel, stride, expansion, inputs, outputs):
        """Inverted residual block."""
        inner = value
        if expansion != 1:
            inner, _ = self.convolution(inner, side, f"{name}._expand_conv", f"{name}._bn0", 1)
        inner, out_side = self.convolution(
            inner,
            side,
            f"{name}._depthwise_conv",
            f"{name}._bn1",
            kernel,
            stride,
            groups=inputs * expansion,
        )
        inner, _ = self.convolution(
            inner, out_side, f"{name}._project_conv", f"{name}._bn2", 1, clip=False
        )
        if stride == 1 and inputs == outputs:
            inner = self.node("Add", [inner, value], f"{inner}_sum")
        return inner, out_side

    def build(self):
        """From the image to the logits."""
        value, side = self.convolution("image", SIDE, "_conv_stem", "_bn0", 3, 2)
        number = 0
        for repeats, kernel, stride, expansion, inputs, outputs in GROUPS:
            for repeat in range(repeats):
                first = repeat == 0
                value, side = self.block(
                    value,
                    side,
                    f"_blocks.{number}",
                    kernel,
                    stride if first else 1,
                    expansion,
                    inputs if first else outputs,
                    outputs,
                )
                number += 1
        value, _ = self.convolution(value, side, "_conv_head", "_bn1", 1)
        value = self.node("GlobalAveragePool", [value], "pooled")
        value = self.node("Flatten", [value], "features", axis=1)
        weights = self.constant("classes_weights", self.weights["_fc.weight"])
        bias = self.constant("classes_bias", self.weights["_fc.bias"])
        self.node("Gemm", [value, weights, bias], "logits", transB=1)
        shape = lambda *sizes: (TensorProto.FLOAT, ["images", *sizes])
        graph = helper.make_graph(
            self.nodes,
            "efficientnet-lite0",
            [helper.make_tensor_value_info("image", *shape(3, SIDE, SIDE))],
            [helper.make_tensor_value_info("logits", *shape(len(self.weights["_fc.bias"])))],
            self.constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
        model.ir_version = IR_VERSION
        onnx.checker.check_model(model, full_check=True)
        return model


def unique(names):
    """The names, with the number of the class behind those that several classes have."""
    counts = collections.Counter(names)
    return [f"{name} {i}" if counts[name] > 1 else name for i, name in enumerate(names)]


def main():
    weights, names, folder = map(pathlib.Path, sys.argv[1:])
    model = Network(read_weights(weights)).build()
    (folder / "model.onnx").write_bytes(model.SerializeToString(deterministic=True))
    names = unique(json.loads(names.read_text(encoding="utf-8")))
    (folder / "classes.txt").write_text("\n".join(names) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
