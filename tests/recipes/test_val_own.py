"""`val RUN` measures a run on the pictures that it kept, and `--min-accuracy` ends what is not good enough."""

import json
import shutil

import pytest
from click.testing import CliRunner

import eyespot
from eyespot.cli.main import main
from eyespot.errors import DataError, OptionError, TooLow


@pytest.fixture
def moved(split_run, split_photos, shared_cache, tmp_path):
    """A copy of a run whose pictures are a copy, too."""
    photos, run = tmp_path / "photos", tmp_path / "run"
    shutil.copytree(split_photos, photos)
    shutil.copytree(split_run.run, run)
    args = json.loads((run / "args.json").read_text())
    (run / "args.json").write_text(json.dumps(args | {"data": str(photos)}))
    return run, photos


def test_the_figures_are_those_of_the_test_part(split_run, shared_cache):
    found = eyespot.val(split_run.run)
    assert (found.part, found.n) == ("test", split_run.test.n)
    assert (found.accuracy, found.low, found.high) == pytest.approx(
        (split_run.test.accuracy, split_run.test.low, split_run.test.high)
    )
    assert eyespot.val(split_run.run, split="val").accuracy == pytest.approx(split_run.validation.accuracy)
    assert eyespot.val(split_run.bundle).accuracy == found.accuracy


def test_new_pictures_are_not_measured_and_missing_ones_are_named(moved):
    run, photos = moved
    gone = sorted((photos / "test" / "circle").iterdir())
    (photos / "test" / "circle" / "new.png").write_bytes(gone[0].read_bytes()[:-12] + b"otherwise!!!")
    for each in gone[:2]:
        each.unlink()
    found = eyespot.val(run)
    assert (found.part, found.n) == ("test", 31)
    assert any(note.startswith("2 of the run's 33 test pictures are not in ") for note in found.notes)


def test_where_none_is_there_it_says_so(moved):
    run, photos = moved
    shutil.rmtree(photos / "test")
    with pytest.raises(DataError, match=r"none of the run's 33 test pictures is in .* any more: they are gone"):
        eyespot.val(run)
    shutil.rmtree(photos)
    with pytest.raises(DataError, match=r"was made on .*photos, which is not there: go to the folder"):
        eyespot.val(run)


def test_a_bundle_alone_does_not_know_its_pictures(split_run, tmp_path):
    alone = shutil.copytree(split_run.bundle, tmp_path / "alone")
    with pytest.raises(OptionError, match="is not in a run's folder, which says where its pictures are: give DATA"):
        eyespot.val(alone)


def test_a_run_says_itself_how_its_pictures_are_read(split_run):
    with pytest.raises(OptionError, match="says how its pictures are read"):
        eyespot.val(split_run.run, layout="class")


def test_an_accuracy_that_is_too_low_ends_with_status_1_and_its_interval(
    split_run, split_photos, shared_cache, tmp_path
):
    for was, named in (("circle", "square"), ("square", "circle"), ("triangle", "triangle")):
        shutil.copytree(split_photos / "test" / was, tmp_path / named)
    assert eyespot.val(split_run.run, tmp_path, min_accuracy=1 / 3).accuracy == 1 / 3
    done = CliRunner().invoke(main, ["val", str(split_run.run), str(tmp_path), "--min-accuracy", "0.9", "--json"])
    assert done.exit_code == 1
    assert (
        "the accuracy is 0.333, lower than the 0.9 that was asked for; its 95 % interval on 33 pictures" in done.stderr
    )
    assert "is 0.198 to 0.504, which lies below it, too" in done.stderr
    assert json.loads(done.stdout)["n"] == 33
    with pytest.raises(TooLow, match=r"so 0\.4 is not ruled out") as low:
        eyespot.val(split_run.run, tmp_path, min_accuracy=0.4)
    assert low.value.result.n == 33


def test_no_least_accuracy_is_reached_on_pictures_that_were_trained_on(split_run, split_photos, shared_cache, tmp_path):
    for part in ("train", "test"):
        shutil.copytree(split_photos / part, tmp_path / "photos", dirs_exist_ok=True)
    found = eyespot.val(split_run.run, tmp_path / "photos", min_accuracy=0.1)
    assert (found.part, found.n, found.accuracy) == ("all", split_run.test.n, split_run.test.accuracy)
    assert {each.reason for each in found.set_aside} == {"the model was trained on it, so it tests nothing"}
    assert eyespot.val(split_run.run, tmp_path / "photos").n == found.n + len(found.set_aside)
    for data, split in ((split_photos / "train", "auto"), (split_photos, "train"), (None, "train")):
        with pytest.raises(DataError, match=r"trained on all \d+ pictures of part .* so they say nothing of a least"):
            eyespot.val(split_run.run, data, split=split, min_accuracy=0.1)


def test_no_least_map50_is_reached_on_pictures_that_were_trained_on(detector_run, boxed_photos, shared_cache):
    for data, split in ((boxed_photos, "train"), (None, "train")):
        with pytest.raises(DataError, match="was trained on every picture"):
            eyespot.val(detector_run.run, data, split=split, min_map50=0.1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"min_accuracy": 90}, r"min_accuracy cannot be 90: give a number from 0 to 1"),
        ({"min_map50": 0.5}, r"min_map50 does not fit the model in .*, which names classes: give min_accuracy"),
    ],
)
def test_a_least_figure_that_cannot_be_is_refused_before_any_work(split_run, options, said):
    with pytest.raises(OptionError, match=said):
        eyespot.val(split_run.run, "nowhere", **options)


def test_a_detector_has_its_own_least_figure_and_its_own_pictures(detector_run, boxed_photos, shared_cache, tmp_path):
    found = eyespot.val(detector_run.run, min_map50=detector_run.test.map50.value)
    assert (found.part, found.pictures, found.map50) == ("test", detector_run.test.pictures, detector_run.test.map50)
    shutil.copytree(boxed_photos, tmp_path / "shapes")
    names = tmp_path / "shapes" / "data.yaml"
    names.write_text(names.read_text().replace("bar, disc", "disc, bar"))
    with pytest.raises(TooLow, match=r"the mAP50 is 0\.\d+, lower than the 0\.9 that was asked for"):
        eyespot.val(detector_run.run, tmp_path / "shapes", min_map50=0.9)
    with pytest.raises(OptionError, match="which finds boxes: give min_map50"):
        eyespot.val(detector_run.run, min_accuracy=0.5)
