"""What a run says would make it better: time where the pictures can show it, else pictures."""

from dataclasses import dataclass

import pytest

from eyespot.evaluate.trust import MoreExpected
from eyespot.records import Metric, SetAside
from eyespot.regimes.turns import NO_TIME
from eyespot.reporting.better import better_of
from eyespot.runs.options import train_options

MORE = MoreExpected(pictures=800, points=((100, 0.3),), gain=0.021, low=0.006, high=0.036)


@dataclass
class Counted:
    """As many different pictures of each part as a test wants, of two classes."""

    train: int
    val: int
    data_set: object = type("Two", (), {"classes": ("a", "b")})

    set_aside: tuple = ()

    def different(self, part):
        return getattr(self, part)


def better(accuracy=0.8, n=100, *, train=400, more=None, regime="frozen", tried=1, left_out=0, **options):
    return better_of(
        Counted(train, n, set_aside=(SetAside(picture="a.jpg", reason=NO_TIME),) * left_out),
        train_options(**options),
        run="runs/train/my photos",
        data="my photos",
        validation=Metric(accuracy=accuracy, low=0, high=1, n=n),
        more=more,
        only_head=regime == "frozen" and tried < 2,
    )


def test_more_time_where_the_pictures_can_show_what_it_brings():
    found = better(0.889, 341)
    assert found.command == "eyespot train 'my photos' --time 5m"
    assert found.expects.endswith("your validation part of 341 pictures hardly shows a gain below 5 points")
    assert "took away 37 % of the mistakes" in found.expects


@pytest.mark.parametrize(("given", "named"), [("9s", "5m"), ("150s", "5m"), ("5m", "10m"), ("11m", "22m")])
def test_more_time_where_it_was_too_short_for_all_pictures(given, named):
    found = better(left_out=1_200, time=given)
    assert found.command == f"eyespot train 'my photos' --time {named}"
    assert found.expects == "there was no time for 1,200 of the pictures"


def test_the_share_of_mistakes_is_that_of_the_figures():
    assert round((0.936 - 0.898) / (1 - 0.898), 2) == 0.37


def test_of_other_options_the_command_is_not_repeated():
    assert better(seed=3).command == "the same command with --time 5m"
    assert better(name="x").command == "eyespot train 'my photos' --time 5m"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"accuracy": 0.92, "n": 36}, "your validation part of 36 pictures has 3 mistakes left, too few to show"),
        ({"n": 12}, "12 different validation pictures cannot tell a better model from a luckier one"),
        ({"train": 30}, "with 30 different pictures of 2 classes to train on"),
    ],
)
def test_else_more_pictures_and_why(given, said):
    found = better(**given)
    assert found.command == "eyespot add 'runs/train/my photos' NEW"
    assert found.expects.startswith(f"more pictures help most; {said}")


@pytest.mark.parametrize(
    "given", [{"time": "1m"}, {"regime": "scratch"}, {"tried": 2}, {"regime": "partial"}, {"parts_of": "runs/train/a"}]
)
def test_where_time_is_no_answer_the_learning_curve_is(given):
    assert better(more=MORE, **given).expects == "with twice as many pictures expect +2.1 points (0.6 to 3.6)"
