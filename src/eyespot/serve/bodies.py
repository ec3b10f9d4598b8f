"""The pictures in a request's body, read from the stream under limits of size, number and time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from eyespot.errors import RequestError
from eyespot.serve.fair_queue import MUCH_MORE
from eyespot.serve.pictures import MOST_BYTES, too_large
from eyespot.serve.refusals import Busy

MOST_PICTURES = 64
"""In one request."""
MOST_BODY_BYTES = 128 * 2**20
MOST_JSON_BYTES = 28 * 2**20
"""Of a body in JSON, which is read as a whole: room for the largest picture in base64."""
MOST_HELD_BYTES = 512 * 2**20
"""Of all bodies that are held at a time."""
MOST_PART_HEADERS, MOST_PART_HEADER_BYTES = 8, 4096
MOST_NAME = 255
BODY_SECONDS = 30.0
"""A body must come within this time."""


@dataclass(frozen=True)
class Sent:
    """A picture as it was sent."""

    name: str | None
    """The file's name, where the client gave one."""
    data: bytes
    field: str | None = None
    """The form's name for it."""


class Intake:
    """Counts the bytes of all bodies that are held, and refuses what would be too much."""

    def __init__(self) -> None:
        self.held = 0
        self._rooms: set[Room] = set()

    @contextmanager
    def room(self, client: str = "") -> Iterator[Room]:
        """Room for one body, for as long as the request lasts."""
        room = Room(self, client)
        self._rooms.add(room)
        try:
            yield room
        finally:
            self._rooms.remove(room)
            self.held -= room.taken

    def make_room(self, room: Room) -> None:
        """Gives up the largest body that is still on its way, of the client who has most.

        Raises Busy where nobody has much more than the client of this room.
        """
        held: Counter[str] = Counter()
        for each in self._rooms:
            held[each.client] += each.taken
        coming = [each for each in self._rooms if each.is_coming]
        largest = max(coming, key=lambda each: (held[each.client], each.taken), default=room)
        if held[largest.client] < MUCH_MORE * held[room.client]:
            raise Busy
        largest.give_up()


class Room:
    """What one body takes of the room that all have."""

    def __init__(self, intake: Intake, client: str) -> None:
        self.client = client
        self.taken = 0
        self.is_given_up = False
        self._intake = intake
        self._time: asyncio.Timeout | None = None

    @property
    def is_coming(self) -> bool:
        """Whether the body is still on its way."""
        return self._time is not None and not self.is_given_up

    def take(self, count: int) -> None:
        """Raises RequestError if the body becomes too large, or all bodies together do."""
        if self.is_given_up:
            raise Busy
        self.taken += count
        self._intake.held += count
        if self.taken > MOST_BODY_BYTES:
            raise _too_much(MOST_BODY_BYTES)
        while self._intake.held > MOST_HELD_BYTES:
            self._intake.make_room(self)

    def give_up(self) -> None:
        """Ends the reading: others need the room."""
        assert self._time is not None
        self.is_given_up = True
        self._intake.held -= self.taken
        self.taken = 0
        self._time.reschedule(asyncio.get_running_loop().time())

    @asynccontextmanager
    async def in_time(self) -> AsyncIterator[None]:
        """Within it the body is read. Raises RequestError where that takes too long."""
        try:
            async with asyncio.timeout(BODY_SECONDS) as self._time:
                yield
        except TimeoutError:
            if self.is_given_up:
                raise Busy from None
            raise RequestError(408, f"the request did not come within {BODY_SECONDS:.0f} s") from None
        finally:
            self._time = None


async def read_pictures(headers: Mapping[bytes, bytes], receive: Any, room: Room) -> list[Sent]:
    """The pictures of a body: the parts of a form, else one picture's raw bytes. Raises RequestError."""
    kind, options = parse_options_header(headers.get(b"content-type", b"").decode("latin-1"))
    async with room.in_time():
        if kind == b"multipart/form-data":
            _require_fits(headers, most_bytes=MOST_BODY_BYTES)
            sent = await _read_form(options.get(b"boundary", b""), receive, room)
        else:
            sent = [Sent(None, await _read_whole(headers, receive, room, most_bytes=MOST_BYTES))]
    if not any(each.data for each in sent):
        raise RequestError(400, "the request holds no picture: send one's bytes, or a form with files")
    return sent


async def read_json(headers: Mapping[bytes, bytes], receive: Any, room: Room) -> bytes:
    """The whole body, as JSON that nobody has looked at. Raises RequestError."""
    async with room.in_time():
        return await _read_whole(headers, receive, room, most_bytes=MOST_JSON_BYTES)


def _require_fits(headers: Mapping[bytes, bytes], *, most_bytes: int) -> None:
    """Raises RequestError if the client itself says that the body is too large."""
    told = headers.get(b"content-length", b"")
    if told.isdigit() and int(told) > most_bytes:
        raise _too_much(most_bytes)


async def _read_whole(headers: Mapping[bytes, bytes], receive: Any, room: Room, *, most_bytes: int) -> bytes:
    _require_fits(headers, most_bytes=most_bytes)
    chunks = []
    async for chunk in _chunks(receive, room):
        chunks.append(chunk)
        if room.taken > most_bytes:
            raise _too_much(most_bytes)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _too_much(most_bytes: int) -> RequestError:
    if most_bytes == MOST_BYTES:
        return too_large()
    return RequestError(413, f"the request has more than {most_bytes // 2**20} MB: send fewer pictures")


async def _read_form(boundary: bytes, receive: Any, room: Room) -> list[Sent]:
    if not boundary:
        raise RequestError(400, "the form's content type names no boundary")
    form = _Form()
    try:
        parser = MultipartParser(
            boundary,
            form.callbacks(),
            max_header_count=MOST_PART_HEADERS,
            max_header_size=MOST_PART_HEADER_BYTES,
        )
        async for chunk in _chunks(receive, room):
            parser.write(chunk)
    except FormParserError:
        raise RequestError(400, "the form is damaged: its parts do not follow multipart/form-data") from None
    if not form.is_whole:
        raise RequestError(400, "the form is cut off: its last boundary is missing")
    return form.pictures


async def _chunks(receive: Any, room: Room) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RequestError(400, "the client has gone")
        chunk: bytes = message.get("body", b"")
        more = message.get("more_body", False)
        if chunk:
            room.take(len(chunk))
            yield chunk


class _Form:
    """Collects the parts of a form as the parser finds them."""

    def __init__(self) -> None:
        self.pictures: list[Sent] = []
        self.is_whole = False
        self._name: str | None = None
        self._part: str | None = None
        self._field, self._value = bytearray(), bytearray()
        self._data = bytearray()

    def callbacks(self) -> Any:
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._field.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header,
            "on_part_data": self._more,
            "on_part_end": self._end,
            "on_end": self._finish,
        }

    def _begin(self) -> None:
        if len(self.pictures) == MOST_PICTURES:
            raise RequestError(413, f"the request has more than {MOST_PICTURES} pictures: send fewer at a time")
        self._name, self._part, self._data = None, None, bytearray()

    def _header(self) -> None:
        if self._field.lower() == b"content-disposition":
            options = parse_options_header(bytes(self._value))[1]
            self._name, self._part = _text(options.get(b"filename")), _text(options.get(b"name"))
        self._field.clear()
        self._value.clear()

    def _more(self, data: bytes, start: int, end: int) -> None:
        if len(self._data) + end - start > MOST_BYTES:
            raise too_large()
        self._data += data[start:end]

    def _end(self) -> None:
        self.pictures.append(Sent(self._name, bytes(self._data), self._part))
        self._data = bytearray()

    def _finish(self) -> None:
        self.is_whole = True


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "replace")[:MOST_NAME]
