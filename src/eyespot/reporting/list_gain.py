"""What a person's list of decisions is worth: the head that follows it, beside the head that would be without it."""

from __future__ import annotations

from dataclasses import dataclass

from eyespot.data.store import Store
from eyespot.errors import MachineError
from eyespot.evaluate.paired import paired
from eyespot.evaluate.trust import Gain, ListGain
from eyespot.heads.head import Head
from eyespot.progress import Progress
from eyespot.regimes.answers import Answers, ask
from eyespot.regimes.fitted import SMALLEST_TEST, Fitted
from eyespot.regimes.prepare import Prepared

JUDGING = "judging your list"


@dataclass(frozen=True)
class Gained:
    """What came of comparing the two."""

    found: ListGain | None = None
    """None where there is nothing to compare with, or too little to compare on."""
    computed: int = 0
    """Views that were computed for it."""
    notes: tuple[str, ...] = ()


def list_gain(fitted: Fitted, test: Answers | None, *, store: Store | None, progress: Progress) -> Gained:
    """How the model differs from the head that the pictures would give without the person's list.

    Of a model that betters a frozen one, it is the frozen one that is compared.

    test: the model's answers to the test pictures, as she judged them.
    """
    found = fitted.as_found
    if found is None or test is None or test.different(found.prepared.series) < SMALLEST_TEST:
        return Gained()
    frozen = found.frozen or fitted
    progress(JUDGING, 0, 1)
    try:
        without, computed = found.fit()
        asked = ask(found.prepared, found.prepared.part("test"), trunk=frozen.trunk, head=without, store=store)
        if frozen is not fitted:
            test = ask(fitted.prepared, test.pictures, trunk=frozen.trunk, head=frozen.head, store=store).answers
    except MachineError as error:  # the model is there, and worth more than what would be said of the list
        return Gained(notes=(f"what your list is worth is not known: {error}",))
    progress(JUDGING, 1, 1)
    computed += asked.computed
    if asked.answers is None or test is None:
        return Gained(computed=computed)
    judged, as_found = (_gain(each, without, frozen.head, found.prepared) for each in (test, asked.answers))
    return Gained(ListGain(judged=judged, as_found=as_found), computed)


def _gain(answers: Answers, before: Head, after: Head, prepared: Prepared) -> Gain:
    """How two heads differ on the pictures of these answers. prepared: with all of them, for their series."""
    features = answers.features
    assert features is not None
    right = [head.logits(features).argmax(axis=1) == answers.labels for head in (before, after)]
    comparison = paired(*right, series=prepared.group(answers.pictures))
    return Gain(n=comparison.count, difference=comparison.gain)
