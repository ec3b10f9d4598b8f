"""Painting in steps, with a network that is quick."""

import time

import numpy as np
import pytest
import torch
from torch import nn

from eyespot.blocks import taps
from eyespot.styling.optimise import SCALES, SIZES, How, StepBudget, TimeBudget, painted, sized


@pytest.fixture(scope="module")
def see():
    torch.manual_seed(0)
    net = nn.Sequential()
    net.add_module("stage1", nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU()))
    net.add_module("stage2", nn.Sequential(nn.Conv2d(8, 8, 3, stride=2, padding=1), nn.ReLU()))
    net.eval().requires_grad_(False)
    return lambda pictures, stages: taps(net, list(stages), pictures - 0.5)


@pytest.fixture(scope="module")
def pictures():
    random = np.random.default_rng(0)
    photo = np.tile(np.linspace(0, 255, 80, dtype=np.uint8)[None, :, None], (64, 1, 3))
    painting = random.integers(0, 256, (7, 5, 3), np.uint8).repeat(10, axis=0).repeat(10, axis=1)
    return photo, painting


def run(see, pictures, *, steps=30, **how):
    photo, painting = pictures
    chosen = How(("stage1", "stage2"), ("stage2",), **how)
    return list(painted(sized(photo), [(sized(painting), 1.0)], see, chosen, StepBudget(steps)))


@pytest.mark.parametrize("strokes", SIZES)
def test_it_comes_nearer_to_the_painting_from_coarse_to_fine(see, pictures, strokes):
    steps = run(see, pictures, strokes=strokes, steps=80)
    assert [step.number for step in steps] == list(range(1, 81))
    assert steps[-1].style < 0.5 < run(see, pictures, steps=1, strokes=strokes)[0].style
    sizes = [step.waves.size_hw for step in steps if step.ends_size]
    assert sizes == [(max(32, round(64 * share)), max(32, round(80 * share))) for share, _ in SIZES[strokes]]
    assert steps[-1].picture.shape == pictures[0].shape


@pytest.mark.parametrize("strokes", SIZES)
@pytest.mark.parametrize("steps", [1, 2, 3, 4, 7])
def test_few_steps_are_as_many_and_the_last_is_at_the_last_size(see, pictures, strokes, steps):
    taken = run(see, pictures, steps=steps, strokes=strokes)
    assert len(taken) == steps
    assert taken[-1].ends_size
    assert taken[-1].picture.shape == pictures[0].shape


@pytest.mark.parametrize("begun", [-2, 0], ids=["over by now", "over before it began"])
def test_without_any_time_there_is_one_step_at_the_last_size(see, pictures, begun):
    photo, painting = pictures
    now = time.monotonic()
    how = How(("stage1", "stage2"), ("stage2",), strokes="large")
    [step] = painted(sized(photo), [(sized(painting), 1.0)], see, how, TimeBudget(now + begun, now - 1))
    assert step.picture.shape == photo.shape


def test_the_same_steps_and_seed_give_the_same_picture_bit_for_bit(see, pictures):
    first, again = (run(see, pictures, seed=3)[-1].picture for _ in range(2))
    assert (first == again).all()
    assert (run(see, pictures, seed=4)[-1].picture != first).any()


def test_less_strength_stays_nearer_to_the_photo(see, pictures):
    photo = pictures[0].astype(float)
    apart = [
        np.abs(run(see, pictures, strength=each, strokes="small", steps=60)[-1].picture - photo).mean()
        for each in (0.25, 0.5, 0.75, 1.0)
    ]
    assert apart == sorted(apart)


def test_two_paintings_are_a_mixture_by_their_weights(see, pictures):
    photo, _ = pictures
    white, black = np.full((40, 40, 3), 255, np.uint8), np.zeros((40, 40, 3), np.uint8)
    how = How(("stage1",), ("stage1",), content=0.0, strokes="small")

    def brightness(of_white):
        sources = [(sized(white), of_white), (sized(black), 1 - of_white)]
        return list(painted(sized(photo), sources, see, how, StepBudget(90)))[-1].picture.mean()

    levels = [brightness(share) for share in (0.001, 0.5, 0.999)]
    assert levels == sorted(levels)
    assert levels[2] - levels[0] > 60


def test_paintings_and_photos_of_one_color_stay_finite(see):
    gray, white = np.full((40, 40, 3), 128, np.uint8), np.full((40, 40, 3), 255, np.uint8)
    for photo, painting in ((gray, gray), (gray, white), (white, gray)):
        steps = run(see, (photo, painting), steps=5)
        assert np.isfinite([(step.style, step.content) for step in steps]).all()


def test_it_is_looked_at_in_every_size_turned_over_in_every_way(see, pictures):
    _, painting = pictures
    down, across = np.linspace(0, 120, 64)[:, None], np.linspace(0, 120, 80)
    photo = np.rint(down + across).astype(np.uint8)[:, :, None].repeat(3, axis=2)
    own, seen = sized(photo)(1), []

    def noting(looked_at, stages):
        seen.append(looked_at.detach())
        return see(looked_at, stages)

    run(noting, (photo, painting), steps=200, strokes="small")
    height, width = photo.shape[:2]
    sizes = {(round(scale * height), round(scale * width)) for scale in SCALES}
    assert {each.shape[2:] for each in seen} >= sizes
    same = [each for each in seen if torch.equal(each.flatten().sort().values, own.flatten().sort().values)]
    rising = {tuple(bool(each[0, 0].diff(dim=axis).median() > 0) for axis in (0, 1)) for each in same}
    assert rising == {(True, True), (True, False), (False, True), (False, False)}  # the photo's pixels, at its own size
