"""The partial regime: what lies below the cut stays frozen and runs once; what lies above trains on what it gave."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from eyespot.augmenting import augmentation as presets
from eyespot.augmenting.augmentation import describe
from eyespot.building.backbone import Backbone
from eyespot.building.surgery import with_head
from eyespot.data.copies import Hashed
from eyespot.distributed.world import broadcast
from eyespot.errors import OptionError
from eyespot.features.embed import Embedded, embed, require_room_for
from eyespot.features.stored import Stored
from eyespot.features.trunk import Trunk
from eyespot.features.views import AnyView, Drawn, choose_views
from eyespot.records import Network, Part
from eyespot.regimes.cuts import below_cut, parted
from eyespot.regimes.fitted import Fitted
from eyespot.regimes.learned import Attempt, Lesson, Tuning, training_of
from eyespot.regimes.on_images import statistics_stay
from eyespot.regimes.plans import MOST_FOR_FEW, NEW_TAIL, PARTIAL, Defaults, for_so_many
from eyespot.regimes.run_training import TIMED_STEPS, Cost, seconds_per_step
from eyespot.runs.job import Job
from eyespot.words import counted

if TYPE_CHECKING:
    from torch import nn

    from eyespot.training.examples import ViewExamples
    from eyespot.training.loop import Training

TIMED_PICTURES = 192
"""Enough that what the first ones wait for is no matter; their activations are kept."""


@dataclass(frozen=True)
class Cut:
    """A network in two parts."""

    stage: str
    """The last frozen one."""
    trunk: nn.Sequential
    tail: nn.Sequential
    network: Network
    is_new: bool
    """True where the tail's layers begin at random."""
    defaults: Defaults

    @property
    def key(self) -> str:
        return f"partial {self.stage}"

    def below(self, frozen: Fitted, job: Job) -> Trunk:
        """What lies below the cut, in the engine."""
        return below_cut(self.trunk, self.network, frozen.trunk.preprocess, job)


def partial_attempts(frozen: Fitted, backbone: Backbone, stages: Sequence[str], job: Job) -> Iterator[Attempt]:
    """Trainings of what lies after each of these stages, each made when it is asked for.

    frozen: fitted only on the train part. All share one network, which begins with its head, or with the new tail
    that was asked for. Raises OptionError for a cut that is not there, or where the new tail does not fit.
    """
    net = with_head(backbone.built(job.cache_folder), frozen.head).eval()
    defaults = for_so_many(PARTIAL, frozen.trained_on, most=MOST_FOR_FEW["partial"])
    is_new = job.options.replace_tail is not None
    for stage in stages:
        trunk, tail = parted(net, stage)
        network = frozen.trunk.network
        if is_new:
            network = network.model_copy(update={"cut": stage, "tail": job.options.replace_tail})
            tail = _new_tail(trunk, frozen, job)
        cut = Cut(stage, trunk, tail, network, is_new=is_new, defaults=NEW_TAIL if is_new else defaults)
        yield Attempt(
            cut.key, cut.defaults, cost=partial(_cost, frozen, cut, job), prepare=partial(_tuning, frozen, cut, job)
        )


def _tuning(frozen: Fitted, cut: Cut, job: Job, defaults: Defaults) -> Tuning:
    """Training of what lies after the cut, with the activations at the cut computed and kept."""
    from eyespot.blocks import join

    prepared, below = frozen.prepared, cut.below(frozen, job)
    ordered = sorted(prepared.part("train"), key=lambda each: each.content)  # so that file names decide nothing
    views = _views(frozen, job)
    require_room_for(below, len(views) * len(ordered))  # before any is computed
    seen = _embedded(below, ordered, views, job)
    validation = _embedded(below, prepared.part("val"), ("identity",), job)
    return Tuning(
        key=cut.key,
        lesson=_lesson(cut, seen, validation, views, frozen),
        make=lambda: _training(
            cut,
            _examples(seen, frozen, job),
            _examples(validation, frozen, job) if validation.pictures else None,
            frozen,
            job,
            defaults,
        ),
        whole=lambda tail: join(cut.trunk, tail),
    )


def _cost(frozen: Fitted, cut: Cut, job: Job) -> Cost:
    """What the partial regime would take: of a few pictures, whose activations are kept, and of a few steps."""
    from eyespot.training.examples import ViewExamples

    below = cut.below(frozen, job)
    before_seconds = _before_seconds(below, frozen, job)
    batch = int(cut.defaults.of(job.options)["batch"])
    count = (TIMED_STEPS + 1) * batch
    shape = below.engine.row_shapes["features"]
    made_up = ViewExamples(
        [np.random.default_rng(0).normal(size=(count, *shape)).astype(np.float16)],
        np.arange(count) % len(frozen.prepared.data_set.classes),
        [f"{number:064x}" for number in range(count)],
    )
    return Cost(seconds_per_step(lambda: _training(cut, made_up, None, frozen, job, cut.defaults)), before_seconds)


def _before_seconds(below: Trunk, frozen: Fitted, job: Job) -> float:
    """What all activations that are not stored would take, by those of the first pictures without them."""
    views = _views(frozen, job)
    train, val = (_without_activations(below, frozen, part, views, job) for part in ("train", "val"))
    timed = train[:TIMED_PICTURES]
    if not timed:
        return 0.0
    _ = below.engine  # compiled before the clock starts
    began = time.perf_counter()
    found = _embedded(below, timed, views, job)
    seconds = time.perf_counter() - began
    left = len(views) * (len(train) - len(timed)) + len(val)
    return seconds * left / max(found.computed, 1)


def _without_activations(below: Trunk, frozen: Fitted, part: Part, views: Sequence[AnyView], job: Job) -> list[Hashed]:
    """The pictures of a part that have not all activations in the writer's store."""
    hashed = frozen.prepared.part(part)
    wanted = [(each.content, view) for each in hashed for view in (views if part == "train" else ("identity",))]
    missing = Stored(job.store, below.recipe).missing(wanted)
    contents = set(broadcast(sorted({content for content, _ in missing}), job.world))
    return [each for each in hashed if each.content in contents]


def _lesson(cut: Cut, seen: Embedded, validation: Embedded, views: Sequence[AnyView], frozen: Fitted) -> Lesson:
    begins = "new layers at random" if cut.is_new else "published weights and a solved head"
    return Lesson(
        regime="partial",
        what=f"everything after {cut.stage}, beginning from {begins}",
        network=cut.network,
        preprocess=frozen.trunk.preprocess,
        prepared=frozen.prepared.without([*seen.set_aside, *validation.set_aside]),
        trained_on=len(seen.pictures),
        mirror="mirror" in views,
        views_computed=seen.computed + validation.computed,
        how=(
            ("Frozen", f"everything up to {cut.stage}, with all running statistics"),
            ("Views", _in_words(views)),
        ),
        notes=[*seen.notes, *validation.notes],
    )


def _new_tail(trunk: nn.Sequential, frozen: Fitted, job: Job) -> nn.Sequential:
    import torch

    from eyespot.training.new_tail import new_tail
    from eyespot.training.tail_words import parse_tail

    preprocess = frozen.trunk.preprocess
    with torch.inference_mode():
        shape = trunk(torch.zeros(1, preprocess.channels, *preprocess.crop_hw)).shape[1:]
    return new_tail(
        parse_tail(str(job.options.replace_tail)),
        shape=tuple(shape),
        classes=len(frozen.prepared.data_set.classes),
        output=job.options.output,
        seed=job.options.seed,
    )


def _views(frozen: Fitted, job: Job) -> tuple[AnyView, ...]:
    """Each picture itself, its mirror image where cross-validation was not worse with it, and drawn ones."""
    augmentation = presets.PHOTOS if frozen.mirror else presets.PHOTOS_UNMIRRORED
    default = 2 if frozen.mirror else 1
    return choose_views(job.options.views or default, augmentation, seed=job.options.seed)


def _in_words(views: Sequence[AnyView]) -> str:
    plain = [view for view in views if isinstance(view, str)]
    drawn = next((view for view in views if isinstance(view, Drawn)), None)
    said = f"{counted(len(views), 'view')} of each picture: {' and '.join(plain)}"
    return f"{said}, {len(views) - len(plain)} drawn once. {describe(drawn.augmentation)}" if drawn else said


def _embedded(below: Trunk, hashed: Sequence[Hashed], views: Sequence[AnyView], job: Job) -> Embedded:
    return embed(
        below,
        hashed,
        views=views,
        store=job.store,
        world=job.world,
        progress=lambda done, total: job.progress("computing what lies below the cut", done, total),
    )


def _examples(embedded: Embedded, frozen: Fitted, job: Job) -> ViewExamples:
    from eyespot.training.examples import ViewExamples

    return ViewExamples(
        list(embedded.features.values()),
        frozen.prepared.labels(embedded.pictures),
        [each.content for each in embedded.pictures],
        seed=job.options.seed,
    )


def _training(
    cut: Cut,
    seen: ViewExamples,
    validation: ViewExamples | None,
    frozen: Fitted,
    job: Job,
    defaults: Defaults,
) -> Training:
    import copy

    from eyespot.training.dropout import with_dropout

    tail = with_dropout(copy.deepcopy(cut.tail), job.options.dropout)  # each training begins anew
    tail.train() if cut.is_new else statistics_stay(tail)
    classes = len(frozen.prepared.data_set.classes)
    training = training_of(tail, seen, validation, defaults=defaults, classes=classes, job=job)
    mixing = training.plan.mixing
    if mixing is not None and mixing.cutmix_probability and seen.inputs(np.arange(1), None).dim() != 4:
        raise OptionError(
            f"the option cutmix puts a window into a map, and after {cut.stage} there are features alone: leave "
            "cutmix out, or freeze up to an earlier stage"
        )
    return training
