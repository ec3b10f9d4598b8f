"""The pictures that a run was made on, found again in the background, by part and by id: the hash of their bytes."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np

from eyespot import machine
from eyespot.bundle.files import Bundle
from eyespot.data.copies import HASH_BYTES, Hashed, content_hash
from eyespot.data.pictures import read_image
from eyespot.errors import DataError, EyespotError, RequestError, UnreadablePicture
from eyespot.names import MOST_REASON, brief
from eyespot.records import Part
from eyespot.runs.folder import ARGS
from eyespot.runs.pictures import every_part_of_run
from eyespot.studio.own_answers import HELD_OUT, Doubt, OwnAnswer, read_answers, read_doubts, surest_first

NOT_HERE = "this picture is not on the desk any more: choose it again"
_ID = re.compile(f"[0-9a-f]{{{2 * HASH_BYTES}}}")
State = Literal["looking", "found", "missing"]
Why = Literal["catalogue", "bundle", "moved"]


@dataclass(frozen=True)
class Found:
    """The pictures of a run that are where they were."""

    of_part: Mapping[Part, Sequence[Hashed]] = field(default_factory=dict)
    """Those that it answered to first, mistakes before all else; then the others in the order of the data."""
    missing: Mapping[Part, int] = field(default_factory=dict)
    """Pictures that are not there any more, or changed."""

    @cached_property
    def by_id(self) -> dict[str, tuple[Hashed, Part]]:
        return {each.content: (each, part) for part, pictures in self.of_part.items() for each in pictures}


class OwnPictures:
    """Safe to use from several threads. Nothing is looked for before `begin`, or before somebody asks."""

    def __init__(self, bundle: Bundle | None) -> None:
        """bundle: of the run; None for a network that is none."""
        self._bundle = bundle
        self._lock, self._stopped = threading.Lock(), threading.Event()
        self._thread: threading.Thread | None = None
        self._found: Found | None = None
        self.done = self.of = 0
        """Pictures looked at, and of how many, while they are looked for."""
        self.why: Why | None = None
        """Why there are none."""
        self.said = ""
        """The same in a sentence."""

    def begin(self) -> None:
        """Has the pictures looked for in the background."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="eyespot-own-pictures", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Has them not looked for any more."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    @property
    def state(self) -> State:
        self.begin()
        return "missing" if self.why else "looking" if self._found is None else "found"

    @property
    def found(self) -> Found:
        """What is found; nothing while it is looked for, and where there is nothing."""
        self.begin()
        return self._found or Found()

    @cached_property
    def answers(self) -> list[OwnAnswer]:
        """The run's own answers. Raises RequestError where what it wrote is damaged."""
        try:
            return read_answers(self._bundle) if self._bundle else []
        except DataError as error:
            raise RequestError(500, str(error)) from None

    @cached_property
    def answer_of(self) -> dict[str, OwnAnswer]:
        return {each.content: each for each in self.answers}

    @cached_property
    def doubts(self) -> Mapping[str, Doubt]:
        """What audits beside the run say against its pictures, by id."""
        return read_doubts(self._bundle) if self._bundle else {}

    @property
    def first(self) -> str | None:
        """The id of the picture that is shown first: of those that the model was tested on, in the order of names."""
        for part in HELD_OUT:
            pictures = self.found.of_part.get(part)
            if pictures:
                return min(pictures, key=lambda each: each.picture.name).content
        return None

    def described(self, number: str) -> dict[str, Any]:
        """What is known of one of them, as JSON: name, numbers of class and answer, and what speaks against it.

        `picture` is its id, or null where it is not found.
        """
        hashed, part = self.found.by_id.get(number, (None, None))
        answer, doubt = self.answer_of.get(number), self.doubts.get(number)
        return {
            "picture": hashed and number,
            "name": answer.name if answer else hashed and hashed.picture.name,
            "part": answer.part if answer else part,
            "truth": answer.truth if answer else hashed and self._numbers.get(str(hashed.picture.label)),
            "answer": answer and answer.answer,
            "probability": answer and answer.probability,
            "why": doubt and doubt.why,
            "likelier": doubt and doubt.likelier,
        }

    @cached_property
    def _numbers(self) -> dict[str, int]:
        """The number of each class by its name."""
        return {name: at for at, name in enumerate(self._bundle.manifest.classes)} if self._bundle else {}

    def image(self, number: str) -> np.ndarray:
        """The image of one of them, uint8 (H, W, C). Raises RequestError for what is none, is gone or is not yet found.

        Nothing is kept: whoever needs it again keeps it.
        """
        if not _ID.fullmatch(number):
            raise RequestError(404, NOT_HERE)
        if self.state == "looking":
            raise RequestError(503, "the run's own pictures are still being looked for: try again in a moment")
        if self._bundle is None or number not in self.found.by_id:
            raise RequestError(404, self.said or "this picture is not where the run's pictures are")
        hashed, _ = self.found.by_id[number]
        try:
            data = hashed.picture.read()
            if content_hash(data) != number:
                raise RequestError(404, "this picture of the run was changed: choose another one")
            return read_image(data, self._bundle.manifest.preprocess)
        except OSError as error:
            reason = error.strerror or "it cannot be read"
            raise RequestError(404, f"this picture of the run is not there any more ({reason})") from None
        except UnreadablePicture as error:
            raise RequestError(415, f"this picture of the run {brief(error.reason, most=MOST_REASON)}") from None

    def _look(self) -> None:
        try:
            found = self._everything()
        except _Stopped:
            return
        except EyespotError as error:
            alone = self._bundle is None or not (self._bundle.folder.parent / ARGS).is_file()
            self.said = str(error)
            self.why = "moved" if not alone else "bundle" if self._bundle else "catalogue"
        except OSError as error:
            self.said, self.why = f"the run's pictures cannot be read ({error.strerror or error})", "moved"
        else:
            self._found = found

    def _everything(self) -> Found:
        if self._bundle is None:
            raise DataError("a network of the catalogue has no pictures of its own here: open a run")
        folder = self._bundle.folder.parent
        if not (folder / ARGS).is_file():
            raise DataError("a bundle alone does not say where its pictures are: open the whole folder of the run")
        threads = max(1, machine.cores() // 2)  # whoever looks at the page meanwhile needs the others
        parts = every_part_of_run(folder, self._bundle.manifest, threads=threads, progress=self._tell)
        try:
            order = {each.content: at for at, each in enumerate(surest_first(self.answers))}
        except RequestError:
            order = {}  # said where the answers are asked for
        of_part = {
            each.part: tuple(sorted(each.hashed, key=lambda one: order.get(one.content, len(order)))) for each in parts
        }
        return Found(of_part, {each.part: max(0, each.missing) for each in parts})

    def _tell(self, done: int, of: int) -> None:
        if self._stopped.is_set():
            raise _Stopped
        self.done, self.of = done, of


class _Stopped(Exception):
    """The studio ends while pictures are looked for."""
