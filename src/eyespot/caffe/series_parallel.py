"""From a graph of layers to a chain of named stages: what runs one after the other, and what runs side by side.

A chain holds what is series-parallel: where several ways meet, in a sum or a concatenation, they all begin at one
point, the last through which every way to the meeting leads (its immediate dominator), and share nothing in between.
Then the meeting is one stage, with a chain for each way, and the chain goes on from that point.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torch import nn

from eyespot.blocks import Branches, Residual, chain
from eyespot.caffe.graph import Graph, Node, dominators
from eyespot.caffe.modules import JOINS
from eyespot.caffe_blocks import Elementwise, Operation
from eyespot.names import brief

DEEPEST = 50
"""Meetings inside the ways to another meeting: published networks have one or two."""
_OPERATIONS: dict[int, Operation] = {0: "product", 1: "sum", 2: "maximum"}
_TAKEN = {*dir(nn.Sequential()), "self", "operation", "coefficients"}
"""What a module or its constructor has under these names is no stage."""


def as_chain(graph: Graph, modules: dict[Node, nn.Module]) -> nn.Sequential:
    """The graph as a chain whose stages are named after the layers; a branch has the name of the layer at its end.

    modules: of each layer that takes one blob.
    Raises NetworkError where the graph is not series-parallel.
    """
    return _Decomposition(graph, modules).between(graph.image, graph.answer)


class _Decomposition:
    def __init__(self, graph: Graph, modules: dict[Node, nn.Module]) -> None:
        self.modules = modules
        self.forks = dominators(graph.nodes)
        self.placed: set[Node] = set()

    def between(self, start: Node, end: Node, meetings: tuple[Node, ...] = ()) -> nn.Sequential:
        """The chain from the output of one node to that of another; `start` lies on every way to `end`.

        meetings: those around it, the outermost first.
        """
        steps: list[tuple[Node, nn.Module]] = []
        node = end
        while node is not start:
            self._place(node, meetings)
            if node.layer.type in JOINS:
                steps.append((node, self._meeting(node, (*meetings, node))))
                node = self.forks[node]
            else:
                steps.append((node, self.modules[node]))
                node = node.takes[0]
        steps.reverse()
        names = apart(node.layer.name for node, _ in steps)
        return chain(**dict(zip(names, (module for _, module in steps), strict=True)))

    def _place(self, node: Node, meetings: Sequence[Node]) -> None:
        """Raises NetworkError for a node that stands in the chain already: then two ways share it."""
        if node in self.placed:
            where = meetings[-1].layer
            raise node.layer.error(
                f"lies on several ways to {brief(repr(where.name))} (line {where.line}) and is not where they part: "
                "a chain of stages, sums and concatenations cannot hold that."
            )
        self.placed.add(node)

    def _meeting(self, node: Node, meetings: tuple[Node, ...]) -> nn.Module:
        if len(meetings) > DEEPEST:
            raise node.layer.error(
                f"lies inside {DEEPEST} other sums and concatenations: that is too deep for a chain."
            )
        branches = [self.between(self.forks[node], each, meetings) for each in node.takes]
        if node.layer.type == "Concat":
            return Branches(**_branches(node, branches))
        return _eltwise(node, branches)


def _eltwise(node: Node, branches: list[nn.Sequential]) -> nn.Module:
    """A `Residual` where it is a sum of two of which one counts once, else `Elementwise`."""
    settings = node.layer.settings.eltwise_param
    factors = list(settings.coeff)
    if factors and (settings.operation != 1 or len(factors) != len(branches)):
        raise node.layer.error(f"has {len(factors)} coeff: expected one for each of {len(branches)} blobs of a sum.")
    if settings.operation == 1 and len(branches) == 2 and 1 in (factors or [1]):
        first, second = zip(branches, factors or [1, 1], strict=True)
        shortcut, body = sorted((first, second), key=lambda each: (each[1] != 1, len(each[0])))
        return Residual(_body(body[0]), shortcut[0] if len(shortcut[0]) else None, scale=body[1])
    factors = [] if set(factors) <= {1} else factors
    return Elementwise(_OPERATIONS[settings.operation], factors, **_branches(node, branches))


def _branches(node: Node, branches: list[nn.Sequential]) -> dict[str, nn.Module]:
    return dict(zip(apart(node.layer.bottoms), map(_body, branches), strict=True))


def _body(branch: nn.Sequential) -> nn.Module:
    return branch if len(branch) else nn.Identity()


def apart(names: Iterable[str]) -> list[str]:
    """The names as modules can have them: letters and digits of ASCII joined by `_`, each another."""
    found: dict[str, None] = {}
    for name in names:
        plain = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name) or "_"
        while plain in found or plain in _TAKEN:
            plain += "_"
        found[plain] = None
    return list(found)
