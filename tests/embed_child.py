"""What every rank of `features/test_embed_together.py` does; the tests read what it found from FOLDER/RANK.npz.

torchrun ... embed_child.py FOLDER
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from eyespot.augmenting.augmentation import PHOTOS
from eyespot.data import room
from eyespot.data.copies import hash_pictures
from eyespot.data.sources import list_pictures
from eyespot.data.store import Store
from eyespot.distributed.world import World, joined, total, world
from eyespot.engine.run import Engine
from eyespot.features.embed import Embedded, embed
from eyespot.features.trunk import Recipe
from eyespot.features.views import choose_views
from eyespot.records import Preprocess

PREPROCESS = Preprocess(
    short_side=32, crop_hw=(32, 32), filter="bilinear", color="rgb", mean=(120, 110, 100), scale=(60, 55, 50)
)


class Counting(Engine):
    """An engine that counts the images it is given."""

    images = 0

    def stream(self, batches):
        def counted():
            for tag, images in batches:
                self.images += len(images)
                yield tag, images

        return super().stream(counted())


def cases(folder: Path, ours: World) -> dict[str, np.ndarray]:
    """Names of arrays and arrays, of every case."""
    hashed = hash_pictures(list_pictures([folder / "photos"])[0], threads=2)[0]
    engine = Counting((folder / "graph.onnx").read_bytes(), image_hwc=(32, 32, 3), precision="fp32", batch=4)
    ticks: list[tuple[int, int]] = []
    most = room.MOST_IN_MEMORY
    found: dict[str, np.ndarray] = {}

    trunk = SimpleNamespace(
        engine=engine,
        recipe=Recipe(PREPROCESS, trunk="tiny", precision="fp32"),
        signer=None,
        preprocess=PREPROCESS,
        dtype=np.float32,
        folder=None,
    )

    def case(name: str, count: int, store: Store | None, **options: object) -> None:
        engine.images = 0
        ticks.clear()
        done = embed(
            trunk,
            hashed[:count],
            **{"views": ("identity", "mirror"), **options},
            store=store,
            world=ours,
            progress=lambda *tick: ticks.append(tick),
        )
        found.update(described(name, done))
        found[f"{name} own"] = np.array([engine.images])
        found[f"{name} ticks"] = np.array(ticks)
        total(0.0, ours)  # nobody goes on before all have come here

    case("alone", len(hashed), None)
    case("drawn", len(hashed), None, views=choose_views(4, PHOTOS, seed=5))
    case("none", 0, None)
    case("one", 1, None)
    trunk.folder, room.MOST_IN_MEMORY = folder / "room", 0
    case("on disk", len(hashed), None)
    trunk.folder, room.MOST_IN_MEMORY = None, most
    with Store(folder / "shared") as shared, Store(folder / f"own{ours.rank}") as own:
        case("a few", 6, shared)
        case("shared", len(hashed), shared)
        case("shared again", len(hashed), shared)
        case("own", len(hashed), own)
        case("own again", len(hashed), own)
    with Store(folder / "small", max_bytes=1000) as small:
        case("too many for the store", len(hashed), small)
    return found


def described(name: str, done: Embedded) -> dict[str, np.ndarray]:
    said = {
        "pictures": [each.picture.name for each in done.pictures],
        "set aside": [each.model_dump() for each in done.set_aside],
        "computed": done.computed,
        "notes": done.notes,
    }
    return {
        f"{name} said": np.array([json.dumps(said)]),
        **{f"{name} view {number}": rows for number, rows in enumerate(done.features.values())},
    }


def main(folder: Path) -> None:
    ours = world()
    with joined(ours, timeout_seconds=300):
        np.savez(folder / f"{ours.rank}.npz", **cases(folder, ours))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
