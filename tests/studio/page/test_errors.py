"""ERRORS, the pictures of the run on the desk, and what excites a map: by mouse, keyboard and address."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import pytest
from visits import DESKTOP, PHONE

SIZES = {"small phone": {"width": 360, "height": 800}, "phone": PHONE, "desktop": DESKTOP}


def at(page: Any, place: str) -> None:
    """Waits until the address names the place, and the page shows it."""
    page.wait_for_url(re.compile(place))
    page.wait_for_function("() => document.documentElement.dataset.shown === location.hash")


@pytest.fixture(scope="module")
def mistakes(digits_run: Path) -> list[dict[str, str]]:
    """The mistakes on test pictures, as the run wrote them."""
    with (digits_run / "predictions.csv").open(encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["part"] == "test" and row["right"] == "0"]


def test_a_cell_opens_its_pictures_and_each_opens_in_network(studio, visit, mistakes):
    page, first = visit(studio), mistakes[0]
    page.get_by_role("link", name="Errors").click()
    page.get_by_role("region", name="Confusion matrix", exact=True).wait_for()
    assert page.locator(".matrix tbody th").count() == 10
    assert page.locator(".matrix td.right").count() == 10
    cell = (first["class"], first["answer"])
    same = [row for row in mistakes if (row["class"], row["answer"]) == cell]
    page.locator(".matrix").get_by_role("link", name=f"true class {cell[0]}, answered {cell[1]}: {len(same)}").click()
    at(page, "truth=")
    assert page.locator("#mistakes h2").inner_text() == f"True class {cell[0]}, answered {cell[1]}"
    assert page.locator(".own-cards li").count() == len(same)
    surest = max(same, key=lambda row: float(row["probability"]))
    link = page.locator(".own-cards a").first
    assert link.get_attribute("aria-label") == f"Why did it say {surest['answer']}? {surest['picture']}"
    link.click()
    at(page, f"picture={surest['content_hash']}")
    page.locator("#bars .first").wait_for()
    assert page.locator("#bars .first .name").inner_text() == surest["answer"]
    page.go_back()
    at(page, "screen=errors.*truth=")
    page.locator(".own-cards a").first.wait_for()


def test_the_keyboard_stays_in_the_matrix(studio, visit, mistakes):
    page = visit(f"{studio}#screen=errors")
    cell = page.locator(".matrix .wrong a").first
    cell.focus()
    page.keyboard.press("Enter")
    at(page, "truth=")
    assert page.evaluate("() => document.activeElement.getAttribute('aria-current')") == "true"
    page.locator("#mistakes").get_by_role("link", name="All mistakes").press("Enter")
    page.locator("#mistakes h2", has_text="All mistakes").wait_for()
    assert page.locator(".own-cards li").count() == len(mistakes)
    page.get_by_label("Pictures", exact=True).select_option("val")
    at(page, "part=val")
    page.locator("#matrix", has_text="validation pictures").wait_for()


def test_an_address_that_names_nothing_here_is_told(studio, visit):
    page = visit(f"{studio}#screen=errors&part=other&truth=77")
    page.locator("#mistakes .error").nth(1).wait_for()
    said = page.locator("#mistakes").inner_text()
    assert "no answers to a part other" in said
    assert "names no cell" in said
    assert page.locator(".matrix").is_visible()


def test_the_first_picture_is_on_the_desk_and_others_are_picked(studio, visit, mistakes):
    page = visit(studio)
    at(page, "picture=[0-9a-f]{32}$")
    page.locator("#own summary").press("Enter")
    page.locator(".own-strip li").nth(23).wait_for()
    assert page.locator(".own-strip a.mistake").count() == min(24, len(mistakes))
    following = page.get_by_role("button", name="Next pictures")
    following.press("Enter")
    page.get_by_text("25 to 48 of").wait_for()
    assert page.evaluate("() => document.activeElement.id") == "own-next"
    page.locator(".own-strip a").nth(2).press("Enter")
    at(page, "first=24")
    chosen = page.locator('.own-strip a[aria-current="true"]')
    chosen.wait_for()
    assert page.locator(".own-strip img").evaluate_all("all => all.every(each => each.alt === '')")
    address = page.url
    page.reload()
    page.locator('.own-strip a[aria-current="true"]').wait_for()
    assert page.url == address
    page.locator("#own-part").select_option("train")
    page.get_by_text("1 to 24 of").wait_for()


def test_the_pictures_that_excite_a_map_lead_to_their_numbers(studio, visit):
    page = visit(f"{studio}#layer=stage2.conv&map=7")
    page.get_by_role("button", name="Pictures that excite this map most").press("Enter")
    page.locator("#exciting li").nth(8).wait_for()
    assert page.evaluate("() => document.activeElement.id") == "excite"
    link = page.locator("#exciting a").nth(1)
    value = link.locator("strong").inner_text()
    link.press("Enter")
    page.locator('#exciting a[aria-current="true"]').wait_for()
    page.locator("#value-title", has_text=f"= {value.split()[0]}").wait_for()
    assert page.evaluate("() => document.activeElement.getAttribute('aria-current')") == "true"
    page.get_by_role("button", name="Map +").press("Enter")
    page.locator("#exciting h2", has_text="[8]").wait_for()
    page.locator("#exciting li").nth(8).wait_for()
    page.get_by_role("button", name="Hide these pictures").click()
    page.get_by_role("button", name="Pictures that excite this map most").wait_for()


def test_it_speaks_chinese(studio, visit):
    page = visit(f"{studio}#screen=errors&lang=zh")
    page.locator("#mistakes h2", has_text="所有错误").wait_for()
    page.locator("#language").click()
    page.locator("#mistakes h2", has_text="All mistakes").wait_for()
    assert page.locator("#matrix h2").inner_text() == "Confusion matrix"


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_cut_off(studio, visit, size, lang):
    page = visit(f"{studio}#screen=errors&lang={lang}", viewport=SIZES[size])
    page.locator(".own-cards li").first.wait_for()
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    page.goto(f"{studio}#layer=head.fc&map=3&exciting=1&first=0&lang={lang}")
    page.locator("#exciting li").nth(8).wait_for()
    page.locator(".own-strip li").nth(23).wait_for()
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
