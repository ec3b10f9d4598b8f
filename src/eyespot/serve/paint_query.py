"""What a request to paint brings: a photo and a painting, and the options in its address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eyespot.errors import RequestError
from eyespot.serve import query
from eyespot.serve.bodies import Room, read_pictures
from eyespot.styling.options import LEAST_SIDE

SIDE, MOST_SIDE = 512, 1024
"""Longer side of a painted picture, pixels: where none is asked for, and at most."""
SECONDS, LEAST_SECONDS, MOST_SECONDS = 20, 2, 30
"""What painting in steps takes; at most less than the time that a server which is told to stop has for its answers."""
PHOTO, PAINTING = "photo", "painting"


@dataclass(frozen=True)
class Asked:
    """The options of a request."""

    strength: float = 1.0
    """0 for the photo as it is, 1 for all of the painting's style."""
    keep_colors: bool = False
    imgsz: int = SIDE
    """Longer side of the result at most, pixels."""
    seconds: int = SECONDS
    """For painting in steps."""


@dataclass(frozen=True)
class Pair:
    """The two files of a request."""

    photo: bytes
    painting: bytes


def asked(fields: Sequence[tuple[str, str]], *, in_steps: bool) -> Asked:
    """The options in a query such as `strength=0.5&keep_colors=1`. Raises RequestError for any other."""
    values: dict[str, Any] = {}
    names = ("strength", "keep_colors", "imgsz", *(["time"] if in_steps else []))
    for name, text in fields:
        query.require_known(name, names)
        if name == "strength":
            values[name] = query.share(name, text)
        elif name == "keep_colors":
            values[name] = bool(query.whole(name, text, low=0, high=1))
        elif name == "imgsz":
            values[name] = query.whole(name, text, low=LEAST_SIDE, high=MOST_SIDE)
        else:
            values["seconds"] = query.whole(name, text, low=LEAST_SECONDS, high=MOST_SECONDS)
    return Asked(**values)


async def read_pair(headers: Mapping[bytes, bytes], receive: Any, room: Room) -> Pair:
    """The photo and the painting of a form. Raises RequestError."""
    sent = await read_pictures(headers, receive, room)
    files = {each.field: each.data for each in sent}
    if len(sent) != 2 or files.keys() != {PHOTO, PAINTING} or not all(files.values()):
        raise RequestError(400, f"the request must be a form with two files, named {PHOTO} and {PAINTING}")
    return Pair(files[PHOTO], files[PAINTING])
