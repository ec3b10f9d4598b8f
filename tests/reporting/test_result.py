"""What a run says of its regime: what was asked for, what was better, or what a person stopped."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from eyespot.regimes.choice import Choice
from eyespot.reporting.result import _reason


@pytest.mark.parametrize(
    ("chosen", "climbs", "fitted", "instead", "said"),
    [
        ("partial", False, "partial", "", "it was asked for"),
        ("partial", False, "frozen", "it is worse: kept the head", "it was asked for, but it is worse: kept the head"),
        ("partial", False, "frozen", "", "partial was stopped before it had learned anything"),
        ("frozen", True, "full", "", "the best on the validation pictures within 60 s"),
    ],
)
def test_the_reason_says_why_it_is_this_regime(chosen, climbs, fitted, instead, said):
    choice = Choice("resnet20", chosen, climbs, "it was asked for", gray=False)
    job: Any = SimpleNamespace(options=SimpleNamespace(time=60.0))
    model: Any = SimpleNamespace(regime=fitted, instead=instead)
    assert _reason(model, choice, job) == said
