"""Maps in 8 bits, and the file that holds them."""

from pathlib import Path

import numpy as np

from eyespot.detecting.maps import MapFile, packed, unpacked

SHAPES = {"map16": (4, 6, 10), "map32": (2, 3, 7)}


def drawn(seed: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    return {
        name: (random.normal(0, 3, shape) * random.uniform(0, 9, shape[-1])).astype(np.float32)
        for name, shape in SHAPES.items()
    }


def test_a_packed_map_is_off_by_half_a_step_at_most() -> None:
    maps = drawn(0)
    back = dict(zip(SHAPES, unpacked(packed(maps)[None], SHAPES), strict=True))
    for name, values in maps.items():
        step = np.abs(values).max((0, 1)) / 127
        assert (np.abs(back[name][0] - values) <= step / 2 + 1e-6).all()


def test_a_channel_of_zeros_stays_zero() -> None:
    maps = {name: np.zeros(shape, np.float32) for name, shape in SHAPES.items()}
    assert all((each == 0).all() for each in unpacked(packed(maps)[None], SHAPES))


def test_rows_come_back_in_any_order(tmp_path: Path) -> None:
    file = MapFile(SHAPES, 5, tmp_path)
    rows = [packed(drawn(seed)) for seed in range(5)]
    for number in (3, 0, 4, 1, 2):
        file.write(number, rows[number])
    got = file.read([4, 0, 2])
    for place, number in enumerate((4, 0, 2)):
        for map_, expected in zip(got, unpacked(rows[number][None], SHAPES), strict=True):
            assert (map_[place] == expected[0]).all()
    file.move(4, to=0)
    assert (file.read([0])[0] == file.read([4])[0]).all()
    file.close()
    assert list(tmp_path.iterdir()) == []
