"""As much of the frozen regime as a given time allows: where it is short with one view of each picture, where it is
very short with fewer pictures."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain, zip_longest

from eyespot.data.copies import Hashed
from eyespot.distributed.world import broadcast
from eyespot.errors import OptionError
from eyespot.features.embed import embed
from eyespot.features.tap import Tap
from eyespot.features.trunk import Trunk
from eyespot.records import SetAside, View
from eyespot.regimes.frozen import COMPUTING, views_of
from eyespot.regimes.prepare import Prepared
from eyespot.runs.clock import Decisions, Fits
from eyespot.runs.job import Job

AT_ONCE = 128
"""Pictures between two looks at the clock."""
PLANNED = 0.8
"""Share of the time left that two views of each picture may take: else one is taken."""
TAPPED = 2
"""Times what the frozen regime takes: with so much time left another one may follow, and its activations are kept."""
FITTING_SECONDS = 4.0
"""For the head, and for writing the model and its report."""
NO_MIRROR = "the head was fitted without mirror images: there was no time for them"
FEWEST_PER_CLASS = 3
"""Pictures without which a head is not worth having."""


def that_fits(
    prepared: Prepared, trunk: Trunk, job: Job, *, tap: Callable[[], Tap | None] = lambda: None
) -> tuple[Prepared, Job, Tap | None]:
    """The data without pictures that there is no time for, the job without mirror images if there is none for them, and
    the tap if there is time for a regime that needs what it keeps.

    tap: gives that, the same one each time; asked only then.
    Their features are in the store then, if there is one. Raises OptionError where the time is too short for a model.
    """
    if not job.clock.is_set:
        return prepared, job, tap()
    ordered = _in_turn(prepared)
    fits = Decisions(job.clock, "frozen").fits(lambda: _taken(ordered, prepared, trunk, job, tap))
    taken = ordered[: fits.pictures]
    if len(taken) < min(len(ordered), FEWEST_PER_CLASS * len(prepared.data_set.classes)):
        raise OptionError(
            f"the option time is too short for a model: of {job.options.time:.0f} s there was enough for the features "
            f"of {len(taken)} of {len(ordered)} pictures; they are kept, so run this again, or give more time"
        )
    left_out = [
        SetAside(picture=each.picture.name, reason="there was no time for it") for each in ordered[len(taken) :]
    ]
    used = job
    if not fits.mirror and len(views_of(prepared, job.options)) > 1:
        used = job.with_options(mirror="no")
        prepared = replace(prepared, notes=[*prepared.notes, NO_MIRROR])
    return prepared.without(left_out), used, tap() if fits.tapped else None


def _taken(
    ordered: Sequence[Hashed], prepared: Prepared, trunk: Trunk, job: Job, tap: Callable[[], Tap | None]
) -> Fits:
    """How many pictures, in this order, have their features when the time is up, whether with mirror images, and
    whether the trunk was tapped.
    """
    views: tuple[View, ...] = views_of(prepared, job.options)
    asked = len(prepared.part("val", "test"))
    has_store = broadcast(job.store is not None, job.world)
    done, computed, seconds = 0, 0, 0.0
    tapped: Tap | None = None
    while done < len(ordered):
        began = time.perf_counter()
        chunk = ordered[done : done + AT_ONCE]
        found = embed(trunk, chunk, views=views, store=job.store, tap=tapped, world=job.world)
        done += len(chunk)
        job.progress(COMPUTING, done, len(ordered))
        seconds, computed = seconds + time.perf_counter() - began, computed + found.computed
        each = seconds / computed if computed else 0.0
        reserve = FITTING_SECONDS + each * asked
        if done == len(chunk):
            needed = each * len(views) * (len(ordered) - done)
            if len(views) > 1 and needed and job.clock.is_up(reserve=reserve + needed / PLANNED):
                views = ("identity",)
            elif found.computed and needed and not job.clock.is_up(reserve=reserve + TAPPED * needed):
                tapped = tap()
        if not has_store and each:  # the first ones were only for the clock: they are computed again
            done = min(len(ordered), max(0, int((job.clock.remaining - reserve) / (each * len(views)))))
            break
        if found.computed and job.clock.is_up(reserve=reserve + each * len(views) * AT_ONCE):
            break  # what is stored takes no time
    return Fits(pictures=done, mirror=len(views) > 1, tapped=tapped is not None)


def _in_turn(prepared: Prepared) -> list[Hashed]:
    """The train part, one picture of each class after another: wherever it ends, classes are as even as they can be."""
    of_class: dict[str, list[Hashed]] = defaultdict(list)
    for each in sorted(prepared.part("train"), key=lambda each: each.content):
        of_class[str(each.picture.label)].append(each)
    rounds = zip_longest(*(of_class[name] for name in sorted(of_class)))
    return [each for each in chain.from_iterable(rounds) if each is not None]
