"""LABS: a guess, an experiment that runs, its verdict; by mouse, keyboard and address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from chromium_browser import at_work
from visits import DESKTOP, PHONE

SIZES = {"small phone": {"width": 360, "height": 800}, "phone": PHONE, "desktop": DESKTOP}
SLOW = 120_000
"""Milliseconds within which an experiment is done, whatever else the machine does."""


@pytest.fixture(scope="module")
def studio(
    chromium: str, digits_run: Path, warm_cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of a studio that puts labs into a folder of its own."""
    with ExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(tmp_path_factory.mktemp("labs"))
            address = stack.enter_context(at_work("studio", digits_run, says="Studio", cache=warm_cache))
        yield address


@pytest.fixture(scope="module")
def outcome(studio: str, browser: Any) -> str:
    """The address of an outcome, by the keyboard alone: from the list to a guess to the verdict."""
    page = browser.new_page(reduced_motion="reduce")
    page.set_default_timeout(SLOW)
    page.goto(f"{studio}#screen=labs&lang=en")
    page.get_by_role("link", name="Do several pools after one convolution add anything?").press("Enter")
    page.locator("#lab-title").wait_for()
    assert page.evaluate("() => document.activeElement.id") == "lab-title"
    page.get_by_role("radio").nth(1).press("Space")
    page.get_by_role("button", name="Run the experiment").press("Enter")
    page.locator("#lab-outcome .verdict").wait_for()
    page.wait_for_url(re.compile("result=several-pools"))
    address = page.url
    page.close()
    return address


def test_the_verdict_the_guess_and_the_numbers_are_shown(outcome, visit):
    page = visit(outcome)
    page.locator("#lab-outcome h2", has_text="It is not so").wait_for()
    said = page.locator("#lab-outcome").inner_text()
    assert "✗ You said: no: any two are one larger pool The experiment says otherwise." in said
    assert "It says: no with max; averages are one only if no windows overlap" in said
    assert page.locator(".lab-table tbody tr").count() == 8
    assert page.locator(".lab-table tbody tr").first.locator("th").count() == 2
    page.wait_for_function("() => document.querySelector('.lab-plot').naturalWidth > 0")
    assert "share of values that are equal" in page.locator(".lab-plot").get_attribute("alt")
    page.locator("#lab-kept summary").press("Enter")
    assert page.locator('#lab-kept a[aria-current="true"]').inner_text().startswith("several-pools: digits")


def test_the_report_opens_with_its_style_and_runs_nothing(outcome, visit):
    page = visit(outcome)
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Open the whole report").press("Enter")
    report = opened.value
    report.get_by_role("heading", name="It is not so").wait_for()
    assert report.evaluate("() => getComputedStyle(document.querySelector('section')).borderRadius") != "0px"
    assert report.evaluate("() => origin") == "null"


def test_an_outcome_is_found_from_the_list_and_spoken_of_in_chinese(outcome, visit):
    page = visit(outcome.replace("lang=en", "lang=zh"))
    page.locator("#lab-outcome", has_text="另一种语言").wait_for()
    assert page.locator("#lab-title").inner_text() == "一个卷积层后面接多个池化层，有用吗？"
    page.get_by_role("link", name="所有实验").click()
    page.locator("#labs-title").wait_for()
    page.locator(".labs li").nth(17).wait_for()
    assert page.locator(".labs li").count() == 18
    assert "已有结果：1" in page.locator(".labs li", has_text="several-pools").inner_text()
    page.go_back()
    page.locator("#lab-outcome .verdict").wait_for()


def test_no_guess_no_numbers_and_wrong_seeds_are_told(studio, visit):
    page = visit(f"{studio}#screen=labs&lab=chance&lang=en")
    run, trouble = page.get_by_role("button", name="Run the experiment"), page.locator("#lab-trouble")
    run.click()
    trouble.wait_for()
    assert "First say what you think" in trouble.inner_text()
    page.get_by_role("radio").nth(2).check()
    page.wait_for_url(re.compile("guess=3"))
    assert trouble.is_hidden()
    page.get_by_label("Seeds").fill("1001")
    run.click()
    trouble.wait_for()
    assert trouble.inner_text() == "Seeds must be a whole number from 1 to 1000."
    assert page.evaluate("() => document.activeElement.id") == "lab-seeds"
    assert page.get_by_role("radio").nth(2).is_checked()
    assert page.locator("#lab-running").is_hidden()


def test_one_at_a_time_and_stop_keeps_the_finished_rounds(studio, visit):
    page = visit(f"{studio}#screen=labs&lab=middle-column&guess=1&seeds=1000&lang=en")
    page.set_default_timeout(SLOW)
    page.get_by_role("button", name="Run the experiment").click()
    page.locator("#lab-done", has_text=re.compile(r"settings done, [1-9]\d* of 1000 rounds")).wait_for()
    other = visit(f"{studio}#screen=labs&lab=shift&guess=2&lang=en")
    other.get_by_role("button", name="Run the experiment").click()
    other.locator("#lab-trouble", has_text="One lab runs at a time").wait_for()
    assert "middle column" in other.locator("#lab-trouble").inner_text()
    other.locator("#lab-running a").click()
    other.locator("#lab-title", has_text="middle column").wait_for()
    page.get_by_role("button", name="Stop").press("Enter")
    page.locator("#lab-outcome", has_text=re.compile(r"you stopped it after \d+ of 1000 seeds")).wait_for()
    assert page.evaluate("() => document.activeElement.id") == "lab-outcome-title"
    assert page.locator("#lab-running").is_hidden()
    other.locator("#lab-outcome .verdict").wait_for(timeout=SLOW)


@pytest.mark.parametrize(
    ("place", "where", "words"),
    [
        ("lab=nothing", "#labs-trouble", "There is no lab “nothing”"),
        ("lab=shift&guess=9", "#lab-misnamed", "names the guess 9"),
        ("lab=shift&time=2y", "#lab-misnamed", "names the time 2y"),
        ("lab=shift&data=/etc", "#lab-misnamed", "names the data /etc"),
        ("lab=shift&result=../x", "#lab-outcome", "No outcome of this lab is kept as “../x”"),
    ],
)
def test_an_address_that_names_nothing_here_is_told(studio, visit, place, where, words):
    page = visit(f"{studio}#screen=labs&lang=en&{place}")
    page.locator(where, has_text=words).wait_for()


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_cut_off(studio, outcome, visit, size, lang):
    page = visit(f"{studio}#screen=labs&lang={lang}", viewport=SIZES[size])
    page.locator(".labs li").first.wait_for()
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    page.goto(outcome.replace("lang=en", f"lang={lang}"))
    page.locator("#lab-outcome .verdict").wait_for()
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
