"""No picture costs more than its header says it may: memory in proportion to its pixels, and no walk without end."""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from eyespot.data.picture_limits import MAX_PIXELS, MOST_MEMORY, MOST_SIDE, check_header
from eyespot.data.pictures import read_image, read_small, read_whole
from eyespot.data.structure import PNG_SIGNATURE
from eyespot.errors import TooManyPixels, UnreadablePicture
from eyespot.records import Preprocess

RECORD = Preprocess(
    short_side=224, crop_hw=(224, 224), filter="bilinear", color="rgb", mean=(0,) * 3, scale=(1,) * 3, exact=False
)
MODES = {
    "PNG": ("1", "L", "P", "LA", "RGB", "RGBA", "I;16"),
    "TIFF": ("1", "L", "RGB", "RGBA", "CMYK", "I;16", "I", "F"),
    "WEBP": ("RGB", "RGBA"),
    "BMP": ("1", "L", "RGB"),
    "GIF": ("P",),
    "JPEG": ("L", "RGB", "CMYK"),
}
DEEP = {"I": np.int32, "F": np.float32, "I;16": np.uint16}
LARGE_WH = (3700, 3700)
LONG_WH = [(1, MOST_SIDE), (MOST_SIDE, 1), (30, 60_000), (60_000, 30)]
BYTES_A_PIXEL, BYTES = 12, 64 * 2**20
READERS: dict[str, Callable[[bytes], object]] = {
    "image": lambda data: read_image(data, RECORD),
    "exact": lambda data: read_image(data, RECORD.model_copy(update={"exact": True})),
    "whole": lambda data: read_whole(data, "rgb"),
    "small": lambda data: read_small(data, 96),
}


def saved(format: str, mode: str, size_wh: tuple[int, int], **options: object) -> bytes:
    """A picture of two colours, in a few bytes."""
    if mode in DEEP:
        image = Image.fromarray(np.zeros(size_wh[::-1], DEEP[mode]))
    else:
        image = Image.new("L", size_wh)
        image.paste(200, (0, 0, size_wh[0] // 2, size_wh[1]))
        image = image.convert(mode)
    file = io.BytesIO()
    image.save(file, format, **({"compression": "tiff_adobe_deflate"} if format == "TIFF" else {}), **options)
    return file.getvalue()


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def reason(data: bytes) -> str:
    with pytest.raises(UnreadablePicture) as error:
        read_image(data, RECORD)
    return error.value.reason


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the most memory is read where Linux tells it")
@pytest.mark.parametrize("format", MODES)
def test_memory_is_in_proportion_to_the_headers_pixels(format: str) -> None:
    read_small(saved("PNG", "RGBA", (8, 8)), 8)
    for mode in MODES[format]:
        for size_wh in (LARGE_WH, *LONG_WH):
            if format == "WEBP" and max(size_wh) > 16383:  # the format's own limit
                continue
            data = saved(format, mode, size_wh)
            for name in ("whole", "image") if size_wh == LARGE_WH else READERS:
                bound = BYTES_A_PIXEL * size_wh[0] * size_wh[1] + BYTES
                taken = 0
                for _ in range(3):  # what other threads of this process take meanwhile counts, too
                    taken = _most_taken(lambda name=name, data=data: READERS[name](data))  # type: ignore[misc]
                    if taken <= bound:
                        break
                assert taken <= bound, f"{format} {mode} {size_wh} {name}: {taken / 2**20:.0f} MB"


def _most_taken(work: Callable[[], object]) -> int:
    """Bytes by which the process grows at most while it does the work; measured on the system's own count."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the most so far is what is held now
    before = _status("VmRSS")
    work()
    return _status("VmHWM") - before


def _status(key: str) -> int:
    found = re.search(rf"{key}:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    assert found
    return int(found[1]) * 1024


@pytest.mark.parametrize(
    ("size_wh", "said"),
    [
        ((MOST_SIDE + 1, 1), "a side may have 65500 at most"),
        ((1, 50_000_000), "a side may have 65500 at most"),
        ((MAX_PIXELS // 1000, 1001), "more than the 178 megapixels that are read"),
        ((13_000, 13_000), f"MB of memory, more than the {MOST_MEMORY // 2**20} that are given"),
    ],
)
def test_what_a_header_claims_is_refused_before_it_is_decoded(size_wh: tuple[int, int], said: str) -> None:
    header = struct.pack(">IIBBBBB", *size_wh, 8, 6, 0, 0, 0)
    content = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")
    with pytest.raises(TooManyPixels, match=re.escape(said)):
        read_image(PNG_SIGNATURE + content, RECORD)


def jpeg_of_scans(count: int, side: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    data = saved("JPEG", "RGB", (side, side), progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * (count - data.count(b"\xff\xda")) + data[-2:]


def test_a_jpeg_is_gone_over_a_bounded_number_of_times() -> None:
    assert reason(jpeg_of_scans(101, 64)) == "has more than 100 scans: save it anew"
    assert "scans of 64 megapixels: save it as a plain" in reason(jpeg_of_scans(90, 8000))
    assert read_image(jpeg_of_scans(90, 64), RECORD).shape == (224, 224, 3)


def test_a_progressive_jpeg_takes_memory_for_all_its_pixels_however_small_it_is_decoded() -> None:
    data = bytearray(saved("JPEG", "RGB", (64, 64), progressive=True))
    at = data.index(b"\xff\xc2")
    data[at + 5 : at + 9] = struct.pack(">HH", 10_000, 10_000)
    assert "would take" not in reason(saved("JPEG", "RGB", (64, 64), progressive=True)[:-200])  # cut off
    assert "has 100 megapixels of a JPEG in several scans, which would take" in reason(bytes(data))


def within(format: str, place: int, more: bytes) -> bytes:
    data = saved(format, "L", (8, 8))
    return data[:place] + more + data[place:]


def endless_gif() -> bytes:
    data = saved("GIF", "P", (8, 8))
    start = data.index(b",")
    return data[:start] + b"!\xfe" + b"\1x" * 200_000 + b"\0" + data[start:]


def bmp_in_runs(size: tuple[int, int] = (2000, 2000), runs: bytes = b"\1\7" * 2_500_000) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, *size, 1, 8, 1, 0, 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", 0, 0, 0, 54 + 1024) + header + bytes(1024) + runs


def tiff_of(*entries: tuple[int, int, int, int], more: bytes = b"") -> bytes:
    """A TIFF of 8 x 8 grey pixels with these entries, too."""
    own = {
        256: (4, 1, 8),
        257: (4, 1, 8),
        258: (3, 1, 8),
        259: (3, 1, 1),
        262: (3, 1, 1),
        273: (4, 1, 8),
        279: (4, 1, 64),
    }
    rows = [(tag, *rest) for tag, rest in own.items() if tag not in {entry[0] for entry in entries}]
    table = b"".join(struct.pack("<HHII", *row) for row in sorted([*rows, *entries]))
    directory = struct.pack("<H", len(rows) + len(entries)) + table + bytes(4)
    return b"II*\0" + struct.pack("<I", 72 + len(more)) + bytes(range(64)) + more + directory


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (saved("JPEG", "L", (8, 8))[:2] + b"\xff\xe5\0\2" * 5_000 + saved("JPEG", "L", (8, 8))[2:], "4000 segments"),
        (
            saved("PNG", "L", (8, 8))[:33] + chunk(b"zZZz", b"") * 100_001 + saved("PNG", "L", (8, 8))[33:],
            "100000 chunks",
        ),
        (endless_gif(), "100000 blocks"),
        (bmp_in_runs(), "BMP in runs of more than 4 MB"),
        (b"P5 " + b"#\n" * 5_000 + b"8 8 255 " + bytes(64), "header of more than 4096 bytes"),
        (b"P6 8 8 254 " + bytes(13_000_000), "numbers up to 254 in more than 12 MB"),
        (b"P2 8 8 255 " + b"#\n" * 101 + b"7 " * 64, "more than 100 remarks"),
        (b"P3 8 8 255 " + b"7 " * 9_000_000, "written out in more than 16 MB"),
        (tiff_of(*((40_000 + n, 1, 1, 0) for n in range(1_200))), "1207 entries"),
        (tiff_of(*((40_000 + n, 1, 60, 0) for n in range(100))), "too many"),
        (tiff_of((273, 4, 200_000, 72), more=bytes(800_000)), "200000 strips"),
        (
            tiff_of((256, 4, 1, 32_000), (322, 4, 1, 32_000), (323, 4, 1, 32_000), (324, 4, 1, 8)),
            "tiles of 32000 x 32000",
        ),
        (bmp_in_runs(size=(65_500, 700), runs=b"\1\7\0\0" * 700), "BMP in runs of more than 16000000 pixels"),
        (tiff_of((322, 4, 1, 60_000), (323, 4, 1, 60_000), (324, 4, 1, 8)), "tiles of 60000 x 60000"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_a_decoder_would_walk_through_is_bounded(data: bytes, said: str) -> None:
    assert said in reason(data)


def test_a_sound_tiff_is_read() -> None:
    assert read_whole(tiff_of(), "gray")[:, :, 0].ravel().tolist() == list(range(64))


@pytest.mark.parametrize("name", ["tall_1000000.png", "scans_6000.jpg"])
def test_files_that_once_held_a_command_are_refused(faults: Path, name: str) -> None:
    assert re.search("65500|100 scans", reason((faults / name).read_bytes()))


def test_threads_wait_for_memory_and_none_for_ever() -> None:
    from concurrent.futures import ThreadPoolExecutor

    from eyespot.data import formats

    data = saved("PNG", "RGB", (3000, 3000))
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(4) as pool:
        patch.setattr(formats._memory, "_most", 1)
        images = list(pool.map(lambda _: read_image(data, RECORD), range(6)))
    assert all(np.array_equal(image, images[0]) for image in images)
    assert formats._memory._taken == 0


def test_a_header_of_blanks_or_a_scan_of_restarts_takes_no_time_to_speak_of() -> None:
    assert reason(b"P6" + b" " * 200 + b"x" + bytes(10))
    data = saved("JPEG", "RGB", (64, 64), progressive=True)
    assert reason(data[:-2] + b"\xff\xd0" * 500_000)


def test_a_file_of_too_many_bytes_is_not_read(tmp_path: Path) -> None:
    from eyespot.data.data_set import MOST_BYTES, Picture

    with (tmp_path / "a.jpg").open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(OSError, match="more than the 256 MB that are read"):
        Picture("a.jpg", path=tmp_path / "a.jpg").read()


def test_lab_is_read_as_grey_too() -> None:
    lab = Image.new("RGB", (8, 8), (90, 90, 90)).convert("RGB")
    from PIL import ImageCms

    to_lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    file = io.BytesIO()
    to_lab.apply(lab).save(file, "TIFF")
    assert read_whole(file.getvalue(), "gray").shape == (8, 8, 1)


def test_a_header_without_pixels_is_refused_with_what_it_says() -> None:
    with pytest.raises(UnreadablePicture, match="has no pixels: its header says 0 x 7"):
        check_header(Image.new("RGB", (0, 7)), b"")


def test_a_gif_with_long_remarks_is_read() -> None:
    data = saved("GIF", "P", (8, 8), comment=b"a long remark " * 20_000)
    assert np.array_equal(read_whole(data, "rgb"), read_whole(saved("GIF", "P", (8, 8)), "rgb"))
