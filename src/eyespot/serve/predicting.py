"""`POST /predict`: pictures in, the answer to each out, whatever the model's task."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from fastapi import Request, Response

from eyespot.data.levels import FLAT_NOTE
from eyespot.errors import RequestError
from eyespot.serve import query
from eyespot.serve.bodies import Sent, read_pictures
from eyespot.serve.clients import client_of
from eyespot.serve.costs import require_affordable
from eyespot.serve.explaining import Explaining
from eyespot.serve.refusals import Busy
from eyespot.serve.replies import json_bytes
from eyespot.serve.served import Answer, Served
from eyespot.serve.service import Service

_NOTE = f', "note": {json.dumps(FLAT_NOTE)}'


async def predict(service: Service, request: Request) -> Response:
    """The answers to the pictures of a request. Raises RequestError if there is none."""
    served, client = service.served, client_of(request.scope).name
    wanted = served.asked(query.fields(request.scope["query_string"]))
    if not service.batching.has_room(client):
        raise Busy  # before its body is read
    with service.intake.room(client) as room:
        sent = await read_pictures(dict(request.scope["headers"]), request.receive, room)
        served.require_few(wanted, pictures=len(sent))
        pictures = [each.data for each in sent]
        require_affordable(pictures)
        async with service.in_time():
            answers = await service.batching.answers(pictures, served, wanted, client)
            errors = [each for each in answers if isinstance(each, RequestError)]
            service.metrics.pictures(answered=len(answers) - len(errors), refused=len(errors))
            if len(errors) == len(answers):
                raise errors[0]
            explaining = service.explaining.asked_by(client)
            pairs = zip(sent, answers, strict=True)
            said = [await _said(served, picture, answer, wanted, explaining) for picture, answer in pairs]
    return json_bytes(_body(service.name, served, said))


async def _said(
    served: Served[Any, Any], picture: Sent, answer: Answer | RequestError, wanted: Any, explaining: Explaining
) -> str:
    """One picture's answer, as JSON."""
    if isinstance(answer, RequestError):
        return json.dumps({"picture": picture.name, "error": str(answer)})
    width, height = answer.size_wh
    named = "null" if picture.name is None else json.dumps(picture.name)
    entries = await served.entries(answer, picture.data, wanted, explaining)
    note = _NOTE if answer.is_flat else ""
    return f'{{"picture": {named}, "width": {width}, "height": {height}, {entries}{note}}}'


def _body(name: str, served: Served[Any, Any], answers: Sequence[str]) -> bytes:
    start = f'{{"model": {json.dumps(name)}, "fingerprint": "{served.fingerprint}", "answers": ['
    return f"{start}{', '.join(answers)}]}}".encode()
