import threading
import time

from eyespot.serve.idle import Idle


def test_who_waits_for_the_shortest_time_is_called_first_and_nobody_is_forgotten():
    lock, called = threading.Lock(), []
    idle = Idle(lock)

    def wait(number: int) -> None:
        with lock:
            idle.wait()
            called.append(number)

    def until(count: int) -> None:
        deadline = time.monotonic() + 30
        while len(called) < count:
            assert time.monotonic() < deadline
            time.sleep(0.001)

    threads = []
    for number in range(5):
        threads.append(threading.Thread(target=wait, args=(number,)))
        threads[-1].start()
        while len(idle._waiting) <= number:
            time.sleep(0.001)
    for count in (1, 2):
        with lock:
            idle.call(1)
        until(count)
    assert called == [4, 3]
    with lock:
        idle.call(0)
    with lock:
        idle.call(2)
    until(4)
    assert sorted(called[2:]) == [1, 2]
    with lock:
        idle.call_all()
        idle.call(9)
    until(5)
    for each in threads:
        each.join()
    assert called[4] == 0
