"""`compare`: on models whose answers a test works out itself, on runs and exported files, and what is refused."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from box_bundle import CLASSES as BOX_CLASSES
from box_bundle import squares, write_box_bundle
from color_bundle import CLASSES, write_color_bundle
from PIL import Image

import eyespot
from eyespot.bundle.files import read_any_bundle, write_bundle, write_detector
from eyespot.bundle.manifest import KnownPictures
from eyespot.data.copies import Hashed, content_hash
from eyespot.data.data_set import Picture
from eyespot.errors import BundleError, DataError, OptionError
from eyespot.evaluate.box_matches import Found, Truth, matches
from eyespot.evaluate.paired import Comparison, paired
from eyespot.evaluate.paired_boxes import paired_boxes
from eyespot.exporting.files import onnx_file
from eyespot.runs.lists import RunLists, as_decided
from eyespot.runs.tables import write_csv

WEIGHTS = (1.0, 0.6)
"""Of red, in two models: the second sees less of it."""


@pytest.fixture(autouse=True)
def _shared(shared_cache) -> None:
    """Every test uses the cache that tests share."""


@pytest.fixture(scope="module")
def colors(tmp_path_factory) -> Path:
    """Pictures of mixed colors in folders by their strongest one; every fifth lies in that of its second."""
    folder, random = tmp_path_factory.mktemp("colors") / "photos", np.random.default_rng(0)
    for number in range(60):
        color = random.integers(60, 250, 3)
        label = int(np.argsort(color)[-1 if number % 5 else -2])
        place = folder / CLASSES[label]
        place.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 32), tuple(color.tolist())).save(place / f"{number:02}.png")
    return folder


def pictures_of(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/*.png"))


def by_hand(folder: Path, names: tuple[str, ...] = CLASSES) -> dict[str, Comparison]:
    """How the second of the two models differs from the first, by numpy: for each class, and "" for all.

    names: what the second calls red, green and blue.
    """
    labels, right = [], ([], [])
    for path in pictures_of(folder):
        color = np.asarray(Image.open(path)).reshape(-1, 3)[0].astype(float)
        labels.append(path.parent.name)
        for of, weight, called in zip(right, WEIGHTS, (CLASSES, names), strict=True):
            of.append(called[(color * [weight, 1, 1]).argmax()] == labels[-1])
    first, second, labels = np.array(right[0]), np.array(right[1]), np.array(labels)
    found = {name: paired(first[labels == name], second[labels == name]) for name in CLASSES}
    return {"": paired(first, second), **found}


def bundle(folder: Path, weight: float, *, known: Iterable[str] = (), names: tuple[str, ...] = CLASSES) -> Path:
    """A model with that weight of red. known: hashes of what it was trained on. names: of its classes."""
    pictures = KnownPictures.of((each, "train") for each in known)
    made = read_any_bundle(write_color_bundle(folder, weight=weight))
    shutil.rmtree(folder)
    write_bundle(folder, made.manifest.model_copy(update={"pictures": pictures, "classes": names}), made.graph)
    return folder


@pytest.fixture
def pair(tmp_path) -> tuple[Path, Path]:
    return bundle(tmp_path / "one", WEIGHTS[0]), bundle(tmp_path / "other", WEIGHTS[1])


def test_the_answers_of_both_are_compared_picture_by_picture(pair, colors):
    result, expected = eyespot.compare(*pair, colors), by_hand(colors)
    found = expected[""]
    assert found.won > 0
    assert found.lost > found.won
    assert (result.won, result.lost, result.pictures, result.left_out) == (found.won, found.lost, 60, 0)
    assert result.second.accuracy - result.first.accuracy == pytest.approx(found.difference)
    assert (result.difference, result.p, result.verdict) == (found.gain, found.p, found.verdict)
    assert result.part == "test"  # what is new to both
    for each in result.per_class:
        of = expected[each.name]
        assert (each.won, each.lost, each.pictures, each.difference) == (of.won, of.lost, of.count, of.gain)
        assert of.p <= each.p <= min(1, 3 * of.p)


def test_the_other_way_round_all_signs_change(pair, colors):
    result, back = eyespot.compare(*pair, colors), eyespot.compare(*pair[::-1], colors)
    assert (back.won, back.lost, back.p) == (result.lost, result.won, result.p)
    assert back.difference.low == pytest.approx(-result.difference.high)
    assert {result.verdict, back.verdict} == {"worse", "better"}


def test_classes_are_compared_by_name_whatever_their_order(tmp_path, colors):
    names = ("blue", "red", "green")
    other = bundle(tmp_path / "other", WEIGHTS[1], names=names)
    result = eyespot.compare(bundle(tmp_path / "one", WEIGHTS[0]), other, colors)
    found = by_hand(colors, names)[""]
    assert (result.won, result.lost) == (found.won, found.lost)


def test_what_either_was_trained_on_is_left_out_by_its_content(tmp_path, colors):
    paths = pictures_of(colors)
    hashes = [content_hash(path.read_bytes()) for path in paths]
    one = bundle(tmp_path / "one", WEIGHTS[0], known=hashes[:20])
    other = bundle(tmp_path / "other", WEIGHTS[1], known=hashes[10:30])
    moved = tmp_path / "moved"
    for path in paths:
        (moved / path.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, moved / path.parent.name / f"again-{path.name}")
    result = eyespot.compare(one, other, moved)
    assert (result.pictures, result.left_out) == (30, 30)
    assert result.notes[-1] == "30 pictures left out: one of the models was trained on them, or both"
    for path in paths[30:]:
        (moved / path.parent.name / f"again-{path.name}").unlink()
    with pytest.raises(DataError, match=r"trained on each of the 30 pictures of .*moved: give other pictures as DATA"):
        eyespot.compare(one, other, moved)


def test_what_cannot_be_read_or_is_of_another_class_is_set_aside(pair, colors, tmp_path):
    shutil.copytree(colors, tmp_path / "photos")
    (tmp_path / "photos" / "red" / "broken.png").write_bytes(b"broken")
    (tmp_path / "photos" / "green").rename(tmp_path / "photos" / "purple")
    result = eyespot.compare(*pair, tmp_path / "photos")
    assert result.pictures == 60 - len([*(colors / "green").iterdir()])
    reasons = {each.picture: each.reason for each in result.set_aside}
    assert "red/broken.png" in reasons
    assert sum("is not one that the model knows" in reason for reason in reasons.values()) == 60 - result.pictures
    [green] = [each for each in result.per_class if each.name == "green"]
    assert (green.pictures, green.difference, green.p, green.verdict) == (0, None, None, None)


def test_the_test_pictures_of_the_first_run_are_found_again(split_run, split_photos, pair, tmp_path):
    other = tmp_path / "copied"
    shutil.copytree(split_run.bundle, other)
    result = eyespot.compare(split_run.run, other)
    assert (result.part, result.pictures, result.left_out, result.data) == ("test", 33, 24, str(split_photos))
    assert result.first.model != result.second.model
    assert {name: getattr(result.first, name) for name in ("accuracy", "low", "high", "n")} == dict(split_run.test)
    assert "the two have the same weights: they give the same answers" in result.notes
    assert (result.won, result.lost, result.verdict, result.p) == (0, 0, "no difference", 1)
    assert result.sentence.startswith("no difference can be seen with 33 pictures (a difference under ")
    assert eyespot.compare(other, split_run.run, split="val").pictures == 12  # of whichever is a run


def test_an_exported_file_is_compared_as_the_model_that_it_was(pair, colors, tmp_path):
    (tmp_path / "other.onnx").write_bytes(onnx_file(read_any_bundle(pair[1])))
    result, expected = eyespot.compare(pair[0], tmp_path / "other.onnx", colors), eyespot.compare(*pair, colors)
    assert (result.won, result.lost, result.pictures) == (expected.won, expected.lost, expected.pictures)
    assert result.second.model == str(tmp_path / "other.onnx")


def test_near_copies_have_one_say(split_run, split_photos, tmp_path):
    shutil.copytree(split_run.bundle, tmp_path / "copied")
    for path in sorted((split_photos / "test").glob("*/20[0-2].png")):
        (tmp_path / "photos" / path.parent.name).mkdir(parents=True, exist_ok=True)
        for name in ("once.png", "again.bmp"):
            Image.open(path).save(tmp_path / "photos" / path.parent.name / f"{path.stem}-{name}")
    result = eyespot.compare(split_run.run, tmp_path / "copied", tmp_path / "photos")
    said = [note for note in result.notes if "series of" in note]
    assert result.pictures == 18
    assert [note.partition(" pictures ")[2] for note in said] == [
        "that show the same or were taken in a row: each has one say"
    ]
    series, pictures = (int(word) for word in said[0].split()[::3][:2])
    assert series <= 9
    assert pictures == 18
    assert result.smallest_seen is None or result.smallest_seen > Comparison(0, 0, 18).smallest_seen


@pytest.fixture
def photos(split_photos, tmp_path) -> Path:
    return Path(shutil.copytree(split_photos, tmp_path / "photos"))


@pytest.fixture
def judged(photos, tmp_path, shared_cache) -> tuple[str, str]:
    """A run on these pictures, and one with a list: of 33 to test on it leaves out two and gives one another class."""
    done = {"circle/200.png": "x", "square/201.png": "x", "triangle/202.png": "circle"}
    rows = [(content_hash((photos / "test" / name).read_bytes()), name, do) for name, do in done.items()]
    write_csv(tmp_path / "list.csv", ("content_hash", "picture", "do"), rows)
    one, other = (
        eyespot.train(photos, out=tmp_path / "runs", name=name, **options).run
        for name, options in (("one", {}), ("other", {"exclude": tmp_path / "list.csv"}))
    )
    return one, other


def test_pictures_count_as_a_list_of_one_of_the_runs_has_them(judged, photos, tmp_path):
    one, other = judged
    (tmp_path / "list.csv").unlink()  # the run knows what it decided
    for first, second, data in ((one, other, None), (other, one, None), (one, other, photos)):
        result = eyespot.compare(first, second, data)
        assert [(each.picture, each.reason) for each in result.set_aside] == [
            ("test/circle/200.png", "was left out by you"),
            ("test/square/201.png", "was left out by you"),
        ]
        assert [(each.name, each.pictures) for each in result.per_class] == [
            ("circle", 11),
            ("square", 10),
            ("triangle", 10),
        ]
        assert "your list counts here, too: 2 pictures left out and 1 picture of another class" in result.notes
    measured = eyespot.load(other).evaluate(photos)
    assert (measured.n, len(measured.set_aside)) == (31, 2)
    assert eyespot.load(one).evaluate(photos).n == 33
    elsewhere = Path(shutil.copytree(photos, tmp_path / "elsewhere"))
    assert eyespot.compare(one, other, elsewhere).pictures == 33  # other data say their classes themselves


def test_two_classes_that_two_runs_give_to_one_picture_settle_nothing():
    hashed = [Hashed(Picture(name, "cat"), name) for name in ("a", "b", "c")]
    lists = [RunLists(class_of={"a": "dog", "b": "dog", "c": "cat"}), RunLists(class_of={"a": "cow", "b": "cat"})]
    kept, set_aside, notes = as_decided(hashed, lists)
    assert [(each.content, each.picture.label) for each in kept] == [("b", "dog"), ("c", "cat")]
    assert [each.reason for each in set_aside] == ["was given two classes by you, 'cow' and 'dog', in two runs"]
    assert notes == ["your list counts here, too: 1 picture left out and 1 picture of another class"]


def test_groups_that_a_run_was_trained_with_have_one_say(photos, split_run, tmp_path, shared_cache):
    tested = sorted(each.relative_to(photos).as_posix() for each in (photos / "test").rglob("*.png"))
    write_csv(tmp_path / "people.csv", ("picture", "group"), [(name, int(name[-5]) % 3) for name in tested])
    run = eyespot.train(photos, out=tmp_path / "runs", group=tmp_path / "people.csv").run
    moved = tmp_path / "moved"
    for number, name in enumerate(tested):
        (moved / Path(name).parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copy(photos / name, moved / Path(name).parent.name / f"{number}.png")
    said = "3 series of 33 pictures that show the same, were taken in a row or are of one group: each has one say"
    for data in (None, moved):  # known by their content
        assert said in eyespot.compare(run, split_run.run, data).notes
    measured = eyespot.load(run).evaluate(photos)
    assert measured.high - measured.low > split_run.test.high - split_run.test.low
    (tmp_path / "people.csv").unlink()
    [note] = [note for note in eyespot.compare(run, split_run.run).notes if "people.csv" in note]
    assert note.startswith(f"a list that {run} was made with does not count here: there is no file ")


def test_it_is_said_how_many_pictures_resemble_what_a_model_was_trained_on(photos, split_run, tmp_path, shared_cache):
    for number in range(3):
        Image.open(photos / f"train/circle/{number:03}.png").save(photos / f"test/circle/again-{number}.bmp")
    run = eyespot.train(photos, out=tmp_path / "runs").run
    result = eyespot.compare(run, split_run.run)
    assert result.pictures == 36
    [note] = [note for note in result.notes if "in one series with pictures that were trained on" in note]
    assert "of these 36 pictures some are" in note
    assert "3 for the first and 3 for the second" in note


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"other": "one"}, "one and .*one are the same model: give two to be compared"),
        ({"other": "boxes"}, "boxes finds boxes and .*one names classes, so neither is better: give two of one kind"),
        (
            {"other": "shapes"},
            "same classes: .*one has green that .*shapes has not, which has star; give two",
        ),
        (
            {"data": None},
            "neither .*one nor .*other is a run folder, which would say where its pictures are",
        ),
        ({"data": None, "layout": "class"}, "the option layout says how DATA is read: give DATA, too"),
        ({"split": "train"}, "the option split cannot be 'train'"),
    ],
    ids=str,
)
def test_what_cannot_be_compared_is_said_in_a_sentence(pair, colors, tmp_path, change, said):
    write_box_bundle(tmp_path / "boxes")
    bundle(tmp_path / "shapes", 1.0, names=("red", "star", "blue"))
    options = {"run": tmp_path / "one", "other": "other", "data": colors, **change}
    options["other"] = tmp_path / options["other"]
    with pytest.raises(OptionError, match=said):
        eyespot.compare(**options)


def test_a_model_that_is_not_there_is_named(pair, colors, tmp_path):
    with pytest.raises(BundleError, match=r"no model at .*nowhere"):
        eyespot.compare(pair[0], tmp_path / "nowhere", colors)


# --- detectors


@pytest.fixture(scope="module")
def boxed(tmp_path_factory) -> Path:
    """Pictures of 96 x 64 px with some of six squares in one color, and their boxes as YOLO has them."""
    folder, random = tmp_path_factory.mktemp("boxed") / "shapes", np.random.default_rng(1)
    for kind in ("images", "labels"):
        (folder / kind).mkdir(parents=True)
    for number in range(8):
        image, lines = random.integers(0, 120, (2, 3, 3)).repeat(32, axis=0).repeat(32, axis=1).astype(np.uint8), []
        for place in random.permutation(6)[:3].tolist():
            (row, column), label = divmod(place, 3), int(random.integers(3))
            image[32 * row : 32 * row + 32, 32 * column : 32 * column + 32, label] = random.integers(100, 256)
            lines.append(f"{label} {(column + 0.5) / 3} {(row + 0.5) / 2} {1 / 3} {1 / 2}")
        Image.fromarray(image).save(folder / "images" / f"{number}.png")
        (folder / "labels" / f"{number}.txt").write_text("\n".join(lines) + "\n")
    (folder / "data.yaml").write_text("names: [red, green, blue]\n")
    return folder


def boxes_by_hand(folder: Path, names: tuple[str, ...]) -> tuple[list[Truth], list[Found]]:
    """The true boxes, and what such a detector finds that calls red, green and blue so."""
    truths, founds = [], []
    for path in sorted((folder / "images").iterdir()):
        image = np.asarray(Image.open(path))
        rows = np.loadtxt(folder / "labels" / f"{path.stem}.txt", ndmin=2)
        middle, half = rows[:, 1:3] * [96, 64], rows[:, 3:] * [48, 32]
        truths.append(Truth(np.hstack([middle - half, middle + half]), rows[:, 0].astype(int)))
        boxes, scores = squares(image)
        place, label = np.nonzero(scores >= 0.01)
        order = np.argsort(-scores[place, label], kind="stable")[:4]  # as many as it answers
        called = np.array([BOX_CLASSES.index(name) for name in names])[label]
        inside = np.clip(boxes, 0, [96, 64, 96, 64])
        founds.append(Found(inside[place][order], scores[place, label][order], called[order]))
    return truths, founds


def test_detectors_are_compared_by_the_boxes_that_both_find_in_the_same_pictures(boxed, tmp_path):
    names = ("red", "blue", "green")
    made = read_any_bundle(write_box_bundle(tmp_path / "other"))
    shutil.rmtree(tmp_path / "other")
    write_detector(tmp_path / "other", made.manifest.model_copy(update={"classes": names}), made.graph)
    result = eyespot.compare(write_box_bundle(tmp_path / "one"), tmp_path / "other", boxed)
    (truths, first), (_, second) = (boxes_by_hand(boxed, each) for each in (BOX_CLASSES, names))
    found = paired_boxes(
        *(matches(truths, each, classes=3, most=4) for each in (first, second)), np.random.default_rng(0)
    )
    assert (result.pictures, result.boxes, result.classes) == (8, 24, BOX_CLASSES)
    assert result.first.map50.value == pytest.approx(found.first.precisions.map50)
    assert result.second.map50_95.value == pytest.approx(found.second.precisions.map50_95)
    assert dict(result.map50) == pytest.approx(dict(found.map50))
    assert dict(result.map50_95) == pytest.approx(dict(found.map50_95))
    assert [each.ap50.value for each in result.per_class] == pytest.approx([each.value for each in found.ap50])
    assert (result.verdict, result.smallest_seen) == (found.verdict, pytest.approx(found.smallest_seen))


def test_a_detectors_pictures_are_read_in_one_way(boxed, tmp_path):
    pair = write_box_bundle(tmp_path / "one"), write_box_bundle(tmp_path / "other")
    with pytest.raises(OptionError, match=r"layout is for models that name classes, and .*one is a detector"):
        eyespot.compare(*pair, boxed, layout="class")
