"""`POST /predict`: pictures in, the likeliest classes of each out.

Answers are written without a JSON encoder: they are made some hundred times a second.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from fastapi import Request, Response

from eyespot.answering.opened import likeliest
from eyespot.data.levels import FLAT_NOTE
from eyespot.errors import RequestError
from eyespot.explaining.similar import MOST_SIMILAR
from eyespot.serve.batching import Answer
from eyespot.serve.bodies import Sent, read_pictures
from eyespot.serve.explaining import MOST_EXPLAINED
from eyespot.serve.refusals import Busy
from eyespot.serve.replies import json_bytes
from eyespot.serve.served import Served
from eyespot.serve.service import Service

TOPK, MOST_TOPK = 3, 10**6
_MOST_FIELDS = 8


@dataclass(frozen=True)
class Asked:
    """The options of a request."""

    topk: int
    heat_map: bool = False
    similar: int = 0


async def predict(service: Service, request: Request) -> Response:
    """The answers to the pictures of a request. Raises RequestError if there is none."""
    served = service.served
    wanted = asked(request.scope["query_string"], classes=len(served.classes))
    if service.batching.is_full:
        raise Busy  # before its body is read
    with service.intake.room() as room:
        sent = await read_pictures(dict(request.scope["headers"]), request.receive, room)
        if (wanted.heat_map or wanted.similar) and len(sent) > MOST_EXPLAINED:
            raise RequestError(413, f"at most {MOST_EXPLAINED} pictures of a request are explained: send fewer")
        answers = await service.batching.answers([each.data for each in sent], served)
        errors = [each for each in answers if isinstance(each, RequestError)]
        service.metrics.pictures(answered=len(answers) - len(errors), refused=len(errors))
        if len(errors) == len(answers):
            raise errors[0]
        pairs = zip(sent, answers, strict=True)
        said = [await _said(service, served, picture, answer, wanted) for picture, answer in pairs]
    return json_bytes(_body(service.name, served, said))


def asked(query: bytes, *, classes: int) -> Asked:
    """The options in a query such as `topk=3&heat_map=1`. Raises RequestError for any other.

    A topk above the number of classes means all of them: who asks may not know yet that another model is served.
    """
    if not query:
        return Asked(topk=min(TOPK, classes))
    values = {"topk": TOPK, "heat_map": 0, "similar": 0}
    limits = {"topk": (1, MOST_TOPK), "heat_map": (0, 1), "similar": (0, MOST_SIMILAR)}
    for name, text in _fields(query):
        if name not in values:
            raise RequestError(400, f"there is no parameter {name[:40]!r}: there are {', '.join(values)}")
        low, high = limits[name]
        if not (text.isascii() and text.isdigit() and len(text) < 10 and low <= int(text) <= high):
            raise RequestError(400, f"the parameter {name} must be a number from {low} to {high}, not {text[:40]!r}")
        values[name] = int(text)
    return Asked(topk=min(values["topk"], classes), heat_map=bool(values["heat_map"]), similar=values["similar"])


async def _said(service: Service, served: Served, picture: Sent, answer: Answer | RequestError, wanted: Asked) -> str:
    if isinstance(answer, RequestError):
        return _error_json(picture.name, answer)
    best = served.classes[int(answer.probabilities.argmax())]
    more = await service.explaining.entries(
        served.explain, picture.data, best, heat_map=wanted.heat_map, similar=wanted.similar
    )
    if answer.is_flat:
        more["note"] = FLAT_NOTE
    return _answer_json(picture.name, answer, served, wanted.topk, more)


def _fields(query: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise RequestError(400, "the query cannot be read: ask as in /predict?topk=3") from None


def _body(name: str, served: Served, answers: Sequence[str]) -> bytes:
    start = f'{{"model": {json.dumps(name)}, "fingerprint": "{served.fingerprint}", "answers": ['
    return f"{start}{', '.join(answers)}]}}".encode()


def _answer_json(picture: str | None, answer: Answer, served: Served, topk: int, more: dict[str, Any]) -> str:
    """The answer to one picture.

    more: entries that come after the others.
    """
    width, height = answer.size_wh
    predictions = ", ".join(
        f'{{"class": {served.classes_json[index]}, "probability": {probability!r}}}'
        for index, probability in likeliest(answer.probabilities, topk)
    )
    entries = "".join(f", {json.dumps(key)}: {json.dumps(value)}" for key, value in more.items())
    named = "null" if picture is None else json.dumps(picture)
    return f'{{"picture": {named}, "width": {width}, "height": {height}, "predictions": [{predictions}]{entries}}}'


def _error_json(picture: str | None, error: RequestError) -> str:
    return json.dumps({"picture": picture, "error": str(error)})
