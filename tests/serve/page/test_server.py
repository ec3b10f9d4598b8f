"""The page and its server: the model that is served, the token, and nobody else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from visits import answered, drop, plain

from eyespot.evaluate.verdict import percent

expect = pytest.importorskip("playwright.sync_api", reason="playwright is missing: pip install playwright").expect

TOKEN = "a token that is long enough"


def test_the_model_is_introduced_with_its_accuracy_and_what_it_was_measured_on(digits, visit, digits_run):
    page = visit(digits)
    expect(page.locator("h1")).to_have_text("digits")
    assert page.locator("#classes li").all_inner_texts() == [str(digit) for digit in range(10)]
    test = digits_run.test
    assert f"In {round(test.accuracy * test.n)} of {test.n} test pictures" in page.inner_text("#measured")
    assert page.inner_text("#accuracy") == percent(test.accuracy)


def test_a_model_that_was_not_measured_says_so(colors, visit):
    page = visit(colors)
    expect(page.locator("#measured")).to_contain_text("not measured")
    assert page.is_hidden("#accuracy")


def test_a_token_is_asked_for_once_and_sent_from_then_on(bundle, serving, visit):
    with serving(bundle, EYESPOT_TOKEN=TOKEN) as address:
        page = visit(address)
        page.get_by_label("Token", exact=True).fill("a wrong one")
        page.keyboard.press("Enter")
        expect(page.locator("#token-hint")).to_contain_text("did not accept")
        page.reload()
        page.get_by_label("Token", exact=True).fill("один, который нельзя послать")
        page.keyboard.press("Enter")
        expect(page.locator("#token-hint")).to_contain_text("did not accept")
        page.get_by_label("Token", exact=True).fill(TOKEN)
        page.keyboard.press("Enter")
        expect(page.locator("#desk")).to_be_visible()
        drop(page, ("fine.png", plain()))
        assert answered(page, 1).locator(".bars li").count() == 3
        page.reload()
        expect(page.locator("#desk")).to_be_visible()
        assert page.evaluate("[localStorage.length, document.cookie]") == [0, ""]


def test_a_shared_address_brings_the_token_and_hides_it(bundle, serving, visit):
    with serving(bundle, "--share", "--host", "localhost") as address:
        assert "/#token=" in address
        asked: list[str] = []
        page = visit(address, then=lambda page: page.on("request", lambda request: asked.append(request.url)))
        expect(page.locator("#desk")).to_be_visible()
        assert page.url == address.partition("#")[0]
        assert not any("token=" in url for url in asked)
        page.reload()
        expect(page.locator("#desk")).to_be_visible()
        assert page.evaluate("[localStorage.length, document.cookie, history.length]") == [0, "", 2]
        other = visit(f"{page.url}#token=another-one-that-is-wrong")
        expect(other.locator("#token-hint")).to_contain_text("did not accept")


def test_a_server_that_has_gone_is_a_sentence(colors, visit):
    page = visit(colors)
    page.wait_for_selector("#desk:not([hidden])")
    page.route(
        "**/predict*", lambda route: route.fulfill(status=503, headers={"Retry-After": "0"}, json={"error": "full"})
    )
    drop(page, ("fine.png", plain()))
    assert "Full." in answered(page, 1).get_by_role("alert").inner_text()


def test_the_page_asks_nothing_of_any_other_server_and_gets_all_it_asks_for(colors, visit):
    asked: list[str] = []
    refused: list[str] = []

    def watch(page: Any) -> None:
        page.on("request", lambda request: asked.append(request.url))
        page.on("response", lambda response: response.ok or refused.append(response.url))

    page = visit(colors, then=watch)
    page.wait_for_selector("#desk:not([hidden])")
    drop(page, ("fine.png", plain()))
    answered(page, 1)
    assert len(asked) > 10
    assert refused == []
    assert [url for url in asked if not url.startswith((colors, "blob:", "data:"))] == []


def test_a_new_model_behind_the_same_address_is_shown(colors, visit):
    page = visit(colors)
    page.wait_for_selector("#desk:not([hidden])")

    def another(route: Any) -> None:
        response = route.fetch()
        route.fulfill(
            response=response, body=json.dumps({**response.json(), "fingerprint": "another", "name": "better"})
        )

    page.route("**/predict*", another)
    page.route("**/model", another)
    drop(page, ("fine.png", plain()))
    expect(page.locator("h1")).to_have_text("better")
