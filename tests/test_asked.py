"""A command's time begins with its process, a function's when it is called."""

from __future__ import annotations

import subprocess
import sys
import time

from eyespot import asked


def test_a_function_is_asked_for_when_it_is_called():
    before = time.perf_counter()
    assert before <= asked.began() <= time.perf_counter()


def test_a_command_is_asked_for_when_its_process_begins():
    code = (
        "import atexit, sys, time; before = time.perf_counter(); sys.argv = ['eyespot', '--version']\n"
        "from eyespot import __main__, asked\n"
        "atexit.register(lambda: print(before < asked.began() == asked.began()))\n"
        "__main__.main()"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.splitlines()[-1] == "True"
