"""Whether what eyespot says of a data set and of its own figures holds.

    python benchmarks/trust.py DATA --only copies bursts

DATA is the folder that holds `clothing/`, `mnist/`, `cifar10/` and the other pictures that benchmarks use.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import measuring
import trust_audit
import trust_boxes
import trust_compare
import trust_curve
import trust_exclude
import trust_gain
import trust_labels
import trust_ladder
import trust_pictures
import trust_series
import trust_unknown
from measuring import Bar

from eyespot.data.store import Store

Rows = Callable[[Path, Store], Iterator[tuple[Bar, float]]]
MEASURES: Mapping[str, Rows] = {
    "copies": trust_series.near_copies,
    "bursts": lambda data, store: trust_series.bursts(data),
    "audit": trust_audit.audits,
    "boxes": lambda data, store: trust_boxes.suspects(data),
    "labels": trust_labels.wrong_labels,
    "curve": trust_curve.learning_curve,
    "pictures": trust_pictures.listed_pictures,
    "compare": lambda data, store: ((bar, value) for _, bar, value in trust_compare.rows() if bar),
    "ladder": trust_ladder.ladder,
    "lists": lambda data, store: trust_exclude.rows(data),
    "gain": lambda data, store: trust_gain.rows(data),
    "refusals": trust_unknown.refusals,
    "sets": trust_unknown.sets,
    "engines": trust_unknown.engines,
}


def main() -> None:
    parser = measuring.arguments_parser(__doc__)
    parser.add_argument("data", type=Path, help="the folder of all pictures")
    parser.add_argument("--only", choices=MEASURES, nargs="+", default=list(MEASURES), help="what to measure")
    options = parser.parse_args()
    print(measuring.heading(), flush=True)
    with tempfile.TemporaryDirectory() as name, Store(Path(name) / "store") as store:
        for each in options.only:
            print(f"\n{each}", flush=True)
            for bar, value in MEASURES[each](options.data, store):
                print(bar.verdict(value), flush=True)


if __name__ == "__main__":
    main()
