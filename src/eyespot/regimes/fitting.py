"""From prepared pictures to a fitted model: the regime that was chosen, or the ladder of those that the time allows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from itertools import chain

import numpy as np

from eyespot.building.backbone import Backbone, choose_backbone
from eyespot.data.store_values import key_of
from eyespot.regimes.answers import Answers
from eyespot.regimes.candidate import Candidate
from eyespot.regimes.choice import Choice
from eyespot.regimes.cuts import decide_cuts
from eyespot.regimes.featured import Features, features_of, has_small_test
from eyespot.regimes.fitted import Fitted, despite_ctrl_c
from eyespot.regimes.full import full_attempt
from eyespot.regimes.ladder import Keep, Ladder, too_little
from eyespot.regimes.larger import LARGER, Larger, try_larger
from eyespot.regimes.learned import Attempt, Tuning, with_note
from eyespot.regimes.partial import partial_attempts
from eyespot.regimes.prepare import Prepared
from eyespot.regimes.scratch import fit_scratch
from eyespot.regimes.series import signer_for_scratch, with_series
from eyespot.regimes.turns import fitting_seconds
from eyespot.regimes.weighing import asked_for, only_frozen
from eyespot.runs.job import Job
from eyespot.runs.remembered import recall, remember
from eyespot.version import VERSION
from eyespot.zoo.weights import of_network
from eyespot.zoo.weights_places import find

BETTERED_TIMES, BETTERED_SECONDS = 4, 300
"""How long a frozen model is bettered where nobody gave a time: so many times what its features take, and at most so
long."""
BETTERED_UNTIL = "frozen: bettered until"
"""The decision on it."""


def fit(prepared: Prepared, choice: Choice, job: Job, *, keep: Keep, stand: Keep) -> Fitted:
    """The model of the chosen regime; where the ladder is climbed, the best of it.

    keep: writes a model to disk, each that the ladder keeps. stand: the same, on the way to the frozen one.
    Raises Stopped on Ctrl-C before there is a model; OptionError.
    """
    if choice.regime == "scratch":
        prepared = with_series(prepared, signer_for_scratch(choice, job, levels=prepared.levels), job)
        return fit_scratch(prepared, choice.network, job, gray=choice.gray, small_test=has_small_test(prepared))
    backbone = choose_backbone(choice.network, job.options.weights, size=job.options.imgsz, levels=prepared.levels)
    cuts = cache(lambda: decide_cuts(backbone, job.options.freeze))
    trains_tail = _goes_on(prepared, choice) and "full" not in (choice.regime, job.options.regime)
    features = features_of(prepared, backbone, job, cuts=cuts if trains_tail else None, write=stand)
    small_test = has_small_test(features.prepared)
    if features.stopped:
        return features.rung(small_test=small_test).frozen
    if not _goes_on(features.prepared, choice):
        first, few = features.rung(small_test=small_test), _too_little(features.prepared)
        if not (job.options.time and choice.climbs and few):
            return first.frozen
        climbed = only_frozen(first, job, reason=few)
        crossed = partial(Features.crossed, small_test=small_test)
        try_larger(climbed, _larger(features, crossed, job), job, reserve=fitting_seconds(first.frozen.trained_on))
        return replace(climbed.best, ladder=tuple(climbed.rungs))
    first = features.first_rung(small_test=small_test)
    if choice.climbs:
        more = candidates(first.frozen, backbone, cuts, job)
        validated = partial(Features.validated, small_test=small_test)
        if choice.is_bettered:
            return _bettered(Ladder(first, more, job, keep=keep), features, first.frozen, job)
        return Ladder(first, more, job, keep=keep, larger=_larger(features, validated, job)).climb()

    def tuning() -> Tuning:
        if choice.regime == "full":
            attempt = full_attempt(first.frozen, backbone, job)
        else:
            attempt = next(partial_attempts(first.frozen, backbone, cuts(), job))
        return attempt.prepare(attempt.defaults)

    return asked_for(first, tuning, job, refit=features.refit)


def _bettered(ladder: Ladder, features: Features, frozen: Fitted, job: Job) -> Fitted:
    """What the ladder comes to in a time that follows from what the frozen model takes where nothing is stored; what an
    earlier run trained is recalled: so a second run on the same pictures comes to the same.
    """
    clock, key = job.clock, _key(frozen, job)
    is_first = clock.known(BETTERED_UNTIL) is None and not clock.replays
    was_recalled = is_first and recall(job, key)

    def until() -> float:
        took = max(clock.spent, features.seconds())
        return clock.spent + min(BETTERED_TIMES * took, BETTERED_SECONDS)

    clock.allow(BETTERED_UNTIL, until)
    found = ladder.climb(announced=not was_recalled)
    if found.regime == "frozen" and not ladder.was_stopped:
        notes = [note for note in found.notes if note not in frozen.notes]
        refitted = features.refit(found)
        found = replace(refitted, ladder=found.ladder, notes=list(dict.fromkeys([*refitted.notes, *notes])))
    if was_recalled:
        return with_note(found, "what was trained after the head is taken from an earlier run on the same pictures")
    if not ladder.was_stopped and any(rung.validation and rung.regime != "frozen" for rung in found.ladder):
        despite_ctrl_c(lambda: remember(job, key))
    return found


def _key(frozen: Fitted, job: Job) -> str:
    """Changes with all that the trainings after the frozen one follow from, and with what computes them."""
    import torch

    head = hashlib.blake2b(digest_size=16)
    for array in chain.from_iterable(frozen.head.layers):
        head.update(np.ascontiguousarray(array).data)
    prepared = frozen.prepared
    return key_of(
        kind="bettered",
        version=VERSION,
        torch=torch.__version__,
        device=job.device.where.type,
        precision=job.precision,
        head=head.hexdigest(),
        pictures=[[each.content, each.picture.part, each.picture.label] for each in prepared.part("train", "val")],
        series=sorted(prepared.series.of.items()),
        options=job.options.model_dump(mode="json", exclude={"out", "name"}),
    )


def _too_little(prepared: Prepared) -> str:
    """Why the ladder is not climbed above the head; empty where it is."""
    train, validation = prepared.different("train"), prepared.different("val")
    return too_little(train, validation, classes=len(prepared.data_set.classes))


def _goes_on(prepared: Prepared, choice: Choice) -> bool:
    """Whether another regime may come after the frozen one."""
    return choice.regime != "frozen" or (choice.climbs and not _too_little(prepared))


def candidates(frozen: Fitted, backbone: Backbone, cuts: Callable[[], Sequence[str]], job: Job) -> list[Candidate]:
    """The regimes above the frozen one that were asked for, or all, in the order of the ladder.

    frozen: fitted only on the train part.
    cuts: gives the stages after which the backbone may be cut; asked only where it is.
    Raises OptionError for a cut that is not there, and for a new tail that does not fit.
    """
    wanted, freeze = job.options.regime, job.options.freeze
    if freeze is not None:
        next(partial_attempts(frozen, backbone, cuts(), job))

    def tails() -> Iterator[Attempt]:
        return partial_attempts(frozen, backbone, cuts(), job)

    found = []
    if wanted in ("auto", "partial"):
        found.append(Candidate("partial", "everything after a cut", tails, fewest=2, most=2))
    if wanted in ("auto", "full") and freeze is None:
        everything = partial(full_attempt, frozen, backbone, job)
        found.append(Candidate("full", "everything", lambda: [everything()], fewest=3, most=4))
    return found


def _larger(features: Features, fit: Callable[[Features], tuple[Fitted, Answers | None]], job: Job) -> Iterator[Larger]:
    """The larger networks that are installed, where nobody chose one; each is made when it is asked for.

    fit: a head on the features of one, and its answers to the pictures that it is judged by.
    """
    options = job.options
    if (options.model, options.regime, options.freeze) != ("auto", "auto", None):
        return
    for name in LARGER:
        if find(next(iter(of_network(name).values()))) is not None:
            yield _on_larger(name, features, fit, job)


def _on_larger(
    name: str, features: Features, fit: Callable[[Features], tuple[Fitted, Answers | None]], job: Job
) -> Larger:
    @cache
    def others() -> Features:
        backbone = choose_backbone(name, None, size=job.options.imgsz, levels=features.prepared.levels)
        trunk = backbone.trunk(job.cache_folder, job.precision, job.progress)
        return replace(features, trunk=trunk, tap=None, computed=0)

    return Larger(name, seconds=lambda: others().seconds(), fit=lambda: fit(others()))
