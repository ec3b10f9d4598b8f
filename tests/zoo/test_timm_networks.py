"""Networks of timm as chains: the same answers as timm's own, stage by stage, and nothing asked of the network."""

import math
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from timm_twin import FAMILIES, pictures, side_for, stages_found
from torch import nn
from twins import lively

import eyespot
from eyespot import zoo
from eyespot.blocks import split
from eyespot.building.surgery import features_stage
from eyespot.data.pictures import read_image
from eyespot.engine.from_torch import to_onnx
from eyespot.engine.gate import check_graph
from eyespot.engine.initializers import trunk_weights
from eyespot.errors import MachineError, MissingExtra, NetworkError, WeightsError
from eyespot.records import Preprocess
from eyespot.zoo.timm_records import preprocess, published
from eyespot.zoo.weights import of_network


def twin(timm, name, tmp_path, **arguments):
    """timm's network with random weights that tell it from others, images, and the file of its weights."""
    torch.manual_seed(0)
    theirs, images = timm.create_model(name, **arguments), pictures(side_for(name), 3)
    lively(theirs, images)
    save_file(theirs.state_dict(), tmp_path / "theirs.safetensors")
    return theirs, images, tmp_path / "theirs.safetensors"


@pytest.mark.parametrize("name", FAMILIES.values())
def test_every_stage_gives_what_timm_gives_there(timm, name, tmp_path):
    theirs, images, file = twin(timm, name, tmp_path, num_classes=9)
    net = eyespot.create(f"timm:{name}", weights=file).eval()
    found = stages_found(net, theirs, images)
    assert {stage: difference for stage, (_, difference) in found.items() if difference > 1e-4} == {}
    names = list(found)
    assert names[0] == "stem"
    assert names[1:-1] == [f"stage{number}" for number in range(1, len(names) - 1)]
    assert names[-1] == "head"
    _, tail = split(net, after=names[-2])
    assert isinstance(tail.head.fc, nn.Linear)


def test_another_stride_and_swapped_weights_are_found_out(timm, tmp_path):
    theirs, images, file = twin(timm, "resnet18", tmp_path)
    net = eyespot.create("timm:resnet18", weights=file).eval()
    net.stage3[0].conv1.stride = net.stage3[0].downsample[0].stride = (1, 1)
    assert stages_found(net, theirs, images)["stage3"][1] > 1e-4
    other = eyespot.create("timm:resnet18", weights=file).eval()
    block = other.stage2[1]
    block.conv1, block.conv2 = block.conv2, block.conv1
    assert stages_found(other, theirs, images)["stage2"][1] > 1e-4


@torch.inference_mode()
def test_with_other_classes_all_is_loaded_but_the_last_layer(timm, tmp_path):
    theirs = timm.create_model("test_resnet", num_classes=9).eval()
    save_file(theirs.state_dict(), tmp_path / "theirs.safetensors")
    net = eyespot.create("timm:test_resnet", classes=4, weights=tmp_path / "theirs.safetensors").eval()
    images = pictures(160, 2)
    assert net(images).shape == (2, 4)
    features, _ = split(net, after="head.global_pool")
    assert torch.allclose(features(images), theirs.forward_head(theirs.forward_features(images), pre_logits=True))


@torch.inference_mode()
def test_our_own_state_dict_is_read_again(timm, tmp_path):
    net = eyespot.create("timm:test_resnet", classes=5).eval()
    save_file(net.state_dict(), tmp_path / "ours.safetensors")
    again = eyespot.create("timm:test_resnet", weights=tmp_path / "ours.safetensors").eval()
    images = pictures(160, 2)
    assert torch.equal(again(images), net(images))


def test_weights_without_a_classifier_leave_ours_new(timm, tmp_path):
    """As those that DINO trained without labels."""
    theirs = timm.create_model("test_convnext", num_classes=0)
    save_file(theirs.state_dict(), tmp_path / "theirs.safetensors")
    net = eyespot.create("timm:test_convnext", classes=3, weights=tmp_path / "theirs.safetensors")
    assert net.head.fc.out_features == 3
    assert torch.equal(net.stem[0].weight, theirs.stem[0].weight)
    assert published("timm:convnext_tiny.dinov3_lvd1689m")["dinov3_lvd1689m"].classes == 0


def test_weights_of_another_network_are_refused(timm, tmp_path):
    save_file(timm.create_model("test_resnet").state_dict(), tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match=r"missing \(.*unexpected \("):
        eyespot.create("timm:test_efficientnet", weights=tmp_path / "other.safetensors")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("resnet1", "did you mean 'timm:resnet"),
        ("resnet18.a1_in2k", "did you mean 'timm:resnet18.a1_in1k'"),
        ("hf-hub:timm/resnet18.a1_in1k", "timm has no network"),
        ("vit_tiny_patch16_224", "no convolutional network: it has Attention: choose .* resnet, resnext, convnext"),
        ("swin_tiny_patch4_window7_224", "no convolutional network"),
        ("mixer_s32_224", "no convolutional network"),
    ],
)
def test_what_cannot_be_a_chain_is_refused_with_what_can(timm, name, said):
    with pytest.raises(NetworkError, match=said) as raised:
        eyespot.create(f"timm:{name}")
    assert "\n" not in str(raised.value)


def test_a_missing_file_is_said_with_what_to_download(timm, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    for given, said in (("a1_in1k", ""), ("a3_in1k", " --weights a3_in1k")):
        with pytest.raises(
            WeightsError, match=rf"`eyespot networks timm:resnet18{said} --download` gets these from hugg"
        ):
            eyespot.create("timm:resnet18", weights=given)
    with pytest.raises(WeightsError, match="no weights 'imagenet' for timm:resnet18: published are 'a1_in1k' and"):
        eyespot.create("timm:resnet18", weights="imagenet")


def test_what_timm_has_downloaded_is_found(timm, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    folder = tmp_path / "models--timm--test_resnet.r160_in1k" / "snapshots" / "abc"
    folder.mkdir(parents=True)
    theirs = timm.create_model("test_resnet")
    save_file(theirs.state_dict(), folder / "model.safetensors")
    for name, weights in (("timm:test_resnet", "r160_in1k"), ("timm:test_resnet.r160_in1k", "r160_in1k")):
        net = eyespot.create(name, weights=weights)
        assert torch.equal(net.head.fc.weight, theirs.get_classifier().weight)


def test_the_weights_of_a_network_are_those_that_timm_lists(timm):
    tags = of_network("timm:resnet18")
    assert {f"resnet18.{tag}" for tag in tags} == set(timm.list_pretrained("resnet18.*"))
    assert next(iter(tags)) == timm.get_pretrained_cfg("resnet18").tag
    assert list(of_network("timm:resnet18.fb_swsl_ig1b_ft_in1k")) == ["fb_swsl_ig1b_ft_in1k"]
    record = tags["a1_in1k"]
    assert record.licence == timm.get_pretrained_cfg("resnet18.a1_in1k").license
    assert record.form == "timm's, trained on images of 224x224 and measured on 288x288, of which 1 is cut out"
    assert zoo.input_chw("timm:resnet18") == (3, 224, 224)


def test_heads_and_arguments_are_not_for_networks_of_timm(timm):
    with pytest.raises(NetworkError, match="takes classes and weights alone"):
        eyespot.create("timm:resnet18", auxiliary=True)
    with pytest.raises(NetworkError, match="the classes alone can be chosen"):
        zoo.create("timm:resnet18", weights="/etc/passwd")


PREPARED = [
    *("resnet18.a1_in1k", "convnext_nano.in12k_ft_in1k", "mobilenetv4_conv_small.e2400_r224_in1k", "regnety_002"),
    *("convnext_base.fb_in22k_ft_in1k_384", "convnext_tiny.dinov3_lvd1689m", "densenet121.ra_in1k", "dla34"),
]
"""The fourth last squashes."""


@pytest.mark.parametrize("name", PREPARED)
def test_pictures_are_prepared_as_timm_does_to_the_bit(timm, name, tmp_path):
    ours, record = preprocess(f"timm:{name}"), timm.get_pretrained_cfg(name)
    transform = timm.data.create_transform(**timm.data.resolve_data_config(pretrained_cfg=record.to_dict()))
    pixels = np.random.default_rng(0).integers(0, 256, (310, 453, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "picture.png")
    image = read_image((tmp_path / "picture.png").read_bytes(), ours)
    with Image.open(tmp_path / "picture.png") as picture:
        expected = transform(picture.convert("RGB")).numpy()
    assert ours.fit == ("squash" if record.crop_mode == "squash" else "crop")
    assert ours.short_side == math.floor(record.input_size[1] / record.crop_pct)
    np.testing.assert_allclose(
        (image - np.array(ours.mean)) / np.array(ours.scale), expected.transpose(1, 2, 0), atol=1e-5
    )


def test_pictures_that_are_prepared_in_another_way_are_said(timm):
    with pytest.raises(NetworkError, match="in a way that is not known here: 448x448 pixels of 389, crop 'center'"):
        preprocess("timm:volo_d5_448")


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


@pytest.mark.parametrize("name", sorted({*FAMILIES.values(), "convnext_tiny"} - {"vgg11_bn"}))  # that is 500 MB
def test_its_graph_keeps_every_weight_under_its_name(timm, name, monkeypatch):
    """So that a run can be looked into: written down layer by layer, not by PyTorch's exporter, which merges some."""
    monkeypatch.setattr("eyespot.engine.from_torch._exported", None)
    torch.manual_seed(0)
    net = eyespot.create(f"timm:{name}", classes=3).eval()
    trunk, _ = split(net, after=features_stage(net))
    side = side_for(name)
    how = Preprocess(
        short_side=side, crop_hw=(side, side), filter="bilinear", color="rgb", mean=(0,) * 3, scale=(1,) * 3
    )
    graph = to_onnx(trunk, how)
    check_graph(graph)
    assert trunk_weights(graph).keys() >= dict(trunk.named_parameters()).keys()
