"""How far a model's answers in one runtime lie from those of its bundle, on a person's own pictures."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Literal, TypeGuard, TypeVar

import numpy as np

from eyespot import machine
from eyespot.bundle.files import Naming
from eyespot.bundle.run import NO_ANSWER, ClassAnswer, Classifier, answers_in
from eyespot.data.copies import Hashed
from eyespot.engine.compiled import compiled_folder
from eyespot.engine.gate import PICTURE
from eyespot.errors import BundleError, DataError, MissingExtra
from eyespot.features.decode import decode_pictures
from eyespot.progress import Progress
from eyespot.records import Preprocess, Record
from eyespot.words import counted

CLOSE = 1e-3
"""Largest difference of a probability. Two classes that lie closer than that may change places."""
AHEAD = 16
"""Decoded pictures that may wait: one of 12 megapixels takes 36 MB."""

T = TypeVar("T")
Tagged = Iterable[tuple[int, np.ndarray]]
Answering = Callable[[Tagged], Iterator[tuple[int, ClassAnswer | str]]]
"""Decoded pictures of any size to the answer to each, by its number, or why it has none."""


class ExportCheck(Record):
    """How an exported model's answers compare with the run's, in one runtime."""

    runtime: str
    pictures: int
    same: int
    """Pictures with the same likeliest class."""
    largest_difference: float
    """Of any probability."""
    likeness_difference: float | None = None
    """Of any likeness, the largest; None of a model that gives none."""
    close: tuple[str, ...]
    """Pictures with another likeliest class, whose two best lie closer together than rounding."""
    different: tuple[str, ...]
    """All others with another likeliest class; none in fp32, or nothing is written."""

    def __str__(self) -> str:
        same = f"{self.same} of {counted(self.pictures, 'picture')} have the same answer"
        return f"{same}, probabilities differ by at most {self.largest_difference:.1g}"

    @property
    def why_close(self) -> str:
        """What is true of each picture in `close`."""
        return "has two classes that lie closer together than rounding, and they change places"


class LabelCheck(ExportCheck):
    """The same of a model of several labels: an answer is the set of labels from their thresholds on."""

    @property
    def why_close(self) -> str:
        return "has a label whose probability lies closer to its threshold than rounding, and it comes or goes"


class OnnxRuntime:
    """An ONNX file in ONNX Runtime, on the CPU."""

    def __init__(self, graph: bytes) -> None:
        """Raises MissingExtra if ONNX Runtime is not installed."""
        try:
            runtime = importlib.import_module("onnxruntime")
        except ImportError as error:
            raise MissingExtra("exporting with proof", extra="export") from error
        options = runtime.SessionOptions()
        options.intra_op_num_threads = machine.cores()
        options.log_severity_level = 3  # only errors
        self.version = f"ONNX Runtime {runtime.__version__}"
        self._session = runtime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self._names = [output.name for output in self._session.get_outputs()]

    def stream(self, pictures: Iterable[tuple[T, np.ndarray]]) -> Iterator[tuple[T, dict[str, np.ndarray]]]:
        """The outputs for each picture (H, W, C), with its tag."""
        for tag, picture in pictures:
            outputs = self._session.run(self._names, {PICTURE: picture})
            yield tag, dict(zip(self._names, outputs, strict=True))


def in_onnx_runtime(runtime: OnnxRuntime, bundle: Naming) -> Answering:
    """The graph that is in there, asked as the bundle's."""

    def answering(pictures: Tagged) -> Iterator[tuple[int, ClassAnswer | str]]:
        for number, outputs in runtime.stream(pictures):
            [answer] = answers_in(outputs, bundle)
            yield number, answer if answer.is_one else NO_ANSWER

    return answering


def answers_of_bundle(bundle: Naming, pictures: Sequence[Hashed], progress: Progress) -> dict[int, ClassAnswer]:
    """The answer in fp32 to every picture that has one, by its number."""
    classifier = Classifier(bundle, cache_folder=compiled_folder(machine.cache_folder()), precision="fp32")
    decoded = _readable(pictures, bundle.manifest.preprocess, resized=True)
    answers = _counted(classifier.stream(decoded, many=True), "the run", len(pictures), progress)
    return {number: row for number, row in answers if not isinstance(row, str)}


def agreement(
    answering: Answering,
    expected: dict[int, ClassAnswer],
    *,
    runtime: str,
    pictures: Sequence[Hashed],
    preprocess: Preprocess,
    thresholds: Sequence[float] | None = None,
    progress: Progress,
) -> ExportCheck:
    """How the answers of a model that takes whole pictures compare with the `expected` ones.

    answering: the model; runtime: its name, for the person who reads.
    thresholds: of a model of several labels, the probabilities from which on these are answered; None of other models.
    """
    answers = _counted(answering(_readable(pictures, preprocess, resized=False)), runtime, len(pictures), progress)
    found = {number: row for number, row in answers if number in expected}  # others can be read only now
    if len(found) < len(expected):
        raise DataError(
            f"{counted(len(expected) - len(found), 'picture')} could be read for the run and not for {runtime}: "
            "nothing can be compared while pictures change or go: export again"
        )
    least = None if thresholds is None else np.array(thresholds)
    verdicts = {number: _verdict(row, expected[number], least) for number, row in found.items()}
    named = {
        verdict: tuple(pictures[number].picture.name for number in found if verdicts[number] == verdict)
        for verdict in ("same", "close", "different")
    }
    kind = ExportCheck if thresholds is None else LabelCheck
    return kind(
        runtime=runtime,
        pictures=len(expected),
        same=len(named["same"]),
        largest_difference=max((_difference(row, expected[number]) for number, row in found.items()), default=0.0),
        likeness_difference=_likeness_difference(found, expected),
        close=named["close"],
        different=named["different"],
    )


def _verdict(
    found: ClassAnswer | str, expected: ClassAnswer, least: np.ndarray | None
) -> Literal["same", "close", "different"]:
    """Whether both say the same; close where the expected answer was hardly one. least: thresholds of labels, (K,)."""
    if not _is_answer(found):
        return "different"
    if least is not None:
        other = (found.probabilities >= least) != (expected.probabilities >= least)
        far = np.abs(expected.probabilities - least)[other] >= CLOSE
        return "different" if far.any() else "close" if other.any() else "same"
    if found.probabilities.argmax() == expected.probabilities.argmax():
        return "same"
    second, first = np.sort(expected.probabilities)[-2:]
    return "close" if first - second < CLOSE else "different"


def _difference(found: ClassAnswer | str, expected: ClassAnswer) -> float:
    """The largest of any probability; all of it where there is no answer."""
    return float(np.abs(expected.probabilities - found.probabilities).max()) if _is_answer(found) else 1.0


def _likeness_difference(found: Mapping[int, ClassAnswer | str], expected: Mapping[int, ClassAnswer]) -> float | None:
    """The largest of any likeness: of the length of their range where one of the two has none."""
    pairs = [(_likeness(answer), expected[number].likeness) for number, answer in found.items()]
    if all(each is None for _, each in pairs):
        return None
    return max(2.0 if one is None or other is None else abs(one - other) for one, other in pairs)


def _likeness(found: ClassAnswer | str) -> float | None:
    return None if isinstance(found, str) else found.likeness


def _is_answer(found: ClassAnswer | str) -> TypeGuard[ClassAnswer]:
    return not isinstance(found, str) and bool(np.isfinite(found.probabilities).all())


def require_agreement(check: ExportCheck) -> None:
    """Raises BundleError if an answer is another one, or a probability lies further away than `CLOSE`."""
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
    if check.likeness_difference is not None and not check.likeness_difference <= CLOSE:
        raise BundleError(
            f"the exported model's likenesses differ from the run's by up to {check.likeness_difference:.2g} in "
            f"{check.runtime}, more than {CLOSE:g}, so nothing was written: please report it"
        )


def _readable(pictures: Sequence[Hashed], preprocess: Preprocess, *, resized: bool) -> Tagged:
    work = [(each.picture, each.content) for each in pictures]
    return decode_pictures(work, preprocess, {}, ahead=AHEAD, resized=resized)


def _counted(
    answers: Iterable[tuple[int, ClassAnswer | str]], runtime: str, total: int, progress: Progress
) -> Iterator[tuple[int, ClassAnswer | str]]:
    for done, each in enumerate(answers, start=1):
        progress(f"asking {runtime}", done, total)
        yield each
