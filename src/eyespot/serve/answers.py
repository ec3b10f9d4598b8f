"""Answers as JSON, written without an encoder: they are made some hundred times a second."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from eyespot.answering.opened import likeliest
from eyespot.errors import RequestError
from eyespot.serve.batching import Answer
from eyespot.serve.served import Served


def body_of(name: str, served: Served, answers: Sequence[str]) -> bytes:
    """The body of a response to `POST /predict`."""
    start = f'{{"model": {json.dumps(name)}, "fingerprint": "{served.fingerprint}", "answers": ['
    return f"{start}{', '.join(answers)}]}}".encode()


def answer_json(picture: str | None, answer: Answer, served: Served, topk: int, more: dict[str, Any]) -> str:
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


def error_json(picture: str | None, error: RequestError) -> str:
    """Why a picture has no answer."""
    return json.dumps({"picture": picture, "error": str(error)})
