import ast
import errno
import hashlib
import json
import math
import os
import pickle
import re
import struct
import subprocess
import sys
from collections import OrderedDict
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some
from hypothesis.extra import numpy as some_numpy
from safetensors.torch import load_file, save

from eyespot.errors import CheckpointError
from eyespot.training import checkpoint
from eyespot.training.checkpoint import load, remove

CHILD = Path(__file__).parents[1] / "checkpoint_child.py"
DTYPES = sorted(checkpoint._DTYPES, key=str)
NUMPY_DTYPES = [*"bBhHiIlLqQefdF", "bool"]
FLOATS = [0.1, -0.0, 5e-324, 1.7976931348623157e308, math.inf, -math.inf, math.nan, -math.nan, 1 / 3]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def newest(folder: Path) -> Path:
    return max(folder.glob("*.safetensors"))


def same(one: object, other: object) -> bool:
    """Equal in kind and to the bit."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(
            type(a) is type(b) and same(one[a], other[b]) for a, b in zip(one, other, strict=True)
        )
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, torch.Tensor):
        if one.dtype != other.dtype or one.shape != other.shape:
            return False
        return one.numel() == 0 or torch.equal(*(each.reshape(-1).view(torch.uint8) for each in (one, other)))
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    if isinstance(one, float):
        return struct.pack("d", one) == struct.pack("d", other)
    return one == other


def round_trip(folder: Path, value: object) -> object:
    checkpoint.save(folder, {"value": value})
    found = load(folder)
    assert found.skipped == ()
    return found.state["value"]


# --- what comes back


arrays = some.sampled_from(NUMPY_DTYPES).flatmap(
    lambda dtype: some_numpy.arrays(dtype, some_numpy.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3))
)
leaves = some.one_of(
    some.none(),
    some.booleans(),
    some.integers(),
    some.floats(),
    some.text(some.characters()),
    arrays,
    arrays.map(lambda array: torch.from_numpy(array.astype(array.dtype.str))),
)
values = some.recursive(
    leaves,
    lambda inner: some.one_of(
        some.lists(inner, max_size=4),
        some.lists(inner, max_size=4).map(tuple),
        some.dictionaries(some.one_of(some.text(), some.integers()), inner, max_size=4),
    ),
    max_leaves=12,
)


@given(value=values)
def test_any_nested_state_comes_back_equal_to_the_bit(tmp_path_factory, value):
    assert same(round_trip(tmp_path_factory.mktemp("checkpoints"), value), value)


@pytest.mark.parametrize("number", FLOATS)
def test_floats_come_back_with_their_bits(tmp_path, number):
    assert same(round_trip(tmp_path, number), number)


@pytest.mark.parametrize("bits", [0x7FF8000000000001, 0xFFF8000000000ABC])
def test_a_not_a_number_keeps_its_payload(tmp_path, bits):
    number = struct.unpack(">d", bits.to_bytes(8, "big"))[0]
    assert struct.pack(">d", round_trip(tmp_path, number)) == bits.to_bytes(8, "big")


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (2, 3, 4)], ids=str)
def test_tensors_of_all_dtypes_and_shapes_come_back(tmp_path, dtype, shape):
    tensor = (torch.rand(shape, generator=torch.Generator().manual_seed(0)) * 200).to(dtype)
    assert same(round_trip(tmp_path, tensor), tensor)


def test_strides_are_no_matter(tmp_path):
    base = torch.arange(24).reshape(2, 3, 4)
    array = np.arange(24.0).reshape(4, 6)
    views = [base.permute(2, 0, 1), base[:, ::2], base[1, 1, 1], base[:1].expand(5, 3, 4)]
    others = [array.T, array[::-1, ::2], array[2:3], np.broadcast_to(array, (2, 4, 6))]
    found = round_trip(tmp_path, [*views, *others])
    assert all(map(same, found, [*views, *others]))
    assert all(each.is_contiguous() for each in found[:4])


def test_tensors_that_share_memory_come_back_each_by_itself(tmp_path):
    tensor = torch.zeros(4)
    found = round_trip(tmp_path, [tensor, tensor, tensor[1:]])
    found[0] += 1
    assert [each.tolist() for each in found] == [[1.0] * 4, [0.0] * 4, [0.0] * 3]


def test_what_comes_back_is_not_tied_to_the_file(tmp_path):
    checkpoint.save(tmp_path, {"tensor": torch.zeros(3), "array": np.zeros(3)})
    state = load(tmp_path).state
    newest(tmp_path).write_bytes(b"")
    state["tensor"] += 1
    state["array"] += 1
    assert state["tensor"].tolist() == state["array"].tolist() == [1, 1, 1]


def test_what_is_saved_is_not_changed_by_what_happens_later(tmp_path):
    tensor = torch.zeros(3)
    checkpoint.save(tmp_path, {"tensor": tensor})
    tensor += 1
    assert load(tmp_path).state["tensor"].tolist() == [0, 0, 0]


def test_subclasses_come_back_as_what_they_derive_from(tmp_path):
    found = round_trip(tmp_path, OrderedDict(a=np.float64(0.1), b=torch.nn.Parameter(torch.ones(2))))
    assert same(found, {"a": 0.1, "b": torch.ones(2)})


@pytest.mark.parametrize("optimiser", [torch.optim.SGD, torch.optim.AdamW])
def test_a_run_that_goes_on_from_a_checkpoint_is_the_run_that_was_not_stopped(tmp_path, optimiser):
    def make():
        net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2))
        options = {"momentum": 0.9, "nesterov": True} if optimiser is torch.optim.SGD else {}
        moving = optimiser(net.parameters(), lr=0.1, **options)
        return net, moving, torch.optim.lr_scheduler.OneCycleLR(moving, max_lr=0.1, total_steps=10)

    def train(net, moving, schedule, random):
        for _ in range(4):
            net(torch.randn(6, 3, generator=random)).square().sum().backward()
            moving.step()
            moving.zero_grad()
            schedule.step()

    torch.manual_seed(0)
    run, random = make(), torch.Generator().manual_seed(1)
    train(*run, random)
    checkpoint.save(tmp_path, {"parts": [part.state_dict() for part in run], "random": random.get_state()})
    train(*run, random)

    again, state = make(), load(tmp_path).state
    for part, saved in zip(again, state["parts"], strict=True):
        part.load_state_dict(saved)
    random.set_state(state["random"])
    train(*again, random)
    assert same(dict(again[0].state_dict()), dict(run[0].state_dict()))


def test_the_state_of_a_numpy_generator_comes_back(tmp_path):
    random = np.random.default_rng(0)
    found = round_trip(tmp_path, random.bit_generator.state)
    expected = random.random(3)
    other = np.random.default_rng(1)
    other.bit_generator.state = found
    assert other.random(3).tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({1, 2}, r"state\['a'\]\[1\]: it is a set"),
        (b"bytes", "bytes"),
        (np.float32(1), "float32"),
        (np.array(["text"]), "ndarray of <U4"),
        (np.array([None]), "ndarray of object"),
        (np.zeros(2, ">f4"), "ndarray of >f4"),
        (torch.zeros(2, dtype=torch.complex128), r"Tensor of torch\.complex128"),
        ({1.5: 2}, "dict"),
    ],
)
def test_what_cannot_be_kept_is_named_with_its_place(tmp_path, value, said):
    with pytest.raises(TypeError, match=said):
        checkpoint.save(tmp_path, {"a": [0, value]})
    assert names(tmp_path) == []


# --- generations and files


def test_the_folder_is_made_and_the_newest_two_generations_are_kept(tmp_path):
    folder = tmp_path / "run" / "checkpoints"
    for number in range(5):
        checkpoint.save(folder, {"number": number})
        assert load(folder).state == {"number": number}
    assert [name[:9] for name in names(folder)] == ["00000004-", "00000005-"]


def test_no_checkpoint_is_no_state(tmp_path):
    for folder in (tmp_path, tmp_path / "none"):
        assert load(folder) == checkpoint.Loaded(None, ())


def test_the_counter_outgrows_its_zeros(tmp_path):
    checkpoint.save(tmp_path, {"number": 0})
    newest(tmp_path).rename(tmp_path / newest(tmp_path).name.replace("00000001", "99999999"))
    for number in (1, 2):
        checkpoint.save(tmp_path, {"number": number})
    assert load(tmp_path).state == {"number": 2}
    assert len(names(tmp_path)) == 2


def test_a_checkpoint_is_a_plain_file_of_safetensors_under_its_own_sha256(tmp_path):
    checkpoint.save(tmp_path, {"weights": torch.arange(3, dtype=torch.bfloat16), "epoch": 7})
    path = newest(tmp_path)
    assert path.name == f"00000001-{hashlib.sha256(path.read_bytes()).hexdigest()}.safetensors"
    tensors = load_file(path)
    assert tensors["0"].tolist() == [0, 1, 2]
    structure = {"dict": [["weights", {"tensor": "0"}], ["epoch", 7]]}
    assert json.loads(bytes(tensors["structure"])) == {"version": 1, "state": structure}


def test_nothing_is_pickled(tmp_path, monkeypatch):
    def fail(*args, **options):
        raise AssertionError("pickle was used")

    for module, name in [(pickle, "dumps"), (pickle, "loads"), (pickle, "Pickler"), (torch, "save"), (torch, "load")]:
        monkeypatch.setattr(module, name, fail)
    assert same(
        round_trip(tmp_path, [torch.ones(2), np.ones(2), {"a": (1.5, None)}]),
        [torch.ones(2), np.ones(2), {"a": (1.5, None)}],
    )
    source = ast.parse(Path(checkpoint.__file__).read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(source) if isinstance(node, ast.Import) for alias in node.names}
    assert not imported & {"pickle", "marshal", "shelve", "copyreg"}


def test_files_of_another_kind_are_ignored_and_stay(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "00000009-abc.safetensors").write_text("mine")
    for number in range(3):
        checkpoint.save(tmp_path, {"number": number})
    assert load(tmp_path) == checkpoint.Loaded({"number": 2}, ())
    assert names(tmp_path)[-1] == "notes.txt"
    assert "00000009-abc.safetensors" in names(tmp_path)
    remove(tmp_path)
    assert names(tmp_path) == ["00000009-abc.safetensors", "notes.txt"]


def test_remove_deletes_all_and_the_empty_folder(tmp_path):
    folder = tmp_path / "checkpoints"
    for _ in range(2):
        checkpoint.save(folder, {})
    (folder / ".eyespot-0123").touch()
    remove(folder)
    assert names(tmp_path) == []
    remove(folder)


# --- damage


def two_generations(folder: Path) -> Path:
    """The newer file of two; the older says that it is older."""
    checkpoint.save(folder, {"weights": torch.zeros(100), "name": "older"})
    checkpoint.save(folder, {"weights": torch.ones(100), "name": "newer"})
    return newest(folder)


def places(data: bytes) -> list[int]:
    """A byte of each kind: the header's length, the header, every tensor, the structure, the last."""
    header = 8 + struct.unpack("<Q", data[:8])[0]
    return [0, 1, 7, 8, 9, header // 2, header - 1, header, header + 1, (header + len(data)) // 2, len(data) - 1]


def test_a_file_that_is_torn_anywhere_is_noticed_and_the_older_used(tmp_path):
    path = two_generations(tmp_path)
    data = path.read_bytes()
    for length in places(data):
        path.write_bytes(data[:length])
        found = load(tmp_path)
        assert found.state["name"] == "older"
        assert found.skipped == (f"{path} is torn or damaged",)


def test_one_bit_that_flips_anywhere_is_noticed_and_the_older_used(tmp_path):
    path = two_generations(tmp_path)
    data = path.read_bytes()
    for place in places(data):
        for bit in range(8):
            path.write_bytes(data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :])
            assert load(tmp_path).state["name"] == "older"


@pytest.mark.parametrize("damage", [lambda data: data + b"\0", lambda data: bytes(len(data)), lambda data: data[::-1]])
def test_more_bytes_zeros_and_nonsense_are_noticed(tmp_path, damage):
    path = two_generations(tmp_path)
    path.write_bytes(damage(path.read_bytes()))
    assert load(tmp_path).state["name"] == "older"


def test_where_all_are_damaged_there_is_no_state_and_all_are_named(tmp_path):
    two_generations(tmp_path)
    for path in tmp_path.iterdir():
        path.write_bytes(b"")
    found = load(tmp_path)
    assert found.state is None
    assert len(found.skipped) == 2


def test_after_a_damaged_one_saving_goes_on(tmp_path):
    two_generations(tmp_path).write_bytes(b"")
    checkpoint.save(tmp_path, {"name": "third"})
    assert load(tmp_path) == checkpoint.Loaded({"name": "third"}, ())
    assert [name[:9] for name in names(tmp_path)] == ["00000002-", "00000003-"]


def test_a_folder_in_the_place_of_a_file_is_skipped(tmp_path):
    path = two_generations(tmp_path)
    path.unlink()
    path.mkdir()
    found = load(tmp_path)
    assert found.state["name"] == "older"
    assert "cannot be read" in found.skipped[0]


def put(folder: Path, data: bytes) -> None:
    (folder / f"00000009-{hashlib.sha256(data).hexdigest()}.safetensors").write_bytes(data)


def structured(content: object) -> bytes:
    return save({"structure": torch.tensor(list(json.dumps(content).encode()), dtype=torch.uint8)})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text",
        save({"weights": torch.ones(2)}),
        save({"structure": torch.ones(2)}),
        structured([]),
        structured({"version": "1", "state": 0}),
        structured({"version": 1, "state": {"tensor": "0"}}),
        structured({"version": 1, "state": {"code": "print()"}}),
        structured({"version": 1, "state": {"float": "zz"}}),
        structured({"version": 1, "state": {}}),
    ],
)
def test_a_whole_file_that_is_no_checkpoint_is_skipped(tmp_path, data):
    two_generations(tmp_path)
    put(tmp_path, data)
    found = load(tmp_path)
    assert found.state["name"] == "newer"
    assert len(found.skipped) == 1


def test_a_newer_version_is_refused_in_one_sentence(tmp_path):
    two_generations(tmp_path)
    put(tmp_path, structured({"version": 2, "state": "of another build"}))
    with pytest.raises(CheckpointError, match=r"has version 2, and this eyespot reads .* up to version 1: pip install"):
        load(tmp_path)


# --- a disk that is full, interrupts, kill -9


def fail_with(error: BaseException):
    def fail(*args):
        raise error

    return fail


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_a_full_disk_is_one_sentence_and_what_was_saved_stays(tmp_path, monkeypatch, function):
    two_generations(tmp_path)
    before = names(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(f"eyespot.files.os.{function}", fail_with(OSError(errno.ENOSPC, "No space left on device")))
        with pytest.raises(
            CheckpointError, match=rf"cannot be written in {re.escape(str(tmp_path))} \(No space left on device\); .*"
        ):
            checkpoint.save(tmp_path, {"name": "third"})
    assert names(tmp_path) == before
    assert load(tmp_path).state["name"] == "newer"


@contextmanager
def files_of_at_most(size: int):
    """Within it, the system refuses to write more than so many bytes into a file."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_file_that_the_system_cuts_short_never_takes_its_name(tmp_path):
    two_generations(tmp_path)
    before = names(tmp_path)
    with files_of_at_most(100_000), pytest.raises(CheckpointError, match=r"checkpoint of 0\.8 MB cannot be written"):
        checkpoint.save(tmp_path, {"weights": torch.ones(200_000)})
    assert names(tmp_path) == before


def test_the_first_checkpoint_of_a_full_disk_does_not_speak_of_an_earlier_one(tmp_path):
    with files_of_at_most(10), pytest.raises(CheckpointError) as caught:
        checkpoint.save(tmp_path, {"weights": torch.ones(200)})
    assert "before" not in str(caught.value)


def test_a_place_where_no_folder_can_be_is_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match="cannot be written"):
        checkpoint.save(tmp_path / "file", {})


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_an_interrupt_leaves_the_generations_as_they_were(tmp_path, monkeypatch, function):
    two_generations(tmp_path)
    before = names(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(f"eyespot.files.os.{function}", fail_with(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            checkpoint.save(tmp_path, {"name": "third"})
    assert names(tmp_path) == before


def test_an_interrupt_after_the_new_one_is_there_is_mended_by_the_next(tmp_path, monkeypatch):
    two_generations(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "_sync", fail_with(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            checkpoint.save(tmp_path, {"name": "third"})
    assert load(tmp_path).state["name"] == "third"
    checkpoint.save(tmp_path, {"name": "fourth"})
    assert len(names(tmp_path)) == 2


@pytest.mark.skipif(os.name != "posix", reason="folders are not synchronised there")
def test_file_and_folder_are_on_disk_before_an_older_generation_goes(tmp_path, monkeypatch):
    two_generations(tmp_path)
    order: list[str] = []
    fsync, unlink = os.fsync, Path.unlink
    kinds = {True: "folder", False: "file"}
    monkeypatch.setattr(
        os, "fsync", lambda handle: (order.append(kinds[os.path.isdir(f"/dev/fd/{handle}")]), fsync(handle))
    )
    monkeypatch.setattr(Path, "unlink", lambda *args, **options: (order.append("delete"), unlink(*args, **options)))
    checkpoint.save(tmp_path, {})
    assert order == ["file", "folder", "delete"]


@pytest.mark.skipif(os.name != "posix", reason="kill -9")
def test_killed_at_any_moment_the_last_that_was_saved_is_whole(tmp_path):
    child = subprocess.run([sys.executable, str(CHILD), str(tmp_path), "60"], capture_output=True, text=True)
    assert child.returncode == 0, child.stderr
    assert int(child.stdout) > 10
    checkpoint.save(tmp_path, {})
    assert len(names(tmp_path)) == 2
