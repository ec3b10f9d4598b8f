"""What a server has: the model that it serves, the workers that answer, and what it counts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import eyespot
from eyespot import machine
from eyespot.bundle.answering import Answering
from eyespot.bundle.files import Bundle, read_bundle
from eyespot.bundle.run import Classifier
from eyespot.engine.compiled import compiled_folder
from eyespot.serve.batching import Batching
from eyespot.serve.bodies import Intake
from eyespot.serve.served import Served

QUEUE = 256
"""Pictures that may wait or be worked on; beyond, clients are asked to come back."""


class Explain(Protocol):
    """Says why a bundle answers as it does. Called from a thread; may take long."""

    heat_map: bool
    """True where it can draw heat maps."""
    similar: bool
    """True where it knows training pictures."""

    def __call__(self, picture: bytes, class_name: str, *, heat_map: bool, similar: int) -> dict[str, Any]:
        """The entries `heat_map` and `similar` of the picture's answer, as far as they are asked for."""
        ...


class Service:
    """A run that is being served."""

    def __init__(
        self,
        run: str | Path,
        *,
        queue: int = QUEUE,
        explain: Callable[[Bundle], Explain] | None = None,
    ) -> None:
        """explain: makes what explains the answers of a bundle.

        Raises BundleError where `run` holds no model that can be served.
        """
        self.run = run
        self._explain = explain
        self.served = self.load()
        self.explain = self._explained()
        self.name = self.served.bundle.manifest.name
        """Under which the model is served, whatever the name of a later one."""
        self.intake = Intake()
        self.batching = Batching(workers=machine.cores(), places=queue)

    def load(self) -> Served:
        """The run's bundle as it is on disk now, compiled and tried. Raises BundleError."""
        bundle = read_bundle(self.run)
        classifier = Classifier(bundle, cache_folder=compiled_folder(machine.cache_folder()))
        return Served.of(bundle, Answering(classifier))

    def described(self) -> dict[str, Any]:
        """What `GET /model` says."""
        return {
            "name": self.name,
            **self.served.described(),
            "heat_map": bool(self.explain and self.explain.heat_map),
            "similar": bool(self.explain and self.explain.similar),
            "version": eyespot.__version__,
        }

    def stop(self) -> None:
        """Ends the workers, once all is answered."""
        self.batching.stop()

    def _explained(self) -> Explain | None:
        return self._explain(self.served.bundle) if self._explain else None
