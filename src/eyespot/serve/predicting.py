"""`POST /predict`: pictures in, the likeliest classes of each out."""

from __future__ import annotations

from fastapi import Request, Response

from eyespot.data.levels import FLAT_NOTE
from eyespot.errors import RequestError
from eyespot.serve.answers import answer_json, body_of, error_json
from eyespot.serve.asked import Asked, asked
from eyespot.serve.batching import Answer
from eyespot.serve.bodies import Sent, read_pictures
from eyespot.serve.explaining import MOST_EXPLAINED
from eyespot.serve.refusals import Busy
from eyespot.serve.replies import json_bytes
from eyespot.serve.served import Served
from eyespot.serve.service import Service


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
    return json_bytes(body_of(service.name, served, said))


async def _said(service: Service, served: Served, picture: Sent, answer: Answer | RequestError, wanted: Asked) -> str:
    """The entry of one picture."""
    if isinstance(answer, RequestError):
        return error_json(picture.name, answer)
    likeliest = served.classes[int(answer.probabilities.argmax())]
    more = await service.explaining.entries(served.explain, picture.data, likeliest, wanted)
    if answer.is_flat:
        more["note"] = FLAT_NOTE
    return answer_json(picture.name, answer, served, wanted.topk, more)
