"""A lock is one process's, until it lets go or ends."""

import os
import signal
import sys

import pytest

from eyespot.locks import FileLock

NAME = "a.lock"


def test_only_one_has_the_lock_until_it_is_let_go(tmp_path):
    first = FileLock.taken(tmp_path / NAME)
    assert first
    assert FileLock.taken(tmp_path / NAME) is None
    first.let_go()
    second = FileLock.taken(tmp_path / NAME)
    assert second
    second.let_go()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_gone_gives_no_lock(tmp_path):
    assert FileLock.taken(tmp_path / "gone" / NAME) is None


@pytest.mark.skipif(sys.platform == "win32", reason="it takes what Windows does not have")
def test_a_lock_on_a_file_that_was_deleted_meanwhile_is_none(tmp_path, monkeypatch):
    monkeypatch.setattr("eyespot.locks._is_locked_now", lambda descriptor: (tmp_path / NAME).unlink() is None)
    assert FileLock.taken(tmp_path / NAME) is None


@pytest.mark.skipif(os.name == "nt", reason="no fork, no SIGKILL")
def test_a_process_that_is_killed_lets_go(tmp_path):
    heard, said = os.pipe()
    child = os.fork()
    if child == 0:
        FileLock.taken(tmp_path / NAME)
        os.write(said, b"x")
        signal.pause()
    os.read(heard, 1)
    assert FileLock.taken(tmp_path / NAME) is None
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert (tmp_path / NAME).exists()
    lock = FileLock.taken(tmp_path / NAME)
    assert lock
    lock.let_go()
