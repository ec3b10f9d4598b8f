"""GoogLeNet, also called Inception v1, from images to logits.

Christian Szegedy, Wei Liu, Yangqing Jia, Pierre Sermanet, Scott Reed, Dragomir Anguelov, Dumitru Erhan, Vincent
Vanhoucke, Andrew Rabinovich: "Going Deeper with Convolutions", 2014, arXiv:1409.4842, table 1 and figure 3.

`paper` is that table. `torchvision` is the network for which torchvision publishes weights; it differs: a BatchNorm
after each convolution and no local response normalisation, 3x3 kernels in the branch `b5`
(github.com/pytorch/vision/issues/906), a last pooling between stages of 2x2, other poolings in the auxiliary heads, and
dropout 0.2 for 0.4.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from torch import nn

from eyespot.arithmetic.shapes import check_shapes
from eyespot.blocks import Branches, WithHeads, chain, conv
from eyespot.errors import NetworkError
from eyespot.zoo.inception_parts import numbered, tensor_names, unit, within

Form = Literal["torchvision", "paper"]


class _Facts(NamedTuple):
    """In what the forms differ."""

    norm: bool
    large_kernel: int
    last_pool: int
    dropout: float


class _Widths(NamedTuple):
    """Channels, as table 1 heads its columns."""

    one: int
    three_reduce: int
    three: int
    five_reduce: int
    five: int
    pool: int


_FORMS: dict[str, _Facts] = {
    "torchvision": _Facts(norm=True, large_kernel=3, last_pool=2, dropout=0.2),
    "paper": _Facts(norm=False, large_kernel=5, last_pool=3, dropout=0.4),
}
_STAGE3 = {"a": _Widths(64, 96, 128, 16, 32, 32), "b": _Widths(128, 128, 192, 32, 96, 64)}
_STAGE4 = {
    "a": _Widths(192, 96, 208, 16, 48, 64),
    "b": _Widths(160, 112, 224, 24, 64, 64),
    "c": _Widths(128, 128, 256, 24, 64, 64),
    "d": _Widths(112, 144, 288, 32, 64, 64),
    "e": _Widths(256, 160, 320, 32, 128, 128),
}
_STAGE5 = {"a": _Widths(256, 160, 320, 32, 128, 128), "b": _Widths(384, 192, 384, 48, 128, 128)}
_HEADS = {"stage4.a": ("aux1", 512), "stage4.d": ("aux2", 528)}
"""Where the auxiliary heads stand: torchvision's name, and the channels there."""


def googlenet(*, classes: int = 1000, form: Form = "torchvision") -> nn.Sequential:
    """A chain from images (N, 3, H, W) to logits (N, classes); meant for 224x224 pixels, at least 31.

    The stages have the paper's numbers: the module it calls "inception (4a)" is `stage4.a`.

    classes: at least 1.
    form: "torchvision", for which weights are published, or "paper".
    Raises NetworkError for another form.
    """
    facts = _facts(form)
    net = chain(
        stage1=_stage1(facts),  # (N, 64, 56, 56)
        stage2=_stage2(facts),  # (N, 192, 28, 28)
        stage3=chain(**_blocks(192, _STAGE3, facts), pool=_halving(3)),  # (N, 480, 14, 14)
        stage4=chain(**_blocks(480, _STAGE4, facts), pool=_halving(facts.last_pool)),  # (N, 832, 7, 7)
        stage5=chain(**_blocks(832, _STAGE5, facts)),  # (N, 1024, 7, 7)
        head=chain(
            pool=nn.AdaptiveAvgPool2d(1),
            flat=nn.Flatten(),
            drop=nn.Dropout(facts.dropout),
            fc=nn.Linear(1024, classes),
        ),
    )
    return check_shapes(net, (3, 224, 224))


def googlenet_heads(*, classes: int = 1000, form: Form = "torchvision") -> dict[str, nn.Sequential]:
    """The two auxiliary heads by the stage whose output they take, for `WithHeads`.

    In training, the loss of each counts 0.3 (section 5 of the paper).

    classes, form: those of the network.
    Raises NetworkError for another form.
    """
    facts = _facts(form)
    return {
        stage: check_shapes(_head(channels, classes, facts), (channels, 14, 14))
        for stage, (_, channels) in _HEADS.items()
    }


def torchvision_names(net: nn.Sequential) -> dict[str, str]:
    """torchvision's name of every tensor of `net`, in the form of that name, mapped to ours."""
    modules = {"conv1": "stage1", "conv2": "stage2.a", "conv3": "stage2.b", "fc": "head.fc"}
    for stage in ("stage3", "stage4", "stage5"):
        for letter, block in net.get_submodule(stage).named_children():
            if isinstance(block, Branches):
                modules |= within(f"inception{stage[-1]}{letter}", f"{stage}.{letter}", numbered(block, first=1))
    return tensor_names(net, modules)


def torchvision_head_names(heads: Mapping[str, nn.Module]) -> dict[str, str]:
    """torchvision's name of every tensor of the auxiliary heads, mapped to its name in `WithHeads`."""
    names: dict[str, str] = {}
    for stage, head in heads.items():
        ours = tensor_names(head, {"conv.conv": "conv", "conv.bn": "norm", "fc1": "fc1", "fc2": "fc"})
        names |= within(_HEADS[stage][0], WithHeads.place(stage), ours)
    return names


def _facts(form: Form) -> _Facts:
    if form not in _FORMS:
        raise NetworkError(f"There is no form {form!r} of GoogLeNet: there are {', '.join(_FORMS)}.")
    return _FORMS[form]


def _stage1(facts: _Facts) -> nn.Sequential:
    first = dict(_unit(3, 64, 7, facts, stride=2).named_children())
    response: dict[str, nn.Module] = {} if facts.norm else {"response": _response()}
    return chain(**first, pool=_halving(3), **response)


def _stage2(facts: _Facts) -> nn.Sequential:
    response: dict[str, nn.Module] = {} if facts.norm else {"response": _response()}
    return chain(a=_unit(64, 64, 1, facts), b=_unit(64, 192, 3, facts), **response, pool=_halving(3))


def _blocks(in_channels: int, blocks: Mapping[str, _Widths], facts: _Facts) -> dict[str, nn.Module]:
    made: dict[str, nn.Module] = {}
    for letter, widths in blocks.items():
        made[letter] = _block(in_channels, widths, facts)
        in_channels = widths.one + widths.three + widths.five + widths.pool
    return made


def _block(in_channels: int, widths: _Widths, facts: _Facts) -> Branches:
    """Figure 2b of the paper."""
    return Branches(
        b1=_unit(in_channels, widths.one, 1, facts),
        b3=chain(
            a=_unit(in_channels, widths.three_reduce, 1, facts),
            b=_unit(widths.three_reduce, widths.three, 3, facts),
        ),
        b5=chain(
            a=_unit(in_channels, widths.five_reduce, 1, facts),
            b=_unit(widths.five_reduce, widths.five, facts.large_kernel, facts),
        ),
        pool=chain(pool=nn.MaxPool2d(3, 1, 1), proj=_unit(in_channels, widths.pool, 1, facts)),
    )


def _unit(in_channels: int, out_channels: int, kernel: int, facts: _Facts, *, stride: int = 1) -> nn.Sequential:
    padding = kernel // 2
    if facts.norm:
        return unit(in_channels, out_channels, kernel, stride=stride, padding=padding)
    return chain(conv=conv(in_channels, out_channels, kernel, stride=stride, padding=padding, bias=True), act=nn.ReLU())


def _head(in_channels: int, classes: int, facts: _Facts) -> nn.Sequential:
    """Section 5 of the paper, from (N, in_channels, 14, 14) to logits."""
    return chain(
        pool=nn.AdaptiveAvgPool2d(4) if facts.norm else nn.AvgPool2d(5, 3),  # (N, in_channels, 4, 4)
        **dict(_unit(in_channels, 128, 1, facts).named_children()),
        flat=nn.Flatten(),  # (N, 2048)
        fc1=nn.Linear(128 * 4 * 4, 1024),
        act1=nn.ReLU(),
        drop=nn.Dropout(0.7),
        fc=nn.Linear(1024, classes),
    )


def _halving(kernel: int) -> nn.MaxPool2d:
    return nn.MaxPool2d(kernel, 2, ceil_mode=True)


def _response() -> nn.LocalResponseNorm:
    """The paper gives no numbers. These are of Caffe's bvlc_googlenet: k = 1, n = 5, alpha = 10^-4, beta = 0.75.

    Caffe divides alpha by n, as PyTorch does; the paper of AlexNet, with the same alpha and k = 2, does not.
    """
    return nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=1)
