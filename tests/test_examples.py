"""The files of examples/ for containers and automatic retraining: what they say of eyespot is so."""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import shutil
import subprocess
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from eyespot.cli.main import COMMANDS, main
from eyespot.serve.process import STOP_SECONDS
from eyespot.serve.safety import OPEN_PATHS

ROOT = Path(__file__).parents[1]
DOCKER = ROOT / "examples" / "docker"
UNIT = ROOT / "examples/systemd/eyespot.service"
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
    yield "eyespot.service", shlex.split(unit()["Service"]["ExecStart"])[1:]


def unit() -> configparser.ConfigParser:
    """The unit file, of which no key stands twice."""
    found = configparser.ConfigParser(interpolation=None)
    found.optionxform = str  # type: ignore[assignment]
    found.read(UNIT, "utf-8")
    return found


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
    assert {file for file, _ in commands()} == {path.name for path in FILES[:3]} | {"Dockerfile", UNIT.name}


def test_the_container_is_not_root_has_no_torch_and_asks_where_health_is_open():
    assert docker("USER") == ["eyespot"]
    assert docker("ENTRYPOINT") == ["eyespot"]
    text = (DOCKER / "Dockerfile").read_text("utf-8")
    assert "--require-hashes --only-binary :all: -r /project/requirements/serve.txt" in text
    assert "--no-deps /project" in text
    copied = [line.split()[1:-1] for line in text.splitlines() if line.startswith("COPY")]
    assert [name for names in copied for name in names if not (ROOT / name).exists()] == []
    health = [text, parsed(DOCKER / "compose.yaml")["services"]["eyespot"]["healthcheck"]["test"][-1]]
    paths = [re.findall(r"127\.0\.0\.1:8000(/\w+)", each)[-1] for each in health]
    assert set(paths) <= OPEN_PATHS
    for each in (docker("HEALTHCHECK")[0].partition("CMD ")[2], json.dumps(["CMD", "python", "-c", health[1]])):
        compile(json.loads(each)[-1], "health", "exec")


def test_the_container_may_write_to_memory_alone_and_has_limits():
    service = parsed(DOCKER / "compose.yaml")["services"]["eyespot"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["mem_limit"] == "3g"
    cache = re.search(r"^ENV EYESPOT_CACHE=(\S+)", (DOCKER / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    assert cache
    assert any(each.startswith(f"{cache[1]}:") for each in service["tmpfs"])
    assert [each for each in service["volumes"] if not each.endswith(":ro")] == []


def test_the_unit_is_limited():
    service = unit()["Service"]
    for key in ("NoNewPrivileges", "ProtectHome", "PrivateTmp", "PrivateDevices", "DynamicUser", "RestrictNamespaces"):
        assert service[key] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert service["CapabilityBoundingSet"] == ""
    assert service["MemoryMax"] == "3G"
    assert service["Restart"] == "on-failure"
    assert service["Environment"] == f"EYESPOT_CACHE=/var/cache/{service['CacheDirectory']}"
    assert int(service["TimeoutStopSec"]) > STOP_SECONDS


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not here")
def test_systemd_knows_each_line_of_the_unit(tmp_path):
    text = UNIT.read_text("utf-8").replace("/opt/eyespot/bin/eyespot", shutil.which("true") or "/bin/true")
    (tmp_path / UNIT.name).write_text(text, encoding="utf-8")
    verify = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(tmp_path / UNIT.name)]
    done = subprocess.run(verify, capture_output=True, text=True, timeout=60)
    assert UNIT.name not in done.stdout + done.stderr
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not os.environ.get("EYESPOT_TEST_DOCKER"), reason="EYESPOT_TEST_DOCKER is unset: no image is built")
def test_the_container_is_built_and_is_healthy_with_a_root_that_cannot_be_written_to(split_run):
    def run(*words: str) -> str:
        done = subprocess.run(["docker", *words], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    run("build", "-q", "-f", str(DOCKER / "Dockerfile"), "-t", "eyespot-test", str(ROOT))
    limits = ("--read-only", "--tmpfs=/tmp", "--tmpfs=/home/eyespot/cache:uid=1000,gid=1000", "--cap-drop=ALL")
    model = f"--volume={Path(split_run.run, 'bundle').resolve()}:/model:ro"
    name = run("run", "-d", *limits, "--memory=3g", "-e", "EYESPOT_TOKEN=a-long-secret-word", model, "eyespot-test")
    try:
        while (health := run("inspect", "--format={{.State.Health.Status}}", name)) == "starting":
            time.sleep(1)
        assert health == "healthy", run("logs", name)
        assert run("exec", name, "id", "-u") == "1000"
        assert subprocess.run(["docker", "exec", name, "touch", "/x"], capture_output=True).returncode
    finally:
        run("rm", "-f", name)


def test_the_matrix_has_the_three_systems():
    matrix = parsed(FILES[-1])["jobs"]["test"]["strategy"]["matrix"]
    assert matrix["os"] == ["ubuntu-latest", "windows-latest", "macos-latest"]
    oldest = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["requires-python"]
    assert f">={matrix['python'][0]}" == oldest
