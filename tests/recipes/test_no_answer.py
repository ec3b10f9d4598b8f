"""What is no number is no answer: a model that gives none is refused, a picture that it gives none for is named."""

import math

import numpy as np
import pytest
from color_bundle import write_color_bundle
from PIL import Image

from eyespot.answering.model import load
from eyespot.bundle.run import NO_ANSWER, ClassAnswer
from eyespot.errors import BundleError, DataError
from eyespot.exporting import agreement
from eyespot.recipes.benchmark import benchmark
from eyespot.recipes.explain import explain
from eyespot.recipes.feature_maps import feature_maps
from eyespot.recipes.predict import predict
from eyespot.recipes.val import val

OVERFLOWS = 1e38
"""With this weight the score of a bright red picture is beyond 32 bits, and that of no other."""


@pytest.fixture
def photos(tmp_path):
    """A red picture and a darker one of each class."""
    for name, color in {"red": (250, 0, 0), "green": (0, 250, 0), "blue": (0, 0, 250)}.items():
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number, share in enumerate((1, 0.1)):
            pixels = np.full((40, 40, 3), color) * share
            Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "photos" / name / f"{number}.png")
    return tmp_path / "photos"


@pytest.fixture(params=[math.nan, math.inf])
def broken(request, tmp_path, shared_cache):
    return write_color_bundle(tmp_path / "broken", weight=request.param)


@pytest.fixture
def overflowing(tmp_path, shared_cache):
    return write_color_bundle(tmp_path / "overflowing", weight=OVERFLOWS)


def test_a_model_without_numbers_is_refused_by_every_verb(broken, photos, tmp_path):
    for ask in (
        lambda: predict(broken, photos),
        lambda: val(broken, photos),
        lambda: explain(broken, photos / "red" / "0.png", out=tmp_path / "red.png", similar=0),
    ):
        with pytest.raises(BundleError, match="its answers are no numbers; copy it again, whole, or train it again"):
            ask()
    assert not (tmp_path / "red.png").exists()


def test_the_faulty_model_is_refused(faults, photos, shared_cache):
    with pytest.raises(BundleError, match="its answers are no numbers"):
        predict(faults / "nan_weights", photos)


def test_the_faulty_model_is_neither_looked_into_nor_timed(faults, photos, shared_cache, tmp_path):
    model, picture = faults / "nan_weights", photos / "red" / "0.png"
    with pytest.raises(BundleError, match="some of its weights are no numbers; copy it again"):
        feature_maps(model, picture, stage="stage1", out=tmp_path / "maps.png")
    with pytest.raises(BundleError, match="its answers are no numbers"):
        benchmark(model, batches=(1,), runs=1)


def test_a_picture_without_numbers_is_named_and_the_others_are_answered(overflowing, photos):
    found = {each.picture: each for each in predict(overflowing, photos)}
    assert {name for name, each in found.items() if each.set_aside} == {str(photos / "red" / "0.png")}
    assert found[str(photos / "red" / "0.png")].set_aside == NO_ANSWER
    assert found[str(photos / "green" / "0.png")].predictions[0].class_ == "green"
    assert found[str(photos / "red" / "1.png")].predictions[0].class_ == "red"


def test_val_measures_on_the_pictures_that_have_an_answer(overflowing, photos):
    result = val(overflowing, photos)
    assert result.n == 5
    assert [(each.picture, each.reason) for each in result.set_aside] == [("red/0.png", NO_ANSWER)]


def test_explain_says_that_there_is_nothing_to_explain(overflowing, photos, tmp_path):
    with pytest.raises(DataError, match=NO_ANSWER):
        explain(overflowing, photos / "red" / "0.png", out=tmp_path / "red.png", similar=0)


def test_an_export_that_gives_no_number_where_the_run_gives_one_is_no_twin(overflowing, photos):
    model = load(overflowing)
    pictures = agreement_pictures(photos)
    expected = agreement.answers_of_bundle(model.bundle, pictures, progress=lambda *args: None)
    assert len(expected) == 5
    check = agreement.agreement(
        lambda tagged: ((number, NO_ANSWER) for number, _ in tagged),
        expected,
        runtime="another",
        pictures=pictures,
        preprocess=model.manifest.preprocess,
        progress=lambda *args: None,
    )
    assert (check.same, len(check.different)) == (0, 5)
    with pytest.raises(BundleError):
        agreement.require_agreement(check)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ([0.2, 0.8], True),
        ([0.2, 0.801], True),
        ([0.2, 0.7], False),
        ([1.5, -0.5], False),
        ([math.nan, math.nan], False),
        ([math.inf, 0], False),
        ([0.5, math.nan], False),
    ],
)
def test_a_distribution_has_numbers_from_0_to_1_with_a_sum_of_1(row, expected):
    assert ClassAnswer(np.array(row, np.float32), None).is_one is expected
    assert ClassAnswer(np.array(row, np.float32), 0.5).is_one is expected
    assert not ClassAnswer(np.array(row, np.float32), math.nan).is_one


def agreement_pictures(folder):
    from eyespot.data.copies import hash_pictures
    from eyespot.data.sources import open_data_set

    hashed, _ = hash_pictures(open_data_set(folder).pictures, threads=1)
    return hashed
