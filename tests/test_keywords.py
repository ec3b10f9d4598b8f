"""What editors complete are the options that there are, with the values that they take; docs and examples pass mypy."""

from __future__ import annotations

import typing
from types import UnionType

import pytest
from torch import nn

from eyespot.answering.detections import BoxOptions
from eyespot.answering.keywords import PredictKeywords
from eyespot.answering.rules import RuleOptions
from eyespot.data.read_as import ReadAs, ReadKeywords
from eyespot.recipes.explain import Asked, AskedOfBox, ExplainKeywords
from eyespot.runs.keywords import TrainKeywords
from eyespot.runs.options import TrainOptions
from eyespot.styling.options import StylizeKeywords, StylizeOptions

THRESHOLD = typing.get_type_hints(RuleOptions)["threshold"]
"""A detector has no `auto`, and takes it for None."""
PAIRS = {
    TrainKeywords: {name: field.annotation for name, field in TrainOptions.model_fields.items()},
    PredictKeywords: typing.get_type_hints(RuleOptions) | typing.get_type_hints(BoxOptions) | {"threshold": THRESHOLD},
    ReadKeywords: typing.get_type_hints(ReadAs),
    ExplainKeywords: typing.get_type_hints(Asked) | typing.get_type_hints(AskedOfBox),
    StylizeKeywords: typing.get_type_hints(StylizeOptions),
}
NOT_FOR_PEOPLE = {"classes_count"}


@pytest.mark.parametrize("kind", PAIRS, ids=lambda kind: kind.__name__)
def test_keywords_are_the_options_in_their_order(kind):
    names = list(typing.get_type_hints(kind, localns={"nn": nn}))
    assert names == [name for name in PAIRS[kind] if name not in NOT_FOR_PEOPLE]


@pytest.mark.parametrize("kind", PAIRS, ids=lambda kind: kind.__name__)
def test_keywords_take_the_words_that_the_options_take(kind):
    for name, annotation in typing.get_type_hints(kind, localns={"nn": nn}).items():
        assert words(annotation) == words(PAIRS[kind][name]), name


def words(annotation):
    """The literal words among the values of a type."""
    if typing.get_origin(annotation) is typing.Literal:
        return set(typing.get_args(annotation))
    if typing.get_origin(annotation) in (typing.Union, UnionType):
        return set().union(*map(words, typing.get_args(annotation)))
    return set()
