"""`export`: a model as a file that other programs run, or as a page that a browser runs, with the proof that it answers
there as it did here."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Unpack, cast

from eyespot import machine
from eyespot.bundle.exported import Exported, ExportedMultilabel, WholeClassifier, read_exported
from eyespot.bundle.files import (
    AnyBundle,
    Bundle,
    DetectorBundle,
    MultilabelBundle,
    Naming,
    notes_on,
    read_any_bundle,
    what_holds,
)
from eyespot.bundle.run import ClassAnswer
from eyespot.data.handed_sets import Data
from eyespot.engine.run import available_precisions, engine_version
from eyespot.errors import OptionError
from eyespot.exporting.agreement import (
    Answering,
    ExportCheck,
    OnnxRuntime,
    Tagged,
    agreement,
    in_onnx_runtime,
    require_agreement,
)
from eyespot.exporting.compared import (
    answers_of_run,
    boxed_pictures_to_compare,
    notes_on_pictures,
    pictures_to_compare,
)
from eyespot.exporting.detector import prove_boxes
from eyespot.exporting.files import Format, onnx_file, openvino_files
from eyespot.exporting.quantize import Int8Check, in_int8
from eyespot.exporting.result import ExportKeywords, ExportOptions, ExportResult
from eyespot.exporting.targets import format_of, opened_last, site_targets_of, targets_of
from eyespot.exporting.web import WebPage, compared_page, draft_site, prove_site
from eyespot.exporting.web_runtime import NAME, runtime_files
from eyespot.exporting.web_site import INDEX
from eyespot.files import write_together
from eyespot.keywords import as_record
from eyespot.names import printable
from eyespot.progress import Progress, shows_progress, silent
from eyespot.records import PrecisionName
from eyespot.runs.pictures import RunPictures
from eyespot.words import counted


@shows_progress
def export(
    run: str | Path,
    *,
    format: str = "onnx",
    out: str | Path | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
    **options: Unpack[ExportKeywords],
) -> ExportResult:
    """The model of `run` as a file that takes a decoded picture of any size, and how its answers compare.

    run: a run folder, or a bundle.
    format: "onnx", one file; "openvino", two; or "web", a folder that is a page and needs no server.
    out: the folder to write to; `export` in the run's folder by default, for a page `export/web`.
    overwrite: replace an earlier export.
    options: those of `ExportOptions`.
    Raises BundleError if the exported model answers otherwise than the run in OpenVINO, in ONNX Runtime or in the
    browser; nothing is written then. MachineError and DownloadError where a page's runtime cannot be had.
    """
    bundle = read_any_bundle(run)
    asked = as_record(ExportOptions, options, verb=export)
    chosen = format_of(format, int8=asked.int8)
    if asked.int8:
        _require_one_class(bundle)
    if chosen == "web":
        return _export_page(run, _pageable(bundle), asked, out=out, overwrite=overwrite, progress=progress)
    if asked.runtime is not None or asked.download:
        raise OptionError(f"the options runtime and download are for --format web, not {chosen}: leave them out")
    if isinstance(bundle, DetectorBundle):
        return _export_detector(run, bundle, chosen, out=out, data=asked.data, overwrite=overwrite, progress=progress)
    return _export_classifier(run, bundle, chosen, asked, out=out, overwrite=overwrite, progress=progress)


def _export_classifier(
    run: str | Path,
    bundle: Naming,
    format: Format,
    asked: ExportOptions,
    *,
    out: str | Path | None,
    overwrite: bool,
    progress: Progress,
) -> ExportResult:
    """The files of a model that names classes."""
    started, data = time.perf_counter(), asked.data
    with targets_of(run, bundle, format, out, overwrite=overwrite) as targets:
        pictures = pictures_to_compare(run, bundle, data, "val", "test", "train")
        graph = onnx_file(bundle)
        contents = (graph,) if format == "onnx" else openvino_files(bundle)
        compared = _Compared(bundle, pictures, targets, answers_of_run(run, bundle, pictures, progress), progress)
        proven = compared.proven(contents, OnnxRuntime(graph))
        if asked.int8:
            proven = compared.in_int8(proven, trained_on=pictures_to_compare(run, bundle, data, "train"))
        write_together(opened_last(targets, proven.contents))
    return compared.result(proven, seconds=time.perf_counter() - started)


def _require_one_class(bundle: AnyBundle) -> None:
    """Raises OptionError for a model that int8 is not for."""
    if not isinstance(bundle, Bundle):
        raise OptionError(
            f"the option int8 is for models that name one class, and {bundle.folder} holds {what_holds(bundle)}: leave "
            "it out"
        )


def _pageable(bundle: AnyBundle) -> Bundle | DetectorBundle:
    """The bundle. Raises OptionError for one that there is no page without a server for."""
    if isinstance(bundle, MultilabelBundle):
        what = f"{bundle.folder}, which holds {what_holds(bundle)}"
        raise OptionError(f"the option format cannot be web for {what}: give onnx or openvino, or serve it")
    return bundle


def _export_page(
    run: str | Path,
    bundle: Bundle | DetectorBundle,
    asked: ExportOptions,
    *,
    out: str | Path | None,
    overwrite: bool,
    progress: Progress,
) -> ExportResult:
    """The same as a page."""
    started = time.perf_counter()
    runtime = runtime_files(
        asked.runtime, cache_folder=machine.cache_folder(), may_download=asked.download, progress=progress
    )
    draft = draft_site(bundle, runtime, "fp16")
    with site_targets_of(run, bundle, draft, out, overwrite=overwrite) as targets:
        compared = compared_page(run, bundle, asked.data, progress)
        proven = prove_site(bundle, runtime, draft, compared)
        names = sorted(proven.content, key=lambda name: name == INDEX)
        write_together({targets[name]: proven.content[name] for name in names})
    folder = printable(str(targets[INDEX].parent))
    return ExportResult(
        files=tuple(printable(str(target)) for target in targets.values()),
        bytes=sum(map(len, proven.content.values())),
        part=compared.part,
        checks=proven.checks,
        bf16=None,
        int8=None,
        web=WebPage(folder=folder, weights=proven.weights, runtime=NAME, browser=proven.browser),
        notes=(*proven.notes, *compared.notes),
        seconds=round(time.perf_counter() - started, 2),
    )


def _export_detector(
    run: str | Path,
    bundle: DetectorBundle,
    format: Format,
    *,
    out: str | Path | None,
    data: Data | None,
    overwrite: bool,
    progress: Progress,
) -> ExportResult:
    """The same of a model that finds boxes."""
    started = time.perf_counter()
    with targets_of(run, bundle, format, out, overwrite=overwrite) as targets:
        parts = boxed_pictures_to_compare(run, bundle, data)
        proven = prove_boxes(bundle, parts, format=format, names=[target.name for target in targets], progress=progress)
        write_together(opened_last(targets, proven.contents))
    return ExportResult(
        files=tuple(printable(str(target)) for target in targets),
        bytes=sum(map(len, proven.contents)),
        part=" and ".join(each.part for each in parts),
        checks=proven.checks,
        bf16=None,
        int8=None,
        web=None,
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
            self._check(in_onnx_runtime(reference, self.bundle), reference.version),
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
            web=None,
            notes=(*notes_on_pictures(self.pictures, len(self.expected), proven.int8), *self._on_model(proven.int8)),
            seconds=round(seconds, 2),
        )

    def _on_model(self, int8: Int8Check | None) -> Iterator[str]:
        yield from notes_on(self.bundle)
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
