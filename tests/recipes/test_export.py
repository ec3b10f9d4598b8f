"""`export`: the file answers as the run does, in OpenVINO and in ONNX Runtime, or it is not written."""

from __future__ import annotations

import importlib
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from color_bundle import write_color_bundle
from rewritten import vouched_onnx

import eyespot
from eyespot.answering.rules import RuleOptions, rules_of
from eyespot.bundle.exported import WholeClassifier, read_exported
from eyespot.bundle.files import read_bundle
from eyespot.bundle.run import ClassAnswer, answers_in
from eyespot.data.copies import Hashed
from eyespot.data.data_set import Picture
from eyespot.engine.last_map import linear_head
from eyespot.engine.run import available_precisions
from eyespot.errors import BundleError, CannotWrite, DataError, EyespotError, MissingExtra, OptionError
from eyespot.exporting.agreement import ExportCheck, OnnxRuntime, agreement, require_agreement
from eyespot.exporting.compared import notes_on_pictures, pictures_to_compare
from eyespot.exporting.files import onnx_file, openvino_files
from eyespot.recipes import export as verb
from eyespot.recipes.export import export

STANDALONE = Path(__file__).parents[2] / "examples" / "standalone_predict.py"
FORMATS = {"onnx": ["photos.onnx"], "openvino": ["photos.xml", "photos.bin"]}


@pytest.fixture
def run(split_run, tmp_path, shared_cache) -> Path:
    """The run in a place of its own."""
    return Path(shutil.copytree(split_run.run, tmp_path / "run"))


@pytest.mark.parametrize("format", FORMATS)
def test_the_exported_model_answers_as_the_run_on_every_picture(format, run, split_photos):
    result = export(run, format=format)
    assert [Path(file).name for file in result.files] == FORMATS[format]
    assert all(Path(file).parent == run / "export" for file in result.files)
    assert [check.runtime.split()[0] for check in result.checks] == ["openvino", "ONNX"]
    for check in result.checks:
        assert (check.pictures, check.same, check.close, check.different) == (12, 12, (), ())
        assert check.largest_difference < 1e-4
        assert check.likeness_difference < 1e-4
    assert (result.part, result.notes) == ("val", ())
    assert (result.bf16 is None) == ("bf16" not in available_precisions())
    assert result.bytes == sum(Path(file).stat().st_size for file in result.files)
    of_run, of_file = (
        {
            (each.picture, answer.class_): answer.probability
            for each in eyespot.load(where).predict(split_photos / "test", topk=3)
            for answer in each.predictions
        }
        for where in (run, result.files[0])
    )
    assert len(of_run) == 99
    assert of_file == pytest.approx(of_run, abs=1e-4 if available_precisions()[0] == "fp32" else 3e-2)


def test_an_exported_model_is_measured_as_the_run_is(run, split_photos):
    result = export(run)
    assert (
        eyespot.load(result.files[0]).evaluate(split_photos).accuracy
        == eyespot.load(run).evaluate(split_photos).accuracy
    )


def test_the_file_says_all_that_a_program_needs(run):
    [file] = export(run).files
    said = {each.key: each.value for each in onnx.load(file).metadata_props}
    assert json.loads(said["classes"]) == ["circle", "square", "triangle"]
    assert json.loads(said["preprocess"])["crop_hw"] == [224, 224]
    assert said["fingerprint"] == read_bundle(run).manifest.graph_sha256
    assert json.loads(said["threshold"]) is None
    assert json.loads(said["manifest"])["name"] == "photos"
    manifest = read_bundle(run).manifest
    assert json.loads(said["least_likeness"]) == {f"{each.share}": each.least for each in manifest.unknown.refusing}
    assert json.loads(said["least_probability_in_set"])["0.95"] == manifest.sets[2].least


def test_features_and_the_last_map_come_out_too_and_the_head_of_their_mean_gives_the_answer(run, split_photos):
    [file] = export(run).files
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    picture = np.random.default_rng(0).integers(0, 256, (50, 70, 3), dtype=np.uint8)
    names = [output.name for output in session.get_outputs()]
    found = dict(zip(names, session.run(names, {"picture": picture}), strict=True))
    assert found["maps"].shape == (1, 1280, 7, 7)
    np.testing.assert_allclose(found["maps"].mean(axis=(2, 3)), found["features"], atol=1e-4)
    bundle = read_bundle(run)
    head = linear_head(bundle.graph)
    scores = (found["features"] @ head.weight.T + head.bias) / bundle.manifest.temperature
    np.testing.assert_allclose(np.exp(scores) / np.exp(scores).sum(), found["probabilities"], atol=1e-4)


def test_the_standalone_example_gives_the_same_classes(split_photos, shared_cache, tmp_path):
    run = eyespot.train(split_photos, out=tmp_path, precision="fp32").run  # as the example computes
    [file] = export(run).files
    pictures = sorted(map(str, (split_photos / "test").rglob("*.png")))[::4]
    command = [sys.executable, str(STANDALONE), file, *pictures]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    answers = eyespot.load(file).predict(pictures)
    assert printed == [f"{each.picture}: {each}" for each in answers]


def test_the_standalone_example_imports_nothing_of_eyespot():
    text = STANDALONE.read_text("utf-8")
    assert {line.split()[1] for line in text.splitlines() if line.startswith(("import ", "from "))} <= {
        *("json", "math", "sys", "numpy", "onnxruntime", "PIL")
    }


def test_pictures_that_moved_are_named_and_can_be_given(run, split_photos, tmp_path):
    moved = Path(shutil.copytree(split_photos, tmp_path / "moved"))
    args = json.loads((run / "args.json").read_text("utf-8"))
    (run / "args.json").write_text(json.dumps(args | {"data": str(tmp_path / "gone")}), "utf-8")
    with pytest.raises(EyespotError, match=r"gone.*--data"):
        export(run)
    assert not list((run / "export").glob("*"))
    (moved / "val" / "circle" / "100.png").unlink()
    result = export(run, data=moved)
    assert result.checks[0].pictures == 11
    assert result.notes == ("1 picture of the run cannot be found or changed, and went uncompared",)


def test_where_the_validation_pictures_are_gone_others_are_compared_and_that_is_said(run, split_photos):
    found = pictures_to_compare(run, read_bundle(run), split_photos / "test", "val", "test", "train")
    assert (found.part, len(found.hashed), found.missing) == ("test", 33, 0)
    assert list(notes_on_pictures(found, 33, None)) == [
        "the run's 12 pictures of part 'val' cannot be found, so it was compared on those of part 'test': say with "
        "--data where they are"
    ]
    assert list(notes_on_pictures(replace(found, passed=()), 33, None)) == [
        "the run has no validation pictures, so it was compared on those of part 'test'"
    ]


def test_pictures_of_something_else_are_refused(run, tmp_path, draw):
    draw(tmp_path / "others", 3, first=900)
    with pytest.raises(DataError, match=r"none of the pictures that .* was made on is in .*others"):
        export(run, data=tmp_path / "others")


def test_a_bundle_alone_says_what_to_give(run, split_photos, tmp_path):
    alone = Path(shutil.copytree(run / "bundle", tmp_path / "alone"))
    with pytest.raises(OptionError, match="--out"):
        export(alone)
    with pytest.raises(DataError, match="--data"):
        export(alone, out=tmp_path / "out")
    result = export(alone, out=tmp_path / "out", data=split_photos)
    assert result.checks[0].same == 12


def test_the_pictures_of_the_bundle_in_a_run_s_folder_are_those_of_the_run(run):
    bundle = read_bundle(run)
    assert pictures_to_compare(run / "bundle", bundle, None, "val") == pictures_to_compare(run, bundle, None, "val")


def test_an_earlier_export_is_replaced_only_when_asked(run):
    [file] = export(run).files
    before = Path(file).read_bytes()
    with pytest.raises(OptionError, match=r"exists already.*--overwrite"):
        export(run)
    assert export(run, overwrite=True).files == (file,)
    assert Path(file).read_bytes() == before


def test_a_format_that_is_not_there_is_a_sentence(run):
    with pytest.raises(OptionError, match="the option format cannot be 'torch': there are onnx, openvino and web"):
        export(run, format="torch")


def test_without_onnx_runtime_the_command_to_install_it_is_said(run, monkeypatch):
    real = importlib.import_module

    def without(name: str, *rest: object) -> object:
        if name == "onnxruntime":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(importlib, "import_module", without)
    with pytest.raises(MissingExtra, match=r"pip install 'eyespot\[export\]'"):
        export(run)


def test_a_model_that_answers_otherwise_is_not_written(run, monkeypatch):
    real = verb.onnx_file

    def tampered(bundle):
        model = onnx.load_from_string(real(bundle))
        bias = next(each for each in model.graph.initializer if each.name == "classifier.fc1.bias")
        bias.raw_data = (np.frombuffer(bias.raw_data, np.float32)[::-1] + np.float32([3, 0, -3])).tobytes()
        return vouched_onnx(model)

    monkeypatch.setattr(verb, "onnx_file", tampered)
    with pytest.raises(BundleError, match=r"(answers otherwise|differ) .*so nothing was written: please report it"):
        export(run)
    assert not (run / "export").exists()


@pytest.mark.parametrize("error", [KeyboardInterrupt, CannotWrite("full")])
def test_what_fails_half_way_leaves_nothing(run, monkeypatch, tmp_path, error):
    written: list[Path] = []

    def write(path: Path, content: bytes) -> None:
        if written:
            raise error
        path.write_bytes(content)
        written.append(path)

    (tmp_path / "mine").mkdir()
    monkeypatch.setattr("eyespot.files.write_chosen", write)
    with pytest.raises(error if isinstance(error, type) else type(error)):
        export(run, format="openvino", out=tmp_path / "mine" / "deep" / "er")
    assert not list((tmp_path / "mine").iterdir())


def check(**changes: object) -> ExportCheck:
    given = {"runtime": "R", "pictures": 3, "same": 3, "largest_difference": 1e-5, "close": (), "different": ()}
    return ExportCheck(**given | changes)


def test_pictures_that_cannot_be_read_any_more_are_no_agreement(tmp_path, split_run):
    pictures = [Hashed(Picture(name="0.png", path=tmp_path / "0.png", label=None), None)]
    with pytest.raises(DataError, match="1 picture could be read for the run and not for R"):
        agreement(
            lambda decoded: ((number, np.array([0.6, 0.4])) for number, _ in decoded),
            {0: np.array([0.6, 0.4])},
            runtime="R",
            pictures=pictures,
            preprocess=read_bundle(split_run.bundle).manifest.preprocess,
            progress=lambda *_: None,
        )


def test_a_link_to_an_export_is_one(run, tmp_path, split_photos):
    exported = Path(eyespot.export(run, out=tmp_path / "out").files[0])
    exported.rename(tmp_path / "blob")
    (tmp_path / "link.onnx").symlink_to("blob")
    assert eyespot.load(tmp_path / "link.onnx").classes


def test_a_probability_beyond_the_limit_is_refused_and_what_is_close_is_not():
    require_agreement(check(same=2, close=("a.png",), largest_difference=0.001))
    with pytest.raises(BundleError, match=r"by up to 0\.0011 in R, more than 0\.001"):
        require_agreement(check(largest_difference=0.0011))
    with pytest.raises(BundleError, match=r"for 1 of 3 pictures, a\.png among them"):
        require_agreement(check(same=2, different=("a.png",)))


@pytest.mark.parametrize(
    ("row", "found", "fields"),
    [
        ([0.5004, 0.4996], [0.4999, 0.5001], {"same": 0, "close": ("0.png",), "different": ()}),
        ([0.6, 0.4], [0.4, 0.6], {"same": 0, "close": (), "different": ("0.png",)}),
        ([0.6, 0.4], [0.61, 0.39], {"same": 1, "largest_difference": pytest.approx(0.01)}),
        ([0.6, 0.4], [np.nan, 0.4], {"largest_difference": 1}),
    ],
)
def test_answers_are_told_apart_from_ties(row, found, fields, tmp_path, split_run):
    from PIL import Image

    Image.new("RGB", (8, 8)).save(tmp_path / "0.png")
    pictures = [Hashed(Picture(name="0.png", path=tmp_path / "0.png", label=None), None)]
    measured = agreement(
        lambda decoded: ((number, ClassAnswer(np.array(found), 0.5)) for number, _ in decoded),
        {0: ClassAnswer(np.array(row), 0.75)},
        runtime="R",
        pictures=pictures,
        preprocess=read_bundle(split_run.bundle).manifest.preprocess,
        progress=lambda *_: None,
    )
    assert {name: getattr(measured, name) for name in fields} == fields
    assert measured.likeness_difference == 0.25


def test_both_runtimes_refuse_the_same_pictures_and_name_the_same_sets(tmp_path, shared_cache):
    """Primary colors mixed with shades of grey, near the scores that decide and far from them."""
    bundle = read_bundle(write_color_bundle(tmp_path / "colors", refuses=True, sharpness=6.0))
    for path, content in zip(("m.xml", "m.bin"), openvino_files(bundle), strict=True):
        (tmp_path / path).write_bytes(content)
    random = np.random.default_rng(0)
    grey, primary = random.integers(0, 256, (200, 1)), 255 * np.eye(3)[random.integers(0, 3, 200)]
    mixed = (grey + (primary - grey) * random.uniform(0, 1, (200, 1))).astype(np.uint8)
    pictures = [(row, np.broadcast_to(each, (40, 50, 3)).copy()) for row, each in enumerate(mixed)]
    openvino = dict(WholeClassifier(read_exported(tmp_path / "m.xml"), cache_folder=None).stream(pictures, many=True))
    runtime = {row: answers_in(outputs, bundle)[0] for row, outputs in OnnxRuntime(onnx_file(bundle)).stream(pictures)}
    for refuse in (0.1, 0.05):
        rules = rules_of(bundle.manifest, RuleOptions(refuse=refuse, set=0.9))
        known = [rules.is_known(openvino[row]) for row in range(200)]
        assert known == [rules.is_known(runtime[row]) for row in range(200)]
        assert 0 < sum(known) < 200
        assert [rules.set_of(openvino[row]) for row in range(200)] == [rules.set_of(runtime[row]) for row in range(200)]


def test_another_likeness_than_the_runs_is_not_written():
    check = ExportCheck(
        runtime="ONNX Runtime",
        pictures=9,
        same=9,
        largest_difference=0,
        likeness_difference=2e-3,
        close=(),
        different=(),
    )
    with pytest.raises(BundleError, match=r"likenesses differ .* by up to 0\.002 in ONNX Runtime, more than 0\.001"):
        require_agreement(check)
