"""Forked programs are as those that begin with their imports: what they see, what they say, how they end."""

from __future__ import annotations

import os
import signal

import pytest
from forked import _from_nothing, programs

SEEN = """
import json, os, signal, sys, threading
here = {"name": __name__, "argv": sys.argv, "folder": os.getcwd(), "path": sys.path[0] in ("", os.getcwd())}
here |= {"given": os.environ.get("GIVEN"), "threads": threading.active_count(), "in": sys.stdin.read()}
here |= {"signals": [str(signal.getsignal(number)) for number in (signal.SIGALRM, signal.SIGTERM, signal.SIGINT)]}
print(json.dumps(here))
"""
LEAVES_MUCH = """
import os, signal, sys
os.environ["GIVEN"] = "of the one before"
os.chdir("/")
signal.signal(signal.SIGTERM, signal.SIG_IGN)
sys.modules["json"] = None
"""


@pytest.fixture(scope="module")
def run():
    with programs(imported=["json"]) as found:
        yield found


@pytest.fixture
def both(run, tmp_path):
    """What a forked program gives, which has to be what the same gives that begins with its imports."""

    def _both(*words: object, **given: str):
        env = {**os.environ, **given}
        found, expected = (way(words, cwd=tmp_path, env=env) for way in (run, _from_nothing))
        assert (found.returncode, found.stdout) == (expected.returncode, expected.stdout)
        assert found.stderr.splitlines()[-1:] == expected.stderr.splitlines()[-1:]
        return found

    return _both


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_program_sees_what_it_would_see_alone_and_nothing_of_the_one_before(both, run, tmp_path):
    (tmp_path / "program.py").write_text(SEEN)
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__main__.py").write_text(SEEN)
    for words in (("-c", SEEN), ("program.py",), ("-m", "package")):
        assert run(["-c", LEAVES_MUCH], cwd=tmp_path, env=os.environ).returncode == 0
        assert '"given": "mine"' in both(*words, "one", "two three", GIVEN="mine").stdout


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("print(1)", 0),
        ("raise SystemExit(3)", 3),
        ("raise SystemExit('a sentence')", 1),
        ("raise SystemExit(None)", 0),
        ("1/0", 1),
        ("import atexit; atexit.register(print, 'at the end')", 0),
        ("import threading, time; threading.Timer(0.1, print, ['from a thread']).start()", 0),
        ("import os; os._exit(7)", 7),
    ],
)
def test_it_ends_as_it_would_alone(code, status, both):
    assert both("-c", code).returncode == status


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_signal_that_ends_it_is_told(both):
    code = "import os, signal; print('before', flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    assert both("-c", code).returncode == -signal.SIGKILL
