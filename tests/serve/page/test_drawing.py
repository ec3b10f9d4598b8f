"""What is drawn on the page is framed as the training pictures were, and read while one draws."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image
from visits import THREE, ZERO, draw

expect = pytest.importorskip("playwright.sync_api", reason="playwright is missing: pip install playwright").expect


def test_a_drawn_3_is_read_as_a_3_while_one_draws(digits, visit):
    page = visit(digits)
    draw(page, THREE)
    expect(page.locator("#best-class")).to_have_text("3")
    expect(page.locator("#draw-bars .first .name")).to_have_text("3")
    assert page.locator("#draw-bars .name").all_inner_texts() == [str(digit) for digit in range(10)]
    page.click("#clear")
    draw(page, ZERO)
    expect(page.locator("#best-class")).to_have_text("0")


def test_the_last_answer_is_that_to_the_last_drawing(digits, visit):
    """The first question is answered late; that answer must not be shown for the drawing that came after."""
    page = visit(digits)
    expect(page.locator("#draw")).to_be_visible()
    fingerprint = page.inner_text("#about").split()[-1]
    held: list[Any] = []
    page.route("**/predict*", lambda route: held.append(route) if not held else route.continue_())
    page.evaluate(
        """() => {
            window.shown = [];
            const best = document.getElementById("best-class");
            new MutationObserver(() => window.shown.push(best.textContent)).observe(best, { childList: true });
        }"""
    )
    draw(page, THREE)
    page.click("#clear")
    draw(page, ZERO)
    answer = {"predictions": [{"class": "3", "probability": 1}]}
    held[0].fulfill(json={"answers": [answer], "fingerprint": fingerprint})
    expect(page.locator("#best-class")).to_have_text("0")
    assert "3" not in page.evaluate("window.shown")
    page.click("#undo")
    expect(page.locator("#best-class")).to_have_text("–")


def test_a_drawing_is_sent_as_mnist_made_its_pictures(digits, visit):
    page = visit(digits)
    page.select_option("#framing", "mnist")
    draw(page, [(0.6 + x / 4, 0.1 + y / 4) for x, y in THREE])
    gray = sent(page)
    rows, columns = (np.flatnonzero(gray.any(axis)) for axis in (1, 0))
    assert np.ptp(rows) + 1 in {20, 21}  # a line's smooth edge may reach into one pixel more
    assert np.ptp(columns) + 1 < 20
    middles = np.arange(28) + 0.5
    assert [middles @ gray.sum(axis) / gray.sum() for axis in (1, 0)] == pytest.approx([14, 14], abs=0.1)
    page.check("#dark-ink")
    np.testing.assert_array_equal(sent(page), 255 - gray)


def sent(page: Any) -> np.ndarray:
    """The grey levels (28, 28) of what is sent."""
    png = page.evaluate("document.getElementById('sent').toDataURL()").partition(",")[2]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("L")).astype(int)


def test_the_embedded_digits_are_drawn_as_large_as_their_pictures(digits, visit):
    page = visit(digits)
    draw(page, THREE)
    gray = sent(page)
    assert gray[0].any()
    assert gray[-1].any()


def test_colour_models_offer_no_paper_to_draw_on(colors, visit):
    page = visit(colors)
    expect(page.locator("#ask")).to_be_visible()
    assert page.is_hidden("#draw")
