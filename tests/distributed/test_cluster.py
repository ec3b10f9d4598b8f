"""A Ray cluster of two processes on this machine: the same bits, one sentence, nothing else said."""

from __future__ import annotations

import importlib
import importlib.util
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from eyespot.distributed import cluster, joining
from eyespot.distributed.cluster import Cluster, cluster_at
from eyespot.distributed.world import World
from eyespot.errors import MachineError, MissingExtra, OptionError

ROOT = Path(__file__).parents[2]
needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="the extra `ray` is not installed")
TAKES_SECONDS = 300


def free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


def descendants(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        for children in Path(f"/proc/{parent}/task").glob("*/children"):
            found += map(int, children.read_text().split())
    return found


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a cluster with two cores."""
    log = tmp_path_factory.mktemp("ray") / "log"
    command = [str(Path(sys.executable).with_name("ray")), "start", "--head", "--block", "--disable-usage-stats"]
    command += ["--include-dashboard=false", "--port", "0", "--num-cpus", "2"]
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT / 'tests'}", "RAY_worker_niceness": "0"}
    with log.open("wb") as file:
        node = subprocess.Popen(
            [*command, "--object-store-memory", "200000000"], stdout=file, stderr=file, env=environment
        )
    try:
        until = time.monotonic() + TAKES_SECONDS
        while "Ray runtime started" not in log.read_text(errors="replace"):
            assert time.monotonic() < until, log.read_text(errors="replace")
            assert node.poll() is None, log.read_text(errors="replace")
            time.sleep(0.2)
        [address] = re.findall(r"ray start --address='([^']+)'", log.read_text(errors="replace"))
        yield address
    finally:
        for pid in reversed(descendants(node.pid)):
            os.kill(pid, signal.SIGKILL)
        node.wait()


def eyespot(*arguments: str, cache: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"EYESPOT_CACHE": str(cache), "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-m", "eyespot", *arguments, "--quiet"]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=TAKES_SECONDS)


# --- without one


@pytest.mark.parametrize("address", ["", "nonsense", "host:", ":6379", "host:x", "host:0", "host:65536", "ray://h:1"])
def test_what_is_no_address_is_one_sentence(address):
    with pytest.raises(OptionError, match=r"cluster cannot be .*: give auto, or the address"):
        cluster_at(address, first=dict)


def test_no_cluster_is_none_and_ray_is_not_imported():
    code = "import sys, eyespot.recipes.embed as e; e.cluster_at(None, first=dict); assert 'ray' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | {"PYTHONPATH": str(ROOT / "src")})


def test_a_missing_extra_is_told_with_its_command(monkeypatch):
    monkeypatch.setattr(cluster, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pip install 'eyespot\[ray\]'"):
        cluster_at("auto", first=dict)


@pytest.mark.enable_socket
def test_a_cluster_that_has_ended_is_told_soon(monkeypatch, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(joining, "PLACE", tmp_path)
    (tmp_path / joining.REMEMBERED).write_text(address)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("Ray was asked, which waits for a minute"))
    assert not joining._has_node_of("auto")
    with pytest.raises(MachineError, match=rf"in no Ray cluster \(nobody answers at {address}"):
        joining._require_reachable("auto")


@pytest.mark.enable_socket
def test_a_cluster_is_only_tried_first_where_no_node_of_it_runs_here(monkeypatch, tmp_path):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr(joining, "PLACE", tmp_path)
    sockets = tmp_path / "session_latest" / "sockets"
    sockets.mkdir(parents=True)
    with socket.socket() as head, socket.socket(socket.AF_UNIX) as node, socket.socket(socket.AF_UNIX) as ended:
        head.bind(("127.0.0.1", 0))
        head.listen()
        address = f"127.0.0.1:{head.getsockname()[1]}"
        ended.bind(str(sockets / "raylet"))  # nobody listens
        (tmp_path / joining.REMEMBERED).write_text(address)
        assert not joining._has_node_of(address)
        node.bind(str(sockets / "raylet.1"))
        node.listen()
        assert joining._has_node_of(address)
        assert joining._has_node_of("auto")
        assert not joining._has_node_of("192.0.2.7:6379")
        monkeypatch.setenv("RAY_ADDRESS", "192.0.2.7:6379")
        assert not joining._has_node_of("auto")


@pytest.mark.enable_socket
def test_an_address_nobody_answers_at_is_one_sentence_and_soon():
    with pytest.raises(MachineError, match=r"nobody answers at 127\.0\.0\.1:\d+ \(Connection refused\)"):
        joining._require_listener(f"127.0.0.1:{free_port()}")


def test_torchrun_and_a_cluster_are_not_one_world(monkeypatch):
    recipe = importlib.import_module("eyespot.recipes.train")
    monkeypatch.setattr(recipe, "world", lambda: World(0, 2, 0))
    with pytest.raises(OptionError, match="torchrun has started several"):
        recipe._world("auto")


# --- with one


@needs_ray
@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells what belongs to Ray")
class TestWithRay:
    def test_features_have_the_bits_of_one_process_and_nothing_else_is_said(self, head, draw, warm_cache, tmp_path):
        draw(tmp_path / "photos", 9)
        (tmp_path / "photos" / "broken.png").write_text("no picture")
        found = []
        for name, more in (("one", []), ("two", ["--cluster", head])):
            cache = tmp_path / f"cache-{name}"
            out = tmp_path / f"{name}.npz"
            done = eyespot("embed", str(tmp_path / "photos"), "--out", str(out), *more, cache=cache)
            assert done.returncode == 0, done.stderr
            assert done.stderr == ""
            found.append((out.read_bytes(), done.stdout.replace(str(out), "")))
        assert found[0] == found[1]
        again = eyespot(
            "embed", str(tmp_path / "photos"), "--out", str(tmp_path / "3.npz"), cache=tmp_path / "cache-two"
        )
        assert "Computed    0" in again.stdout

    def test_answers_are_those_of_one_process(self, head, split_run, split_photos, warm_cache):
        run, test = str(split_run.run), str(split_photos / "test")
        asked = [eyespot("predict", run, test, "--json", *more, cache=warm_cache) for more in ([], ["--cluster", head])]
        assert asked[1].stderr == ""
        assert asked[0].stdout == asked[1].stdout
        assert asked[0].stdout.count('"picture"') == 33

    def test_a_worker_that_is_killed_loses_nothing(self, head):
        """The batches have to wait for the file that the killed one leaves."""
        code = (
            "import sys, cluster_child\n"
            "from eyespot.distributed.cluster import Cluster\n"
            "print([*Cluster(sys.argv[1]).stream(cluster_child.Killed, sys.argv[2], range(12))])"
        )
        environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT / 'tests'}"}
        mark = Path(os.environ.get("TMPDIR", "/tmp")) / f"eyespot-killed-{os.getpid()}"
        try:
            command = [sys.executable, "-c", code, head, str(mark)]
            done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=TAKES_SECONDS)
            assert mark.exists(), done.stderr
        finally:
            mark.unlink(missing_ok=True)
        assert done.stdout.split("\n")[0] == str([number**2 for number in range(12)]), done.stderr

    def test_a_machine_that_computes_other_bits_is_refused_in_a_sentence(self, head):
        code = (
            "import sys, cluster_child\n"
            "from eyespot.distributed.cluster import Cluster\n"
            "from eyespot.errors import MachineError\n"
            "try: print([*Cluster(sys.argv[1]).stream(cluster_child.Refusing, None, range(3))])\n"
            "except MachineError as error: print(error)"
        )
        environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT / 'tests'}"}
        command = [sys.executable, "-c", code, head]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=TAKES_SECONDS)
        assert done.stdout.endswith("of the cluster cannot do the work: it rounds otherwise\n"), done.stderr


def test_results_are_in_order_whoever_is_slow(monkeypatch):
    """Ray's part played by this process: what comes back is what was sent, in order, and few batches are on the way."""
    ray, taken = _Here(), []

    def batches() -> Iterator[int]:
        for number in range(40):
            taken.append(number)
            yield number

    monkeypatch.setattr(cluster, "joined", lambda address: ray)
    monkeypatch.setitem(sys.modules, "ray", ray)
    results = Cluster("auto").stream(_Doubling, 2, batches())
    assert next(results) == 0
    assert len(taken) <= 2 * cluster.AHEAD + 1
    assert [*results] == [number * 2 for number in range(1, 40)]
    cluster._made.cache_clear()


def test_each_core_imports_what_it_needs_before_it_is_asked(monkeypatch):
    ray = _Begun()
    monkeypatch.setattr(cluster, "find_spec", lambda name: True)
    monkeypatch.setattr(cluster, "joined", lambda address: ray)
    found = cluster_at("auto", first=dict)
    assert [ray.begun.get(timeout=20) for _ in range(2)] == [dict, dict]
    assert found is not None
    assert found.joining is not None
    assert found.joining.result(20) is ray


def test_a_cluster_that_cannot_be_joined_is_told_to_whoever_needs_it(monkeypatch):
    def nobody(address):
        raise MachineError("nobody answers")

    monkeypatch.setattr(cluster, "find_spec", lambda name: True)
    monkeypatch.setattr(cluster, "joined", nobody)
    found = cluster_at("auto", first=dict)
    assert found is not None
    with pytest.raises(MachineError, match="nobody answers"):
        next(found.stream(_Doubling, 2, iter([1])))


def test_a_cluster_that_does_not_answer_is_not_waited_for_without_end(monkeypatch):
    monkeypatch.setattr(cluster, "JOIN_SECONDS", 0.01)
    with pytest.raises(MachineError, match=r"the cluster at auto did not answer within 0\.02 s"):
        next(cluster.Cluster("auto", Future()).stream(_Doubling, 2, iter([1])))


class _Doubling:
    def __init__(self, factor: int) -> None:
        self.factor = factor

    def __call__(self, batch: int) -> int:
        return batch * self.factor


class _Here:
    """Of Ray what `stream` uses."""

    class exceptions:
        class RayError(Exception):
            pass

    @staticmethod
    def cluster_resources():
        return {"CPU": 2.0}

    @staticmethod
    def put(value):
        return _Kept(value)

    @staticmethod
    def get(found):
        return found() if callable(found) else found.value

    @staticmethod
    def cancel(task):
        raise AssertionError("all was taken")

    @staticmethod
    def remote(**options):
        assert options["max_retries"] == -1
        return lambda work: type(
            "Remote", (), {"remote": lambda self, make, kept, each: lambda: make(kept[0].value)(each)}
        )()


class _Begun(_Here):
    """Of Ray what joining it uses: what each core is to do first is written down."""

    def __init__(self) -> None:
        self.begun: queue.Queue = queue.Queue()

    def remote(self, **options):
        return lambda first: type("Remote", (), {"remote": lambda _: self.begun.put(first)})()


class _Kept:
    def __init__(self, value) -> None:
        self.value = value


def test_the_bits_of_an_engine_tell_other_weights(tmp_path):
    from embed_child import PREPROCESS
    from torch import nn

    from eyespot.blocks import chain, conv
    from eyespot.engine.from_torch import to_onnx
    from eyespot.engine.run import Engine
    from eyespot.features.compute import _bits

    net = chain(conv=conv(3, 8, 3, bias=True), act=nn.ReLU(), pool=nn.AdaptiveAvgPool2d(2)).eval()
    shape = (*PREPROCESS.crop_hw, PREPROCESS.channels)

    def bits(**options) -> str:
        return _bits(Engine(to_onnx(net, PREPROCESS), image_hwc=shape, precision="fp32", batch=4, **options))

    before = bits()
    assert before == bits(streams=1)
    net.conv.weight.data[0, 0, 0, 0] += 1e-3
    assert before != bits()
