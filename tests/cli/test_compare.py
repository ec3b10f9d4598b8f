"""What `compare` prints: who won what, the verdict, and of many classes those that differ most."""

from __future__ import annotations

import pytest

from eyespot.answering.compared import (
    ClassBoxDifference,
    ClassDifference,
    CompareDetectorsResult,
    CompareResult,
    MeasuredDetector,
    MeasuredModel,
)
from eyespot.cli.compare import _compared
from eyespot.cli.show import MOST_CLASSES
from eyespot.evaluate.box_records import Estimate
from eyespot.evaluate.metrics import wilson
from eyespot.evaluate.paired import Comparison
from eyespot.records import Difference

FOUND = Comparison(won=25, lost=10, count=372)
ESTIMATE = Estimate(value=0.5, low=0.4, high=0.6)
GAIN = Difference(value=0.04, low=0.01, high=0.07)
OF_ALL = {
    "data": "photos",
    "part": "test",
    "pictures": 372,
    "left_out": 3,
    "smallest_seen": 0.046,
    "set_aside": (),
    "notes": ("a note",),
    "seconds": 1.0,
}


def classes(count: int) -> tuple[ClassDifference, ...]:
    """Of which each has one picture more to win."""
    return tuple(
        ClassDifference(
            name=f"c{number:02}",
            pictures=100,
            won=number,
            lost=0,
            difference=Comparison(number, 0, 100).gain,
            p=0.5,
            verdict="no difference",
        )
        for number in range(count)
    )


def result(count: int = 2, *, verdict: str = "better") -> CompareResult:
    return CompareResult(
        **OF_ALL,
        classes=tuple(each.name for each in classes(count)),
        verdict=verdict,  # type: ignore[arg-type]
        first=MeasuredModel(model="one", **dict(wilson(330, 372))),
        second=MeasuredModel(model="other", **dict(wilson(345, 372))),
        won=FOUND.won,
        lost=FOUND.lost,
        difference=FOUND.gain,
        p=FOUND.p,
        per_class=classes(count),
    )


def printed(capsys: pytest.CaptureFixture[str], of: CompareResult | CompareDetectorsResult) -> list[str]:
    _compared(of)
    return capsys.readouterr().out.splitlines()


def test_models_that_name_classes(capsys):
    assert printed(capsys, result()) == [
        "Compared    372 pictures of part test, which neither model was trained on or chosen with",
        "Note        a note",
        "First       0.887 (95 % interval 0.851 to 0.915, 372 pictures), one",
        "Second      0.927 (95 % interval 0.896 to 0.950, 372 pictures), other",
        "Difference  +4.0 points (95 % interval +0.9 to +7.2), p 0.011",
        "            25 won (the second is right, the first wrong) and 10 lost",
        "            class  won  lost  pictures  difference",
        "            c00      0     0       100  +0.0 points (95 % interval -2.7 to +2.7)        no difference",
        "            c01      1     0       100  +1.0 points (95 % interval -2.3 to +4.3)        no difference",
        "Verdict     the second is better than the first",
    ]


def test_a_class_without_pictures_has_no_difference(capsys):
    none = ClassDifference(name="rare", pictures=0, won=0, lost=0, difference=None, p=None, verdict=None)
    lines = printed(capsys, result().model_copy(update={"per_class": (none,)}))
    assert next(line.split() for line in lines if "rare" in line) == ["rare", "0", "0", "0", "-", "-"]


def test_of_many_classes_those_that_differ_most_are_shown(capsys):
    lines = printed(capsys, result(MOST_CLASSES + 2))
    named = [line.split()[0] for line in lines if line.startswith("            c") and "class" not in line]
    assert named[0] == f"c{MOST_CLASSES + 1}"
    assert len(named) == MOST_CLASSES
    assert "            ... and 2 other classes; --json names them all" in lines


@pytest.mark.parametrize(
    ("verdict", "smallest", "said"),
    [
        ("worse", 0.05, "the second is worse than the first"),
        (
            "no difference",
            0.046,
            "no difference can be seen with 372 pictures (a difference under 4.6 points usually cannot)",
        ),
        ("no difference", None, "no difference can be seen with 372 pictures: so few cannot show any"),
    ],
)
def test_the_verdict_says_what_so_many_pictures_can_show(verdict, smallest, said):
    assert result(verdict=verdict).model_copy(update={"smallest_seen": smallest}).sentence == said


def test_detectors(capsys):
    of = CompareDetectorsResult(
        **OF_ALL,
        classes=("cell",),
        verdict="better",
        first=MeasuredDetector(model="one", map50=ESTIMATE, map50_95=ESTIMATE),
        second=MeasuredDetector(model="other", map50=ESTIMATE, map50_95=ESTIMATE),
        boxes=945,
        map50=GAIN,
        map50_95=GAIN,
        per_class=(ClassBoxDifference(name="cell", boxes=945, ap50=GAIN),),
    )
    assert printed(capsys, of)[2:] == [
        "First       mAP50 0.500 (95 % interval 0.400 to 0.600), one",
        "            mAP50-95 0.500 (95 % interval 0.400 to 0.600)",
        "Second      mAP50 0.500 (95 % interval 0.400 to 0.600), other",
        "            mAP50-95 0.500 (95 % interval 0.400 to 0.600)",
        "mAP50       +4.0 points (95 % interval +1.0 to +7.0)",
        "mAP50-95    +4.0 points (95 % interval +1.0 to +7.0)",
        "            class  boxes  difference",
        "            cell     945  +4.0 points (95 % interval +1.0 to +7.0)",
        "Verdict     the second is better than the first",
    ]
