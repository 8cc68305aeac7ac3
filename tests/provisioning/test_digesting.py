"""Digesting in a thread: how much may wait for it, and what is left undone."""

from __future__ import annotations

from threading import Event, Timer

import pytest

from provisioning.digesting import DigestingThread

MIB = 2**20


def test_no_more_than_a_fixed_number_of_bytes_wait() -> None:
    thread, go_on, happened = DigestingThread(), Event(), []
    thread.start()

    def first() -> None:
        go_on.wait()
        happened.append("the first is done")

    thread.submit(first, 100 * MIB)
    thread.submit(lambda: None, 20 * MIB)
    happened.append("a small one is accepted")
    Timer(0.2, go_on.set).start()
    thread.submit(lambda: None, 100 * MIB)
    happened.append("a large one is accepted")
    thread.stop()
    assert happened == ["a small one is accepted", "the first is done", "a large one is accepted"]


def test_a_batch_that_is_larger_than_all_that_may_wait_is_digested_alone() -> None:
    thread, done = DigestingThread(), []
    thread.start()
    for number in range(3):
        thread.submit(lambda number=number: done.append(number), 1000 * MIB)
    thread.stop()
    assert done == [0, 1, 2]


def test_what_waits_is_left_undone_after_giving_up() -> None:
    thread, begun, go_on, done = DigestingThread(), Event(), Event(), []
    thread.start()
    thread.submit(lambda: (begun.set(), go_on.wait(), done.append("first")), MIB)
    thread.submit(lambda: done.append("second"), MIB)
    begun.wait()
    thread.give_up()
    go_on.set()
    thread.stop()
    assert done == ["first"]


def test_an_error_is_raised_at_the_next_batch_and_at_the_end() -> None:
    thread, failed = DigestingThread(), Event()
    thread.start()

    def fail() -> None:
        failed.set()
        raise ValueError("no digest")

    thread.submit(fail, 200 * MIB)
    failed.wait()
    with pytest.raises(ValueError, match="no digest"):
        thread.submit(lambda: None, MIB)
    thread.stop()
    with pytest.raises(ValueError, match="no digest"):
        thread.raise_error()
