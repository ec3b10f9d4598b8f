"""Questions to the studio and orders without a body: an address with parameters, answered by a function in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from fastapi import FastAPI, Request, Response

from eyespot.errors import NetworkError, RequestError
from eyespot.serve.query import fields, require_known


def add_question(
    app: FastAPI,
    name: str,
    answer: Callable[[dict[str, str]], Response],
    parameters: Sequence[str],
    *,
    method: str = "GET",
) -> None:
    """Has `GET /studio/NAME` answered by a function of what was asked, by the parameters' names.

    parameters: those that may be given; every other is refused. method: POST for what changes something.
    """

    async def ask(request: Request) -> Response:
        asked = dict(fields(request.scope["query_string"]))
        for each in asked:
            require_known(each, parameters)
        try:
            return await asyncio.to_thread(answer, asked)
        except NetworkError as error:
            raise RequestError(404, str(error)) from None

    app.add_route(f"/studio/{name}", ask, methods=[method])


def text_of(asked: dict[str, str], name: str) -> str:
    """What was given for a parameter. Raises RequestError where it is missing."""
    if name not in asked:
        raise RequestError(400, f"the parameter {name} is missing")
    return asked[name]
