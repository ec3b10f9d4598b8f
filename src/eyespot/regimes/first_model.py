"""As much of the frozen regime as a given time allows: where it is short with one view of each picture, where it is
very short with fewer pictures, and with a part of those that are held out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from eyespot.errors import OptionError
from eyespot.features.tap import Tap
from eyespot.features.trunk import Trunk
from eyespot.records import SetAside
from eyespot.regimes.prepare import Prepared
from eyespot.regimes.turns import JUDGED, NO_TIME, Stand, Turns
from eyespot.runs.clock import Decisions, Fits
from eyespot.runs.job import Job

NO_MIRROR = "the head was fitted without mirror images: there was no time for them"
NO_GAIN = (
    f"mirror images were left out: in cross-validation those of the first {JUDGED} pictures were worth less "
    "than half a point of accuracy, and they take as long as the pictures; --mirror yes has them"
)


@dataclass(frozen=True)
class Taken:
    """What the frozen regime works with."""

    prepared: Prepared
    """Without pictures that there is no time for."""
    job: Job
    """Without mirror images if there is no time for them, or if they do not help."""
    tap: Tap | None
    """Where there is time for a regime that needs what it keeps."""
    computed: int = 0
    """Views."""
    stopped: bool = False
    """Whether a person ended it."""


def that_fits(
    prepared: Prepared,
    trunk: Trunk,
    job: Job,
    *,
    tap: Callable[[], Tap | None] = lambda: None,
    stand: Stand | None = None,
) -> Taken:
    """What the time allows.

    tap: gives that, the same one each time; asked only then.
    stand: called on the way; None for no models there.
    Their features are in the store then, if there is one. Raises OptionError where the time is too short for a model.
    """
    turns = Turns(prepared, trunk, job, tap=tap, stand=stand)
    if not turns.have_a_point:
        return Taken(prepared, job, tap())
    fits = Decisions(job.clock, "frozen").fits(turns.taken)
    left_out = turns.ordered[fits.pictures :]
    if left_out and fits.pictures < turns.fewest:
        raise OptionError(
            f"the option time is too short for a model: of {job.options.time:.0f} s there was enough for the features "
            f"of {fits.pictures} of {len(turns.ordered)} pictures; they are kept, so run this again, or give more time"
        )
    used, notes = job, [*_on_end(fits, turns)]
    if not fits.mirror and len(prepared.views(job.options.mirror)) > 1:
        used = job.with_options(mirror="no")
        notes.append(NO_GAIN if fits.no_gain else NO_MIRROR)
    found = replace(prepared, notes=[*prepared.notes, *notes]) if notes else prepared
    why = "the run was ended before it" if fits.stopped else NO_TIME
    left_out = [*left_out, *turns.not_asked(fits.asked)]
    aside = [SetAside(picture=each.picture.name, reason=why) for each in left_out]
    return Taken(found.without(aside), used, tap() if fits.tapped else None, turns.computed, fits.stopped)


def _on_end(fits: Fits, turns: Turns) -> Iterator[str]:
    if fits.stopped:
        yield f"ended by you: the model is of {fits.pictures:,} of {len(turns.ordered):,} pictures"
    if fits.asked is not None and fits.asked < turns.held_out:
        yield (
            f"measured on {fits.asked:,} of the {turns.held_out:,} pictures that are held out, drawn by the seed: "
            "there was no time for more, and the intervals are as wide as that"
        )
