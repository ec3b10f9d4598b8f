"""The studio says in Chinese what it says in English: its words, every refusal of its server, all that a run tells."""

from __future__ import annotations

import ast
import errno
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src/eyespot"
WORDS = SOURCE / "studio/page/words"
REFUSALS = {
    "RequestError": "studio/*.py serve/app.py serve/bodies.py serve/query.py serve/pictures.py serve/safety.py",
    "Busy": "serve/bodies.py",
    "__init__": "serve/refusals.py",
}
"""Where the studio's server refuses a request."""
REASONS = {
    "UnreadablePicture": "data/*.py",
    "TooManyPixels": "data/*.py",
    "NetworkError": "walking/*.py building/named.py labs/*.py",
    "BundleError": "bundle/files.py bundle/ports.py bundle/run.py bundle/written_manifest.py building/named.py",
    "WeightsError": "building/named.py",
    "DataError": "runs/kernels.py studio/own_*.py labs/*.py",
    "OptionError": "labs/*.py",
    "CannotWrite": "labs/*.py",
    "Stopped": "labs/*.py",
    "MissingExtra": "building/create.py",
    "MachineError": "data/room.py",
}
"""Errors whose sentence a refusal repeats, or a lab, or a rung, and where they are made."""
CARRIED = {
    *("str(error)", "error.strerror or error", "own.said", "self.said", "looked", "str(said['error'])", "{}"),
    *("what_else(data)", "_what_tiff(data)", "reason", "self._why(request)", "sentence", "{} {}", "error.reason"),
    *("COMPUTING", "what"),
}
"""What is handed on from one of these errors."""
TABLES = {
    "serve/app.py": "_SAID",
    "data/other_files.py": "_PICTURES _KINDS _FTYP_KINDS what_else",
    "data/formats.py": "_what_tiff",
    "data/apart.py": "_why",
    "data/quality.py": "poor_pictures",
    "auditing/outputs.py": "_odd_words _suspects",
    "recipes/list_runs.py": "_read",
    "arithmetic/one_layer.py": "_KINDS",
}
"""Tables and functions of which every text may come to the page, but for names of attributes."""
IN_WORDS = {"label doubtful", "saved twice: {} is the same picture"}
"""What the page tells in words of its own."""
COMPOSED = ("kept: {said}", "discarded:", "it leads,", "it was asked for", "{numwon} right", "{said}; more probability")
"""Sentences that are put together of several; those of a real verdict are read in the browser's tests."""
PHASES = (
    "regimes/*.py reporting/classification.py reporting/measure.py reporting/written_model.py recipes/train.py "
    "multilabel/*.py detecting/*.py building/backbone.py events.py"
)
"""Where a training says what it does just now."""
RUNGS = {"trained", "what", "verdict"}
"""Arguments that say something of a rung."""


def gap(text: str) -> str:
    """A sentence with `{}` for each place of it."""
    return re.sub(r"\{[^{}]*\}", "{}", text)


def read(name: str) -> dict[str, str]:
    """The entries of a module of words."""
    lines = re.findall(r'^  (".+"): (".*"),$', (WORDS / name).read_text("utf-8"), re.MULTILINE)
    return {json.loads(key): json.loads(said) for key, said in lines}


SAID = read("zh_said.js")
KNOWN = {gap(each) for each in SAID}


def sentences(node: ast.AST, constants: dict[str, str]) -> Iterator[str]:
    """All that an expression can be; of what is no literal, the expression."""
    if isinstance(node, ast.Constant):
        yield gap(str(node.value))
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(each.value) if isinstance(each, ast.Constant) else "{}" for each in node.values)
    elif isinstance(node, ast.IfExp):
        yield from (*sentences(node.body, constants), *sentences(node.orelse, constants))
    elif isinstance(node, ast.BoolOp):
        for each in node.values:
            yield from sentences(each, constants)
    else:
        yield constants.get(ast.unparse(node), ast.unparse(node))


def texts(node: ast.AST) -> Iterator[str]:
    """Every text of several words in a table or a function, but for its docstring."""
    if isinstance(node, ast.FunctionDef):
        node = ast.Module(node.body[ast.get_docstring(node) is not None :], [])
    if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        yield from (each for each in sentences(node, {}) if " " in each.strip())
    else:
        for each in ast.iter_child_nodes(node):
            yield from texts(each)


def calls(name: str, patterns: str) -> Iterator[tuple[str, ast.Call, dict[str, str]]]:
    """Those of a function or class, whatever it is a member of: where, the call, and the file's constants."""
    found = [path for pattern in patterns.split() for path in sorted(SOURCE.glob(pattern))]
    assert found
    for path in found:
        module = ast.parse(path.read_text("utf-8"))
        constants = {
            ast.unparse(each.targets[0]): str(each.value.value)
            for each in module.body
            if isinstance(each, ast.Assign) and isinstance(each.value, ast.Constant)
        }
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == name:
                yield f"{path.relative_to(SOURCE)}:{node.lineno}", node, constants


def unknown(name: str, patterns: str, *, at: int) -> list[str]:
    """What is said by such calls that has no Chinese. at: which of the arguments says it."""
    return [
        f"{where}: {said}"
        for where, call, constants in calls(name, patterns)
        if len(call.args) > at
        for said in sentences(call.args[at], constants)
        if said not in KNOWN | CARRIED
    ]


def test_both_languages_have_the_same_words_with_the_same_places():
    english, chinese = read("en.js"), read("zh.js")
    assert set(english) == set(chinese)
    assert len(english) > 400
    for key, said in english.items():
        assert set(re.findall(r"\{(\w+)\}", chinese[key])) == set(re.findall(r"\{(\w+)\}", said)), key


@pytest.mark.parametrize("name", REFUSALS)
def test_every_refusal_of_the_server_is_said_in_chinese(name):
    assert not unknown(name, REFUSALS[name], at=0 if name == "Busy" else 1)


@pytest.mark.parametrize("name", REASONS)
def test_every_error_that_is_handed_on_is_said_in_chinese(name):
    assert not unknown(name, REASONS[name], at=0)


@pytest.mark.parametrize("name", TABLES)
def test_every_reason_in_a_table_is_said_in_chinese(name):
    found = set()
    for node in ast.parse((SOURCE / name).read_text("utf-8")).body:
        for each in (node, *getattr(node, "body", ())):
            targets = each.targets if isinstance(each, ast.Assign) else [getattr(each, "target", None)]
            called = {getattr(each, "name", ""), *(ast.unparse(target) for target in targets if target)}
            if called & {*TABLES[name].split()}:
                found |= {*texts(each)}
    assert len(found) >= 2
    assert not found - KNOWN - IN_WORDS


def test_a_refusal_without_chinese_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "SOURCE", tmp_path)
    (tmp_path / "new.py").write_text('raise RequestError(404, f"nothing of {name} is new")')
    assert unknown("RequestError", "*.py", at=1) == ["new.py:1: nothing of {} is new"]


def test_every_phase_of_a_run_is_said_in_chinese():
    found = {*(each for name in ("progress", "Event") for each in unknown(name, PHASES, at=0))}
    assert not {each for each in found if ": doing" not in each and ": phase" not in each and ": step" not in each}


def test_all_that_is_said_of_a_rung_is_said_in_chinese():
    given = [
        (where, said)
        for name in ("Rung", "Lesson", "Candidate", "_not_begun", "climb")
        for where, call, constants in calls(name, "regimes/*.py")
        for argument in (*call.args, *(each.value for each in call.keywords if each.arg in RUNGS))
        for said in sentences(argument, constants)
    ]
    assert len(given) > 20
    texts = {(where, said) for where, said in given if " " in said and not re.search(r"[(\[]|\bif\b|\w\.\w", said)}
    assert not {f"{where}: {said}" for where, said in texts if said not in KNOWN | {"{}: {}"}}


def test_no_sentence_is_kept_that_nobody_says():
    said = {os.strerror(number) for number in errno.errorcode}
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant | ast.JoinedStr):
                said.update(sentences(node, {}))
    pages = (SOURCE / "serve/page/sendable.js").read_text("utf-8")
    unsaid = {each for each in SAID if gap(each) not in said and each not in pages}
    assert not {each for each in unsaid if not each.startswith(COMPOSED)}


@pytest.mark.parametrize("english", SAID)
def test_a_sentence_has_in_chinese_only_places_that_it_has_in_english(english):
    places = re.findall(r"\{(\w+)\}", english)
    assert len(places) == len(set(places))
    assert set(re.findall(r"\{(\w+)\}", SAID[english])) <= set(places)
    assert re.search(r"[\u4e00-\u9fff]", SAID[english])
