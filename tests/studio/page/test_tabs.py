"""Several tabs of one studio: what runs goes on when another run is opened, and a tab of the earlier run says so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chromium_browser import at_work
from PIL import Image

import eyespot

expect = pytest.importorskip("playwright.sync_api", reason="playwright is missing: pip install playwright").expect
SLOW = 120_000


@pytest.fixture(scope="module")
def studio(chromium: str, warm_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a studio without a run, in whose folder are two, and pictures that were collected."""
    home = tmp_path_factory.mktemp("tabs")
    for at, name in enumerate(["dark"] * 30 + ["light"] * 30):
        levels = np.random.default_rng(at).integers(0, 90, (28, 28), np.uint8)
        file = home / "collected" / "levels" / name / f"{at:04}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(levels if name == "dark" else 255 - levels).save(file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EYESPOT_CACHE", str(warm_cache))
        for name in ("first", "second"):
            eyespot.train("digits", out=home / "runs", name=name, epochs=1)
    with at_work("studio", None, says="Studio", cache=warm_cache, folder=home) as address:
        yield address


def opened(visit: Any, studio: str, name: str, lang: str = "en", **options: Any) -> Any:
    """A tab in which a run was opened from the list, unless it was open."""
    page = visit(f"{studio}#screen=runs&lang={lang}", **options)
    page.set_default_timeout(SLOW)
    run = page.locator(".runs li", has=page.get_by_text(name, exact=True))
    run.wait_for()
    if run.get_by_role("button").count():  # else it is open
        run.get_by_role("button", name=re.compile("Open|打开")).press("Enter")
    else:
        run.get_by_role("link").press("Enter")
    page.wait_for_url(re.compile("screen=network"))
    expect(page.locator("#subject")).to_contain_text(name, timeout=SLOW)
    page.locator("#strip li").first.wait_for()
    return page


def test_a_tab_of_the_earlier_run_shows_no_number_of_the_other_one(studio, visit):
    first = opened(visit, studio, "first")
    second = opened(visit, studio, "second")
    first.evaluate("() => location.hash += '&screen=errors'")
    told = first.locator("#elsewhere")
    expect(told).to_contain_text("“second” was opened in the studio meanwhile, and this tab still shows “first”:")
    expect(first.locator("#trouble")).to_contain_text("another run is open in the studio than in this tab")
    assert first.locator("#errors table").count() == 0
    first.get_by_role("button", name="Show second").press("Enter")
    expect(first.locator("#subject")).to_contain_text("second", timeout=SLOW)
    expect(first.locator("#errors table").first).to_be_visible()
    expect(told).to_be_hidden()
    expect(second.locator("#elsewhere")).to_be_hidden()


def test_who_comes_back_to_such_a_tab_is_told_at_once_and_opens_it_again(studio, visit):
    first = opened(visit, studio, "first", lang="zh")
    place = first.url
    opened(visit, studio, "second")
    expect(first.locator("#elsewhere")).to_be_hidden()
    first.evaluate("() => dispatchEvent(new Event('focus'))")
    expect(first.locator("#elsewhere")).to_contain_text("工作室其间打开了“second”，而此标签页显示的仍是“first”：")
    first.get_by_role("button", name="重新打开 first").click()
    first.wait_for_function("() => document.querySelector('#elsewhere').hidden")
    expect(first.locator("#subject")).to_contain_text("first", timeout=SLOW)
    assert first.url.partition("&picture")[0] == place.partition("&picture")[0]


def test_the_curves_of_the_earlier_run_do_not_become_those_of_the_other_one(studio, visit):
    first = opened(visit, studio, "first")
    opened(visit, studio, "second")
    first.evaluate("() => (location.hash = '#screen=training&lang=en')")
    expect(first.locator("#elsewhere")).to_contain_text("“second” was opened")
    assert first.locator("#training-rows tr").count() == 0


def test_a_lab_goes_on_and_is_found_when_another_run_is_opened(studio, visit):
    page = opened(visit, studio, "first")
    page.goto(f"{studio}#screen=labs&lab=middle-column&guess=1&seeds=1000&lang=en")
    page.get_by_role("button", name="Run the experiment").click()
    done = page.locator("#lab-done", has_text=re.compile(r"settings done, [1-9]\d* of 1000 rounds"))
    done.wait_for()
    page.evaluate("() => (location.hash = '#screen=runs&lang=en')")
    run = page.locator(".runs li", has=page.get_by_text("second", exact=True))
    run.get_by_role("button", name="Open").press("Enter")
    expect(page.locator("#subject")).to_contain_text("second", timeout=SLOW)
    page.get_by_role("link", name="Labs").click()
    expect(page.locator("#lab-running")).to_contain_text("middle column", timeout=SLOW)
    page.locator("#lab-running a").click()
    done.wait_for()
    page.get_by_role("button", name="Stop").press("Enter")
    page.locator("#lab-outcome", has_text=re.compile(r"you stopped it after \d+ of 1000 seeds")).wait_for()


def test_a_training_goes_on_and_is_found_when_another_run_is_opened(studio, visit):
    page = visit(f"{studio}#screen=collect&lang=en")
    page.set_default_timeout(SLOW)
    page.get_by_role("link", name="levels").click()
    page.locator("#train-start").press("Enter")
    expect(page.locator("#train-stop")).to_be_visible()
    place = page.url
    other = opened(visit, studio, "second")
    other.goto(place)
    page.close()
    stop = other.locator("#train-stop")
    expect(stop).to_be_visible(timeout=SLOW)
    stop.press("Enter")
    expect(other.locator("#collect-train .now")).to_contain_text(re.compile("stopped|done"), timeout=SLOW)


def test_a_lab_looks_into_the_network_that_is_chosen(studio, visit):
    page = opened(visit, studio, "first")
    page.goto(f"{studio}#screen=labs&lab=bottleneck&lang=en")
    choice = page.get_by_label("Network", exact=True)
    assert choice.locator("option").first.inner_text() == "efficientnet_lite0"
    assert choice.locator("option", has_text="first").count() == 0
    page.goto(f"{studio}#screen=labs&lab=bottleneck&model=nothing&lang=en")
    expect(page.locator("#lab-misnamed")).to_contain_text("names the network nothing")
    page.goto(f"{studio}#screen=labs&lab=shift&lang=en")
    expect(page.locator("#lab-title")).to_contain_text("?")
    assert page.get_by_label("Network", exact=True).count() == 0
