"""Which network looks at pictures, and at which of its stages."""

import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import eyespot
from eyespot import zoo
from eyespot.blocks import chain, split, taps
from eyespot.errors import BundleError, EyespotError, OptionError, WeightsError
from eyespot.records import Preprocess
from eyespot.styling import looking
from eyespot.styling.looking import Looking, opened
from eyespot.styling.optimise import How, StepBudget, painted, sized


@pytest.fixture(scope="module")
def pictures():
    random = np.random.default_rng(0)
    return [sized(random.integers(0, 256, (64, 80, 3), np.uint8)) for _ in range(2)]


def steps(found: Looking, pictures):
    """Two steps of painting with this network."""
    photo, painting = pictures
    how = How(found.stages, found.content_stages)
    return list(painted(photo, [(painting, 1.0)], found.see, how, StepBudget(2)))


def test_the_default_looks_at_its_first_five_stages(shared_cache):
    found = opened("efficientnet_lite0", None)
    assert found.stages == ("stage1", "stage2", "stage3", "stage4", "stage5")
    assert found.content_stages == ("stage1", "stage2", "stage3", "stage4")


@pytest.mark.parametrize("given", ["stage4, stage1.a", ["stage4", "stage1.a"]])
def test_chosen_stages_stand_from_the_shallowest(shared_cache, given):
    assert opened("efficientnet_lite0", given).stages == ("stage1.a", "stage4")


def test_a_vgg_is_looked_at_as_in_the_paper(monkeypatch, pictures):
    """Its published file of 528 MB is not here: random weights, and no head, which nobody looks at."""

    def vgg(name, weights):
        torch.manual_seed(0)
        with torch.device("meta"):
            net, _ = split(zoo.create(name), after="stage5")
        net = net.to_empty(device="cpu")
        for layer in net.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight)
                nn.init.zeros_(layer.bias)
        return net

    monkeypatch.setattr(looking, "with_weights", vgg)
    found = opened("vgg11", None)
    assert found.stages == tuple(f"stage{number}.a.act" for number in range(1, 6))
    assert found.content_stages == ("stage4.b.act",)
    assert list(steps(found, pictures)[-1].stages) == list(found.stages)


def test_published_weights_that_are_not_here_are_said_with_where_to_get_them(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(WeightsError, match=r"`eyespot networks vgg16 --download` gets these, 553\.4 MB"):
        opened("vgg16", None)


def test_a_file_of_weights_is_used(tmp_path, pictures):
    torch.manual_seed(0)
    net = zoo.create("resnet18", classes=2)
    save_file(net.state_dict(), tmp_path / "own.safetensors")
    found = opened("resnet18", None, weights=tmp_path / "own.safetensors")
    assert (found.net.stem.conv.weight == net.stem.conv.weight).all()
    assert len(steps(found, pictures)) == 2
    with pytest.raises(WeightsError, match="no file of that name"):
        opened("resnet18", None, weights=tmp_path / "nowhere.safetensors")


def test_a_run_looks_with_what_it_has_learned(split_run, shared_cache, pictures, tmp_path):
    found = opened(split_run.run, None)
    assert found.stages == ("stage1", "stage2", "stage3", "stage4", "stage5")
    assert np.isfinite(steps(found, pictures)[-1].style)
    with pytest.raises(OptionError, match="a trained model has its own"):
        opened(split_run.run, None, weights=tmp_path / "own.safetensors")


def test_a_run_on_gray_pictures_sees_them_gray(draw, shared_cache, tmp_path, pictures):
    draw(tmp_path / "photos", 12)
    from PIL import Image

    for file in (tmp_path / "photos").rglob("*.png"):
        Image.open(file).convert("L").resize((28, 28)).save(file)
    run = eyespot.train(tmp_path / "photos", out=tmp_path / "runs", epochs=1)
    found = opened(run.run, None)
    assert found.preprocess.color == "gray"
    assert np.isfinite(steps(found, pictures)[-1].style)
    photo = pictures[0](1)
    gray = photo.mean(1, keepdim=True).expand_as(photo)
    for stage, maps in found.see(photo, found.stages).items():
        torch.testing.assert_close(maps, found.see(gray, found.stages)[stage])


def test_a_detector_that_is_to_look_is_refused_in_a_sentence(detector_run, shared_cache):
    with pytest.raises(EyespotError) as caught:
        opened(detector_run.run, None)
    assert "detector" in str(caught.value)


def test_a_damaged_run_is_refused_in_a_sentence(split_run, tmp_path):
    bundle = shutil.copytree(split_run.bundle, tmp_path / "bundle")
    model = bundle / "model.onnx"
    model.write_bytes(model.read_bytes()[:1000])
    with pytest.raises(BundleError):
        opened(bundle, None)


def test_a_stage_without_maps_and_a_picture_that_vanishes_on_the_way_are_said():
    net = chain(
        stage1=nn.Conv2d(3, 4, 9, stride=8),
        stage2=nn.Conv2d(4, 4, 5),
        head=chain(pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten()),
    )
    preprocess = Preprocess(
        short_side=64, crop_hw=(64, 64), filter="bilinear", color="rgb", mean=(0, 0, 0), scale=(1, 1, 1)
    )
    found = Looking(net, preprocess, ("stage1",), ("stage1",))
    with pytest.raises(OptionError, match=r"cannot look at 36 x 33 pixels up to the stages stage1 and stage2"):
        found.see(torch.zeros(1, 3, 33, 36), ["stage1", "stage2"])
    with pytest.raises(OptionError, match=r"the stage 'head\.flat' gives no maps"):
        found.see(torch.zeros(1, 3, 64, 64), ["stage1", "head.flat"])


@pytest.mark.parametrize("stages", [("stem", "stage2"), ("stem.conv", "stage1"), ("stem.norm",), ("stage2.a",)])
def test_with_less_work_it_sees_what_the_network_itself_sees(stages):
    found = opened("efficientnet_lite0", None)
    picture = torch.rand(1, 3, 48, 40, generator=torch.Generator().manual_seed(0))
    mean, scale = (torch.tensor(each)[:, None, None] for each in (found.preprocess.mean, found.preprocess.scale))
    expected = taps(found.net, stages, (255 * picture - mean) / scale)
    for stage, maps in found.see(picture, stages).items():
        torch.testing.assert_close(maps, expected[stage], rtol=1e-3, atol=1e-3)
