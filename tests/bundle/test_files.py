"""Bundles on disk: found in three ways, refused in a sentence when damaged, unsafe or too new, written whole."""

import hashlib
import json
import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from rewritten import as_before, change_manifest

from eyespot.answering.model import load
from eyespot.bundle.files import (
    GRAPH,
    LARGEST_MANIFEST,
    MANIFEST,
    REPLACED,
    place_bundle,
    read_bundle,
    require_manifest_fits,
    sha256,
    write_bundle,
    write_manifest,
)
from eyespot.bundle.manifest import FORMAT_VERSION
from eyespot.engine.gate import LARGEST_BYTES
from eyespot.errors import BundleError, DataError
from eyespot.evaluate.metrics import part_metrics
from eyespot.files import move

OF_A_RUN = "holds no finished model by itself, it is a part of one: give .*run$"
CONTRADICTING = {
    "format_version": "1",
    "task": "painting",
    "classes": ["circle"],
    "temperature": 0,
    "graph_sha256": "0",
    "preprocess": {},
    "seed": None,
}


@pytest.fixture
def copied(split_run, tmp_path) -> Path:
    """The bundle alone, copied to another place."""
    return Path(shutil.copytree(split_run.bundle, tmp_path / "copied"))


def put_graph(folder: Path, graph: bytes) -> None:
    """Another graph, with a manifest that vouches for it."""
    (folder / "model.onnx").write_bytes(graph)
    change_manifest(folder, graph_sha256=hashlib.sha256(graph).hexdigest())


def refusal(folder: str | Path) -> str:
    """The one sentence or two with which a bundle is refused."""
    with pytest.raises(BundleError) as caught:
        read_bundle(folder)
    said = str(caught.value)
    assert "\n" not in said
    assert len(said) < 600
    return said


def test_a_run_folder_its_bundle_and_a_copied_bundle_are_the_same_model(split_run, copied):
    found = [read_bundle(where) for where in (split_run.run, Path(split_run.bundle), copied)]
    assert found[0].manifest == found[1].manifest == found[2].manifest
    assert found[0].graph == found[1].graph == found[2].graph
    assert found[0].manifest.classes == ("circle", "square", "triangle")


def test_a_bundle_holds_no_file_but_manifest_and_graph(split_run):
    assert sorted(path.name for path in Path(split_run.bundle).iterdir()) == ["manifest.json", "model.onnx"]


def test_a_missing_folder_is_named(tmp_path):
    assert f"there is no model at {tmp_path / 'none'}" in refusal(tmp_path / "none")


def test_a_folder_without_a_model_says_what_to_give(tmp_path):
    assert "holds no finished model" in refusal(tmp_path)


def test_a_file_in_place_of_a_folder_is_refused(copied):
    assert "holds no finished model" in refusal(copied / "manifest.json")
    assert "this needs the run that it was exported from: give that folder" in refusal(copied / "model.onnx")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\x80\x04K\x01.",
        b"[]",
        b"null",
        b"1",
        b"\xff\xfe{}",
        b'{"format_version": 1}',
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b"1" * 10_000,
    ],
    ids=range(11),
)
def test_a_damaged_manifest_is_refused(copied, content):
    (copied / "manifest.json").write_bytes(content)
    assert str(copied / "manifest.json") in refusal(copied)


@pytest.mark.parametrize("keep", [1, 100, 1000])
def test_a_truncated_manifest_is_refused(copied, keep):
    path = copied / "manifest.json"
    path.write_bytes(path.read_bytes()[:keep])
    assert "is damaged" in refusal(copied)


@pytest.mark.parametrize("key", CONTRADICTING)
def test_a_manifest_with_an_impossible_value_names_the_key(copied, key):
    change_manifest(copied, **{key: CONTRADICTING[key]})
    assert key in refusal(copied)


def test_classes_of_the_same_name_are_refused(copied):
    change_manifest(copied, classes=["circle", "square", "circle"])
    assert "classes" in refusal(copied)


def test_a_manifest_with_an_unknown_key_is_refused(copied):
    change_manifest(copied, run_this="rm -rf /")
    assert "run_this" in refusal(copied)


@pytest.mark.parametrize("text", ["AAAA", "not base64", "AAAAAAAAAAA"])
def test_hashes_of_pictures_that_are_cut_short_are_refused(copied, text):
    change_manifest(copied, pictures={"train": text, "val": "", "test": ""})
    assert "pictures.train" in refusal(copied)


def test_a_newer_format_version_says_to_upgrade(copied):
    change_manifest(copied, format_version=FORMAT_VERSION + 1, news="a key of the future")
    said = refusal(copied)
    assert f"format version {FORMAT_VERSION + 1}" in said
    assert "pip install --upgrade eyespot" in said


def test_the_whole_confusion_matrix_of_format_1_is_still_read(copied):
    written = json.loads((copied / MANIFEST).read_text("utf-8"))
    expected = read_bundle(copied).manifest
    for part in ("validation", "test"):
        old = {key: value for key, value in written[part].items() if key != "cells"}
        written[part] = {**old, "confusion": getattr(expected, part).confusion}
    (copied / MANIFEST).write_text(json.dumps(as_before(written, 1)))
    assert read_bundle(copied).manifest == expected.model_copy(update={"format_version": 1, "sha256": None})


@pytest.mark.parametrize("version", [1, 2])
def test_a_bundle_from_before_format_3_is_read_and_refuses_nothing(copied, version):
    written = json.loads((copied / MANIFEST).read_text("utf-8"))
    del written["unknown"], written["sets"]
    (copied / MANIFEST).write_text(json.dumps(as_before(written, version)))
    found = read_bundle(copied).manifest
    assert (found.unknown, found.sets) == (None, ())


def test_a_manifest_that_refuses_by_a_likeness_that_the_graph_has_not_is_damaged(copied):
    model = onnx.load(copied / GRAPH)
    del model.graph.output[2]
    onnx.save(model, copied / GRAPH)
    change_manifest(copied, graph_sha256=sha256((copied / GRAPH).read_bytes()))
    assert "says which likeness is refused, its graph gives" in refusal(copied)


@pytest.mark.parametrize("cells", [[[0, 3, 1]], [[-1, 0, 1]], [[0, 0, 0]], [[0, 0]], "x"])
def test_a_cell_that_is_none_of_the_classes_is_refused(copied, cells):
    written = json.loads((copied / MANIFEST).read_text("utf-8"))
    change_manifest(copied, test={**written["test"], "cells": cells})
    assert "test" in refusal(copied)


@pytest.mark.parametrize("matrix", [[1], [[1] * 4], "x", [["x"]]])
def test_a_confusion_matrix_of_format_1_that_is_none_is_refused(copied, matrix):
    written = json.loads((copied / MANIFEST).read_text("utf-8"))
    part = {key: value for key, value in written["test"].items() if key != "cells"}
    change_manifest(copied, test={**part, "confusion": matrix}, format_version=1)
    assert "test" in refusal(copied)


def test_the_manifest_of_two_thousand_classes_is_small_and_estimated_before_the_work(split_run, tmp_path):
    names = tuple(f"a class with a name of some length {number}" for number in range(2000))
    labels = np.arange(2000)
    part = part_metrics(labels, np.eye(2000, dtype=np.float32)[(labels * 7 + 1) % 2000], names)
    manifest = read_bundle(split_run.run).manifest
    manifest = manifest.model_copy(update={"classes": names, "validation": part, "test": part})
    write_manifest(tmp_path, manifest)
    size = (tmp_path / MANIFEST).stat().st_size
    assert size < 2_000_000
    require_manifest_fits("data", names, pictures=6000, held_out=4000)
    most = LARGEST_MANIFEST * 2000 // size
    with pytest.raises(DataError, match=r"data has .* classes and .* pictures: .* at most 16 MB are read"):
        require_manifest_fits("data", names * (1 + most // 2000), pictures=3 * most, held_out=2 * most)


@pytest.mark.parametrize("keep", [0, 1000, -1])
def test_a_truncated_graph_is_refused(copied, keep):
    path = copied / "model.onnx"
    path.write_bytes(path.read_bytes()[:keep])
    assert "is not the file that manifest.json describes" in refusal(copied)


def test_a_truncated_graph_that_the_manifest_vouches_for_is_refused(copied):
    graph = (copied / "model.onnx").read_bytes()
    put_graph(copied, graph[: len(graph) // 2])
    assert "cannot be used" in refusal(copied)


def test_another_models_graph_is_refused(copied):
    (copied / "model.onnx").write_bytes(a_graph("Relu").SerializeToString())
    assert "is not the file that manifest.json describes" in refusal(copied)


def test_a_missing_graph_is_refused(copied):
    (copied / "model.onnx").unlink()
    assert "model.onnx cannot be read" in refusal(copied)


def test_a_folder_in_place_of_the_graph_is_refused(copied):
    (copied / "model.onnx").unlink()
    (copied / "model.onnx").mkdir()
    assert "model.onnx cannot be read" in refusal(copied)


# --- Sizes and kinds of files, before they are read


@pytest.mark.parametrize("name", ["manifest.json", "model.onnx"])
def test_a_file_that_is_too_large_is_refused_unread(copied, name, monkeypatch):
    with (copied / name).open("ab") as file:
        file.truncate(1 + (LARGEST_MANIFEST if name == "manifest.json" else LARGEST_BYTES))  # a hole, not data
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: None if path.name == name else read(path))
    assert "more than a bundle's may have" in refusal(copied)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_in_place_of_the_graph_is_not_waited_for(copied):
    (copied / "model.onnx").unlink()
    os.mkfifo(copied / "model.onnx")
    assert "is not an ordinary file" in refusal(copied)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_in_place_of_the_manifest_is_no_model(copied):
    (copied / "manifest.json").unlink()
    os.mkfifo(copied / "manifest.json")
    assert "holds no finished model" in refusal(copied)


@pytest.mark.parametrize("where", ["x" * 300, "~nobody-of-this-name/run"])
def test_a_path_that_cannot_be_looked_at_is_a_sentence(where):
    assert "there is no model" in refusal(where)


def test_a_folder_that_may_not_be_read_is_a_sentence(tmp_path, monkeypatch):
    def forbidden(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_file", forbidden)
    assert "Permission denied" in refusal(tmp_path)


# --- The manifest against the graph


@pytest.mark.parametrize(
    "changes",
    [{"crop_hw": [223, 224]}, {"color": "gray", "mean": [1.0], "scale": [1.0]}],
    ids=["size", "colour"],
)
def test_a_manifest_with_other_images_than_the_graph_takes_is_refused(copied, split_run, changes):
    preprocess = read_bundle(split_run.run).manifest.preprocess.model_dump(mode="json")
    change_manifest(copied, preprocess=preprocess | changes)
    said = refusal(copied)
    assert "its graph takes 'images' of shape (N, 224, 224, 3)" in said
    assert "its manifest has images of shape (N, 22" in said


def test_a_manifest_with_other_classes_than_the_graph_gives_is_refused(copied):
    change_manifest(copied, classes=["circle", "square"])
    said = refusal(copied)
    assert "its manifest names 2 classes" in said
    assert "'probabilities' of shape (N, 3)" in said


class Exploit:
    def __reduce__(self):
        return os.mkdir, (os.environ["EYESPOT_EXPLOITED"],)


def test_a_pickle_in_place_of_the_graph_is_refused_and_not_executed(copied, tmp_path, monkeypatch):
    monkeypatch.setenv("EYESPOT_EXPLOITED", str(tmp_path / "exploited"))
    put_graph(copied, pickle.dumps(Exploit()))
    assert "cannot be used" in refusal(copied)
    assert not (tmp_path / "exploited").exists()


def test_a_custom_operator_is_refused(copied):
    put_graph(copied, a_graph("Execute", domain="evil").SerializeToString())
    assert "cannot be used" in refusal(copied)


def test_an_operator_with_a_subgraph_is_refused(copied):
    put_graph(copied, a_graph("Loop", body=a_graph("Relu").graph).SerializeToString())
    assert "cannot be used" in refusal(copied)


def test_data_in_another_file_is_refused(copied, tmp_path):
    model = a_graph("Relu")
    secret = onnx.TensorProto(name="secret", data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    secret.external_data.add(key="location", value="../../etc/passwd")
    model.graph.initializer.append(secret)
    put_graph(copied, model.SerializeToString())
    assert "data kept in another file" in refusal(copied)


def a_graph(operator: str, *, domain: str = "", **attributes: object) -> onnx.ModelProto:
    node = helper.make_node(operator, ["x"], ["y"], domain=domain, **attributes)
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
    opsets = [helper.make_opsetid("", 18), *([helper.make_opsetid(domain, 1)] if domain else [])]
    return helper.make_model(helper.make_graph([node], "g", ends[:1], ends[1:]), opset_imports=opsets, ir_version=10)


@pytest.mark.parametrize("fails_at", [0, 1])
def test_an_interrupted_write_leaves_no_half_bundle(split_run, tmp_path, monkeypatch, fails_at):
    bundle = read_bundle(split_run.run)
    replace, calls = os.replace, []

    def interrupted(source, target):
        calls.append(target)
        if len(calls) > fails_at:
            raise KeyboardInterrupt
        replace(source, target)

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_bundle(tmp_path / "new", bundle.manifest, bundle.graph)
    assert not (tmp_path / "new" / "manifest.json").exists()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["model.onnx"][:fails_at]  # no temporary files
    assert "holds no finished model" in refusal(tmp_path / "new")


def test_what_is_written_is_what_is_read(split_run, tmp_path):
    bundle = read_bundle(split_run.run)
    write_bundle(tmp_path / "new", bundle.manifest, bundle.graph)
    again = read_bundle(tmp_path / "new")
    assert (again.manifest, again.graph) == (bundle.manifest, bundle.graph)


# --- a better bundle in place of the one that is there

STEPS = ("nothing to remove", "old one aside", "new one there", "old one removed")
"""Of `place_bundle`, where a bundle is there already."""


@pytest.fixture
def named(split_run, tmp_path):
    """A function that gives a draft of a bundle with this name in its manifest."""
    bundle = read_bundle(split_run.run)

    def draft(name: str) -> Path:
        folder = tmp_path / "run" / f".draft-{name}"
        write_bundle(folder, bundle.manifest.model_copy(update={"name": name}), bundle.graph)
        return folder

    return draft


def stop_at(monkeypatch, step: int, *, error: type[BaseException], half_way: bool = False) -> None:
    """Only so many steps of `place_bundle` are done; `half_way`: of the next, if it removes, one file is removed."""
    rename, remove, calls = move, shutil.rmtree, []

    def counting(path, done, half=lambda: None):
        calls.append(path)
        if len(calls) <= step:
            return done()
        if half_way and len(calls) == step + 1:
            half()
        raise error

    monkeypatch.setattr("eyespot.bundle.files.move", lambda path, target: counting(path, lambda: rename(path, target)))
    monkeypatch.setattr(
        shutil,
        "rmtree",
        lambda path, **options: counting(
            path, lambda: remove(path, **options), lambda: (path / "manifest.json").unlink(missing_ok=True)
        ),
    )


def placed(folder: Path) -> str:
    return read_bundle(folder.parent).manifest.name


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
@pytest.mark.parametrize("half_way", [False, True])
@pytest.mark.parametrize("step", range(len(STEPS)), ids=STEPS)
def test_wherever_the_placing_of_a_better_bundle_stops_there_is_a_whole_one(
    named, tmp_path, monkeypatch, step, half_way, error
):
    folder = tmp_path / "run" / "bundle"
    place_bundle(named("old"), folder)
    draft = named("new")
    with monkeypatch.context() as patch:
        stop_at(patch, step, error=error, half_way=half_way)
        with pytest.raises(error):
            place_bundle(draft, folder)
    assert placed(folder) == ("new" if step == 3 else "old")
    place_bundle(named("newest"), folder)
    assert placed(folder) == "newest"
    assert (folder / "manifest.json").is_file()
    assert not (folder.parent / REPLACED).exists()


@pytest.mark.parametrize("step", range(5))
def test_a_second_stop_at_any_step_leaves_a_whole_bundle_too(named, tmp_path, monkeypatch, step):
    folder = tmp_path / "run" / "bundle"
    place_bundle(named("old"), folder)
    for name, stopped in (("new", 2), ("newer", step)):
        draft = named(name)
        with monkeypatch.context() as patch:
            stop_at(patch, stopped, error=KeyboardInterrupt)
            with pytest.raises(KeyboardInterrupt):
                place_bundle(draft, folder)
        assert placed(folder) == ("newer" if step == 4 and name == "newer" else "old")


def test_the_first_bundle_of_a_run_is_placed_whole_or_not_at_all(named, tmp_path, monkeypatch):
    folder = tmp_path / "run" / "bundle"
    draft = named("first")
    with monkeypatch.context() as patch:
        stop_at(patch, 1, error=KeyboardInterrupt)
        with pytest.raises(KeyboardInterrupt):
            place_bundle(draft, folder)
    assert not folder.exists()
    place_bundle(draft, folder)
    assert placed(folder) == "first"


def test_the_graph_of_a_bundle_is_the_bundle(copied):
    expected = read_bundle(copied).manifest
    assert load(copied / "model.onnx").manifest == expected


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("run/report.html", OF_A_RUN),
        ("run/manifest.json", OF_A_RUN),
        ("run/checkpoints/full", OF_A_RUN),
        (
            "half/checkpoints/full",
            r"has no model yet: go on with it first \(eyespot train --resume RUN\)",
        ),
        ("half", r"of a run that has no model yet"),
        ("resnet.pt", r"holds weights as other programs write them.* --weights .*resnet.pt\), and give its run folder"),
        ("resnet.safetensors", r"holds weights as other programs write them"),
        ("other.onnx", r"other.onnx is no whole file of `eyespot export`"),
        ("photo.png", r"holds no finished model .*: give a run folder such as runs/train/NAME"),
        ("nowhere", r"there is no model at .*nowhere: give a run folder"),
        ("rnu", r"there is no model at .*rnu: did you mean 'run'\?"),
    ],
)
def test_what_is_no_model_gets_its_own_sentence(copied, tmp_path, place, said):
    copied.rename(tmp_path / "run")
    (tmp_path / "run" / "checkpoints" / "full").mkdir(parents=True)
    (tmp_path / "half" / "checkpoints" / "full").mkdir(parents=True)
    for name in ("run/report.html", "resnet.pt", "resnet.safetensors", "other.onnx", "photo.png"):
        (tmp_path / name).write_bytes(b"something")
    with pytest.raises(BundleError, match=said):
        load(tmp_path / place)
