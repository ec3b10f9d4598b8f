"""40 things that go wrong, what eyespot makes of each, and what others do: `docs/reliability.json`, a page of the docs.

    python benchmarks/failure_zoo.py
    python benchmarks/failure_zoo.py --peers PEERS/bin/python --write docs/reliability.json

Each row makes its files, runs eyespot as a person does, and passes where its criterion holds, which stands in the row.
`--peers` is the Python of an environment with fastai, timm, torchvision and Ultralytics, which are asked the same with
the same files (`failure_zoo_peers.py`); what they said before is kept in the written file where they are not asked.
Behind `--write`, `python scripts/reliability.py` fills the page. Some rows need Linux: a full disk, addresses.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import measuring
from measuring import at_least
from zoo_folders import ROWS as FOLDERS
from zoo_ground import Case, Ground, Missed, Row
from zoo_pictures import ROWS as PICTURES
from zoo_runs import ROWS as RUNS
from zoo_served import ROWS as SERVED

from eyespot import machine
from eyespot.version import VERSION

ROWS = (*PICTURES, *FOLDERS, *RUNS, *SERVED)
PEERS = ("fastai", "timm", "torchvision", "ultralytics")
NOT_RUN = "not run"
BAR = at_least(len(ROWS), "rows", "what goes wrong is said, and costs no more than it must")


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("--only", nargs="+", metavar="ROW", help="some of the rows")
    parser.add_argument("--peers", type=Path, metavar="PYTHON", help="of an environment with the other libraries")
    parser.add_argument("--write", type=Path, metavar="JSON", help="keep what was found, such as docs/reliability.json")
    options = parser.parse_args()
    print(measuring.heading(), flush=True)
    rows = [row for row in ROWS if not options.only or row.name in options.only]
    with tempfile.TemporaryDirectory() as name:
        ground = Ground(Path(name).resolve())
        measuring.converted_trunk(ground.folder / "cache")
        os.environ[machine.CACHE_VARIABLE] = str(ground.folder / "cache")
        found = {row.name: tried(row, ground) for row in rows}
        others = asked(options.peers, rows, ground) if options.peers else {}
    if options.write:
        write(options.write, rows, found, others)
    passed = sum(each["passed"] for each in found.values())
    print(at_least(len(rows), BAR.unit, BAR.sentence).verdict(passed))


def prepared(row: Row, ground: Ground, whose: str) -> Case:
    folder = ground.folder / whose / row.name
    folder.mkdir(parents=True)
    return row.prepare(ground, folder)


def tried(row: Row, ground: Ground) -> dict[str, Any]:
    """Whether a row's criterion holds, and what eyespot did."""
    began = time.perf_counter()
    try:
        words, passed = row.act(ground, prepared(row, ground, "own")), True
    except Missed as error:
        words, passed = str(error), False
    except (Exception, SystemExit) as error:  # a row that fails must not hide the others
        words, passed = f"{type(error).__name__}: {error}", False
    words = words.replace(f"{ground.folder}/", "")
    print(f"{'PASS' if passed else 'FAIL'}  {row.name} ({time.perf_counter() - began:.1f} s): {words}", flush=True)
    return {"passed": passed, "eyespot": words}


def asked(python: Path, rows: list[Row], ground: Ground) -> dict[str, dict[str, Any]]:
    """What each of the others said to the rows that can be asked, with its version."""
    plain = ground.parts(ground.folder / "plain")
    answers = {}
    for peer in PEERS:
        tasks = []
        for row in rows:
            if row.ask in (NOT_RUN, "has none"):
                continue
            case = prepared(row, ground, peer)
            told = {"row": row.name, "ask": row.ask, "data": str(case.data), "odd": case.odd, "plain": str(plain)}
            tasks.append({**told, "readings": {words: str(path) for words, path in case.readings.items()}})
        files = [ground.folder / f"{peer}-{kind}.json" for kind in ("tasks", "answers")]
        files[0].write_text(json.dumps(tasks), encoding="utf-8")
        program = Path(__file__).with_name("failure_zoo_peers.py")
        subprocess.run([python, program, peer, *files], check=True, cwd=ground.folder)
        answers[peer] = json.loads(files[1].read_text("utf-8"))
    return answers


def write(path: Path, rows: list[Row], found: dict[str, Any], others: dict[str, Any]) -> None:
    """Keeps what was found, and what others said before where they were not asked now."""
    before = json.loads(path.read_text("utf-8")) if path.exists() else {"versions": {}, "rows": {}}
    versions = {**before["versions"], "eyespot": VERSION, **{name: each["version"] for name, each in others.items()}}
    kept = before["rows"]
    for row in rows:
        said = kept.get(row.name, {}).get("peers", {})
        fixed = row.ask if row.ask in (NOT_RUN, "has none") else None
        peers = {
            name: fixed or others.get(name, {}).get("answers", {}).get(row.name) or said.get(name, NOT_RUN)
            for name in PEERS
        }
        kept[row.name] = {"what": row.what, "who": row.who, "holds": row.holds, **found[row.name], "peers": peers}
    ordered = {row.name: kept[row.name] for row in ROWS if row.name in kept}
    content = {"machine": measuring.heading(), "versions": versions, "rows": ordered}
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
