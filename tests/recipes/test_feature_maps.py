"""`feature-maps` and `kernels`: what is drawn is what the network holds and computes."""

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

import eyespot
from eyespot import zoo
from eyespot.arithmetic.maps import FINE_GAP, GAP
from eyespot.blocks import taps
from eyespot.building.create import create
from eyespot.engine.initializers import first_kernels
from eyespot.errors import DataError, EyespotError, NetworkError, OptionError, WeightsError
from eyespot.recipes import feature_maps as recipe


@pytest.fixture
def picture(split_photos) -> Path:
    return split_photos / "test" / "circle" / "200.png"


@pytest.fixture
def drawn(monkeypatch) -> list[np.ndarray]:
    """The maps that were handed to the drawing."""
    found: list[np.ndarray] = []
    of_maps = recipe.of_maps
    monkeypatch.setattr(recipe, "of_maps", lambda maps, **rest: found.append(maps) or of_maps(maps, **rest))
    return found


def test_the_maps_are_those_of_the_stage(shared_cache, picture, tmp_path, drawn):
    made = eyespot.feature_maps("efficientnet_lite0", picture, stage="stage2.a", out=tmp_path / "maps.png")
    assert (made.shape, made.stage) == ((24, 56, 56), "stage2.a")
    assert (made.columns, made.rows) == (6, 4)
    assert "white" in made.scaling
    with Image.open(made.out) as image:
        assert image.info["Description"] == f"stage2.a | 24 x 56 x 56 (channels, height, width) | {made.scaling}"
        image.verify()
    pixels = Image.open(picture).convert("RGB").resize((341, 256), Image.Resampling.BICUBIC)  # the publisher's way
    image = np.asarray(pixels.crop((58, 16, 282, 240)), np.float32)
    x = torch.from_numpy((image - 127.5) / 127.5).permute(2, 0, 1)[None]
    with torch.inference_mode():
        expected = taps(create("efficientnet_lite0", weights="imagenet").eval(), ["stage2.a"], x)["stage2.a"][0]
    correlation = np.corrcoef(drawn[0].ravel(), expected.numpy().ravel())[0, 1]
    assert correlation > 0.99


def test_a_runs_maps_lead_to_its_own_answer(split_run, shared_cache, picture, tmp_path, drawn):
    made = eyespot.feature_maps(split_run.run, picture, stage="head.fc", out=tmp_path / "logits.png")
    assert made.shape == (3, 1, 1)
    assert "one scale" in made.scaling
    logits = drawn[0].ravel()
    model = eyespot.load(split_run.run)
    answers = {each.class_: each.probability for each in model.predict(picture, topk=3)[0].predictions}
    chances = np.exp((logits - logits.max()) / model.manifest.temperature)
    chances /= chances.sum()
    assert chances == pytest.approx([answers[name] for name in model.classes], abs=0.06)  # bf16 against fp32


def test_a_run_from_scratch_and_a_copied_bundle_have_maps_and_kernels(draw, shared_cache, tmp_path):
    draw(tmp_path / "photos", 12)
    run = eyespot.train(tmp_path / "photos", out=tmp_path, model="lenet5", epochs=1)
    bundle = shutil.copytree(run.bundle, tmp_path / "copied")
    picture = tmp_path / "photos" / "circle" / "000.png"
    assert eyespot.feature_maps(bundle, picture, stage="stage1", out=tmp_path / "m.png").shape == (6, 14, 14)
    made = eyespot.kernels(bundle, out=tmp_path / "k.png")
    assert (made.stage, made.shape) == ("stage1.conv", (6, 3, 5, 5))
    assert eyespot.load(bundle).bundle.graph
    assert first_kernels(eyespot.load(bundle).bundle.graph)[1].shape == (6, 3, 5, 5)


def test_the_published_kernels_show_edges_and_colours(shared_cache, tmp_path):
    """An edge: a channel has strong red and strong blue. A color: one channel is red on the whole, another blue."""
    made = eyespot.kernels("efficientnet_lite0", out=tmp_path / "kernels.png")
    assert (made.stage, made.shape, made.columns, made.rows) == ("stem.conv", (32, 3, 3, 3), 4, 8)
    with Image.open(made.out) as image:
        sheet = np.asarray(image).astype(int)
        assert (
            image.info["Description"]
            == f"stem.conv | 32 x 3 x 3 x 3 (kernels, channels, height, width) | {made.scaling}"
        )
    across = (sheet.shape[1] + GAP) // 4
    side = (across - GAP - 2 * FINE_GAP) // 9
    tops, lefts = range(0, 8 * (3 * side + GAP), 3 * side + GAP), range(0, 4 * across, across)
    planes = np.stack(
        [
            [sheet[y : y + 3 * side, x + n * (3 * side + FINE_GAP) :][:, : 3 * side] for n in range(3)]
            for y in tops
            for x in lefts
        ]
    )  # (32, 3, H, W, 3)
    signed = planes[..., 0] - planes[..., 2]  # red minus blue
    edges = ((signed.min(axis=(2, 3)) < -60) & (signed.max(axis=(2, 3)) > 60)).any(axis=1).sum()
    means = signed.mean(axis=(2, 3))  # (32, 3)
    colours = ((means.max(axis=1) > 30) & (means.min(axis=1) < -30)).sum()
    assert edges >= 5
    assert colours >= 5


def test_a_runs_kernels_are_drawn_without_torch(split_run, tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "torch", None)
    assert eyespot.kernels(split_run.run, out=tmp_path / "kernels.png").shape == (32, 3, 3, 3)


def test_weights_of_a_file_are_used(tmp_path, picture, shared_cache):
    torch.manual_seed(0)
    net = zoo.create("resnet18", classes=4)
    save_file(net.state_dict(), tmp_path / "mine.safetensors")
    made = eyespot.kernels("resnet18", weights=tmp_path / "mine.safetensors", out=tmp_path / "k.png")
    assert made.shape == (64, 3, 7, 7)
    maps = eyespot.feature_maps(
        "resnet18", picture, stage="stage4", weights=tmp_path / "mine.safetensors", out=tmp_path / "m.png"
    )
    assert maps.shape == (512, 7, 7)


def test_scales_each_or_together(shared_cache, picture, tmp_path):
    texts = [
        eyespot.feature_maps(
            "efficientnet_lite0", picture, stage="stem", scale=scale, out=tmp_path / "m.png", overwrite=True
        ).scaling
        for scale in ("each", "together")
    ]
    assert texts == [
        "each map on its own scale: 0 is black, the largest value white",
        "all maps on one scale: 0 is black, the largest value white",
    ]


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"stage": "stge2"}, NetworkError, "did you mean 'stage2'"),
        ({"stage": "stage2.b.body"}, NetworkError, "lies inside 'stage2.b'"),
        ({"scale": "all"}, OptionError, "give each or together"),
        ({"out": "maps.jpg"}, OptionError, "ends in .png"),
        ({"out": "no/where.png"}, OptionError, "does not exist"),
        ({"network": "efficientnet_lit0"}, NetworkError, "did you mean 'efficientnet_lite0'"),
        ({"network": "lenet5"}, WeightsError, "no published weights"),
        ({"picture": "nowhere.jpg"}, DataError, "cannot be read"),
    ],
)
def test_what_cannot_be_done_is_said(shared_cache, picture, tmp_path, monkeypatch, options, error, words):
    monkeypatch.chdir(tmp_path)
    given = {"network": "efficientnet_lite0", "picture": picture, "stage": "stem", "out": "maps.png"} | options
    with pytest.raises(error, match=words):
        eyespot.feature_maps(given.pop("network"), given.pop("picture"), **given)
    assert list(tmp_path.glob("*.png")) == []


def test_no_file_is_replaced_unasked(shared_cache, tmp_path):
    (tmp_path / "kernels.png").write_bytes(b"mine")
    with pytest.raises(EyespotError, match="exists already"):
        eyespot.kernels("efficientnet_lite0", out=tmp_path / "kernels.png")
    assert (tmp_path / "kernels.png").read_bytes() == b"mine"
    eyespot.kernels("efficientnet_lite0", out=tmp_path / "kernels.png", overwrite=True)
    Image.open(io.BytesIO((tmp_path / "kernels.png").read_bytes())).verify()


def test_a_file_that_is_no_picture_is_said(shared_cache, tmp_path):
    (tmp_path / "text.jpg").write_text("no picture")
    with pytest.raises(DataError, match=r"text\.jpg"):
        eyespot.feature_maps("efficientnet_lite0", tmp_path / "text.jpg", stage="stem", out=tmp_path / "m.png")
