import io
from collections import Counter

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from eyespot.data.copies import content_hash
from eyespot.data.samples import digits
from eyespot.data.sources import open_data_set
from eyespot.errors import MissingExtra


@pytest.fixture(scope="module")
def sample():
    return digits()


def test_the_sample_is_scikit_learns_digits_picture_by_picture(sample):
    truth = load_digits()
    assert [each.label for each in sample.pictures] == [str(label) for label in truth.target]
    decoded = np.stack([np.asarray(Image.open(io.BytesIO(each.read()))) for each in sample.pictures])
    assert decoded.dtype == np.uint8
    np.testing.assert_array_equal(np.rint(decoded / 255 * 16), truth.images)
    assert (decoded.min(), decoded.max()) == (0, 255)


def test_the_sample_has_1797_different_pictures_with_different_names_in_ten_classes(sample):
    assert sample.classes == tuple("0123456789")
    assert len({each.name for each in sample.pictures}) == 1797
    assert len({content_hash(each.read()) for each in sample.pictures}) == 1797
    assert min(Counter(each.label for each in sample.pictures).values()) == 174
    assert sample.mirror_changes_meaning


def test_the_sample_is_the_same_each_time(sample):
    assert digits() == sample


def test_digits_opens_the_sample_where_no_such_folder_is(tmp_path, monkeypatch, sample):
    monkeypatch.chdir(tmp_path)
    assert open_data_set("digits") == sample


def test_without_scikit_learn_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sklearn.datasets", None)
    with pytest.raises(MissingExtra, match=r"pip install 'eyespot\[train\]'"):
        digits()
