"""What a server has: the model that it serves, the workers that answer, and what it counts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from eyespot import machine
from eyespot.bundle.files import AnyBundle, Naming, read_any_bundle
from eyespot.data.apart import Workers
from eyespot.data.apart_worker import Limits
from eyespot.data.decoding import apart
from eyespot.recipes.explain import Explainer
from eyespot.serve.batching import MORE_WORKERS, QUEUE, Batching
from eyespot.serve.bodies import Intake
from eyespot.serve.explaining import Explaining
from eyespot.serve.loading import loaded
from eyespot.serve.metrics import Metrics
from eyespot.serve.paint_query import SECONDS
from eyespot.serve.painting import ServedPainter
from eyespot.serve.painting_in_steps import InSteps, has_torch
from eyespot.serve.refusals import Busy
from eyespot.serve.served import Served
from eyespot.serve.turns import Turns
from eyespot.version import VERSION

DECODING = "eyespot.serve.decoding_child"
MEMORY = 5 * 2**28
"""Bytes of addresses that a process may have which decodes one picture: Python takes a tenth, a picture 400 MB."""
DEADLINE_SECONDS = 60.0
"""For a request's answer, once all of the request has come."""
READING_PLACES = 64
"""Bodies in JSON that may wait to be read."""


class Service:
    """A run that is being served."""

    def __init__(
        self,
        run: str | Path,
        *,
        queue: int = QUEUE,
        deadline: float = DEADLINE_SECONDS,
        explain: Callable[[Naming], Explainer] | None = None,
        painter: ServedPainter | None = None,
        decoding: Workers | None = None,
    ) -> None:
        """deadline: seconds for the answer to a request.
        explain: makes what explains the answers of a bundle that gives probabilities.
        painter: paints photos, where that is served, too.
        decoding: decode from now on what is no ordinary picture, as `decoding_processes` makes them; else this process
            decodes all.

        Raises BundleError if `run` holds no model that can be served.
        """
        self.run, self._deadline, self._explain = run, deadline, explain
        self.served = self.load(read_any_bundle(run))
        """Replaced as a whole: whoever answers takes it once."""
        self.name = self.served.bundle.manifest.name
        """Under which the model is served, whatever the name of a later one."""
        self.metrics = Metrics()
        self.intake = Intake()
        self.reading = Turns("eyespot-json", places=READING_PLACES)
        """Reads one JSON at a time: all else stands still meanwhile, and it takes many times its size."""
        workers = machine.cores() + MORE_WORKERS
        self.batching = Batching(workers=workers, places=queue, observe=self.metrics.batch)
        self._decoding = decoding
        if decoding is not None:
            decoding.on_slow = self.batching.relieve
            apart.use(decoding)
        self.explaining = Explaining()
        self.painter = painter
        self.finer = InSteps(count=lambda: self.metrics.painted("optimise")) if painter and has_torch() else None
        """What paints in steps, where that can be done."""

    def load(self, bundle: AnyBundle) -> Served[Any, Any]:
        """The bundle compiled and tried. Raises BundleError."""
        return loaded(bundle, self._explain)

    @asynccontextmanager
    async def in_time(self) -> AsyncIterator[None]:
        """Within it a request is answered, or given up when its time is over: then it raises RequestError."""
        try:
            async with asyncio.timeout(self._deadline):
                yield
        except TimeoutError:
            raise Busy(f"there was no answer within {self._deadline:g} s, and what was not begun is dropped") from None

    def described(self) -> dict[str, Any]:
        """What `GET /model` says."""
        said = {"name": self.name, **self.served.described(), "version": VERSION}
        if self.painter is None:
            return said
        return {**said, "paint": {"finer": self.finer is not None, "seconds": SECONDS}}

    def measured(self) -> bytes:
        """What `GET /metrics` says."""
        return self.metrics.text(queue=self.batching.taken, model=self.name, fingerprint=self.served.fingerprint)

    def end_long_work(self) -> None:
        """Ends what would go on for long, with what there is by then."""
        if self.finer is not None:
            self.finer.end()

    def stop(self) -> None:
        """Ends the workers, once all is answered."""
        self.batching.stop()
        self.reading.stop()
        self.explaining.stop()
        if self.painter is not None:
            self.painter.stop()
        if self.finer is not None:
            self.finer.stop()
        if self._decoding is not None:
            apart.release()
            self._decoding.stop()


def decoding_processes(seconds: float) -> Workers:
    """Processes that decode what strangers send: as many as it takes, up to one for each core and one to spare.

    seconds: that a picture may take; its process is ended then.
    """
    return Workers(DECODING, Limits(seconds, MEMORY), spare=machine.cores() + 1)
