"""From prepared pictures to a fitted model: the regime that was chosen, or the ladder of those that the time allows."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

from eyespot.building.backbone import Backbone, choose_backbone
from eyespot.errors import Stopped
from eyespot.features.tap import Tap
from eyespot.regimes.choice import Choice
from eyespot.regimes.cuts import decide_cuts, tap_for
from eyespot.regimes.first_model import that_fits
from eyespot.regimes.fitted import SMALLEST_TEST, Fitted, stopped_note
from eyespot.regimes.frozen import fit_frozen, views_of
from eyespot.regimes.full import full_attempt
from eyespot.regimes.ladder import Candidate, Keep, Ladder, too_little
from eyespot.regimes.learned import Tuning, with_note
from eyespot.regimes.partial import partial_attempts
from eyespot.regimes.prepare import Prepared
from eyespot.regimes.scratch import fit_scratch
from eyespot.regimes.weighing import FirstRung, asked_for, only_frozen
from eyespot.runs.job import Job

NO_MODEL_YET = "stopped: there is no model yet"
FEATURES_KEPT = "; the features computed so far are kept, so the next run goes on from there"


def fit(prepared: Prepared, choice: Choice, job: Job, *, keep: Keep) -> Fitted:
    """The model of the chosen regime; where the ladder is climbed, the best of it.

    keep: writes a model to disk; called for each that the ladder keeps.
    Raises Stopped on Ctrl-C before there is a model; OptionError.
    """
    test, validation = len(prepared.part("test")), len(prepared.part("val"))
    small_test = test < SMALLEST_TEST and (test > 0 or validation < SMALLEST_TEST)
    if choice.regime == "scratch":
        return fit_scratch(prepared, choice.network, job, gray=choice.gray, small_test=small_test)
    backbone = choose_backbone(choice.network, job.options.weights, size=job.options.imgsz, levels=prepared.levels)
    few = too_little(len(prepared.part("train")), validation, classes=len(prepared.data_set.classes))
    if choice.regime == "frozen" and (few or not choice.climbs):
        first = _first_rung(prepared, backbone, job, small_test=small_test)
        return only_frozen(first, job, reason=few) if choice.climbs else first.frozen
    cuts = cache(lambda: decide_cuts(backbone, job.options.freeze))
    trains_tail = "full" not in (choice.regime, job.options.regime)
    first = _first_rung(prepared, backbone, job, small_test=False, cuts=cuts if trains_tail else None)
    first = replace(first, frozen=replace(first.frozen, small_test=small_test))
    if choice.climbs:
        return Ladder(first, candidates(first.frozen, backbone, cuts, job), job, keep=keep).climb()

    def refit(frozen: Fitted) -> Fitted:
        """The frozen model as it is where nothing else is tried: with a small test part, fitted on all pictures."""
        if not small_test:
            return frozen
        try:
            again = _first_rung(prepared, backbone, job, small_test=True).frozen
        except Stopped:
            return with_note(frozen, stopped_note("cross-validation"))
        return replace(again, views_computed=frozen.views_computed + again.views_computed)

    def tuning() -> Tuning:
        if choice.regime == "full":
            attempt = full_attempt(first.frozen, backbone, job)
        else:
            attempt = next(partial_attempts(first.frozen, backbone, cuts(), job))
        return attempt.prepare(attempt.defaults)

    return asked_for(first, tuning, job, refit=refit)


def candidates(frozen: Fitted, backbone: Backbone, cuts: Callable[[], Sequence[str]], job: Job) -> list[Candidate]:
    """The regimes above the frozen one that were asked for, or all, in the order of the ladder.

    frozen: fitted only on the train part.
    cuts: gives the stages after which the backbone may be cut; asked only where it is.
    Raises OptionError for a cut that is not there, and for a new tail that does not fit.
    """
    wanted, freeze = job.options.regime, job.options.freeze
    if freeze is not None:
        next(partial_attempts(frozen, backbone, cuts(), job))
    found = []
    if wanted in ("auto", "partial"):
        tails = Candidate("partial", "everything after a cut", lambda: partial_attempts(frozen, backbone, cuts(), job))
        found.append(tails)
    if wanted in ("auto", "full") and freeze is None:
        found.append(Candidate("full", "everything", lambda: [full_attempt(frozen, backbone, job)]))
    return found


def _first_rung(
    prepared: Prepared,
    backbone: Backbone,
    job: Job,
    *,
    small_test: bool,
    cuts: Callable[[], Sequence[str]] | None = None,
) -> FirstRung:
    """small_test: nothing else will be trained, and too few pictures are held out to measure on.
    cuts: gives those of the backbone, where the partial regime may follow.
    """
    began = time.perf_counter()
    trunk = backbone.trunk(job.cache_folder, job.precision, job.progress)
    views = len(views_of(prepared, job.options)) * len(prepared.part("train")) + len(prepared.part("val"))
    make_tap: Callable[[], Tap | None] = cache(
        lambda: tap_for(trunk, backbone, cuts()[0], job, views=views) if cuts else None
    )
    try:
        prepared, fitting, tap = that_fits(prepared, trunk, job, tap=make_tap)
        frozen = fit_frozen(prepared, trunk, fitting, small_test=small_test, tap=tap)
    except KeyboardInterrupt:
        raise Stopped(NO_MODEL_YET + (FEATURES_KEPT if job.store else "")) from None
    return FirstRung(frozen, time.perf_counter() - began, tap)
