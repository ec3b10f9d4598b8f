"""A model as a page that answers in the browser, proven before it is written: in ONNX Runtime, and in a real browser
where there is one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np

from eyespot.bundle.boxes import Cut
from eyespot.bundle.exported_detector import found_by_graph
from eyespot.bundle.files import Bundle, DetectorBundle, notes_on
from eyespot.bundle.run import NO_ANSWER, ClassAnswer, answers_in
from eyespot.data.copies import Hashed
from eyespot.data.handed_sets import Data
from eyespot.engine.gate import ALL_BOXES, ALL_SCORES, BOXES, PROBABILITIES, SCORES
from eyespot.engine.half import with_half_weights
from eyespot.errors import BundleError, DataError
from eyespot.evaluate.box_matches import Found
from eyespot.evaluate.promises import USUAL
from eyespot.exporting.agreement import CLOSE, ExportCheck, OnnxRuntime, Tagged, agreement
from eyespot.exporting.box_agreement import BoxCheck, Expected, Wholes, box_agreement, boxes_of_bundle
from eyespot.exporting.compared import (
    answers_of_run,
    boxed_pictures_to_compare,
    notes_on_pictures,
    pictures_to_compare,
)
from eyespot.exporting.detector import notes_on_boxes
from eyespot.exporting.web_browser import NoBrowser, asked_in_browser, browser_version, find_browser
from eyespot.exporting.web_graph import web_graph
from eyespot.exporting.web_site import MODEL, site
from eyespot.progress import Progress
from eyespot.records import Record

HALF_CLOSE = 1e-2
"""Largest difference of a probability or a score that weights in 16 bits may make; where it is larger, they have 32."""
MOST_IN_BROWSER = 500
"""Pictures that are asked about in the browser, which answers some a second."""
NO_CHROMIUM = "no Chromium, Chrome or Edge was found"
E = TypeVar("E")
Weights = Literal["fp16", "fp32"]
Outputs = Callable[[Iterable[tuple[Any, np.ndarray]]], Iterator[tuple[Any, dict[str, np.ndarray]]]]
"""Decoded pictures of any size, tagged, to what the page's graph gives for each, with its tag."""


class WebPage(Record):
    """What is particular to a model as a page."""

    folder: str
    weights: Weights
    """How they are kept; the arithmetic is fp32."""
    runtime: str
    """Which answers in the browser."""
    browser: str | None
    """In which the page was proven; None where there is none, or it did not start: a note says so."""


@dataclass(frozen=True)
class Checked:
    """How the page's answers compare with the run's, in one runtime."""

    check: ExportCheck | BoxCheck
    is_same: bool
    """Every picture has the same answer, "none of these" included, or the same boxes."""


Checking = Callable[[Outputs, str, float], Checked]
"""Compares what a graph gives, in the runtime of a name; with the difference that is rounding."""


@dataclass(frozen=True)
class ProvenSite:
    """The files of a page by name, and how it answers."""

    content: dict[str, bytes]
    checks: tuple[ExportCheck | BoxCheck, ...]
    weights: Weights
    browser: str | None
    notes: tuple[str, ...]


def draft_site(bundle: Bundle | DetectorBundle, runtime: Mapping[str, bytes], weights: Weights) -> dict[str, bytes]:
    """The page's files by name. runtime: onnxruntime-web's."""
    graph = web_graph(bundle)
    return site(bundle, with_half_weights(graph) if weights == "fp16" else graph, runtime)


def prove_site(
    bundle: Bundle | DetectorBundle, runtime: Mapping[str, bytes], draft: dict[str, bytes], compared: PageCompared
) -> ProvenSite:
    """The page, whose answers are those of the run.

    draft: the page with weights in 16 bits, which stay where every answer does. compared: with the run.
    Raises BundleError if the answers are others.
    """
    content, close, notes = draft, HALF_CLOSE, [*notes_on(bundle)]
    weights: Weights = "fp16"
    checked = _in_onnx_runtime(content, compared.checking, weights, close)
    if not checked.is_same or checked.check.largest_difference > close:
        content, weights, close = draft_site(bundle, runtime, "fp32"), "fp32", CLOSE
        notes.append("the weights are kept in 32 bits: in 16 an answer would be another one")
        checked = _in_onnx_runtime(content, compared.checking, weights, close)
        _require(checked.check, close)
    checks = [checked.check]
    browser: str | None = None
    try:
        browser, shown = _in_browser(content, compared.in_browser, close)
        _require(shown.check, close)
        checks.append(shown.check)
    except NoBrowser as error:
        notes.append(f"{error}, so the page was proven in ONNX Runtime alone: open it once before you hand it out")
    return ProvenSite(content, tuple(checks), weights, browser, tuple(notes))


@dataclass(frozen=True)
class PageCompared:
    """On which pictures a page is compared, and how."""

    part: str
    checking: Checking
    in_browser: Checking
    """Of at most `MOST_IN_BROWSER` of them, evenly spread."""
    notes: tuple[str, ...]


def compared_page(
    run: str | Path, bundle: Bundle | DetectorBundle, data: Data | None, progress: Progress
) -> PageCompared:
    """The run's own pictures, and its answers to them. data: where they are now, or None. Raises DataError."""
    if isinstance(bundle, DetectorBundle):
        parts = boxed_pictures_to_compare(run, bundle, data)
        hashed = [each for part in parts for each in part.hashed]
        found = boxes_of_bundle(bundle, hashed, progress)
        if not found:
            raise DataError(f"none of the pictures that {run} was made on can be read")
        boxes = partial(checking_boxes, bundle, progress=progress)
        part, notes = " and ".join(each.part for each in parts), notes_on_boxes(parts, len(found))
        return PageCompared(part, boxes(found, hashed), boxes(*spread(found, hashed)), notes)
    pictures = pictures_to_compare(run, bundle, data, "val", "test", "train")
    expected = answers_of_run(run, bundle, pictures, progress)
    answers, hashed = partial(checking_answers, bundle, progress=progress), pictures.hashed
    said = tuple(notes_on_pictures(pictures, len(expected), None))
    return PageCompared(pictures.part, answers(expected, hashed), answers(*spread(expected, hashed)), said)


def spread(expected: Mapping[int, E], pictures: Sequence[Hashed]) -> tuple[dict[int, E], list[Hashed]]:
    """At most `MOST_IN_BROWSER` of the pictures with what is expected of them, by their new numbers, evenly spread."""
    numbers = sorted(expected)
    chosen = [numbers[at] for at in np.linspace(0, len(numbers) - 1, min(len(numbers), MOST_IN_BROWSER)).astype(int)]
    return {new: expected[number] for new, number in enumerate(chosen)}, [pictures[number] for number in chosen]


def checking_answers(
    bundle: Bundle, expected: dict[int, ClassAnswer], pictures: Sequence[Hashed], progress: Progress
) -> Checking:
    """Compares a model that names classes. expected: the run's answer to each of the pictures, by its number."""
    unknown = bundle.manifest.unknown
    least = unknown.least(USUAL) if unknown else None

    def is_known(answer: ClassAnswer) -> bool:
        return least is None or answer.likeness is None or answer.likeness >= least

    def check(outputs_of: Outputs, runtime: str, close: float) -> Checked:
        otherwise: list[int] = []

        def answering(tagged: Tagged) -> Iterator[tuple[int, ClassAnswer | str]]:
            for number, outputs in outputs_of(tagged):
                shaped = {**outputs, PROBABILITIES: outputs[PROBABILITIES].reshape(1, -1)}
                [answer] = answers_in(shaped, bundle)
                if number in expected and is_known(answer) != is_known(expected[number]):
                    otherwise.append(number)
                yield number, answer if answer.is_one else NO_ANSWER

        found = agreement(
            answering,
            expected,
            runtime=runtime,
            pictures=pictures,
            preprocess=bundle.manifest.preprocess,
            progress=progress,
        )
        return Checked(found, found.same == found.pictures and not otherwise)

    return check


def checking_boxes(
    bundle: DetectorBundle, expected: dict[int, Expected], pictures: Sequence[Hashed], progress: Progress
) -> Checking:
    """The same of a detector."""
    cut = Cut.of(bundle.manifest)

    def check(outputs_of: Outputs, runtime: str, close: float) -> Checked:
        def finding(wholes: Wholes) -> Iterator[tuple[int, Found | str]]:
            tagged = (((number, whole), whole.image) for number, whole in wholes)
            for (number, whole), outputs in outputs_of(tagged):
                boxes, scores = outputs[BOXES].reshape(-1, 4), outputs[SCORES]
                shaped = {**outputs, BOXES: boxes, ALL_BOXES: boxes, ALL_SCORES: scores}  # a page has no others
                yield number, _cut(found_by_graph(shaped, whole), cut)

        found = box_agreement(
            finding, expected, runtime=runtime, pictures=pictures, bundle=bundle, progress=progress, close=close
        )
        return Checked(found, found.same == found.pictures)

    return check


def _cut(found: Found | str, cut: Cut) -> Found | str:
    """The boxes that the model names by itself: the page has more, the surest first, for its slider."""
    if isinstance(found, str):
        return found
    boxes, scores, labels = map(np.asarray, found)
    count = int((scores >= cut.threshold).sum())
    return Found(boxes[:count], scores[:count], labels[:count])


def _in_onnx_runtime(content: Mapping[str, bytes], checking: Checking, weights: Weights, close: float) -> Checked:
    runtime = OnnxRuntime(content[MODEL])
    return checking(runtime.stream, f"{runtime.version}, weights in {weights}", close)


def _in_browser(content: Mapping[str, bytes], checking: Checking, close: float) -> tuple[str, Checked]:
    """The browser's name, and how the page answers in it. Raises NoBrowser."""
    program = find_browser()
    if program is None:
        raise NoBrowser(NO_CHROMIUM)
    name = browser_version(program)
    return name, checking(partial(asked_in_browser, program, content), name, close)


def _require(check: ExportCheck | BoxCheck, close: float) -> None:
    """Raises BundleError where the page answers otherwise than the run."""
    if check.different or not check.largest_difference <= close:
        example = f", {check.different[0]} among them" if check.different else ""
        raise BundleError(
            f"the page answers otherwise than the run in {check.runtime}: {check}{example}; nothing was written: "
            "please report it"
        )
