"""Network and regime: what was asked for, else what kind of pictures there are and how many, with the reason said."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from eyespot import zoo
from eyespot.data.copies import Hashed
from eyespot.data.data_set import DataSet, Picture
from eyespot.errors import OptionError
from eyespot.regimes.choice import Choice, choose
from eyespot.regimes.prepare import Prepared
from eyespot.runs.options import train_options


def png(mode: str, side: int) -> bytes:
    file = io.BytesIO()
    Image.new(mode, (side, side)).save(file, "PNG")
    return file.getvalue()


PHOTO, DIGIT, BROKEN = png("RGB", 80), png("L", 28), b""


def prepared(*pictures: bytes, each: int = 3, val: int = 0) -> Prepared:
    """Two classes with so many pictures each to train on, which are `pictures` in turn, and as many to validate on."""
    hashed = [
        Hashed(
            Picture(f"{part} {number}", label="ab"[number % 2], part=part, data=pictures[number % len(pictures)]), ""
        )
        for part, count in (("train", 2 * each), ("val", val))
        for number in range(count)
    ]
    data_set = DataSet("pets", tuple(one.picture for one in hashed), ("a", "b"))
    return Prepared(data_set, hashed, True, False, [], [], "0" * 32)


def chosen(*pictures: bytes, each: int = 3, val: int = 0, **options) -> Choice:
    return choose(prepared(*(pictures or (PHOTO,)), each=each, val=val), train_options(**options))


# --- the regime


@pytest.mark.parametrize(
    ("each", "regime", "reason"),
    [
        (59, "frozen", "59 pictures per class to train on, fewer than 60: too few to train more than the head"),
        (60, "frozen", "60 pictures per class to train on: the head first, then more where the validation pictures"),
        (999, "frozen", "999 pictures per class to train on: the head first"),
        (1_000, "partial", "1000 pictures per class to train on, from 1000 up to 10000: enough for the last stages"),
        (9_999, "partial", "9999 pictures per class"),
        (10_000, "full", "10000 pictures per class to train on, 10000 and more: enough for every layer"),
    ],
)
def test_the_number_of_pictures_per_class_decides_and_is_the_reason(each, regime, reason):
    found = chosen(each=each)
    is_bettered = 60 <= each < 1_000
    assert (found.network, found.regime) == ("efficientnet_lite0", regime)
    assert (found.climbs, found.is_bettered) == (is_bettered, is_bettered)
    assert found.reason.startswith(reason)


@pytest.mark.parametrize("options", [{"regime": "frozen"}, {"time": 60}, {"epochs": 3}], ids=str)
def test_nothing_goes_on_by_itself_where_something_else_was_asked_for(options):
    if "epochs" in options:
        with pytest.raises(OptionError, match="the option epochs is only for"):
            chosen(each=100, **options)
    else:
        assert not chosen(each=100, **options).is_bettered


def test_nothing_goes_on_without_torch(monkeypatch):
    monkeypatch.setattr("eyespot.regimes.choice.find_spec", lambda name: None)
    assert not chosen(each=100).climbs


def test_pictures_that_are_held_out_do_not_count():
    assert chosen(each=999, val=500).regime == "frozen"


@pytest.mark.parametrize("regime", ["frozen", "partial", "full"])
def test_a_regime_that_is_asked_for_is_taken_whatever_the_number(regime):
    found = chosen(regime=regime)
    assert (found.regime, found.reason, found.climbs) == (regime, "it was asked for", False)


def test_a_stage_to_freeze_means_partial():
    found = chosen(freeze="stage5")
    assert (found.regime, found.reason) == ("partial", "a stage to freeze was given")


def test_a_network_without_published_weights_learns_from_scratch():
    found = chosen(model="nin_cifar10", each=20_000)
    assert (found.regime, found.reason) == ("scratch", "nin_cifar10 has no published weights")


@pytest.mark.parametrize("options", [{}, {"regime": "auto"}, {"regime": "partial"}, {"regime": "full"}], ids=str)
def test_a_time_means_a_ladder_that_begins_with_frozen_whatever_the_number(options):
    found = chosen(each=10_000, time="5m", **options)
    assert (found.regime, found.climbs) == ("frozen", True)
    if options.get("regime", "auto") == "auto":
        assert found.reason == "the best on the validation pictures within 300 s"


@pytest.mark.parametrize("options", [{"regime": "frozen"}, {"regime": "scratch", "model": "resnet20"}], ids=str)
def test_frozen_alone_and_scratch_have_no_ladder(options):
    found = chosen(time=60, **options)
    assert (found.regime, found.climbs) == (options["regime"], False)


# --- the network


@pytest.mark.parametrize(
    ("model", "network"),
    [("resnet20", "resnet20_cifar"), ("plain56", "plain56_cifar"), ("resnet18", "resnet18"), ("lenet5", "lenet5")],
)
def test_a_network_is_found_by_its_name_and_by_what_people_call_it(model, network):
    assert chosen(model=model, regime="scratch").network == network
    assert network in zoo.names()


def test_an_unknown_network_is_named_with_what_was_meant():
    with pytest.raises(OptionError, match=r"no network 'resnet51': did you mean 'resnet50'\?"):
        chosen(model="resnet51")


def test_a_network_of_timm_is_chosen_like_any_other(timm):
    assert chosen(model="timm:test_resnet").network == "timm:test_resnet"
    with pytest.raises(OptionError, match="no convolutional network"):
        chosen(model="timm:test_vit")


def test_small_grey_pictures_are_learned_from_scratch_by_lenet():
    found = chosen(DIGIT)
    assert (found.network, found.regime, found.gray) == ("lenet5", "scratch", True)
    assert found.reason == "the pictures are small and gray: a small network learns them from scratch"


@pytest.mark.parametrize("pictures", [(DIGIT, PHOTO), (png("L", 65),), (png("RGB", 28),), (BROKEN,)], ids=len)
def test_pictures_that_are_not_all_small_and_grey_get_the_pretrained_network(pictures):
    found = chosen(*pictures)
    assert (found.network, found.regime, found.gray) == ("efficientnet_lite0", "frozen", False)


def test_a_file_that_cannot_be_read_does_not_change_which_network_small_grey_pictures_get():
    assert chosen(DIGIT, BROKEN).network == "lenet5"


@pytest.mark.parametrize("options", [{"regime": "partial"}, {"freeze": "stage5"}, {"weights": "imagenet"}], ids=str)
def test_what_only_a_pretrained_network_can_do_chooses_it_for_small_grey_pictures_too(options):
    assert chosen(DIGIT, **options).network == "efficientnet_lite0"


def test_photos_from_scratch_need_a_model_by_name():
    with pytest.raises(OptionError, match="give model resnet20 for pictures of about 32 pixels, resnet18 for photos"):
        chosen(regime="scratch")


# --- options that do not go together


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"regime": "full", "freeze": "stage5"}, "the option freeze is for the regime partial: leave out regime full"),
        ({"time": 60, "epochs": 3}, "the option epochs cannot be given together with time, which decides them"),
        ({"replace_tail": "fc 8"}, "the option replace_tail needs the stage .*: give freeze, too"),
        ({"freeze": "stage5", "replace_tail": "cnov 3x3 8"}, r"no layer 'cnov'; did you mean 'conv'\?"),
        ({"regime": "frozen", "epochs": 3}, "the option epochs is only for the regimes partial, full and scratch"),
        ({"epochs": 3}, r"in the regime frozen \(auto chose it for these pictures\): leave the option out"),
        ({"regime": "partial", "augment": "none"}, "augment is only for the regimes full and scratch"),
        ({"regime": "partial", "patience": 3}, "patience is only for the regime scratch, .* choose regime scratch"),
        ({"regime": "full", "views": 4}, "views is only for the regime partial"),
        ({"model": "lenet5", "mirror": "no"}, "mirror is only for the regimes frozen, partial and full, .* lenet5 in"),
        ({"model": "lenet5", "regime": "scratch", "weights": "imagenet"}, "the option weights is only for the regimes"),
        ({"time": 60, "patience": 3}, "patience is only for the regime scratch"),
        ({"time": 60, "regime": "partial", "augment": "none"}, "augment is only for the regimes full and scratch"),
        ({"time": 60, "freeze": "stage5", "augment": "none"}, "augment is only for the regimes full and scratch"),
        ({"time": 60, "regime": "full", "views": 4}, "views is only for the regime partial"),
    ],
    ids=str,
)
def test_options_that_do_not_go_together_are_named_in_a_sentence(options, said):
    with pytest.raises(OptionError, match=said):
        chosen(**options)


def test_each_rung_of_the_ladder_may_have_its_own_options():
    assert chosen(time=60, views=4, augment="none", mirror="no").climbs


def test_an_option_that_is_not_used_is_named_though_it_has_its_default_value():
    with pytest.raises(OptionError, match="the option auxiliary is only for the regimes full and scratch"):
        chosen(auxiliary="auto")
