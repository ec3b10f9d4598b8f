"""Columns stay straight whatever script names are in, by the widths that terminals give letters."""

import pytest
from rich.cells import cell_len

from eyespot.cli.columns import in_column

NAMES = ["cat", "猫", "ねこ", "고양이", "e\u0301cole", "👩\u200d👩\u200d👧", "🐈", "zero\u200bwidth", "", "قطة", "ﾈｺ"]


def test_names_of_any_script_are_as_wide_as_the_widest():
    assert {cell_len(name) for name in in_column(NAMES)} == {max(map(cell_len, NAMES))}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a name that is longer than ten places", "a nam…aces"),
        ("猫" * 20, "猫猫…猫猫 "),
        ("1234567890", "1234567890"),
        ("x" * 5 + "猫" * 5, "xxxxx…猫猫"),
    ],
)
def test_the_middle_of_a_long_name_goes(name, expected):
    assert in_column([name, "0123456789"], widest=10)[0] == expected


def test_no_name_can_break_the_line():
    assert in_column(["a\nb", "\x1b[31mred"])[0].startswith("a\\nb ")
