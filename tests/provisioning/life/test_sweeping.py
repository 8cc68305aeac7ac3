"""The sweep, and why it does what it does."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
from databases import ask
from yard import BEGIN, Yard

from provisioning.control.tables import sweeps

DAY = timedelta(days=1)


def test_what_is_over_goes(yard: Yard) -> None:
    short, long = yard.create(ttl=timedelta(hours=2)).sandbox.id, yard.create(ttl=timedelta(hours=20)).sandbox.id
    yard.clock.move(hours=3)
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


def use(yard: Yard, address: str) -> None:
    """Use a sandbox at the yard's own time, which a file's time stamp has to follow."""
    import os

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


def test_templates_that_nobody_takes_go(yard: Yard) -> None:
    id = yard.create().sandbox.id
    assert [f.what for f in yard.host.found() if f.what == "template" and f.bundle_digest == yard.sandboxes.show(id).bundle_digest]
    yard.sandboxes.delete(id, actor="test")
    yard.clock.move(days=8)
    swept = yard.sandboxes.sweep(actor="cron")
    assert swept.templates and not swept.errors
    assert not [f for f in yard.host.found() if f.what == "template" and f"here/{f.name}" in swept.templates]
