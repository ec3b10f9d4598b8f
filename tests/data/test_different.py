import pytest

from eyespot.data.copies import content_hash
from eyespot.data.different import OF_EACH, different_pictures
from eyespot.data.levels import is_flat
from eyespot.data.pictures import read_image
from eyespot.records import Preprocess


def test_there_are_as_many_of_each_kind_all_of_them_different():
    pictures = different_pictures(digits=True)
    labels = [each.label for each in pictures]
    assert {kind: labels.count(kind) for kind in labels} == dict.fromkeys(("noise", "drawings", "digits"), OF_EACH)
    assert len({content_hash(each.read()) for each in pictures}) == len(pictures)


def test_they_are_the_same_every_time_so_that_their_features_are_kept():
    first, second = (different_pictures(digits=True) for _ in range(2))
    assert first == second


def test_digits_are_left_out_where_they_may_be_a_class():
    assert {each.label for each in different_pictures(digits=False)} == {"noise", "drawings"}


@pytest.mark.parametrize("color", ["rgb", "gray"])
def test_they_are_read_as_any_other_picture(color):
    levels = (0.0,) * (3 if color == "rgb" else 1)
    preprocess = Preprocess(
        short_side=28, crop_hw=(28, 28), filter="bilinear", color=color, mean=levels, scale=(1.0,) * len(levels)
    )
    images = [read_image(each.read(), preprocess) for each in different_pictures(digits=True)]
    assert {image.shape for image in images} == {(28, 28, len(levels))}
    assert not any(map(is_flat, images))
