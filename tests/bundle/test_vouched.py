"""What says what a number means is vouched for: a file that was changed is refused, or means what it meant."""

from __future__ import annotations

import gzip
import json
import random
import shutil
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rewritten import as_before, change_manifest

from eyespot.bundle.exported import EXPORT_VERSION, FILE_KEY, read_exported
from eyespot.bundle.files import GRAPH, MANIFEST, notes_on, read_any_bundle
from eyespot.bundle.manifest import FORMAT_VERSION
from eyespot.errors import BundleError
from eyespot.vouched import KEY, NO_HASH_YET, Changed, hash_of, is_hash_of, read_json, require_unchanged, with_hash

GOLDEN = Path(__file__).parents[1] / "golden"
TASKS = ("classes", "boxes", "labels")
NEWEST = GOLDEN / f"bundle-{FORMAT_VERSION}"
EXPORTS = GOLDEN / f"export-{EXPORT_VERSION}"
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.fixture(params=TASKS)
def bundle(request, tmp_path) -> Path:
    return Path(shutil.copytree(NEWEST / request.param, tmp_path / "bundle"))


@pytest.fixture
def flipped(monkeypatch) -> Any:
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    return import_module("flipped")


def test_files_that_are_changed_at_random_are_refused_or_mean_what_they_meant(flipped, tmp_path):
    for kind in flipped.kinds(tmp_path):
        outcomes = [outcome for outcome, _ in flipped.read(kind, tmp_path / "read", random.Random(kind.name), 6)]
        assert set(outcomes) <= {"refused", "as before"}, kind.name


def test_no_flipped_bit_of_a_manifest_gives_it_another_meaning(bundle):
    """Some of them; `benchmarks/flipped.py` changes thousands."""
    path = bundle / MANIFEST
    whole, expected = path.read_bytes(), read_any_bundle(bundle).manifest
    for at in range(0, 8 * len(whole), 31):
        data = bytearray(whole)
        data[at // 8] ^= 1 << at % 8
        path.write_bytes(data)
        found = manifest_or_sentence(bundle)
        assert found == expected or (isinstance(found, str) and "\n" not in found), at


def manifest_or_sentence(bundle: Path) -> Any:
    try:
        return read_any_bundle(bundle).manifest
    except BundleError as error:
        return str(error)


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda said: json.dumps(said),
        lambda said: json.dumps(said, indent=8, sort_keys=True, ensure_ascii=False),
        lambda said: json.dumps(dict(reversed(said.items()))),
        lambda said: json.dumps(said).replace(".0,", ",").replace(".0]", "]").replace(".0}", "}"),  # as JavaScript does
        lambda said: json.dumps(said).replace('"name"', '"\\u006eame"'),
    ],
    ids=["compact", "sorted", "reversed", "whole numbers", "escaped"],
)
def test_a_manifest_that_another_program_wrote_anew_with_the_same_values_loads(bundle, rewrite):
    expected = read_any_bundle(bundle).manifest
    (bundle / MANIFEST).write_text(rewrite(json.loads((bundle / MANIFEST).read_text("utf-8"))), "utf-8")
    assert read_any_bundle(bundle).manifest == expected


@pytest.mark.parametrize("change", [{"name": "another"}, {"created": "2020-01-01"}, {"versions": {"eyespot": "9"}}])
def test_a_value_that_was_changed_is_refused(bundle, change):
    said = json.loads((bundle / MANIFEST).read_text("utf-8"))
    (bundle / MANIFEST).write_text(json.dumps(said | change))
    with pytest.raises(BundleError, match=r"manifest\.json was changed since it was written, as its sha256 says: copy"):
        read_any_bundle(bundle)
    change_manifest(bundle, **change)
    assert read_any_bundle(bundle)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"seed":', '"seed": 1, "seed":', "it says 'seed' twice"),
        ('"mean": [', '"mean": [NaN, ', "NaN is no number"),
        ('"seed": 0', '"seed": Infinity', "Infinity is no number"),
        ('"seed": 0', '"seed": 1e999', "1e999 is no number"),
        (f'"{KEY}"', '"sha257"', "sha257"),
        (f',\n  "{KEY}": "', ',\n  "": "', "not a valid manifest"),
        (f'"format_version": {FORMAT_VERSION}', '"format_version": 3', "was changed since it was written"),
        (f'"format_version": {FORMAT_VERSION}', '"format_version": 5', "format version 5; this eyespot reads up to 4"),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(bundle, old, new, said):
    text = (bundle / MANIFEST).read_text("utf-8")
    assert old in text
    (bundle / MANIFEST).write_text(text.replace(old, new), "utf-8")
    with pytest.raises(BundleError) as caught:
        read_any_bundle(bundle)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_manifest_without_its_hash_is_damaged_from_format_4_on_and_older_before(bundle):
    said = json.loads((bundle / MANIFEST).read_text("utf-8"))
    assert not notes_on(read_any_bundle(bundle))
    (bundle / MANIFEST).write_text(json.dumps(as_before(said, FORMAT_VERSION)))
    with pytest.raises(BundleError, match=r"manifest\.json is damaged \(its sha256 is missing\): copy"):
        read_any_bundle(bundle)
    (bundle / MANIFEST).write_text(json.dumps(as_before(said, 3)))
    [note] = notes_on(read_any_bundle(bundle))
    assert (
        note
        == f"{bundle} is of format 3, which carries no hash of its names and numbers: damage to them goes unnoticed"
    )


def test_labels_without_a_threshold_each_are_refused(tmp_path):
    bundle = Path(shutil.copytree(NEWEST / "labels", tmp_path / "bundle"))
    change_manifest(bundle, thresholds=[0.4, 0.5])
    with pytest.raises(BundleError, match=r"is not a valid manifest: .*: .*3 labels need as many thresholds, not 2"):
        read_any_bundle(bundle)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'type="Multiply"', b'type="Maximum"'),
        (b"<classes", b"<clasess"),
        (b"&quot;red&quot;", b"&quot;rod&quot;"),
        (f"<{FILE_KEY}".encode(), b"<file_sha257"),
        (b'<export_version value="2"', b'<export_version value="1"'),
    ],
)
def test_an_xml_that_was_changed_is_refused(tmp_path, task, old, new):
    xml = gzip.decompress((EXPORTS / f"{task}.xml.gz").read_bytes())
    assert old in xml
    (tmp_path / "m.xml").write_bytes(xml.replace(old, new))
    shutil.copy(EXPORTS / f"{task}.bin", tmp_path / "m.bin")
    changed = r"m\.xml was changed since it was \w+, as its (file_)?sha256 says"
    with pytest.raises(BundleError, match=f"{changed}|graph cannot be used"):  # another operator may not even fit
        read_exported(tmp_path / "m.xml")


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(
    ("old", "new"), [(b'"red"', b'"rod"'), (b"export_version\x12\x011", b""), (b"preprocess", b"preprocees")]
)
def test_the_labels_of_an_onnx_file_are_vouched_for(tmp_path, task, old, new):
    data = (EXPORTS / f"{task}.onnx").read_bytes()
    if not new:  # the version of before, whose files carried no hash of all
        old, new = b"export_version\x12\x012", b"export_version\x12\x011"
    assert old in data
    (tmp_path / "m.onnx").write_bytes(data.replace(old, new, 1))
    with pytest.raises(BundleError, match=r"m\.onnx was changed since it was exported, as its file_sha256 says"):
        read_exported(tmp_path / "m.onnx")


@given(st.dictionaries(st.text(), JSON, max_size=5))
def test_the_hash_is_that_of_the_values_and_not_of_how_they_are_written(content):
    content.pop(KEY, None)
    ways = [json.dumps(content), json.dumps(content, indent=3, sort_keys=True), json.dumps(content, ensure_ascii=False)]
    said = [read_json(way.encode("utf-8", "surrogatepass")) for way in ways[:2]]
    assert hash_of(said[0]) == hash_of(said[1])
    require_unchanged({**said[0], KEY: hash_of(said[0])})
    with pytest.raises(Changed):
        require_unchanged({**said[0], "one more": 1, KEY: hash_of(said[0])})


@given(st.binary(max_size=50), st.binary(max_size=50), st.integers(0, 163 * 8))
def test_a_file_carries_the_hash_of_all_around_it(before, after, at):
    data = with_hash(before + NO_HASH_YET.encode() + after)
    found = data[len(before) : len(before) + 64].decode()
    assert is_hash_of(found, data)
    changed = bytearray(data)
    changed[at // 8 % len(data)] ^= 1 << at % 8
    assert not is_hash_of(changed[len(before) : len(before) + 64].decode("latin1"), bytes(changed))
    assert not is_hash_of("", data)


def test_a_graph_that_was_changed_is_refused(bundle):
    data = bytearray((bundle / GRAPH).read_bytes())
    data[-1] ^= 1
    (bundle / GRAPH).write_bytes(data)
    with pytest.raises(BundleError, match=r"is not the file that manifest\.json describes"):
        read_any_bundle(bundle)
