"""Why a box was drawn, of a detector whose answers can be worked out: each square of the image tells its own color."""

import json
import subprocess
import sys

import numpy as np
import pytest
from box_bundle import HEIGHT, STRIDE, WIDTH, squares, write_box_bundle
from click.testing import CliRunner
from color_bundle import write_color_bundle
from PIL import Image

import eyespot
from eyespot.answering.detector import Detector
from eyespot.bundle.files import read_any_bundle
from eyespot.cli.main import main
from eyespot.detecting.explained import PLACES, explained_box, see
from eyespot.detecting.surroundings import Surroundings, ToldBox, place_of
from eyespot.errors import BundleError, DataError, OptionError
from eyespot.explaining.heat import with_hidden

RED, GREEN = (250, 0, 0), (0, 220, 0)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write_box_bundle(tmp_path_factory.mktemp("boxes") / "bundle")


@pytest.fixture
def picture(tmp_path):
    """A red square at place 4, the middle of the lower row, and a green one that is less sure at place 0."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[32:64, 32:64], image[:32, :32] = RED, GREEN
    path = tmp_path / "two.png"
    Image.fromarray(image).save(path)
    return path


def overlap(a, b):
    across = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    down = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    both = across * down
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def test_the_box_its_place_and_what_is_around_it_are_those_that_can_be_worked_out(run, picture, tmp_path):
    found = eyespot.explain(run, picture, out=tmp_path / "why.png")
    assert (found.class_, found.box, found.boxes, found.stride) == ("red", 1, 2, STRIDE)
    assert found.probability == pytest.approx(250 / 255, abs=1e-6)
    assert found.xyxy == (28, 28, 68, 64)  # four pixels more on each side, within the picture
    assert found.place == (32, 32, 64, 64)
    window = found.window  # the box is 40 x 36 pixels: as much again on each side, within the picture
    assert (window.left * WIDTH, window.top * HEIGHT) == pytest.approx((0, 0))
    assert (window.width * WIDTH, window.height * HEIGHT) == pytest.approx((WIDTH, HEIGHT))
    assert found.places_hw == (PLACES, PLACES)
    assert found.deletion.untouched == found.probability
    assert found.deletion.confirmed
    with Image.open(tmp_path / "why.png") as drawn:
        assert drawn.width > 900
    second = eyespot.explain(run, picture, out=tmp_path / "second.png", box=2)
    assert (second.class_, second.place) == ("green", (0, 0, 32, 32))
    assert eyespot.explain(run, picture, out=tmp_path / "green.png", class_="green").box == 2


def test_the_map_is_what_a_brute_force_twin_finds(run, picture):
    detector = Detector(read_any_bundle(run))
    explained, said = explained_box(
        detector, see(detector, picture.read_bytes(), name="two", threshold=None), 1, out="why.png"
    )
    image = explained.image
    color = np.rint(image.reshape(-1, 3).mean(0)).astype(np.uint8)
    length, boxes_told = PLACES // 4, (28, 28, 68, 68)
    drops = [[[] for _ in range(PLACES)] for _ in range(PLACES)]
    for top in range(PLACES - length + 1):
        for left in range(PLACES - length + 1):
            patch = np.zeros((PLACES, PLACES), bool)
            patch[top : top + length, left : left + length] = True
            boxes, scores = squares(with_hidden(image, patch, color))
            sure = max(overlap(box, boxes_told) * score[0] for box, score in zip(boxes, scores, strict=True))
            for row in range(top, top + length):
                for column in range(left, left + length):
                    drops[row][column].append(said.probability - sure)
    twin = np.array([[np.mean(each) for each in row] for row in drops])
    np.testing.assert_allclose(explained.heat.values, twin, atol=1e-5)


def test_a_weak_box_beside_a_surer_one_of_its_class_is_compared_with_what_there_is_of_both(run, tmp_path):
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    image[32:64, 32:64], image[32:64, :32] = RED, (13, 0, 0)
    Image.fromarray(image).save(tmp_path / "beside.png")
    found = eyespot.explain(run, tmp_path / "beside.png", out=tmp_path / "why.png", threshold=0.04, box=2)
    assert found.place == (0, 32, 32, 64)
    assert found.probability == pytest.approx(13 / 255, abs=1e-6)
    neighbor = 250 / 255 * overlap((-4, 28, 36, 68), (28, 28, 68, 68))
    assert found.deletion.untouched == pytest.approx(neighbor, abs=1e-6)


@pytest.mark.parametrize("size_wh", [(96, 64), (300, 20), (20, 300), (1, 400), (400, 1), (1, 1)])
def test_pictures_of_any_shape_are_explained_within_their_edges(run, tmp_path, size_wh):
    Image.new("RGB", size_wh, RED).save(tmp_path / "red.png")
    found = eyespot.explain(run, tmp_path / "red.png", out=tmp_path / "why.png", threshold=0.0)
    for left, top, right, bottom in (found.xyxy, found.place):
        assert 0 <= left <= right <= size_wh[0]
        assert 0 <= top <= bottom <= size_wh[1]
    window = found.window
    assert 0 <= window.left <= window.left + window.width <= 1 + 1e-9
    assert 0 <= window.top <= window.top + window.height <= 1 + 1e-9


def test_places_are_counted_map_by_map_and_row_by_row():
    strides, image_hw = (8, 16, 32), (64, 96)
    expected = [
        (stride, (column, row, column + stride, row + stride))
        for stride in strides
        for row in range(0, image_hw[0], stride)
        for column in range(0, image_hw[1], stride)
    ]
    assert [place_of(index, image_hw, strides) for index in range(len(expected))] == expected
    with pytest.raises(IndexError):
        place_of(len(expected), image_hw, strides)


def test_another_box_that_fits_as_well_is_not_taken_for_the_loss_of_this_one(run, picture):
    detector = Detector(read_any_bundle(run))
    framed = see(detector, picture.read_bytes(), name="two", threshold=None).framed
    around = Surroundings(detector, framed, ToldBox(label=0, sides=(28, 28, 68, 68), place=4))
    hidden = around.image.copy()
    hidden[:] = 0
    [untouched, gone] = around.ask([around.image, hidden])
    assert untouched == pytest.approx(250 / 255, abs=1e-6)
    assert gone == 0


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"box": 3}, OptionError, "the option box must be a number from 1 to 2, not 3: found are 1 red and 1 green"),
        ({"box": 0}, OptionError, "at least 1, the surest, not 0"),
        ({"class_": "blue"}, OptionError, "no 'blue' is found in"),
        ({"class_": "gren"}, OptionError, "did you mean 'green'"),
        ({"class_": "red", "box": 1}, OptionError, "exclude each other"),
        ({"threshold": 1.0}, OptionError, "lower the option threshold"),
        ({"threshold": 7}, OptionError, "give a number from 0 to 1"),
        ({"similar": 3}, OptionError, "the option similar is for models that name classes"),
        ({"data": "."}, OptionError, "the option data is for models that name classes"),
        ({"bx": 3}, OptionError, "explain has no option 'bx': did you mean 'box'"),
    ],
)
def test_what_cannot_be_explained_is_said_and_nothing_is_written(run, picture, tmp_path, options, error, says):
    with pytest.raises(error, match=says):
        eyespot.explain(run, picture, out=tmp_path / "why.png", **options)
    assert not (tmp_path / "why.png").exists()


def test_a_model_that_names_classes_has_no_box_to_explain(picture, tmp_path):
    run = write_color_bundle(tmp_path / "bundle")
    with pytest.raises(OptionError, match=r"the option box is for detectors, and the model in .* names classes"):
        eyespot.explain(run, picture, out=tmp_path / "why.png", box=1)


def test_a_picture_that_cannot_be_read_and_a_model_that_cannot_answer_end_in_a_sentence(run, picture, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(picture.read_bytes()[:60])
    with pytest.raises(DataError, match=r"broken\.png"):
        eyespot.explain(run, broken, out=tmp_path / "why.png")
    mute = write_box_bundle(tmp_path / "mute", weight=float("nan"))
    with pytest.raises((DataError, BundleError)):
        eyespot.explain(mute, picture, out=tmp_path / "why.png")
    assert not (tmp_path / "why.png").exists()


def test_the_command_says_it_in_words_and_as_json(run, picture, tmp_path):
    told = ["explain", str(run), str(picture), "--out", str(tmp_path / "why.png")]
    done = CliRunner().invoke(main, [*told, "--box", "2"])
    assert done.exit_code == 0, done.output
    assert "green 0.863" in done.output
    assert "2 of 2: 36 x 36 px, from 0, 0" in done.output
    done = CliRunner().invoke(main, [*told, "--overwrite", "--json"])
    said = json.loads(done.output)
    assert (said["class"], said["place"]) == ("red", [32, 32, 64, 64])
    assert said["out"] == str(tmp_path / "why.png")


def test_it_needs_no_torch(run, picture, tmp_path):
    code = (
        "import sys, eyespot\n"
        f"eyespot.explain({str(run)!r}, {str(picture)!r}, out={str(tmp_path / 'why.png')!r})\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
