"""The report as a reader, a hostile file name and a browser see it."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
from html_page import Page
from PIL import Image

from eyespot.evaluate import calibration as cal
from eyespot.evaluate.metrics import part_metrics, wilson, wilson_fraction
from eyespot.evaluate.promises import Promise, Share, Unknown
from eyespot.evaluate.verdict import RunScores
from eyespot.places import InStudio
from eyespot.records import Rung, SetAside
from eyespot.reporting.page import LISTED
from eyespot.reporting.report import Mistake, Report, render, results, write_report
from eyespot.reporting.unknown import Different, LeftOut, Refusals

NAMES = ("dress", "hat", "shirt")
HOSTILE = ("<script>alert(1)</script>", '"><img src=x onerror=alert(2)>', "{{ 7*7 }} \u202e & \udcff")
THUMBNAIL = io.BytesIO()
Image.fromarray(np.random.default_rng(1).integers(0, 256, (168, 224, 3), np.uint8)).save(THUMBNAIL, "JPEG", quality=82)
"""Noise compresses worst, so no picture of this size is larger."""

LADDER = (
    Rung(
        regime="frozen",
        trained="a head on frozen features",
        seconds=11.84,
        validation=wilson(323, 372),
        verdict="kept: the first",
        kept=True,
    ),
    Rung(
        regime="partial",
        trained="everything after stage5",
        seconds=203.4,
        validation=wilson(350, 372),
        verdict="kept: 43 more right, 16 more wrong than frozen",
        kept=True,
    ),
    Rung(
        regime="full",
        trained="the whole network",
        seconds=0,
        validation=None,
        verdict="not started: too little time was left",
        kept=False,
    ),
)


def measured(seed: int, n: int, names=NAMES):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, len(names), n)
    logits = rng.normal(0, 1, (n, len(names)))
    logits[np.arange(n), labels] += 2
    return labels, logits


def refusals(names=NAMES, **changes) -> Refusals:
    unknown = Unknown(
        refusing=(Promise(share=0.05, least=0.56),),
        fitted_on="training pictures",
        n=3068,
        refused=Share.of(wilson(19, 372)),
        measured_on="test pictures",
    )
    whole = Refusals(
        unknown=unknown,
        sets=(Promise(share=0.95, least=0.131),),
        left_out=tuple(LeftOut(name, Share.of(wilson(9 + 40 * row, 100))) for row, name in enumerate(names[:2])),
        different=Different(("noise", "digits"), Share.of(wilson(20, 20))),
    )
    return replace(whole, **changes)


def full(names=NAMES, **changes) -> Report:
    labels, logits = measured(0, 372, names)
    mistakes = tuple(
        Mistake(f"{names[0]}/{i}.jpg", "test", names[0], names[1], 0.9 - i / 100, THUMBNAIL.getvalue(), f"{i:032x}")
        for i in range(24)
    )
    scores = RunScores(
        calibration=cal.calibration(logits, labels, 1.31, "the out-of-fold scores"),
        validation=part_metrics(*measured(2, 120, names), names),
        test=part_metrics(labels, cal.probabilities(logits), names),
        out_of_fold=wilson_fraction(0.8123, 400),
        out_of_fold_detail=None,
        out_of_fold_reason="Cross-validation chose the L2.",
    )
    scores = scores.model_copy(update={name: changes.pop(name) for name in RunScores.model_fields if name in changes})
    report = Report(
        title="clothing",
        created="2026-07-14T10:32:07+02:00",
        classes=tuple(names),
        counts={part: dict.fromkeys(names, 40 + i) for i, part in enumerate(("train", "val", "test"))},
        scores=scores,
        refusals=refusals(names),
        how=(("Network", "EfficientNet-Lite0"), ("Seed", "0")),
        ladder=LADDER,
        machine="Linux x86_64, 2 cores",
        next_commands=(("eyespot predict new/", "Name new pictures:"),),
        mistakes=mistakes,
        set_aside=(SetAside(picture="hat/broken.jpg", reason="the file ends early"),),
        notes=("The largest class has 7 times as many pictures as the smallest.",),
    )
    return replace(report, **changes)


def percent(share: float | None) -> str:
    return "none" if share is None else f"{100 * share:.1f} %"


def with_interval(right: int, n: int) -> str:
    if n == 0:
        return "none"
    metric = wilson(right, n)
    return f"{percent(metric.accuracy)} {100 * metric.low:.1f} to {100 * metric.high:.1f}"


def test_the_file_is_complete_and_small(tmp_path):
    path = tmp_path / "report.html"
    write_report(full(), path)
    assert path.stat().st_size < 1_500_000
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    html = path.read_bytes().decode()
    assert html.startswith("<!doctype html>")
    assert Page(html).all("html") == [{"lang": "en"}]


def test_writing_again_replaces_the_report(tmp_path):
    path = tmp_path / "report.html"
    write_report(full(), path)
    write_report(full(title="second"), path)
    assert "second" in path.read_text("utf-8")


def test_a_failed_write_leaves_the_old_report_and_no_rest(tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("old")
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError(28, "disk full")))
    with pytest.raises(OSError, match="disk full"):
        write_report(full(), path)
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    assert path.read_text() == "old"


def test_nothing_is_loaded_from_anywhere():
    html = render(full())
    page = Page(html)
    assert not re.search(r"https?:|//[a-z]", re.sub(r"base64,[\w+/=]+", "", html))
    assert not {"script", "link", "iframe", "object", "embed", "form", "base"} & {tag for tag, _ in page.tags}
    assert all(attributes["href"].startswith("#") for attributes in page.all("a"))
    assert all(attributes["src"].startswith("data:image/jpeg;base64,") for attributes in page.all("img"))
    assert "url(" not in page.style
    assert "@import" not in page.style


def test_the_security_policy_allows_exactly_the_style_sheet_inside():
    page = Page(render(full()))
    (policy,) = [m["content"] for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    digest = base64.b64encode(hashlib.sha256(page.style.encode()).digest()).decode()
    assert "default-src 'none'" in policy
    assert f"style-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    assert not any("style" in attributes for _, attributes in page.tags)  # the policy would block them


def test_hostile_names_are_text_and_nothing_else():
    report = full(
        HOSTILE,
        title=HOSTILE[0],
        notes=HOSTILE,
        machine=HOSTILE[0],
        out_of_fold_reason=HOSTILE[0],
        ladder=(LADDER[0].model_copy(update=dict(zip(("regime", "trained", "verdict"), HOSTILE, strict=True))),),
        set_aside=tuple(
            SetAside(picture=name.replace("\udcff", ""), reason=name.replace("\udcff", "")) for name in HOSTILE
        ),
        how=tuple(zip(HOSTILE, HOSTILE, strict=True)),
        next_commands=tuple(zip(HOSTILE, HOSTILE, strict=True)),
    )
    html = render(report)
    page = Page(html)
    assert html.encode()
    assert not page.all("script")
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert HOSTILE[0] in page.text
    assert "{{ 7*7 }}" in page.text
    assert "\u202e" not in html
    assert len(page.all("img")) == len(report.mistakes)


def test_how_many_more_mistakes_there_are_and_where_is_said():
    text = Page(render(full(wrong=5312))).text
    assert "These are the 24 surest of 5312 wrong answers: predictions.csv has all of them." in text
    assert "surest of" not in Page(render(full(wrong=24))).text


def test_a_report_on_a_million_pictures_has_a_few_megabytes():
    """Of what grows with the pictures only the beginning is shown, and its number."""
    gone = tuple(SetAside(picture=f"hat/{number}.jpg", reason="is damaged") for number in range(100_000))
    notes = tuple(f"note {number}" for number in range(10_000))
    html = render(full(set_aside=gone, notes=notes, wrong=250_000))
    assert len(html) < 2e6
    assert "100,000 files were" in html or "100000 files were" in html


def test_every_number_of_the_records_is_shown():
    report = full()
    text = Page(render(report)).text
    for part in (report.scores.test, report.scores.validation):
        assert percent(part.overall.accuracy) in text
        assert percent(part.overall.low) in text
        assert percent(part.overall.high) in text
        for c, row in zip(part.per_class, part.confusion, strict=True):
            index = part.per_class.index(c)
            recall = with_interval(row[index], c.support)
            precision = with_interval(row[index], sum(other[index] for other in part.confusion))
            assert f"{c.name} {c.support} {row[index]} {recall} {precision} {percent(c.f1)}" in text
    for row, name in zip(report.scores.test.confusion, NAMES, strict=True):
        assert f"{name} {' '.join(str(n) for n in row if n)}" in text
    assert "81.2 %" in text
    assert f"{100 * report.scores.calibration.ece_before:.1f} points" in text
    assert f"{100 * report.scores.calibration.ece_after:.1f} points" in text
    assert "1.31" in text
    assert "dress 40 41 42" in text
    assert "All 120 123 126" in text


def test_the_headline_prefers_test_then_out_of_fold_then_validation():
    report = full()
    assert [r.measured for r in results(report.scores)] == ["test", "out-of-fold", "validation"]
    assert [r.measured for r in results(full(test=None).scores)] == ["out-of-fold", "validation"]
    assert "In " in results(report.scores)[0].sentence
    nothing = dict.fromkeys(("test", "validation", "out_of_fold"))
    assert results(full(**nothing).scores) == ()


@pytest.mark.parametrize(
    "missing",
    [
        {"test": None},
        {"validation": None},
        {"out_of_fold": None},
        {"test": None, "validation": None},
        {"test": None, "validation": None, "out_of_fold": None},
        {"calibration": None},
        {"mistakes": ()},
        {"set_aside": ()},
        {"notes": ()},
        {"how": (), "machine": ""},
        {"refusals": None},
        {"ladder": ()},
        {"ladder": LADDER[:1]},
        {"ladder": LADDER[2:]},
        {"next_commands": ()},
        {"studio": InStudio("runs/train/clothing", "clothing"), "test": None},
        {"counts": {}},
    ],
    ids=lambda missing: "+".join(missing),
)
def test_the_page_stands_without_any_optional_part(missing):
    page = Page(render(full(**missing)))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    inside = {
        str(attributes["href"]) for attributes in page.all("a") if not str(attributes["href"]).startswith("http:")
    }
    assert {each.removeprefix("#") for each in inside} <= set(ids)
    assert {a["aria-labelledby"] for _, a in page.tags if "aria-labelledby" in a} <= set(ids)
    assert "None" not in page.text


def test_the_ladder_has_a_row_for_each_regime_and_its_interval():
    text = Page(render(full())).text
    assert f"frozen a head on frozen features 11.8 s {with_interval(323, 372)} 372 pictures kept: the first" in text
    assert f"partial everything after stage5 203.4 s {with_interval(350, 372)} 372 pictures kept: 43 more" in text
    assert "full the whole network 0.0 s not measured not started: too little time was left" in text
    assert [row for row in Page(render(full())).all("tr") if row.get("class") == "kept"] == [{"class": "kept"}] * 2


@pytest.mark.parametrize(
    ("rungs", "said", "unsaid"),
    [
        (LADDER, "its 95 % interval. These pictures chose the model", "no validation pictures"),
        (LADDER[:1], "Validation: the share", "chose the model"),
        (LADDER[2:], "There were no validation pictures to measure on", "chose the model"),
    ],
)
def test_the_ladder_says_what_its_figures_are_worth(rungs, said, unsaid):
    text = Page(render(full(ladder=rungs))).text
    assert said in text
    assert unsaid not in text
    assert ("The last one kept is this model" in text) == (len(rungs) > 1)


def test_without_a_ladder_the_report_says_nothing_of_it():
    text = Page(render(full(ladder=()))).text
    assert "ladder" not in text
    assert "Verdict" not in text


def test_out_of_fold_details_stand_in_for_a_test_part():
    labels, logits = measured(5, 96)
    detail = part_metrics(labels, cal.probabilities(logits), NAMES)
    report = full(test=None, validation=None, out_of_fold=detail.overall, out_of_fold_detail=detail)
    text = Page(render(report)).text
    assert "Each of the 96 pictures" in text
    assert "Cross-validation chose the L2." in text
    assert "Out-of-fold pictures, the weakest class first" in text


def test_a_test_part_that_is_too_small_to_come_first_is_shown_after_cross_validation():
    small = part_metrics(*measured(6, 12), NAMES)
    report = full(test=None, small_test=small)
    text = Page(render(report)).text
    assert [r.measured for r in results(report.scores)] == ["out-of-fold", "test", "validation"]
    low, high = (f"{100 * end:.1f} %" for end in (small.overall.low, small.overall.high))
    assert f"Test: {percent(small.overall.accuracy)} , between {low} and {high}, 12 pictures." in text
    assert "so few that the interval is wide" in text


def test_calibration_that_was_measured_by_folds_says_so():
    labels, logits = measured(0, 60)
    by_folds = cal.calibration(logits, labels, 1.31, "these answers", fold=np.arange(60) % 5)
    assert "measured by folds" in Page(render(full(calibration=by_folds))).text
    assert "measured by folds" not in Page(render(full())).text


def test_a_test_part_that_was_not_measured_is_not_said_to_be_missing():
    stopped = full(test=None, out_of_fold=None)
    assert "The test part was not measured." in Page(render(stopped)).text
    without = replace(stopped, counts={part: stopped.counts[part] for part in ("train", "val")})
    assert "There is no test part." in Page(render(without)).text


def test_without_anything_held_back_the_page_says_so():
    text = Page(render(full(test=None, validation=None, out_of_fold=None))).text
    assert "Nothing was measured" in text


def test_a_perfect_result_has_no_mistakes_to_show():
    labels = np.arange(20) % 3
    perfect = part_metrics(labels, np.eye(3)[labels], NAMES)
    text = Page(render(full(test=perfect, mistakes=()))).text
    assert "There were none among the 20 pictures" in text
    assert "It mixed up nothing" in text
    assert "does not mean that none will come" in text


def test_many_files_set_aside_are_counted_and_the_first_listed():
    files = tuple(SetAside(picture=f"IMG_{i:04d}.jpg", reason="empty file") for i in range(80))
    text = Page(render(full(set_aside=files))).text
    assert "80 files were not used" in text
    assert "predictions.csv" in text
    assert text.count("IMG_") == LISTED


def test_many_classes_keep_the_table_and_leave_the_matrix_to_the_png():
    names = tuple(f"class {i}" for i in range(120))
    labels = np.arange(240) % 120
    metrics = part_metrics(labels, np.eye(120)[labels], names)
    html = render(full(names, test=metrics, validation=None, out_of_fold=None))
    assert "confusion_matrix.png" in html
    assert 'class="matrix' not in html
    assert "class 119" in html


def test_a_report_on_two_thousand_classes_is_bounded_and_says_what_is_left_out():
    names = tuple(f"a class with a name of some length {i}" for i in range(2000))
    labels = np.arange(6000) % 2000
    metrics = part_metrics(labels, np.eye(2000, dtype=np.float32)[np.arange(6000) % 1999], names)
    html = render(full(names, test=metrics, validation=metrics, out_of_fold=None))
    assert len(html.encode()) < 1_500_000
    text = Page(html).text
    assert "1800 other classes are left out here" in text
    assert "These are the first 200 of 2000 classes" in text
    assert text.count("taken for") == 40


def test_sixty_classes_stay_under_the_size_limit():
    names = tuple(f"a rather long class name {i}" for i in range(60))
    assert len(render(full(names)).encode()) < 1_500_000


def test_tables_can_be_read_aloud_and_reached_by_keyboard():
    page = Page(render(full()))
    assert all(attributes.get("scope") in ("row", "col") for attributes in page.all("th"))
    assert all(
        attributes.get("aria-labelledby") or attributes.get("class") == "list files" for attributes in page.all("table")
    )
    boxes = [attributes for attributes in page.all("div") if attributes.get("class") == "scroll"]
    assert boxes
    assert all(attributes.get("tabindex") == "0" for attributes in boxes)
    assert all(attributes.get("alt") for attributes in page.all("img"))
    assert all(attributes.get("aria-label") or attributes.get("aria-hidden") for attributes in page.all("svg"))


@pytest.mark.parametrize(
    ("created", "shown"), [("2026-07-04T09:05:00+00:00", "4 July 2026, 09:05"), ("today", "today")]
)
def test_the_date_is_written_out(created, shown):
    assert shown in Page(render(full(created=created))).text


# --- the ways into the studio


def in_studio(report: Report) -> list[dict[str, str]]:
    """The places in the studio that a report's links name."""
    links = [str(each["href"]) for each in Page(render(report)).all("a") if not str(each["href"]).startswith("#")]
    assert all(each.startswith("http://127.0.0.1:8765/#run=clothing&") for each in links)
    return [dict(parse_qsl(urlsplit(each).fragment)) for each in links]


def test_each_cell_and_each_mistake_leads_to_its_place_in_the_studio():
    report = full(studio=InStudio("runs/train/clothing", "clothing"))
    places, test = in_studio(report), report.scores.test
    cells = [each for each in places if "truth" in each]
    assert {each["part"] for each in cells} == {"test"}
    wanted = [(str(truth), str(answer)) for truth, answer, _ in test.cells]
    assert {(each["truth"], each["answer"]) for each in cells} == set(wanted)
    assert [each["picture"] for each in places if "picture" in each] == [each.content for each in report.mistakes]
    assert [each["screen"] for each in places[-4:]] == ["network", "errors", "kernels", "training"]
    text = Page(render(report)).text
    assert "eyespot studio runs/train/clothing " in text
    assert "eyespot studio runs/train/clothing --at errors" in text


def test_cells_of_cross_validation_lead_to_the_training_part():
    labels, logits = measured(5, 96)
    detail = part_metrics(labels, cal.probabilities(logits), NAMES)
    cross = {"test": None, "validation": None, "out_of_fold": detail.overall, "out_of_fold_detail": detail}
    places = in_studio(full(**cross, studio=InStudio("runs/train/clothing", "clothing")))
    assert {each["part"] for each in places if "part" in each} == {"train"}


def test_what_the_studio_cannot_open_has_no_way_into_it():
    html = render(full(studio=None))
    assert "studio" not in re.sub(r"<style>.*</style>", "", html, flags=re.DOTALL)


def test_a_hostile_name_stays_within_its_address():
    html = render(full(HOSTILE, studio=InStudio(HOSTILE[0], HOSTILE[1])))
    for each in Page(html).all("a"):
        assert str(each["href"]).startswith(("#", "http://127.0.0.1:8765/#run=%22%3E%3Cimg"))


# --- when it shows none of the classes


def test_the_report_says_what_is_refused_by_design_and_what_it_does_not_notice():
    page = Page(render(full()))
    text = page.text
    assert (
        "It refuses 1 in 20 of your own pictures by design: on 372 test pictures it was 5.1 % (3.3 % to 7.8 %)." in text
    )
    assert "Of 20 quite different pictures that eyespot brings along (noise, digits) it refused 100.0 %." in text
    assert "it usually does not notice" in text
    assert text.index("hat 100 49.0 %") < text.index("dress 100 9.0 %")  # what is noticed most comes first
    assert "95 times in 100 from a probability of 13.1 % on." in text
    assert "#unknown" in {attributes["href"] for attributes in page.all("a")}


def test_where_there_were_too_few_pictures_the_report_says_how_many_it_takes():
    unknown = Unknown(refusing=(), fitted_on="training pictures", n=12)
    text = Page(render(full(refusals=refusals(unknown=unknown, left_out=(), sets=(), different=None)))).text
    assert "It refuses nothing: " in text
    assert "takes 19 pictures that it was not fitted on, and there were 12." in text
    assert "--set" not in text


def test_what_was_not_measured_is_left_out_of_the_sentence():
    unknown = refusals().unknown.model_copy(update={"refused": None})
    text = Page(render(full(refusals=refusals(unknown=unknown, left_out=(), different=None)))).text
    assert "It refuses 1 in 20 of your own pictures by design. A kind of picture" in text
