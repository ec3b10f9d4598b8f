"""Connections of many places: whose is closed when there is no room for another."""

import pytest

from eyespot.serve import crowd as crowd_module
from eyespot.serve.crowd import Crowd


class Connection:
    def __init__(self, crowd, name):
        self.crowd, self.name, self.is_open = crowd, name, True

    def make_room(self):
        self.is_open = False
        self.crowd.leave(self, self.name)


@pytest.fixture
def enter(monkeypatch):
    """A function that opens a connection from a place; in the crowd there is room for ten, and for four of one."""
    monkeypatch.setattr(crowd_module, "MOST_CONNECTIONS", 10)
    monkeypatch.setattr(crowd_module, "MOST_OF_ONE", 4)
    ticks = iter(range(10**6))
    crowd = Crowd(frozenset({"10.0.0.5"}), clock=lambda: next(ticks))

    def enter(name):
        made = Connection(crowd, name)
        if not crowd.enter(made, name):
            made.make_room()
        return made

    enter.crowd = crowd
    return enter


def open_ones(connections):
    return [each.is_open for each in connections]


def test_one_place_has_no_more_than_its_share_and_its_own_oldest_gives_way(enter):
    others = [enter("10.0.0.2")]
    mine = [enter("10.0.0.1") for _ in range(6)]
    assert open_ones(mine) == [False, False, True, True, True, True]
    assert open_ones(others) == [True]


@pytest.mark.parametrize("name", ["127.0.0.1", "10.0.0.5", "::1"])
def test_this_computer_and_a_proxy_may_have_all(enter, name):
    assert all(open_ones([enter(name) for _ in range(10)]))


def test_where_all_is_full_the_place_with_most_gives_way_to_one_with_less(enter):
    much = [enter("127.0.0.1") for _ in range(10)]
    little = [enter("127.0.0.2") for _ in range(3)]
    assert open_ones(much) == [False] * 3 + [True] * 7
    assert all(open_ones(little))
    fresh = enter("127.0.0.1")
    assert open_ones([much[3], fresh]) == [False, True]
    assert all(open_ones(little))


def test_whose_request_has_come_is_not_closed(enter):
    working = [enter("127.0.0.1") for _ in range(10)]
    for each in working[:-1]:
        enter.crowd.works(each, each.name)
    fresh = enter("10.0.0.9")
    assert open_ones([*working, fresh]) == [True] * 9 + [False, True]
    enter.crowd.works(fresh, fresh.name)
    assert not enter("10.0.0.8").is_open
    assert all(open_ones([*working[:-1], fresh]))


def test_who_begins_to_wait_anew_has_waited_least(enter):
    first, second = enter("127.0.0.1"), enter("127.0.0.1")
    enter.crowd.works(first, first.name)
    enter.crowd.waits(first, first.name)
    for _ in range(9):
        enter("127.0.0.1")
    assert open_ones([first, second]) == [True, False]


def test_of_many_places_with_one_each_the_oldest_gives_way(enter):
    each_one = [enter(f"10.0.1.{number}") for number in range(10)]
    assert enter("10.0.2.1").is_open
    assert open_ones(each_one) == [False] + [True] * 9


def test_who_has_left_is_forgotten(enter):
    for _ in range(100):
        for each in [enter("10.0.0.1") for _ in range(4)]:
            each.make_room()
    assert enter.crowd._places == {}
