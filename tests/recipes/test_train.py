"""`train`: parts and what is measured on them, the cache, files set aside, options, Ctrl-C."""

import csv
import importlib
import io
import json
import os
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from PIL import Image

import eyespot
from eyespot.bundle.files import read_bundle
from eyespot.data.copies import content_hash
from eyespot.data.sources import open_data_set
from eyespot.errors import DataError, EyespotError, NoPictures, OptionError, Stopped
from eyespot.progress import silent
from eyespot.regimes.prepare import prepare
from eyespot.runs.options import USED_BY, Regime, TrainOptions

CLASSES = ("circle", "square", "triangle")


@pytest.fixture
def photos(draw, tmp_path) -> Path:
    """Six pictures of each class, not split."""
    draw(tmp_path / "photos", 6)
    return tmp_path / "photos"


@pytest.fixture
def train(tmp_path, shared_cache):
    """`train` with its runs in this test's folder."""

    def call(data, **options):
        return eyespot.train(data, **{"out": tmp_path / "runs", **options})

    return call


@pytest.fixture
def no_features(warm_cache, tmp_path, monkeypatch) -> None:
    """A cache with the converted network but without any features."""
    for name in ("graphs", "compiled"):
        shutil.copytree(warm_cache / name, tmp_path / "cache" / name)
    monkeypatch.setenv("EYESPOT_CACHE", str(tmp_path / "cache"))


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def parts(result) -> Counter[str]:
    return Counter(row["part"] for row in rows(Path(result.run, "split.csv")))


def tree(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Every file's mode, time of change and bytes."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: (path.stat().st_mode, path.stat().st_mtime_ns, path.read_bytes()) for name, path in found.items()}


# --- parts


def test_a_split_folder_is_measured_on_its_own_parts(split_run):
    assert parts(split_run) == {"train": 24, "val": 12, "test": 33}
    assert (split_run.validation.n, split_run.test.n) == (12, 33)
    assert split_run.out_of_fold is None
    assert split_run.classes == CLASSES
    assert split_run.pictures.used == 69
    assert split_run.test.low <= split_run.test.accuracy <= split_run.test.high
    assert split_run.test.accuracy > 0.8  # coloured shapes are easy


def test_a_run_folder_holds_everything_that_is_promised(split_run):
    names = {path.name for path in Path(split_run.run).iterdir()}
    assert names == {
        "args.json",
        "bundle",
        "config.yaml",
        "events.jsonl",
        "confusion_matrix.png",
        "predictions.csv",
        "report.html",
        "result.json",
        "results.csv",
        "split.csv",
    }
    assert json.loads(Path(split_run.run, "result.json").read_text("utf-8")) == json.loads(split_run.model_dump_json())


def test_an_unsplit_folder_is_split_and_measured_on_test(train, draw, tmp_path):
    draw(tmp_path / "photos", 67)
    result = train(tmp_path / "photos")
    assert parts(result) == {"train": 141, "val": 30, "test": 30}
    assert (result.validation.n, result.test.n, result.out_of_fold) == (30, 30, None)


def test_a_folder_without_test_has_no_test_figure(train, draw, tmp_path):
    draw(tmp_path / "photos" / "train", 4)
    draw(tmp_path / "photos" / "val", 10, first=50)
    result = train(tmp_path / "photos")
    assert parts(result) == {"train": 12, "val": 30}
    assert (result.validation.n, result.test, result.out_of_fold) == (30, None, None)


def test_a_missing_val_is_cut_from_train(train, split_photos, tmp_path):
    shutil.copytree(split_photos / "train", tmp_path / "photos" / "train")
    shutil.copytree(split_photos / "test", tmp_path / "photos" / "test")
    result = train(tmp_path / "photos")
    assert parts(result) == {"train": 21, "val": 3, "test": 33}
    assert (result.validation.n, result.test.n) == (3, 33)


def test_a_small_test_part_gives_way_to_cross_validation(train, photos):
    result = train(photos)
    assert result.test is None
    assert result.out_of_fold.n == result.pictures.used == 18
    assert result.validation == result.out_of_fold
    assert "too few" in result.out_of_fold_reason
    assert result.small_test is None
    calibrated = read_bundle(result.run).manifest.calibration
    assert (calibrated.n, calibrated.cross_fitted) == (18, True)
    assert (result.unknown.n, [each.share for each in result.unknown.refusing]) == (18, [0.1])
    assert "there were 18" in Path(result.report).read_text("utf-8")


def parts_in_predictions(result) -> Counter[str]:
    return Counter(row["part"] for row in rows(Path(result.run, "predictions.csv")) if not row["set_aside"])


def test_what_a_small_unsplit_folder_was_trained_on_is_train_in_every_file(train, photos):
    result = train(photos)
    assert parts(result) == {"train": 18}
    assert parts_in_predictions(result) == {"train (out of fold)": 18}
    known = read_bundle(result.run).manifest.pictures
    assert known.parts(row["content_hash"] for row in rows(Path(result.run, "split.csv"))) == ["train"] * 18


def test_a_small_unsplit_folder_learned_from_scratch_keeps_its_parts_in_every_file(train, photos):
    result = train(photos, model="lenet5", epochs=1)
    assert parts(result) == {"train": 12, "val": 3, "test": 3}
    assert parts_in_predictions(result) == {f"{part} (out of fold)": n for part, n in parts(result).items()}
    assert read_bundle(result.run).manifest.data.trained_on == 12
    assert (result.unknown.n, result.unknown.fitted_on) == (18, "pictures that a network had not seen")
    report = Path(result.report).read_text("utf-8")
    assert "<dt>Trained on</dt><dd>12 pictures</dd>" in report
    assert "head was fitted" not in report  # it was trained as a whole


def test_predictions_name_every_picture_that_was_answered_by_a_model_that_had_not_seen_it(split_run):
    assert parts_in_predictions(split_run) == {"train (out of fold)": 24, "val": 12, "test": 33}


def test_a_small_test_folder_is_kept_out_of_training(train, photos, tmp_path):
    for part in ("train", "test"):
        shutil.copytree(photos, tmp_path / "split" / part)
    for picture in (tmp_path / "split" / "test").rglob("*.png"):
        Image.open(picture).rotate(180).save(picture)
    result = train(tmp_path / "split")
    assert result.out_of_fold.n == 15  # one of each class validates
    assert "has only 18 pictures" in result.out_of_fold_reason
    assert (result.test, result.small_test.n, result.validation.n) == (None, 18, 3)
    assert Counter(row["part"] for row in rows(Path(result.run, "predictions.csv"))) == {
        "train (out of fold)": 15,
        "val": 3,
        "test": 18,
    }
    manifest = read_bundle(result.run).manifest
    assert manifest.small_test.overall == result.small_test
    calibrated = manifest.calibration
    assert (calibrated.n, calibrated.cross_fitted) == (3, False)  # val, which the temperature has not seen


def test_hardly_any_pictures_are_enough_for_a_model(train, draw, tmp_path):
    draw(tmp_path / "photos", 1)
    result = train(tmp_path / "photos")
    assert result.out_of_fold.n == 3
    assert len(eyespot.load(result.run).predict(tmp_path / "photos")) == 3


def test_two_pictures_are_too_few(train, draw, tmp_path):
    draw(tmp_path / "photos", 1, kinds=CLASSES[:2])
    with pytest.raises(DataError, match="has 2 pictures to train on"):
        train(tmp_path / "photos")


def test_one_training_picture_a_class_and_no_val_is_measured_on_test(train, draw, tmp_path):
    draw(tmp_path / "photos" / "train", 1)
    draw(tmp_path / "photos" / "test", 10, first=50)
    result = train(tmp_path / "photos")
    assert (result.test.n, result.validation) == (30, None)


def test_an_unreadable_val_part_has_no_figure(train, split_photos, tmp_path):
    photos = Path(shutil.copytree(split_photos, tmp_path / "photos"))
    for number, picture in enumerate((photos / "val").rglob("*.png")):
        picture.write_text(f"not a picture {number}")
    result = train(photos)
    assert (result.test.n, result.validation) == (33, None)
    assert result.pictures.set_aside == 12


def test_an_unreadable_training_part_is_a_sentence(train, split_photos, tmp_path):
    photos = Path(shutil.copytree(split_photos, tmp_path / "photos"))
    for number, picture in enumerate((photos / "train").rglob("*.png")):
        picture.write_text(f"not a picture {number}")
    said = r"readable pictures to train on in 0 of its classes.*24 files were set aside: .* is not a picture"
    with pytest.raises(DataError, match=said):
        train(photos)


def test_notes_count_the_pictures_that_are_trained_on_not_those_of_a_part(train, draw, tmp_path):
    draw(tmp_path / "photos", 3)  # of each class one in train, val and test; the head learns from all
    assert not any("one picture to train on" in note for note in train(tmp_path / "photos").notes)
    by_lenet = train(tmp_path / "photos", model="lenet5", epochs=1)  # and LeNet-5 from train alone
    (note,) = [note for note in by_lenet.notes if "one picture to train on" in note]
    assert note.startswith("the classes 'circle', 'square' and 'triangle' have one picture to train on each")


@pytest.mark.parametrize("model", ["auto", "lenet5"])
def test_a_class_without_any_readable_training_picture_is_a_sentence_or_a_note(train, photos, model):
    for number, picture in enumerate((photos / "circle").glob("*.png")):
        picture.write_text(f"not a picture {number}")
    result = train(photos, model=model, **({"epochs": 1} if model == "lenet5" else {}))
    assert result.pictures.set_aside == 6
    assert any("circle" in note for note in result.notes)


def test_the_test_part_is_decoded_once_and_decides_nothing_of_the_model(train, draw, tmp_path, monkeypatch):
    from eyespot.features import decode

    draw(tmp_path / "photos" / "train", 5, first=1000)
    draw(tmp_path / "photos" / "test", 10, first=2000)
    test = {content_hash(path.read_bytes()) for path in (tmp_path / "photos" / "test").rglob("*.png")}
    decoded: list[str] = []
    read_images = decode.read_images

    def reading(files, preprocess):
        decoded.extend(content_hash(data) for data in files)
        return read_images(files, preprocess)

    with monkeypatch.context() as patch:
        patch.setattr(decode, "read_images", reading)
        patch.setattr("eyespot.reporting.written_model.require_same_answers", lambda *args: None)  # reads some again
        first = train(tmp_path / "photos", name="first")
    assert sorted(each for each in decoded if each in test) == sorted(test)  # each once
    folder = tmp_path / "photos" / "test"
    (folder / "circle").rename(folder / "other")
    (folder / "square").rename(folder / "circle")
    (folder / "other").rename(folder / "square")
    second = train(tmp_path / "photos", name="second")
    assert first.test.accuracy > second.test.accuracy
    assert read_bundle(first.run).graph == read_bundle(second.run).graph


# --- what is kept for the next run


def test_a_second_run_and_one_on_a_renamed_folder_compute_and_overwrite_nothing(train, photos, no_features):
    first = train(photos)
    before = tree(Path(first.run))
    second = train(photos)
    assert first.views_computed > 0
    assert second.views_computed == 0
    assert [Path(each.run).name for each in (first, second)] == ["photos", "photos-2"]
    photos.rename(photos.with_name("renamed"))
    third = train(photos.with_name("renamed"))
    assert (third.views_computed, Path(third.run).name) == (0, "renamed")
    assert tree(Path(first.run)) == before


def test_a_picture_that_is_added_is_all_that_is_computed(train, photos, draw):
    train(photos, precision="fp32")
    draw(photos, 1, first=777, kinds=["circle"])
    assert train(photos, precision="fp32").views_computed == 2  # the picture and its mirror image


def test_a_name_that_is_taken_is_refused_before_any_work(train, photos, monkeypatch):
    run = train(photos, name="mine").run
    before = tree(Path(run))
    monkeypatch.setattr("eyespot.recipes.train.task_of", None)
    with pytest.raises(OptionError, match="mine exists already and is never overwritten"):
        train(photos, name="mine")
    assert tree(Path(run)) == before


def test_a_place_for_runs_that_is_a_file_is_refused_before_any_work(train, photos, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("x")
    monkeypatch.setattr("eyespot.recipes.train.task_of", None)
    with pytest.raises(OptionError, match="--out"):
        train(photos, out=tmp_path / "file")


@pytest.mark.parametrize("name", ["x" * 300, "run"])
def test_a_place_for_runs_that_cannot_be_looked_at_is_a_sentence(train, photos, tmp_path, monkeypatch, name):
    monkeypatch.setattr("eyespot.recipes.train.task_of", None)
    (tmp_path / "runs" / "train").mkdir(parents=True)
    if name == "run":

        def forbidden(path):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "exists", forbidden)
    with pytest.raises(OptionError, match=r"--out" if name == "run" else "the option name cannot be"):
        train(photos, name=name)


def test_the_home_of_nobody_is_a_sentence(train, photos):
    with pytest.raises(OptionError, match="the option out cannot be '~nobody-of-this-name'"):
        train(photos, out="~nobody-of-this-name")


def test_a_disk_that_is_full_when_the_report_is_written_leaves_the_model(train, photos, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("eyespot.reporting.outputs.write_report", full)
    with pytest.raises(OptionError, match=r"complete and usable, but its report .*No space left on device") as caught:
        train(photos, name="full")
    assert "\n" not in str(caught.value)
    assert read_bundle(photos.parent / "runs" / "train" / "full").manifest.name == "full"


@pytest.mark.parametrize("nth", range(1, 12))
def test_a_disk_that_is_full_at_any_file_leaves_a_whole_model_or_no_run(train, photos, tmp_path, monkeypatch, nth):
    written: list[Path] = []
    replace_file = os.replace

    def full_from_then_on(source, target):
        if "runs" in Path(target).parts:
            written.append(target)
            if len(written) >= nth:
                raise OSError(28, "No space left on device")
        replace_file(source, target)

    monkeypatch.setattr("eyespot.files.os.replace", full_from_then_on)
    with pytest.raises(OptionError, match=r"No space left on device") as caught:
        train(photos)
    run = tmp_path / "runs" / "train" / "photos"
    assert run.exists() == ("complete and usable" in str(caught.value)) == (nth > 6)
    if run.exists():
        assert read_bundle(run).manifest.agreement
        assert not (run / "report.html").exists()


def test_an_unusable_cache_folder_is_no_obstacle(photos, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("EYESPOT_CACHE", str(tmp_path / "file"))
    result = eyespot.train(photos, out=tmp_path / "runs")
    assert any("nothing is kept for the next run" in note for note in result.notes)
    assert eyespot.predict(result.run, photos / "circle" / "000.png")[0].predictions


def test_the_same_seed_gives_the_same_files_on_an_empty_cache_too(train, photos, tmp_path, monkeypatch):
    first = train(photos)
    monkeypatch.setenv("EYESPOT_CACHE", str(tmp_path / "other-cache"))
    second = train(photos)
    assert second.views_computed > 0
    for name in ("predictions.csv", "split.csv", "results.csv", "bundle/model.onnx"):
        assert Path(first.run, name).read_bytes() == Path(second.run, name).read_bytes(), name


def test_the_seed_decides_the_split(photos):
    def test_part(seed):
        return {each.content for each in prepare(photos, seed=seed, progress=silent).part("test")}

    assert test_part(0) == test_part(0) != test_part(1)


# --- pictures of all kinds


@pytest.fixture
def odd_photos(photos) -> Path:
    """Pictures of unusual kinds, which are used, and files that are none."""
    shape = Image.open(photos / "circle" / "000.png")
    cut_off = io.BytesIO()
    shape.resize((200, 200)).save(cut_off, "JPEG")
    (photos / "circle" / "cut_off.jpg").write_bytes(cut_off.getvalue()[:1500])
    (photos / "circle" / "empty.jpg").write_bytes(b"")
    (photos / "square" / "text.jpg").write_text("this is text")
    (photos / "square" / "notes.txt").write_text("not a picture")
    (photos / "stray.png").write_bytes((photos / "circle" / "000.png").read_bytes() + b" ")
    (photos / "square" / "copy.png").write_bytes((photos / "square" / "000.png").read_bytes())
    deep = (np.asarray(shape.convert("L")).astype(np.uint16) + 1) * 257
    Image.fromarray(deep).save(photos / "circle" / "16_bit.png")
    shape.convert("CMYK").save(photos / "circle" / "cmyk.jpg")
    rotated = shape.getexif()
    rotated[0x0112] = 6
    shape.save(photos / "circle" / "rotated.jpg", exif=rotated)
    return photos


SET_ASIDE = {
    "circle/cut_off.jpg": "cut off",
    "circle/empty.jpg": "is empty",
    "square/text.jpg": "is not a picture",
    "square/notes.txt": "is not a picture file",
    "stray.png": "outside any class folder",
    "square/copy.png": "is a copy of square/000.png",
}


def test_files_that_cannot_be_used_are_named_everywhere_and_the_others_are_used(train, odd_photos):
    before = tree(odd_photos)
    result = train(odd_photos)
    reasons = {each.picture: each.reason for each in result.set_aside}
    assert reasons.keys() == SET_ASIDE.keys()
    assert all(part in reasons[name] for name, part in SET_ASIDE.items())
    assert (result.pictures.used, result.pictures.set_aside) == (21, 6)
    table = {row["picture"]: row for row in rows(Path(result.run, "predictions.csv"))}
    assert {name: table[name]["set_aside"] for name in reasons} == reasons
    assert all(table[f"circle/{name}"]["answer"] for name in ("16_bit.png", "cmyk.jpg", "rotated.jpg"))
    report = Path(result.run, "report.html").read_text("utf-8")
    assert all(name in report for name in reasons)
    assert tree(odd_photos) == before


# --- from scratch


def test_digits_are_learned_from_scratch(digits_run, shared_cache):
    assert (digits_run.network, digits_run.regime) == ("lenet5", "scratch")
    assert digits_run.classes == tuple("0123456789")
    assert digits_run.pictures.used == 1797
    assert digits_run.test.n > 200
    assert digits_run.test.accuracy > 0.5
    assert not digits_run.mirror
    assert eyespot.val(digits_run.run, "digits", split="test").accuracy == pytest.approx(digits_run.test.accuracy)
    assert len(rows(Path(digits_run.run, "results.csv"))) == 2


def test_the_report_says_which_epoch_is_kept_and_why(train, photos, tmp_path):
    with_val = train(photos, model="lenet5", epochs=2)
    assert "had the lowest validation loss and is kept" in Path(with_val.report).read_text("utf-8")
    for kind in CLASSES:
        for picture in sorted((photos / kind).iterdir())[2:]:  # too few of each class to cut val from
            picture.unlink()
    without = train(photos, model="lenet5", epochs=1)
    assert "<dd>1; the last is kept, since no validation pictures say which is best</dd>" in Path(
        without.report
    ).read_text("utf-8")


def test_the_report_counts_folds_and_l2_values_as_they_were(train, draw, tmp_path):
    draw(tmp_path / "photos", 1)
    result = train(tmp_path / "photos")
    tried = {row["l2"] for row in rows(Path(result.run, "results.csv"))}
    said = f"the best of {len(tried)} values tried in cross-validation with 3 folds"
    assert said in Path(result.report).read_text("utf-8")


def test_small_grey_pictures_choose_lenet_and_predict(train, tmp_path, shared_cache):
    random = np.random.default_rng(0)
    for kind, column in (("left", 4), ("right", 18)):
        (tmp_path / "bars" / kind).mkdir(parents=True)
        for number in range(12):
            image = random.integers(0, 80, (28, 28), dtype=np.uint8)
            image[:, column : column + 6] = 255
            Image.fromarray(image).save(tmp_path / "bars" / kind / f"{number}.png")
    result = train(tmp_path / "bars", epochs=3)
    assert (result.network, result.test) == ("lenet5", None)
    assert result.out_of_fold.n > 0
    assert read_bundle(result.run).manifest.preprocess.color == "gray"
    assert len(eyespot.predict(result.run, tmp_path / "bars" / "left", topk=1)) == 12


def test_training_from_scratch_that_is_stopped_after_an_epoch_leaves_a_model(train, photos):
    def stop(step, done, total):
        if step == "training" and done == 2:
            raise KeyboardInterrupt

    result = train(photos, model="lenet5", epochs=5, progress=stop)
    assert any("stopped by you after epoch 2" in note for note in result.notes)
    assert "figures are incomplete" in " ".join(result.notes)
    assert eyespot.load(result.run).predict(photos / "circle" / "000.png")[0].predictions


@pytest.mark.parametrize("model", ["efficientnet_lite0", "lenet5"])
def test_ctrl_c_in_cross_validation_leaves_the_trained_model_measured_on_what_it_had_not_seen(train, photos, model):
    def stop(step, done, total):
        if (step, done) in (("cross-validation", 1), ("fitting the head", 1)):
            raise KeyboardInterrupt

    result = train(photos, model=model, progress=stop, **({"epochs": 1} if model == "lenet5" else {}))
    assert "stopped by you during cross-validation" in " ".join(result.notes)
    assert "figures are incomplete" in " ".join(result.notes)
    assert (result.out_of_fold, result.test) == (None, None)
    assert bool(result.validation) == bool(result.small_test) == (model == "lenet5")  # the head was fitted on them all
    assert eyespot.load(result.run).predict(photos / "circle" / "000.png")[0].predictions
    assert Path(result.report).is_file()


@pytest.mark.parametrize("at", ["reading", "training"])
def test_ctrl_c_before_lenet_is_trained_says_that_there_is_no_model_and_promises_nothing(train, photos, tmp_path, at):
    with pytest.raises(Stopped, match=r"there is no model yet$"):
        train(photos, model="lenet5", epochs=1, progress=stopped_at(at))
    assert not (tmp_path / "runs").exists()


def test_a_network_from_scratch_is_calibrated_on_its_test_part_and_every_view_is_counted(digits_run):
    assert not read_bundle(digits_run.run).manifest.calibration.cross_fitted
    held_out = digits_run.validation.n + digits_run.test.n  # val gives the temperature, too
    assert digits_run.views_computed == held_out + 2 * digits_run.precision.n  # bf16 is compared with fp32


# --- options


@pytest.mark.parametrize(
    "options",
    [{"output": "sigmoid"}, {"head": (16,)}, {"class_weight": "none", "mirror": "no"}, {"mirror": "yes"}],
    ids=str,
)
def test_options_give_a_model_that_tells_two_classes_apart(train, photos, options):
    shutil.rmtree(photos / "triangle")
    result = train(photos, **options)
    answers = eyespot.predict(result.run, photos)
    assert [each.predictions[0].class_ for each in answers] == ["circle"] * 6 + ["square"] * 6
    assert all(sum(answer.probability for answer in each.predictions) == pytest.approx(1) for each in answers)
    assert (b"fc2.weight" in read_bundle(result.run).graph) == ("head" in options)
    if options.get("mirror"):
        assert result.mirror == (options["mirror"] == "yes")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"epoch": 3}, "did you mean 'epochs'?"),
        ({"zzz": 3}, "there are model, weights, imgsz, regime"),
        ({"epochs": 0}, "the option epochs cannot be 0: give a whole number from 1 to 100000"),
        ({"epochs": "many"}, "the option epochs cannot be 'many': give a whole number from 1 to 100000"),
        ({"lr": float("nan")}, "the option lr cannot be nan: give a number above 0, at most 10"),
        ({"model": "resnet51"}, "There is no network 'resnet51': did you mean"),
        ({"model": ""}, "the option model cannot be '': give auto, or a name that `eyespot networks` lists"),
        ({"regime": "half"}, "the option regime cannot be 'half': give auto, frozen, partial, full or scratch"),
        ({"time": "soon"}, "the option time cannot be 'soon': give a time such as 90s, 5m or 1h"),
        ({"warmup": 1}, "the option warmup cannot be 1: give a share of the steps from 0 up, below 1"),
        ({"optimizer": "rmsprop"}, "the option optimizer cannot be 'rmsprop': give sgd, adam, adamw or muon"),
        ({"mirror": True}, "the option mirror cannot be True: give auto, yes or no"),
        ({"output": "x"}, "the option output cannot be 'x': give softmax or sigmoid"),
        ({"seed": -1}, "the option seed cannot be -1: give a whole number from 0 to 4294967295"),
        ({"head": (256, 0)}, "the option head cannot be 256,0: give 1 to 65536 units for each hidden layer"),
        ({"head": 64}, "the option head cannot be 64: give 1 to 65536 units for each hidden layer, such as 256,128"),
        ({"name": "../up"}, "give a plain folder name"),
        ({"name": ".."}, "give a plain folder name"),
        ({"out": 3}, "the option out cannot be 3: give the path of a folder"),
        ({"precision": "fp8"}, "the option precision cannot be 'fp8': give auto, fp32 or bf16"),
        ({"output": "sigmoid"}, "needs two classes"),
        (
            {"model": "lenet5", "head": (16,)},
            "the option head is only for the regimes frozen, partial and full, and this run trains lenet5 in the "
            "regime scratch",
        ),
        ({"model": "lenet5", "mirror": "auto"}, "leave the option out, or choose regime frozen or partial or full"),
        (
            {"model": "efficientnet_lite0", "lr": 0.1},
            "the option lr is only for the regimes partial, full and scratch, and this run trains efficientnet_lite0",
        ),
        ({"epochs": 3}, "in the regime frozen (auto chose it for these pictures): leave the option out"),
    ],
    ids=str,
)
def test_an_option_that_cannot_be_used_is_named(train, photos, options, said):
    with pytest.raises(OptionError) as caught:
        train(photos, **options)
    assert said in str(caught.value)
    assert not (photos.parent / "runs").exists()


def test_an_option_that_auto_does_not_use_is_named_for_small_grey_pictures_too(train):
    with pytest.raises(OptionError, match=r"the option mirror .* trains lenet5 in the regime scratch \(auto chose it"):
        train("digits", mirror="no")


def test_no_option_belongs_to_a_regime_that_does_not_exist():
    assert USED_BY.keys() <= TrainOptions.model_fields.keys()
    assert all(set(users) < set(get_args(Regime)) for users in USED_BY.values())


def test_a_data_set_that_is_passed_is_called_by_its_name(train, draw, tmp_path):
    draw(tmp_path / "shapes", 3)
    several, one = open_data_set(tmp_path / "shapes"), open_data_set(tmp_path / "shapes")
    one = replace(one, classes=("circle",))
    with pytest.raises(OptionError, match="needs two classes; shapes has 3"):
        train(several, output="sigmoid")
    with pytest.raises(DataError, match=r"^shapes has one class only"):
        train(one)


def test_one_class_is_not_enough(train, draw, tmp_path):
    draw(tmp_path / "photos", 2, kinds=["circle"])
    with pytest.raises(DataError, match=r"telling classes apart needs at least two$"):
        train(tmp_path / "photos")


def test_a_class_folder_with_a_folder_inside_is_told_of_the_pictures_beside_that(train, draw, tmp_path):
    draw(tmp_path / "photos", 2, kinds=["circle"])
    draw(tmp_path / "photos" / "circle", 1, first=50, kinds=["square"])
    said = "circle has one class only .*; 2 files were set aside: 000.png lies outside any class folder"
    with pytest.raises(DataError, match=said):
        train(tmp_path / "photos" / "circle")


def test_a_missing_folder_is_named_with_what_was_meant(train, photos):
    with pytest.raises(NoPictures, match="did you mean"):
        train(photos.with_name("phtos"))


def test_a_picture_that_vanishes_during_the_run_is_set_aside(train, photos):
    def remove(step, done, total):
        if step == "reading" and done == total:
            (photos / "circle" / "000.png").unlink()

    for picture in photos.rglob("*.png"):  # small and grey: every file is opened to choose the network
        Image.open(picture).convert("L").save(picture)
    result = train(photos, model="efficientnet_lite0", progress=remove)
    assert [each.picture for each in result.set_aside] == ["circle/000.png"]


# --- Ctrl-C

BEFORE_THE_MODEL = ("reading", "computing features", "fitting the head")
MEASURING = ("measuring on val", "measuring on test")
CHECKING = "checking the written model"
AFTER_THE_BUNDLE = ("writing the report",)


def stopped_at(step: str):
    def stop(at, done, total):
        if at == step:
            raise KeyboardInterrupt

    return stop


@pytest.mark.parametrize("step", [*BEFORE_THE_MODEL, CHECKING])
def test_ctrl_c_before_a_model_is_written_says_that_there_is_no_model_yet(
    train, split_photos, tmp_path, split_run, step
):
    with pytest.raises(Stopped, match="no model yet") as caught:
        train(split_photos, progress=stopped_at(step))
    assert ("features computed so far are kept" in str(caught.value)) == (step in BEFORE_THE_MODEL[1:])
    assert not (tmp_path / "runs").exists()


def test_ctrl_c_while_measuring_leaves_a_model_whose_figures_are_incomplete(train, split_photos, split_run):
    result = train(split_photos, progress=stopped_at("measuring on test"))
    assert (result.validation.n, result.test) == (12, None)
    assert "figures are incomplete" in " ".join(result.notes)
    assert eyespot.load(result.run).predict(split_photos / "test" / "circle" / "200.png")[0].predictions


@pytest.mark.parametrize("step", AFTER_THE_BUNDLE)
def test_ctrl_c_after_the_bundle_leaves_a_model_that_is_usable(train, split_photos, tmp_path, split_run, step):
    with pytest.raises(Stopped, match="is complete and usable"):
        train(split_photos, progress=stopped_at(step))
    answer = eyespot.predict(tmp_path / "runs" / "train" / "photos", split_photos / "test" / "circle" / "200.png")
    assert answer[0].predictions[0].class_ == "circle"
    assert not (tmp_path / "runs" / "train" / "photos" / "report.html").exists()


def stopped_once_in(monkeypatch, name: str) -> None:
    """Ctrl-C when the function of this name is called for the first time."""
    module, _, function = name.rpartition(".")
    original = getattr(importlib.import_module(module), function)
    calls = []

    def call(*args, **options):
        calls.append(function)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return original(*args, **options)

    monkeypatch.setattr(name, call)


@pytest.mark.parametrize(
    "name", ["regimes.learned.as_trunk", "regimes.scratch.on_val", "reporting.measure._own_answers"]
)
def test_ctrl_c_when_lenet_is_trained_already_keeps_it(train, photos, monkeypatch, name):
    stopped_once_in(monkeypatch, f"eyespot.{name}")
    stop = stopped_at("cross-validation") if name == "regimes.scratch.on_val" else silent
    result = train(photos, model="lenet5", epochs=1, progress=stop)
    assert ("figures are incomplete" in " ".join(result.notes)) == name.startswith("regimes")
    assert eyespot.load(result.run).predict(photos / "circle" / "000.png")[0].predictions


@pytest.mark.parametrize(
    "name",
    [
        "reporting.written_model.attach_head",
        "reporting.written_model.manifest_of",
        "reporting.written_model.require_same_answers",
    ],
)
@pytest.mark.parametrize("model", ["efficientnet_lite0", "lenet5"])
def test_one_ctrl_c_while_the_model_is_written_does_not_lose_it(train, photos, tmp_path, monkeypatch, model, name):
    stopped_once_in(monkeypatch, f"eyespot.{name}")
    with pytest.raises(Stopped, match="mine is complete and usable"):
        train(photos, model=model, name="mine", **({"epochs": 1} if model == "lenet5" else {}))
    run = tmp_path / "runs" / "train" / "mine"
    kept = ["kernels.npz"] if model == "lenet5" else []
    assert sorted(path.name for path in run.iterdir()) == ["args.json", "bundle", "config.yaml", "events.jsonl", *kept]
    assert eyespot.load(run).predict(photos / "circle" / "000.png")[0].predictions


def test_every_step_of_training_is_told(train, split_photos, split_run):
    told: list[str] = []
    train(split_photos, progress=lambda step, done, total: told.append(step))
    steps = [step for step in dict.fromkeys(told) if step != "making the network ready"]  # told where it is waited for
    assert steps == [*BEFORE_THE_MODEL, *MEASURING, CHECKING, *AFTER_THE_BUNDLE]


@pytest.mark.skipif(os.name == "nt", reason="names on Windows are Unicode")
def test_a_folder_whose_name_is_not_utf8_can_be_trained_on(train, photos):
    odd = os.fsencode(photos.parent) + b"/ph\xffotos"
    os.rename(photos, odd)
    os.rename(odd + b"/circle", odd + b"/c\xffrcle")
    os.rename(odd + b"/square/000.png", odd + b"/square/\xff.png")
    result = train(os.fsdecode(odd))
    assert result.classes[0] == "c\\xffrcle"
    assert Path(result.run, "report.html").is_file()
    assert eyespot.load(result.run).evaluate(os.fsdecode(odd)).n == 18


def test_every_error_derives_from_one():
    assert issubclass(Stopped, EyespotError)
