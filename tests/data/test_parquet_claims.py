"""What Parquet files claim, against what pyarrow wrote into them; small files that unfold to much are refused early."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path
from random import Random
from typing import Any

import pytest

from eyespot.data import list_limits as limits
from eyespot.data import parquet_claims
from eyespot.data.parquet_claims import claims, read_footer
from eyespot.data.sources import open_data_set
from eyespot.errors import DataError

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
MIB = 2**20


def write(path: Path, images: list[bytes], labels: list[Any] | None = None, **options: Any) -> Path:
    rows = pa.array([{"bytes": each, "path": None} for each in images], IMAGE)
    table = pa.table({"image": rows, "label": labels or [number % 2 for number in range(len(images))]})
    pq.write_table(table, path, compression="zstd", **options)
    return path


@pytest.mark.parametrize(
    "options", [{}, {"use_dictionary": False}, {"data_page_version": "2.0"}, {"row_group_size": 7}]
)
def test_pages_add_up_to_what_pyarrow_says_of_honest_columns(tmp_path, options):
    path = write(tmp_path / "p.parquet", [bytes([number]) * 5000 for number in range(40)], **options)
    metadata = pq.ParquetFile(path).metadata
    columns = [
        metadata.row_group(group).column(column)
        for group in range(metadata.num_row_groups)
        for column in range(metadata.num_columns)
    ]
    pages = sum(each.total_uncompressed_size for each in columns if each.path_in_schema == "image.bytes")
    found = claims(path, read_footer(path), ["image.bytes"])
    assert 0.98 * pages < found.unfolded <= pages  # pyarrow counts the headers, too
    assert bool(found.largest) == options.get("use_dictionary", True)


@pytest.mark.parametrize(
    ("images", "labels", "options"),
    [
        ([b"\0" * MIB] * 60, None, {"row_group_size": 60}),
        ([b"\0" * MIB] * 200, None, {"row_group_size": 2}),
        ([b"x"] * 200, ["c" * MIB] * 200, {}),
        ([bytes(MIB) + bytes([number]) for number in range(200)], None, {
            "use_dictionary": False, "column_encoding": {"image.bytes": "DELTA_BYTE_ARRAY"},
        }),
        ([bytes(MIB) + bytes([number]) for number in range(200)], None, {"use_dictionary": False}),
    ],
)  # fmt: skip
def test_a_small_file_that_unfolds_to_much_is_refused_early(tmp_path, monkeypatch, images, labels, options):
    path = write(tmp_path / "p.parquet", images, labels, **options)
    assert path.stat().st_size < MIB
    monkeypatch.setattr(limits, "ALWAYS_UNFOLDED", 8 * MIB)
    before = pa.total_allocated_bytes()
    with pytest.raises(DataError, match=r"^p unfolds from \d+ bytes on disk to \d+ or more, and at most 8388608"):
        open_data_set(path)
    assert pa.total_allocated_bytes() - before < 80 * MIB


def test_pictures_that_do_not_shrink_are_held_whatever_they_come_to(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "ALWAYS_UNFOLDED", 1000)
    random = Random(0)
    images = [random.randbytes(5000) for _ in range(20)]
    assert [each.read() for each in open_data_set(write(tmp_path / "p.parquet", images)).pictures] == images


def test_what_a_column_claims_to_be_is_not_believed(tmp_path, monkeypatch):
    """The size that the file's end names is made small; its pages still say the truth, or nobody could read them."""
    path = write(tmp_path / "p.parquet", [bytes(MIB) + bytes([number]) for number in range(20)], use_dictionary=False)
    size = pq.ParquetFile(path).metadata.row_group(0).column(0).total_uncompressed_size
    said = _varint(size)
    content = path.read_bytes()
    assert content.count(said) == 1
    path.write_bytes(content.replace(said, bytes([0x82, *[0x80] * (len(said) - 2), 0])))
    assert pq.ParquetFile(path).metadata.row_group(0).column(0).total_uncompressed_size == 1
    monkeypatch.setattr(limits, "ALWAYS_UNFOLDED", 8 * MIB)
    with pytest.raises(DataError, match=r"^p unfolds"):
        open_data_set(path)


@pytest.mark.parametrize(
    ("name", "most", "sentence"),
    [
        ("MOST_FOOTER", 100, "bytes of description, and at most 100 are read"),
        ("MOST_COLUMNS", 4, "claims 5 columns, and at most 4"),
        ("MOST_LEVELS", 1, "claims 2 levels of columns in columns, and at most 1"),
        ("MOST_ROWS", 3, r"claims 60 rows in \d+ bytes, and at most"),
        ("MOST_PAGES", 10, "claims 11 pages, and at most 10"),
    ],
)
def test_more_than_is_read_is_refused_by_its_name(tmp_path, monkeypatch, name, most, sentence):
    monkeypatch.setattr(parquet_claims, name, most)
    monkeypatch.setattr(parquet_claims, "ROW_ON_DISK", 10**6)
    with pytest.raises(DataError, match=sentence):
        open_data_set(write(tmp_path / "p.parquet", [b"x"] * 60, row_group_size=10))


def test_a_description_of_many_small_values_is_refused_before_it_fills_the_memory(tmp_path):
    many = b"\x00" * 3_000_000  # structs without a field
    footer = b"\x15\x02\x19" + b"\xfc" + _varint_unsigned(len(many)) + many + b"\x00"
    path = tmp_path / "p.parquet"
    path.write_bytes(b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1")
    tracemalloc.start()
    with pytest.raises(ValueError, match="more than 1000000 values"):
        read_footer(path)
    assert tracemalloc.get_traced_memory()[1] < 128 * MIB
    tracemalloc.stop()


def test_the_file_of_48_kb_that_unfolds_to_5_gb_is_refused(faults):
    with pytest.raises(DataError, match=r"^parquet_48KB_5GB unfolds from 47801 bytes"):
        open_data_set(faults / "parquet_48KB_5GB.parquet")


def _varint(number: int) -> bytes:
    """A number as Thrift writes it: twice, since the last bit is the sign."""
    return _varint_unsigned(2 * number)


def _varint_unsigned(left: int) -> bytes:
    """A count: seven bits at a time."""
    file = io.BytesIO()
    while left > 127:
        file.write(bytes([left & 127 | 128]))
        left >>= 7
    file.write(bytes([left]))
    return file.getvalue()


@pytest.mark.parametrize(
    ("footer", "said"),
    [
        (b"\x25\x02\x00", "the list 2 of its description is none"),
        (b"\x1c" * 5000, "its description is too deep"),
        (b"\x15" + b"\xff" * 11 + b"\x00", "a number of its description does not end"),
        (b"\x1d\x00", "its description has a value of kind 13"),
        (b"\x19\x45\x02", "its description is cut off"),
    ],
)
def test_a_damaged_description_is_said_and_takes_no_stack(tmp_path, footer, said):
    path = tmp_path / "p.parquet"
    path.write_bytes(b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1")
    with pytest.raises(ValueError, match=said):
        read_footer(path)
