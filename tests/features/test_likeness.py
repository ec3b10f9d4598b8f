"""Pairs that show the same, against comparing each with each and with each one's mirror image."""

from __future__ import annotations

import numpy as np
import pytest

from eyespot.data.groups import join
from eyespot.data.taken import Taken
from eyespot.features import likeness
from eyespot.features.likeness import ALIKE, MIRRORED, PERHAPS, alike, in_a_row, unit_signatures

SHAPE = (6, 4, 4)


def signatures(count: int = 40) -> np.ndarray:
    """Random ones, of which 1 is 0 with a little noise, and 3 is 2 mirrored."""
    random = np.random.default_rng(0)
    found = random.normal(size=(count, *SHAPE)) + 0.2
    found[1] = found[0] + 0.2 * random.normal(size=SHAPE)
    found[3] = found[2][..., ::-1] + 0.2 * random.normal(size=SHAPE)
    return found.astype(np.float16)


def pairs(links) -> set[tuple[int, int]]:
    return set(zip(links.first.tolist(), links.second.tolist(), strict=True))


def twin(found: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Likeness of each to each, as it is and mirrored, written out."""
    x = found.astype(np.float64)
    x = x / np.sqrt((x**2).mean(axis=(0, 2, 3), keepdims=True))
    common = x.mean(axis=0) * len(x) / (len(x) + likeness.PRIOR)
    x = x - (common + common[..., ::-1]) / 2
    flat = x.reshape(len(x), -1)
    mirrored = x[..., ::-1].reshape(len(x), -1)
    size = np.linalg.norm(flat, axis=1)
    return flat @ flat.T / np.outer(size, size), flat @ mirrored.T / np.outer(size, size)


@pytest.mark.parametrize("block", [7, 1000])
def test_pairs_are_those_of_a_comparison_written_out(block, monkeypatch):
    monkeypatch.setattr(likeness, "BLOCK", block)
    found = signatures()
    links = alike(unit_signatures(found))
    plain, mirrored = twin(found)
    above = np.triu(np.ones_like(plain, dtype=bool), k=1)
    expected = ((plain >= ALIKE) | (mirrored >= MIRRORED)) & above
    assert pairs(links) == set(zip(*(rows.tolist() for rows in np.nonzero(expected)), strict=True)) == {(0, 1), (2, 3)}
    strength = dict(zip(zip(links.first.tolist(), links.second.tolist(), strict=True), links.likeness, strict=True))
    assert strength[0, 1] == pytest.approx(plain[0, 1], abs=1e-3)
    assert strength[2, 3] == pytest.approx(mirrored[2, 3] + ALIKE - MIRRORED, abs=1e-3)


def test_pictures_that_are_all_the_same_are_alike_however_many():
    for count in (2, 10, 300):
        same = np.repeat(signatures()[:1], count, axis=0)
        found = alike(unit_signatures(same))
        if count < likeness.LIKEST:
            assert len(pairs(found)) == count * (count - 1) // 2
        assert len(found) <= (likeness.LIKEST + 1) * count
        assert (join(found.take(found.likeness < 2), count + 5_000).group[:count] == 0).all()


@pytest.mark.parametrize("block", [7, 1000])
@pytest.mark.parametrize("likest", [1, 3, 1000])
def test_the_pairs_that_are_kept_make_the_series_that_all_of_them_make(likest, block, monkeypatch):
    random = np.random.default_rng(0)
    frames = np.repeat(random.normal(size=(3, 1, *SHAPE)), 30, axis=1)  # three videos
    frames = frames + 0.25 * np.cumsum(random.normal(size=frames.shape), axis=1)
    others = random.normal(size=(200, *SHAPE))
    unit = unit_signatures(np.concatenate([frames.reshape(-1, *SHAPE), others]))
    every = alike(unit, unsure=20)
    monkeypatch.setattr(likeness, "LIKEST", likest)
    monkeypatch.setattr(likeness, "BLOCK", block)
    found = alike(unit, unsure=20)
    for each in (every, found):
        assert (each.likeness < ALIKE).sum() == 20
    assert pairs(found.take(found.likeness < ALIKE)) == pairs(every.take(every.likeness < ALIKE))
    for least in (ALIKE, 0.84, 0.9, 0.95):
        whole, kept = (join(each.take(each.likeness >= least), 10_000).group for each in (every, found))
        assert np.array_equal(whole, kept)
    assert likest == 1000 or len(found) < len(every)


def test_the_likest_of_those_that_may_be_one_are_given_beside():
    unit = unit_signatures(signatures())
    first = unit[:20]
    unit = np.concatenate([first, first + 0.12 * np.random.default_rng(1).normal(size=first.shape)]).astype(np.float32)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    all_ = alike(unit, unsure=10_000)
    unsure = all_.take(all_.likeness < ALIKE)
    assert (unsure.likeness >= PERHAPS).all()
    few = alike(unit, unsure=5)
    few = few.take(few.likeness < ALIKE)
    assert few.likeness.tolist() == sorted(unsure.likeness.tolist(), reverse=True)[:5]


@pytest.mark.parametrize("axes", [1, 4, 16, 128])
@pytest.mark.parametrize("share", [0, 1 / 64, 1])
@pytest.mark.parametrize("unsure", [0, 5])
def test_few_numbers_of_each_picture_find_the_same_pairs(axes, share, unsure, monkeypatch):
    random = np.random.default_rng(1)
    kinds = np.repeat(random.normal(size=(60, *SHAPE)), 5, axis=0)
    kinds[::10] = kinds[::10, ..., ::-1]
    found = (kinds + 0.45 * random.normal(size=kinds.shape)).astype(np.float16)
    unit = unit_signatures(found)
    monkeypatch.setattr(likeness, "PAIRS", 7)
    whole = alike(unit, unsure=unsure)
    for name, value in (("MANY", 0), ("AXES", axes), ("SHARE", share), ("SAMPLED", 50)):
        monkeypatch.setattr(likeness, name, value)
    again = alike(unit, unsure=unsure)
    assert pairs(again) == pairs(whole)
    assert len(whole) > 50
    order, order_again = (np.lexsort((each.second, each.first)) for each in (whole, again))
    np.testing.assert_allclose(again.likeness[order_again], whole.likeness[order], atol=1e-5)


def test_two_different_pictures_are_not_alike():
    assert not pairs(alike(unit_signatures(signatures()[4:6])))


def test_taken_in_a_row_means_one_camera_within_seconds_and_a_little_alike():
    random = np.random.default_rng(1)
    first = random.normal(size=SHAPE)
    near = first + 0.6 * random.normal(size=SHAPE)
    found = np.stack([first, near, near, near, random.normal(size=SHAPE)] + [random.normal(size=SHAPE)] * 30)
    taken = [Taken("a", 0.0), Taken("a", 9.0), Taken("b", 9.0), Taken("a", 30.0), Taken("a", 10.0)]
    unit = unit_signatures(found)
    assert pairs(in_a_row(unit, [*taken, *[None] * 30])) == {(0, 1)}


def test_without_times_nothing_is_in_a_row():
    assert len(in_a_row(unit_signatures(signatures()), [None] * 40)) == 0
