"""What is to be done after a time is done then, and not where the time was not needed."""

from __future__ import annotations

from threading import Event, active_count
from time import monotonic, sleep

from dpsql.deadlines import Deadlines

LONG = 600.0


def test_a_deadline_is_kept_while_others_wait_for_longer() -> None:
    deadlines, called, other = Deadlines(), Event(), Event()
    with deadlines.within(LONG, other.set), deadlines.within(0.05, called.set):
        assert called.wait(10)
    assert not other.is_set()


def test_nothing_is_done_where_the_block_ended_in_time() -> None:
    deadlines, called, later = Deadlines(), Event(), Event()
    with deadlines.within(0.05, called.set):
        pass
    with deadlines.within(0.1, later.set):
        assert later.wait(10)
    assert not called.is_set()


def test_one_that_fails_leaves_the_others_alone() -> None:
    deadlines, called = Deadlines(), Event()
    with deadlines.within(0.01, lambda: 1 // 0), deadlines.within(0.1, called.set):  # type: ignore[arg-type]
        assert called.wait(10)


def test_any_number_of_deadlines_take_one_thread_and_none_when_all_are_over() -> None:
    deadlines = Deadlines()
    before = active_count()
    for _ in range(100):
        with deadlines.within(0.2, lambda: None):
            assert active_count() <= before + 1
    end = monotonic() + 10
    while active_count() > before and monotonic() < end:
        sleep(0.02)
    assert active_count() <= before
    called = Event()
    with deadlines.within(0.01, called.set):  # and another begins anew
        assert called.wait(10)
