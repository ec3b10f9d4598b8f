"""Dropout in front of the last layer: it drops in training, and nothing else knows of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from eyespot import zoo
from eyespot.blocks import chain, is_chain, join, split, stage_names
from eyespot.building.surgery import as_trunk
from eyespot.engine.graph import to_onnx
from eyespot.errors import OptionError
from eyespot.records import Network, Preprocess
from eyespot.training.dropout import drawn_from, with_dropout
from eyespot.training.new_tail import new_tail
from eyespot.training.tail_words import parse_tail

SIZE = 64
PREPROCESS = Preprocess(
    short_side=SIZE, crop_hw=(SIZE, SIZE), filter="bicubic", color="rgb", mean=(127.5,) * 3, scale=(127.5,) * 3
)


def leaves(net: nn.Sequential) -> list[tuple[str, nn.Module]]:
    named = [(name, net.get_submodule(name)) for name in stage_names(net)]
    return [(name, module) for name, module in named if not is_chain(module)]


def on_meta(name: str) -> nn.Sequential:
    with torch.device("meta"):
        return zoo.create(name)


@pytest.mark.parametrize(
    ("name", "dropouts"),
    [
        ("efficientnet_lite0", {"head.drop_fc": 0.3}),
        ("resnet18", {"head.drop_fc": 0.3}),
        ("lenet5", {"head.drop_fc": 0.3}),
        ("lenet5_1998", {"head.drop_fc": 0.3}),
        ("googlenet", {"head.drop": 0.3}),
        ("inception_v3", {"head.drop": 0.3}),
        ("inception_v4", {"head.drop": 0.3}),
        ("inception_resnet_v2", {"head.drop": 0.3}),
        ("vgg11", {"head.drop1": 0.5, "head.drop2": 0.3}),
        ("alexnet_paper", {"head.drop1": 0.5, "head.drop2": 0.3}),
        ("alexnet", {"head.drop1": 0.5, "head.drop2": 0.5, "head.drop_fc": 0.3}),
    ],
)
def test_it_stands_in_front_of_the_last_layer_once(name, dropouts):
    net = on_meta(name)
    before = str(net)
    made = leaves(with_dropout(net, 0.3))
    assert {name: module.p for name, module in made if isinstance(module, nn.Dropout)} == dropouts
    assert [type(module) for _, module in made[-2:]] == [nn.Dropout, nn.Linear]
    assert str(net) == before


def test_weights_are_shared_and_keep_their_names():
    net = chain(stem=nn.Conv2d(1, 2, 3), head=chain(flat=nn.Flatten(), fc=nn.Linear(8, 3)))
    made = with_dropout(net, 0.5)
    assert made.state_dict().keys() == net.state_dict().keys()
    assert made.head.fc.weight is net.head.fc.weight


def test_twice_is_the_second_time_alone():
    net = chain(head=chain(flat=nn.Flatten(), fc=nn.Linear(8, 3)))
    assert str(with_dropout(with_dropout(net, 0.5), 0.2)) == str(with_dropout(net, 0.2))


@pytest.mark.parametrize("training", [True, False])
def test_it_is_in_the_mode_of_the_network(training):
    net = chain(norm=nn.BatchNorm1d(4).eval(), head=chain(fc=nn.Linear(4, 3))).train(training)
    made = with_dropout(net, 0.5)
    assert made.head.drop_fc.training is training
    assert (made.training, made.head.training) == (training, training)


def test_norms_that_sleep_sleep_on():
    net = chain(norm=nn.BatchNorm1d(4), head=chain(fc=nn.Linear(4, 3)))
    net.norm.eval()
    assert not with_dropout(net, 0.5).norm.training


def test_a_network_that_ends_in_another_layer_is_refused():
    with pytest.raises(OptionError, match="end in a fully connected layer"):
        with_dropout(on_meta("nin_cifar10"), 0.5)


def test_a_new_tail_takes_it_too():
    net = with_dropout(new_tail(parse_tail("dropout 0.1, fc 8"), shape=(16,), classes=3, output="softmax", seed=0), 0.4)
    assert [module.p for _, module in leaves(net) if isinstance(module, nn.Dropout)] == [0.1, 0.4]


def test_the_converted_network_has_the_same_bytes_and_the_same_head(tmp_path):
    net = zoo.create("efficientnet_lite0", classes=3).eval()
    trunk, tail = split(with_dropout(net, 0.5), after="stage5")
    joined = join(trunk, tail.train())
    made_of = {"network": Network(name="efficientnet_lite0"), "preprocess": PREPROCESS}
    converted, head = as_trunk(joined, **made_of, precision="fp32", cache_folder=tmp_path)
    assert converted.graph == to_onnx(split(net, after="head.flat")[0], PREPROCESS)
    np.testing.assert_array_equal(head.layers[0][0], net.head.fc.weight.detach().numpy())


def test_what_a_step_drops_follows_from_its_number_alone():
    drop, x = nn.Dropout(0.5), torch.ones(64)

    def dropped(**at: int) -> list[float]:
        with drawn_from(0, **at):
            return drop(x).tolist()

    state = torch.random.get_rng_state()
    first = dropped(step=3)
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.manual_seed(99)
    assert dropped(step=3) == first
    assert dropped(step=4) != first
    assert dropped(step=3, rank=1) != first
    assert set(first) == {0.0, 2.0}
