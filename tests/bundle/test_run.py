"""A bundle at work answers as the head that was trained; one whose parts do not fit together is refused."""

from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

import eyespot
from eyespot.building.backbone import DEFAULT, OWN_PREPROCESS
from eyespot.bundle.files import Bundle, read_bundle, sha256, write_bundle
from eyespot.bundle.run import Classifier, precision_here
from eyespot.engine.attach import attach_head
from eyespot.engine.gate import check_graph
from eyespot.errors import BundleError, OptionError
from eyespot.evaluate.calibration import probabilities
from eyespot.features.decode import decode_pictures
from eyespot.heads.head import Head
from eyespot.progress import silent
from eyespot.regimes.frozen import fit_frozen
from eyespot.regimes.prepare import prepare
from eyespot.reporting import written_model
from eyespot.reporting.measure import measure
from eyespot.reporting.written_model import CLOSE, require_same_answers, write_verified
from eyespot.runs.clock import Clock
from eyespot.runs.folder import RunFolder
from eyespot.runs.job import Job
from eyespot.runs.options import train_options


def job(cache: Path) -> Job:
    """A run that keeps nothing."""
    options = train_options()
    return Job(options, RunFolder(options), None, cache, "fp32", silent, Clock())


@pytest.fixture(scope="module")
def fitted(split_photos, split_run, warm_cache):
    """The head of `split_run`, fitted again on the same features."""
    trunk = DEFAULT.trunk(warm_cache, "fp32")
    prepared = prepare(split_photos, seed=0, progress=silent)
    return fit_frozen(prepared, trunk, job(warm_cache), small_test=False)


@pytest.fixture(scope="module")
def measured(fitted):
    return measure(fitted, store=None, progress=silent)


@pytest.fixture
def bundle(fitted, split_run) -> Bundle:
    """A bundle in fp32, with a temperature that shows."""
    return written(fitted, split_run.run, temperature=2.5)


def written(fitted, run, *, temperature: float, folder: Path = Path("nowhere")) -> Bundle:
    """The fitted model in fp32, with the manifest of that run."""
    layers, means = fitted.head.layers, fitted.means.values
    graph = attach_head(fitted.trunk.graph, layers, temperature=temperature, means=means)
    manifest = read_bundle(run).manifest
    precision = manifest.precision.model_copy(update={"name": "fp32"})
    changed = {"precision": precision, "graph_sha256": sha256(graph), "temperature": temperature}
    return Bundle(folder, manifest.model_copy(update=changed), graph)


@pytest.fixture
def own(fitted, split_run, tmp_path) -> Bundle:
    """The fitted model as it is, on disk."""
    made = written(fitted, split_run.run, temperature=fitted.temperature.value, folder=tmp_path / "own")
    return write_bundle(made.folder, made.manifest, made.graph)


def images(prepared) -> list[tuple[int, np.ndarray]]:
    return list(decode_pictures([(each.picture, None) for each in prepared.part("test")], OWN_PREPROCESS, {}, ahead=9))


@pytest.mark.parametrize("many", [False, True])
def test_the_bundle_answers_as_the_trained_head(fitted, measured, bundle, warm_cache, many):
    expected = probabilities(measured.answers["test"].middle, temperature=2.5)
    classifier = Classifier(bundle, cache_folder=warm_cache / "compiled")
    found = dict(classifier.stream(images(fitted.prepared)[: None if many else 3], many=many))
    assert len(found) == (33 if many else 3)
    for number, answer in found.items():
        np.testing.assert_allclose(answer.probabilities, expected[number], atol=1e-4)


def test_the_manifest_says_how_far_the_written_model_lies_from_the_measured_one(
    fitted, measured, split_photos, shared_cache, tmp_path
):
    bundle = read_bundle(eyespot.train(split_photos, out=tmp_path, precision="fp32").run)
    agreement = bundle.manifest.agreement
    assert agreement.n == 8
    assert 0 < agreement.largest_difference <= CLOSE["fp32"]
    assert require_same_answers(bundle, fitted, measured) == agreement


@pytest.mark.parametrize("fails", ["the check", "the disk", "Ctrl-C"])
def test_a_model_that_was_not_verified_is_not_there(fitted, measured, own, shared_cache, tmp_path, monkeypatch, fails):
    if fails == "the check":
        measured = replace(measured, own=replace(measured.own, logits=-measured.own.logits))
    else:
        error = OSError(28, "No space left on device") if fails == "the disk" else KeyboardInterrupt()
        monkeypatch.setattr(written_model, "write_manifest", Mock(side_effect=error))
    expected = {"the check": BundleError, "the disk": OptionError, "Ctrl-C": KeyboardInterrupt}[fails]
    (tmp_path / "run").mkdir()
    with pytest.raises(expected) as caught:
        write_verified(tmp_path / "run" / "bundle", own.manifest, own.graph, fitted, measured)
    assert list((tmp_path / "run").iterdir()) == []
    if fails == "the disk":
        assert "No space left on device" in str(caught.value)
        assert "--out" in str(caught.value)


def test_a_tampered_head_is_noticed(fitted, measured, own, shared_cache):
    require_same_answers(own, fitted, measured)
    ((weight, bias),) = fitted.head.layers
    other = Head(((weight[::-1].copy(), bias),), fitted.head.output)
    said = replace(measured.own, logits=measured.own.logits[:, :, ::-1])
    with pytest.raises(BundleError, match=r"answers otherwise than the trained one, .* in probability"):
        require_same_answers(own, replace(fitted, head=other), replace(measured, own=said))


def test_tampered_means_are_noticed(fitted, measured, own, shared_cache):
    other = replace(fitted.means, values=fitted.means.values[:, ::-1].copy())
    with pytest.raises(BundleError, match=r"answers otherwise than the trained one, .* in likeness"):
        require_same_answers(own, replace(fitted, means=other), measured)


def test_a_tampered_head_is_noticed_where_nothing_was_held_out(draw, split_run, shared_cache, tmp_path):
    draw(tmp_path / "photos", 3)
    prepared = prepare(tmp_path / "photos", seed=0, progress=silent)
    trunk = DEFAULT.trunk(shared_cache, "fp32")
    fitted = fit_frozen(prepared, trunk, job(shared_cache), small_test=True)
    measured = measure(fitted, store=None, progress=silent)
    with pytest.raises(BundleError, match="answers otherwise than the trained one"):
        require_same_answers(
            read_bundle(split_run.run), replace(fitted, temperature=replace(fitted.temperature, value=30.0)), measured
        )


@pytest.mark.parametrize("classes", [("circle", "square"), ("circle", "square", "star", "triangle")])
def test_a_manifest_with_other_classes_than_the_graph_is_refused(bundle, fitted, classes):
    wrong = replace(bundle, manifest=bundle.manifest.model_copy(update={"classes": classes}))
    with pytest.raises(BundleError, match=f"{len(classes)} classes"):
        list(Classifier(wrong, cache_folder=None).stream(images(fitted.prepared)[:1], many=False))


def test_a_graph_without_probabilities_is_refused(bundle, fitted):
    wrong = replace(bundle, graph=fitted.trunk.graph)
    with pytest.raises(BundleError, match="probabilities"):
        list(Classifier(wrong, cache_folder=None).stream(images(fitted.prepared)[:1], many=False))


def test_a_graph_without_the_likeness_that_its_manifest_refuses_by_is_refused(bundle, fitted):
    graph = attach_head(fitted.trunk.graph, fitted.head.layers)
    with pytest.raises(BundleError, match="says which likeness is refused, and its graph gives none"):
        list(
            Classifier(replace(bundle, graph=graph), cache_folder=None).stream(images(fitted.prepared)[:1], many=False)
        )


def test_a_graph_that_does_not_fit_its_images_is_refused(bundle, fitted):
    weight = numpy_helper.from_array(np.zeros((3, 11), np.float32), "weight")  # an image has more than 11 numbers
    nodes = [
        helper.make_node("Cast", ["images"], ["x"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["x"], ["flat"]),
        helper.make_node("Gemm", ["flat", "weight"], ["probabilities"], transB=1),
    ]
    ends = [
        helper.make_tensor_value_info("images", TensorProto.UINT8, ["N", "H", "W", "C"]),
        helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", 3]),
    ]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], [weight])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    with pytest.raises(BundleError, match="multiplies what does not fit"):
        check_graph(model.SerializeToString())
    wrong = replace(bundle, graph=model.SerializeToString())
    with pytest.raises(BundleError, match="does not fit"):
        list(Classifier(wrong, cache_folder=None).stream(images(fitted.prepared)[:1], many=False))


def test_where_a_precision_is_missing_fp32_runs(monkeypatch):
    monkeypatch.setattr("eyespot.bundle.run.available_precisions", lambda: ("fp32",))
    assert precision_here("bf16") == precision_here("fp32") == "fp32"
