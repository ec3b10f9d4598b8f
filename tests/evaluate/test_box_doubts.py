"""Boxes that are doubtful: worked cases of each kind, and a brute-force twin on pictures drawn at random."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest

from eyespot.evaluate.box_doubts import BoxDoubt, doubtful_boxes
from eyespot.evaluate.box_matches import Found, Truth
from eyespot.evaluate.boxes import iou

Box = Sequence[float]
HERE, THERE, FAR = (10, 10, 50, 50), (100, 100, 140, 140), (200, 10, 240, 50)
CAT, DOG = 0, 1


def truth(*boxes: tuple[Box, int], crowd: Sequence[bool] | None = None, ignored: Sequence[bool] | None = None) -> Truth:
    return Truth([box for box, _ in boxes], [label for _, label in boxes], ignored, crowd)


def found(*boxes: tuple[Box, float, int]) -> Found:
    return Found([box for box, _, _ in boxes], [score for _, score, _ in boxes], [label for *_, label in boxes])


def doubts(truths: Sequence[Truth], founds: Sequence[Found], **more: int) -> list[BoxDoubt]:
    return doubtful_boxes(truths, founds, classes=2, threshold=0.5, **more)


def usual(count: int = 9) -> tuple[list[Truth], list[Found]]:
    """Pictures with a cat and a dog, which are found with scores of 0.6."""
    return [truth((HERE, CAT), (THERE, DOG))] * count, [found((HERE, 0.6, CAT), (THERE, 0.6, DOG))] * count


def with_usual(one: Truth, what: Found) -> list[BoxDoubt]:
    """What is doubtful in a picture that comes before usual ones."""
    truths, founds = usual()
    return doubts([one, *truths], [what, *founds])


def test_of_what_is_found_as_it_is_labelled_nothing_is_doubtful():
    assert doubts(*usual()) == []
    assert doubts([], []) == []
    assert doubts([truth()], [found()]) == []


def test_a_sure_find_without_a_box():
    [doubt] = with_usual(truth((HERE, CAT)), found((HERE, 0.6, CAT), (FAR, 0.8, DOG)))
    assert doubt == BoxDoubt("no box", picture=0, truth=None, found=1, score=0.8)


def test_what_is_less_sure_than_the_surest_quarter_of_its_class_is_none():
    truths = [truth((HERE, CAT))] * 8
    founds = [found((HERE, score, CAT)) for score in (0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.9, 0.9)]
    for score, listed in ((0.6, 0), (0.7, 1)):  # three quarters of the cats have at most 0.675
        assert len(doubts([*truths, truth()], [*founds, found((FAR, score, CAT))])) == listed


@pytest.mark.parametrize(("apart", "is_doubtful"), [(21, False), (22, True)])
def test_a_find_is_no_boxes_below_an_overlap_of_three_tenths(apart, is_doubtful):
    """Boxes of 40 x 40 px, so many px apart, overlap by (40 - apart) / (40 + apart): 0.311 and 0.290."""
    box = (10 + apart, 10, 50 + apart, 50)
    assert bool(with_usual(truth((HERE, CAT)), found((HERE, 0.6, CAT), (box, 0.8, CAT)))) == is_doubtful


def test_several_finds_at_one_place_are_one():
    near = (202, 12, 242, 52)
    [doubt] = with_usual(truth(), found((FAR, 0.8, CAT), (near, 0.9, DOG)))
    assert (doubt.found, doubt.score) == (1, 0.9)


def test_in_a_crowd_and_on_a_box_that_need_not_be_found_no_box_is_missing():
    crowd = truth(((0, 0, 400, 400), CAT), crowd=[True])
    assert with_usual(crowd, found((FAR, 0.9, CAT))) == []
    assert with_usual(truth((FAR, CAT), ignored=[True]), found((FAR, 0.9, DOG))) == []


def test_a_box_that_nothing_supports():
    [doubt] = with_usual(truth((HERE, CAT), (FAR, DOG)), found((HERE, 0.6, CAT), (FAR, 0.04, CAT)))
    assert doubt == BoxDoubt("nothing found", picture=0, truth=1, found=None, score=0.04)
    assert with_usual(truth((FAR, DOG)), found((FAR, 0.06, CAT))) == []


def test_of_boxes_that_nothing_supports_the_largest_comes_first():
    small = (200, 100, 210, 110)
    both = with_usual(truth((small, DOG), (FAR, CAT)), found())
    assert [doubt.truth for doubt in both] == [1, 0]


def test_a_class_that_the_detector_seldom_finds_tells_nothing_of_its_boxes():
    truths, founds = usual(3)
    missed = found((HERE, 0.6, CAT))
    assert [each.why for each in doubts([*truths, truths[0]], [*founds, missed])] == ["nothing found"]
    assert doubts([*truths, *truths], [*founds, *[missed] * 3]) == []


def test_a_box_on_which_another_class_is_found():
    [doubt] = with_usual(truth((HERE, DOG)), found((HERE, 0.55, CAT)))
    assert doubt == BoxDoubt("another class", picture=0, truth=0, found=0, score=0.55)
    assert with_usual(truth((HERE, DOG)), found((HERE, 0.45, CAT))) == []  # which the detector does not answer
    assert with_usual(truth((HERE, DOG)), found((HERE, 0.55, CAT), (HERE, 0.2, DOG))) == []  # its class is found, too
    assert with_usual(truth((HERE, DOG)), found(((10, 10, 50, 33), 0.55, CAT))) == []  # it overlaps by 0.575


def test_few_of_each_kind_are_listed_the_surest_first():
    truths, founds = [truth()] * 9, [found((FAR, 0.6 + number / 100, CAT)) for number in range(9)]
    some = doubts([*truths, *usual()[0]], [*founds, *usual()[1]], most=4)
    assert [each.picture for each in some] == [8, 7, 6, 5]


def test_random_pictures_against_a_twin_in_plain_loops():
    random = np.random.default_rng(3)
    truths, founds = [], []
    for _ in range(60):
        boxes = [(tuple(box), int(random.integers(2))) for box in drawn(random, 4)]
        seen = [(box, 0.9 * random.random(), label) for box, label in boxes if random.random() < 0.9]
        seen = [(box, score, 1 - label if random.random() < 0.1 else label) for box, score, label in seen]
        seen += [(tuple(box), random.random(), int(random.integers(2))) for box in drawn(random, 2)]
        truths.append(truth(*boxes))
        founds.append(found(*seen))
    said = {(each.why, each.picture, each.truth, each.found) for each in doubts(truths, founds, most=1000)}
    assert said == twin(truths, founds)
    assert min(Counter(why for why, *_ in said).values()) >= 3
    assert len({why for why, *_ in said}) == 3


def drawn(random: np.random.Generator, count: int) -> np.ndarray:
    corners = random.uniform(0, 300, (count, 2))
    return np.concatenate([corners, corners + random.uniform(20, 60, (count, 2))], axis=1)


def twin(truths: Sequence[Truth], founds: Sequence[Found]) -> set[tuple[object, ...]]:
    """What is doubtful, box by box and find by find."""

    def near(picture: int, box: Box, least: float, labels: Sequence[int]) -> list[tuple[float, int]]:
        of = founds[picture]
        return [
            (score, number)
            for number, (other, score, label) in enumerate(zip(of.xyxy, of.scores, of.labels, strict=True))
            if iou([box], [other])[0, 0] >= least and label in labels
        ]

    said: set[tuple[object, ...]] = set()
    support: list[list[float]] = [[], []]
    alone: list[list[tuple[object, ...]]] = [[], []]
    for picture, of in enumerate(truths):
        for number, (box, label) in enumerate(zip(of.xyxy, of.labels, strict=True)):
            own = max([score for score, _ in near(picture, box, 0.3, [label])], default=0)
            support[label].append(own)
            if all(score < 0.05 for score, _ in near(picture, box, 0.3, [0, 1])):
                alone[label].append(("nothing found", picture, number, None))
            others = [pair for pair in near(picture, box, 0.6, [1 - label]) if pair[0] >= 0.5]
            if others and own < 0.05:
                said.add(("another class", picture, number, max(others)[1]))
    for label in (0, 1):
        said |= set(alone[label]) if len(alone[label]) <= len(support[label]) / 4 else set()
    sure = [max(0.5, float(np.quantile(each, 0.75))) for each in support]
    for picture, of in enumerate(founds):
        kept: list[Box] = []
        for score, number in sorted(((score, number) for number, score in enumerate(of.scores)), reverse=True):
            box = of.xyxy[number]
            taken = [*truths[picture].xyxy, *kept]
            if score >= sure[of.labels[number]] and all(iou([box], [other])[0, 0] < 0.3 for other in taken):
                kept.append(box)
                said.add(("no box", picture, None, number))
    return said
