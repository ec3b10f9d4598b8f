"""All that is served otherwise because a model names classes: its options, its answers, what is said of it.

Answers are written without a JSON encoder: they are made some hundred times a second.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

from eyespot import machine
from eyespot.answering.opened import likeliest
from eyespot.answering.rules import RuleOptions, Rules, rules_of
from eyespot.bundle.described import described
from eyespot.bundle.files import Bundle
from eyespot.bundle.many_threads import Answering
from eyespot.bundle.run import NO_ANSWER, ClassAnswer, Classifier, require_answer
from eyespot.data.framed import Framed
from eyespot.data.levels import is_flat
from eyespot.engine.compiled import compiled_folder
from eyespot.errors import OptionError, RequestError
from eyespot.explaining.similar import MOST_SIMILAR
from eyespot.recipes.explain import Explainer
from eyespot.serve import query
from eyespot.serve.explaining import MOST_EXPLAINED, Explaining
from eyespot.serve.pictures import read_sent
from eyespot.serve.served import Answer, Served, Tensor, black, known_by

TOPK, MOST_TOPK = 3, 10**6
PROBABILITIES, CLASSES, LIKENESS = "probabilities", "classes", "likeness"
RULES = tuple(each.name for each in fields(RuleOptions))
SERVED = "this server"
"""Where the model is, as far as clients are told."""


@dataclass(frozen=True)
class Asked:
    """The options of a request."""

    topk: int
    rules: Rules
    """When an answer is none of the classes, and which are named together."""
    heat_map: bool = False
    similar: int = 0


@dataclass(frozen=True)
class Probabilities(Answer, ClassAnswer):
    """How likely each class is, and how like the nearest the picture is."""


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
        require_answer(answering.answers(black(bundle.manifest.preprocess), alone=True)[0], bundle)
        return cls(bundle, answering, *known_by(bundle), explain)

    def asked(self, fields: Sequence[tuple[str, str]]) -> Asked:
        """The options in a query such as `topk=3&refuse=0.01`. Raises RequestError for any other.

        A topk above the number of classes means all of them: who asks may not know yet that another model is served.
        """
        values = {"topk": TOPK, "heat_map": 0, "similar": 0}
        limits = {"topk": (1, MOST_TOPK), "heat_map": (0, 1), "similar": (0, MOST_SIMILAR)}
        shares: dict[str, float] = {}
        for name, text in fields:
            query.require_known(name, (*values, *RULES))
            if name in RULES:
                shares[name] = query.share(name, text)
            else:
                low, high = limits[name]
                values[name] = query.whole(name, text, low=low, high=high)
        topk = min(values["topk"], len(self.classes))
        return Asked(topk, self._rules(shares), heat_map=bool(values["heat_map"]), similar=values["similar"])

    def _rules(self, shares: dict[str, float]) -> Rules:
        """Those that a request asks for. Raises RequestError for what the model cannot promise."""
        if not shares:
            return self._usual
        try:
            return rules_of(self.bundle.manifest, RuleOptions(**shares), model=SERVED)
        except OptionError as error:
            raise RequestError(400, str(error)) from None

    @cached_property
    def _usual(self) -> Rules:
        """Those of a request that asks for none."""
        return rules_of(self.bundle.manifest)

    def require_few(self, wanted: Asked, *, pictures: int) -> None:
        if (wanted.heat_map or wanted.similar) and pictures > MOST_EXPLAINED:
            raise RequestError(413, f"at most {MOST_EXPLAINED} pictures of a request are explained: send fewer")

    def read(self, data: bytes) -> Framed:
        return read_sent(data, self.preprocess)

    def answers(
        self, images: Sequence[Framed], wanted: Sequence[Asked], *, alone: bool
    ) -> Sequence[Probabilities | RequestError]:
        stacked = np.stack([each.image for each in images])  # (N, H, W, C)
        found = self.answering.answers(stacked, alone=alone)
        return [_answer(said, each) for said, each in zip(found, images, strict=True)]

    async def entries(self, answer: Probabilities, picture: bytes, wanted: Asked, explaining: Explaining) -> str:
        best = self.classes[int(answer.probabilities.argmax())]
        more = await explaining.entries(self.explain, picture, best, heat_map=wanted.heat_map, similar=wanted.similar)
        predictions = ", ".join(
            f'{{"class": {self.classes_json[index]}, "probability": {probability!r}}}'
            for index, probability in likeliest(answer.probabilities, wanted.topk)
        )
        entries = "".join(f", {json.dumps(key)}: {json.dumps(value)}" for key, value in more.items())
        return f'"predictions": [{predictions}], {self._judged(answer, wanted.rules)}{entries}'

    def _judged(self, answer: Probabilities, rules: Rules) -> str:
        """Whether the picture may show one of the classes, and the set where one is wanted, as entries of an object."""
        known, sure, together = rules.is_known(answer), rules.is_sure(answer), rules.set_of(answer)
        entries = f'"known": {json.dumps(known)}, "likeness": {json.dumps(answer.likeness)}'
        if sure is not None:
            entries += f', "sure": {json.dumps(sure)}'
        if together is None:
            return entries
        return f'{entries}, "set": [{", ".join(self.classes_json[index] for index in together)}]'

    def described(self) -> dict[str, Any]:
        return {
            **described(self.bundle.manifest),
            "heat_map": self.explain is not None,
            "similar": self.explain is not None and self.explain.similar,
        }

    def tensors_described(self) -> dict[str, Tensor]:
        likeness: dict[str, Tensor] = {LIKENESS: {"datatype": "FP32", "shape": [-1]}} if self._tells else {}
        return {
            PROBABILITIES: {"datatype": "FP32", "shape": [-1, len(self.classes)]},
            CLASSES: {"datatype": "BYTES", "shape": [-1]},
            **likeness,
        }

    @property
    def _tells(self) -> bool:
        """Whether the model gives a likeness."""
        return self.bundle.manifest.unknown is not None

    def tensors(self, answers: Sequence[Probabilities]) -> dict[str, Tensor]:
        probabilities = [min(1.0, float(value)) for each in answers for value in each.probabilities]
        classes = [self.classes[likeliest(each.probabilities, 1)[0][0]] for each in answers]
        shape = [len(answers)]
        likeness: Tensor = {"datatype": "FP32", "shape": shape, "data": [each.likeness for each in answers]}
        return {
            PROBABILITIES: {"datatype": "FP32", "shape": [len(answers), len(self.classes)], "data": probabilities},
            CLASSES: {"datatype": "BYTES", "shape": shape, "data": classes},
            **({LIKENESS: likeness} if self._tells else {}),
        }


def _answer(said: ClassAnswer, image: Framed) -> Probabilities | RequestError:
    if not said.is_one:
        return RequestError(500, f"the picture {NO_ANSWER}")
    size_wh = image.picture_hw[::-1]
    return Probabilities(said.probabilities, said.likeness, size_wh=size_wh, is_flat=is_flat(image.image))
