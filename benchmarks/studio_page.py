"""The studio's page in Chromium: how soon it answers what a person does; what axe says of every screen.

    python benchmarks/studio_page.py
    python benchmarks/studio_page.py --axe axe.min.js --shots FOLDER

A LeNet-5 is trained on the embedded digits. Drawing: from a movement of the pen until all maps are redrawn. A click:
from choosing a number of a map until every product behind it is shown. EfficientNet-Lite0, with its published weights:
from choosing its first layer until its maps are drawn. With --axe, a file of npm's axe-core, every screen is seen in
three widths, light and dark, in both languages; with --shots, it is also saved as a picture. It needs playwright and
Chromium.
"""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import measuring
import numpy as np
from chromium_pages import studio_at_work
from measuring import at_least, at_most
from playwright.sync_api import sync_playwright

import eyespot

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic"]
DRAWING_BAR = at_least(95, "%", "of the movements of a drawing, all maps are redrawn within 100 ms")
CLICK_BAR = at_most(150, "ms", "a click on a map shows every product behind the number (95 % of the clicks)")
FIRST_BAR = at_most(600, "ms", "the first layer of EfficientNet-Lite0 is shown")
AXE_BAR = at_most(0, "violations", "axe finds nothing wrong on any screen")
WIDTHS, SCHEMES, LANGUAGES = (360, 390, 1280), ("light", "dark"), ("en", "zh")
SCREENS = (
    "screen=network",
    "screen=network&layer=stage2.conv&map=7&cell=3,4",
    "screen=network&layer=head.fc&map=3&cell=0,0",
    "screen=playground",
    "screen=errors",
    "screen=kernels",
    "screen=training",
    "screen=labs",
    "screen=labs&lab=why-pool&guess=1",
    "screen=network&layer=stage2.conv&map=7&first=0&exciting=1",
    "screen=runs",
    "screen=collect",
)
WATCH = """() => {
    window.begun = 0;
    window.took = [];
    const begin = () => { window.begun = performance.now(); };
    for (const event of ["pointermove", "pointerdown", "click"]) document.addEventListener(event, begin, true);
    new MutationObserver(() => requestAnimationFrame(() => window.took.push(performance.now() - window.begun)))
        .observe(document.documentElement, { attributes: true, attributeFilter: ["data-shown"] });
}"""
"""Milliseconds from what a person does until the next frame after the page shows what its address names."""
LINE = 8
"""Movements of a line of a drawing."""
SETTLED = "() => document.documentElement.dataset.shown === location.hash"


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("--axe", type=Path, help="axe-core's axe.min.js")
    parser.add_argument("--shots", type=Path, help="a folder for pictures of the screens")
    parser.add_argument("--times", type=int, default=100, help="movements, and clicks (default 100)")
    options = parser.parse_args()
    print(measuring.heading(), flush=True)
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, by whatever else runs", flush=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as started:
        browser = started.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        run = eyespot.train("digits", out=Path(name), name="digits").run
        with studio_at_work(run) as (ask, _):
            drawing(browser, ask, options.times)
            clicks(browser, ask, options.times)
            if options.axe:
                print(AXE_BAR.verdict(looked_at(browser, ask, options.axe, options.shots)), flush=True)
        with studio_at_work("efficientnet_lite0") as (ask, _):
            first_layer(browser, ask, max(3, options.times // 10))
        browser.close()


def opened(browser: Any, ask: Any, place: str = "") -> Any:
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    ask("network")  # it listens from now on
    page.goto(f"{ask.address}#{place}")
    page.wait_for_function(SETTLED)
    page.evaluate(WATCH)
    return page


def drawing(browser: Any, ask: Any, times: int) -> None:
    page, random = opened(browser, ask), np.random.default_rng(0)
    box = page.locator("#paper").bounding_box()
    for number, (x, y) in enumerate(random.uniform(0.15, 0.85, (times, 2))):
        if number % LINE == 0:  # a new line, before the paper is full
            page.mouse.up()
            page.locator("#clear").click()
            page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
            page.mouse.down()
            page.wait_for_timeout(300)
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        page.wait_for_timeout(200)
    took = page.evaluate("() => window.took")
    told("a movement of a drawing", took)
    print(DRAWING_BAR.verdict(100 * float(np.mean([each <= 100 for each in took]))), flush=True)


def clicks(browser: Any, ask: Any, times: int) -> None:
    page, random = opened(browser, ask, "layer=stage2.conv&map=0&cell=0,0"), np.random.default_rng(1)
    for _ in range(times):  # one on a gap, or on the number that is shown, changes nothing and does not count
        canvas = page.locator("#strip li").nth(int(random.integers(1, 7))).locator("canvas")
        canvas.scroll_into_view_if_needed()
        box, (x, y) = canvas.bounding_box(), random.uniform(0.05, 0.3, 2)
        canvas.click(position={"x": x * box["width"], "y": y * box["height"]})
        page.wait_for_timeout(200)
    took = page.evaluate("() => window.took")
    told("a click on a map", took)
    print(CLICK_BAR.verdict(float(np.quantile(took, 0.95))), flush=True)


def first_layer(browser: Any, ask: Any, times: int) -> None:
    page = opened(browser, ask)
    first = next(layer["name"] for layer in ask("network")["layers"] if layer["kind"] == "conv")
    took: list[float] = []
    for _ in range(times):
        page.evaluate("() => { location.hash = ''; }")
        page.wait_for_function(SETTLED)
        page.evaluate("() => { window.took.length = 0; window.begun = performance.now(); }")
        page.evaluate("name => { location.hash = `layer=${name}&map=0`; }", first)
        page.wait_for_function("() => window.took.length > 0")
        took += page.evaluate("() => window.took")[:1]
    told(f"{first} of EfficientNet-Lite0", took)
    print(FIRST_BAR.verdict(statistics.median(took)), flush=True)


def told(what: str, took: Sequence[float]) -> None:
    print(f"{what}: {len(took)} times, median {statistics.median(took):.0f} ms, longest {max(took):.0f} ms", flush=True)


def looked_at(browser: Any, ask: Any, axe: Path, shots: Path | None) -> int:
    """How many violations axe finds on all screens together."""
    script, count = axe.read_text(encoding="utf-8"), 0
    for place, width, scheme, language in looks():
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce", bypass_csp=True
        )
        page = context.new_page()
        page.goto(f"{ask.address}#{place}&lang={language}")
        page.wait_for_function(SETTLED)
        page.evaluate(script)
        found = page.evaluate("() => axe.run().then(({ violations }) => violations)")
        wide = page.evaluate("() => document.documentElement.scrollWidth > innerWidth")
        count += len(found) + int(wide)
        for each in [f"{rule['id']}: {rule['nodes'][0]['html'][:160]}" for rule in found] + ["it is cut off"] * wide:
            print(f"{place}, {width} px, {scheme}, {language}: {each}", flush=True)
        if shots:
            shots.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=shots / f"{place.replace('&', '-')}-{width}-{scheme}-{language}.png", full_page=True)
        context.close()
    return count


def looks() -> Iterator[tuple[str, int, str, str]]:
    yield from product(SCREENS, WIDTHS, SCHEMES, LANGUAGES)


if __name__ == "__main__":
    main()
