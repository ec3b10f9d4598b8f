"""`export --format web`: a folder that is a page, whole and the run's model, or nothing."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from color_bundle import write_color_bundle
from stand_in_runtime import real_runtime, write_stand_in

import eyespot
from eyespot.bundle.files import read_bundle
from eyespot.engine.last_map import MAPS, linear_head, with_last_map
from eyespot.engine.resize import with_resize
from eyespot.errors import BundleError, CannotWrite, MachineError, OptionError
from eyespot.explaining.heat import activation_map
from eyespot.exporting import web, web_browser, web_site
from eyespot.exporting.web import MOST_IN_BROWSER, spread
from eyespot.exporting.web_graph import HEAT, web_graph
from eyespot.exporting.web_runtime import WASM
from eyespot.recipes.export import ExportResult, export
from eyespot.vouched import NO_HASH_YET, is_hash_of

CHANGED = "the page answers otherwise than the run"


@pytest.fixture
def run(split_run: Any, tmp_path: Path, shared_cache: Path) -> Path:
    """The run in a place of its own."""
    return Path(shutil.copytree(split_run.run, tmp_path / "run"))


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for onnxruntime-web; and there is no browser."""
    monkeypatch.setattr(web, "find_browser", lambda: None)
    return write_stand_in(tmp_path / "runtime", monkeypatch)


@pytest.fixture(scope="module")
def exported(split_run: Any, warm_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> ExportResult:
    """What came of one export. Not to be changed."""
    folder = tmp_path_factory.mktemp("web")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EYESPOT_CACHE", str(warm_cache))
        patch.setattr(web, "find_browser", lambda: None)
        runtime = write_stand_in(folder / "runtime", patch)
        return export(split_run.run, format="web", runtime=runtime, out=folder / "site")


@pytest.fixture(scope="module")
def site(exported: ExportResult) -> Path:
    """The folder of that page. Not to be changed."""
    return Path(exported.web.folder)


def names(folder: Path) -> set[str]:
    return {each.relative_to(folder).as_posix() for each in folder.rglob("*") if each.is_file()}


def answers(graph: bytes, picture: np.ndarray) -> dict[str, np.ndarray]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    found = [each.name for each in session.get_outputs()]
    return dict(zip(found, session.run(found, {"picture": picture}), strict=True))


def test_it_is_proven_and_says_in_what(exported, site):
    [check] = exported.checks
    assert (check.runtime.split()[0], check.pictures, check.same, check.different) == ("ONNX", 12, 12, ())
    assert exported.web == web.WebPage(folder=str(site), weights="fp16", runtime="onnxruntime-web 1.23.2", browser=None)
    [note] = exported.notes
    assert note.startswith("no Chromium, Chrome or Edge was found, so the page was proven in ONNX Runtime alone")
    assert {Path(each).relative_to(site).as_posix() for each in exported.files} == names(site)
    assert exported.bytes == sum(Path(each).stat().st_size for each in exported.files)


def test_the_page_loads_its_own_files_and_all_of_them_are_there(site):
    html = (site / "index.html").read_text("utf-8")
    assert "<!--" not in html
    assert not [word for word in ("this server", "Token", "Paint a photo") if word in html]
    addresses = re.findall(r'(?:src|href)="([^"]+)"', html)
    scripts = [site / address for address in addresses if address.endswith(".js")]
    for script in site.glob("page/*.js"):
        imported = re.findall(r'^import .* from "([^"]+)";|^} from "([^"]+)";', script.read_text("utf-8"), re.MULTILINE)
        scripts += [script.parent / "".join(each) for each in imported]
    assert all((site / address).is_file() for address in addresses)
    assert all(each.is_file() for each in scripts)
    assert len(scripts) > 20
    policy = re.findall(r'Content-Security-Policy" content="([^"]+)"', html)[0]
    assert policy.startswith("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'")
    assert "http" not in policy
    assert "unsafe-inline" not in policy


def kept(script: bytes) -> tuple[str, set[str]]:
    """The version and the files of a service worker."""
    version, files = (re.findall(rf"const {name} = (.*);", script.decode())[0] for name in ("VERSION", "FILES"))
    return json.loads(version), set(json.loads(files))


def test_every_file_is_kept_for_offline(site):
    assert kept((site / "sw.js").read_bytes())[1] == {"./", *names(site) - {"index.html", "sw.js"}}


def test_the_page_knows_what_each_of_its_files_must_be(site):
    script, said = (site / "sw.js").read_text(), json.loads((site / "model.json").read_text("utf-8"))
    kept_as = json.loads(re.findall(r"const FILES = (.*);", script)[0])
    assert kept_as.pop("./") == ""
    for name, integrity in kept_as.items():
        digest = hashlib.sha256((site / name).read_bytes()).digest()
        assert integrity == f"sha256-{base64.b64encode(digest).decode()}"
        assert said["hashes"].get(name, digest.hex()) == digest.hex()
    assert said["hashes"].keys() == said["files"].keys()
    assert is_hash_of(said["file_sha256"], (site / "model.json").read_bytes())
    assert f'"{NO_HASH_YET}"' in (site / "page" / "vouched.js").read_text()


def test_any_other_file_makes_another_version(tmp_path):
    bundle = read_bundle(write_color_bundle(tmp_path / "bundle"))
    versions = [
        kept(web_site.site(bundle, graph, {WASM: wasm})["sw.js"])[0]
        for graph, wasm in ((b"a", b"b"), (b"a", b"b"), (b"c", b"b"), (b"a", b"d"))
    ]
    assert versions[0] == versions[1]
    assert len(set(versions)) == 3


def test_nothing_is_told_of_single_training_pictures(site, split_run):
    known = json.loads((Path(split_run.run) / "bundle" / "manifest.json").read_text("utf-8"))["pictures"]["train"]
    assert len(known) > 100
    assert not [name for name in names(site) if known.encode() in (site / name).read_bytes()]
    assert not onnx.load(site / "model.onnx").metadata_props


def test_an_earlier_page_is_replaced_only_by_the_word_and_other_files_stay(site, run, runtime, tmp_path):
    site = Path(shutil.copytree(site, tmp_path / "site"))
    (site / "CNAME").write_text("example.org")
    before = {name: (site / name).read_bytes() for name in names(site)}
    with pytest.raises(CannotWrite, match="exists already: choose another name, or add --overwrite"):
        export(run, format="web", runtime=runtime, out=site)
    (site / "index.html").write_text("old")
    export(run, format="web", runtime=runtime, out=site, overwrite=True)
    assert {name: (site / name).read_bytes() for name in names(site)} == before


def test_where_the_disk_is_full_nothing_is_there(run, runtime, tmp_path, monkeypatch):
    written = []

    def write(path: Path, data: bytes) -> None:
        written.append(path)
        if len(written) == 5:
            raise CannotWrite("full")
        path.write_bytes(data)

    monkeypatch.setattr("eyespot.files.write_chosen", write)
    with pytest.raises(CannotWrite, match="full"):
        export(run, format="web", runtime=runtime, out=tmp_path / "new" / "site")
    assert not (tmp_path / "new").exists()


def test_weights_are_kept_in_32_bits_where_16_would_change_an_answer(run, runtime, tmp_path, monkeypatch):
    real = web.with_half_weights

    def spoiled(graph: bytes) -> bytes:
        model = onnx.load_from_string(real(graph))
        [weight] = [each for each in model.graph.initializer if each.name.startswith("classifier.fc1.weight")]
        values = np.array(onnx.numpy_helper.to_array(weight))[::-1].copy()
        weight.CopyFrom(onnx.numpy_helper.from_array(values, weight.name))
        return model.SerializeToString()

    monkeypatch.setattr(web, "with_half_weights", spoiled)
    result = export(run, format="web", runtime=runtime, out=tmp_path / "site")
    assert result.web.weights == "fp32"
    assert result.notes[0] == "the weights are kept in 32 bits: in 16 an answer would be another one"
    assert result.checks[0].largest_difference < 1e-4


def test_another_answer_in_the_browser_leaves_no_page(run, runtime, tmp_path, monkeypatch):
    def asked(program: str, site: Any, pictures: Any) -> Any:
        for tag, picture in pictures:
            found = answers(site["model.onnx"], picture)
            yield tag, {**found, "probabilities": found["probabilities"][:, ::-1].ravel()}

    monkeypatch.setattr(web, "find_browser", lambda: "chromium")
    monkeypatch.setattr(web, "browser_version", lambda program: "Chromium 1")
    monkeypatch.setattr(web, "asked_in_browser", asked)
    with pytest.raises(BundleError, match=f"{CHANGED} in Chromium 1: 4 of 12 pictures have the same answer"):
        export(run, format="web", runtime=runtime, out=tmp_path / "site")
    assert not (tmp_path / "site").exists()


@pytest.mark.enable_socket
def test_a_browser_that_does_not_start_is_told_and_the_page_is_there(run, runtime, tmp_path, monkeypatch):
    monkeypatch.setattr(web, "find_browser", lambda: sys.executable)
    monkeypatch.setattr(web, "browser_version", lambda program: "Python 3")
    result = export(run, format="web", runtime=runtime, out=tmp_path / "site")
    assert result.web.browser is None
    assert "the browser ended by itself (status 2), so the page was proven in ONNX Runtime alone" in result.notes[0]


@pytest.mark.enable_socket
def test_the_real_runtime_answers_as_the_run_in_a_real_browser(run, tmp_path):
    runtime = real_runtime()
    if web_browser.find_browser() is None:
        pytest.skip("chromium is missing: apt-get install chromium")
    result = export(run, format="web", runtime=runtime, out=tmp_path / "site")
    assert [(each.pictures, each.same) for each in result.checks] == [(12, 12)] * 2
    assert result.web.browser.startswith("Chrom")
    assert result.bytes < 20e6


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"format": "web", "int8": True}, OptionError, "int8 makes OpenVINO's files, not web"),
        ({"format": "onnx", "download": True}, OptionError, "are for --format web, not onnx"),
        ({"format": "webb"}, OptionError, "cannot be 'webb': there are onnx, openvino and web"),
        ({"format": "web", "dowload": True}, OptionError, "did you mean 'download'"),
        ({"format": "web"}, MachineError, r"add --download to fetch it once, 12.0 MB .* or name with --runtime"),
        ({"format": "web", "runtime": "nowhere"}, MachineError, "names nowhere, which holds no ort.wasm"),
    ],
)
def test_what_cannot_be_is_said(run, options, error, words):
    with pytest.raises(error, match=words):
        export(run, **options)
    assert not (run / "export").exists()


def test_another_version_of_the_runtime_is_refused(run, runtime):
    (runtime / "ort-wasm-simd-threaded.wasm").write_bytes(b"\0asm\2\0\0\0")
    with pytest.raises(
        MachineError, match=r"is not the file of onnxruntime-web 1\.23\.2, the one that eyespot was tried"
    ):
        export(run, format="web", runtime=runtime)


def test_the_graph_gives_the_heat_map_that_explain_draws(run):
    bundle, picture = read_bundle(run), np.random.default_rng(0).integers(0, 255, (240, 320, 3), np.uint8)
    found = answers(web_graph(bundle), picture)
    mapped = answers(with_resize(with_last_map(bundle.graph), bundle.manifest.preprocess), picture)
    likeliest = int(found["probabilities"].argmax())
    expected = activation_map(mapped[MAPS][0], linear_head(bundle.graph), likeliest)
    assert set(found) == {"probabilities", "likeness", HEAT}
    assert found[HEAT] == pytest.approx(expected, abs=1e-4)


def test_a_model_without_a_last_map_has_no_heat_map(tmp_path):
    bundle = read_bundle(write_color_bundle(tmp_path / "bundle"))
    assert set(answers(web_graph(bundle), np.zeros((5, 5, 3), np.uint8))) == {"probabilities"}
    said = json.loads(web_site.site(bundle, web_graph(bundle), {WASM: b""})["model.json"])
    assert (said["heat_map"], said["least_likeness"]) == (False, None)


def test_what_refuses_is_the_score_that_predict_goes_by(tmp_path):
    bundle = read_bundle(write_color_bundle(tmp_path / "bundle", refuses=True))
    said = json.loads(web_site.site(bundle, web_graph(bundle), {WASM: b""})["model.json"])
    assert said["least_likeness"] == eyespot.load(tmp_path / "bundle").manifest.unknown.least(0.05) == 0.8


@pytest.mark.parametrize("count", [0, 1, MOST_IN_BROWSER, 3 * MOST_IN_BROWSER])
def test_pictures_for_the_browser_are_few_and_spread(count):
    expected = {2 * number: f"answer {number}" for number in range(count)}
    pictures = [f"picture {number}" for number in range(2 * count)]
    found, chosen = spread(expected, pictures)
    assert len(found) == len(chosen) == min(count, MOST_IN_BROWSER)
    assert [each.replace("picture", "answer") for each in chosen[:1]] == [each for each in [*found.values()][:1]]
    assert [int(each.split()[1]) // 2 for each in chosen] == [int(each.split()[1]) for each in found.values()]
    if count:
        assert (chosen[0], chosen[-1]) == ("picture 0", f"picture {2 * (count - 1)}")


def test_a_page_of_a_detector_finds_the_boxes_of_the_run(detector_run, tmp_path, runtime, shared_cache):
    result = export(detector_run.run, format="web", runtime=runtime, out=tmp_path / "site")
    [check] = result.checks
    assert (check.pictures, check.same, check.different) == (check.pictures, check.pictures, ())
    assert result.part == "val and test"
    said = json.loads((tmp_path / "site" / "model.json").read_text("utf-8"))
    assert said["task"] == "detection"
    assert len(said["colors"]) == len(said["classes"])
