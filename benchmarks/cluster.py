"""Two hosts that compute together: a Ray cluster for features, torchrun for training.

    python benchmarks/cluster.py DATA

The hosts are network namespaces of this machine with a core, an address and a name each, joined by a pair of virtual
network cards, so this needs root, Linux, two cores and the extra `ray`. They go when it ends, however it ends. DATA is
only read.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import measuring
import numpy as np
from measuring import at_least, at_most
from million import made_crops

ROOT = Path(__file__).parents[1]
BARS = {
    "faster": at_least(1.7, "times", "two hosts with one core each compute features 1.7 times as fast as one"),
    "weights": at_most(1e-4, "", "after 20 steps the weights of two hosts are those of one, but for rounding"),
}
CORES = ("0", "1")
HEAD = 6379
CARD = "eye0"
TRIES = 6
LONGEST = 360
"""Pixels of a crop's side, at most."""
CHILD = ROOT / "tests" / "distributed_child.py"
"""Trains for 20 steps and writes the weights of its rank."""


@dataclass(frozen=True)
class Host:
    """A network namespace that has one core."""

    name: str
    address: str
    core: str

    def command(self, *command: str) -> list[str]:
        return ["ip", "netns", "exec", self.name, "taskset", "-c", self.core, *command]

    def start(self, *command: str, log: Path) -> subprocess.Popen[bytes]:
        with log.open("ab") as file:
            return subprocess.Popen(self.command(*command), stdout=file, stderr=file, start_new_session=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--runs", type=int, default=3, help="rounds (default 3)")
    parser.add_argument(
        "--pictures", type=int, default=10_000, help="in a round (default 10,000); crops where there are fewer"
    )
    options = parser.parse_args()
    if os.geteuid() or not shutil.which("ip"):
        sys.exit("this needs root, and ip (apt-get install iproute2), to make two network namespaces")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # so that the namespaces go
    print(measuring.heading())
    print(f"load before: {os.getloadavg()[0]:.1f}", flush=True)
    with tempfile.TemporaryDirectory() as folder, two_hosts() as hosts:
        place = Path(folder)
        pictures = some_of(options.data, options.pictures, place / "pictures")
        with ray_cluster(hosts, place) as nodes:
            features(hosts, pictures, place, runs=options.runs)
            killed("a worker", hosts, pictures, place, lambda: end_worker(nodes[1]))
            killed("a host", hosts, pictures, place, lambda: end_group(nodes[1]))
        training(hosts, place)
    print(f"load after: {os.getloadavg()[0]:.1f}", flush=True)


def some_of(data: Path, count: int, folder: Path) -> Path:
    """A folder of links to some of the pictures; of crops of them where they are too few."""
    found = sorted(each for each in data.rglob("*") if each.suffix.lower() in (".jpg", ".jpeg", ".png"))
    if count > len(found):
        return made_crops(data, folder, count, longest=LONGEST)
    folder.mkdir()
    for number, each in enumerate(found[:count]):
        (folder / f"{number:05}{each.suffix}").symlink_to(each.resolve())
    return folder


@contextmanager
def two_hosts() -> Iterator[tuple[Host, Host]]:
    mark = os.getpid() % 10_000
    hosts = tuple(Host(f"eyespot{mark}{'ab'[n]}", f"10.213.7.{n + 1}", CORES[n]) for n in range(2))
    cards = [f"ve{mark}{'ab'[n]}" for n in range(2)]
    try:
        for host in hosts:
            run("ip", "netns", "add", host.name)
        run("ip", "link", "add", cards[0], "type", "veth", "peer", "name", cards[1])
        for host, card in zip(hosts, cards, strict=True):
            run("ip", "link", "set", card, "netns", host.name, "name", CARD)
            inside = ["ip", "netns", "exec", host.name, "ip"]
            run(*inside, "addr", "add", f"{host.address}/24", "dev", CARD)
            run(*inside, "link", "set", CARD, "up")
            run(*inside, "link", "set", "lo", "up")
        os.environ["GLOO_SOCKET_IFNAME"] = CARD  # else gloo looks for the host's name in the DNS
        os.environ["TORCH_CPP_LOG_LEVEL"] = "ERROR"  # as docs/training.md has it
        yield hosts  # type: ignore[misc]
    finally:
        for host in hosts:
            subprocess.run(["ip", "netns", "delete", host.name], capture_output=True)


def run(*command: str) -> None:
    subprocess.run(command, check=True)


@contextmanager
def ray_cluster(hosts: tuple[Host, Host], place: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """The first host is its head. Each has a /tmp/ray and a name of its own, as two machines have."""
    ray = str(Path(sys.executable).with_name("ray"))
    common = "--block --disable-usage-stats --num-cpus 1 --object-store-memory 300000000"
    nodes: list[subprocess.Popen[bytes]] = []
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112 (Ray's 15 would measure whatever else runs here)
    with ExitStack() as stack:
        for host in hosts:
            first, head = host is hosts[0], f"{hosts[0].address}:{HEAD}"
            where = f"--head --include-dashboard=false --port {HEAD}" if first else f"--address {head}"
            begin = f"exec {ray} start {where} --node-ip-address {host.address} {common}"
            begin = (
                begin if first else f"mkdir -p /tmp/ray; mount -t tmpfs tmpfs /tmp/ray; hostname {host.name}; {begin}"
            )
            nodes.append(started(host, begin, place / f"{host.name}.log", stack))
        yield nodes


def started(host: Host, command: str, log: Path, stack: ExitStack) -> subprocess.Popen[bytes]:
    """A node of the cluster; it has a few tries, since Ray gives itself 30 seconds, for which it has both cores."""
    for _ in range(TRIES):
        log.unlink(missing_ok=True)
        node = host.start("taskset", "-c", ",".join(CORES), "unshare", "--mount", "--uts", "sh", "-c", command, log=log)
        stack.callback(end_group, node)
        while node.poll() is None and "Traceback" not in log.read_text(errors="replace"):
            if "Ray runtime started" in log.read_text(errors="replace"):
                pin(node.pid, host.core)
                return node
            time.sleep(0.2)
        end_group(node)
    sys.exit(f"Ray did not start on {host.name}:\n{log.read_text(errors='replace')[-2000:]}")


def descendants(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            with suppress(OSError):
                found += map(int, task.read_text().split())
    return found


def pin(pid: int, core: str) -> None:
    """Gives a process and all that it began one core, which what it begins later has, too."""
    for each in descendants(pid):
        for thread in Path(f"/proc/{each}/task").iterdir():
            with suppress(OSError):
                os.sched_setaffinity(int(thread.name), {int(core)})


def end_group(node: subprocess.Popen[bytes]) -> None:
    """Kills a process and all that it began; what is dead already has nobody left."""
    for pid in reversed(descendants(node.pid)):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    node.wait()


def end_worker(node: subprocess.Popen[bytes]) -> None:
    """Kills the process that computes on a host."""
    for pid in descendants(node.pid):
        with suppress(OSError):
            if b"ray::_work" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)
                return
    sys.exit("no worker of the cluster was found")


def embed(pictures: Path, place: Path, name: str, *more: str) -> tuple[list[str], Path]:
    """The command, which finds the converted network but no features, and what it writes."""
    cache = place / f"cache-{name}"
    shutil.rmtree(cache, ignore_errors=True)
    shutil.copytree(converted(place), cache)
    out = place / f"{name}.npz"
    command = [sys.executable, "-m", "eyespot", "embed", str(pictures), "--out", str(out), "--overwrite", *more]
    return ["env", f"EYESPOT_CACHE={cache}", *command], out


def converted(place: Path) -> Path:
    return place / "cache" if (place / "cache").is_dir() else measuring.converted_trunk(place / "cache")


def features(hosts: tuple[Host, Host], pictures: Path, place: Path, *, runs: int) -> None:
    """Whole processes, in turns: one core alone, both hosts, and both cores without a cluster, which is the limit."""
    both = replace(hosts[0], core=",".join(CORES))
    cluster = ["--cluster", f"{hosts[0].address}:{HEAD}"]
    seconds: dict[str, list[float]] = {"one core": [], "two hosts": [], "both cores, no cluster": []}
    ways = zip(seconds, ("one", "two", "both"), (hosts[0], hosts[0], both), ([], cluster, []), strict=True)
    for what, name, host, more in [*ways] * runs:
        command, _out = embed(pictures, place, name, *more)
        began = time.perf_counter()
        done = subprocess.run(host.command(*command, "--quiet"), capture_output=True, text=True)
        seconds[what].append(time.perf_counter() - began)
        print(f"{what} {seconds[what][-1]:.1f} s", flush=True)
        if done.returncode or done.stderr:
            sys.exit(f"{name}: {done.returncode}\n{done.stderr}")
    require_same(place, "two")
    one, two, limit = (statistics.median(each) for each in seconds.values())
    print(BARS["faster"].verdict(one / two))
    print(
        f"both cores in one process are {one / limit:.2f} times as fast as one: {limit / two:.0%} of that", flush=True
    )


def require_same(place: Path, name: str) -> None:
    same = (place / "one.npz").read_bytes() == (place / f"{name}.npz").read_bytes()
    print(f"{'PASS' if same else 'FAIL'}  the file of {name} has the bytes of one process's", flush=True)


def killed(what: str, hosts: tuple[Host, Host], pictures: Path, place: Path, kill: Callable[[], None]) -> None:
    """Ends something when a third is in the store."""
    name = what.replace(" ", "-")
    command, _out = embed(pictures, place, name, "--cluster", f"{hosts[0].address}:{HEAD}")
    log = place / f"{name}.log"
    process = hosts[0].start(*command, log=log)
    store = place / f"cache-{name}"
    third = sum(each.is_file() for each in pictures.rglob("*")) * 1280 * 4 / 3
    while process.poll() is None and sum(each.stat().st_size for each in store.glob("store/*")) < third:
        time.sleep(0.1)
    if process.poll() is None:
        kill()
    print(f"{what} was killed; the command ends with {process.wait(600)} and says:\n{log.read_text()}", flush=True)
    require_same(place, name)


def training(hosts: tuple[Host, Host], place: Path) -> None:
    """20 steps by torchrun on both hosts, beside those of one process."""
    alone, together = place / "alone", place / "together"
    for folder in (alone, together):
        folder.mkdir()
    subprocess.run([sys.executable, str(CHILD), "work", str(alone)], check=True)
    meeting = ["--nnodes", "2", "--nproc-per-node", "1", "--rdzv-backend", "c10d", "--rdzv-id", "eyespot"]
    meeting += ["--rdzv-endpoint", f"{hosts[0].address}:29500"]
    ranks = []
    for host in hosts:
        own = ["--local-addr", host.address, "--rdzv-conf", f"is_host={int(host is hosts[0])}"]
        command = [sys.executable, "-m", "torch.distributed.run", *meeting, *own]
        ranks.append(host.start(*command, str(CHILD), "work", str(together), log=place / f"{host.name}-rank.log"))
    try:
        codes = [each.wait(300) for each in ranks]
    finally:
        for each in ranks:
            end_group(each)
    said = "".join((place / f"{host.name}-rank.log").read_text() for host in hosts)
    print(f"torchrun ends with {codes} and says: {said or 'nothing'}")
    expected, *found = (dict(np.load(each)) for each in (alone / "0.npz", together / "0.npz", together / "1.npz"))
    names = [name for name in expected if name.startswith("trained ")]
    same = all(found[0][name].tobytes() == found[1][name].tobytes() for name in names)
    print(f"{'PASS' if same else 'FAIL'}  both hosts hold the same weights, to the bit")
    print(BARS["weights"].verdict(max(float(np.abs(found[0][name] - expected[name]).max()) for name in names)))


if __name__ == "__main__":
    main()
