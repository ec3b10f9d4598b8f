"""The page of `eyespot serve` in a real browser, against the real server: what a person does there, and sees."""

from __future__ import annotations

import base64
import io
import json
import math
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from color_bundle import CLASSES, SIDE, color_probabilities
from PIL import Image

from eyespot.evaluate.verdict import percent

pytest.importorskip("fastapi", reason="the extra `serve` is not installed")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
if CHROMIUM is None:
    pytest.skip("chromium is not installed: apt-get install chromium", allow_module_level=True)

ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--use-fake-device-for-media-stream"),
)
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
TOKEN = "a token that is long enough"
THREE = ((0.3, 0.22), (0.42, 0.12), (0.6, 0.13), (0.68, 0.25), (0.62, 0.38), (0.48, 0.45), (0.64, 0.52), (0.72, 0.66))
THREE += ((0.66, 0.82), (0.5, 0.9), (0.34, 0.86), (0.27, 0.76))
"""The line of a 3, as fractions of the area to draw in."""
ZERO = tuple((0.5 + 0.22 * math.sin(turn / 2), 0.5 - 0.34 * math.cos(turn / 2)) for turn in range(13))
PRIMARIES = ((200, 40, 40), (40, 200, 40), (40, 40, 200))
LEAST_CONTRAST = 4.5
"""Of text on its ground: WCAG 2.2, 1.4.3."""


@contextmanager
def served(run: Path, cache: Path, **variables: str) -> Iterator[str]:
    """The address at which a server in a process of its own serves the run."""
    server = subprocess.Popen(
        [sys.executable, "-m", "eyespot", "serve", str(run), "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "EYESPOT_CACHE": str(cache), "PYTHONUNBUFFERED": "1", **variables},
    )
    assert server.stdout
    try:
        yield next(line.split()[1] for line in server.stdout if line.startswith("Page"))
    finally:
        server.terminate()
        server.communicate()


@pytest.fixture(scope="module")
def colors(bundle: Path, warm_cache: Path) -> Iterator[str]:
    """The address of a server of the model that knows colours."""
    with served(bundle, warm_cache) as address:
        yield address


@pytest.fixture(scope="module")
def digits_run(warm_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What `train` made of the embedded digits."""
    from eyespot.recipes.train import train

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EYESPOT_CACHE", str(warm_cache))
        return train("digits", out=tmp_path_factory.mktemp("digits"))


@pytest.fixture(scope="module")
def digits(digits_run: Any, warm_cache: Path) -> Iterator[str]:
    """The address of a server of the embedded digits."""
    with served(digits_run.run, warm_cache) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Any]]:
    """A function that opens a page of a server. What the browser complains of fails the test."""
    contexts, complaints = [], []

    def open_page(
        address: str, *, viewport: Any = DESKTOP, then: Callable[[Any], None] | None = None, **options: Any
    ) -> Any:
        contexts.append(browser.new_context(viewport=viewport, reduced_motion="reduce", **options))
        page = contexts[-1].new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))
        if then:
            then(page)
        go(page, address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [each for each in complaints if "the server responded with a status of" not in each] == []


def go(page: Any, address: str) -> None:
    """Opens the address. The server says where it is a moment before it listens there."""
    for _ in range(100):
        try:
            page.goto(address)
            return
        except playwright.Error as error:
            if "ERR_CONNECTION_REFUSED" not in str(error):
                raise
            page.wait_for_timeout(100)
    pytest.fail(f"nobody listens at {address}")


def drop(page: Any, *files: tuple[str, bytes]) -> None:
    """Let go of files over the page, as a person does with a mouse."""
    named = [[name, base64.b64encode(data).decode()] for name, data in files]
    page.evaluate(
        """files => {
            const dataTransfer = new DataTransfer();
            for (const [name, text] of files)
                dataTransfer.items.add(new File([Uint8Array.from(atob(text), c => c.charCodeAt(0))], name));
            document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
        }""",
        named,
    )


def draw(page: Any, line: Any) -> None:
    """A line on the paper, with the mouse."""
    page.locator("#paper").scroll_into_view_if_needed()
    box = page.locator("#paper").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in line]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=4)
    page.mouse.up()


def plain(color: tuple[int, ...] = (180, 60, 40), size: tuple[int, int] = (64, 48), **options: Any) -> bytes:
    """A picture file of one colour."""
    file = io.BytesIO()
    Image.new("RGB", size, color).save(file, **{"format": "PNG", **options})
    return file.getvalue()


def answered(page: Any, count: int) -> Any:
    """The cards, when that many are there and all are answered."""
    cards = page.locator("#answer-list > li")
    playwright.expect(cards).to_have_count(count)
    playwright.expect(page.locator("#answer-list > li[aria-busy]")).to_have_count(0)
    return cards


def test_the_model_is_introduced_with_its_accuracy_and_what_it_was_measured_on(digits, visit, digits_run):
    page = visit(digits)
    playwright.expect(page.locator("h1")).to_have_text("digits")
    assert page.locator("#classes li").all_inner_texts() == [str(digit) for digit in range(10)]
    test = digits_run.test
    assert f"In {round(test.accuracy * test.n)} of {test.n} test pictures" in page.inner_text("#measured")
    assert page.inner_text("#accuracy") == percent(test.accuracy)


def test_a_model_that_was_not_measured_says_so(colors, visit):
    page = visit(colors)
    playwright.expect(page.locator("#measured")).to_contain_text("not measured")
    assert page.is_hidden("#accuracy")


def test_a_dropped_picture_is_answered_as_the_model_answers_it(colors, visit):
    page = visit(colors)
    page.wait_for_selector("#desk:not([hidden])")
    shade = (60, 190, 90)
    drop(page, ("leaf.png", plain(shade)))
    card = answered(page, 1).first
    truth = color_probabilities(np.full((SIDE, SIDE, 3), shade))
    order = np.argsort(-truth)
    assert card.locator(".file").inner_text() == "leaf.png"
    assert card.locator(".verdict").inner_text() == "green"
    assert card.locator(".bars .name").all_inner_texts() == [CLASSES[place] for place in order]
    assert card.locator(".bars .share").all_inner_texts() == [percent(truth[place]) for place in order]
    shares = card.locator(".fill").evaluate_all("fills => fills.map(each => +each.style.getPropertyValue('--share'))")
    assert shares == pytest.approx(truth[order], abs=1e-3)
    assert page.inner_text("#told") == f"leaf.png: green, {percent(truth.max())}."


def test_several_pictures_are_answered_in_their_order_and_new_ones_come_first(colors, visit, tmp_path):
    page = visit(colors)
    page.wait_for_selector("#desk:not([hidden])")
    drop(page, *((f"{place}.png", plain(color)) for place, color in enumerate(PRIMARIES)))
    cards = answered(page, 3)
    assert cards.locator(".file").all_inner_texts() == ["0.png", "1.png", "2.png"]
    assert cards.locator(".verdict").all_inner_texts() == list(CLASSES)
    chosen = tmp_path / "chosen.png"
    chosen.write_bytes(plain())
    page.set_input_files("#files", [chosen])
    assert answered(page, 4).locator(".file").first.inner_text() == "chosen.png"
    page.click("#clear-answers")
    assert page.is_hidden("#answers")


def test_a_pasted_picture_is_answered(colors, visit):
    page = visit(colors)
    page.wait_for_selector("#desk:not([hidden])")
    page.evaluate(
        """text => {
            const clipboardData = new DataTransfer();
            clipboardData.items.add(new File([Uint8Array.from(atob(text), c => c.charCodeAt(0))], "pasted.png"));
            document.dispatchEvent(new ClipboardEvent("paste", { clipboardData }));
        }""",
        base64.b64encode(plain()).decode(),
    )
    assert answered(page, 1).locator(".bars li").count() == 3


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("cut off.jpg", plain(format="JPEG")[:200], "cut off"),
        ("text.png", b"not a picture at all", "not a picture"),
        ("empty.png", b"", "empty"),
    ],
)
def test_a_file_that_is_no_picture_gets_a_sentence_beside_those_that_are(colors, visit, name, data, words):
    page = visit(colors)
    page.wait_for_selector("#desk:not([hidden])")
    drop(page, (name, data), ("fine.png", plain()))
    cards = answered(page, 2)
    error = cards.first.get_by_role("alert").inner_text()
    assert words in error
    assert error[0].isupper()
    assert error.endswith(".")
    assert cards.last.locator(".bars li").count() == 3


def test_a_file_that_is_too_large_is_refused_before_it_is_sent(colors, visit):
    page = visit(colors)
    page.wait_for_selector("#desk:not([hidden])")
    page.route("**/predict*", lambda route: pytest.fail("it was sent"))
    page.evaluate(
        """() => {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([new Uint8Array(20 * 2 ** 20 + 1)], "huge.jpg"));
            document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true }));
        }"""
    )
    assert "20 MB" in answered(page, 1).get_by_role("alert").inner_text()


def test_a_dropped_text_gets_a_sentence(colors, visit):
    page = visit(colors)
    page.wait_for_selector("#desk:not([hidden])")
    drop(page)
    assert page.inner_text("#ask-trouble").startswith("There was no file in that")


def test_the_name_of_a_file_is_text_and_never_markup(colors, visit):
    page = visit(colors)
    page.wait_for_selector("#desk:not([hidden])")
    name = "<img src=x onerror=document.title='taken'>.png"
    drop(page, (name, b"nothing"), (name, plain()))
    assert answered(page, 2).locator(".file").all_inner_texts() == [name, name]
    assert "taken" not in page.title()


def test_a_drawn_3_is_read_as_a_3_while_one_draws(digits, visit):
    page = visit(digits)
    draw(page, THREE)
    playwright.expect(page.locator("#best-class")).to_have_text("3")
    playwright.expect(page.locator("#draw-bars .first .name")).to_have_text("3")
    assert page.locator("#draw-bars .name").all_inner_texts() == [str(digit) for digit in range(10)]
    page.click("#clear")
    draw(page, ZERO)
    playwright.expect(page.locator("#best-class")).to_have_text("0")


def test_the_last_answer_is_that_to_the_last_drawing(digits, visit):
    """The first question is answered late; that answer must not be shown for the drawing that came after."""
    page = visit(digits)
    playwright.expect(page.locator("#draw")).to_be_visible()
    fingerprint = page.inner_text("#about").split()[-1]
    held: list[Any] = []
    page.route("**/predict*", lambda route: held.append(route) if not held else route.continue_())
    page.evaluate(
        """() => {
            window.shown = [];
            const best = document.getElementById("best-class");
            new MutationObserver(() => window.shown.push(best.textContent)).observe(best, { childList: true });
        }"""
    )
    draw(page, THREE)
    page.click("#clear")
    draw(page, ZERO)
    answer = {"predictions": [{"class": "3", "probability": 1}]}
    held[0].fulfill(json={"answers": [answer], "fingerprint": fingerprint})
    playwright.expect(page.locator("#best-class")).to_have_text("0")
    assert "3" not in page.evaluate("window.shown")
    page.click("#undo")
    playwright.expect(page.locator("#best-class")).to_have_text("–")


def test_a_drawing_is_sent_as_mnist_made_its_pictures(digits, visit):
    page = visit(digits)
    page.select_option("#framing", "mnist")
    draw(page, [(0.6 + x / 4, 0.1 + y / 4) for x, y in THREE])
    gray = sent(page)
    rows, columns = (np.flatnonzero(gray.any(axis)) for axis in (1, 0))
    assert np.ptp(rows) + 1 in {20, 21}  # a line's smooth edge may reach into one pixel more
    assert np.ptp(columns) + 1 < 20
    middles = np.arange(28) + 0.5
    assert [middles @ gray.sum(axis) / gray.sum() for axis in (1, 0)] == pytest.approx([14, 14], abs=0.1)
    page.check("#dark-ink")
    np.testing.assert_array_equal(sent(page), 255 - gray)


def sent(page: Any) -> np.ndarray:
    """The grey levels (28, 28) of what is sent."""
    png = page.evaluate("document.getElementById('sent').toDataURL()").partition(",")[2]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("L")).astype(int)


def test_the_embedded_digits_are_drawn_as_large_as_their_pictures(digits, visit):
    page = visit(digits)
    draw(page, THREE)
    gray = sent(page)
    assert gray[0].any()
    assert gray[-1].any()


def test_colour_models_offer_no_paper_to_draw_on(colors, visit):
    page = visit(colors)
    playwright.expect(page.locator("#ask")).to_be_visible()
    assert page.is_hidden("#draw")


def explained(route: Any) -> None:
    """The server's answer, with a heat map over the right half of the picture, and a similar picture."""
    if route.request.url.endswith("/model"):
        response = route.fetch()
        route.fulfill(response=response, json={**response.json(), "heat_map": True, "similar": True})
        return
    assert "heat_map=1" in route.request.url
    png, jpeg = (base64.b64encode(plain(format=kind)).decode() for kind in ("PNG", "JPEG"))
    heat = {"class": "circle", "method": "class activation map", "png": png, "window": [0.5, 0, 0.5, 1]}
    heat["sentence"] = "It says where, not why."
    similar = [{"class": "square", "similarity": 0.91, "jpeg": jpeg}]
    predictions = [{"class": "circle", "probability": 1.0}]
    answer = {"picture": "a.png", "width": 64, "height": 48, "predictions": predictions}
    answers = [{**answer, "heat_map": heat, "similar": similar}]
    route.fulfill(json={"model": "m", "fingerprint": "0" * 12, "answers": answers})


def test_the_heat_map_lies_where_its_window_says_and_can_be_taken_away(colors, visit):
    page = visit(colors, then=lambda page: page.route(re.compile("/model$|/predict"), explained))
    page.wait_for_selector("#desk:not([hidden])")
    drop(page, ("a.png", plain()))
    card = answered(page, 1).first
    seen, heat = (card.locator(name).bounding_box() for name in (".picture", ".heat"))
    assert seen["width"] / seen["height"] == pytest.approx(64 / 48, rel=0.01)
    assert heat["x"] == pytest.approx(seen["x"] + seen["width"] / 2, abs=1)
    assert heat["width"] == pytest.approx(seen["width"] / 2, abs=1)
    assert heat["height"] == pytest.approx(seen["height"], abs=1)
    assert "where, not why" in card.locator(".heat-sentence").inner_text()
    button = card.get_by_role("button", name="Heat map", pressed=True)
    button.click()
    assert card.locator(".heat").is_hidden()
    assert card.get_by_role("button", name="Heat map", pressed=False).is_visible()
    assert card.locator(".neighbours").inner_text().split() == ["square", "0.91"]


def test_the_camera_is_asked_for_only_when_wanted_and_its_picture_is_answered(colors, visit):
    page = visit(colors, permissions=["camera"])
    page.wait_for_selector("#desk:not([hidden])")
    assert page.evaluate("document.getElementById('view').srcObject") is None
    page.click("#camera-open")
    page.click("#take")
    assert answered(page, 1).locator(".file").inner_text() == "camera 1.jpg"
    page.click("#camera-close")
    assert page.is_hidden("#camera")
    assert page.evaluate("document.getElementById('view').srcObject") is None


def test_a_camera_that_may_not_be_used_is_a_sentence(colors, visit):
    page = visit(colors, permissions=[])
    page.wait_for_selector("#desk:not([hidden])")
    page.evaluate("() => { navigator.mediaDevices.getUserMedia = () => Promise.reject({ name: 'NotFoundError' }) }")
    page.click("#camera-open")
    assert "no camera" in page.inner_text("#ask-trouble")


def test_everything_but_drawing_is_done_with_the_keyboard_alone(digits, visit, tmp_path):
    page = visit(digits)
    playwright.expect(page.locator("#draw")).to_be_visible()
    reached = []
    for _ in range(4):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id"))
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid", reached
    assert reached == ["framing", "dark-ink", "choose", "camera-open"]
    page.focus("#choose")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chosen = tmp_path / "chosen.png"
    chosen.write_bytes(plain())
    chooser.value.set_files(chosen)
    answered(page, 1)
    page.focus("#clear-answers")
    page.keyboard.press("Space")
    assert page.is_hidden("#answers")
    assert page.evaluate("document.activeElement.id") == "choose"


def test_every_control_has_a_name_and_answers_are_announced(digits, visit):
    page = visit(digits)
    playwright.expect(page.locator("#draw")).to_be_visible()
    for role, names in {
        "button": ("Undo", "Clear", "Choose pictures", "Use the camera"),
        "combobox": ("Framed",),
    }.items():
        for name in names:
            assert page.get_by_role(role, name=name, exact=True).count() == 1
    assert page.get_by_role("status").get_attribute("id") == "told"
    assert page.locator("html").get_attribute("lang") == "en"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground_in_light_and_dark(digits, visit, scheme):
    page = visit(digits, color_scheme=scheme)
    draw(page, THREE)
    drop(page, ("fine.png", plain()), ("broken.png", b"nothing"))
    answered(page, 2)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (luminance(ground) < 0.1) == (scheme == "dark")
    pairs = page.evaluate(
        """() => [...document.querySelectorAll("body *")].filter(each => each.checkVisibility() && !each.disabled &&
            [...each.childNodes].some(node => node.nodeType == 3 && node.data.trim())).map(each => {
            let under = each;
            while (getComputedStyle(under).backgroundColor == "rgba(0, 0, 0, 0)") under = under.parentElement;
            return [each.textContent, getComputedStyle(each).color, getComputedStyle(under).backgroundColor];
        })"""
    )
    assert len(pairs) > 30
    assert [pair for pair in pairs if contrast(pair[1], pair[2]) < LEAST_CONTRAST] == []


def contrast(first: str, second: str) -> float:
    """The ratio of WCAG 2.2 between two colours."""
    low, high = sorted(luminance(color) for color in (first, second))
    return (high + 0.05) / (low + 0.05)


def luminance(color: str) -> float:
    """WCAG's relative luminance of `rgb(r, g, b)`."""
    levels = [float(level) / 255 for level in color.partition("(")[2].rstrip(")").split(",")[:3]]
    red, green, blue = [level / 12.92 if level <= 0.04045 else ((level + 0.055) / 1.055) ** 2.4 for level in levels]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_nothing_is_wider_than_the_window_and_answers_move_nothing(digits, visit, viewport):
    page = visit(digits, viewport=viewport)
    playwright.expect(page.locator("#draw")).to_be_visible()
    before = [page.locator(name).bounding_box() for name in ("#paper", "#sent", "#ask")]
    page.evaluate("document.getElementById('told').scrollIntoView()")
    draw(page, THREE)
    playwright.expect(page.locator("#best-class")).to_have_text("3")
    page.evaluate("scrollTo(0, 0)")
    assert [page.locator(name).bounding_box() for name in ("#paper", "#sent", "#ask")] == before
    drop(page, (f"{'long' * 50}.png", plain(size=(400, 40))), ("fine.png", plain(size=(40, 400))))
    answered(page, 2)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_token_is_asked_for_once_and_sent_from_then_on(bundle, warm_cache, visit):
    with served(bundle, warm_cache, EYESPOT_TOKEN=TOKEN) as address:
        page = visit(address)
        page.get_by_label("Token", exact=True).fill("a wrong one")
        page.keyboard.press("Enter")
        playwright.expect(page.locator("#token-hint")).to_contain_text("did not accept")
        page.get_by_label("Token", exact=True).fill(TOKEN)
        page.keyboard.press("Enter")
        playwright.expect(page.locator("#desk")).to_be_visible()
        drop(page, ("fine.png", plain()))
        assert answered(page, 1).locator(".bars li").count() == 3
        page.reload()
        playwright.expect(page.locator("#desk")).to_be_visible()
        assert page.evaluate("[localStorage.length, document.cookie]") == [0, ""]


def test_a_server_that_has_gone_is_a_sentence(colors, visit):
    page = visit(colors)
    page.wait_for_selector("#desk:not([hidden])")
    page.route(
        "**/predict*", lambda route: route.fulfill(status=503, headers={"Retry-After": "0"}, json={"error": "full"})
    )
    drop(page, ("fine.png", plain()))
    assert "Full." in answered(page, 1).get_by_role("alert").inner_text()


def test_the_page_asks_nothing_of_any_other_server(colors, visit):
    asked: list[str] = []
    page = visit(colors, then=lambda page: page.on("request", lambda request: asked.append(request.url)))
    page.wait_for_selector("#desk:not([hidden])")
    drop(page, ("fine.png", plain()))
    answered(page, 1)
    assert len(asked) > 10
    assert [url for url in asked if not url.startswith((colors, "blob:", "data:"))] == []


def test_a_new_model_behind_the_same_address_is_shown(colors, visit):
    page = visit(colors)
    page.wait_for_selector("#desk:not([hidden])")

    def another(route: Any) -> None:
        response = route.fetch()
        route.fulfill(
            response=response, body=json.dumps({**response.json(), "fingerprint": "another", "name": "better"})
        )

    page.route("**/predict*", another)
    page.route("**/model", another)
    drop(page, ("fine.png", plain()))
    playwright.expect(page.locator("h1")).to_have_text("better")
