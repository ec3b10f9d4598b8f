"""Turns in a queue: whoever sends little waits for no one who sends much."""

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from eyespot.serve.fair_queue import QUANTUM, FairQueue


def taken(queue, count=10**6, **options):
    found = []
    while len(found) < count and (item := queue.take(**options)) is not None:
        found.append(item)
    return found


def test_clients_take_turns_and_each_ones_items_keep_their_order():
    queue = FairQueue()
    for number in range(3):
        queue.put("much", f"m{number}")
    for number in range(2):
        queue.put("little", f"l{number}")
    assert taken(queue) == ["m0", "l0", "m1", "l1", "m2"]
    assert len(queue) == 0


def test_a_small_item_does_not_wait_for_large_ones_that_came_before():
    queue = FairQueue()
    for number in range(6):
        queue.put("much", f"m{number}", 50_000_000)
    assert queue.take() == "m0"
    queue.put("little", "l", 1000)
    assert queue.take() == "l"


def test_over_time_all_clients_spend_the_same_whatever_their_items_cost():
    queue, chance, spent = FairQueue(), random.Random(0), Counter()
    costs = {"small": 600_000, "middle": 3_000_000, "large": 50_000_000}
    for _ in range(2000):
        for client, cost in costs.items():
            if not queue._lines.get(client) or len(queue._lines[client].items) < 3:
                queue.put(client, client, int(cost * chance.uniform(0.8, 1)))
        client = queue.take()
        spent[client] += costs[client]
    assert max(spent.values()) - min(spent.values()) < 3 * max(costs.values())


def test_what_may_not_be_taken_now_is_passed_over_and_stays_first_of_its_kind():
    queue = FairQueue()
    for item in ("large", "small", "large too"):
        queue.put("a", item)
    assert taken(queue, may=lambda item: "large" not in item) == ["small"]
    assert queue.take(lambda item: False) is None
    assert taken(queue) == ["large", "large too"]


def test_only_a_client_who_has_much_more_is_told_to_give_way():
    queue = FairQueue()
    assert queue.too_much("new", 1) is None
    for number in range(4):
        queue.put("much", number)
    queue.put("other", 9)
    assert queue.too_much("new", 2) == ("much", 3)
    assert queue.too_much("new", 3) is None
    assert queue.too_much("other", 1) == ("much", 3)
    assert queue.too_much("much", 1) is None
    assert queue.remove("much", lambda item: item > 1) == [2, 3]
    assert queue.remove("nobody", lambda item: True) == []
    assert (len(queue), queue.too_much("new", 2)) == (3, None)


steps = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 20 * QUANTUM), st.sampled_from("ptr")), max_size=60)


@given(steps)
def test_nothing_is_lost_or_taken_twice_and_each_ones_order_holds(steps):
    queue, waiting, number = FairQueue(), {name: [] for name in "abc"}, 0
    for client, cost, step in steps:
        if step == "p":
            queue.put(client, (client, number), cost)
            waiting[client].append(number)
            number += 1
        elif step == "r":
            assert [n for _, n in queue.remove(client, lambda item: item[1] % 2)] == [
                n for n in waiting[client] if n % 2
            ]
            waiting[client] = [n for n in waiting[client] if not n % 2]
        elif (item := queue.take()) is not None:
            assert waiting[item[0]].pop(0) == item[1]
        else:
            assert not any(waiting.values())
        assert len(queue) == sum(map(len, waiting.values()))
