"""Against torchvision's ResNets with random weights; the plain twins and those for CIFAR against the paper's tables."""

import pytest
import torch
from timm_twin import pictures
from torch import nn
from twins import first_difference, lively, outputs, with_weights_of

from eyespot import zoo
from eyespot.blocks import Residual
from eyespot.errors import NetworkError
from eyespot.zoo.resnet import resnet, resnet_cifar, torchvision_names

STAGES = {"stem": "maxpool", **{f"stage{n}": f"layer{n}" for n in range(1, 5)}, "head.pool": "avgpool", "head.fc": "fc"}
DEPTHS = (18, 34, 50, 101, 152)
IMAGES = pictures(97, 3)  # odd, so that a moved stride or padding shows at the edges


@pytest.fixture(scope="module")
def theirs(torchvision):
    """A function that makes torchvision's ResNet of a depth, lively."""

    def made(depth: int) -> nn.Module:
        torch.manual_seed(depth)
        return lively(getattr(torchvision.models, f"resnet{depth}")(), IMAGES)

    return made


@pytest.fixture(scope="module")
def their_50(theirs) -> nn.Module:
    return theirs(50)


@pytest.mark.parametrize("depth", DEPTHS)
def test_every_stage_gives_what_torchvision_gives(theirs, depth):
    published = theirs(depth)
    ours = with_weights_of(published, lambda: resnet(depth), torchvision_names)
    assert first_difference(ours, outputs(published, STAGES, IMAGES), IMAGES) is None


def test_the_form_of_the_paper_is_torchvisions_with_the_strides_moved(their_50):
    ours = with_weights_of(their_50, lambda: resnet(50, stride_on="1x1"), torchvision_names)
    assert first_difference(ours, outputs(their_50, STAGES, IMAGES), IMAGES) == "stage2"
    for layer in (their_50.layer2, their_50.layer3, their_50.layer4):
        layer[0].conv1.stride, layer[0].conv2.stride = (2, 2), (1, 1)
    moved = outputs(their_50, STAGES, IMAGES)
    for layer in (their_50.layer2, their_50.layer3, their_50.layer4):
        layer[0].conv1.stride, layer[0].conv2.stride = (1, 1), (2, 2)
    assert first_difference(ours, moved, IMAGES) is None


def test_two_swapped_blocks_are_noticed(their_50):
    ours = with_weights_of(their_50, lambda: resnet(50), torchvision_names)
    ours.stage3.d, ours.stage3.e = ours.stage3.e, ours.stage3.d
    assert first_difference(ours, outputs(their_50, STAGES, IMAGES), IMAGES) == "stage3"


@pytest.mark.parametrize("depth", DEPTHS)
def test_multiply_adds_are_those_of_table_1(depth):
    name = f"resnet{depth}_paper" if depth >= 50 else f"resnet{depth}"
    billions = {18: 1.8, 34: 3.6, 50: 3.8, 101: 7.6, 152: 11.3}[depth]  # 1.814 for 18, and so on; not all are rounded
    assert abs(zoo.definition(name).multiply_adds / 1e9 - billions) < 0.1


def _depth(net: nn.Module) -> int:
    """Layers with weights on the longest path: projections lie beside it."""
    layers = [name for name, layer in net.named_modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    return len([name for name in layers if ".shortcut." not in name])


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("shortcuts", ["A", "B", "none"])
def test_the_depth_counts_convolutions_and_fully_connected_layers(depth, shortcuts):
    with torch.device("meta"):
        assert _depth(resnet(depth, shortcuts=shortcuts)) == depth


@pytest.mark.parametrize("depth", [18, 34])
def test_a_plain_network_has_the_parameters_of_its_residual_twin_and_no_sum(depth):
    with torch.device("meta"):
        plain, twin = resnet(depth, shortcuts="none"), resnet(depth, shortcuts="A")
    assert [p.shape for p in plain.parameters()] == [p.shape for p in twin.parameters()]
    assert not any(isinstance(module, Residual) for module in plain.modules())


TABLE_6 = [(20, 0.27), (32, 0.46), (44, 0.66), (56, 0.85), (110, 1.7), (1202, 19.4)]


@pytest.mark.parametrize(("depth", "millions"), TABLE_6)
def test_parameters_of_the_cifar_networks_are_those_of_table_6(depth, millions):
    digits = 1 if millions > 1 else 2
    for shortcuts in ("A", "none"):  # section 4.2: "exactly the same depth, width, and number of parameters"
        with torch.device("meta"):
            net = resnet_cifar(depth, shortcuts=shortcuts)
        assert round(sum(p.numel() for p in net.parameters()) / 1e6, digits) == millions
        assert _depth(net) == depth


def test_the_maps_of_the_cifar_networks_are_those_of_section_4_2():
    net, x = resnet_cifar(20), torch.zeros(2, 3, 32, 32)
    sizes = [tuple((x := stage(x)).shape[1:]) for stage in net]
    assert sizes == [(16, 32, 32), (16, 32, 32), (32, 16, 16), (64, 8, 8), (10,)]


def test_option_a_hands_on_every_second_pixel_and_channels_of_zeros():
    block = resnet_cifar(8).stage2.a.eval()
    nn.init.zeros_(block.sum.body.norm2.weight)  # nothing but the shortcut is left
    x = torch.rand(2, 16, 9, 8)
    expected = torch.cat([x[:, :, ::2, ::2], torch.zeros(2, 16, 5, 4)], 1)
    assert torch.equal(block(x), expected)


def test_option_b_has_a_convolution_where_the_shape_changes():
    net = resnet_cifar(20, shortcuts="B")
    shortcuts = [name for name, layer in net.named_modules() if isinstance(layer, nn.Conv2d) and ".shortcut." in name]
    assert shortcuts == ["stage2.a.sum.shortcut.conv", "stage3.a.sum.shortcut.conv"]


def test_1202_layers_run_forward_and_backward():
    torch.manual_seed(0)
    net = resnet_cifar(1202)
    loss = nn.functional.cross_entropy(net(pictures(32, 2)), torch.tensor([1, 7]))
    loss.backward()
    gradients = [p.grad for p in net.parameters()]
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients)
    assert net.stem.conv.weight.grad.abs().max() > 0


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: resnet(20), "no ResNet-20: the depths are 18, 34"),
        (lambda: resnet(50, stride_on="5x5"), "stride_on='5x5': it is one of 1x1, 3x3"),
        (lambda: resnet_cifar(20, shortcuts="C"), "shortcuts='C': it is one of A, B, none"),
        (lambda: resnet_cifar(2), "depth 2: it is 6n \\+ 2"),
        (lambda: resnet_cifar(51), "depth 51: it is 6n \\+ 2"),
    ],
)
def test_what_there_is_not_is_refused(make, words):
    with pytest.raises(NetworkError, match=words):
        make()
