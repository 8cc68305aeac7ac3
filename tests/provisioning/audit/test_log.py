"""The log is read by filters, a page at a time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from provisioning.audit import Filters, log
from provisioning.control.database import Control
from schemas.errors import InputError
from tests.provisioning.audit.ledgers import BEGIN, attack, write


def numbers(control: Control, filters: Filters = Filters(), **options: int) -> list[int]:
    return [event.number for event in log(control, filters, **options).events]


def test_the_newest_come_first_and_a_page_says_where_the_next_begins(control: Control) -> None:
    write(control, 7)
    first = log(control, limit=3)
    assert ([event.number for event in first.events], first.next) == ([7, 6, 5], 5)
    second = log(control, limit=4, before=first.next)
    assert ([event.number for event in second.events], second.next) == ([4, 3, 2, 1], None)
    assert log(control, before=1).events == ()
    for limit in (0, 10_001):
        with pytest.raises(InputError, match="a page has 1 to 10,000 events"):
            log(control, limit=limit)


def test_events_are_found_by_sandbox_actor_action_and_moment(control: Control) -> None:
    write(control, 5)
    assert numbers(control, Filters(sandbox="sb-0000000003")) == [3]
    assert numbers(control, Filters(actor="user2@company.com")) == [2]
    assert numbers(control, Filters(action="created"), limit=2) == [5, 4]
    assert numbers(control, Filters(action="deleted")) == []
    assert numbers(control, Filters(since=BEGIN + timedelta(seconds=3))) == [5, 4, 3]
    assert numbers(control, Filters(actor="user2@company.com", since=BEGIN + timedelta(seconds=3))) == []


def test_an_event_tells_all_that_was_written_down(control: Control) -> None:
    write(control, 1)
    (event,) = log(control).events
    assert event.to_json() == {
        "number": 1,
        "at": "2026-01-31T09:00:01.000000Z",
        "actor": "user1@company.com",
        "action": "created",
        "sandbox": "sb-0000000001",
        "why": "reason 1",
        "outcome": {"allowed": True, "checked": ["quota", "ttl"]},
        "bundle_digest": "sha256:" + "ab" * 32,
        "details": {"rows": 1},
        "hash": event.hash,
        "whole": True,
    }


def test_an_event_that_was_altered_is_shown_as_such_and_hides_no_other(control: Control, address: str) -> None:
    write(control, 3)
    attack(address, "UPDATE audit_events SET outcome = '{' WHERE number = 2")
    assert [(event.number, event.whole) for event in log(control).events] == [(3, True), (2, False), (1, True)]
    assert log(control).events[1].outcome == "{"


@pytest.mark.parametrize("address", ["sqlite"], indirect=True)  # PostgreSQL holds no such texts
def test_bytes_that_are_no_text_are_shown_as_far_as_they_are(tmp_path, control: Control, address: str) -> None:
    write(control, 1)
    attack(address, "UPDATE audit_events SET actor = CAST(x'61ff' AS TEXT), why = x'62ff'")
    (event,) = log(control).events
    assert (event.actor, event.why, event.whole) == ("a?", "b�", False)
