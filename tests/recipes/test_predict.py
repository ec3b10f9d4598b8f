"""`predict`: answers in the order of the question, unreadable pictures named, a bundle that travels."""

import shutil

import pytest

import eyespot
from eyespot.errors import NoPictures, OptionError


@pytest.fixture
def model(split_run, shared_cache):
    return eyespot.load(split_run.run)


def test_answers_come_in_the_order_asked_with_names_as_given(model, split_photos):
    asked = [split_photos / "test" / kind / "203.png" for kind in ("triangle", "circle", "square")]
    answers = model.predict(asked)
    assert [each.picture for each in answers] == [str(path) for path in asked]
    assert [each.predictions[0].class_ for each in answers] == ["triangle", "circle", "square"]


def test_one_at_a_time_and_in_batches_the_answers_are_the_same(model, split_photos):
    folder = model.predict(split_photos / "test" / "circle")
    assert len(folder) == 11
    for each in folder[:2]:
        alone = model.predict(each.picture)[0]
        assert [a.class_ for a in alone.predictions] == [a.class_ for a in each.predictions]
        assert [a.probability for a in alone.predictions] == pytest.approx(
            [a.probability for a in each.predictions], abs=0.03
        )


def test_probabilities_fall_and_sum_to_one(model, split_photos):
    answer = model.predict(split_photos / "test" / "circle" / "200.png", topk=99)[0]
    chances = [each.probability for each in answer.predictions]
    assert chances == sorted(chances, reverse=True)
    assert sum(chances) == pytest.approx(1, abs=1e-5)
    assert {each.class_ for each in answer.predictions} == set(model.classes)


def test_topk_below_one_is_refused(model, split_photos):
    with pytest.raises(OptionError, match="topk must be at least 1"):
        model.predict(split_photos, topk=0)


def test_a_picture_that_cannot_be_read_is_named_and_the_others_are_answered(model, split_photos, tmp_path):
    (tmp_path / "a.jpg").write_text("text")
    shutil.copy(split_photos / "test" / "circle" / "200.png", tmp_path / "b.png")
    (tmp_path / "c.txt").write_text("text")
    answers = {each.picture: each for each in model.predict(tmp_path)}
    assert "is not a picture" in answers[f"{tmp_path}/a.jpg"].set_aside
    assert answers[f"{tmp_path}/b.png"].set_aside is None
    assert any(name.endswith("c.txt") and each.set_aside for name, each in answers.items())


def test_nothing_to_predict_is_a_sentence(model, tmp_path):
    with pytest.raises(NoPictures, match="there are no pictures in"):
        model.predict(tmp_path)


def test_a_missing_picture_is_named_with_what_was_meant(model, split_photos):
    with pytest.raises(NoPictures, match=r"did you mean .*0\.png"):
        model.predict(split_photos / "test" / "circle" / "20.png")


def test_a_copied_bundle_answers_alike(model, split_run, split_photos, tmp_path):
    shutil.copytree(split_run.bundle, tmp_path / "elsewhere")
    picture = split_photos / "test" / "circle" / "200.png"
    assert eyespot.predict(tmp_path / "elsewhere", picture) == model.predict(picture)


def test_progress_reaches_its_end(model, split_photos):
    told = []
    model.predict(split_photos / "test", progress=lambda *step: told.append(step))
    assert told[-1] == ("predicting", 33, 33)


def test_one_picture_may_be_asked_twice(model, split_photos):
    picture = split_photos / "test" / "circle" / "200.png"
    first, second = model.predict([picture, picture])
    assert first == second
