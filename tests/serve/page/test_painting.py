"""The page paints: a photo and a painting in, the painted picture out, with what can be chosen beside it."""

from __future__ import annotations

import base64
import json
import re
import urllib.request
from importlib.util import find_spec
from typing import Any

import pytest
from visits import DESKTOP, LEAST_CONTRAST, PHONE, contrast, drop, plain, texts

expect = pytest.importorskip("playwright.sync_api", reason="playwright is missing: pip install playwright").expect

PHOTO, PAINTING = plain((120, 130, 140), (64, 48)), plain((200, 60, 40), (50, 60))
TRIES = 50


@pytest.fixture
def opened(paints, visit):
    """A function that opens the page where it paints."""

    def open_it(**options: Any) -> Any:
        page = visit(paints, **options)
        page.get_by_role("tab", name="Paint").click()
        return page

    return open_it


def painted(page: Any, words: str = "Painted at once") -> str:
    """What is shown below the choices, once the picture is there."""
    expect(page.locator("#paint-progress")).to_contain_text(words)
    expect(page.locator("#painted")).to_be_visible()
    return page.inner_text("#paint-progress")


def saved(page: Any) -> tuple[str, bytes]:
    """The file that is saved, and its name."""
    with page.expect_download() as download:
        page.get_by_role("link", name="Save as PNG").click()
    return download.value.suggested_filename, download.value.path().read_bytes()


def until_saved(page: Any, expected: bytes) -> bool:
    """Whether the picture becomes this one."""
    return any(saved(page)[1] == expected or page.wait_for_timeout(100) for _ in range(TRIES))


def asked(address: str, query: str) -> bytes:
    """What the server paints."""
    parts = (("photo", PHOTO), ("painting", PAINTING))
    head = 'Content-Disposition: form-data; name="{}"; filename="x"'
    body = b"".join(b"--b\r\n" + head.format(name).encode() + b"\r\n\r\n" + data + b"\r\n" for name, data in parts)
    headers = {"content-type": "multipart/form-data; boundary=b"}
    request = urllib.request.Request(f"{address}/paint?{query}", body + b"--b--\r\n", headers)
    with urllib.request.urlopen(request) as answer:
        return answer.read()


@pytest.mark.enable_socket
def test_the_picture_is_there_at_once_and_follows_what_is_chosen(paints, opened):
    page = opened()
    assert page.is_hidden("#painted")
    drop(page, ("photo.png", PHOTO), ("painting.png", PAINTING))
    painted(page)
    assert saved(page) == ("photo-painted.png", asked(paints, "strength=1&imgsz=512"))
    assert page.evaluate("[picture.naturalWidth, picture.naturalHeight]") == [64, 48]
    with page.expect_response(re.compile("/paint.strength=0.5&keep_colors=1")):
        page.locator("#strength").fill("0.5")
        page.get_by_label("The photo’s own colors").check()
    assert until_saved(page, asked(paints, "strength=0.5&keep_colors=1&imgsz=512"))
    assert page.get_by_role("slider").get_attribute("aria-valuetext") == "50\u00a0%"


def test_the_photo_is_shown_by_a_button_or_while_the_picture_is_held(opened):
    page = opened()
    drop(page, ("photo.png", PHOTO), ("painting.png", PAINTING))
    painted(page)
    page.get_by_role("button", name="Show the photo", pressed=False).click()
    assert page.is_visible("#compared")
    page.get_by_role("button", name="Show the photo", pressed=True).click()
    assert page.is_hidden("#compared")
    page.hover("#picture")
    page.mouse.down()
    assert page.is_visible("#compared")
    page.mouse.up()
    assert page.is_hidden("#compared")


def test_one_by_one_they_go_where_they_are_dropped_chosen_or_where_there_is_room(opened, tmp_path):
    page = opened()
    (tmp_path / "chosen.png").write_bytes(PAINTING)
    page.set_input_files("#painting-file", tmp_path / "chosen.png")
    drop(page, ("dropped.png", PHOTO))  # where there is room
    painted(page)
    assert page.locator("figcaption").all_inner_texts() == ["dropped.png", "chosen.png"]
    drop(page)
    assert page.inner_text("#paint-trouble").startswith("There was no file in that")
    drop(page, ("empty.png", b""))
    expect(page.locator("#paint-trouble")).to_contain_text("The file is empty")
    drop(page, ("text.png", b"no picture"))
    expect(page.locator("#paint-trouble")).to_contain_text("The photo is not a picture")
    assert page.is_hidden("#painted")
    assert page.locator("#answer-list li").count() == 0


def test_painting_in_steps_shows_what_is_there_and_can_be_stopped(opened):
    if find_spec("torch") is None:
        pytest.skip("needs the extra train")
    page = opened()
    drop(page, ("photo.png", PHOTO), ("painting.png", PAINTING))
    painted(page)
    page.get_by_role("button", name="Finer").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    assert page.evaluate("document.activeElement.id") == "finer-stop"
    painted(page, "Painting in steps")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Finer")).to_be_focused()
    assert page.is_hidden("#finer-stop")
    assert page.is_hidden("#paint-trouble")


def test_each_preview_takes_the_place_of_the_last_and_what_goes_wrong_is_a_sentence(opened):
    page = opened(then=lambda page: page.route("**/model", with_finer))
    drop(page, ("photo.png", PHOTO), ("painting.png", PAINTING))
    painted(page)
    last = plain((1, 2, 3), (64, 48))
    lines = [{"steps": n, "seconds": n, "png": base64.b64encode(png).decode()} for n, png in enumerate((PHOTO, last))]
    body = "".join(json.dumps(each) + "\n" for each in lines)
    page.route("**/paint/finer*", lambda route: route.fulfill(body=body, content_type="application/x-ndjson"))
    page.get_by_role("button", name="Finer").click()
    painted(page, "Painted in 1 step.")
    assert saved(page)[1] == last
    page.route("**/paint/finer*", lambda route: route.fulfill(status=429, json={"error": "another picture is painted"}))
    page.get_by_role("button", name="Finer").click()
    expect(page.locator("#paint-trouble")).to_have_text("Another picture is painted.")
    assert saved(page)[1] == last


def with_finer(route: Any) -> None:
    response = route.fetch()
    route.fulfill(response=response, json={**response.json(), "paint": {"finer": True, "seconds": 20}})


def test_where_it_cannot_be_painted_in_steps_nothing_of_it_is_shown(opened):
    def without(route: Any) -> None:
        response = route.fetch()
        route.fulfill(response=response, json={**response.json(), "paint": {"finer": False, "seconds": 20}})

    page = opened(then=lambda page: page.route("**/model", without))
    drop(page, ("photo.png", PHOTO), ("painting.png", PAINTING))
    painted(page)
    assert page.get_by_role("button", name="Finer").count() == 0


def test_the_tabs_are_for_keys_too_and_only_where_there_is_something_to_choose(colors, paints, visit):
    page = visit(colors)
    expect(page.locator("#desk")).to_be_visible()
    assert page.get_by_role("tab").count() == 0
    page = visit(paints)
    page.get_by_role("tab", name="Ask", selected=True).focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Paint", selected=True)).to_be_focused()
    assert page.get_by_role("tabpanel", name="Paint").is_visible()
    assert page.is_hidden("#desk")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "photo-choose"
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("ArrowRight")
    assert page.get_by_role("tabpanel", name="Ask").is_visible()


@pytest.mark.parametrize(("viewport", "scheme"), [(PHONE, "dark"), (DESKTOP, "light")], ids=["phone", "desktop"])
def test_text_stands_out_and_nothing_is_wider_than_the_window(opened, viewport, scheme):
    page = opened(color_scheme=scheme, viewport=viewport)
    drop(page, (f"{'long' * 50}.png", PHOTO), ("painting.png", plain(size=(400, 40))))
    painted(page)
    assert [pair for pair in texts(page) if contrast(pair[1], pair[2]) < LEAST_CONTRAST] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    inside = "each => each.scrollWidth <= each.clientWidth + 1"
    assert page.locator("#paint .drop, .choices").evaluate_all(f"all => all.every({inside})")
