"""A list of decisions means the same however a spreadsheet has saved it, and what cannot be meant is said."""

from __future__ import annotations

import csv
import hashlib
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eyespot.data.decisions import COLUMNS, Decisions, Suspect, read_decisions
from eyespot.errors import DataError
from eyespot.runs.tables import as_csv

CLASSES = ("boot", "hat", "t-shirt", "-odd", "café; bar")
HASHES = [hashlib.blake2b(bytes([number]), digest_size=16).hexdigest() for number in range(40)]


def row(number: int = 0, do: str = "x", **changed: str) -> list[str]:
    cells = dict(zip(COLUMNS, (HASHES[number], f"hat/{number}.jpg", "hat", "label doubtful", "boot", do), strict=True))
    return list({**cells, **changed}.values())


def write(path: Path, *rows: list[str], header: tuple[str, ...] = COLUMNS) -> Path:
    path.write_bytes(as_csv(header, rows))
    return path


def read(path: Path) -> Decisions:
    return read_decisions(path, classes=CLASSES)


def what(found: Decisions) -> dict[str, tuple[str, str, str]]:
    """All that decides, without the lines on which it stood."""
    return {content: (each.do, each.picture, each.why) for content, each in found.by_content.items()}


def test_what_is_written_decides_nothing_until_something_is_filled_in(tmp_path):
    suspect = Suspect(HASHES[0], "hat/0.jpg", "hat", "label doubtful", "boot")
    path = write(tmp_path / "exclude.csv", list(suspect.cells))
    assert what(read(path)) == {}
    path.write_text(path.read_text("utf-8").replace("boot,\n", "boot,x\n"), "utf-8")
    assert what(read(path)) == {HASHES[0]: ("x", "hat/0.jpg", "label doubtful")}


def test_the_hash_is_that_of_the_file(tmp_path):
    path = write(tmp_path / "exclude.csv", row())
    assert read(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


cells = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12).map(str.strip)
rows = st.lists(
    st.tuples(st.sampled_from(range(40)), cells, cells, st.sampled_from(["", "x", *CLASSES])),
    max_size=12,
    unique_by=lambda each: each[0],
)


@settings(max_examples=40, deadline=None)
@given(rows=rows, order=st.randoms(use_true_random=False), data=st.data())
def test_however_it_was_saved_it_decides_the_same(tmp_path_factory, rows, order, data):
    """Shuffled rows and columns, other separators, quotes and line ends, a byte order mark, blank lines, columns more,
    and empty cells that a spreadsheet leaves out at the end of a row."""
    folder = tmp_path_factory.mktemp("lists")
    plain = [[HASHES[number], name, "hat", why, "", do] for number, name, why, do in rows]
    expected = {HASHES[number]: (do, name or HASHES[number], why) for number, name, why, do in rows if do}
    assert what(read(write(folder / "plain.csv", *plain))) == expected
    columns = [*COLUMNS, "my own"]
    order.shuffle(columns)
    table = [[dict(zip(COLUMNS, each, strict=True)).get(name, 'mine, "own"') for name in columns] for each in plain]
    order.shuffle(table)
    assert what(read(_saved(folder / "saved.csv", columns, table, data.draw))) == expected


def _saved(path: Path, columns: list[str], table: list[list[str]], draw: Any) -> Path:
    text = io.StringIO()
    writer = csv.writer(
        text,
        delimiter=draw(st.sampled_from(",;\t|")),
        quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
        lineterminator=draw(st.sampled_from(["\n", "\r\n"])),
    )
    writer.writerow([draw(st.sampled_from([str.upper, str.title, str]))(name) for name in columns])
    for each in table:
        if draw(st.booleans()):
            writer.writerow([""] * len(columns))
        filled = max(at for at, cell in enumerate(each, start=1) if cell)
        shown = each[:filled] if draw(st.booleans()) else each
        writer.writerow([f"'{cell}" if cell.startswith(("=", "+", "-", "@")) else cell for cell in shown])
    path.write_text(text.getvalue(), draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])), newline="")
    return path


@pytest.mark.parametrize("do", ["x", "X", " x "])
def test_a_picture_is_left_out_by_an_x_of_any_size(tmp_path, do):
    assert what(read(write(tmp_path / "list.csv", row(do=do))))[HASHES[0]][0] == "x"


def test_where_a_class_is_called_so_a_large_x_is_that_class(tmp_path):
    path = write(tmp_path / "list.csv", row(0, "X"), row(1, "x"))
    found = read_decisions(path, classes=("X", "hat"))
    assert [each.do for each in found.by_content.values()] == ["X", "x"]
    assert [each.leaves_out for each in found.by_content.values()] == [False, True]


def test_a_class_may_be_spelled_in_two_ways(tmp_path):
    path = write(tmp_path / "list.csv", row(do="cafe\u0301; bar"))
    assert what(read(path))[HASHES[0]][0] == "café; bar"


def test_two_rows_on_one_picture_may_agree_and_one_may_say_nothing(tmp_path):
    assert len(read(write(tmp_path / "list.csv", row(), row(), row(do=""))).by_content) == 1


NO_CLASS = "in the column do, which is no class of the data"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([row(), row(1, "haat")], f"line 3 of LIST has 'haat' {NO_CLASS}: did you mean 'hat'?"),
        (
            [row(do="zzz")],
            f"line 2 of LIST has 'zzz' {NO_CLASS}: write x to leave the picture out, a class such as 'boot', or "
            "nothing",
        ),
        (
            [row(), row(1), row(do="boot")],
            "lines 2 and 4 of LIST are about the same picture, hat/0.jpg, and decide otherwise ('x' and 'boot'): clear "
            "one",
        ),
        (
            [row(content_hash="1.2E+31")],
            "line 2 of LIST has the content_hash '1.2E+31', and one has 32 digits and letters from a to f: copy it "
            "anew, as text, from the list as it was written",
        ),
        (
            [[*row(), "more"]],
            "line 2 of LIST has 7 cells, and the first line names 6 columns: put a cell that holds a comma into quotes",
        ),
    ],
)
def test_what_cannot_be_meant_is_said_with_its_line(tmp_path, rows, said):
    path = write(tmp_path / "list.csv", *rows)
    with pytest.raises(DataError) as error:
        read(path)
    assert str(error.value) == said.replace("LIST", str(path))


def test_a_damaged_row_that_decides_nothing_does_no_harm(tmp_path):
    assert what(read(write(tmp_path / "list.csv", row(do="", content_hash="gone")))) == {}


NEEDED = "a list of decisions has the columns content_hash, picture and do, whose names stand in its first line"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", f"has no column 'content_hash' (there are none): {NEEDED}"),
        (b"picture,class\n1.jpg,hat\n", f"has no column 'content_hash' (there are 'picture', 'class'): {NEEDED}"),
        (
            b"content_hash,picture,do,do\n",
            f"has more than one column 'do' (there are 'content_hash', 'picture', 'do', 'do'): {NEEDED}",
        ),
        (b'sep="\ncontent_hash,picture,do\n', "has no column 'content_hash'"),
        (b'content_hash,picture,do\n"never ends', "is not a CSV (unexpected end of data): is there a quote that"),
        (b"PK\x03\x04\x14\xff\x06\x00", "is not UTF-8 text (byte 0xff): save it as UTF-8"),
    ],
)
def test_what_is_no_list_is_refused(tmp_path, content, said):
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    with pytest.raises(DataError) as error:
        read(path)
    assert str(error.value).startswith(f"{path} {said}")


@settings(max_examples=100, deadline=None)
@given(noise=st.binary(min_size=1, max_size=12), at=st.integers(0, 400), over=st.integers(0, 12))
def test_a_damaged_list_is_read_or_refused_in_one_line(tmp_path_factory, noise, at, over):
    path = write(tmp_path_factory.mktemp("damaged") / "list.csv", *(row(number) for number in range(4)))
    content = path.read_bytes()
    path.write_bytes(content[:at] + noise + content[at + over :])
    said = ""
    try:
        assert len(read(path).by_content) <= 5
    except DataError as error:
        said = str(error)
    assert "\n" not in said


def test_a_picture_without_a_name_is_called_by_its_hash(tmp_path):
    assert what(read(write(tmp_path / "list.csv", row(picture=""))))[HASHES[0]][1] == HASHES[0]


def test_a_list_that_is_not_there_is_said(tmp_path):
    for path in (tmp_path / "gone.csv", tmp_path):
        with pytest.raises(DataError) as error:
            read(path)
        wanted = "a list of decisions is a CSV with the columns content_hash, picture and do"
        assert str(error.value) == f"there is no file {path}: {wanted}"
