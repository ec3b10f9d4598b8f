"""All pictures in one array: in order, complete or set aside with a reason, in memory or on disk."""

from __future__ import annotations

import io
import mmap
import os
import threading
from collections import namedtuple

import numpy as np
import pytest
from PIL import Image

from eyespot.data import room
from eyespot.data.copies import Hashed, content_hash
from eyespot.data.data_set import Picture
from eyespot.data.pictures import read_image
from eyespot.errors import MachineError
from eyespot.features import decode
from eyespot.features.images import bytes_needed, decoded
from eyespot.records import Preprocess

GRAY = Preprocess(short_side=8, crop_hw=(8, 6), filter="bilinear", color="gray", mean=(0,), scale=(1,))
RGB = Preprocess(short_side=8, crop_hw=(8, 6), filter="bilinear", color="rgb", mean=(0,) * 3, scale=(1,) * 3)


def png(shade: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.arange(shade, shade + 90, dtype=np.uint8).reshape(9, 10)).save(file, format="PNG")
    return file.getvalue()


def hashed(name: str, data: bytes) -> Hashed:
    return Hashed(Picture(name, label="a", data=data), content_hash(data))


@pytest.fixture
def pictures() -> list[Hashed]:
    return [hashed(str(shade), png(shade)) for shade in range(100)]


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("record", [GRAY, RGB])
@pytest.mark.parametrize("most_in_memory", [2**20, 0])
def test_the_images_are_those_of_read_image_in_order(pictures, tmp_path, record, threads, most_in_memory, monkeypatch):
    monkeypatch.setattr(room, "MOST_IN_MEMORY", most_in_memory)
    monkeypatch.setattr("eyespot.machine.cores", lambda: threads)
    found = decoded(pictures, record, folder=tmp_path)
    assert (found.images.dtype, found.images.shape) == (np.uint8, (100, 8, 6, record.channels))
    np.testing.assert_array_equal(
        found.images, np.stack([read_image(each.picture.read(), record) for each in pictures])
    )
    assert found.pictures == pictures
    assert found.set_aside == []
    assert found.images.nbytes == bytes_needed(100, record)


@pytest.mark.parametrize("most_in_memory", [2**20, 0])
def test_what_cannot_be_decoded_is_set_aside_and_leaves_no_gap(pictures, tmp_path, most_in_memory, monkeypatch):
    monkeypatch.setattr(room, "MOST_IN_MEMORY", most_in_memory)
    (tmp_path / "changed.png").write_bytes(png(1))
    changed = Hashed(Picture("changed.png", path=tmp_path / "changed.png"), content_hash(png(2)))
    gone = Hashed(Picture("gone.png", path=tmp_path / "gone.png"), content_hash(png(2)))
    work = [hashed("text", b"text"), *pictures[:40], changed, hashed("cut", png(3)[:40]), *pictures[40:], gone]
    found = decoded(work, GRAY, folder=tmp_path)
    assert found.pictures == pictures
    np.testing.assert_array_equal(found.images, np.stack([read_image(each.picture.read(), GRAY) for each in pictures]))
    assert [each.picture for each in found.set_aside] == ["text", "changed.png", "cut", "gone.png"]
    reasons = [each.reason for each in found.set_aside]
    assert reasons[1] == "changed on disk while it was being read: run again"
    assert "is not a picture" in reasons[0]
    assert "is cut off" in reasons[2]
    assert reasons[3].startswith("cannot be read: ")


def test_no_pictures_are_an_empty_array(tmp_path):
    found = decoded([], RGB, folder=tmp_path)
    assert (found.images.shape, found.pictures, found.set_aside) == ((0, 8, 6, 3), [], [])


def test_progress_goes_from_none_to_all(pictures, tmp_path):
    ticks: list[tuple[int, int]] = []
    broken = [*pictures, hashed("text", b"text")]
    decoded(broken, GRAY, folder=tmp_path, progress=lambda *done: ticks.append(done))
    assert ticks == [(done, 101) for done in range(102)]


def test_what_is_too_large_for_memory_lies_in_a_file_without_a_name(pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(room, "MOST_IN_MEMORY", bytes_needed(100, GRAY) - 1)
    folder = tmp_path / "cache"
    found = decoded(pictures, GRAY, folder=folder)
    base = found.images
    while isinstance(base, np.ndarray):
        base = base.base
    assert isinstance(base.obj if isinstance(base, memoryview) else base, mmap.mmap)
    if os.name == "posix":
        assert list(folder.iterdir()) == []
    found.images[:] = 7
    assert found.images.sum() == 7 * found.images.size


def test_a_disk_without_room_is_a_sentence_before_anything_is_decoded(pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(room, "MOST_IN_MEMORY", 0)
    monkeypatch.setattr("shutil.disk_usage", lambda path: namedtuple("Usage", "total used free")(9, 8, 1))
    monkeypatch.setattr(decode, "read_images", lambda *args: pytest.fail("work had begun"))
    with pytest.raises(MachineError, match=r"100 pictures as images need 0.0 GB in .*, where 0.0 GB are free: make"):
        decoded(pictures, GRAY, folder=tmp_path)


def test_a_folder_that_cannot_be_made_is_a_sentence(pictures, tmp_path, monkeypatch):
    monkeypatch.setattr(room, "MOST_IN_MEMORY", 0)
    (tmp_path / "file").touch()
    with pytest.raises(MachineError, match=r"where no such file can be made \(.*\): make room there"):
        decoded(pictures, GRAY, folder=tmp_path / "file")


def test_after_ctrl_c_no_more_is_decoded(pictures, tmp_path, monkeypatch):
    read_images, begun = decode.read_images, []

    def reading(files, preprocess):
        for data in files:
            begun.append(data)
            yield from read_images([data], preprocess)

    def stop(done: int, total: int) -> None:
        if done:
            raise KeyboardInterrupt

    monkeypatch.setattr(decode, "read_images", reading)
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        decoded(pictures * 200, GRAY, folder=tmp_path, progress=stop)
    assert len(begun) < 2000
    assert threading.active_count() == before
