"""Whoever writes what is to be kept, killed at random moments: nothing kept is lost, nothing half is taken for whole.

    python benchmarks/kills_of_writers.py --kills 5000 --log kills.jsonl

Those who write are the store of features, a model that takes another's place, exports in three formats, remembered
trainings, the cache's other files, an audit's lists, a run's own files, and boxes as texts and in other formats. Each
life is a process of its own. It is killed with SIGKILL at a random moment or before a step that changes a file's name,
or by the system in the midst of a write, when a file has grown to a size drawn by chance; so half of what it wrote is
on the disk. What it said was kept must be there to the bit, each batch must be there whole or not at all, and what
another program would open must be whole. Then the next life goes on in the same folder; every few are left to their
end, which must come. Where several may write at a time, sometimes two do, and one is killed.

The log keeps the counts, so that pieces of some minutes add up. It needs a system that can fork. `kills.py` does the
same with training.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import measuring
from lives import Death, Life, begun
from measuring import at_most
from writers import OF_MODELS, WRITERS, Model, Writer, all_writers

BAR = at_most(0, "kills", "whoever is killed while writing loses nothing that was kept, and leaves nothing half")
TRAINED = ("train", "digits", "--epochs", "1", "--name", "digits", "--quiet")
LIVES_IN_A_FOLDER = 30
IN_MEMORY = Path("/dev/shm")
"""Where the files lie if it is there: a killed process leaves the same behind on every disk, and this one is quick."""
LEFT_ALONE, TWO = 0.1, 0.3
"""Shares of the lives that come to their end, and, where others may write, that are two at a time."""


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("--kills", type=int, default=1000, help="how often to kill (default 1000)")
    parser.add_argument("--seed", type=int, default=0, help="decides the moments, as far as a clock can repeat them")
    parser.add_argument("--log", type=Path, help="JSON lines of what was counted, which later calls add to")
    parser.add_argument("--only", nargs="+", choices=WRITERS, metavar="WRITER", help=f"some of {', '.join(WRITERS)}")
    options = parser.parse_args()
    print(measuring.heading(), flush=True)
    log, total = measuring.Log(options.log, program="kills_of_writers"), Counter[str]()
    with tempfile.TemporaryDirectory(dir=IN_MEMORY if IN_MEMORY.is_dir() else None) as name:
        chosen = options.only or WRITERS
        writers = all_writers(trained(Path(name)) if set(chosen) & set(OF_MODELS) else None)
        for who in chosen:
            before = sum((Counter(run) for run in log.runs(who)), Counter[str]())
            chance = random.Random(f"{options.seed} {who} {before['lives']}")
            folder = Path(name) / who.replace(" ", "-")
            count = killed(writers[who], folder, options.kills // len(chosen) + 1, chance=chance)
            log.add(who, dict(count))
            print(f"{who}: {dict(count)}; in all {(before + count)['kills']} kills", flush=True)
            total += before + count
    print(f"in all {dict(total)}")
    print(BAR.verdict(total["wrong"]))


def trained(folder: Path) -> tuple[Model, Model]:
    """Two models of one name with their exports, made by processes: what runs threads cannot be forked."""
    models = []
    for seed in ("0", "1"):
        out = folder / f"seed-{seed}"
        run = out / "train" / "digits"
        commands = [[*TRAINED, "--seed", seed, "--out", out]]
        commands += [["export", run, "--format", kind, "--quiet"] for kind in ("onnx", "openvino")]
        for command in commands:
            subprocess.run([sys.executable, "-m", "eyespot", *map(str, command)], check=True, stdout=subprocess.DEVNULL)
        models.append(Model.of(run))
    return models[0], models[1]


def killed(writer: Writer, folder: Path, kills: int, *, chance: random.Random) -> Counter[str]:
    """How many lives and kills there were, of each kind, and how many folders were wrong."""
    count, said, number = Counter[str](), list[str](), 0
    whole = Life([], killed=False, failed=False, steps=1, seconds=0.05)
    while count["kills"] < kills:
        if number % LIVES_IN_A_FOLDER == 0:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            said = []
        deaths = [drawn(whole, folder, chance) if number else Death()]
        if writer.together and chance.random() < TWO:
            deaths.append(Death())
        living = [begun(partial(writer.write, folder, number + n), death) for n, death in enumerate(deaths)]
        lives = [each.ended() for each in living]
        number += len(lives)
        said += [line for life in lives for line in life.said]
        count.update(kind for death, life in zip(deaths, lives, strict=True) for kind in counted(death, life))
        whole = next((life for life in lives if life.steps), whole)
        if wrong := found_wrong(writer, folder, said, lives):
            count["wrong"] += 1
            print(f"life {number}, {deaths[0]}: WRONG: {wrong}", flush=True)
            number = -(-number // LIVES_IN_A_FOLDER) * LIVES_IN_A_FOLDER  # a new folder
    return count


def drawn(whole: Life, folder: Path, chance: random.Random) -> Death:
    """How the next life ends. whole: one that came to its end."""
    kind = "none" if chance.random() < LEFT_ALONE else chance.choice(("after", "step", "size"))
    if kind == "after":
        return Death(after=chance.uniform(0.0, whole.seconds))
    if kind == "step":
        return Death(step=chance.randint(1, whole.steps))
    largest = max((each.stat().st_size for each in folder.rglob("*") if each.is_file()), default=0)
    return Death(size=chance.randrange(largest + 1000)) if kind == "size" else Death()


def counted(death: Death, life: Life) -> Iterator[str]:
    yield "lives"
    if life.killed:
        yield "kills"
        yield next(name for name in ("after", "step", "size") if getattr(death, name) is not None)


def found_wrong(writer: Writer, folder: Path, said: Sequence[str], lives: Sequence[Life]) -> str:
    """What is wrong after these lives; looked for in a process of its own, as the next user does."""
    if any(life.failed for life in lives):
        return "a life failed"
    looked = begun(lambda say: [say(each) for each in writer.wrong(folder, said)]).ended()
    return "what is there cannot be read" if looked.failed else "; ".join(looked.said)


if __name__ == "__main__":
    main()
