"""The figures for speed of docs/figures.md, next to those of another checkout: whole processes, the two in turn.

    git worktree add ../before COMMIT
    python benchmarks/before_after.py DATA --before ../before

Both run in this environment, each with a cache and run folders of its own. In every round the one that began last time
goes second. A ratio is that of one round, now to before, so that what slows the machine for minutes slows both. The
server is asked by one client, in whole rounds of requests; a training step is what `training_step.py` of the checkout
measures.
"""

from __future__ import annotations

import http.client
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import measuring
from measuring import at_most
from subset import linked

from eyespot import machine

BAR = at_most(1.03, "times", "no figure for speed in docs/figures.md is worse by more than 3 %")
HERE = Path(__file__).parents[1]
REQUESTS = 60
"""Of one client to the server, in a round."""
DECODE = """
import sys, time
from pathlib import Path
from eyespot.data.pictures import read_image
try:
    from eyespot.building.backbone import OWN_PREPROCESS
except ModuleNotFoundError:  # before networks had a room
    from eyespot.recipes.backbone import OWN_PREPROCESS
files = [path.read_bytes() for path in sorted(Path(sys.argv[1]).rglob("*.jpg"))]
began = time.thread_time()
for data in files:
    read_image(data, OWN_PREPROCESS)
print(time.thread_time() - began)
"""


@dataclass(frozen=True)
class Side:
    """One of the two checkouts."""

    checkout: Path
    folder: Path
    """For its caches and runs."""

    def environment(self, cache: Path | None = None) -> dict[str, str]:
        paths = (str(self.checkout / "src"), os.environ.get("PYTHONPATH", ""))
        cache = cache or self.folder / "cache"
        return {
            **os.environ,
            machine.CACHE_VARIABLE: str(cache),
            "PYTHONPATH": os.pathsep.join(path for path in paths if path),
            "PYTHONDONTWRITEBYTECODE": "",  # else the side whose modules happen to be compiled would win
        }

    def seconds(self, *given: str | Path, cache: Path | None = None) -> float:
        """From the start to the end of `python ...`."""
        began = time.perf_counter()
        self.printed(*given, cache=cache)
        return time.perf_counter() - began

    def printed(self, *given: str | Path, cache: Path | None = None) -> str:
        command = [sys.executable, *map(str, given)]
        finished = subprocess.run(command, env=self.environment(cache), stdout=subprocess.PIPE, text=True, check=False)
        if finished.returncode:
            raise SystemExit(f"{' '.join(command)} ended with status {finished.returncode} in {self.checkout}")
        return finished.stdout

    def eyespot(self, *given: str | Path, cache: Path | None = None) -> float:
        return self.seconds("-m", "eyespot", *given, cache=cache)

    def train(self, data: str | Path, *given: str, cache: Path | None = None) -> float:
        regime = () if "--regime" in given or "--freeze" in given else measuring.FROZEN
        return self.eyespot("train", data, "--out", self.folder / "runs", "--quiet", *regime, *given, cache=cache)

    @property
    def run(self) -> Path:
        """A run on the whole data."""
        return self.folder / "runs" / "train" / "first"


Figure = Callable[[Side], float]


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("data", type=Path, help="class folders, perhaps in train/, val/ and test/")
    parser.add_argument("--before", type=Path, required=True, help="the other checkout")
    parser.add_argument("--pictures", type=int, help="about so many of the pictures (default all)")
    parser.add_argument("--runs", type=int, default=5, help="rounds of what takes seconds (default 5)")
    parser.add_argument("--long-runs", type=int, default=3, help="rounds of what takes a minute (default 3)")
    parser.add_argument("--only", nargs="+", metavar="WORD", help="figures whose names hold one of these words")
    options = parser.parse_args()
    print(measuring.heading(), flush=True)
    with tempfile.TemporaryDirectory() as name:
        data = linked(options.data, Path(name, "data"), pictures=options.pictures)
        measuring.read_through(data)
        sides = [Side(checkout.resolve(), Path(name, each)) for each, checkout in _checkouts(options.before)]
        for side in sides:
            side.train(data, "--name", "first")
        picture = next(path for path in sorted(data.rglob("*")) if path.is_file())
        ratios: dict[str, float] = {}
        for figure, work, rounds in figures(data, picture, options):
            ratios[figure] = compared(figure, work, sides, rounds)
        with servers(sides) as asked:
            ratios["serve, one client"] = compared("serve, one client", asked(picture), sides, 2 * options.runs)
    for figure, ratio in ratios.items():
        print(f"{figure}: {BAR.verdict(ratio)}")


def figures(data: Path, picture: Path, options: object) -> Iterator[tuple[str, Figure, int]]:
    """Every figure by name, what gives it for a side, and in how many rounds."""
    short, long, only = (getattr(options, name) for name in ("runs", "long_runs", "only"))
    step = ("benchmarks/training_step.py", "--rounds", "5")
    own = ("--network", "efficientnet_lite0", "--px", "128", "--statistics-stay")
    every: tuple[tuple[str, Figure, int], ...] = (
        ("eyespot --help", lambda side: side.eyespot("--help"), 4 * short),
        ("eyespot predict", lambda side: side.eyespot("predict", side.run, picture, "--quiet"), 4 * short),
        ("eyespot summary resnet152", lambda side: side.eyespot("summary", "resnet152"), short),
        ("decoding", lambda side: float(side.printed("-c", DECODE, data)), short),
        ("train, nothing changed", lambda side: side.train(data), short),
        ("train, another seed", lambda side: side.train(data, "--seed", str(time.monotonic_ns() % 10**6)), short),
        ("train digits, empty cache", lambda side: cold(side, "digits"), long),
        ("train, empty cache", lambda side: cold(side, data), long),
        ("step of ResNet-18", lambda side: step_seconds(side, *step), long),
        ("step of EfficientNet-Lite0, 128 px", lambda side: step_seconds(side, *step, *own), long),
    )
    return (each for each in every if not only or any(word in each[0] for word in only))


def cold(side: Side, data: str | Path) -> float:
    """A run with a new cache."""
    with tempfile.TemporaryDirectory() as cache:
        return side.train(data, cache=Path(cache))


def step_seconds(side: Side, program: str, *given: str) -> float:
    """The median step of eyespot's loop, as the checkout's own program prints it."""
    printed = side.printed(side.checkout / program, *given)
    found = re.search(r"^eyespot\b.*median ([0-9.e+-]+)", printed, re.MULTILINE)
    if not found:
        raise SystemExit(f"{program} printed no median of eyespot's steps")
    return float(found[1])


def compared(figure: str, work: Figure, sides: Sequence[Side], rounds: int) -> float:
    """The median of the rounds' ratios, now to before; each side runs once unmeasured."""
    for side in sides:
        work(side)
    seconds: dict[Path, list[float]] = {side.folder: [] for side in sides}
    for turn in range(rounds):
        for side in sides if turn % 2 else reversed(sides):
            seconds[side.folder].append(work(side))
    now, before = seconds.values()
    ratios = [one / other for one, other in zip(now, before, strict=True)]
    for folder, values in seconds.items():
        print(measuring.runs_line(f"{figure}, {folder.name}", values, "s"))
    print(measuring.runs_line(f"{figure}, ratio", ratios, "times"), flush=True)
    return statistics.median(ratios)


@contextmanager
def servers(sides: Sequence[Side]) -> Iterator[Callable[[Path], Figure]]:
    """Both servers running, and what asks one of them about a picture in a round of requests."""
    from servers import HOST, START_SECONDS, free_port  # reads /proc: Linux

    with ExitStack() as stack:
        ports: dict[Path, int] = {}
        for side in sides:
            port = ports[side.folder] = free_port()
            command = [sys.executable, "-m", "eyespot", "serve", str(side.run), "--port", str(port)]
            process = subprocess.Popen(command, env=side.environment(), stdout=subprocess.DEVNULL)
            stack.callback(lambda process=process: process.wait(START_SECONDS))
            stack.callback(process.terminate)
            _until_ready(HOST, port, seconds=START_SECONDS)

        def asking(picture: Path) -> Figure:
            body = picture.read_bytes()

            def ask(side: Side) -> float:
                connection = http.client.HTTPConnection(HOST, ports[side.folder], timeout=START_SECONDS)
                began = time.perf_counter()
                for _ in range(REQUESTS):
                    connection.request("POST", "/predict", body, {"Content-Type": "image/jpeg"})
                    answer = connection.getresponse()
                    if answer.status != 200:
                        raise SystemExit(f"the server of {side.checkout} answered {answer.status}: {answer.read()!r}")
                    answer.read()
                connection.close()
                return (time.perf_counter() - began) / REQUESTS

            return ask

        yield asking


def _until_ready(host: str, port: int, *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection(host, port, timeout=seconds)
        try:
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.1)
    raise SystemExit(f"no server answers at port {port}")


def _checkouts(before: Path) -> tuple[tuple[str, Path], ...]:
    return ("now", HERE), ("before", before)


if __name__ == "__main__":
    main()
