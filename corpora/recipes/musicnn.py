"""Converts the four taggers of the package musicnn from TensorFlow 1 checkpoints to ONNX, with numpy and
onnx alone.

    python3 musicnn.py CONFIGURATION.py INDEX DATA [INDEX DATA ...] FOLDER

INDEX and DATA are the files `.index` and `.data-00000-of-00001` of a net, in a folder of its name.
Writes FOLDER/NET.onnx for each, with the outputs `logits` and `tags` (their sigmoids), and
FOLDER/MTT.txt and FOLDER/MSD.txt with the names of the tags. The networks are those of Pons & Serra
(2019), as `models.py` of the package has them. A checkpoint's index is a table of strings (LevelDB's
form) whose values are protocol buffers; nothing in it can run code.
"""

import ast
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FRAMES, BANDS = 187, 96
EPSILON = 1e-3  # of batch normalization
OPSET, IR_VERSION = 13, 7
FLOAT = 1  # TensorFlow's number of 32-bit floats


def varint(data, at):
    """The number at a place, and the place behind it."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def fields(message):
    """The fields of a protocol buffer as (number, value); nested messages stay bytes."""
    at = 0
    while at < len(message):
        key, at = varint(message, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(message, at)
        elif kind == 2:
            length, at = varint(message, at)
            value, at = message[at : at + length], at + length
        elif kind in (1, 5):
            length = 8 if kind == 1 else 4
            value, at = message[at : at + length], at + length
        else:
            sys.exit(f"a field of kind {kind} in the index of a checkpoint")
        yield key >> 3, value


def block(data, handle):
    """The entries of one block of a table as (key, value)."""
    offset, at = varint(handle, 0)
    size, _ = varint(handle, at)
    if data[offset + size] != 0:
        sys.exit("the index of the checkpoint is compressed")
    content = data[offset : offset + size]
    restarts = int.from_bytes(content[-4:], "little")
    end, at, key = size - 4 * (restarts + 1), 0, b""
    while at < end:
        shared, at = varint(content, at)
        fresh, at = varint(content, at)
        length, at = varint(content, at)
        key = key[:shared] + content[at : at + fresh]
        at += fresh
        yield key, content[at : at + length]
        at += length


def read_checkpoint(index, values):
    """All tensors of 32-bit floats of a checkpoint by name."""
    table, data = index.read_bytes(), values.read_bytes()
    footer = table[-48:]
    _, at = varint(footer, 0)
    _, at = varint(footer, at)  # the meta index ends here
    tensors = {}
    for _, handle in block(table, footer[at:]):
        for name, entry in block(table, handle):
            found = dict(fields(entry))
            if not name or found.get(1) != FLOAT:
                continue
            shape = [dict(fields(size)).get(1, 0) for key, size in fields(found.get(2, b"")) if key == 2]
            offset, size = found.get(4, 0), found[5]
            tensor = np.frombuffer(data[offset : offset + size], "<f4").reshape(shape)
            tensors[name.decode()] = tensor
    return tensors


class Network:
    """The graph under construction; values are [N, channels, frames, bands]."""

    def __init__(self, tensors, name):
        self.tensors, self.name = tensors, name
        self.nodes, self.constants = [], []
        self.normalizations = self.convolutions = self.layers = 0
        # Names stand below a scope.
        (known,) = [n for n in tensors if n.endswith("batch_normalization/gamma")]
        self.scope = known.removesuffix("batch_normalization/gamma")

    def tensor(self, name):
        return self.tensors[self.scope + name]

    def constant(self, name, values):
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, operator, inputs, output=None, **attributes):
        output = output or f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def numbered(self, kind):
        """TensorFlow's name of the next layer of a kind."""
        count = getattr(self, kind)
        setattr(self, kind, count + 1)
        base = {"normalizations": "batch_normalization", "convolutions": "conv2d", "layers": "dense"}[kind]
        return f"{base}_{count}" if count else base

    def normalization(self):
        """Gain, offset, mean and variance of the next batch normalization."""
        layer = self.numbered("normalizations")
        parts = ("gamma", "beta", "moving_mean", "moving_variance")
        return layer, [self.tensor(f"{layer}/{part}") for part in parts]

    def normalize(self, value):
        layer, parts = self.normalization()
        names = [self.constant(f"{layer}_{i}", part) for i, part in enumerate(parts)]
        return self.node("BatchNormalization", [value, *names], epsilon=EPSILON)

    def convolution(self, value, pads, layer=None, across_bands=False):
        """Convolution, ReLU, normalization. With `across_bands` the kernel covers what are channels here."""
        layer = layer or self.numbered("convolutions")
        kernel = self.tensor(f"{layer}/kernel")  # frames, bands, inputs, outputs
        if across_bands:
            kernel = kernel.transpose(0, 2, 1, 3)
        kernel = kernel.transpose(3, 2, 0, 1)
        inputs = [value, self.constant(f"{layer}_kernel", kernel), self.constant(f"{layer}_bias", self.tensor(f"{layer}/bias"))]
        value = self.node("Conv", inputs, kernel_shape=list(kernel.shape[2:]), pads=pads)
        return self.normalize(self.node("Relu", [value]))

    def dense(self, value, scale=None, offset=None, relu=False, output=None):
        """A dense layer behind the affine map of a normalization."""
        layer = self.numbered("layers")
        weights, bias = self.tensor(f"{layer}/kernel"), self.tensor(f"{layer}/bias")
        if scale is not None:
            weights, bias = scale[:, None] * weights, bias + offset @ weights
        names = [self.constant(f"{layer}_weights", weights), self.constant(f"{layer}_bias", bias)]
        value = self.node("Gemm", [value, *names], output)
        return self.node("Relu", [value]) if relu else value

    def affine(self):
        """The next normalization as a gain and an offset."""
        _, (gain, offset, mean, variance) = self.normalization()
        scale = gain / np.sqrt(variance + np.float32(EPSILON))
        return scale, offset - mean * scale

    def highest_band(self, value):
        return self.node("ReduceMax", [value], axes=[3], keepdims=1)

    def musicnn(self, value):
        """From normalized spectrograms to logits."""
        front = [self.highest_band(self.convolution(value, [3, 0, 3, 0])) for _ in range(2)]
        for frames in (128, 64, 32):
            before = (frames - 1) // 2
            temporal = self.convolution(value, [before, 0, frames - 1 - before, 0])
            front.append(self.highest_band(temporal))
        front = self.node("Concat", front, axis=1)
        middle = [front, self.convolution(front, [3, 0, 3, 0], across_bands=True)]
        for _ in range(2):
            deeper = self.convolution(middle[-1], [3, 0, 3, 0], across_bands=True)
            middle.append(self.node("Add", [deeper, middle[-1]]))
        value = self.node("Concat", middle, axis=1)
        pooled = [self.node(kind, [value], axes=[2], keepdims=1) for kind in ("ReduceMax", "ReduceMean")]
        value = self.node("Flatten", [self.node("Concat", pooled, axis=2)], axis=1)
        value = self.dense(value, *self.affine(), relu=True)
        return self.dense(value, *self.affine(), output="logits")

    def vgg(self, value):
        """From normalized spectrograms to logits."""
        pools = [([4, 1], [2, 2])] + 3 * [([2, 2], [2, 2])] + [([4, 4], [4, 4])]
        for number, (window, strides) in enumerate(pools, 1):
            value = self.convolution(value, [1, 1, 1, 1], layer=f"{number}CNN")
            value = self.node("MaxPool", [value], kernel_shape=window, strides=strides)
        value = self.node("Transpose", [value], perm=[0, 2, 3, 1])
        return self.dense(self.node("Flatten", [value], axis=1), output="logits")

    def build(self):
        axes = self.constant("one", np.array([1], np.int64))
        value = self.normalize(self.node("Unsqueeze", ["patches", axes]))
        (self.vgg if "vgg" in self.name else self.musicnn)(value)
        self.node("Sigmoid", ["logits"], "tags")
        tags = len(self.constants[-1].float_data) or self.constants[-1].dims[0]
        shape = lambda name, *sizes: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["patches", *sizes])
        graph = helper.make_graph(
            self.nodes,
            self.name,
            [shape("patches", FRAMES, BANDS)],
            [shape("logits", tags), shape("tags", tags)],
            self.constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
        model.ir_version = IR_VERSION
        onnx.checker.check_model(model, full_check=True)
        return model


def tags(configuration):
    """The lists of tags of the package's configuration, which is read and not run."""
    found = {}
    for statement in ast.parse(configuration.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and statement.targets[0].id.endswith("_LABELS"):
            found[statement.targets[0].id.removesuffix("_LABELS")] = ast.literal_eval(statement.value)
    return found


def main():
    configuration, *files, folder = map(pathlib.Path, sys.argv[1:])
    for name, labels in tags(configuration).items():
        (folder / f"{name}.txt").write_text("\n".join(labels) + "\n", encoding="utf-8")
    for index, values in zip(files[::2], files[1::2], strict=True):
        name = index.parent.name
        model = Network(read_checkpoint(index, values), name).build()
        (folder / f"{name}.onnx").write_bytes(model.SerializeToString(deterministic=True))


if __name__ == "__main__":
    main()
