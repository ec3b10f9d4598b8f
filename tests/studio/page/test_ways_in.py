"""The ways into the studio: from a report, which is a file, and by `--at`, which opens the browser."""

from __future__ import annotations

import csv
import re
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from chromium_browser import at_work
from visits import DESKTOP

SIZES = [{"width": 360, "height": 800}, {"width": 390, "height": 844}, DESKTOP]
OTHER_PORT = """port => {
    const links = document.querySelectorAll("a[href^='http:']");
    for (const each of links) each.href = each.href.replace(":8765/", `:${port}/`);
}"""
"""The studio of a test has a port of its own."""


@pytest.fixture
def report(visit: Any, studio: str, digits_run: Path) -> Any:
    page = visit((digits_run / "report.html").as_uri())
    page.evaluate(OTHER_PORT, urlsplit(studio).port)
    return page


def settled(page: Any, place: str) -> None:
    page.wait_for_url(re.compile(place))
    page.wait_for_function("() => document.documentElement.dataset.shown === location.hash")


def test_a_mistake_of_the_report_opens_in_the_network(report, digits_run):
    with (digits_run / "predictions.csv").open(encoding="utf-8") as file:
        wrong = [row for row in csv.DictReader(file) if row["part"] == "test" and row["right"] == "0"]
    surest = max(wrong, key=lambda row: float(row["probability"]))
    report.get_by_role("link", name=f"Why? {surest['answer']}, {surest['picture']}").click()
    settled(report, f"picture={surest['content_hash']}")
    report.locator("#bars .first").wait_for()
    assert report.locator("#bars .first .name").inner_text() == surest["answer"]
    assert report.locator("#trouble").is_hidden()
    report.go_back()
    report.get_by_role("heading", name="Its surest mistakes").wait_for()


def test_a_cell_of_the_report_opens_the_same_cell(report):
    link = report.locator(".matrix .wrong a").first
    truth, answer, count = re.match(r"(\d), answered (\d): (\d+) ", link.get_attribute("aria-label")).groups()
    link.click()
    settled(report, f"truth={truth}&answer={answer}")
    assert report.locator("#mistakes h2").inner_text() == f"True class {truth}, answered {answer}"
    assert report.locator(".own-cards li").count() == int(count)


@pytest.mark.parametrize("screen", ["kernels", "training"])
def test_the_other_screens_are_led_to(report, screen):
    report.get_by_role("link", name=f"its {screen}").click()
    settled(report, f"screen={screen}")
    assert report.locator(f"#{screen}").is_visible()


def test_a_place_of_another_run_is_told(studio, visit):
    page = visit(f"{studio}#run=others&screen=errors&truth=1&answer=8")
    page.locator("#trouble").wait_for()
    assert "one of the run others, but digits is open" in page.locator("#trouble").inner_text()
    page.get_by_role("link", name="Kernels").click()
    settled(page, "screen=kernels")
    assert page.locator("#trouble").is_hidden()


@pytest.mark.parametrize("viewport", SIZES, ids=lambda size: str(size["width"]))
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_report_fits_its_window_and_is_reached_by_keyboard(visit, digits_run, viewport, scheme):
    page = visit((digits_run / "report.html").as_uri(), viewport=viewport, color_scheme=scheme)
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    wanted = page.locator("a, summary, [tabindex='0']").count()
    page.evaluate(
        "() => { window.been = new Set(); addEventListener('focusin', ({ target }) => window.been.add(target)); }"
    )
    for _ in range(wanted + 2):
        page.keyboard.press("Tab")
    inside = page.locator("details:not([open]) > :not(summary) :is(a, [tabindex='0'])").count()
    inside += page.locator("details:not([open]) > [tabindex='0']").count()
    assert page.evaluate("() => window.been.size") >= wanted - inside


def test_at_opens_the_browser_at_a_place(digits_run, warm_cache, tmp_path):
    script, opened = tmp_path / "browser.py", tmp_path / "opened"
    script.write_text(f"import sys\nopen({str(opened)!r}, 'a').write(sys.argv[1])\n")
    browser = f"{sys.executable} {script} %s"
    with at_work("studio", digits_run, "--at", "kernels", says="Studio", cache=warm_cache, BROWSER=browser) as address:
        assert address.endswith("/#screen=kernels")
        end = time.monotonic() + 60
        while not opened.is_file() or opened.read_text() != address:
            assert time.monotonic() < end, "no browser was opened there"
            time.sleep(0.1)
