"""The command `eyespot`, and `python -m eyespot`."""

import atexit
import gc
import os
import time

from eyespot import asked

WHILE_IMPORTING, AFTERWARDS = 200_000, 50_000
"""New objects after which garbage is searched for. Imports make many that stay, and looking at them costs 100 ms."""


def main() -> None:
    """Runs the command line. It begins with Ctrl-C: importing the rest takes long enough to be interrupted."""
    asked.COMMAND.set(time.perf_counter())
    gc.set_threshold(WHILE_IMPORTING)
    gc.callbacks.append(_more_often)
    atexit.register(gc.freeze)  # nor is what is left at the end searched
    try:
        from eyespot.cli import ctrl_c, streams

        ctrl_c.listen()
        streams.prepare()
    except KeyboardInterrupt:
        os.write(2, b"eyespot: stopped\n")
        os._exit(130)
    from eyespot.cli.main import main as command

    try:
        command(prog_name="eyespot")
    except SystemExit as end:
        streams.finish(end.code)
    except OSError:
        if streams.output_failed() is None:
            raise
        streams.finish(streams.LOST)


def _more_often(phase: str, info: dict[str, int]) -> None:
    """Called by the first search: what work leaves behind may be large."""
    gc.set_threshold(AFTERWARDS)
    gc.callbacks.remove(_more_often)


if __name__ == "__main__":
    main()
