"""KERNELS: the slider through the epochs, the layers, and the way from a kernel to its map."""

from __future__ import annotations

import re
from typing import Any

import pytest
from visits import DESKTOP, PHONE

SIZES = {"small phone": {"width": 360, "height": 800}, "phone": PHONE, "desktop": DESKTOP}


def at(page: Any, place: str) -> None:
    """Waits until the address names the place, and the page shows it."""
    page.wait_for_url(re.compile(place))
    page.wait_for_function("() => document.documentElement.dataset.shown === location.hash")


def drawn(page: Any) -> list[str]:
    """What is on the tiles."""
    found: list[str] = page.locator("#kernels-tiles canvas").evaluate_all("all => all.map(each => each.toDataURL())")
    return found


def test_the_slider_goes_from_noise_to_the_model(studio, visit):
    page = visit(studio)
    page.get_by_role("link", name="Kernels").click()
    page.locator("#kernels-tiles li").nth(5).wait_for()
    slider = page.get_by_role("slider", name="Epoch")
    assert slider.get_attribute("aria-valuetext") == "the model"
    model = drawn(page)
    slider.focus()
    page.keyboard.press("Home")
    at(page, "epoch=0")
    assert slider.get_attribute("aria-valuetext") == "before training"
    noise = drawn(page)
    assert noise != model
    page.keyboard.press("ArrowRight")
    at(page, "epoch=1")
    assert page.locator("#kernels-at").inner_text() == "after epoch 1"
    assert page.evaluate("() => document.activeElement.id") == "kernels-epoch"
    page.keyboard.press("End")
    page.locator("#kernels-at", has_text="the model").wait_for()
    at(page, "screen=kernels(?!.*epoch)")
    assert drawn(page) == model
    page.evaluate("""() => {
        const output = document.getElementById("kernels-at");
        window.seen = [];
        new MutationObserver(() => window.seen.push(output.textContent)).observe(output, { childList: true });
    }""")
    page.get_by_role("button", name="From noise to edges").click()
    page.wait_for_function("() => window.seen.at(-1) === 'the model'")
    assert list(dict.fromkeys(page.evaluate("() => window.seen"))) == [
        "before training",
        "after epoch 1",
        "after epoch 2",
        "the model",
    ]
    page.get_by_role("button", name="From noise to edges").wait_for()


def test_each_kernel_says_what_it_is_like_and_opens_its_map(studio, visit):
    page = visit(f"{studio}#screen=kernels")
    page.locator("#kernels-tiles li").nth(5).wait_for()
    for tile in page.locator("#kernels-tiles li").all():
        assert re.search(r"(sobel-[xy]|laplacian|gaussian) −?[01]\.\d\d", tile.inner_text())
    assert page.locator("#kernels-legend").inner_text().startswith("Blue is −0.")
    page.get_by_role("link", name="Map 3").press("Enter")
    at(page, "layer=stage1.conv&map=3")
    page.locator("#layer-title").wait_for()
    page.go_back()
    page.locator("#kernels-tiles li").nth(5).wait_for()


def test_every_convolution_can_be_chosen_and_its_planes_come_in_pages(studio, visit):
    page = visit(f"{studio}#screen=kernels")
    page.get_by_label("Convolution").select_option("stage2.conv")
    at(page, "kernels=stage2.conv")
    page.locator("#kernels-tiles li").nth(63).wait_for()
    page.locator("#kernels-note", has_text="only the kernels of the first convolution, stage1.conv").wait_for()
    assert page.get_by_role("slider").count() == 0
    page.get_by_role("button", name="Next kernels").press("Enter")
    at(page, "first=64")
    page.get_by_text("65 to 96 of 96").wait_for()
    assert page.get_by_role("link", name="Map 10 from 4").is_visible()
    page.go_back()
    page.get_by_text("1 to 64 of 96").wait_for()


@pytest.mark.parametrize(
    ("place", "words"),
    [("kernels=stage9", "no convolution “stage9”: this is stage1.conv"), ("epoch=77", "kept of an epoch “77”")],
)
def test_an_address_that_names_nothing_here_is_told(studio, visit, place, words):
    page = visit(f"{studio}#screen=kernels&{place}")
    page.locator("#kernels-trouble", has_text=words).wait_for()
    assert page.locator("#kernels-tiles li").count() == 6


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_cut_off(studio, visit, size, lang):
    page = visit(f"{studio}#screen=kernels&kernels=stage2.conv&lang={lang}", viewport=SIZES[size])
    page.locator("#kernels-tiles li").nth(63).wait_for()
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("#kernels h2").inner_text() == {"en": "Kernels", "zh": "卷积核"}[lang]
