"""The page of `eyespot export --format web`: it answers in the browser as the model does, without a network, too."""

from __future__ import annotations

import base64
import io
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from color_bundle import CLASSES, SIDE, color_probabilities, write_color_bundle
from PIL import Image
from stand_in_runtime import CONTENT, real_runtime
from visits import PHONE, answered, contrast, drop, plain, texts

from eyespot.bundle.files import Bundle, DetectorBundle, read_any_bundle
from eyespot.data.pictures import read_as_they_are
from eyespot.evaluate.verdict import percent
from eyespot.explaining.heat import overlay_png
from eyespot.exporting.web_graph import web_graph
from eyespot.exporting.web_runtime import FILES
from eyespot.exporting.web_site import site

pytestmark = pytest.mark.enable_socket

BELOW = "some/where"
"""The path below which the pages lie."""
LEAST_TARGET = 44
"""Pixels of the side of what a finger presses."""


@pytest.fixture(scope="module", params=["stand-in", "real"])
def runtime(request: Any) -> dict[str, bytes]:
    """The files with which the page answers."""
    if request.param == "stand-in":
        return CONTENT
    return {each.name: (real_runtime() / each.name).read_bytes() for each in FILES}


@pytest.fixture(scope="module")
def page_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., tuple[str, Path]]]:
    """A function that writes the page of a bundle and serves it; gives the address and the folder."""
    with ExitStack() as servers:

        def serve(bundle: Path, runtime: dict[str, bytes] = CONTENT) -> tuple[str, Path]:
            root = tmp_path_factory.mktemp("root")
            write_page(root / BELOW, read_any_bundle(bundle), runtime)
            return servers.enter_context(serving(root)), root / BELOW

        yield serve


@pytest.fixture(scope="module")
def colors_page(page_of: Any, refusing_bundle: Path, runtime: dict[str, bytes]) -> str:
    """The address of the page of the model that knows colors, for which gray is none."""
    return page_of(refusing_bundle, runtime)[0]


def write_page(folder: Path, bundle: Bundle | DetectorBundle, runtime: dict[str, bytes]) -> None:
    for name, content in site(bundle, web_graph(bundle), runtime).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def write_text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@contextmanager
def serving(root: Path) -> Iterator[str]:
    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(root)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/{BELOW}/"
    server.shutdown()
    server.server_close()


def encoded(image: Image.Image, format: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def pixels_in(page: Any, file: bytes, **preprocess: Any) -> np.ndarray:
    """What the page makes of a file before the model sees it: (H, W, C)."""
    known = {"short_side": SIDE, "crop_hw": [SIDE, SIDE], "color": "rgb", "exact": False, **preprocess}
    found = page.evaluate(
        """async ([text, preprocess]) => {
            const { pixelsOf } = await import("./page/pixels.js");
            const file = new Blob([Uint8Array.from(atob(text), (each) => each.charCodeAt(0))]);
            const { data, width, height, picture } = await pixelsOf(file, { preprocess });
            const reader = new FileReader();
            const read = new Promise((resolve) => (reader.onload = resolve));
            reader.readAsDataURL(new Blob([data]));
            await read;
            return { data: reader.result.split(",")[1], width, height, picture };
        }""",
        [base64.b64encode(file).decode(), known],
    )
    data = np.frombuffer(base64.b64decode(found["data"]), np.uint8)
    return data.reshape(found["height"], found["width"], -1)


def test_a_picture_is_answered_as_the_model_answers_it(colors_page, visit):
    page = visit(colors_page, viewport=PHONE)
    page.wait_for_selector("#desk:not([hidden])")
    shade = (60, 190, 90)
    drop(page, ("leaf.png", plain(shade)), ("gray.png", plain((130, 128, 126))), ("text.png", b"no picture"))
    leaf, gray, text = answered(page, 3).all()
    truth = color_probabilities(np.full((SIDE, SIDE, 3), shade))
    order = np.argsort(-truth)
    assert leaf.locator(".verdict").inner_text() == "green"
    assert leaf.locator(".bars .name").all_inner_texts() == [CLASSES[place] for place in order]
    assert leaf.locator(".bars .share").all_inner_texts() == [percent(truth[place]) for place in order]
    assert gray.locator(".verdict").inner_text() == "None of these"
    assert gray.locator(".unknown").is_visible()
    assert text.get_by_role("alert").inner_text().startswith("This browser cannot read the picture")


def test_it_works_without_a_network_once_it_was_loaded(colors_page, visit):
    page = visit(colors_page)
    page.wait_for_selector("#kept:not([hidden])")
    page.context.set_offline(True)
    page.reload()
    page.wait_for_selector("#desk:not([hidden])")
    drop(page, ("leaf.png", plain((60, 190, 90))))
    assert answered(page, 1).locator(".verdict").inner_text() == "green"


def test_nothing_leaves_the_page(page_of, bundle, visit):
    asked: list[str] = []
    address, _ = page_of(bundle)
    page = visit(address, then=lambda page: page.on("request", lambda request: asked.append(request.url)))
    page.wait_for_selector("#kept:not([hidden])")
    drop(page, ("leaf.png", plain((60, 190, 90))))
    answered(page, 1)
    assert len(asked) > 20
    assert not [url for url in asked if not url.startswith((address, f"blob:{address.partition('/some')[0]}"))]


def test_a_newer_page_takes_the_place_of_the_kept_one(page_of, bundle, visit, tmp_path):
    address, folder = page_of(bundle)
    page = visit(address)
    page.wait_for_selector("#kept:not([hidden])")
    write_page(folder, read_any_bundle(write_color_bundle(tmp_path / "bundle", name="newer")), CONTENT)
    for each in folder.rglob("*"):
        os.utime(each, (2e9, 2e9))  # a server tells files apart by the second
    page.reload()
    page.wait_for_selector("#desk:not([hidden])")
    assert page.inner_text("#model-name") == "colors"  # at once, from what is kept
    for _ in range(200):
        if page.evaluate("async () => Boolean((await navigator.serviceWorker.getRegistration()).waiting)"):
            break
        page.wait_for_timeout(100)
    for _ in range(20):
        page.goto("about:blank")  # nobody looks at the kept one any more
        page.wait_for_timeout(500)
        page.goto(address)
        page.wait_for_selector("#desk:not([hidden])")
        if page.inner_text("#model-name") == "newer":
            break
    assert page.inner_text("#model-name") == "newer"
    assert len(page.evaluate("caches.keys()")) == 1


def test_two_pages_at_one_address_keep_their_own(page_of, bundle, box_bundle, visit):
    address, folder = page_of(bundle)
    page = visit(address)
    page.wait_for_selector("#kept:not([hidden])")
    write_page(folder / "other", read_any_bundle(box_bundle), CONTENT)
    page.goto(f"{address}other/")
    page.wait_for_selector("#kept:not([hidden])")
    page.goto(address)
    page.wait_for_selector("#desk:not([hidden])")
    assert page.inner_text("#model-name") == "colors"


def test_what_else_lies_below_the_page_is_shown(page_of, bundle, visit):
    address, folder = page_of(bundle)
    page = visit(address)
    page.wait_for_selector("#kept:not([hidden])")
    write_text(folder / "notes" / "index.html", "<p>Notes</p>")
    page.goto(f"{address}notes/")
    assert page.inner_text("p") == "Notes"
    assert page.goto(f"{address}nothing").status == 404
    for name in ("index.html", "?a=1", "#answers"):
        page.goto(f"{address}{name}")
        page.wait_for_selector("#desk:not([hidden])")


@pytest.mark.parametrize("script", [None, "<p>Another site, whatever is asked for</p>"])
def test_another_site_at_the_address_is_shown_from_the_second_visit_on(page_of, bundle, visit, script):
    address, folder = page_of(bundle)
    page = visit(address)
    page.wait_for_selector("#kept:not([hidden])")
    shutil.rmtree(folder)
    write_text(folder / "index.html", "<p>Another site</p>")
    os.utime(folder / "index.html", (2e9, 2e9))  # a server tells files apart by the second
    if script:  # a server that answers every address with its page
        page.context.route("**/sw.js", lambda route: route.fulfill(body=script, content_type="text/html"))
    page.reload()
    page.wait_for_selector("#desk:not([hidden])")
    drop(page, ("leaf.png", plain((60, 190, 90))))
    assert answered(page, 1).locator(".verdict").inner_text() == "green"  # of what is kept
    registered = "async () => Boolean(await navigator.serviceWorker.getRegistration())"
    assert any(page.wait_for_timeout(200) or not page.evaluate(registered) for _ in range(100))
    page.goto(address)
    assert page.inner_text("p") == "Another site"


def test_a_detector_shows_its_boxes_and_the_slider_finds_more(page_of, box_bundle, visit):
    page = visit(page_of(box_bundle)[0], viewport=PHONE)
    page.wait_for_selector("#desk:not([hidden])")
    drop(page, ("a.png", plain(size=(64, 48))))
    [card] = answered(page, 1).all()
    assert card.locator(".verdict").inner_text() == "1 red"
    card.locator(".threshold input").fill("0.2")
    assert card.locator(".verdict").inner_text() == "1 red1 blue"
    labels = card.locator(".boxes li").evaluate_all("rows => rows.map((row) => row.ariaLabel)")
    assert labels == [
        "red, 75.0\u00a0%, 29 by 38 pixels, 1 from the left, 2 from the top",
        "blue, 25.0\u00a0%, 61 by 44 pixels, 3 from the left, 4 from the top",
    ]


def test_a_picture_becomes_the_pixels_that_the_model_learned_from(page_of, bundle, visit):
    page = visit(page_of(bundle)[0])
    noise = np.random.default_rng(0).integers(0, 256, (20, 31, 4), np.uint8)
    rgb, alpha = Image.fromarray(noise[..., :3]), Image.fromarray(noise)
    turned = Image.Exif()
    turned[0x0112] = 6
    files = {
        "rgb": encoded(rgb),
        "gray": encoded(rgb.convert("L")),
        "turned": encoded(rgb, exif=turned),
        "on white": encoded(alpha),
    }
    for name, file in files.items():
        for color in ("rgb", "gray"):
            preprocess = read_any_bundle(bundle).manifest.preprocess.model_copy(update={"color": color})
            [expected] = read_as_they_are([file], preprocess)
            found = pixels_in(page, file, color=color)
            most = 2 if name == "on white" else 0
            assert np.abs(found.astype(int) - expected).max() <= most, (name, color)


def test_a_large_picture_is_reduced_as_jpegs_are(page_of, bundle, visit):
    page = visit(page_of(bundle)[0])
    squares = np.random.default_rng(0).integers(0, 256, (146, 358, 3), np.uint8)
    noise = squares.repeat(11, axis=0).repeat(7, axis=1)[:1601, :2503]
    found = pixels_in(page, encoded(Image.fromarray(noise)))
    means = noise[:1600, :2496].reshape(200, 8, 312, 8, 3).mean((1, 3))
    assert found.shape == (201, 313, 3)
    assert np.abs(found[:200, :312] - means).max() <= 0.5
    small = encoded(Image.fromarray(noise[:800, :900]), "JPEG")
    assert pixels_in(page, small).shape == (100, 113, 3)
    assert pixels_in(page, small, exact=True).shape == (800, 900, 3)


def test_the_heat_map_has_the_colors_of_explain(page_of, bundle, visit):
    page = visit(page_of(bundle)[0])
    values = np.random.default_rng(0).normal(size=(7, 7)).astype(np.float32)
    found = page.evaluate(
        """async ([values, dims]) => {
            const { heatMap } = await import("./page/heat.js");
            const seen = { width: 320, height: 240 };
            const model = { preprocess: { short_side: 256, crop_hw: [224, 224] } };
            return await heatMap({ data: Float32Array.from(values), dims }, { class: "a hat", seen, model });
        }""",
        [values.ravel().tolist(), list(values.shape)],
    )
    ours, theirs = (
        np.asarray(Image.open(io.BytesIO(each)), int)
        for each in (base64.b64decode(found["png"]), overlay_png(values, (224, 224)))
    )
    assert np.abs(ours - theirs).max() <= 3  # what can be seen through is kept with its colors multiplied
    assert found["window"] == pytest.approx([58 / 341, 16 / 256, 224 / 341, 224 / 256], abs=1e-3)
    assert found["sentence"].startswith("It shows where the network found what raised its score for 'a hat', not why")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_all_can_be_read_and_pressed_and_nothing_is_wider(page_of, refusing_bundle, visit, scheme):
    page = visit(page_of(refusing_bundle)[0], viewport=PHONE, color_scheme=scheme)
    page.wait_for_selector("#kept:not([hidden])")
    drop(page, ("gray.png", plain((130, 128, 126))))
    answered(page, 1)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert [text for text, color, ground in texts(page) if contrast(color, ground) < 4.5] == []
    heights = page.locator("button:visible").evaluate_all("all => all.map((each) => each.offsetHeight)")
    assert min(heights) >= LEAST_TARGET
    tops = [page.locator(f"#{name}").bounding_box()["y"] for name in ("ask", "answers", "model")]
    assert tops == sorted(tops)


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("model.onnx", "model.onnx is not there"),
        ("model.onnx", "model.onnx is damaged"),
        ("runtime/ort-wasm-simd-threaded.wasm", "not whole"),
    ],
)
def test_what_is_missing_or_cut_off_is_said(page_of, bundle, browser, file, words):
    address, folder = page_of(bundle)
    path = folder / file
    if "not there" in words:
        path.unlink()
    elif "damaged" in words:
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    else:
        path.write_bytes(path.read_bytes()[:-1])
    page = browser.new_page()
    page.goto(address)
    page.wait_for_selector("#trouble:not([hidden])")
    assert words in page.inner_text("#trouble")
    drop(page, ("leaf.png", plain()))
    assert "cannot be loaded" in answered(page, 1).get_by_role("alert").inner_text()
    page.context.close()


def test_another_name_in_what_the_page_knows_is_damage(page_of, bundle, browser):
    address, folder = page_of(bundle)
    said = (folder / "model.json").read_text("utf-8")
    (folder / "model.json").write_text(said.replace('"red"', '"rod"'), "utf-8")
    page = browser.new_page()
    page.goto(address)
    page.get_by_text("(model.json) is damaged").wait_for()
    assert "rod" not in page.inner_text("body")
    page.context.close()
