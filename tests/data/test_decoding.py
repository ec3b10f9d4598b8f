"""Pictures decoded in processes of their own: the same pixels, and nothing else is lost where one fails."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from failing_pictures import FOLDER, KINDS, failing_picture
from PIL import Image

from eyespot.data import apart as processes
from eyespot.data import decoding, formats, ordinary
from eyespot.data.apart import WorkerEnded, Workers
from eyespot.data.apart_worker import Limits
from eyespot.data.decoding import apart
from eyespot.data.pictures import read_image, read_small, read_whole
from eyespot.errors import MachineError, TooManyPixels, UnreadablePicture
from eyespot.records import Preprocess

RECORD = Preprocess(
    short_side=64, crop_hw=(64, 64), filter="bilinear", color="rgb", mean=(0,) * 3, scale=(1,) * 3, exact=False
)
LIMITS = Limits(seconds=1.0, memory=2 * 2**30)
NOISE = np.random.default_rng(0)
LIES = Image.Exif()
LIES[0x112] = 6


def encoded(image: Image.Image, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def photo() -> Image.Image:
    return Image.fromarray(NOISE.integers(0, 256, (9, 13, 3), np.uint8)).resize((260, 180))


PICTURES: dict[str, Callable[[], bytes]] = {
    **{format: lambda format=format: encoded(photo(), format) for format in ("JPEG", "PNG", "GIF", "BMP", "PPM")},
    **{
        f"{format} on its side": lambda format=format: encoded(photo(), format, exif=LIES) for format in ("JPEG", "PNG")
    },
    "TIFF on its side": lambda: encoded(photo(), "TIFF", exif=LIES),
    "WebP on its side": lambda: encoded(photo(), "WEBP", exif=LIES.tobytes()),
    "WebP with transparency": lambda: encoded(photo().convert("RGBA"), "WEBP"),
    "palette": lambda: encoded(photo().quantize(16), "PNG"),
    "palette with transparency": lambda: encoded(photo().quantize(16), "PNG", transparency=3),
    "GIF with transparency": lambda: encoded(photo().quantize(16), "GIF", transparency=3),
    "gray with transparency": lambda: encoded(photo().convert("LA"), "PNG"),
    "two colors": lambda: encoded(photo().convert("1"), "TIFF"),
    "16 bits": lambda: encoded(Image.fromarray(NOISE.integers(0, 2**16, (40, 50), np.uint16)), "PNG"),
    "floats": lambda: encoded(Image.fromarray(NOISE.random((40, 50), np.float32)), "TIFF"),
    "CMYK": lambda: encoded(photo().convert("CMYK"), "JPEG"),
    "in scans": lambda: encoded(photo(), "JPEG", progressive=True),
    "with a profile": lambda: encoded(photo(), "JPEG", icc_profile=_profile()),
}


def _profile() -> bytes:
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Workers]:
    """Processes that decode, whose decoder fails at `failing_pictures`."""
    monkeypatch.setattr(sys, "path", [str(FOLDER), *sys.path])
    made = Workers(decoding.MODULE, LIMITS)
    apart.use(made)
    yield made
    apart.release()
    made.stop()


def read(data: bytes) -> list[np.ndarray]:
    return [
        read_whole(data, "rgb"),
        read_whole(data, "gray"),
        np.asarray(read_small(data, 50)),
        read_image(data, RECORD),
    ]


ORDINARY = {"JPEG", "PNG", "JPEG on its side", "gray with transparency", "with a profile"}


@pytest.mark.parametrize("name", PICTURES)
def test_only_small_pictures_of_the_usual_kinds_are_ordinary(name, monkeypatch):
    data = PICTURES[name]()
    assert ordinary.is_ordinary(data) == (name in ORDINARY)
    assert not any(ordinary.is_ordinary(failing_picture(kind)) for kind in KINDS)
    assert not any(ordinary.is_ordinary(data[:count]) for count in range(30))
    monkeypatch.setattr(ordinary, "MOST_PIXELS", 260 * 180 - 1)
    assert not ordinary.is_ordinary(data)


@pytest.mark.parametrize("name", PICTURES)
def test_the_pixels_are_those_that_this_process_decodes(workers, name, monkeypatch):
    monkeypatch.setattr(decoding, "BAND", 1000)  # here; in whole rows there
    monkeypatch.setattr(decoding, "is_ordinary", lambda data: False)
    data = PICTURES[name]()
    elsewhere = read(data)
    apart.release()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(apart, "is_here", True)
        for one, other in zip(elsewhere, read(data), strict=True):
            np.testing.assert_array_equal(one, other)


def test_the_header_decides_what_is_decoded_elsewhere(monkeypatch):
    asked: list[str] = []

    def ask(said, data, take):
        asked.append(said["job"])
        raise UnreadablePicture("was asked for")

    monkeypatch.setattr(apart, "ask", ask)
    for name in ("JPEG", "PNG", "palette", "in scans"):
        read_whole(PICTURES[name](), "rgb")
    assert not asked
    monkeypatch.setattr(decoding, "PLAIN_PIXELS", {"JPEG": 260 * 180, "PNG": 100})
    read_whole(PICTURES["JPEG"](), "rgb")
    monkeypatch.setattr(decoding, "PLAIN_SCANNED", 0.5)
    for name in ("PNG", "in scans", "GIF", "BMP", "two colors", "WebP on its side"):
        with pytest.raises(UnreadablePicture, match="was asked for"):
            read_whole(PICTURES[name](), "rgb")
    assert asked == ["decode"] * 5 + ["open"]


def test_an_error_keeps_its_words_and_its_kind(workers):
    damaged = PICTURES["PNG"]()[:-900]
    with pytest.raises(UnreadablePicture, match=r"^is cut off: the file ends too early$"):
        read_whole(damaged, "rgb")
    with formats.quiet(), pytest.raises(TooManyPixels, match="claims 260 x 180 pixels"):
        formats.open_picture(PICTURES["WebP on its side"](), most_pixels=1000)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("abort", "cannot be decoded: it ended its decoder"),
        ("loop", "takes more than 1 s to decode"),
        pytest.param(
            "allocate",
            "does not fit into this machine's memory",  # unless the machine is slower than that
            marks=pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps a process to its addresses"),
        ),
    ],
)
def test_a_picture_that_ends_its_decoder_ends_nothing_else(workers, kind, reason):
    good = PICTURES["JPEG"]()
    expected = read_whole(good, "rgb")
    reasons: list[str] = []

    def fail() -> None:
        with pytest.raises(UnreadablePicture) as caught:
            read_whole(failing_picture(kind), "rgb")
        reasons.append(caught.value.reason)

    threads = [threading.Thread(target=fail) for _ in range(2)]
    for thread in threads:
        thread.start()
    np.testing.assert_array_equal(read_whole(good, "rgb"), expected)
    for thread in threads:
        thread.join()
    assert set(reasons) <= {reason, "takes more than 1 s to decode"}
    assert len(reasons) == 2
    np.testing.assert_array_equal(read_whole(good, "rgb"), expected)


def test_whoever_asks_slowly_is_named_once(workers, monkeypatch):
    monkeypatch.setattr(processes, "SLOW_SECONDS", 0.1)
    named: list[int] = []
    workers.on_slow = named.append
    with pytest.raises(WorkerEnded):
        read_whole(failing_picture("loop"), "rgb")
    assert named == [threading.get_ident()]
    read_whole(PICTURES["JPEG"](), "rgb")
    assert len(named) == 1


def test_a_process_that_does_not_start_is_no_fault_of_the_picture():
    workers = Workers("eyespot.no_such_module", LIMITS)
    with pytest.raises(MachineError, match="did not start"):
        workers.ask({"job": "open"}, b"", lambda answer: answer)
    workers.stop()


def test_one_process_waits_and_then_one_more_than_were_ever_asked_at_once(monkeypatch):
    monkeypatch.setattr(processes, "SLOW_SECONDS", 60.0)  # none gives way to another
    workers = Workers(decoding.MODULE, Limits(60.0, LIMITS.memory), spare=3)

    def running() -> int:
        return len(workers._free) + workers._taken

    def ask(meeting: threading.Barrier) -> None:
        said = {"job": "open", "most_pixels": 10**9}
        workers.ask(said, PICTURES["JPEG"](), lambda answer: meeting.wait(60))  # so that all are under way at once

    try:
        assert running() == 1
        for together, then in ((1, 2), (1, 2), (2, 3), (3, 3)):
            with ThreadPoolExecutor(together) as pool:
                list(pool.map(ask, [threading.Barrier(together)] * together))
            _wait_for(lambda then=then: running() == then)
    finally:
        workers.stop()


def _wait_for(holds: Callable[[], bool]) -> None:
    for _ in range(600):
        if holds():
            return
        threading.Event().wait(0.1)
    raise AssertionError


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_process_that_was_forked_has_its_own(workers):
    good = PICTURES["JPEG"]()
    expected = read_whole(good, "rgb")
    child = os.fork()
    if not child:
        os._exit(0 if np.array_equal(read_whole(good, "rgb"), expected) else 1)
    np.testing.assert_array_equal(read_whole(good, "rgb"), expected)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    np.testing.assert_array_equal(read_whole(good, "rgb"), expected)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timers that end a process")
def test_a_decoder_that_hangs_does_not_outlive_whoever_asked_for_long(tmp_path):
    (tmp_path / "picture.jpg").write_bytes(failing_picture("loop"))
    program = f"""
import sys
from pathlib import Path
from eyespot.data.apart import Workers
from eyespot.data.apart_worker import Limits
sys.path.insert(0, {str(FOLDER)!r})
workers = Workers("eyespot.data.decoding_child", Limits(1.0, 2 * 2**30))
worker = workers._take()
worker.send({{"job": "decode", "reduced": 1}}, Path("picture.jpg").read_bytes())
print(worker._process.pid, flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as asking:
        assert asking.stdout is not None
        hangs = int(asking.stdout.readline())
        asking.kill()
    _wait_until_gone(hangs)


def _wait_until_gone(number: int) -> None:
    for _ in range(600):
        try:
            state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return
        if state == "Z":
            return
        threading.Event().wait(0.1)
    raise AssertionError


def test_a_large_file_is_not_ordinary_however_few_its_pixels_are() -> None:
    data = encoded(photo(), "JPEG")
    assert ordinary.is_ordinary(data)
    assert not ordinary.is_ordinary(data + bytes(ordinary.MOST_BYTES))
