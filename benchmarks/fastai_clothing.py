"""`eyespot train DATA` to the end of its report against fastai's `fine_tune(1)` with the same backbone and weights.

    python benchmarks/fastai_clothing.py DATA --fastai ENVIRONMENT/bin/python --log runs.jsonl

Both sides take turns as processes of their own, on the same cores and the same train and validation pictures. eyespot
begins with an empty cache: it converts the network, compiles it and computes every feature, those of the test pictures,
too. It counts only with a validation accuracy at least as high as that of fastai's last epoch. Tried are 20 seconds
(`--time 20s`: the frozen regime on as many pictures as fit), where those are not enough 30, then the whole regime, then
`--regime partial`. What counted is run once more, with another seed and the features that are stored by then. fastai's
side is fastai_way.py and takes many minutes: with --log, what is finished is kept, and a benchmark that was interrupted
goes on from there.
"""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

import measuring
from measuring import Log, at_least
from subset import arguments_parser, workplace

BAR = at_least(30, "times", "eyespot has fastai's validation accuracy at least 30 times sooner than fastai")
FASTAI_WAY = Path(__file__).with_name("fastai_way.py")
TRIED = (("--time", "20s"), ("--time", "30s"), (), ("--regime", "partial"))
"""Options of eyespot, in this order: the first that are accurate enough count."""


def main() -> None:
    parser = arguments_parser(__doc__, data="a folder with train, val and test, as `eyespot train` takes it")
    parser.add_argument("--fastai", type=Path, required=True, help="Python of an environment with fastai and timm")
    parser.add_argument("--augment", action="store_true", help="fastai with its aug_transforms()")
    parser.add_argument("--runs", type=int, default=3, help="runs of each side (default 3)")
    parser.add_argument("--log", type=Path, help="JSON lines file that keeps finished runs")
    options = parser.parse_args()
    log = Log(
        options.log,
        program="fastai_clothing",
        machine=measuring.heading(),
        data=str(options.data.resolve()),
        pictures=options.pictures,
        augment=options.augment,
    )
    with workplace(options) as (folder, data):
        pairs = measure(data, folder, options, log)
    report(pairs)


def measure(data: Path, folder: Path, options: Any, log: Log) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """For each run what fastai did, and what eyespot did: each try, and the counting one again with stored features."""
    weights = written_weights(folder / "weights.pt")
    measuring.read_through(data)
    theirs, ours = log.runs("fastai")[: options.runs], log.runs("eyespot")[: options.runs]
    for number in range(options.runs):
        if len(theirs) <= number:
            answers = folder / f"answers{number}.json"
            theirs.append(fastai_run(options.fastai, data, weights, answers, seed=number, augment=options.augment))
            log.add("fastai", theirs[-1])
        if len(ours) <= number:
            enough = theirs[number]["epochs"][-1]["accuracy"]
            ours.append({"tries": eyespot_tries(data, folder / f"run{number}", enough)})
            log.add("eyespot", ours[-1])
    return [(his, my["tries"]) for his, my in zip(theirs, ours, strict=True)]


def written_weights(file: Path) -> Path:
    """timm's state dict with the weights that eyespot uses, as a file."""
    import torch
    from outside import timm_network

    torch.save(timm_network().state_dict(), file)
    return file


def fastai_run(python: Path, data: Path, weights: Path, answers: Path, *, seed: int, augment: bool) -> dict[str, Any]:
    command = [python, FASTAI_WAY, data, weights, answers, "--seed", str(seed), *["--augment"] * augment]
    seconds, _ = measuring.timed(command, cache=answers.with_suffix(".cache"))
    epochs = json.loads(answers.read_text(encoding="utf-8"))["epochs"]
    print(f"fastai: {seconds:.1f} s; {'; '.join(map(epoch_line, epochs))}", flush=True)
    return {"seconds": seconds, "epochs": epochs}


def epoch_line(epoch: dict[str, float]) -> str:
    return f"accuracy {epoch['accuracy']:.4f} after {epoch['seconds']:.1f} s"


def eyespot_tries(data: Path, folder: Path, enough: float) -> list[dict[str, Any]]:
    """Runs with an empty cache until one is accurate enough, then that one with stored features."""
    tries: list[dict[str, Any]] = []
    for given in TRIED:
        cache = folder / f"cache{len(tries)}"
        tries.append(eyespot_try(data, cache, folder / "runs", given, seed=0))
        if tries[-1]["accuracy"] >= enough:
            break
    return [*tries, eyespot_try(data, cache, folder / "runs", given, seed=1)]


def eyespot_try(data: Path, cache: Path, out: Path, given: tuple[str, ...], *, seed: int) -> dict[str, Any]:
    warm = cache.exists()
    trained = measuring.train(data, cache=cache, out=out, seed=seed, given=given)
    accuracy = trained.result["validation"]["accuracy"]
    name = " ".join(["eyespot train DATA", *given]) + (", features stored" if warm else ", cache empty")
    print(f"{name}: {trained.seconds:.1f} s; accuracy {accuracy:.4f}", flush=True)
    return {"name": name, "seconds": trained.seconds, "accuracy": accuracy}


def report(pairs: list[tuple[dict[str, Any], list[dict[str, Any]]]]) -> None:
    """Every run, the medians and the bar; a run of eyespot's that was never accurate enough fails the bar."""
    print()
    print(measuring.runs_line("fastai, whole process", [his["seconds"] for his, _ in pairs], "s"))
    print(measuring.runs_line("  accuracy", [his["epochs"][-1]["accuracy"] for his, _ in pairs], ""))
    every = [each for _, tries in pairs for each in tries]
    for name in dict.fromkeys(each["name"] for each in every):
        runs = [each for each in every if each["name"] == name]
        print(measuring.runs_line(name, [each["seconds"] for each in runs], "s"))
        print(measuring.runs_line("  accuracy", [each["accuracy"] for each in runs], ""))
    times = statistics.median(ratio(his, tries, -2) for his, tries in pairs)
    print(f"with stored features {statistics.median(ratio(his, tries, -1) for his, tries in pairs):.1f} times sooner")
    print(BAR.verdict(times))


def ratio(his: dict[str, Any], tries: list[dict[str, Any]], place: int) -> float:
    """How many times sooner; 0 where that accuracy was not reached."""
    reached = tries[place]["accuracy"] >= his["epochs"][-1]["accuracy"]
    return float(his["seconds"] / tries[place]["seconds"]) if reached else 0.0


if __name__ == "__main__":
    main()
