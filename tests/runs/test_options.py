"""Options of `train`: times in words, and the page that explains every one of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from eyespot.errors import OptionError
from eyespot.evaluate.paired import FEWEST_COMPARED
from eyespot.regimes.choice import BETTERED_PER_CLASS
from eyespot.regimes.ladder import FEWEST_PER_CLASS
from eyespot.regimes.plans import FEW
from eyespot.runs.options import USED_BY, TrainOptions, train_options

PAGE = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("given", "seconds"), [("90s", 90), ("5m", 300), ("1h", 3600), (" 1.5 M ", 90), ("45", 45), (60, 60), (0.5, 0.5)]
)
def test_a_time_is_seconds_minutes_or_hours(given, seconds):
    assert train_options(time=given).time == seconds


@pytest.mark.parametrize("given", ["", "soon", "5 min", "-5m", "0s", 0, -1, float("inf"), "1d", "999h"])
def test_what_is_no_time_is_refused_with_examples(given):
    with pytest.raises(OptionError, match=r"the option time cannot be .*: give a time such as 90s, 5m or 1h$"):
        train_options(time=given)


def test_in_python_a_count_may_be_a_number_and_a_file_a_path(tmp_path):
    options = train_options(freeze=6, weights=tmp_path)
    assert (options.freeze, options.weights) == ("6", str(tmp_path))
    with pytest.raises(OptionError, match="the option freeze cannot be True"):
        train_options(freeze=True)


@pytest.mark.parametrize("augment", ["photos", "small-photos"])
def test_pictures_are_not_mirrored_against_a_persons_word(augment):
    with pytest.raises(OptionError, match=f"^the option augment cannot be '{augment}' where mirror is no"):
        train_options(augment=augment, mirror="no")
    assert train_options(augment="photos-unmirrored", mirror="no").augment == "photos-unmirrored"


def test_a_word_for_a_list_needs_the_list():
    with pytest.raises(OptionError, match=r"^the option yes is for the list that exclude names"):
        train_options(yes=True)


def test_further_data_may_be_one_path_or_several(tmp_path):
    assert train_options(more=tmp_path).more == train_options(more=[str(tmp_path)]).more == (tmp_path,)


def test_the_page_has_a_line_for_every_option_with_the_regimes_that_use_it():
    section = PAGE.partition("## Every option")[2].partition("\n## ")[0]
    shown = re.findall(r"^\| `(--[a-z-]+)` \| ([a-z, ]+) \| \S", section, flags=re.MULTILINE)
    assert shown == [
        (f"--{name.replace('_', '-')}", ", ".join(USED_BY[name]) if name in USED_BY else "all")
        for name in TrainOptions.model_fields
    ]


@pytest.mark.parametrize(
    "said",
    [
        f"fewer than {FEWEST_COMPARED} different validation pictures",
        f"fewer than {FEWEST_PER_CLASS} per class to train on",
        f"fewer than {BETTERED_PER_CLASS} pictures per class to train on",
        f"on more than {FEW:,} pictures",
    ],
)
def test_the_page_names_the_numbers_that_decide(said):
    assert said in re.sub(r"\s+", " ", PAGE)
