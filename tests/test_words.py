"""Numbers with their nouns."""

import pytest

from eyespot.words import counted


@pytest.mark.parametrize(("count", "said"), [(0, "0 pictures"), (1, "1 picture"), (2, "2 pictures")])
def test_one_thing_is_not_said_in_the_plural(count, said):
    assert counted(count, "picture") == said
