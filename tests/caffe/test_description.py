"""What cannot be read or built is told in a sentence, with file, line and layer."""

from __future__ import annotations

import re

import pytest
import torch
from caffe_files import Text, conv, dense, dims

from eyespot.caffe.description import MOST_BYTES, parse, read_text
from eyespot.caffe.network import network_of
from eyespot.errors import NetworkError

HEAD = dims(3, 8)  # five lines


def after(layers: str) -> str:
    return f"{HEAD}\n{layers}"


def layer(kind: str, settings: str = "", name: str = "x", bottom: str = "data") -> str:
    return f'layer {{ name: "{name}" type: "{kind}" bottom: "{bottom}" top: "{name}" {settings} }}'


def shared() -> str:
    net = Text(HEAD)
    net.add("Convolution", "a", f'param {{ name: "w" }} {conv(3, 1)}')
    net.add("Convolution", "b", f'param {{ name: "w" }} {conv(3, 1)}')
    return str(net)


def crossed() -> str:
    """Two ways that share a layer which is not where they part."""
    net = Text(HEAD)
    stem = net.conv("stem", 4, 1)
    a = net.conv("a", 4, 1, on=[stem])
    b = net.conv("b", 4, 1, on=[stem])
    c = net.conv("c", 4, 1, on=[a])
    d = net.add("Eltwise", "d", on=[a, b])
    net.add("Concat", "e", on=[c, d])
    return str(net)


def nested(depth: int) -> str:
    net = Text(HEAD)
    top = net.conv("stem", 2, 1)
    for number in range(depth):
        net.conv(f"c{number}", 2, 1)
    for number in range(depth):
        net.add("Eltwise", f"s{number}", on=[net.top, f"c{depth - 2 - number}" if number < depth - 1 else top])
    return str(net)


REFUSED = {
    "empty": ("", "net.prototxt describes no network"),
    "cut off": ('layer {\n name: "x"', 'net.prototxt, line 2 cannot be read: Expected "}"'),
    "no text format": ("hello world", "line 1: a network cannot have 'hello'"),
    "a quote that does not end": ('layer { name: "x', "line 1 cannot be read"),
    "a bad number": (after(layer("Convolution", conv(-3, 3))), "line 6 cannot be read: Value out of range: -3"),
    "too deep": ("layer " + "{ param " * 50, "cannot have 'param'"),
    "much too deep": ("layer { data_param " + "{ a " * 5000, "more than 20 braces are open"),
    "a solver": ('net: "train_val.prototxt"\nbase_lr: 0.01', "line 1: this describes a training .a solver."),
    "the first year's form": ('layers { layer { name: "x" } }', "the form of Caffe's first year"),
    "both forms": ('layer { name: "a" }\nlayers { name: "b" }', "mixes the old form"),
    "a misspelt field": (
        after(layer("Convolution", "convolution_param { num_output: 4\n kernel_sise: 3 }")),
        "line 7: the parameters of Convolution cannot have 'kernel_sise': did you mean 'kernel_size'?",
    ),
    "weights in the text": (after(layer("Convolution", "blobs { }")), "give them as a .caffemodel"),
    "an unknown type": (after(layer("Convolutoin")), "line 6: layer 'x' is of type 'Convolutoin'.*mean 'Convolution'"),
    "an unknown type of the old form": (
        'layers { name: "x" type: CONV }',
        "line 1 cannot be read.*no value named CONV",
    ),
    "a bottom that is not there": (
        after(layer("ReLU", bottom="dat")),
        "takes 'dat', which no layer gives: did you mean 'data'",
    ),
    "a circle": (
        after(layer("ReLU", name="a", bottom="b") + "\n" + layer("ReLU", name="b", bottom="a")),
        "line 6: layer 'a' takes 'b', which 'b' gives only in line 7: .* without circles",
    ),
    "a layer that takes itself": (
        after(layer("ReLU", name="a", bottom="a")),
        "takes 'a', which 'a' gives only in line 6",
    ),
    "two that give one blob": (
        after(layer("ReLU", name="a") + "\n" + layer("ReLU", name="a")),
        "line 7: layer 'a' gives 'a', which an earlier layer gives",
    ),
    "two answers": (
        after(layer("ReLU", name="a") + "\n" + layer("ReLU", name="b")),
        "has 2 answers, 'a' .line 6. and 'b' .line 7.: a chain has one",
    ),
    "no answer": (HEAD, "describes no network"),
    "two inputs": (
        'input: "a" input: "b"\n'
        + 2 * "input_shape { dim: 1 dim: 3 dim: 8 dim: 8 }\n"
        + 'layer { name: "s" type: "Eltwise" bottom: "a" bottom: "b" top: "s" }',
        "takes 2 inputs, a and b",
    ),
    "an input without a shape": ('input: "data"\n' + layer("ReLU"), "names 1 inputs and has the shapes of 0"),
    "an input of two numbers": (
        'layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 } } }\n' + layer("ReLU"),
        "takes an input of 1 x 3: expected four numbers",
    ),
    "no size of the images": (
        'layer { name: "data" type: "Data" top: "data" top: "label" }\n' + layer("ReLU"),
        "does not say how large its images are: write",
    ),
    "no kernel": (after(layer("Convolution", "convolution_param { num_output: 3 }")), "layer 'x' has no kernel_size"),
    "one side of a kernel": (
        after(layer("Convolution", "convolution_param { num_output: 3 kernel_h: 3 }")),
        "has kernel_h without the other side",
    ),
    "a kernel said twice": (
        after(layer("Convolution", conv(3, 3, "kernel_h: 3 kernel_w: 3"))),
        "kernel_size and kernel_h",
    ),
    "no outputs": (after(layer("Convolution", "convolution_param { kernel_size: 3 }")), "num_output 0: expected 1"),
    "no stride": (after(layer("Convolution", conv(3, 3, "stride: 0"))), "has stride 0: expected 1 to 100,000"),
    "groups that do not fit": (
        after(layer("Convolution", conv(4, 3, "group: 2"))),
        "part 3 channels into 4 with group 2",
    ),
    "a kernel larger than the image": (
        after(layer("Convolution", conv(4, 9))),
        "does not fit what it takes: .*cannot take",
    ),
    "a window beyond the image": (
        after(layer("Pooling", "pooling_param { kernel_size: 1 stride: 2 }")),
        "has a last window beyond its 8x8 pixels",
    ),
    "padding over half a kernel": (
        after(layer("Pooling", "pooling_param { kernel_size: 3 stride: 1 pad: 2 }")),
        "pads .2, 2. pixels around a kernel of .3, 3.",
    ),
    "a pooling by chance": (
        after(layer("Pooling", "pooling_param { pool: STOCHASTIC kernel_size: 2 }")),
        "by STOCHASTIC",
    ),
    "an even neighborhood": (after(layer("LRN", "lrn_param { local_size: 4 }")), "local_size 4: it must be odd"),
    "another axis": (
        after(layer("Softmax", "softmax_param { axis: 2 }") + layer("ReLU", name="y", bottom="x")),
        "axis 2",
    ),
    "a share that is none": (after(layer("Dropout", "dropout_param { dropout_ratio: 1.5 }")), "drops a share of 1.5"),
    "shapes that cannot be added": (
        after(
            layer("Convolution", conv(4, 1))
            + '\nlayer { name: "s" type: "Eltwise" bottom: "x" bottom: "data" top: "s" }'
        ),
        re.escape("cannot add what it takes: 'x' (4, 8, 8), 'data' (3, 8, 8)"),
    ),
    "coefficients of another number": (
        after('layer { name: "s" type: "Eltwise" bottom: "data" bottom: "data" top: "s" eltwise_param { coeff: 1 } }'),
        "has 1 coeff: expected one for each of 2 blobs",
    ),
    "two blobs for one": (
        after('layer { name: "s" type: "Scale" bottom: "data" bottom: "data" top: "s" }'),
        "of type Scale takes 2 blobs: expected one",
    ),
    "a layer that gives two blobs": (
        after('layer { name: "s" type: "Slice" bottom: "data" top: "a" top: "b" }'),
        "of type Slice gives 2 blobs",
    ),
    "shared weights": (shared(), "layer 'b' shares weights 'w' with 'a'"),
    "ways that share a layer": (crossed(), "layer 'a' lies on several ways to 'd' .* and is not where they part"),
    "sums inside sums inside sums": (nested(60), "lies inside 50 other sums"),
    "a bomb of weights": (
        after(layer("InnerProduct", dense(100_000), "a") + layer("InnerProduct", dense(100_000), "b", "a")),
        "10,000,000,000 weights",
    ),
    "a bomb of channels": (after(layer("Convolution", conv(4_000_000_000, 3))), "num_output 4000000000"),
    "a bomb of pixels": (
        'layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 9000000 dim: 8 } } }'
        + layer("ReLU"),
        "each from 1 to 100,000",
    ),
    "include and exclude": (after(layer("ReLU", "include { phase: TEST } exclude { phase: TRAIN }")), "keep one kind"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_built_is_told_with_its_place(name):
    text, match = REFUSED[name]
    with pytest.raises(NetworkError, match=match) as error, torch.device("meta"):
        network_of(text, file="net.prototxt")
    assert str(error.value).startswith("net.prototxt")
    assert len(str(error.value)) < 500


def test_many_small_weights_are_too_many_together():
    net = Text(HEAD)
    for number in range(12):
        net.add("InnerProduct", f"fc{number}", dense(10_000))
    with pytest.raises(NetworkError, match="describes 1,102,040,000 weights: at most 1,000,000,000"):
        network_of(str(net), file="net.prototxt")


def test_layers_of_another_phase_level_or_stage_are_left_out():
    net = Text(HEAD)
    for number, rule in enumerate(
        (
            *(
                "include { phase: TRAIN }",
                "exclude { phase: TEST }",
                'include { stage: "x" }',
                "include { min_level: 1 }",
            ),
            *(
                "include { phase: TEST }",
                "exclude { phase: TRAIN }",
                'include { not_stage: "x" }',
                "include { max_level: 0 }",
            ),
            "include { phase: TRAIN } include { phase: TEST }",
        )
    ):
        net.add("ReLU", f"relu{number}", rule, on=["data"], top="data")
    kept = [each.name for each in parse(str(net), file="net").layers if each.type == "ReLU"]
    assert kept == ["relu4", "relu5", "relu6", "relu7", "relu8"]


def test_a_description_that_is_for_training_alone_is_read_as_that():
    text = 'layer { name: "d" type: "Data" top: "data" include { phase: TRAIN } transform_param { crop_size: 8 } }\n'
    network = network_of(text + layer("Convolution", conv(4, 3)), file="net")
    assert network.input_chw == (3, 8, 8)


def test_names_of_layers_become_names_of_stages():
    net = Text(HEAD)
    for name in ("conv1/3x3", "conv1.3x3", "forward", "ünder", ""):
        net.add("ReLU", name, top=f"top{name}")
    assert list(dict(network_of(str(net), file="net").net.named_children())) == [
        *("conv1_3x3", "conv1_3x3_", "forward_", "_nder", "ReLU"),
    ]


@pytest.mark.parametrize("classes", [1, 7])
def test_the_number_of_classes_can_be_chosen(classes):
    net = Text(HEAD)
    net.add("InnerProduct", "fc1", dense(6))
    net.add("InnerProduct", "fc2", dense(3))
    network = network_of(str(net), file="net", classes=classes)
    assert (network.net.fc1.fc.out_features, network.net.fc2.fc.out_features) == (6, classes)


def test_classes_of_a_sum_cannot_be_chosen():
    net = Text(HEAD)
    net.add("Eltwise", "sum", on=[net.conv("a", 3, 1), "data"])
    with pytest.raises(NetworkError, match="its classes cannot be chosen"):
        network_of(str(net), file="net", classes=2)


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    with pytest.raises(NetworkError, match="cannot be read: No such file"):
        read_text(tmp_path / "missing.prototxt")
    binary, long = tmp_path / "binary.prototxt", tmp_path / "long.prototxt"
    binary.write_bytes(b"\xff\xfe\x00")
    long.write_bytes(b" " * (MOST_BYTES + 1))
    with pytest.raises(NetworkError, match=r"it is no text; a [.]caffemodel is given as weights"):
        read_text(binary)
    with pytest.raises(NetworkError, match="it has over 2 MB"):
        read_text(long)
