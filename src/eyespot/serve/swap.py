"""Another bundle in the served one's place is served from then on; one that cannot be served changes nothing.

A request ends on the model it began with. The watcher compares what the file system says of the bundle's files, about
each second, and reads them once nothing has changed between two looks: a bundle that is being copied is waited for. A
new one is tried in a process of its own first (`trial`): one that hangs there, or takes all memory, hurts nobody.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from eyespot.bundle.files import GRAPH, MANIFEST, AnyBundle, find_bundle, notes_on, read_any_bundle
from eyespot.errors import EyespotError
from eyespot.files import from_home
from eyespot.serve.refusals import show_mistake
from eyespot.serve.service import Service
from eyespot.serve.trial import tried

LOOK_SECONDS = 0.5

State = tuple[tuple[int, int, int], ...]
"""Of each file of a bundle: its number on the disk, its time and its size."""


class Watcher:
    """A thread that looks at the served run's files."""

    def __init__(
        self,
        service: Service,
        *,
        say: Callable[[str], None],
        look_seconds: float = LOOK_SECONDS,
        try_first: Callable[[AnyBundle], None] | None = None,
    ) -> None:
        """say: told in a sentence of each bundle that takes the served one's place, or cannot.
        try_first: raises BundleError for a bundle that is not to be loaded here; by default after trying it elsewhere.
        """
        self._service, self._say, self._look_seconds = service, say, look_seconds
        self._try_first = try_first or (lambda bundle: tried(bundle, stopped=self._stopped))
        self._known: State | None = None
        self._seen = state_of(service.run)
        self._asked, self._stopped = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._watch, name="eyespot-watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._asked.set()
        if self._thread.is_alive():
            self._thread.join()

    def look_now(self) -> None:
        """Has the files read again, whether they seem changed or not. May be called by a signal's handler."""
        self._asked.set()

    def look(self, *, again: bool = False) -> None:
        """Serves what lies there, where it has changed and is at rest.

        again: reads it in any case.
        """
        before, self._seen = self._seen, state_of(self._service.run)
        is_new = self._seen is not None and self._seen != self._known and self._seen == before
        if is_new or again:
            self._known = self._seen
            self._replace()

    def _watch(self) -> None:
        while not self._stopped.is_set():
            was_asked = self._asked.wait(self._look_seconds)
            self._asked.clear()
            if not self._stopped.is_set():
                self._look_on(again=was_asked)

    def _look_on(self, *, again: bool) -> None:
        """Looks, and goes on whatever happens: nobody may read any more what is said."""
        try:
            self.look(again=again)
        except Exception:
            show_mistake()

    def _replace(self) -> None:
        """Serves the bundle on disk, if it is another than the served one and answers."""
        service = self._service
        try:
            bundle = read_any_bundle(service.run)
            if bundle.manifest == service.served.bundle.manifest:
                return
            self._try_first(bundle)
            service.served = service.load(bundle)
        except EyespotError as error:
            if not self._stopped.is_set():  # which ends a trial, too
                self._refused(str(error))
        except Exception:
            show_mistake()
            self._refused("it failed")
        else:
            service.metrics.swap(kept=True)
            self._say(f"Serving     another model, {service.served.fingerprint}")
            for note in notes_on(bundle):
                self._say(f"Note        {note}")

    def _refused(self, reason: str) -> None:
        self._service.metrics.swap(kept=False)
        self._say(f"Refused     a new model: {reason}. The one before is still served")


def state_of(run: str | Path) -> State | None:
    """What changes with the files of the bundle that `run` leads to; None if there is none at the moment."""
    try:
        folder = find_bundle(from_home(run))
        if folder is None:
            return None
        states = [(folder / name).stat() for name in (MANIFEST, GRAPH)]
    except OSError:
        return None
    return tuple((each.st_ino, each.st_mtime_ns, each.st_size) for each in states)
