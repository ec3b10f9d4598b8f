"""The command: hints, exit codes, JSON on standard output and nothing else there, quiet pipes, Ctrl-C."""

import csv
import html
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

import eyespot
from eyespot.cli.main import COMMANDS, main
from eyespot.cli.overview import GROUPS

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="file names there are any bytes")
CONTROL = {chr(code) for code in range(32)} - {"\n"}


@pytest.fixture
def cli(shared_cache, monkeypatch, tmp_path):
    """Runs the command in an empty folder and returns what it said."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Result:
        return CliRunner().invoke(main, [str(argument) for argument in arguments])

    return run


def eyespot_process(*arguments: object, **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "eyespot", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, env=os.environ | environment)


def one_sentence(said: str) -> bool:
    return said.startswith("eyespot: ") and said.count("\n") == 1 and "Traceback" not in said


# --- hints and exit codes


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["trian", "photos"], "did you mean 'train'?"),
        (["frobnicate"], "there are train, sample"),
        (["train", "photos", "--epoch", "3"], "no such option '--epoch': did you mean '--epochs'?"),
        (["train", "photos", "--imgz", "64"], "no such option '--imgz': did you mean '--imgsz'?"),
        (["train", "photos", "--epochs", "three"], "'three' is not a valid integer"),
        (["predict", "run"], "PICTURES"),
        (["--verison"], "--version"),
        (["train", "photos", "--epochs"], "requires an argument"),
        (["cache", "now"], "unexpected extra argument (now): `main cache --help` says what it takes"),
        (["train", "digits", "--head", "wide"], "the option head cannot be 'wide'"),
        (["train", "digits", "--mirror", "maybe"], "the option mirror cannot be 'maybe'"),
        (["embed", "digits", "--out", "features.txt"], "ends in .npz"),
    ],
    ids=" ".join,
)
def test_wrong_use_is_a_sentence_with_a_hint_and_exit_code_2(cli, arguments, hint):
    done = cli(*arguments)
    assert done.exit_code == 2
    assert hint in done.stderr
    assert one_sentence(done.stderr)
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train", "nowhere"], "there is no folder 'nowhere'"),
        (["train", "digist"], "did you mean 'digits'?"),
        (["predict", "nowhere", "picture.jpg"], "there is no model at nowhere"),
        (["val", "nowhere", "digits"], "there is no model at nowhere"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_done_is_said_in_a_sentence_with_exit_code_1(cli, arguments, said):
    done = cli(*arguments)
    assert done.exit_code == 1
    assert said in done.stderr
    assert one_sentence(done.stderr)
    assert done.stdout == ""


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(cli, command):
    done = cli(command, "--help")
    assert done.exit_code == 0
    assert f"{command} [OPTIONS]" in done.stdout


def test_every_command_is_listed_in_a_group_with_a_whole_line(cli):
    said = cli("--help").stdout.splitlines()
    assert sorted(COMMANDS) == sorted(main.commands)
    for title, group in GROUPS.items():
        first = said.index(f"{title}:") + 1
        assert said[first : first + len(group)] == [f"  {name:14}  {line}" for name, line in group.items()]
    assert all(line.endswith(".") for group in GROUPS.values() for line in group.values())
    assert max(map(len, said)) < 80


@pytest.mark.parametrize("command", COMMANDS)
def test_what_every_command_says_of_an_unknown_option_is_one_sentence(cli, command):
    done = cli(command, "--no-such-option")
    assert done.exit_code == 2
    assert one_sentence(done.stderr)
    assert f" {command} --help` says what it takes" in done.stderr or "did you mean" in done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_option_is_a_sentence(command):
    options = [each for each in main.commands[command].params if isinstance(each, click.Option)]
    for option in options:
        said = re.sub(r"  \[default: .*\]$", "", option.help)
        assert said.endswith("."), option.name


def test_every_option_of_train_stands_in_one_group_of_its_help(cli):
    command = main.commands["train"]
    grouped = [name for names in command.groups.values() for name in names]
    options = {each.name for each in command.params if isinstance(each, click.Option)}
    assert sorted(grouped) == sorted(options)
    said = cli("train", "--help").stdout
    assert all(f"{title}:" in said for title in command.groups)
    assert all(f"--{name.replace('_', '-').replace('as-', '')} " in said for name in grouped)
    assert said.rstrip().endswith("Show this message and exit.")


def test_version_is_told(cli):
    assert cli("--version").stdout == f"eyespot, version {eyespot.__version__}\n"


def test_the_defaults_that_train_shows_are_those_of_its_options():
    from eyespot.runs.options import TrainOptions

    command = main.commands["train"]
    shown = {each.name for each in command.params if getattr(each, "show_default", False)}
    for name, default in command.make_context("train", ["digits"]).params.items():
        if name in TrainOptions.model_fields:
            assert (default or None) == (TrainOptions.model_fields[name].default or None), name
            assert name in shown or not default, name


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--model", "efficientnet_lite0", "--epochs", "30"],
            "the option epochs is only for the regimes partial, full and scratch",
        ),
        (
            ["--model", "lenet5", "--mirror", "auto"],
            "the option mirror is only for the regimes frozen, partial and full",
        ),
        (["--model", "lenet5", "--head", ""], "the option head is only for the regimes frozen, partial and full"),
    ],
    ids=" ".join,
)
def test_an_option_that_the_model_does_not_use_is_refused_even_with_its_default(cli, draw, tmp_path, arguments, said):
    draw(tmp_path / "photos", 2)
    done = cli("train", "photos", *arguments)
    assert done.exit_code == 2
    assert said in done.stderr
    assert one_sentence(done.stderr)


# --- JSON


def said_as_json(done: Result) -> object:
    assert done.exit_code == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


@pytest.fixture
def run(split_run, tmp_path) -> Path:
    return Path(split_run.run)


def test_train_prints_one_json_object(cli, split_photos, split_run):
    said = said_as_json(cli("train", split_photos, "--json", "--name", "mine"))
    assert said["run"] == str(Path("runs", "train", "mine"))
    assert said["classes"] == ["circle", "square", "triangle"]
    assert said["pictures"] == {"used": 69, "set_aside": 0}
    for part in ("validation", "test"):
        expected = getattr(split_run, part).model_dump()
        assert said[part] == expected
        assert expected.keys() == {"accuracy", "low", "high", "n"}
    assert said["seconds"] > 0


def test_a_test_part_that_is_too_small_is_null(cli, draw, tmp_path):
    draw(tmp_path / "photos", 2)
    assert said_as_json(cli("train", "photos", "--json"))["test"] is None


def test_val_prints_the_numbers_of_training(cli, run, split_photos, split_run):
    said = said_as_json(cli("val", run, split_photos, "--json"))
    assert {name: said[name] for name in ("accuracy", "low", "high", "n")} == pytest.approx(split_run.test.model_dump())
    assert said["part"] == "test"


def test_predict_prints_a_list(cli, run, split_photos):
    folder = split_photos / "test" / "square"
    said = said_as_json(cli("predict", run, folder / "200.png", folder / "201.png", "--topk", "2", "--json"))
    assert [each["picture"] for each in said] == [str(folder / "200.png"), str(folder / "201.png")]
    for each in said:
        assert [answer.keys() for answer in each["predictions"]] == [{"class", "probability"}] * 2
        assert each["predictions"][0]["class"] == "square"


def test_embed_info_and_cache_print_one_json_object(cli, split_photos):
    assert said_as_json(cli("embed", split_photos, "--out", "features.npz", "--json"))["features"] == 1280
    assert said_as_json(cli("info", "--json"))["version"] == eyespot.__version__
    assert said_as_json(cli("cache", "--json"))["cleared"] is False


def test_the_cache_can_be_cleared(cli, monkeypatch, tmp_path):
    monkeypatch.setenv("EYESPOT_CACHE", str(tmp_path / "own-cache"))
    assert "removed 0 arrays" in cli("cache", "--clear").stdout


def test_python_returns_what_the_command_prints(cli, run, split_photos):
    model = eyespot.load(run)
    printed = said_as_json(cli("val", run, split_photos, "--json"))
    evaluated = json.loads(model.evaluate(split_photos).model_dump_json(by_alias=True))
    assert {**printed, "seconds": 0} == {**evaluated, "seconds": 0}
    picture = split_photos / "test" / "square" / "200.png"
    predicted = [json.loads(each.model_dump_json(by_alias=True)) for each in model.predict(picture)]
    assert said_as_json(cli("predict", run, picture, "--json")) == predicted


# --- words


def test_train_says_what_it_made_and_what_comes_next(cli, split_photos, split_run):
    done = cli("train", split_photos)
    assert done.exit_code == 0
    assert done.stderr == ""
    assert "69 pictures of 3 classes" in done.stdout
    assert "95 % interval" in done.stdout
    assert f"eyespot predict {Path('runs', 'train', 'photos')} PICTURES" in done.stdout
    assert not CONTROL & set(done.stdout)


def test_a_path_with_spaces_is_quoted_in_the_next_command(cli, draw, tmp_path):
    draw(tmp_path / "my photos", 2)
    done = cli("train", "my photos")
    (command,) = (line[12:] for line in done.stdout.splitlines() if line.startswith("Use it"))
    typed = shlex.split(command, posix=os.name != "nt")
    assert [each.strip('"') for each in typed] == ["eyespot", "predict", str(Path("runs/train/my photos")), "PICTURES"]
    assert command in html.unescape((tmp_path / "runs/train/my photos/report.html").read_text("utf-8"))


def test_a_small_test_part_and_val_are_shown_beside_cross_validation(cli, draw, tmp_path):
    draw(tmp_path / "photos" / "train", 5)
    draw(tmp_path / "photos" / "val", 2, first=50)
    draw(tmp_path / "photos" / "test", 3, first=100)
    said = cli("train", "photos").stdout
    shown = {line[:12].strip(): line for line in said.splitlines()}
    assert [re.search(r"(\d+) pictures\)", shown[name])[1] for name in ("Cross-val.", "Validation", "Test")] == [
        "15",
        "6",
        "9",
    ]
    assert "the test part has only 9 pictures, too few to say much" in said


def test_val_embed_info_and_cache_speak_in_words(cli, run, split_photos):
    said = cli("val", run, split_photos).stdout
    assert "33 pictures, part test" in said
    interval = r"\d\.\d{3} \(\d\.\d{3} to \d\.\d{3}\)"
    assert re.search(rf"^ +circle +{interval}  {interval}  \d\.\d{{3}} +11$", said, re.MULTILINE)
    assert "69 pictures, 1280 features each" in cli("embed", split_photos, "--out", "features.npz").stdout
    assert f"eyespot     {eyespot.__version__}" in cli("info").stdout
    assert "arrays" in cli("cache").stdout


def test_files_set_aside_are_named(cli, draw, tmp_path):
    draw(tmp_path / "photos", 2)
    (tmp_path / "photos" / "circle" / "broken.jpg").write_bytes(b"")
    assert "circle/broken.jpg is empty (0 bytes)" in cli("train", "photos").stdout


def test_pictures_that_cannot_be_predicted_are_named_on_standard_error(cli, run, tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"")
    done = cli("predict", run, "broken.jpg")
    assert done.stdout == ""
    assert done.stderr == "broken.jpg: is empty (0 bytes)\n"


@pytest.mark.parametrize("form", [[], ["--json"], ["--csv", "answers.csv"]])
def test_predict_fails_where_no_picture_can_be_read_and_only_there(cli, run, split_photos, tmp_path, form):
    for name in ("one.jpg", "two.jpg"):
        (tmp_path / name).write_bytes(b"")
    done = cli("predict", run, "one.jpg", "two.jpg", *form)
    assert done.exit_code == 1
    assert "is empty" in done.output
    assert "two.jpg" in done.output
    picture = split_photos / "test" / "circle" / "200.png"
    assert cli("predict", run, "one.jpg", picture).exit_code == 0


# --- predictions as CSV


def test_predictions_are_written_as_csv(cli, run, split_photos, tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"")
    picture = split_photos / "test" / "square" / "200.png"
    assert cli("predict", run, picture, "broken.jpg", "--csv", "answers.csv", "--topk", "2").exit_code == 0
    with (tmp_path / "answers.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["picture"] for row in rows] == [str(picture), str(picture), "broken.jpg"]
    assert [row["rank"] for row in rows] == ["1", "2", "0"]
    assert rows[0]["class"] == "square"
    assert 0 < float(rows[0]["probability"]) <= 1
    assert rows[2]["set_aside"] == "is empty (0 bytes)"


@pytest.mark.parametrize("place", ["nowhere/answers.csv", "folder"])
def test_a_csv_file_that_cannot_be_written_is_a_sentence(cli, run, split_photos, tmp_path, place):
    (tmp_path / "folder").mkdir()
    done = cli("predict", run, split_photos / "test" / "square" / "200.png", "--csv", place)
    assert done.exit_code == 1
    assert one_sentence(done.stderr)
    assert place in done.stderr
    assert done.stdout == ""


# --- names


@pytest.fixture
def odd_photos(draw, tmp_path) -> Path:
    draw(tmp_path / "my photos", 2)
    (tmp_path / "my photos" / "circle").rename(tmp_path / "my photos" / "круг 🔴")
    (tmp_path / "my photos" / "square" / "000.png").rename(tmp_path / "my photos" / "square" / "четвёрка 🟦.png")
    return tmp_path / "my photos"


def test_names_in_any_script_go_in_and_out(cli, odd_photos):
    trained = said_as_json(cli("train", "my photos", "--json"))
    assert "круг 🔴" in trained["classes"]
    done = cli("predict", trained["run"], "my photos/square/четвёрка 🟦.png")
    assert done.stdout.startswith("my photos/square/четвёрка 🟦.png: square ")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_names_in_any_script_survive_a_terminal_that_lacks_them(odd_photos, split_run, shared_cache, encoding):
    done = eyespot_process("predict", split_run.run, odd_photos, PYTHONIOENCODING=encoding, PYTHONUTF8="0")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(b"\n") == 6


@linux_only
def test_a_file_name_that_is_not_utf8_is_shown_with_its_bytes(run, split_photos, shared_cache, tmp_path):
    odd = os.path.join(os.fsencode(tmp_path), b"\xff.png")
    shutil.copy(split_photos / "test" / "square" / "200.png", odd)
    for arguments in ([os.fsdecode(odd)], [tmp_path], [tmp_path, "--json"]):
        done = eyespot_process("predict", run, *arguments)
        assert done.returncode == 0, done.stderr
        assert b"\\xff.png" in done.stdout
    assert json.loads(done.stdout)[0]["predictions"][0]["class"] == "square"


@linux_only
def test_a_model_in_a_folder_whose_name_is_not_utf8_works(run, split_photos, shared_cache, tmp_path):
    odd = os.path.join(os.fsencode(tmp_path), b"r\xffn")
    shutil.copytree(run, os.fsdecode(odd))
    done = eyespot_process("val", os.fsdecode(odd), split_photos, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["n"] == 33


# --- real processes


def test_a_piped_run_shows_no_progress_and_no_control_characters(split_photos, shared_cache, split_run, tmp_path):
    done = eyespot_process("train", split_photos, "--out", tmp_path / "runs")
    assert done.returncode == 0
    assert done.stderr == b""
    assert not CONTROL & set(done.stdout.decode())


def test_python_dash_m_eyespot_answers():
    done = eyespot_process("--version")
    assert (done.returncode, done.stdout.split()) == (0, [b"eyespot,", b"version", eyespot.__version__.encode()])


def test_a_reader_that_goes_away_is_no_traceback(run, split_photos, shared_cache):
    command = [sys.executable, "-m", "eyespot", "predict", str(run), str(split_photos)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 1
    assert said == b""


@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT")
@pytest.mark.parametrize("wait_for", ["folder", "features"])
def test_ctrl_c_ends_a_real_run_with_a_sentence_or_with_a_model(draw, tmp_path, warm_cache, split_run, wait_for):
    draw(tmp_path / "photos", 400)
    cache = Path(shutil.copytree(warm_cache / "graphs", tmp_path / "cache" / "graphs")).parent
    command = [sys.executable, "-m", "eyespot", "train", "photos"]
    environment = os.environ | {"EYESPOT_CACHE": str(cache)}
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored where tests run in the background
    )
    store = cache / "store" / "store.sqlite3"
    while process.poll() is None and not (store.exists() and (wait_for == "folder" or store.stat().st_size > 200_000)):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    said, error = process.communicate()
    if wait_for == "features":  # of some pictures
        assert process.returncode == 0, error
        assert re.search(r"ended by you: the model is of \d+ of [\d,]+ pictures", said)
        assert (tmp_path / "runs/train/photos/report.html").exists()
        return
    assert process.returncode == 130
    assert said == ""
    assert one_sentence(error), error
    assert "no model yet" in error
    assert not (tmp_path / "runs").exists()


def test_predict_never_writes_over_a_file_unasked(run, split_photos, shared_cache, tmp_path):
    picture = tmp_path / "mine.png"
    picture.write_bytes(next(split_photos.rglob("*.png")).read_bytes())
    before = picture.read_bytes()
    arguments = ["predict", str(run), str(picture), "--csv", str(picture)]
    refused = CliRunner().invoke(main, arguments)
    assert refused.exit_code == 1
    assert "exists already" in refused.stderr
    assert picture.read_bytes() == before
    kept = tmp_path / "answers.csv"
    for extra in ([], ["--overwrite"]):
        assert CliRunner().invoke(main, ["predict", str(run), str(picture), "--csv", str(kept), *extra]).exit_code == 0


# --- places that cannot be used


@pytest.fixture
def no_engine(monkeypatch):
    """Any work with pictures fails the test."""
    monkeypatch.setattr("eyespot.recipes.embed.embed_pictures", lambda *args, **options: pytest.fail("work had begun"))
    monkeypatch.setattr("eyespot.recipes.embed.hash_pictures", lambda *args, **options: pytest.fail("work had begun"))
    monkeypatch.setattr("eyespot.recipes.predict.predictions", lambda *args, **options: pytest.fail("work had begun"))


@pytest.mark.parametrize("place", ["nowhere/f{}", "folder{}", "there{}", "x" * 300 + "{}", "there{0}/f{0}"])
def test_a_place_that_cannot_be_written_is_refused_before_any_work(cli, run, no_engine, split_photos, tmp_path, place):
    for suffix in (".npz", ".csv"):
        (tmp_path / f"folder{suffix}").mkdir()
        (tmp_path / f"there{suffix}").write_bytes(b"mine")
    picture = split_photos / "test" / "square" / "200.png"
    for done, out in (
        (cli("embed", split_photos, "--out", place.format(".npz")), place.format(".npz")),
        (cli("predict", run, picture, "--csv", place.format(".csv")), place.format(".csv")),
    ):
        assert done.exit_code == 1
        assert one_sentence(done.stderr)
        assert out in done.stderr
        assert done.stdout == ""


def test_a_place_without_permission_is_refused_before_any_work(
    cli, run, no_engine, split_photos, monkeypatch, tmp_path
):
    def refuse(path, *args, **options):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("eyespot.files.Path.open", refuse)  # permissions do not bind whoever runs tests as root
    assert "Permission denied" in cli("embed", split_photos, "--out", tmp_path / "f.npz").stderr
    assert "Permission denied" in cli("predict", run, split_photos, "--csv", tmp_path / "f.csv").stderr


def test_a_full_disk_is_one_sentence(cli, split_photos, monkeypatch, tmp_path):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("eyespot.files.os.fsync", full)
    for command in (["train", split_photos], ["embed", split_photos, "--out", "f.npz"]):
        done = cli(*command)
        assert done.exit_code == 1
        assert one_sentence(done.stderr)
        assert "No space left on device" in done.stderr
    assert not (tmp_path / "f.npz").exists()


def test_a_home_of_nobody_is_a_sentence(cli, split_photos):
    assert one_sentence(cli("embed", split_photos, "--out", "~nobody-at-all/f.npz").stderr)


def test_a_cache_in_the_home_of_nobody_is_a_sentence(cli, monkeypatch):
    monkeypatch.setenv("EYESPOT_CACHE", "~nobody-at-all/cache")
    for command in (["info"], ["cache"], ["embed", "digits", "--out", "f.npz"]):
        done = cli(*command)
        assert done.exit_code == 1
        assert one_sentence(done.stderr)
        assert "EYESPOT_CACHE is '~nobody-at-all/cache'" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="quotes as a POSIX shell takes them")
def test_the_next_command_can_be_pasted_whatever_the_runs_name(cli, split_photos, tmp_path):
    said = cli("train", split_photos, "--name", "it's $HOME & (more)").stdout
    (next_command,) = (line[12:] for line in said.splitlines() if line.startswith("Use it"))
    assert shlex.split(next_command)[2] == str(Path("runs", "train", "it's $HOME & (more)"))


# --- names that command a terminal


@linux_only
def test_no_name_can_command_the_terminal(draw, cli, run, tmp_path):
    folder = tmp_path / "\x1b]0;title\x07photos"
    draw(folder, 3)
    (folder / "circle").rename(folder / "\x1b[31mred\x9b0m\u202e")
    (folder / "square" / "000.png").rename(folder / "square" / "two\nlines\x1b[2J.png")
    (folder / "square" / "bad\x1b[2J.png").write_bytes(b"")
    picture = folder / "square" / "two\nlines\x1b[2J.png"
    for command in (
        ["train", folder],
        ["train", folder, "--json"],
        ["predict", run, picture],
        ["predict", run, folder, "--json"],
        ["predict", run, folder / "none\x1b[31m"],
        ["embed", folder, "--out", "\x1b[31m.npz"],
        ["embed", folder, "--out", "\x1b[31m.npz"],
        ["val", run, folder],
        ["val", folder, folder],
    ):
        done = cli(*command)
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(done.stdout + done.stderr), command
