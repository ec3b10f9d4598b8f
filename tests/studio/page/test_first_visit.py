"""A first visit: from the last lines of `eyespot train` to what made a number, led by visible words alone."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from chromium_browser import at_work
from visits import DESKTOP, PHONE


def command_at_the_end(folder: Path, environment: dict[str, str]) -> list[str]:
    """What `eyespot train digits` says at its end of looking inside, as typed."""
    done = subprocess.run(
        [sys.executable, "-m", "eyespot", "train", "digits", "--epochs", "2"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    [line] = [line for line in done.stdout.splitlines() if "eyespot studio" in line]
    return shlex.split(line)[-3:]


def told(page: Any, selector: str) -> str:
    return str(page.locator(selector).inner_text())


def numbers(table: Any) -> list[float]:
    return [float(text.replace("−", "-")) for text in table.locator("td").all_inner_texts()]


@pytest.fixture(scope="module")
def trained(warm_cache, tmp_path_factory) -> tuple[Path, str]:
    """The folder in which it was trained, and the run as the command names it."""
    import os

    folder = tmp_path_factory.mktemp("first")
    command = command_at_the_end(folder, {**os.environ, "EYESPOT_CACHE": str(warm_cache)})
    assert command[:2] == ["eyespot", "studio"]
    return folder, command[2]


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_two_clicks_lead_from_the_opened_page_to_the_numbers_behind_a_number(
    trained, warm_cache, chromium, visit, size
):
    folder, run = trained
    with at_work("studio", Path(run), says="Studio", cache=warm_cache, folder=folder) as address:
        page = visit(address, viewport=size)
        page.get_by_text("Click anywhere in a map: below, you see which numbers made the number there.").wait_for()
        page.get_by_role("button", name=re.compile("conv, Convolution")).first.click(position={"x": 30, "y": 30})
        page.get_by_role("button", name=re.compile(r"^Row \d+, column \d+: .* See the sum that makes it")).click()
        title = page.get_by_role("heading", name=re.compile(r"stage1.conv \[\d\] row"))
        title.wait_for()
        assert title.evaluate("each => { const { top } = each.getBoundingClientRect(); return top >= 0 && top < 200; }")
        patch, kernel, products = (numbers(page.locator(".products table").nth(at)) for at in range(3))
        assert len(patch) == 25
        assert products == pytest.approx([a * b for a, b in zip(patch, kernel, strict=True)], abs=2e-3)
        total = float(told(page, ".products .result").split()[-1].replace("−", "-"))
        assert total == pytest.approx(sum(products), abs=0.01)


def test_an_empty_pad_says_what_it_is_for_until_something_is_drawn(studio, visit):
    page = visit(studio)
    hint = page.get_by_text("Draw here")
    hint.wait_for()
    box = page.locator("#paper").bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 60, box["y"] + 80)
    page.mouse.up()
    hint.wait_for(state="hidden")
    page.get_by_role("button", name="Clear").click()
    hint.wait_for()


@pytest.mark.parametrize("place", ["layer=head.fc&map=3&cell=0,0", "layer=stage2.conv&map=7&cell=3,4"])
def test_an_address_frames_what_a_number_sees_and_brings_its_layer_into_view(studio, visit, place):
    page = visit(f"{studio}#{place}", viewport=PHONE)
    page.locator("#value .sum").wait_for()
    page.wait_for_function("() => document.documentElement.dataset.shown === location.hash")
    rows = re.search(r"rows (\d+) to (\d+) and columns (\d+) to (\d+)", told(page, "#value"))
    assert rows
    top, bottom, left, right = map(int, rows.groups())
    frame, image = (page.locator(each).bounding_box() for each in ("#frame", "#image"))
    assert frame["height"] / image["height"] == pytest.approx((bottom + 1 - top) / 32, abs=0.02)
    assert frame["width"] / image["width"] == pytest.approx((right + 1 - left) / 32, abs=0.02)
    chosen, strip = (page.locator(each).bounding_box() for each in ("#strip .chosen .sheet", "#strip-place"))
    assert strip["x"] <= chosen["x"] < chosen["x"] + chosen["width"] <= strip["x"] + strip["width"]


def test_layers_are_of_kinds_that_have_a_name_in_chinese(studio, visit):
    page = visit(f"{studio}#lang=zh")
    page.locator("#strip li").nth(12).wait_for()
    said = " ".join(page.locator("#strip .soft").all_inner_texts())
    assert "卷积 · 28 × 28 × 6" in said
    assert not re.search("conv|pool|image|connected|flatten", said)
