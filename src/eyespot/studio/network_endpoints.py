"""What the screens NETWORK, LAYER and VALUE ask for: layers, pictures, maps, kernels, and the sum behind a number.

Numbers go as 32-bit floats, little-endian: rounded ones would be off in the last digit that is shown.
"""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING, Any

import numpy as np
from fastapi import FastAPI, Request, Response
from PIL import Image
from pydantic import ValidationError

from eyespot.errors import RequestError
from eyespot.serve.bodies import Intake, read_pictures
from eyespot.serve.pictures import read_sent
from eyespot.serve.query import whole
from eyespot.serve.replies import as_json, json_bytes
from eyespot.studio.asking import add_question, text_of
from eyespot.studio.desk import Desk

if TYPE_CHECKING:
    from eyespot.walking.walk import Walk

MOST_LAYERS, MOST_MAPS = 64, 4096
PARAMETERS = ("picture", "layer", "layers", "map", "place", "first", "count")
FLOATS = "application/octet-stream"


def add_to(app: FastAPI, desk: Desk) -> None:
    intake, endpoints = Intake(), _Endpoints(desk)

    @app.get("/studio/network")
    async def network() -> Response:
        return as_json(await asyncio.to_thread(endpoints.network))

    @app.post("/studio/pictures")
    async def pictures(request: Request) -> Response:
        with intake.room() as room:
            [first, *_] = await read_pictures(dict(request.scope["headers"]), request.receive, room)
            return as_json(await asyncio.to_thread(endpoints.lay, first.data))

    for name in ("answer", "image", "maps", "value", "kernels", "without"):
        add_question(app, name, getattr(endpoints, name), PARAMETERS)


def add_none_to(app: FastAPI, name: str, number: str) -> None:
    """Adds the answer of a run of that name and number that has no model yet: a network without layers."""

    @app.get("/studio/network")
    async def network() -> Response:
        known = {"shown": number, "name": name, "network": name, "is_run": True, "blank": ""}
        return as_json({**known, "classes": [], "draws": None, "precision": None, "layers": []})


class _Endpoints:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def network(self) -> dict[str, Any]:
        """The network's layers, where each takes its numbers from, and what it is asked about first."""
        from eyespot.walking.walk import grid_of

        subject = self._desk.subject
        height, width = subject.preprocess.crop_hw
        blank = self._desk.lay(np.zeros((height, width, subject.preprocess.channels), np.uint8))
        walk = self._desk.walk(blank)
        return {
            "shown": self._desk.number,
            "name": subject.name,
            "network": subject.network,
            "classes": subject.classes,
            "draws": subject.draws,
            "is_run": subject.bundle is not None,
            "precision": subject.bundle and subject.bundle.manifest.precision.name,
            "blank": blank,
            "layers": [
                {
                    **row.model_dump(exclude_none=True),
                    "sources": walk.steps[row.name].sources,
                    "grid": grid_of(walk, row.name),
                }
                for row in subject.rows
            ],
        }

    def lay(self, data: bytes) -> dict[str, Any]:
        """A picture that was sent, on the desk, and the answer to it."""
        number = self._desk.lay(read_sent(data, self._desk.subject.preprocess).image)
        return {"picture": number, **self._desk.answer(number)}

    def answer(self, asked: dict[str, str]) -> Response:
        return as_json(self._desk.answer(text_of(asked, "picture")))

    def image(self, asked: dict[str, str]) -> Response:
        """The image that the network takes, as a PNG."""
        image, file = self._desk.image(text_of(asked, "picture")), io.BytesIO()
        Image.fromarray(image[..., 0] if image.shape[2] == 1 else image).save(file, "PNG")
        return Response(file.getvalue(), headers={"content-type": "image/png", "cache-control": "no-store"})

    def maps(self, asked: dict[str, str]) -> Response:
        """The maps of some layers one after the other, or some of their maps."""
        walk, names = self._walk(asked), text_of(asked, "layers").split(",")
        if len(names) > MOST_LAYERS:
            raise RequestError(400, f"at most {MOST_LAYERS} layers are asked for at a time, not {len(names)}")
        first = whole("first", asked.get("first", "0"), low=0, high=10**6)
        count = whole("count", asked.get("count", str(MOST_MAPS)), low=1, high=MOST_MAPS)
        found = [_output(walk, name)[first : first + count] for name in names]
        return _floats(np.concatenate([each.ravel() for each in found]))

    def value(self, asked: dict[str, str]) -> Response:
        """A number of a layer, with what makes it."""
        from eyespot.walking.cells import cell_of

        place = tuple(whole("place", text, low=0, high=10**6) for text in text_of(asked, "place").split(","))
        try:
            cell = cell_of(self._walk(asked), text_of(asked, "layer"), place)
        except ValidationError:
            raise RequestError(422, "what this layer makes of the picture is no number, here or before") from None
        return json_bytes(cell.model_dump_json(exclude_none=False).encode())

    def kernels(self, asked: dict[str, str]) -> Response:
        """The planes of a convolution's kernel, one for each map that it sees, or the weights of a vector's number."""
        from eyespot.walking.walk import weight_of

        weight = weight_of(self._desk.subject.net, text_of(asked, "layer"))
        index = whole("map", asked.get("map", "0"), low=0, high=len(weight) - 1)
        return _floats(weight[index])

    def without(self, asked: dict[str, str]) -> Response:
        """Probabilities with and without one map of a layer."""
        layer = text_of(asked, "layer")
        maps = len(_output(self._walk(asked), layer))
        index = whole("map", asked.get("map", "0"), low=0, high=maps - 1)
        if layer == "input":
            raise RequestError(400, "the image itself has no map that could be taken away: choose a layer")
        return as_json(self._desk.without(text_of(asked, "picture"), layer, index))

    def _walk(self, asked: dict[str, str]) -> Walk:
        return self._desk.walk(text_of(asked, "picture"))


def _output(walk: Walk, name: str) -> np.ndarray:
    if name not in walk.steps:
        raise RequestError(404, f"the network has no layer {name[:60]!r}")
    found: np.ndarray = walk.steps[name].output.numpy()
    return found


def _floats(values: np.ndarray) -> Response:
    content = np.ascontiguousarray(values, "<f4").tobytes()
    return Response(content, headers={"content-type": FLOATS, "cache-control": "no-store"})
