"""What a notebook shows: small tables that load nothing, with every text escaped."""

from __future__ import annotations

import re

import numpy as np
import pytest
from html_page import Page

import eyespot
from eyespot.card import bar, card, link


@pytest.fixture
def model(split_run, shared_cache):
    return eyespot.load(split_run.run)


def test_answers_are_a_list_that_shows_its_pictures(model, split_photos):
    answers = model.predict(split_photos / "test")
    assert isinstance(answers, list)
    assert len(answers) == 33
    page = answers._repr_html_()
    assert page.count("<img") == page.count("data:image/jpeg;base64,") == page.count("<tr>") == 20
    assert "33 pictures" in page
    assert "and 13 more" in page


def test_pictures_in_hand_and_those_that_cannot_be_read_are_shown_too(model):
    page = model.predict([np.zeros((30, 40, 3), np.uint8), b"<b>text</b>"])._repr_html_()
    assert page.count("<img") == 1
    assert "is not a picture" in page
    assert "<b>" not in page


def test_results_answers_and_models_show_themselves(model, split_run, split_photos, detector_run):
    detector = eyespot.load(detector_run.run)
    shown = {
        "Test": split_run,
        "circle": model.predict(split_photos / "test" / "circle" / "200.png")[0],
        "efficientnet_lite0": model,
        "Accuracy": model.evaluate(split_photos),
        "mAP50": detector_run,
        "disc": detector,
    }
    for words, each in shown.items():
        page = each._repr_html_()
        assert words in page, words
        links = [each.report] if words in ("Test", "mAP50") else []
        assert re.findall(r"(?:src|href)=\"(?!data:)([^\"]+)", page) == links
        Page(page)
    assert repr(model) == "<eyespot model 'photos': 3 classes, efficientnet_lite0>"
    assert "2 classes" in repr(detector)


def test_every_text_is_escaped():
    page = card("<script>", [("<i>", bar(0.5)), (link('a"b', "<u>"), 5)], below="<s>")
    assert not re.search(r"<(script|i|u|s)>", page)
    assert 'href="a&quot;b"' in page


def test_a_run_gives_its_model(split_run, shared_cache, split_photos, detector_run):
    assert split_run.model is split_run.model
    [answer] = split_run.model.predict(split_photos / "test" / "circle" / "203.png")
    assert answer.label == "circle"
    assert isinstance(detector_run.model, eyespot.Detector)
    assert "model" not in split_run.model_dump()
    assert split_run == type(split_run).model_validate(split_run.model_dump())
