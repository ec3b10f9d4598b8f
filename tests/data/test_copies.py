"""The audit: copies, contradictions, what cannot be read, and what is worth saying about the counts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from eyespot.data import copies as audit
from eyespot.data.copies import (
    Hashed,
    content_hash,
    data_fingerprint,
    hash_pictures,
    is_unbalanced,
    mirror_matters,
    notes_on_counts,
    without_copies,
)
from eyespot.data.data_set import DataSet, Picture
from eyespot.data.sources import open_data_set


def hashed(name: str, content: str, label: str = "cat", part=None) -> Hashed:
    return Hashed(Picture(name, label=label, part=part, data=content.encode()), content_hash(content.encode()))


def names(kept: Sequence[Hashed]) -> list[str]:
    return [each.picture.name for each in kept]


# Hashes


def test_a_content_hash_is_blake2b_of_the_bytes():
    assert content_hash(b"abc") == hashlib.blake2b(b"abc", digest_size=16).hexdigest()
    assert content_hash(b"abc") != content_hash(b"abd")


@pytest.mark.parametrize("threads", [1, 4])
def test_every_picture_is_hashed_in_order_and_those_that_cannot_be_read_are_set_aside(tmp_path, threads):
    pictures = []
    for number in range(50):
        path = tmp_path / f"{number}.png"
        path.write_bytes(bytes([number]))
        pictures.append(Picture(path.name, path=path))
    (tmp_path / "7.png").unlink()
    (tmp_path / "9.png").unlink()
    (tmp_path / "9.png").mkdir()
    ticks: list[int] = []
    kept, set_aside = hash_pictures(pictures, threads=threads, progress=ticks.append)
    assert [(each.picture.name, each.content) for each in kept] == [
        (f"{number}.png", content_hash(bytes([number]))) for number in range(50) if number not in (7, 9)
    ]
    assert [each.picture for each in set_aside] == ["7.png", "9.png"]
    assert all(each.reason.startswith("cannot be read: ") for each in set_aside)
    assert ticks == list(range(1, 51))


def test_no_pictures_have_no_hashes():
    assert hash_pictures([], threads=2) == ([], [])


def test_hashing_that_is_stopped_reads_no_further(monkeypatch):
    read: list[str] = []
    monkeypatch.setattr(Picture, "read", lambda self: read.append(self.name) or b"x")

    def stop(done: int) -> None:
        raise KeyboardInterrupt

    pictures = [Picture(str(number), data=b"") for number in range(200_000)]
    with pytest.raises(KeyboardInterrupt):
        hash_pictures(pictures, threads=2, progress=stop)
    assert len(read) < 200_000


# Copies and contradictions


@pytest.mark.parametrize(
    ("parts", "kept"),
    [
        (("train", "val", "test"), 2),
        (("train", "val", "val"), 1),
        (("test", "val", "train"), 0),
        (("train", "train", "train"), 0),
        ((None, None, None), 0),
    ],
)
def test_of_copies_the_one_in_test_is_kept_then_the_one_in_val_then_the_first(parts, kept):
    group = [hashed(f"{number}.png", "same", part=part) for number, part in enumerate(parts)]
    other = hashed("other.png", "other", part="train")
    remaining, set_aside = without_copies([*group, other])
    assert names(remaining) == [f"{kept}.png", "other.png"]
    assert {each.picture for each in set_aside} == {f"{number}.png" for number in range(3) if number != kept}
    assert {each.reason for each in set_aside} == {f"is a copy of {kept}.png"}


@pytest.mark.parametrize("parts", [(None, None, None), ("train", "train", "test"), ("test", "val", "train")])
def test_a_picture_that_stands_in_two_classes_is_set_aside_wherever_it_lies(parts):
    group = [
        hashed(f"{number}.png", "same", label, part)
        for number, (label, part) in enumerate(zip(("cat", "dog", "cat"), parts, strict=True))
    ]
    remaining, set_aside = without_copies([*group, hashed("other.png", "other")])
    assert names(remaining) == ["other.png"]
    assert [each.picture for each in set_aside] == ["0.png", "1.png", "2.png"]
    assert {each.reason for each in set_aside} == {"the same picture has two labels, 'cat' and 'dog': keep one"}


pictures_of_few_contents = st.lists(
    st.tuples(
        st.sampled_from("abcdef"), st.sampled_from(["cat", "dog"]), st.sampled_from(["train", "val", "test", None])
    ),
    max_size=20,
).map(lambda rows: [hashed(f"{number}.png", *row) for number, row in enumerate(rows)])


@settings(deadline=None)
@given(pictures_of_few_contents)
def test_afterwards_each_content_stands_once_in_order_and_all_others_are_named(pictures):
    remaining, set_aside = without_copies(pictures)
    contents = [each.content for each in remaining]
    assert len(set(contents)) == len(contents)
    assert names(remaining) == [name for name in names(pictures) if name in set(names(remaining))]
    assert sorted([*names(remaining), *(each.picture for each in set_aside)]) == sorted(names(pictures))
    for each in pictures:
        labels = {other.picture.label for other in pictures if other.content == each.content}
        assert (each.content in contents) == (len(labels) == 1)


# Notes


def test_a_class_with_one_picture_is_noted():
    (note,) = notes_on_counts({"cat": 1, "dog": 3})
    assert "'cat' has one picture" in note


def test_a_class_of_which_no_picture_is_left_is_noted():
    (note,) = notes_on_counts({"cat": 5, "dog": 5, "bird": 0})
    assert "'bird' has no picture" in note


@pytest.mark.parametrize(("counts", "unbalanced"), [([3, 9], False), ([3, 10], True), ([5], False), ([], False)])
def test_classes_are_unbalanced_where_one_has_over_three_times_another(counts, unbalanced):
    assert is_unbalanced(counts) is unbalanced
    assert is_unbalanced([*counts, 0]) is unbalanced
    named = {f"class{number}": count for number, count in enumerate(counts)}
    assert any("unbalanced" in note for note in notes_on_counts(named)) is unbalanced


def test_the_note_on_imbalance_names_the_largest_and_the_smallest_class():
    (note,) = notes_on_counts({"cat": 40, "dog": 20, "bird": 10})
    assert "'cat' has 40" in note
    assert "'bird' has 10" in note


@pytest.mark.parametrize(
    ("classes", "matters"),
    [
        (("0", "1", "10"), True),
        (("a", "b", "c"), True),
        (("turn left", "turn right", "stop"), True),
        (("Left-Hand", "RIGHT_hand"), True),
        (("b", "cat", "dog"), False),
        (("cat", "dog"), False),
        (("left luggage", "trolley"), False),
        (("leftovers", "brightness"), False),
    ],
)
def test_a_mirror_image_matters_for_digits_letters_left_and_right(classes, matters):
    assert mirror_matters(classes) is matters


# Fingerprint


def _folder(root, *, prefix: str = "") -> DataSet:
    for shade, name in enumerate(("cat/1", "cat/2", "dog/1")):
        path = root / name.replace("/", f"/{prefix}")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (2, 2), shade).save(path.with_suffix(".png"))
    return open_data_set(root)


def _fingerprint(data_set: DataSet) -> str:
    return data_fingerprint(data_set, hash_pictures(data_set.pictures, threads=2)[0])


def test_the_fingerprint_does_not_depend_on_names_places_or_order(tmp_path):
    here, there = _folder(tmp_path / "here"), _folder(tmp_path / "deep/there", prefix="renamed")
    assert _fingerprint(here) == _fingerprint(there)
    assert _fingerprint(here) == _fingerprint(replace(here, pictures=here.pictures[::-1]))


def test_the_fingerprint_changes_with_every_content_class_and_part(tmp_path):
    data_set = _folder(tmp_path)
    first, *rest = data_set.pictures
    changed = [
        replace(data_set, pictures=tuple(rest)),
        replace(data_set, pictures=(replace(first, label="dog"), *rest)),
        replace(data_set, pictures=(replace(first, part="val"), *rest)),
        replace(data_set, pictures=(Picture(first.name, label=first.label, data=b"other"), *rest)),
        replace(data_set, classes=("cat", "cow", "dog")),
    ]
    assert len({_fingerprint(each) for each in (data_set, *changed)}) == len(changed) + 1


def test_the_first_claims_cover_every_part():
    assert sorted(audit.FIRST_CLAIM, key=audit.FIRST_CLAIM.__getitem__) == ["test", "val", "train", None]
