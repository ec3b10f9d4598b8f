"""Maps in 8 bits, the file that holds them, and the pictures whose maps it holds."""

import io
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock

import numpy as np
import pytest
from PIL import Image

from eyespot.data.boxes.records import BoxedPicture, Boxes
from eyespot.data.copies import content_hash
from eyespot.data.data_set import Picture
from eyespot.data.store import Store
from eyespot.detecting.maps import MapFile, Mapped, maps_of, packed, unpacked
from eyespot.errors import MachineError, StoreError
from eyespot.features.trunk import Trunk
from eyespot.records import Preprocess

SHAPES = {"map16": (4, 6, 10), "map32": (2, 3, 7)}


PREPROCESS = Preprocess(
    short_side=64, crop_hw=(32, 64), filter="bilinear", color="rgb", mean=(0.0,) * 3, scale=(1.0,) * 3, fit="letterbox"
)
GONE = "changed on disk while it was being read: run again"
VIEWS = 3


class Means:
    """An engine whose one map has the mean color of each 16 x 16 pixels of an image."""

    def __init__(self) -> None:
        self.batch, self.row_shapes = 4, {"map16": (2, 4, 3)}

    def stream(self, batches: Any) -> Iterator[tuple[Any, dict[str, np.ndarray]]]:
        for tags, images in batches:
            yield tags, {"map16": images.reshape(-1, 2, 16, 4, 16, 3).mean((2, 4), dtype=np.float32)}


def mapped(levels: list[int | None], folder: Path, store: object = None) -> Mapped:
    """The maps of plain gray pictures of these levels; None for one that is not what it was."""
    trunk = SimpleNamespace(engine=Means(), preprocess=PREPROCESS, fingerprint="means", precision="fp32")
    pictures = []
    for number, level in enumerate(levels):
        file, none = io.BytesIO(), np.zeros(0, bool)
        Image.new("RGB", (64, 32), (level or 0,) * 3).save(file, "PNG")
        picture = Picture(f"{number}.png", data=file.getvalue())
        content = "0" * 16 if level is None else content_hash(file.getvalue())
        pictures.append(BoxedPicture(picture, 64, 32, Boxes(np.zeros((0, 4)), np.zeros(0, int), none, none), content))
    return maps_of(
        cast(Trunk, trunk),
        pictures,
        views=VIEWS,
        store=cast(Any, store),
        folder=folder,
        progress=lambda done, total: None,
    )


def levels_in(found: Mapped) -> list[float]:
    """Of the whole of each picture, by its map in the file; then the file is closed."""
    [maps] = found.file.read([VIEWS * place for place in range(len(found.pictures))])
    found.file.close()
    assert np.ptp(maps, axis=(1, 2, 3)).max() < 1e-4
    return [round(float(each.mean())) for each in maps]


def drawn(seed: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    return {
        name: (random.normal(0, 3, shape) * random.uniform(0, 9, shape[-1])).astype(np.float32)
        for name, shape in SHAPES.items()
    }


def test_a_packed_map_is_off_by_half_a_step_at_most() -> None:
    maps = drawn(0)
    back = dict(zip(SHAPES, unpacked(packed(maps)[None], SHAPES), strict=True))
    for name, values in maps.items():
        step = np.abs(values).max((0, 1)) / 127
        assert (np.abs(back[name][0] - values) <= step / 2 + 1e-6).all()


def test_a_channel_of_zeros_stays_zero() -> None:
    maps = {name: np.zeros(shape, np.float32) for name, shape in SHAPES.items()}
    assert all((each == 0).all() for each in unpacked(packed(maps)[None], SHAPES))


def test_rows_come_back_in_any_order(tmp_path: Path) -> None:
    file = MapFile(SHAPES, 5, tmp_path)
    rows = [packed(drawn(seed)) for seed in range(5)]
    for number in (3, 0, 4, 1, 2):
        file.write(number, rows[number])
    got = file.read([4, 0, 2])
    for place, number in enumerate((4, 0, 2)):
        for map_, expected in zip(got, unpacked(rows[number][None], SHAPES), strict=True):
            assert (map_[place] == expected[0]).all()
    file.move(4, to=0)
    assert (file.read([0])[0] == file.read([4])[0]).all()
    file.close()
    assert list(tmp_path.iterdir()) == []


def test_where_there_is_no_room_for_maps_the_folder_and_what_they_need_are_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(
        MachineError, match=r"maps of 9 views need 0\.0 GB in .*maps, where .*: make room there, or take fewer"
    ):
        MapFile(SHAPES, 9, tmp_path / "file" / "maps")


@pytest.mark.parametrize(
    "levels", [[10, 20, 30, 40], [10, None, 30, 40], [None, 20, None, 40], [10, 20, 30, None], [None, None, None, 40]]
)
def test_pictures_that_cannot_be_read_leave_no_gap_among_the_others(tmp_path: Path, levels: list[int | None]) -> None:
    readable = [level for level in levels if level is not None]
    found, alone = mapped(levels, tmp_path), mapped(readable, tmp_path)
    every = range(VIEWS * len(readable))
    assert np.array_equal(found.file.read(every)[0], alone.file.read(every)[0])
    assert levels_in(found) == levels_in(alone) == readable
    assert [each.picture.name for each in found.pictures] == [f"{levels.index(level)}.png" for level in readable]
    unread = [f"{number}.png" for number, level in enumerate(levels) if level is None]
    assert [(each.picture, each.reason) for each in found.set_aside] == [(name, GONE) for name in unread]
    assert found.computed == VIEWS * len(readable)


def test_the_maps_of_views_that_were_computed_before_come_from_the_store(tmp_path: Path) -> None:
    with Store(tmp_path / "store") as store:
        first, again = mapped([10, 20], tmp_path, store), mapped([10, 30, 20], tmp_path, store)
    assert (first.computed, again.computed) == (2 * VIEWS, VIEWS)
    assert (levels_in(first), levels_in(again)) == ([10, 20], [10, 30, 20])


@pytest.mark.parametrize("fails", ["get", "put"])
def test_a_store_that_fails_is_told_of_once_and_used_no_more(tmp_path: Path, fails: str) -> None:
    store = Mock(get=Mock(return_value={}))
    getattr(store, fails).side_effect = StoreError("the disk is full")
    found = mapped([10, 20, 30] * 6, tmp_path, store)
    assert found.notes == ["the views' maps are not kept for the next run: the disk is full"]
    assert getattr(store, fails).call_count == 1
    assert levels_in(found) == [10, 20, 30] * 6
