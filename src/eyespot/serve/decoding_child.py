"""What a process does that decodes for a server: it makes images of whatever strangers send."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from eyespot.data.apart_child import Content, Job
from eyespot.data.decoding_child import main as decode
from eyespot.data.framed import Framed
from eyespot.errors import RequestError
from eyespot.records import Preprocess
from eyespot.serve.pictures import CROPPED, LETTERBOXED, frame_sent, read_sent


def main() -> None:
    """Answers until nobody asks any more."""
    decode({CROPPED: _job(read_sent), LETTERBOXED: _job(frame_sent)})


def _job(read: Callable[[bytes, Preprocess], Framed]) -> Job:
    def tried(said: dict[str, Any], data: bytes) -> tuple[dict[str, Any], Content]:
        try:
            framed = read(data, _preprocess(said["preprocess"]))
        except RequestError as error:
            return {"status": error.status, "error": str(error)}, Content()
        return {"picture_hw": framed.picture_hw, "shown_hw": framed.shown_hw}, Content.of(framed.image.data)

    return tried


@lru_cache(16)
def _preprocess(text: str) -> Preprocess:
    return Preprocess.model_validate_json(text)
