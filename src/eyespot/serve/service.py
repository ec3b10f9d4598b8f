"""What a server has: the model that it serves, the workers that answer, and what it counts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from eyespot import machine
from eyespot.bundle.files import AnyBundle, Naming, read_any_bundle
from eyespot.recipes.explain import Explainer
from eyespot.serve.batching import QUEUE, Batching
from eyespot.serve.bodies import Intake
from eyespot.serve.explaining import Explaining
from eyespot.serve.loading import loaded
from eyespot.serve.metrics import Metrics
from eyespot.serve.paint_query import SECONDS
from eyespot.serve.painting import ServedPainter
from eyespot.serve.painting_in_steps import InSteps, has_torch
from eyespot.serve.served import Served
from eyespot.version import VERSION


class Service:
    """A run that is being served."""

    def __init__(
        self,
        run: str | Path,
        *,
        queue: int = QUEUE,
        explain: Callable[[Naming], Explainer] | None = None,
        painter: ServedPainter | None = None,
    ) -> None:
        """explain: makes what explains the answers of a bundle that gives probabilities.
        painter: paints photos, where that is served, too.

        Raises BundleError if `run` holds no model that can be served.
        """
        self.run, self._explain = run, explain
        self.served = self.load(read_any_bundle(run))
        """Replaced as a whole: whoever answers takes it once."""
        self.name = self.served.bundle.manifest.name
        """Under which the model is served, whatever the name of a later one."""
        self.metrics = Metrics()
        self.intake = Intake()
        self.reading = asyncio.Lock()
        """Held while JSON is read: all else stands still meanwhile, and it takes many times its size."""
        self.batching = Batching(workers=machine.cores(), places=queue, observe=self.metrics.batch)
        self.explaining = Explaining()
        self.painter = painter
        self.finer = InSteps(count=lambda: self.metrics.painted("optimise")) if painter and has_torch() else None
        """What paints in steps, where that can be done."""

    def load(self, bundle: AnyBundle) -> Served[Any, Any]:
        """The bundle compiled and tried. Raises BundleError."""
        return loaded(bundle, self._explain)

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
        self.explaining.stop()
        if self.painter is not None:
            self.painter.stop()
        if self.finer is not None:
            self.finer.stop()
