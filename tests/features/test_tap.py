"""A tapped trunk: its features are those it has anyway, and what it leaves in the store is what lies below the tap."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from embed_child import PREPROCESS
from torch import nn

from eyespot.blocks import chain, conv, split
from eyespot.data.copies import Hashed, content_hash
from eyespot.data.data_set import Picture
from eyespot.data.store import Store
from eyespot.engine.from_torch import to_onnx
from eyespot.errors import StoreError
from eyespot.features import stored
from eyespot.features.embed import embed
from eyespot.features.tap import Tap
from eyespot.features.trunk import Trunk
from eyespot.records import Network

BOTH = ("identity", "mirror")
PICTURES = 9


def trunk_of(net: nn.Sequential, feature_map: str | None = None) -> Trunk:
    graph = to_onnx(net.eval(), PREPROCESS, feature_map=feature_map)
    return Trunk(graph, network=Network(name="tiny"), preprocess=PREPROCESS, precision="fp32", folder=None)


@pytest.fixture(scope="module")
def net() -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        first, second = conv(3, 8, 3, bias=True), conv(8, 4, 3, bias=True)
    ends = {"pool": nn.AdaptiveAvgPool2d(2), "flat": nn.Flatten()}
    return chain(first=chain(conv=first, act=nn.ReLU()), second=chain(conv=second, act=nn.ReLU()), **ends)


@pytest.fixture(scope="module")
def trunk(net) -> Trunk:
    return trunk_of(net)


@pytest.fixture(scope="module")
def below(net) -> Trunk:
    return replace(trunk_of(split(net, after="first")[0]), dtype=np.float16)


@pytest.fixture
def store(tmp_path) -> Iterator[Store]:
    with Store(tmp_path) as store:
        yield store


@pytest.fixture
def tap(net, trunk, below, store) -> Tap:
    return Tap(trunk, trunk_of(net, feature_map="first"), below, store)


@pytest.fixture(scope="module")
def hashed() -> list[Hashed]:
    images = np.random.default_rng(0).integers(0, 256, (PICTURES, 32, 32, 3), dtype=np.uint8)
    files = [b"P6 32 32 255\n" + image.tobytes() for image in images]
    return [Hashed(Picture(f"{n}.ppm", data=data), content_hash(data)) for n, data in enumerate(files)]


def test_features_have_the_same_bits_with_a_tap_and_the_part_below_finds_its_own_stored(
    tap, trunk, below, store, hashed
):
    tapped = embed(trunk, hashed, views=BOTH, store=store, tap=tap)
    plain = embed(trunk, hashed, views=BOTH, store=None)
    found = embed(below, hashed, views=BOTH, store=store)
    alone = embed(below, hashed, views=BOTH, store=None)
    assert (tapped.computed, found.computed, alone.computed) == (2 * PICTURES, 0, 2 * PICTURES)
    for view in BOTH:
        np.testing.assert_array_equal(tapped.features[view], plain.features[view])
        np.testing.assert_array_equal(found.features[view], alone.features[view])
    assert found.features["identity"].shape == (PICTURES, 8, 32, 32)


def test_what_is_stored_already_is_neither_computed_nor_tapped(tap, trunk, below, store, hashed):
    embed(trunk, hashed[:4], views=BOTH, store=store)
    assert embed(trunk, hashed, views=BOTH, store=store, tap=tap).computed == 2 * (PICTURES - 4)
    assert embed(below, hashed, views=BOTH, store=store).computed == 2 * 4


def test_an_engine_that_gives_other_bits_with_a_tap_is_not_tapped(tap, trunk, below, net, store, hashed):
    tap = replace(tap, through=_changed(net))
    assert not tap.is_exact
    tapped = embed(trunk, hashed, views=BOTH, store=store, tap=tap)
    np.testing.assert_array_equal(
        tapped.features["identity"], embed(trunk, hashed, views=BOTH, store=None).features["identity"]
    )
    assert embed(below, hashed, views=BOTH, store=store).computed == 2 * PICTURES


def test_a_store_that_cannot_be_written_costs_the_activations_alone(tap, trunk, hashed, monkeypatch):
    def full(*_: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(tap.store, "put", full)
    tapped = embed(trunk, hashed, views=BOTH, store=None, tap=tap)
    assert (len(tapped.pictures), tapped.notes) == (PICTURES, [])


def test_there_is_room_for_half_of_what_the_store_keeps(tap, monkeypatch, tmp_path):
    row = 8 * 32 * 32 * 2  # bytes, as float16
    with Store(tmp_path / "small", max_bytes=20 * row) as small:
        assert replace(tap, store=small).has_room(10)
        assert not replace(tap, store=small).has_room(11)
    monkeypatch.setattr(stored.shutil, "disk_usage", lambda _: type("", (), {"free": row})())
    assert not tap.has_room(10)


def _changed(net: nn.Sequential) -> Trunk:
    """The tapped trunk, with one weight that is a little larger."""
    net = copy.deepcopy(net)
    with torch.no_grad():
        next(net.parameters())[0, 0, 0, 0] += 1e-3
    return trunk_of(net, feature_map="first")
