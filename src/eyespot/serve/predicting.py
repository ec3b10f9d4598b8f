"""`POST /predict`: pictures in, the likeliest classes of each out."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import Request, Response

from eyespot.errors import RequestError
from eyespot.serve.answers import answer_json, body_of, error_json
from eyespot.serve.asked import Asked, asked
from eyespot.serve.batching import Answer, Busy
from eyespot.serve.bodies import Sent, read_pictures
from eyespot.serve.served import Served
from eyespot.serve.service import Service


async def predict(service: Service, request: Request) -> Response:
    """The answers to the pictures of a request. Raises RequestError where there is none."""
    served = service.served
    wanted = asked(request.scope["query_string"], classes=len(served.classes))
    if service.batching.taken >= service.batching.places:
        raise Busy  # before its body is read
    with service.intake.room() as room:
        sent = await read_pictures(dict(request.scope["headers"]), request.receive, room)
        answers = await service.batching.answers([each.data for each in sent], served)
        if not any(isinstance(each, Answer) for each in answers):
            raise next(each for each in answers if isinstance(each, RequestError))
        said = [
            await _said(service, served, picture, answer, wanted) for picture, answer in zip(sent, answers, strict=True)
        ]
    return Response(body_of(service.name, served, said), media_type="application/json")


async def _said(service: Service, served: Served, picture: Sent, answer: Answer | RequestError, wanted: Asked) -> str:
    if isinstance(answer, RequestError):
        return error_json(picture.name, answer)
    more: dict[str, Any] = {}
    if service.explain and (wanted.heat_map or wanted.similar):
        likeliest = served.classes[int(answer.probabilities.argmax())]
        explain = service.explain
        more = await asyncio.to_thread(
            lambda: explain(picture.data, likeliest, heat_map=wanted.heat_map, similar=wanted.similar)
        )
    return answer_json(picture.name, answer, served, wanted.topk, more)
