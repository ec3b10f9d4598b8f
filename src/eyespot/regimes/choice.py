"""Which network is trained, and how much of it: what was asked for, or what the pictures suggest, with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from eyespot.augmenting.augmentation import SMALL_SIDE
from eyespot.building.named import trainable_network
from eyespot.building.own import OWN
from eyespot.data.copies import Hashed
from eyespot.data.pictures import is_small_and_gray
from eyespot.errors import OptionError
from eyespot.regimes.prepare import Prepared
from eyespot.runs.options import Regime, TrainOptions, require_used
from eyespot.words import counted
from eyespot.zoo.weights import of_network

BETTERED_PER_CLASS, FEW_PER_CLASS, MANY_PER_CLASS = 60, 1_000, 10_000
"""Pictures per class from which the head is only the beginning, and from which more than it, and everything, is trained
at once."""


@dataclass(frozen=True)
class Choice:
    """What will be trained."""

    network: str
    regime: Regime
    """Where the ladder is climbed: the one it begins with."""
    climbs: bool
    """True where several regimes may be tried and the validation pictures decide."""
    reason: str
    """Why this regime, in words."""
    gray: bool
    """Whether all pictures are small and grey."""
    is_bettered: bool = False
    """True where the ladder is climbed in a time that follows from what the frozen regime takes."""


def choose(prepared: Prepared, options: TrainOptions) -> Choice:
    """Network and regime for these pictures. Raises OptionError where options do not go together."""
    data_set = prepared.data_set
    if options.output == "sigmoid" and len(data_set.classes) != 2:
        raise OptionError(f"the option output 'sigmoid' needs two classes; {data_set.name} has {len(data_set.classes)}")
    gray = _are_small_and_gray(prepared.part("train"))
    network, by_auto = _network(options, gray=gray)
    regime, reason = _regime(prepared, options, network, by_auto=by_auto)
    is_bettered = _is_bettered(prepared, options, regime)
    climbs = is_bettered or (options.time is not None and regime != "scratch" and options.regime != "frozen")
    chosen = " (auto chose it for these pictures)" if by_auto or options.regime == "auto" else ""
    rungs: tuple[Regime, ...] = ("partial", "full") if regime == "frozen" else (regime,)
    regimes = ("frozen", *rungs) if climbs else (regime,)
    require_used(options, regimes, why=f"this run trains {network} in the regime {' or '.join(regimes)}{chosen}")
    return Choice(network, "frozen" if climbs else regime, climbs, reason, gray, is_bettered)


def weights_to_get(options: TrainOptions) -> tuple[str, str | None]:
    """The network whose published weights are to be on this computer, and which; None for the first.

    Raises OptionError where a training with these options begins with none that could be downloaded.
    """
    if options.model == "auto" or options.model.startswith(OWN):
        why = "no model is named" if options.model == "auto" else "a network of your own has the weights it has"
    elif options.regime == "scratch":
        why = "the regime scratch begins with random weights"
    else:
        network, _ = _network(options, gray=False)
        if options.weights is None or options.weights in of_network(network):
            return network, options.weights
        why = f"{options.weights} is not published for {network}"
    raise OptionError(f"the option download has nothing to fetch, for {why}: leave it out")


def _is_bettered(prepared: Prepared, options: TrainOptions, regime: Regime) -> bool:
    """Whether more is trained after the head although nobody asked for it."""
    open_to_all = options.regime == "auto" and options.time is None and options.epochs is None
    each = len(prepared.part("train")) / len(prepared.data_set.classes)
    return regime == "frozen" and open_to_all and each >= BETTERED_PER_CLASS and find_spec("torch") is not None


def _network(options: TrainOptions, *, gray: bool) -> tuple[str, bool]:
    """The network's name in the catalogue, and whether it was chosen here."""
    if options.model.startswith(OWN):
        if options.own is None:
            raise OptionError(
                f"{options.model} is a network that a program handed in: hand it in again, as model, or name its file "
                "again, as --model my_net.py:build --allow-code"
            )
        return options.model, False
    if options.model != "auto":
        return trainable_network(options.model), False
    pretrained = options.regime in ("frozen", "partial", "full") or options.freeze is not None or options.weights
    if gray and not pretrained:
        return "lenet5", True
    if options.regime == "scratch":
        raise OptionError(
            "the regime scratch needs a model for such pictures: give model resnet20 for pictures of about 32 pixels, "
            "resnet18 for photos; `eyespot networks` lists all"
        )
    return "efficientnet_lite0", True


def _regime(prepared: Prepared, options: TrainOptions, network: str, *, by_auto: bool) -> tuple[Regime, str]:
    if options.own and options.regime not in ("auto", "scratch"):
        raise OptionError(
            f"the regime {options.regime} needs published weights, and a network of your own has none: leave it out"
        )
    if options.regime != "auto":
        return options.regime, "it was asked for"
    if options.freeze is not None:
        return "partial", "a stage to freeze was given"
    if not of_network(network) and options.weights is None:
        small = "the pictures are small and gray: a small network learns them from scratch"
        own = "a network of your own trains from the weights that it has"
        return "scratch", own if options.own else small if by_auto else f"{network} has no published weights"
    if options.time is not None:
        return "frozen", f"the best on the validation pictures within {options.time:.0f} s"
    train = prepared.part("train")
    each = len(train) / len(prepared.data_set.classes)
    said = f"{counted(round(each), 'picture')} per class to train on"
    if each < BETTERED_PER_CLASS:
        return "frozen", f"{said}, fewer than {BETTERED_PER_CLASS}: too few to train more than the head by default"
    if each < FEW_PER_CLASS:
        return "frozen", f"{said}: the head first, then more where the validation pictures show that it is better"
    if each < MANY_PER_CLASS:
        return "partial", f"{said}, from {FEW_PER_CLASS} up to {MANY_PER_CLASS}: enough for the last stages"
    return "full", f"{said}, {MANY_PER_CLASS} and more: enough for every layer"


def _are_small_and_gray(pictures: Sequence[Hashed]) -> bool:
    """True where every picture that can be read is grey and small."""
    found = False
    for each in pictures:
        try:
            verdict = is_small_and_gray(each.picture.read(), most_side=SMALL_SIDE)
        except OSError:
            continue  # it is set aside when it is to be decoded
        if verdict is False:
            return False
        found = found or verdict is True
    return found
