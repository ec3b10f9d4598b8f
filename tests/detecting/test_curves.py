"""Precision over recall: the lines against sums done by hand, and both drawings of many classes and odd names."""

from __future__ import annotations

import io
import re
from typing import Any

import numpy as np
import pytest
from PIL import Image

from eyespot.detecting.curves import NAMED, OTHERS, STEPS, Drawn, curves_png, curves_svg, drawn_curves, thinned
from eyespot.evaluate.average_precision import Curve
from eyespot.evaluate.box_matches import Found, Truth, matches
from eyespot.evaluate.detection_scores import detection_scores
from eyespot.palette import BOXES
from eyespot.reporting.canvas import Canvas, Point


def drawn(names: list[str], *, unmeasured: int = 0) -> Drawn:
    """Curves of classes of which each is found a little better than the one before; the last ones are not there."""
    truths, founds = [], []
    for label in range(len(names) - unmeasured):
        truths.append(Truth([[20 * number, 0, 20 * number + 9, 9] for number in range(4)], [label] * 4))
        wrong = [[0, 50, 9, 59]] * (len(names) - label)
        founds.append(
            Found(
                [[0, 0, 9, 9], *wrong, [20, 0, 29, 9]],
                np.linspace(0.9, 0.1, 2 + len(wrong)),
                [label] * (2 + len(wrong)),
            )
        )
    scores = detection_scores(truths, founds, names, threshold=0.5, most=100)
    assert scores
    return drawn_curves(matches(truths, founds, classes=len(names)), scores)


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text that is drawn, in order."""
    found: list[str] = []
    draw = Canvas.text

    def text(canvas: Canvas, at: Point, words: str, **how: Any) -> None:
        found.append(words)
        draw(canvas, at, words, **how)

    monkeypatch.setattr(Canvas, "text", text)
    return found


def colors(png: bytes) -> set[tuple[int, int, int]]:
    with Image.open(io.BytesIO(png)) as image:
        return {tuple(each) for each in np.unique(np.asarray(image.convert("RGB")).reshape(-1, 3), axis=0).tolist()}


def test_a_line_has_its_points_where_they_were_worked_out() -> None:
    truths = [Truth([[0, 0, 9, 9], [20, 0, 29, 9]], [0, 0])]
    founds = [Found([[0, 0, 9, 9], [50, 50, 59, 59], [20, 0, 29, 9]], [0.9, 0.8, 0.7], [0, 0, 0])]
    scores = detection_scores(truths, founds, ["a"], threshold=0.5, most=100)
    assert scores
    [line] = drawn_curves(matches(truths, founds, classes=1), scores).lines
    assert line.points.tolist() == [[0, 1], [0.5, 1], [0.5, 0.5], [1, pytest.approx(2 / 3)]]
    assert line.ap50 == pytest.approx((51 + 50 * 2 / 3) / 101)


def test_below_the_mean_lies_map50() -> None:
    curves = drawn(["a", "b", "c"])
    assert curves.mean[:, 1].mean() == pytest.approx(curves.map50)
    assert np.mean([each.ap50 for each in curves.lines]) == pytest.approx(curves.map50)


def test_what_nobody_could_see_is_left_out_of_a_line() -> None:
    right = np.random.default_rng(0).random(200_000) < np.linspace(0.9, 0, 200_000)
    precision, recall = np.cumsum(right) / np.arange(1, 200_001), np.cumsum(right) / right.sum()
    points = thinned(Curve((), tuple(precision.tolist()), tuple(recall.tolist())))
    assert len(points) <= 4 * (STEPS + 1) + 1
    assert points[-1].tolist() == [recall[-1], precision[-1]]
    kept = points[1:]
    assert {tuple(each) for each in kept.tolist()} <= set(zip(recall.tolist(), precision.tolist(), strict=True))
    for low in (0.25, 0.5, 0.75):
        near, all_near = (
            at[(at[:, 0] >= low) & (at[:, 0] < low + 1 / STEPS)] for at in (kept, np.stack([recall, precision], 1))
        )
        assert (near[:, 1].min(), near[:, 1].max()) == (all_near[:, 1].min(), all_near[:, 1].max())


def test_a_class_of_which_nothing_was_found_has_no_line_and_a_figure() -> None:
    scores = detection_scores(
        [Truth([[0, 0, 9, 9]], [0])], [Found(np.zeros((0, 4)), [], [])], ["a"], threshold=0.5, most=9
    )
    assert scores
    curves = drawn_curves(matches([Truth([[0, 0, 9, 9]], [0])], [Found(np.zeros((0, 4)), [], [])], classes=1), scores)
    assert (curves.lines[0].ap50, len(curves.lines[0].points)) == (0, 0)
    assert curves_png(curves).startswith(b"\x89PNG")
    assert "polyline" in curves_svg(curves)


def test_of_many_classes_those_found_worst_have_a_name_and_a_color() -> None:
    curves = drawn([f"class {number}" for number in range(100)], unmeasured=3)
    assert [each.label for each in curves.named] == list(range(NAMED))
    assert max(each.ap50 for each in curves.named) <= min(each.ap50 for each in curves.others)
    html = curves_svg(curves)
    assert "87 classes found better" in html
    assert "class 96" not in html
    assert html.count("<polyline") == 98
    shown = colors(curves_png(curves))
    assert {OTHERS, *BOXES} <= shown


@pytest.mark.parametrize(
    ("unmeasured", "named"), [(2, ["class 2", "class 3"]), (NAMED, [f"class {2 + n}" for n in range(NAMED)])]
)
def test_a_picture_names_the_classes_without_a_box(words: list[str], unmeasured: int, named: list[str]) -> None:
    curves_png(drawn([f"class {number}" for number in range(2 + unmeasured)], unmeasured=unmeasured))
    assert [words[at - 1] for at, word in enumerate(words) if word == "not measured"] == named


def test_a_picture_counts_the_classes_without_a_box_where_they_are_many(words: list[str]) -> None:
    curves_png(drawn([f"class {number}" for number in range(3 + NAMED)], unmeasured=NAMED + 1))
    assert words[-2:] == [f"{NAMED + 1} classes", "not measured"]
    assert f"class {2 + NAMED}" not in words


def test_a_few_classes_have_the_colors_of_their_boxes() -> None:
    curves = drawn(["a", "b", "c", "d"], unmeasured=1)
    assert [each.color for each in curves.named] == list(BOXES[:3])
    assert set(BOXES[:3]) <= colors(curves_png(curves))


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", '"><img src=x>', "漢字", "", "a\nb", "\udcff", "x" * 300]
)
def test_any_name_can_be_written(name: str) -> None:
    curves = drawn([name, "other"])
    html = curves_svg(curves)
    assert not re.search("<script|<img", html)
    assert html.isprintable()
    with Image.open(io.BytesIO(curves_png(curves))) as image:
        assert image.width < 1200
