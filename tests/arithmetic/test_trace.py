"""What each layer takes, gives, holds and costs: against PyTorch, which runs it, and its counter, which sees it run."""

import re

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from eyespot import zoo
from eyespot.arithmetic.table import depth, flat, total
from eyespot.arithmetic.trace import trace
from eyespot.blocks import Branches, Residual, SamePadding, chain, conv
from eyespot.errors import NetworkError


def counted(net: nn.Module, input_chw: tuple[int, ...]) -> int:
    """Multiply-adds that PyTorch's counter sees."""
    with FlopCounterMode(display=False) as counter:
        net(torch.empty(1, *input_chw, device="meta"))
    return counter.get_total_flops() // 2


def rows(net: nn.Module, input_chw: tuple[int, int, int]):
    """Every layer by name."""
    return {layer.name: layer for layer in flat(trace(net, input_chw))}


@pytest.mark.parametrize("name", [name for name in zoo.names() if "1202" not in name])
def test_totals_are_those_of_the_catalogue_which_are_held_against_the_networks_themselves(name):
    known = zoo.definition(name)
    with torch.device("meta"):
        net = zoo.create(name)
    found = total(trace(net, known.input_chw))
    assert (found.parameters, found.multiply_adds) == (known.parameters, known.multiply_adds)


@pytest.mark.parametrize(("name", "size"), [("resnet18", (97, 161)), ("googlenet", (160, 224)), ("vgg11", (300, 260))])
def test_other_sizes_and_classes_cost_what_running_them_costs(name, size):
    with torch.device("meta"):
        net = zoo.create(name, classes=7).eval()
    found = total(trace(net, (3, *size)))
    assert found.parameters == sum(parameter.numel() for parameter in net.parameters())
    assert found.multiply_adds == counted(net, (3, *size))


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("alexnet_paper", 8),
        ("vgg16", 16),
        ("vgg19", 19),
        ("googlenet", 22),
        ("resnet18", 18),
        ("resnet50", 50),
        ("resnet152", 152),
        ("plain20_cifar", 20),
        ("resnet110_cifar", 110),
        ("lenet5_1998", 7),
    ],
)
def test_depth_is_what_the_papers_call_it(name, layers):
    """Pooling has no weights and is not counted, nor is a shortcut's convolution. (In 1998 it had weights.)"""
    with torch.device("meta"):
        assert depth(trace(zoo.create(name), zoo.definition(name).input_chw)) == layers


@pytest.mark.parametrize("name", ["lenet5_1998", "alexnet", "googlenet", "resnet18", "efficientnet_lite0"])
def test_every_output_has_the_shape_that_running_gives(name):
    known = zoo.definition(name)
    with torch.device("meta"):
        net = zoo.create(name).eval()
    shapes = {}
    for stage, module in net.named_modules():
        module.register_forward_hook(lambda _, __, made, stage=stage: shapes.update({stage: tuple(made.shape[1:])}))
    net(torch.empty(1, *known.input_chw, device="meta"))
    found = rows(net, known.input_chw)
    assert {stage: layer.output for stage, layer in found.items() if stage != "input"} == {
        stage: shapes[stage] for stage in found if stage != "input"
    }


sides = st.tuples(st.integers(1, 60), st.integers(1, 60))


@settings(max_examples=300, deadline=None)
@given(
    size=sides,
    kernel=st.tuples(st.integers(1, 7), st.integers(1, 7)),
    stride=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    dilation=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    padding=st.tuples(st.integers(0, 3), st.integers(0, 3)),
)
def test_the_formula_of_a_convolution_gives_what_pytorch_gives(size, kernel, stride, dilation, padding):
    with torch.device("meta"):
        layer = nn.Conv2d(1, 2, kernel, stride=stride, dilation=dilation, padding=padding)
    assert_formula_holds(layer, size)


@settings(max_examples=300, deadline=None)
@given(
    size=sides,
    kernel=st.tuples(st.integers(1, 7), st.integers(1, 7)),
    stride=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    padding=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    ceil=st.booleans(),
)
def test_the_formula_of_a_pooling_gives_what_pytorch_gives(size, kernel, stride, padding, ceil):
    assume(all(2 * pad <= side for pad, side in zip(padding, kernel, strict=True)))
    assert_formula_holds(nn.MaxPool2d(kernel, stride, padding, ceil_mode=ceil), size)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@settings(max_examples=100, deadline=None)
@given(size=sides, kernel=st.integers(1, 6), dilation=st.integers(1, 3))
def test_the_formula_of_same_padding_gives_the_size_itself(size, kernel, dilation):
    with torch.device("meta"):
        layer = nn.Conv2d(1, 2, kernel, padding="same", dilation=dilation)
    assert_formula_holds(layer, size)


def assert_formula_holds(layer: nn.Module, size: tuple[int, int]) -> None:
    """Its last number is the size that running gives, and doing the sum gives that number."""
    try:
        height, width = layer(torch.empty(1, 1, *size, device="meta")).shape[2:]
    except RuntimeError:
        with pytest.raises(NetworkError):
            trace(chain(layer=layer), (1, *size))
        return
    formula = rows(chain(layer=layer), (1, *size))["layer"].formula
    down, _, across = formula.partition("; ")
    for text, made in ((down, height), (across or down, width)):
        sum_, _, result = text.removeprefix("H: ").removeprefix("W: ").rpartition(" = ")
        assert int(result) == made
        assert done(sum_) == made


def done(sum_: str) -> int:
    """`floor((39 + 2*0 - 3)/1) + 1`, worked out."""
    assert re.fullmatch(r"[\d\s()+*/-]*", sum_.removeprefix("floor").removeprefix("ceil"))
    return eval(sum_, {"floor": lambda x: int(x // 1), "ceil": lambda x: int(-(-x // 1))})


def test_padding_dilation_and_rounding_up_stand_in_the_formula():
    net = chain(
        pad=SamePadding(3, 2),
        conv=conv(3, 4, 3, stride=2, padding=0),
        wide=nn.Conv2d(4, 4, 3, dilation=2),
        pool=nn.MaxPool2d(3, 2, ceil_mode=True),
        drop=nn.MaxPool2d(2, 4, padding=1, ceil_mode=True),
        mean=nn.AdaptiveAvgPool2d(1),
        flat=nn.Flatten(),
    )
    found = {name: layer.formula for name, layer in rows(net, (3, 40, 40)).items()}
    assert found["pad"] == "40 + 0 + 1 = 41"
    assert found["conv"] == "floor((41 + 2*0 - 3)/2) + 1 = 20"
    assert found["wide"] == "floor((20 + 2*0 - 2*(3 - 1) - 1)/1) + 1 = 16"
    assert found["pool"] == "ceil((16 + 2*0 - 3)/2) + 1 = 8"
    assert found["drop"] == "ceil((8 + 2*1 - 2)/4) + 1 = 3"
    assert found["mean"] == "1 from any size"
    assert found["flat"] == "1*1*4 = 4"
    assert rows(chain(drop=nn.MaxPool2d(1, 3, ceil_mode=True)), (1, 3, 3))["drop"].formula == (
        "ceil((3 + 2*0 - 1)/3) + 1 - 1 = 1"
    )


def test_height_and_width_may_differ():
    found = rows(chain(conv=conv(3, 8, (3, 5), stride=(2, 1), padding=(0, 2))), (3, 20, 30))["conv"]
    assert found.output == (8, 9, 30)
    assert (found.kernel, found.stride, found.padding) == ((3, 5), (2, 1), (0, 0, 2, 2))
    assert found.formula == "H: floor((20 + 2*0 - 3)/2) + 1 = 9; W: floor((30 + 2*2 - 5)/1) + 1 = 30"


def test_groups_divide_the_weights_and_the_multiply_adds():
    alone, grouped = (rows(chain(conv=conv(8, 8, 3, groups=groups)), (8, 5, 5))["conv"] for groups in (1, 8))
    assert (alone.weight, grouped.weight) == ((8, 8, 3, 3), (8, 1, 3, 3))
    assert alone.multiply_adds == 8 * grouped.multiply_adds == 8 * 8 * 9 * 25
    assert (alone.kind, grouped.kind) == ("conv", "depthwise conv")


def test_sums_and_concatenations_have_rows_behind_their_parts():
    net = chain(
        a=Residual(chain(conv=conv(4, 4, 3)), scale=0.5),
        b=Branches(one=conv(4, 3, 1), three=chain(conv=conv(4, 5, 3))),
    )
    found = rows(net, (4, 6, 6))
    assert list(found) == ["input", "a.body.conv", "a", "b.one", "b.three.conv", "b"]
    assert found["a"].formula == "shortcut + 0.5 * body"
    assert (found["b"].output, found["b"].formula) == ((8, 6, 6), "3 + 5 = 8")


def test_activation_memory_is_four_bytes_a_value_and_a_view_takes_none():
    found = rows(chain(conv=conv(3, 8, 3), flat=nn.Flatten()), (3, 4, 4))
    assert [(each.activations, each.activation_bytes) for each in found.values()] == [(48, 192), (128, 512), (128, 0)]


def test_a_module_that_stands_twice_runs_twice():
    pool = nn.MaxPool2d(2)
    net = nn.Sequential(pool, nn.ReLU(), pool)
    assert rows(net, (3, 8, 8))["2"].output == (3, 2, 2)


class _Gate(nn.Module):
    """Someone else's module: two convolutions in an order of its own, and a parameter that no layer of it holds."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(8))
        self.second, self.first = nn.Conv2d(4, 8, 1), nn.Conv2d(8, 4, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.second(self.first(x)) * self.scale[:, None, None]


def test_a_module_of_someone_elses_is_opened():
    net = chain(stem=conv(3, 8, 3), gate=_Gate(), head=conv(8, 2, 1))
    traced = trace(net, (3, 9, 9))
    assert [layer.name for layer in flat(traced)] == ["input", "stem", "gate.first", "gate.second", "gate", "head"]
    found = rows(net, (3, 9, 9))
    assert (found["gate"].kind, found["gate"].parameters) == ("_Gate", 8)
    assert total(traced).parameters == sum(parameter.numel() for parameter in net.parameters())
    assert total(traced).multiply_adds == counted(net.to("meta"), (3, 9, 9))
    assert found["stem"].field == (3, 3)
    assert found["head"].field is None  # how the layers of the gate are connected is not known
    assert total(traced).depth is None


@pytest.mark.parametrize("name", ["resnet18", "mobilenetv2_050", "vit_tiny_patch16_224"])
def test_networks_of_timm_cost_what_running_them_costs(timm, name):
    with torch.device("meta"):
        net = timm.create_model(name).eval()
    found = total(trace(net, (3, 224, 224)))
    assert found.parameters == sum(parameter.numel() for parameter in net.parameters())
    assert found.multiply_adds == counted(net, (3, 224, 224))


def test_nothing_is_run_and_nothing_is_allocated():
    with torch.device("meta"):
        net = chain(conv=conv(3, 4000, 99, padding=0), norm=nn.BatchNorm2d(4000))
    assert total(trace(net, (3, 100_000, 100_000))).activations > 10**13
    assert all(parameter.is_meta for parameter in net.parameters())


def test_an_image_that_is_too_small_names_the_stage():
    with pytest.raises(NetworkError, match=r"'stage5.pool'.*cannot take \(256, 1, 1\)"):
        trace(zoo.create("alexnet"), (3, 32, 32))
