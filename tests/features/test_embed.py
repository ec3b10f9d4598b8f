"""Embedding: nothing is computed twice, and the features are those of the picture whatever happens around it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from torch import nn

from eyespot.blocks import chain, conv
from eyespot.data.audit import Hashed, hash_pictures
from eyespot.data.data_set import Picture
from eyespot.data.pictures import read_image
from eyespot.data.sources import list_pictures
from eyespot.data.store import Store
from eyespot.engine.graph import to_onnx
from eyespot.engine.run import Engine
from eyespot.errors import StoreError
from eyespot.features import embed as module
from eyespot.features.embed import Embedded, embed, view_of
from eyespot.features.keys import recipe
from eyespot.features.trunk import Trunk
from eyespot.records import Network, Preprocess

PREPROCESS = Preprocess(
    short_side=32, crop_hw=(32, 32), filter="bilinear", color="rgb", mean=(120, 110, 100), scale=(60, 55, 50)
)
BOTH = ("identity", "mirror")


@pytest.fixture(scope="module")
def graph() -> bytes:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = chain(conv=conv(3, 8, 3, bias=True), act=nn.ReLU(), pool=nn.AdaptiveAvgPool2d(2), flat=nn.Flatten())
        return to_onnx(net.eval(), PREPROCESS)


@pytest.fixture(scope="module")
def engine(graph) -> Engine:
    return Engine(graph, image_hwc=(32, 32, 3), precision="fp32", batch=4)


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "cache") as store:
        yield store


def add_picture(path: Path, seed: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (40, 32, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, format="PNG")
    return path


@pytest.fixture
def folder(tmp_path) -> Path:
    for seed in range(11):
        add_picture(tmp_path / f"photos/{seed:02}.png", seed)
    return tmp_path / "photos"


def hashed_in(folder: Path) -> list[Hashed]:
    return hash_pictures(list_pictures([folder])[0], threads=2)[0]


def never() -> Engine:
    raise AssertionError("the engine was asked for though everything is stored")


def run(hashed: list[Hashed], engine: Engine | Callable[[], Engine], store: Store | None, **options) -> Embedded:
    return embed(
        hashed,
        **{"views": BOTH, "threads": 2, **options},
        recipe=recipe(PREPROCESS, trunk="tiny", precision="fp32"),
        store=store,
        engine=engine if callable(engine) else lambda: engine,
    )


def same(a: Embedded, b: Embedded) -> bool:
    return all(np.array_equal(a.features[view], b.features[view]) for view in BOTH)


# What is computed


def test_rows_are_the_engines_features_in_the_order_of_the_pictures(folder, engine, store):
    hashed = hashed_in(folder)[::-1]
    done = run(hashed, engine, store)
    assert done.pictures == hashed
    assert (done.set_aside, done.notes, done.computed) == ([], [], 22)
    for number, each in enumerate(hashed):
        image = read_image(each.picture.read(), PREPROCESS)
        for view, pixels in (("identity", image), ("mirror", image[:, ::-1])):
            np.testing.assert_array_equal(done.features[view][number], engine.run(pixels[None])["features"][0])
    assert done.features["identity"].dtype == np.float32
    assert done.features["identity"].shape == (11, 32)


def test_a_second_run_computes_nothing_and_gives_the_same_bits(folder, engine, store):
    first = run(hashed_in(folder), engine, store)
    second = run(hashed_in(folder), never, store)
    assert second.computed == 0
    assert same(first, second)


def test_another_process_finds_what_this_one_stored(folder, engine, tmp_path):
    with Store(tmp_path / "cache") as store:
        first = run(hashed_in(folder), engine, store)
    with Store(tmp_path / "cache") as store:
        assert same(first, run(hashed_in(folder), never, store))


def test_one_more_picture_computes_one(folder, engine, store):
    before = run(hashed_in(folder), engine, store, views=("identity",))
    assert before.computed == 11
    add_picture(folder / "055.png", 99)
    after = run(hashed_in(folder), engine, store, views=("identity",))
    assert after.computed == 1
    assert len(after.pictures) == 12
    assert run(hashed_in(folder), engine, store).computed == 12  # the mirror images


def test_renaming_copying_or_moving_pictures_computes_none(folder, engine, store, tmp_path):
    before = run(hashed_in(folder), engine, store)
    shutil.move(folder, tmp_path / "elsewhere")
    (tmp_path / "elsewhere/00.png").rename(tmp_path / "elsewhere/zz.jpg")
    shutil.copy(tmp_path / "elsewhere/01.png", tmp_path / "elsewhere/copy.png")
    after = run(hashed_in(tmp_path / "elsewhere"), never, store)
    assert after.computed == 0
    rows = {each.content: row for each, row in zip(before.pictures, before.features["mirror"], strict=True)}
    assert len(after.pictures) == 12
    for each, row in zip(after.pictures, after.features["mirror"], strict=True):
        np.testing.assert_array_equal(row, rows[each.content])


def test_copies_are_computed_once_and_each_has_its_row(folder, engine):
    shutil.copy(folder / "01.png", folder / "copy.png")
    done = run(hashed_in(folder), engine, None)
    assert done.computed == 22
    assert len(done.pictures) == len(done.features["identity"]) == 12
    np.testing.assert_array_equal(done.features["identity"][1], done.features["identity"][11])


def test_another_trunk_computes_everything_again(folder, graph, store):
    def trunk(graph: bytes, precision: str = "fp32") -> Trunk:
        return Trunk(graph, network=Network(name="tiny"), preprocess=PREPROCESS, precision=precision, cache_folder=None)

    hashed = hashed_in(folder)
    assert trunk(graph).embed(hashed, views=BOTH, store=store).computed == 22
    assert trunk(graph).embed(hashed, views=BOTH, store=store).computed == 0
    with torch.random.fork_rng():
        torch.manual_seed(1)
        net = chain(conv=conv(3, 8, 3), pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten()).eval()
    other = trunk(to_onnx(net, PREPROCESS))
    done = other.embed(hashed, views=BOTH, store=store)
    assert (done.computed, done.features["identity"].shape) == (22, (11, 8))
    assert trunk(graph).in_precision("fp32").embed(hashed, views=BOTH, store=store).computed == 0


# Whatever happens around it


def test_a_mirror_view_is_the_feature_of_the_mirrored_picture(folder, engine, tmp_path):
    (tmp_path / "mirrored").mkdir()
    for path in sorted(folder.iterdir()):
        ImageOps.mirror(Image.open(path)).save(tmp_path / "mirrored" / path.name)
    here, there = run(hashed_in(folder), engine, None), run(hashed_in(tmp_path / "mirrored"), engine, None)
    np.testing.assert_array_equal(here.features["mirror"], there.features["identity"])
    np.testing.assert_array_equal(here.features["identity"], there.features["mirror"])
    assert not np.array_equal(here.features["mirror"], here.features["identity"])


def test_views_are_the_image_itself_and_mirrored_left_to_right():
    image = np.arange(12).reshape(2, 3, 2)
    assert view_of(image, "identity") is image
    np.testing.assert_array_equal(view_of(image, "mirror"), np.flip(image, 1))


@pytest.mark.parametrize("chosen", [slice(0, 1), slice(3, 8), slice(None, None, -2)])
def test_features_do_not_depend_on_what_else_is_in_the_batch(folder, engine, chosen):
    hashed = hashed_in(folder)
    everything, some = run(hashed, engine, None), run(hashed[chosen], engine, None)
    for view in BOTH:
        np.testing.assert_array_equal(some.features[view], everything.features[view][chosen])


@pytest.mark.parametrize("threads", [1, 7])
def test_features_do_not_depend_on_the_number_of_threads(folder, engine, threads):
    assert same(run(hashed_in(folder), engine, None, threads=threads), run(hashed_in(folder), engine, None))


def test_pictures_that_cannot_be_decoded_are_named_and_have_no_row(folder, engine, store):
    (folder / "03x.png").write_bytes(b"no picture")
    (folder / "99.png").write_bytes((folder / "01.png").read_bytes()[:500])
    ticks: list[tuple[int, int]] = []
    for computed in (22, 0):
        done = run(hashed_in(folder), engine, store, progress=lambda *tick: ticks.append(tick))
        assert len(done.pictures) == len(done.features["identity"]) == len(done.features["mirror"]) == 11
        assert [Path(each.picture).name for each in done.set_aside] == ["03x.png", "99.png"]
        assert "is not a picture" in done.set_aside[0].reason
        assert "is cut off" in done.set_aside[1].reason
        assert done.computed == computed
        assert ticks[-1] == (26, 26)


def test_copies_that_cannot_be_decoded_are_all_named(folder, engine):
    for name in ("a.png", "b.png"):
        (folder / name).write_bytes(b"no picture")
    done = run(hashed_in(folder), engine, None)
    assert [Path(each.picture).name for each in done.set_aside] == ["a.png", "b.png"]


def test_where_no_picture_can_be_decoded_there_are_no_rows(tmp_path, engine):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.png").write_bytes(b"no picture")
    done = run(hashed_in(tmp_path / "in"), engine, None)
    assert done.pictures == []
    assert {len(rows) for rows in done.features.values()} == {0}


def test_no_pictures_need_no_engine():
    done = run([], never, None)
    assert (done.pictures, done.computed) == ([], 0)


def test_a_picture_that_changes_meanwhile_is_set_aside_and_nothing_false_is_stored(folder, engine, store):
    hashed = hashed_in(folder)
    add_picture(folder / "05.png", 500)
    done = run(hashed, engine, store)
    (left,) = done.set_aside
    assert Path(left.picture).name == "05.png"
    assert "changed on disk" in left.reason
    assert len(done.pictures) == 10
    again = run(hashed_in(folder), engine, store)
    assert again.computed == 2
    assert same(again, run(hashed_in(folder), engine, None))


def test_a_picture_that_goes_meanwhile_is_served_from_the_store_or_set_aside(folder, engine, store):
    hashed = hashed_in(folder)
    first = run(hashed[:5], engine, store)
    for each in hashed:
        each.picture.path.unlink()
    done = run(hashed, engine, store)
    assert done.pictures == hashed[:5]
    assert same(first, done)
    assert len(done.set_aside) == 6
    assert all(each.reason.startswith("cannot be read") for each in done.set_aside)


# A store that fails


def test_a_store_that_cannot_be_read_or_written_gives_notes_and_the_same_features(folder, engine, store, monkeypatch):
    def fail(*args):
        raise StoreError("the disk is full")

    expected = run(hashed_in(folder), engine, None)
    monkeypatch.setattr(module, "COMMIT", 4)
    monkeypatch.setattr(store, "put", fail)
    done = run(hashed_in(folder), engine, store)
    assert done.notes == ["features are not kept for the next run: the disk is full"]
    assert same(done, expected)
    monkeypatch.setattr(store, "get", fail)
    done = run(hashed_in(folder), engine, store)
    assert done.notes[0] == "the store could not be read, so everything is computed: the disk is full"
    assert len(done.notes) == 2
    assert same(done, expected)


def test_all_that_was_computed_before_a_stop_is_kept(folder, engine, store, monkeypatch):
    monkeypatch.setattr(module, "COMMIT", 4)

    def stop(done: int, total: int) -> None:
        if done >= 13:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(hashed_in(folder), engine, store, progress=stop)
    again = run(hashed_in(folder), engine, store)
    assert again.computed == 22 - 13
    assert same(again, run(hashed_in(folder), engine, None))


def test_progress_counts_what_was_stored_at_once_and_ends_at_the_total(folder, engine, store):
    run(hashed_in(folder)[:4], engine, store)
    ticks: list[tuple[int, int]] = []
    run(hashed_in(folder), engine, store, progress=lambda *tick: ticks.append(tick))
    assert ticks == [(done, 22) for done in range(8, 23)]


def test_pictures_in_memory_are_embedded_like_files(folder, engine):
    hashed = hashed_in(folder)
    in_memory = [Hashed(Picture(each.picture.name, data=each.picture.read()), each.content) for each in hashed]
    assert same(run(in_memory, engine, None), run(hashed, engine, None))
