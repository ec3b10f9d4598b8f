"""What the screen COLLECT asks for: data sets, their classes and pictures, and a training on one of them."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from PIL import Image

from eyespot.errors import RequestError
from eyespot.names import printable
from eyespot.serve.bodies import Intake, read_pictures
from eyespot.serve.query import fields, whole
from eyespot.serve.replies import as_json
from eyespot.studio.asking import add_question, text_of
from eyespot.studio.collected import COLLECTED, Collected, found, number_of, seen
from eyespot.studio.run_number import run_number
from eyespot.studio.training import Training

UNCHANGING = {"content-type": "image/png", "cache-control": "private, max-age=3600"}


def add_to(app: FastAPI, folder: Path, training: Training) -> None:
    """folder: in which `collected` lies."""
    intake, endpoints = Intake(), _Endpoints(folder, training)

    @app.post("/studio/collect")
    async def collect(request: Request) -> Response:
        with intake.room() as room:
            [first, *_] = await read_pictures(dict(request.scope["headers"]), request.receive, room)
            asked = dict(fields(request.scope["query_string"]))
            return as_json(await asyncio.to_thread(endpoints.collect, asked, first.data))

    for name, parameters in {
        "data_sets": (),
        "data_set": ("set",),
        "collected_picture": ("set", "class", "picture"),
        "training": ("after",),
    }.items():
        add_question(app, name, getattr(endpoints, name), parameters)
    for name, parameters in {
        "new_data_set": ("name",),
        "new_class": ("set", "name"),
        "remove_class": ("set", "class"),
        "remove_picture": ("set", "class", "picture"),
        "train": ("set",),
        "stop": (),
    }.items():
        add_question(app, name, getattr(endpoints, name), parameters, method="POST")


class _Endpoints:
    def __init__(self, folder: Path, training: Training) -> None:
        self._collected, self._training = Collected(folder), training

    def data_sets(self, asked: dict[str, str]) -> Response:
        """All that are collected here, with how many classes and pictures each has."""
        return as_json({"sets": [self._summary(each) for each in self._collected.sets()]})

    def data_set(self, asked: dict[str, str]) -> Response:
        """The classes of one, and the ids of the pictures of each, the newest first."""
        data_set = self._set(asked)
        return as_json({**_named(data_set), "classes": [self._class_told(each) for each in self._classes(data_set)]})

    def collected_picture(self, asked: dict[str, str]) -> Response:
        """A picture, small, as a PNG."""
        try:
            small = seen(self._picture(asked).read_bytes())
        except OSError:
            raise RequestError(404, "this picture is not there any more") from None
        file = io.BytesIO()
        Image.fromarray(small).save(file, "PNG")
        return Response(file.getvalue(), headers=UNCHANGING)

    def new_data_set(self, asked: dict[str, str]) -> Response:
        return as_json(_named(self._collected.make_set(text_of(asked, "name"))))

    def new_class(self, asked: dict[str, str]) -> Response:
        made = self._collected.make_class(self._set(asked), text_of(asked, "name"))
        return as_json({"id": number_of(made), "name": printable(made.name)})

    def collect(self, asked: dict[str, str], data: bytes) -> dict[str, Any]:
        """Saves a picture that was sent to a class; how many that has now."""
        of = self._class(asked)
        return {"picture": number_of(self._collected.add(of, data)), "count": len(self._collected.pictures(of))}

    def remove_picture(self, asked: dict[str, str]) -> Response:
        self._collected.remove(self._picture(asked))
        return as_json(self._class_told(self._class(asked)))

    def remove_class(self, asked: dict[str, str]) -> Response:
        self._collected.remove_class(self._class(asked))
        return as_json({})

    def train(self, asked: dict[str, str]) -> Response:
        data_set = self._set(asked)
        self._collected.require_enough(data_set)
        self._training.start(data_set, number_of(data_set))
        return self.training({})

    def stop(self, asked: dict[str, str]) -> Response:
        self._training.stop()
        return self.training({})

    def training(self, asked: dict[str, str]) -> Response:
        """How the training stands, and its lines from a number on."""
        training, after = self._training, whole("after", asked.get("after", "0"), low=0, high=10**6)
        state, lines, run = training.state, training.lines, training.run
        told = {"state": state, "set": training.about, "phase": training.phase, "error": training.error}
        return as_json({**told, "first": after, "lines": lines[after:], "run": run and run_number(run)})

    def _summary(self, data_set: Path) -> dict[str, Any]:
        counts = [len(self._collected.pictures(each)) for each in self._classes(data_set)]
        return {**_named(data_set), "classes": len(counts), "pictures": sum(counts)}

    def _class_told(self, of: Path) -> dict[str, Any]:
        pictures = [number_of(each) for each in self._collected.pictures(of)]
        return {"id": number_of(of), "name": printable(of.name), "pictures": pictures}

    def _classes(self, data_set: Path) -> list[Path]:
        return self._collected.classes(data_set)

    def _set(self, asked: dict[str, str]) -> Path:
        return found(text_of(asked, "set"), self._collected.sets(), "data set")

    def _class(self, asked: dict[str, str]) -> Path:
        return found(text_of(asked, "class"), self._classes(self._set(asked)), "class")

    def _picture(self, asked: dict[str, str]) -> Path:
        return found(text_of(asked, "picture"), self._collected.pictures(self._class(asked)), "picture")


def _named(data_set: Path) -> dict[str, Any]:
    name = printable(data_set.name)
    return {"id": number_of(data_set), "name": name, "folder": f"{COLLECTED}/{name}"}
