"""Gram matrices and relative losses, by hand."""

import pytest
import torch

from eyespot.styling.statistics import Targets, gram


def test_a_gram_matrix_by_hand():
    maps = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]], [[0.0, 1.0], [0.0, -1.0]]]])
    # (1 + 4 + 9 + 16) / 4, (2 - 4) / 4, (1 + 1) / 4
    assert gram(maps).tolist() == [[7.5, -0.5], [-0.5, 0.5]]


def test_places_do_not_count():
    maps = torch.rand(1, 5, 8, 6)
    mixed = maps.flatten(2)[:, :, torch.randperm(48)].reshape(1, 5, 6, 8)
    torch.testing.assert_close(gram(maps), gram(mixed))


@pytest.fixture
def maps():
    torch.manual_seed(0)
    return {"a": torch.rand(1, 4, 6, 7), "b": torch.randn(1, 3, 3, 4)}, {
        "a": torch.rand(1, 4, 9, 5),
        "b": torch.randn(1, 3, 5, 5),
    }


def test_the_style_loss_is_exactly_1_at_the_photo_and_0_at_the_painting(maps):
    photo, painting = maps
    targets = Targets.of(photo, {stage: gram(each) for stage, each in painting.items()}, ["b"])
    assert targets.style(photo).item() == pytest.approx(1, abs=1e-6)
    assert targets.style(painting).item() == pytest.approx(0, abs=1e-9)


def test_the_content_loss_is_0_at_the_photo_and_1_where_only_its_mean_is_left(maps):
    photo, painting = maps
    targets = Targets.of(photo, {stage: gram(each) for stage, each in painting.items()}, ["b"])
    assert targets.content_lost(photo).item() == pytest.approx(0, abs=1e-5)  # kept in half of the bytes
    means = photo | {"b": photo["b"].mean((2, 3), keepdim=True).expand_as(photo["b"])}
    assert targets.content_lost(means).item() == pytest.approx(1, abs=1e-3)


def test_a_painting_that_is_as_the_photo_divides_by_no_nothing(maps):
    photo, _ = maps
    targets = Targets.of(photo, {stage: gram(each) for stage, each in photo.items()}, ["a"])
    assert targets.style(photo).item() == 0
    moved = {stage: each * 1.1 for stage, each in photo.items()}
    assert 0 < targets.style(moved).item() < 1e3


def test_one_color_has_maps_without_spread():
    flat = {"a": torch.full((1, 2, 4, 4), 3.0)}
    targets = Targets.of(flat, {"a": gram(flat["a"])}, ["a"])
    assert targets.content_lost(flat).item() == 0
    assert targets.content_lost({"a": flat["a"] + 1e-3}).isfinite()
