"""A detector from prepared pictures: which images, how many views and steps, and the training."""

from __future__ import annotations

import time
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING

from eyespot.building.backbone import choose_backbone
from eyespot.data.store_values import key_of
from eyespot.detecting.maps import MapKeys, Mapped, maps_of
from eyespot.detecting.network import Detector, Finder, Maps, as_numbers, channels_of, from_numbers
from eyespot.detecting.places import Places, strides_for
from eyespot.detecting.prepare import PreparedBoxes
from eyespot.detecting.shape import LONG_SIDE, image_shape, shorter_sides
from eyespot.detecting.training import DetectorPlan, DetectorTraining
from eyespot.engine.compiled import compiled_folder
from eyespot.engine.from_torch import module_to_onnx
from eyespot.engine.gate import BOXES, SCORES
from eyespot.errors import StoreError
from eyespot.features.trunk import Trunk
from eyespot.records import Network, Preprocess
from eyespot.regimes.run_training import ended_note, run_training, seconds_per_step
from eyespot.runs.clock import Reason
from eyespot.runs.job import Job

if TYPE_CHECKING:
    from torch import nn

KEY = "detector"
"""Names the training among those of its run."""
VIEWS = 4000
"""Of all pictures together, that are kept; what finds rare small things is seeing them in many ways."""
MOST_VIEWS, FEWEST_VIEWS = 20, 2
"""Of a picture."""
STEPS = 1600
"""For 200 pictures; it grows with the cube root of their number, since more pictures have more to tell."""
AT_PICTURES = 200
FEWEST_STEPS = 300
FINISHING_SECONDS, FINISHING_SHARE = 8.0, 0.05
"""What measuring and the report take of a given time, about."""
MAPPING_SHARE = 0.35
"""Of a given time, that views may take."""
CAREFUL = 0.9
"""Of the steps that would fit, since other programs may take their share of the machine."""
TRUNK_BATCH = 4
"""Views that the trunk takes at a time: with 16 a run held 2.5 GB, and took no less time."""
TIMED_PICTURES = 24
VERSION = 1
"""Changes whenever the same pictures and options would come to another detector."""


@dataclass(frozen=True)
class FittedDetector:
    """A trained detector, as a graph."""

    graph: bytes
    preprocess: Preprocess
    network: Network
    places: Places
    plan: DetectorPlan
    views: int
    """Of each picture."""
    steps: int
    """That were done."""
    table: list[dict[str, float | int | bool]]
    """A row for each pass over all views."""
    prepared: PreparedBoxes
    """Without what could not be read."""
    views_computed: int
    notes: list[str]


def fit_detector(prepared: PreparedBoxes, job: Job) -> FittedDetector:
    """The trained detector. KeyboardInterrupt goes through where there is nothing yet to answer with."""
    body = _Body.of(prepared, job)
    plan, views = _decided(prepared, body, job)
    kept = KeptWeights(prepared, body, plan, views, job)
    detector = kept.found(body)
    if detector is not None:
        return body.fitted(detector, prepared, plan, views)
    mapped = maps_of(
        body.trunk,
        prepared.part("train"),
        views=views,
        store=job.store,
        folder=job.cache_folder,
        progress=lambda done, total: job.progress("computing features", done, total),
    )
    with closing(mapped.file):
        prepared = prepared.without(mapped.set_aside)
        plan = _within(plan, mapped, body, prepared, job)
        training = DetectorTraining(mapped, body.places, len(prepared.classes), plan, seed=job.options.seed)
        reason = run_training(training, job, key=KEY, reserve=_reserve(job), few=True)
    if reason == "whole" and not job.clock.is_set:
        kept.keep(training.averaged)
    return body.fitted(training.averaged, prepared, plan, views, mapped=mapped, training=training, reason=reason)


@dataclass(frozen=True)
class _Body:
    """What is decided by the pictures alone: the images, the maps that are looked at, and the trunk that gives them."""

    net: nn.Sequential
    trunk: Trunk
    places: Places

    @classmethod
    def of(cls, prepared: PreparedBoxes, job: Job) -> _Body:
        options = job.options
        image_hw = image_shape(prepared.part("train"), options.imgsz or LONG_SIDE)
        places = Places(image_hw, strides_for(shorter_sides(prepared.part("train"), image_hw)))
        backbone = choose_backbone("efficientnet_lite0", options.weights, levels=prepared.levels)
        preprocess = backbone.own_preprocess.model_copy(
            update={"short_side": max(image_hw), "crop_hw": image_hw, "fit": "letterbox"}
        )
        net = backbone.built(job.cache_folder).eval()
        trunk = Trunk(
            module_to_onnx(Maps(net, places.strides), preprocess, outputs=[f"map{each}" for each in places.strides]),
            network=Network(name=backbone.network),
            preprocess=preprocess,
            precision=job.precision,
            folder=compiled_folder(job.cache_folder),
            batch=TRUNK_BATCH,
        )
        return cls(net, trunk, places)

    def fitted(
        self,
        detector: Detector,
        prepared: PreparedBoxes,
        plan: DetectorPlan,
        views: int,
        *,
        mapped: Mapped | None = None,
        training: DetectorTraining | None = None,
        reason: Reason = "whole",
    ) -> FittedDetector:
        """mapped, training: None where the weights were kept by an earlier run."""
        finder = Finder(Maps(self.net, self.places.strides), detector, self.places)
        notes = [*(mapped.notes if mapped else ())]
        if training:
            notes += [*training.notes, *ended_note(reason, training)]
        else:
            notes.append("these pictures and boxes were trained on before with these options: its weights were kept")
        return FittedDetector(
            graph=module_to_onnx(finder, self.trunk.preprocess, outputs=(BOXES, SCORES)),
            preprocess=self.trunk.preprocess,
            network=self.trunk.network,
            places=self.places,
            plan=plan,
            views=views,
            steps=training.step if training else plan.steps,
            table=[{"epoch": each.number, "train_loss": each.train_loss} for each in training.epochs]
            if training
            else [],
            prepared=prepared,
            views_computed=mapped.computed if mapped else 0,
            notes=notes,
        )


def _decided(prepared: PreparedBoxes, body: _Body, job: Job) -> tuple[DetectorPlan, int]:
    """How to train where there is no clock, and how many views of each picture are kept."""
    options, count = job.options, len(prepared.part("train"))
    batch = options.batch or DetectorPlan.batch
    steps = max(FEWEST_STEPS, round(STEPS * (count / AT_PICTURES) ** (1 / 3)))
    if options.epochs is not None:
        steps = max(1, -(-options.epochs * count // batch))
    plan = DetectorPlan(
        steps=steps,
        batch=batch,
        lr=options.lr if options.lr is not None else DetectorPlan.lr,
        weight_decay=DetectorPlan.weight_decay if options.weight_decay is None else options.weight_decay,
        average=DetectorPlan.average if options.average is None else options.average,
    )
    views = options.views or min(MOST_VIEWS, max(FEWEST_VIEWS, round(VIEWS / count)))
    if options.views is None and job.clock.is_set:
        views = job.clock.decide(f"{KEY}: views", lambda: _views_in_time(prepared, body, job, most=views))
    return plan, views


def _views_in_time(prepared: PreparedBoxes, body: _Body, job: Job, *, most: int) -> int:
    """As many views as a third of the time that is left allows, by what the first pictures take; these are kept."""
    some = prepared.part("train")[:TIMED_PICTURES]
    _ = body.trunk.engine  # compiled before the clock is read
    began = time.perf_counter()
    timed = maps_of(
        body.trunk, some, views=1, store=job.store, folder=job.cache_folder, progress=lambda done, total: None
    )
    timed.file.close()
    seconds = (time.perf_counter() - began) / max(1, timed.computed or len(some))
    allowed = (job.clock.remaining - _reserve(job)) * MAPPING_SHARE / max(seconds, 1e-6)
    return max(1, min(most, int(allowed / len(prepared.part("train")))))


def _within(plan: DetectorPlan, mapped: Mapped, body: _Body, prepared: PreparedBoxes, job: Job) -> DetectorPlan:
    """The plan with as many steps as the time that is left allows, by what a few take; without a clock, as it is."""
    if not job.clock.is_set:
        return plan

    def steps() -> int:
        def make() -> DetectorTraining:
            return DetectorTraining(mapped, body.places, len(prepared.classes), plan, seed=job.options.seed)

        seconds = seconds_per_step(make, few=True)
        return max(FEWEST_STEPS // 10, int((job.clock.remaining - _reserve(job)) / seconds * CAREFUL))

    return replace(plan, steps=job.clock.decide(f"{KEY}: steps", steps))


def _reserve(job: Job) -> float:
    """Seconds for what comes after the training."""
    return FINISHING_SECONDS + FINISHING_SHARE * (job.options.time or 0.0)


class KeptWeights:
    """The weights of a training that went to its end, in the store: the same one need not be done again."""

    def __init__(self, prepared: PreparedBoxes, body: _Body, plan: DetectorPlan, views: int, job: Job) -> None:
        self._job, self._classes = job, len(prepared.classes)
        self._key = key_of(
            kind="detector",
            version=VERSION,
            maps=MapKeys.of(body.trunk).shared,
            data=prepared.fingerprint,
            split=[each.content for each in prepared.part("train")],
            strides=list(body.places.strides),
            views=views,
            plan=asdict(plan),
            seed=job.options.seed,
            torch=version("torch"),
        )

    def found(self, body: _Body) -> Detector | None:
        """The trained network; None where it was not kept, or where a clock decides."""
        if self._job.store is None or self._job.clock.is_set:
            return None
        try:
            values = self._job.store.get([self._key]).get(self._key)
        except StoreError:
            return None
        if values is None:
            return None
        return from_numbers(values, channels_of(body.net, body.places.strides), self._classes)

    def keep(self, detector: Detector) -> None:
        if self._job.store is not None:
            with suppress(StoreError):  # the next run trains again
                self._job.store.put({self._key: as_numbers(detector)})
