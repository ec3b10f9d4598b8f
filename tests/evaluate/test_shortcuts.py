"""What files alone give away: scikit-learn's naive Bayes as the outside truth, shortcuts planted and not."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.naive_bayes import CategoricalNB

from eyespot.data.split import stratified_folds
from eyespot.evaluate import shortcuts
from eyespot.evaluate.shortcuts import facts_of_files, told_by_files

NAMES = ["cat", "dog", "eel"]


def files(seed: int = 0, count: int = 600):
    """Sizes in pixels, bytes and labels that have nothing to do with each other."""
    random = np.random.default_rng(seed)
    labels = random.choice(3, count, p=[0.6, 0.3, 0.1])
    size_hw = random.choice([400, 533, 711], (count, 2))
    return size_hw, (size_hw.prod(axis=1) * random.uniform(0.05, 0.25, count)).astype(int), labels


def judged(size_hw, sizes, labels, camera=None, group=None):
    camera = np.zeros(len(labels), bool) if camera is None else camera
    fold = stratified_folds(labels, folds=5, seed=0, group=group)
    return told_by_files(facts_of_files(size_hw, sizes, camera), labels, fold=fold, group=group)


def test_its_answers_are_scikit_learns():
    size_hw, sizes, labels = files()
    sizes[labels == 2] //= 2
    bins = shortcuts._binned(facts_of_files(size_hw, sizes, labels == 1))
    fold = stratified_folds(labels, folds=3, seed=0)
    answers = shortcuts._answers(bins, labels, fold)
    for held_out in range(3):
        mine = fold == held_out
        twin = CategoricalNB(alpha=0.5, fit_prior=False, min_categories=shortcuts.BINS).fit(bins[~mine], labels[~mine])
        assert (answers[mine] == twin.predict(bins[mine])).mean() > 0.99  # ties


@pytest.mark.parametrize("seed", range(4))
def test_files_that_tell_nothing_are_no_better_than_chance(seed):
    found = judged(*files(seed))
    assert found.accuracy.low <= found.chance <= found.accuracy.high
    assert found.recognised == ()
    assert found.sentences(NAMES) == []


def test_a_class_that_was_saved_smaller_is_named():
    size_hw, sizes, labels = files()
    small = labels == 2
    size_hw[small] = size_hw[small] * 3 // 4
    sizes[small] = sizes[small] // 2
    found = judged(size_hw, sizes, labels)
    assert [each.class_index for each in found.recognised] == [2]
    [sentence] = found.sentences(NAMES)
    assert sentence.startswith("the files of eel differ from the others: by size, shape, bytes and camera alone ")
    assert found.accuracy.low > found.chance


def test_a_class_of_another_camera_is_named():
    size_hw, sizes, _ = files()
    labels = np.arange(600) % 3
    found = judged(size_hw, sizes, labels, camera=labels == 1)
    assert [each.class_index for each in found.recognised] == [1]


def test_a_class_of_a_few_bursts_by_another_camera_is_not_judged():
    size_hw, sizes, _ = files()
    labels = np.arange(600) % 3
    series = np.where(labels == 1, np.arange(600) // 150, np.arange(600) + 4)  # four bursts of fifty pictures
    found = judged(size_hw, sizes, labels, camera=labels == 1, group=series)
    assert found.recognised == ()
    alone = judged(size_hw, sizes, labels, camera=labels == 1)
    assert found.accuracy.high - found.accuracy.low > 2 * (alone.accuracy.high - alone.accuracy.low)


def test_a_class_of_few_pictures_is_not_judged():
    size_hw, sizes, labels = files()
    rare = np.flatnonzero(labels == 2)[shortcuts.FEWEST_OF_CLASS - 1 :]
    keep = np.setdiff1d(np.arange(len(labels)), rare)
    sizes[labels == 2] //= 9
    assert judged(size_hw[keep], sizes[keep], labels[keep]).recognised == ()


def test_one_class_alone_is_nothing_to_tell():
    size_hw, sizes, labels = files()
    assert judged(size_hw, sizes, np.zeros_like(labels)).recognised == ()
