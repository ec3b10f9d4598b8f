"""A process that writes batches into a store and says so, to be killed by `test_store.py`.

python store_child.py FOLDER LIFE MAX_BYTES CACHE_PAGES KILL_BATCH KILL_SECONDS

LIFE: an integer that tells this process's keys from others'.
CACHE_PAGES: SQLite's page cache; with a small one pages reach the file before the commit.
KILL_BATCH: the batch in whose commit the process kills itself, KILL_SECONDS after the commit began; -1: it does not.

Without arguments it reads them, a line of JSON for each process, one after the other. It forks for each, so that its
imports are done; that process says `life` and its number first, and this one in the end `ended` and its exit status.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import sys
import threading
import time
from pathlib import Path

import numpy as np

from eyespot.data.store import Store
from eyespot.data.store_values import key_of

BATCHES = 20
ARRAYS = 16


def batch(life: int, number: int) -> dict[str, np.ndarray]:
    """The arrays of one batch under their keys: the same in every process."""
    first = np.arange(1280, dtype=np.float32) + 1000 * number + 100_000 * life
    return {key_of(life=life, batch=number, item=item): first + item for item in range(ARRAYS)}


def say(line: str) -> None:
    """Write one line in one piece, whatever happens next."""
    os.write(1, f"{line}\n".encode())


def kill_myself(seconds: float) -> None:
    time.sleep(seconds)
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


def kill_myself_in_the_next_commit(connection: sqlite3.Connection, seconds: float) -> threading.Thread:
    killer = threading.Thread(target=kill_myself, args=[seconds])
    connection.set_trace_callback(lambda statement: killer.start() if statement == "COMMIT" else None)
    return killer


def main(folder: str, *numbers: str) -> None:
    life, max_bytes, cache_pages, kill_batch = map(int, numbers[:4])
    store = Store(Path(folder), max_bytes=max_bytes)
    connection = store._connect()
    connection.execute(f"PRAGMA cache_size = {cache_pages}")
    say("ready")
    for number in range(BATCHES):
        if number == kill_batch:
            killer = kill_myself_in_the_next_commit(connection, float(numbers[4]))
        say(f"started {number}")
        store.put(batch(life, number))
        say(f"committed {number}")
        if number == kill_batch:
            killer.join()
    if kill_batch == -1:
        sys.stdin.read()


def one_after_the_other() -> None:
    waiting, alive = os.pipe()
    while line := sys.stdin.readline():
        child = os.fork()
        if child == 0:
            os.close(alive)
            os.dup2(waiting, 0)  # ends where the parent does
            sys.stdin = os.fdopen(0, closefd=False)
            say(f"life {os.getpid()}")
            return main(*json.loads(line))
        say(f"ended {os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}")
    return None


if __name__ == "__main__":
    main(*sys.argv[1:]) if sys.argv[1:] else one_after_the_other()
