"""What the playground repeats of eyespot, its kernels and paddings, is the same there and here."""

from __future__ import annotations

import json
import re
from pathlib import Path

from eyespot.arithmetic.kernels import KERNELS
from eyespot.arithmetic.windows import MODES

PAGE = Path(__file__).parents[2] / "src/eyespot/studio/page"


def test_the_named_kernels_are_those_of_convolve_in_their_order():
    text = (PAGE / "kernels.js").read_text("utf-8")
    found = {name: json.loads(rows) for name, rows in re.findall(r'^  "(.+)": (\[\[.+\]\]),$', text, re.MULTILINE)}
    assert list(found) == list(KERNELS)
    assert found == {name: [list(row) for row in rows] for name, rows in KERNELS.items()}


def test_every_padding_of_convolve_can_be_chosen():
    [text] = re.findall(r"PADDINGS = (\[.+\]);", (PAGE / "playground_state.js").read_text("utf-8"))
    chosen = json.loads(text)
    assert [each for each in chosen if not each.isdecimal()] == ["valid", "same", *MODES[1:]]


def test_its_modules_are_short():
    names = [path.name for path in PAGE.glob("playground*.js")]
    assert len(names) > 5
    for name in (*names, "windows.js", "convolution.js", "matrix.js", "kernels.js", "quiz.js"):
        assert len((PAGE / name).read_text("utf-8").splitlines()) <= 150, name
