"""Exported files that are not what they say are refused in a sentence; what has no answer in a sound one says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from box_bundle import CLASSES, squares, write_box_bundle
from color_bundle import write_color_bundle
from onnx import TensorProto, helper, numpy_helper
from rewritten import vouched_onnx

import eyespot
from eyespot.bundle.boxes import Cut
from eyespot.bundle.exported import FILE_KEY, VERSION_KEY, WholeClassifier, metadata, read_exported
from eyespot.bundle.exported_detector import WholeDetector
from eyespot.bundle.files import read_any_bundle
from eyespot.bundle.run import NO_ANSWER
from eyespot.data.framed import Whole
from eyespot.errors import BundleError
from eyespot.exporting.files import onnx_file
from eyespot.vouched import NO_HASH_YET

GOLDEN = Path(__file__).parents[1] / "golden"
WRITE = {"classes": write_color_bundle, "boxes": write_box_bundle}
BLACK, WHITE = (np.full((40, 50, 3), level, np.uint8) for level in (0, 255))
ANY_SCORE = Cut(threshold=0.0, iou=1.0, most=100)
"""Another than the model's own, so that the graph's own suppression does not count."""


@pytest.fixture
def exported(tmp_path) -> Callable[..., Path]:
    """Writes a model that a test can work out itself as an ONNX file, changed and vouched for again."""

    def write(task: str, change: Callable[[onnx.ModelProto], None] = lambda model: None, **options: object) -> Path:
        model = onnx.load_from_string(onnx_file(read_any_bundle(WRITE[task](tmp_path / task, **options))))
        change(model)
        (tmp_path / f"{task}.onnx").write_bytes(vouched_onnx(model))
        return tmp_path / f"{task}.onnx"

    return write


def saying(manifest: object, model: onnx.ModelProto) -> None:
    """Puts another model's manifest into a file."""
    helper.set_model_props(model, metadata(manifest) | {FILE_KEY: NO_HASH_YET})


def property_of(model: onnx.ModelProto, key: str) -> onnx.StringStringEntryProto:
    return next(each for each in model.metadata_props if each.key == key)


def fits_no_picture(model: onnx.ModelProto) -> None:
    """Of 4000 rows, as the largest picture has; which is found out when there is a picture."""
    shape = numpy_helper.from_array(np.array([4000, -1, 3], np.int64), "of a large one")
    for node in model.graph.node:
        node.input[:] = ["as a large one" if name == "picture" else name for name in node.input]
    model.graph.initializer.append(shape)
    model.graph.node.insert(0, helper.make_node("Reshape", ["picture", shape.name], ["as a large one"]))


def lacks_an_attribute(model: onnx.ModelProto) -> None:
    """Without the type to cast to."""
    del next(node for node in model.graph.node if node.op_type == "Cast").attribute[:]


def answers(path: Path, *pictures: np.ndarray) -> list[object]:
    classifier = WholeClassifier(read_exported(path), cache_folder=None)
    return [answer for _, answer in classifier.stream(enumerate(pictures), many=False)]


def boxes(path: Path, *pictures: np.ndarray, cut: Cut | None = None) -> list[object]:
    read = read_exported(path)
    wholes = ((number, Whole(each, each.shape[:2])) for number, each in enumerate(pictures))
    return [found for _, found in WholeDetector(read, cache_folder=None).stream(wholes, cut or Cut.of(read.manifest))]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("none.onnx", r"there is no model at .*none\.onnx: give a file that `eyespot export` made"),
        ("circle.onnx", r"there is no model to be read at .*circle\.onnx: \S"),
        ("x" * 300 + ".xml", r"there is no model to be read at .*x\.xml: .*File name too long"),
        ("a\0b.onnx", r"there is no model to be read at .*b\.onnx: .*null byte"),
    ],
)
def test_a_file_that_is_not_there_is_a_sentence(tmp_path, name, said):
    (tmp_path / "circle.onnx").symlink_to("circle.onnx")
    with pytest.raises(BundleError, match=said):
        eyespot.load(tmp_path / name)


def test_a_file_of_a_newer_version_says_how_to_read_it(exported):
    def newer(model: onnx.ModelProto) -> None:
        property_of(model, VERSION_KEY).value = "3"

    with pytest.raises(BundleError, match=r"version 3; this eyespot reads up to 2: pip install --upgrade eyespot$"):
        read_exported(exported("classes", newer))


@pytest.mark.parametrize("task", ["classes", "boxes", "labels"])
def test_a_file_of_before_that_has_another_graph_is_damaged(tmp_path, task):
    """Such a file carries a hash of its graph alone."""
    model = onnx.load(GOLDEN / "export-1" / f"{task}.onnx")
    model.graph.node[0].name = "another"
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(BundleError, match=r"its graph is not the one that was exported: copy it again"):
        read_exported(tmp_path / "m.onnx")


@pytest.mark.parametrize(
    ("task", "other", "options", "said"),
    [
        ("classes", "classes", {"gray": True}, "it should take one 'picture' of any size"),
        ("boxes", "classes", {}, "it names 3 classes and does not give that many probabilities"),
        ("classes", "classes", {"refuses": True}, "it says which likeness is refused and does not give one"),
        ("classes", "boxes", {}, "it does not give boxes with scores of its 3 classes"),
    ],
)
def test_a_file_with_the_manifest_of_another_model_is_refused(exported, tmp_path, task, other, options, said):
    manifest = read_any_bundle(WRITE[other](tmp_path / "other", **options)).manifest
    path = exported(task, lambda model: saying(manifest, model))
    with pytest.raises(BundleError, match=rf"{task}\.onnx is damaged: {said}: export the model again"):
        read_exported(path)


@pytest.mark.parametrize("task", WRITE)
def test_a_graph_that_fits_no_picture_is_damaged(exported, task):
    path = exported(task, fits_no_picture)
    with pytest.raises(BundleError, match=r"onnx is damaged: its graph cannot be computed: export the model again"):
        (boxes if task == "boxes" else answers)(path, WHITE)


@pytest.mark.parametrize("task", WRITE)
def test_a_graph_that_cannot_be_compiled_is_damaged(exported, task):
    path = exported(task, lacks_an_attribute)
    with pytest.raises(BundleError, match=r"onnx is damaged: its graph is not complete"):
        (boxes if task == "boxes" else answers)(path, WHITE)


def test_a_picture_whose_numbers_become_too_large_has_no_answer_and_others_have(exported):
    white, black = answers(exported("classes", weight=1e38), WHITE, BLACK)
    assert white == NO_ANSWER
    np.testing.assert_allclose(black.probabilities, 1 / 3, atol=1e-6)


def test_a_file_that_answers_nothing_to_any_picture_is_damaged(exported):
    with pytest.raises(BundleError, match=r"onnx is damaged: its answers are no numbers; copy it again"):
        answers(exported("classes", weight=float("nan")), WHITE)


@pytest.mark.parametrize("cut", [None, ANY_SCORE], ids=["by the graph", "cut anew"])
def test_a_picture_whose_scores_are_no_numbers_has_no_boxes(exported, cut):
    assert boxes(exported("boxes", weight=float("nan")), WHITE, cut=cut) == [NO_ANSWER]


def test_an_exported_detector_finds_the_same_boxes_where_they_are_cut_anew(exported):
    """The picture is as large as the image, which has 2 x 3 squares, each with a box for each color."""
    picture = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    [found] = boxes(exported("boxes"), picture, cut=ANY_SCORE)
    at, scores = squares(picture)
    assert len(found.xyxy) == scores.size
    order = np.argsort(-scores, axis=None)
    np.testing.assert_allclose(found.scores, scores.flat[order], atol=1e-5)
    assert list(found.labels) == list(order % len(CLASSES))
    np.testing.assert_allclose(found.xyxy, at[order // len(CLASSES)].clip(0, (96, 64, 96, 64)), atol=1e-3)


def test_boxes_as_whole_numbers_are_none(exported):
    def whole(model: onnx.ModelProto) -> None:
        [own] = (each for each in model.graph.output if each.name == "boxes")
        own.type.tensor_type.elem_type = TensorProto.INT64

    with pytest.raises(BundleError, match="it does not give boxes with scores of its 3 classes: export the model"):
        read_exported(exported("boxes", whole))
