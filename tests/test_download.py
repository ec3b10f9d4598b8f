"""A download is whole and the file that was meant, or it is not there."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from eyespot.download import Remote, download
from eyespot.errors import CannotWrite, DownloadError
from eyespot.progress import silent

pytestmark = pytest.mark.enable_socket

CONTENT = bytes(range(256)) * 1000
Server = Callable[..., Remote]


@pytest.fixture
def server() -> Iterator[Server]:
    """A function that serves bytes under a Content-Length, and gives what the file should be."""
    running = []

    def serve(sent: bytes = CONTENT, *, announced: int | None = len(CONTENT), status: int = 200) -> Remote:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                if announced is not None:
                    self.send_header("Content-Length", str(announced))
                self.end_headers()
                self.wfile.write(sent)

            def log_message(self, format: str, *args: object) -> None: ...

        running.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=running[-1].serve_forever, daemon=True).start()
        return expected(f"http://127.0.0.1:{running[-1].server_port}/a/file.bin")

    yield serve
    for each in running:
        each.shutdown()
        each.server_close()


def expected(url: str) -> Remote:
    return Remote(url=url, sha256=hashlib.sha256(CONTENT).hexdigest(), bytes=len(CONTENT))


@pytest.mark.parametrize("announced", [len(CONTENT), None])
def test_a_file_comes_whole_and_its_size_is_said_before(server, announced, tmp_path):
    said: list[tuple[str, int, int]] = []
    path = download(server(announced=announced), tmp_path / "new" / "folder", lambda *step: said.append(step))
    assert path == tmp_path / "new" / "folder" / "file.bin"
    assert path.read_bytes() == CONTENT
    assert {step for step, _, _ in said} == {"downloading file.bin, 0.3 MB"}
    assert said[-1][1:] == (256, 256)
    assert [each.name for each in path.parent.iterdir()] == ["file.bin"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"sent": CONTENT[:1000]}, "broke off after 1000 of 256000 bytes"),
        ({"sent": CONTENT[:1000], "announced": None}, "broke off after 1000 of 256000 bytes"),
        ({"sent": CONTENT[:1000], "announced": 1000}, "should have 256000 bytes, and the server announces 1000"),
        ({"sent": CONTENT * 9, "announced": len(CONTENT) * 9}, "the server announces 2304000"),
        ({"sent": CONTENT * 9, "announced": None}, "gave more than the 256000 bytes"),
        ({"sent": CONTENT[::-1]}, "gave another file"),
        ({"sent": b"", "announced": 0, "status": 404}, "answered with the status 404"),
    ],
)
def test_what_is_not_the_file_is_not_kept(server, answer, words, tmp_path):
    (tmp_path / "file.bin").write_bytes(b"as it was")
    with pytest.raises(DownloadError, match=words) as caught:
        download(server(**answer), tmp_path, silent)
    assert "try again" in str(caught.value)
    assert [each.name for each in tmp_path.iterdir()] == ["file.bin"]
    assert (tmp_path / "file.bin").read_bytes() == b"as it was"


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/file.bin", "http://nobody.invalid/file.bin"])
def test_without_a_network_it_is_said_so(url, tmp_path):
    with pytest.raises(DownloadError, match="look whether this computer is online"):
        download(expected(url), tmp_path, silent)
    assert list(tmp_path.iterdir()) == []


def test_where_it_cannot_be_kept_nothing_is_fetched(server, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CannotWrite):
        download(server(), tmp_path / "file", silent)


def test_the_files_of_the_runtime_are_fetched_once(server, tmp_path, monkeypatch):
    from eyespot.exporting import web_runtime

    remote = server()
    monkeypatch.setattr(web_runtime, "FILES", (remote,))
    monkeypatch.setattr(web_runtime, "SCRIPT", remote.name)
    said: list[str] = []
    found = web_runtime.runtime_files(
        None, cache_folder=tmp_path, may_download=True, progress=lambda step, done, total: said.append(step)
    )
    assert found == {"file.bin": CONTENT}
    assert said[0].startswith("Downloads   onnxruntime-web 1.23.2, 0.3 MB, from https://cdn.jsdelivr.net/npm/")
    monkeypatch.setattr(web_runtime, "download", lambda *_: pytest.fail("it was there"))
    assert web_runtime.runtime_files(None, cache_folder=tmp_path, may_download=False, progress=silent) == found


def test_a_damaged_file_in_the_cache_is_fetched_anew(server, tmp_path, monkeypatch):
    from eyespot.exporting import web_runtime

    remote = server()
    monkeypatch.setattr(web_runtime, "FILES", (remote,))
    monkeypatch.setattr(web_runtime, "SCRIPT", remote.name)
    kept = web_runtime.kept_in(tmp_path)
    kept.mkdir()
    (kept / "file.bin").write_bytes(CONTENT[:-1])
    web_runtime.runtime_files(None, cache_folder=tmp_path, may_download=True, progress=silent)
    assert Path(kept / "file.bin").read_bytes() == CONTENT
