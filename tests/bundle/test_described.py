"""What a page says of how good a model is."""

from __future__ import annotations

import pytest
from box_bundle import write_box_bundle

from eyespot.bundle.described import described
from eyespot.bundle.files import read_any_bundle

FOUND = "From the threshold of 0.50 on it finds 82.2\u00a0% of the boxes, and 74.1\u00a0% of what it finds is right."


@pytest.mark.parametrize("part", ["test", "validation"])
@pytest.mark.parametrize("unmeasured", ["precision", "recall", None])
def test_a_detector_says_what_was_measured_and_no_more(tmp_path, part, unmeasured):
    manifest = read_any_bundle(write_box_bundle(tmp_path, measured=True)).manifest
    scores = manifest.test.model_copy(update={unmeasured: None} if unmeasured else {})
    measured = described(manifest.model_copy(update={"test": None, part: scores}))["measured"]
    unseen = "which it had never seen" if part == "test" else "which it did not train on"
    told = (
        f"Measured on 72 {part} pictures with 967 boxes, {unseen}: mAP50 0.830, where 1 would be every box found and "
        "none made up."
    )
    assert measured["part"] == part
    assert measured["sentence"] == (told if unmeasured else f"{told} {FOUND}")
