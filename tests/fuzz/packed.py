"""What packs many pictures in a file: IDX, Parquet, ZIP, damaged and claiming more than they hold."""

from __future__ import annotations

import gzip
import io
import json
import struct
import warnings
import zipfile
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from fuzz.damage import EXTREMES, NAMES, changed, damaged, odd_value
from fuzz.kinds import Kind
from fuzz.pictures import tiny
from fuzz.verbs import read_data


def idx(values: np.ndarray) -> bytes:
    return bytes((0, 0, 8, values.ndim)) + struct.pack(f">{values.ndim}I", *values.shape) + values.tobytes()


def write_idx(chance: Random, folder: Path) -> Path:
    count = 8
    images = np.random.default_rng(chance.randrange(99)).integers(0, 256, (count, 5, 4), dtype=np.uint8)
    labels = np.arange(count, dtype=np.uint8) % 3
    for part in chance.choice((("train",), ("train", "t10k"), ("t10k",))):
        for name, values in (("images-idx3", images), ("labels-idx1", labels)):
            data = idx(values)
            if chance.random() < 0.3:
                at = 4 + 4 * chance.randrange(values.ndim)
                data = data[:at] + struct.pack(">I", chance.choice((*EXTREMES, 2, 7))) + data[at + 4 :]
            if chance.random() < 0.3:
                data = damaged(data, [data], chance)
            if chance.random() < 0.4:
                data = gzip.compress(data + bytes(chance.choice((0, 0, 1, 10**6))), mtime=0)
                data = damaged(data, [data], chance) if chance.random() < 0.4 else data
            if chance.random() < 0.95:
                ending = chance.choice(("-ubyte", "-ubyte", ".gz", "-ubyte.gz"))
                (folder / f"{part}-{name}{ending}").write_bytes(data)
    return folder


@cache
def parquets() -> tuple[bytes, ...]:
    """Small files of the ways in which pictures and labels stand in columns."""
    import pyarrow as pa
    from pyarrow import parquet

    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    cells = [{"bytes": data, "path": f"{number}.png"} for number, data in enumerate(tiny())]
    features = {"label": {"names": ["cat", "dog"]}, "labels": {"feature": {"names": ["cat", "dog"]}}}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    columns: list[dict[str, Any]] = [
        {"image": pa.array(cells, image), "label": [0, 1] * 3},
        {"image": pa.array([data for data in tiny()]), "label": ["cat", "dog"] * 3},
        {"image": pa.array(cells, image), "labels": [[0], [1], [0, 1], [], [0], [1]]},
        {"image": pa.array(cells, image), "cat": [0, 1] * 3, "dog": [1.0, 0.0] * 3},
        {"image": pa.array(cells, image), "label": pa.array(["cat", "dog"] * 3).dictionary_encode()},
        {"image": pa.array([None, *cells[1:]], image), "label": [None, True, False, True, False, True]},
        {"image": pa.array(cells, image), "label": pa.array([2**62, -(2**62)] * 3, pa.timestamp("us"))},
        {"image": pa.array(cells, image), "label": pa.array([10**30, 1] * 3, pa.decimal128(38, 2))},
        {"image": pa.array(cells, image), "text": ["a"] * 6, "more": [{"a": [1]}] * 6, "label": [1.0, 2.0] * 3},
    ]
    options: list[dict[str, Any]] = [
        {"compression": "none"},
        {"compression": "snappy"},
        {"compression": "zstd", "row_group_size": 2},
        {"compression": "gzip", "data_page_version": "2.0", "use_dictionary": False},
    ]
    found = []
    for number, each in enumerate(columns):
        for given in options if number < 4 else options[:1]:
            file = io.BytesIO()
            parquet.write_table(pa.table(each).replace_schema_metadata(metadata), file, **given)
            found.append(file.getvalue())
    return tuple(found)


@cache
def unfolding() -> tuple[bytes, ...]:
    """Files of some KB whose columns come to gigabytes: each value stands there once, in a dictionary."""
    import pyarrow as pa
    from pyarrow import parquet

    rows, longest = 5000, "c" * 300_000
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    cells = pa.array([{"bytes": tiny()[0], "path": None}] * rows, image)
    labels = [0, 1] * (rows // 2)

    def repeated(count: int) -> Any:
        return pa.DictionaryArray.from_arrays(pa.array([0] * count, pa.int32()), pa.array([longest]))

    columns: list[dict[str, Any]] = [
        {"image": cells, "label": repeated(rows)},
        {"image": cells, "label": labels, "text": repeated(rows)},
        {"image": cells, "cat": labels, "dog": labels, "text": repeated(rows)},
        {"image": cells, "labels": pa.ListArray.from_arrays(pa.array([0, *[rows] * rows], pa.int32()), repeated(rows))},
        {"image": cells, "labels": pa.ListArray.from_arrays(pa.array(range(rows + 1), pa.int32()), repeated(rows))},
    ]
    found = []
    for each in columns:
        file = io.BytesIO()
        parquet.write_table(pa.table(each), file, compression="zstd", store_schema=False)
        found.append(file.getvalue())
    return tuple(found)


def write_parquet(chance: Random, folder: Path) -> Path:
    files = parquets()
    path = folder / chance.choice(("a.parquet", "train-0.parquet", "in/test.parquet"))
    path.parent.mkdir(exist_ok=True)
    if chance.random() < 0.01:
        path.write_bytes(chance.choice(unfolding()))
    elif chance.random() < 0.25:
        path.write_bytes(_other_metadata(chance))
    else:
        data = chance.choice(files)
        if chance.random() < 0.6:  # the footer says what is where: most of what can be wrong is there
            footer = struct.unpack("<I", data[-8:-4])[0] + 8
            data = data[:-footer] + damaged(data[-footer:], files, chance)
        else:
            data = damaged(data, files, chance)
        path.write_bytes(data)
    return chance.choice((path, folder))


def _other_metadata(chance: Random) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    features: object = {"label": {"names": ["cat", "dog"]}}
    try:
        metadata = json.dumps(changed({"info": {"features": features}}, chance))
    except (TypeError, ValueError):
        metadata = "{"
    labels = [odd_value(chance) for _ in tiny()]
    texts = [value if isinstance(value, str) and value.isprintable() else None for value in labels]
    file = io.BytesIO()
    names = [chance.choice(NAMES).encode("utf-8", "replace").decode() or "label" for _ in range(2)]
    table = pa.table([pa.array([*tiny()]), pa.array(texts, pa.string())], names=["image", chance.choice(names)])
    parquet.write_table(table.replace_schema_metadata({"huggingface": metadata}), file)
    return file.getvalue()


def write_zip(chance: Random, folder: Path) -> Path:
    """An archive of class folders, some members with odd names, attributes or contents."""
    file = io.BytesIO()
    packing = chance.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))
    with warnings.catch_warnings(), zipfile.ZipFile(file, "w", packing) as archive:
        warnings.simplefilter("ignore")  # of two members with one name
        for number, data in enumerate((*tiny(), *tiny())):
            name = f"{chance.choice(('cat', 'dog'))}/{number}.png"
            if chance.random() < 0.2:
                name = chance.choice(("", "cat/", "../", "/")) + chance.choice(NAMES)
            info = zipfile.ZipInfo(name.encode("utf-8", "replace").decode().replace("\0", "") or "a")
            info.compress_type = packing
            if chance.random() < 0.1:
                info.external_attr = chance.choice((0o120777, 0o020666, 0o010644, 0xFFFF)) << 16
            archive.writestr(info, bytes(10**6) if chance.random() < 0.02 else data)
        archive.comment = chance.choice((b"", b"", b"x" * 100))
    data = file.getvalue()
    if chance.random() < 0.6:
        directory = data.find(b"PK\1\2")
        data = data[:directory] + damaged(data[directory:], [data], chance)
    elif chance.random() < 0.5:
        data = damaged(data, [data], chance)
    path = folder / "a.zip"
    path.write_bytes(data)
    return path


KINDS = {
    "idx": Kind(write_idx, read_data),
    "parquet": Kind(write_parquet, read_data, megabytes=600),
    "zip": Kind(write_zip, read_data),
}
