"""Files as Caffe has them, made here: descriptions with the constructs of the published networks, and weights.

text = googlenet()                            # the architecture of bvlc_googlenet, in our own words
write_model(path, blobs_of(net), ...)         # byte by byte, without the reader's table of messages
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

LEARNING = "param { lr_mult: 1 decay_mult: 1 } param { lr_mult: 2 decay_mult: 0 }"
FILLERS = 'weight_filler { type: "gaussian" std: 0.01 } bias_filler { type: "constant" value: 0.1 }'


class Text:
    """Layers one after the other, each on the one before unless it is told otherwise."""

    def __init__(self, head: str, top: str = "data", *, old: bool = False) -> None:
        self.parts, self.top, self.old = [head], top, old

    def add(self, kind: str, name: str, settings: str = "", *, on: Sequence[str] = (), top: str = "") -> str:
        """Returns the name of what the layer gives: its own, unless `top` says another."""
        bottoms = " ".join(f'bottom: "{bottom}"' for bottom in on or [self.top])
        self.top = top or name
        word, kind = ("layers", OLD[kind]) if self.old else ("layer", f'"{kind}"')
        self.parts.append(
            f'{word} {{\n  name: "{name}"\n  type: {kind}\n  {bottoms} top: "{self.top}"\n  {settings}\n}}'
        )
        return self.top

    def in_place(self, kind: str, name: str, settings: str = "") -> str:
        return self.add(kind, name, settings, top=self.top)

    def conv(self, name: str, outputs: int, kernel: int, settings: str = "", **how: object) -> str:
        return self.add("Convolution", name, conv(outputs, kernel, settings), **how)

    def __str__(self) -> str:
        return "\n".join(self.parts) + "\n"


OLD = {
    **{"Convolution": "CONVOLUTION", "ReLU": "RELU", "Pooling": "POOLING", "InnerProduct": "INNER_PRODUCT"},
    **{"Dropout": "DROPOUT", "Softmax": "SOFTMAX", "LRN": "LRN", "Concat": "CONCAT"},
}


def conv(outputs: int, kernel: int, settings: str = "") -> str:
    return f"convolution_param {{ num_output: {outputs} kernel_size: {kernel} {settings} }}"


def pool(kind: str, kernel: int, stride: int, settings: str = "") -> str:
    return f"pooling_param {{ pool: {kind} kernel_size: {kernel} stride: {stride} {settings} }}"


def dense(outputs: int) -> str:
    return f"inner_product_param {{ num_output: {outputs} }}"


def dims(channels: int, size: int) -> str:
    return f'input: "data"\ninput_dim: 10\ninput_dim: {channels}\ninput_dim: {size}\ninput_dim: {size}'


def data_layers(size: int) -> str:
    """As a description for training has them: one for each phase."""
    return "\n".join(
        f'layer {{ name: "data" type: "Data" top: "data" top: "label" include {{ phase: {phase} }}\n'
        f'  transform_param {{ mirror: {mirror} crop_size: {size} mean_file: "mean.binaryproto" }}\n'
        f'  data_param {{ source: "lmdb" batch_size: 256 backend: LMDB }} }} # {phase}'
        for phase, mirror in (("TRAIN", "true"), ("TEST", "false"))
    )


LRN = "lrn_param { local_size: 5 alpha: 0.0001 beta: 0.75 }"


def alexnet(*, norm_first: bool, training: bool) -> str:
    """bvlc_alexnet (norm before pooling) or bvlc_reference_caffenet, to be used or to be trained."""
    given = (
        'layer { name: "data" type: "Input" top: "data" input_param { shape: { dim: 10 dim: 3 dim: 227 dim: 227 } } }'
    )
    net = Text('name: "AlexNet"\n' + (data_layers(227) if training else given))
    plans = (("1", 96, 11, "stride: 4"), ("2", 256, 5, "pad: 2 group: 2"), ("3", 384, 3, "pad: 1"))
    for number, outputs, kernel, how in (*plans, ("4", 384, 3, "pad: 1 group: 2"), ("5", 256, 3, "pad: 1 group: 2")):
        net.add("Convolution", f"conv{number}", f"{LEARNING} {conv(outputs, kernel, f'{how} {FILLERS}')}")
        net.in_place("ReLU", f"relu{number}")
        after = [("Pooling", f"pool{number}", pool("MAX", 3, 2))] if number in "125" else []
        after += [("LRN", f"norm{number}", LRN)] if number in "12" else []
        for kind, name, settings in reversed(after) if norm_first else after:
            net.add(kind, name, settings)
    for number in "67":
        net.add("InnerProduct", f"fc{number}", dense(4096))
        net.in_place("ReLU", f"relu{number}")
        net.in_place("Dropout", f"drop{number}", "dropout_param { dropout_ratio: 0.5 }")
    net.add("InnerProduct", "fc8", dense(1000))
    if training:
        net.add("Accuracy", "accuracy", "include { phase: TEST }", on=["fc8", "label"])
        net.add("SoftmaxWithLoss", "loss", on=["fc8", "label"])
    else:
        net.add("Softmax", "prob")
    return str(net)


INCEPTIONS = {
    **{"3a": (64, 96, 128, 16, 32, 32), "3b": (128, 128, 192, 32, 96, 64), "4a": (192, 96, 208, 16, 48, 64)},
    **{"4b": (160, 112, 224, 24, 64, 64), "4c": (128, 128, 256, 24, 64, 64), "4d": (112, 144, 288, 32, 64, 64)},
    **{"4e": (256, 160, 320, 32, 128, 128), "5a": (256, 160, 320, 32, 128, 128), "5b": (384, 192, 384, 48, 128, 128)},
}


def googlenet(*, training: bool = False) -> str:
    """bvlc_googlenet; for training, with its two auxiliary heads."""
    net = Text(data_layers(224) if training else dims(3, 224))
    unit(net, "conv1/7x7_s2", 64, 7, "pad: 3 stride: 2", relu="conv1/relu_7x7")
    net.add("Pooling", "pool1/3x3_s2", pool("MAX", 3, 2))
    net.add("LRN", "pool1/norm1", LRN)
    unit(net, "conv2/3x3_reduce", 64, 1, relu="conv2/relu_3x3_reduce")
    unit(net, "conv2/3x3", 192, 3, "pad: 1", relu="conv2/relu_3x3")
    net.add("LRN", "conv2/norm2", LRN)
    net.add("Pooling", "pool2/3x3_s2", pool("MAX", 3, 2))
    for name, widths in INCEPTIONS.items():
        if name in ("4a", "5a"):
            net.add("Pooling", f"pool{int(name[0]) - 1}/3x3_s2", pool("MAX", 3, 2))
        if training and name in ("4b", "4e"):
            _head(net, "loss1" if name == "4b" else "loss2")
        inception(net, f"inception_{name}", widths)
    net.add("Pooling", "pool5/7x7_s1", pool("AVE", 7, 1))
    net.in_place("Dropout", "pool5/drop_7x7_s1", "dropout_param { dropout_ratio: 0.4 }")
    net.add("InnerProduct", "loss3/classifier", dense(1000))
    if training:
        net.add("SoftmaxWithLoss", "loss3/loss3", "loss_weight: 1", on=["loss3/classifier", "label"], top="loss3/loss3")
        net.add(
            "Accuracy",
            "loss3/top-5",
            "include { phase: TEST } accuracy_param { top_k: 5 }",
            on=["loss3/classifier", "label"],
        )
    else:
        net.add("Softmax", "prob")
    return str(net)


def unit(net: Text, name: str, outputs: int, kernel: int, how: str = "", *, relu: str, on: Sequence[str] = ()) -> str:
    net.conv(name, outputs, kernel, how, on=on)
    return net.in_place("ReLU", relu)


def inception(net: Text, name: str, widths: Sequence[int]) -> None:
    given, (one, reduce3, three, reduce5, five, proj) = [net.top], widths
    parts = [unit(net, f"{name}/1x1", one, 1, relu=f"{name}/relu_1x1", on=given)]
    for kernel, before, after in ((3, reduce3, three), (5, reduce5, five)):
        label = f"{kernel}x{kernel}"
        unit(net, f"{name}/{label}_reduce", before, 1, relu=f"{name}/relu_{label}_reduce", on=given)
        parts.append(unit(net, f"{name}/{label}", after, kernel, f"pad: {kernel // 2}", relu=f"{name}/relu_{label}"))
    net.add("Pooling", f"{name}/pool", pool("MAX", 3, 1, "pad: 1"), on=given)
    parts.append(unit(net, f"{name}/pool_proj", proj, 1, relu=f"{name}/relu_pool_proj"))
    net.add("Concat", f"{name}/output", on=parts)


def _head(net: Text, name: str) -> None:
    given = net.top
    net.add("Pooling", f"{name}/ave_pool", pool("AVE", 5, 3))
    unit(net, f"{name}/conv", 128, 1, relu=f"{name}/relu_conv")
    net.add("InnerProduct", f"{name}/fc", dense(1024))
    net.in_place("ReLU", f"{name}/relu_fc")
    net.in_place("Dropout", f"{name}/drop_fc", "dropout_param { dropout_ratio: 0.7 }")
    net.add("InnerProduct", f"{name}/classifier", dense(1000))
    net.add("SoftmaxWithLoss", f"{name}/loss", "loss_weight: 0.3", on=[f"{name}/classifier", "label"])
    net.top = given


def vgg16(*, size: int = 224) -> str:
    """VGG_ILSVRC_16_layers, in the old form in which it was published."""
    net = Text(dims(3, size), old=True)
    for block, (outputs, count) in enumerate(((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)), start=1):
        for number in range(1, count + 1):
            unit(net, f"conv{block}_{number}", outputs, 3, "pad: 1", relu=f"relu{block}_{number}")
        net.add("Pooling", f"pool{block}", pool("MAX", 2, 2))
    for number, outputs in ((6, 4096), (7, 4096)):
        net.add("InnerProduct", f"fc{number}", dense(outputs))
        net.in_place("ReLU", f"relu{number}")
        net.in_place("Dropout", f"drop{number}", "dropout_param { dropout_ratio: 0.5 }")
    net.add("InnerProduct", "fc8", dense(1000))
    net.add("Softmax", "prob")
    return str(net)


def resnet(depth: int) -> str:
    """ResNet-50, 101 or 152 as their authors published them: the first convolution of ResNet-50 alone has a bias."""
    blocks = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}[depth]
    net = Text(dims(3, 224))
    normed(net, "conv1", "", 64, 7, f"pad: 3 stride: 2 {'' if depth == 50 else 'bias_term: false'}", "conv1")
    net.in_place("ReLU", "conv1_relu")
    net.add("Pooling", "pool1", pool("MAX", 3, 2))
    for stage, count in enumerate(blocks, start=2):
        for number in range(count):
            letter = chr(ord("a") + number) if depth == 50 or count < 4 or number == 0 else f"b{number}"
            bottleneck(net, f"{stage}{letter}", 32 * 2**stage // 2, is_first=number == 0, stride=2 if stage > 2 else 1)
    net.add("Pooling", "pool5", pool("AVE", 7, 1))
    net.add("InnerProduct", "fc1000", dense(1000))
    net.add("Softmax", "prob")
    return str(net)


def bottleneck(net: Text, name: str, width: int, *, is_first: bool, stride: int) -> None:
    given, step = net.top, stride if is_first else 1
    shortcut = given
    if is_first:
        shortcut = normed(
            net, f"res{name}_branch1", f"{name}_branch1", 4 * width, 1, f"stride: {step} bias_term: false"
        )
        net.top = given
    for letter, outputs, kernel, how in (
        ("a", width, 1, f"stride: {step}"),
        ("b", width, 3, "pad: 1"),
        ("c", 4 * width, 1, ""),
    ):
        normed(net, f"res{name}_branch2{letter}", f"{name}_branch2{letter}", outputs, kernel, f"{how} bias_term: false")
        if letter != "c":
            net.in_place("ReLU", f"res{name}_branch2{letter}_relu")
    net.add("Eltwise", f"res{name}", on=[shortcut, net.top])
    net.in_place("ReLU", f"res{name}_relu")


def normed(net: Text, conv_name: str, name: str, outputs: int, kernel: int, how: str, suffix: str = "") -> str:
    net.conv(conv_name, outputs, kernel, how)
    net.in_place("BatchNorm", f"bn_{suffix}" if suffix else f"bn{name}", "batch_norm_param { use_global_stats: true }")
    return net.in_place("Scale", f"scale_{suffix}" if suffix else f"scale{name}", "scale_param { bias_term: true }")


# --- a .caffemodel, byte by byte ---

Blobs = Mapping[str, tuple[str, Sequence[np.ndarray]]]
"""The type of each layer by its name, and its blobs in Caffe's order."""
OLD_TYPES = {"Convolution": 4, "InnerProduct": 14}


def model_bytes(
    blobs: Blobs, *, old: bool = False, doubles: bool = False, wires: Mapping[str, str] | None = None
) -> bytes:
    """A whole file. old: layers of the old form, with blobs of four numbers. wires: the bottom of each layer."""
    found = b""
    for name, (kind, arrays) in blobs.items():
        kept = b"".join(_blob(array, old=old, doubles=doubles) for array in arrays)
        ends = (
            b""
            if wires is None
            else _bytes(2 if old else 3, wires[name].encode()) + _bytes(3 if old else 4, name.encode())
        )
        if old:
            found += _bytes(2, ends + _bytes(4, name.encode()) + _number(5, OLD_TYPES[kind]) + kept)
        else:
            found += _bytes(100, _bytes(1, name.encode()) + _bytes(2, kind.encode()) + ends + kept)
    return _bytes(1, b"net") + found


def write_model(path: Path, blobs: Blobs, **how: object) -> Path:
    path.write_bytes(model_bytes(blobs, **how))
    return path


def _blob(array: np.ndarray, *, old: bool, doubles: bool) -> bytes:
    data = _bytes(8, array.astype("<f8").tobytes()) if doubles else _bytes(5, array.astype("<f4").tobytes())
    if old:
        shape = (1,) * (4 - array.ndim) + array.shape
        data += b"".join(_number(number, size) for number, size in enumerate(shape, start=1))
    else:
        data += _bytes(7, _bytes(1, b"".join(_varint(size) for size in array.shape)))
    return _bytes(7 if not old else 6, data)


def _varint(value: int) -> bytes:
    found = b""
    while value > 127:
        found += struct.pack("B", value & 127 | 128)
        value >>= 7
    return found + struct.pack("B", value)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, data: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(data)) + data
