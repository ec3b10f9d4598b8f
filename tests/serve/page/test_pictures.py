"""Pictures that are dropped, chosen, pasted or taken are answered on the page as the model answers them."""

from __future__ import annotations

import base64
import re
from typing import Any

import numpy as np
import pytest
from color_bundle import CLASSES, SIDE, color_probabilities
from visits import answered, drop, plain

from eyespot.evaluate.verdict import percent

PRIMARIES = ((200, 40, 40), (40, 200, 40), (40, 40, 200))


def test_a_dropped_picture_is_answered_as_the_model_answers_it(colors, visit):
    page = visit(colors)
    page.wait_for_selector("#desk:not([hidden])")
    shade = (60, 190, 90)
    drop(page, ("leaf.png", plain(shade)))
    card = answered(page, 1).first
    truth = color_probabilities(np.full((SIDE, SIDE, 3), shade))
    order = np.argsort(-truth)
    assert card.locator(".file").inner_text() == "leaf.png"
    assert card.locator(".verdict").inner_text() == "green"
    assert card.locator(".bars .name").all_inner_texts() == [CLASSES[place] for place in order]
    assert card.locator(".bars .share").all_inner_texts() == [percent(truth[place]) for place in order]
    shares = card.locator(".fill").evaluate_all("fills => fills.map(each => +each.style.getPropertyValue('--share'))")
    assert shares == pytest.approx(truth[order], abs=1e-3)
    assert page.inner_text("#told") == f"leaf.png: green, {percent(truth.max())}."


def test_a_picture_of_none_of_the_classes_is_none_of_these_and_its_bars_stay(refusing, visit):
    page = visit(refusing)
    page.wait_for_selector("#desk:not([hidden])")
    drop(page, ("red.png", plain(PRIMARIES[0])))
    answered(page, 1)
    drop(page, ("gray.png", plain((130, 128, 126))))
    gray, red = answered(page, 2).all()
    assert [each.locator(".verdict").inner_text() for each in (gray, red)] == ["None of these", "red"]
    assert [each.locator(".unknown").is_visible() for each in (gray, red)] == [True, False]
    assert gray.locator(".bars .name").all_inner_texts() == list(CLASSES)
    assert "gray.png: None of these; most like red," in page.inner_text("#told")


def test_several_pictures_are_answered_in_their_order_and_new_ones_come_first(colors, visit, tmp_path):
    page = visit(colors)
    page.wait_for_selector("#desk:not([hidden])")
    drop(page, *((f"{place}.png", plain(color)) for place, color in enumerate(PRIMARIES)))
    cards = answered(page, 3)
    assert cards.locator(".file").all_inner_texts() == ["0.png", "1.png", "2.png"]
    assert cards.locator(".verdict").all_inner_texts() == list(CLASSES)
    chosen = tmp_path / "chosen.png"
    chosen.write_bytes(plain())
    page.set_input_files("#files", [chosen])
    assert answered(page, 4).locator(".file").first.inner_text() == "chosen.png"
    page.click("#clear-answers")
    assert page.is_hidden("#answers")


def test_a_pasted_picture_is_answered(colors, visit):
    page = visit(colors)
    page.wait_for_selector("#desk:not([hidden])")
    page.evaluate(
        """text => {
            const clipboardData = new DataTransfer();
            clipboardData.items.add(new File([Uint8Array.from(atob(text), c => c.charCodeAt(0))], "pasted.png"));
            document.dispatchEvent(new ClipboardEvent("paste", { clipboardData }));
        }""",
        base64.b64encode(plain()).decode(),
    )
    assert answered(page, 1).locator(".bars li").count() == 3


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("cut off.jpg", plain(format="JPEG")[:200], "cut off"),
        ("text.png", b"not a picture at all", "not a picture"),
        ("empty.png", b"", "empty"),
    ],
)
def test_a_file_that_is_no_picture_gets_a_sentence_beside_those_that_are(colors, visit, name, data, words):
    page = visit(colors)
    page.wait_for_selector("#desk:not([hidden])")
    drop(page, (name, data), ("fine.png", plain()))
    cards = answered(page, 2)
    error = cards.first.get_by_role("alert").inner_text()
    assert words in error
    assert error[0].isupper()
    assert error.endswith(".")
    assert cards.last.locator(".bars li").count() == 3


def test_a_file_that_is_too_large_is_refused_before_it_is_sent(colors, visit):
    page = visit(colors)
    page.wait_for_selector("#desk:not([hidden])")
    page.route("**/predict*", lambda route: pytest.fail("it was sent"))
    page.evaluate(
        """() => {
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([new Uint8Array(20 * 2 ** 20 + 1)], "huge.jpg"));
            document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true }));
        }"""
    )
    assert "20 MB" in answered(page, 1).get_by_role("alert").inner_text()


def test_a_dropped_text_gets_a_sentence(colors, visit):
    page = visit(colors)
    page.wait_for_selector("#desk:not([hidden])")
    drop(page)
    assert page.inner_text("#ask-trouble").startswith("There was no file in that")


def test_the_name_of_a_file_is_text_and_never_markup(colors, visit):
    page = visit(colors)
    page.wait_for_selector("#desk:not([hidden])")
    name = "<img src=x onerror=document.title='taken'>.png"
    drop(page, (name, b"nothing"), (name, plain()))
    assert answered(page, 2).locator(".file").all_inner_texts() == [name, name]
    assert "taken" not in page.title()


def explained(route: Any) -> None:
    """The server's answer, with a heat map over the right half of the picture, and a similar picture."""
    if route.request.url.endswith("/model"):
        response = route.fetch()
        route.fulfill(response=response, json={**response.json(), "heat_map": True, "similar": True})
        return
    assert "heat_map=1" in route.request.url
    png, jpeg = (base64.b64encode(plain(format=kind)).decode() for kind in ("PNG", "JPEG"))
    heat = {"class": "circle", "method": "class activation map", "png": png, "window": [0.5, 0, 0.5, 1]}
    heat["sentence"] = "It says where, not why."
    similar = [{"class": "square", "similarity": 0.91, "jpeg": jpeg}]
    predictions = [{"class": "circle", "probability": 1.0}]
    answer = {"picture": "a.png", "width": 64, "height": 48, "predictions": predictions}
    answers = [{**answer, "heat_map": heat, "similar": similar}]
    route.fulfill(json={"model": "m", "fingerprint": "0" * 12, "answers": answers})


def test_the_heat_map_lies_where_its_window_says_and_can_be_taken_away(colors, visit):
    page = visit(colors, then=lambda page: page.route(re.compile("/model$|/predict"), explained))
    page.wait_for_selector("#desk:not([hidden])")
    drop(page, ("a.png", plain()))
    card = answered(page, 1).first
    seen, heat = (card.locator(name).bounding_box() for name in (".picture", ".heat"))
    assert seen["width"] / seen["height"] == pytest.approx(64 / 48, rel=0.01)
    assert heat["x"] == pytest.approx(seen["x"] + seen["width"] / 2, abs=1)
    assert heat["width"] == pytest.approx(seen["width"] / 2, abs=1)
    assert heat["height"] == pytest.approx(seen["height"], abs=1)
    said = card.locator(".heat-sentence").inner_text()
    assert said.endswith("It says where, not why. The network saw only what lies under it.")
    button = card.get_by_role("button", name="Heat map", pressed=True)
    button.click()
    assert card.locator(".heat").is_hidden()
    assert card.get_by_role("button", name="Heat map", pressed=False).is_visible()
    assert card.locator(".neighbours").inner_text().split() == ["square", "0.91"]


RECORD_TRACKS = """() => {
  globalThis.tracks = [];
  const devices = navigator.mediaDevices, ask = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (wanted) => {
    const stream = await ask(wanted);
    tracks.push(...stream.getTracks());
    return stream;
  };
}"""


def test_the_camera_is_asked_for_only_when_wanted_and_its_picture_is_answered(colors, visit):
    page = visit(colors, permissions=["camera"])
    page.wait_for_selector("#desk:not([hidden])")
    assert page.evaluate("document.getElementById('view').srcObject") is None
    page.click("#camera-open")
    page.click("#take")
    assert answered(page, 1).locator(".file").inner_text() == "camera 1.jpg"
    page.click("#camera-close")
    assert page.is_hidden("#camera")
    assert page.evaluate("document.getElementById('view').srcObject") is None


def test_a_camera_that_is_asked_for_twice_is_off_once_it_is_closed(colors, visit):
    page = visit(colors, permissions=["camera"])
    page.wait_for_selector("#desk:not([hidden])")
    page.evaluate(RECORD_TRACKS)
    page.evaluate("() => { for (const time of [1, 2]) document.getElementById('camera-open').click() }")
    page.click("#take")
    page.click("#camera-close")
    assert page.evaluate("tracks.map((track) => track.readyState)") == ["ended"]


def test_a_camera_that_shows_nothing_is_off_again(colors, visit):
    page = visit(colors, permissions=["camera"])
    page.wait_for_selector("#desk:not([hidden])")
    page.evaluate(RECORD_TRACKS)
    page.evaluate("() => { HTMLMediaElement.prototype.play = () => Promise.reject(new Error('no picture')) }")
    page.click("#camera-open")
    page.wait_for_selector("#ask-trouble:not([hidden])")
    assert "no picture" in page.inner_text("#ask-trouble")
    assert page.evaluate("tracks.map((track) => track.readyState)") == ["ended"]
    assert page.evaluate("document.activeElement.id") == "camera-open"


def test_a_camera_that_may_not_be_used_is_a_sentence(colors, visit):
    page = visit(colors, permissions=[])
    page.wait_for_selector("#desk:not([hidden])")
    page.evaluate("() => { navigator.mediaDevices.getUserMedia = () => Promise.reject({ name: 'NotFoundError' }) }")
    page.click("#camera-open")
    assert "no camera" in page.inner_text("#ask-trouble")
