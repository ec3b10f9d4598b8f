"""Pictures in a bucket, of a server that speaks S3's protocol on this machine (moto), are those of a folder."""

from __future__ import annotations

import io
import logging
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import eyespot
from eyespot.data import addresses
from eyespot.data.copies import hash_pictures
from eyespot.data.sources import open_data_set
from eyespot.errors import DataError, DownloadError, NoPictures

moto_server = pytest.importorskip("moto.server")
s3fs = pytest.importorskip("s3fs")
pytestmark = pytest.mark.enable_socket
SECRET = "never-shown"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    started = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    started.start()
    yield "http://{}:{}".format(*started.get_host_and_port())
    started.stop()


@pytest.fixture
def asked_there(server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Has `s3://` lead there, with credentials."""
    for name, value in {
        "AWS_ENDPOINT_URL": server,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_DEFAULT_REGION": "us-east-1",
        "HOME": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)
    addresses._file_system.cache_clear()
    yield
    addresses._file_system.cache_clear()


@pytest.fixture
def bucket(asked_there: None) -> Any:
    """A file system with an empty bucket `bucket`."""
    files = s3fs.S3FileSystem(skip_instance_cache=True)
    if not files.exists("bucket"):
        files.mkdir("bucket")
    yield files
    files.rm("bucket", recursive=True)


def test_a_run_on_a_bucket_is_the_run_on_the_folder(bucket, tmp_path, draw, shared_cache):
    photos = tmp_path / "photos"
    draw(photos / "train", 8, kinds=("circle", "square"))
    draw(photos / "test", 3, first=20, kinds=("circle", "square"))
    bucket.put(str(photos), "bucket/photos", recursive=True)
    here, there = (
        eyespot.train(where, regime="frozen", out=tmp_path / str(number))
        for number, where in enumerate([photos, "s3://bucket/photos"])
    )
    assert (there.validation, there.small_test, there.series) == (here.validation, here.small_test, here.series)
    for name in ("split.csv", "predictions.csv", "bundle/model.onnx"):
        assert Path(there.run, name).read_bytes() == Path(here.run, name).read_bytes()
    assert there.model.evaluate().accuracy == here.model.evaluate().accuracy == here.small_test.accuracy
    answers = there.model.predict("s3://bucket/photos/test/circle/02[01].png")
    assert [each.picture for each in answers] == [f"s3://bucket/photos/test/circle/02{n}.png" for n in (0, 1)]


def test_shards_in_a_bucket_are_those_on_disk(bucket, tmp_path, draw, cache):
    photos, shards = tmp_path / "photos", tmp_path / "shards"
    draw(photos, 6, kinds=("circle", "square"))
    shards.mkdir()
    for number in range(2):
        with tarfile.open(shards / f"train-{number}.tar", "w") as tar:
            for path in sorted(photos.glob(f"*/00{number}.png")):
                label = tarfile.TarInfo(f"{path.parent.name}{number}.cls")
                label.size = len(path.parent.name)
                tar.add(path, f"{path.parent.name}{number}.png")
                tar.addfile(label, io.BytesIO(path.parent.name.encode()))
    bucket.put(str(shards), "bucket/shards", recursive=True)
    for below in ("shards", "shards/train-1.tar", "shards/train-{0..1}.tar"):
        here, there = (
            hash_pictures(open_data_set(f"{above}/{below}").pictures, threads=2)[0]
            for above in (tmp_path, "s3://bucket")
        )
        assert [(each.picture.name, each.picture.label, each.content) for each in there] == [
            (each.picture.name, each.picture.label, each.content) for each in here
        ]


def test_an_object_that_changes_after_it_was_listed_is_set_aside(bucket, cache):
    for name in ("a/1.png", "b/1.png"):
        bucket.pipe(f"bucket/photos/{name}", name.encode())
    listed = open_data_set("s3://bucket/photos").pictures
    bucket.pipe("bucket/photos/a/1.png", b"as long"[:7])
    hashed, [unread] = hash_pictures(listed, threads=2)
    assert [each.picture.name for each in hashed] == ["b/1.png"]
    assert unread.reason == "cannot be read: it was changed there since it was listed: run again"


def test_no_bucket_no_credentials_and_no_network_are_sentences(asked_there, cache, monkeypatch):
    with pytest.raises(NoPictures, match=r"there is nothing at s3://nobody/photos: look whether"):
        open_data_set("s3://nobody/photos")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    addresses._file_system.cache_clear()
    with pytest.raises(DataError, match=r"cannot be read without credentials, and none were found: `aws configure`"):
        open_data_set("s3://nobody/photos")
    for name, value in {"ACCESS_KEY_ID": "key", "ENDPOINT_URL": "http://127.0.0.1:9", "MAX_ATTEMPTS": "1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    addresses._file_system.cache_clear()
    with pytest.raises(DownloadError, match=r"s3://nobody/photos cannot be fetched, .* look whether this") as raised:
        open_data_set("s3://nobody/photos")
    assert SECRET not in str(raised.value)


def test_a_bucket_that_may_not_be_read_is_a_sentence(asked_there, cache, monkeypatch):
    class Denied(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
            self.send_response(403)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_GET

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Denied) as denying:
        threading.Thread(target=denying.serve_forever, args=(0.01,)).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{denying.server_port}")
        addresses._file_system.cache_clear()
        for read in ("s3://bucket/photos", "s3://bucket/all.zip"):
            with pytest.raises(DataError, match=r"may not be read with the credentials found here: ask its owner, or"):
                open_data_set(read)
        denying.shutdown()
