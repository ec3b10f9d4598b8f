"""NETWORK, LAYER and VALUE: what a person does there with mouse, keyboard and address, and what she sees."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from visits import DESKTOP, PHONE, THREE, draw, drop, plain

SIZES = {"small phone": {"width": 360, "height": 800}, "phone": PHONE, "desktop": DESKTOP}


def at(page: Any, place: str) -> None:
    """Waits until the address names the place, and the page shows it."""
    page.wait_for_url(re.compile(place))
    settled(page)


def settled(page: Any) -> None:
    page.wait_for_function("() => document.documentElement.dataset.shown === location.hash")


def begun(page: Any) -> str:
    """The address when the first picture of the run is on the desk."""
    at(page, "picture=")
    return str(page.url)


def drawn(page: Any) -> None:
    before = begun(page)
    draw(page, THREE)
    page.wait_for_url(lambda address: address != before)
    while before != page.url:  # each movement is sent, and the last one comes last
        before = page.url
        page.wait_for_timeout(300)
    settled(page)


def number(page: Any) -> float:
    """The number that VALUE shows."""
    return float(page.locator("#value-title").inner_text().split("= ")[1].replace("−", "-"))


def test_what_is_drawn_is_answered_and_every_layer_shows_its_maps(studio, visit):
    page = visit(studio)
    begun(page)
    before = page.locator("#strip canvas").nth(1).evaluate("canvas => canvas.toDataURL()")
    drawn(page)
    page.locator("#bars .first").wait_for()
    assert page.locator("#bars li").count() == 10
    assert page.locator("#strip li").count() == 13
    assert page.locator("#strip canvas").nth(1).evaluate("canvas => canvas.toDataURL()") != before
    assert page.locator("#strip canvas").evaluate_all("all => all.every(canvas => canvas.width > 4)")


def test_a_click_on_a_map_leads_to_its_layer_and_to_the_sum_behind_the_number(studio, visit):
    page = visit(studio)
    drawn(page)
    page.locator("#strip li").nth(4).locator("button").click(position={"x": 20, "y": 20})
    at(page, "layer=stage2.conv&map=0&cell=")
    assert page.locator("#layer-title").inner_text() == "stage2.conv"
    assert "2,416 parameters" in page.locator("#layer").inner_text()
    assert "fully connected: 1,881,600 weights" in page.locator("#layer").inner_text()
    assert page.locator(".planes li").count() == 6
    assert page.locator(".products li").count() == 6
    said = page.locator(".sum").inner_text().replace("−", "-").replace(" (bias)", "").split(" = ")
    terms = re.sub(r"- ", "-", said[0]).replace("+ ", "").split()
    assert sum(map(float, terms)) == pytest.approx(float(said[1]), abs=0.01)
    assert float(said[1]) == number(page)
    assert page.locator("#frame").is_visible()


def test_the_keyboard_reaches_every_number(studio, visit):
    page = visit(f"{studio}#layer=stage2.conv&map=7&cell=3,4")
    page.locator(".products").wait_for()
    before = number(page)
    page.get_by_role("application").focus()
    page.keyboard.press("ArrowRight")
    at(page, "cell=3%2C5")
    assert page.evaluate("() => document.activeElement.getAttribute('role')") == "application"
    page.keyboard.press("ArrowLeft")
    at(page, "cell=3%2C4")
    assert number(page) == before
    page.locator("#layer").get_by_role("button", name="Map +").press("Enter")
    at(page, "map=8")
    page.locator("#layer").get_by_role("button", name="Next layer").press("Enter")
    at(page, "layer=stage2.act")
    page.go_back()
    at(page, "layer=stage2.conv&map=8")
    page.locator("#strip li").nth(1).locator("button").press("Enter")
    at(page, "layer=stage1.conv&map=0")
    page.locator("#layer").get_by_role("spinbutton", name="Map").fill("99")
    page.keyboard.press("Enter")
    at(page, "map=5")


def test_an_address_shows_the_same_place_with_the_same_number(studio, visit):
    page = visit(studio)
    drawn(page)
    page.goto(f"{page.url}&layer=stage2.conv&map=7&cell=3,4")
    page.locator(".products").wait_for()
    settled(page)
    address, said = page.evaluate("() => [location.href, document.getElementById('value-title').innerText]")
    assert said == visited(visit, address)


def visited(visit: Any, address: str) -> str:
    page = visit(address)
    page.locator(".products").wait_for()
    return str(page.locator("#value-title").inner_text())


@pytest.mark.parametrize(
    ("layer", "cell", "words"),
    [
        ("stage1.pool&map=2", "5,6", "The largest number of the patch."),
        ("stage1.act&map=2", "5,6", "A function of this one number."),
        ("head.flat&map=30", "0,0", "The number itself"),
        ("head.fc&map=3", "0,0", "smaller terms"),
        ("input&map=0", "9,9", "A number of the picture"),
    ],
)
def test_every_kind_of_layer_says_what_makes_its_number(studio, visit, layer, cell, words):
    page = visit(f"{studio}#layer={layer}&cell={cell}")
    page.locator("#value .sum").wait_for()
    assert words in page.locator("#value").inner_text()


def test_the_frame_of_a_number_of_a_vector_is_that_of_its_place_in_the_map(studio, visit):
    page = visit(f"{studio}#layer=head.flat&map=7&cell=0,0")
    page.locator("#value .sum").wait_for()
    assert "rows 4 to 19 and columns 8 to 23" in page.locator("#value").inner_text()  # row 1, column 2 of map 0


def test_the_answer_without_a_map(studio, visit):
    page = visit(studio)
    drawn(page)
    page.wait_for_function("() => location.hash.includes('picture=')")
    page.goto(f"{page.url}&layer=stage2.conv&map=3")
    page.get_by_role("button", name="Answer without this map").click()
    page.locator("#muted li").first.wait_for()
    assert "points" in page.locator("#muted").inner_text()


def test_the_window_slides_until_it_is_stopped(studio, visit):
    page = visit(f"{studio}#layer=stage2.conv&map=0&cell=0,9")
    slide = page.get_by_role("button", name="Let the window slide")
    slide.click()
    at(page, "cell=1%2C0")
    slide.click()
    assert slide.get_attribute("aria-pressed") == "false"


def test_lines_lead_to_the_maps_that_a_map_comes_from(studio, visit):
    page = visit(studio)
    page.locator("#strip li").nth(4).scroll_into_view_if_needed()
    page.locator("#strip li").nth(4).locator("button").hover(position={"x": 20, "y": 20})
    page.locator("#lines line").nth(5).wait_for(state="attached")
    widths = page.locator("#lines line").evaluate_all(
        "all => all.map(line => Number(line.getAttribute('stroke-width')))"
    )
    assert len(widths) == 6
    assert max(widths) == 6


def test_a_dropped_picture_is_answered_and_one_that_is_none_is_told(studio, visit):
    page = visit(studio)
    before = begun(page)
    drop(page, ("note.png", b"no picture"))
    page.locator("#desk-trouble:not([hidden])").wait_for()
    assert page.locator("#desk-trouble").inner_text().count("\n") == 0
    drop(page, ("plain.png", plain()))
    page.wait_for_url(lambda address: address != before)
    while before != page.url:  # each movement is sent, and the last one comes last
        before = page.url
        page.wait_for_timeout(300)
    settled(page)
    assert page.locator("#desk-trouble").is_hidden()


def test_a_picture_that_is_gone_and_a_layer_that_is_not_there_are_told(studio, visit):
    page = visit(f"{studio}#picture=0123456789abcdef")
    page.locator("#trouble:not([hidden])").wait_for()
    assert "not on the desk any more" in page.locator("#trouble").inner_text()
    page = visit(f"{studio}#layer=stage9&map=0&cell=0,0")
    page.locator("#strip li").first.wait_for()
    assert "no layer “stage9”" in page.locator("#layer").inner_text()
    assert page.locator("#value").is_hidden()


def test_it_speaks_chinese_and_the_address_keeps_that(studio, visit):
    page = visit(f"{studio}#layer=stage2.conv&map=7&cell=3,4")
    page.locator(".products").wait_for()
    page.locator("#language").click()
    at(page, "lang=zh")
    assert page.evaluate("() => document.documentElement.lang") == "zh"
    assert "个参数" in page.locator("#layer").inner_text()
    page.reload()
    page.locator(".products").wait_for()
    assert page.locator("#strip-title").inner_text() == "各层"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_cut_off(studio, visit, size, scheme):
    page = visit(f"{studio}#layer=head.fc&map=3&cell=0,0", viewport=SIZES[size], color_scheme=scheme)
    page.locator("#value .sum").wait_for()
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_the_numbers_can_be_copied(studio, visit):
    page = visit(f"{studio}#layer=stage2.conv&map=7&cell=3,4", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy the numbers").click()
    page.wait_for_function("() => document.getElementById('told').textContent.includes('copied')")
    cell = json.loads(page.evaluate("() => navigator.clipboard.readText()"))
    assert (cell["layer"], cell["place"], len(cell["parts"])) == ("stage2.conv", [7, 3, 4], 6)


def test_without_the_server_the_page_says_so(chromium, digits_run, warm_cache, visit):
    from chromium_browser import at_work

    with at_work("studio", digits_run, says="Studio", cache=warm_cache) as address:
        page = visit(address)
        settled(page)
    drop(page, ("plain.png", plain()))
    page.locator("#desk-trouble:not([hidden])").wait_for()
    assert "cannot be reached" in page.locator("#desk-trouble").inner_text()
