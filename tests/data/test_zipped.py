"""Pictures in a ZIP archive: read in place as those of a folder are, and what is odd or hostile in it is said."""

import io
import os
import shutil
import stat
import struct
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image

import eyespot
from eyespot.data import zipped
from eyespot.data.sources import list_pictures, open_data_set, open_pictures
from eyespot.errors import DataError, NoPictures


def png(shade: int = 0) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (shade, 0, 0)).save(file, "PNG")
    return file.getvalue()


def packed(path: Path, names: dict[str, bytes] | list[str], **how: object) -> Path:
    files = names if isinstance(names, dict) else {name: png(number) for number, name in enumerate(names)}
    with zipfile.ZipFile(path, "w", **how) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@pytest.fixture
def photos(tmp_path) -> Path:
    return tmp_path / "photos.zip"


def reasons(data_set: object) -> dict[str, str]:
    return {each.picture: each.reason for each in data_set.set_aside}


def test_a_zip_trains_the_same_model_as_its_folder(split_photos, split_run, shared_cache, tmp_path):
    archive = shutil.make_archive(str(tmp_path / "photos"), "zip", split_photos)
    before = {path.name for path in tmp_path.iterdir()}
    result = eyespot.train(archive, out=tmp_path / "runs")
    assert {path.name for path in tmp_path.iterdir()} - before == {"runs"}  # nothing was unpacked beside it
    assert result.test == split_run.test
    for name in ("bundle/model.onnx", "split.csv", "predictions.csv"):
        assert Path(result.run, name).read_bytes() == Path(split_run.run, name).read_bytes()
    assert Path(result.run).name == "photos"
    assert eyespot.val(result.run, archive).accuracy == eyespot.val(split_run.run, split_photos).accuracy
    names = [each.picture for each in eyespot.predict(result.run, [archive])]
    assert len(names) == 69
    assert names[0] == f"{archive}/test/circle/200.png"


@pytest.mark.parametrize("top", ["", "photos/", "a/b/"])
@pytest.mark.parametrize("how", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_one_folder_that_holds_all_is_gone_into(photos, top, how):
    packed(photos, [f"{top}{kind}/{n}.png" for kind in ("cat", "dog") for n in range(2)], compression=how)
    found = open_data_set(photos)
    assert (found.name, found.classes) == ("photos", ("cat", "dog"))
    assert [Image.open(io.BytesIO(each.read())).size for each in found.pictures] == [(8, 8)] * 4


def test_what_systems_and_people_leave_there_is_passed_over(photos):
    packed(
        photos,
        {
            **{f"{kind}/{n}.png": png(n + 3 * len(kind)) for kind in ("cat", "doge") for n in range(2)},
            "__MACOSX/cat/._0.png": b"x",
            "cat/Thumbs.db": b"x",
            ".git/config": b"x",
            "cat/readme.txt": b"x",
            "cat/torn.png": b"",
            "../out/evil.png": png(),
            "doge\\back.png": png(99),
        },
    )
    found = open_data_set(photos)
    assert reasons(found) == {
        "cat/readme.txt": "is not a picture file (.txt)",
        "../out/evil.png": "has a name that leads out of the archive",
    }
    assert "doge/back.png" in [each.name for each in found.pictures]
    assert found.classes == ("cat", "doge")


def test_names_of_other_systems():
    """UTF-8 without the word that it is: as by macOS; the encoding of a Chinese Windows, of which nothing tells."""
    names, notes = zipped._names([_info(name.encode().decode("cp437")) for name in ("猫/1.png", "犬/1.png")])
    assert (names, notes) == (["猫/1.png", "犬/1.png"], [])
    names, notes = zipped._names([_info(name.encode("gbk").decode("cp437")) for name in ("猫/1.png", "狗/1.png")])
    assert [name[-6:] for name in names] == ["/1.png"] * 2
    assert names[0] != names[1]
    assert notes == ["2 names in the archive may look wrong: nothing says in which encoding they are"]


def test_names_in_utf8_that_say_so(photos):
    found = open_data_set(packed(photos, ["café/1.png", "猫/1.png"]))
    assert (found.classes, found.notes) == (("café", "猫"), ())


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.flag_bits = 0
    return info


def test_links_doubles_and_secrets_are_set_aside(photos):
    with zipfile.ZipFile(photos, "w") as archive:
        for number, name in enumerate(("a/1.png", "b/1.png", "a/2.png")):
            archive.writestr(name, png(number))
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a/2.png", png())
        link = zipfile.ZipInfo("b/link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    data = bytearray(photos.read_bytes())
    at = data.rindex(b"PK\1\2", 0, data.rindex(b"b/1.png"))
    data[at + 8] |= 1  # encrypted, says the directory
    photos.write_bytes(data)
    assert {each.picture: each.reason for each in list_pictures([photos])[1]} == {
        f"{photos}/a/2.png": "has the name of another file in the archive",
        f"{photos}/b/link.png": "is a link",
        f"{photos}/b/1.png": "is encrypted: pack it without a password",
    }


def test_a_damaged_member_is_set_aside_with_its_reason(photos, split_run, shared_cache):
    packed(photos, ["a/1.png", "a/2.png"])
    data = bytearray(photos.read_bytes())
    data[data.index(b"IDAT") + 6] ^= 0xFF
    photos.write_bytes(data)
    first, second = eyespot.predict(split_run.run, [photos])
    assert "damaged in the archive" in first.set_aside
    assert second.predictions


@pytest.mark.parametrize("how", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_however_a_member_is_packed_its_damage_is_its_reason(photos, how):
    """Every byte of the first member and of its header, one at a time."""
    packed(photos, ["a/1.png", "a/2.png"], compression=how)
    whole = photos.read_bytes()
    for at in range(whole.index(b"PK\3\4", 4)):
        photos.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        first, second = list_pictures([photos])[0]
        with suppress(OSError):
            assert first.read()
        assert second.read()


def test_a_header_beyond_the_end_is_the_reason(photos):
    packed(photos, ["a/1.png", "a/2.png"])
    data = bytearray(photos.read_bytes())
    struct.pack_into("<I", data, data.index(b"PK\1\2") + 42, len(data) - 4)
    photos.write_bytes(data)
    first, _ = list_pictures([photos])[0]
    with pytest.raises(OSError, match="damaged in the archive"):
        first.read()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data[:200], "is no whole ZIP archive"),
        (lambda data: b"", "is no whole ZIP archive"),
        (lambda data: b"PK\3\4" + os.urandom(2000), "is no whole ZIP archive"),
    ],
)
def test_what_is_no_archive_is_a_sentence(photos, change, said):
    packed(photos, ["a/1.png", "b/1.png"])
    photos.write_bytes(change(photos.read_bytes()))
    with pytest.raises(DataError, match=said):
        open_data_set(photos)


def test_bombs_are_refused(photos, monkeypatch):
    monkeypatch.setattr(zipped, "SMALL", 2**20)
    packed(photos, {f"a/{n}.bmp": bytes(2**20) for n in range(3)}, compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(DataError, match=r"photos.zip unpacks from 0.0 MB to 0.0 GB, which pictures do not"):
        open_data_set(photos)
    monkeypatch.setattr(zipped, "MOST_MEMBERS", 2)
    with pytest.raises(DataError, match=r"holds 3 files, more than the 2 that are read"):
        list_pictures([photos])


def test_files_that_lie_over_each_other_are_refused(photos):
    """As in Fifield's bombs (2019): many entries of the directory lead to one place."""
    packed(photos, ["a/1.png", "b/1.png"])
    data = photos.read_bytes()
    begin, end = data.index(b"PK\1\2"), data.index(b"PK\5\6")
    directory = data[begin:end]
    count = 40
    tail = bytearray(data[end:])
    struct.pack_into("<HHII", tail, 8, 2 * count, 2 * count, count * len(directory), begin)
    photos.write_bytes(data[:begin] + directory * count + tail)
    assert sum(each.compress_size for each in zipfile.ZipFile(photos).infolist()) > photos.stat().st_size
    with pytest.raises(DataError, match="has files that lie over each other"):
        open_data_set(photos)


def test_a_member_that_is_larger_than_it_says_gives_no_more(photos, monkeypatch):
    monkeypatch.setattr(zipped, "MOST_BYTES", 1000)
    packed(photos, {"a/1.bmp": bytes(5000), "b/1.bmp": bytes(500)}, compression=zipfile.ZIP_DEFLATED)
    data = photos.read_bytes()
    photos.write_bytes(data.replace(struct.pack("<I", 5000), struct.pack("<I", 900)))
    pictures, _ = list_pictures([photos])
    with pytest.raises(OSError, match="damaged in the archive"):
        pictures[0].read()


def test_threads_read_it_together(photos):
    packed(photos, [f"a/{n:03}.png" for n in range(200)], compression=zipfile.ZIP_DEFLATED)
    pictures, _ = list_pictures([photos])
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda each: zlib.crc32(each.read()), pictures))
    assert found == [zlib.crc32(png(number)) for number in range(200)]


@pytest.mark.parametrize("name", ["labels/train/1.txt", "data.yaml", "sub/_annotations.coco.json", "Annotations/1.xml"])
def test_boxes_in_an_archive_are_to_be_unpacked(photos, name):
    packed(photos, {"images/train/1.png": png(), name: b"0 0.5 0.5 1 1"})
    with pytest.raises(DataError, match=f"photos.zip holds boxes \\({name}\\), which are read from folders: unpack it"):
        open_data_set(photos)
    assert len(list_pictures([photos])[0]) == 1


def test_lists_in_an_archive_are_to_be_unpacked(photos):
    packed(photos, {"1.png": png(), "metadata.jsonl": b"{}"})
    with pytest.raises(DataError, match=r"photos.zip holds a list \(metadata.jsonl\), which is read from folders"):
        open_pictures(photos)


def test_an_archive_without_pictures(photos):
    packed(photos, {"a/readme.md": b"x"})
    with pytest.raises(NoPictures, match=r"photos.zip holds no pictures but 1 file that is not read"):
        open_data_set(photos)
    packed(photos, {})
    with pytest.raises(NoPictures):
        open_data_set(photos)


def test_a_mistyped_archive(photos, monkeypatch):
    packed(photos, ["a/1.png"])
    monkeypatch.chdir(photos.parent)
    with pytest.raises(NoPictures, match=r"there is no file 'fotos.zip' .*did you mean 'photos.zip'\?"):
        open_data_set("fotos.zip")


def test_a_member_above_the_limit_is_set_aside_and_is_not_read(photos, monkeypatch):
    monkeypatch.setattr(zipped, "MOST_BYTES", 2**20)
    packed(photos, {**{f"{kind}/1.png": png() for kind in ("cat", "dog")}, "cat/big.bmp": bytes(2**20 + 1)})
    assert reasons(open_data_set(photos)) == {"cat/big.bmp": "has more than the 1 MB that are read"}
    with zipfile.ZipFile(photos) as archive:
        member = zipped.Member(archive, archive.getinfo("cat/big.bmp"))
        with pytest.raises(OSError, match="it has more than the 1 MB that are read"):
            member.read()


def test_an_archive_that_was_taken_away_is_a_sentence(photos):
    with pytest.raises(DataError, match=r"photos\.zip cannot be read: No such file or directory"):
        zipped.sift_zip(photos)
