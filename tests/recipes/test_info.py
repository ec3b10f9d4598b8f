"""`info` and `cache`; and docs/json.md names every key of every result."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

import eyespot
from eyespot import records
from eyespot.answering import compared, detections, multilabel_results
from eyespot.answering import results as answers
from eyespot.arithmetic import table
from eyespot.auditing import result as audited
from eyespot.augmenting import augmentation
from eyespot.bundle import manifest
from eyespot.detecting import result as detector_result
from eyespot.detecting.explained import BoxExplanation
from eyespot.errors import StoreError
from eyespot.evaluate import box_records, multilabel_records, promises, trust
from eyespot.explaining import deletion
from eyespot.exporting import agreement, box_agreement, quantize, web
from eyespot.labs import result as lab_result
from eyespot.multilabel import result as multilabel_result
from eyespot.recipes import (
    augment,
    backbones,
    benchmark,
    convert_boxes,
    embed,
    explain,
    export,
    kernels,
    list_runs,
    networks,
    sample,
    summary,
)
from eyespot.recipes.by_hand import convolve, learn_kernel, pool
from eyespot.recipes.by_hand import pixel_coverage as coverage
from eyespot.recipes.info import CacheResult, InfoResult, info
from eyespot.recipes.info import cache as cache_recipe
from eyespot.reporting import better, regression
from eyespot.reporting import result as train_result
from eyespot.styling import options as style_options

DOCUMENT = Path(__file__).parents[2] / "docs" / "json.md"
DOCUMENTED: dict[str, type[BaseModel]] = {
    "eyespot train": train_result.TrainResult,
    "eyespot predict": answers.Prediction,
    "eyespot val": answers.ValResult,
    "eyespot train, of a detector": detector_result.DetectorResult,
    "doubtful_boxes": detector_result.DoubtfulBox,
    "better": better.Better,
    "series of a run": trust.SeriesFound,
    "more": trust.MoreExpected,
    "list_gain": trust.ListGain,
    "judged, as_found": trust.Gain,
    "eyespot audit": audited.AuditResult,
    "boxes": audited.BoxCount,
    "contradictory": audited.Contradictory,
    "saved_twice": audited.SavedTwice,
    "doubtful": audited.DoubtfulLabel,
    "odd, poor": audited.PoorPicture,
    "eyespot compare": compared.CompareResult,
    "first, second": compared.MeasuredModel,
    "difference, and map50, map50_95, ap50 of a comparison": records.Difference,
    "per_class of a comparison": compared.ClassDifference,
    "eyespot compare, of detectors": compared.CompareDetectorsResult,
    "first, second, of detectors": compared.MeasuredDetector,
    "per_class of a comparison of detectors": compared.ClassBoxDifference,
    "parts": detector_result.BoxedCount,
    "validation, test, of a detector": box_records.DetectionScores,
    "map50, map50_95, ap50": box_records.Estimate,
    "per_class, of a detector": box_records.ClassDetection,
    "by_size": box_records.SizeDetection,
    "eyespot predict, of a detector": detections.Detections,
    "eyespot train, of several labels": multilabel_result.MultilabelResult,
    "parts, of several labels": multilabel_result.LabelledCount,
    "together": multilabel_result.TogetherCount,
    "validation, test, out_of_fold, of several labels": multilabel_records.MultilabelScores,
    "per_class, of several labels": multilabel_records.LabelScores,
    "eyespot predict, of several labels": multilabel_results.LabelPrediction,
    "probabilities": multilabel_results.LabelProbability,
    "detections": detections.Detection,
    "eyespot convert boxes": convert_boxes.ConvertResult,
    "eyespot export": export.ExportResult,
    "web": web.WebPage,
    "int8": quantize.Int8Check,
    "checks, bf16": agreement.ExportCheck,
    "checks of boxes": box_agreement.BoxCheck,
    "eyespot embed": embed.EmbedResult,
    "eyespot augment": augment.AugmentResult,
    "augmentation": augmentation.Augmentation,
    "views": augment.DrawnView,
    "eyespot networks": networks.NetworkResult,
    "weights": networks.WeightsResult,
    "preprocess": records.Preprocess,
    "eyespot summary": summary.Summary,
    "layers, stages": table.Layer,
    "total": table.Total,
    "eyespot feature-maps, eyespot kernels": kernels.PictureMade,
    "lab, in the list": lab_result.LabEntry,
    "eyespot lab NAME": lab_result.LabResult,
    "cells of a lab": lab_result.CellResult,
    "measures of a lab": lab_result.Measured,
    "eyespot explain": explain.ExplainResult,
    "window": records.Window,
    "deletion": deletion.Deletion,
    "curve": deletion.Step,
    "strongest, random": deletion.Spread,
    "similar": explain.SimilarPicture,
    "eyespot explain, of a detector": BoxExplanation,
    "eyespot stylize": style_options.StylizeResult,
    "eyespot stylize, of a folder": style_options.StylizedFolder,
    "eyespot benchmark": benchmark.BenchmarkResult,
    "speeds": benchmark.Speed,
    "decoding": benchmark.DecodingSpeed,
    "images_per_second, decoding, whole": benchmark.Rate,
    "eyespot benchmark --models": backbones.BackbonesResult,
    "models": backbones.BackboneResult,
    "missing": backbones.MissingBackbone,
    "eyespot sample": sample.SampleResult,
    "folders": sample.SampleFolder,
    "eyespot runs": list_runs.ListedRun,
    "eyespot info": InfoResult,
    "eyespot cache": CacheResult,
    "eyespot convolve": convolve.ConvolveResult,
    "kernels": convolve.KernelUse,
    "cells": convolve.CellSum,
    "eyespot pool": pool.PoolResult,
    "eyespot pixel-coverage": coverage.CoverageResult,
    "eyespot learn-kernel": learn_kernel.LearnKernelResult,
    "steps": learn_kernel.LearnedStep,
    "pictures": train_result.PictureCount,
    "exclusion": manifest.Exclusion,
    "regression": regression.Regression,
    "classes of a regression": regression.ClassRegression,
    "eyespot predict --where": answers.PlacedPrediction,
    "where": answers.Where,
    "predictions": answers.ClassProbability,
    "set_aside": records.SetAside,
    "ladder": records.Rung,
    "validation, test, small_test, out_of_fold": records.Metric,
    "precision": records.Precision,
    "unknown": promises.Unknown,
    "refusing, sets": promises.Promise,
    "refused": promises.Share,
    "per_class": records.ClassMetric,
    "mixed_up": records.MixedUp,
    "calibration": records.Calibration,
    "bins_before, bins_after": records.CalibrationBin,
}
VAL_OF_A_DETECTOR = "eyespot val, of a detector"
VAL_OF_LABELS = "eyespot val, of several labels"
"""Whose document says which keys come first."""


def test_info_tells_this_installation(shared_cache):
    said = info()
    assert said.version == eyespot.__version__
    assert said.cores >= 1
    assert said.extras["train"]
    assert said.cache.folder == str(shared_cache / "store")


def test_an_empty_cache_holds_nothing_and_can_be_cleared(cache):
    assert (cache_recipe().entries, cache_recipe().cleared) == (0, False)
    assert cache_recipe(clear=True).cleared


def test_a_cache_that_cannot_be_used_is_a_sentence(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("EYESPOT_CACHE", str(tmp_path / "file"))
    with pytest.raises(StoreError, match="cannot be written"):
        cache_recipe()


def documented() -> dict[str, list[str]]:
    """The keys in the tables of docs/json.md, by heading."""
    sections = re.split(r"^#+ ", DOCUMENT.read_text("utf-8"), flags=re.MULTILINE)[1:]
    found = {}
    for section in sections:
        heading, _, text = section.partition("\n")
        found[heading.replace("`", "").strip()] = re.findall(r"^\| `(\w+)` \|", text, flags=re.MULTILINE)
    return {heading: keys for heading, keys in found.items() if keys}


@pytest.mark.parametrize("heading", DOCUMENTED)
def test_the_documented_keys_are_those_of_the_result(heading):
    fields = DOCUMENTED[heading].model_fields
    keys = [field.serialization_alias or name for name, field in fields.items()]
    assert documented()[heading] == keys


def test_val_of_a_detector_has_the_scores_and_says_of_what_they_are():
    scores = list(box_records.DetectionScores.model_fields)
    keys = list(detections.DetectionValResult.model_fields)
    assert keys == [*scores, *documented()[VAL_OF_A_DETECTOR]]


def test_val_of_several_labels_has_the_scores_and_says_of_what_they_are():
    scores = list(multilabel_records.MultilabelScores.model_fields)
    keys = list(multilabel_results.MultilabelValResult.model_fields)
    assert keys == [*scores, *documented()[VAL_OF_LABELS]]


def test_nothing_else_is_documented():
    assert documented().keys() == {*DOCUMENTED, VAL_OF_A_DETECTOR, VAL_OF_LABELS}
