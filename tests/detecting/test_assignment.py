"""Which places answer for which box, held against a twin that loops."""

import numpy as np
import pytest
import torch
from torch import Tensor

from eyespot.detecting.assignment import BEST, OVERLAP_POWER, SCORE_POWER, Truth, assign
from eyespot.detecting.places import Places
from eyespot.evaluate.boxes import iou

PLACES = Places((96, 128), (16, 32))


def drawn(seed: int, *, images: int = 2, boxes: int = 7, classes: int = 3) -> tuple[Tensor, Tensor, Truth]:
    random = torch.Generator().manual_seed(seed)
    scores = torch.rand(images, len(PLACES.middles), classes, generator=random)
    distances = 2 * torch.rand(images, len(PLACES.middles), 4, generator=random)
    corner = 80 * torch.rand(boxes, 2, generator=random)
    size = 8 + 40 * torch.rand(boxes, 2, generator=random)
    truth = Truth(
        torch.cat([corner, corner + size], 1),
        torch.randint(0, classes, (boxes,), generator=random),
        torch.randint(0, images, (boxes,), generator=random),
    )
    return scores, PLACES.boxes(distances), truth


def slowly(scores: Tensor, boxes: Tensor, truth: Truth) -> dict[tuple[int, int], tuple[int, float]]:
    """By image and place: the box it answers for, and its target."""
    middles = PLACES.middles.numpy()
    wanted: dict[tuple[int, int], tuple[float, int, float]] = {}
    for number, (box, label, image) in enumerate(zip(truth.boxes, truth.labels, truth.images, strict=True)):
        left, top, right, bottom = box.tolist()
        inside = [p for p, (x, y) in enumerate(middles) if left < x < right and top < y < bottom]
        if not inside:
            middle = np.array([(left + right) / 2, (top + bottom) / 2])
            inside = [int(((middles - middle) ** 2).sum(1).argmin())]
        overlaps = iou(boxes[image].double().numpy(), box[None].double().numpy())[:, 0]
        aligned = {p: float(scores[image, p, label]) ** SCORE_POWER * overlaps[p] ** OVERLAP_POWER for p in inside}
        for p in sorted(inside, key=lambda p: -aligned[p])[:BEST]:
            key = int(image), p
            if key not in wanted or overlaps[p] > wanted[key][0]:
                wanted[key] = overlaps[p], number, aligned[p]
    found = {}
    for number in range(len(truth.labels)):
        mine = {key: each for key, each in wanted.items() if each[1] == number}
        for key, (_, _, aligned_here) in mine.items():
            most = max(each[2] for each in mine.values())
            best = max(each[0] for each in mine.values())
            found[key] = number, aligned_here / max(most, 1e-9) * best
    return found


@pytest.mark.parametrize("seed", range(8))
def test_assigns_as_the_slow_twin(seed: int) -> None:
    scores, boxes, truth = drawn(seed)
    found = assign(scores, boxes, PLACES.middles, truth)
    expected = slowly(scores, boxes, truth)
    got = {
        (int(image), int(place)): (int(box), float(target))
        for image, place, box, target in zip(found.image, found.place, found.box, found.target, strict=True)
    }
    sure = {key for key, (_, target) in expected.items() if target > 1e-3}  # where nothing overlaps, all are alike
    assert sure <= got.keys()
    for key in sure:
        assert got[key][0] == expected[key][0]
        assert got[key][1] == pytest.approx(expected[key][1], abs=1e-4)


def test_a_box_between_all_middles_takes_the_nearest_place() -> None:
    scores, boxes, _ = drawn(0, boxes=1)
    truth = Truth(torch.tensor([[17.0, 17, 20, 20]]), torch.tensor([0]), torch.tensor([1]))
    found = assign(scores, boxes, PLACES.middles, truth)
    assert found.image.tolist() == [1]
    assert PLACES.middles[found.place[0]].tolist() in ([24, 24], [16, 16])


def test_without_boxes_nothing_answers() -> None:
    scores, boxes, _ = drawn(0)
    none = Truth(torch.zeros(0, 4), torch.zeros(0, dtype=torch.long), torch.zeros(0, dtype=torch.long))
    assert len(assign(scores, boxes, PLACES.middles, none).box) == 0
