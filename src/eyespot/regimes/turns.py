"""The pictures to train on in turn, one of each class after another, as far as the time allows; on the way a model.

At 100, 200, 400 ... pictures a head is fitted on what is there: whatever ends the run then leaves a model. Mirror
images are computed of all only where those of the first 500 help.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import chain, count, zip_longest
from math import ceil

from eyespot.data.copies import Hashed
from eyespot.data.store_values import key_of
from eyespot.distributed.world import broadcast
from eyespot.engine.run import BATCH
from eyespot.features.embed import embed
from eyespot.features.stored import Stored
from eyespot.features.tap import Tap
from eyespot.features.trunk import Trunk
from eyespot.progress import announce
from eyespot.records import Part, SetAside, View
from eyespot.regimes.frozen import COMPUTING, mirror_helps
from eyespot.regimes.kept_features import has_room, missing
from eyespot.regimes.prepare import Prepared
from eyespot.runs.clock import Fits
from eyespot.runs.job import Job

FIRST, JUDGED = 100, 500
"""Pictures of the first model, and of those whose mirror images are looked at before others are computed."""
WORTH = 0.005
"""Of the accuracy that a head expects of itself: what takes as long as the pictures themselves must make it better by
so much. On photos of clothing, and on CIFAR-10's, mirror images made it better by 0.000 to 0.003."""
TIMED, LOOK_SECONDS, AT_ONCE = 2 * BATCH, 2.0, 128
"""Pictures before the first look at the clock, then the time between two, and at most so many pictures."""
SHORT_SECONDS = 5.0
"""With more time left the first look comes after twice the pictures: the first batches take longer than others."""
SOONEST_VIEW = 0.004
"""Seconds that a view takes at least, where nothing is known of this machine."""
MOST_AT_ONCE = 4096
"""Pictures at a time without a clock: their features lie in memory."""
PLANNED = 0.8
"""Share of the time left that two views of each picture may take: else one is taken."""
TAPPED = 2
"""Times what the frozen regime takes: with so much time left another one may follow, and its activations are kept."""
ASKED = 1 / 3
"""Of the views that there is time for, at most, are of pictures that are held out."""
FEWEST_ASKED = 94
"""Pictures held out that are asked, however short the time: fewer say nothing."""
STANDING_SECONDS, STANDING_SHARE = 1.5, 0.1
"""What the first model on the way may take, and the share of the time to come that each may."""
FITTING_SECONDS = 1.5
"""For the head, and for writing the model and its report, of few pictures; more take longer."""
FITTING_OF_EACH = 0.0015
"""Seconds."""
ENDED_SECONDS = 3.0
"""Of asking the pictures that are held out, where a person has ended the run."""
FEWEST_PER_CLASS = 3
"""Pictures without which a head is not worth having."""
NO_TIME = "there was no time for it"

Stand = Callable[[Prepared, Job], str]
"""Writes a model of pictures whose features are there, and says what it is worth."""


def fitting_seconds(pictures: int) -> float:
    """What the head of so many pictures, and writing it, take at most."""
    return FITTING_SECONDS + FITTING_OF_EACH * pictures


class Turns:
    """The way through the pictures to train on."""

    def __init__(
        self, prepared: Prepared, trunk: Trunk, job: Job, *, tap: Callable[[], Tap | None], stand: Stand | None
    ) -> None:
        self._prepared, self._trunk, self._job, self._tap, self._stand = prepared, trunk, job, tap, stand
        self.ordered = _in_turn(prepared, job.options.seed)
        self.held_out = len(prepared.part("val", "test"))
        self._views: tuple[View, ...] = self._first_views()
        self._done = self.computed = 0
        self._seconds, self._standing = 0.0, STANDING_SECONDS
        self._tapped: Tap | None = None
        self._no_gain = False

    def _first_views(self) -> tuple[View, ...]:
        """One of each picture where two are not there yet, and there cannot be time for them."""
        views = self._prepared.views(self._job.options.mirror)
        if not self._job.clock.is_up(reserve=SOONEST_VIEW * len(views) * len(self.ordered)):
            return views
        return ("identity",) if missing(self.ordered[:TIMED], self._trunk, views, self._job) else views

    @property
    def fewest(self) -> int:
        """Pictures that make a model: all, where there are no more."""
        return min(len(self.ordered), FEWEST_PER_CLASS * len(self._prepared.data_set.classes))

    @property
    def have_a_point(self) -> bool:
        """Whether anything may be left out, or is to be computed and would be kept."""
        return self._job.clock.is_set or self._mirror_is_open or self._is_kept

    @cached_property
    def _is_kept(self) -> bool:
        """Whether something is to be computed, and the store has room for it."""
        if not missing(self.ordered, self._trunk, self._views, self._job):
            return False
        return has_room(self._trunk, len(self.ordered) * len(self._views), self._job)

    @property
    def _mirror_is_open(self) -> bool:
        """Whether the first pictures are to say if mirror images help."""
        is_auto = self._job.options.mirror == "auto" and len(self._views) > 1
        return is_auto and len(self.ordered) >= 2 * JUDGED

    def not_asked(self, most: int | None) -> list[Hashed]:
        """The pictures that are held out and not asked where so many are: the same share of each part."""
        if most is None or most >= self.held_out:
            return []
        parts: tuple[Part, ...] = ("val", "test")
        found = []
        for part in parts:
            drawn = sorted(self._prepared.part(part), key=_by_lot(self._job.options.seed))
            found += drawn[ceil(len(drawn) * most / self.held_out) :]
        return found

    def taken(self) -> Fits:
        """How far it came, and how."""
        stopped = False
        try:
            self._walk()
        except KeyboardInterrupt:
            self._done = self._stored()
            stopped = self._done >= self.fewest and self._done < len(self.ordered) and self._job.world.size == 1
            if not stopped:
                raise
        return Fits(
            pictures=self._done,
            mirror=len(self._views) > 1,
            tapped=self._tapped is not None,
            asked=self._asked(stopped=stopped),
            no_gain=self._no_gain,
            stopped=stopped,
        )

    def _walk(self) -> None:
        job, has_store = self._job, broadcast(self._job.store is not None, self._job.world)
        if not job.clock.is_set:
            self._tapped = self._tap()
        while self._done < len(self.ordered):
            found = self._step(self.ordered[self._done : self._done + broadcast(self._size(), job.world)])
            if job.clock.is_set and self.computed == found > 0:
                self._choose_views()
            if job.clock.is_set and not has_store and self._each:  # the first were for the clock: computed again
                fit = (job.clock.remaining - self._reserve) / (self._each * len(self._views))
                self._done = min(len(self.ordered), max(0, int(fit)))
                return
            if found and job.clock.is_up(reserve=self._reserve + self._each * len(self._views) * BATCH):
                return  # what is stored takes no time
            if self._done == JUDGED and self._mirror_is_open:
                self._judge_mirror()
            if found:
                self._leave_standing()

    def _step(self, chunk: Sequence[Hashed]) -> int:
        """Computes what is missing of these pictures; how many views that were."""
        job, before = self._job, len(self._views) * self._done
        total = len(self._views) * len(self.ordered)
        self._done += len(chunk)
        if not job.clock.is_set and not self._is_kept:
            return 0
        _ = self._trunk.engine  # compiled now, so that the time is that of the pictures
        began = time.perf_counter()
        found = embed(
            self._trunk,
            chunk,
            views=self._views,
            store=job.store,
            tap=self._tapped,
            world=job.world,
            progress=lambda done, _: job.progress(COMPUTING, before + done, total),
        )
        if found.computed:
            self.computed += found.computed
            self._seconds += time.perf_counter() - began
        return found.computed

    @property
    def _each(self) -> float:
        """Seconds of a view, as far as that is known."""
        return self._seconds / self.computed if self.computed else 0.0

    @property
    def _reserve(self) -> float:
        """Seconds for what comes behind the pictures to train on."""
        return fitting_seconds(self._done) + self._each * (self._asked() or 0)

    @property
    def _left(self) -> float:
        """Seconds for pictures to train on."""
        return max(0.0, self._job.clock.remaining - self._reserve)

    def _asked(self, *, stopped: bool = False) -> int | None:
        """How many of the pictures that are held out there is time for; None for all of them."""
        if not self._each or not (stopped or self._job.clock.is_set):
            return None
        views = ENDED_SECONDS / self._each
        if not stopped:
            left = max(0.0, self._job.clock.remaining - fitting_seconds(self._done))
            views = ASKED * (self.computed + left / self._each)
        return min(self.held_out, max(FEWEST_ASKED, int(broadcast(views, self._job.world))))

    def _size(self) -> int:
        """Pictures until the next look at the clock, at mirror images, or at a model."""
        to_next = next(each for each in _milestones() if each > self._done) - self._done
        if not self._job.clock.is_set:
            return min(MOST_AT_ONCE, to_next)
        if not self._each:
            return TIMED if self._job.clock.remaining < SHORT_SECONDS else 2 * TIMED
        most = min(AT_ONCE, int(min(LOOK_SECONDS, self._left) / (self._each * len(self._views))))
        if self._mirror_is_open or self._can_stand:
            most = min(most, to_next)
        return max(1, most)

    def _choose_views(self) -> None:
        """One view of each picture where two take too long; what lies below a cut is kept where it may be needed."""
        clock, left = self._job.clock, len(self.ordered) - self._done
        needed = self._each * len(self._views) * left
        if len(self._views) > 1 and needed and clock.is_up(reserve=self._reserve + needed / PLANNED):
            self._views = ("identity",)
        elif needed and not clock.is_up(reserve=self._reserve + TAPPED * needed):
            self._tapped = self._tap()

    def _judge_mirror(self) -> None:
        """Leaves the mirror images of the others out where those of the first pictures do not help."""
        least = WORTH if self._tapped is None else None  # what is trained further learns more from them than a head
        if not broadcast(mirror_helps(self._so_far(), self._trunk, self._job, least=least), self._job.world):
            self._views, self._no_gain = ("identity",), True

    def _leave_standing(self) -> None:
        """A model of the pictures so far, where it takes little of the time to come."""
        job = self._job
        if self._stand is None or job.store is None or job.world.size > 1 or self._done not in _doublings(self._done):
            return
        if not self._can_stand:
            return
        began = time.perf_counter()
        said = self._stand(self._so_far(), job if len(self._views) > 1 else job.with_options(mirror="no"))
        self._standing = 2 * (time.perf_counter() - began)  # the next one is of twice the pictures
        announce(job.progress, said)

    @property
    def _can_stand(self) -> bool:
        """Whether a model takes little of the time to come."""
        to_come = self._each * (len(self._views) * (len(self.ordered) - self._done) + self.held_out)
        return self._standing <= STANDING_SHARE * min(to_come, self._job.clock.remaining)

    def _so_far(self) -> Prepared:
        others = [*self.ordered[self._done :], *self._prepared.part("val", "test")]
        return self._prepared.without([SetAside(picture=each.picture.name, reason=NO_TIME) for each in others])

    def _stored(self) -> int:
        """Pictures, from the first one on, whose features are in the store."""
        wanted = [(each.content, view) for each in self.ordered for view in self._views]
        gone = {content for content, _ in Stored(self._job.store, self._trunk.recipe).missing(wanted)}
        return next((n for n, each in enumerate(self.ordered) if each.content in gone), len(self.ordered))


def _milestones() -> Iterator[int]:
    return chain((each for each in (FIRST, 2 * FIRST, 4 * FIRST, JUDGED)), (8 * FIRST * 2**n for n in count()))


def _doublings(most: int) -> list[int]:
    found = [FIRST]
    while found[-1] < most:
        found.append(2 * found[-1])
    return found


def _by_lot(seed: int) -> Callable[[Hashed], str]:
    """An order that only the seed and the pictures' contents decide."""
    return lambda each: key_of(seed=seed, content=each.content)


def _in_turn(prepared: Prepared, seed: int) -> list[Hashed]:
    """The train part, one picture of each class after another: wherever it ends, classes are as even as they can be."""
    of_class: dict[str, list[Hashed]] = defaultdict(list)
    for each in sorted(prepared.part("train"), key=_by_lot(seed)):
        of_class[str(each.picture.label)].append(each)
    rounds = zip_longest(*(of_class[name] for name in sorted(of_class)))
    return [each for each in chain.from_iterable(rounds) if each is not None]
