"""The features of split pictures, and the frozen models that are fitted on them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache

from eyespot.building.backbone import Backbone
from eyespot.building.surgery import seconds_per_view
from eyespot.errors import Stopped
from eyespot.features.tap import Tap
from eyespot.features.trunk import Trunk
from eyespot.progress import silent
from eyespot.regimes.answers import Answers
from eyespot.regimes.cuts import tap_for
from eyespot.regimes.early import Make, made
from eyespot.regimes.first_model import that_fits
from eyespot.regimes.fitted import SMALLEST_TEST, Fitted, stopped_note
from eyespot.regimes.frozen import as_found, fit_frozen
from eyespot.regimes.kept_features import with_features
from eyespot.regimes.ladder import Keep
from eyespot.regimes.learned import with_note
from eyespot.regimes.prepare import Prepared
from eyespot.regimes.series import default_signer, with_series
from eyespot.regimes.turns import Stand
from eyespot.regimes.weighing import FirstRung
from eyespot.runs.job import Job

NO_MODEL_YET = "stopped: there is no model yet"
FEATURES_KEPT = "; the features computed so far are kept, so the next run goes on from there"


def has_small_test(prepared: Prepared) -> bool:
    """Whether too few different pictures are held out to measure on."""
    test, validation = prepared.different("test"), prepared.different("val")
    return test < SMALLEST_TEST and (test > 0 or validation < SMALLEST_TEST)


@dataclass(frozen=True)
class Features:
    """Pictures that are split by series, with their features in the store."""

    prepared: Prepared
    trunk: Trunk
    job: Job
    """As the clock allows a head to be fitted."""
    tap: Tap | None
    began: float
    computed: int
    """Views."""
    stopped: bool = False
    """Whether a person ended them there: nothing is to train further."""

    def frozen(self, *, small_test: bool) -> Fitted:
        """A head on them. small_test: nothing else is trained, and too few pictures are held out to measure on."""
        with stopping(self.job):
            fitted = fit_frozen(self.prepared, self.trunk, self.job, small_test=small_test, tap=self.tap)
        return replace(fitted, as_found=as_found(fitted.prepared, self.trunk, self.job))

    def crossed(self, *, small_test: bool) -> tuple[Fitted, Answers | None]:
        """The same, and its answers in cross-validation."""
        found = self.frozen(small_test=small_test)
        return found, found.answers_on_train

    def validated(self, *, small_test: bool) -> tuple[Fitted, Answers | None]:
        """A head fitted on the train part alone, and its answers to the validation pictures."""
        first = self.first_rung(small_test=small_test)
        asked = first.ask(self.job)
        views = first.frozen.views_computed + asked.computed
        return replace(first.frozen, views_computed=views), asked.answers

    def seconds(self) -> float:
        """What the features take here and now where none are stored, by a few."""
        shown = self.prepared.part("train")
        views = len(self.prepared.views(self.job.options.mirror)) * len(shown) + len(self.prepared.part("val", "test"))
        return views * seconds_per_view(self.trunk, shown)

    def first_rung(self, *, small_test: bool) -> FirstRung:
        """A head fitted on the train part alone, whatever is held out."""
        first = self.rung(small_test=False)
        return replace(first, frozen=replace(first.frozen, small_test=small_test))

    def refit(self, frozen: Fitted) -> Fitted:
        """The frozen model as it is where nothing else is kept: with a small test part, fitted on all pictures."""
        if not frozen.small_test:
            return frozen
        try:
            again = self.frozen(small_test=True)
        except Stopped:
            return with_note(frozen, stopped_note("cross-validation"))
        return replace(again, views_computed=frozen.views_computed + again.views_computed)

    def rung(self, *, small_test: bool) -> FirstRung:
        """The same, and what it took from the first picture on."""
        frozen = self.frozen(small_test=small_test)
        frozen = replace(frozen, views_computed=frozen.views_computed + self.computed)
        return FirstRung(frozen, time.perf_counter() - self.began, self.tap)


def features_of(
    prepared: Prepared,
    backbone: Backbone,
    job: Job,
    *,
    cuts: Callable[[], Sequence[str]] | None,
    write: Keep,
    make: Make = made,
) -> Features:
    """cuts: gives those of the backbone, where the partial regime may follow. write: a model on the way to disk.
    make: gives its trunk.
    """
    began = time.perf_counter()
    trunk = make(backbone, job)
    views = len(prepared.views(job.options.mirror)) * len(prepared.part("train")) + len(prepared.part("val"))
    make_tap: Callable[[], Tap | None] = cache(
        lambda: tap_for(trunk, backbone, cuts()[0], job, views=views) if cuts else None
    )
    with stopping(job):
        taken = that_fits(prepared, trunk, job, tap=make_tap, stand=_standing(trunk, write))
        prepared, fitting, tap = taken.prepared, taken.job, taken.tap
        computed = with_features(prepared, trunk, fitting, tap=tap, all_train=not cuts and has_small_test(prepared))
        prepared = with_series(prepared, trunk.signer or default_signer(job, levels=prepared.levels), fitting)
    return Features(prepared, trunk, fitting, tap, began, taken.computed + computed, taken.stopped)


def _standing(trunk: Trunk, write: Keep) -> Stand:
    """What writes a model of the pictures whose features are there."""

    def stand(prepared: Prepared, job: Job) -> str:
        prepared = with_series(prepared, trunk.signer, job)
        fitted = fit_frozen(prepared, trunk, replace(job, progress=silent), small_test=False)
        write(replace(fitted, held_out=()))
        answers, more = fitted.answers_on_train, fitted.findings.more
        assert answers is not None
        return (
            f"A model of {fitted.trained_on:,} pictures stands in {job.folder.path}: accuracy "
            f"{answers.metric(fitted.prepared.series)} in cross-validation"
            f"{f'; {more.expected}' if more else ''}. Ctrl-C ends it here."
        )

    return stand


@contextmanager
def stopping(job: Job) -> Iterator[None]:
    """Ctrl-C within it raises Stopped, in words."""
    try:
        yield
    except KeyboardInterrupt:
        if job.folder.has_model:  # what it means is told where the run ends
            raise
        raise Stopped(NO_MODEL_YET + (FEATURES_KEPT if job.store else "")) from None
