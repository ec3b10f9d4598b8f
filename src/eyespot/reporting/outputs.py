"""The files of a run that people open: report, tables, split, confusion matrix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from eyespot import machine
from eyespot.building.own import OWN
from eyespot.bundle.manifest import Manifest
from eyespot.data.copies import Hashed
from eyespot.data.pictures import thumbnail
from eyespot.errors import UnreadablePicture
from eyespot.evaluate.calibration import probabilities
from eyespot.evaluate.metrics import top_mistakes
from eyespot.evaluate.trust import trust_sentences
from eyespot.files import write_whole, writing
from eyespot.places import InStudio
from eyespot.records import Part
from eyespot.regimes.fitted import Fitted
from eyespot.reporting.figures import part_png
from eyespot.reporting.measure import Measurements
from eyespot.reporting.report import Mistake, Report, write_report
from eyespot.reporting.result import TrainResult
from eyespot.runs.folder import ARGS, PREDICTIONS, REPORT, SPLIT
from eyespot.runs.tables import write_csv, write_json, write_table
from eyespot.words import counted

SHOWN_MISTAKES = 24
THUMBNAIL_SIDE = 224
PARTS: tuple[Part, ...] = ("train", "val", "test")


def write_outputs(
    folder: Path,
    result: TrainResult,
    fitted: Fitted,
    measured: Measurements,
    *,
    manifest: Manifest,
    args: Mapping[str, object],
) -> None:
    """Everything beside the bundle; the report comes last, so that a report means a finished run.

    args: what `args.json` says.
    """
    split = fitted.parts_of(measured.prepared.hashed)
    with writing(f"the model in {folder} is complete and usable, but its report"):
        write_json(folder / ARGS, args)
        parts = ((each.picture.name, each.picture.label, each.picture.part, each.content) for each in split)
        write_csv(folder / SPLIT, ("picture", "class", "part", "content_hash"), parts)
        write_table(folder / "results.csv", fitted.table)
        write_csv(
            folder / PREDICTIONS,
            ("picture", "part", "class", "answer", "probability", "right", "set_aside", "content_hash"),
            _prediction_rows(fitted, measured, {each.content: each.picture.part for each in split}),
        )
        scores = measured.scores
        shown = scores.test or scores.out_of_fold_detail or scores.validation
        if shown:
            write_whole(folder / "confusion_matrix.png", part_png(shown))
        write_json(folder / "result.json", result.model_dump(mode="json", by_alias=True))
        write_report(_report(folder, result, fitted, measured, split, manifest), folder / REPORT)


def _prediction_rows(
    fitted: Fitted, measured: Measurements, part_of: Mapping[str, Part | None]
) -> Iterator[tuple[object, ...]]:
    """Every answer of a model that had not seen the picture, with the picture's part; then what was set aside.

    What the person's list left out has the hash of its content, by which `runs.lists` knows it again.
    """
    names = measured.prepared.data_set.classes
    for asked, answers in measured.answers.items():
        chances = probabilities(answers.middle, temperature=fitted.temperature.value)
        for each, label, row in zip(answers.pictures, answers.labels, chances, strict=True):
            answer = int(row.argmax())
            part = f"{part_of[each.content]} (out of fold)" if asked == "train" else asked
            said = names[label], names[answer], f"{row[answer]:.4f}", int(answer == label)
            yield each.picture.name, part, *said, "", each.content
    content_of = {each.picture.name: each.content for each in measured.prepared.left_out}
    for left in measured.prepared.set_aside:
        yield left.picture, *[""] * 5, left.reason, content_of.get(left.picture, "")


def _report(
    folder: Path,
    result: TrainResult,
    fitted: Fitted,
    measured: Measurements,
    split: Sequence[Hashed],
    manifest: Manifest,
) -> Report:
    prepared = measured.prepared
    counts = {part: Counter(str(each.picture.label) for each in split if each.picture.part == part) for part in PARTS}
    return Report(
        title=folder.name,
        created=manifest.created,
        classes=prepared.data_set.classes,
        counts={
            part: {name: count[name] for name in prepared.data_set.classes} for part, count in counts.items() if count
        },
        scores=measured.scores,
        refusals=measured.refusals,
        how=tuple(_how(result, fitted, manifest)),
        machine=machine.describe(),
        next_commands=result.next_commands,
        mistakes=tuple(_mistakes(fitted, measured)),
        wrong=_wrong(measured),
        set_aside=tuple(prepared.set_aside),
        notes=result.notes,
        trust=tuple(
            words for _, words in trust_sentences(result.series, result.doubtful, result.more, result.list_gain)
        ),
        ladder=fitted.ladder,
        studio=None if manifest.network.name.startswith(OWN) else InStudio(result.run, manifest.name),
    )


def _how(result: TrainResult, fitted: Fitted, manifest: Manifest) -> Iterator[tuple[str, str]]:
    yield "Network", f"{manifest.network.name}, {fitted.regime}: {result.regime_reason}"
    yield from fitted.how
    size = manifest.preprocess
    yield "Images", f"{size.crop_hw[1]} x {size.crop_hw[0]} px, {size.color}, {size.filter}"
    if size.levels:
        yield "Black and white", f"{size.levels} in pictures with more than 8 bits"
    yield "Precision", _precision(manifest)
    yield "Written model", _agreement(manifest)
    yield "Temperature", f"{fitted.temperature.value:.3f}, fitted on {fitted.temperature.source}"
    yield "Trained on", counted(fitted.trained_on, "picture")
    yield "Seed", str(manifest.seed)
    yield "Model hash", f"{manifest.graph_sha256[:16]}; the same data, options and seed give the same"
    yield "Data fingerprint", manifest.data.fingerprint
    if manifest.data.exclusion:
        yield "Your list", f"{manifest.data.exclusion}; sha256 {manifest.data.exclusion.sha256[:16]}"
    yield "Time", f"{result.seconds:.1f} s; {counted(result.views_computed, 'view')} computed, the others were stored"
    yield "Versions", ", ".join(f"{name} {version}" for name, version in manifest.versions.items())


def _agreement(manifest: Manifest) -> str:
    agreement = manifest.agreement
    if agreement is None:
        return "not compared: no picture could be read any more"
    return (
        f"on {counted(agreement.n, 'picture')} its probabilities differ from the measured ones by at most "
        f"{agreement.largest_difference:.1e}"
    )


def _precision(manifest: Manifest) -> str:
    precision = manifest.precision
    if precision.n == 0:
        return precision.name
    return (
        f"{precision.name}; on {counted(precision.n, 'picture')} {precision.agreement:.1%} of the answers equal "
        f"fp32's (95 % interval {precision.low:.1%} to {precision.high:.1%}), probabilities differ by at most "
        f"{precision.largest_difference:.3f}"
    )


def _first_part(measured: Measurements) -> Part | None:
    """The part that the report's first figure is of; None where nothing was measured."""
    wanted: tuple[Part, ...] = ("train",) if measured.scores.out_of_fold else ("test", "val", "train")
    return next((part for part in wanted if part in measured.answers), None)


def _wrong(measured: Measurements) -> int:
    """How many answers of that part are wrong."""
    part = _first_part(measured)
    return int((measured.answers[part].middle.argmax(axis=1) != measured.answers[part].labels).sum()) if part else 0


def _mistakes(fitted: Fitted, measured: Measurements) -> Iterator[Mistake]:
    """The most confident wrong answers on the pictures that the report's first figure is of; train is out of fold."""
    part = _first_part(measured)
    if part is None:
        return
    names, judged = measured.prepared.data_set.classes, measured.answers[part]
    chances = probabilities(judged.middle, temperature=fitted.temperature.value)
    for row in top_mistakes(judged.labels, chances, SHOWN_MISTAKES):
        hashed, answer = judged.pictures[row], int(chances[row].argmax())
        try:
            small = thumbnail(hashed.picture.read(), THUMBNAIL_SIDE, fitted.trunk.preprocess.levels)
        except (OSError, UnreadablePicture):
            continue  # gone since it was answered, or its features were stored by a decoder that is gone
        yield Mistake(
            picture=hashed.picture.name,
            part=part,
            label=names[judged.labels[row]],
            answer=names[answer],
            probability=float(chances[row, answer]),
            thumbnail=small,
            content=hashed.content,
        )
