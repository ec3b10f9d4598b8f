"""The store: what comes back is what was put, whatever is killed, damaged, full or busy meanwhile."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pydantic import BaseModel
from store_child import BATCHES, batch
from unmeasured import unmeasured

from eyespot.data import store_file
from eyespot.data.store import VALUES, Store
from eyespot.data.store_file import APPLICATION_ID, FILE_NAME, VERSION
from eyespot.data.store_values import DTYPES, Value, key_of, unpack
from eyespot.errors import StoreError

CHILD = Path(__file__).parents[1] / "store_child.py"
HOUR = 3600
KILLS = 200
JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")  # https://www.sqlite.org/fileformat2.html, section 3


class Resize(BaseModel):
    """A record of this test's own, so that its key stays."""

    size_hw: tuple[int, int] = (224, 224)
    filter: str = "bicubic"
    scale: float = 127.5
    reduced: bool = False


class Clock:
    """Seconds since 1970, standing still until moved."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


def floats(count: int, value: float = 1.0) -> np.ndarray:
    return np.full(count, value, np.float32)


def same(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> bool:
    return found.keys() == expected.keys() and all(
        found[key].dtype == array.dtype and found[key].shape == array.shape and found[key].tobytes() == array.tobytes()
        for key, array in expected.items()
    )


def change_file(folder: Path, *statements: str) -> None:
    """Run SQL on the store's file behind the store's back."""
    with closing(sqlite3.connect(folder / FILE_NAME, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def check(store: Store) -> None:
    """Fails where SQLite, the total or any checksum says that the store's file is damaged."""
    connection = store._connect()
    connection.execute("BEGIN")  # all questions see one state of the file
    try:
        assert connection.execute("PRAGMA integrity_check(3)").fetchall() == [("ok",)]
        [(held, total)] = connection.execute("SELECT coalesce(sum(bytes), 0), (SELECT bytes FROM total) FROM entries")
        assert held == total
        stored = (Value(*fields) for _, _, *fields in connection.execute(VALUES))
        assert [value.key for value in stored if unpack(value) is None] == []
    finally:
        connection.execute("ROLLBACK")


# What goes in comes out


@pytest.fixture(scope="module")
def lasting(tmp_path_factory):
    with Store(tmp_path_factory.mktemp("lasting")) as store:
        yield store


@settings(max_examples=60, deadline=None)
@given(
    array=st.sampled_from(sorted(DTYPES)).flatmap(
        lambda name: hnp.arrays(np.dtype(name), hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5))
    )
)
def test_every_dtype_and_shape_comes_back_bit_for_bit_and_read_only(lasting, array):
    lasting.put({"key": array})
    found = lasting.get(["key", "another"])
    assert same(found, {"key": array})
    assert not found["key"].flags.writeable


def test_arrays_that_are_not_contiguous_or_of_another_byte_order_come_back_equal(tmp_path):
    array = np.arange(24, dtype=">i4").reshape(4, 6)[::2, ::-1].T
    with Store(tmp_path) as store:
        store.put({"key": array})
        assert np.array_equal(store.get(["key"])["key"], array)


def test_what_the_store_has_is_told_without_reading_it(tmp_path):
    keys = [f"key {number}" for number in range(2500)]  # more than one question
    with Store(tmp_path) as store:
        assert store.has(keys) == set()
        store.put({key: floats(1) for key in keys[::2]})
        assert store.has(keys) == set(keys[::2])
        change_file(tmp_path, "DELETE FROM payloads")
        assert store.has(keys[:3]) == {keys[0], keys[2]}


def test_values_outlive_the_store_object(tmp_path):
    with Store(tmp_path) as store:
        store.put({"a": floats(3)})
    with Store(tmp_path) as store:
        assert same(store.get(["a"]), {"a": floats(3)})


def test_get_answers_in_the_order_of_the_keys_over_many_chunks(tmp_path):
    arrays = {key_of(item=item): floats(2, item) for item in range(1300)}
    keys = list(arrays)
    random.Random(0).shuffle(keys)
    with Store(tmp_path) as store:
        store.put(arrays)
        found = store.get([*keys, "missing"])
    assert list(found) == keys
    assert same(found, arrays)


def test_put_replaces_and_counts_the_bytes_once(tmp_path):
    with Store(tmp_path) as store:
        store.put({"a": floats(100), "b": floats(1)})
        store.put({"a": floats(10, 2.0)})
        assert same(store.get(["a"]), {"a": floats(10, 2.0)})
        size = store.size()
        assert (size.entries, size.bytes) == (2, 44)
        check(store)


@pytest.mark.parametrize(
    "array", [np.array([{"a": 1}]), np.array(["text"]), np.zeros(2, "M8[s]"), np.zeros(2, "f4,i4")]
)
def test_anything_but_plain_numbers_is_refused_and_nothing_of_its_batch_stays(tmp_path, array):
    with Store(tmp_path) as store:
        with pytest.raises(ValueError, match="the store keeps arrays of bool, uint8"):
            store.put({"good": floats(1), "bad": array})
        assert store.size().entries == 0


def test_nothing_asked_and_nothing_put_is_fine(tmp_path):
    with Store(tmp_path) as store:
        store.put({})
        assert store.get([]) == {}


@pytest.mark.parametrize("name", ["plain", "with space", "ünïcode-图片", "a#b?c=d%20&e", "it's", "[x]*"])
def test_any_folder_name_works_and_the_file_lies_in_it(tmp_path, name):
    folder = tmp_path / name / "deeper"
    with Store(folder) as store:
        store.put({"a": floats(1)})
        assert store.get(["a"])
        assert store.size().path == folder / FILE_NAME
    assert [path.name for path in folder.iterdir()] == [FILE_NAME]


def test_a_relative_folder_is_meant_from_where_the_store_was_opened(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Store(Path("cache")) as store:
        monkeypatch.chdir(tmp_path.parent)
        assert store.size().path == tmp_path / "cache" / FILE_NAME


def test_a_closed_store_cannot_be_used(tmp_path):
    store = Store(tmp_path)
    store.close()
    store.close()
    with pytest.raises(ValueError, match="is closed"):
        store.get(["a"])


# Size and eviction


def test_the_least_recently_used_goes_first(tmp_path):
    clock = Clock()
    with Store(tmp_path, max_bytes=3000, clock=clock) as store:
        for key in "abc":
            store.put({key: floats(250)})
            clock.now += HOUR
        store.get(["a"])
        store.put({"d": floats(250)})
        assert list(store.get(list("abcd"))) == ["a", "c", "d"]


def test_eviction_agrees_with_a_twin_in_memory(tmp_path):
    rng, clock = random.Random(3), Clock()
    twin: OrderedDict[str, np.ndarray] = OrderedDict()
    with Store(tmp_path, max_bytes=4000, clock=clock) as store:
        for step in range(300):
            clock.now += HOUR
            key = str(rng.randrange(25))
            if rng.random() < 0.5:
                assert same(store.get([key]), {key: twin[key]} if key in twin else {})
                if key in twin:
                    twin.move_to_end(key)
                continue
            array = floats(rng.randrange(1100), step)  # some are larger than the store
            store.put({key: array})
            twin.pop(key, None)
            if array.nbytes <= 4000:
                twin[key] = array
            while sum(kept.nbytes for kept in twin.values()) > 4000:
                twin.popitem(last=False)
            assert store.size().bytes == sum(kept.nbytes for kept in twin.values())
        assert same(
            store.get([str(key) for key in range(25)]), dict(sorted(twin.items(), key=lambda item: int(item[0])))
        )
        check(store)


def test_an_array_larger_than_the_store_is_left_out_and_its_predecessor_goes(tmp_path):
    with Store(tmp_path, max_bytes=1000) as store:
        store.put({"a": floats(10)})
        store.put({"a": floats(251), "b": floats(20)})
        assert list(store.get(["a", "b"])) == ["b"]


def test_a_batch_larger_than_the_store_leaves_its_last_arrays(tmp_path):
    with Store(tmp_path, max_bytes=1000) as store:
        store.put({"old": floats(1)})
        store.put({str(item): floats(100) for item in range(5)})
        assert list(store.get(["old", *"01234"])) == ["3", "4"]


@pytest.mark.parametrize("count", [1280, 640, 2048, 10, 40_000])
def test_the_file_stays_bounded_when_five_times_its_size_is_written(tmp_path, count):
    max_bytes = 2**22 if count > 10 else 2**17
    rng = np.random.default_rng(0)
    with Store(tmp_path, max_bytes=max_bytes, clock=Clock()) as store:
        store._connect().execute("PRAGMA synchronous = OFF")
        written = 0
        while written < 5 * max_bytes:
            arrays = {key_of(at=written, item=item): rng.random(count, np.float32) for item in range(32)}
            store.put(arrays)
            written += 32 * 4 * count
            assert store.size().bytes <= max_bytes
        assert store.get(list(arrays))
        assert store.size().file_bytes <= 1.3 * max_bytes + 2**21
        check(store)


def test_a_smaller_limit_applies_from_the_next_put(tmp_path):
    with Store(tmp_path) as store:
        store.put({str(item): floats(100) for item in range(10)})
    with Store(tmp_path, max_bytes=1200) as store:
        store.put({"new": floats(100)})
        assert list(store.get([*map(str, range(10)), "new"])) == ["8", "9", "new"]


def test_clear_removes_everything_gives_the_space_back_and_says_what_went(tmp_path):
    (tmp_path / f"{FILE_NAME}.damaged-3").write_bytes(b"earlier")
    with Store(tmp_path) as store:
        empty = store.size().file_bytes
        store.put({str(item): floats(10_000) for item in range(50)})
        removed = store.clear()
        assert (removed.entries, removed.bytes) == (50, 2_000_000)
        assert removed.file_bytes > 2_000_000
        assert store.size().file_bytes <= empty
        assert store.size().entries == 0
        assert store.get(["1"]) == {}
        check(store)
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


# Damage and versions


def test_a_value_whose_bytes_changed_is_never_returned_and_is_dropped(tmp_path):
    with Store(tmp_path) as store:
        store.put({"a": floats(4), "b": floats(4, 2.0)})
        change_file(tmp_path, "UPDATE payloads SET data = zeroblob(16) WHERE id = 1")
        with pytest.raises(AssertionError, match="'a'"):
            check(store)
        assert same(store.get(["a", "b"]), {"b": floats(4, 2.0)})
        assert store.size().entries == 1
        check(store)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE entries SET layout = 99",
        "UPDATE entries SET dtype = 'int32'",
        "UPDATE entries SET dtype = CAST(x'ff' AS TEXT)",
        "UPDATE entries SET shape = '2,2'",
        "UPDATE entries SET key = 'a' || substr(key, 2)",
        "UPDATE entries SET used = 'soon', bytes = 'many'",
        "UPDATE payloads SET data = 7",
        "DELETE FROM payloads",
    ],
)
def test_a_value_that_is_not_what_was_put_counts_as_not_there_and_can_be_put_again(tmp_path, change):
    with Store(tmp_path) as store:
        store.put({"b": floats(4)})
        change_file(tmp_path, change)
        found = store.get(["a", "b"])
        assert found == {} or same(found, {"b": floats(4)})
        store.put({"a": floats(4), "b": floats(4)})
        assert list(store.get(["a", "b"])) == ["a", "b"]


def test_a_file_that_is_no_database_is_set_aside_with_a_note_and_only_the_last_is_kept(tmp_path):
    for number in (1, 2):
        (tmp_path / FILE_NAME).write_bytes(b"not a database" * 1000)
        with Store(tmp_path) as store:
            assert store.notes == [
                f"{tmp_path / FILE_NAME} was damaged: "
                f"it is now {FILE_NAME}.damaged-{number}, and a new store was started"
            ]
            store.put({"a": floats(1)})
            assert store.get(["a"])
        assert [path.name for path in tmp_path.glob("*damaged*")] == [f"{FILE_NAME}.damaged-{number}"]


def test_a_file_that_is_damaged_while_open_is_replaced(tmp_path):
    arrays = {key_of(item=item): floats(1280, item) for item in range(64)}
    file = tmp_path / FILE_NAME
    with Store(tmp_path) as store:
        store.put(arrays)
    file.write_bytes(file.read_bytes()[:4096] + b"\xff" * (file.stat().st_size - 4096))
    with Store(tmp_path) as store, Store(tmp_path) as other:
        assert store.notes == []  # the first page is sound
        assert store.get(list(arrays)) == {}
        assert len(store.notes) == 1
        store.put(arrays)
        other.put({"other": floats(1)})  # its connection is to the file that was set aside
        assert store.get(["other"])
        assert other.notes == []
        assert same(other.get(list(arrays)), arrays)


@pytest.mark.parametrize("seed", range(30))
def test_whatever_bytes_are_changed_only_what_was_put_is_returned_and_the_store_goes_on(tmp_path, seed):
    rng = random.Random(seed)
    arrays = {key_of(item=item): floats(300, item) for item in range(100)}
    with Store(tmp_path) as store:
        store.put(arrays)
    spoil(tmp_path / FILE_NAME, rng)
    with Store(tmp_path, max_bytes=110_000, clock=lambda: time.time() + 2 * HOUR) as store:
        found = store.get(list(arrays))
        assert same(found, {key: arrays[key] for key in found})
        store.put({key_of(again=item): floats(300, item) for item in range(20)})
        store.put(arrays)
        found = store.get(list(arrays))
        assert same(found, {key: arrays[key] for key in found})
        store.clear()
        store.put(arrays)
        assert len(store.get(list(arrays))) >= 90
        check(store)


def spoil(file: Path, rng: random.Random) -> None:
    """Change some bytes of a file, or cut it short; the first 100 bytes say what file it is, and stay."""
    content = bytearray(file.read_bytes())
    if rng.random() < 0.2:
        content = content[: rng.randrange(100, len(content))]
    for _ in range(rng.choice([1, 3, 30, 300])):
        content[rng.randrange(100, len(content))] = rng.randrange(256)
    file.write_bytes(content)


def test_a_newer_version_is_refused_and_left_alone(tmp_path):
    Store(tmp_path).close()
    change_file(tmp_path, f"PRAGMA user_version = {VERSION + 1}")
    before = (tmp_path / FILE_NAME).read_bytes()
    with pytest.raises(StoreError, match=r"has version 2, .* upgrade eyespot"):
        Store(tmp_path)
    assert (tmp_path / FILE_NAME).read_bytes() == before


def test_an_older_version_is_emptied(tmp_path):
    change_file(
        tmp_path,
        "CREATE TABLE entries (other TEXT)",
        "CREATE TABLE 'odd name' (other TEXT)",
        f"PRAGMA application_id = {APPLICATION_ID}",
        f"PRAGMA user_version = {VERSION - 1}",
    )
    with Store(tmp_path) as store:
        store.put({"a": floats(1)})
        assert store.get(["a"])
        check(store)


@pytest.mark.parametrize("change", ["CREATE TABLE theirs (x)", "PRAGMA application_id = 7", "PRAGMA user_version = 5"])
def test_the_database_of_another_program_is_refused_and_left_alone(tmp_path, change):
    change_file(tmp_path, "PRAGMA journal_mode = WAL", change)
    before = (tmp_path / FILE_NAME).read_bytes()
    with pytest.raises(StoreError, match="belongs to another program"):
        Store(tmp_path)
    assert (tmp_path / FILE_NAME).read_bytes() == before


# No access, no space, no turn


def test_a_folder_that_cannot_be_made_is_a_store_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"cannot be written .* choose another cache folder"):
        Store(tmp_path / "file" / "cache")


def test_a_path_that_cannot_be_opened_is_a_store_error(tmp_path):
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(StoreError, match=r"cannot be written .* choose another cache folder"):
        Store(tmp_path)


def test_a_file_that_may_only_be_read_still_answers(tmp_path):
    clock = Clock()
    with Store(tmp_path, clock=clock) as store:
        store.put({"a": floats(1)})
        clock.now += 2 * HOUR
        store._connect().execute("PRAGMA query_only = ON")  # SQLite's answers are those for a read-only file
        assert store.get(["a"])
        with pytest.raises(StoreError, match=r"cannot be written .* make its folder writable"):
            store.put({"b": floats(1)})


def test_a_full_disk_is_a_store_error_and_the_store_goes_on(tmp_path):
    with Store(tmp_path) as store:
        store.put({"a": floats(1)})
        store._connect().execute("PRAGMA max_page_count = 20")
        with pytest.raises(StoreError, match=r"disk .* is full; free some space"):
            store.put({"a": floats(9), "b": floats(50_000)})
        assert same(store.get(["a", "b"]), {"a": floats(1)})
        store.put({"c": floats(1)})
        check(store)


def test_a_writer_that_waits_too_long_says_so_and_readers_do_not_wait_for_writers(tmp_path, monkeypatch):
    monkeypatch.setattr(store_file, "BUSY_SECONDS", 0.2)
    clock = Clock()
    with Store(tmp_path, clock=clock) as store, closing(sqlite3.connect(tmp_path / FILE_NAME)) as other:
        store.put({"a": floats(1)})
        clock.now += 2 * HOUR  # the read would like to be written down
        other.execute("BEGIN IMMEDIATE")
        start = time.perf_counter()
        assert store.get(["a"])
        assert time.perf_counter() - start < 0.15
        with pytest.raises(StoreError, match="kept busy by another process"):
            store.put({"b": floats(1)})
        other.rollback()
        store.put({"b": floats(1)})


# Threads and processes


def test_threads_share_one_store(tmp_path):
    with Store(tmp_path) as store:

        def work(life: int) -> bool:
            for number in range(4):
                store.put(batch(life, number))
            return all(same(store.get(list(batch(life, number))), batch(life, number)) for number in range(4))

        with ThreadPoolExecutor(8) as threads:
            assert all(threads.map(work, range(8)))
        assert store.size().entries == 8 * 4 * 16
        check(store)


def test_processes_create_one_store_and_write_to_it_at_once(tmp_path):
    children = [start_child(tmp_path, life, cache_pages=-2000) for life in range(4)]
    with Store(tmp_path) as store:
        while any(child.poll() is None for child in children):
            store.get(list(batch(0, 0)))  # reading meanwhile works
            for child in children:
                child.stdin.close()
            time.sleep(0.02)
        for life, child in enumerate(children):
            with child:
                assert child.stdout.read().count("committed") == BATCHES
                assert child.stderr.read() == ""
            for number in range(BATCHES):
                assert same(store.get(list(batch(life, number))), batch(life, number))
        check(store)
        assert store.notes == []


def test_processes_that_find_a_damaged_file_replace_it_once(tmp_path):
    (tmp_path / FILE_NAME).write_bytes(b"not a database" * 1000)
    children = [start_child(tmp_path, life, cache_pages=-2000) for life in range(4)]
    for child in children:
        with child:
            child.stdin.close()
            assert child.stdout.read().count("committed") == BATCHES
            assert child.stderr.read() == ""
    with Store(tmp_path) as store:
        assert store.size().entries == 4 * BATCHES * 16
        check(store)
    assert [path.name for path in tmp_path.glob("*damaged*")] == [f"{FILE_NAME}.damaged-1"]


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_fork_amid_writing_leaves_parent_and_child_a_working_store_each(tmp_path):
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            store.put(batch(0, number := number + 1))

    context = multiprocessing.get_context("fork")
    with Store(tmp_path) as store, ThreadPoolExecutor(1) as threads:
        writing = threads.submit(write)
        try:
            for life in range(1, 9):
                child = context.Process(target=store.put, args=[batch(life, 0)])
                child.start()
                child.join(60)
                assert child.exitcode == 0
                assert same(store.get(list(batch(life, 0))), batch(life, 0))
        finally:
            stop.set()
        writing.result(60)
        check(store)


# Killed at any instant


@dataclass(frozen=True)
class Life:
    """What a child said before it was killed: the batches it started to put, and those it saw committed."""

    number: int
    started: list[int]
    committed: list[int]


def start_child(folder: Path, life: int, *, cache_pages: int) -> subprocess.Popen[str]:
    return _child([folder, life, 2**30, cache_pages, -1, 0])


def _child(arguments: Sequence[object] = ()) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(CHILD), *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=unmeasured(),
    )


def live_and_die(parent: subprocess.Popen[str], folder: Path, number: int) -> Life:
    """A child that writes until it is killed: every third at any instant, the others while they commit."""
    rng = random.Random(number)
    kill_batch = -1 if number % 3 == 0 else rng.randrange(6)
    kill_seconds = rng.uniform(0, 0.1) if kill_batch == -1 else rng.choice([0, rng.uniform(0, 0.02)])
    cache_pages = rng.choice([10, -16384])
    arguments = (folder, number, 4 * 2**20, cache_pages, kill_batch, kill_seconds)
    print(json.dumps([str(each) for each in arguments]), file=parent.stdin, flush=True)
    first, process = parent.stdout.readline().split()
    assert first == "life"
    assert parent.stdout.readline() == "ready\n"
    if kill_batch == -1:
        time.sleep(kill_seconds)
        os.kill(int(process), signal.SIGKILL)
    words = []
    while not words or words[-1][0] != "ended":
        words.append(parent.stdout.readline().split())
    assert int(words[-1][1]) == -signal.SIGKILL
    said = {verb: [int(batch) for said, batch in words if said == verb] for verb in ("started", "committed")}
    return Life(number, **said)


def lost_batches(store: Store, life: Life) -> int:
    """How many of a life's batches must be embedded again; every other must be whole."""
    lost = []
    for number in life.started:
        expected = batch(life.number, number)
        found = store.get(list(expected))
        if found:
            assert same(found, expected), f"batch {number} of life {life.number} is there in part"
        else:
            lost.append(number)
    assert not set(lost) & set(life.committed), f"life {life.number} lost committed batches {lost}"
    return len(lost)


@pytest.mark.skipif(sys.platform == "win32", reason="it takes what Windows does not have")
def test_killed_at_200_instants_the_store_stays_sound_and_loses_at_most_the_batch_in_flight(tmp_path):
    """Two processes at a time write to one store and are killed; it is small, so that they also evict."""
    started = again = hot_journals = 0
    journal = tmp_path / f"{FILE_NAME}-journal"
    with _child() as one, _child() as other, ThreadPoolExecutor(2) as threads:
        for first in range(0, KILLS, 2):
            lives = list(threads.map(live_and_die, (one, other), (tmp_path, tmp_path), (first, first + 1)))
            hot_journals += journal.exists() and journal.read_bytes()[:8] == JOURNAL_MAGIC
            with Store(tmp_path, max_bytes=4 * 2**20) as store:
                check(store)
                for life in lives:
                    lost = lost_batches(store, life)
                    assert lost <= 1
                    again += lost
                    started += len(life.started)
                assert store.notes == []
                assert store.size().bytes <= 4 * 2**20
        assert [each.communicate()[1] for each in (one, other)] == ["", ""]
    print(
        f"{KILLS} kills, {started} batches, {hot_journals} half-written commits undone, {again} batches lost in flight"
    )
    assert 0 < again <= KILLS
    assert hot_journals >= KILLS // 20, "too few kills fell into a commit for this test to mean anything"


# Keys


def test_the_same_parts_give_the_same_key_in_every_process_and_version():
    """The digest is that of `printf %s TEXT | b2sum -l 160`."""
    text = (
        '{"n":[1,2.5,null,true],"picture":"\\u00fc","resize":'
        '{"filter":"bicubic","reduced":false,"scale":127.5,"size_hw":[224,224]}}'
    )
    key = key_of(resize=Resize(), picture="ü", n=(1, 2.5, None, True))
    assert (
        key == hashlib.blake2b(text.encode(), digest_size=20).hexdigest() == "5f5a1fe6c004d6bc2a45c74e850fa8a9b009b093"
    )


def test_the_order_of_the_parts_does_not_matter_and_a_record_equals_its_fields():
    assert key_of(a=1, b={"x": 1, "y": 2}) == key_of(b={"y": 2, "x": 1}, a=1)
    assert key_of(p=Resize()) == key_of(p=Resize().model_dump(mode="json")) == key_of(p=Resize())


@pytest.mark.parametrize("change", [{"size_hw": (224, 223)}, {"filter": "bilinear"}, {"scale": 127}, {"reduced": True}])
def test_any_changed_field_of_a_record_gives_another_key(change):
    assert key_of(p=Resize()) != key_of(p=Resize(**change))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def told_apart(part: object) -> object:
    """A twin of JSON's view, written another way: equal exactly where two parts are the same to the last bit."""
    if isinstance(part, dict):
        return ("dict", frozenset((name, told_apart(value)) for name, value in part.items()))
    if isinstance(part, list):
        return ("list", *map(told_apart, part))
    return (type(part).__name__, repr(part))


@given(st.dictionaries(st.text(min_size=1), values), st.dictionaries(st.text(min_size=1), values))
def test_two_keys_are_equal_exactly_where_their_parts_are(one, other):
    assert (key_of(**one) == key_of(**other)) == (told_apart(one) == told_apart(other))


@given(st.dictionaries(st.text(min_size=1), values, min_size=1), values, st.data())
def test_one_changed_part_gives_another_key(parts, value, data):
    name = data.draw(st.sampled_from(sorted(parts)))
    changed = {**parts, name: value}
    assert (key_of(**parts) == key_of(**changed)) == (told_apart(parts) == told_apart(changed))


@pytest.mark.parametrize(
    ("part", "error"),
    [
        ({1: "a"}, TypeError),
        (b"bytes", TypeError),
        ({1, 2}, TypeError),
        (float("nan"), ValueError),
        (object(), TypeError),
    ],
)
def test_parts_that_json_cannot_tell_apart_are_refused(part, error):
    with pytest.raises(error):
        key_of(part=part)


def _sqlite_error(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("it says so")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            _sqlite_error(sqlite3.SQLITE_FULL),
            "is full; free some space, or choose another cache folder with EYESPOT_CACHE",
        ),
        (OSError(28, "No space left on device"), "is full; free some space"),
        (_sqlite_error(sqlite3.SQLITE_BUSY), "was kept busy by another process for"),
        (OSError(13, "Permission denied"), "cannot be written (Permission denied); make its folder writable, or"),
        (_sqlite_error(sqlite3.SQLITE_READONLY), "cannot be written (it says so); make its folder writable, or"),
        (_sqlite_error(sqlite3.SQLITE_CORRUPT), "is damaged (it says so); clear the store to start a new one"),
        (_sqlite_error(sqlite3.SQLITE_ERROR), "cannot be used (it says so); choose another cache folder"),
    ],
)
def test_each_thing_that_goes_wrong_has_its_sentence_with_what_to_do(tmp_path, error, said):
    sentence = store_file.sentence(tmp_path / FILE_NAME, error)
    assert str(tmp_path / FILE_NAME) in sentence
    assert said in sentence
