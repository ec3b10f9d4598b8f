"""A process that imports the modules it is told, and then forks for every program that it reads of: see `forked.py`.

python forking_child.py MODULE...

A line on its standard input is JSON: `words` (of a Python command, without Python's own), `folder`, `environment`,
`printed` and `complained` (files for what the program writes), and `seconds`, after which it is killed. For each it
answers with a line, the exit status; that of a signal is negative.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import runpy
import signal
import sys
import threading
import traceback
from types import ModuleType
from typing import Any, NoReturn


def main() -> None:
    for name in sys.argv[1:]:
        importlib.import_module(name)
    gc.freeze()  # else each child would copy what it looks through
    while line := sys.stdin.readline():
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            end_of(asked)
        signal.signal(signal.SIGALRM, lambda *_, child=child: os.kill(child, signal.SIGKILL))
        signal.alarm(asked["seconds"])
        _, status = os.waitpid(child, 0)
        signal.alarm(0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def end_of(asked: dict[str, Any]) -> NoReturn:
    """Ends as Python does, except that it does not take apart what was imported: that costs more than most programs."""
    status: Any = 0
    try:
        become(asked)
    except SystemExit as end:
        status = end.code
    except BaseException:
        traceback.print_exc()
        status = 1
    threading._shutdown()  # waits for those that are no daemons
    atexit._run_exitfuncs()
    if isinstance(status, str):
        print(status, file=sys.stderr)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status if isinstance(status, int) else status is not None)


def become(asked: dict[str, Any]) -> None:
    """Go on as that program, to its end."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])
    for number, name in enumerate((os.devnull, asked["printed"], asked["complained"])):
        file = os.open(name, os.O_RDWR | os.O_CREAT)
        os.dup2(file, number)
        os.close(file)
    sys.stdin = os.fdopen(
        0, encoding="utf-8", closefd=False
    )  # what was read ahead of the old one is not for the program
    first, *others = asked["words"]
    if first == "-m":
        sys.argv, sys.path[0] = others, os.getcwd()
        runpy.run_module(others[0], run_name="__main__", alter_sys=True)
    elif first == "-c":
        sys.argv, sys.path[0] = ["-c", *others[1:]], ""
        sys.modules["__main__"] = ModuleType("__main__")
        exec(compile(others[0], "<string>", "exec"), vars(sys.modules["__main__"]))
    else:
        sys.argv, sys.path[0] = asked["words"], os.path.dirname(first)
        runpy.run_path(first, run_name="__main__")


if __name__ == "__main__":
    main()
