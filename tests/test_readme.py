"""Every command and every Python snippet of the README and of docs/ is run, in a folder of drawn pictures."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, chdir, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import forked
import pytest
from click.testing import CliRunner
from course_page import chapters, numbers, prose

import eyespot
from eyespot.cli.main import main
from eyespot.data.drawn_shapes import CLASSES
from eyespot.exporting.web_runtime import kept_in

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
TRANSLATED = (ROOT / "README.zh.md", *sorted((ROOT / "docs/zh").glob("*.md")))
"""Their commands are those of a page in English, see test_course.py, and run once."""
SCRIPTS = ("scripts/setup", "scripts/test", "scripts/check", "scripts/fuzz", "scripts/lock", ".ci/run")

INSTALL = 'python3 -m venv .venv && .venv/bin/pip install -c constraints.txt -e ".[train]"'
TEST_SETUP = "scripts/test"
WEB_RUNTIME = os.environ.get("EYESPOT_TEST_RUNTIME")
"""A folder with onnxruntime-web, which tests do not fetch."""
DOWNLOADS = "eyespot export runs/train/photos --format web --out site --download"
"""Not run without that folder: it would use the network."""
NOT_RUN = {
    *(() if WEB_RUNTIME else (DOWNLOADS,)),
    INSTALL,
    TEST_SETUP,
    "export PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu",
    r'py -3.11 -m venv .venv; .venv\Scripts\pip install -c constraints.txt -e ".[train]"; '
    r".venv\Scripts\eyespot train digits",
    r'.venv\Scripts\pip install -c constraints.txt -e ".[train,dev]"; .venv\Scripts\python -m pytest',
    "source .venv/bin/activate",
    "python3 -m venv small && small/bin/pip install -c constraints.txt . && "
    "small/bin/eyespot predict runs/train/photos new/",
}
"""Commands that install, fetch, or change the shell: word for word, so that a new one has to be looked at."""
OF_THIS_MACHINE = ("eyespot info", "eyespot cache")
"""Commands whose answer is another on every machine: only the labels of its lines are compared."""
SOMETIMES = "Trainings"
"""The label of a line that these have only where one was remembered, which a clock decides."""

WITH_NUMBERS = ("docs/convolution.md", "docs/course.md")
"""Pages whose console blocks are compared with their numbers: sums that come out alike everywhere."""
IN_THIS_PROCESS = ("docs/course.md", "docs/labs.md")
"""Pages of many short commands: a new process for each would take longer than what it does."""
AS_TYPED = ("README.md",)
"""Pages whose programs are started as a reader starts them. Those of others are forked, see `forked.py`."""

LEFT_OUT = "..."
"""A line of a console block that stands for any lines of what a command prints."""
SAMPLE = "eyespot sample shapes ."
"""Makes the pictures that the pages use, unless one of them does."""
IN_A_TEST = {
    " --runs 3 --seconds 0.5": " --runs 1 --seconds 0.05",  # what `eyespot benchmark` measures is not looked at
    "eyespot train digits --name student": "eyespot train digits --epochs 2 --name student",  # nor what a layer found
}
"""What of a command is shorter here than on its page."""
ADDED = "eyespot add runs/train/photos more/"
FEW = 3
"""Pictures of each class that are added: with all of them there are enough to go on and better the model."""
TIMEOUT_SECONDS = 300
SERVED_PORT = "8000"
"""The port that pages show; the tests' servers take free ones."""


@dataclass(frozen=True)
class Snippet:
    """A command, or the Python of a block, with what the page says it prints."""

    page: str
    line: int
    language: str
    text: str
    printed: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def snippets(page: Path) -> Iterator[Snippet]:
    """The snippets of a page in order. Blocks without a language, or of `text`, show something and are not run."""
    name = page.relative_to(ROOT).as_posix()
    text = page.read_text(encoding="utf-8")
    for block in re.finditer(r"^```([a-z]*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        language, content = block.groups()
        line = text[: block.start()].count("\n") + 2
        if language == "python":
            yield Snippet(name, line, language, content)
        elif language in ("sh", "powershell"):
            for number, command in enumerate(content.splitlines()):
                if command.strip():
                    yield Snippet(name, line + number, language, command.strip())
        elif language == "console":
            yield from _console(name, line, content.splitlines())
        else:
            assert language in ("", "text", "json"), f"{name}:{line}: no test knows the language {language!r}"


def _console(name: str, line: int, lines: list[str]) -> Iterator[Snippet]:
    starts = [number for number, text in enumerate(lines) if text.startswith("$ ")]
    assert starts[:1] == [0], f"{name}:{line}: a console block begins with a command, `$ ...`"
    for start, stop in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield Snippet(name, line + start, "console", lines[start][2:], tuple(lines[start + 1 : stop]))


ALL = [snippet for page in PAGES for snippet in snippets(page)]
RUN = [snippet for snippet in ALL if snippet.text not in NOT_RUN and "\nLAB = " not in snippet.text]
"""All but the file of a lab, which test_course.py runs."""


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[Snippet, subprocess.CompletedProcess[str]]:
    """What every snippet did, all run in order in one folder: later ones use the runs of earlier ones."""
    folder = tmp_path_factory.mktemp("readme")
    if SAMPLE not in [each.text for each in RUN]:
        eyespot.sample("shapes", folder)
    cache = tmp_path_factory.mktemp("cache")
    if WEB_RUNTIME:
        shutil.copytree(WEB_RUNTIME, kept_in(cache))
    environment = _environment(cache)
    done: dict[Snippet, subprocess.CompletedProcess[str]] = {}
    with forked.programs() as run, ExitStack() as servers:
        port, page = SERVED_PORT, ""
        for snippet in RUN:
            if snippet.page != page:
                servers.close()  # a server runs to the end of its page
                page = snippet.page
            if snippet.text.startswith(("eyespot serve", "eyespot studio")):
                server = servers.enter_context(_server(snippet, cwd=folder, env=environment))
                done[snippet] = subprocess.CompletedProcess([], 0, "".join(_first_lines(server)), "")
                port = re.findall(r"http://127.0.0.1:(\d+)", done[snippet].stdout)[0]
                continue
            if snippet.text.startswith("curl ") and shutil.which("curl") is None:
                continue
            if snippet.page in IN_THIS_PROCESS:
                done[snippet] = _done_here(snippet, cwd=folder, env=environment)
                continue
            if snippet.text == ADDED:
                _leave_few(folder / "more")
            command = _arguments(replace(snippet, text=_shorter(snippet.text.replace(f":{SERVED_PORT}/", f":{port}/"))))
            if snippet.page in AS_TYPED or command[0] != sys.executable:
                done[snippet] = _typed(command, cwd=folder, env=environment)
            else:
                done[snippet] = run(command[1:], cwd=folder, env=environment)
    return done


def _shorter(text: str) -> str:
    for shown, run in IN_A_TEST.items():
        text = text.replace(shown, run)
    return text


def _leave_few(folder: Path) -> None:
    for each in folder.iterdir():
        for picture in sorted(each.iterdir())[FEW:]:
            picture.unlink()


def _environment(cache: Path) -> dict[str, str]:
    return os.environ | {
        "EYESPOT_CACHE": str(cache),
        "PYTHONUTF8": "1",
        "NO_COLOR": "1",
        "COLUMNS": "100",
        "OMP_NUM_THREADS": "1",  # as fast for a LeNet-5, and not ten times slower beside another busy process
    }


def _typed(command: list[str], *, cwd: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, text=True, encoding="utf-8", timeout=TIMEOUT_SECONDS
    )


def _done_here(snippet: Snippet, *, cwd: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    with chdir(cwd):
        ended = CliRunner().invoke(main, shlex.split(snippet.text)[1:], env=env)
    return subprocess.CompletedProcess([], ended.exit_code, ended.stdout, ended.stderr)


@contextmanager
def _server(snippet: Snippet, *, cwd: Path, env: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """The server that a snippet starts, on a free port."""
    command = [*_arguments(snippet), "--port", "0"]
    with subprocess.Popen(command, cwd=cwd, env=env, stdout=subprocess.PIPE, text=True, encoding="utf-8") as server:
        try:
            yield server
        finally:
            server.terminate()


def _first_lines(server: subprocess.Popen[str]) -> Iterator[str]:
    """What it says until it listens."""
    assert server.stdout is not None
    for line in server.stdout:
        yield line
        if line.startswith("Stop"):
            return


def _arguments(snippet: Snippet) -> list[str]:
    if snippet.language == "python":
        return [sys.executable, "-c", snippet.text]
    command, *arguments = shlex.split(snippet.text)
    if command == "python":
        return [sys.executable, str(ROOT / arguments[0]), *arguments[1:]]
    if command == "curl":
        return [command, *arguments]
    if command not in ("eyespot", ".venv/bin/eyespot"):
        return [sys.executable, "-c", f"raise SystemExit('no test knows the command {command}')"]
    return [sys.executable, "-m", "eyespot", *arguments]


def _without_numbers(lines: list[str] | tuple[str, ...], command: str) -> list[str]:
    """What has to be the same on every machine."""
    if command.startswith(OF_THIS_MACHINE):
        return [label for line in lines if (label := line[:12].strip()) != SOMETIMES]
    if command.startswith(("eyespot predict", "python examples/standalone_predict.py", "curl")):
        lines = [re.sub("|".join(CLASSES), "CLASS", line) for line in lines]  # rounding decides between close answers
    if command.startswith("curl"):
        lines = [re.sub(r'"fingerprint": "\w+"', "FINGERPRINT", line) for line in lines]
    if command.startswith("eyespot studio"):
        lines = [re.sub(r"picture=\S+", "picture=PICTURE", line) for line in lines]
    if command.startswith("eyespot compare"):
        lines = [re.sub(r"[+-](?=\d)", "", line) for line in lines]
    if command.startswith("eyespot export"):
        lines = [line for line in lines if "bf16" not in line]  # compared where the processor has it
    return [re.sub(r" +", " ", re.sub(r"\d+(\.\d+)?(e-\d+)?", "#", line)) for line in lines]


@pytest.mark.parametrize("snippet", RUN, ids=str)
def test_does_what_the_page_says(snippet: Snippet, answers: dict[Snippet, subprocess.CompletedProcess[str]]) -> None:
    if snippet not in answers:
        pytest.skip("there is no curl here")
    answer = answers[snippet]
    assert answer.returncode == 0, f"{snippet.text}\n{answer.stdout}{answer.stderr}"
    if snippet.printed:
        printed = answer.stdout.splitlines()
        if snippet.page in WITH_NUMBERS:
            assert _shown_of(printed, list(snippet.printed)) == list(snippet.printed)
        shown = _without_numbers(snippet.printed, snippet.text)
        assert _shown_of(_without_numbers(printed, snippet.text), shown) == shown


@pytest.mark.parametrize("chapter", chapters((ROOT / "docs/course.md").read_text("utf-8")))
def test_numbers_of_the_course_come_out_of_its_commands(
    chapter: str, answers: dict[Snippet, subprocess.CompletedProcess[str]]
) -> None:
    """Out of those of the chapter, or they stand on a page that it links to."""
    text = chapters((ROOT / "docs/course.md").read_text("utf-8"))[chapter]
    run = [each for each in RUN if each.page == "docs/course.md" and each.text in text]
    known = [*(each.text for each in run), *(answers[each].stdout for each in run)]
    known += [(ROOT / "docs" / page).read_text("utf-8") for page in re.findall(r"\]\(([^:)#]+\.md)", text)]
    assert set(numbers(prose(text))) - set(numbers(" ".join(known))) == set()


def _shown_of(printed: list[str], shown: list[str]) -> list[str]:
    """What was printed, with LEFT_OUT in place of the lines that a page leaves out; all of it where they do not fit."""
    if LEFT_OUT not in shown:
        return printed
    fits = "".join(r"(?:.*\n)*" if line == LEFT_OUT else re.escape(f"{line}\n") for line in shown)
    return shown if re.fullmatch(fits, "".join(f"{line}\n" for line in printed)) else printed


def test_lines_that_a_page_leaves_out_may_be_any() -> None:
    assert _shown_of(["a", "b", "c"], ["a", LEFT_OUT]) == ["a", LEFT_OUT]
    assert _shown_of(["a", "c"], ["a", LEFT_OUT, "c"]) == ["a", LEFT_OUT, "c"]
    assert _shown_of(["a", "b"], [LEFT_OUT, "a"]) == ["a", "b"]
    assert _shown_of(["a", "b"], ["a"]) == ["a", "b"]


def test_the_pages_show_every_verb() -> None:
    from eyespot.cli.main import COMMANDS

    shown = {snippet.text.split()[1] for snippet in RUN if snippet.text.startswith("eyespot ")}
    assert sorted(set(COMMANDS) - shown) == []


def test_the_readme_is_short() -> None:
    said = (ROOT / "README.md").read_text(encoding="utf-8").partition("\n## More\n")[0]
    assert len(said.split()) <= 1300


def test_every_figure_of_the_readme_is_in_the_table_of_figures_with_its_program() -> None:
    """A row names one program or more; its numbers stand in the rows of these programs in docs/figures.md."""
    table = (ROOT / "docs/figures.md").read_text(encoding="utf-8").splitlines()
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("\n## Figures\n")[2]
    rows = re.findall(r"^\| .* \| (\d.*) \| (`.*\.py`) \|$", section, re.MULTILINE)
    assert len(rows) == 5
    for figures, programs in rows:
        named = re.findall(r"`(\w+\.py)`", programs)
        assert all((ROOT / "benchmarks" / program).is_file() for program in named)
        known = " ".join(line for line in table if any(f"`{program}`" in line for program in named))
        assert set(re.findall(r"\d+(?:\.\d+)?", figures)) <= set(re.findall(r"\d+(?:\.\d+)?", known))


@pytest.mark.parametrize(("page", "unit"), [("README.md", "s"), ("README.zh.md", "秒")])
def test_the_seconds_told_in_the_readmes_stand_in_the_table_of_figures(page: str, unit: str) -> None:
    known = re.findall(r"[\d.]+(?= s\b)", (ROOT / "docs/figures.md").read_text(encoding="utf-8"))
    told = re.findall(rf"[\d.]+(?= {unit}(?:\W|[^\x00-\x7f]))", (ROOT / page).read_text(encoding="utf-8"))
    assert set(told)
    assert set(told) <= set(known)


def test_every_command_that_is_not_run_still_stands_on_a_page() -> None:
    assert set() == NOT_RUN - {snippet.text for snippet in ALL}


def test_the_set_up_commands_are_the_first_that_the_readme_shows() -> None:
    assert [snippet.text for snippet in ALL[:2]] == [INSTALL, "source .venv/bin/activate"]


def test_the_scripts_install_as_the_readme_says() -> None:
    setup = (ROOT / "scripts/setup").read_text(encoding="utf-8")
    assert ":-.venv}" in setup
    assert "-m venv" in setup
    assert '-m pip install --quiet -c constraints.txt -e ".[train,dev]"' in setup
    assert "scripts/setup" in (ROOT / "scripts/test").read_text(encoding="utf-8")


def test_ci_ends_with_the_readmes_test_command() -> None:
    assert (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()[-1] == TEST_SETUP


@pytest.mark.skipif(os.name == "nt", reason="Windows has no executable bit")
def test_scripts_can_be_run() -> None:
    assert [name for name in SCRIPTS if not os.access(ROOT / name, os.X_OK)] == []


def test_every_link_to_a_file_leads_to_one() -> None:
    pages = (*PAGES, *TRANSLATED, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md")
    links = [
        (page, target)
        for page in pages
        for target in re.findall(r"(?:\]\(|src=\")([^)#\"]+)", page.read_text(encoding="utf-8"))
        if "://" not in target
    ]
    assert len(links) > 5
    assert [f"{page.name}: {target}" for page, target in links if not (page.parent / target).exists()] == []


def test_the_pictures_are_small() -> None:
    assert [p.name for p in (ROOT / "docs/images").glob("*.png") if p.stat().st_size > 200_000] == []
