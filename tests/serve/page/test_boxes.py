"""The page of a served detector: boxes over the picture, in a list, and a slider that asks nothing."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from box_bundle import write_box_bundle
from color_bundle import write_color_bundle
from PIL import Image
from visits import DESKTOP, LEAST_CONTRAST, PHONE, answered, contrast, drop, luminance, plain, texts

expect = pytest.importorskip("playwright.sync_api", reason="playwright is missing: pip install playwright").expect

RED, GREEN, BLUE = (250, 0, 0), (0, 200, 0), (0, 0, 90)
SIDE = 64
"""Of a square of the picture; the model finds each with a margin of 8 pixels around it."""


def scene(*colors: tuple[int, int, int], size_wh: tuple[int, int] = (192, 128), format: str = "PNG") -> bytes:
    """A black picture with squares of these colors in its upper row, from the left."""
    image = Image.new("RGB", size_wh)
    for number, color in enumerate(colors):
        image.paste(color, (number * SIDE, 0, number * SIDE + SIDE, SIDE))
    file = io.BytesIO()
    image.save(file, format)
    return file.getvalue()


def asked_about(page: Any, *files: tuple[str, bytes]) -> Any:
    page.wait_for_selector("#desk:not([hidden])")
    drop(page, *files)
    return answered(page, len(files))


def rows(card: Any) -> list[str]:
    """The list's rows that are shown."""
    return [" ".join(each.split()) for each in card.locator(".boxes li:visible").all_inner_texts()]


def places(card: Any) -> list[list[float]]:
    """Left, top, right and bottom of the drawn boxes that are shown, as shares of the picture's sides, in any order."""
    seen = card.locator(".picture").bounding_box()
    boxes = [each.bounding_box() for each in card.locator(".layer .line").all() if each.is_visible()]
    return [
        [
            (each["x"] - seen["x"]) / seen["width"],
            (each["y"] - seen["y"]) / seen["height"],
            (each["x"] + each["width"] - seen["x"]) / seen["width"],
            (each["y"] + each["height"] - seen["y"]) / seen["height"],
        ]
        for each in boxes
    ]


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_boxes_lie_where_the_model_finds_them_and_are_listed(squares, visit, viewport):
    page = visit(squares, viewport=viewport)
    card = asked_about(page, ("cars.png", scene(RED, GREEN))).first
    assert card.locator(".count").all_inner_texts() == ["1 red", "1 green"]
    assert rows(card) == ["red 97.3 %", "green 77.5 %"]
    red, green = sorted(places(card))
    assert red == pytest.approx([0, 0, 72 / 192, 72 / 128], abs=0.02)
    assert green == pytest.approx([56 / 192, 0, 136 / 192, 72 / 128], abs=0.02)
    assert page.inner_text("#told") == "cars.png: 1 red, 1 green."
    lines = card.locator(".layer .line").evaluate_all("lines => lines.map(each => getComputedStyle(each).stroke)")
    assert set(lines) >= {"rgb(200, 60, 20)", "rgb(20, 90, 180)"}
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_slider_shows_more_and_fewer_boxes_without_asking_on_all_cards(squares, visit):
    page = visit(squares)
    cards = asked_about(page, ("a.png", scene(RED, GREEN, BLUE)), ("b.png", scene(BLUE)))
    first, second = cards.nth(0), cards.nth(1)
    page.route("**/predict*", lambda route: pytest.fail("it asked again"))
    slider, own = first.get_by_role("slider"), first.get_by_role("button", name="As the model: 50 %")
    assert slider.input_value() == "0.5"
    expect(own).to_be_disabled()
    assert second.locator(".verdict").inner_text() == "Nothing found"
    assert second.locator(".remark").inner_text() == "The surest box, blue, has 35.0\u00a0%."
    slider.fill("0.3")
    assert rows(first) == ["red 97.3 %", "green 77.5 %", "blue 35.0 %"]
    assert rows(second) == ["blue 35.0 %"]
    assert second.get_by_role("slider").input_value() == "0.3"
    slider.fill("0.8")
    assert rows(first) == ["red 97.3 %"]
    assert len(places(first)) == 1
    assert first.locator(".threshold label").inner_text().startswith("Boxes from 80\u00a0% on")
    slider.press("ArrowRight")
    assert slider.get_attribute("aria-valuetext") == "81\u00a0%: 1 red."
    assert page.inner_text("#told") == "1 red."
    own.click()
    expect(own).to_be_disabled()
    assert rows(first) == ["red 97.3 %", "green 77.5 %"]
    assert page.evaluate("document.activeElement.type") == "range"


def test_a_row_that_is_pointed_at_has_its_box_stand_out_and_a_box_its_row(squares, visit):
    page = visit(squares)
    card = asked_about(page, ("a.png", scene(RED, GREEN))).first
    card.locator(".boxes li").nth(1).hover()
    assert active(card) == ["rgb(20, 90, 180)"]
    assert card.locator(".tag:visible").all_inner_texts() == ["green 77.5\u00a0%"]
    page.mouse.move(0, 0)
    assert active(card) == []
    assert len(card.locator(".tag:visible").all()) == 2
    seen = card.locator(".picture").bounding_box()
    page.mouse.move(seen["x"] + 5, seen["y"] + 5)
    assert card.locator(".boxes [aria-selected=true]").inner_text().split()[0] == "red"
    assert active(card) == ["rgb(200, 60, 20)"]


def active(card: Any) -> list[str]:
    """The colors of the boxes that stand out."""
    return card.locator(".layer .active .line").evaluate_all("all => all.map(each => getComputedStyle(each).stroke)")


def test_everything_is_done_with_the_keyboard_alone(squares, visit, tmp_path):
    page = visit(squares)
    chosen = tmp_path / "chosen.png"
    chosen.write_bytes(scene(RED, GREEN, BLUE))
    page.on("filechooser", lambda chooser: chooser.set_files(chosen))
    page.wait_for_selector("#desk:not([hidden])")
    page.focus("#choose")
    page.keyboard.press("Enter")
    card = answered(page, 1).first
    page.focus("#clear-answers")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.type") == "range"
    for _ in range(30):
        page.keyboard.press("ArrowLeft")
    assert len(rows(card)) == 3
    page.keyboard.press("Tab")  # the button
    page.keyboard.press("Tab")
    reached = []
    for key in ("ArrowDown", "End", "ArrowDown", "ArrowUp", "Home"):
        page.keyboard.press(key)
        reached.append(page.evaluate("document.activeElement.querySelector('.name').textContent"))
        assert page.evaluate("document.activeElement.ariaSelected") == "true"
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        assert len(active(card)) == 1
    assert reached == ["green", "blue", "blue", "green", "red"]
    page.keyboard.press("Tab")
    assert active(card) == []


def test_boxes_have_names_for_a_screen_reader(squares, visit):
    page = visit(squares)
    card = asked_about(page, ("a.png", scene(RED))).first
    listed = card.get_by_role("listbox", name="Boxes in a.png")
    name = "red, 97.3\u00a0%, 72 by 72 pixels, 0 from the left, 0 from the top"
    assert listed.get_by_role("option", name=name, exact=True).count() == 1
    assert card.get_by_role("slider", name="Boxes from 50 % on").count() == 1
    for hidden in (".layer", ".tags"):
        assert card.locator(hidden).get_attribute("aria-hidden") == "true"


def test_a_picture_that_the_browser_cannot_show_has_its_boxes_all_the_same(squares, visit):
    page = visit(squares)
    card = asked_about(page, ("a.tif", scene(GREEN, size_wh=(128, 128), format="TIFF"))).first
    assert "cannot show pictures of this kind" in card.locator(".unshown").inner_text()
    frame, line = (card.locator(each).bounding_box() for each in (".fitted", ".layer .line"))
    assert frame["width"] == pytest.approx(frame["height"], abs=1)
    assert line["width"] / frame["width"] == pytest.approx(72 / 128, abs=0.05)


def test_a_file_that_is_no_picture_gets_a_sentence_and_no_slider(squares, visit):
    cards = asked_about(visit(squares), ("text.png", b"not a picture at all"), ("fine.png", scene(RED)))
    assert "not a picture" in cards.first.get_by_role("alert").inner_text()
    assert cards.first.get_by_role("slider").count() == 0
    assert cards.last.get_by_role("slider").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground_in_light_and_dark(squares, visit, scheme):
    page = visit(squares, color_scheme=scheme)
    card = asked_about(page, ("a.png", scene(RED, GREEN, BLUE))).first
    card.get_by_role("slider").fill("0.1")
    card.locator(".boxes li").first.focus()
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (luminance(ground) < 0.1) == (scheme == "dark")
    pairs = texts(page)
    assert len(pairs) > 20
    assert [pair for pair in pairs if contrast(pair[1], pair[2]) < LEAST_CONTRAST] == []


def test_the_detector_is_introduced_with_what_was_measured(squares, visit):
    page = visit(squares)
    expect(page.locator("#accuracy")).to_have_text("mAP50 0.830")
    measured = page.inner_text("#measured")
    assert "72 test pictures with 967 boxes" in measured
    assert measured.endswith("95\u00a0% interval of mAP50: 0.787 to 0.870.")
    assert page.inner_text("#looks-at").startswith("all of a picture, in images of 96 × 64 pixels")
    assert page.is_hidden("#draw")


def test_a_page_that_knows_a_classifier_shows_boxes_once_a_detector_is_served_and_back(serving, visit, tmp_path: Path):
    run = tmp_path / "run"
    write_color_bundle(run / "bundle")
    with serving(run) as address:
        page = visit(address)
        assert asked_about(page, ("a.png", scene(RED))).first.locator(".bars .name").count() == 3
        write_box_bundle(run / "bundle", threshold=0.4)
        served(page, address, "detection")
        drop(page, ("b.png", scene(RED)))
        card = answered(page, 2).first
        assert rows(card) == ["red 97.3 %"]
        expect(page.locator("h1")).to_have_text("colors")
        write_color_bundle(run / "bundle", sharpness=3)
        served(page, address, "classification")
        drop(page, ("c.png", plain()))
        assert answered(page, 3).first.locator(".bars .name").count() == 3
        older = answered(page, 3).nth(1)
        older.get_by_role("slider").fill("0.99")
        assert rows(older) == []


def served(page: Any, address: str, task: str) -> None:
    """Waits until a model of that task is served."""
    for _ in range(200):
        if page.request.get(f"{address}/model").json()["task"] == task:
            return
        page.wait_for_timeout(100)
    pytest.fail(f"no model for {task} came")
