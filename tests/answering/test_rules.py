"""When an answer is none of the classes: of a model whose likeness and probabilities a test works out itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from color_bundle import CLASSES, LEAST, LEAST_IN_SET, color_probabilities, write_color_bundle
from PIL import Image

import eyespot
from eyespot.answering.rules import RuleOptions, Rules, rules_of
from eyespot.bundle.files import read_bundle
from eyespot.bundle.run import ClassAnswer
from eyespot.errors import OptionError


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    return read_bundle(write_color_bundle(tmp_path_factory.mktemp("rules") / "colors", refuses=True)).manifest


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return eyespot.load(write_color_bundle(tmp_path_factory.mktemp("model") / "colors", refuses=True))


@pytest.fixture(scope="module")
def old_model(tmp_path_factory):
    """As an earlier eyespot made it."""
    return eyespot.load(write_color_bundle(tmp_path_factory.mktemp("old") / "colors"))


@pytest.fixture
def colors(tmp_path):
    """Pictures of one color each, from a pure red to a grey, with their likeness to the nearest class."""
    paths, alike = [], []
    for number, rest in enumerate(range(0, 201, 20)):
        color = (200, rest, rest)
        paths.append(tmp_path / f"{number:02}.png")
        Image.new("RGB", (40, 40), color).save(paths[-1])
        alike.append(200 / np.linalg.norm(color))
    return paths, np.array(alike)


@pytest.mark.parametrize("refuse", [None, *LEAST])
def test_a_picture_is_refused_where_it_is_less_like_its_class_than_promised(model, colors, refuse):
    paths, alike = colors
    found = model.predict(paths, refuse=refuse)
    assert [each.likeness for each in found] == pytest.approx(alike, abs=1e-5)
    assert [each.known for each in found] == (alike >= LEAST[refuse or 0.05]).tolist()
    assert 0 < sum(each.known for each in found) < len(found)


def test_probabilities_stay_what_they_are_where_a_picture_is_refused(model, old_model, colors):
    paths, _ = colors
    assert [each.predictions for each in model.predict(paths)] == [
        each.predictions for each in old_model.predict(paths)
    ]


def test_nothing_is_refused_where_that_is_wanted_and_by_a_model_that_cannot(model, old_model, colors):
    paths, _ = colors
    assert {each.known for each in model.predict(paths, refuse=0)} == {None}
    assert {(each.known, each.likeness) for each in old_model.predict(paths)} == {(None, None)}


def test_with_a_threshold_the_probability_decides_alone_unless_both_are_asked_for(model, colors):
    paths, alike = colors
    sure = np.array([each.predictions[0].probability for each in model.predict(paths)])
    least = float(np.median(sure))
    alone = model.predict(paths, threshold=least)
    assert [(each.known, each.sure) for each in alone] == [(None, each) for each in (sure >= least).tolist()]
    both = model.predict(paths, threshold=least, refuse=0.1)
    assert [each.known for each in both] == (alike >= LEAST[0.1]).tolist()
    assert [each.sure for each in both] == (sure >= least).tolist()
    assert not any(each.sure for each in model.predict(paths, threshold=1))


@pytest.mark.parametrize("share", LEAST_IN_SET)
def test_a_set_names_the_classes_from_its_probability_on(model, colors, share):
    paths, _ = colors
    for path, found in zip(paths, model.predict(paths, set=share), strict=True):
        image = np.asarray(Image.open(path).convert("RGB"))
        chances = color_probabilities(image)
        expected = [CLASSES[row] for row in np.argsort(-chances, kind="stable") if chances[row] >= LEAST_IN_SET[share]]
        assert found.set_ == tuple(expected or ("red",))


def test_in_words_a_refusal_says_what_it_would_have_been_and_a_set_is_joined_by_or(model, colors):
    paths, _ = colors
    first, *_, last = model.predict(paths, set=0.95)
    assert str(first).startswith("red 0.")
    assert str(first).endswith("; red")
    assert str(last) == f"none of these (most like red {last.predictions[0].probability:.3f})"
    assert str(last.model_copy(update={"known": True})).endswith("; red or green or blue")
    unsure = last.model_copy(update={"known": None, "sure": False})
    assert str(unsure) == f"not sure (most like red {last.predictions[0].probability:.3f})"


def test_a_picture_is_accepted_that_is_known_and_of_which_one_class_is_sure():
    sure, unsure = (ClassAnswer(np.array([least, 1 - least]), likeness=0.5) for least in (0.9, 0.6))
    both = Rules(least_likeness=0.4, least_probability=0.8)
    assert (both.accepts(sure), both.accepts(unsure)) == (True, False)
    assert replace(both, least_likeness=0.6).accepts(sure) is False
    assert replace(both, least_probability=None).accepts(unsure) is True
    assert Rules().accepts(sure) is None


def test_rows_of_a_table_say_the_same(model, colors, tmp_path):
    paths, _ = colors
    (tmp_path / "text.png").write_text("text")
    *_, last, unreadable = model.predict([*paths, tmp_path / "text.png"], topk=1, set=0.95)
    [row] = last.rows()
    assert dict(zip(last.header(), row, strict=True)) == {
        "picture": str(paths[-1]),
        "rank": 1,
        "class": "red",
        "probability": f"{last.predictions[0].probability:.6f}",
        "set_aside": "",
        "known": 0,
        "sure": "",
        "likeness": f"{last.likeness:.6f}",
        "set": "red or green or blue",
    }
    [row] = unreadable.rows()
    assert row[-3:] == ("", "", "")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"refuse": 0.03}, r"refuse cannot be 0\.03: there are 0\.1, 0\.05, 0\.02 and 0\.01, and 0 for never$"),
        ({"refuse": 0.01}, r"refuse cannot be 0\.01 for .* takes 99 pictures that it was not fitted on, .* were 60"),
        ({"set": 0.5}, r"set cannot be 0\.5: there are 0\.8, 0\.9, 0\.95 and 0\.99$"),
        ({"set": 0.99}, r"set cannot be 0\.99 for the model in .*: that takes 99 pictures"),
        ({"threshold": 1.5}, r"threshold cannot be 1\.5: give auto, or a number from 0 to 1"),
        ({"threshold": float("nan")}, "threshold cannot be nan"),
    ],
)
def test_what_cannot_be_promised_is_said(model, options, words):
    with pytest.raises(OptionError, match=words):
        model.predict("any.png", **options)


@pytest.mark.parametrize("options", [{"refuse": 0.05}, {"set": 0.95}])
def test_a_model_of_an_earlier_version_says_that_it_cannot(old_model, options):
    with pytest.raises(OptionError, match="made by an earlier eyespot, which did not look for that: train it again"):
        old_model.predict("any.png", **options)


def test_a_rule_that_cannot_be_applied_is_none(manifest):
    answer = ClassAnswer(np.array([0.2, 0.5, 0.3]), None)
    assert rules_of(manifest).is_known(answer) is None
    assert Rules().set_of(answer) is None
    unknown = manifest.unknown.model_copy(update={"refusing": ()})
    too_few = manifest.model_copy(update={"unknown": unknown})
    assert rules_of(too_few) == Rules()
    assert rules_of(manifest, RuleOptions(refuse=0)) == Rules()
    assert rules_of(manifest) == replace(Rules(), least_likeness=LEAST[0.05])
