"""What a run says of its pictures: at most six lines, and none where there is nothing to say."""

from __future__ import annotations

import pytest

from eyespot.evaluate.box_records import Estimate
from eyespot.evaluate.metrics import wilson
from eyespot.evaluate.trust import Gain, ListGain, MoreExpected, SeriesFound, trust_sentences
from eyespot.records import Difference

NOTHING = SeriesFound(series=0, pictures=0, largest=0, cut=0, shared=0, apart=None, together=None, torn=None)
MORE = MoreExpected(pictures=400, points=((40.0, 0.4), (320.0, 0.2)), gain=0.0104, low=-0.004, high=0.0254)


def said(
    doubtful: int | None = None, more: MoreExpected | None = None, list_gain: ListGain | None = None, **series: object
) -> list[tuple[str, str]]:
    return list(trust_sentences(NOTHING.model_copy(update=series), doubtful, more, list_gain))


def gain(n: int, value: float) -> Gain:
    return Gain(n=n, difference=Difference(value=value, low=value - 0.014, high=value + 0.013))


def test_nothing_found_is_nothing_said():
    assert said() == said(doubtful=0) == []


def test_everything_that_can_be_found_is_six_lines():
    everything = {"series": 3, "pictures": 7, "largest": 3, "cut": 60, "shared": 2, "apart": wilson(90, 100)}
    worth = ListGain(judged=gain(370, 0.018), as_found=gain(372, 0.015))
    lines = said(4, MORE, worth, **everything, together=wilson(80, 100), torn=wilson(99, 100))
    assert [label for label, _ in lines] == ["Series", "Shared", "Series", "List", "Labels", "More"]
    words = dict(lines)
    assert "3 series of 7 pictures" in lines[0][1]
    assert "60 pictures were so much alike" in lines[0][1]
    assert "2 test pictures have a near-copy in train" in words["Shared"]
    assert "without them it is 0.900" in words["Shared"]
    assert "cross-validation gives 0.800" in lines[2][1]
    assert lines[2][1].endswith("claimed 0.990")
    assert words["List"] == str(worth)
    assert words["Labels"].startswith("4 training pictures whose label")
    assert words["More"] == "with twice as many pictures expect +1.0 points (0.0 to 2.5)"


@pytest.mark.parametrize(("torn", "is_said"), [(0.82, False), (0.9, True)])
def test_what_tearing_apart_would_claim_is_said_where_it_is_more_than_the_error(torn, is_said):
    lines = said(series=1, pictures=2, together=wilson(80, 100), torn=wilson(100 * torn, 100))
    assert any("it would have claimed" in words for _, words in lines) == is_said


def test_what_validation_shares_is_said_beside():
    [(_, shared)] = said(shared=2, shared_val=1, apart=Estimate(value=0.8, low=0.7, high=0.9))
    assert "without them it is 0.800 (95 % interval 0.700 to 0.900); 1 validation picture has a near-copy" in shared
    [(_, alone)] = said(shared_val=3)
    assert alone == "3 validation pictures have a near-copy in train, which may make the validation figure too good"


def test_one_is_one():
    [(_, shared)] = said(shared=1)
    assert shared.startswith("1 test picture has a near-copy")
    assert shared.endswith("there are no others")


def test_both_gains_of_a_list_are_said_or_one_where_it_is_the_same():
    assert str(ListGain(judged=gain(370, 0.018), as_found=gain(372, 0.015))) == (
        "with your list +1.8 points (95 % interval +0.4 to +3.1) on 370 test pictures as you judged them, "
        "+1.5 points (95 % interval +0.1 to +2.8) on the 372 as they are without it"
    )
    assert str(ListGain(judged=gain(372, -0.01), as_found=gain(372, -0.01))) == (
        "with your list -1.0 points (95 % interval -2.4 to +0.3) on the 372 test pictures"
    )


@pytest.mark.parametrize(
    ("named", "why"),
    [
        (0, "that show the same or were taken in a row: "),
        (3, "that your file of groups puts together, show the same or were taken in a row: "),
        (7, "that your file of groups puts together: "),
    ],
)
def test_pictures_of_a_group_are_not_said_to_show_the_same(named, why):
    [(_, series), (_, shared)] = said(series=3, pictures=7, named=named, shared=2)
    assert why in series
    assert ("have a near-copy in train" in shared) == (named == 0)
    assert ("have a near-copy, or another picture of their group, in train" in shared) == (named > 0)


def test_folds_that_tear_the_series_apart_are_said_and_not_denied():
    [(_, words)] = said(series=2, pictures=72, folds_tear=True)
    assert words.endswith("each stays on one side of every split that eyespot makes")
    [note] = NOTHING.model_copy(update={"folds_tear": True}).notes()
    assert note.startswith("series and groups are so few that cross-validation tears them apart: ")
    assert not list(NOTHING.notes())
