"""The scheduler of a service: it sweeps once a day, makes good what was missed, and does not end in silence."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

import pytest
from yard import BEGIN, Yard

from provisioning.life import scheduling
from provisioning.life.health import figures
from provisioning.life.scheduling import RETRY, Scheduler
from provisioning.life.sweeping import last_sweep


def until(what: Callable[[], bool]) -> None:
    for _ in range(1500):
        if what():
            return
        threading.Event().wait(0.02)
    raise AssertionError("it did not happen")


@pytest.fixture
def scheduler(file_yard: Yard):
    made = Scheduler(file_yard.sandboxes, time(3, 17), pause=0.01)
    yield made
    made.stop(30)


def beats(scheduler: Scheduler, clock) -> None:
    """Wait until it has looked at the clock as it stands, and has done what was due."""
    until(lambda: scheduler.beat_at == clock.now)
    clock.move(seconds=1)
    until(lambda: scheduler.beat_at == clock.now)


@pytest.mark.parametrize(
    ("now", "due"),
    [((3, 17), (2, 3, 17)), ((3, 16), (1, 3, 17)), ((23, 59), (2, 3, 17)), ((0, 0), (1, 3, 17))],
)
def test_the_last_time_that_was_due(file_yard: Yard, now: tuple[int, int], due: tuple[int, int, int]) -> None:
    scheduler = Scheduler(file_yard.sandboxes, time(3, 17))
    assert scheduler.due(datetime(2026, 3, 2, *now, tzinfo=UTC)) == datetime(2026, 3, *due, tzinfo=UTC)


def test_what_was_missed_is_made_good_and_then_once_a_day(file_yard: Yard, scheduler: Scheduler) -> None:
    id = file_yard.create(ttl=timedelta(hours=2)).sandbox.id
    scheduler.start()
    until(lambda: scheduler.runs == 1)
    for _ in range(3):
        file_yard.clock.move(hours=5)
        beats(scheduler, file_yard.clock)
    assert scheduler.runs == 1
    assert file_yard.sandboxes.show(id).state == "ready"
    file_yard.clock.move(hours=5)
    until(lambda: scheduler.runs == 2)
    until(lambda: file_yard.sandboxes.show(id).state == "deleted")
    beats(scheduler, file_yard.clock)
    assert (scheduler.runs, scheduler.errors, scheduler.died) == (2, 0, False)
    assert {e["actor"] for e in file_yard.sandboxes.why(id).history if e["action"] == "deleted"} == {"scheduler"}


def test_another_one_has_swept_already(file_yard: Yard, scheduler: Scheduler) -> None:
    file_yard.sandboxes.sweep(actor="cron")
    scheduler.start()
    beats(scheduler, file_yard.clock)
    assert scheduler.runs == 0


def test_a_sweep_by_a_clock_that_was_wrong_keeps_none_away(file_yard: Yard, scheduler: Scheduler) -> None:
    file_yard.clock.move(days=400)
    file_yard.sandboxes.sweep(actor="cron")
    file_yard.clock.move(days=-400)
    scheduler.start()
    until(lambda: scheduler.runs == 1)
    beats(scheduler, file_yard.clock)
    assert scheduler.runs == 1
    assert figures(file_yard.platform).sweep_ended == BEGIN


def test_a_crash_is_put_right_at_the_start(file_yard: Yard, scheduler: Scheduler) -> None:
    made = file_yard.create().sandbox
    file_yard.host.remove(file_yard.host.place(made.id))
    file_yard.sandboxes.sweep(actor="cron", dry_run=True)
    scheduler.start()
    until(lambda: file_yard.sandboxes.show(made.id).state == "failed")


def test_errors_are_counted_logged_and_tried_again(file_yard: Yard, scheduler: Scheduler, monkeypatch, caplog) -> None:
    real = scheduling.last_sweep
    monkeypatch.setattr(scheduling, "last_sweep", lambda connection, now: 1 / 0)
    with caplog.at_level(logging.ERROR):
        scheduler.start()
        until(lambda: scheduler.errors == 1)
        beats(scheduler, file_yard.clock)
    assert (scheduler.errors, scheduler.runs, scheduler.died) == (1, 0, False)
    assert "ZeroDivisionError" in caplog.text
    monkeypatch.setattr(scheduling, "last_sweep", real)
    file_yard.clock.now += RETRY
    until(lambda: scheduler.runs == 1)
    with file_yard.control.read() as connection:
        assert last_sweep(connection, file_yard.clock.now)[0] >= BEGIN + RETRY


def test_a_failure_by_a_clock_that_was_wrong_keeps_none_away(file_yard: Yard, scheduler: Scheduler, monkeypatch) -> None:
    real = scheduling.last_sweep
    monkeypatch.setattr(scheduling, "last_sweep", lambda connection, now: 1 / 0)
    file_yard.clock.move(days=400)
    scheduler.start()
    until(lambda: scheduler.errors == 1)
    monkeypatch.setattr(scheduling, "last_sweep", real)
    file_yard.clock.move(days=-400)
    until(lambda: scheduler.runs == 1)


def test_errors_of_a_sweep_are_counted(file_yard: Yard, scheduler: Scheduler, monkeypatch) -> None:
    from provisioning.errors import TargetFailure

    def fail(place):
        raise TargetFailure("gone")

    file_yard.create()
    monkeypatch.setattr(file_yard.host, "activity", fail)
    scheduler.start()
    until(lambda: scheduler.runs == 1)
    assert scheduler.errors == 1


def test_a_scheduler_that_ends_by_itself_says_so(file_yard: Yard, monkeypatch, caplog) -> None:
    def die(connection, now):
        raise SystemExit

    monkeypatch.setattr(scheduling, "last_sweep", die)
    heard = threading.Event()
    scheduler = Scheduler(file_yard.sandboxes, time(3, 17), pause=0.01, on_death=heard.set)
    with caplog.at_level(logging.CRITICAL):
        scheduler.start()
        assert heard.wait(30)
    assert scheduler.died and scheduler.errors == 1
    assert "the scheduler ended" in caplog.text
    assert scheduler.stop(30)


def test_it_stops_when_it_is_told(scheduler: Scheduler) -> None:
    scheduler.start()
    assert scheduler.stop(30)
    assert not scheduler.died
