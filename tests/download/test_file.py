"""A download is whole and the file that was meant, or it is not there; what has come of it is not fetched again."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from file_server import CONTENT, SHA256, Served, file_server

from eyespot.download import file
from eyespot.download.file import Remote, download
from eyespot.errors import CannotWrite, DownloadError, Stopped
from eyespot.locks import FileLock
from eyespot.progress import silent

pytestmark = pytest.mark.enable_socket

SENT = 300_000


@pytest.fixture
def served() -> Iterator[Served]:
    with file_server() as found:
        yield found


def remote(served: Served, *, path: str = "/a/file.bin", **others: object) -> Remote:
    known = {"sha256": SHA256, "bytes": len(CONTENT)} | others
    return Remote(f"{served.address}{path}", "file.bin", **known)  # type: ignore[arg-type]


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def broken_off(served: Served, folder: Path, *, match: str = "broke off", **others: object) -> str:
    """What is said when the connection ends after some bytes; they are in the folder then."""
    served.sent = SENT
    with pytest.raises(DownloadError, match=match) as caught:
        download(remote(served, **others), folder, silent)
    served.sent = None
    return str(caught.value)


# --- a good server


@pytest.mark.parametrize("announced", [-1, None])
def test_a_file_comes_whole_and_its_size_is_said_before(served, announced, tmp_path):
    served.announced = announced
    said: list[tuple[str, int, int]] = []
    path = download(remote(served), tmp_path / "new" / "folder", lambda *step: said.append(step))
    assert path == tmp_path / "new" / "folder" / "file.bin"
    assert path.read_bytes() == CONTENT
    host = served.address.removeprefix("http://")
    assert said[0][0] == f"Downloads   file.bin, 1.0 MB, from {host} into {path.parent}"
    assert {step for step, _, _ in said[1:]} == {"downloading file.bin, 1.0 MB"}
    assert said[-1][1:] == (1024, 1024)
    assert names(path.parent) == ["file.bin"]


@pytest.mark.parametrize("sha256", [SHA256, SHA256[:8], ""])
def test_the_hash_is_compared_as_far_as_it_is_published(served, sha256, tmp_path):
    download(remote(served, sha256=sha256), tmp_path, silent)
    served.content = CONTENT[::-1]
    if not sha256:
        return
    with pytest.raises(DownloadError, match="gave another file"):
        download(remote(served, sha256=sha256), tmp_path / "other", silent)


def test_a_size_is_compared_as_closely_as_it_is_published(served, tmp_path):
    download(remote(served, bytes=len(CONTENT) + 500, rounded_by=525), tmp_path, silent)
    with pytest.raises(DownloadError, match=r"about 1025000 bytes, and the server announces 1024000"):
        download(remote(served, bytes=len(CONTENT) + 1000, rounded_by=525), tmp_path / "other", silent)


def test_a_file_that_is_there_is_not_fetched(served, tmp_path):
    (tmp_path / "file.bin").write_bytes(CONTENT)
    download(remote(served), tmp_path, silent)
    assert served.asked == []


# --- one that broke off goes on


def test_what_has_come_is_not_fetched_again(served, tmp_path):
    said = broken_off(served, tmp_path)
    assert said.endswith(
        "broke off after 300000 of 1024000 bytes; 0.3 MB are kept, and the next try goes on from there"
    )
    assert names(tmp_path) == ["file.bin.part", "file.bin.part.etag"]
    steps: list[str] = []
    path = download(remote(served), tmp_path, lambda step, *_: steps.append(step))
    assert steps[0].startswith("Goes on     file.bin, at 0.3 MB of 1.0 MB, from")
    assert served.asked == [("/a/file.bin", None, None), ("/a/file.bin", "bytes=300000-", '"one"')]
    assert path.read_bytes() == CONTENT
    assert names(tmp_path) == ["file.bin"]


def test_it_breaks_off_again_and_again(served, tmp_path):
    for _ in range(3):
        broken_off(served, tmp_path)
    assert download(remote(served), tmp_path, silent).read_bytes() == CONTENT
    assert [where for _, where, _ in served.asked] == [None, "bytes=300000-", "bytes=600000-", "bytes=900000-"]


def test_a_date_does_where_the_server_gives_no_etag_for_the_very_bytes(served, tmp_path):
    served.etag, served.headers = 'W/"one"', {"Last-Modified": "Mon, 30 Nov 2026 12:00:00 GMT"}
    broken_off(served, tmp_path)
    assert download(remote(served), tmp_path, silent).read_bytes() == CONTENT
    assert served.asked[1][1:] == ("bytes=300000-", "Mon, 30 Nov 2026 12:00:00 GMT")


def test_a_server_that_knows_no_parts_begins_again(served, tmp_path):
    broken_off(served, tmp_path)
    served.ranges = False
    assert download(remote(served), tmp_path, silent).read_bytes() == CONTENT


def test_a_file_that_has_changed_in_between_is_fetched_from_its_beginning(served, tmp_path):
    served.content = CONTENT[::-1]
    broken_off(served, tmp_path)
    served.content, served.etag = CONTENT, '"two"'
    assert download(remote(served), tmp_path, silent).read_bytes() == CONTENT


def test_a_server_that_forgets_to_say_that_the_file_has_changed_is_found_out(served, tmp_path):
    served.content = CONTENT[::-1]
    broken_off(served, tmp_path)
    served.content = CONTENT
    with pytest.raises(DownloadError, match=r"gave another file .*; nothing was kept: try again"):
        download(remote(served), tmp_path, silent)
    assert names(tmp_path) == []
    assert download(remote(served), tmp_path, silent).read_bytes() == CONTENT


@pytest.mark.parametrize("said", ["bytes 5-9/1024000", "bytes 300000-1023999/*", "nonsense"])
def test_another_part_than_was_asked_for_is_not_taken(served, said, tmp_path):
    broken_off(served, tmp_path)
    served.content_range = said
    with pytest.raises(DownloadError, match="answered with a part of the file, and all of it was asked for"):
        download(remote(served), tmp_path, silent)
    assert [where for _, where, _ in served.asked] == [None, "bytes=300000-", None]


def test_more_than_the_file_has_is_asked_for_from_the_beginning(served, tmp_path):
    (tmp_path / "file.bin.part").write_bytes(CONTENT + CONTENT)
    (tmp_path / "file.bin.part.etag").write_text('"one"')
    assert download(remote(served), tmp_path, silent).read_bytes() == CONTENT
    assert [where for _, where, _ in served.asked] == ["bytes=2048000-", None]


def test_what_cannot_be_gone_on_with_is_not_kept(served, tmp_path):
    served.etag = None
    assert broken_off(served, tmp_path).endswith("nothing was kept: try again, or get the file elsewhere")
    assert names(tmp_path) == []


def test_ctrl_c_keeps_what_has_come_and_says_how_to_go_on(served, tmp_path):
    def impatient(step: str, done: int, total: int) -> None:
        if done > 400:
            raise KeyboardInterrupt

    with pytest.raises(
        Stopped, match=r"stopped while downloading file.bin: 0\.\d MB are kept, and the next try goes on"
    ):
        download(remote(served), tmp_path, impatient)
    assert download(remote(served), tmp_path, silent).read_bytes() == CONTENT
    assert re.fullmatch(r"bytes=[4-9]\d{5}-", served.asked[1][1])


# --- bad servers


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"sent": 1000, "announced": None, "etag": None}, "broke off after 1000 of 1024000 bytes"),
        ({"announced": 1000}, "should have 1024000 bytes, and the server announces 1000"),
        ({"content": CONTENT * 2}, "should have 1024000 bytes, and the server announces 2048000"),
        ({"content": CONTENT * 2, "announced": None}, "gave more than the 1024000 bytes"),
        ({"content": CONTENT[::-1]}, "gave another file"),
        ({"content": b"", "status": 404}, r"answered with the status 4\d\d"),
        ({"status": 503}, r"answered with the status 503 \(Service Unavailable\)"),
    ],
)
def test_what_is_not_the_file_is_not_kept(served, answer, words, tmp_path):
    for name, value in answer.items():
        setattr(served, name, value)
    (tmp_path / "file.bin").write_bytes(b"as it was")
    with pytest.raises(DownloadError, match=words) as caught:
        download(remote(served), tmp_path, silent)
    assert "nothing was kept: try again" in str(caught.value)
    assert names(tmp_path) == ["file.bin"]
    assert (tmp_path / "file.bin").read_bytes() == b"as it was"


def test_a_size_that_nobody_tells_is_not_waited_for(served, tmp_path):
    served.announced = None
    with pytest.raises(DownloadError, match="does not say how large the file is"):
        download(remote(served, bytes=None), tmp_path, silent)


def test_a_server_that_stops_sending_is_left_after_a_while(served, tmp_path):
    served.sent, served.waits = SENT, threading.Event()
    with pytest.raises(DownloadError, match=r"nothing came from 127.0.0.1:\d+ for 0.2 s; 0.3 MB are kept"):
        download(remote(served), tmp_path, silent, timeout=0.2)
    served.waits.set()
    served.sent = None
    assert download(remote(served), tmp_path, silent).read_bytes() == CONTENT


# --- this computer


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/file.bin", "https://nobody.invalid/file.bin"])
def test_without_a_network_it_is_said_so(url, tmp_path):
    with pytest.raises(DownloadError, match="look whether this computer is online"):
        download(Remote(url, "file.bin"), tmp_path, silent)
    assert names(tmp_path) == []


def test_where_it_cannot_be_kept_nothing_is_fetched(served, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CannotWrite):
        download(remote(served), tmp_path / "file", silent)
    assert served.asked == []


def test_a_disk_with_too_little_room_is_said_before_anything_is_written(served, tmp_path, monkeypatch):
    monkeypatch.setattr(file.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 500_000}))
    with pytest.raises(CannotWrite, match=r"has room for 0.5 MB, and 1.0 MB are needed: make room"):
        download(remote(served), tmp_path, silent)
    assert names(tmp_path) == []


def test_a_disk_that_becomes_full_keeps_what_it_has(served, tmp_path):
    resource = pytest.importorskip("resource", reason="limits of a process as POSIX has them")
    limits, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (SENT, limits[1]))
    try:
        with pytest.raises(CannotWrite, match=r"file.bin.part cannot be written .*: make room there; 0.3 MB are"):
            download(remote(served), tmp_path, silent)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert download(remote(served), tmp_path, silent).read_bytes() == CONTENT
    assert served.asked[1][1] == "bytes=300000-"


# --- two at once


def test_two_at_once_fetch_it_once(served, tmp_path):
    served.waits = threading.Event()  # the first has all but the end of the answer
    served.sent = SENT
    said: list[str] = []
    first = threading.Thread(target=lambda: download(remote(served), tmp_path, lambda step, *_: said.append(step)))
    first.start()
    while not any(step.startswith("downloading") for step in said):
        pass

    def let_go_on(step: str, *_: int) -> None:
        said.append(step)
        served.content, served.sent = CONTENT, None
        (tmp_path / "file.bin").write_bytes(CONTENT)  # as the first would
        served.waits.set()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading, "excepthook", lambda _: None)  # the first's connection broke off
        assert download(remote(served), tmp_path, let_go_on).read_bytes() == CONTENT
        first.join()
    assert "Waits       another process downloads file.bin" in said
    assert len(served.asked) == 1


CHILD = """
import sys
from eyespot.download.file import Remote, download
download(Remote(sys.argv[1], "file.bin", sys.argv[2]), __import__("pathlib").Path(sys.argv[3]), lambda *step: None)
"""


def test_processes_that_begin_together_all_have_the_file(served, tmp_path):
    command = [sys.executable, "-c", CHILD, f"{served.address}/a/file.bin", SHA256, str(tmp_path)]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(3)]
    assert [each.communicate()[1] for each in running] == [b"", b"", b""]
    assert (tmp_path / "file.bin").read_bytes() == CONTENT
    assert names(tmp_path) == ["file.bin"]
    assert len(served.asked) == 1


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_one_that_was_killed_leaves_its_part_and_no_lock(served, tmp_path):
    served.sent, served.waits = SENT, threading.Event()
    command = [sys.executable, "-c", CHILD, f"{served.address}/a/file.bin", SHA256, str(tmp_path)]
    child = subprocess.Popen(command)
    part = tmp_path / "file.bin.part"
    while not part.is_file() or part.stat().st_size < 2**18:
        assert child.poll() is None
    child.kill()
    child.wait()
    served.waits.set()
    served.sent = None
    assert download(remote(served), tmp_path, silent).read_bytes() == CONTENT
    assert served.asked[1][1].startswith("bytes=")
    assert FileLock.taken(tmp_path / "file.bin.lock")


# --- the runtime of a page


@pytest.fixture
def runtime(served, monkeypatch) -> Callable[..., dict[str, bytes]]:
    """`runtime_files`, of one file from this computer."""
    from eyespot.exporting import web_runtime

    monkeypatch.setattr(web_runtime, "FILES", (remote(served),))
    monkeypatch.setattr(web_runtime, "SCRIPT", "file.bin")
    return web_runtime.runtime_files


def test_the_files_of_the_runtime_are_fetched_once(served, runtime, tmp_path):
    said: list[str] = []
    found = runtime(None, cache_folder=tmp_path, may_download=True, progress=lambda step, *_: said.append(step))
    assert found == {"file.bin": CONTENT}
    assert said[0].startswith("Downloads   file.bin, 1.0 MB, from 127.0.0.1")
    assert runtime(None, cache_folder=tmp_path, may_download=False, progress=silent) == found
    assert len(served.asked) == 1


def test_a_damaged_file_in_the_cache_is_fetched_anew(runtime, tmp_path):
    from eyespot.exporting import web_runtime

    kept = web_runtime.kept_in(tmp_path)
    kept.mkdir()
    (kept / "file.bin").write_bytes(CONTENT[:-1])
    runtime(None, cache_folder=tmp_path, may_download=True, progress=silent)
    assert (kept / "file.bin").read_bytes() == CONTENT
