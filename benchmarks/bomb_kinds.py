"""Small files that stand for much: pictures and lists that would take gigabytes or minutes of whoever believes them."""

from __future__ import annotations

import gzip
import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

PNG = b"\x89PNG\r\n\x1a\n"
GRAY, COLOR, PALETTE, WITH_ALPHA = 0, 2, 3, 6
CHANNELS = {GRAY: 1, COLOR: 3, PALETTE: 1, WITH_ALPHA: 4}


def pictures() -> dict[str, bytes]:
    """All of them by file name."""
    made: dict[str, Callable[[], bytes]] = {
        **{f"tall-{n}.png": lambda n=n: png(1, n) for n in (65_500, 1_000_000, 50_000_000)},
        **{f"wide-{n}.png": lambda n=n: png(n, 1) for n in (65_500, 1_000_000, 50_000_000)},
        **{f"thin-{w}x{h}.png": lambda w=w, h=h: png(w, h) for w, h in ((3, 65_500), (65_500, 40), (2_000, 65_500))},
        **{f"claims-{n}.png": lambda n=n: png(n, n, rows=10) for n in (13_000, 30_000, 65_500, 2**31 - 1)},
        "colour.png": lambda: png(11_000, 11_000),
        "alpha.png": lambda: png(8_100, 8_100, kind=WITH_ALPHA),
        "more-alpha.png": lambda: png(13_000, 13_000, kind=WITH_ALPHA),
        "grey.png": lambda: png(10_000, 10_000, kind=GRAY),
        "more-grey.png": lambda: png(13_300, 13_300, kind=GRAY),
        "grey-of-16-bits.png": lambda: png(7_500, 7_500, kind=GRAY, bits=16),
        "grey-of-1-bit.png": lambda: png(10_000, 10_000, kind=GRAY, bits=1),
        "palette.png": lambda: png(7_000, 7_000, kind=PALETTE, more=chunk(b"PLTE", bytes(768))),
        "chunks.png": lambda: png(8, 8, more=chunk(b"zzZz", b"") * 1_000_000),
        "texts.png": lambda: png(8, 8, more=chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(50_000_000))) * 50),
        "long-texts.png": lambda: png(8, 8, more=chunk(b"tEXt", b"a\0" + b"x" * 900_000) * 20),
        "profile.png": lambda: png(8, 8, more=chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(300_000_000)))),
        "orientation.png": lambda: png(8, 8, more=chunk(b"eXIf", b"II*\0\x08\0\0\0" + b"\xff" * 3_000_000)),
        "animation.png": lambda: saved(frames(2_000), "PNG"),
        **{f"scans-{n}.jpg": lambda n=n: jpeg_of_scans(n, 2_000) for n in (100, 101, 6_000, 100_000)},
        "many-scans-of-much.jpg": lambda: jpeg_of_scans(99, 9_000),
        "progressive.jpg": lambda: saved(plain(9_000, 9_000), "JPEG", progressive=True, subsampling=0),
        "more-progressive.jpg": lambda: saved(plain(13_000, 13_000), "JPEG", progressive=True),
        "large.jpg": lambda: saved(plain(13_300, 13_300), "JPEG"),
        "long.jpg": lambda: saved(plain(1, 65_500), "JPEG"),
        "segments.jpg": lambda: within(saved(plain(8, 8), "JPEG"), 2, b"\xff\xe5\0\2" * 2_000_000),
        "remarks.jpg": lambda: within(saved(plain(8, 8), "JPEG"), 2, (b"\xff\xfe\xff\xff" + bytes(65_533)) * 200),
        "exif.jpg": lambda: within(saved(plain(8, 8), "JPEG"), 2, b"\xff\xe1\xff\xffExif\0\0" + b"\xff" * 65_527),
        "blocks.gif": lambda: gif_of_remarks(5_000_000),
        "frames.gif": lambda: saved(frames(5_000), "GIF"),
        "claims.gif": lambda: saved(plain(8, 8).convert("P"), "GIF")[:6] + b"\xff" * 4 + bytes(99),
        "runs.bmp": lambda: bmp_in_runs(5_000, b"\1\7" * 5_000_000),
        "jumps.bmp": lambda: bmp_in_runs(13_000, b"\0\2\xff\xff" * 1_000_000),
        "short-runs.bmp": lambda: bmp_in_runs(1_000, b"\1\7" * 900_000),
        "claims.bmp": lambda: bmp_in_runs(40_000, b""),
        "floats.tif": lambda: tiff(7_200, 7_200, np.float32),
        "integers.tif": lambda: tiff(7_200, 7_200, np.int32),
        "more-floats.tif": lambda: tiff(9_000, 9_000, np.float32),
        "grey-of-16-bits.tif": lambda: tiff(8_000, 8_000, np.uint16),
        "long-floats.tif": lambda: tiff(1, 65_500, np.float32),
        "cmyk.tif": lambda: saved(plain(7_800, 7_800).convert("CMYK"), "TIFF", compression="tiff_adobe_deflate"),
        "pages.tif": lambda: saved(frames(3_000), "TIFF"),
        "entries.tif": lambda: tiff_of([(40_000 + n % 20_000, 1, 1, 0) for n in range(60_000)]),
        "one-place-for-all.tif": lambda: tiff_of(
            [(40_000 + n, 1, 9_000_000, 72) for n in range(900)], bytes(9_000_000)
        ),
        "strips.tif": lambda: tiff_of([(273, 4, 4_000_000, 72)], bytes(16_000_000)),
        "tiles.tif": lambda: tiff_of([(322, 4, 1, 60_000), (323, 4, 1, 60_000), (324, 4, 1, 8), (325, 4, 1, 64)]),
        "directories.tif": lambda: b"II*\0\x08\0\0\0\0\0\x08\0\0\0" + bytes(90),
        "large.webp": lambda: saved(plain(6_000, 6_000), "WEBP", lossless=True, method=0),
        "long.webp": lambda: saved(plain(16_383, 4_000), "WEBP", lossless=True, method=0),
        "frames.webp": lambda: saved(frames(500), "WEBP"),
        "large.avif": lambda: saved(plain(5_000, 5_000), "AVIF", speed=10),
        "header.ppm": lambda: b"P6 " + b"#" * 15_000_000 + b"\n8 8 255\n" + bytes(192),
        "remarks.pgm": lambda: b"P2 2000 2000 255\n" + b"#\n7 " * 4_000_000,
        "written-out.ppm": lambda: b"P3 2200 2200 255\n" + b"7 " * 8_000_000,
        "written-out-bits.pbm": lambda: b"P1 3900 3900\n" + b"1" * 15_210_000,
        "more-written-out.ppm": lambda: b"P3 5000 5000 255\n" + b"7 " * 20_000_000,
        "claims.ppm": lambda: b"P6 60000 60000 255\n" + bytes(999),
        "floats.pfm": lambda: b"Pf\n3000 3000\n-1.0\n" + bytes(36_000_000),
    }
    return {name: make() for name, make in made.items()}


def lists(folder: Path) -> None:
    """Writes lists that unfold to much, each a file or a folder, into a new folder."""
    folder.mkdir(parents=True)
    written = {
        "rows.csv": b"image_path,label\n" + b"a,b\n" * 4_000_000,
        "columns.csv": b"image_path,label" + b",x" * 2_000_000 + b"\na,b\n",
        "quote.csv": b'image_path,label\n"' + b"a\n" * 20_000_000,
        "field.csv": b"image_path,label\n" + b"a" * 50_000_000 + b",b\n",
        "nested.jsonl": (b"[" * 500_000 + b"\n") * 20,
        "keys.jsonl": b"".join(b'{"image_path":"a%d","k%d":1}\n' % (n, n) for n in range(200_000)),
        "whole-numbers.jsonl": (b'{"image_path":"a","label":' + b"9" * 4_000 + b"}\n") * 10_000,
    }
    for name, content in written.items():
        (folder / name).write_bytes(content)
    _idx(folder / "idx")
    _parquets(folder)


def _idx(folder: Path) -> None:
    folder.mkdir()
    with gzip.open(folder / "train-images-idx3-ubyte.gz", "wb") as file:
        file.write(bytes([0, 0, 8, 3]) + struct.pack(">3I", 20, 10_000, 10_000))
        for _ in range(200):
            file.write(bytes(10_000_000))
    with gzip.open(folder / "train-labels-idx1-ubyte.gz", "wb") as file:
        file.write(bytes([0, 0, 8, 1]) + struct.pack(">I", 20) + bytes(20))


def _parquets(folder: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    small = b"P5 1 1 255\n\0"
    tables = {
        "dictionary": {
            "image": pa.array([{"bytes": bytes(4_000_000), "path": "a"}] * 300, kind),
            "label": [0, 1] * 150,
        },
        "rows": {"image": pa.array([{"bytes": small, "path": None}] * 1_000_000, kind), "label": [0, 1] * 500_000},
        "columns": {
            "image": pa.array([{"bytes": small, "path": None}] * 2, kind),
            "label": [0, 1],
            **{f"c{number}": [0, 0] for number in range(8_000)},
        },
    }
    for name, columns in tables.items():
        parquet.write_table(pa.table(columns), folder / f"{name}.parquet", compression="zstd")


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(
    width: int, height: int, *, kind: int = COLOR, bits: int = 8, rows: int | None = None, more: bytes = b""
) -> bytes:
    """A black picture; with fewer rows than its header claims where they are given."""
    row = 1 + (width * CHANNELS[kind] * bits + 7) // 8
    packing, content, left = zlib.compressobj(9), [], row * min(height if rows is None else rows, 10**9 // row + 1)
    while left > 0:
        content.append(packing.compress(bytes(min(left, 2**22))))
        left -= 2**22
    content.append(packing.flush())
    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    return PNG + chunk(b"IHDR", header) + more + chunk(b"IDAT", b"".join(content)) + chunk(b"IEND", b"")


def plain(width: int, height: int) -> Image.Image:
    return Image.new("RGB", (width, height), (200, 30, 30))


def frames(count: int) -> list[Image.Image]:
    return [Image.new("L", (64, 64), number % 256) for number in range(count)]


def saved(image: Image.Image | list[Image.Image], format: str, **given: object) -> bytes:
    file = io.BytesIO()
    first, *others = image if isinstance(image, list) else [image]
    first.save(file, format, **given, **({"save_all": True, "append_images": others} if others else {}))
    return file.getvalue()


def within(data: bytes, place: int, more: bytes) -> bytes:
    return data[:place] + more + data[place:]


def jpeg_of_scans(count: int, side: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    data = saved(plain(side, side), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * (count - data.count(b"\xff\xda")) + data[-2:]


def gif_of_remarks(count: int) -> bytes:
    data = saved(plain(8, 8).convert("P"), "GIF")
    start = data.index(b",")
    return within(data, start, b"!\xfe" + b"\1x" * count + b"\0")


def bmp_in_runs(side: int, runs: bytes) -> bytes:
    header = struct.pack("<IiiHHIIiiII", 40, side, side, 1, 8, 1, len(runs), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", 0, 0, 0, 54 + 1024) + header + bytes(1024) + runs


def tiff(width: int, height: int, kind: type[np.generic]) -> bytes:
    numbers = np.zeros((height, width), kind)
    numbers[: height // 2] = 1
    return saved(Image.fromarray(numbers), "TIFF", compression="tiff_adobe_deflate")


def tiff_of(entries: list[tuple[int, int, int, int]], more: bytes = b"") -> bytes:
    """A TIFF of 8 x 8 grey pixels with these entries, too."""
    own = [
        (256, 4, 1, 8),
        (257, 4, 1, 8),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (273, 4, 1, 8),
        (279, 4, 1, 64),
    ]
    rows = [row for row in own if row[0] not in {entry[0] for entry in entries}]
    table = b"".join(struct.pack("<HHII", *row) for row in sorted([*rows, *entries]))
    directory = struct.pack("<H", len(rows) + len(entries)) + table + bytes(4)
    return b"II*\0" + struct.pack("<I", 72 + len(more)) + bytes(64) + more + directory
