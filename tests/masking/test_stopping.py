from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from masking.stopping import Stopped, unless_stopped, until
from masking.text.finder import Finder


def test_what_was_begun_for_nobody_ends_before_its_next_step_also_in_threads_of_its_own():
    stopped = Event()
    with until(stopped):
        step = unless_stopped(str)
        assert step(1) == "1"
        stopped.set()
        with ThreadPoolExecutor(1) as pool, pytest.raises(Stopped):
            pool.submit(step, 2).result()
    assert unless_stopped(str)(3) == "3"


def test_texts_are_read_no_further_once_nobody_waits_for_what_is_in_them(monkeypatch):
    finder, stopped, batches = Finder(fast=True), Event(), []
    read = finder._batch

    def reading(texts):
        batches.append(len(texts))
        stopped.set()
        return read(texts)

    monkeypatch.setattr(finder, "_batch", reading)
    with until(stopped), pytest.raises(Stopped):
        finder.find([f"visit {i} was short" for i in range(5_000)])
    assert batches == [2_048]
