"""`networks`: what the catalogue and the records know, without torch; docs/networks.md shows its table."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import eyespot
from eyespot import zoo
from eyespot.cli.main import main
from eyespot.errors import NetworkError
from eyespot.zoo.weights import PUBLISHED

DOCUMENT = Path(__file__).parents[2] / "docs" / "networks.md"


@pytest.fixture(autouse=True)
def downloads(tmp_path, monkeypatch):
    """Empty download caches; the folder of PyTorch's."""
    for name in ("TORCH_HOME", "HF_HUB_CACHE"):
        monkeypatch.setenv(name, str(tmp_path / name))
    return tmp_path / "TORCH_HOME" / "hub" / "checkpoints"


def test_every_network_is_listed_once_the_oldest_first():
    listed = eyespot.networks()
    assert sorted(each.name for each in listed) == list(zoo.names())
    assert [each.year for each in listed] == sorted(each.year for each in listed)
    assert sum(len(each.weights) for each in listed) == len(PUBLISHED)


def test_one_network_shows_where_its_weights_are_or_belong(downloads):
    (found,) = eyespot.networks("resnet50")
    assert (found.parameters, found.multiply_adds, found.input_chw) == (25_557_032, 4_089_184_256, (3, 224, 224))
    old, new = found.weights
    assert (old.name, new.name) == ("imagenet", "imagenet_v2")
    assert not old.ready
    assert old.file == str(downloads / "resnet50-0676ba61.pth")
    assert not old.damaged


def test_a_file_that_is_not_whole_is_never_ready(downloads):
    (old, _) = eyespot.networks("resnet50")[0].weights
    downloads.mkdir(parents=True)
    Path(old.file).write_bytes(b"half of it")
    (found, other) = eyespot.networks("resnet50")[0].weights
    assert (found.ready, found.damaged, found.file) == (False, True, old.file)
    assert (other.ready, other.damaged) == (False, False)
    said = CliRunner().invoke(main, ["networks", "resnet50"]).stdout
    assert f"not whole, or not the published file: {old.file}" in said
    assert f"download it again: {old.url}" in said


def test_the_published_file_is_ready():
    (found,) = eyespot.networks("efficientnet_lite0")[0].weights
    assert (found.ready, found.damaged) == (True, False)


def test_a_network_of_timm_is_described(timm):
    (found,) = eyespot.networks("timm:resnet18")
    assert (found.parameters, found.input_chw, found.year) == (11_689_512, (3, 224, 224), None)
    assert found.multiply_adds == eyespot.networks("resnet18")[0].multiply_adds
    assert "timm:resnet18" in CliRunner().invoke(main, ["networks", "timm:resnet18"]).stdout


def test_a_name_that_timm_has_is_pointed_out(timm):
    with pytest.raises(NetworkError, match="timm has one, which is 'timm:convnext_tiny' here"):
        eyespot.summary("convnext_tiny")
    with pytest.raises(NetworkError, match="those of timm are called timm:NAME"):
        eyespot.networks("qqqqqqqq")


def test_a_mistyped_name_is_refused_with_the_one_that_was_meant():
    with pytest.raises(NetworkError, match="did you mean 'resnet50'"):
        eyespot.networks("resnt50")


def test_neither_torch_nor_timm_is_needed():
    code = (
        "import sys\nfor name in ('torch', 'timm', 'safetensors', 'numpy'): sys.modules[name] = None\n"
        "from eyespot.cli.main import main\nmain(['networks'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "resnet152" in done.stdout


def table() -> list[str]:
    """The table of docs/networks.md. After a change of the catalogue, copy it from this test's message."""
    lines = ["| network | parameters | multiply-adds | input | weights, top-1 |", "|---|---:|---:|---|---|"]
    heading = ""
    for each in eyespot.networks():
        if heading != (heading := f"{each.paper}, {each.year}"):
            lines.append(f"| **{heading}** | | | | |")
        size = "x".join(map(str, each.input_chw))
        weights = ", ".join(f"`{found.name}` {found.accuracy:.3f}" for found in each.weights)
        lines.append(f"| `{each.name}` | {each.parameters:,} | {each.multiply_adds:,} | {size} | {weights} |")
    return lines


def test_the_page_shows_the_table_of_the_verb():
    shown = [
        line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| ") or "|---" in line
    ]
    expected = table()
    start = shown.index(expected[0])
    assert shown[start : start + len(expected)] == expected, "\n".join(expected)
