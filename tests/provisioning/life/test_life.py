"""Extending, deleting, connecting, resetting, recalling."""

from __future__ import annotations

import dataclasses
import os
import sqlite3
from datetime import timedelta
from urllib.parse import urlsplit

import duckdb
import psycopg
import pytest
from databases import ask
from yard import ALICE, BEGIN, BOB, Yard, build

import bundles
from provisioning.audit import Filters, log
from provisioning.errors import ControlFailure, DeleteProtected, NoSuchSandbox, PolicyRefused, SeedRefused, TargetFailure, WrongState
from provisioning.life.sandboxes import Sandboxes
from schemas.errors import InputError, Refused

DAY = timedelta(days=1)


def extend(yard: Yard, id: str, by: timedelta) -> object:
    return yard.sandboxes.extend(id, by, owner=yard.sandboxes.who(ALICE), actor="test")


def test_a_week_needs_nobody_else(file_yard: Yard) -> None:
    id = file_yard.create(ttl=3 * DAY).sandbox.id
    extend(file_yard, id, 4 * DAY)
    assert file_yard.sandboxes.show(id).expires_at == BEGIN + 7 * DAY


def test_more_than_a_week_needs_somebody_else(yard: Yard) -> None:
    id = yard.create(ttl=3 * DAY).sandbox.id
    with pytest.raises(PolicyRefused) as refused:
        extend(yard, id, 6 * DAY)
    assert [v.rule for v in refused.value.violations] == ["extension"]
    assert yard.events(id)[-1] == "extension refused"
    with pytest.raises(Refused, match="their own"):
        yard.sandboxes.approve_extension(id, by=yard.sandboxes.who(ALICE), why="mine", valid=DAY, actor="test")
    yard.sandboxes.approve_extension(id, by=yard.sandboxes.who(BOB), why="a long feature", valid=10 * DAY, actor="test")
    extend(yard, id, 6 * DAY)
    assert yard.sandboxes.show(id).expires_at == BEGIN + 9 * DAY
    assert yard.events(id)[-2:] == ["approved", "extended"]


def test_nothing_brings_an_expired_sandbox_back(file_yard: Yard) -> None:
    id = file_yard.create(ttl=DAY).sandbox.id
    file_yard.clock.move(days=2)
    for act in (lambda: extend(file_yard, id, DAY), lambda: file_yard.sandboxes.address(id, actor="test")):
        with pytest.raises(WrongState, match="expired"):
            act()


def test_a_deleted_sandbox_leaves_nothing(yard: Yard) -> None:
    created = yard.create()
    id = created.sandbox.id
    assert created.address is not None
    assert yard.sandboxes.delete(id, actor="test", why="done").state == "deleted"
    assert not [f for f in yard.host.found() if f.sandbox == id]
    assert yard.passwords.kept() == []
    assert yard.sandboxes.delete(id, actor="test").state == "deleted"
    assert yard.events(id) == ["requested", "ready", "deleting", "deleted"]
    if yard.kind == "postgresql":
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(created.address)


def test_a_guarded_sandbox_is_not_deleted_by_mistake(file_yard: Yard) -> None:
    id = file_yard.create(template="guarded").sandbox.id
    for wrong in ({}, {"force": True}, {"why": "gone"}):
        with pytest.raises(DeleteProtected):
            file_yard.sandboxes.delete(id, actor="test", **wrong)  # type: ignore[arg-type]
    assert file_yard.sandboxes.delete(id, actor="test", why="gone", force=True).state == "deleted"


def test_an_unknown_id_is_named_with_the_nearest(file_yard: Yard) -> None:
    id = file_yard.create().sandbox.id
    with pytest.raises(NoSuchSandbox, match=id):
        file_yard.sandboxes.show(id[:-1] + ("a" if id[-1] != "a" else "b"))


def test_who_is_given_a_connection_stands_in_the_ledger_without_the_password(yard: Yard) -> None:
    created = yard.create(idempotency_key="k")
    id = created.sandbox.id
    yard.clock.move(hours=1)
    urls = [yard.sandboxes.address(id, actor=BOB), yard.create(idempotency_key="k").address]
    if yard.kind == "postgresql":
        urls.append(yard.sandboxes.address(id, actor=BOB, rotate=True))
    assert set(urls[:2]) == {created.address}
    events = log(yard.control, Filters(sandbox=id)).events[::-1]
    given = [(e.action, e.actor, e.at, e.bundle_digest) for e in events[2:]]
    at, digest = "2026-03-02T10:00:00.000000Z", created.sandbox.bundle_digest
    rotated = [("password rotated", BOB, at, digest), ("connection given", BOB, at, digest)] if yard.kind == "postgresql" else []
    assert given == [("connection given", BOB, at, digest), ("connection given", "test", at, digest), *rotated]
    for password in filter(None, (urlsplit(str(url)).password for url in urls)):
        assert not any(password in str(event) for event in events)


def test_who_is_given_no_connection_does_not_stand_in_the_ledger(file_yard: Yard) -> None:
    id = file_yard.create(idempotency_key="k", ttl=DAY).sandbox.id
    with pytest.raises(InputError, match="no password to rotate"):
        file_yard.sandboxes.address(id, actor="test", rotate=True)
    file_yard.clock.move(days=2)
    again = file_yard.create(idempotency_key="k", ttl=DAY)
    assert (again.sandbox.id, again.address) == (id, None)
    assert file_yard.events(id) == ["requested", "ready"]


def test_a_connection_that_cannot_be_written_down_is_not_given(file_yard: Yard) -> None:
    id = file_yard.create().sandbox.id
    with file_yard.control.write() as connection:
        connection.exec_driver_sql("CREATE TRIGGER no_more BEFORE INSERT ON audit_events BEGIN SELECT RAISE(ABORT, 'full'); END")
    with pytest.raises(ControlFailure):
        file_yard.sandboxes.address(id, actor="test")


def test_a_reset_brings_the_data_back_and_rotates_the_password(yard: Yard) -> None:
    created = yard.create(flags=("onboarding",))
    id, old = created.sandbox.id, created.address
    assert old is not None
    before, verifier = ask(old, "SELECT id, name FROM customers ORDER BY id"), verifier_of(yard, id)
    ask(old, "DELETE FROM orders")
    ask(old, "UPDATE customers SET name = 'visitor'")
    done = yard.sandboxes.reset(id, owner=yard.sandboxes.who(ALICE), actor="test", why="again")
    new = yard.sandboxes.address(id, actor="test")
    assert ask(new, "SELECT id, name FROM customers ORDER BY id") == before
    assert done.flags == {"onboarding": True, "billing": True}  # as it was made
    assert done.doing is None
    assert yard.events(id)[-3:] == ["resetting", "reset", "connection given"]
    if yard.kind == "postgresql":
        assert new != old
        assert verifier_of(yard, id) != verifier


def verifier_of(yard: Yard, id: str) -> str | None:
    """What the server holds a password against; servers of tests let everybody in without one."""
    if yard.kind != "postgresql":
        return None
    role = yard.host.place(id).role
    [(verifier,)] = ask(os.environ["YARD_POSTGRES"], f"SELECT rolpassword FROM pg_authid WHERE rolname = '{role}'")
    assert verifier.startswith("SCRAM-SHA-256$")
    return str(verifier)


def test_a_recalled_bundle_is_loaded_no_more(yard: Yard) -> None:
    first, other = yard.create(), yard.create(seed="synthetic:v2")
    listed = yard.sandboxes.recall("synthetic:v1", actor="test")
    assert [s.id for s in listed.sandboxes] == [first.sandbox.id]
    done = yard.sandboxes.recall("synthetic:v1", "quarantine", actor="test", why="a name leaked")
    assert done.done == {first.sandbox.id: "quarantined"}
    assert not done.errors
    with pytest.raises(WrongState, match="quarantined"):
        yard.sandboxes.address(first.sandbox.id, actor="test")
    with pytest.raises(SeedRefused, match="a name leaked"):
        yard.create()
    assert yard.sandboxes.why(first.sandbox.id).verdict == "quarantined"
    assert yard.sandboxes.show(other.sandbox.id).quarantined is None
    digest = bundles.open("synthetic:v1", yard.folder / "store").manifest_digest
    assert not [f for f in yard.host.found() if f.what == "template" and f.bundle_digest == digest]
    assert first.address is not None
    with pytest.raises((duckdb.IOException, sqlite3.OperationalError, psycopg.OperationalError)):
        ask(first.address, "SELECT 1")


def test_a_reset_is_judged_and_its_verdict_written_down(file_yard: Yard) -> None:
    (file_yard.folder / "store").unlink()
    build(file_yard.folder, "synthetic:v1", rows=5)
    build(file_yard.folder, "other:v1", rows=5, seed=2)
    id = file_yard.create().sandbox.id
    alice = file_yard.sandboxes.who(ALICE)
    with pytest.raises(PolicyRefused, match="may hold synthetic"):
        file_yard.sandboxes.reset(id, owner=alice, seed="other:v1", actor="test")
    file_yard.sandboxes.reset(id, owner=alice, actor="test")
    refused, begun, _ = file_yard.sandboxes.why(id).history[-3:]
    assert (refused["action"], [v["rule"] for v in refused["outcome"]["violations"]]) == ("reset refused", ["seed"])
    assert (begun["action"], begun["outcome"]["allowed"]) == ("resetting", True)


def test_a_sandbox_ends_with_the_bundle_that_it_is_reset_to(yard: Yard) -> None:
    (yard.folder / "store").unlink()
    build(yard.folder, "synthetic:v1", rows=5)
    build(yard.folder, "synthetic:short", rows=5, seed=2, expires=BEGIN + timedelta(hours=2))
    build(yard.folder, "synthetic:long", rows=5, seed=3, expires=BEGIN + 9 * DAY)
    id = yard.create(ttl=DAY).sandbox.id
    alice = yard.sandboxes.who(ALICE)
    kept = yard.sandboxes.reset(id, owner=alice, seed="synthetic:long", actor="test")
    assert (kept.expires_at, kept.why_expires) == (BEGIN + DAY, "as asked for")
    ended = yard.sandboxes.reset(id, owner=alice, seed="synthetic:short", actor="test")
    assert (ended.expires_at, ended.why_expires) == (BEGIN + timedelta(hours=2), "the bundle expires then")
    if yard.kind == "postgresql":
        role = yard.host.place(id).role
        [(until,)] = ask(os.environ["YARD_POSTGRES"], f"SELECT rolvaliduntil FROM pg_authid WHERE rolname = '{role}'")
        assert until == ended.expires_at


def test_a_failed_reset_of_a_quarantined_sandbox_lets_nobody_in(file_yard: Yard) -> None:
    id = file_yard.create().sandbox.id
    file_yard.sandboxes.recall("synthetic:v1", "quarantine", actor="test", why="a name leaked")

    def fail(step: str) -> None:
        if step == "swapped":
            raise SeedRefused("it breaks here")

    broken = Sandboxes(dataclasses.replace(file_yard.platform, on_step=fail))
    with pytest.raises(SeedRefused, match="it breaks here"):
        broken.reset(id, owner=broken.who(ALICE), seed="synthetic:v2", actor="test")
    assert file_yard.sandboxes.show(id).quarantined == "a name leaked"
    with pytest.raises(TargetFailure, match="connected to"):
        file_yard.host.address(file_yard.host.place(id), None)


def test_a_snapshot_does_not_take_the_name_of_what_others_seed_from(file_yard: Yard) -> None:
    id = file_yard.create().sandbox.id
    with pytest.raises(InputError, match="'synthetic:v2' is a bundle that is no snapshot"):
        file_yard.sandboxes.snapshot(id, tag="synthetic:v2", actor="test")
    other = file_yard.create(seed="synthetic:v2").sandbox
    assert other.bundle_digest != file_yard.sandboxes.show(id).bundle_digest
    assert file_yard.events(id) == ["requested", "ready"]
    for _ in range(2):  # a snapshot's own name goes on to the newer one
        assert file_yard.sandboxes.snapshot(id, tag="snapshot:nightly", actor="test").reference == "snapshot:nightly"


def test_a_recall_is_of_snapshots_too(file_yard: Yard) -> None:
    first = file_yard.create().sandbox.id
    file_yard.sandboxes.snapshot(first, tag="snapshot:one", actor="test")
    second = file_yard.create(BOB, seed="snapshot:one").sandbox.id
    file_yard.sandboxes.snapshot(second, tag="snapshot:two", actor="test")
    third = file_yard.create(BOB, seed="snapshot:two").sandbox.id
    other = file_yard.create(seed="synthetic:v2").sandbox.id
    done = file_yard.sandboxes.recall("synthetic:v1", "quarantine", actor="test", why="a name leaked")
    assert (set(done.done), done.errors) == ({first, second, third}, [])
    assert file_yard.sandboxes.show(other).quarantined is None
    with pytest.raises(SeedRefused, match="a name leaked"):
        file_yard.create(seed="snapshot:two")


@pytest.mark.parametrize("to", [None, "synthetic:v1"])
def test_a_recall_gives_sandboxes_no_data_that_are_recalled(file_yard: Yard, to: str | None) -> None:
    with pytest.raises(InputError, match="^the sandboxes are to hold another bundle than 'synthetic:v1', which is recalled: say which$"):
        file_yard.sandboxes.recall("synthetic:v1", "reset", to=to, actor="test", why="a name leaked")


def test_a_recall_gives_sandboxes_other_data(yard: Yard) -> None:
    id = yard.create().sandbox.id
    done = yard.sandboxes.recall("synthetic:v1", "reset", to="synthetic:v2", actor="test", why="a name leaked")
    assert done.done == {id: "reset"} and not done.errors
    sandbox = yard.sandboxes.show(id)
    assert sandbox.seed == "synthetic:v2"
    rows = bundles.open("synthetic:v2", yard.folder / "store").tables["orders"].rows
    assert ask(yard.sandboxes.address(id, actor="test"), "SELECT count(*) FROM orders") == [(rows,)]
