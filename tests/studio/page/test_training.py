"""TRAINING: the curves of a run that is done, of one that is at work, and what is said where there is nothing."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium_browser import at_work
from visits import DESKTOP, PHONE

from eyespot.events import Event, Events
from eyespot.records import Metric, Rung
from eyespot.runs.folder import RunLock

SIZES = {"small phone": {"width": 360, "height": 800}, "phone": PHONE, "desktop": DESKTOP}
RUNG = Rung(
    regime="partial",
    trained="all after stage 5",
    seconds=12.5,
    validation=Metric(accuracy=0.9, low=0.85, high=0.94, n=200),
    verdict="discarded: no better than chance",
    kept=False,
)


@pytest.fixture(scope="module")
def young(digits_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a run that this process works on, and that has no model yet."""
    folder = tmp_path_factory.mktemp("young") / "young"
    folder.mkdir()
    shutil.copy(digits_run / "args.json", folder)
    lock = RunLock.taken(folder)
    assert lock
    yield folder
    lock.let_go()


@pytest.fixture(scope="module")
def following(chromium: str, young: Path, warm_cache: Path) -> Iterator[str]:
    """The address of the studio of that run."""
    with at_work("studio", young, says="Studio", cache=warm_cache) as address:
        yield address


def curve(page: Any, chart: str, kind: str) -> int:
    """How many points a curve has."""
    path = page.locator(f"#{chart} path.curve.{kind}").get_attribute("d")
    return len(re.findall("[ML]", path))


def test_a_run_that_is_done_is_drawn_at_once(studio, visit):
    page = visit(studio)
    page.get_by_role("link", name="Training").click()
    page.locator("#loss-chart svg").wait_for()
    assert page.locator("h2").filter(visible=True).all_inner_texts() == ["How it trained"]
    state = page.locator("#training-state")
    state.get_by_text("The run is done.").wait_for()
    assert re.search(r"The model is that of epoch 2, .*accuracy .*95 % interval .* 269 pictures", state.inner_text())
    assert curve(page, "loss-chart", "train") == curve(page, "loss-chart", "validation") == 2
    assert curve(page, "accuracy-chart", "validation") == 2
    assert page.locator("#accuracy-chart .band-area").count() == 1
    for chart in ("loss", "accuracy"):
        label = page.locator(f"#{chart}-chart svg").get_attribute("aria-label")
        assert "Epoch 2, loss" in label
    page.locator("#training-numbers summary").press("Enter")
    rows = page.locator("#training-rows tr")
    assert rows.count() == 2
    assert re.fullmatch(r"2\t[\d.]+\t[\d.]+\t[\d.]+\s%\t[\d.]+\s% – [\d.]+\s%", rows.nth(1).inner_text().strip())
    page.go_back()
    page.locator("#strip li").first.wait_for()


def test_a_run_is_drawn_as_it_trains(following, young, visit):
    page = visit(following)
    page.locator("#training-note", has_text="has no model yet").wait_for()
    assert page.locator("#screens a").all_inner_texts() == ["Playground", "Training"]
    events = Events(young)
    events.tell(Event("validation pictures", regime="full", n=200))
    events.tell(Event("training", regime="full", step=1, loss=2.0))
    page.locator("#training-state", has_text="1 steps are done").wait_for()
    for epoch in (1, 2, 3):
        step, loss = 10 * epoch, 1 / epoch
        events.tell(
            Event("training", regime="full", step=step, epoch=epoch, loss=loss, validation_loss=loss, accuracy=0.7)
        )
        page.locator("#training-state", has_text=f"Epoch {epoch}, loss").wait_for()
    assert curve(page, "accuracy-chart", "validation") == 3
    page.locator("#training-numbers summary").click()
    events.tell(Event("rung", regime="partial", rung=RUNG.model_dump(mode="json")))
    page.locator("#ladder li", has_text="discarded: no better than chance").wait_for()
    assert "90.0" in page.locator("#ladder li").inner_text()
    assert page.locator("#training-rows").is_visible()  # what was opened stays open
    events.tell(Event("training", regime="partial", step=5, epoch=1, loss=0.5, accuracy=0.8))
    page.get_by_label("Training of the regime").wait_for()
    page.locator("#training-state", has_text="accuracy 80.0").wait_for()
    page.get_by_label("Training of the regime").select_option("full")
    page.wait_for_url("**training=full*")
    page.locator("#training-state", has_text="Epoch 3, loss").wait_for()


def test_a_screen_that_has_nothing_yet_is_told(following, visit):
    page = visit(f"{following.partition('#')[0]}#screen=errors")
    page.locator("#trouble", has_text="The screen Errors has nothing to show before the run has a model").wait_for()
    assert page.locator("#training-state").is_visible()
    page.get_by_role("link", name="Playground").click()
    page.locator("#playground section").first.wait_for()
    assert page.locator("#trouble").is_hidden()


def test_a_page_that_follows_a_run_is_told_when_the_studio_stops(young, visit, warm_cache):
    with at_work("studio", young, says="Studio", cache=warm_cache) as address:
        page = visit(address)
        page.locator("#training-note", has_text="has no model yet").wait_for()
    # its stream came to an end and was not cut off, of which the browser would complain
    page.locator("#training-state", has_text="The studio cannot be reached").wait_for()


def test_it_speaks_chinese(studio, visit):
    page = visit(f"{studio}#screen=training&lang=zh")
    page.locator("#training-state", has_text="训练已完成。").wait_for()
    page.locator("#language").click()
    page.locator("#training-state", has_text="The run is done.").wait_for()
    assert page.locator("#training-title").inner_text() == "How it trained"


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_cut_off(studio, visit, size, lang):
    page = visit(f"{studio}#screen=training&lang={lang}", viewport=SIZES[size])
    page.locator("#accuracy-chart svg").wait_for()
    page.locator("#training-numbers summary").click()
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    holder, drawing = (page.locator(each).bounding_box() for each in ("#loss-chart", "#loss-chart svg"))
    assert drawing["width"] <= holder["width"]
