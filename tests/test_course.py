"""The course's pages: alike in both languages, their labs' answers those of docs/labs.json, their commands real."""

from __future__ import annotations

import json
import re
import runpy
import shlex
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from course_page import CODE, ROOT, chapters, commands, numbers, prose
from test_readme import snippets

import eyespot
from eyespot import labs
from eyespot.cli.main import main
from eyespot.labs import catalogue

FILES = {"en": ROOT / "docs/course.md", "zh": ROOT / "docs/zh/course.md"}
PAGES = {language: path.read_text("utf-8") for language, path in FILES.items()}
README, README_ZH = ((ROOT / name).read_text("utf-8") for name in ("README.md", "README.zh.md"))
FILLING = runpy.run_path(str(ROOT / "scripts/course.py"))
FIGURES = json.loads((ROOT / "docs/labs.json").read_text("utf-8"))
PLACES = [name for name, _ in FILLING["PLACE"].findall(PAGES["en"])]


def test_both_pages_have_the_same_chapters_and_questions() -> None:
    keys = {language: re.findall(r'<a id="([^"]+)"></a>', page) for language, page in PAGES.items()}
    assert keys["en"] == keys["zh"]
    assert len(chapters(PAGES["en"])) == 22
    for language, page in PAGES.items():
        links = set(re.findall(r"\]\(#([^)]+)\)", page))
        assert links == set(FILLING["OPEN"])
        assert links <= set(keys[language])


@pytest.mark.parametrize("language", PAGES)
def test_what_the_labs_found_stands_on_the_page(language: str) -> None:
    """Else `python scripts/course.py` puts it there."""
    assert FILLING["filled"](PAGES[language], language) == PAGES[language]


@pytest.mark.parametrize("chapter", chapters(PAGES["en"]))
def test_a_chapter_has_the_same_numbers_and_commands_in_both_languages(chapter: str) -> None:
    en, zh = (chapters(page)[chapter] for page in PAGES.values())
    assert Counter(numbers(prose(en))) == Counter(numbers(prose(zh)))
    assert CODE.findall(en) == CODE.findall(zh)
    assert commands(en) == [command.removesuffix(" --lang zh") for command in commands(zh)]


def test_a_verdict_has_the_same_numbers_in_both_languages() -> None:
    """Numbers below ten may be words in one of them."""
    for figures in FIGURES.values():
        en, zh = (
            {each for each in numbers(figures["verdict"][language]) if len(each) > 1} for language in ("en", "zh")
        )
        assert en == zh


def test_every_lab_has_its_place_and_its_figures() -> None:
    assert len(PLACES) == len(set(PLACES))
    assert set(catalogue.names()) == set(PLACES) == set(FIGURES)
    assert set(FILLING["OPEN"]) <= set(PLACES)


@pytest.mark.parametrize("language", PAGES)
def test_the_questions_that_the_course_leaves_open_stand_word_for_word(language: str) -> None:
    assert len(FILLING["OPEN"]) == 11
    for name in set(FILLING["OPEN"]).intersection(catalogue.names()):
        question = catalogue.find(name).lab.question.to(language)
        assert f"[{question}](#{name})" in PAGES[language]
        assert f'<a id="{name}"></a><!-- lab:{name} -->**{question}**' in PAGES[language]


@pytest.mark.parametrize("command", sorted({command for page in PAGES.values() for command in commands(page)}))
def test_a_command_in_a_sentence_is_understood(command: str) -> None:
    name, *arguments = shlex.split(command)[1:]
    context = main.make_context("eyespot", [name, *arguments])
    found = main.get_command(context, name)
    assert found is not None
    found.make_context(name, arguments, parent=context)
    if name == "lab" and arguments and arguments[0] != "NAME":
        assert arguments[0] in PLACES


def test_the_chinese_readme_repeats_numbers_and_commands_of_the_english_one() -> None:
    assert set(numbers(prose(README_ZH))) <= set(numbers(README))
    known = {snippet.text for snippet in snippets(ROOT / "README.md")}
    assert {snippet.text for snippet in snippets(ROOT / "README.zh.md")} <= known


@pytest.fixture
def dropout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The lab of docs/labs.md, as one of eyespot's."""
    page = (ROOT / "docs/labs.md").read_text("utf-8")
    (source,) = re.findall(r"^```python\n(.*?\nLAB = .*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(source.splitlines()) <= 60
    (tmp_path / "dropout.py").write_text(source, "utf-8")
    monkeypatch.setattr(labs, "__path__", [*labs.__path__, str(tmp_path)])
    catalogue.names.cache_clear()
    yield "dropout"
    monkeypatch.undo()
    catalogue.names.cache_clear()


def test_the_lab_that_the_page_shows_is_one(dropout: str, tmp_path: Path) -> None:
    result = eyespot.lab(dropout, seeds=2, effort=0.02, lang="en", out=tmp_path)
    assert result.answer in ("so", "not so", "cannot be told")
    assert Path(result.report).is_file()
    assert "dropout" in {each.name for each in eyespot.lab()}


def test_the_page_lists_every_lab() -> None:
    page = (ROOT / "docs/labs.md").read_text("utf-8")
    listed = re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE)
    assert sorted(listed) == sorted(PLACES)
