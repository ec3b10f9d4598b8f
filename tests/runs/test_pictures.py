"""The pictures of a run are found again, and a fair share of each class is drawn from them."""

from __future__ import annotations

import pytest

from eyespot.data.copies import Hashed
from eyespot.data.data_set import Picture
from eyespot.runs.pictures import draw_of_each_class


def of_sizes(sizes: dict[str, int]) -> list[Hashed]:
    return [
        Hashed(Picture(f"{label}/{n}", label), f"{label}{n:05}") for label, size in sizes.items() for n in range(size)
    ]


def test_of_many_pictures_the_same_share_of_each_class_is_drawn():
    sizes = {"a": 3000, "b": 1500, "c": 3}
    hashed = of_sizes(sizes)
    drawn = draw_of_each_class(hashed, most=1000, seed=0)
    counts = {label: sum(each.picture.label == label for each in drawn) for label in sizes}
    assert counts["a"] == pytest.approx(2 * counts["b"], rel=0.01)
    assert counts["c"] >= 1
    assert 990 < len(set(drawn)) == len(drawn) <= 1000
    assert drawn == draw_of_each_class(hashed[::-1], most=1000, seed=0)
    assert drawn != draw_of_each_class(hashed, most=1000, seed=1)


@pytest.mark.parametrize("classes", [9, 10, 11, 50])
def test_with_about_as_many_classes_as_pictures_may_be_drawn_each_gives_one_or_none(classes):
    hashed = of_sizes({f"{label:02}": 20 for label in range(classes)})
    drawn = draw_of_each_class(hashed, most=10, seed=0)
    assert len({each.picture.label for each in drawn}) == len(drawn) == min(classes, 10)
    assert drawn == draw_of_each_class(hashed[::-1], most=10, seed=0)


def test_few_pictures_are_all_drawn_and_none_are_no_fault():
    hashed = of_sizes({"a": 3, "b": 1})
    assert sorted(each.content for each in draw_of_each_class(hashed, most=10, seed=0)) == [
        each.content for each in hashed
    ]
    assert draw_of_each_class([], most=10, seed=0) == []
