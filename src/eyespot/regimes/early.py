"""The default network, made ready by a thread of its own while the pictures are still being read."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from eyespot import machine
from eyespot.augmenting.augmentation import SMALL_SIDE
from eyespot.building.backbone import DEFAULT, Backbone, choose_precision
from eyespot.data.data_set import DataSet
from eyespot.data.pictures import is_small_and_gray
from eyespot.features.trunk import Trunk
from eyespot.regimes.series import with_signer
from eyespot.runs.job import Job
from eyespot.runs.options import TrainOptions

Make = Callable[[Backbone, Job], Trunk]
"""Gives the trunk of a backbone, with its signer. Errors as of `Backbone.trunk`."""


class _Early:
    """A trunk whose graph is being compiled: what a training of photos by default begins with."""

    def __init__(self, options: TrainOptions) -> None:
        self._options, self._cache_folder = options, machine.cache_folder()
        self._backbone = replace(DEFAULT, size=options.imgsz)
        thread = ThreadPoolExecutor(1)
        self._made = thread.submit(self._make)
        thread.shutdown(wait=False)

    def trunk(self, backbone: Backbone, job: Job) -> Trunk:
        """The one that was begun, where it is that of the backbone, else a new one."""
        if not self._made.done():
            job.progress("making the network ready", 0, 1)
        if backbone == self._backbone and job.cache_folder == self._cache_folder and self._made.exception() is None:
            found = self._made.result()
            if found.precision == job.precision:
                return found
        return made(backbone, job)

    def _make(self) -> Trunk:
        options = self._options
        plain = self._backbone.trunk(self._cache_folder, choose_precision(options.precision))
        trunk = with_signer(plain, self._backbone, options)
        _ = trunk.engine
        return trunk


def made(backbone: Backbone, job: Job) -> Trunk:
    """The trunk of a backbone, with its signer; its engine is compiled when it is needed."""
    return with_signer(backbone.trunk(job.cache_folder, job.precision, job.progress), backbone, job.options)


def begun(data_set: DataSet, options: TrainOptions) -> Make:
    """What a training with these options probably needs is begun where that is the default network; gives any."""
    if options.model not in ("auto", DEFAULT.network) or options.weights or options.own or options.regime == "scratch":
        return made
    if options.model == "auto" and _looks_small_and_gray(data_set):
        return made
    return _Early(options).trunk


def _looks_small_and_gray(data_set: DataSet) -> bool:
    """By its first picture: all of them are looked at later."""
    try:
        first = next(iter(data_set.pictures)).read()
    except (OSError, StopIteration):
        return True
    return is_small_and_gray(first, most_side=SMALL_SIDE) is not False
