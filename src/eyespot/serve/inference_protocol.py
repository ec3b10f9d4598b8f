"""The Open Inference Protocol, version 2, as other servers of models speak it, with tensors as JSON.

A model takes one of two tensors: `pictures`, files in base64, or `images`, pixels that are resized already.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from functools import partial
from itertools import chain
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, Field, StringConstraints, ValidationError

from eyespot.errors import RequestError
from eyespot.serve.bodies import MOST_PICTURES, read_json
from eyespot.serve.clients import client_of
from eyespot.serve.costs import require_affordable
from eyespot.serve.pictures import MOST_BYTES, too_large
from eyespot.serve.refusals import Busy
from eyespot.serve.replies import as_json
from eyespot.serve.served import Answer, Served
from eyespot.serve.service import Service
from eyespot.version import VERSION
from eyespot.words import some

PICTURES, IMAGES = "pictures", "images"
PLATFORM = "openvino_onnx"
MOST_ENTRIES = 1000
"""Lists and entries of a question, besides the values of its images."""


class Tensor(BaseModel):
    """One input."""

    name: Literal["pictures", "images"]
    shape: list[Annotated[int, Field(ge=1, le=2**20)]] = Field(min_length=1, max_length=4)
    datatype: Literal["BYTES", "UINT8"]
    data: list[Any]


class Wanted(BaseModel):
    """One output that is asked for."""

    name: Annotated[str, StringConstraints(max_length=80)]


class Question(BaseModel):
    """The body of `infer`. Parameters are allowed, and none is known."""

    id: Annotated[str, StringConstraints(max_length=256)] | None = None
    inputs: list[Tensor] = Field(min_length=1, max_length=1)
    outputs: list[Wanted] | None = Field(default=None, max_length=8)
    """All of the model's where it names none."""


def add_to(app: FastAPI, service: Service) -> None:
    """Adds the protocol's endpoints."""

    @app.get("/v2")
    async def server() -> Response:
        return as_json({"name": "eyespot", "version": VERSION, "extensions": []})

    @app.get("/v2/health/live")
    async def live() -> Response:
        return as_json({"live": True})

    @app.get("/v2/health/ready")
    async def ready() -> Response:
        return as_json({"ready": True})

    @app.get("/v2/models/{name}")
    async def model(name: str) -> Response:
        _require_served(service, name)
        return as_json(_described(service.name, service.served))

    @app.get("/v2/models/{name}/ready")
    async def model_ready(name: str) -> Response:
        _require_served(service, name)
        return as_json({"name": service.name, "ready": True})

    async def infer(request: Request) -> Response:
        _require_served(service, request.path_params["name"])
        return as_json(await _infer(service, request))

    app.add_route("/v2/models/{name}/infer", infer, methods=["POST"])


async def _infer(service: Service, request: Request) -> dict[str, Any]:
    served, client = service.served, client_of(request.scope).name
    if not service.batching.has_room(client):
        raise Busy
    with service.intake.room(client) as room:
        body = await read_json(dict(request.scope["headers"]), request.receive, room)
        async with service.in_time():
            question, pictures = await service.reading.do(client, partial(_read, body, served))
            answers = await service.batching.answers(pictures, served, None, client)
        errors = [(place, each) for place, each in enumerate(answers) if isinstance(each, RequestError)]
        service.metrics.pictures(answered=len(answers) - len(errors), refused=len(errors))
        for place, error in errors:
            raise RequestError(error.status, f"{question.inputs[0].name}[{place}]: {error}")
    tensors = served.tensors([each for each in answers if isinstance(each, Answer)])
    said = {
        "model_name": service.name,
        "model_version": served.fingerprint,
        "outputs": [{"name": name, **tensors[name]} for name in _wanted(question, served)],
    }
    return said if question.id is None else {**said, "id": question.id}


def _wanted(question: Question, served: Served[Any, Any]) -> list[str]:
    """The names of the outputs that are asked for. Raises RequestError if the model has no such."""
    known = list(served.tensors_described())
    if question.outputs is None:
        return known
    names = [each.name for each in question.outputs]
    for place, name in enumerate(names):
        if name not in known:
            raise RequestError(400, f"the request cannot be read: outputs.{place}.name: there are {some(known)}")
    if len(names) > len(known):
        raise RequestError(400, f"the request cannot be read: outputs: there are only {some(known)}")
    return names


def _read(body: bytes, served: Served[Any, Any]) -> tuple[Question, list[bytes | np.ndarray]]:
    """The question, and its pictures or images. Raises RequestError."""
    _require_plausible(body, served)
    try:
        question = Question.model_validate(json.loads(body))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])[:80]
        raise RequestError(400, f"the request cannot be read: {where}: {first['msg'][:120]}") from None
    except (ValueError, RecursionError):
        raise RequestError(400, "the request is no JSON") from None
    _wanted(question, served)  # before any work
    [tensor] = question.inputs
    if tensor.shape[0] > MOST_PICTURES:
        raise RequestError(413, f"the request has more than {MOST_PICTURES} pictures: send fewer at a time")
    if tensor.name == PICTURES:
        files = _files(tensor)
        require_affordable(files)
        return question, [*files]
    return question, [*_images(tensor, served)]


def _require_plausible(body: bytes, served: Served[Any, Any]) -> None:
    """Raises RequestError if the body, as JSON, would become more objects than any question has."""
    height, width = served.preprocess.crop_hw
    lists = MOST_PICTURES * (1 + height + height * width)
    values = MOST_PICTURES * height * width * served.preprocess.channels
    for mark, most in {b"{": 0, b"[": lists, b",": values}.items():
        if body.count(mark) > most + MOST_ENTRIES:
            raise RequestError(413, "the request has more values than the largest number of pictures has")


def _files(tensor: Tensor) -> list[bytes]:
    if tensor.datatype != "BYTES" or tensor.shape != [len(tensor.data)]:
        raise RequestError(400, f"the tensor {PICTURES} has the datatype BYTES and the shape [n], with n texts as data")
    return [_file(text, place) for place, text in enumerate(tensor.data)]


def _file(text: object, place: int) -> bytes:
    if isinstance(text, str) and len(text) > MOST_BYTES * 4 // 3 + 4:
        raise too_large()
    try:
        return base64.b64decode(text if isinstance(text, str) else "-", validate=True)
    except (binascii.Error, ValueError):
        raise RequestError(400, f"{PICTURES}[{place}] is no base64: encode the picture's whole file") from None


def _images(tensor: Tensor, served: Served[Any, Any]) -> list[np.ndarray]:
    shape = [*served.preprocess.crop_hw, served.preprocess.channels]
    if tensor.datatype != "UINT8" or tensor.shape[1:] != shape:
        listed = ", ".join(map(str, shape))
        raise RequestError(400, f"the tensor {IMAGES} has the datatype UINT8 and the shape [n, {listed}]")
    values = _flat(tensor.data, depth=len(tensor.shape))
    are_whole = len(values) == math.prod(tensor.shape) and set(map(type, values)) == {int}
    if not are_whole or min(values) < 0 or max(values) > 255:
        raise RequestError(400, f"the tensor {IMAGES} needs as data its values, whole numbers from 0 to 255")
    return list(np.array(values, np.uint8).reshape(tensor.shape))  # n times (H, W, C)


def _flat(values: list[Any], *, depth: int) -> list[Any]:
    """What is in lists of lists, `depth` of them at most; NumPy would make room for the longest text many times."""
    for _ in range(depth - 1):
        if set(map(type, values)) == {list}:
            values = list(chain.from_iterable(values))
    return values


def _described(name: str, served: Served[Any, Any]) -> dict[str, Any]:
    image = [-1, *served.preprocess.crop_hw, served.preprocess.channels]
    return {
        "name": name,
        "versions": [served.fingerprint],
        "platform": PLATFORM,
        "inputs": [
            {"name": PICTURES, "datatype": "BYTES", "shape": [-1]},
            {"name": IMAGES, "datatype": "UINT8", "shape": image},
        ],
        "outputs": [{"name": each, **tensor} for each, tensor in served.tensors_described().items()],
    }


def _require_served(service: Service, name: str) -> None:
    if name != service.name:
        raise RequestError(404, f"there is no model {name[:80]!r}: the one served is {service.name!r}")
