"""The files of examples/ for containers and automatic retraining: what they say of eyespot is so."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from eyespot.cli.main import COMMANDS, main
from eyespot.serve.safety import OPEN_PATHS

ROOT = Path(__file__).parents[1]
DOCKER = ROOT / "examples" / "docker"
FILES = [
    DOCKER / "compose.yaml",
    ROOT / "examples/ci/github-retrain.yml",
    ROOT / "examples/ci/gitlab-retrain.yml",
    ROOT / ".github/workflows/test.yml",
]


def parsed(path: Path) -> dict[Any, Any]:
    found = yaml.safe_load(path.read_text("utf-8"))
    assert isinstance(found, dict)
    return found


def texts(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text below a value, with the key that it stands under."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from texts(each, str(name))
    elif isinstance(value, list):
        for each in value:
            yield from texts(each, key)
    elif isinstance(value, str):
        yield key, value


def commands() -> Iterator[tuple[str, list[str]]]:
    """Every command of eyespot in these files."""
    for path in FILES:
        for key, text in texts(parsed(path)):
            if key in ("run", "script") and text.startswith("eyespot "):
                yield path.name, shlex.split(text)[1:]
    yield "compose.yaml", parsed(DOCKER / "compose.yaml")["services"]["eyespot"]["command"]
    yield "Dockerfile", docker("CMD")


def docker(word: str) -> list[str]:
    """The words of the last instruction of that name."""
    lines = (DOCKER / "Dockerfile").read_text("utf-8").replace("\\\n", " ").splitlines()
    said = [line.removeprefix(word).strip() for line in lines if line.startswith(f"{word} ")][-1]
    return list(json.loads(said)) if said.startswith("[") else [said]


@pytest.mark.parametrize(("file", "arguments"), [*commands()], ids=lambda each: each if isinstance(each, str) else "")
def test_every_option_of_every_command_exists(file, arguments):
    name, *given = arguments
    assert name in COMMANDS
    command = main.commands[name]
    known = {spelling for parameter in command.params for spelling in parameter.opts}
    options = [each for each in given if each.startswith("-")]
    assert set(options) - known == set()
    command.make_parser(click.Context(command)).parse_args(given)  # and each has what it takes


def test_there_are_commands_in_each_of_them():
    assert {file for file, _ in commands()} == {path.name for path in FILES[:3]} | {"Dockerfile"}


def test_the_container_is_not_root_has_no_torch_and_asks_where_health_is_open():
    assert docker("USER") == ["eyespot"]
    assert docker("ENTRYPOINT") == ["eyespot"]
    text = (DOCKER / "Dockerfile").read_text("utf-8")
    assert '"/project[serve]"' in text
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    installed = [*project["dependencies"], *project["optional-dependencies"]["serve"]]
    assert not [each for each in installed if re.match("torch|nvidia", each)]
    copied = [line.split()[1:-1] for line in text.splitlines() if line.startswith("COPY")]
    assert [name for names in copied for name in names if not (ROOT / name).exists()] == []
    health = [text, parsed(DOCKER / "compose.yaml")["services"]["eyespot"]["healthcheck"]["test"][-1]]
    paths = [re.findall(r"127\.0\.0\.1:8000(/\w+)", each)[-1] for each in health]
    assert set(paths) <= OPEN_PATHS
    for each in (docker("HEALTHCHECK")[0].partition("CMD ")[2], json.dumps(["CMD", "python", "-c", health[1]])):
        compile(json.loads(each)[-1], "health", "exec")


def test_the_matrix_has_the_three_systems():
    matrix = parsed(FILES[-1])["jobs"]["test"]["strategy"]["matrix"]
    assert matrix["os"] == ["ubuntu-latest", "windows-latest", "macos-latest"]
    oldest = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["requires-python"]
    assert f">={matrix['python'][0]}" == oldest
