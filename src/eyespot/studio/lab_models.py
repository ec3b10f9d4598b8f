"""Which networks a lab can look into in the studio: its own choice, the open one, those with weights here."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from eyespot import zoo
from eyespot.building.backbone import DEFAULT
from eyespot.errors import RequestError
from eyespot.studio.lab_data import OWN
from eyespot.studio.subject import Subject
from eyespot.zoo.weights import of_network
from eyespot.zoo.weights_places import find

if TYPE_CHECKING:
    from torch import nn

NOT_OFFERED = "a lab cannot look into this network: take one that is offered"


def models_for(subject: Subject) -> dict[str, str]:
    """The name of each, by what a page calls it: a network of the catalogue by its name, the open one `own`."""
    is_known = subject.bundle is None and subject.name in _of_catalogue()
    own = {OWN: subject.name} if not is_known and _narrows(subject.net) else {}
    return {DEFAULT.network: DEFAULT.network, **own, **{name: name for name in _of_catalogue()}}


def model_of(chosen: str | None, subject: Subject) -> str | None:
    """What was chosen, as `eyespot lab --model` takes it; None for its own choice.

    Raises RequestError for what a lab cannot look into.
    """
    if chosen is None:
        return None
    if chosen not in models_for(subject):
        raise RequestError(404, NOT_OFFERED)
    if chosen != OWN:
        return chosen
    return subject.name if subject.bundle is None else str(subject.bundle.folder)


@cache
def _of_catalogue() -> tuple[str, ...]:
    """Those whose weights are on this computer."""
    import torch

    def found() -> Iterator[str]:
        for name in zoo.names():
            if any(find(weights) for weights in [*of_network(name).values()][:1]):
                with torch.device("meta"):
                    net = zoo.create(name)
                if _narrows(net):
                    yield name

    return tuple(found())


def _narrows(net: nn.Module) -> bool:
    from eyespot.labs.inside import narrowing

    return bool(narrowing(net))
