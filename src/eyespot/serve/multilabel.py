"""All that is served otherwise because a picture may have several labels: options, answers, words on the model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from eyespot import machine
from eyespot.answering.multilabel import answered_labels, label_probabilities, thresholds_of
from eyespot.answering.multilabel_results import LabelProbability
from eyespot.bundle.files import MultilabelBundle
from eyespot.bundle.many_threads import Answering
from eyespot.bundle.multilabel_manifest import MultilabelManifest
from eyespot.bundle.run import NO_ANSWER, Classifier, require_answer
from eyespot.data.framed import Framed
from eyespot.data.levels import is_flat
from eyespot.engine.compiled import compiled_folder
from eyespot.errors import RequestError
from eyespot.evaluate.multilabel_records import MultilabelScores
from eyespot.recipes.explain import Explainer
from eyespot.serve import query
from eyespot.serve.explaining import MOST_EXPLAINED, Explaining
from eyespot.serve.pictures import frame_sent
from eyespot.serve.served import Answer, Served, Tensor, black, known_by
from eyespot.words import counted

PROBABILITIES, ANSWERED = "probabilities", "answered"


@dataclass(frozen=True)
class Asked:
    """The options of a request."""

    threshold: float | None
    """From which on a label is answered; None for each label's own."""
    heat_map: bool = False


@dataclass(frozen=True)
class Labels(Answer):
    """How likely each label is."""

    probabilities: tuple[LabelProbability, ...]


@dataclass(frozen=True, eq=False)
class ServedMultilabel(Served[Asked, Labels]):
    """A model of several labels, at work."""

    bundle: MultilabelBundle
    answering: Answering
    explain: Explainer | None = None

    @classmethod
    def of(cls, bundle: MultilabelBundle, explain: Explainer | None = None) -> ServedMultilabel:
        """The bundle, once it has answered. Raises BundleError unless its answer to a black image is probabilities."""
        answering = Answering(Classifier(bundle, cache_folder=compiled_folder(machine.cache_folder())))
        require_answer(answering.answers(black(bundle.manifest.preprocess), alone=True)[0], bundle)
        return cls(bundle, answering, *known_by(bundle), explain)

    def asked(self, fields: Sequence[tuple[str, str]]) -> Asked:
        """The options in a query such as `threshold=0.5&heat_map=1`. Raises RequestError for any other."""
        threshold, heat_map = None, 0
        for name, text in fields:
            query.require_known(name, ("threshold", "heat_map"))
            if name == "threshold":
                threshold = query.share(name, text)
            else:
                heat_map = query.whole(name, text, low=0, high=1)
        return Asked(threshold, bool(heat_map))

    def require_few(self, wanted: Asked, *, pictures: int) -> None:
        if wanted.heat_map and pictures > MOST_EXPLAINED:
            raise RequestError(413, f"at most {MOST_EXPLAINED} pictures of a request are explained: send fewer")

    def read(self, data: bytes) -> Framed:
        return frame_sent(data, self.preprocess)

    def answers(
        self, images: Sequence[Framed], wanted: Sequence[Asked], *, alone: bool
    ) -> Sequence[Labels | RequestError]:
        stacked = np.stack([each.image for each in images])  # (N, H, W, C)
        found = self.answering.answers(stacked, alone=alone)
        return [
            self._answer(said.probabilities, image, asked)
            if said.is_one
            else RequestError(500, f"the picture {NO_ANSWER}")
            for said, image, asked in zip(found, images, wanted, strict=True)
        ]

    def _answer(self, row: np.ndarray, image: Framed, asked: Asked) -> Labels:
        thresholds = thresholds_of(self.bundle.manifest, asked.threshold)
        height, width = image.shown_hw
        return Labels(
            label_probabilities(row, self.classes, thresholds),
            size_wh=image.picture_hw[::-1],
            is_flat=is_flat(image.image[:height, :width]),
        )

    async def entries(self, answer: Labels, picture: bytes, wanted: Asked, explaining: Explaining) -> str:
        surest = max(answer.probabilities, key=lambda each: each.probability).class_
        more = await explaining.entries(self.explain, picture, surest, heat_map=wanted.heat_map, similar=0)
        said = {
            "labels": answered_labels(answer.probabilities),
            "probabilities": [each.model_dump(by_alias=True) for each in answer.probabilities],
            **more,
        }
        return json.dumps(said)[1:-1]

    def described(self) -> dict[str, Any]:
        manifest = self.bundle.manifest
        height, width = manifest.preprocess.crop_hw
        return {
            "task": manifest.task,
            "classes": manifest.classes,
            "thresholds": manifest.thresholds,
            "network": manifest.network.name,
            "width": width,
            "height": height,
            "color": manifest.preprocess.color,
            "measured": _measured(manifest),
            "heat_map": self.explain is not None,
            "fingerprint": self.fingerprint,
        }

    def tensors_described(self) -> dict[str, Tensor]:
        shape = [-1, len(self.classes)]
        return {
            PROBABILITIES: {"datatype": "FP32", "shape": shape},
            ANSWERED: {"datatype": "BOOL", "shape": shape},
        }

    def tensors(self, answers: Sequence[Labels]) -> dict[str, Tensor]:
        shape = [len(answers), len(self.classes)]
        every = [each for answer in answers for each in answer.probabilities]
        return {
            PROBABILITIES: {"datatype": "FP32", "shape": shape, "data": [each.probability for each in every]},
            ANSWERED: {"datatype": "BOOL", "shape": shape, "data": [each.answered for each in every]},
        }


def _measured(manifest: MultilabelManifest) -> dict[str, Any] | None:
    """The figure that counts most, and its sentence."""
    measured = (("out of fold", manifest.out_of_fold), ("test", manifest.test), ("validation", manifest.validation))
    for part, scores in measured:
        if scores is not None:
            figures = scores.model_dump(include={"map", "micro_f1", "exact_match", "pictures"})
            return {"part": part, **figures, "sentence": _sentence(scores, part)}
    return None


def _sentence(scores: MultilabelScores, part: str) -> str:
    """How well labels are told, and of which pictures."""
    unseen = "each by heads that had not seen it" if part == "out of fold" else "which it did not train on"
    return (
        f"Measured on {counted(scores.pictures, 'picture')}, {unseen}: mAP {scores.map.value:.3f}, where 1 would be "
        f"every label ranked rightly; {scores.exact_match.value:.0%} of the pictures get exactly their labels."
    )
