"""Options by their old names: taken as before on the command line, in Python and from `args.json`, and never shown."""

from __future__ import annotations

import json

import click
import pytest
from click.testing import CliRunner

import eyespot
from eyespot.cli.main import main
from eyespot.errors import OptionError
from eyespot.old_names import renamed
from eyespot.recipes.train import train
from eyespot.runs.options import train_options
from eyespot.runs.resume import replayed

OLD = {
    "train": {"size": "imgsz", "optimiser": "optimizer"},
    "pool": {"size": "window"},
    "pixel-coverage": {"size": "imgsz"},
}
RENAMED = [(command, old, new) for command, names in OLD.items() for old, new in names.items()]


def test_an_old_name_becomes_the_new_one_and_others_stay():
    assert renamed({"size": 96, "seed": 1}, {"size": "imgsz"}) == {"imgsz": 96, "seed": 1}


def test_an_option_under_both_names_is_refused():
    with pytest.raises(OptionError, match=r"^imgsz and size are the same option: leave out size$"):
        train_options(size=96, imgsz=64)


def test_train_takes_old_names_in_python():
    assert train_options(size=96, optimiser="sgd") == train_options(imgsz=96, optimizer="sgd")
    assert train_options(size=96).model_fields_set == {"imgsz"}


def test_errors_speak_of_the_new_name():
    with pytest.raises(OptionError, match=r"^the option imgsz cannot be 97: give a multiple of 32"):
        train_options(size=97)


def test_pool_and_pixel_coverage_take_old_names_in_python():
    matrix = "1 3 2; 2 9 1; 4 4 4"
    assert eyespot.pool(matrix, size=3).model_dump_json() == eyespot.pool(matrix, window=3).model_dump_json()
    assert eyespot.pixel_coverage(size=6).model_dump_json() == eyespot.pixel_coverage(imgsz=6).model_dump_json()


@pytest.mark.parametrize(("command", "old", "new"), RENAMED)
def test_help_shows_the_new_name_alone(command, old, new):
    shown = CliRunner().invoke(main, [command, "--help"]).output
    assert f"--{new} " in shown
    assert f"--{old}" not in shown


@pytest.mark.parametrize(("command", "old", "new"), RENAMED)
def test_a_command_takes_the_old_name_as_the_new_one(command, old, new):
    given = {"imgsz": "64", "window": "2", "optimizer": "sgd"}[new]
    picture = [] if command == "pixel-coverage" else ["1 2; 3 4"]
    chosen = main.commands[command]
    assert isinstance(chosen, click.Command)
    for written in ([f"--{old}", given], [f"--{old}={given}"]):
        with chosen.make_context(command, [*picture, *written]) as context:
            assert str(context.params[new]) == given
            assert old not in context.params


@pytest.mark.parametrize("written", [["--siz", "64"], ["--optimise", "sgd"]])
def test_a_mistyped_option_is_never_answered_with_an_old_name(written):
    answer = CliRunner().invoke(main, ["train", "digits", *written])
    assert answer.exit_code == 2
    assert not {"--size", "--optimiser"} & set(answer.output.replace("?", " ").split())


def test_a_run_of_before_can_be_done_again(tmp_path):
    result = train("digits", out=tmp_path, epochs=1, optimizer="sgd")
    file = tmp_path / "train" / "digits" / "args.json"
    args = json.loads(file.read_text(encoding="utf-8"))
    assert args["given"] == ["epochs", "optimizer", "out"]
    new = replayed(result.run, {}).options
    args["optimiser"], args["size"] = args.pop("optimizer"), args.pop("imgsz")
    args["given"] = ["epochs", "optimiser", "out", "size"]
    file.write_text(json.dumps(args), encoding="utf-8")
    assert replayed(result.run, {}).options == new
    assert replayed(result.run, {}).options.optimizer == "sgd"
