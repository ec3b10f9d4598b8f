"""A queue in which each client has its turn, however much another one sends: deficit round robin.

After M. Shreedhar and G. Varghese, "Efficient Fair Queuing using Deficit Round Robin", SIGCOMM 1995.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")
QUANTUM = 2_000_000
"""What a client may spend in each round, in the unit of costs; what it saves it spends in a later one."""
MUCH_MORE = 2
"""So many times what another one would have, a client has too much where there is no room."""


@dataclass(slots=True)
class _Line(Generic[Item]):
    """What waits for one client, in its order."""

    items: deque[tuple[Item, int]] = field(default_factory=deque)
    deficit: int = QUANTUM


class FairQueue(Generic[Item]):
    """Items of clients. To be held by one thread at a time."""

    def __init__(self) -> None:
        self._lines: OrderedDict[str, _Line[Item]] = OrderedDict()
        """The first is whose turn it is."""
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def put(self, client: str, item: Item, cost: int = QUANTUM) -> None:
        """Adds an item behind those of the same client.

        cost: at least 0, in any unit of which QUANTUM is enough for most items.
        """
        line = self._lines.get(client)
        if line is None:
            line = self._lines[client] = _Line()
        line.items.append((item, cost))
        self._count += 1

    def take(self, may: Callable[[Item], bool] = lambda item: True) -> Item | None:
        """The next item; None where there is none that may be taken.

        may: whether an item may be taken now; one that may not is passed over by those of its client that may.
        """
        passed_over = 0
        while passed_over < len(self._lines):
            client, line = next(iter(self._lines.items()))
            place = next((number for number, (item, _) in enumerate(line.items) if may(item)), None)
            if place is not None:
                item, cost = line.items[place]
                if cost <= line.deficit or len(self._lines) == 1:
                    line.deficit = max(0, line.deficit - cost)
                    del line.items[place]
                    self._taken_from(client, line, 1)
                    return item
                line.deficit += QUANTUM
            passed_over = passed_over + 1 if place is None else 0
            self._lines.move_to_end(client)
        return None

    def remove(self, client: str, is_unwanted: Callable[[Item], bool]) -> list[Item]:
        """Takes those of a client's items out that nobody wants any more."""
        line = self._lines.get(client)
        if line is None:
            return []
        removed = [item for item, _ in line.items if is_unwanted(item)]
        line.items = deque((item, cost) for item, cost in line.items if not is_unwanted(item))
        self._taken_from(client, line, len(removed))
        return removed

    def too_much(self, client: str, count: int) -> tuple[str, Item] | None:
        """The client who has most, and its newest item, where that client has much more than this one would have.

        count: what this client would add.
        """
        if not self._lines:
            return None
        largest, line = max(self._lines.items(), key=lambda each: len(each[1].items))
        own = len(self._lines[client].items) if client in self._lines else 0
        return (largest, line.items[-1][0]) if len(line.items) >= MUCH_MORE * (own + count) else None

    def _taken_from(self, client: str, line: _Line[Item], count: int) -> None:
        self._count -= count
        if not line.items:
            del self._lines[client]
