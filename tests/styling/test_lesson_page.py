"""A lesson as a folder: what is in it, where it may not be, and what is left of one that was stopped."""

import numpy as np
import pytest
from html_page import Page
from PIL import Image

import eyespot
from eyespot.errors import CannotWrite, OptionError, Stopped
from eyespot.progress import silent
from eyespot.styling import lesson
from eyespot.styling.lesson import PARTS


@pytest.fixture
def folder(tmp_path):
    """A photo and a painting, and a folder beside them."""
    ramp = np.linspace(0, 255, 48, dtype=np.uint8)[None, :, None]
    Image.fromarray(np.tile(ramp, (36, 1, 3))).save(tmp_path / "a&b photo.png")
    painting = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    Image.fromarray(painting).save(tmp_path / "waves.png")
    return tmp_path


@pytest.fixture
def explained(folder, shared_cache, monkeypatch):
    """A function that paints in two steps and explains it, in two steps a figure."""
    monkeypatch.setattr(lesson, "STEPS", 2)

    def paint(progress=silent, **options):
        given = {"out": folder / "out.png", "explain": folder / "lesson", "overwrite": False, "stages": "stem, stage1"}
        return eyespot.stylize(
            folder / "a&b photo.png", style=folder / "waves.png", steps=2, progress=progress, **given | options
        )

    return paint


def test_a_folder_with_every_figure_and_a_page_that_carries_all_of_it(explained, folder):
    told = []
    found = explained(progress=lambda step, done, total: told.append((step, done, total)))
    assert found.explain == str(folder / "lesson" / "index.html")
    figures = {f"{part}-{stage}.png" for part in PARTS for stage in ("stem", "stage1")}
    names = {each.name for each in (folder / "lesson").iterdir()}
    assert names == {*figures, "index.html", "losses.csv", "losses.png"}
    assert told[-1] == ("explaining", 12, 12)
    for name in figures:
        Image.open(folder / "lesson" / name).verify()
    html = (folder / "lesson" / "index.html").read_text("utf-8")
    page = Page(html)
    pictures = page.all("img")
    assert len(pictures) == 3 + 12
    assert all(str(each["src"]).startswith("data:image/") and each["alt"] for each in pictures)
    assert all(str(each["href"]).startswith("#") for each in page.all("a"))
    assert not page.all("script")
    assert "http" not in html.replace("http-equiv", "")
    assert "How a&b photo.png was painted" in page.text
    assert "stopped" not in page.text


def test_ctrl_c_keeps_what_is_there_and_says_where(explained, folder):
    def stop(step, done, total):
        if (step, done) == ("explaining", 5):
            raise KeyboardInterrupt

    with pytest.raises(Stopped, match=r"out\.png is painted, and what there is of its explanation is in .*index\.html"):
        explained(progress=stop)
    Image.open(folder / "out.png").verify()
    page = Page((folder / "lesson" / "index.html").read_text("utf-8"))
    assert len(page.all("img")) == 3 + 5
    assert "It was stopped before all figures were done" in page.text


def test_a_folder_that_holds_something_is_refused_unless_it_may_be_written_over(explained, folder):
    (folder / "lesson").mkdir()
    (folder / "lesson" / "mine.txt").write_text("mine")
    with pytest.raises(CannotWrite, match="lesson is there and not empty: choose another folder, or add --overwrite"):
        explained()
    assert not (folder / "out.png").exists()
    explained(overwrite=True)
    assert (folder / "lesson" / "mine.txt").read_text() == "mine"
    assert (folder / "lesson" / "index.html").exists()


def test_a_file_is_no_folder(explained, folder):
    (folder / "lesson").write_text("mine")
    with pytest.raises(CannotWrite, match="lesson cannot be made"):
        explained(overwrite=True)
    assert (folder / "lesson").read_text() == "mine"


def test_no_lesson_lies_where_a_picture_does_nor_is_written_through_a_link(explained, folder):
    with pytest.raises(OptionError, match=r"where .*(waves|a&b photo)\.png lies"):
        explained(explain=folder, overwrite=True)
    (folder / "lesson").mkdir()
    (folder / "lesson" / "gram-stem.png").symlink_to(folder / "waves.png")
    bits = (folder / "waves.png").read_bytes()
    with pytest.raises(OptionError, match=r"waves\.png lies"):
        explained(overwrite=True)
    assert (folder / "waves.png").read_bytes() == bits
    (folder / "lesson" / "gram-stem.png").unlink()
    with pytest.raises(OptionError, match=r"out\.png lies, or is to lie"):
        explained(out=folder / "lesson" / "out.png")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"steps": None}, "explain needs painting in steps: add --steps"),
        ({"strength": 0}, "explain needs a strength above 0"),
    ],
)
def test_what_has_no_steps_cannot_be_explained(folder, options, says):
    given = {"steps": 2} | options
    with pytest.raises(OptionError, match=says):
        eyespot.stylize(
            folder / "waves.png", style=folder / "a&b photo.png", out=folder / "out.png", explain=folder / "l", **given
        )
    assert not (folder / "l").exists()


def test_a_folder_of_photos_is_not_explained(explained, folder):
    (folder / "photos").mkdir()
    with pytest.raises(OptionError, match=r"explain takes one photo, and .*photos is a folder"):
        eyespot.stylize(
            folder / "photos", style=folder / "waves.png", out=folder / "painted", explain=folder / "l", steps=2
        )
