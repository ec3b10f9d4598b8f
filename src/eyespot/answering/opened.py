"""A trained model, opened: what it is, its answers to pictures, and the likeliest classes of each.

Needs neither torch nor the store.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from eyespot import machine
from eyespot.answering.answers import Answers
from eyespot.answering.results import ClassProbability, Prediction
from eyespot.answering.rules import Rules
from eyespot.bundle.exported import Exported, ExportedMultilabel, WholeClassifier
from eyespot.bundle.files import Bundle, MultilabelBundle, Naming
from eyespot.bundle.manifest import Manifest
from eyespot.bundle.multilabel_manifest import MultilabelManifest
from eyespot.bundle.run import ClassAnswer, Classifier, answer_or_reason
from eyespot.card import card
from eyespot.data.data_set import Picture
from eyespot.data.handed import Pictures, listed
from eyespot.data.levels import FLAT_NOTE, is_flat
from eyespot.data.read_as import AS_IT_IS, ReadAs
from eyespot.distributed.cluster import Cluster, cluster_at
from eyespot.engine.compiled import compiled_folder
from eyespot.engine.run import BATCH
from eyespot.errors import OptionError
from eyespot.features.compute import Asked, Graph, Seen, compute_in, import_engine
from eyespot.features.decode import decode_pictures
from eyespot.progress import Progress
from eyespot.records import Preprocess, SetAside
from eyespot.words import some

FEW_PICTURES = 4
"""Up to this many are answered one at a time: a batch would have to be filled up."""


@dataclass(frozen=True)
class Answered:
    """What a model says to some pictures, by their numbers."""

    answers: dict[int, ClassAnswer] = field(default_factory=dict)
    """Of each picture that has one."""
    reasons: dict[int, str] = field(default_factory=dict)
    """Why the others have none."""
    flat: set[int] = field(default_factory=set)
    """Pictures of one color."""


class Compiled:
    """A bundle or an exported model that names classes, or labels, compiled when it is first asked."""

    def __init__(self, bundle: Naming) -> None:
        self.bundle = bundle
        self.cluster: Cluster | None = None
        """Answers in place of this machine where the pictures are many."""

    @property
    def manifest(self) -> Manifest | MultilabelManifest:
        """Everything that is known of the model: network, preprocessing, metrics, data, versions."""
        return self.bundle.manifest

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes, in the order of the probabilities."""
        return self.manifest.classes

    @cached_property
    def classifier(self) -> Classifier | WholeClassifier:
        """The graph on this machine, compiled when first used."""
        cache_folder = compiled_folder(machine.cache_folder())
        if isinstance(self.bundle, Exported | ExportedMultilabel):
            return WholeClassifier(self.bundle, cache_folder=cache_folder)
        return Classifier(self.bundle, cache_folder=cache_folder)

    def __repr__(self) -> str:
        return f"<eyespot model {self.manifest.name!r}: {len(self.classes)} classes, {self.manifest.network.name}>"

    def _repr_html_(self) -> str:
        """What a notebook shows of it."""
        height, width = self.manifest.preprocess.crop_hw
        rows = [
            ("Classes", some(self.classes, most=12)),
            ("Network", f"{self.manifest.network.name}, images of {width} x {height} px"),
            ("Model", str(self.bundle.folder)),
        ]
        return card(self.manifest.name, rows)

    def answers(
        self,
        pictures: Sequence[tuple[Picture, str | None]],
        *,
        doing: str,
        progress: Progress,
        many: bool | None = None,
    ) -> Answered:
        """What it says to each picture.

        pictures: each with the content hash that its file must still have, or None.
        doing: names the work for `progress`. many: whether working in batches pays; None where their number says it.
        """
        many = len(pictures) > FEW_PICTURES if many is None else many
        preprocess = self.manifest.preprocess
        if self.cluster and many:
            return _answers_in(self.cluster, self, pictures, doing=doing, progress=progress)
        return answers_of(self.classifier, preprocess, pictures, doing=doing, many=many, progress=progress)


class Opened(Compiled):
    """One that names classes."""

    bundle: Bundle

    @property
    def manifest(self) -> Manifest:
        return self.bundle.manifest


def answers_of(
    classifier: Classifier | WholeClassifier,
    preprocess: Preprocess,
    pictures: Sequence[tuple[Picture, str | None]],
    *,
    doing: str,
    many: bool,
    progress: Progress,
) -> Answered:
    """What a graph says to each picture; arguments as of `Opened.answers`."""
    answered = Answered()
    decoded = decode_pictures(pictures, preprocess, answered.reasons, ahead=4 * BATCH, resized=not classifier.resizes)
    for number, answer in classifier.stream(_flat_noted(decoded, answered.flat), many=many):
        if isinstance(answer, str):
            answered.reasons[number] = answer
        else:
            answered.answers[number] = answer
        progress(doing, len(answered.answers) + len(answered.reasons), len(pictures))
    return answered


def compute_on(model: Any, cluster: str | None, *, run: str | Path) -> None:
    """Lets a cluster answer in place of this machine.

    cluster: `auto` or an address; None for none. Raises OptionError, MissingExtra.
    """
    found = cluster_at(cluster, first=import_engine)
    if found is None:
        return
    if not isinstance(model, Compiled) or not isinstance(model.bundle, Bundle | MultilabelBundle):
        raise OptionError(
            f"the option cluster is for runs whose models name classes or labels, and {run} is none: leave it out"
        )
    model.cluster = found


def _answers_in(
    cluster: Cluster,
    model: Compiled,
    pictures: Sequence[tuple[Picture, str | None]],
    *,
    doing: str,
    progress: Progress,
) -> Answered:
    """What the model says to each picture, computed by a cluster, with the bits of this machine."""
    classifier, answered = model.classifier, Answered()
    assert isinstance(classifier, Classifier)
    engine, seen = classifier.engine(None), Seen(answered.reasons, answered.flat)
    asked = [Asked(*each) for each in pictures]
    graph = Graph(model.bundle.graph, model.manifest.preprocess, classifier.precision, engine.batch)
    for number, _, outputs in compute_in(cluster, asked, graph, engine, seen):
        [answer] = classifier.answers({name: row[None] for name, row in outputs.items()})
        said = answer_or_reason(answer, model.bundle, classifier.of_black)
        if isinstance(said, str):
            answered.reasons[number] = said
        else:
            answered.answers[number] = said
        progress(doing, len(answered.answers) + len(answered.reasons), len(pictures))
    return answered


def predictions(
    model: Opened,
    pictures: Pictures,
    *,
    topk: int,
    rules: Rules,
    progress: Progress,
    how: ReadAs = AS_IT_IS,
) -> list[Prediction]:
    """The likeliest classes of each picture, in the order given; folders are searched through. See Model.predict."""
    require_topk(topk)
    found, left = listed(pictures, how)
    answered = model.answers(
        [(picture, None) for picture in found], doing="predicting", many=len(found) > FEW_PICTURES, progress=progress
    )
    answers = named(found, left, answered, classes=model.classes, topk=topk, rules=rules)
    return Answers(answers, found, model.manifest.preprocess.levels)


def require_topk(topk: int) -> None:
    """Raises OptionError for a number of classes that cannot be named."""
    if not hasattr(topk, "__index__") or topk < 1:
        raise OptionError(f"the option topk must be at least 1, a whole number, not {topk!r}")


def named(
    pictures: Sequence[Picture],
    left: Iterable[SetAside],
    answered: Answered,
    *,
    classes: Sequence[str],
    topk: int,
    rules: Rules,
) -> list[Prediction]:
    """The likeliest classes of each picture, or why it has none; then what was left out, with the reasons.

    answered: what the model says to the pictures. rules: when that is none of the classes.
    """
    unreadable = {each.picture: each.reason for each in left}
    answers = [
        _named(picture, answered.answers[number], classes, topk=topk, rules=rules, is_flat=number in answered.flat)
        if number in answered.answers
        else Prediction(picture=picture.name, predictions=(), set_aside=answered.reasons[number])
        for number, picture in enumerate(pictures)
    ]
    return answers + [Prediction(picture=name, predictions=(), set_aside=reason) for name, reason in unreadable.items()]


def _named(
    picture: Picture, answer: ClassAnswer, classes: Sequence[str], *, topk: int, rules: Rules, is_flat: bool
) -> Prediction:
    together = rules.set_of(answer)
    return Prediction(
        picture=picture.name,
        predictions=tuple(
            ClassProbability(class_=classes[index], probability=probability)
            for index, probability in likeliest(answer.probabilities, topk)
        ),
        note=FLAT_NOTE if is_flat else None,
        known=rules.is_known(answer),
        sure=rules.is_sure(answer),
        likeness=answer.likeness,
        set_=None if together is None else tuple(classes[index] for index in together),
    )


def likeliest(probabilities: np.ndarray, topk: int) -> list[tuple[int, float]]:
    """The likeliest classes by their numbers, with their probabilities, the likeliest first."""
    order = np.argsort(-probabilities, kind="stable")[:topk].tolist()
    return [(index, min(1.0, float(probabilities[index]))) for index in order]


def _flat_noted(images: Iterable[tuple[int, np.ndarray]], flat: set[int]) -> Iterator[tuple[int, np.ndarray]]:
    for number, image in images:
        if is_flat(image):
            flat.add(number)
        yield number, image
