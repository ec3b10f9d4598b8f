"""How each regime trains unless a person says otherwise: the numbers, each with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from eyespot.data.copies import is_unbalanced
from eyespot.runs.options import TrainOptions

if TYPE_CHECKING:
    from eyespot.training.plan import Plan

OPTIMIZERS = {"sgd": "SGD with Nesterov's momentum", "adam": "Adam", "adamw": "AdamW", "muon": "Muon"}


@dataclass(frozen=True)
class Defaults:
    """What `TrainOptions` leaves open, for one regime. The fields are the options of the same names."""

    epochs: float
    batch: int
    lr: float
    optimizer: str = "adamw"
    schedule: str = "one-cycle"
    warmup: float = 0.1
    weight_decay: float = 0.05
    stage_factor: float = 1.0
    smoothing: float = 0.1
    mixup: float = 0.0
    cutmix: float = 0.0
    average: float = 0.99
    patience: int | None = None

    def of(self, options: TrainOptions) -> dict[str, Any]:
        """Each option's value: the given one, else the regime's own."""
        own = vars(self)
        given = {name: getattr(options, name) for name in own}
        return {name: own[name] if value is None else value for name, value in given.items()}


SEEN = 5_000
"""Pictures that fine-tuning sees in all its epochs, at least. In its first steps a network loses what the solved head
had. On ten kinds of clothing, 100 pictures of each, 160 partial steps won 3 points on test pictures at the full rate,
and lost 1 at a third of it; with 30 of each, as many steps at the full rate won 2."""
FULL_RATE = 300
"""Pictures from which the full learning rate is borne: with 100 (10 of each) it lost 13 points, a third of it 1."""
MOST_FOR_FEW = {"partial": 40, "full": 20}
"""Epochs of that, at most: beyond, few pictures are learned by heart."""
PARTIAL = Defaults(epochs=4, batch=32, lr=1e-3, mixup=0.2)
"""Four passes on ten kinds of clothing: 3.5 points better than frozen on validation with one seed. More overfit: the
stored views are few, so pictures are mixed in pairs, too."""
NEW_TAIL = Defaults(epochs=20, batch=32, lr=3e-3, mixup=0.2)
"""New layers begin at random: they take more passes, at a higher rate."""
FULL = Defaults(epochs=5, batch=32, lr=5e-4, stage_factor=0.8)
"""What lies near the pictures serves all classes and learns slower; each epoch draws the pictures anew, so they need no
mixing."""
SCRATCH_FEW = Defaults(
    epochs=30,
    batch=32,
    lr=4e-3,
    optimizer="adam",
    warmup=0.3,  # longer than for fine-tuning, since all weights are random
    weight_decay=0.0,
    smoothing=0.0,
    average=0.0,
    patience=10,
)
"""Up to FEW pictures: seconds an epoch, and the validation pictures say when to stop."""
SCRATCH_MANY = Defaults(
    epochs=6, batch=128, lr=4e-3, optimizer="adam", schedule="linear", weight_decay=0.0, smoothing=0.05, average=0.0
)
"""Beyond FEW pictures, a network without BatchNorm: LeNet-5 comes to about 0.6 % wrong answers on MNIST."""
SCRATCH_NORMED = Defaults(
    epochs=20,
    batch=128,
    lr=0.05,
    optimizer="muon",
    schedule="linear",
    weight_decay=5e-4,
    smoothing=0.05,
    average=0.0,
)
"""The same, with BatchNorm, which bears a high rate. In four epochs of ResNet-20 on small photos Muon's loss came to
0.99; that of SGD was 1.52 after two, where Muon's was 1.32."""
FEW = 5_000
"""Pictures to train on."""
GROWING = ((0.5, 0.2), (0.625, 0.35), (0.75, 0.25), (0.875, 0.1))
"""Sides of the images in early epochs, as shares of their own, each with its share of the epochs; the last tenth sees
them whole. Most is learned from small images as well, at half of the work."""


def for_so_many(defaults: Defaults, count: int, *, most: int) -> Defaults:
    """Those for fine-tuning on this many pictures: fewer are seen more often, and the fewest at a lower rate.

    most: epochs, unless the defaults have more.
    """
    epochs = max(defaults.epochs, min(-(-SEEN // max(count, 1)), most))
    return replace(defaults, epochs=epochs, lr=float(f"{defaults.lr * min(1.0, count / FULL_RATE):.2g}"))


def scratch_defaults(count: int, *, has_norms: bool) -> Defaults:
    """Those for training on this many pictures from random weights."""
    if count <= FEW:
        return SCRATCH_FEW
    return SCRATCH_NORMED if has_norms else SCRATCH_MANY


def growing_sides(epochs: int, side: int) -> tuple[int, ...]:
    """The shorter side of the images in each of the early epochs, pixels.

    side: in the last epochs.
    """
    ends = np.cumsum([share for _, share in GROWING]) * epochs
    at = np.searchsorted(ends, np.arange(epochs - 1) + 0.5)  # the last epoch always sees them whole
    return tuple(round(GROWING[place][0] * side) for place in at if place < len(GROWING))


def growing_work() -> float:
    """What an epoch takes on average where images grow, in terms of one that sees them whole."""
    return 1 - sum(share * (1 - side**2) for side, share in GROWING)


def plan_for(
    options: TrainOptions,
    defaults: Defaults,
    labels: np.ndarray,
    *,
    classes: int,
    keeps_best: bool = False,
) -> Plan:
    """What the loop is to do.

    labels: class indexes of what is trained on, (N,): whether classes are to weigh the same.
    keeps_best: the best epoch's weights count, not the last one's.
    """
    from eyespot.augmenting.mixing import Mixing
    from eyespot.training.plan import Plan

    chosen = defaults.of(options)
    mixup, cutmix = chosen.pop("mixup"), chosen.pop("cutmix")
    return Plan(
        **chosen,
        classes=classes,
        output=options.output,
        keeps_best=keeps_best,
        class_weights=_class_weights(labels, classes) if options.class_weight == "auto" else None,
        mixing=Mixing(
            mixup_probability=(0.5 if cutmix else 1.0) if mixup else 0.0,
            mixup_alpha=mixup or 1.0,
            cutmix_probability=(0.5 if mixup else 1.0) if cutmix else 0.0,
            cutmix_alpha=cutmix or 1.0,
        )
        if mixup or cutmix
        else None,
    )


def in_words(plan: Plan) -> Iterator[tuple[str, str]]:
    """Lines of the report: what the steps did."""
    smoothed = f", targets smoothed by {plan.smoothing:g}" if plan.smoothing else ""
    yield (
        "Steps",
        f"{OPTIMIZERS[plan.optimizer]}, batches of {plan.batch}, {plan.schedule} learning rate up to {plan.lr:g}, "
        f"weight decay {plan.weight_decay:g}{smoothed}",
    )
    if plan.mixing is not None:
        kinds = [
            (plan.mixing.mixup_probability, f"mixup (alpha {plan.mixing.mixup_alpha:g})"),
            (plan.mixing.cutmix_probability, f"CutMix (alpha {plan.mixing.cutmix_alpha:g})"),
        ]
        yield "Mixing", " and ".join(words for share, words in kinds if share)
    if plan.class_weights is not None:
        yield "Classes", "all weigh the same, whatever their number of pictures"


def _class_weights(labels: np.ndarray, classes: int) -> tuple[float, ...] | None:
    """What an example of each class counts, 1 on average over the examples; None where classes are alike in size."""
    counts = np.bincount(labels, minlength=classes)
    if not is_unbalanced(counts[counts > 0].tolist()):
        return None
    present = int((counts > 0).sum())
    return tuple(float(len(labels) / (present * count)) if count else 0.0 for count in counts)
