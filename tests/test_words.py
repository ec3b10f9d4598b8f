"""Numbers with their nouns, lists of names, and what was meant."""

import pytest

from eyespot.words import counted, nearest, some


@pytest.mark.parametrize(("count", "said"), [(0, "0 pictures"), (1, "1 picture"), (2, "2 pictures")])
def test_one_thing_is_not_said_in_the_plural(count, said):
    assert counted(count, "picture") == said


def test_a_plural_that_is_no_s_alone_is_given():
    assert [counted(count, "process", "processes") for count in (1, 2)] == ["1 process", "2 processes"]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (["a", "b", "c"], "a, b and c"),
        (list("abcdef"), "a, b, c and 3 more"),
    ],
)
def test_of_many_names_some_are_said_and_the_others_counted(names, said):
    assert some(names, most=3) == said


def test_an_unknown_word_is_answered_with_the_nearest_one_or_with_all():
    assert nearest("trian", ("train", "predict")) == "did you mean 'train'?"
    assert nearest("zzz", ("train", "predict")) == "there are train, predict"
    assert nearest("zzz", ("train", "predict"), otherwise="ask for help") == "ask for help"
