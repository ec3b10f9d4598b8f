"""The split: stratified, decided by content and seed alone, and never the same picture on both sides."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eyespot.data.copies import Hashed, content_hash
from eyespot.data.data_set import Picture
from eyespot.data.split import SHARE, split, stratified_folds

counts_per_class = st.dictionaries(st.sampled_from(["ant", "bee", "cat", "dog"]), st.integers(1, 60), min_size=1)
seeds = st.integers(0, 2**32)


def make(counts: dict[str, int], part=None) -> list[Hashed]:
    return [
        Hashed(Picture(f"{label}/{n}.png", label=label, part=part), content_hash(f"{label} {n} {part}".encode()))
        for label, count in counts.items()
        for n in range(count)
    ]


def part_of(hashed: list[Hashed]) -> dict[str, str]:
    return {each.content: str(each.picture.part) for each in hashed}


def per_class(hashed: list[Hashed]) -> dict[str, Counter]:
    counts: dict[str, Counter] = defaultdict(Counter)
    for each in hashed:
        counts[str(each.picture.label)][each.picture.part] += 1
    return counts


@settings(deadline=None)
@given(counts_per_class, seeds)
def test_of_each_class_about_its_share_validates_and_tests_and_some_train(counts, seed):
    for label, parts in per_class(split(make(counts), seed=seed)).items():
        assert parts.total() == counts[label]
        assert parts["train"] >= 1
        for part in ("val", "test"):
            if counts[label] >= 3:
                assert parts[part] >= 1
                assert abs(parts[part] - SHARE * counts[label]) < 1
            else:
                assert parts[part] == 0


@settings(deadline=None)
@given(counts_per_class, seeds)
def test_nothing_but_the_part_is_changed_and_the_order_stays(counts, seed):
    hashed = make(counts)
    done = split(hashed, seed=seed)
    assert [replace(each, picture=replace(each.picture, part=None)) for each in done] == hashed


@settings(deadline=None)
@given(counts_per_class, seeds, st.randoms(use_true_random=False))
def test_the_parts_depend_on_content_and_seed_not_on_names_places_or_order(counts, seed, random):
    hashed = make(counts)
    moved = [
        Hashed(replace(each.picture, name=f"other/{random.random()}.jpg", path=None), each.content) for each in hashed
    ]
    random.shuffle(moved)
    assert part_of(split(hashed, seed=seed)) == part_of(split(moved, seed=seed))


@settings(deadline=None)
@given(counts_per_class, seeds, st.text(max_size=5))
def test_one_more_picture_moves_at_most_one_across_each_border(counts, seed, text):
    hashed = make(counts)
    new = Hashed(Picture("new.png", label="cat"), content_hash(f"new {text}".encode()))
    before, after = part_of(split(hashed, seed=seed)), part_of(split([new, *hashed], seed=seed))
    moved = [each for each in hashed if before[each.content] != after[each.content]]
    assert {each.picture.label for each in moved} <= {"cat"}
    assert len(moved) <= 3  # a border moves by one at most, and the new picture may push one over each


def test_another_seed_is_another_split_and_the_same_seed_the_same():
    hashed = make({"cat": 100, "dog": 100})
    parts = [part_of(split(hashed, seed=seed)) for seed in (0, 0, 1)]
    assert parts[0] == parts[1] != parts[2]


def test_which_pictures_are_drawn_is_even_over_the_seeds():
    hashed = make({"cat": 20})
    tested = Counter(
        each.content for seed in range(500) for each in split(hashed, seed=seed) if each.picture.part == "test"
    )
    expected = 500 * 3 / 20  # 0.15 of 20 are 3
    assert len(tested) == 20
    assert max(abs(count - expected) for count in tested.values()) < 5 * expected**0.5


@settings(deadline=None)
@given(counts_per_class, seeds)
def test_the_parts_that_folders_gave_stay(counts, seed):
    hashed = [*make(counts, "train"), *make(counts, "val"), *make(counts, "test")]
    assert split(hashed, seed=seed) == hashed
    without_test = [each for each in hashed if each.picture.part != "test"]
    assert split(without_test, seed=seed) == without_test


@settings(deadline=None)
@given(counts_per_class, seeds)
def test_a_missing_val_is_cut_from_train_and_test_stays(counts, seed):
    train, test = make(counts, "train"), make(counts, "test")
    done = split([*test, *train], seed=seed)
    parts = part_of(done)
    assert all(parts[each.content] == "test" for each in test)
    assert {parts[each.content] for each in train} <= {"train", "val"}
    cut = per_class([each for each in done if each.content in {other.content for other in train}])
    for label, count in counts.items():
        assert cut[label]["train"] >= 1
        if count >= 2:
            assert cut[label]["val"] == max(1, round(SHARE * count))


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 8), st.sampled_from(["cat", "dog"])), min_size=1, max_size=40),
    seeds,
    st.sampled_from([None, "train"]),
)
def test_identical_files_never_lie_on_two_sides(rows, seed, part):
    hashed = [
        Hashed(Picture(f"{number}", label=label, part=part), content_hash(bytes([content])))
        for number, (content, label) in enumerate(rows)
    ]
    sides = defaultdict(set)
    for each in split(hashed, seed=seed):
        sides[each.content].add(each.picture.part)
    assert all(len(parts) == 1 for parts in sides.values())


def test_nothing_is_split_into_nothing():
    assert split([], seed=0) == []


# Folds


@settings(deadline=None)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=120), st.integers(2, 10), seeds)
def test_folds_spread_every_class_and_all_pictures_as_evenly_as_can_be(labels, folds, seed):
    labels = np.array(labels)
    fold = stratified_folds(labels, folds=folds, seed=seed)
    assert fold.shape == labels.shape
    assert fold.min() >= 0
    assert fold.max() < folds
    for each in (*np.unique(labels), None):
        sizes = np.bincount(fold if each is None else fold[labels == each], minlength=folds)
        assert sizes.max() - sizes.min() <= 1


def test_folds_are_the_same_for_the_same_seed_and_others_for_another():
    labels = np.repeat([0, 1], 50)
    a, b, c = (stratified_folds(labels, folds=5, seed=seed) for seed in (0, 0, 1))
    assert (a == b).all()
    assert (a != c).any()


@pytest.mark.parametrize("seed", range(5))
def test_pictures_of_one_class_are_dealt_to_the_folds_at_random(seed):
    fold = stratified_folds(np.zeros(100, int), folds=5, seed=seed)
    assert (fold != np.arange(100) % 5).any()


groups_of = st.dictionaries(st.integers(0, 150), st.integers(0, 12), max_size=60)


def grouped(hashed: list[Hashed], groups: dict[int, int]) -> dict[str, str]:
    return {hashed[row].content: f"group {group}" for row, group in groups.items() if row < len(hashed)}


@settings(deadline=None)
@given(counts_per_class, seeds, groups_of)
def test_no_group_is_torn_apart_and_every_class_trains(counts, seed, groups):
    hashed = make(counts)
    group_of = grouped(hashed, groups)
    parts = part_of(split(hashed, seed=seed, group_of=group_of))
    seen: dict[str, set[str]] = defaultdict(set)
    for content, group in group_of.items():
        seen[group].add(parts[content])
    assert all(len(each) == 1 for each in seen.values())
    assert all(parts["train"] >= 1 for parts in per_class(split(hashed, seed=seed, group_of=group_of)).values())


@settings(deadline=None)
@given(counts_per_class, seeds, groups_of, st.randoms(use_true_random=False))
def test_the_parts_with_groups_depend_on_content_and_seed_alone(counts, seed, groups, random):
    hashed = make(counts)
    group_of = grouped(hashed, groups)
    renamed = {content: f"another {name}" for content, name in group_of.items()}
    shuffled = random.sample(hashed, len(hashed))
    assert part_of(split(hashed, seed=seed, group_of=group_of)) == part_of(split(shuffled, seed=seed, group_of=renamed))


def test_of_bursts_about_the_share_validates_and_tests():
    hashed = make({"cat": 600, "dog": 600})
    group_of = {each.content: f"{each.picture.label} {number // 6}" for number, each in enumerate(hashed)}
    for parts in per_class(split(hashed, seed=0, group_of=group_of)).values():
        for part in ("val", "test"):
            assert abs(parts[part] - SHARE * 600) <= 3


def test_a_class_of_few_large_groups_is_held_out_as_near_to_its_share_as_can_be():
    hashed = make({"cat": 30})
    group_of = {each.content: str(number // 6) for number, each in enumerate(hashed)}
    parts = per_class(split(hashed, seed=0, group_of=group_of))["cat"]
    assert (parts["train"], parts["val"], parts["test"]) == (18, 6, 6)


@settings(deadline=None)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=6), seeds, st.sampled_from([None, "train"]))
def test_a_class_with_a_group_for_each_part_is_in_all_of_them(sizes, seed, part):
    hashed = make({"cat": sum(sizes), "dog": 100}, part)
    names = [str(number) for number, size in enumerate(sizes) for _ in range(size)]
    group_of = {each.content: name for each, name in zip(hashed, names, strict=False)}
    parts = per_class(split(hashed, seed=seed, group_of=group_of))["cat"]
    drawn = {"train", "val"} if part else {"train", "val", "test"}
    assert parts["train"] > 0
    if len(sizes) >= len(drawn):
        assert {each for each, count in parts.items() if count} == drawn
    for each in drawn - {"train"}:  # no more is held out than its share or one group
        assert parts[each] <= max(2 * SHARE * sum(sizes), max(sizes))


def test_a_part_that_lacks_a_class_gets_its_smallest_group():
    hashed = make({"cat": 60})
    names = [str(number) for number, size in enumerate((25, 20, 15)) for _ in range(size)]
    for seed in range(5):
        parts = per_class(split(hashed, seed=seed, group_of={e.content: n for e, n in zip(hashed, names, strict=True)}))
        assert sorted(parts["cat"].values()) == [15, 20, 25]
        assert parts["cat"]["train"] == 25


@settings(deadline=None)
@given(
    st.lists(st.integers(0, 3), min_size=5, max_size=60), st.integers(2, 5), seeds, st.randoms(use_true_random=False)
)
def test_folds_tear_no_group_apart_and_are_the_same_without_groups(labels, folds, seed, random):
    labels = np.array(labels)
    group = np.array([random.randrange(len(labels)) for _ in labels])
    fold = stratified_folds(labels, folds=folds, seed=seed, group=group)
    assert all(len(set(fold[group == each].tolist())) == 1 for each in group)
    used = min(folds, len(np.unique(group)))  # with few groups, but none is empty in between
    assert set(fold.tolist()) == set(range(used))
    alone = stratified_folds(labels, folds=folds, seed=seed, group=np.arange(len(labels)) + 7)
    assert np.array_equal(alone, stratified_folds(labels, folds=folds, seed=seed))


def test_folds_of_groups_of_one_size_are_even():
    group = np.repeat(np.arange(50), 6)
    fold = stratified_folds(group % 2, folds=5, seed=0, group=group)
    assert np.bincount(fold).tolist() == [60] * 5
