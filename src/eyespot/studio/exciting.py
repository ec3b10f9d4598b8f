"""The run's own pictures that excite a map most: those for which its largest number is largest.

Of the pictures that the network has not learned from a share is looked at, in one pass for all maps of a layer, in the
background. What was found is kept for the layers that were asked about last.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from eyespot.data.copies import Hashed
from eyespot.errors import EyespotError, RequestError
from eyespot.records import Part
from eyespot.runs.pictures import draw_of_each_class
from eyespot.studio.desk import Desk

if TYPE_CHECKING:
    from eyespot.walking.peaks import Peaks

SHOWN, MOST_PICTURES, SEED = 9, 300, 0
PARTS: tuple[Part, ...] = ("val", "test")
MOST_LAYERS = 4
"""That are kept: of a layer with 2,000 maps that is 10 MB."""
PIXELS_TOGETHER, MOST_TOGETHER = 2**19, 64
"""Of a batch, so that even the maps of a large network take little memory."""
Job = tuple[str, int, int]
"""A layer, the pictures that were looked at, and of how many."""


@dataclass(frozen=True)
class _Looked:
    pictures: list[Hashed]
    """That could be read."""
    peaks: list[Peaks]
    """Of all of them, one batch after the other."""


class Exciting:
    """Safe to use from several threads. One layer is worked on at a time; whoever wants another asks again."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, _Looked | str] = OrderedDict()
        """By layer; a text says why there is nothing."""
        self._job: Job | None = None

    def of(self, layer: str, map_index: int) -> dict[str, Any]:
        """The pictures that excite a map most, the most exciting first, or how far the work on its layer is.

        Raises RequestError where there are no pictures to look at.
        """
        drawn, count = self._drawn()
        with self._lock:
            looked = self._kept.get(layer)
            if looked is None:
                return self._at_work(layer, drawn)
            self._kept.move_to_end(layer)
            if isinstance(looked, str):
                del self._kept[layer]  # it may be another time
                raise RequestError(500, looked)
        return {
            "state": "found",
            "looked": len(looked.pictures),
            "of": count,
            "pictures": [*self._most_exciting(looked, map_index)],
        }

    def _drawn(self) -> tuple[list[Hashed], int]:
        """The pictures that are looked at, and how many there are of their parts."""
        own = self._desk.own
        if own.state == "looking":
            raise RequestError(503, "the run's own pictures are still being looked for: try again in a moment")
        held_out = [*chain.from_iterable(own.found.of_part.get(part, ()) for part in PARTS)]
        if not held_out:
            raise RequestError(404, own.said or "the run has no validation or test pictures to look at")
        few = len(held_out) <= MOST_PICTURES
        return held_out if few else draw_of_each_class(held_out, most=MOST_PICTURES, seed=SEED), len(held_out)

    def _at_work(self, layer: str, drawn: list[Hashed]) -> dict[str, Any]:
        """Begins to work on the layer, unless another one is worked on. Called with the lock held."""
        if self._job is None:
            self._job = layer, 0, len(drawn)
            threading.Thread(target=self._work, args=(layer, drawn), name="eyespot-exciting", daemon=True).start()
        at_work, done, of = self._job
        return {"state": "working", "done": done if at_work == layer else 0, "of": of}

    def _work(self, layer: str, drawn: list[Hashed]) -> None:
        found: _Looked | str = "this layer could not be looked at"
        try:
            found = self._look(layer, drawn)
        except EyespotError as error:
            found = str(error)
        finally:
            with self._lock:
                self._job = None
                self._kept[layer] = found
                while len(self._kept) > MOST_LAYERS:
                    self._kept.popitem(last=False)

    def _look(self, layer: str, drawn: list[Hashed]) -> _Looked:
        height, width = self._desk.subject.preprocess.crop_hw
        together = max(1, min(MOST_TOGETHER, PIXELS_TOGETHER // (height * width)))
        looked = _Looked([], [])
        for start in range(0, len(drawn), together):
            pictures = [*self._read(drawn[start : start + together])]
            if pictures:
                looked.pictures.extend(each for each, _ in pictures)
                looked.peaks.append(self._desk.peaks(layer, [image for _, image in pictures]))
            with self._lock:
                self._job = layer, min(len(drawn), start + together), len(drawn)
        if not looked.pictures:
            raise RequestError(500, "none of the run's pictures can be read any more")
        return looked

    def _read(self, drawn: list[Hashed]) -> Iterator[tuple[Hashed, np.ndarray]]:
        for each in drawn:
            try:
                yield each, self._desk.glance(each.content)
            except RequestError:  # gone since it was found
                continue

    def _most_exciting(self, looked: _Looked, map_index: int) -> Iterator[dict[str, Any]]:
        """The pictures, each with its largest number; none where the map is one and the same number for all of them."""
        values, places, flat = (
            np.concatenate([getattr(each, name)[:, map_index] for each in looked.peaks])
            for name in ("values", "places", "flat")
        )
        if flat.all() and np.ptp(values) == 0:
            return
        for row in np.argsort(-values, kind="stable")[:SHOWN].tolist():
            if np.isfinite(values[row]):
                found = self._desk.own.described(looked.pictures[row].content)
                yield {**found, "value": float(values[row]), "place": places[row].tolist()}
