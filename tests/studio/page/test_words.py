"""The Chinese page: no English sentence on any screen, in any refusal, nor in what a run says of itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chromium_browser import at_work
from visits import drop

from eyespot.evaluate.paired import paired
from eyespot.regimes.answers import Weighed

expect = pytest.importorskip("playwright.sync_api", reason="playwright is missing: pip install playwright").expect
ENGLISH = re.compile(r"[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}")
"""Three words: what is called by one or two is a name."""
SCREENS = ("network", "playground", "errors", "labs", "labs&lab=bottleneck", "kernels", "training", "runs", "collect")
REFUSED = (
    *("value?picture=0", "maps?picture=0&layers=x", "nothing", "confusion?part=x", "kernels?layer=x", "planes?layer=x"),
    *("own_pictures?part=test&first=x", "exciting?layer=x", "lab_outcome?result=x", "lab_report?result=why-pool"),
    *(
        "data_set?set=x",
        "collected_picture?set=x",
        "training?after=x",
        "thumbnail?picture=x",
        "labs?lang=xx",
        "own?a=1",
    ),
    *("mistakes?part=test&truth=1", "open", "network?shown=x", "planes?layer=head.fc3", "without?picture=0&layer=x"),
)


@pytest.fixture(scope="module")
def studio(
    chromium: str, digits_run: Path, warm_cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of the studio of that run, in an empty folder."""
    folder = tmp_path_factory.mktemp("words")
    with at_work("studio", digits_run, says="Studio", cache=warm_cache, folder=folder) as address:
        yield address


def in_chinese(page: Any, sentence: str) -> str:
    said: str = page.evaluate("async sentence => (await import('/page/said.js')).said(sentence)", sentence)
    return said


@pytest.mark.parametrize("screen", SCREENS)
def test_no_english_sentence_is_on_a_screen(studio, visit, screen):
    page = visit(f"{studio}#screen={screen}&lang=zh")
    page.wait_for_function("() => document.documentElement.dataset.shown === location.hash")
    page.wait_for_timeout(500)
    said = page.evaluate(
        """() => [...document.querySelectorAll("body *")].filter(each => !each.closest("pre, code, noscript, .log"))
            .flatMap(each => [each.ariaLabel, each.title, each.alt, each.placeholder,
                ...[...each.childNodes].filter(node => node.nodeType == 3).map(node => node.data)]).filter(Boolean)"""
    )
    assert len(said) > 10
    assert [each for each in said if ENGLISH.search(each)] == []


@pytest.mark.parametrize("address", REFUSED)
def test_no_refusal_is_english(studio, visit, address):
    page = visit(f"{studio}#screen=playground&lang=zh")
    method = "POST" if address == "open" else "GET"
    said = page.evaluate(
        """async ([address, method]) => {
            const { error } = await (await fetch(`studio/${address}`, { method })).json();
            return [error, (await import("/page/said.js")).said(error)];
        }""",
        [address, method],
    )
    assert said[0] != said[1]
    assert not ENGLISH.search(said[1])


def test_what_is_dropped_and_cannot_be_shown_is_told_in_chinese(studio, visit):
    page = visit(f"{studio}#lang=zh")
    page.locator("#strip li").first.wait_for()
    drop(page, ("a.txt", b"no picture"))
    expect(page.locator("#desk-trouble")).to_have_text("图片不是图片，不论其名称如何（开头是 'no picture'）")
    drop(page, ("empty.png", b""))
    expect(page.locator("#desk-trouble")).to_have_text("文件是空的：可能复制时中断了。")
    page.locator("#language").click()
    drop(page, ("a.txt", b"no picture"))
    expect(page.locator("#desk-trouble")).to_contain_text("the picture is not a picture, whatever its name says")


def test_a_real_verdict_is_chinese_throughout(studio, visit):
    page = visit(f"{studio}#screen=playground&lang=zh")
    before, after = np.arange(120) % 4 > 0, np.arange(120) % 5 > 0
    found = paired(before, after)
    for begins in ("kept: ", "discarded: ", "kept: it leads, and beats the head alone; ", "kept: it was asked for; "):
        said = in_chinese(page, begins + Weighed(found, 0.25).in_words("frozen"))
        low, high = found.interval
        assert said.endswith(
            f"{100 * low:+.1f} 至 {100 * high:+.1f}），p {found.p_better:.2g}；真实类别的概率更高，p 0.25"
        )
        assert not re.search(r"[A-Za-z]{3,}", said.replace("frozen", ""))
    assert in_chinese(page, "kept: the first") == "保留：第一个"
    assert in_chinese(page, "not begun: the time that was left allows no 3 epochs") == "未开始：剩余时间不够 3 轮"
    begins = "published weights and a solved head"
    assert in_chinese(page, f"everything after stage4, beginning from {begins}").startswith("训练 stage4 之后的所有层")


def test_a_name_that_is_a_word_of_the_list_stays_as_it_is(studio, visit):
    page = visit(f"{studio}#screen=playground&lang=zh")
    assert in_chinese(page, "the class 'training' has no pictures: it needs 2 or more").startswith("类别“training”没有")
    assert in_chinese(page, "something that nobody has said before") == "something that nobody has said before"
    page = visit(f"{studio}#screen=playground&lang=en")
    assert in_chinese(page, "no training goes on") == "no training goes on"
