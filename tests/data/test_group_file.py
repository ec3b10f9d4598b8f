"""A CSV of groups: whose picture is whose."""

from __future__ import annotations

from pathlib import Path

import pytest

from eyespot.data.group_file import groups_of, read_groups
from eyespot.errors import DataError

NAMES = ("cat/1.jpg", "cat/2.jpg", "dog/é 1.jpg", "dog/4.jpg", "dog/5.jpg")
PICTURES = {name: f"content {number}" for number, name in enumerate(NAMES)}


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(("picture,group", *lines)), "utf-8")
    return path


def test_pictures_have_the_group_that_the_file_names(tmp_path):
    path = write(tmp_path / "who.csv", "cat/2.jpg,ann", "dog/4.jpg,ann", "dog/5.jpg,ben")
    found = groups_of(PICTURES, read_groups(path), others={})
    assert found.of == {"content 1": ("ann",), "content 3": ("ann",), "content 4": ("ben",)}
    assert found.notes == (
        f"{path} does not name 2 pictures of the data, so each of them is a group of its own: cat/1.jpg and "
        "dog/é 1.jpg",
    )


def test_names_may_be_written_as_people_write_them(tmp_path):
    written = ("./cat/1.jpg", "cat\\2.jpg", "dog/e\u0301 1.jpg", "dog/x/../4.jpg", "dog/5.jpg")
    kinds = ("a", "a", "b", "b", "b")
    path = write(tmp_path / "who.csv", *(",".join(pair) for pair in zip(written, kinds, strict=True)))
    found = groups_of(PICTURES, read_groups(path), others={})
    assert (found.of, found.notes) == ({f"content {number}": (kind,) for number, kind in enumerate(kinds)}, ())


def test_pictures_that_are_not_there_are_counted_and_named(tmp_path):
    path = write(
        tmp_path / "who.csv", *(f"{name},a" for name in NAMES), *(f"gone/{number}.jpg,a" for number in range(5))
    )
    found = groups_of(PICTURES, read_groups(path), others={})
    assert found.notes == (f"5 pictures of {path} are not in the data: gone/0.jpg, gone/1.jpg, gone/2.jpg and 2 more",)


def test_a_copy_that_is_named_names_its_content_and_two_groups_are_one(tmp_path):
    """content 0 is named by a copy alone, content 1 as two people's; of those of two classes none is used."""
    copies = {"cat/copy.jpg": "content 0", "dog/copy.jpg": "content 1", "cat/either.jpg": "content 9"}
    lines = ("cat/copy.jpg,ann", "cat/2.jpg,ben", "dog/copy.jpg,ann", "cat/either.jpg,ben")
    path = write(tmp_path / "who.csv", *lines, *(f"{name},kim" for name in NAMES[2:]))
    found = groups_of(PICTURES, read_groups(path), others=copies)
    assert (found.of["content 0"], {*found.of["content 1"]}) == (("ann",), {"ann", "ben"})
    assert found.notes == (
        f"{path} puts identical files into several groups, which are one now: dog/copy.jpg and cat/2.jpg",
    )


def test_an_empty_cell_names_no_group(tmp_path):
    assert read_groups(write(tmp_path / "who.csv", "cat/1.jpg,", "cat/2.jpg, b ")).group_of == {"cat/2.jpg": "b"}


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            ["cat/1.jpg,a", "cat/2.jpg,a", "./cat/1.jpg,b"],
            "lines 2 and 4 of FILE put ./cat/1.jpg into two groups, 'a' and 'b': clear one",
        ),
        ([",a"], "line 2 of FILE has a group and no picture: write the picture's path below its folder"),
    ],
)
def test_what_cannot_be_meant_is_said_with_its_line(tmp_path, lines, said):
    path = write(tmp_path / "who.csv", *lines)
    with pytest.raises(DataError) as error:
        read_groups(path)
    assert str(error.value) == said.replace("FILE", str(path))


@pytest.mark.parametrize(("line", "named"), [("photos/cat/1.jpg,a", "'photos/cat/1.jpg'"), ("", "nothing")])
def test_a_file_that_fits_no_picture_is_refused(tmp_path, line, named):
    path = write(tmp_path / "who.csv", line)
    with pytest.raises(DataError) as error:
        groups_of(PICTURES, read_groups(path), others={})
    assert str(error.value) == (
        f"{path} names no picture of the data: it names {named}, and the first picture is 'cat/1.jpg': write the "
        "column picture as a run's split.csv has it"
    )


def test_a_file_without_its_columns_is_refused(tmp_path):
    (tmp_path / "who.csv").write_text("name,person\n1,2\n")
    with pytest.raises(DataError, match="a list of groups has the columns picture and group"):
        read_groups(tmp_path / "who.csv")
