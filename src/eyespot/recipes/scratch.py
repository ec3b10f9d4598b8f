"""From scratch: LeNet-5 on small pictures. Once trained it is a frozen trunk like any other, with a head."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from eyespot import machine
from eyespot.data.audit import Hashed
from eyespot.engine.compiled import compiled_folder
from eyespot.errors import MissingExtra, OptionError, Stopped
from eyespot.evaluate.calibration import fit_temperature
from eyespot.features import images
from eyespot.features.trunk import Trunk
from eyespot.recipes.options import TrainOptions
from eyespot.recipes.prepare import Prepared, notes_on_trained
from eyespot.recipes.progress import Progress
from eyespot.recipes.regime import Fitted, OutOfFold, despite_ctrl_c, stopped_note
from eyespot.records import Network, Part, PrecisionName, Preprocess
from eyespot.training.fit import folds_of
from eyespot.training.head import Head

if TYPE_CHECKING:
    from torch import nn

    from eyespot.training.loop import Epoch, Images, Training

SIDE = 32
"""LeNet-5 takes images of 32 x 32 pixels."""


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
    train = _images(decoded, prepared, prepared.part("train"))
    validation = _images(decoded, prepared, prepared.part("val")) if prepared.part("val") else None
    training = _training(network, train, validation, preprocess, options, epochs=options.epochs)
    epochs, stopped = _run(training, options, progress)
    notes = notes_on_trained(prepared, prepared.part("train"))
    if stopped:
        left_out = "; cross-validation was left out, so the figures are incomplete" if small_test else ""
        notes.append(f"training was stopped by you after epoch {len(epochs)}; the best epoch so far is kept{left_out}")
    best = max((epoch.number for epoch in epochs if epoch.best), default=None)
    if best is None:
        raise OptionError(f"training diverged: the loss was never finite; lower the learning rate (lr {options.lr:g})")
    (trunk, head), hurried = despite_ctrl_c(
        lambda: _frozen(training.keep_best(), network, preprocess, precision, cache_folder)
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
        (answers, computed), _ = despite_ctrl_c(lambda: _answers_on_val(prepared, trunk, head))
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
        table=tuple(_row(epoch) for epoch in epochs),
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


def _images(decoded: dict[str, np.ndarray], prepared: Prepared, hashed: Sequence[Hashed]) -> Images:
    from eyespot.training.loop import Images

    return Images(np.stack([decoded[each.content] for each in hashed]), prepared.labels(hashed))


def _training(
    network: Network,
    train: Images,
    validation: Images | None,
    preprocess: Preprocess,
    options: TrainOptions,
    *,
    epochs: int,
) -> Training:
    import torch

    from eyespot import zoo
    from eyespot.training.loop import Training

    with torch.random.fork_rng():
        torch.manual_seed(options.seed)
        net = zoo.create(network.name, **network.arguments)
    return Training(
        net,
        train,
        validation,
        preprocess,
        epochs=epochs,
        batch=options.batch,
        lr=options.lr,
        patience=options.patience,
        seed=options.seed,
    )


def _run(training: Training, options: TrainOptions, progress: Progress) -> tuple[list[Epoch], bool]:
    """The epochs that ran, and whether the user stopped training before its end."""
    from eyespot.training.loop import one_thread

    epochs: list[Epoch] = []
    progress("training", 0, options.epochs)
    try:
        with one_thread():
            for epoch in training.epochs():
                epochs.append(epoch)
                progress("training", epoch.number, options.epochs)
    except KeyboardInterrupt:
        if not epochs:
            raise Stopped("stopped before the first epoch ended: there is no model yet") from None
        return epochs, True
    return epochs, False


def _frozen(
    net: nn.Sequential, network: Network, preprocess: Preprocess, precision: PrecisionName, cache_folder: Path
) -> tuple[Trunk, Head]:
    """The trained network as a frozen trunk and its last layer as a head."""
    from eyespot import blocks
    from eyespot.engine.graph import to_onnx

    body, tail = blocks.split(net, after="head.act2")
    weight, bias = (parameter.detach().numpy().copy() for parameter in tail.parameters())
    trunk = Trunk(
        to_onnx(body, preprocess),
        network=network,
        preprocess=preprocess,
        precision=precision,
        cache_folder=compiled_folder(cache_folder),
    )
    return trunk, Head(((weight, bias),), "softmax")


def _answers_on_val(prepared: Prepared, trunk: Trunk, head: Head) -> tuple[OutOfFold | None, int]:
    """The network's answers to the validation pictures, and how many views were computed for them."""
    embedded = trunk.embed(prepared.part("val"), views=("identity",), store=None)
    if not embedded.pictures:
        return None, 0
    logits = head.logits(embedded.features["identity"])
    return OutOfFold(embedded.pictures, prepared.labels(embedded.pictures), logits[None]), embedded.computed


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
    from eyespot.training.loop import one_thread

    pictures = prepared.part(*parts)
    everything = _images(decoded, prepared, pictures)
    fold = folds_of(everything.labels, seed=options.seed)
    logits = np.zeros((1, len(fold), len(prepared.data_set.classes)), np.float32)
    for held_out in range(fold.max() + 1):
        progress("cross-validation", held_out, int(fold.max()) + 1)
        seen = type(everything)(everything.images[fold != held_out], everything.labels[fold != held_out])
        training = _training(network, seen, None, preprocess, options, epochs=epochs)
        with one_thread():
            for _ in training.epochs():
                pass
        training.keep_best()
        logits[0, fold == held_out] = training.logits(everything.images[fold == held_out]).numpy()
    return OutOfFold(pictures, everything.labels, logits)


def _kept(best: int, validation: Images | None) -> str:
    if validation is None:
        return "the last is kept, since no validation pictures say which is best"
    return f"number {best} had the lowest validation loss and is kept"


def _row(epoch: Epoch) -> dict[str, float | int | bool]:
    row: dict[str, float | int | bool] = {"epoch": epoch.number, "train_loss": epoch.train_loss}
    if epoch.validation_loss is not None and epoch.validation_accuracy is not None:
        row |= {"validation_loss": epoch.validation_loss, "validation_accuracy": epoch.validation_accuracy}
    return row | {"best": epoch.best}
