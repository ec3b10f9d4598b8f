"""Pictures in tar archives, as WebDataset packs them: read where they lie, and what is odd or damaged is said."""

from __future__ import annotations

import io
import json
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image

from eyespot.data.sources import list_pictures, open_data_set, open_pictures
from eyespot.errors import DataError, NoPictures


def png(shade: int = 0) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (shade, 0, 0)).save(file, "PNG")
    return file.getvalue()


def packed(path: Path, files: dict[str, bytes], *, form: int = tarfile.PAX_FORMAT) -> Path:
    with tarfile.open(path, "w", format=form) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def samples(numbers, *, kind: str = "cls") -> dict[str, bytes]:
    """Two files for each number: a picture, and the class `n % 2` beside it."""
    files = {}
    for number in numbers:
        label = json.dumps({"label": number % 2, "caption": "a"}) if kind == "json" else str(number % 2)
        files |= {f"{number:04}.png": png(number), f"{number:04}.{kind}": label.encode()}
    return files


def reasons(data_set) -> dict[str, str]:
    return {each.picture: each.reason for each in data_set.set_aside}


@pytest.mark.parametrize("kind", ["cls", "json", "txt"])
@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_shard_gives_each_picture_the_class_beside_it(tmp_path, kind, form):
    shard = packed(tmp_path / "a.tar", samples(range(6), kind=kind), form=form)
    found = open_data_set(shard)
    assert (found.name, found.classes) == ("a", ("0", "1"))
    assert [each.name for each in found.pictures] == [f"{number:04}.png" for number in range(6)]
    assert [each.label for each in found.pictures] == ["0", "1", "0", "1", "0", "1"]
    assert [each.read() for each in found.pictures] == [png(number) for number in range(6)]
    assert {path.name for path in tmp_path.iterdir()} == {"a.tar"}


def test_shards_in_a_folder_and_in_braces_are_one_data_set(tmp_path):
    for number in range(3):
        packed(tmp_path / f"s-{number:03}.tar", samples(range(4 * number, 4 * number + 4)))
    for where in (tmp_path, tmp_path / "s-{000..002}.tar"):
        found = open_data_set(where)
        assert len(found.pictures) == 12
        assert found.pictures[5].name == "s-001.tar/0005.png"
        assert found.pictures[5].read() == png(5)
    assert len(open_data_set(tmp_path / "s-{001..002}.tar").pictures) == 8
    assert len(list_pictures([tmp_path / "s-{000..001}.tar"])[0]) == 8
    assert len(list_pictures([tmp_path / "s-000.tar"])[0]) == 4
    assert len(open_pictures(tmp_path).pictures) == 12


def test_the_names_of_shards_say_parts(tmp_path):
    packed(tmp_path / "own-train-0.tar", samples(range(4)))
    packed(tmp_path / "own-val-0.tar", samples(range(4, 8)))
    assert [each.part for each in open_data_set(tmp_path).pictures] == ["train"] * 4 + ["val"] * 4


def test_many_threads_read_at_once(tmp_path):
    found = open_data_set(packed(tmp_path / "a.tar", samples(range(60))))
    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(lambda each: each.read(), found.pictures))
    assert read == [png(number) for number in range(60)]


def test_an_archive_of_class_folders_is_read_as_the_folders(tmp_path):
    files = {f"photos/{name}/{number}.png": png(number) for name in ("cat", "dog") for number in range(3)}
    found = open_data_set(packed(tmp_path / "a.tar", files))
    assert found.classes == ("cat", "dog")
    assert len(found.pictures) == 6


def test_what_is_neither_picture_nor_class_is_told(tmp_path):
    files = samples(range(4)) | {"0000.mp4": b"film", "9.cls": b"1", "../evil.png": png(), "/abs.png": png()}
    files |= {"7.png": png(7), "8.png": png(8), "8.json": b"{", ".hidden.png": png()}
    shard = packed(tmp_path / "a.tar", files)
    with tarfile.open(shard, "a") as archive:
        link = tarfile.TarInfo("5.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    found = open_data_set(shard)
    assert len(found.pictures) == 4
    out = "has a name that leads out of the archive"
    assert reasons(found) == {
        "0000.mp4": "is not a picture file (.mp4)",
        "9.cls": "gives the class of no picture beside it",
        "../evil.png": out,
        "abs.png": out,
        "5.png": "is a link, or no ordinary file",
        "7.png": "has no label, which is a text or a whole number",
        "8.png": "has no label, which is a text or a whole number",
    }


def damaged(path: Path, change) -> Path:
    data = bytearray(path.read_bytes())
    path.write_bytes(bytes(change(data)))
    return path


def test_broken_archives_are_told_in_a_sentence(tmp_path):
    def shard(name: str) -> Path:
        return packed(tmp_path / name, samples(range(4)), form=tarfile.USTAR_FORMAT)

    def changed(data: bytearray) -> bytearray:
        data[2 * 1024 + 5] ^= 255  # in the third file's header
        return data

    with pytest.raises(DataError, match=r"cut.tar ends in the midst of 0000.png: download"):
        open_data_set(damaged(shard("cut.tar"), lambda data: data[:550]))
    with pytest.raises(DataError, match=r"none.tar is no whole tar archive \(.*\): download or pack it anew; a comp"):
        open_data_set(damaged(shard("none.tar"), lambda data: b"\x1f\x8b" + b"no archive" * 200))
    with pytest.raises(DataError, match=r"flip.tar is damaged, or goes on, after byte 2,048: pack it anew"):
        open_data_set(damaged(shard("flip.tar"), changed))
    with pytest.raises(DataError, match=r"two.tar is damaged, or goes on, after byte"):
        open_data_set(damaged(shard("two.tar"), lambda data: data + data))
    with pytest.raises(NoPictures, match=r"empty.tar gives no picture a label|holds no picture"):
        open_data_set(packed(tmp_path / "empty.tar", {}))


def test_shards_that_are_missing_are_told(tmp_path):
    packed(tmp_path / "s-0.tar", samples(range(4)))
    with pytest.raises(DataError, match=r"2 of the 3 archives of .*s-\{0..2\}.tar are not there, such as .*s-1.tar"):
        open_data_set(tmp_path / "s-{0..2}.tar")
    with pytest.raises(DataError, match="must count up"):
        open_data_set(tmp_path / "s-{2..0}.tar")


def test_a_picture_of_an_archive_that_became_shorter_cannot_be_read(tmp_path):
    shard = packed(tmp_path / "a.tar", samples(range(4)))
    found = open_data_set(shard)
    damaged(shard, lambda data: data[:700])
    with pytest.raises(OSError, match="its archive became shorter"):
        found.pictures[3].read()
