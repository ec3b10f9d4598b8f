"""Networks of timm as chains: the same answers as timm's own, and nothing asked of the network."""

import math
import sys

import pytest
import torch
from safetensors.torch import save_file
from timm_twin import pictures

import eyespot
from eyespot.blocks import split
from eyespot.errors import MachineError, MissingExtra, NetworkError, WeightsError
from eyespot.zoo.timm_networks import preprocess

NAMES = ("test_resnet", "test_vit", "test_convnext", "test_efficientnet", "mobilenetv3_small_050", "dla46_c")
"""Last layers that are called fc, head, head.fc and classifier; that of dla46_c is a 1x1 convolution."""


@pytest.mark.parametrize("name", NAMES)
@torch.inference_mode()
def test_the_chain_gives_what_timm_gives(timm, name, tmp_path):
    torch.manual_seed(0)
    theirs = timm.create_model(name, num_classes=9).eval()
    save_file(theirs.state_dict(), tmp_path / "theirs.safetensors")
    net = eyespot.create(f"timm:{name}", weights=tmp_path / "theirs.safetensors").eval()
    images = pictures(theirs.default_cfg["input_size"][1], 2)
    expected = theirs(images)
    assert (net(images) - expected).abs().max() <= 1e-4 * expected.std()
    trunk, tail = split(net, after="features")
    assert list(tail.state_dict()) == ["head.fc.weight", "head.fc.bias"]
    assert trunk(images).ndim == 2


@torch.inference_mode()
def test_with_other_classes_all_is_loaded_but_the_last_layer(timm, tmp_path):
    theirs = timm.create_model("test_resnet", num_classes=9).eval()
    save_file(theirs.state_dict(), tmp_path / "theirs.safetensors")
    net = eyespot.create("timm:test_resnet", classes=4, weights=tmp_path / "theirs.safetensors").eval()
    images = pictures(160, 2)
    assert net(images).shape == (2, 4)
    assert torch.allclose(net.features(images), theirs.forward_head(theirs.forward_features(images), pre_logits=True))


@torch.inference_mode()
def test_our_own_state_dict_is_read_again(timm, tmp_path):
    net = eyespot.create("timm:test_resnet", classes=5).eval()
    save_file(net.state_dict(), tmp_path / "ours.safetensors")
    again = eyespot.create("timm:test_resnet", weights=tmp_path / "ours.safetensors").eval()
    images = pictures(160, 2)
    assert torch.equal(again(images), net(images))


def test_weights_of_another_network_are_refused(timm, tmp_path):
    save_file(timm.create_model("test_resnet").state_dict(), tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match=r"missing \(.*unexpected \("):
        eyespot.create("timm:test_vit", weights=tmp_path / "other.safetensors")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("resnet1", "did you mean 'timm:resnet"),
        ("resnet18.a1_in2k", "did you mean 'timm:resnet18.a1_in1k'"),
        ("hf-hub:timm/resnet18.a1_in1k", "timm has no network"),
        ("deit_tiny_distilled_patch16_224", "has Linear and Linear, expected one Linear"),
    ],
)
def test_what_cannot_be_built_is_said(timm, name, said):
    with pytest.raises(NetworkError, match=said):
        eyespot.create(f"timm:{name}")


def test_a_missing_file_is_said_with_what_to_download(timm, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(WeightsError, match=r"`eyespot networks timm:resnet18.a1_in1k --download` gets"):
        eyespot.create("timm:resnet18.a1_in1k", weights="imagenet")
    folder = tmp_path / "models--timm--resnet18.a1_in1k" / "snapshots" / "abc"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").touch()
    with pytest.raises(WeightsError, match=r"timm's own is .*abc.model\.safetensors"):
        eyespot.create("timm:resnet18.a1_in1k", weights="imagenet")


def test_heads_and_arguments_are_not_for_networks_of_timm():
    with pytest.raises(NetworkError, match="takes classes and weights alone"):
        eyespot.create("timm:resnet18", auxiliary=True)
    with pytest.raises(NetworkError, match="takes classes and weights alone"):
        eyespot.create("timm:resnet18", depth=3)


@pytest.mark.parametrize("name", ["resnet18.a1_in1k", "vit_base_patch16_224.augreg2_in21k_ft_in1k", "convnext_atto"])
def test_pictures_are_prepared_as_timm_does(timm, name):
    ours = preprocess(name)
    transform = timm.data.create_transform(
        **timm.data.resolve_data_config(pretrained_cfg=timm.get_pretrained_cfg(name).to_dict())
    )
    resize, crop, _, normalise = transform.transforms
    assert ours.short_side == resize.size
    assert ours.crop_hw == tuple(crop.size)
    assert ours.filter == resize.interpolation.value
    assert ours.mean == pytest.approx([255 * value for value in normalise.mean.tolist()])
    assert ours.scale == pytest.approx([255 * value for value in normalise.std.tolist()])
    assert ours.short_side == math.floor(ours.crop_hw[0] / timm.get_pretrained_cfg(name).crop_pct)


def test_without_timm_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(MissingExtra, match=r"pip install 'eyespot\[timm\]'"):
        eyespot.create("timm:resnet18")


def test_a_torchvision_of_another_build_is_said(monkeypatch, tmp_path):
    (tmp_path / "timm.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "timm", raising=False)
    with pytest.raises(MachineError, match="torchvision is made for another build of torch"):
        eyespot.create("timm:resnet18")
