"""`predict --where`: the answers of `predict`, each with an estimated box, from which a person goes on to boxes."""

import csv
import json
import shutil
from pathlib import Path

import color_bundle
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import eyespot
from eyespot.answering.placed import NO_BOX
from eyespot.answering.results import ESTIMATES, PlacedPrediction, Prediction
from eyespot.cli.main import main
from eyespot.data.boxes.reading import read_boxes
from eyespot.data.levels import FLAT_NOTE
from eyespot.errors import CannotWrite, NoPictures, OptionError


@pytest.fixture
def cli(shared_cache, monkeypatch, tmp_path):
    """Runs the command in an empty folder and returns what it said."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def run(split_run, shared_cache) -> Path:
    return Path(split_run.run)


@pytest.fixture(scope="module")
def odd_pictures(split_photos, tmp_path_factory) -> Path:
    """Eight pictures, among them one of one color; and one that is none, an empty one, and a text."""
    folder = tmp_path_factory.mktemp("odd")
    for number, path in enumerate(sorted((split_photos / "test").rglob("20[0-6].png"))[::3]):
        shutil.copy(path, folder / f"{number}.png")
    Image.new("RGB", (60, 90), (9, 60, 200)).save(folder / "flat.png")
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "none.jpg").write_text("text")
    (folder / "notes.txt").write_text("text")
    return folder


def without_box(answers):
    """The predictions as `predict` gives them, and the notes as far as it makes them."""
    kept = ({name: getattr(each, name) for name in Prediction.model_fields} for each in answers)
    notes = {NO_BOX: None, f"{FLAT_NOTE}; it {NO_BOX}": FLAT_NOTE}
    return [Prediction(**{**each, "note": notes.get(each["note"], each["note"])}) for each in kept]


def test_the_answers_are_those_of_predict_to_the_last_bit(run, odd_pictures):
    plain = eyespot.predict(run, odd_pictures, topk=2)
    placed = eyespot.predict(run, odd_pictures, topk=2, where=True)
    assert without_box(placed) == plain
    assert sum(each.set_aside is not None for each in placed) == 3
    assert [each.note for each in plain if each.picture.endswith("flat.png")] == [FLAT_NOTE]
    one = next(each.picture for each in plain if each.set_aside is None)
    assert without_box(eyespot.predict(run, one, where=True)) == eyespot.predict(run, one)


def test_boxes_lie_in_their_pictures_and_name_the_likeliest_class(run, odd_pictures):
    for each in eyespot.predict(run, odd_pictures, where=True):
        if each.set_aside is not None:
            assert each.where is None
        elif each.where is not None:
            left, top, right, bottom = each.where.xyxy
            assert 0 <= left < right <= each.where.width
            assert 0 <= top < bottom <= each.where.height
            assert each.where.class_ == each.predictions[0].class_
        else:
            assert NO_BOX in each.note


def test_without_it_json_and_csv_are_as_they_were(cli, run, split_photos):
    picture = split_photos / "test" / "square" / "200.png"
    [said] = json.loads(cli("predict", run, picture, "--json", "--csv", "a.csv").stdout)
    assert [*said] == ["picture", "predictions", "set_aside", "note", "known", "sure", "likeness", "set"]
    first = Path("a.csv").read_text().splitlines()[0]
    assert first == "picture,rank,class,probability,set_aside,known,sure,likeness,set"
    assert "estimated" not in cli("predict", run, picture).output


def test_with_it_json_has_one_more_key(cli, run, odd_pictures):
    plain = json.loads(cli("predict", run, odd_pictures, "--json").stdout)
    done = cli("predict", run, odd_pictures, "--where", "--json")
    assert done.stderr == ""
    said = json.loads(done.stdout)
    boxes = [each.pop("where") for each in said]
    assert [each | {"note": 0} for each in said] == [each | {"note": 0} for each in plain]
    assert [box for box, each in zip(boxes, said, strict=True) if each["set_aside"]] == [None] * 3
    found = next(box for box in boxes if box)
    assert [*found] == ["class", "xyxy", "width", "height", "method"]
    assert found["method"] == "class activation map"
    assert (found["width"], found["height"]) == (64, 48)


def test_with_it_csv_has_the_box_beside_the_likeliest_class(cli, run, odd_pictures):
    assert cli("predict", run, odd_pictures, "--where", "--csv", "a.csv", "--topk", "2").exit_code == 0
    with Path("a.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    placed = {each.picture: each.where for each in eyespot.predict(run, odd_pictures, where=True)}
    for row in rows:
        where = placed[row["picture"]]
        if row["rank"] == "1" and where:
            assert tuple(float(row[side]) for side in ("left", "top", "right", "bottom")) == where.xyxy
            assert (int(row["width"]), int(row["height"])) == (where.width, where.height)
            assert row["method"] == "class activation map"
        else:
            assert {row[name] for name in ("left", "bottom", "width", "method")} == {""}


def test_the_console_has_a_line_a_picture_and_says_once_what_the_boxes_are(cli, run, split_photos):
    folder = split_photos / "test" / "square"
    done = cli("predict", run, folder / "200.png", folder / "201.png", "--where", "--topk", "1")
    *lines, last = done.stdout.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(f"{folder / '200.png'}: square ")
    assert "; square estimated at left " in lines[0]
    assert lines[0].endswith(" of 64 x 48 px")
    assert last == ESTIMATES
    assert "no detector's" in last


def test_pictures_in_which_nothing_raises_the_answer_have_none_and_say_so(run, odd_pictures, monkeypatch):
    monkeypatch.setattr("eyespot.explaining.where.activation_map", lambda *_: np.full((7, 7), -1, np.float32))
    answers = [each for each in eyespot.predict(run, odd_pictures, where=True) if each.set_aside is None]
    assert {each.note for each in answers} == {NO_BOX, f"{FLAT_NOTE}; it {NO_BOX}"}
    assert {each.where for each in answers} == {None}
    assert str(answers[0]).endswith("; no box")


# --- what is written


def test_drawn_copies_crops_and_texts_are_written(run, split_photos, tmp_path):
    pictures = split_photos / "test" / "circle"
    folders = {name: tmp_path / name for name in ("draw", "save_txt", "save_crop")}
    answers = eyespot.predict(run, pictures, where=True, **folders)
    stems = {Path(each.picture).stem for each in answers if each.where}
    assert len(stems) > 5
    assert {path.stem for path in folders["draw"].glob("*.jpg")} == {Path(each.picture).stem for each in answers}
    assert {path.stem for path in folders["save_txt"].glob("2*.txt")} == stems
    assert {path.stem.removesuffix("-1") for path in folders["save_crop"].rglob("*.jpg")} == stems
    first = answers[0].where
    with Image.open(next(folders["save_crop"].rglob("200-1.jpg"))) as cut:
        assert cut.size == (
            round(first.xyxy[2]) - round(first.xyxy[0]),
            round(first.xyxy[3]) - round(first.xyxy[1]),
        )
    with pytest.raises(CannotWrite, match="exists already"):
        eyespot.predict(run, pictures, where=True, draw=folders["draw"])
    again = eyespot.predict(run, pictures, where=True, **folders, overwrite=True)
    assert again == answers


def test_the_command_writes_them_too(cli, run, split_photos):
    picture = split_photos / "test" / "circle" / "200.png"
    assert cli("predict", run, picture, "--where", "--draw", "d", "--save-txt", "t", "--save-crop", "c").exit_code == 0
    assert [*Path("d").iterdir()] == [Path("d", "200.jpg")]
    assert {path.name for path in Path("t").iterdir()} == {"200.txt", "classes.txt", "data.yaml"}


def boxes_read(data):
    """Each picture's class and corners, as a data set of boxes has them."""
    return {
        each.picture.name: (data.classes[each.boxes.labels[0]], *each.boxes.xyxy[0].tolist())
        for each in data.pictures
        if len(each.boxes)
    }


@pytest.mark.parametrize("beside", [True, False])
def test_once_the_pictures_lie_beside_the_texts_it_is_a_data_set_of_boxes(run, split_photos, tmp_path, beside):
    """beside: the pictures go to the texts; else the texts are written to a copy of the pictures."""
    boxes = tmp_path / "boxes"
    if not beside:
        shutil.copytree(split_photos, boxes)
    answers = eyespot.predict(run, split_photos if beside else boxes, where=True, save_txt=boxes)
    if beside:
        shutil.copytree(split_photos, boxes, dirs_exist_ok=True)
    data = read_boxes(boxes)
    assert (data.format, data.classes) == ("YOLO", ("circle", "square", "triangle"))
    assert {part: len(pictures) for part, pictures in data.parts.items()} == {"train": 24, "val": 12, "test": 33}
    assert data.set_aside == ()
    asked = split_photos if beside else boxes
    expected = {
        Path(each.picture).relative_to(asked).as_posix(): (each.where.class_, *each.where.xyxy)
        for each in answers
        if each.where
    }
    found = boxes_read(data)
    assert found.keys() == expected.keys()
    for name, (class_, *corners) in expected.items():
        assert found[name][0] == class_
        assert found[name][1:] == pytest.approx(corners, abs=0.01)


def test_pictures_that_are_turned_as_their_exif_says_are_read_again_as_they_were_written(run, split_photos, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(split_photos / "test" / "circle" / "200.png") as picture:
        picture.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.jpg", exif=exif, quality=95)
    [answer] = eyespot.predict(run, tmp_path, where=True, save_txt=tmp_path)
    assert (answer.where.width, answer.where.height) == (64, 48)
    [(class_, *corners)] = boxes_read(read_boxes(tmp_path)).values()
    assert class_ == answer.where.class_
    assert corners == pytest.approx(answer.where.xyxy, abs=0.01)


def test_labels_in_a_folder_beside_that_of_the_pictures_are_read_too(run, split_photos, tmp_path):
    """As the programs have it that look for images/ and labels/."""
    shutil.copytree(split_photos / "test" / "circle", tmp_path / "set" / "images")
    eyespot.predict(run, tmp_path / "set" / "images", where=True, save_txt=tmp_path / "set" / "labels")
    data = read_boxes(tmp_path / "set")
    assert len(data.pictures) == 11
    assert data.classes == ("circle", "square", "triangle")
    assert sum(len(each.boxes) for each in data.pictures) > 5


def test_rows_of_a_file_without_paths_have_a_text_each(run, split_photos, tmp_path):
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    pictures = sorted((split_photos / "test" / "circle").glob("*.png"))[:3]
    table = pyarrow.table({"image": [path.read_bytes() for path in pictures]})
    parquet.write_table(table, tmp_path / "a.parquet")
    answers = eyespot.predict(run, tmp_path / "a.parquet", where=True, save_txt=tmp_path / "boxes")
    written = {path.name for path in (tmp_path / "boxes").glob("a.*")}
    assert written == {f"a.parquet, row {number}.txt" for number, each in enumerate(answers) if each.where}
    assert len(written) > 1


def test_a_detector_is_trained_on_them(run, split_photos, tmp_path):
    boxes = tmp_path / "boxes"
    shutil.copytree(split_photos, boxes)
    eyespot.predict(run, boxes, where=True, save_txt=boxes)
    result = eyespot.train(boxes, out=tmp_path, imgsz=64, epochs=1, views=1, precision="fp32")
    assert result.classes == ("circle", "square", "triangle")
    [answer] = eyespot.predict(result.run, boxes / "test" / "circle" / "200.png", threshold=0.0)
    assert (answer.width, answer.height) == (64, 48)


# --- what cannot be


@pytest.mark.parametrize(("name", "value"), [("iou", 0.5), ("max_boxes", 3)])
def test_options_of_detectors_are_refused(run, name, value):
    with pytest.raises(OptionError, match=f"{name} is for detectors, and the model in .* names classes: leave it out$"):
        eyespot.predict(run, "any.png", where=True, **{name: value})


@pytest.mark.parametrize("name", ["draw", "save_txt", "save_crop"])
def test_without_it_nothing_is_drawn_and_it_is_named(run, tmp_path, name):
    with pytest.raises(OptionError, match=f"{name} is for detectors, .* or add where for boxes that are estimated"):
        eyespot.predict(run, "any.png", **{name: tmp_path})


def test_a_detector_needs_no_estimate(cli, detector_run, boxed_photos):
    done = cli("predict", detector_run.run, boxed_photos, "--where")
    assert done.exit_code == 2
    assert done.stderr.endswith("is a detector, which gives boxes anyway: leave it out\n")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("options", [{"where": True}, {"where": True, "draw": "drawn"}])
def test_a_network_without_a_map_is_refused_before_any_picture_is_read(tmp_path, cache, monkeypatch, options):
    monkeypatch.chdir(tmp_path)
    color_bundle.write_color_bundle(tmp_path / "bundle")
    Image.new("RGB", (40, 40)).save("black.png")
    monkeypatch.setattr("eyespot.data.data_set.Picture.read", lambda _: pytest.fail("a picture was read"))
    with pytest.raises(OptionError, match=r"\(colors\) has none, .*: train again without --head, on a network"):
        eyespot.predict("bundle", "black.png", **options)
    assert not Path("drawn").exists()


def test_an_exported_file_is_refused(run, split_photos, tmp_path):
    exported = eyespot.export(run, out=tmp_path)
    picture = split_photos / "test" / "circle" / "200.png"
    with pytest.raises(OptionError, match=r"is an exported file, .*: name the run that it was made of"):
        eyespot.predict(exported.files[0], picture, where=True)


def test_two_pictures_with_one_text_are_refused_before_any_is_read(cli, run, split_photos):
    pictures = [split_photos / "test" / kind / "200.png" for kind in ("circle", "square")]
    done = cli("predict", run, *pictures, "--where", "--save-txt", "t")
    assert done.exit_code == 2
    assert "name the folder that holds both of them" in done.stderr
    assert not Path("t").exists()
    assert cli("predict", run, *pictures, "--where", "--draw", "d").exit_code == 0
    assert {path.name for path in Path("d").iterdir()} == {"200.jpg", "200-2.jpg"}


def test_other_errors_are_those_of_predict(run, split_photos, tmp_path):
    with pytest.raises(OptionError, match="topk must be at least 1"):
        eyespot.predict(run, split_photos, where=True, topk=0)
    with pytest.raises(NoPictures, match="there are no pictures in"):
        eyespot.predict(run, tmp_path, where=True)
    with pytest.raises(OptionError, match="did you mean 'where'"):
        eyespot.predict(run, split_photos, were=True)


def test_a_prediction_with_a_box_is_a_prediction(run, split_photos):
    [answer] = eyespot.predict(run, split_photos / "test" / "circle" / "200.png", where=True)
    assert isinstance(answer, PlacedPrediction)
    assert isinstance(answer, Prediction)
