"""COLLECT and the list of runs in a real browser: from a name to a live answer, by mouse, keyboard and camera."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chromium_browser import at_work
from PIL import Image
from visits import DESKTOP, LEAST_CONTRAST, PHONE, contrast, drop, plain, texts

expect = pytest.importorskip("playwright.sync_api", reason="playwright is missing: pip install playwright").expect
SIZES = {"small phone": {"width": 360, "height": 800}, "phone": PHONE, "desktop": DESKTOP}
PATIENCE, TRAINING_PATIENCE = 60_000, 400_000
"""Milliseconds until what does not come is given up: a busy machine takes its time."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the studio is started."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def lobby(chromium: str, home: Path, warm_cache: Path) -> Iterator[str]:
    """The address of a studio without a run."""
    with at_work("studio", None, says="Studio", cache=warm_cache, folder=home) as address:
        yield address


@pytest.fixture
def patient(visit: Callable[..., Any], lobby: str) -> Iterator[Callable[..., Any]]:
    """A function that opens a place in the studio."""

    def opened(place: str = "", **options: Any) -> Any:
        page = visit(f"{lobby}#lang=en{place}", **options)
        page.set_default_timeout(PATIENCE)
        page.wait_for_function("() => document.documentElement.dataset.shown === location.hash")
        return page

    expect.set_options(timeout=PATIENCE)
    yield opened
    expect.set_options(timeout=5_000)


@pytest.fixture
def collecting(patient: Callable[..., Any]) -> Callable[..., Any]:
    """A function that begins a data set with some classes, by keyboard alone."""

    def begun(name: str, *classes: str, **options: Any) -> Any:
        page = patient("&screen=collect", **options)
        page.locator("#collect-name").fill(name)
        page.keyboard.press("Enter")
        expect(page.locator("#collect-class")).to_be_focused()
        for each in classes:
            page.locator("#collect-class").fill(each)
            page.keyboard.press("Enter")
            expect(card(page, each)).to_be_visible()
        return page

    return begun


def card(page: Any, name: str) -> Any:
    return page.locator(".class", has=page.get_by_role("heading", name=name, exact=True))


def gray(seed: int, *, dark: bool) -> bytes:
    """A small picture file, which LeNet-5 learns from scratch."""
    levels, file = np.random.default_rng(seed).integers(0, 90, (28, 28), np.uint8), io.BytesIO()
    Image.fromarray(levels if dark else 255 - levels).save(file, "PNG")
    return file.getvalue()


def give(page: Any, to: Any, kind: str, *files: tuple[str, bytes]) -> None:
    """Drops files on an element, or pastes them."""
    named = [[name, base64.b64encode(data).decode()] for name, data in files]
    to.evaluate(
        """(element, [kind, files]) => {
            const data = new DataTransfer();
            for (const [name, text] of files)
                data.items.add(new File([Uint8Array.from(atob(text), c => c.charCodeAt(0))], name));
            const how = { bubbles: true, cancelable: true };
            element.dispatchEvent(kind == "drop" ? new DragEvent(kind, { ...how, dataTransfer: data })
                : new ClipboardEvent(kind, { ...how, clipboardData: data }));
        }""",
        [kind, named],
    )


def test_pictures_come_by_camera_drop_choice_and_paste_and_are_there_later(collecting, home):
    page = collecting("ways", "pear", "plum", permissions=["camera"])
    pear, plum = card(page, "pear"), card(page, "plum")
    page.get_by_role("button", name="Open the camera").press("Enter")
    pear.get_by_role("button", name="Take a picture of pear; hold for more").press("Enter")
    expect(pear.get_by_text("Pictures: 1")).to_be_visible()
    box = plum.locator(".take")
    box.hover()
    page.mouse.down()
    expect(plum.locator(".shots li")).not_to_have_count(0)
    expect(plum.locator(".shots li")).not_to_have_count(1)
    page.mouse.up()
    page.get_by_role("button", name="Close the camera").click()
    expect(plum.locator(".take")).to_be_hidden()
    give(page, pear, "drop", ("a.png", plain()), ("b.png", plain((0, 0, 250))))
    expect(pear.get_by_text("Pictures: 3")).to_be_visible()
    pear.locator("input[type=file]").set_input_files({"name": "c.png", "mimeType": "image/png", "buffer": plain()})
    expect(pear.get_by_text("Pictures: 4")).to_be_visible()
    pear.get_by_role("button", name="Choose pictures of pear").focus()
    give(page, page.locator("body"), "paste", ("image.png", plain((9, 9, 9))))
    expect(pear.get_by_text("Pictures: 5")).to_be_visible()
    assert (home / "collected" / "ways" / "pear" / "0002.png").read_bytes() == plain()
    with Image.open(home / "collected" / "ways" / "pear" / "0001.jpg") as taken:
        assert taken.format == "JPEG"
    pear.get_by_role("button", name="Remove this picture of pear").first.press("Enter")
    expect(pear.get_by_text("Pictures: 4")).to_be_visible()
    assert (
        page.evaluate("() => document.activeElement.closest('.class h3, .class').querySelector('h3').textContent")
        == "pear"
    )
    assert (home / "collected" / "ways" / ".removed" / "pear" / "0005.png").is_file()
    page.reload()
    expect(card(page, "pear").locator(".shots img")).to_have_count(4)
    page.get_by_role("link", name="Other data sets").click()
    expect(page.get_by_role("link", name="ways")).to_be_visible()
    page.go_back()
    expect(card(page, "pear")).to_be_visible()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Give it a name."),
        ("PEAR", "There is one called “PEAR” already: choose another name."),
        ("a/b", "a class cannot be called 'a/b', for no folder can on every system: 'a_b' would do"),
        ("test", "which a training takes for something else"),
    ],
)
def test_a_name_that_is_none_is_told_and_nothing_is_lost(collecting, typed, said):
    page = collecting(f"names {typed.encode().hex()}", "pear")
    page.locator("#collect-class").fill(typed)
    page.get_by_role("button", name="Add").click()
    expect(page.locator("#collect-class-trouble")).to_contain_text(said)
    expect(page.locator("#collect-class")).to_have_value(typed)
    expect(page.locator("#collect-class")).to_have_attribute("aria-invalid", "true")
    expect(page.locator(".class")).to_have_count(1)
    page.locator("#collect-class").fill("plum")
    page.keyboard.press("Enter")
    expect(page.locator(".class")).to_have_count(2)
    expect(page.locator("#collect-class-trouble")).to_be_hidden()


def test_what_cannot_be_saved_is_told_and_the_rest_is_saved(collecting):
    page = collecting("refused", "pear")
    pear = card(page, "pear")
    give(page, pear, "drop", ("notes.txt", b"no picture"), ("a.png", plain()), ("cut.png", plain()[:40]))
    expect(pear.get_by_text("Pictures: 1")).to_be_visible()
    expect(pear.get_by_role("alert")).to_contain_text("notes.txt was not saved: it is not a picture")
    expect(pear.get_by_role("alert")).to_contain_text("And 1 more files were not saved.")
    drop(page, ("a.png", plain()))
    expect(page.locator("#collect-trouble")).to_have_text("Drop pictures on the class that they belong to.")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.locator("#collect-train")).to_contain_text("A network tells classes apart: add at least two.")
    page.locator("#collect-class").fill("plum")
    page.keyboard.press("Enter")
    expect(card(page, "plum")).to_be_visible()
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.locator("#collect-train")).to_contain_text("Pictures of the class “pear”: 1. It needs at least two")
    card(page, "plum").get_by_role("button", name="Remove class plum").click()
    expect(page.locator(".class")).to_have_count(1)


def test_a_camera_that_is_refused_is_told(collecting):
    page = collecting("dark", "pear")
    page.get_by_role("button", name="Open the camera").click()
    expect(page.locator(".camera-panel .error")).to_contain_text("The browser was not allowed to use the camera")
    expect(page.get_by_role("button", name="Open the camera")).to_be_focused()


def test_from_pictures_to_a_live_answer_and_a_run_in_the_list(collecting, home):
    page = collecting("shades", "dark", "light", permissions=["camera"])
    for name in ("dark", "light"):
        give(page, card(page, name), "drop", *((f"{seed}.png", gray(seed, dark=name == "dark")) for seed in range(8)))
    for name in ("dark", "light"):
        expect(card(page, name).get_by_text("Pictures: 8")).to_be_visible()
    page.get_by_role("button", name="Train", exact=True).press("Enter")
    expect(page.get_by_role("button", name="Stop")).to_be_focused()
    expect(page.locator(".log")).to_contain_text("--name=shades")
    expect(page.locator("#live-bars li")).to_have_count(2, timeout=TRAINING_PATIENCE)
    expect(page.locator("#live-figure")).to_have_text(re.compile(r"^shades: .+ right, measured by .+ interval .+ to "))
    assert re.search("set=[0-9a-f]{16}", page.url)
    assert (home / "runs" / "train" / "shades" / "report.html").is_file()
    page.locator("#live-stop").click()
    expect(page.locator("#live-start")).to_be_focused()
    page.get_by_role("link", name="Runs").click()
    expect(page.locator(".runs .open")).to_contain_text("shades")
    page.get_by_role("link", name="Open now: look into it").click()
    expect(page.locator("#strip li").first).to_be_visible()
    page.go_back()
    expect(page.locator(".runs .open")).to_contain_text("shades")


def test_a_training_that_fails_says_why(chromium, visit, warm_cache, tmp_path):
    (tmp_path / "runs").write_text("no folder", "utf-8")
    for name in ("pear", "plum"):
        (tmp_path / "collected" / "fruit" / name).mkdir(parents=True)
        for seed in range(2):
            (tmp_path / "collected" / "fruit" / name / f"{seed}.png").write_bytes(gray(seed, dark=True))
    with at_work("studio", None, says="Studio", cache=warm_cache, folder=tmp_path) as address:
        page = visit(f"{address}#lang=en&screen=collect")
        page.get_by_role("link", name="fruit").click()
        page.get_by_role("button", name="Train", exact=True).click()
        trouble = page.locator("#collect-train .error").first
        expect(trouble).to_contain_text("The training says: the run cannot be written", timeout=PATIENCE)
        expect(page.get_by_role("button", name="Train", exact=True)).to_be_visible()
        expect(page.locator(".class")).to_have_count(2)


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_cut_off(patient, home, size, lang):
    (home / "collected" / "wide" / "a class with a long name, as some have").mkdir(parents=True, exist_ok=True)
    page = patient("", viewport=SIZES[size])
    page.evaluate("lang => { location.hash = `#screen=collect&lang=${lang}`; }", lang)
    page.get_by_role("link", name="wide").click()
    expect(page.locator(".class")).to_have_count(1)
    assert page.locator("html").get_attribute("lang") == lang
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("link", name="Runs" if lang == "en" else "训练记录").click()
    expect(page.locator(".runs .new")).to_be_visible()
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground_and_every_section_has_a_heading(collecting, scheme):
    page = collecting(f"seen {scheme}", "pear", color_scheme=scheme)
    assert [pair for pair in texts(page) if contrast(pair[1], pair[2]) < LEAST_CONTRAST] == []
    for section in page.locator("#collect section").all():
        assert section.locator("h2").get_attribute("id") == section.get_attribute("aria-labelledby")
    unnamed = page.evaluate("""() => [...document.querySelectorAll("#collect :is(input:not([hidden]), button)")]
        .filter(each => !(each.ariaLabel || each.labels?.length || each.textContent.trim()))
        .map(each => each.outerHTML)""")
    assert unnamed == []
