"""How many processors there are to use, as the system and a container say it."""

import pytest

from eyespot import machine


@pytest.mark.parametrize(
    ("files", "share"),
    [
        ({"cpu.max": "150000 100000\n"}, 1.5),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "50000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 0.5),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({"cpu.max": "what is this"}, None),
        ({}, None),
    ],
)
def test_a_containers_share_is_read_as_linux_writes_it(files, share, tmp_path):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert machine._share_of_container(tmp_path) == share


@pytest.mark.parametrize(("share", "cores"), [(None, 4), (1.5, 2), (0.2, 1), (64.0, 4)])
def test_no_more_processors_are_used_than_the_share_allows(share, cores, monkeypatch):
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda process: set(range(4)), raising=False)
    monkeypatch.setattr(machine, "_share_of_container", lambda: share)
    assert machine.cores() == cores
