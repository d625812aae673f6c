#!/usr/bin/env python3
"""Small ONNX nets, one for each kind of operator and of file that nets in the wild have.

    pip install numpy onnx onnxruntime pillow
    python3 tests/onnx_nets.py FOLDER                       # makes them
    python3 tests/onnx_nets.py FOLDER --predict trompe      # and compares `trompe predict`

Each net is a folder with `model.onnx`, its description `model.toml`, `classes.txt`, an image, and
`expected.npz`: the input that onnxruntime was given, its output, and the posteriors. With
`--predict` the exit code is 1 if one posterior differs by more than a tolerance; nets that trompe
refuses are listed, and are an error with `--all`. Weights are seeded.
"""
import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

WIDTH, HEIGHT, CLASSES = 20, 16, 5
TOLERANCE = 1e-4
QUANTIZED_TOLERANCE = 2e-2  # a few steps of int8, or the rounding of fp16


def full(size, **attributes):
    """All attributes of a convolution, as exporters write them."""
    return {"kernel_shape": [size] * 2, "strides": [1, 1], "dilations": [1, 1], "group": 1} | attributes


class Builder:
    """A graph that grows node by node."""

    def __init__(self, seed, opset=13, batch=1, kind=TensorProto.FLOAT, domains=()):
        self.rng = np.random.Generator(np.random.PCG64(seed))
        self.opset, self.kind, self.domains = opset, kind, domains
        self.nodes, self.initializers, self.functions = [], [], []
        self.input = helper.make_tensor_value_info("image", kind, [batch, 3, HEIGHT, WIDTH])
        self.batch = batch

    def node(self, operator, inputs, outputs=1, **attributes):
        names = [f"{operator}_{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(operator, inputs, names, **attributes))
        return names[0] if outputs == 1 else names

    def constant(self, values):
        name = f"weight_{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def random(self, *shape, scale=None, dtype="f4"):
        scale = scale or 1 / np.sqrt(np.prod(shape[1:]))
        return (scale * self.rng.standard_normal(shape)).astype(dtype)

    def convolution(self, x, channels=(3, 6), size=3, **attributes):
        weights = self.constant(self.random(channels[1], channels[0], size, size))
        attributes = full(size, pads=[size // 2] * 4) | attributes
        return self.node("Conv", [x, weights, self.constant(self.random(channels[1], scale=0.1))], **attributes)

    def stem(self, x="image"):
        return self.node("Relu", [self.convolution(x)])

    def head(self, x, features=6):
        """Logits from feature maps."""
        pooled = self.node("GlobalAveragePool", [x])
        return self.dense(self.node("Flatten", [pooled]), features)

    def dense(self, x, features):
        weights = self.constant(self.random(CLASSES, features, scale=2 / np.sqrt(features)))
        return self.node("Gemm", [x, weights, self.constant(self.random(CLASSES, scale=0.5))], transB=1)

    def model(self, last, shape=None):
        output = helper.make_tensor_value_info("scores", TensorProto.FLOAT, shape or [self.batch, CLASSES])
        self.nodes.append(helper.make_node("Identity", [last], ["scores"]))
        graph = helper.make_graph(self.nodes, "net", [self.input], [output], self.initializers)
        opsets = [helper.make_opsetid("", self.opset), *(helper.make_opsetid(d, 1) for d in self.domains)]
        model = helper.make_model(graph, opset_imports=opsets, functions=self.functions)
        model.ir_version = 3 if self.opset < 9 and not self.functions else 8
        if model.ir_version == 3:  # weights had to be inputs, too
            inputs = [helper.make_tensor_value_info(w.name, w.data_type, w.dims) for w in self.initializers]
            model.graph.input.extend(inputs)
        return model


NETS = {}


def net(name, output="logits", tolerance=TOLERANCE, **builder):
    """Registers a function that builds a net."""

    def register(function):
        NETS[name] = (function, output, tolerance, builder)
        return function

    return register


def between(name, operator, count=1, **more):
    """A net with one operator between its first layer and its head; `more` are options of
    the builder, attributes of the operator, and functions of the builder for more inputs."""
    builder = {key: more.pop(key) for key in ("opset",) if key in more}
    inputs = more.pop("inputs", lambda b: [])
    features = more.pop("features", 6)

    @net(name, **builder)
    def build(b):
        outputs = b.node(operator, [b.stem(), *inputs(b)], count, **more)
        return b.model(b.head(outputs if count == 1 else outputs[0], features))


def i64(*values):
    return lambda b: [b.constant(np.array(values, dtype="i8"))]


between("lrn", "LRN", size=5, alpha=0.5, beta=0.75, bias=1.0)
between("dropout-7", "Dropout", opset=7, ratio=0.5)
between("dropout-13", "Dropout", opset=13, inputs=lambda b: [b.constant(np.float32(0.5))])
between("pad-7", "Pad", opset=7, pads=[0, 0, 1, 2, 0, 0, 3, 0], mode="constant", value=0.5)
between("pad-11", "Pad", opset=11, inputs=lambda b: i64(0, 0, 1, 2, 0, 0, 3, 0)(b) + [b.constant(np.float32(0.5))])
between("pad-reflect", "Pad", opset=13, mode="reflect", inputs=i64(0, 0, 2, 1, 0, 0, 1, 2))
between("pad-edge", "Pad", opset=13, mode="edge", inputs=i64(0, 0, 2, 1, 0, 0, 1, 2))
between("max-pool-no-strides", "MaxPool", kernel_shape=[3, 2])
between("max-pool-same-lower", "MaxPool", kernel_shape=[3, 3], auto_pad="SAME_LOWER", strides=[2, 2])
between("max-pool-ceil", "MaxPool", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
between("average-pool-no-strides", "AveragePool", kernel_shape=[3, 3])
between("average-pool-include-pad", "AveragePool", kernel_shape=[3, 3], pads=[1] * 4, strides=[2, 2], count_include_pad=1)
between("average-pool-exclude-pad", "AveragePool", kernel_shape=[3, 3], pads=[1] * 4, strides=[2, 2])
between("average-pool-same-lower", "AveragePool", kernel_shape=[2, 2], auto_pad="SAME_LOWER", strides=[1, 1])
between("average-pool-same-upper", "AveragePool", kernel_shape=[2, 2], auto_pad="SAME_UPPER", strides=[1, 1])


def resize(name, opset, mode, **attributes):
    def inputs(b):
        scales = b.constant(np.array([1, 1, 2, 1.5], dtype="f4"))
        return [scales] if opset == 10 else [b.constant(np.zeros(0, dtype="f4")), scales]

    between(name, "Resize", opset=opset, mode=mode, inputs=inputs, **attributes)


resize("resize-10-nearest", 10, "nearest")
resize("resize-11-nearest", 11, "nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")
resize("resize-13-linear", 13, "linear", coordinate_transformation_mode="half_pixel")
resize("resize-13-linear-corners", 13, "linear", coordinate_transformation_mode="align_corners")
resize("resize-13-linear-torch", 13, "linear", coordinate_transformation_mode="pytorch_half_pixel")
between("upsample-9", "Upsample", opset=9, mode="nearest", inputs=lambda b: [b.constant(np.array([1, 1, 2, 2], dtype="f4"))])


@net("convolution-same-lower")
def _(b):
    weights = b.constant(b.random(6, 3, 3, 3))
    return b.model(b.head(b.node("Conv", ["image", weights], **full(3, auto_pad="SAME_LOWER", strides=[2, 2]))))


@net("convolution-defaults")
def _(b):
    weights = b.constant(b.random(6, 3, 3, 3))
    return b.model(b.head(b.node("Conv", ["image", weights])))


@net("global-max-pool")
def _(b):
    return b.model(b.dense(b.node("Flatten", [b.node("GlobalMaxPool", [b.stem()])]), 6))


def last_layer(name, operator, opset, output, four=False):
    @net(name, output=output, opset=opset)
    def build(b):
        if not four:
            return b.model(b.node(operator, [b.head(b.stem())]))
        # SqueezeNet ends so: classes are channels of maps of 1 x 1.
        maps = b.convolution(b.stem(), (6, CLASSES), 1, pads=[0] * 4)
        axis = {} if opset < 13 else {"axis": 1}
        return b.model(b.node(operator, [b.node("GlobalAveragePool", [maps])], **axis), [1, CLASSES, 1, 1])


for opset in (11, 13):
    last_layer(f"softmax-{opset}", "Softmax", opset, "probabilities")
    last_layer(f"softmax-{opset}-maps", "Softmax", opset, "probabilities", four=True)
    last_layer(f"log-softmax-{opset}", "LogSoftmax", opset, "logits")
    last_layer(f"log-softmax-{opset}-maps", "LogSoftmax", opset, "logits", four=True)
last_layer("sigmoid", "Sigmoid", 13, "sigmoid")


@net("sigmoid-logits", output="sigmoid-logits")
def _(b):
    return b.model(b.head(b.stem()))


@net("constant-nodes")
def _(b):
    values = b.random(6, CLASSES, scale=1.6)
    weights = b.node("Constant", [], value=numpy_helper.from_array(values.astype("f8"), "w"))
    bias = b.node("Constant", [], value_floats=[0.1, -0.2, 0.3, -0.4, 0.5])
    pooled = b.node("Flatten", [b.node("GlobalAveragePool", [b.stem()])])
    weights = b.node("Cast", [weights], to=TensorProto.FLOAT)
    return b.model(b.node("Gemm", [pooled, weights, bias]))


@net("constant-chains")
def _(b):
    flat = b.constant(b.random(6 * CLASSES, scale=1.6))
    weights = b.node("Reshape", [flat, b.constant(np.array([CLASSES, -1], dtype="i8"))])
    weights = b.node("Transpose", [weights], perm=[1, 0])
    pooled = b.node("Flatten", [b.node("GlobalAveragePool", [b.stem()])])
    return b.model(b.node("MatMul", [pooled, weights]))


# Operators whose output has the size that values tell: run where that is small.
@net("constant-of-shape")
def _(b):
    x = b.stem()
    half = helper.make_tensor("v", TensorProto.FLOAT, [1], [0.5])
    filled = b.node("ConstantOfShape", [b.node("Shape", [x])], value=half)
    return b.model(b.head(b.node("Mul", [x, filled])))


between("expand", "Expand", inputs=i64(1, 1, HEIGHT, WIDTH))
between("tile", "Tile", inputs=i64(1, 1, 2, 3))
between("convolution-transposed", "ConvTranspose", strides=[2, 2], inputs=lambda b: [b.constant(b.random(6, 6, 3, 3))])
between("cumulative-sum", "CumSum", inputs=lambda b: [b.constant(np.array(2, dtype="i8"))])
between("lp-normalization", "LpNormalization", axis=1, p=2)
between("reduce-log-sum-exp", "ReduceLogSumExp", axes=[2], keepdims=1)
between("softsign", "Softsign")
between("top-k", "TopK", 2, axis=3, inputs=i64(3))
between("trilu", "Trilu", opset=14, upper=0)


@net("one-hot")
def _(b):
    values = [b.constant(np.array([6], dtype="i8")), b.constant(np.array([0, 1], dtype="f4"))]
    highest = b.node("ArgMax", [b.stem()], axis=1, keepdims=0)
    return b.model(b.head(b.node("OneHot", [highest, *values], axis=1)))


@net("class-token")
def _(b):
    """A vision transformer's beginning and end, as PyTorch's exporter writes `expand(batch, -1, -1)`."""
    x = b.node("Reshape", [b.stem(), b.constant(np.array([0, 6, -1], dtype="i8"))])
    x = b.node("Transpose", [x], perm=[0, 2, 1])
    batch = b.node("Gather", [b.node("Shape", [x]), b.constant(np.array(0, dtype="i8"))], axis=0)
    batch = b.node("Unsqueeze", [batch, b.constant(np.array([0], dtype="i8"))])
    asked = b.node("Concat", [batch, *i64(-1)(b), *i64(-1)(b)], axis=0)
    ones = b.node("ConstantOfShape", i64(3)(b), value=helper.make_tensor("v", TensorProto.INT64, [1], [1]))
    keep = b.node("Equal", [asked, b.node("Mul", [ones, b.constant(np.array(-1, dtype="i8"))])])
    token = b.node("Expand", [b.constant(b.random(1, 1, 6, scale=1)), b.node("Where", [keep, ones, asked])])
    x = b.node("Concat", [token, x], axis=1)
    alike = b.node("Softmax", [b.node("MatMul", [x, b.node("Transpose", [x], perm=[0, 2, 1])])], axis=2)
    x = b.node("MatMul", [alike, x])
    return b.model(b.dense(b.node("Gather", [x, b.constant(np.array(0, dtype="i8"))], axis=1), 6))


@net("branch")
def _(b):
    x = b.stem()
    name = helper.make_tensor_value_info("kept", TensorProto.FLOAT, None)
    same = helper.make_graph([helper.make_node("Identity", [x], ["kept"])], "same", [], [name])
    turned = helper.make_graph([helper.make_node("Neg", [x], ["kept"])], "turned", [], [name])
    always = b.constant(np.array(True))
    return b.model(b.head(b.node("If", [always], then_branch=same, else_branch=turned)))


@net("external-data")
def _(b):
    return b.model(b.head(b.stem()))


@net("fixed-batch-4", batch=4)
def _(b):
    return b.model(b.head(b.stem()))


@net("free-batch", batch="N")
def _(b):
    return b.model(b.head(b.stem()))


@net("uint8-input", kind=TensorProto.UINT8)
def _(b):
    x = b.node("Cast", ["image"], to=TensorProto.FLOAT)
    return b.model(b.head(b.stem(b.node("Div", [x, b.constant(np.float32(255))]))))


def half_precision(b, x):
    weights = b.constant(b.random(6, 3, 3, 3, dtype="f2"))
    x = b.node("Relu", [b.node("Conv", [x, weights], **full(3, pads=[1] * 4))])
    x = b.node("Flatten", [b.node("GlobalAveragePool", [x])])
    x = b.node("MatMul", [x, b.constant(b.random(6, CLASSES, scale=1.6, dtype="f2"))])
    return b.model(b.node("Cast", [x], to=TensorProto.FLOAT))


@net("fp16", tolerance=QUANTIZED_TOLERANCE)
def _(b):
    return half_precision(b, b.node("Cast", ["image"], to=TensorProto.FLOAT16))


@net("fp16-input", tolerance=QUANTIZED_TOLERANCE, kind=TensorProto.FLOAT16)
def _(b):
    return half_precision(b, "image")


def int8(values, axis=None):
    """Quantized values and their scale, by tensor or along an axis."""
    others = None if axis is None else tuple(i for i in range(values.ndim) if i != axis)
    scale = (np.abs(values).max(axis=others, keepdims=True) / 127).astype("f4")
    quantized = np.rint(values / scale).astype("i1")
    return quantized, scale.reshape(-1) if axis is not None else scale.reshape(())


def scale_and_zero(b, scale, zero, kind):
    return [b.constant(np.float32(scale)), b.constant(np.array(zero, dtype=kind))]


@net("int8-qdq", tolerance=QUANTIZED_TOLERANCE)
def _(b):
    quantized, scale = int8(b.random(6, 3, 3, 3), axis=0)
    zeros = b.constant(np.zeros(6, dtype="i1"))
    weights = b.node("DequantizeLinear", [b.constant(quantized), b.constant(scale), zeros], axis=0)
    steps = scale_and_zero(b, 1 / 255, 0, "u1")
    x = b.node("DequantizeLinear", [b.node("QuantizeLinear", ["image", *steps]), *steps])
    x = b.node("Relu", [b.node("Conv", [x, weights], **full(3, pads=[1] * 4))])
    steps = scale_and_zero(b, 0.02, 3, "u1")
    return b.model(b.head(b.node("DequantizeLinear", [b.node("QuantizeLinear", [x, *steps]), *steps])))


@net("int8-qoperator", opset=12, tolerance=QUANTIZED_TOLERANCE)
def _(b):
    image, maps, dense = (scale_and_zero(b, *s, "u1") for s in ((1 / 255, 0), (0.02, 8), (0.03, 128)))
    x = b.node("QuantizeLinear", ["image", *image])
    quantized, scale = int8(b.random(6, 3, 3, 3))
    weights = [b.constant(quantized), *scale_and_zero(b, scale, 0, "i1")]
    x = b.node("QLinearConv", [x, *image, *weights, *maps], pads=[1] * 4)
    x = b.node("DequantizeLinear", [x, *maps])
    x = b.node("Flatten", [b.node("GlobalAveragePool", [x])])
    x = b.node("QuantizeLinear", [x, *maps])
    quantized, scale = int8(b.random(6, CLASSES, scale=1.0))
    weights = [b.constant(quantized), *scale_and_zero(b, scale, 0, "i1")]
    x = b.node("QLinearMatMul", [x, *maps, *weights, *dense])
    return b.model(b.node("DequantizeLinear", [x, *dense]))


@net("int8-dynamic", tolerance=QUANTIZED_TOLERANCE)
def _(b):
    x = b.node("Flatten", [b.node("GlobalAveragePool", [b.stem()])])
    x, scale, zero = b.node("DynamicQuantizeLinear", [x], 3)
    quantized, step = int8(b.random(6, CLASSES, scale=1.6))
    products = b.node("MatMulInteger", [x, b.constant(quantized), zero, b.constant(np.int8(0))])
    products = b.node("Cast", [products], to=TensorProto.FLOAT)
    return b.model(b.node("Mul", [products, b.node("Mul", [scale, b.constant(np.float32(step))])]))


@net("local-functions", domains=["custom"], opset=17)
def _(b):
    steps = [helper.make_node("Sigmoid", ["x"], ["s"]), helper.make_node("Mul", ["x", "s"], ["y"])]
    swish = helper.make_function("custom", "Swish", ["x"], ["y"], steps, [helper.make_opsetid("", 17)])
    b.functions.append(swish)
    return b.model(b.head(b.node("Swish", [b.convolution("image")], domain="custom")))


def plain(opset):
    @net(f"opset-{opset}", opset=opset)
    def build(b):
        x = b.convolution("image")
        parts = [b.random(6, scale=0.5), b.random(6, scale=0.5), b.random(6, scale=0.3), np.abs(b.random(6)) + 0.5]
        x = b.node("BatchNormalization", [x, *map(b.constant, parts)], epsilon=1e-3)
        x = b.node("MaxPool", [b.node("Relu", [x])], kernel_shape=[2, 2], strides=[2, 2])
        return b.model(b.head(x))


for opset in range(7, 23):
    plain(opset)


def write(name, folder):
    """Makes a net, its description, an image, and what onnxruntime says of it."""
    build, output, tolerance, options = NETS[name]
    seed = sum(map(ord, name))
    builder = Builder(seed, **options)
    model = build(builder)
    onnx.checker.check_model(model)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "model.onnx"
    path.unlink(missing_ok=True)
    outside = {}
    if name == "external-data":
        (folder / "weights.bin").unlink(missing_ok=True)
        outside = {"save_as_external_data": True, "location": "weights.bin", "size_threshold": 0}
    onnx.save(model, path, **outside)
    bytes_in = builder.kind == TensorProto.UINT8
    mean, deviation = ([0.0] * 3, [1.0] * 3) if bytes_in else ([10.0, 20.0, 30.0], [255.0] * 3)
    (folder / "classes.txt").write_text("".join(f"class {i}\n" for i in range(CLASSES)))
    (folder / "model.toml").write_text(
        'corpus = "noise"\nprovenance = "synthetic"\nclasses = "classes.txt"\n'
        f'width = {WIDTH}\nheight = {HEIGHT}\ncolour = "rgb"\nmean = {mean}\ndeviation = {deviation}\n'
        f'output = "{output}"\n'
    )
    pixels = np.random.Generator(np.random.PCG64(seed)).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(folder / "image.png")
    kind = helper.tensor_dtype_to_np_dtype(builder.kind)
    values = ((pixels - np.array(mean)) / deviation).transpose(2, 0, 1)[None].astype("f4").astype(kind)
    batch = builder.batch if isinstance(builder.batch, int) else 1
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (scores,) = session.run(["scores"], {"image": np.repeat(values, batch, axis=0)})
    scores = scores.reshape(batch, CLASSES)[0].astype("f8")
    posteriors = {
        "logits": lambda: np.exp(scores - scores.max()) / np.exp(scores - scores.max()).sum(),
        "sigmoid-logits": lambda: 1 / (1 + np.exp(-scores)),
    }.get(output, lambda: scores)()
    telling = np.isfinite(posteriors).all() and np.ptp(posteriors) > 0.01 and posteriors.max() < 0.99
    assert telling, f"{name}: {posteriors} would hide a difference"
    np.savez(folder / "expected.npz", input=values, output=scores, posteriors=posteriors)
    return posteriors, tolerance


def predicted(program, folder):
    """Posteriors by `trompe predict`, or why there are none."""
    command = [program, "predict", folder / "model.onnx", folder / "image.png", "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        return None, done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit code {done.returncode}"
    classes = json.loads(done.stdout)[0]["classes"]
    return np.array([classes[f"class {i}"]["posterior"] for i in range(CLASSES)]), ""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--predict", metavar="TROMPE", type=Path, help="the program to compare")
    parser.add_argument("--only", nargs="+", choices=NETS, metavar="NET", help="these nets alone")
    parser.add_argument("--all", action="store_true", help="a net that is refused is an error, too")
    arguments = parser.parse_args()
    counts = {"agrees": 0, "DIFFERS": 0, "refused": 0}
    names = arguments.only or NETS
    for name in names:
        expected, tolerance = write(name, arguments.folder / name)
        if arguments.predict is None:
            continue
        posteriors, why = predicted(arguments.predict, arguments.folder / name)
        if posteriors is None:
            said = "refused"
        else:
            worst = np.abs(posteriors - expected).max()
            said, why = "agrees" if worst <= tolerance else "DIFFERS", f"{worst:.1e}"
        counts[said] += 1
        print(f"{said:8} {name:28} {why}")
    print(f"{len(names)} nets in {arguments.folder}" + "".join(f", {n} {said}" for said, n in counts.items() if arguments.predict))
    return 1 if counts["DIFFERS"] or (arguments.all and counts["refused"]) else 0


if __name__ == "__main__":
    sys.exit(main())
