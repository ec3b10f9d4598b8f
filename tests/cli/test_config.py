"""`--config`: a file says the same as flags, flags win, and what is wrong in it is said with its line."""

import click
import pytest
import yaml
from click.testing import CliRunner

import eyespot
from eyespot.cli import config
from eyespot.cli.main import main
from eyespot.data.handed_sets import IN_HAND
from eyespot.runs.config import as_config
from eyespot.version import VERSION


@pytest.fixture
def given(monkeypatch, tmp_path):
    """Runs `train` and returns what its recipe was given."""
    monkeypatch.chdir(tmp_path)
    calls: list[tuple[object, dict[str, object]]] = []

    def recipe(data, *, progress, **options):
        calls.append((data, options))
        raise KeyboardInterrupt

    def run(text: str, *arguments: str) -> tuple[object, dict[str, object]]:
        monkeypatch.setattr("eyespot.recipes.train.train", recipe)
        (tmp_path / "run.yaml").write_text(text, encoding="utf-8")
        done = CliRunner().invoke(main, ["train", "--config", "run.yaml", *arguments])
        assert calls, done.output
        return calls.pop()

    return run


@pytest.fixture
def refused(monkeypatch, tmp_path):
    """Runs a command with a file that it refuses, and returns the sentence."""
    monkeypatch.chdir(tmp_path)

    def run(text: str | bytes, *command: str) -> str:
        (tmp_path / "run.yaml").write_bytes(text.encode() if isinstance(text, str) else text)
        done = CliRunner().invoke(main, [*(command or ("train",)), "--config", "run.yaml"])
        assert done.exit_code == 2
        assert done.stderr.startswith("eyespot: ")
        assert done.stderr.count("\n") == 1
        return done.stderr

    return run


FILE = """
# one run
data: my photos
replace-tail: conv 3x3 128, pool
freeze: 5
weight_decay: 1e-4
mirror: no
optimiser: sgd      # its name of before
head: [256, 128]
more:
  - one
  - two
yes: true
time: ~
"""
FLAGS = [
    *("my photos", "--replace-tail", "conv 3x3 128, pool", "--freeze", "5", "--weight-decay", "1e-4"),
    *("--mirror", "no", "--optimiser", "sgd", "--head", "256,128", "--more", "one", "--more", "two", "--yes"),
]


def test_a_file_says_the_same_as_flags(given):
    said = given(FILE)
    assert said == given("", *FLAGS)
    assert said[0] == "my photos"
    assert said[1]["mirror"] == "no"
    assert said[1]["head"] == (256, 128)
    assert "time" not in said[1]


def test_flags_win(given):
    data, options = given("data: photos\nlr: 0.1\nepochs: 3", "others", "--lr", "0.2")
    assert (data, options) == ("others", {"lr": 0.2, "epochs": 3})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("data: digits\n\nepohcs: 3", "run.yaml, line 3: train has no option 'epohcs': did you mean 'epochs'?"),
        ("epochs: 3\nepochs: 4", "run.yaml, line 2: epochs was given before"),
        ("replace_tail: fc 8\nreplace-tail: fc 9", "run.yaml, line 2: replace-tail was given before"),
        ("epochs: many", "run.yaml, line 1: epochs cannot be 'many': 'many' is not a valid integer"),
        ("yes: perhaps", "run.yaml, line 1: yes cannot be 'perhaps'"),
        ("lr: {first: 1}", "run.yaml, line 1: lr takes a text, a number or a flat list"),
        ("more: [[a]]", "run.yaml, line 1: more takes"),
        ("config: run.yaml", "train has no option 'config'"),
        ("- digits", "run.yaml holds no options"),
        ("just words", "run.yaml holds no options"),
        ("data: [digits", "run.yaml, line 1, is not YAML"),
        ("data: 'x\n", "is not YAML"),
        ("a: 1\n---\nb: 2\n", "is not YAML"),
        ("[" * 3000, "is not YAML"),
        (b"data: caf\xe9", "run.yaml is no text in UTF-8"),
        ("#" * (2**20 + 1), "run.yaml is too large"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(refused, text, said):
    assert said in refused(text)


def test_a_tag_makes_no_object(given):
    data, _ = given("data: !!python/object/apply:os.system [echo]")
    assert data == "echo"


def test_a_file_that_is_not_there(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["val", "--config", "none.yaml"])
    assert done.exit_code == 2
    assert "none.yaml cannot be read (No such file or directory): give a file of options" in done.stderr


def test_every_option_of_every_such_command_can_be_in_a_file(monkeypatch, tmp_path):
    """Each value comes out as the same flag gives it, in whatever command."""
    monkeypatch.chdir(tmp_path)
    samples = {click.INT: "3", click.FLOAT: "0.5"}
    for name in config.COMMANDS:
        command = main.commands[name]
        said, flags, arguments = {}, [], []
        for key, parameter in config._by_key(command).items():
            is_flag = getattr(parameter, "is_flag", False)
            value = "true" if is_flag else samples.get(parameter.type, "word")
            said[key] = [value] if parameter.nargs == -1 else value
            if isinstance(parameter, click.Argument):
                arguments.append(value)
            else:
                flags += [f"--{key}"] if is_flag else [f"--{key}", value]
        (tmp_path / "all.yaml").write_text(yaml.safe_dump(said))
        from_file = command.make_context(name, ["--config", "all.yaml"]).params
        assert from_file == command.make_context(name, [*flags, *arguments]).params, name


@pytest.mark.parametrize(
    ("value", "said"), [("[1, 2]", "[1, 2]"), ("\n  - 1\n  - 2", "[1, 2]"), ("a b", "'a b'"), ("'1.x'", "'1.x'")]
)
def test_a_value_that_cannot_be_is_said_as_it_was_typed(refused, value, said):
    assert f"lr cannot be {said}: " in refused(f"lr: {value}\n")


def test_of_pictures_in_hand_the_file_names_no_data(given):
    text = as_config({"data": IN_HAND, "given": ["epochs", "name"], "epochs": 1, "version": VERSION}).decode()
    assert text.splitlines()[1:] == ["epochs: 1"]
    assert given(text, "photos")[0] == "photos"


def test_a_run_writes_such_a_file(shared_cache, given, tmp_path):
    eyespot.train("digits", name="a", augment="none", epochs=1, lr=0.002, more=())
    text = (tmp_path / "runs/train/a/config.yaml").read_text(encoding="utf-8")
    assert text.startswith(f"# Trained by eyespot {VERSION}; to train so again: ")
    assert text.splitlines()[1:] == ['data: "digits"', 'augment: "none"', "epochs: 1", "lr: 0.002", "more: []"]
    data, options = given(text)
    assert (data, options) == ("digits", {"augment": "none", "epochs": 1, "lr": 0.002, "more": ()})


def test_a_zero_and_a_long_value_are_refused_in_a_sentence(refused):
    assert "data has a zero in it" in refused('data: "a\\0b"\n')
    assert len(refused(f"lr: {'x' * 5000}\n")) < 400
