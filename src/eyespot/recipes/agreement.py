"""How far a model's answers in one runtime lie from those of its bundle, on a person's own pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from eyespot import machine
from eyespot.bundle.files import Bundle
from eyespot.bundle.run import Classifier
from eyespot.data.audit import Hashed
from eyespot.engine.compiled import compiled_folder
from eyespot.errors import BundleError, DataError
from eyespot.features.decode import decode_pictures
from eyespot.recipes.progress import Progress
from eyespot.recipes.results import ExportCheck
from eyespot.records import Preprocess
from eyespot.words import counted

CLOSE = 1e-3
"""Largest difference of a probability. Two classes that lie closer than that may change places."""
AHEAD = 16
"""Decoded pictures that may wait: one of 12 megapixels takes 36 MB."""

Tagged = Iterable[tuple[int, np.ndarray]]
Answering = Callable[[Tagged], Iterator[tuple[int, np.ndarray | str]]]
"""Decoded pictures of any size to the probabilities (classes,) of each, by its number, or why it has none."""


def answers_of_bundle(bundle: Bundle, pictures: Sequence[Hashed], progress: Progress) -> dict[int, np.ndarray]:
    """The probabilities (classes,) in fp32 of every picture that has an answer, by its number."""
    classifier = Classifier(bundle, cache_folder=compiled_folder(machine.cache_folder()), precision="fp32")
    decoded = _readable(pictures, bundle.manifest.preprocess, resized=True)
    answers = _counted(classifier.stream(decoded, many=True), "the run", len(pictures), progress)
    return {number: row for number, row in answers if not isinstance(row, str)}


def agreement(
    answering: Answering,
    expected: dict[int, np.ndarray],
    *,
    runtime: str,
    pictures: Sequence[Hashed],
    preprocess: Preprocess,
    progress: Progress,
) -> ExportCheck:
    """How the answers of a model that takes whole pictures compare with the `expected` ones.

    answering: the model; runtime: its name, for the person who reads.
    """
    decoded = _readable(pictures, preprocess, resized=False)
    largest = 0.0
    others: list[str] = []
    close: list[str] = []
    answered = 0
    for number, found in _counted(answering(decoded), runtime, len(pictures), progress):
        if number not in expected:  # it can be read only now
            continue
        row = expected[number]
        answered += 1
        if isinstance(found, str) or not np.isfinite(found).all():
            others.append(pictures[number].picture.name)
            largest = 1.0
            continue
        largest = max(largest, float(np.abs(row - found).max()))
        if found.argmax() != row.argmax():
            second, first = np.sort(row)[-2:]
            (close if first - second < CLOSE else others).append(pictures[number].picture.name)
    if answered < len(expected):
        raise DataError(
            f"{counted(len(expected) - answered, 'picture')} could be read for the run and not for {runtime}: nothing "
            "can be compared while pictures change or go: export again"
        )
    return ExportCheck(
        runtime=runtime,
        pictures=len(expected),
        same=answered - len(close) - len(others),
        largest_difference=largest,
        close=tuple(close),
        different=tuple(others),
    )


def require_agreement(check: ExportCheck) -> None:
    """Raises BundleError where an answer is another one, or a probability lies further away than `CLOSE`."""
    if check.different:
        raise BundleError(
            f"the exported model answers otherwise than the run in {check.runtime}, for {len(check.different)} of "
            f"{check.pictures} pictures, {check.different[0]} among them, so nothing was written: please report it"
        )
    if not check.largest_difference <= CLOSE:
        raise BundleError(
            f"the exported model's probabilities differ from the run's by up to {check.largest_difference:.2g} in "
            f"{check.runtime}, more than {CLOSE:g}, so nothing was written: please report it"
        )


def _readable(pictures: Sequence[Hashed], preprocess: Preprocess, *, resized: bool) -> Tagged:
    work = [(each.picture, each.content) for each in pictures]
    return decode_pictures(work, preprocess, {}, ahead=AHEAD, resized=resized)


def _counted(
    answers: Iterable[tuple[int, np.ndarray | str]], runtime: str, total: int, progress: Progress
) -> Iterator[tuple[int, np.ndarray | str]]:
    for done, each in enumerate(answers, start=1):
        progress(f"asking {runtime}", done, total)
        yield each
