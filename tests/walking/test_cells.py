"""The sum that is shown of a number of a layer is the number that the network gave, in every kind of layer."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from eyespot import zoo
from eyespot.arithmetic.table import flat
from eyespot.arithmetic.trace import trace
from eyespot.blocks import Residual, SamePadding, chain
from eyespot.errors import NetworkError
from eyespot.walking.cells import MOST_PARTS, cell_of
from eyespot.walking.walk import grid_of, logits_without, walk

NETWORKS = {"lenet5": 1, "lenet5_1998": 1, "resnet20_cifar": 3, "googlenet": 3, "efficientnet_lite0": 3}


def settled(net: nn.Sequential, seed: int = 0) -> nn.Sequential:
    """With batch norms as after training: means and variances of their own."""
    chance = torch.Generator().manual_seed(seed)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.2, generator=chance)
            module.running_var.uniform_(0.5, 2, generator=chance)
            module.weight.data.uniform_(0.5, 1.5, generator=chance)
            module.bias.data.normal_(0, 0.2, generator=chance)
    return net.eval()


@pytest.mark.parametrize("name", NETWORKS)
def test_the_shown_sum_is_the_networks_own_number(name):
    torch.manual_seed(0)
    net, size = settled(zoo.create(name)), zoo.definition(name).input_chw
    steps, random = walk(net, torch.randn(size)), np.random.default_rng(0)
    assert torch.equal(steps.logits, net(next(iter(steps.steps.values())).output[None])[0])
    for layer, step in steps.steps.items():
        largest = float(step.output.abs().max())
        for _ in range(4):
            place = tuple(int(random.integers(side)) for side in step.output.shape)
            cell = cell_of(steps, layer, place)
            assert cell.kind != "unknown", layer
            assert cell.value == float(step.output[place])
            assert abs(cell.sum - cell.value) <= 1e-5 * largest, (layer, place)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_steps_are_the_rows_of_the_table(name):
    net, size = zoo.create(name).eval(), zoo.definition(name).input_chw
    rows = {row.name: row.output for row in flat(trace(net, size))}
    assert {name: tuple(step.output.shape) for name, step in walk(net, torch.zeros(size)).steps.items()} == rows


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(6, 4, (3, 2), stride=(2, 1), padding=(2, 0), dilation=(1, 2), groups=2),
        nn.Conv2d(6, 6, 5, padding="same", groups=6, bias=False),
        nn.MaxPool2d(3, 2, padding=1, ceil_mode=True),
        nn.MaxPool2d(2, 1, dilation=2),
        nn.AvgPool2d(3, 2, padding=1, ceil_mode=True),
        nn.AvgPool2d(3, 2, padding=1, ceil_mode=True, count_include_pad=False),
        nn.AvgPool2d(2, divisor_override=3),
        nn.AdaptiveAvgPool2d((3, 4)),
        nn.LocalResponseNorm(4, alpha=0.5),
        nn.LocalResponseNorm(5, alpha=0.5),
        nn.BatchNorm2d(6, affine=False),
        SamePadding(4, 3),
        nn.ZeroPad2d((1, 2, 0, 3)),
        Residual(nn.Conv2d(6, 6, 1), scale=0.3),
        nn.SiLU(),
        nn.Dropout(),
        nn.Flatten(),
    ],
    ids=str,
)
def test_every_form_of_a_layer(layer):
    torch.manual_seed(1)
    steps = walk(chain(layer=layer).eval(), torch.randn(6, 10, 13))
    output = steps.steps["layer"].output
    for place in np.ndindex(*output.shape):
        if sum(place) % 3 == 0:
            cell = cell_of(steps, "layer", place)
            assert cell.kind != "unknown"
            assert cell.sum == pytest.approx(float(output[place]), abs=1e-5 * float(output.abs().max()))


def test_a_function_of_one_number_in_a_vector():
    steps = walk(chain(flat=nn.Flatten(), fc=nn.Linear(4, 3), act=nn.Tanh()).eval(), torch.randn(1, 2, 2))
    assert cell_of(steps, "act", (1,)).kind == "function"
    assert cell_of(steps, "act", (1,)).sum == pytest.approx(float(steps.steps["act"].output[1]))


def test_a_kind_that_is_not_known_says_so():
    steps = walk(chain(norm=nn.GroupNorm(1, 4), soft=nn.Softmax(1)).eval(), torch.randn(4, 3, 3))
    assert {name: cell_of(steps, name, (1, 1, 1)).kind for name in ("norm", "soft")} == {
        "norm": "unknown",
        "soft": "unknown",
    }


def test_padding_has_no_numbers_and_the_patch_lies_where_it_says():
    net = chain(conv=nn.Conv2d(1, 1, 3, padding=1, bias=True)).eval()
    image = torch.arange(12.0).reshape(1, 3, 4)
    [part] = cell_of(walk(net, image), "conv", (0, 0, 3)).parts
    assert (part.top, part.left) == (-1, 2)
    assert part.patch == ((None, None, None), (2.0, 3.0, None), (6.0, 7.0, None))


def test_of_many_parts_the_largest_are_told_and_the_others_summed():
    torch.manual_seed(0)
    steps = walk(chain(conv=nn.Conv2d(100, 2, 1)).eval(), torch.randn(100, 2, 2))
    cell = cell_of(steps, "conv", (1, 0, 1))
    assert (len(cell.parts), cell.rest.count) == (MOST_PARTS, 100 - MOST_PARTS)
    assert cell.constants["bias"] + sum(part.sum for part in cell.parts) + cell.rest.sum == pytest.approx(cell.sum)


def test_a_muted_map_is_zero_to_what_comes_after_and_nothing_else_changes():
    torch.manual_seed(0)
    net, image = zoo.create("lenet5").eval(), torch.randn(1, 32, 32)
    before = walk(net, image)
    maps = before.steps["stage2.conv"].output.clone()
    maps[3] = 0
    with torch.inference_mode():
        rest = net.head(net.stage2.pool(net.stage2.act(maps[None])))[0]
    assert torch.equal(logits_without(net, image, layer="stage2.conv", map_index=3), rest)
    assert torch.equal(walk(net, image).logits, before.logits)


def test_a_vector_that_was_maps_knows_which():
    net = chain(conv=nn.Conv2d(1, 2, 3), flat=nn.Flatten(), drop=nn.Dropout(), fc=nn.Linear(24, 24), act=nn.ReLU())
    steps = walk(net.eval(), torch.randn(1, 5, 6))
    found = {name: grid_of(steps, name) for name in steps.steps}
    assert found == {"input": None, "conv": None, "flat": (2, 3, 4), "drop": (2, 3, 4), "fc": None, "act": None}


@pytest.mark.parametrize(("layer", "place"), [("stage9", (0,)), ("stage1.conv", (0, 0)), ("head.fc", (10,))])
def test_a_place_that_is_not_there(layer, place):
    with pytest.raises(NetworkError):
        cell_of(walk(zoo.create("lenet5").eval(), torch.zeros(1, 32, 32)), layer, place)


@pytest.mark.parametrize("name", NETWORKS)
def test_nothing_outside_of_the_receptive_field_changes_a_number(name):
    torch.manual_seed(0)
    net, size = settled(zoo.create(name)), zoo.definition(name).input_chw
    image, random = torch.randn(size), np.random.default_rng(0)
    rows = [row for row in flat(trace(net, size)) if len(row.output) == 3 and row.field and row.name != "input"]
    for row in random.choice(np.array(rows, object), 6, replace=False):
        place = tuple(int(random.integers(side)) for side in row.output)
        frame = [
            [round(c + at * j - (f - 1) / 2), round(c + at * j + (f - 1) / 2) + 1]
            for c, j, f, at in zip(row.centre, row.jump, row.field, place[1:], strict=True)
        ]
        (top, bottom), (left, right) = ([max(0, first), max(0, last)] for first, last in frame)
        other = torch.randn(size)
        other[:, top:bottom, left:right] = image[:, top:bottom, left:right]
        kept, changed = (walk(net, each).steps[row.name].output[place] for each in (image, other))
        assert torch.equal(kept, changed), (row.name, place, frame)
