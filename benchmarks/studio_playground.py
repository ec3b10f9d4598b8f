"""The numbers of the studio's playground, computed by its page in Chromium, against `eyespot convolve --json`.

    python benchmarks/studio_playground.py [NETWORK] [--cases N] [--seed N]

NETWORK is what the studio is started with, a run or a network of the catalogue; it plays no part. Random inputs,
kernels, paddings, strides and directions are given to the page's own module and to the recipes of `convolve` and
`pixel-coverage`.

What equal means: sizes, formulas, patches, pixel use and refusals are the same. So are the numbers of the output, to
the bit, where input and kernel are whole numbers or sixteenths: no sum of theirs is rounded, whatever its order. Of
other numbers the page adds the products in reading order, numpy in one that depends on the shapes; each sum of n
products is within n * 2^-53 times the sum of their sizes of the true one, so two may be twice that apart, and no more.
"""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import measuring
import numpy as np
from chromium_pages import studio_at_work
from measuring import at_most
from PIL import Image

from eyespot.arithmetic.kernels import KERNELS
from eyespot.errors import OptionError
from eyespot.recipes.by_hand.convolve import convolve
from eyespot.recipes.by_hand.pixel_coverage import pixel_coverage

NETWORK = "efficientnet_lite0"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic"]
PADDINGS = ("valid", "same", "1", "2", "3", "reflect", "replicate", "circular")
MOST_SIDE, MOST_KERNEL, MOST_STRIDE = 24, 7, 4
EDITS = 20
BARS = {
    "refused": at_most(0, "cases", "what convolve refuses the page does, and nothing else"),
    "sizes": at_most(0, "cases", "sizes, formulas, patches and pixel use are those of convolve and pixel-coverage"),
    "exact": at_most(0, "numbers", "of whole numbers and sixteenths, every number has the same bits"),
    "rounded": at_most(1, "of the bound", "others are no further apart than two orders of the same sum can be"),
    "edit": at_most(100, "ms", "a changed weight shows within 100 ms: 128 x 128 pixels under a kernel of 7 x 7"),
}
COMPUTE = """async cases => {
    const { convolved, cellOf } = await import("/page/convolution.js");
    const { matrixOf, rowsOf } = await import("/page/matrix.js");
    const { coverageOf, Misfit } = await import("/page/windows.js");
    return cases.map(({ input, kernel, at, ...how }) => {
        try {
            const found = convolved(matrixOf(input), matrixOf(kernel), how);
            const [down, across] = found.path;
            const place = [at[0] % down.places, at[1] % across.places];
            const { patch, products, sum, rows, columns } = cellOf(found, ...place);
            return {
                map: rowsOf(found.output),
                formulas: [down.formula, across.formula],
                padding: [down.before, down.behind, across.before, across.behind],
                dropped: [down.dropped, across.dropped],
                counts: rowsOf(coverageOf(found.path)),
                cell: { place, rows, columns, patch, laid: [...found.laid.values], products, sum },
            };
        } catch (error) {
            if (!(error instanceof Misfit)) throw error;
            return null;
        }
    });
}"""
EDIT = """async edits => {
    const weight = document.querySelector("#playground-weights input");
    const drawn = () => new Promise(done => requestAnimationFrame(() => setTimeout(done)));
    const took = [];
    for (let edit = 0; edit < edits; edit++) {
        const began = performance.now();
        weight.value = `${edit + 2}`;
        weight.dispatchEvent(new Event("input"));
        await drawn();
        took.push(performance.now() - began);
    }
    return took;
}"""


@dataclass(frozen=True)
class Case:
    """What is convolved, and how."""

    input: np.ndarray
    """(H, W)."""
    kernel: np.ndarray
    """(h, w)."""
    padding: str
    stride: int
    turned: bool
    at: tuple[int, int]
    """A place of the output, after the remainder by its size."""
    exact: bool
    """True where no sum is rounded."""

    @property
    def told(self) -> dict[str, Any]:
        """The case as the page takes it."""
        arrays = {"input": self.input.tolist(), "kernel": self.kernel.tolist()}
        return arrays | {"padding": self.padding, "stride": self.stride, "turned": self.turned, "at": self.at}


@dataclass
class Compared:
    """How far apart the page and the recipes are."""

    refused: int = 0
    """Cases that both refuse."""
    unlike: list[str] = field(default_factory=list)
    """Cases that one of them refuses."""
    sizes: list[str] = field(default_factory=list)
    """Cases of which anything but the numbers differs."""
    numbers: int = 0
    exact: int = 0
    """Numbers that differ where they should have the same bits."""
    rounded: float = 0.0
    """The largest difference of others, as a share of what two orders of the sum may be apart."""


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("network", nargs="?", default=NETWORK, help=f"a run or a network (default {NETWORK})")
    parser.add_argument("--cases", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(measuring.heading(), flush=True)
    cases = drawn_cases(options.cases, seed=options.seed)
    with studio_at_work(options.network) as (ask, _), sync_playwright() as started:
        ask("network")  # it listens from now on
        browser = started.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        page = browser.new_page()
        page.goto(f"{ask.address}#screen=playground&input=picture&kernel={';'.join(['1 2 3 4 5 6 7'] * 7)}")
        page.wait_for_selector("#playground-weights input")
        told = compared(cases, page.evaluate(COMPUTE, [case.told for case in cases]))
        edits = edited(page)
        browser.close()
    print(f"{len(cases)} cases, of which both refuse {told.refused}; {told.numbers} numbers compared")
    for line in [*told.unlike, *told.sizes][:5]:
        print(f"  {line}")
    print(measuring.runs_line("a changed weight", edits, "ms"))
    for name, value in {
        "refused": len(told.unlike),
        "sizes": len(told.sizes),
        "exact": told.exact,
        "rounded": told.rounded,
        "edit": float(np.median(edits)),
    }.items():
        print(BARS[name].verdict(value))


def drawn_cases(count: int, *, seed: int) -> list[Case]:
    """Cases drawn at random: whole numbers and named kernels in turn with numbers of any kind."""
    random = np.random.default_rng(seed)
    return [_drawn(random, exact=number % 2 == 0) for number in range(count)]


def _drawn(random: np.random.Generator, *, exact: bool) -> Case:
    size, window = random.integers(1, MOST_SIDE + 1, 2), random.integers(1, MOST_KERNEL + 1, 2)
    image, kernel = random.normal(0, 10, size), random.normal(0, 1, window)
    if exact:
        image, kernel = random.integers(0, 256, size).astype(float), random.integers(-9, 10, window).astype(float)
    if random.random() < 0.25:
        kernel = np.array(KERNELS[str(random.choice([*KERNELS]))], float)
    return Case(
        input=image,
        kernel=kernel,
        padding=str(random.choice(PADDINGS)),
        stride=int(random.integers(1, MOST_STRIDE + 1)),
        turned=bool(random.random() < 0.5),
        at=(int(random.integers(100)), int(random.integers(100))),
        exact=exact,
    )


def compared(cases: Sequence[Case], answers: Sequence[dict[str, Any] | None]) -> Compared:
    """The page's answers against those of the recipes; None is a refusal."""
    told = Compared()
    for case, answer in zip(cases, answers, strict=True):
        expected = _expected(case, answer and answer["cell"]["place"])
        if answer is None or expected is None:
            told.refused += answer is expected
            told.unlike += [f"refused by one: {case}"] if answer is not expected else []
            continue
        if _without_numbers(answer) != _without_numbers(expected):
            told.sizes.append(f"differs: {case}")
            continue
        _compare_numbers(told, case, answer, expected)
    return told


def _expected(case: Case, place: tuple[int, int] | None) -> dict[str, Any] | None:
    """What `eyespot convolve --json` and `eyespot pixel-coverage --json` say, as the page does; None for a refusal."""
    how: dict[str, Any] = {"padding": case.padding, "stride": case.stride}
    cell = tuple(place or (0, 0))
    try:
        result = convolve(case.input, case.kernel, true_convolution=case.turned, cell=cell, **how)
        use = pixel_coverage(case.input.shape, case.kernel.shape, **how)
    except OptionError:
        return None
    said, used = json.loads(result.model_dump_json()), json.loads(use.model_dump_json())
    [kernel], [taken] = said["kernels"], said["cells"]
    flat = {name: np.ravel(taken[name]).tolist() for name in ("values", "weights")}
    return {
        "map": said["maps"][0],
        "formulas": kernel["formula_hw"],
        "padding": kernel["padding"],
        "dropped": kernel["dropped_hw"],
        "counts": used["counts"],
        "cell": {
            "place": [taken["row"], taken["column"]],
            "rows": taken["rows"],
            "columns": taken["columns"],
            "patch": flat["values"],
            "laid": flat["weights"],
            "products": np.multiply(flat["values"], flat["weights"]).tolist(),
            "sum": taken["sum"],
        },
    }


def _without_numbers(answer: dict[str, Any]) -> dict[str, Any]:
    """All that is never rounded, and the shape of the output."""
    cell = {name: value for name, value in answer["cell"].items() if name != "sum"}
    return {**answer, "map": np.shape(answer["map"]), "cell": cell}


def _compare_numbers(told: Compared, case: Case, answer: dict[str, Any], expected: dict[str, Any]) -> None:
    row, column = answer["cell"]["place"]
    ours = np.append(answer["map"], answer["cell"]["sum"])
    theirs = np.append(expected["map"], expected["cell"]["sum"])
    told.numbers += ours.size
    told.exact += int(answer["map"][row][column] != answer["cell"]["sum"])  # the sum that is shown is the number itself
    if case.exact:
        told.exact += int((ours != theirs).sum())
        return
    how: dict[str, Any] = {"padding": case.padding, "stride": case.stride, "true_convolution": case.turned}
    sizes = convolve(np.abs(case.input), np.abs(case.kernel), **how).maps[0]
    bound = 2 * case.kernel.size * 2.0**-53 * np.append(sizes, sizes[row, column])
    apart = np.abs(ours - theirs)
    shares = np.divide(apart, bound, out=np.where(apart > 0, np.inf, 0.0), where=bound > 0)
    told.rounded = max(told.rounded, float(shares.max()))


def edited(page: Any) -> list[float]:
    """Milliseconds from a changed weight until all is computed and drawn anew, on a picture of 128 x 128."""
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (256, 256), np.uint8)).save(file, "PNG")
    page.set_input_files("#playground-file", {"name": "noise.png", "mimeType": "image/png", "buffer": file.getvalue()})
    page.wait_for_selector('.playground-output .grid[data-rows="122"][data-columns="122"]')
    took: list[float] = page.evaluate(EDIT, EDITS)
    return took


if __name__ == "__main__":
    main()
