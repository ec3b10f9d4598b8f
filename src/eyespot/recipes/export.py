"""`export`: a model as a file that other programs run, with the proof that it answers there as it did here."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import cast

from eyespot.bundle.exported import Exported, ExportedMultilabel, WholeClassifier, read_exported
from eyespot.bundle.files import AnyBundle, Bundle, DetectorBundle, Naming, read_any_bundle, what_holds
from eyespot.bundle.run import NO_ANSWER, ClassAnswer, answers_in
from eyespot.engine.run import available_precisions, engine_version
from eyespot.errors import DataError, OptionError
from eyespot.exporting.agreement import (
    Answering,
    ExportCheck,
    OnnxRuntime,
    Tagged,
    agreement,
    answers_of_bundle,
    require_agreement,
)
from eyespot.exporting.box_agreement import BoxCheck
from eyespot.exporting.detector import prove_boxes
from eyespot.exporting.files import Format, onnx_file, openvino_files
from eyespot.exporting.quantize import Int8Check, in_int8
from eyespot.exporting.targets import format_of, targets_of
from eyespot.files import write_chosen
from eyespot.names import printable
from eyespot.progress import Progress, silent
from eyespot.records import Part, PrecisionName, Record
from eyespot.runs.folder import ARGS
from eyespot.runs.pictures import RunPictures, boxed_pictures_of_run, pictures_of_run
from eyespot.words import counted


class ExportResult(Record):
    """The exported files, and the proof that they answer as the run does."""

    files: tuple[str, ...]
    bytes: int
    part: str
    """The run's pictures that were compared: val, where it has some."""
    checks: tuple[ExportCheck | BoxCheck, ...]
    """In fp32, a detector's of boxes; where int8 is kept, of the model that it was made from."""
    bf16: ExportCheck | None
    """None if this machine has no such arithmetic, and for a detector, whose places need fp32."""
    int8: Int8Check | None
    """None if it was not asked for."""
    notes: tuple[str, ...]
    seconds: float

    @property
    def is_detector(self) -> bool:
        return any(isinstance(check, BoxCheck) for check in self.checks)


def export(
    run: str | Path,
    *,
    format: str = "onnx",
    int8: bool = False,
    out: str | Path | None = None,
    data: str | Path | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> ExportResult:
    """The model of `run` as a file that takes a decoded picture of any size, and how its answers compare.

    run: a run folder, or a bundle.
    format: "onnx", one file, or "openvino", two.
    int8: try 8-bit numbers; kept where they are as good and faster on this machine. Only for OpenVINO's files.
    out: the folder to write to; `export` in the run's folder by default.
    data: where the pictures are that the run was made on, if not where its `args.json` says.
    overwrite: replace an earlier export.
    Raises BundleError if the exported model answers otherwise than the run in OpenVINO or ONNX Runtime; nothing is
    written then.
    """
    started = time.perf_counter()
    bundle = read_any_bundle(run)
    chosen = format_of(format, int8=int8)
    if int8:
        _require_one_class(bundle)
    if isinstance(bundle, DetectorBundle):
        return _export_detector(run, bundle, chosen, out=out, data=data, overwrite=overwrite, progress=progress)
    with targets_of(run, bundle, chosen, out, overwrite=overwrite) as targets:
        pictures = _pictures(run, bundle, data, "val", "test", "train")
        graph = onnx_file(bundle)
        reference = OnnxRuntime(graph)
        contents = (graph,) if chosen == "onnx" else openvino_files(bundle)
        compared = _Compared(bundle, pictures, targets, _answers(run, bundle, pictures, progress), progress)
        proven = compared.proven(contents, reference)
        if int8:
            proven = compared.in_int8(proven, trained_on=_pictures(run, bundle, data, "train"))
        for target, content in zip(targets, proven.contents, strict=True):
            write_chosen(target, content)
    return compared.result(proven, seconds=time.perf_counter() - started)


def _require_one_class(bundle: AnyBundle) -> None:
    """Raises OptionError for a model that int8 is not for."""
    if not isinstance(bundle, Bundle):
        raise OptionError(
            f"the option int8 is for models that name one class, and {bundle.folder} holds {what_holds(bundle)}: leave "
            "it out"
        )


def _export_detector(
    run: str | Path,
    bundle: DetectorBundle,
    format: Format,
    *,
    out: str | Path | None,
    data: str | Path | None,
    overwrite: bool,
    progress: Progress,
) -> ExportResult:
    """The same of a model that finds boxes."""
    started = time.perf_counter()
    with targets_of(run, bundle, format, out, overwrite=overwrite) as targets:
        with _saying_where(data):
            parts = boxed_pictures_of_run(_run_around(run, bundle), bundle.manifest, data=data)
        proven = prove_boxes(bundle, parts, format=format, names=[target.name for target in targets], progress=progress)
        for target, content in zip(targets, proven.contents, strict=True):
            write_chosen(target, content)
    return ExportResult(
        files=tuple(printable(str(target)) for target in targets),
        bytes=sum(map(len, proven.contents)),
        part=" and ".join(each.part for each in parts),
        checks=proven.checks,
        bf16=None,
        int8=None,
        notes=proven.notes,
        seconds=round(time.perf_counter() - started, 2),
    )


@dataclass(frozen=True)
class _Proven:
    """Files of a model, and how they answer."""

    contents: tuple[bytes, ...]
    checks: tuple[ExportCheck, ...]
    bf16: ExportCheck | None
    int8: Int8Check | None = None


@dataclass(frozen=True)
class _Compared:
    """What exported files are compared with: the run's answers to its pictures."""

    bundle: Naming
    pictures: RunPictures
    targets: list[Path]
    """The files to be written."""
    expected: dict[int, ClassAnswer]
    """The run's answers, by the picture's number."""
    progress: Progress

    def proven(self, contents: tuple[bytes, ...], reference: OnnxRuntime) -> _Proven:
        """The files with how they answer. Raises BundleError if that is otherwise than the run.

        reference: the same graph in ONNX Runtime.
        """
        checks = (
            self._check(_in_openvino(contents, self.targets, "fp32"), engine_version()),
            self._check(_in_onnx_runtime(reference, self.bundle), reference.version),
        )
        for each in checks:
            require_agreement(each)
        bf16 = None
        if "bf16" in available_precisions():
            bf16 = self._check(_in_openvino(contents, self.targets, "bf16"), f"{engine_version()} in bf16")
        return _Proven(contents, checks, bf16)

    def in_int8(self, proven: _Proven, *, trained_on: RunPictures) -> _Proven:
        """The same files in 8-bit numbers where those are kept, else as they are; with how they answer."""
        assert isinstance(self.bundle, Bundle)
        quantized, int8 = in_int8(
            self.bundle,
            cast("tuple[bytes, bytes]", proven.contents),
            trained_on=trained_on.hashed,
            judged_on=self.pictures,
            expected=self.expected,
            read_back=partial(_in_openvino, targets=self.targets, precision="fp32"),
            progress=self.progress,
        )
        return replace(proven, contents=quantized if int8.kept else proven.contents, int8=int8)

    def result(self, proven: _Proven, *, seconds: float) -> ExportResult:
        return ExportResult(
            files=tuple(printable(str(target)) for target in self.targets),
            bytes=sum(map(len, proven.contents)),
            part=self.pictures.part,
            checks=proven.checks,
            bf16=proven.bf16,
            int8=proven.int8,
            notes=(*_notes(self.pictures, len(self.expected), proven.int8), *self._on_promises(proven.int8)),
            seconds=round(seconds, 2),
        )

    def _on_promises(self, int8: Int8Check | None) -> Iterator[str]:
        if int8 is None or not int8.kept or self.bundle.manifest.unknown is None:
            return
        if self.pictures.part == "train":
            yield "in int8 no picture is refused: only pictures that it was not trained on can decide that"
        else:
            by = f"{counted(int8.pictures, 'picture')} of part {self.pictures.part!r}"
            yield f"what is refused, and the sets of classes, were decided anew for int8, by {by}"

    def _check(self, answering: Answering, runtime: str) -> ExportCheck:
        return agreement(
            answering,
            runtime=runtime,
            expected=self.expected,
            pictures=self.pictures.hashed,
            preprocess=self.bundle.manifest.preprocess,
            thresholds=None if isinstance(self.bundle, Bundle) else self.bundle.manifest.thresholds,
            progress=self.progress,
        )


def _pictures(run: str | Path, bundle: Naming, data: str | Path | None, *parts: Part) -> RunPictures:
    with _saying_where(data):
        return pictures_of_run(_run_around(run, bundle), bundle.manifest, data=data, parts=parts)


def _run_around(run: str | Path, bundle: AnyBundle) -> str | Path:
    """The run's folder: the bundle in it may be what was named."""
    around = bundle.folder.parent
    return around if (around / ARGS).is_file() else run


@contextmanager
def _saying_where(data: str | Path | None) -> Iterator[None]:
    """Within it, an error about where the run's pictures are says what to do, unless `data` has said where."""
    try:
        yield
    except (DataError, OptionError) as error:
        if data is not None:
            raise
        raise DataError(f"{error}; say with --data where the run's pictures are") from error


def _answers(run: str | Path, bundle: Naming, pictures: RunPictures, progress: Progress) -> dict[int, ClassAnswer]:
    """The run's answers to its pictures, by their number."""
    answers = answers_of_bundle(bundle, pictures.hashed, progress)
    if not answers:
        raise DataError(f"none of the pictures that {run} was made on can be read")
    return answers


def _in_openvino(contents: tuple[bytes, ...], targets: list[Path], precision: PrecisionName) -> Answering:
    """The exported files, as they will be read: through the gate, in OpenVINO."""

    def answering(pictures: Tagged) -> Iterator[tuple[int, ClassAnswer | str]]:
        with tempfile.TemporaryDirectory() as folder:
            drafts = [Path(folder) / target.name for target in targets]
            for draft, content in zip(drafts, contents, strict=True):
                draft.write_bytes(content)
            exported = read_exported(drafts[0])
        assert isinstance(exported, Exported | ExportedMultilabel)
        yield from WholeClassifier(exported, cache_folder=None, precision=precision).stream(pictures, many=True)

    return answering


def _in_onnx_runtime(runtime: OnnxRuntime, bundle: Naming) -> Answering:
    def answering(pictures: Tagged) -> Iterator[tuple[int, ClassAnswer | str]]:
        for number, outputs in runtime.stream(pictures):
            [answer] = answers_in(outputs, bundle)
            yield number, answer if answer.is_one else NO_ANSWER

    return answering


def _notes(pictures: RunPictures, read: int, int8: Int8Check | None) -> Iterator[str]:
    if pictures.passed:
        gone = " and ".join(f"{counted(count, 'picture')} of part {part!r}" for part, count in pictures.passed)
        so = f"so it was compared on those of part {pictures.part!r}"
        yield f"the run's {gone} cannot be found, {so}: say with --data where they are"
    elif pictures.part != "val":
        yield f"the run has no validation pictures, so it was compared on those of part {pictures.part!r}"
    if pictures.missing:
        yield f"{counted(pictures.missing, 'picture')} of the run cannot be found or changed, and went uncompared"
    if read < len(pictures.hashed):
        yield f"{counted(len(pictures.hashed) - read, 'picture')} cannot be decoded, and went uncompared"
    if int8 is not None and int8.pictures < read:
        left_out = counted(read - int8.pictures, "picture")
        yield f"int8 was judged without {left_out}, of classes that the model does not know: were folders renamed?"
