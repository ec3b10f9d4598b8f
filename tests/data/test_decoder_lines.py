"""Standard error belongs to the whole process: who decodes borrows it, together, and gives back what is not its own."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from eyespot.data import decoder_lines

LINE = "LZWDecode: Not enough data at scanline 5 (short 3 bytes).\n"


def test_threads_are_within_at_once_and_what_others_write_is_passed_on(capfd: pytest.CaptureFixture[str]) -> None:
    together = threading.Barrier(3, timeout=20)

    def decode(number: int) -> None:
        with decoder_lines.unprinted():
            together.wait()
            os.write(2, LINE.encode())
            os.write(2, b"a log's line %d\n" % number)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(decode, range(3)))
    passed_on = capfd.readouterr().err.split("\n")
    assert sorted(filter(None, passed_on)) == ["a log's line 0", "a log's line 1", "a log's line 2"]
    os.write(2, b"back")
    assert capfd.readouterr().err == "back"


def test_whoever_asks_for_the_lines_gets_only_its_own(capfd: pytest.CaptureFixture[str]) -> None:
    lines: list[list[str]] = [[] for _ in range(20)]

    def decode(number: int) -> None:
        own = LINE.replace("5", str(number))
        with decoder_lines.unprinted():
            os.write(2, own.encode())
        with decoder_lines.kept(lines[number]):
            os.write(2, own.encode())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(decode, range(20)))
    assert lines == [[LINE.replace("5", str(number)).strip()] for number in range(20)]
    assert capfd.readouterr().err == ""


def test_what_is_raised_within_leaves_standard_error_as_it_was(capfd: pytest.CaptureFixture[str]) -> None:
    for within in (decoder_lines.unprinted(), decoder_lines.kept([])):
        with pytest.raises(ZeroDivisionError), within:
            raise ZeroDivisionError
        os.write(2, b"back")
        assert capfd.readouterr().err == "back"


def test_a_closed_standard_error_changes_nothing() -> None:
    saved = os.dup(2)
    os.close(2)
    try:
        lines: list[str] = []
        with decoder_lines.unprinted():
            pass
        with decoder_lines.kept(lines):
            pass
        assert lines == []
    finally:
        os.dup2(saved, 2)
        os.close(saved)


def test_without_a_place_for_the_lines_they_are_printed_and_the_picture_is_read(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with decoder_lines.unprinted():
        os.write(2, LINE.encode())
    os.write(2, b"back")
    assert capfd.readouterr().err == f"{LINE}back"
