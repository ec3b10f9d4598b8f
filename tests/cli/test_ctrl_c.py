"""Ctrl-C at chosen instants of real processes: while a package is imported, while an object goes, before and after."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from unmeasured import unmeasured

from eyespot.cli import ctrl_c

pytestmark = pytest.mark.skipif(os.name == "nt", reason="sends SIGINT")

OURS = ("cli", "cli.main", "errors", "cli.show", "recipes.train", "bundle.files")
OTHERS = (
    "click",
    "numpy",
    "pydantic",
    "sqlite3",
    "PIL",
    "PIL.Image",
    "openvino",
    "openvino._pyopenvino",
    "onnx",
)
PACKAGES = (*(f"eyespot.{name}" for name in OURS), *OTHERS)
INTERRUPT_WHEN_IMPORTED = """
import os, signal, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == os.environ["INTERRUPT_AT"]:
            del sys.meta_path[0]
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Finder())
"""
WORK = """
import signal, sys, time
from eyespot.cli import ctrl_c
ctrl_c.listen()
with ctrl_c.as_exception():
    try:
        {work}
        for _ in range(500): time.sleep(0.01)
    except KeyboardInterrupt:
        print("heard")
"""


def python(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        env=unmeasured() | environment,  # what measures has imported some packages before
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored where tests run in the background
    )


@pytest.mark.parametrize("package", PACKAGES)
def test_while_a_package_is_imported_it_is_one_sentence(package, split_photos, split_run, shared_cache, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(INTERRUPT_WHEN_IMPORTED)
    path = os.pathsep.join([str(tmp_path), *sys.path])
    command = ["-m", "eyespot", "train", split_photos, "--out", tmp_path / "runs"]
    done = python(*command, PYTHONPATH=path, INTERRUPT_AT=package)
    assert done.returncode == 130, done.stderr
    assert done.stderr.startswith("eyespot: stopped")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
    assert not (tmp_path / "runs").exists()


def test_an_import_that_turns_it_into_another_error_cannot_hide_it(tmp_path):
    (tmp_path / "hides.py").write_text(
        "import signal\n"
        "try:\n    signal.raise_signal(signal.SIGINT)\n"
        "except KeyboardInterrupt:\n    raise ImportError('initialization failed')\n"
    )
    done = python("-c", WORK.format(work="import hides"), PYTHONPATH=os.pathsep.join([str(tmp_path), *sys.path]))
    assert (done.stdout, done.stderr) == ("heard\n", "")


def test_it_is_heard_where_the_checks_of_a_record_are_compiled(tmp_path):
    (tmp_path / "record.py").write_text(
        "import signal\nfrom pydantic import BaseModel, ConfigDict\n"
        "class Odd:\n"
        "    @classmethod\n"
        "    def __get_pydantic_core_schema__(cls, source, handler):\n"
        "        try:\n            signal.raise_signal(signal.SIGINT)\n"
        "        except KeyboardInterrupt:\n            raise ValueError('error building a validator')\n"
        "        return handler(int)\n"
        "class Record(BaseModel):\n    model_config = ConfigDict(defer_build=True)\n    odd: Odd\n"
    )
    done = python(
        "-c",
        WORK.format(work="import record; record.Record(odd=1)"),
        PYTHONPATH=os.pathsep.join([str(tmp_path), *sys.path]),
    )
    assert (done.stdout, done.stderr) == ("heard\n", "")


def test_it_is_not_lost_while_an_object_is_destroyed():
    work = "type('Thing', (), {'__del__': lambda self: signal.raise_signal(signal.SIGINT)})()"
    done = python("-c", WORK.format(work=work), PYTHONPATH=os.pathsep.join(sys.path))
    assert (done.stdout, done.stderr) == ("heard\n", "")


@pytest.mark.parametrize("place", ["before", "after"])
def test_outside_work_it_ends_the_process_on_the_spot(place):
    before, after = ("signal.raise_signal(signal.SIGINT)", "") if place == "before" else ("", "signal.raise_signal(2)")
    code = f"import signal\nfrom eyespot.cli import ctrl_c\nctrl_c.listen()\n{before}\nwith ctrl_c.as_exception(): pass"
    done = python("-c", f"{code}\n{after}\nprint('went on')", PYTHONPATH=os.pathsep.join(sys.path))
    assert (done.returncode, done.stdout, done.stderr) == (ctrl_c.STATUS, "", f"{ctrl_c.SENTENCE}\n")


def test_a_process_that_ignores_it_goes_on_ignoring_it():
    code = (
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "from eyespot.cli import ctrl_c\nctrl_c.listen()\nsignal.raise_signal(signal.SIGINT)\nprint('went on')"
    )
    assert python("-c", code, PYTHONPATH=os.pathsep.join(sys.path)).stdout == "went on\n"


def test_the_installed_command_listens_from_its_first_line():
    project = Path(__file__).parents[2] / "pyproject.toml"
    assert 'eyespot = "eyespot.__main__:main"' in project.read_text(encoding="utf-8")
