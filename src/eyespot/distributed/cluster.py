"""A Ray cluster, whose machines compute for this one.

Ray places the work and does again what a machine that ended had not done. This process alone reads pictures, sends
their bytes, and takes what comes back in order, so nothing but it needs the pictures, and nothing but it writes. Only a
few batches for each core are on the way at a time: they bound the memory. Without a cluster Ray is never imported.

These are Ray's tasks, which Ray Data consists of. Ray Data itself reads with tasks of its own, so it cannot take what
only this process has: pictures in an open archive, in a table, or handed over by a program.
"""

from __future__ import annotations

import platform
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.util import find_spec
from itertools import islice
from typing import Any, TypeVar

from eyespot.distributed.joining import AUTO, JOIN_SECONDS, joined
from eyespot.errors import EyespotError, MachineError, MissingExtra, OptionError

AHEAD = 3
"""Batches on the way for each core: one is computed, others are sent meanwhile."""
S = TypeVar("S")
T = TypeVar("T")
R = TypeVar("R")

Make = Callable[[S], Callable[[T], R]]
"""Called once in each process of the cluster, with what all batches share; what comes out, with each batch."""


@dataclass(frozen=True)
class Cluster:
    """Where it is: `auto`, or the address of its head, HOST:PORT."""

    address: str
    joining: Future[Any] | None = field(default=None, compare=False, repr=False)
    """Gives Ray, joined to it; None where it is joined when it is needed."""

    def stream(self, make: Make[S, T, R], shared: S, batches: Iterable[T]) -> Iterator[R]:
        """What `make(shared)` returns for each batch, in order, computed by any core that is free.

        make: a function or class of this package. batches: taken as cores become free.
        Raises MachineError where the cluster cannot be joined, has no core, or a machine
        of it cannot do the work.
        """
        ray = self._ray()
        cores = _cores(ray)
        if not cores:
            raise MachineError(
                f"the cluster at {self.address} has no core to compute on: start a node of it with --num-cpus"
            )
        remote = ray.remote(num_cpus=1, max_retries=-1, scheduling_strategy="SPREAD")(_work)
        kept, source, waiting = [ray.put(shared)], iter(batches), deque[Any]()
        try:
            waiting.extend(remote.remote(make, kept, each) for each in islice(source, AHEAD * cores))
            while waiting:
                result = _result(ray, waiting.popleft(), self.address)
                waiting.extend(remote.remote(make, kept, each) for each in islice(source, 1))
                yield result
        finally:
            for each in waiting:
                ray.cancel(each)

    def _ray(self) -> Any:
        """Joined to it, which may take as long as trying to and then doing so."""
        try:
            return self.joining.result(2 * JOIN_SECONDS) if self.joining else joined(self.address)
        except Late:
            raise MachineError(
                f"the cluster at {self.address} did not answer within {2 * JOIN_SECONDS:g} s: look at its head by ray "
                "status, or leave --cluster out"
            ) from None


def cluster_at(address: str | None, *, first: Callable[[], object]) -> Cluster | None:
    """The cluster at an address, which a thread joins meanwhile; None for none.

    first: what each of its cores does before it is asked, a function of this package: imports take seconds.
    Raises OptionError for what is no address, MissingExtra without Ray.
    """
    if address is None:
        return None
    host, _, port = address.rpartition(":")
    if address != AUTO and not (host and "/" not in host and port.isdecimal() and 0 < int(port) < 2**16):
        raise OptionError(
            f"the option cluster cannot be {address!r}: give auto, or the address of a Ray cluster's head, such as "
            "192.0.2.7:6379"
        )
    if find_spec("ray") is None:
        raise MissingExtra("a cluster", extra="ray", otherwise="without --cluster this machine computes")
    return Cluster(address, _joining(address, first))


def _joining(address: str, first: Callable[[], object]) -> Future[Any]:
    found: Future[Any] = Future()

    def join() -> None:
        try:
            ray = joined(address)
            found.set_result(ray)
        except BaseException as error:
            found.set_exception(error)
            return
        with suppress(Exception):  # whoever needs the cluster is told
            begin = ray.remote(num_cpus=1, scheduling_strategy="SPREAD")(first)
            for _ in range(_cores(ray)):
                begin.remote()

    threading.Thread(target=join, name="eyespot-cluster", daemon=True).start()  # nobody waits who needs it no longer
    return found


def _cores(ray: Any) -> int:
    return int(ray.cluster_resources().get("CPU", 0))


@dataclass(frozen=True)
class _Refused:
    """Why a machine cannot do the work."""

    machine: str
    why: str


def _work(make: Make[S, T, R], kept: list[Any], batch: T) -> R | _Refused:
    """Runs in the cluster's processes. kept: what holds the shared value, in a list, so that Ray does not copy it."""
    try:
        answer: R = _made(make, kept[0])(batch)
        return answer
    except EyespotError as error:
        return _Refused(platform.node(), str(error))


@lru_cache(maxsize=1)
def _made(make: Make[S, T, R], shared: Any) -> Callable[[T], R]:
    import ray

    return make(ray.get(shared))


def _result(ray: Any, task: Any, address: str) -> Any:
    try:
        result = ray.get(task)
    except ray.exceptions.RayError as error:
        why = str(error.cause if isinstance(error, ray.exceptions.RayTaskError) else error).strip().splitlines()
        raise MachineError(
            f"the cluster at {address} cannot do the work: {why[-1] if why else type(error).__name__}; every machine "
            "of it needs the same eyespot as this one, in the environment from which Ray was started"
        ) from error
    if isinstance(result, _Refused):
        raise MachineError(f"the machine {result.machine} of the cluster cannot do the work: {result.why}")
    return result
