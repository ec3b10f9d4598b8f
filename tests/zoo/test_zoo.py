import subprocess
import sys

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from eyespot import zoo
from eyespot.blocks import split, stage_names
from eyespot.errors import NetworkError


def test_importing_the_zoo_and_its_weights_does_not_import_torch():
    code = (
        "import sys; sys.modules['torch'] = None; import eyespot.zoo, eyespot.zoo.weights; print(eyespot.zoo.names())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "lenet5" in done.stdout


@pytest.mark.parametrize(
    ("name", "words"), [("lenet", "did you mean 'lenet5'"), ("zzz", "`eyespot networks` lists all")]
)
def test_an_unknown_network_is_refused_with_the_closest(name, words):
    with pytest.raises(NetworkError, match=words):
        zoo.create(name)


def test_an_unknown_argument_is_refused_with_those_there_are():
    with pytest.raises(NetworkError, match=r"'depth'.*it takes classes, channels"):
        zoo.create("lenet5", depth=3)


CLASSIFIERS = {"nin_cifar10": "head.conv", "nin_imagenet": "head.conv"}
"""Which are not `head.fc`: Network in Network has no fully connected layer, and pools behind its last convolution."""


@pytest.mark.parametrize("name", zoo.names())
def test_every_network_is_a_chain_of_chains_and_ends_in_a_classifier(name):
    with torch.device("meta"):
        net = zoo.create(name, classes=7)
    for module in net.modules():
        assert type(module) is nn.Sequential or not isinstance(module, nn.Sequential)
        assert not getattr(module, "inplace", False)
    classifier = CLASSIFIERS.get(name, "head.fc")
    assert len(net.get_submodule(classifier).bias) == 7
    names = [stage for stage in stage_names(net) if net.get_submodule(stage) not in (net.head, *net.children())]
    trunk, tail = split(net, after=names[names.index(classifier) - 1])
    assert list(tail.state_dict()) == [f"{classifier}.weight", f"{classifier}.bias"]
    assert not [name for name in trunk.state_dict() if f"{classifier}." in name]


def test_create_hands_its_arguments_on():
    assert zoo.create("lenet5", classes=3, channels=3)(torch.zeros(1, 3, 32, 32)).shape == (1, 3)


class Flops(TorchDispatchMode):
    """Adds up what PyTorch's counter says of each operator that runs. Its own mode keeps them by module, too, which
    takes most of its time in a network of 1202 layers."""

    total = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        count = flop_registry.get(func.overloadpacket)
        self.total += count(*args, **(kwargs or {}), out_val=out) if count else 0
        return out


@pytest.mark.parametrize("name", zoo.names())
def test_the_catalogue_has_the_counts_of_the_network_itself(name):
    """Multiply-adds against PyTorch's own counter, which sees what really runs."""
    known = zoo.definition(name)
    with torch.device("meta"):
        net = zoo.create(name).eval()
        images = torch.empty(1, *known.input_chw)
    assert sum(p.numel() for p in net.parameters()) == known.parameters
    with torch.no_grad(), Flops() as counter:
        net(images)
    assert counter.total == 2 * known.multiply_adds
