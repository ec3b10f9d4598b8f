"""The examples in docstrings of what a user calls first do what they say."""

from __future__ import annotations

import doctest
import inspect

import torch
from few_digits import few_digits

import eyespot
from eyespot.data.samples import digits

FIRST_CALLED = ("train", "load", "predict", "embed", "create")


def test_examples_do_what_they_say(shared_cache, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sklearn.datasets.load_digits", few_digits)
    seven = next(each for each in digits().pictures if each.label == "7")
    (tmp_path / "seven.png").write_bytes(seven.read())
    for name in FIRST_CALLED:
        function = inspect.unwrap(getattr(eyespot, name))
        [example] = [each for each in doctest.DocTestFinder(recurse=False).find(function, name) if each.examples]
        example.globs = {"eyespot": eyespot, "torch": torch}
        found = doctest.DocTestRunner(verbose=False).run(example)
        assert (found.failed, found.attempted > 0) == (0, True), name
    [example] = [each for each in doctest.DocTestFinder(recurse=False).find(eyespot.Model.embed, "embed")]
    example.globs = {"eyespot": eyespot}
    assert doctest.DocTestRunner(verbose=False).run(example).failed == 0
