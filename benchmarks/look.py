"""The server's page and the reports in Chromium: what axe says of them, what is cut off, what no key reaches.

    python benchmarks/look.py
    python benchmarks/look.py --axe axe.min.js --shots FOLDER REPORT ...

A LeNet-5 is trained on the embedded digits: its report, and the page of `eyespot serve` as it opens and with an answer,
are seen in three widths, light and dark; so is each REPORT, of whatever task. --axe is a file of npm's axe-core. With
--shots each look is saved as a picture, and beside them one of the studio. It needs playwright and Chromium.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import measuring
from chromium_pages import server_at_work, studio_at_work
from measuring import at_most
from playwright.sync_api import sync_playwright

import eyespot

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic"]
WIDTHS, SCHEMES, HEIGHT = (360, 390, 1280), ("light", "dark"), 900
BARS = {
    "axe": at_most(0, "violations", "axe finds nothing wrong on the server's page and on the reports"),
    "cut off": at_most(0, "elements", "nothing is cut off"),
    "no key": at_most(0, "elements", "Tab reaches whatever can be pressed or scrolled"),
}
VIOLATIONS = "return axe.run().then(({ violations }) => violations);"
OPEN = "() => document.querySelector('#desk:not([hidden])')"
ANSWERED = "() => document.querySelector('#answer-list > li:not([aria-busy])')"
CUT_OFF = """() => {
    const around = (each) => (each.closest("section") ?? document.body).getBoundingClientRect();
    const scrolls = (each) => each.parentElement?.closest(".scroll, .chips, .unseen, thead, svg");
    return [...document.querySelectorAll("body *")]
        .filter((each) => each.checkVisibility() && !scrolls(each) && !each.matches(".unseen, .scroll *, thead, svg *"))
        .filter((each) => {
            const [own, whole] = [each.getBoundingClientRect(), around(each)];
            return own.right > whole.right + 1 || own.left < whole.left - 1;
        })
        .map((each) => each.outerHTML.slice(0, 160));
}"""
UNREACHED = """() => {
    const wanted = [...document.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']")];
    window.unreached = new Set(wanted.filter((each) => each.checkVisibility() && each.tabIndex >= 0 && !each.disabled));
    for (const each of window.unreached) each.addEventListener("focus", () => window.unreached.delete(each));
    scrollTo(0, 0);
    return window.unreached.size;
}"""
"""How many elements have to be reached; each that is reached is taken from `window.unreached`."""
LEFT = "() => [...window.unreached].map((each) => each.outerHTML.slice(0, 160))"


@dataclass(frozen=True)
class Look:
    """A page, and what is done on it before it is looked at."""

    name: str
    address: str
    prepare: Callable[[Any], object] = lambda page: None


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("reports", nargs="*", type=Path, metavar="REPORT", help="pages that are seen, too")
    parser.add_argument("--axe", type=Path, help="axe-core's axe.min.js")
    parser.add_argument("--shots", type=Path, help="a folder for pictures of the pages")
    options = parser.parse_args()
    print(measuring.heading(), flush=True)
    axe, found = options.axe.read_text(encoding="utf-8") if options.axe else "", Counter[str]()
    with tempfile.TemporaryDirectory() as name, sync_playwright() as started:
        run = eyespot.train("digits", out=Path(name), name="digits", epochs=2).run
        picture = Path(name) / "picture.png"
        picture.write_bytes(a_bar())
        browser = started.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        with server_at_work(run) as page:
            reports = [Path(run) / "report.html", *options.reports]
            looks = [
                Look("server", page, lambda page: page.wait_for_function(OPEN)),
                Look("server-asked", page, lambda page: ask(page, picture)),
                *(Look(f"report-{each.parent.name}", each.resolve().as_uri()) for each in reports),
            ]
            for look, width, scheme in product(looks, WIDTHS, SCHEMES):
                found += looked_at(browser, look, width, scheme, axe, options.shots)
        if options.shots:
            shoot_studio(browser, run, options.shots)
        browser.close()
    for kind, bar in BARS.items():
        if kind == "axe" and not axe:
            continue
        print(bar.verdict(found[kind]), flush=True)


def a_bar() -> bytes:
    """A white bar on black, as a PNG."""
    import io

    from PIL import Image

    image, file = Image.new("L", (28, 28)), io.BytesIO()
    image.paste(255, (12, 4, 16, 24))
    image.save(file, "PNG")
    return file.getvalue()


def ask(page: Any, picture: Path) -> None:
    page.wait_for_function(OPEN)
    page.set_input_files("#files", picture)
    page.wait_for_function(ANSWERED)


def looked_at(browser: Any, look: Look, width: int, scheme: str, axe: str, shots: Path | None) -> Counter[str]:
    """How much of each kind is wrong with a page; each is printed."""
    size = {"width": width, "height": HEIGHT}
    context = browser.new_context(viewport=size, color_scheme=scheme, reduced_motion="reduce", bypass_csp=True)
    page = context.new_page()
    page.goto(look.address)
    look.prepare(page)
    if shots:
        shots.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=shots / f"{look.name}-{width}-{scheme}.png", full_page=True)
    violations = page.evaluate(f"() => {{ {axe}\n{VIOLATIONS} }}") if axe else []
    wrong = {
        "axe": [f"{rule['id']}: {rule['nodes'][0]['html'][:160]}" for rule in violations],
        "cut off": page.evaluate(CUT_OFF),
        "no key": unreached(page),
    }
    for kind, each in ((kind, each) for kind, several in wrong.items() for each in several):
        print(f"{look.name}, {width} px, {scheme}: {kind}: {each}", flush=True)
    context.close()
    return Counter({kind: len(several) for kind, several in wrong.items()})


def unreached(page: Any) -> list[str]:
    """What Tab does not reach."""
    for _ in range(page.evaluate(UNREACHED) + 5):
        page.keyboard.press("Tab")
    left: list[str] = page.evaluate(LEFT)
    return left


def shoot_studio(browser: Any, run: str, shots: Path) -> None:
    with studio_at_work(run) as (ask_studio, _):
        ask_studio("network")  # it listens from now on
        for width, scheme in product(WIDTHS, SCHEMES):
            context = browser.new_context(viewport={"width": width, "height": HEIGHT}, color_scheme=scheme)
            page = context.new_page()
            page.goto(f"{ask_studio.address}#screen=errors")
            page.wait_for_function("() => document.documentElement.dataset.shown === location.hash")
            page.screenshot(path=shots / f"studio-{width}-{scheme}.png", full_page=True)
            context.close()


if __name__ == "__main__":
    main()
