"""Embedding: nothing is computed twice, and the features are those of the picture whatever happens around it."""

from __future__ import annotations

import mmap
import os
import shutil
import tracemalloc
from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps
from torch import nn

from eyespot.blocks import chain, conv
from eyespot.data import room
from eyespot.data.copies import Hashed, hash_pictures
from eyespot.data.data_set import Picture
from eyespot.data.pictures import read_image
from eyespot.data.sources import list_pictures
from eyespot.data.store import Store
from eyespot.engine.from_torch import to_onnx
from eyespot.engine.run import Engine
from eyespot.errors import MachineError, StoreError
from eyespot.features import compute as module
from eyespot.features import share, stored
from eyespot.features.embed import Embedded, embed, require_room_for
from eyespot.features.trunk import Recipe, Trunk
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


@dataclass(frozen=True)
class Tiny:
    """A trunk with an engine that is given, or with one that must not be asked for."""

    given: Engine | Callable[[], Engine]
    dtype: type[np.floating] = np.float32
    folder: Path | None = None
    preprocess: Preprocess = PREPROCESS
    signer: Trunk | None = None

    @property
    def engine(self) -> Engine:
        return self.given() if callable(self.given) else self.given

    @property
    def recipe(self) -> Recipe:
        return Recipe(PREPROCESS, trunk="tiny", precision="fp32", dtype=self.dtype.__name__)


def run(
    hashed: list[Hashed],
    engine: Engine | Callable[[], Engine],
    store: Store | None,
    *,
    dtype: type[np.floating] = np.float32,
    folder: Path | None = None,
    **options,
) -> Embedded:
    return embed(Tiny(engine, dtype, folder), hashed, **{"views": BOTH, **options}, store=store)


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


def test_a_stored_feature_that_is_no_number_is_computed_again(folder, engine, store):
    first = run(hashed_in(folder), engine, store)
    key = Recipe(PREPROCESS, trunk="tiny", precision="fp32", dtype="float32").key(first.pictures[3].content, "mirror")
    store.put({key: np.full(32, np.nan, np.float32)})
    second = run(hashed_in(folder), engine, store)
    assert second.computed == 1
    assert same(first, second)


@pytest.mark.parametrize(("value", "dtype"), [(np.nan, np.float32), (np.inf, np.float32), (1e6, np.float16)])
def test_a_picture_whose_features_are_no_numbers_is_set_aside(folder, engine, store, value, dtype):
    class Overflows:
        """The engine, which gives that value for the fourth image."""

        batch, row_shapes = engine.batch, engine.row_shapes

        def stream(self, batches):
            for count, (tags, outputs) in enumerate(engine.stream(batches)):
                if count == 0:
                    outputs["features"][3] = value
                yield tags, outputs

    done = run(hashed_in(folder), Overflows(), store, views=("identity",), dtype=dtype)
    assert [(each.picture, each.reason) for each in done.set_aside] == [(str(folder / "03.png"), share.NO_NUMBERS)]
    assert len(done.pictures) == 10
    assert np.isfinite(done.features["identity"]).all()
    assert run(hashed_in(folder), engine, store, views=("identity",), dtype=dtype).computed == 1  # it was not kept


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
        return Trunk(graph, network=Network(name="tiny"), preprocess=PREPROCESS, precision=precision, folder=None)

    hashed = hashed_in(folder)
    assert embed(trunk(graph), hashed, views=BOTH, store=store).computed == 22
    assert embed(trunk(graph), hashed, views=BOTH, store=store).computed == 0
    with torch.random.fork_rng():
        torch.manual_seed(1)
        net = chain(conv=conv(3, 8, 3), pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten()).eval()
    other = trunk(to_onnx(net, PREPROCESS))
    done = embed(other, hashed, views=BOTH, store=store)
    assert (done.computed, done.features["identity"].shape) == (22, (11, 8))
    assert embed(replace(trunk(graph), precision="fp32"), hashed, views=BOTH, store=store).computed == 0


# Whatever happens around it


def test_a_mirror_view_is_the_feature_of_the_mirrored_picture(folder, engine, tmp_path):
    (tmp_path / "mirrored").mkdir()
    for path in sorted(folder.iterdir()):
        ImageOps.mirror(Image.open(path)).save(tmp_path / "mirrored" / path.name)
    here, there = run(hashed_in(folder), engine, None), run(hashed_in(tmp_path / "mirrored"), engine, None)
    np.testing.assert_array_equal(here.features["mirror"], there.features["identity"])
    np.testing.assert_array_equal(here.features["identity"], there.features["mirror"])
    assert not np.array_equal(here.features["mirror"], here.features["identity"])


@pytest.mark.parametrize("chosen", [slice(0, 1), slice(3, 8), slice(None, None, -2)])
def test_features_do_not_depend_on_what_else_is_in_the_batch(folder, engine, chosen):
    hashed = hashed_in(folder)
    everything, some = run(hashed, engine, None), run(hashed[chosen], engine, None)
    for view in BOTH:
        np.testing.assert_array_equal(some.features[view], everything.features[view][chosen])


@pytest.mark.parametrize("threads", [1, 7])
def test_features_do_not_depend_on_the_number_of_threads(folder, engine, threads, monkeypatch):
    expected = run(hashed_in(folder), engine, None)
    monkeypatch.setattr("eyespot.machine.cores", lambda: threads)
    assert same(run(hashed_in(folder), engine, None), expected)


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


@pytest.mark.parametrize("computed_before", [0, 7])
def test_copies_and_gaps_leave_every_row_with_its_picture(folder, engine, store, computed_before):
    for number, name in enumerate(("00.png", "01.png", "01.png", "02.png", "10.png")):
        shutil.copy(folder / name, folder / f"{number}x-copy.png")
    for name in ("-1.png", "015.png", "1y.png", "99.png"):
        (folder / name).write_bytes(b"no picture")
    hashed = hashed_in(folder)
    run(hashed[:computed_before], engine, store)
    done = run(hashed, engine, store)
    assert len(done.set_aside) == 4
    assert len(done.pictures) == 16
    for each, row, mirrored in zip(done.pictures, done.features["identity"], done.features["mirror"], strict=True):
        image = read_image(each.picture.read(), PREPROCESS)
        np.testing.assert_array_equal(row, engine.run(image[None])["features"][0])
        np.testing.assert_array_equal(mirrored, engine.run(image[None, :, ::-1])["features"][0])


# How much room they take


def lies_in_a_file(array: np.ndarray) -> bool:
    base = array
    while isinstance(base, np.ndarray):
        base = base.base
    return isinstance(base.obj if isinstance(base, memoryview) else base, mmap.mmap)


@pytest.mark.parametrize("read_bytes", [1, 500, 2**24])
def test_features_that_memory_should_not_hold_lie_in_a_file_without_a_name(
    folder, engine, store, tmp_path, monkeypatch, read_bytes
):
    monkeypatch.setattr(share, "READ_BYTES", read_bytes)
    (folder / "03x.png").write_bytes(b"no picture")
    hashed, own = hashed_in(folder), tmp_path / "own"
    run(hashed[:4], engine, store)
    expected = run(hashed, engine, None)
    for most, in_a_file in ((2 * 12 * 32 * 4, False), (2 * 12 * 32 * 4 - 1, True), (0, True)):
        monkeypatch.setattr(room, "MOST_IN_MEMORY", most)
        done = run(hashed, engine, store, folder=own)
        assert same(done, expected)
        assert lies_in_a_file(done.features["mirror"]) == in_a_file
    if os.name == "posix":
        assert list(own.iterdir()) == []


def test_a_disk_without_room_is_a_sentence_before_anything_is_decoded(folder, graph, engine, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: namedtuple("Usage", "total used free")(9, 8, 1))
    monkeypatch.setattr(module, "decode_pictures", lambda *args, **options: pytest.fail("work had begun"))
    said = r"the features of 22 views need 0.0 GB in .*, where 0.0 GB are free: take fewer views, freeze more stages"
    with monkeypatch.context() as patch:
        patch.setattr(room, "MOST_IN_MEMORY", 0)
        with pytest.raises(MachineError, match=said):
            run(hashed_in(folder), engine, None, folder=tmp_path)
        with pytest.raises(MachineError, match=said):
            require_room_for(Tiny(engine, folder=tmp_path), 22)
        require_room_for(Tiny(engine), 22)
    require_room_for(Tiny(engine, folder=tmp_path), 22)


def test_it_is_said_beforehand_that_the_disk_is_too_small(graph, tmp_path):
    trunk = Trunk(
        graph,
        network=Network(name="tiny"),
        preprocess=PREPROCESS,
        precision="fp32",
        folder=tmp_path / "cache",
        dtype=np.float16,
    )
    require_room_for(trunk, 10**6)
    with pytest.raises(MachineError, match=r"the features of 10{16} views need 640000000.0 GB in .*EYESPOT_CACHE"):
        require_room_for(trunk, 10**16)


def test_features_never_lie_in_memory_twice(tmp_path, monkeypatch):
    """Of 400 rows of 64 KB the array takes 26 MB, what else is held at any time 6 MB, computed or stored."""
    hashed = [Hashed(Picture(str(n), data=b"%d" % n), f"{n:032x}") for n in range(200)]
    monkeypatch.setattr(share, "READ_BYTES", 2**20)
    monkeypatch.setattr(
        module, "decode_pictures", lambda *args, **options: enumerate([np.zeros((2, 2, 3), "u1")] * 200)
    )
    monkeypatch.setattr(stored, "COMMIT", 16)

    class Wide:
        batch = 4
        row_shapes = {"features": (2**14,)}  # noqa: RUF012

        def stream(self, batches):
            for tags, images in batches:
                yield tags, {"features": np.ones((len(images), 2**14), np.float32)}

    with Store(tmp_path) as store:
        for computed in (400, 0):
            tracemalloc.start()
            done = run(hashed, Wide(), store)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert done.computed == computed
            assert peak < 32e6


def test_half_precision_is_kept_apart(folder, engine, store):
    single = run(hashed_in(folder), engine, store)
    half = run(hashed_in(folder), engine, store, dtype=np.float16)
    assert half.computed == 22
    assert {each.dtype.name for each in half.features.values()} == {"float16"}
    np.testing.assert_array_equal(half.features["mirror"], single.features["mirror"].astype(np.float16))
    assert same(run(hashed_in(folder), never, store, dtype=np.float16), half)


def test_more_than_the_store_keeps_is_not_put_there_and_pushes_nothing_out(folder, engine, tmp_path):
    hashed = hashed_in(folder)
    with Store(tmp_path / "cache", max_bytes=22 * 128 - 1) as store:
        first = run(hashed[:3], engine, store)
        assert first.notes == []
        done = run(hashed, engine, store)
        assert store.size().entries == 6
        assert done.computed == 16
        said = "features are not kept for the next run: they take 0.0 GB, and the store keeps at most 0.0 GB"
        assert done.notes == [said]
        assert same(done, run(hashed, engine, None))


def test_features_that_would_take_most_of_the_free_disk_are_not_kept(folder, engine, store, monkeypatch):
    for free, kept in ((22 * 128 * 2 - 1, False), (22 * 128 * 2, True)):
        monkeypatch.setattr("shutil.disk_usage", lambda path, free=free: namedtuple("U", "total used free")(9, 8, free))
        done = run(hashed_in(folder), engine, store)
        assert done.computed == 22
        assert (done.notes == []) == kept
        assert store.size().entries == 22 * kept


# A store that fails


def test_a_store_that_cannot_be_read_or_written_gives_notes_and_the_same_features(folder, engine, store, monkeypatch):
    def fail(*args):
        raise StoreError("the disk is full")

    expected = run(hashed_in(folder), engine, None)
    monkeypatch.setattr(stored, "COMMIT", 4)
    monkeypatch.setattr(store, "put", fail)
    done = run(hashed_in(folder), engine, store)
    assert done.notes == ["features are not kept for the next run: the disk is full"]
    assert same(done, expected)
    monkeypatch.setattr(store, "get", fail)
    done = run(hashed_in(folder), engine, store)
    assert done.notes[0] == "the store could not be read, so what it has is computed again: the disk is full"
    assert len(done.notes) == 2
    assert same(done, expected)


def test_all_that_was_computed_before_a_stop_is_kept(folder, engine, store, monkeypatch):
    monkeypatch.setattr(stored, "COMMIT", 4)

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
