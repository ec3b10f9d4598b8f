"""From scratch: LeNet-5 on small pictures. Once trained it is a frozen trunk like any other, with a head."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from eyespot import machine
from eyespot.data.audit import Hashed
from eyespot.errors import MissingExtra, OptionError, Stopped
from eyespot.evaluate.calibration import fit_temperature
from eyespot.features import images
from eyespot.recipes.options import TrainOptions
from eyespot.recipes.prepare import Prepared, notes_on_trained
from eyespot.recipes.progress import Progress
from eyespot.recipes.regime import Fitted, OutOfFold, despite_ctrl_c, stopped_note
from eyespot.recipes.trained import answers_on_val, as_trunk, epoch_row
from eyespot.records import Network, Part, PrecisionName, Preprocess
from eyespot.training.augmentation import Augmentation
from eyespot.training.fit import folds_of

if TYPE_CHECKING:
    from eyespot.training.examples import ImageExamples
    from eyespot.training.loop import Examples, Training

SIDE = 32
"""LeNet-5 takes images of 32 x 32 pixels."""
SHIFTED = Augmentation(shift_px=2, padding="edge")
"""A digit a little to the left is the same digit."""
WARMUP = 0.3
"""Share of the steps in which the learning rate rises: longer than for fine-tuning, since all weights are random."""


def preprocess_for(*, gray: bool) -> Preprocess:
    """How pictures come to LeNet-5: the shorter side 32 pixels, the centre of that, values -1 to 1."""
    channels = 1 if gray else 3
    return Preprocess(
        short_side=SIDE,
        crop_hw=(SIDE, SIDE),
        filter="bilinear",
        color="gray" if gray else "rgb",
        mean=(127.5,) * channels,
        scale=(127.5,) * channels,
    )


def fit_scratch(
    prepared: Prepared,
    options: TrainOptions,
    *,
    gray: bool,
    small_test: bool,
    precision: PrecisionName,
    cache_folder: Path,
    progress: Progress,
) -> Fitted:
    """LeNet-5, trained on the train part; the val part says when to stop."""
    _require_torch()
    preprocess = preprocess_for(gray=gray)
    parts: tuple[Part, ...] = ("train", "val", "test") if small_test and not prepared.was_split else ("train", "val")
    decoded, prepared = _decode(prepared, preprocess, parts, cache_folder)
    classes = len(prepared.data_set.classes)
    network = Network(name="lenet5", arguments={"classes": classes, "channels": preprocess.channels})
    train = _examples(decoded, prepared, prepared.part("train"), preprocess, seed=options.seed)
    validation = None
    if prepared.part("val"):
        validation = _examples(decoded, prepared, prepared.part("val"), preprocess, seed=options.seed)
    training = _training(network, train, validation, options, epochs=options.epochs)
    stopped = _run(training, options, progress)
    epochs = training.epochs
    notes = [*notes_on_trained(prepared, prepared.part("train")), *training.notes]
    if stopped:
        left_out = "; cross-validation was left out, so the figures are incomplete" if small_test else ""
        notes.append(f"training was stopped by you after epoch {len(epochs)}; the best epoch so far is kept{left_out}")
    best = max((epoch.number for epoch in epochs if epoch.best), default=None)
    if best is None:
        raise OptionError(f"training diverged: the loss was never finite; lower the learning rate (lr {options.lr:g})")
    (trunk, head), hurried = despite_ctrl_c(
        lambda: as_trunk(training.averaged, network, preprocess, precision=precision, cache_folder=cache_folder)
    )
    if hurried and small_test:
        notes.append(stopped_note("the conversion of the network"))
    out_of_fold = None
    if small_test and not (stopped or hurried):
        try:
            out_of_fold = _out_of_fold(
                decoded, prepared, parts, network, preprocess, options, epochs=best, progress=progress
            )
        except KeyboardInterrupt:
            notes.append(stopped_note("cross-validation"))
    answers, source, computed = out_of_fold, "answers to pictures by networks that had not seen them", 0
    if answers is None:
        (answers, computed), _ = despite_ctrl_c(lambda: answers_on_val(prepared, trunk, head))
        source = "answers to the validation pictures" if answers else "nothing: there are no validation pictures"
    return Fitted(
        regime="scratch",
        prepared=prepared,
        trunk=trunk,
        head=head,
        held_out=("val", "test") if prepared.was_split or not out_of_fold else (),
        small_test=small_test,
        temperature=fit_temperature(answers.middle, answers.labels) if answers else 1.0,
        temperature_from=source,
        calibrated_on=answers,
        trained_on=len(train.labels),
        mirror=False,
        l2=None,
        out_of_fold=out_of_fold,
        answers_on_train=None,
        table=tuple(epoch_row(epoch) | {"best": epoch.best} for epoch in epochs),
        how=(
            ("What was trained", "all of LeNet-5, from random weights, with Adam and a one-cycle learning rate"),
            ("Epochs", f"{len(epochs)}; {_kept(best, validation)}"),
            ("Augmentation", "moved by up to 2 pixels each way"),
        ),
        views_computed=computed,
        notes=notes,
    )


def _require_torch() -> None:
    try:
        import torch  # noqa: F401
    except ModuleNotFoundError:
        raise MissingExtra("training from scratch", extra="train") from None


def _decode(
    prepared: Prepared, preprocess: Preprocess, parts: Sequence[Part], cache_folder: Path
) -> tuple[dict[str, np.ndarray], Prepared]:
    """Every picture of these parts as an image under its content hash."""
    found = images.decoded(prepared.part(*parts), preprocess, threads=machine.cores(), folder=cache_folder)
    contents = (each.content for each in found.pictures)
    return dict(zip(contents, found.images, strict=True)), prepared.without(found.set_aside)


def _examples(
    decoded: dict[str, np.ndarray], prepared: Prepared, hashed: Sequence[Hashed], preprocess: Preprocess, *, seed: int
) -> ImageExamples:
    from eyespot.training.examples import ImageExamples

    contents = [each.content for each in hashed]
    return ImageExamples(
        np.stack([decoded[content] for content in contents]),
        prepared.labels(hashed),
        contents,
        preprocess,
        augmentation=SHIFTED,
        seed=seed,
    )


def _training(
    network: Network, train: Examples, validation: Examples | None, options: TrainOptions, *, epochs: int
) -> Training:
    import torch

    from eyespot import zoo
    from eyespot.training.loop import Plan, Training

    with torch.random.fork_rng():
        torch.manual_seed(options.seed)
        net = zoo.create(network.name, **network.arguments)
    plan = Plan(
        epochs=epochs,
        batch=options.batch,
        lr=options.lr,
        classes=int(network.arguments["classes"]),
        optimiser="adam",
        warmup=WARMUP,
        patience=options.patience,
    )
    return Training(net.train(), train, validation, plan, seed=options.seed)


def _run(training: Training, options: TrainOptions, progress: Progress) -> bool:
    """Trains to the end, and whether the user stopped it before."""
    from eyespot.training.loop import one_thread

    progress("training", 0, options.epochs)
    try:
        with one_thread():
            for step in training.run():
                if step.epoch:
                    progress("training", step.epoch.number, options.epochs)
    except KeyboardInterrupt:
        if not training.epochs:
            raise Stopped("stopped before the first epoch ended: there is no model yet") from None
        return True
    return False


def _out_of_fold(
    decoded: dict[str, np.ndarray],
    prepared: Prepared,
    parts: Sequence[Part],
    network: Network,
    preprocess: Preprocess,
    options: TrainOptions,
    *,
    epochs: int,
    progress: Progress,
) -> OutOfFold:
    """Answers to every picture of these parts by networks that had not seen it, trained for as many epochs."""
    from eyespot.training.loop import one_thread, scores

    pictures = prepared.part(*parts)
    labels = prepared.labels(pictures)
    fold = folds_of(labels, seed=options.seed)
    logits = np.zeros((1, len(fold), len(prepared.data_set.classes)), np.float32)
    for held_out in range(fold.max() + 1):
        progress("cross-validation", held_out, int(fold.max()) + 1)
        seen, unseen = (
            _examples(decoded, prepared, [pictures[row] for row in rows], preprocess, seed=options.seed)
            for rows in (np.flatnonzero(fold != held_out), np.flatnonzero(fold == held_out))
        )
        training = _training(network, seen, None, options, epochs=epochs)
        with one_thread():
            for _ in training.run():
                pass
            logits[0, fold == held_out] = scores(training.averaged, unseen).numpy()
    return OutOfFold(pictures, labels, logits)


def _kept(best: int, validation: Examples | None) -> str:
    if validation is None:
        return "the last is kept, since no validation pictures say which is best"
    return f"number {best} had the lowest validation loss and is kept"
