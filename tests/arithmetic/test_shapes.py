import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from eyespot.arithmetic.shapes import check_shapes, output_shape
from eyespot.blocks import Branches, Pick, Residual, SamePadding, ScaledTanh, chain, conv
from eyespot.errors import NetworkError


def _net(**changes: nn.Module) -> nn.Sequential:
    stages = {
        "stem": chain(pad=SamePadding(3, 2), conv=conv(3, 8, 3, stride=2, padding=0), norm=nn.BatchNorm2d(8)),
        "stage1": Residual(chain(conv=conv(8, 8, 3), act=nn.ReLU())),
        "stage2": Branches(one=conv(8, 4, 1), three=conv(8, 6, 3)),
        "pool": nn.MaxPool2d(3, 2, 1),
        "head": chain(pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten(), fc=nn.Linear(10, 5)),
    }
    return chain(**(stages | changes))


@pytest.mark.parametrize("size", [(32, 32), (33, 47), (7, 5)])
@pytest.mark.parametrize("training", [True, False])
def test_the_shape_is_that_of_running_it(size, training):
    net = _net().train(training)
    for end in range(1, len(net) + 1):
        part = net[:end]
        assert output_shape(part, (3, *size)) == tuple(part(torch.randn(2, 3, *size)).shape[1:])


@pytest.mark.parametrize(
    "leaf",
    [
        nn.Conv2d(3, 4, (3, 5), stride=(2, 3), padding=(1, 0), dilation=(2, 1)),
        nn.Conv2d(3, 4, 3, padding="same"),
        nn.MaxPool2d(3, 2, 1, dilation=2),
        nn.MaxPool2d(3, 2, ceil_mode=True),
        nn.MaxPool2d((2, 3)),
        nn.AvgPool2d(3, 1, 1),
        nn.LocalResponseNorm(5),
        nn.AdaptiveAvgPool2d(2),
        nn.AdaptiveAvgPool2d((3, 1)),
        nn.AdaptiveMaxPool2d(2),
        nn.Upsample(scale_factor=2),
        nn.Flatten(),
        nn.Flatten(2),
        nn.Linear(21, 4),
        nn.SiLU(),
        nn.Dropout(),
        nn.ZeroPad3d((1, 2, 3, 4, 5, 6)),
        Pick(2, 0, 2, 1),
        ScaledTanh(),
    ],
    ids=str,
)
def test_each_module_gives_the_shape_of_running_it(leaf):
    assert output_shape(leaf, (3, 17, 21)) == tuple(leaf(torch.randn(2, 3, 17, 21)).shape[1:])


PAIRS = st.tuples(st.integers(1, 5), st.integers(1, 5))


@given(
    kind=st.sampled_from([nn.MaxPool2d, nn.AvgPool2d]),
    kernel=PAIRS,
    stride=PAIRS,
    size=PAIRS,
    ceil=st.booleans(),
    data=st.data(),
)
@settings(max_examples=300, deadline=None)
def test_every_pooling_gives_the_shape_of_running_it_or_refuses_as_running_it_does(
    kind, kernel, stride, size, ceil, data
):
    """With `ceil_mode` the last window may reach over the edge, if it begins inside the image or the padding before."""
    padding = tuple(data.draw(st.integers(0, side // 2)) for side in kernel)
    options = {"dilation": data.draw(st.integers(1, 3))} if kind is nn.MaxPool2d else {}
    pool = kind(kernel, stride, padding, ceil_mode=ceil, **options)
    try:
        expected = tuple(pool(torch.zeros(1, 2, *size)).shape[1:])
    except RuntimeError:
        with pytest.raises(NetworkError, match="cannot take"):
            output_shape(pool, (2, *size))
    else:
        assert output_shape(pool, (2, *size)) == expected


def test_nothing_is_run_and_nothing_is_changed():
    net = _net().train()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    output_shape(net, (3, 32, 32))
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())
    assert output_shape(chain(conv=conv(3, 8, 3)), (3, 100_000, 100_000)) == (8, 100_000, 100_000)


def test_checking_returns_the_network():
    net = _net()
    assert check_shapes(net, (3, 32, 32)) is net


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"stage1": conv(16, 8, 3)}, r"'stage1' expects 16 channels but is given \(8, 16, 16\)"),
        ({"stage1": chain(norm=nn.BatchNorm2d(4))}, r"'stage1.norm' expects 4 channels but is given \(8, 16, 16\)"),
        ({"head": nn.Linear(12, 5)}, r"'head' expects 12 features but is given \(10, 8, 8\)"),
        ({"stage1": Residual(conv(8, 1, 3))}, r"'stage1' .*\(1, 16, 16\).*\(8, 16, 16\)"),
        ({"stage1": Residual(conv(8, 8, 3, stride=2))}, r"'stage1' .*\(8, 8, 8\).*\(8, 16, 16\)"),
        (
            {"stage2": Branches(one=conv(8, 4, 1), two=conv(8, 6, 3, padding=0))},
            r"'stage2' .*'one', \(4, 16, 16\).*'two', \(6, 14, 14\)",
        ),
        ({"pool": nn.MaxPool2d(40)}, r"'pool' .*cannot take \(10, 16, 16\)"),
        ({"pool": conv(10, 10, 21, padding=0)}, r"'pool' .*cannot take \(10, 16, 16\)"),
    ],
)
def test_a_mismatch_names_the_stage_and_both_shapes(changes, words):
    with pytest.raises(NetworkError, match=words):
        check_shapes(_net(**changes), (3, 32, 32))
