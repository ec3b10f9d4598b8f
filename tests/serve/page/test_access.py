"""The page is for everybody: by keys, read out, in light and dark, on a phone."""

from __future__ import annotations

import pytest
from visits import DESKTOP, LEAST_CONTRAST, PHONE, THREE, answered, contrast, draw, drop, luminance, plain, texts

expect = pytest.importorskip("playwright.sync_api", reason="playwright is missing: pip install playwright").expect


def test_everything_but_drawing_is_done_with_the_keyboard_alone(digits, visit, tmp_path):
    page = visit(digits)
    chosen = tmp_path / "chosen.png"
    chosen.write_bytes(plain())
    page.on("filechooser", lambda chooser: chooser.set_files(chosen))  # early: the browser has to be told first
    expect(page.locator("#draw")).to_be_visible()
    reached = []
    for _ in range(4):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id"))
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid", reached
    assert reached == ["framing", "dark-ink", "choose", "camera-open"]
    page.focus("#choose")
    page.keyboard.press("Enter")
    answered(page, 1)
    page.focus("#clear-answers")
    page.keyboard.press("Space")
    assert page.is_hidden("#answers")
    assert page.evaluate("document.activeElement.id") == "choose"


def test_every_control_has_a_name_and_answers_are_announced(digits, visit):
    page = visit(digits)
    expect(page.locator("#draw")).to_be_visible()
    for role, names in {
        "button": ("Undo", "Clear", "Choose pictures", "Use the camera"),
        "combobox": ("Framed",),
    }.items():
        for name in names:
            assert page.get_by_role(role, name=name, exact=True).count() == 1
    assert page.get_by_role("status").get_attribute("id") == "told"
    assert page.locator("html").get_attribute("lang") == "en"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground_in_light_and_dark(digits, visit, scheme):
    page = visit(digits, color_scheme=scheme)
    draw(page, THREE)
    drop(page, ("fine.png", plain()), ("broken.png", b"nothing"))
    answered(page, 2)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (luminance(ground) < 0.1) == (scheme == "dark")
    pairs = texts(page)
    assert len(pairs) > 30
    assert [pair for pair in pairs if contrast(pair[1], pair[2]) < LEAST_CONTRAST] == []


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_nothing_is_wider_than_the_window_and_answers_move_nothing(digits, visit, viewport):
    page = visit(digits, viewport=viewport)
    expect(page.locator("#draw")).to_be_visible()
    page.wait_for_load_state("networkidle")  # what the page says of the model is there
    before = [page.locator(name).bounding_box() for name in ("#paper", "#sent", "#ask")]
    page.evaluate("document.getElementById('told').scrollIntoView()")
    draw(page, THREE)
    expect(page.locator("#best-class")).to_have_text("3")
    page.evaluate("scrollTo(0, 0)")
    assert [page.locator(name).bounding_box() for name in ("#paper", "#sent", "#ask")] == before
    names = page.locator("#classes li").all_inner_texts()
    unlike = {"predictions": [{"class": name, "probability": 0.1} for name in names], "known": False}
    sent = {"answers": [unlike], "fingerprint": page.inner_text("#about").split()[-1]}
    page.route("**/predict*", lambda route: route.fulfill(json=sent))
    draw(page, THREE)
    expect(page.locator("#best-share")).to_contain_text("but unlike all classes")
    page.evaluate("scrollTo(0, 0)")
    assert [page.locator(name).bounding_box() for name in ("#paper", "#sent", "#ask")] == before
    page.unroute("**/predict*")
    drop(page, (f"{'long' * 50}.png", plain(size=(400, 40))), ("fine.png", plain(size=(40, 400))))
    answered(page, 2)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
