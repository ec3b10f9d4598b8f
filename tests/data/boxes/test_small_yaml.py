"""The keys of a `data.yaml`, as PyYAML reads them where it is there, and in other cases by hand."""

from __future__ import annotations

import json
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eyespot.data.boxes.documents import Unusable
from eyespot.data.boxes.small_yaml import read_keys
from eyespot.names import printable

KEYS = ("path", "train", "val", "test", "names")
FILES = {
    "roboflow": "train: ../train/images\nval: ../valid/images\n\nnc: 3\nnames: ['Platelets', 'RBC', 'WBC']\n\n"
    "roboflow:\n  workspace: a\n  license: CC BY 4.0\n  url: https://a.b/c\n",
    "ultralytics": "# COCO8\n\n---\npath: ../datasets/coco8 # root\ntrain: images/train # 4 images\ntest: # none\n\n"
    '# Classes\nnames:\n  0: person\n  # the second\n  1: traffic light\n\n  2: "it\'s" # so\n'
    "download: |\n  import os\n  names: no\n",
    "list": "names:\n- cat\n- 'a: b'\n- \"tab\\\"s\"\ntrain: [a, 'b, c']\n",
    "long": "names: [\n  cat,  # the first\n  dog,\n]\ntrain: a/b#c\n",
    "braces": "names: {0: cat, 1: \"dog, too\"}\nval: 'it''s'\n",
    "quoted keys": '\'names\': {"0": a}\n"train" : x\n',
    "windows": "train: C:\\data\\images\r\nnames: [a]\r\n",
    "bom of numbers": "names: [c a t, d-o-g, \u732b]\n",
}


def as_text(value: object) -> object:
    if isinstance(value, dict):
        return {str(key): as_text(each) for key, each in value.items()}
    if isinstance(value, list):
        return [as_text(each) for each in value]
    return "" if value is None else str(value)


@pytest.mark.parametrize("written", FILES.values(), ids=FILES)
def test_files_of_usual_tools_read_as_pyyaml_reads_them(written):
    yaml = pytest.importorskip("yaml")
    whole = yaml.safe_load(written)
    found = {key: value or "" for key, value in read_keys(written, KEYS).items()}
    assert found == {key: as_text(whole[key]) for key in KEYS if key in whole}


@given(st.lists(st.text(min_size=1).map(printable).map(str.strip).filter(bool), max_size=4))
def test_any_names_in_quotes_are_read_as_they_are(names):
    quoted = [json.dumps(name, ensure_ascii=False) for name in names]
    block = "".join(f"  {at}: {name}\n" for at, name in enumerate(quoted))
    assert read_keys(f"names:\n{block}", KEYS)["names"] == ({str(at): name for at, name in enumerate(names)} or "")
    assert read_keys(f"names: [{', '.join(quoted)}]\n", KEYS)["names"] == names


@given(st.text())
def test_any_text_is_read_or_refused(written):
    with suppress(Unusable):
        read_keys(f"names: {written}", KEYS)


def test_values_stay_texts():
    assert read_keys("names: [no, 1e5, 007, ~, true]\n", KEYS) == {"names": ["no", "1e5", "007", "", "true"]}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("names: &a [b]\n", "put it into quotes"),
        ("names: *a\n", "put it into quotes"),
        ("names: !!python/object:os.system x\n", "put it into quotes"),
        ("train: |\n  a\n", "goes on in the next line|put it into quotes"),
        ("names: [a, [b]]\n", "brackets in brackets"),
        ("names: [a, b\n", "there is no ] at its end"),
        ("names: [a] b\n", "something follows ]"),
        ("names:\n  0: a\n   1: b\n", "do not begin in one column"),
        ("names:\n  0: a\n  0: b\n", "0 stands there twice"),
        ("names:\n  - a\n  b\n", "is no 'number: name'"),
        ("names: 'a\n", "does not end"),
        ("names: [a, 'b]\n", "is no text: put it into quotes, and see that these end"),
        ("names: [0: a]\n", "an item is no text: put texts into quotes"),
        ("names: {a, b}\n", "an item is not `number: name`: put texts into quotes"),
        ("names: [a]\nnames: [b]\n", "says names twice, the second time in line 2"),
    ],
)
def test_what_is_not_understood_is_said_with_its_line(written, said):
    with pytest.raises(Unusable, match=said):
        read_keys(written, KEYS)


def test_a_hostile_file_takes_no_time():
    for written in (
        "names: [" + "a," * 500_000,
        "names: " + "'" * 1_000_000,
        "a" * 1_000_000,
        "a" + " " * 1_000_000,
        "names: [" + " " * 1_000_000,
        "names: a" + " " * 1_000_000 + "#",
        "names:\n" + "- a\n" * 200_000,
    ):
        began = time.perf_counter()
        with suppress(Unusable):
            read_keys(written, KEYS)
        assert time.perf_counter() - began < 5
