"""A few seconds of `scripts/fuzz`: the same inputs on every run, each read, or refused in a sentence."""

from __future__ import annotations

from itertools import islice

import pytest
from fuzz.asking import ask, judge
from fuzz.kinds import kinds
from fuzz.structures import texts, values

EACH = 25
"""Inputs of each kind: hours of them are tried by `scripts/fuzz`."""
STEP = 8
"""Of the odd things one in so many; `scripts/fuzz --only structures` tries all."""


@pytest.mark.parametrize("kind", kinds())
def test_inputs_are_read_or_refused_in_a_sentence(kind):
    outcomes = [ask(kind, 0, number) for number in range(EACH)]
    assert [(each.number, each.words, each.trace) for each in outcomes if each.said == "fault"] == []


@pytest.mark.parametrize("every", [texts, values])
def test_each_odd_thing_at_each_place_is_read_or_refused_in_a_sentence(every):
    faults = []
    for kind, what, write in islice(every(), 0, None, STEP):
        outcome = judge(kind, write)
        faults += [(kind, what, outcome.words, outcome.trace)] * (outcome.said == "fault")
    assert faults == []


def test_there_are_many_of_them():
    assert sum(1 for _ in texts()) > 500
    assert sum(1 for _ in values()) > 1000
