"""All connections of a server, by where they come from: no place shuts the others out.

Where there is no room, a connection that waits for its client makes some: the one that has waited longest, of the place
that has most. One whose request has come is never closed for another.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from eyespot.serve.clients import is_here

MOST_CONNECTIONS = 1000
MOST_OF_ONE = 250
"""Of a place that is neither this computer nor a proxy, which stand for many clients."""


class Connection(Protocol):
    """What the crowd asks of a connection."""

    def make_room(self) -> None:
        """Closes it."""


@dataclass(eq=False, slots=True)
class _Place:
    """Connections of one address."""

    count: int = 0
    waiting: OrderedDict[Connection, float] = field(default_factory=OrderedDict)
    """Those that wait for their client, and since when, in seconds of the clock: the longest first."""

    @property
    def since(self) -> float:
        return next(iter(self.waiting.values()))


class Crowd:
    """The connections. To be asked by the event loop's thread alone."""

    def __init__(self, proxies: frozenset[str] = frozenset(), *, clock: Callable[[], float] = time.monotonic) -> None:
        """proxies: places that may have as many connections as there are."""
        self.proxies = proxies
        self._clock = clock
        self._places: dict[str, _Place] = {}
        self._count = 0

    def enter(self, connection: Connection, name: str) -> bool:
        """Whether there is room for one more of this place, which waits for its client from now on."""
        place = self._places.setdefault(name, _Place())
        place.count += 1
        self._count += 1
        is_let_in = True
        if place.count > self._most_of(name):
            is_let_in = self._make_room([place])
        elif self._count > MOST_CONNECTIONS:
            is_let_in = self._make_room([each for each in self._places.values() if each.count >= place.count - 1])
        place.waiting[connection] = self._clock()
        return is_let_in

    def leave(self, connection: Connection, name: str) -> None:
        """Called once when the connection is closed, or will be in a moment."""
        place = self._places[name]
        place.count -= 1
        self._count -= 1
        place.waiting.pop(connection, None)
        if not place.count:
            del self._places[name]

    def waits(self, connection: Connection, name: str) -> None:
        """Called when the connection begins to wait for its client."""
        place = self._places[name]
        place.waiting[connection] = self._clock()
        place.waiting.move_to_end(connection)

    def works(self, connection: Connection, name: str) -> None:
        """Called when it does not any more."""
        self._places[name].waiting.pop(connection, None)

    def _most_of(self, name: str) -> int:
        return MOST_CONNECTIONS if name in self.proxies or is_here(name) else min(MOST_OF_ONE, MOST_CONNECTIONS)

    def _make_room(self, places: list[_Place]) -> bool:
        largest = max(
            (each for each in places if each.waiting), key=lambda each: (each.count, -each.since), default=None
        )
        if largest is None:
            return False
        next(iter(largest.waiting)).make_room()
        return True
