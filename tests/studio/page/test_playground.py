"""The playground in a real browser: its numbers are those of `eyespot convolve`, and everybody can use it."""

from __future__ import annotations

import importlib
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from visits import LEAST_CONTRAST, contrast, drop, luminance, plain, texts

from eyespot.cli.by_hand import convolve

expect = pytest.importorskip("playwright.sync_api", reason="playwright is missing: pip install playwright").expect
BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
WIDTHS = (360, 390, 1280)
PATIENCE = 60_000
"""Milliseconds until what does not come is given up."""


@pytest.fixture(scope="module")
def benchmark() -> Iterator[Any]:
    """The program that compares the page's numbers with those of `eyespot convolve`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        yield importlib.import_module("studio_playground")


@pytest.fixture
def playground(visit: Callable[..., Any], studio: str) -> Iterator[Callable[..., Any]]:
    """A function that opens the playground. Whatever it waits for may take long on a busy machine."""

    def opened(place: str = "", *, lang: str = "en", **options: Any) -> Any:
        page = visit(f"{studio}#screen=playground&lang={lang}{place}", **options)
        page.set_default_timeout(PATIENCE)
        page.wait_for_selector(".playground-output .grid > :first-child, #playground-none:not([hidden])")
        return page

    expect.set_options(timeout=PATIENCE)
    yield opened
    expect.set_options(timeout=5_000)


def output(page: Any) -> np.ndarray:
    """The numbers of the output, as they stand on the page."""
    cells = page.locator(".playground-output .numbers span").all_inner_texts()
    columns = int(page.locator(".playground-output .grid").get_attribute("data-columns"))
    return np.array([float(cell.replace("−", "-")) for cell in cells]).reshape(-1, columns)


def title(page: Any) -> Any:
    """What is said of the number that is looked at."""
    return expect(page.locator("#playground-cell-title"))


def test_its_numbers_are_those_of_convolve(playground, benchmark):
    cases = benchmark.drawn_cases(60, seed=7)
    told = benchmark.compared(cases, playground().evaluate(benchmark.COMPUTE, [case.told for case in cases]))
    assert (told.unlike, told.sizes, told.exact) == ([], [], 0)
    assert told.rounded <= 1
    assert told.numbers > 1000
    assert told.refused > 0


@pytest.mark.parametrize(
    "place",
    [
        "",
        "&kernel=sobel-x&padding=reflect&stride=2",
        "&matrix=-1 2 3;4 5 6&kernel=-1 2;0 1&padding=circular&turned=yes",
        "&matrix=-7&kernel=-2&padding=2",
        "&matrix=1 2 3 4&kernel=1 0 -1&padding=same",
    ],
)
def test_the_command_that_it_shows_gives_its_numbers(playground, place, tmp_path):
    page, file = playground(place), tmp_path / "numbers.csv"
    program, verb, *arguments = shlex.split(page.locator("#playground-command").inner_text())
    assert (program, verb) == ("eyespot", "convolve")
    done = CliRunner().invoke(convolve, [*arguments, "--csv", str(file)])
    assert done.exit_code == 0, done.output
    np.testing.assert_array_equal(np.loadtxt(file, delimiter=",", ndmin=2), output(page))


def test_a_weight_is_typed_and_all_follows_and_back_leads_back(playground):
    page = playground()
    assert output(page).tolist() == [[0, 30, 30, 0]] * 4
    page.select_option("#playground-named", "horizontal")
    title(page).to_have_text("Row 0, column 0 of the output = 0")
    page.get_by_label("Weight in row 0, column 0").fill("1/4")
    title(page).to_have_text("Row 0, column 0 of the output = −7.5")
    expect(page.locator("#playground-named")).to_have_value("")
    page.reload()
    title(page).to_have_text("Row 0, column 0 of the output = −7.5")
    page.go_back()
    expect(page.locator("#playground-named")).to_have_value("vertical")
    expect(page.get_by_label("Weight in row 0, column 0")).to_have_value("1")
    assert output(page).tolist() == [[0, 30, 30, 0]] * 4


def test_the_mouse_shows_a_number_and_a_click_chooses_it(playground):
    page = playground()
    numbers = page.locator(".playground-output .numbers span")
    numbers.nth(6).hover()
    title(page).to_have_text("Row 1, column 2 of the output = 30")
    expect(page.locator("#playground-cell .sum")).to_contain_text("= 30")
    frame = page.locator(".playground-input .field")
    expect(frame).to_be_visible()
    corner = page.locator(".playground-input .numbers span").nth(1 * 6 + 2).bounding_box()
    assert frame.bounding_box()["x"] == pytest.approx(corner["x"], abs=2)
    assert frame.bounding_box()["y"] == pytest.approx(corner["y"], abs=2)
    assert frame.bounding_box()["width"] == pytest.approx(3 * corner["width"], abs=3)
    page.locator("h1").hover(force=True)
    title(page).to_have_text("Row 0, column 0 of the output = 0")
    numbers.nth(15).click()
    title(page).to_have_text("Row 3, column 3 of the output = 0")
    assert "cell=3%2C3" in page.url
    page.locator(".playground-input .numbers span").nth(8).click()  # the window whose middle is there
    title(page).to_have_text("Row 0, column 1 of the output = 30")


def test_all_is_done_by_keys_alone(playground):
    page = playground()
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.playground-output .grid')"):
            break
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "ArrowUp"):
        page.keyboard.press(key)
    title(page).to_have_text("Row 1, column 1 of the output = 30")
    expect(page.get_by_role("status")).to_have_text("Row 1, column 1: 30")
    assert page.evaluate("document.activeElement.matches('.playground-output .grid')")
    page.get_by_label("Stride +").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#playground-shape")).to_contain_text("floor((6 + 2*0 - 3)/2) + 1 = 2")
    assert page.evaluate("document.activeElement.ariaLabel") == "Stride +"
    page.get_by_label("Weight in row 0, column 2").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.type("-3")
    assert page.evaluate("document.activeElement.ariaLabel") == "Weight in row 1, column 2"
    expect(page.locator("#playground-command")).to_contain_text('"1 0 -1; 1 0 -3; 1 0 -1"')
    page.locator("#playground-counts").focus()
    page.keyboard.press("Space")
    expect(page.locator("#playground-counted")).to_contain_text("Pixels that no window uses: 11 of 36.")


def test_a_kernel_grows_and_shrinks_and_keeps_its_weights(playground):
    page = playground("&padding=same")
    page.get_by_label("Rows +", exact=True).click()
    expect(page.get_by_label("Weight in row 3, column 2")).to_have_value("0")
    expect(page.locator("#playground-shape")).to_contain_text("floor((6 + 1 + 2 - 4)/1) + 1 = 6")
    page.get_by_label("Columns −", exact=True).click()
    page.get_by_label("Rows −", exact=True).click()
    expect(page.locator("#playground-command")).to_contain_text('--kernel "1 0; 1 0; 1 0"')


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 2\n3 4 5", "Row 2 has 3 numbers but row 1 has 2: every row needs as many."),
        ("1 2\n3 x", "Row 2: “x” is not a number."),
        (" ", "The matrix is empty: write rows of numbers."),
        (" ".join("1" * 33), "1 × 33 numbers are too many: at most 32 × 32."),
    ],
)
def test_a_matrix_that_is_none_is_told_and_nothing_is_lost(playground, text, said):
    page = playground()
    area = page.locator("#playground-matrix")
    area.fill("1 2 3\n4 5 6\n7 8 10")
    title(page).to_have_text("Row 0, column 0 of the output = −7")
    area.fill(text)
    expect(page.locator("#playground-input-trouble")).to_have_text(f"{said} The numbers from before stay in use.")
    expect(area).to_have_attribute("aria-invalid", "true")
    title(page).to_have_text("Row 0, column 0 of the output = −7")
    page.get_by_label("Columns −", exact=True).click()
    title(page).to_have_text("Row 0, column 0 of the output = 12")
    assert area.input_value() == text
    expect(page.locator("#playground-input-trouble")).to_be_visible()
    area.fill("1 2 3\n4 5 6\n8 8 9")
    expect(page.locator("#playground-input-trouble")).to_be_hidden()
    title(page).to_have_text("Row 0, column 0 of the output = 13")


def test_a_weight_that_is_none_is_told_and_nothing_is_lost(playground):
    page = playground()
    weight = page.get_by_label("Weight in row 1, column 1")
    weight.fill("4x")
    trouble = page.locator("#playground-kernel-trouble")
    expect(trouble).to_have_text("“4x” is not a number. The numbers from before stay in use.")
    page.get_by_label("Stride +").click()
    expect(page.locator(".playground-output .numbers span")).to_have_text(["0", "30", "0", "30"])
    assert weight.input_value() == "4x"
    page.get_by_label("Stride −").click()
    weight.fill("4")
    expect(trouble).to_be_hidden()
    expect(page.locator(".playground-output .numbers span").first).to_have_text("40")
    assert output(page)[0].tolist() == [40, 70, 30, 0]


@pytest.mark.parametrize(
    ("place", "element", "words"),
    [
        ("&kernel=sobel", "#playground-trouble", "there is no kernel “sobel”, only vertical, horizontal"),
        ("&kernel=1 2;3", "#playground-trouble", "Row 2 has 1 numbers but row 1 has 2"),
        ("&padding=most", "#playground-trouble", "padding cannot be “most”: only valid, same"),
        ("&stride=0", "#playground-trouble", "stride must be a whole number from 1 to 16, not “0”"),
        ("&question=-1", "#playground-trouble", "a question has a number from 1 to 9999, not “-1”"),
        ("&matrix=<b>", "#playground-trouble", "Row 1: “<b>” is not a number."),
        ("&input=picture&picture=0", "#playground-trouble", "The picture of the screen Network is not there any more"),
        ("&matrix=1 2;3 4", "#playground-none", "a kernel of 3 × 3 does not fit into the input, 2 × 2"),
        ("&matrix=1 2;3 4&padding=reflect&kernel=1 2 3 4 5", "#playground-none", "reflect needs 2 pixels beyond"),
    ],
)
def test_what_cannot_be_in_an_address_is_told_in_a_sentence(playground, place, element, words):
    page = playground(place)
    expect(page.locator(element)).to_contain_text(words)
    expect(page.get_by_role("radio", name="Typed matrix")).to_be_visible()
    assert page.locator("#playground-made").is_visible() == (element == "#playground-trouble")


def test_a_cell_outside_the_output_is_the_nearest_one(playground):
    title(playground("&cell=99,-4")).to_have_text("Row 3, column 0 of the output = 0")


def test_a_picture_is_chosen_reduced_and_stays_in_the_browser(playground):
    page = playground("&kernel=1 1;1 1")
    page.on("request", lambda request: pytest.fail(f"it is sent: {request.url}") if request.method == "POST" else None)
    file = {"name": "plain.png", "mimeType": "image/png", "buffer": plain((200, 200, 200), (320, 160))}
    page.set_input_files("#playground-file", file)
    expect(page.locator("#playground-about")).to_have_text("Your picture in grey levels, 64 × 128 pixels.")
    title(page).to_have_text("Row 0, column 0 of the output = 800")
    expect(page.locator("#playground-command")).to_contain_text("eyespot convolve PICTURE")
    drop(page, ("other.png", plain((100, 100, 100), (20, 10))))
    title(page).to_have_text("Row 0, column 0 of the output = 400")
    assert "picture=" not in page.url.replace("input=picture", "")
    drop(page, ("broken.png", b"nothing"))
    expect(page.locator("#playground-input-trouble")).to_contain_text("choose a PNG or JPEG file")
    title(page).to_have_text("Row 0, column 0 of the output = 400")
    page.get_by_role("radio", name="Typed matrix").check()
    expect(page.locator("#playground-matrix")).to_be_visible()
    title(page).to_have_text("Row 0, column 0 of the output = 40")


def test_the_picture_of_the_network_is_taken_and_what_is_dropped_here_does_not_go_there(playground):
    page = playground()
    page.get_by_role("link", name="Network").click()
    expect(page.locator("#strip li").first).to_be_visible()
    drop(page, ("red.png", plain((255, 0, 0), (30, 30))))
    page.wait_for_url("**picture=*")
    page.get_by_role("link", name="Playground").click()
    page.get_by_role("radio", name="Picture").check()
    expect(page.locator("#playground-about")).to_contain_text("The picture of the screen Network")
    title(page).to_have_text("Row 0, column 0 of the output = 0")
    page.on("request", lambda request: pytest.fail(f"it is sent: {request.url}") if request.method == "POST" else None)
    before = page.url
    drop(page, ("gray.png", plain((100, 100, 100), (20, 10))))
    expect(page.locator("#playground-about")).to_have_text("Your picture in grey levels, 10 × 20 pixels.")
    assert page.url == before
    page.get_by_role("button", name="Take the picture of the screen Network").click()
    expect(page.locator("#playground-about")).to_contain_text("The picture of the screen Network")


def test_the_output_can_be_the_next_input(playground):
    page = playground("&kernel=1 1&matrix=1 2 3 4")
    page.get_by_role("button", name="Take as the next input").click()
    expect(page.locator("#playground-matrix")).to_have_value("3 5 7")
    assert output(page).tolist() == [[8, 12]]
    page.go_back()
    expect(page.locator("#playground-matrix")).to_have_value("1 2 3 4")


def test_the_quiz_asks_the_same_under_the_same_number_and_checks(playground):
    page = playground("&question=7")
    question = page.locator("#playground-asked").inner_text()
    size, kernel, padding, stride = map(int, re.findall(r"(\d+)(?: × \d+)?", question))
    answer = (size + 2 * padding - kernel) // stride + 1
    field, verdict = page.get_by_label("Rows and columns"), page.locator("#playground-verdict")
    field.fill("many")
    field.press("Enter")
    expect(verdict).to_have_text("The answer must be a whole number, such as 14.")
    field.fill(str(answer + 1))
    field.press("Enter")
    expect(verdict).to_have_text(f"Not {answer + 1}, but {answer}.")
    formula = f"floor(({size} + 2*{padding} - {kernel})/{stride}) + 1 = {answer}"
    expect(page.locator("#playground-formula")).to_have_text(formula)
    page.get_by_role("button", name="Next question").click()
    expect(verdict).to_be_hidden()
    expect(page.locator("#playground-asked")).not_to_have_text(question)
    assert "question=8" in page.url
    page.go_back()
    expect(page.locator("#playground-asked")).to_have_text(question)
    field.fill(str(answer))
    page.get_by_role("button", name="Check").click()
    expect(verdict).to_have_text("Right.")
    expect(page.locator("#playground-score")).to_have_text("Right so far: 0 of 1.")  # the first answer counts


def test_the_questions_differ_and_can_all_be_answered(playground):
    asked = playground().evaluate("""async () => {
        const { question } = await import("/page/quiz.js");
        return Array.from({ length: 2000 }, (_, seed) => Object.values(question(seed)));
    }""")
    assert len({str(each) for each in asked}) > 1000
    for size, kernel, padding, stride, answer, _ in asked:
        assert answer == (size + 2 * padding - kernel) // stride + 1 >= 1
    for at, values in ((1, range(1, 8)), (2, range(4)), (3, range(1, 5))):
        assert {each[at] for each in asked} == {*values}


def test_the_language_changes_and_the_place_stays(playground):
    page = playground("&kernel=sobel-y&stride=2&cell=1,1")
    page.locator("#language").click()
    expect(page.locator("#playground-kernel-title")).to_have_text("卷积核")
    expect(page.locator("#playground-named")).to_have_value("sobel-y")
    title(page).to_contain_text("输出的第 1 行第 1 列")
    assert page.locator("html").get_attribute("lang") == "zh"


def test_every_section_has_a_heading_and_every_control_a_name(playground):
    page = playground("&input=picture&counts=yes")
    for section in page.locator("#playground section").all():
        heading = section.locator("h2")
        assert heading.count() == 1
        assert heading.get_attribute("id") == section.get_attribute("aria-labelledby")
    unnamed = page.evaluate("""() => [...document.querySelectorAll("#playground :is(input, select, textarea, button)")]
        .filter(each => !(each.ariaLabel || each.labels?.length || each.textContent.trim()))
        .map(each => each.outerHTML)""")
    assert unnamed == []
    assert page.get_by_role("application").count() == 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(playground, scheme):
    page = playground("&padding=same&counts=yes", color_scheme=scheme)
    page.get_by_label("Rows and columns").fill("1")
    page.get_by_role("button", name="Check").click()
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (luminance(ground) < 0.1) == (scheme == "dark")
    pairs = texts(page)
    assert len(pairs) > 100
    assert [pair for pair in pairs if contrast(pair[1], pair[2]) < LEAST_CONTRAST] == []


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_wider_than_the_window(playground, lang, width):
    widest = ";".join(["0.0625 -0.125 1e-7 4 5 6 7"] * 7)
    page = playground(
        f"&kernel={widest}&padding=same&question=9999", lang=lang, viewport={"width": width, "height": 800}
    )
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator("[name=playground-input][value=picture]").check()
    expect(page.locator("#playground-chosen")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
