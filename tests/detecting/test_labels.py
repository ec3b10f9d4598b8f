"""What the labels look like, read back from the pixels."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image

from eyespot.data.boxes.records import BoxedPicture, Boxes
from eyespot.data.data_set import Picture
from eyespot.detecting.labels import NO_BOXES, PARTS, Labels, labels_png


def boxed(xyxy: Sequence[Sequence[float]], labels: Sequence[int], *, ignored: Sequence[bool] = ()) -> BoxedPicture:
    """A picture of 200 x 100 pixels with these boxes."""
    no = np.zeros(len(labels), bool)
    flags = np.array(ignored, bool) if ignored else no
    boxes = Boxes(np.array(xyxy, float).reshape(-1, 4), np.array(labels, np.int64), flags, no)
    return BoxedPicture(Picture("a.jpg", data=b""), 200, 100, boxes)


def opened(labels: Labels) -> Image.Image:
    data = labels_png(labels)
    assert len(data) < 300_000
    return Image.open(io.BytesIO(data)).convert("RGB")


def length(image: Image.Image, color: tuple[int, int, int]) -> int:
    """Of the longest row of pixels of that color."""
    return int((np.asarray(image) == color).all(axis=2).sum(axis=1).max())


def test_boxes_are_counted_by_part_and_measured_against_their_picture() -> None:
    train = boxed([[0, 0, 20, 10], [100, 50, 200, 100], [0, 0, 9, 9]], [0, 1, 1], ignored=[False, False, True])
    labels = Labels.of({"train": [train], "val": [boxed([], [])], "test": []}, ["a", "b", "c"])
    assert {part: counts.tolist() for part, counts in labels.counts.items()} == {"train": [1, 1, 0], "val": [0, 0, 0]}
    assert labels.sizes.tolist() == [[0.1, 0.1], [0.5, 0.5]]
    assert labels.middles.tolist() == [[0.05, 0.05], [0.75, 0.75]]


def test_bars_are_as_long_as_their_numbers() -> None:
    pictures = {"train": [boxed([[0, 0, 9, 9]], [0])] * 30, "val": [boxed([[0, 0, 9, 9]], [0])] * 10}
    image = opened(Labels.of(pictures, ["a"]))
    long, short = length(image, PARTS["train"]), length(image, PARTS["val"])
    assert long == pytest.approx(3 * short, rel=0.03)
    assert length(image, PARTS["test"]) == 0


def test_a_class_without_a_box_stands_out() -> None:
    pictures = {"train": [boxed([[0, 0, 9, 9]], [0])]}
    reddest = [
        int((np.asarray(opened(Labels.of(pictures, names)), int) @ [1, 0, -1]).max()) for names in (["a"], ["a", "b"])
    ]
    assert reddest[0] <= 0 < NO_BOXES[0] - NO_BOXES[2] - 60 < reddest[1]


@pytest.mark.parametrize("classes", [1, 30, 31, 100, 2000])
def test_stays_readable_from_few_to_many_classes(classes: int) -> None:
    pictures = [boxed([[0, 0, 9, 9]] * classes, list(range(classes)))]
    image = opened(Labels.of({"train": pictures}, [f"class {number}" for number in range(classes)]))
    assert 500 < image.width < 1200
    assert 500 < image.height < 1500


@pytest.mark.parametrize("name", ["<script>", "漢字", "żółw", "", "a\nb", "\udcff", "x" * 300])
@pytest.mark.parametrize("box", [[0, 0, 200, 100], [0, 0, 0.01, 0.01], [199, 99, 200, 100]])
def test_any_name_and_any_size_can_be_drawn(name: str, box: list[float]) -> None:
    assert opened(Labels.of({"train": [boxed([box], [0])]}, [name])).width < 1200
