"""`benchmark`: a line for each engine, number format and batch; its sums are those of its own figures."""

import json
import sys

import pytest
from click.testing import CliRunner

import eyespot
from eyespot import zoo
from eyespot.cli.main import main
from eyespot.engine.peak import peak_gflops
from eyespot.engine.run import available_precisions
from eyespot.errors import DataError, NetworkError, OptionError

QUICK = {"batches": (1, 3), "runs": 2, "seconds": 0.02}


@pytest.fixture(autouse=True)
def small_products(monkeypatch):
    """Measuring the machine takes an instant."""
    monkeypatch.setattr(
        "eyespot.recipes.benchmark.peak_gflops", lambda each, seconds: peak_gflops(each, side=64, seconds=0.01)
    )


@pytest.fixture(scope="module")
def found():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("eyespot.recipes.benchmark.peak_gflops", lambda each, seconds: 100.0)
        return eyespot.benchmark("lenet5", **QUICK)


def test_every_engine_every_number_format_and_every_batch_is_a_line(found):
    pytest.importorskip("onnxruntime")
    precisions = available_precisions()
    expected = [*(("openvino", each) for each in precisions), ("onnxruntime", "fp32")]
    expected += [("torch eager", each) for each in precisions]
    assert [(each.engine, each.precision, each.batch) for each in found.speeds] == [
        (*each, batch) for each in expected for batch in (1, 3)
    ]


def test_the_columns_follow_from_one_another(found):
    assert found.multiply_adds == zoo.definition("lenet5").multiply_adds
    for each in found.speeds:
        rate = each.images_per_second
        assert 0 < rate.low <= rate.median <= rate.high
        assert each.gflops == pytest.approx(rate.median * 2 * found.multiply_adds / 1e9)
        assert each.share_of_peak == pytest.approx(each.gflops / found.peak_gflops[each.precision])
        assert each.milliseconds == pytest.approx(1000 * each.batch / rate.median)


def test_random_weights_are_said_and_no_pictures_are_needed(found):
    assert "random" in found.weights
    assert found.decoding is None
    assert found.image_hwc == (32, 32, 1)


def test_a_run_is_measured_with_its_weights_and_without_torch(split_run, split_photos, shared_cache, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    found = eyespot.benchmark(split_run.run, pictures=split_photos / "val", **QUICK)
    assert found.weights == "trained"
    assert found.multiply_adds == pytest.approx(zoo.definition("efficientnet_lite0").multiply_adds, rel=0.01)
    assert "torch eager" not in {each.engine for each in found.speeds}
    assert found.decoding.pictures == 12
    assert min(found.decoding.whole.low, found.decoding.decoding.low) > 0


def test_an_engine_that_is_not_installed_is_a_note(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    found = eyespot.benchmark("lenet5", **QUICK)
    assert "pip install onnxruntime" in found.notes[0]
    assert "onnxruntime" not in {each.engine for each in found.speeds}


def test_what_takes_too_long_is_measured_once_and_larger_batches_are_left_out(monkeypatch):
    monkeypatch.setattr("eyespot.recipes.benchmark.MOST_SECONDS", 0.0)
    found = eyespot.benchmark("lenet5", **QUICK)
    assert {each.batch for each in found.speeds} == {1}
    assert all(each.images_per_second.low == each.images_per_second.high for each in found.speeds)


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"network": "lenet"}, NetworkError, "did you mean 'lenet5"),
        ({"runs": 0}, OptionError, "at least 1"),
        ({"batches": ()}, OptionError, "at least 1"),
        ({"batches": (0,)}, OptionError, "at least 1"),
        ({"seconds": 0.0}, OptionError, "seconds must be above 0"),
        ({"pictures": "text"}, DataError, "can be read"),
        ({"pictures": "nowhere"}, DataError, "there is no"),
    ],
)
def test_what_cannot_be_done_is_said(shared_cache, tmp_path, monkeypatch, given, error, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "a.jpg").write_text("no picture")
    options = {"network": "lenet5", **QUICK} | given
    with pytest.raises(error, match=words):
        eyespot.benchmark(options.pop("network"), **options)


def test_the_command_prints_a_table(shared_cache):
    done = CliRunner().invoke(main, ["benchmark", "lenet5", "--batches", "1", "--runs", "1", "--seconds", "0.05"])
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Network     lenet5, weights random")
    heading = next(line for line in lines if line.startswith("engine"))
    rows = lines[lines.index(heading) + 1 :]
    assert len({len(line) for line in (heading, *rows) if line.startswith(("engine", "openvino", "torch"))}) == 1
    assert max(map(len, lines)) <= 100
    assert CliRunner().invoke(main, ["benchmark", "lenet5", "--batches", "1,x"]).stderr == (
        "eyespot: the option batches cannot be '1,x': give whole numbers from 1 such as 1,4,16\n"
    )


def test_the_machines_peak_is_above_nothing_and_in_the_result(shared_cache):
    said = json.loads(
        CliRunner()
        .invoke(main, ["benchmark", "lenet5", "--batches", "1", "--runs", "1", "--seconds", "0.05", "--json"])
        .stdout
    )
    assert said["peak_gflops"].keys() == set(available_precisions())
    assert min(said["peak_gflops"].values()) > 0
