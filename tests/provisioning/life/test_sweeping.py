"""The sweep, and why it does what it does."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from secrets import token_hex

import psycopg
import pytest
import sqlalchemy as sa
from databases import ask
from yard import BEGIN, Yard

from provisioning.control.tables import sweeps
from schemas.environments import Limits

DAY = timedelta(days=1)


def test_what_is_over_goes(yard: Yard) -> None:
    short, long = yard.create(ttl=timedelta(hours=2)).sandbox.id, yard.create(ttl=timedelta(hours=20)).sandbox.id
    yard.clock.move(hours=2)
    assert yard.sandboxes.why(short).verdict == "about to go"
    planned = yard.sandboxes.sweep(actor="cron", dry_run=True)
    assert (planned.expired, planned.kept) == ([short], [long])
    assert yard.sandboxes.show(short).state == "ready"
    swept = yard.sandboxes.sweep(actor="cron")
    assert (swept.expired, swept.kept, swept.errors) == ([short], [long], [])
    assert yard.events(short) == ["requested", "ready", "expired", "deleting", "deleted"]
    assert {f.sandbox for f in yard.host.found()} - {None} == {long}
    assert yard.sandboxes.why(short).verdict == "gone"


def test_what_is_idle_for_a_day_goes_and_what_is_used_stays(yard: Yard) -> None:
    idle, busy = yard.create().sandbox.id, yard.create()
    yard.sandboxes.sweep(actor="cron")
    yard.clock.move(hours=20)
    assert yard.sandboxes.why(idle).at == BEGIN + DAY
    assert busy.address is not None
    use(yard, busy.address)
    assert yard.sandboxes.sweep(actor="cron").idle == []
    yard.clock.move(hours=10)
    assert yard.sandboxes.why(idle).verdict == "idle"
    swept = yard.sandboxes.sweep(actor="cron")
    assert (swept.idle, swept.kept, swept.errors) == ([idle], [busy.sandbox.id], [])
    assert yard.sandboxes.show(idle).state == "deleted"


def test_nothing_goes_before_the_time_that_it_may_be_idle_or_unused_is_over(file_yard: Yard) -> None:
    id = file_yard.create(ttl=3 * DAY).sandbox.id
    file_yard.clock.move(days=1)
    assert file_yard.sandboxes.sweep(actor="cron").kept == [id]
    file_yard.clock.move(seconds=1)
    assert file_yard.sandboxes.sweep(actor="cron").idle == [id]
    file_yard.clock.now = BEGIN + 7 * DAY
    assert file_yard.sandboxes.sweep(actor="cron").templates == []
    file_yard.clock.move(seconds=1)
    assert len(file_yard.sandboxes.sweep(actor="cron").templates) == 1


def test_what_is_quarantined_stays_as_it_is_for_who_looks_into_it(file_yard: Yard) -> None:
    templates = file_yard.platform.environments.templates
    templates["plain"] = replace(templates["plain"], limits=Limits(connections=4, bytes=1))
    id = file_yard.create(ttl=5 * DAY).sandbox.id
    file_yard.sandboxes.recall("synthetic:v1", "quarantine", actor="test", why="a name leaked")
    file_yard.clock.move(days=4)
    swept = file_yard.sandboxes.sweep(actor="cron")
    assert (swept.kept, swept.idle, swept.oversize, swept.errors) == ([id], [], [], [])
    assert file_yard.events(id)[-1] == "quarantined"


def test_what_was_made_by_a_clock_that_was_wrong_goes_when_it_is_idle(yard: Yard) -> None:
    yard.clock.move(days=400)
    idle = yard.create().sandbox.id
    yard.clock.move(days=-400)
    assert yard.sandboxes.sweep(actor="cron").kept == [idle]
    assert yard.sandboxes.why(idle).at == BEGIN + DAY
    yard.clock.move(hours=30)
    assert yard.sandboxes.sweep(actor="cron").idle == [idle]


def test_a_template_made_by_a_clock_that_was_wrong_goes_when_it_is_unused(yard: Yard) -> None:
    yard.clock.move(days=400)
    yard.create()
    yard.clock.move(days=-400)
    yard.create()  # it is used now
    yard.clock.move(days=8)
    assert yard.sandboxes.sweep(actor="cron").templates


def test_what_takes_more_than_it_may_is_read_only_until_it_takes_less(yard: Yard) -> None:
    size = yard.host.bytes(yard.host.place(yard.create().sandbox.id))
    templates = yard.platform.environments.templates
    templates["plain"] = replace(templates["plain"], limits=Limits(connections=4, bytes=size + 2_000_000))
    made = yard.create()
    id, place = made.sandbox.id, yard.host.place(made.sandbox.id)
    assert made.address is not None
    assert yard.sandboxes.sweep(actor="cron").oversize == []
    ask(made.address, "CREATE TABLE big (x TEXT)")
    rows = ",".join(f"('{token_hex(5_000)}')" for _ in range(600))
    ask(made.address, f"INSERT INTO big VALUES {rows}")
    assert yard.sandboxes.sweep(actor="cron", dry_run=True).oversize == [id]
    assert not yard.host.restricted(place)
    for _ in range(2):
        assert yard.sandboxes.sweep(actor="cron").oversize == [id]
        assert yard.host.restricted(place)
    assert any("may only be read" in reason for reason in yard.sandboxes.why(id).reasons)
    if yard.kind == "postgresql":
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            ask(made.address, "INSERT INTO big VALUES ('x')")
        ask(made.address, "SET default_transaction_read_only = off", "DROP TABLE big")
    else:
        assert Path(made.address.partition("///")[2]).stat().st_mode & 0o777 == 0o400
        Path(made.address.partition("///")[2]).chmod(0o600)
        ask(made.address, "DROP TABLE big")
        ask(made.address, "VACUUM" if yard.kind == "sqlite" else "CHECKPOINT")
        Path(made.address.partition("///")[2]).chmod(0o400)
    assert yard.sandboxes.sweep(actor="cron").oversize == []
    assert not yard.host.restricted(place)
    assert yard.events(id)[-2:] == ["made read-only", "made writable"]


def use(yard: Yard, address: str) -> None:
    """Use a sandbox at the yard's own time, which a file's time stamp has to follow."""

    ask(address, "UPDATE customers SET name = 'used'")
    if yard.kind != "postgresql":
        path = Path(address.partition(":///")[2])
        os.utime(path, (yard.clock.now.timestamp(),) * 2)
    else:
        import time

        time.sleep(1.2)  # the server's statistics of a session come when it has ended


def test_a_demo_tenant_is_not_idle(file_yard: Yard) -> None:
    id = file_yard.create(template="demo", tenant="demo-acme").sandbox.id
    file_yard.clock.move(hours=40)
    assert file_yard.sandboxes.sweep(actor="cron").kept == [id]
    assert "demo tenant" in " ".join(file_yard.sandboxes.why(id).reasons)


def test_one_failure_is_told_and_keeps_no_other(file_yard: Yard) -> None:
    first, second = file_yard.create(ttl=timedelta(hours=1)), file_yard.create(ttl=timedelta(hours=1))
    assert first.address is not None
    path = Path(first.address.partition(":///")[2])
    path.rename(file_yard.folder / "aside")
    path.write_bytes(b"somebody else's")
    file_yard.clock.move(hours=2)
    swept = file_yard.sandboxes.sweep(actor="cron")
    assert second.sandbox.id in swept.expired
    assert len(swept.errors) == 1 and first.sandbox.id in swept.errors[0]
    assert path.read_bytes() == b"somebody else's"


def test_every_sweep_leaves_a_row(file_yard: Yard) -> None:
    file_yard.create()
    file_yard.sandboxes.sweep(actor="cron", dry_run=True)
    file_yard.sandboxes.sweep(actor="cron")
    with file_yard.control.read() as connection:
        [row] = connection.execute(sa.select(sweeps)).all()
    assert row.ended_at is not None
    assert row.counts["kept"] == 1


def test_what_killed_processes_left_of_templates_goes(file_yard: Yard) -> None:
    file_yard.create()
    templates = file_yard.folder / "sandboxes" / "templates"
    kept = {p.name for p in templates.iterdir()}
    unfinished, unnamed = "0123456789abcdef0123", "0123456789abcdef0123_w-4"
    (templates / f".{unfinished}.duckdb.loading-1.tmp").mkdir()
    left = [
        templates / name
        for name in (
            f".{unfinished}.duckdb.loading-1",
            f"{unnamed}.duckdb",
            f"{unnamed}.duckdb.wal",
            f".{unnamed}.json",
            f"{unnamed}.sqlite",
        )
    ]
    for path in (*left, templates / f".{unfinished}.duckdb.loading-1.tmp"):
        path.touch()
        written = file_yard.clock.now.timestamp()
        os.utime(path, (written, written))
    file_yard.clock.move(days=6)
    assert file_yard.sandboxes.sweep(actor="cron").templates == []
    file_yard.create()
    file_yard.clock.move(days=2)
    swept = file_yard.sandboxes.sweep(actor="cron")
    assert (sorted(swept.templates), swept.errors) == ([f"here/{unfinished}", f"here/{unnamed}"], [])
    assert {p.name for p in templates.iterdir() if not p.name.startswith(".lock")} == {n for n in kept if not n.startswith(".lock")}


def test_templates_that_nobody_takes_go(yard: Yard) -> None:
    id = yard.create().sandbox.id
    assert [f.what for f in yard.host.found() if f.what == "template" and f.bundle_digest == yard.sandboxes.show(id).bundle_digest]
    yard.sandboxes.delete(id, actor="test")
    yard.clock.move(days=8)
    swept = yard.sandboxes.sweep(actor="cron")
    assert swept.templates and not swept.errors
    assert not [f for f in yard.host.found() if f.what == "template" and f"here/{f.name}" in swept.templates]
