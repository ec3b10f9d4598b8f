"""The partial regime: what lies below the cut stays frozen and runs once; what lies above trains on what it gave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from eyespot.data.audit import Hashed
from eyespot.data.store import Store
from eyespot.engine.compiled import compiled_folder
from eyespot.errors import NetworkError, OptionError
from eyespot.evaluate.calibration import fit_temperature
from eyespot.features.embed import Embedded
from eyespot.features.trunk import Trunk
from eyespot.recipes.backbone import pretrained
from eyespot.recipes.options import TrainOptions
from eyespot.recipes.progress import Progress
from eyespot.recipes.regime import Fitted, despite_ctrl_c
from eyespot.recipes.trained import answers_on_val, as_trunk, epoch_row
from eyespot.records import View
from eyespot.training.head import Head
from eyespot.words import counted

if TYPE_CHECKING:
    from torch import nn

    from eyespot.training.examples import ViewExamples
    from eyespot.training.loop import Training

CUT = "stage5"
"""Of EfficientNet-Lite0's seven stages: the two behind it are a third of its work and most of its weights."""
EPOCHS = 4
"""Enough on ten kinds of clothing: 3.5 and 4 points better than frozen on validation and test, with one seed."""
LR = 1e-3
WEIGHT_DECAY = 0.05
SMOOTHING = 0.1
MIXUP_ALPHA = 0.2
AVERAGE = 0.99
WARMUP = 0.1


def fit_partial(
    frozen: Fitted, options: TrainOptions, *, store: Store | None, cache_folder: Path, progress: Progress
) -> Fitted:
    """The backbone with its tail trained, beginning from the published weights and the frozen regime's head.

    frozen: fitted on the train part alone. Ctrl-C before the first epoch is over gives it back.
    Raises OptionError for a cut that is not there.
    """
    net = _with_head(pretrained(cache_folder), frozen.head)
    trunk, tail, cut = _cut(net, options.freeze or CUT)
    views: tuple[View, ...] = ("identity", "mirror") if frozen.mirror else ("identity",)
    try:
        training, seen, stopped = _trained(frozen, trunk, tail, options, views, store, cache_folder, progress)
    except KeyboardInterrupt:
        return replace(frozen, notes=[*frozen.notes, "stopped by you before the tail was trained: all is frozen"])
    notes = [*frozen.notes, *seen.notes, *training.notes]
    if stopped:
        notes.append(
            f"training was stopped by you after {training.step} of {training.steps} steps; "
            "the weights it had then are kept"
        )
    frozen = replace(
        frozen,
        prepared=frozen.prepared.without(seen.set_aside),
        views_computed=frozen.views_computed + seen.computed,
        notes=notes,
    )
    return _fitted(frozen, training, trunk, cut, len(seen.pictures), views, cache_folder)


def _fitted(
    frozen: Fitted,
    training: Training,
    trunk: nn.Sequential,
    cut: str,
    trained_on: int,
    views: Sequence[View],
    cache_folder: Path,
) -> Fitted:
    from eyespot import blocks

    def converted() -> tuple[Trunk, Head]:
        return as_trunk(
            blocks.join(trunk, training.averaged),
            frozen.trunk.network,
            frozen.trunk.preprocess,
            precision=frozen.trunk.precision,
            cache_folder=cache_folder,
            output=frozen.head.output,
        )

    (made, head), _ = despite_ctrl_c(converted)
    (answers, computed), _ = despite_ctrl_c(lambda: answers_on_val(frozen.prepared, made, head))
    return replace(
        frozen,
        regime="partial",
        trunk=made,
        head=head,
        held_out=("val", "test"),
        temperature=fit_temperature(answers.middle, answers.labels) if answers else 1.0,
        temperature_from="answers to the validation pictures" if answers else "nothing: there are none",
        calibrated_on=answers,
        trained_on=trained_on,
        out_of_fold=None,
        answers_on_train=None,
        table=tuple(epoch_row(epoch) for epoch in training.epochs),
        how=(
            ("What was trained", f"everything behind {cut}, beginning from published weights and a solved head"),
            ("Frozen", f"everything up to {cut}, with all running statistics"),
            ("Epochs", f"{len(training.epochs)}, the last is kept, with weights averaged over the steps"),
            ("Views", f"{' and '.join(views)}, mixed in pairs (mixup)"),
        ),
        views_computed=frozen.views_computed + computed,
    )


def _trained(
    frozen: Fitted,
    trunk: nn.Sequential,
    tail: nn.Sequential,
    options: TrainOptions,
    views: Sequence[View],
    store: Store | None,
    cache_folder: Path,
    progress: Progress,
) -> tuple[Training, Embedded, bool]:
    """The tail after its training, what it was trained on, and whether the user stopped it."""
    prepared = frozen.prepared
    below = _below(frozen, trunk, cache_folder)
    ordered = sorted(prepared.part("train"), key=lambda each: each.content)  # so that file names decide nothing
    seen = _embedded(below, ordered, views, store, progress)
    validation = _embedded(below, prepared.part("val"), ("identity",), store, progress)
    training = _training(
        tail,
        _examples(seen, frozen, options),
        _examples(validation, frozen, options) if validation.pictures else None,
        frozen,
        options,
    )
    progress("training", 0, training.steps)
    try:
        for step in training.run():
            progress("training", step.number, step.of)
    except KeyboardInterrupt:
        if not training.epochs:
            raise
        return training, seen, True
    return training, seen, False


def _embedded(
    below: Trunk, hashed: Sequence[Hashed], views: Sequence[View], store: Store | None, progress: Progress
) -> Embedded:
    return below.embed(
        hashed,
        views=views,
        store=store,
        dtype=np.float16,  # half the room, and far finer than the noise of training
        progress=lambda done, total: progress("computing what lies below the cut", done, total),
    )


def _below(frozen: Fitted, trunk: nn.Sequential, cache_folder: Path) -> Trunk:
    """What lies below the cut, in the engine."""
    from eyespot.engine.graph import to_onnx

    return Trunk(
        to_onnx(trunk, frozen.trunk.preprocess),
        network=frozen.trunk.network,
        preprocess=frozen.trunk.preprocess,
        precision=frozen.trunk.precision,
        cache_folder=compiled_folder(cache_folder),
    )


def _examples(embedded: Embedded, frozen: Fitted, options: TrainOptions) -> ViewExamples:
    from eyespot.training.examples import ViewExamples

    return ViewExamples(
        list(embedded.features.values()),
        frozen.prepared.labels(embedded.pictures),
        [each.content for each in embedded.pictures],
        seed=options.seed,
    )


def _training(
    tail: nn.Sequential,
    seen: ViewExamples,
    validation: ViewExamples | None,
    frozen: Fitted,
    options: TrainOptions,
) -> Training:
    from eyespot.training.loop import Plan, Training
    from eyespot.training.mixing import Mixing

    given = options.model_fields_set
    plan = Plan(
        epochs=options.epochs if "epochs" in given else EPOCHS,
        batch=options.batch,
        lr=options.lr if "lr" in given else LR,
        classes=len(frozen.prepared.data_set.classes),
        output=frozen.head.output,
        weight_decay=WEIGHT_DECAY,
        warmup=WARMUP,
        smoothing=SMOOTHING,
        mixing=Mixing(mixup_probability=1, mixup_alpha=MIXUP_ALPHA),
        average=AVERAGE,
    )
    # In evaluation: the tail's own statistics made clothing one point worse than ImageNet's, with one seed.
    return Training(tail.eval(), seen, validation, plan, seed=options.seed)


def _with_head(net: nn.Sequential, head: Head) -> nn.Sequential:
    """The network with the layers of a solved head in place of its last."""
    import torch
    from torch import nn

    from eyespot.blocks import chain

    layers: dict[str, nn.Module] = {}
    for number, (weight, bias) in enumerate(head.layers, start=1):
        layer = nn.Linear(weight.shape[1], weight.shape[0])
        layer.weight.data, layer.bias.data = (torch.tensor(array, dtype=torch.float32) for array in (weight, bias))
        layers |= {f"fc{number}": layer, f"act{number}": nn.ReLU()}
    layers.popitem()  # nothing comes behind the last
    stages = dict(net.named_children())
    stages["head"] = chain(**dict(list(stages["head"].named_children())[:-1]), **layers)
    return chain(**stages)


def _cut(net: nn.Sequential, freeze: str) -> tuple[nn.Sequential, nn.Sequential, str]:
    """The trunk, the tail, and the stage between them.

    freeze: the last frozen stage by name, or how many are frozen, the stem being the first.
    """
    from eyespot import blocks

    stages = [name for name, _ in net.named_children()]
    if freeze.isdecimal():
        if not 1 <= int(freeze) < len(stages):
            raise OptionError(
                f"the option freeze cannot be {freeze}: the network has {counted(len(stages), 'stage')}, of which 1 "
                f"to {len(stages) - 1} can be frozen ({', '.join(stages)})"
            )
        freeze = stages[int(freeze) - 1]
    try:
        return *blocks.split(net, after=freeze), freeze
    except NetworkError as error:
        raise OptionError(f"the option freeze cannot be {freeze!r}: {error}") from None
