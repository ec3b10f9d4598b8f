"""Answers to pictures as a list that a notebook shows with the pictures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from eyespot.card import Html, card, jpeg
from eyespot.data.data_set import Picture
from eyespot.data.pictures import thumbnail
from eyespot.errors import UnreadablePicture
from eyespot.records import Levels
from eyespot.words import counted

MOST_SHOWN = 20
THUMBNAIL_PX = 72


class Answer(Protocol):
    """What is said of one picture."""

    @property
    def picture(self) -> str: ...

    @property
    def set_aside(self) -> str | None: ...


A = TypeVar("A", bound=Answer)


class Answers(list[A]):
    """The answers, in order: a list like any other."""

    def __init__(self, answers: Iterable[A], pictures: Sequence[Picture], levels: Levels | None) -> None:
        """pictures: those that the first answers are to. levels: of the pictures that were learned from."""
        super().__init__(answers)
        self._pictures, self._levels = tuple(pictures[:MOST_SHOWN]), levels

    def _repr_html_(self) -> str:
        """The first of them as a table, each with its picture."""
        rows = []
        for number, answer in enumerate(self[:MOST_SHOWN]):
            said = answer.set_aside if answer.set_aside is not None else str(answer)
            rows.append((self._thumbnail(number, answer.picture), answer.picture, said))
        more = len(self) - len(rows)
        return card(counted(len(self), "picture"), rows, below=f"and {more} more" if more else "")

    def _thumbnail(self, number: int, name: str) -> Html | str:
        if number >= len(self._pictures) or self._pictures[number].name != name:
            return ""
        try:
            return jpeg(thumbnail(self._pictures[number].read(), THUMBNAIL_PX, self._levels), name=name)
        except (OSError, UnreadablePicture):
            return ""
