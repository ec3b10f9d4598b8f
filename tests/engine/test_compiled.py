"""Kept files come back as they were written, or not at all."""

import pytest

from eyespot.engine.compiled import keep, read_kept

CONTENT = bytes(range(256)) * 10


@pytest.fixture
def kept(tmp_path):
    path = tmp_path / "folder" / "file"
    keep(path, CONTENT)
    return path


def test_what_was_kept_is_read(kept):
    assert read_kept(kept) == CONTENT


def test_what_was_never_kept_is_none(tmp_path):
    assert read_kept(tmp_path / "file") is None
    assert read_kept(tmp_path) is None
    assert read_kept(tmp_path / ("x" * 5000)) is None


@pytest.mark.parametrize("end", [0, 10, 32, 33, -1])
def test_a_truncated_file_counts_as_missing(kept, end):
    kept.write_bytes(kept.read_bytes()[:end])
    assert read_kept(kept) is None


@pytest.mark.parametrize("at", [0, 31, 32, 1000, -1])
def test_one_altered_byte_is_noticed(kept, at):
    data = bytearray(kept.read_bytes())
    data[at] ^= 1
    kept.write_bytes(data)
    assert read_kept(kept) is None


def test_a_place_that_cannot_be_written_does_not_matter(tmp_path):
    (tmp_path / "file").touch()
    keep(tmp_path / "file" / "below", CONTENT)
    assert read_kept(tmp_path / "file" / "below") is None
