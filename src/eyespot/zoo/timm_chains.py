"""A network of timm as a chain of named stages: `stem`, `stage1` to `stageN` and `head`, of timm's own layers.

PyTorch's tracer writes down in which order a network calls its parts. Wherever a single tensor is handed on, the chain
can be cut; what lies between two such places is a step: one of timm's parts, or, where several run side by side, as in
HRNet, all of them together. Steps become stages where timm's own record, `feature_info`, says that one ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import getitem
from typing import Any

from torch import fx, nn

from eyespot.blocks import chain
from eyespot.errors import NetworkError

_FAMILIES = (
    *("resnet", "resnext", "convnext", "convnextv2", "efficientnet", "mobilenetv3", "mobilenetv4_conv", "regnet"),
    *("densenet", "vgg", "repvgg", "dla", "hrnet"),
)
"""Whose names begin so; those that the tests hold against timm's own."""
_OTHER_KINDS = re.compile("Attention|Transformer|Mixer|PatchEmbed")
"""What the parts of networks are called that are no convolutional ones."""
_HEADS = ("ClassifierHead", "NormMlpClassifierHead")
"""timm's parts with pooling and classifier inside, which are looked into."""
_NOTHING = (nn.Identity, nn.Dropout)
"""Steps that change nothing: timm's dropout is 0 unless it is asked for, and eyespot has its own."""


def as_chain(model: Any, name: str) -> nn.Sequential:
    """The network's own parts, which it shares, as a chain; its last layer is `head.fc`.

    model: of timm. name: what timm calls it.
    Raises NetworkError for one that is no convolutional network, or that no chain can hold.
    """
    _require_convolutions(model, name)
    classifier = model.get_classifier()
    if not isinstance(classifier, nn.Linear | nn.Conv2d):
        kinds = " and ".join(type(each).__name__ for each in _several(classifier))
        raise _refused(name, f"it ends in {kinds}, where one fully connected layer was expected")
    steps = [step for step in _steps(model, name) if not isinstance(step.module, _NOTHING)]
    at = next((number for number, step in enumerate(steps) if step.module is classifier), None)
    if at is None or any(_has_weights(step) for step in steps[at + 1 :]):
        raise _refused(name, "its classifier is not its last step")
    for part in model.modules():
        if getattr(part, "inplace", False):  # a tap must find what a stage gave, and not what became of it
            part.inplace = False
    stages, rest = _stages(model, steps[:at])
    if not stages:
        raise _refused(name, "there is no place between two of its stages at which a single tensor is handed on")
    return chain(**{stage: _chain(part) for stage, part in stages.items()}, head=_head(rest, classifier))


@dataclass(frozen=True)
class _Step:
    """What happens between two places at which a single tensor is handed on."""

    path: str
    """In timm's network; of several parts, that of the last."""
    module: nn.Module


class _Tracer(fx.Tracer):
    """Looks into the network itself, into plain sequences and into timm's heads; all else is one part."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return not (type(m) is nn.Sequential or type(m).__name__ in _HEADS)


def _steps(model: nn.Module, name: str) -> list[_Step]:
    try:
        graph = _Tracer().trace(model)
    except Exception as error:  # whatever its code raises where a shape has no numbers yet
        raise _refused(name, "what it does depends on the image") from error
    nodes = [node for node in graph.nodes if node.op not in ("get_attr", "output")]
    place = {node: number for number, node in enumerate(nodes)}
    last_use = [max((place.get(user, len(nodes)) for user in node.users), default=0) for node in nodes]
    is_tensor = [all(user.target is not getitem for user in node.users) for node in nodes]
    single = [at for at in range(len(nodes)) if is_tensor[at] and max(last_use[:at], default=0) <= at]
    return [_step(model, nodes[start : end + 1]) for start, end in pairwise(single)]


def _step(model: nn.Module, nodes: Sequence[fx.Node]) -> _Step:
    """nodes: the one whose tensor is taken, and those that run on it."""
    given, *run = nodes
    if len(run) == 1 and run[0].op == "call_module" and run[0].args == (given,) and not run[0].kwargs:
        return _Step(str(run[0].target), model.get_submodule(str(run[0].target)))
    graph = fx.Graph()
    made = {given: graph.placeholder("x")}

    def copied(node: fx.Node) -> fx.Node:
        if node not in made:  # one of the network's own tensors, too
            made[node] = graph.node_copy(node, copied)
        return made[node]

    graph.output(copied(run[-1]))
    called = [str(node.target) for node in run if node.op == "call_module"]
    return _Step(called[-1] if called else run[-1].name, fx.GraphModule(model, graph))


def _stages(model: Any, steps: Sequence[_Step]) -> tuple[dict[str, list[_Step]], list[_Step]]:
    """The steps of each stage, and those that are left for the head."""
    of_stage: dict[str, list[int]] = {}
    paths = _stage_paths(model)
    for number, step in enumerate(steps):
        side_by_side = [step.path] if isinstance(step.module, fx.GraphModule) and _convolves([step]) else []
        for path in [each for each in paths if f"{step.path}.".startswith(f"{each}.")][:1] or side_by_side:
            of_stage.setdefault(path, []).append(number)
    if not of_stage:
        return {}, []
    path, first = next(iter(of_stage.items()))
    has_stem = first[0] > 0 or path == "stem"
    begins = [first[0]] if path != "stem" and _convolves([steps[number] for number in first]) else []
    *inner, last = sorted({*begins, *(numbers[-1] + 1 for numbers in of_stage.values())} - {0})
    ends = sorted({*(_with_followers(steps, end) for end in inner), last})
    names = [*["stem"][: int(has_stem)], *(f"stage{number}" for number in range(1, len(ends) + 1))]
    parts = [list(steps[start:end]) for start, end in pairwise([0, *ends])]
    return dict(zip(names, parts, strict=False)), list(steps[ends[-1] :])


def _stage_paths(model: Any) -> list[str]:
    """Where timm's stages end, by its record; beside one part of a numbered sequence, all of them are stages."""
    info = model.feature_info
    paths: dict[str, None] = {}
    for record in getattr(info, "info", info):
        path = str(record["module"])
        parent, _, number = path.rpartition(".")
        try:
            numbered = number.isdecimal() and any(True for _ in model.get_submodule(path).children())
        except AttributeError:  # a name that is no part, as HRNet's
            numbered = False
        siblings = [f"{parent}.{each}" for each, _ in model.get_submodule(parent).named_children()] if numbered else []
        paths |= dict.fromkeys([*siblings, path])
    return list(paths)


def _with_followers(steps: Sequence[_Step], end: int) -> int:
    """How many steps a stage and those before it have, with the pooling and activations that follow."""
    while not _has_weights(steps[end]):
        end += 1
    return end


def _chain(steps: Sequence[_Step]) -> nn.Module:
    """One step as it is, several as a chain."""
    return steps[0].module if len(steps) == 1 else chain(**_named(steps))


def _head(steps: Sequence[_Step], classifier: nn.Linear | nn.Conv2d) -> nn.Sequential:
    """A 1x1 convolution of one pixel becomes the fully connected layer that it is."""
    if isinstance(classifier, nn.Linear):
        return chain(**_named(steps), fc=classifier)
    linear = nn.Linear(classifier.in_channels, classifier.out_channels, bias=classifier.bias is not None)
    linear.weight = nn.Parameter(classifier.weight.flatten(1))  # (out_channels, in_channels)
    linear.bias = classifier.bias  # type: ignore[assignment] # None, where it has none
    return chain(**_named(steps), flat=nn.Flatten(), fc=linear)


def _named(steps: Sequence[_Step]) -> dict[str, nn.Module]:
    """Each step by the last word of its path; parts of several sequences by all of it."""
    parents = {step.path.rpartition(".")[0] for step in steps}
    words = [step.path.rpartition(".")[2] for step in steps]
    whole = len(set(words)) < len(words) or (len(parents) > 1 and any(map(str.isdecimal, words)))
    names = [step.path.replace(".", "_") for step in steps] if whole else words
    return {name: step.module for name, step in zip(names, steps, strict=True)}


def _convolves(steps: Iterable[_Step]) -> bool:
    return any(isinstance(part, nn.Conv2d) for step in steps for part in step.module.modules())


def _has_weights(step: _Step) -> bool:
    return any(True for _ in step.module.parameters())


def _require_convolutions(model: nn.Module, name: str) -> None:
    kinds = {type(part).__name__ for part in model.modules()}
    others = sorted(kind for kind in kinds if _OTHER_KINDS.search(kind))
    if others:
        raise _refused(name, f"it is no convolutional network: it has {others[0]}")


def _refused(name: str, why: str) -> NetworkError:
    families = ", ".join(_FAMILIES)
    return NetworkError(
        f"timm's {name!r} cannot be a chain of stages, because {why}: choose a convolutional network, such as one "
        f"whose name begins with {families}."
    )


def _several(found: object) -> tuple[object, ...]:
    return found if isinstance(found, tuple) else (found,)
