"""What many pictures tell of each other, on features that were made up."""

from __future__ import annotations

import numpy as np

from eyespot.auditing.examine import Told, _unknown, examine
from eyespot.auditing.gathered import Shown
from eyespot.data.groups import Links
from eyespot.evaluate.doubts import MOST_LISTED

CLASSES, EACH, TURNED = 10, 250, 300


def test_all_doubtful_labels_are_told_however_many_there_are():
    random = np.random.default_rng(0)
    true = np.repeat(np.arange(CLASSES), EACH)
    count = len(true)
    features = (np.eye(CLASSES, 24) * 9)[true] + random.standard_normal((count, 24))
    labels, turned = true.copy(), random.choice(count, TURNED, replace=False)
    labels[turned] = (labels[turned] + random.integers(1, CLASSES, TURNED)) % CLASSES
    shown = Shown(
        pictures=[],
        rows=np.arange(count),
        set_aside=[],
        thumbnails=random.integers(0, 256, (count, 32, 32)).astype(np.uint8),
        size_hw=np.full((count, 2), 200),
        file_bytes=np.full(count, 9000),
        camera=np.zeros(count, bool),
    )
    found = examine(
        Told(
            contents=[f"{number:05}" for number in range(count)],
            features=features.astype(np.float32),
            links=Links.none(),
            shown=shown,
            labels=labels,
            classes=[str(number) for number in range(CLASSES)],
        ),
        seed=0,
    )
    for each in found.doubts:
        nearest = found.neighbours.rows[each.row]
        assert (each.neighbours, each.agreeing) == (len(nearest), (labels[nearest] == labels[each.row]).sum())
    assert len({each.row for each in found.doubts} & {*turned.tolist()}) > 0.9 * TURNED > MOST_LISTED


def test_a_class_is_judged_where_every_classifier_had_trained_on_four_things_of_it():
    labels, fold = np.repeat([0, 1, 2], [5, 4, 8]), np.array([0, 1, 2, 3, 4, 0, 1, 2, 3, 0, 0, 1, 1, 2, 2, 3, 3])
    assert _unknown(labels, fold, None) == [1]
    group = np.array([*range(9), 9, 9, 10, 10, 11, 11, 12, 12])
    assert _unknown(labels, fold, group) == [1, 2]
