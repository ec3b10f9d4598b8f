"""What the screen ERRORS asks for: the run's own pictures, what was mistaken for what, and what excites a map."""

from __future__ import annotations

import io

from fastapi import FastAPI, Response
from PIL import Image

from eyespot.errors import RequestError
from eyespot.evaluate.metrics import Cells, matrix_of_most_confused, most_confused
from eyespot.records import Part
from eyespot.serve.query import whole
from eyespot.serve.replies import as_json
from eyespot.studio.asking import add_question, text_of
from eyespot.studio.desk import Desk
from eyespot.studio.exciting import Exciting
from eyespot.studio.own_answers import HELD_OUT, accuracy_of, cells_of, surest_first

FEW_CLASSES, MOST_ROWS, MOST_MIXED_UP = 20, 24, 12
"""A matrix of more classes than the first shows only those that are mixed up, at most `MOST_ROWS`."""
PAGE, MOST_SHOWN = 24, 48
THUMBNAIL_SIDE = 96
MOST = 10**9


def add_to(app: FastAPI, desk: Desk) -> None:
    endpoints = _Endpoints(desk)
    for name, parameters in {
        "own": (),
        "own_pictures": ("part", "first"),
        "confusion": ("part",),
        "mistakes": ("part", "truth", "answer"),
        "thumbnail": ("picture",),
        "exciting": ("layer", "map"),
    }.items():
        add_question(app, name, getattr(endpoints, name), parameters)


class _Endpoints:
    def __init__(self, desk: Desk) -> None:
        self._desk, self._own, self._exciting = desk, desk.own, Exciting(desk)

    def own(self, asked: dict[str, str]) -> Response:
        """Whether the run's pictures are found, how many of each part, and the parts that it has answers to."""
        own = self._own
        state, found = own.state, own.found
        parts = [
            {"part": part, "count": len(found.of_part[part]), "missing": found.missing[part]}
            for part in HELD_OUT
            if part in found.of_part
        ]
        told = {"state": state, "why": own.why, "said": own.said, "done": own.done, "of": own.of}
        answered = [part for part in HELD_OUT if self._cells(part)]
        return as_json({**told, "parts": parts, "answered": answered, "first": own.first})

    def own_pictures(self, asked: dict[str, str]) -> Response:
        """Some pictures of a part: mistakes first, the surest of them first."""
        pictures = self._own.found.of_part.get(_part(asked), ())
        first = whole("first", asked.get("first", "0"), low=0, high=MOST)
        shown = pictures[first : first + PAGE]
        return as_json({"of": len(pictures), "pictures": [self._own.described(each.content) for each in shown]})

    def confusion(self, asked: dict[str, str]) -> Response:
        """The confusion matrix of a part, of all classes or of those that are mixed up, and its accuracy."""
        part = _part(asked)
        cells, bundle = self._cells(part), self._desk.subject.bundle
        if bundle is None or not cells:
            raise RequestError(404, f"the run has no answers to pictures of the part {part}")
        classes = bundle.manifest.classes
        mixed_up = {number for truth, answer, _ in cells if truth != answer for number in (truth, answer)}
        rows = len(classes) if len(classes) <= FEW_CLASSES else min(len(mixed_up), MOST_ROWS)
        shown, matrix = matrix_of_most_confused(cells, len(classes), rows)
        support = dict.fromkeys(shown, 0)
        for truth, _, count in cells:
            if truth in support:
                support[truth] += count
        accuracy, number_of = accuracy_of(bundle, part), {name: at for at, name in enumerate(classes)}
        most = [
            (number_of[each.class_], number_of[each.answer], each.n)
            for each in most_confused(cells, classes, MOST_MIXED_UP)
        ]
        return as_json(
            {
                "accuracy": accuracy and accuracy.model_dump(),
                "shown": shown,
                "matrix": matrix.tolist(),
                "support": [support[number] for number in shown],
                "mixed_up": len(mixed_up),
                "most": most,
            }
        )

    def mistakes(self, asked: dict[str, str]) -> Response:
        """The pictures of a cell of the confusion matrix, or all mistakes of a part: the surest first."""
        part, classes = _part(asked), len(self._desk.subject.classes)
        cell = {
            name: whole(name, asked[name], low=0, high=classes - 1) for name in ("truth", "answer") if name in asked
        }
        if len(cell) == 1:
            raise RequestError(400, "a cell has both a truth and an answer: give both or none")
        of_part = [each for each in self._own.answers if each.part == part]
        wanted = (cell["truth"], cell["answer"]) if cell else None
        found = [each for each in of_part if ((each.truth, each.answer) == wanted if wanted else not each.is_right)]
        found = surest_first(found)
        shown = [self._own.described(each.content) for each in found[:MOST_SHOWN]]
        counted = {(row, column): n for row, column, n in self._cells(part)}
        of = counted.get(wanted, 0) if wanted else sum(n for (row, column), n in counted.items() if row != column)
        return as_json({"pictures": shown, "more": len(found) - len(shown), "of": of})

    def thumbnail(self, asked: dict[str, str]) -> Response:
        """The image that the network takes of a picture, small, as a PNG."""
        image = self._desk.glance(text_of(asked, "picture"))
        small, file = Image.fromarray(image[..., 0] if image.shape[2] == 1 else image), io.BytesIO()
        small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
        small.save(file, "PNG")
        return Response(file.getvalue(), headers={"content-type": "image/png", "cache-control": "no-store"})

    def exciting(self, asked: dict[str, str]) -> Response:
        """The pictures for which a map's largest number is largest, or how far the work is that finds them."""
        layer, maps = text_of(asked, "layer"), {row.name: row.output[0] for row in self._desk.subject.rows}
        if layer not in maps:
            raise RequestError(404, f"the network has no layer {layer[:60]!r}")
        index = whole("map", asked.get("map", "0"), low=0, high=maps[layer] - 1)
        return as_json(self._exciting.of(layer, index))

    def _cells(self, part: Part) -> Cells:
        bundle = self._desk.subject.bundle
        return cells_of(bundle, part, self._own.answers) if bundle else ()


def _part(asked: dict[str, str]) -> Part:
    given = text_of(asked, "part")
    for part in HELD_OUT:
        if part == given:
            return part
    raise RequestError(400, f"the parameter part must be one of {', '.join(HELD_OUT)}, not {given[:40]!r}")
