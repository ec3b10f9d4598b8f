"""Pictures to answers on all cores, for many requests at once, with a bounded queue.

Workers, of which there are more than cores, take whatever can be done next: a picture to decode, or images to run
through the engine. Files of several clients are decoded in turn, and fewer than half of the workers decode large ones:
others find a worker.
Nothing waits for company: images that are there when a worker turns to the engine go together, up to as many as are
worth it, and a lone picture is decoded and answered by one worker without a stop. Where images are worth answering
together, files that wait are decoded first, unless an image would wait for longer than a run of the engine takes.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from functools import partial
from itertools import takewhile
from typing import Any

import numpy as np

from eyespot.bundle.many_threads import SHORT_SECONDS
from eyespot.data.framed import Framed
from eyespot.errors import RequestError
from eyespot.serve.asked_pictures import Asked, Work
from eyespot.serve.costs import LARGE, cost_of
from eyespot.serve.fair_queue import FairQueue
from eyespot.serve.idle import Idle
from eyespot.serve.refusals import Busy, OurMistake, show_mistake
from eyespot.serve.served import Answer, Served
from eyespot.words import counted

QUEUE = 256
"""Pictures that may wait or be worked on; beyond, clients are asked to come back."""
MORE_WORKERS = 2
"""More than cores: one that waits for Python's lock leaves its core to another. 2 cores answer a seventh more so."""
WAIT_SECONDS = SHORT_SECONDS
"""For which files are decoded before an image that could be answered: it waits for the file at hand, not for many."""
MOST_SLOW = 4
"""Pictures of one client that decode slowly at a time: it waits with its others, and nobody else does."""
MOST_RELIEVED = 16
"""Workers that may wait for pictures that decode slowly while others do their work."""
JOIN_SECONDS = 5.0
"""For the workers to end. By then all is answered, or nobody waits any more: a worker may hang in a decoder."""


class Batching:
    """The workers and their queue."""

    def __init__(
        self,
        *,
        workers: int,
        places: int,
        observe: Callable[[int], None] = lambda size: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """workers: MORE_WORKERS more than cores are fastest; one does everything in order.
        places: pictures that may wait or be worked on at a time.
        observe: told the size of each batch that goes through an engine.
        clock: seconds.
        """
        self.places = places
        self._observe, self._clock = observe, clock
        self._files: FairQueue[Work] = FairQueue()
        self._images: deque[Work] = deque()
        self._taken = 0
        self._large, self._most_large = 0, max(1, (workers - 1) // 2)
        self._stopped = False
        self._lock = threading.Lock()
        self._idle = Idle(self._lock)
        self._threads: dict[int, threading.Thread] = {}
        """Those that work, by their numbers."""
        self._relieved: dict[int, threading.Thread] = {}
        """Those whose work others do: each ends with what it is at."""
        self._decoded_by: dict[int, Work] = {}
        """What each thread decodes."""
        self._slow: Counter[str] = Counter()
        """How many pictures of each client decode slowly."""
        for _ in range(workers):
            self._start()

    @property
    def taken(self) -> int:
        """Pictures that wait or are being worked on."""
        return self._taken

    @property
    def is_full(self) -> bool:
        """True if no place is free."""
        return self._taken >= self.places

    def has_room(self, client: str) -> bool:
        """Whether a picture of this client is taken: there is a free place, or another client has too many."""
        with self._lock:
            return not self.is_full or self._files.too_much(client, 1) is not None

    async def answers(
        self, pictures: Sequence[bytes | np.ndarray], served: Served[Any, Any], wanted: Any = None, client: str = ""
    ) -> list[Answer | RequestError]:
        """The answer to each picture (a file, or an image (H, W, C)), or why it has none. Raises RequestError.

        Pictures that nobody has begun are forgotten where this is cancelled.

        wanted: options that `served.asked` gave; None for those of a request that names none. client: who asks.
        """
        wanted = served.asked([]) if wanted is None else wanted
        if len(pictures) > self.places:
            raise RequestError(413, f"the server takes {counted(self.places, 'picture')} at a time: send fewer")
        asked = Asked(len(pictures), client, asyncio.get_running_loop())
        costs = [cost_of(picture) for picture in pictures]
        with self._lock:
            while self._taken + len(pictures) > self.places:
                self._crowd_out(asked, len(pictures))
            self._taken += len(pictures)
            for place, (picture, cost) in enumerate(zip(pictures, costs, strict=True)):
                self._files.put(client, Work(picture, served, wanted, place, asked, cost >= LARGE), cost)
            self._idle.call(len(pictures))
        try:
            await asked.future
        except asyncio.CancelledError:
            self._forget(asked)
            raise
        return [each for each in asked.answers if each is not None]

    def stop(self) -> None:
        """Ends the workers, once all that they took is answered; one that takes too long ends with the process."""
        with self._lock:
            self._stopped = True
            self._idle.call_all()
            threads = [*self._threads.values(), *self._relieved.values()]
        deadline = time.monotonic() + JOIN_SECONDS
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def relieve(self, number: int) -> None:
        """Has another worker do the work of one that waits for a slow decoder. number: of its thread; or another's."""
        with self._lock:
            work = self._decoded_by.get(number)
            if work is None or self._stopped or len(self._relieved) == MOST_RELIEVED:
                return
            self._relieved[number] = self._threads.pop(number)
            self._slow[work.asked.client] += 1
            self._end_large(work)
        self._start()

    def _start(self) -> None:
        thread = threading.Thread(target=self._work, name="eyespot-work", daemon=True)
        with self._lock:
            thread.start()
            assert thread.ident is not None
            self._threads[thread.ident] = thread

    def _work(self) -> None:
        while task := self._next():
            task()
            if threading.get_ident() in self._relieved:
                with self._lock:
                    del self._relieved[threading.get_ident()]
                return

    def _next(self) -> Callable[[], None] | None:
        """What is to be done next, as soon as there is something; None at the end."""
        with self._lock:
            while True:
                file = None if self._images_are_due() else self._files.take(self._may_begin)
                if file is not None:
                    self._large += file.is_large
                    return partial(self._begin, file)
                if self._images:
                    return partial(self._answer, self._take_batch(), is_alone=self._taken == 1)
                if self._stopped and not self._files:
                    return None
                self._idle.wait()

    def _may_begin(self, work: Work) -> bool:
        is_free = not work.is_large or self._large < self._most_large
        return is_free and self._slow[work.asked.client] < MOST_SLOW

    def _begin(self, work: Work) -> None:
        number = threading.get_ident()
        self._decoded_by[number] = work
        try:
            self._decode(work)
        finally:
            with self._lock:
                del self._decoded_by[number]
                if number in self._relieved:
                    self._slow -= Counter([work.asked.client])
                    self._idle.call_all()
                self._end_large(work)

    def _end_large(self, work: Work) -> None:
        if work.is_large:
            work.is_large = False
            self._large -= 1
            self._idle.call_all()  # others may wait for this alone

    def _crowd_out(self, asked: Asked, count: int) -> None:
        """Gives up the newest request of the client who has most. Raises Busy where nobody has much more than this."""
        found = self._files.too_much(asked.client, count)
        if found is None:
            raise Busy
        self._forget_waiting(found[1].asked)
        found[1].asked.give_up()

    def _forget(self, asked: Asked) -> None:
        with self._lock:
            self._forget_waiting(asked)
            self._idle.call_all()  # they may have been the last

    def _forget_waiting(self, asked: Asked) -> None:
        self._taken -= len(self._files.remove(asked.client, lambda work: work.asked is asked))

    def _images_are_due(self) -> bool:
        """True if there are images, and they should wait for no file any more."""
        if not self._images:
            return False
        first = self._images[0]
        return len(self._images) >= first.served.answering.most or self._clock() - first.since >= WAIT_SECONDS

    def _take_batch(self) -> list[Work]:
        """The images that wait for the same model as the first does, as many as are worth it."""
        served = self._images[0].served
        waiting = takewhile(lambda work: work.served is served, self._images)
        batch = [work for work, _ in zip(waiting, range(served.answering.most), strict=False)]
        for _ in batch:
            self._images.popleft()
        return batch

    def _decode(self, work: Work) -> None:
        try:
            work.image = _image(work.picture, work.served)
        except RequestError as error:
            self._done([work], [_alone(error)])
        except Exception:
            self._done([work], [_failed()])
        else:
            with self._lock:
                work.since = self._clock()
                self._images.append(work)

    def _answer(self, batch: list[Work], *, is_alone: bool) -> None:
        images = [work.image for work in batch if work.image is not None]
        try:
            answers = batch[0].served.answers(images, [work.wanted for work in batch], alone=is_alone)
        except Exception:
            self._done(batch, [_failed()] * len(batch))
            return
        self._observe(len(batch))
        self._done(batch, answers)

    def _done(self, batch: Sequence[Work], answers: Sequence[Answer | RequestError]) -> None:
        with self._lock:
            self._taken -= len(batch)
        for work, answer in zip(batch, answers, strict=True):
            work.asked.put(work.place, answer)


def _image(picture: bytes | np.ndarray, served: Served[Any, Any]) -> Framed:
    if isinstance(picture, bytes):
        return served.read(picture)
    height, width = picture.shape[:2]
    return Framed(picture, (height, width), (height, width))


def _alone(error: RequestError) -> RequestError:
    """The error without what led to it, which holds the picture until Python looks for circles: too seldom."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def _failed() -> RequestError:
    """What is told of our own mistake, which the log shows."""
    show_mistake()
    return OurMistake()
