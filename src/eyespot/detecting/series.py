"""Which pictures with boxes belong together: what is kept on one side of the split, and what is said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from eyespot.data.boxes.records import BoxedPicture
from eyespot.data.boxes.splitting import series_of
from eyespot.data.groups import Links
from eyespot.detecting.prepare import PreparedBoxes, require_trainable
from eyespot.detecting.shape import LONG_SIDE, image_shape
from eyespot.detecting.written import Written
from eyespot.evaluate.box_records import Estimate
from eyespot.evaluate.trust import SeriesFound
from eyespot.features.links import Found
from eyespot.features.trunk import Trunk
from eyespot.regimes.series import OFF, SMALLEST_SIDE, default_signer, look_for_series
from eyespot.runs.job import Job


def with_series(prepared: PreparedBoxes, job: Job) -> PreparedBoxes:
    """The data set split so that no series, and no group that a file names, is torn apart.

    Versions of one picture, which their names tell, are never torn apart, whatever `--group` says.
    Raises DataError where too few pictures can be decoded.
    """
    found = Found(Links.none())
    if job.options.group != OFF:
        pictures = [each.hashed for each in prepared.found.pictures]
        found = look_for_series(pictures, prepared.named, _signer(prepared, job), job)
    series = series_of(prepared.found, found.links)
    prepared = prepared.with_series(series, seed=job.options.seed).without(found.set_aside)
    require_trainable(prepared.part("train"), prepared.name)
    return replace(prepared, notes=[*prepared.notes, *found.notes])


def series_found(prepared: PreparedBoxes, written: Written) -> SeriesFound:
    """What is written down of the series, and what they do to the test figure."""
    series = prepared.series.only({each.content for part in prepared.parts.values() for each in part})
    trained = series.names(each.content for each in prepared.part("train"))

    def shared(pictures: Sequence[BoxedPicture]) -> list[bool]:
        return [series.of.get(each.content) in trained for each in pictures]

    return SeriesFound(
        series=len(series),
        pictures=len(series.of),
        named=sum(content in prepared.named for content in series.of),
        largest=series.largest,
        cut=series.cut,
        shared=sum(shared(prepared.part("test"))),
        shared_val=sum(shared(prepared.part("val"))),
        apart=_apart(prepared, written, shared(written.judged["test"].pictures)) if "test" in written.judged else None,
    )


def _signer(prepared: PreparedBoxes, job: Job) -> Trunk | None:
    """Gives the pictures' signatures; None where the detector's images are too small for any."""
    sides = image_shape(prepared.part("train"), job.options.imgsz or LONG_SIDE)
    return default_signer(job, levels=prepared.levels) if min(sides) >= SMALLEST_SIDE else None


def _apart(prepared: PreparedBoxes, written: Written, shared: Sequence[bool]) -> Estimate | None:
    """mAP50 on the test pictures that are in no series with a training picture; None where all are, or none.

    shared: of each test picture that was answered, whether it is in one.
    """
    if all(shared) or not any(shared):
        return None
    manifest = written.manifest
    apart = written.judged["test"].only([number for number, is_shared in enumerate(shared) if not is_shared])
    scores = apart.scores(
        manifest.classes, threshold=manifest.threshold, most=manifest.most, series=prepared.group(apart.pictures)
    )
    return scores.map50 if scores else None
