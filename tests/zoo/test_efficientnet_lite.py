"""Against timm's tf_efficientnet_lite*, with random weights whose outputs really depend on the input."""

import pytest
import torch
from timm_twin import pictures, timm_names
from torch import nn

from eyespot.blocks import SamePadding, taps
from eyespot.errors import NetworkError
from eyespot.zoo import efficientnet_lite as module
from eyespot.zoo.efficientnet_lite import efficientnet_lite, efficientnet_lite0

STAGES = ["stem", *(f"stage{n}" for n in range(1, 8)), "head.act", "head.flat", "head.fc"]


def _lively(theirs: nn.Module, images: torch.Tensor) -> nn.Module:
    """Random affine parameters, and running statistics that are those of the images: every output varies by about 1."""
    generator = torch.Generator().manual_seed(7)
    for layer in theirs.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = 1.0
            nn.init.uniform_(layer.weight, 0.7, 1.3, generator=generator)
            nn.init.uniform_(layer.bias, -0.5, 0.5, generator=generator)
    with torch.no_grad():
        theirs.train()(images)
        theirs.classifier.weight.mul_(3 / theirs.classifier.weight.std() / 1280**0.5)
    return theirs.eval()


def renamed(state: dict[str, torch.Tensor], net: nn.Sequential) -> dict[str, torch.Tensor]:
    names = timm_names(net)
    return {f"{names[key.rpartition('.')[0]]}.{key.rpartition('.')[2]}": tensor for key, tensor in state.items()}


def _their_stages(theirs: nn.Module, x: torch.Tensor) -> list[torch.Tensor]:
    outputs = [x := theirs.bn1(theirs.conv_stem(x))]
    outputs += [x := stage(x) for stage in theirs.blocks]
    outputs += [x := theirs.bn2(theirs.conv_head(x))]
    outputs += [x := theirs.global_pool(x)]
    return [*outputs, theirs.classifier(x)]


@pytest.fixture(scope="module")
def theirs(timm) -> nn.Module:
    torch.manual_seed(3)
    return _lively(timm.create_model("tf_efficientnet_lite0"), pictures(224))


def _first_difference(ours: nn.Sequential, theirs: nn.Module, images: torch.Tensor) -> str | None:
    with torch.inference_mode():
        found = taps(ours.eval(), STAGES, images)
        for name, expected in zip(STAGES, _their_stages(theirs, images), strict=True):
            spread = expected.std(0).mean()  # between the images: what would not be noticed if it were small
            assert 0.05 < spread < 5, (name, spread)
            if found[name].shape != expected.shape or (found[name] - expected).abs().max() > 1e-4 * spread:
                return name
    return None


def test_every_stage_gives_what_timm_gives(theirs):
    ours = efficientnet_lite0()
    ours.load_state_dict(renamed(theirs.state_dict(), ours))
    assert _first_difference(ours, theirs, pictures(224)) is None
    assert _first_difference(ours, theirs, pictures(161, 2)) is None  # other paddings


def test_a_moved_stride_is_noticed(theirs, monkeypatch):
    moved = list(module._STAGES)
    moved[3], moved[4] = moved[3]._replace(stride=1), moved[4]._replace(stride=2)
    monkeypatch.setattr(module, "_STAGES", tuple(moved))
    ours = efficientnet_lite0()
    ours.load_state_dict(renamed(theirs.state_dict(), ours))
    assert _first_difference(ours, theirs, pictures(224)) == "stage4"


def test_padding_on_both_sides_is_noticed(theirs):
    ours = efficientnet_lite0()
    ours.load_state_dict(renamed(theirs.state_dict(), ours))
    assert isinstance(ours.stage3.a.depth.pad, SamePadding)
    ours.stage3.a.depth.pad = nn.ZeroPad2d((2, 1, 2, 1))
    assert _first_difference(ours, theirs, pictures(224)) == "stage3"


def test_two_swapped_blocks_are_noticed(theirs):
    ours = efficientnet_lite0()
    ours.load_state_dict(renamed(theirs.state_dict(), ours))
    ours.stage6.c, ours.stage6.d = ours.stage6.d, ours.stage6.c
    assert _first_difference(ours, theirs, pictures(224)) == "stage6"


def test_a_larger_variant_gives_what_timm_gives(timm):
    torch.manual_seed(4)
    images = pictures(260, 2)
    theirs = _lively(timm.create_model("tf_efficientnet_lite2"), images)
    ours = efficientnet_lite(2)
    ours.load_state_dict(renamed(theirs.state_dict(), ours))
    assert _first_difference(ours, theirs, images) is None


@pytest.mark.parametrize(("variant", "millions"), [(0, 4.7), (1, 5.4), (2, 6.1), (3, 8.2), (4, 13.0)])
def test_parameters_are_those_of_the_published_table(variant, millions):
    count = sum(p.numel() for p in efficientnet_lite(variant).parameters())
    assert round(count / 1e6, 1) == millions  # github.com/tensorflow/tpu, models/official/efficientnet/lite/README.md
    if variant == 0:
        assert count == 4_652_008


def test_an_unknown_variant_is_refused():
    with pytest.raises(NetworkError, match="0 to 4"):
        efficientnet_lite(5)
