"""All that is served otherwise because a model names classes: its options, its answers, what is said of it.

Answers are written without a JSON encoder: they are made some hundred times a second.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from eyespot import machine
from eyespot.answering.opened import likeliest
from eyespot.bundle.files import Bundle
from eyespot.bundle.manifest import Manifest
from eyespot.bundle.many_threads import Answering
from eyespot.bundle.run import NO_ANSWER, Classifier, is_distribution, require_distribution
from eyespot.data.framed import Framed
from eyespot.data.levels import is_flat
from eyespot.engine.compiled import compiled_folder
from eyespot.errors import RequestError
from eyespot.evaluate.verdict import accuracy_sentence, most_trusted_first, overall
from eyespot.explaining.similar import MOST_SIMILAR
from eyespot.recipes.explain import Explainer
from eyespot.records import PartMetrics
from eyespot.serve import query
from eyespot.serve.explaining import MOST_EXPLAINED, Explaining
from eyespot.serve.pictures import read_sent
from eyespot.serve.served import Answer, Served, Tensor, black, known_by

TOPK, MOST_TOPK = 3, 10**6
DRAWN_SIDE = 64
"""Gray pictures up to this side, pixels, are such as a person can draw."""
SAMPLE = "digits"
"""The embedded digits fill their pictures, and so must drawings; those of MNIST have a margin."""
PROBABILITIES, CLASSES = "probabilities", "classes"


@dataclass(frozen=True)
class Asked:
    """The options of a request."""

    topk: int
    heat_map: bool = False
    similar: int = 0


@dataclass(frozen=True)
class Probabilities(Answer):
    """How likely each class is."""

    probabilities: np.ndarray
    """(classes,)"""


@dataclass(frozen=True, eq=False)
class ServedClassifier(Served[Asked, Probabilities]):
    """A model that names classes, at work."""

    bundle: Bundle
    answering: Answering
    explain: Explainer | None = None

    @classmethod
    def of(
        cls, bundle: Bundle, answering: Answering | None = None, explain: Explainer | None = None
    ) -> ServedClassifier:
        """The bundle, once it has answered.

        Raises BundleError unless its answer to a black image is a distribution over the classes.
        """
        if answering is None:
            answering = Answering(Classifier(bundle, cache_folder=compiled_folder(machine.cache_folder())))
        require_distribution(answering.answer(black(bundle.manifest.preprocess), alone=True)[0], bundle)
        return cls(bundle, answering, *known_by(bundle), explain)

    def asked(self, fields: Sequence[tuple[str, str]]) -> Asked:
        """The options in a query such as `topk=3&heat_map=1`. Raises RequestError for any other.

        A topk above the number of classes means all of them: who asks may not know yet that another model is served.
        """
        values = {"topk": TOPK, "heat_map": 0, "similar": 0}
        limits = {"topk": (1, MOST_TOPK), "heat_map": (0, 1), "similar": (0, MOST_SIMILAR)}
        for name, text in fields:
            query.require_known(name, values)
            low, high = limits[name]
            values[name] = query.whole(name, text, low=low, high=high)
        topk = min(values["topk"], len(self.classes))
        return Asked(topk=topk, heat_map=bool(values["heat_map"]), similar=values["similar"])

    def require_few(self, wanted: Asked, *, pictures: int) -> None:
        if (wanted.heat_map or wanted.similar) and pictures > MOST_EXPLAINED:
            raise RequestError(413, f"at most {MOST_EXPLAINED} pictures of a request are explained: send fewer")

    def read(self, data: bytes) -> Framed:
        return read_sent(data, self.preprocess)

    def answers(
        self, images: Sequence[Framed], wanted: Sequence[Asked], *, alone: bool
    ) -> Sequence[Probabilities | RequestError]:
        stacked = np.stack([each.image for each in images])  # (N, H, W, C)
        found = self.answering.answer(stacked, alone=alone)  # (N, classes)
        return [_answer(row, each) for row, each in zip(found, images, strict=True)]

    async def entries(self, answer: Probabilities, picture: bytes, wanted: Asked, explaining: Explaining) -> str:
        best = self.classes[int(answer.probabilities.argmax())]
        more = await explaining.entries(self.explain, picture, best, heat_map=wanted.heat_map, similar=wanted.similar)
        predictions = ", ".join(
            f'{{"class": {self.classes_json[index]}, "probability": {probability!r}}}'
            for index, probability in likeliest(answer.probabilities, wanted.topk)
        )
        entries = "".join(f", {json.dumps(key)}: {json.dumps(value)}" for key, value in more.items())
        return f'"predictions": [{predictions}]{entries}'

    def described(self) -> dict[str, Any]:
        manifest = self.bundle.manifest
        side = max(manifest.preprocess.crop_hw)
        return {
            "task": manifest.task,
            "classes": manifest.classes,
            "network": manifest.network.name,
            "regime": manifest.regime,
            "side": side,
            "color": manifest.preprocess.color,
            "draws": manifest.preprocess.color == "gray" and side <= DRAWN_SIDE,
            "framing": "filling" if manifest.data.name == SAMPLE else "mnist",
            "validation": _metric(manifest.validation),
            "test": _metric(manifest.test),
            "small_test": _metric(manifest.small_test),
            "out_of_fold": manifest.out_of_fold and manifest.out_of_fold.model_dump(),
            "measured": _measured(manifest),
            "heat_map": self.explain is not None,
            "similar": self.explain is not None and self.explain.similar,
            "fingerprint": self.fingerprint,
        }

    def tensors_described(self) -> dict[str, Tensor]:
        return {
            PROBABILITIES: {"datatype": "FP32", "shape": [-1, len(self.classes)]},
            CLASSES: {"datatype": "BYTES", "shape": [-1]},
        }

    def tensors(self, answers: Sequence[Probabilities]) -> dict[str, Tensor]:
        probabilities = [min(1.0, float(value)) for each in answers for value in each.probabilities]
        classes = [self.classes[likeliest(each.probabilities, 1)[0][0]] for each in answers]
        return {
            PROBABILITIES: {"datatype": "FP32", "shape": [len(answers), len(self.classes)], "data": probabilities},
            CLASSES: {"datatype": "BYTES", "shape": [len(answers)], "data": classes},
        }


def _answer(row: np.ndarray, image: Framed) -> Probabilities | RequestError:
    if not is_distribution(row):
        return RequestError(500, f"the picture {NO_ANSWER}")
    return Probabilities(row, size_wh=image.picture_hw[::-1], is_flat=is_flat(image.image))


def _measured(manifest: Manifest) -> dict[str, Any] | None:
    """The accuracy that the report begins with, and its sentence."""
    for measured, found in most_trusted_first(manifest):
        metric = overall(found)
        return {"part": measured, **metric.model_dump(), "sentence": accuracy_sentence(metric, measured)}
    return None


def _metric(part: PartMetrics | None) -> dict[str, Any] | None:
    return None if part is None else part.overall.model_dump()
