"""What a list of decisions does to the pictures of a data set, and what it is not allowed to do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from eyespot.data.copies import Hashed, without_copies
from eyespot.data.data_set import Picture
from eyespot.data.deciding import Decided, decide
from eyespot.data.decisions import Decision, Decisions
from eyespot.errors import DataError, OptionError
from eyespot.records import Part


def hashed(name: str, content: str = "", *, part: Part | None = None) -> Hashed:
    """A picture whose class is its folder."""
    return Hashed(Picture(name, label=name.partition("/")[0], part=part), content or name)


PICTURES = [hashed(f"{label}/{number}") for label in ("cat", "dog") for number in range(4)]


def decisions(done: dict[str, str], *, named: str = "", why: str = "") -> Decisions:
    """By content, what is to be done."""
    rows = {content: Decision(content, named or content, why, do, line=2) for content, do in done.items()}
    return Decisions("list.csv", "0" * 64, rows)


def decided(done: dict[str, str], pictures: list[Hashed] = PICTURES, *, yes: bool = False) -> Decided:
    return decide(pictures, decisions(done), yes=yes)


def labels(pictures: list[Hashed]) -> dict[str, str | None]:
    return {each.picture.name: each.picture.label for each in pictures}


def test_pictures_are_left_out_with_the_reason_that_the_list_gives():
    found = decide(PICTURES, decisions({"cat/1": "x"}, why="label doubtful"), yes=False)
    assert labels(found.kept) == {name: label for name, label in labels(PICTURES).items() if name != "cat/1"}
    assert [each.content for each in found.left_out] == ["cat/1"]
    assert [(each.picture, each.reason) for each in found.set_aside] == [
        ("cat/1", "was left out by you: label doubtful")
    ]
    assert found.notes == []


def test_a_picture_of_another_class_is_named_and_keeps_its_place():
    found = decided({"dog/2": "cat"})
    assert labels(found.kept) == {**labels(PICTURES), "dog/2": "cat"}
    assert [each.picture.name for each in found.kept] == [each.picture.name for each in PICTURES]
    assert found.relabelled == {"dog/2": "dog"}
    assert found.notes == ["1 picture has the class that list.csv says: dog/2 is 'cat'"]


def test_the_class_that_it_has_is_no_change():
    found = decided({"dog/2": "dog"})
    assert (found.kept, found.relabelled, found.notes) == (PICTURES, {}, [])


def test_a_decision_ends_a_contradiction_between_two_folders():
    pictures = [*PICTURES, hashed("cat/copy", "same"), hashed("dog/copy", "same")]
    assert len(without_copies(pictures)[0]) == len(PICTURES)
    kept, copies = without_copies(decided({"same": "dog"}, pictures).kept)
    assert labels(kept) == {**labels(PICTURES), "cat/copy": "dog"}
    assert [each.reason for each in copies] == ["is a copy of cat/copy"]


def test_every_file_of_one_content_is_left_out():
    pictures = [*PICTURES, hashed("cat/copy", "same"), hashed("dog/copy", "same")]
    assert [each.picture for each in decided({"same": "x"}, pictures).set_aside] == ["cat/copy", "dog/copy"]


def test_what_is_not_in_the_data_and_what_has_changed_is_counted_and_named():
    done = {"gone/1": "x", "gone/2": "cat", "other": "x"}
    rows = decisions(done).by_content
    rows = {**rows, "other": Decision("other", "./cat\\1", "", "x", line=4)}
    found = decide(PICTURES, Decisions("list.csv", "", rows), yes=False)
    assert found.kept == PICTURES
    assert found.notes == [
        "1 picture of list.csv has changed since it was listed, so nothing was done about ./cat\\1: look again",
        "2 pictures of list.csv are not in the data: gone/1 and gone/2",
    ]


def test_half_of_a_class_may_go_and_more_only_on_a_word():
    half = {"cat/0": "x", "cat/1": "x"}
    assert len(decided(half).kept) == 6
    with pytest.raises(OptionError) as error:
        decided({**half, "cat/2": "x"})
    assert str(error.value) == (
        "list.csv leaves out 3 of the 4 pictures of 'cat', more than half: if that is meant, give the option yes "
        "(--yes), else look at its column do"
    )
    assert len(decided({**half, "cat/2": "x"}, yes=True).kept) == 5


@pytest.mark.parametrize("do", ["x", "dog"])
def test_no_class_is_emptied(do):
    with pytest.raises(DataError) as error:
        decided({f"cat/{number}": do for number in range(4)}, yes=True)
    assert str(error.value) == (
        "list.csv leaves no picture of 'cat' to train on: let some stay, or move that class's folder away"
    )


def test_a_picture_that_is_not_used_anyway_does_not_keep_its_class():
    """The same bytes lie in both classes."""
    contested = [replace(hashed(f"{name}/same"), content="same") for name in ("cat", "dog")]
    with pytest.raises(DataError, match="leaves no picture of 'cat' to train on"):
        decided({f"cat/{number}": "dog" for number in range(4)}, [*PICTURES, *contested])
    assert len(decided({f"cat/{number}": "dog" for number in range(3)}, [*PICTURES, *contested]).kept) == 10


def test_a_class_that_is_left_only_to_be_tested_is_empty():
    parts: list[Part] = ["train", "test", "test", "test"]
    pictures = [hashed(f"{name}/{n}", part=part) for name in ("cat", "dog") for n, part in enumerate(parts)]
    with pytest.raises(DataError, match="no picture of 'dog' to train on"):
        decided({"dog/0": "x"}, pictures)


def test_where_a_class_is_called_x_it_is_said_what_x_does():
    pictures = [*PICTURES, hashed("x/1"), hashed("x/2")]
    assert decided({"cat/1": "x"}, pictures).notes == [
        "x in the column do leaves a picture out: it does not give it the class 'x'"
    ]
    assert decided({"cat/1": "dog"}, pictures).relabelled == {"cat/1": "cat"}
