"""Receptive fields against brute force: which pixels change one value of the output?"""

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from eyespot import zoo
from eyespot.arithmetic.table import flat, total
from eyespot.arithmetic.trace import trace
from eyespot.blocks import Branches, Residual, SamePadding, chain, conv


def seen(net: nn.Module, size: tuple[int, int], place: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    """The first and last row, and the first and last column, that one value of the output depends on."""
    image = torch.zeros(1, 1, *size, dtype=torch.float64, requires_grad=True)
    output = net(image)
    output[0, :, place[0], place[1]].sum().backward()
    assert image.grad is not None
    rows, columns = image.grad[0, 0].nonzero(as_tuple=True)
    return (int(rows.min()), int(rows.max())), (int(columns.min()), int(columns.max()))


def positive(net: nn.Module) -> nn.Module:
    """Weights above zero, so that nothing cancels."""
    for parameter in net.parameters():
        nn.init.ones_(parameter)
    return net.double()


def size_2(low: int, high: int):
    return st.tuples(st.integers(low, high), st.integers(low, high))


@st.composite
def leaves(draw) -> nn.Module:
    kernel, stride, dilation = draw(size_2(1, 4)), draw(size_2(1, 3)), draw(size_2(1, 2))
    padding = (draw(st.integers(0, kernel[0] // 2)), draw(st.integers(0, kernel[1] // 2)))
    kind = draw(st.sampled_from(["conv", "pool", "same", "pad"]))
    if kind == "conv":
        return nn.Conv2d(1, 1, kernel, stride=stride, padding=padding, dilation=dilation)
    if kind == "pool":
        return nn.AvgPool2d(kernel, stride, padding)
    if kind == "same":
        return chain(
            pad=SamePadding(kernel[0], stride[0]), conv=nn.Conv2d(1, 1, kernel[0], stride=stride[0], padding=0)
        )
    return nn.ZeroPad2d(draw(st.integers(0, 2)))


@st.composite
def parts(draw) -> nn.Module:
    kind = draw(st.sampled_from(["leaf", "leaf", "leaf", "sum", "branches"]))
    if kind == "leaf":
        return draw(leaves())
    odd = [draw(st.sampled_from([1, 3, 5])) for _ in range(3)]
    stride = draw(st.integers(1, 2))
    body = chain(a=conv(1, 1, odd[0], stride=stride), b=conv(1, 1, odd[1]))
    if kind == "sum":
        return Residual(body, None if stride == 1 else conv(1, 1, 1, stride=stride))
    one = conv(1, 1, odd[2], stride=stride)
    mixed = Branches(one=one, two=body, three=nn.AvgPool2d(3, stride, 1))
    return chain(mixed=mixed, mix=conv(3, 1, 1))


@settings(max_examples=200, deadline=None)
@given(st.lists(parts(), min_size=1, max_size=5))
def test_size_jump_and_centre_are_those_of_brute_force(stages):
    net = positive(chain(**{f"s{number}": stage for number, stage in enumerate(stages)}))
    size = (400, 380)
    last = list(flat(trace(net, (1, *size))))[-1]
    assert last.field is not None
    assert last.jump is not None
    assert last.centre is not None
    place = (last.output[1] // 2, last.output[2] // 2)  # far from the edges, where padding hides nothing
    for side, (first, end) in enumerate(seen(net, size, place)):
        middle = last.centre[side] + place[side] * last.jump[side]
        assume(last.field[side] - 1 <= 2 * min(middle, size[side] - 1 - middle))  # else the edges cut it
        assert end - first + 1 == last.field[side]
        assert (first + end) / 2 == middle


@pytest.mark.parametrize("size", [12, 13, 21])
def test_what_follows_a_flattening_sees_everything_its_map_saw(size):
    net = positive(
        chain(
            conv=conv(1, 1, 3, stride=2, padding=0),
            flat=nn.Flatten(),
            fc=nn.Linear(((size - 3) // 2 + 1) ** 2, 1),
        )
    )
    last = list(flat(trace(net, (1, size, size))))[-1]
    image = torch.zeros(1, 1, size, size, dtype=torch.float64, requires_grad=True)
    net(image).sum().backward()
    assert image.grad is not None
    used = image.grad[0, 0].sum(1).nonzero()
    assert last.field == (int(used.max() - used.min()) + 1,) * 2
    assert last.jump == (0, 0)


def test_adaptive_pooling_sees_its_windows():
    for size, places in ((14, 7), (7, 7), (12, 5), (6, 1)):
        last = list(flat(trace(chain(pool=nn.AdaptiveAvgPool2d(places)), (1, size, size))))[-1]
        widest = max(
            end - first + 1
            for place in range(places)
            for (first, end), _ in [seen(nn.AdaptiveAvgPool2d(places), (size, size), (place, 0))]
        )
        assert last.field == (widest, widest)


@pytest.mark.parametrize(
    ("name", "field", "pool"),
    [
        ("alexnet_paper", 195, "stage5.pool"),
        ("vgg16", 212, "stage5.pool"),
        ("resnet50_paper", 483, None),
        ("resnet101_paper", 1027, None),
        ("resnet152_paper", 1507, None),
        ("inception_v2", 699, None),
        ("inception_v3", 1311, None),
        ("inception_v4", 2071, None),
        ("inception_resnet_v2", 3039, None),
    ],
)
def test_fields_before_the_head_are_those_published(name, field, pool):
    """Araujo, Norris, Sim, Distill 2019, table "Receptive field ... of several networks", column "Receptive Field"."""
    known = zoo.definition(name)
    with torch.device("meta"):
        layers = list(flat(trace(zoo.create(name), known.input_chw)))
    maps = [layer for layer in layers if len(layer.output) == 3 and layer.output[1] > 1]
    if pool is None:
        maps = [layer for layer in maps if not layer.kind.endswith("pool")]
    else:
        maps = [layer for layer in maps if layer.name == pool]
    assert maps[-1].field == (field, field)


def test_the_last_field_is_the_networks():
    with torch.device("meta"):
        net = zoo.create("lenet5")
    assert total(trace(net, (1, 32, 32))).field == (32, 32)
