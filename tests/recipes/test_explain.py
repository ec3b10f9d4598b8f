"""`explain`: one picture's answer, drawn and tested; what a server asks is the same."""

import base64
import io
import json
import shutil
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import eyespot
from eyespot.bundle.files import read_bundle
from eyespot.cli.main import main
from eyespot.errors import BundleError, DataError, OptionError
from eyespot.explaining import find_similar as recipe
from eyespot.explaining.network import Network
from eyespot.progress import silent
from eyespot.recipes.explain import Explainer


@pytest.fixture
def picture(split_photos) -> Path:
    return split_photos / "test" / "circle" / "200.png"


@pytest.fixture(scope="module")
def run(split_run, tmp_path_factory) -> Path:
    """A copy of `split_run` to which `similar.npz` may be added."""
    return Path(shutil.copytree(split_run.run, tmp_path_factory.mktemp("explained") / "photos"))


def test_the_answer_is_that_of_predict_and_the_picture_can_be_opened(run, shared_cache, picture, tmp_path):
    found = eyespot.explain(run, picture, out=tmp_path / "why.png")
    [likeliest, *_] = eyespot.load(run).predict(picture)[0].predictions
    assert found.class_ == likeliest.class_
    assert found.probability == pytest.approx(likeliest.probability, abs=1e-6)
    assert found.deletion.untouched == found.probability
    assert (found.method, found.places_hw) == ("class activation map", (7, 7))
    assert repr(found.class_) in found.sentence
    assert "not why" in found.sentence
    assert found.notes == ()
    drawn = Image.open(found.out)
    drawn.load()
    assert drawn.format == "PNG"


def test_the_window_is_what_the_network_sees(run, shared_cache, picture, tmp_path):
    """The pictures have 64 x 48 pixels, and of the resized one the middle square is cut."""
    window = eyespot.explain(run, picture, out=tmp_path / "why.png", similar=0).window
    assert list(window.model_dump().values()) == pytest.approx([0.125, 0, 0.75, 1], abs=0.01)


def test_a_training_picture_is_most_similar_to_itself(run, shared_cache, split_photos, tmp_path):
    trained_on = split_photos / "train" / "square" / "003.png"
    found = eyespot.explain(run, trained_on, out=tmp_path / "why.png", similar=3)
    assert found.similar[0].class_ == "square"
    assert found.similar[0].similarity == pytest.approx(1, abs=0.01)
    likeness = [each.similarity for each in found.similar]
    assert likeness == sorted(likeness, reverse=True)
    assert len(likeness) == 3


def test_the_similar_pictures_lie_beside_the_bundle_and_never_in_it(run, shared_cache, picture, tmp_path):
    eyespot.explain(run, picture, out=tmp_path / "why.png")
    assert (run / "similar.npz").is_file()
    assert sorted(each.name for each in (run / "bundle").iterdir()) == ["manifest.json", "model.onnx"]
    stored = recipe.stored_similar(read_bundle(run))
    assert len(stored.thumbnails) == 24  # of train alone
    assert np.bincount(stored.classes).tolist() == [8, 8, 8]


def test_where_the_pictures_are_gone_it_says_so_and_explains_the_rest(run, shared_cache, picture, tmp_path):
    copied = Path(shutil.copytree(run, tmp_path / "photos"))
    (copied / "similar.npz").unlink(missing_ok=True)
    args = json.loads((copied / "args.json").read_text("utf-8"))
    (copied / "args.json").write_text(json.dumps(args | {"data": str(tmp_path / "gone")}), encoding="utf-8")
    found = eyespot.explain(copied, picture, out=tmp_path / "why.png")
    assert found.similar == ()
    assert "no similar pictures are shown" in found.notes[0]
    alone = Path(shutil.copytree(copied / "bundle", tmp_path / "alone"))
    assert "copied bundle" in eyespot.explain(alone, picture, out=tmp_path / "why2.png").notes[0]


def test_pictures_that_changed_since_are_not_shown_as_trained_on(run, shared_cache, split_photos, picture, tmp_path):
    copied = Path(shutil.copytree(run, tmp_path / "photos"))
    (copied / "similar.npz").unlink(missing_ok=True)
    data = Path(shutil.copytree(split_photos / "test", tmp_path / "data"))
    args = json.loads((copied / "args.json").read_text("utf-8"))
    (copied / "args.json").write_text(json.dumps(args | {"data": str(data)}), encoding="utf-8")
    found = eyespot.explain(copied, picture, out=tmp_path / "why.png")
    assert found.similar == ()
    assert "no similar pictures are shown" in found.notes[0]


def test_pictures_that_were_moved_are_found_where_they_are_now(run, shared_cache, split_photos, picture, tmp_path):
    copied = Path(shutil.copytree(run, tmp_path / "photos"))
    (copied / "similar.npz").unlink(missing_ok=True)
    args = json.loads((copied / "args.json").read_text("utf-8"))
    (copied / "args.json").write_text(json.dumps(args | {"data": str(tmp_path / "gone")}), encoding="utf-8")
    assert "--data" in eyespot.explain(copied, picture, out=tmp_path / "without.png").notes[0]
    found = eyespot.explain(copied, picture, out=tmp_path / "why.png", data=split_photos)
    assert len(found.similar) == 5
    assert found.notes == ()


def test_a_class_that_was_renamed_since_has_no_similar_pictures(run, shared_cache, split_photos, picture, tmp_path):
    copied = Path(shutil.copytree(run, tmp_path / "photos"))
    (copied / "similar.npz").unlink(missing_ok=True)
    data = Path(shutil.copytree(split_photos, tmp_path / "data"))
    (data / "train" / "square").rename(data / "train" / "box")
    found = eyespot.explain(copied, picture, out=tmp_path / "why.png", data=data, similar=12)
    assert {each.class_ for each in found.similar} == {"circle", "triangle"}
    (copied / "similar.npz").unlink()
    for part in ("train", "val", "test"):
        for kind in ("circle", "triangle"):
            (data / part / kind).rename(data / part / f"{kind}s")
    network = Network(read_bundle(copied), cache_folder=None)
    none, why = recipe.find_similar(network, data, silent)
    assert none is None
    assert why.endswith("is in a folder of a class that it knows: were the folders renamed?")


def test_another_class_can_be_explained(run, shared_cache, picture, tmp_path):
    found = eyespot.explain(run, picture, out=tmp_path / "why.png", class_="square", similar=0)
    assert found.class_ == "square"
    assert found.probability < 0.5


def test_a_network_without_a_mean_at_its_end_is_explained_by_occlusion(draw, shared_cache, tmp_path):
    draw(tmp_path / "photos", 12)
    trained = eyespot.train(tmp_path / "photos", out=tmp_path, model="lenet5", epochs=1)
    found = eyespot.explain(trained.run, tmp_path / "photos" / "circle" / "000.png", out=tmp_path / "why.png")
    assert (found.method, found.places_hw) == ("occlusion", (16, 16))
    assert "hiding a patch" in found.sentence
    assert len(found.similar) == 5


def test_it_needs_no_torch(run, shared_cache, picture, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert eyespot.explain(run, picture, out=tmp_path / "why.png").similar


@pytest.mark.parametrize("kind", ["RGBA", "L", "P", "long", "rotated", "tiny"])
def test_odd_pictures_are_drawn(run, shared_cache, tmp_path, kind):
    random = np.random.default_rng(0)
    path = tmp_path / "odd.png"
    pixels = random.integers(0, 256, (60, 80, 4), dtype=np.uint8)
    if kind == "long":
        Image.fromarray(random.integers(0, 256, (1, 10_000, 3), dtype=np.uint8)).save(path)
    elif kind == "tiny":
        Image.fromarray(pixels[:1, :1, :3]).save(path)
    elif kind == "rotated":
        exif = Image.Exif()
        exif[0x0112] = 6
        path = tmp_path / "odd.jpg"
        Image.fromarray(pixels[..., :3]).save(path, exif=exif)
    else:
        Image.fromarray(pixels).convert("RGB" if kind != "RGBA" else "RGBA").convert(kind).save(path)
    found = eyespot.explain(run, path, out=tmp_path / "why.png", similar=0)
    Image.open(found.out).load()
    window = found.window
    if kind == "rotated":  # 60 pixels wide now, and 80 high
        assert list(window.model_dump().values()) == pytest.approx([0, 0.125, 1, 0.75], abs=0.01)
    assert 0 <= window.left <= window.left + window.width <= 1 + 1e-9


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"class_": "circel"}, OptionError, "no class 'circel': did you mean 'circle'"),
        ({"similar": 13}, OptionError, "must be 0 to 12, not 13"),
        ({"similar": -1}, OptionError, "must be 0 to 12"),
        ({"simlar": 3}, OptionError, "explain has no option 'simlar': did you mean 'similar'"),
        ({"out": "why.jpg"}, OptionError, r"ends in \.png"),
        ({"out": "no/where.png"}, OptionError, "does not exist"),
        ({"picture": "nowhere.jpg"}, DataError, "nowhere.jpg cannot be read"),
        ({"picture": "text.jpg"}, DataError, "text.jpg is"),
        ({"run": "nowhere"}, BundleError, "there is no model at"),
    ],
)
def test_what_cannot_be_done_is_said(run, shared_cache, picture, tmp_path, monkeypatch, given, error, words):
    monkeypatch.chdir(tmp_path)
    Path("text.jpg").write_text("no picture")
    options = {"run": run, "picture": picture, "out": "why.png"} | given
    with pytest.raises(error, match=words):
        eyespot.explain(options.pop("run"), options.pop("picture"), **options)
    assert not list(tmp_path.glob("*.png"))


def test_no_file_is_replaced_unasked(run, shared_cache, picture, tmp_path):
    (tmp_path / "why.png").write_bytes(b"mine")
    with pytest.raises(OptionError, match="exists already"):
        eyespot.explain(run, picture, out=tmp_path / "why.png")
    assert (tmp_path / "why.png").read_bytes() == b"mine"
    eyespot.explain(run, picture, out=tmp_path / "why.png", overwrite=True, similar=0)
    Image.open(tmp_path / "why.png").load()


def test_a_damaged_file_of_similar_pictures_is_said(run, shared_cache, picture, tmp_path):
    copied = Path(shutil.copytree(run, tmp_path / "photos"))
    (copied / "similar.npz").write_bytes(b"PK none")
    with pytest.raises(BundleError, match="remove it"):
        eyespot.explain(copied, picture, out=tmp_path / "why.png")


def test_the_command_says_what_was_found(run, shared_cache, picture, tmp_path):
    done = CliRunner().invoke(main, ["explain", str(run), str(picture), "--out", str(tmp_path / "why.png")])
    assert done.exit_code == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines() if line[0] != " "] == [
        *("Answer", "Heat", "Deletion", "Similar", "Wrote")
    ]
    again = ["explain", str(run), str(picture), "--out", str(tmp_path / "why.png"), "--overwrite", "--json"]
    said = json.loads(CliRunner().invoke(main, again).stdout)
    assert said["class"] == "circle"
    assert said["similar"][0].keys() == {"class", "similarity"}


def test_a_server_gets_the_heat_map_to_lay_over_the_window(run, shared_cache, picture, tmp_path):
    expected = eyespot.explain(run, picture, out=tmp_path / "why.png", similar=3)
    explainer = Explainer(read_bundle(run))
    assert explainer.similar
    said = explainer(picture.read_bytes(), "circle", heat_map=True, similar=3)
    heat = said["heat_map"]
    assert heat["class"] == expected.class_
    assert heat["sentence"] == expected.sentence
    assert heat["window"] == list(expected.window.model_dump().values())
    png = Image.open(io.BytesIO(base64.b64decode(heat["png"])))
    assert (png.mode, png.size) == ("RGBA", (224, 224))
    assert [each["class"] for each in said["similar"]] == [each.class_ for each in expected.similar]
    Image.open(io.BytesIO(base64.b64decode(said["similar"][0]["jpeg"]))).load()
    assert explainer(picture.read_bytes(), "circle", heat_map=False, similar=0) == {}
    json.dumps(said)


def test_several_threads_get_the_answers_that_one_gets(run, shared_cache, split_photos):
    pictures = sorted((split_photos / "test").rglob("*.png"))[::5]
    explainer = Explainer(read_bundle(run))
    alone = [Explainer(read_bundle(run))(p.read_bytes(), "square", heat_map=True, similar=2) for p in pictures]
    found: dict[int, object] = {}

    def ask(number: int) -> None:
        found[number] = explainer(pictures[number].read_bytes(), "square", heat_map=True, similar=2)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(pictures))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[number] for number in range(len(pictures))] == alone


def test_without_similar_pictures_a_server_offers_none(split_run, shared_cache, tmp_path, picture):
    alone = Path(shutil.copytree(split_run.bundle, tmp_path / "alone"))
    explainer = Explainer(read_bundle(alone))
    assert not explainer.similar
    assert "similar" not in explainer(picture.read_bytes(), "circle", heat_map=False, similar=3)
