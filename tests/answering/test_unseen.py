"""Two models are compared on what neither was trained on; which pictures those are, and what is said of the others."""

from __future__ import annotations

import pytest

from eyespot.answering.unseen import on_weights, require_split, unseen
from eyespot.bundle.manifest import KnownPictures
from eyespot.errors import DataError, OptionError
from eyespot.records import Part

HASHES = {name: f"{number:016x}" * 2 for number, name in enumerate("abcdefgh")}


def known(**parts: str) -> KnownPictures:
    pictures: list[tuple[str, Part]] = [(HASHES[name], part) for part, names in parts.items() for name in names]  # type: ignore[misc]
    return KnownPictures.of(pictures)


FIRST = known(train="abc", val="de", test="fg")
SECOND = known(train="ad", val="cf", test="eg")
"""Of the eight pictures a, b, c and d are trained on by one or both, e and f are validation pictures of one."""


@pytest.mark.parametrize(
    ("split", "part", "names"),
    [("auto", "test", "gh"), ("test", "test", "gh"), ("val", "val", "ef"), ("all", "all", "efgh")],
)
def test_what_neither_was_trained_on_is_compared(split, part, names):
    found = unseen(list("abcdefgh"), [*HASHES.values()], (FIRST, SECOND), split=split, data="photos")
    assert (found.part, "".join(found.pictures), found.left_out) == (part, names, 4)


@pytest.mark.parametrize("split", ["val", "all"])
def test_of_validation_pictures_it_is_said_whom_they_helped_to_choose(split):
    found = unseen(list("abcdefgh"), [*HASHES.values()], (FIRST, SECOND), split=split, data="photos")
    said = " ".join(found.notes)
    assert "4 pictures left out: one of the models was trained on them, or both" in said
    assert "validation pictures helped to choose the first (1) and the second (1): " in said


def test_validation_pictures_that_are_not_compared_are_counted():
    found = unseen(list("abcdefgh"), [*HASHES.values()], (FIRST, SECOND), split="auto", data="photos")
    assert "2 validation pictures not compared: --split val does that" in found.notes


def test_where_no_test_picture_is_left_validation_pictures_are_compared_and_that_is_said():
    found = unseen(list("abe"), [HASHES[name] for name in "abe"], (FIRST, SECOND), split="auto", data="photos")
    assert (found.part, found.pictures) == ("val", ["e"])
    assert "no test picture is left that neither model was trained on: better give other pictures as DATA" in (
        found.notes
    )
    assert "helped to choose the first (1): " in " ".join(found.notes)


def test_where_both_were_trained_on_all_there_is_nothing_to_compare():
    with pytest.raises(DataError, match="both were trained on each of the 3 pictures of photos: give"):
        unseen(list("abc"), [HASHES[name] for name in "abc"], (FIRST, SECOND), split="auto", data="photos")


@pytest.mark.parametrize(("names", "split", "there"), [("gh", "val", "test"), ("ef", "test", "val")])
def test_a_part_that_is_not_there_is_said_with_the_one_that_is(names, split, there):
    with pytest.raises(DataError, match=f"no picture that is {split} for the two models: choose --split {there}"):
        unseen(list(names), [HASHES[name] for name in names], (FIRST, SECOND), split=split, data="photos")


def test_nobody_compares_on_training_pictures():
    with pytest.raises(OptionError, match="the option split cannot be 'train': there are auto, test, val, all; none"):
        require_split("train")


def test_two_graphs_that_are_one_are_pointed_out():
    assert on_weights(b"graph", b"other") == []
    assert on_weights(b"graph", b"graph") == ["the two have the same weights: they give the same answers"]
