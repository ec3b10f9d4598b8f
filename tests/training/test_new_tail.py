"""New layers after a cut: the shapes and weights they have, and that they are part of the network like any other."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from eyespot import zoo
from eyespot.arithmetic.shapes import output_shape
from eyespot.blocks import is_chain, join, split, stage_names
from eyespot.building.surgery import as_trunk
from eyespot.errors import OptionError
from eyespot.records import Network, Preprocess
from eyespot.training.new_tail import MOST_WEIGHTS, new_tail
from eyespot.training.tail_words import parse_tail

SIZE = 64
"""Pixels of the images: a quarter of the usual, for speed."""
PREPROCESS = Preprocess(
    short_side=SIZE, crop_hw=(SIZE, SIZE), filter="bicubic", color="rgb", mean=(127.5,) * 3, scale=(127.5,) * 3
)
ALL_WORDS = "conv 3x3 48 stride 2, dropout 0.2, conv 1 32, pool, fc 24, dropout 0.5"


def made(text: str, shape: tuple[int, ...] = (80, 14, 14), **changes) -> nn.Sequential:
    return new_tail(parse_tail(text), **{"shape": shape, "classes": 10, "output": "softmax", "seed": 0} | changes)


def leaves(net: nn.Sequential) -> list[tuple[str, str]]:
    return [
        (name, type(net.get_submodule(name)).__name__)
        for name in stage_names(net)
        if not is_chain(net.get_submodule(name))
    ]


def test_the_layers_are_those_of_the_text_in_named_stages():
    assert leaves(made("conv 3x3 128, pool, fc 64")) == [
        ("new1.conv", "Conv2d"),
        ("new1.norm", "BatchNorm2d"),
        ("new1.act", "ReLU"),
        ("new1.pool", "MaxPool2d"),
        ("new_head.pool", "AdaptiveAvgPool2d"),
        ("new_head.flat", "Flatten"),
        ("new_head.fc1", "Linear"),
        ("new_head.act1", "ReLU"),
        ("new_head.fc", "Linear"),
    ]


def test_shapes_of_a_tail_worked_by_hand():
    net = made("conv 5x5 128 stride 2, pool 3, conv 1 8, fc 64", (80, 15, 14))
    ends = ("new1.conv", "new1", "new2", "new_head.flat", "new_head.act1", "new_head")
    shapes = [(128, 8, 7), (128, 2, 2), (8, 2, 2), (8,), (64,), (10,)]
    for stage, shape in zip(ends, shapes, strict=True):
        part = net if stage == "new_head" else split(net, after=stage)[0]
        assert output_shape(part, (80, 15, 14)) == shape
    weights = 80 * 128 * 25 + 2 * 128 + 128 * 8 + 2 * 8 + (8 + 1) * 64 + (64 + 1) * 10
    assert sum(parameter.numel() for parameter in net.parameters()) == weights


def test_a_dropout_behind_the_last_map_drops_features():
    names = [name for name, _ in leaves(made("dropout 0.1, conv 3x3 8, dropout 0.2"))]
    assert names[0] == "new1.drop"
    assert names[-3:] == ["new_head.flat", "new_head.drop1", "new_head.fc"]


def test_a_mean_that_was_asked_for_is_not_taken_twice():
    assert [kind for _, kind in leaves(made("avgpool, fc 8"))].count("AdaptiveAvgPool2d") == 1


def test_behind_features_there_is_nothing_to_pool():
    assert leaves(made("fc 8", (1280,))) == [
        ("new_head.fc1", "Linear"),
        ("new_head.act1", "ReLU"),
        ("new_head.fc", "Linear"),
    ]


def test_one_sigmoid_output_is_one():
    assert output_shape(made("fc 8", classes=2, output="sigmoid"), (80, 14, 14)) == (1,)


def test_weights_follow_the_seed_alone():
    state = torch.random.get_rng_state()
    first = made(ALL_WORDS).state_dict()
    torch.manual_seed(1)
    again, other = made(ALL_WORDS).state_dict(), made(ALL_WORDS, seed=1).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["new1.conv.weight"], other["new1.conv.weight"])
    torch.random.set_rng_state(state)
    made(ALL_WORDS)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_weights_have_hes_deviation_and_biases_are_zero():
    net = made("conv 3x3 128, fc 512")
    for layer, inputs in ((net.new1.conv, 80 * 9), (net.new_head.fc1, 128)):
        weight, expected = layer.weight.detach(), math.sqrt(2 / inputs)
        assert float(weight.std()) == pytest.approx(expected, rel=0.02)
        assert abs(float(weight.mean())) < 4 * expected / math.sqrt(weight.numel())
    assert not net.new_head.fc1.bias.any()
    assert not net.new_head.fc.bias.any()
    assert bool((net.new1.norm.weight == 1).all())
    assert bool((net.new1.norm.running_var == 1).all())
    assert not net.new1.norm.running_mean.any()


def test_at_first_all_classes_are_about_as_likely():
    net = made("conv 3x3 128, pool, fc 64")
    x = torch.randn(16, 80, 14, 14, generator=torch.Generator().manual_seed(0))
    chances = net(x.relu()).softmax(1).detach()
    assert float(chances.min()) > 0.08
    assert float(chances.max()) < 0.12


def test_it_learns():
    net = made("conv 3x3 16, fc 8", (4, 5, 5), classes=2)
    x, labels = torch.randn(32, 4, 5, 5, generator=torch.Generator().manual_seed(0)), torch.arange(32) % 2
    x[labels == 1, 0] += 1
    step = torch.optim.SGD(net.parameters(), lr=0.5)
    for _ in range(60):
        loss = nn.functional.cross_entropy(net(x), labels)
        step.zero_grad()
        loss.backward()
        step.step()
    assert float(loss.detach()) < 0.1


@pytest.mark.parametrize(
    ("text", "shape", "told"),
    [
        ("conv 7x7 8", (80, 5, 5), "'conv 7x7 8' where the map is 5x5"),
        ("conv 1x7 8", (80, 9, 5), "'conv 1x7 8' where the map is 9x5"),
        ("pool, pool, pool, pool", (80, 14, 14), "'pool 2x2' where the map is 1x1"),
        ("avgpool, conv 3x3 8", (80, 14, 14), "'conv 3x3 8' where the map is 1x1"),
        ("conv 3x3 8", (1280,), "1280 features and no maps"),
        ("avgpool", (1280,), "1280 features and no maps"),
        ("conv 3x3 4096, conv 3x3 4096", (80, 14, 14), f"at most {MOST_WEIGHTS:,}"),
    ],
)
def test_what_does_not_fit_the_map_is_told_in_one_sentence(text, shape, told):
    with pytest.raises(OptionError, match="the option replace_tail") as raised:
        made(text, shape)
    assert told in str(raised.value)


@pytest.mark.parametrize("cut", ["stem", "stage4", "stage4.a", "stage7", "head.conv", "head.flat"])
def test_it_joins_behind_every_kind_of_cut(cut):
    trunk, _ = split(zoo.create("efficientnet_lite0"), after=cut)
    shape = output_shape(trunk, (3, SIZE, SIZE))
    net = join(trunk, made("fc 8" if len(shape) == 1 else "conv 1x1 8, dropout 0.5, fc 8", shape, classes=3))
    assert output_shape(net, (3, SIZE, SIZE)) == (3,)


@pytest.mark.parametrize(("classes", "output"), [(3, "softmax"), (2, "sigmoid")])
def test_behind_efficientnets_stage4_the_engine_answers_as_torch_does(classes, output, tmp_path):
    trunk, _ = split(zoo.create("efficientnet_lite0").eval(), after="stage4")
    shape = output_shape(trunk, (3, SIZE, SIZE))
    tail = made(ALL_WORDS, shape, classes=classes, output=output)
    images = np.random.default_rng(0).integers(0, 256, (4, SIZE, SIZE, 3), np.uint8)
    x = torch.from_numpy((images.astype(np.float32) - 127.5) / 127.5).permute(0, 3, 1, 2)
    with torch.no_grad():
        for layer in (*trunk.modules(), *tail.modules()):
            if isinstance(layer, nn.BatchNorm2d):
                layer.momentum = 1.0  # the statistics of these images: else all answers are about the same
        trunk.train()(x)
        tail(trunk.eval()(x))
    net = join(trunk, tail.eval())
    with torch.inference_mode():
        expected = net(x).numpy()
    made_of = {"network": Network(name="efficientnet_lite0"), "preprocess": PREPROCESS}
    converted, head = as_trunk(net, **made_of, precision="fp32", cache_folder=tmp_path, output=output)
    features = converted.engine.run(images)["features"]
    found = features @ head.layers[0][0].T + head.layers[0][1]
    assert expected.std(0).mean() > 1e-3
    np.testing.assert_allclose(found, expected, atol=1e-3 * float(expected.std()))
