"""What the figures show, read back from their pixels and their geometry."""

from __future__ import annotations

import io
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from eyespot.evaluate import lettering
from eyespot.evaluate.metrics import part_metrics, wilson
from eyespot.records import CalibrationBin
from eyespot.reporting import figures


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def drawn(svg: str, tag: str, kind: str) -> list[dict[str, str]]:
    return [e.attrib for e in ElementTree.fromstring(svg).iter(tag) if e.get("class") == kind]


@pytest.mark.parametrize("classes", [1, 2, 10, 60, 100, 400])
def test_confusion_png_stays_readable_from_few_to_many_classes(classes):
    image = opened(figures.confusion_png(np.eye(classes, dtype=int) * 7, [f"class {i}" for i in range(classes)]))
    assert image.format == "PNG"
    assert max(image.size) < 2500
    assert min(image.size) > 100


def test_of_many_classes_the_ones_that_are_mixed_up_most_are_drawn(monkeypatch):
    labels = np.arange(4000) % 2000
    answers = np.where(np.arange(4000) < 30, (labels + 5) % 2000, labels)
    many = part_metrics(labels, np.eye(2000, dtype=np.float32)[answers], [f"class {i}" for i in range(2000)])
    image = opened(figures.part_png(many))
    assert 1000 < max(image.size) < 2500
    cells = [(0, 1, 9), (2000, 3, 5)]
    seen = []
    monkeypatch.setattr(figures, "confusion_png", lambda _, names, answer: seen.extend([answer, names[-1]]) or b"")
    figures.cells_png(cells, [f"class {i}" for i in range(2000)], nothing="(nothing)")
    assert seen == ["answer: the 49 classes of 2,000 that are mixed up most", "(nothing)"]


def test_few_classes_are_drawn_all():
    few = part_metrics([0, 1, 1], np.eye(2)[[0, 1, 0]], ["a", "b"])
    assert figures.part_png(few) == figures.confusion_png([[1, 0], [1, 1]], ["a", "b"])


def test_right_answers_and_mistakes_have_their_own_colours():
    image = opened(figures.confusion_png([[5, 0], [5, 0]], ["a", "b"])).convert("RGB")
    colours = {colour for _, colour in image.getcolors(1 << 20)}
    assert figures.RIGHT in colours
    assert figures.WRONG in colours
    without = opened(figures.confusion_png([[5, 0], [0, 5]], ["a", "b"])).convert("RGB")
    assert figures.WRONG not in {colour for _, colour in without.getcolors(1 << 20)}


def test_a_single_mistake_among_thousands_leaves_a_trace():
    clean = figures.confusion_png([[9999, 0], [0, 9999]], ["a", "b"])
    dirty = np.asarray(opened(figures.confusion_png([[9998, 1], [0, 9999]], ["a", "b"])).convert("RGB"), int)
    difference = np.abs(dirty - np.asarray(opened(clean).convert("RGB"), int)).max(axis=2)
    assert (difference >= 5).sum() > 1000


def test_a_class_without_pictures_and_an_empty_matrix_are_drawn_white():
    assert opened(figures.confusion_png(np.zeros((3, 3), int), ["a", "b", "c"])).size[0] > 100


@pytest.mark.parametrize("name", ["漢字", "żółw", "x" * 300, "", " ", "a\nb", "\udcff", "\x00", "👩‍👩‍👧", "%n{0}"])
def test_any_name_can_be_drawn(name):
    assert opened(figures.confusion_png([[1, 0], [0, 1]], [name, "b"])).width < 1000


def test_a_name_that_no_font_can_draw_becomes_its_number(monkeypatch):
    monkeypatch.setattr(lettering, "SYSTEM_FONTS", ())
    with_number = figures.confusion_png([[1, 0], [0, 1]], ["a", "#2"])
    assert figures.confusion_png([[1, 0], [0, 1]], ["a", "漢字"]) == with_number


def test_interval_svg_spans_the_interval():
    metric = wilson(339, 372)
    svg = figures.interval_svg(metric)
    (band,) = drawn(svg, "rect", "band")
    (point,) = drawn(svg, "circle", "point")
    low, width = float(band["x"].rstrip("%")), float(band["width"].rstrip("%"))
    assert (low, low + width) == pytest.approx((100 * metric.low, 100 * metric.high), abs=0.02)
    assert float(point["cx"].rstrip("%")) == pytest.approx(100 * metric.accuracy, abs=0.01)


def test_bar_svg_is_as_long_as_the_share():
    svg = figures.bar_svg(wilson(3, 4), "recall")
    assert float(drawn(svg, "rect", "bar")[0]["width"]) == pytest.approx(90)
    assert not drawn(figures.bar_svg(None, "recall"), "rect", "bar")


def test_reliability_svg_puts_a_calibrated_tenth_on_the_diagonal():
    bins = (
        CalibrationBin(low=0.2, high=0.3, confidence=0.25, accuracy=0.25, n=40),
        CalibrationBin(low=0.9, high=1.0, confidence=0.95, accuracy=0.5, n=20),
    )
    svg = figures.reliability_svg(bins, "Before")
    on, below = drawn(svg, "circle", "point")
    assert float(on["cx"]) - 44 == pytest.approx(254 - float(on["cy"]))
    assert float(below["cx"]) - 44 > 254 - float(below["cy"])
    tall, short = (float(rect["height"]) for rect in drawn(svg, "rect", "count"))
    assert tall == pytest.approx(2 * short)


def test_every_svg_speaks():
    bins = (CalibrationBin(low=0.9, high=1.0, confidence=0.95, accuracy=1.0, n=3),)
    for svg in (
        figures.interval_svg(wilson(1, 2)),
        figures.bar_svg(wilson(1, 2), "a<b"),
        figures.reliability_svg(bins, "A & B"),
    ):
        root = ElementTree.fromstring(svg)  # well-formed, so hostile text in labels is escaped
        assert root.get("role") == "img"
        assert root.get("aria-label")
