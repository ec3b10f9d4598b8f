"""Names in any script stay; what commands a terminal or deceives the eye is written out."""

import os
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyespot.names import printable, printable_lines, told_apart

KEPT = ["cat", "Katze 1", "четвёрка 🟦", "ねこ", "قطة", "नमस्ते", "\U0001f469\u200d\U0001f467", "e\u0301", "a\\b", ""]


@pytest.mark.parametrize("name", KEPT)
def test_a_name_in_any_script_stays_as_it_is(name):
    assert printable(name) == name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("\x9b31mred", r"\x9b31mred"),
        ("a\x07\x7f", r"a\x07\x7f"),
        ("two\nlines\r\t", r"two\nlines\r\t"),
        ("photo\u202egpj.exe", r"photo\u202egpj.exe"),
        ("line\u2028break", r"line\u2028break"),
        ("half \ud83d", r"half \ud83d"),
    ],
)
def test_what_commands_a_terminal_is_written_out(name, shown):
    assert printable(name) == shown


@pytest.mark.skipif(sys.platform != "linux", reason="file names there are any bytes")
def test_bytes_that_are_not_utf8_are_shown():
    assert printable(os.fsdecode(b"\xff.png")) == r"\xff.png"


@given(st.text(st.characters(codec=None)))
def test_any_text_becomes_one_harmless_line_and_stays_so(text):
    shown = printable(text)
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in shown)
    assert len(shown.splitlines()) <= 1
    shown.encode("utf-8")
    assert printable(shown) == shown


def test_line_breaks_of_a_text_stay():
    assert printable_lines("one\x1b\ntwo\r\n") == "one\\x1b\ntwo\\r\n"


@pytest.mark.parametrize(
    ("names", "apart"),
    [
        (["a", "b"], ["a", "b"]),
        (["a", "a", "a"], ["a", "a-2", "a-3"]),
        (["a", "a", "a-2"], ["a", "a-2", "a-2-2"]),
        (["a-2", "a", "a", "a"], ["a-2", "a", "a-3", "a-4"]),
        (["a", "A", "a"], ["a", "A-2", "a-3"]),
    ],
)
def test_names_are_told_apart_by_a_number_that_no_other_has(names, apart):
    assert [*told_apart(names)] == apart


@given(st.lists(st.sampled_from(["a", "A", "a-2", "A-2", "a-2-2", "b", "B"])))
def test_no_two_of_many_are_the_same(names):
    apart = [*told_apart(names)]
    assert len({name.casefold() for name in apart}) == len(names)
    assert all(one.startswith(name) for one, name in zip(apart, names, strict=True))
