"""Pictures of a web server on this machine, which can break off, refuse, change and keep parts to itself."""

from __future__ import annotations

import hashlib
import re
import tarfile
import threading
import zipfile
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from eyespot.data import addresses, remote
from eyespot.data.copies import hash_pictures
from eyespot.data.sources import list_pictures, open_data_set, open_pictures
from eyespot.errors import DataError, DownloadError, MachineError, MissingExtra, NoPictures

pytest.importorskip("aiohttp")
pytestmark = pytest.mark.enable_socket


class Web(ThreadingHTTPServer):
    """A server of a folder: pages that list it, parts of files, ETags; and what may go wrong."""

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.folder = folder
        self.got: Counter[str] = Counter()
        """How often each path was sent."""
        self.breaks = 0
        """Answers that break off half-way, from now on."""
        self.status: dict[str, int] = {}
        self.leads_to: dict[str, str] = {}
        self.gives_parts = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Answer(BaseHTTPRequestHandler):
    server: Web

    def do_HEAD(self) -> None:
        self._answer(is_head=True)

    def do_GET(self) -> None:
        self._answer(is_head=False)

    def log_message(self, *_: object) -> None: ...

    def _answer(self, *, is_head: bool) -> None:
        web, path = self.server, self.server.folder / self.path.strip("/").replace("%20", " ")
        status = web.status.get(self.path, 200 if path.exists() else 404)
        data = _page(path) if path.is_dir() else path.read_bytes() if path.exists() else b""
        etag = f'"{hashlib.md5(data).hexdigest()}"'
        if self.headers.get("If-Match", etag) != etag:
            status = 412
        part = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if part and web.gives_parts and status == 200:
            data, status = data[int(part[1]) : int(part[2]) + 1], 206
        self.send_response(302 if self.path in web.leads_to else status)
        if self.path in web.leads_to:
            self.send_header("Location", web.leads_to[self.path])
        self.send_header("Content-Type", "text/html" if path.is_dir() else "application/octet-stream")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("ETag", etag)
        self.end_headers()
        if is_head:
            return
        web.got[self.path] += 1
        if web.breaks and not path.is_dir():
            web.breaks -= 1
            data = data[: len(data) // 2]
        self.wfile.write(data)
        self.close_connection = True


def _page(folder: Path) -> bytes:
    names = [f"{each.name}/" if each.is_dir() else each.name for each in sorted(folder.iterdir())]
    links = "".join(f'<a href="{name.replace(" ", "%20")}">{name}</a>' for name in names)
    return f'<a href="../">up</a><a href="?C=N;O=D">by name</a>{links}'.encode()


@pytest.fixture
def web(tmp_path: Path, draw, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """The server, with `photos/` of two classes."""
    draw(tmp_path / "web" / "photos", 3, kinds=("circle", "square"))
    monkeypatch.setattr(addresses, "WAITS", (0.0, 0.0))
    addresses._file_system.cache_clear()
    server = Web(tmp_path / "web")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def hashes(where: object) -> list[tuple[str, str | None, str]]:
    """Name, class and content of every picture."""
    hashed, unread = hash_pictures(open_data_set(str(where)).pictures, threads=2)
    assert not unread
    return [(each.picture.name, each.picture.label, each.content) for each in hashed]


def test_a_listed_folder_an_archive_and_a_tar_are_what_they_are_on_disk_and_nothing_is_fetched_twice(web):
    photos = web.folder / "photos"
    (photos / "circle" / "a b.png").write_bytes((photos / "circle" / "000.png").read_bytes() + b"\0")
    (photos / "circle" / ".hidden.png").write_bytes(b"")
    with zipfile.ZipFile(web.folder / "all.zip", "w") as packed, tarfile.open(web.folder / "all.tar", "w") as tar:
        for path in sorted(photos.glob("*/*.png")):
            packed.write(path, path.relative_to(photos))
            tar.add(path, path.relative_to(photos))
    assert hashes(f"{web.url}/photos") == hashes(photos)
    assert hashes(f"{web.url}/photos/") == hashes(photos)
    for name in ("all.zip", "all.tar"):
        assert hashes(f"{web.url}/{name}") == hashes(web.folder / name)
    counts = Counter(web.got)
    assert {count for path, count in counts.items() if not path.startswith("/photos") or path.endswith("png")} == {1}
    hashes(f"{web.url}/all.tar")
    assert web.got == counts


def test_what_was_changed_is_fetched_anew_and_what_changes_in_between_is_set_aside(web):
    before, picture = hashes(f"{web.url}/photos"), web.folder / "photos" / "circle" / "000.png"
    picture.write_bytes(picture.read_bytes() + b"\0")
    after = hashes(f"{web.url}/photos")
    assert [old == new for old, new in zip(before, after, strict=True)] == [False, *[True] * 5]
    listed = open_data_set(f"{web.url}/photos").pictures
    picture.write_bytes(picture.read_bytes() + b"\0")
    (web.folder / "photos" / "square" / "000.png").write_bytes(b"as long")
    forget(web)
    hashed, unread = hash_pictures(listed, threads=2)
    assert len(hashed) == 4
    reason = "cannot be read: it was changed there since it was listed: run again"
    assert [(each.picture, each.reason) for each in unread] == [
        ("circle/000.png", reason),
        ("square/000.png", reason),
    ]


@pytest.mark.parametrize("breaks", [1, 2])
def test_what_breaks_off_is_asked_again(web, breaks):
    listed = open_data_set(f"{web.url}/photos").pictures
    web.breaks = breaks
    assert len(hash_pictures(listed, threads=1)[0]) == 6


def test_what_breaks_off_again_and_again_ends_in_a_sentence_and_what_came_is_kept(web):
    listed = open_data_set(f"{web.url}/photos").pictures
    hash_pictures(listed[:3], threads=1)
    web.breaks = 1000
    with pytest.raises(DownloadError, match=r"square/00\d.png cannot be fetched, tried several times .* run again"):
        hash_pictures(listed, threads=1)
    assert 1000 - web.breaks == 3 * 3
    web.breaks = 0
    assert len(hash_pictures(listed, threads=1)[0]) == 6
    assert {web.got[f"/photos/circle/00{number}.png"] for number in range(3)} == {1}


def test_a_server_that_refuses_one_that_is_gone_and_a_file_that_is_gone_are_sentences(web):
    listed = open_data_set(f"{web.url}/photos").pictures
    web.status["/photos/square/001.png"] = 403
    with pytest.raises(DataError, match=r"square/001.png may not be read with the credentials found here: ask its"):
        hash_pictures(listed, threads=1)
    web.status["/photos/square/001.png"] = 404
    [gone] = hash_pictures(listed, threads=1)[1]
    assert gone.reason == "cannot be read: it is not there any more"
    web.status["/photos/square/"] = 403
    with pytest.raises(DataError, match="/photos may not be read"):
        open_data_set(f"{web.url}/photos")
    with pytest.raises(NoPictures, match=r"there is nothing at http://127.*/phtos: look whether"):
        open_data_set(f"{web.url}/phtos")
    web.status["/all.zip"] = 403
    with pytest.raises(DataError, match=r"all.zip may not be read"):
        open_data_set(f"{web.url}/all.zip")
    for where in ("http://127.0.0.1:9/photos", "http://127.0.0.1:9/all.zip"):
        with pytest.raises(DownloadError, match=f"{where} cannot be fetched, .* look whether this computer is online"):
            open_data_set(where)


def test_a_server_may_lead_on_to_itself_and_to_https_alone(web):
    web.leads_to["/moved.png"] = "/photos/circle/000.png"
    web.leads_to["/elsewhere.png"] = "http://example.org/a.png"
    [moved] = list_pictures([f"{web.url}/moved.png"])[0]
    assert moved.read() == (web.folder / "photos" / "circle" / "000.png").read_bytes()
    with pytest.raises(DataError, match=r"elsewhere.png leads to http://example.org, which is not fetched: it is not"):
        list_pictures([f"{web.url}/elsewhere.png"])


def test_an_archive_of_a_server_that_gives_no_parts_is_to_be_downloaded(web):
    with tarfile.open(web.folder / "all.tar", "w") as tar:
        tar.add(web.folder / "photos", "photos")
        tar.addfile(tarfile.TarInfo("photos/circle/empty.png"))
        tar.fileobj.write(bytes(2 * remote.BLOCK))
    web.gives_parts = False
    with pytest.raises(DataError, match=r"all.tar gives no parts of files: download it"):
        open_data_set(f"{web.url}/all.tar")


def test_the_least_recently_used_goes_first_and_the_file_never_grows_beyond_the_bound(web, monkeypatch):
    bound = 8 * 2**20
    monkeypatch.setenv("EYESPOT_REMOTE_GB", str(bound / 1e9))
    for number in range(12):
        (web.folder / "photos" / "circle" / f"large{number:02}.png").write_bytes(bytes([number]) * 2**20)
    pictures = {each.name: each for each in open_data_set(f"{web.url}/photos").pictures}
    for number in range(12):
        assert pictures[f"circle/large{number:02}.png"].read() == bytes([number]) * 2**20
        assert kept(web).joinpath("store.sqlite3").stat().st_size <= bound
    for number in (11, 10, 0, 1):
        pictures[f"circle/large{number:02}.png"].read()
    assert [web.got[f"/photos/circle/large{number:02}.png"] for number in (11, 10, 0, 1)] == [1, 1, 2, 2]
    monkeypatch.setenv("EYESPOT_REMOTE_GB", "lots")
    with pytest.raises(MachineError, match=r"EYESPOT_REMOTE_GB is 'lots': give a number of gigabytes"):
        pictures["circle/000.png"].read()


def test_a_store_that_cannot_be_written_keeps_nothing_and_stops_nothing(web):
    kept(web).parent.mkdir(parents=True, exist_ok=True)
    kept(web).write_bytes(b"")  # where its folder would be
    for count in (1, 2):
        assert len(hashes(f"{web.url}/photos")) == 6
        assert web.got["/photos/circle/000.png"] == count


def test_what_is_no_class_folder_is_told_and_predict_names_pictures_by_their_addresses(web):
    photos = web.folder / "photos"
    (photos / "notes.txt").write_text("read me")
    run = photos / "runs" / "train" / "a"
    (run / "bundle").mkdir(parents=True)
    for path in (run / "bundle" / "manifest.json", run / "bundle" / "model.onnx", run / "matrix.png"):
        path.write_bytes(b"")
    found = open_data_set(f"{web.url}/photos")
    assert found.classes == ("circle", "square")
    assert found.name == "photos"
    assert [each.picture for each in found.set_aside] == ["notes.txt"]
    assert found.notes[0] == "passed over what eyespot wrote itself: runs/train/a"
    names = [each.name for each in list_pictures([f"{web.url}/photos/circle", f"{web.url}/photos/square/001.png"])[0]]
    circles = [f"{web.url}/photos/circle/00{number}.png" for number in range(3)]
    assert names == [*circles, f"{web.url}/photos/square/001.png"]
    assert len(open_pictures(f"{web.url}/photos").pictures) == 6
    (photos / "metadata.csv").write_text("file_name,label")
    with pytest.raises(DataError, match=r"photos holds a list \(metadata.csv\), and lists are read from disk"):
        open_data_set(f"{web.url}/photos")
    with pytest.raises(DataError, match=r"labels.csv is a list, and lists are read from disk"):
        open_data_set(f"{web.url}/labels.csv")


@pytest.mark.parametrize(
    ("where", "said"),
    [
        (
            "ssh://host/photos",
            "ssh://host/photos is an address of a kind that is not read: s3://, gs:// and https://",
        ),
        ("file:///photos", "file:///photos is an address of a kind that is not read"),
        ("HTTP://x.org/a", "http://x.org/a is not fetched: an address must begin with https://"),
        ("https://me:secret@x.org/a", "https://x.org/a was given with a password or a"),
        ("https://x.org/a.zip?Signature=abc", r"https://x.org/a.zip was given with a password or a"),
        ("s3://", "s3:// names no bucket or server: give all of the address"),
    ],
)
def test_an_address_that_is_not_read_is_a_sentence_without_keys(where, said):
    for read in (open_data_set, open_pictures, lambda each: list_pictures([each])):
        with pytest.raises(DataError, match=f"^{said}") as raised:
            read(where)
        assert not re.search("secret|abc", str(raised.value))


def test_a_path_made_of_an_address_is_that_address(tmp_path, monkeypatch):
    assert addresses.address_of(Path("s3://bucket/a")) == addresses.address_of("s3://bucket/a") == "s3://bucket/a"
    assert addresses.address_of("C:/photos") is None
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s3:" / "a").mkdir(parents=True)
    assert addresses.address_of("s3:/a") is None


def test_without_the_extra_its_command_is_named(monkeypatch):
    addresses._file_system.cache_clear()
    monkeypatch.setitem(__import__("sys").modules, "fsspec", None)
    with pytest.raises(MissingExtra, match=r"pip install 'eyespot\[cloud\]'"):
        open_data_set("s3://bucket/photos")
    with pytest.raises(MissingExtra, match=r"pip install 'eyespot\[gcs\]'"):
        open_data_set("gs://bucket/photos")


def kept(web: Web) -> Path:
    return web.folder.parent / "cache" / "remote"


def forget(web: Web) -> None:
    """All that was fetched."""
    remote._store.cache_clear()
    for path in kept(web).glob("*"):
        path.unlink()
