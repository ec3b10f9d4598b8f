import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from distributed_child import BATCH, ROWS, gathered, network, train

from eyespot.distributed import world as distributed
from eyespot.distributed.world import World, joined, mean_loss, parallel, shard, world
from eyespot.errors import MachineError

CHILD = Path(__file__).parents[1] / "distributed_child.py"
VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")
TORCHRUN = {"RANK": "3", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "MASTER_ADDR": "localhost", "MASTER_PORT": "29500"}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What each of two ranks found, started by torchrun."""
    out = tmp_path_factory.mktemp("ranks")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run([*command, str(CHILD), "work", str(out)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return [dict(np.load(out / f"{rank}.npz")) for rank in range(2)]


def named(found: dict[str, np.ndarray], kind: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(f"{kind} "): each for name, each in found.items() if name.startswith(f"{kind} ")}


# --- the world


def test_without_torchrun_there_is_one_process(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert world() == World(0, 1, 0)
    assert world().is_writer


def test_torchruns_environment_says_which_process_this_is(monkeypatch):
    for name, value in TORCHRUN.items():
        monkeypatch.setenv(name, value)
    assert world() == World(rank=3, size=8, local_rank=1)
    assert not world().is_writer


@pytest.mark.parametrize(
    ("name", "value"),
    [("RANK", "8"), ("RANK", "-1"), ("RANK", None), ("LOCAL_RANK", "x"), ("WORLD_SIZE", "two"), ("MASTER_PORT", None)],
)
def test_an_environment_without_sense_is_one_sentence(monkeypatch, name, value):
    for each, good in TORCHRUN.items():
        monkeypatch.setenv(each, good)
    monkeypatch.delenv(name) if value is None else monkeypatch.setenv(name, value)
    with pytest.raises(MachineError, match=rf"{name}={value or ''}.*torchrun"):
        world()


def test_alone_nothing_is_initialised_and_torch_is_not_imported():
    code = (
        "import sys, numpy as np\n"
        "from eyespot.distributed.world import *\n"
        "alone, rows = world(), np.arange(3)\n"
        "with joined(alone):\n"
        "    assert broadcast('a', alone) == 'a' and total(1.5, alone) == 1.5\n"
        "    assert gather(rows, alone)[0] is rows and alone == ALONE\n"
        "    assert gather_rows(rows, alone, count=3) is rows and parallel(rows, alone) is rows\n"
        "    average_statistics(rows, alone)\n"
        "print('torch' in sys.modules)"
    )
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.stdout.split() == ["False"], done.stderr


def test_alone_the_network_is_called_as_it_is():
    net = torch.nn.Sequential(torch.nn.Linear(2, 2))
    with joined(World()):
        assert parallel(net, World()) is net
        assert not torch.distributed.is_initialized()


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("count", [0, 1, 5, 12])
def test_every_row_is_computed_by_one_rank(size, count):
    shards = [shard(np.arange(count), World(rank, size)) for rank in range(size)]
    assert sorted(np.concatenate(shards)) == list(range(count))
    assert max(map(len, shards)) - min(map(len, shards)) <= 1


@pytest.mark.parametrize("size", [1, 2, 3])
def test_the_average_of_the_ranks_losses_is_the_mean_over_all_rows(size):
    losses = torch.rand(10, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    ranks = [World(rank, size) for rank in range(size)]
    of_ranks = [mean_loss(losses[torch.from_numpy(shard(np.arange(10), each))], each, count=10) for each in ranks]
    assert float(sum(of_ranks) / size) == pytest.approx(float(losses.mean()), abs=1e-12)


def test_mps_has_no_way_to_exchange_gradients():
    with pytest.raises(MachineError, match="--device cpu"), joined(World(0, 2), device="mps"):
        pass


# --- two processes


def test_two_processes_train_as_one_does(found):
    expected = train(World(), rows=ROWS)
    for each in found:
        trained = named(each, "trained")
        assert trained.keys() == expected.keys()
        for name, value in expected.items():
            np.testing.assert_allclose(trained[name], value, atol=1e-5, rtol=0)


def test_the_ranks_hold_the_same_bits_and_a_frozen_batchnorm_has_not_moved(found):
    one, other = (named(each, "trained") for each in found)
    for name in one:
        assert one[name].tobytes() == other[name].tobytes()
    before = network(seed=0).state_dict()
    for name in ("1.running_mean", "1.running_var", "1.weight"):
        assert one[name].tobytes() == before[name].numpy().tobytes()
    assert not np.array_equal(one["4.weight"], before["4.weight"].numpy())


def test_a_batch_with_no_row_for_a_rank_is_trained_on_all_the_same(found):
    expected = train(World(), rows=BATCH + 1)
    for each in found:
        for name, value in expected.items():
            np.testing.assert_allclose(named(each, "with empty shards")[name], value, atol=1e-5, rtol=0)


def test_gathered_rows_are_in_order_on_every_rank(found):
    expected = gathered(World())
    for each in found:
        rows = named(each, "gathered")
        assert rows.keys() == expected.keys()
        for name, value in expected.items():
            assert rows[name].dtype == value.dtype
            np.testing.assert_array_equal(rows[name], value)


def test_what_the_writer_says_comes_to_all(found):
    for each in found:
        assert each["said"] == ["{'stop': True, 'seconds': 0.1, 'none': None}"]


def test_what_each_rank_says_comes_to_all_in_their_order(found):
    for each in found:
        assert each["told"] == ["[{'é': []}, {'é': [None]}]"]


def test_a_total_is_of_all_ranks_and_one_that_is_not_a_number_is_seen_by_all(found):
    for each in found:
        assert each["totals"][0] == 0.5 + 1.5
        assert np.isnan(each["totals"][1])


def test_statistics_that_train_are_averaged_and_frozen_ones_left_alone(found):
    values = np.arange(8.0).reshape(4, 2)
    means = [0.1 * (factor * values).mean(0) for factor in (1, 2)]  # PyTorch's momentum is 0.1
    variances = [0.9 + 0.1 * (factor * values).var(0, ddof=1) for factor in (1, 2)]
    for rank, each in enumerate(found):
        np.testing.assert_allclose(each["statistics"][0], np.mean(means, axis=0), rtol=1e-6)
        np.testing.assert_allclose(each["statistics"][1], np.mean(variances, axis=0), rtol=1e-6)
        np.testing.assert_array_equal(each["statistics"][2:], [[rank, rank], [1, 1]])


def free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return opened.getsockname()[1]


@pytest.mark.enable_socket
@pytest.mark.parametrize("how", ["fail", "hang", "early"])
def test_a_rank_that_fails_hangs_or_never_comes_does_not_keep_the_other_for_ever(how):
    ranks = []
    port = str(free_port())
    for rank in "01":
        own = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        command = [sys.executable, str(CHILD), how, "5"]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
        ranks.append(subprocess.Popen(command, env=os.environ | own, **pipes))
    try:
        said = [ranks[0].communicate(timeout=120)[0]]
        if how == "hang":
            ranks[1].kill()
        said.append(ranks[1].communicate(timeout=120)[0])
    finally:
        for each in ranks:
            each.kill()
    assert said[0].startswith("MachineError: The process of rank 0 of 2 cannot go on: another has ended")
    if how == "fail":
        assert said[1] == "ValueError: the own error of rank 1\n"


def test_an_error_of_ones_own_is_not_blamed_on_others():
    assert not distributed._is_about_others(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
