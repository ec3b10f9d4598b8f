"""Links join to groups as a brute-force twin joins them; what is too large to be a series loses its weakest links."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from eyespot.data.groups import Links, Series, effective_count, forest, join


def links(*pairs: tuple[int, int], likeness: float = 1.0) -> Links:
    rows = np.array(pairs, np.int64).reshape(-1, 2)
    return Links(rows[:, 0], rows[:, 1], np.full(len(rows), likeness, np.float32))


def twin(pairs: list[tuple[int, int]], count: int) -> list[int]:
    """The smallest row that each can reach, by going on until nothing changes."""
    group = list(range(count))
    while True:
        before = list(group)
        for one, other in pairs:
            group[one] = group[other] = min(group[one], group[other])
        if group == before:
            return group


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12))
def test_groups_are_what_is_linked_whatever_the_way(pairs):
    many = 400  # so that none is too large
    assert join(links(*pairs), many).group.tolist() == twin(pairs, many)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11), st.integers(0, 5)), max_size=40))
def test_a_forest_joins_the_same_pictures_whatever_likeness_is_asked_for(found):
    rows = np.array([each for each in found if each[0] != each[1]], np.int64).reshape(-1, 3)
    every = Links(rows[:, 0], rows[:, 1], rows[:, 2].astype(np.float32))
    few = forest(every, 12)
    for least in range(6):
        whole, left = (join_all(each.take(each.likeness >= least), 12) for each in (every, few))
        assert left == whole
    assert len(few) == 12 - len({*join_all(every, 12)})
    assert {*zip(few.first.tolist(), few.second.tolist(), few.likeness.tolist(), strict=True)} <= {
        *zip(every.first.tolist(), every.second.tolist(), every.likeness.tolist(), strict=True)
    }


def join_all(found: Links, count: int) -> list[int]:
    return twin([*zip(found.first.tolist(), found.second.tolist(), strict=True)], count)


def test_a_group_that_is_no_series_keeps_only_its_strong_links():
    chain = [(row, row + 1) for row in range(99)]
    weak = links(*chain, likeness=0.8)
    strong = links((0, 1), (50, 51), likeness=0.97)
    found = join(Links.of(weak, strong), 200)
    assert found.cut == 100
    sizes = np.bincount(found.group)
    assert sorted(sizes[sizes > 1].tolist()) == [2, 2]


def test_links_that_a_person_gave_are_never_cut():
    people = Links.of_names([["ada"]] * 90 + [[]] * 10)
    found = join(people, 100)
    assert found.cut == 0
    assert np.bincount(found.group)[0] == 90


def test_groups_that_share_a_picture_are_one():
    found = join(Links.of_names([["ada"], ["ada", "ben"], ["ben"], ["kim"], []]), 5)
    assert found.group.tolist() == [0, 0, 0, 3, 4]


def test_a_group_that_a_person_gave_is_not_too_large_and_keeps_its_near_copies():
    """Ada's 60 pictures, of which the last is a near-copy of one that is not hers."""
    people = Links.of_names([["ada"]] * 60 + [[]] * 140)
    found = join(Links.of(people, links((59, 60), likeness=0.8)), 200)
    assert found.cut == 0
    assert np.bincount(found.group)[0] == 61


def test_only_pictures_whose_group_became_smaller_count_as_cut():
    chain = links(*((row, row + 1) for row in range(99)), likeness=0.96)
    for likeness, cut in ((0.97, 0), (0.8, 101)):
        assert join(Links.of(chain, links((99, 100), likeness=likeness)), 200).cut == cut


def test_of_few_pictures_a_quarter_may_be_one_series():
    assert join(links((0, 1), (1, 2), likeness=0.8), 12).cut == 0
    assert join(links((0, 1), (1, 2), (2, 3), likeness=0.8), 12).cut == 4


def test_a_series_is_called_by_its_smallest_content_and_numbers_follow_the_pictures():
    series = Series.joined(links((0, 2)), ["a", "b", "c", *map(str, range(10, 30))])
    assert series.of == {"a": "a", "c": "a"}
    assert (len(series), series.largest) == (1, 2)
    numbers = series.group(["b", "c", "a"])
    assert numbers is not None
    assert numbers.tolist() == [0, 1, 1]
    assert series.group(["b", "c"]) is None


def test_pictures_of_one_series_count_once():
    assert effective_count(np.arange(7)) == 7
    assert effective_count(np.zeros(7)) == 1
    assert effective_count(np.repeat(np.arange(200), 6)) == 200
