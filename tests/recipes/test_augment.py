"""`augment`: the grid holds the picture and its views, and the answer what was drawn for each."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import eyespot
from eyespot.arithmetic.maps import GAP
from eyespot.augmenting.augment import augment as views_of
from eyespot.augmenting.augmentation import DIGITS, PHOTOS, Augmentation
from eyespot.augmenting.chance import Chance, pictures_by_content
from eyespot.cli.main import main
from eyespot.data.copies import content_hash
from eyespot.errors import DataError, OptionError
from eyespot.recipes.augment import STRENGTHS


@pytest.fixture
def picture(split_photos) -> Path:
    return split_photos / "test" / "circle" / "200.png"


def cells(made) -> np.ndarray:
    """The pictures of a grid in its order, (N, H, W, 3), each of its values once."""
    whole = np.asarray(Image.open(made.out))
    height, width, _ = made.image_hwc
    factor = (whole.shape[1] + GAP) // made.columns - GAP
    assert factor % width == 0
    factor //= width
    down, across = height * factor + GAP, width * factor + GAP
    assert whole.shape == (made.rows * down - GAP, made.columns * across - GAP, 3)
    corners = [(row * down, column * across) for row in range(made.rows) for column in range(made.columns)]
    return np.stack([whole[y : y + height * factor : factor, x : x + width * factor : factor] for y, x in corners])


def test_the_grid_is_the_picture_and_its_views_in_training(picture, tmp_path):
    made = eyespot.augment(picture, out=tmp_path / "grid.png", rows=2, columns=3, seed=5, imgsz=48)
    image, *views = cells(made)
    whole = Image.open(picture)
    assert (image == np.asarray(whole.crop((8, 0, 56, 48)))).all()
    content = pictures_by_content([content_hash(picture.read_bytes())])
    expected = [views_of(image[None], Chance(5, epoch, content), PHOTOS)[0] for epoch in range(5)]
    assert (np.stack(views) == np.stack(expected)).all()


def test_grey_pictures_make_a_grey_grid(picture, tmp_path):
    made = eyespot.augment(picture, out=tmp_path / "grid.png", preset="digits")
    assert (made.image_hwc, made.augmentation, len(made.views)) == ((28, 28, 1), DIGITS, 11)
    shown = cells(made)
    assert (shown == shown[..., :1]).all()


def test_what_is_listed_is_what_is_shown(picture, tmp_path):
    """Pixels moved by hand, as the answer says, are the views."""
    made = eyespot.augment(picture, out=tmp_path / "grid.png", preset="small-photos", imgsz=32, erase=0.5)
    image, *views = cells(made)
    assert {view.mirrored for view in made.views} == {True, False}
    assert {view.erased is None for view in made.views} == {True, False}
    for view, listed in zip(views, made.views, strict=True):
        padded = np.pad(image[:, ::-1] if listed.mirrored else image, ((4, 4), (4, 4), (0, 0)), mode="reflect")
        down, right = listed.shift
        expected = padded[4 - down : 36 - down, 4 - right : 36 - right].copy()
        if listed.erased:
            top, left, bottom, right = listed.erased
            assert len(np.unique(view[top:bottom, left:right].reshape(-1, 3), axis=0)) == 1
            expected[top:bottom, left:right] = view[top, left]
        assert (view == expected).all()
        assert listed.window == (0, 0, 32, 32)
        assert (listed.rotation, listed.shear, listed.brightness, listed.color) == (0, 0, 1, (0, 0, 0))


def test_windows_are_listed_in_pixels(picture, tmp_path):
    made = eyespot.augment(picture, out=tmp_path / "grid.png", imgsz=(40, 60), crop_area=(0.5, 0.5))
    for view in made.views:
        top, left, bottom, right = view.window
        assert -1e-6 < top < bottom < 40 + 1e-6
        assert -1e-6 < left < right < 60 + 1e-6
        assert (bottom - top) * (right - left) == pytest.approx(0.5 * 40 * 60)


def test_views_depend_on_content_and_seed_not_on_the_files_name(picture, tmp_path):
    (tmp_path / "other.png").write_bytes(picture.read_bytes())
    views = [
        eyespot.augment(each, out=tmp_path / "grid.png", seed=seed, overwrite=True).views
        for each, seed in ((picture, 0), (tmp_path / "other.png", 0), (picture, 1))
    ]
    assert views[0] == views[1]
    assert views[0] != views[2]


def test_every_strength_can_be_given_and_stands_in_place_of_the_presets(picture, tmp_path):
    given = {
        **{"mirror": False, "crop_area": (0.5, 0.9), "crop_aspect": (0.5, 2.0), "padding": "edge", "shift": 3},
        **{"rotation": 20.0, "shear": 3.0, "elastic": 30.0, "elastic_smoothing": 5.0, "brightness": 0.1},
        **{"contrast": 0.3, "saturation": 0.4, "pca_color": 0.5, "erase": 0.25, "erase_area": (0.1, 0.2)},
    }
    assert given.keys() == STRENGTHS.keys()
    assert set(STRENGTHS.values()) == set(Augmentation.model_fields)
    made = eyespot.augment(picture, out=tmp_path / "grid.png", imgsz=32, **given)
    assert made.augmentation == Augmentation(**{STRENGTHS[name]: value for name, value in given.items()})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"preset": "cats"}, "the option preset cannot be 'cats': give photos, small-photos, digits"),
        ({"rotate": 3}, "augment has no option 'rotate': did you mean 'rotation'?"),
        ({"colums": 3}, "augment has no option 'colums': did you mean 'columns'?"),
        ({"rotation": -3}, "the option rotation cannot be -3: give degrees from 0 to 180"),
        ({"rotation": float("nan")}, "the option rotation cannot be nan: give degrees from 0 to 180"),
        ({"shift": 1.5}, "the option shift cannot be 1.5: give a whole number of pixels"),
        ({"crop_area": (1, 0.5)}, "the option crop_area cannot be (1, 0.5): give two numbers above 0, at most 4"),
        ({"crop_aspect": (2, 3)}, "the option crop_aspect cannot be (2, 3): give a number above 0, at most 1"),
        ({"brightness": 1}, "the option brightness cannot be 1: give a number from 0 up, below 1"),
        ({"padding": "wrap"}, "the option padding cannot be 'wrap': give reflect, edge or zero"),
        ({"erase": 2}, "the option erase cannot be 2: give a number from 0 to 1"),
        ({"rows": 0}, "the option rows must be at least 1, not 0"),
        ({"rows": 1, "columns": 1}, "room only for the picture"),
        ({"rows": 1000, "columns": 1000}, "give fewer rows or columns"),
        ({"seed": -1}, "the option seed must be at least 0, not -1"),
        ({"imgsz": 0}, "the option imgsz cannot be 0: give 1 to 1024 pixels"),
        ({"imgsz": (1, 2, 3)}, "give 1 to 1024 pixels, or height and width"),
        ({"imgsz": 5000}, "the option imgsz cannot be 5000: give 1 to 1024 pixels"),
        ({"out": "grid.jpg"}, "must name a file that ends in .png"),
    ],
)
def test_options_that_cannot_be_used_are_a_sentence(picture, tmp_path, monkeypatch, options, said):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OptionError) as error:
        eyespot.augment(picture, **({"out": "grid.png"} | options))
    assert said in str(error.value)
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_a_picture_that_cannot_be_read_is_a_sentence(tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    for name in ("broken.jpg", "missing.jpg", "."):
        with pytest.raises(DataError, match=str(tmp_path)):
            eyespot.augment(tmp_path / name, out=tmp_path / "grid.png")


def test_an_existing_file_is_kept_unless_told_otherwise(picture, tmp_path):
    out = tmp_path / "grid.png"
    out.write_bytes(b"mine")
    with pytest.raises(OptionError, match="exists already"):
        eyespot.augment(picture, out=out)
    assert out.read_bytes() == b"mine"
    eyespot.augment(picture, out=out, overwrite=True)
    Image.open(out).verify()


def test_one_pixel_can_be_augmented(picture, tmp_path):
    for imgsz in (1, (1, 9)):
        eyespot.augment(picture, out=tmp_path / "grid.png", imgsz=imgsz, elastic=5, shift=2, overwrite=True)


def test_the_command_says_what_it_wrote_and_lists_the_views_in_json(picture, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = ["augment", str(picture), "--out", "grid.png", "--preset", "small-photos", "--columns", "2"]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.splitlines() == [
        "Wrote       grid.png: the picture and 5 views of 32x32 pixels, in 3 rows of 2",
        "Views       Pictures are drawn anew in each epoch: half of them mirrored, moved by up to 4 pixels each way.",
    ]
    more = ["--overwrite", "--json", "--no-mirror", "--crop-area", "0.5,0.8", "--imgsz", "20x30", "--erase", "1"]
    done = CliRunner().invoke(main, [*arguments, *more])
    assert done.exit_code == 0, done.stderr
    printed = json.loads(done.stdout)
    assert printed["image_hwc"] == [20, 30, 3]
    assert printed["augmentation"]["crop_area"] == [0.5, 0.8]
    assert [view["mirrored"] for view in printed["views"]] == [False] * 5
    assert all(view["erased"] for view in printed["views"])
    done = CliRunner().invoke(main, [*arguments, "--overwrite", "--erase-area", "5"])
    assert done.exit_code == 2
    assert done.stderr == "eyespot: the option erase_area cannot be '5': give two numbers such as 0.6,1\n"
