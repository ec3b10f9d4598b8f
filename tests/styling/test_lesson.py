"""The figures of a lesson: what is drawn is what the network holds, and noise becomes what it is asked to."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from eyespot.arithmetic.maps import signed_colors
from eyespot.blocks import chain
from eyespot.records import Preprocess
from eyespot.styling import lesson
from eyespot.styling.lesson import PARTS, Subject, count, figures, gram_png, with_random_weights
from eyespot.styling.looking import Looking

AS_IT_IS = Preprocess(short_side=32, crop_hw=(32, 32), filter="bilinear", color="rgb", mean=(0, 0, 0), scale=(255,) * 3)


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


@pytest.fixture
def looking():
    torch.manual_seed(0)
    same = nn.Conv2d(3, 3, 1, bias=False)
    same.weight.data[..., 0, 0] = torch.eye(3)
    net = chain(
        stage1=chain(conv=same),
        stage2=chain(conv=nn.Conv2d(3, 8, 3, stride=2, padding=1), norm=nn.BatchNorm2d(8), act=nn.ReLU()),
        head=chain(pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten(), fc=nn.Linear(8, 2)),
    )
    return Looking(net.eval().requires_grad_(False), AS_IT_IS, ("stage1", "stage2"), ("stage2",))


@pytest.fixture
def subject(looking):
    random = np.random.default_rng(0)
    photo = np.tile(np.linspace(30, 220, 48, dtype=np.uint8)[None, :, None], (36, 1, 3))
    painting = np.where(random.random((40, 40, 1)) < 0.5, (220, 180, 60), (40, 60, 160)).astype(np.uint8)
    return Subject(photo, [(painting, 1.0)], photo[::-1], looking)


def test_there_are_as_many_as_it_says_in_order_and_the_same_again(subject, monkeypatch):
    monkeypatch.setattr(lesson, "STEPS", 3)
    first, again = (list(figures(subject, seed=1)) for _ in range(2))
    assert len(first) == count(subject.looking) == 12
    assert [each.part for each in first[::2]] == list(PARTS)
    assert [each.stage for each in first[:4]] == ["stage1", "stage2", "stage1", "stage2"]
    assert len({each.file for each in first}) == 12
    assert first == again
    assert first[2:] != list(figures(subject, seed=2))[2:]


def test_from_maps_that_are_the_pixels_the_photo_comes_back_and_from_its_colors_a_painting(subject, monkeypatch):
    monkeypatch.setattr(lesson, "STEPS", 100)
    found = {(each.part, each.stage): pixels(each.png) for each in figures(subject, seed=0)}
    assert np.abs(found["content", "stage1"] - subject.photo).mean() < 6
    photo, painting, style = (  # their Gram matrices: the mean product of two colors
        each.reshape(-1, 3).T @ each.reshape(-1, 3) / each.size * 3 / 255**2
        for each in (subject.photo.astype(float), subject.paintings[0][0].astype(float), found["style", "stage1"])
    )
    assert np.linalg.norm(style - painting) < 0.3 * np.linalg.norm(photo - painting)


def test_with_random_weights_it_is_the_same_network_that_learned_nothing(looking):
    before = {name: tensor.clone() for name, tensor in looking.net.state_dict().items()}
    first, again, other = (with_random_weights(looking, seed=seed) for seed in (0, 0, 1))
    assert [name for name, _ in first.net.named_children()] == ["stage1", "stage2"]  # as far as it is looked at
    ours, same, others = (each.net.state_dict()["stage2.conv.weight"] for each in (first, again, other))
    assert ours.shape == before["stage2.conv.weight"].shape
    assert (ours == same).all()
    assert not (ours == others).any()
    assert all((tensor == before[name]).all() for name, tensor in looking.net.state_dict().items())


def test_gram_matrices_are_on_one_scale_in_the_paintings_order():
    photo = np.array([[1.0, 0.0], [0.0, 1.0]], np.float32)
    painting = np.array([[4.0, -2.0], [-2.0, 4.0]], np.float32)
    drawn = pixels(gram_png([photo, painting, painting]))
    side = drawn.shape[0] // 2  # of a cell
    gap = (drawn.shape[1] - 6 * side) // 2

    def cell(picture, row, column):
        left = picture * (2 * side + gap)
        return tuple(drawn[row * side + side // 2, left + column * side + side // 2])

    one, minus_half, quarter = map(tuple, signed_colors(np.array([1.0, -0.5, 0.25]), end=1))
    assert (cell(1, 0, 0), cell(1, 0, 1), cell(0, 0, 0)) == (one, minus_half, quarter)
    assert cell(0, 1, 0) == (255, 255, 255)
    assert cell(2, 1, 0) == cell(1, 1, 0)


def test_maps_that_are_never_there_are_drawn_without_a_fault():
    nothing = np.zeros((3, 3), np.float32)
    assert (pixels(gram_png([nothing] * 3))[:10, :10] == 255).all()
