"""`embed`: plain arrays of features, one row for each picture that can be read."""

import shutil

import numpy as np
import pytest

import eyespot
from eyespot.errors import DataError, EyespotError, NoPictures, OptionError


@pytest.fixture
def embed(shared_cache, split_run):
    return eyespot.embed


def test_every_picture_has_a_row(embed, split_photos, tmp_path):
    result = embed(split_photos, tmp_path / "features.npz")
    with np.load(tmp_path / "features.npz", allow_pickle=False) as file:
        arrays = dict(file)
    assert arrays["features"].shape == (69, 1280) == (result.pictures, result.features)
    assert arrays["features"].dtype == np.float32
    assert dict(zip(arrays["pictures"], arrays["classes"], strict=True))["test/circle/200.png"] == "circle"
    assert sorted(set(arrays["parts"])) == ["test", "train", "val"]


def test_the_same_picture_has_the_same_features_and_is_computed_once(embed, split_photos, tmp_path):
    embed(split_photos / "test", tmp_path / "first.npz")
    assert embed(split_photos / "test", tmp_path / "second.npz").computed == 0
    assert (tmp_path / "first.npz").read_bytes() == (tmp_path / "second.npz").read_bytes()


def test_a_folder_without_classes_has_empty_ones(embed, split_photos, tmp_path):
    embed(split_photos / "test" / "circle", tmp_path / "features.npz")
    with np.load(tmp_path / "features.npz") as file:
        assert set(file["classes"]) == {""}
        assert len(file["features"]) == 11


def test_broken_files_are_set_aside(embed, split_photos, tmp_path):
    shutil.copytree(split_photos / "val" / "circle", tmp_path / "photos")
    (tmp_path / "photos" / "broken.jpg").write_bytes(b"")
    result = embed(tmp_path / "photos", tmp_path / "features.npz")
    assert result.pictures == 4
    assert [each.reason for each in result.set_aside] == ["is empty (0 bytes)"]


def test_an_existing_file_is_kept_unless_it_may_be_replaced(embed, split_photos, tmp_path):
    (tmp_path / "features.npz").write_bytes(b"mine")
    with pytest.raises(OptionError, match="exists already"):
        embed(split_photos, tmp_path / "features.npz")
    assert (tmp_path / "features.npz").read_bytes() == b"mine"
    embed(split_photos, tmp_path / "features.npz", overwrite=True)
    assert (tmp_path / "features.npz").read_bytes() != b"mine"


@pytest.mark.parametrize(
    ("out", "said"), [("features.csv", "ends in .npz"), ("nowhere/features.npz", "does not exist; make it")]
)
def test_a_place_that_cannot_be_written_is_refused_before_any_work(embed, split_photos, tmp_path, out, said):
    with pytest.raises(OptionError, match=said):
        embed(split_photos, tmp_path / out)


def test_a_folder_in_place_of_the_file_is_a_sentence(embed, split_photos, tmp_path):
    (tmp_path / "features.npz").mkdir()
    with pytest.raises(OptionError, match=r"features\.npz"):
        embed(split_photos, tmp_path / "features.npz", overwrite=True)


def test_nothing_readable_is_a_sentence(embed, tmp_path):
    (tmp_path / "photos").mkdir()
    with pytest.raises(NoPictures):
        embed(tmp_path / "photos", tmp_path / "features.npz")
    (tmp_path / "photos" / "broken.jpg").write_bytes(b"")
    with pytest.raises(DataError, match=r"no picture in .* can be read"):
        embed(tmp_path / "photos", tmp_path / "features.npz")


def test_a_precision_that_does_not_exist_is_refused(embed, split_photos, tmp_path):
    with pytest.raises(OptionError, match="precision cannot be 'fp8'"):
        embed(split_photos, tmp_path / "features.npz", precision="fp8")


def test_a_run_gives_the_features_that_its_head_takes(embed, split_run, split_photos, tmp_path):
    folder = split_photos / "val"
    result = embed(folder, tmp_path / "own.npz", model=split_run.run)
    embed(folder, tmp_path / "default.npz")
    assert result.computed == 0  # its trunk is the default one, of whose features the store has all
    with np.load(tmp_path / "own.npz") as own, np.load(tmp_path / "default.npz") as default:
        assert np.array_equal(own["features"], default["features"])
        model = eyespot.load(split_run.run)
        assert model.embed([f"{folder}/{name}" for name in own["pictures"]]) == pytest.approx(own["features"], abs=0.1)


def test_another_network_has_features_of_its_own(embed, split_photos, tmp_path):
    """Where no weights of it are on this computer, that is said before any picture is read."""
    with pytest.raises(EyespotError, match="resnet18"):
        embed(split_photos, tmp_path / "features.npz", model="resnet18")


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("resnet81", r"cannot be 'resnet81': it is no run, and did you mean 'resnet18'"),
        ("lenet5", "has no published weights"),
        (5, "a path was expected, not int"),
    ],
)
def test_a_model_that_there_is_not_is_said(embed, split_photos, tmp_path, model, said):
    with pytest.raises(EyespotError, match=said):
        embed(split_photos, tmp_path / "features.npz", model=model)
    assert not (tmp_path / "features.npz").exists()
