"""The commands that look into a network, as they are typed."""

import csv
import json
import shutil
import xml.etree.ElementTree as ElementTree

import pytest
from click.testing import CliRunner
from rewritten import change_manifest

from eyespot.cli import layer_table
from eyespot.cli.main import main


@pytest.fixture
def cli(shared_cache, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object, columns: int = 80):
        return CliRunner().invoke(main, [str(argument) for argument in arguments], env={"COLUMNS": str(columns)})

    return run


@pytest.mark.parametrize("columns", [80, 120, 200])
@pytest.mark.parametrize("network", ["lenet5", "vgg16", "resnet152", "inception_resnet_v2"])
def test_no_line_is_wider_than_the_console(cli, network, columns):
    done = cli("summary", network, columns=columns)
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= columns
    assert lines[0].split()[0] == "layer"
    for wanted in ("output", "parameters", "multiply-adds"):
        assert wanted in lines[0]
    assert not [line for line in lines if line.startswith(" ") and "x" in line.split()[:1]]


def test_every_layer_is_one_line(cli):
    done = cli("summary", "lenet5", columns=120)
    table, _, rest = done.stdout.partition("\n\n")
    assert len(table.splitlines()) == 2 + 13
    assert "floor((32 + 2*0 - 5)/1) + 1 = 28" in table
    assert "Parameters    61,706" in rest
    assert "Depth         5 layers" in rest


def test_what_has_no_room_is_named(cli):
    said = " ".join(cli("summary", "lenet5", columns=80).stdout.partition("Not shown")[2].split())
    assert said.startswith("formula, kind, activations")
    assert said.endswith("--columns NAME,NAME, --csv or --json")


def test_columns_can_be_chosen(cli):
    done = cli("summary", "lenet5", "--columns", "formula,field,fully-connected", columns=100)
    assert done.stdout.split("\n")[0].split() == ["layer", "formula", "field", "if", "fully", "connected"]
    assert "4,816,896" in done.stdout
    wrong = cli("summary", "lenet5", "--columns", "formla")
    assert (wrong.exit_code, wrong.stderr) == (
        2,
        "eyespot: the option columns cannot be 'formla': did you mean 'formula'?\n",
    )


def test_stages_are_one_line_each(cli):
    table = cli("summary", "resnet18", "--stages").stdout.partition("\n\n")[0].splitlines()
    assert [line.split()[0] for line in table[2:]] == ["input", "stem", "stage1", "stage2", "stage3", "stage4", "head"]
    assert "2,097,152" not in table
    assert "513,000" in table[-1]


def test_json_has_layers_stages_and_total(cli):
    said = json.loads(cli("summary", "lenet5_rgb", "--imgsz", "32", "--classes", "7", "--json").stdout)
    assert said["input"] == [3, 32, 32]
    first = said["layers"][1]
    assert (first["name"], first["output"], first["weight"]) == ("stage1.conv", [6, 28, 28], [6, 3, 5, 5])
    assert said["layers"][-1]["output"] == [7]
    assert sum(stage["parameters"] for stage in said["stages"]) == said["total"]["parameters"]
    assert said["drawing"] is None


def test_csv_has_every_column(cli, tmp_path):
    assert cli("summary", "lenet5", "--csv", "layers.csv").exit_code == 0
    with (tmp_path / "layers.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [column.key for column in layer_table.COLUMNS]
    assert rows[1]["formula"] == "floor((32 + 2*0 - 5)/1) + 1 = 28"
    assert (rows[1]["output"], rows[1]["field"], rows[1]["centre"]) == ("6x28x28", "5x5", "2x2")
    assert sum(int(row["parameters"]) for row in rows) == 61_706
    again = cli("summary", "lenet5", "--csv", "layers.csv")
    assert "exists already" in again.stderr
    assert cli("summary", "lenet5", "--csv", "layers.csv", "--stages", "--overwrite").exit_code == 0
    assert len((tmp_path / "layers.csv").read_text().splitlines()) == 1 + 4


def test_height_and_width_may_differ(cli):
    done = cli("summary", "resnet18", "--imgsz", "97x161", "--columns", "output,formula", columns=200)
    assert "H: floor((97 + 2*3 - 7)/2) + 1 = 49; W: floor((161 + 2*3 - 7)/2) + 1 = 81" in done.stdout


def test_a_drawing_is_written(cli, tmp_path):
    done = cli("summary", "vgg16", "--draw", "vgg16.svg", "--stages")
    assert "Drawing       vgg16.svg" in done.stdout
    assert (tmp_path / "vgg16.svg").read_text(encoding="utf-8").startswith("<svg ")


def test_maps_and_kernels_are_written(cli, split_photos, split_run, tmp_path):
    picture = split_photos / "test" / "circle" / "200.png"
    done = cli("feature-maps", split_run.run, picture, "--stage", "stem", "--out", "maps.png")
    assert done.stdout == (
        "Wrote       maps.png: stem, 32x112x112, in 4 rows of 8\n"
        "Scale       each map on its own scale: 0 is black, the largest value white\n"
    )
    said = json.loads(cli("kernels", split_run.run, "--json").stdout)
    assert (said["out"], said["stage"]) == ("kernels.png", "stem.conv")
    assert (tmp_path / "kernels.png").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["summary", "resnt50"], "did you mean 'resnet50'?"),
        (["summary", "lenet5", "--imgsz", "big"], "give pixels such as 224, or height x width such as 224x320"),
        (["summary", "alexnet", "--imgsz", "30"], "cannot take"),
        (["kernels", "nowhere"], "There is no network and no run folder 'nowhere'"),
        (["feature-maps", "nowhere", "p.jpg", "--stage", "stem", "--out", "m.png"], "no run folder 'nowhere'"),
    ],
)
def test_errors_are_one_sentence(cli, arguments, words):
    done = cli(*arguments)
    assert done.exit_code == (2 if "big" in arguments else 1)
    assert words in done.stderr
    assert done.stderr.startswith("eyespot: ")
    assert done.stderr.count("\n") == 1


def test_a_models_name_commands_no_terminal_and_spoils_no_drawing(cli, split_run, tmp_path):
    copied = shutil.copytree(split_run.bundle, tmp_path / "copied")
    change_manifest(copied, name="\x1b[31mred\x00<b>")
    done = cli("summary", "copied", "--stages", "--draw", "red.svg")
    assert done.exit_code == 0, done.stderr
    assert "\x1b" not in done.stdout
    assert "[31mred" in done.stdout
    ElementTree.parse(tmp_path / "red.svg")
