"""What others do while something is done with a sandbox, and what cannot be brought to an end while its process lives on."""

from __future__ import annotations

import hmac
import os
import threading
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from hashlib import pbkdf2_hmac, sha256
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from databases import ask
from yard import ALICE, BEGIN, Yard

from provisioning.control.database import Control
from provisioning.control.moments import stamp
from provisioning.control.tables import pins, sweeps, webhooks
from provisioning.demo.tenants import tenants
from provisioning.demo.webhooks import register
from provisioning.errors import ControlFailure, NotASandbox, SeedRefused, TenantExists, WrongState
from provisioning.life import heartbeat
from provisioning.life.deleting import remove
from provisioning.life.sandboxes import Sandboxes
from provisioning.life.sweeping import last_sweep


def at(yard: Yard, step: str, work: Callable[[], object]) -> None:
    """Have something done once, when a step is done."""
    left = [work]

    def heard(done: str) -> None:
        if done == step and left:
            left.pop()()

    yard.platform = replace(yard.platform, on_step=heard)
    yard.sandboxes = Sandboxes(yard.platform)


def reset(yard: Yard, id: str, seed: str = "synthetic:v2") -> None:
    yard.sandboxes.reset(id, owner=yard.sandboxes.who(ALICE), seed=seed, actor="test")


def only(yard: Yard) -> str:
    [sandbox] = yard.sandboxes.list().sandboxes
    return sandbox.id


class Broken:
    """The file of the only sandbox of a yard with somebody else's in its place."""

    def __init__(self, yard: Yard) -> None:
        self.yard = yard
        self.moved: list[tuple[Path, Path]] = []

    def begin(self) -> None:
        folder = self.yard.folder / "sandboxes"
        for n, path in enumerate(sorted(folder.glob("companyos_sb_*/sandbox.duckdb"))):
            aside = self.yard.folder / f"aside{n}"
            path.rename(aside)
            path.write_bytes(b"somebody else's")
            self.moved.append((path, aside))
        assert self.moved

    def end(self) -> None:
        for path, aside in self.moved:
            aside.replace(path)


@pytest.mark.parametrize("what", ["create", "reset", "delete"])
def test_what_could_not_be_undone_is_put_right_by_the_process_that_failed(file_yard: Yard, what: str) -> None:
    broken = Broken(file_yard)
    step = "deleting" if what == "delete" else "seeded"
    if what != "create":
        id = file_yard.create().sandbox.id
    at(file_yard, step, broken.begin)
    with pytest.raises(NotASandbox):
        if what == "create":
            file_yard.create()
        elif what == "reset":
            reset(file_yard, id)
        else:
            file_yard.sandboxes.delete(id, actor="test")
    broken.end()
    id = only(file_yard)
    done = file_yard.sandboxes.reconcile(actor="service")
    assert done.errors == []
    assert {"create": done.undone, "reset": done.settled, "delete": done.finished}[what] == [id]
    sandbox = file_yard.sandboxes.show(id)
    assert (sandbox.state, sandbox.doing) == ({"create": "failed", "reset": "ready", "delete": "deleted"}[what], None)


def test_a_bundle_that_is_recalled_while_it_is_loaded_reaches_nobody(yard: Yard) -> None:
    at(yard, "seeded", lambda: yard.sandboxes.recall("synthetic:v1", "quarantine", actor="test", why="a leak"))
    with pytest.raises(SeedRefused, match="recalled"):
        yard.create()
    assert yard.sandboxes.show(only(yard)).state == "failed"
    assert not [f for f in yard.host.found() if f.sandbox is not None]


def test_a_bundle_that_is_recalled_during_a_reset_to_it_is_taken_back(file_yard: Yard) -> None:
    id = file_yard.create().sandbox.id
    at(file_yard, "seeded", lambda: file_yard.sandboxes.recall("synthetic:v2", "quarantine", actor="test", why="a leak"))
    with pytest.raises(SeedRefused, match="recalled"):
        reset(file_yard, id)
    sandbox = file_yard.sandboxes.show(id)
    assert (sandbox.seed, sandbox.state, sandbox.doing) == ("synthetic:v1", "ready", None)


def test_a_recall_removes_templates_that_no_sandbox_came_from_any_more(file_yard: Yard) -> None:
    digest = file_yard.create().sandbox.bundle_digest
    file_yard.sandboxes.delete(only(file_yard), actor="test")
    assert digest in {f.bundle_digest for f in file_yard.host.found()}
    file_yard.sandboxes.recall("synthetic:v1", "quarantine", actor="test", why="a leak")
    assert digest not in {f.bundle_digest for f in file_yard.host.found()}


def test_more_time_lets_nobody_into_a_quarantined_sandbox(file_yard: Yard) -> None:
    id = file_yard.create(ttl=timedelta(hours=20)).sandbox.id
    file_yard.sandboxes.recall("synthetic:v1", "quarantine", actor="test", why="a leak")
    with pytest.raises(WrongState, match="quarantined"):
        file_yard.sandboxes.extend(id, timedelta(hours=2), owner=file_yard.sandboxes.who(ALICE), actor="test")
    assert [p.name for p in (file_yard.folder / "sandboxes").glob("companyos_sb_*") if not p.name.endswith(".shut")] == []


def closed(yard: Yard, id: str) -> bool:
    """Whether nobody is let in: the file is not found at its address, or the role may not log in."""
    if yard.kind == "postgresql":
        [(login,)] = ask(os.environ["YARD_POSTGRES"], f"SELECT rolcanlogin FROM pg_roles WHERE rolname = '{yard.host.place(id).role}'")
        return not login
    return all(p.name.endswith(".shut") for p in (yard.folder / "sandboxes").glob(f"companyos_sb_{id[3:]}.*"))


@pytest.mark.parametrize("what", ["extend", "rotate"])
def test_who_is_let_in_while_a_sandbox_is_quarantined_is_shut_out_again(yard: Yard, what: str) -> None:
    if what == "rotate" and yard.kind != "postgresql":
        return  # a file has no password
    id = yard.create(ttl=timedelta(hours=20)).sandbox.id
    sandboxes = yard.sandboxes
    step = "judged" if what == "extend" else "password made"
    at(yard, step, lambda: sandboxes.recall("synthetic:v1", "quarantine", actor="test", why="a leak"))
    with pytest.raises(WrongState, match="quarantined"):
        if what == "extend":
            yard.sandboxes.extend(id, timedelta(hours=2), owner=yard.sandboxes.who(ALICE), actor="test")
        else:
            yard.sandboxes.address(id, actor="test", rotate=True)
    assert closed(yard, id)
    assert yard.sandboxes.show(id).quarantined == "a leak"


@pytest.mark.parametrize("when", ["as it was written", "recorded", "provisioning"])
def test_ctrl_c_at_the_beginning_of_a_sandbox_leaves_nothing_half_made(yard: Yard, monkeypatch: pytest.MonkeyPatch, when: str) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    if when == "as it was written":
        write, left = yard.control.write, [interrupt]

        @contextmanager
        def interrupted_write() -> Iterator[sa.Connection]:
            with write() as connection:
                yield connection
            if left:
                left.pop()()

        monkeypatch.setattr(yard.control, "write", interrupted_write)
    else:
        at(yard, when, interrupt)
    with pytest.raises(KeyboardInterrupt):
        yard.create()
    (sandbox,) = yard.sandboxes.list().sandboxes
    assert (sandbox.state, sandbox.failure, sandbox.worker) == ("failed", "interrupted", None)
    assert yard.events(sandbox.id) == ["requested", "failed"]


def test_a_quarantine_that_is_killed_before_it_shuts_is_finished(yard: Yard) -> None:
    id = yard.create().sandbox.id

    def die() -> None:
        raise KeyboardInterrupt

    at(yard, "quarantined", die)
    with pytest.raises(KeyboardInterrupt):
        yard.sandboxes.recall("synthetic:v1", "quarantine", actor="test", why="a leak")
    assert not closed(yard, id)
    assert yard.sandboxes.reconcile(actor="test").errors == []
    assert closed(yard, id)


def test_what_is_given_other_data_during_a_quarantine_is_not_shut(yard: Yard) -> None:
    id = yard.create().sandbox.id
    at(yard, "quarantined", lambda: reset(yard, id))
    yard.sandboxes.recall("synthetic:v1", "quarantine", actor="test", why="a leak")
    sandbox = yard.sandboxes.show(id)
    assert (sandbox.seed, sandbox.quarantined, closed(yard, id)) == ("synthetic:v2", None, False)


def test_of_two_that_extend_at_once_the_slower_one_takes_nothing_back(yard: Yard) -> None:
    id = yard.create(ttl=timedelta(hours=20)).sandbox.id
    owner, sandboxes = yard.sandboxes.who(ALICE), yard.sandboxes
    at(yard, "admitted", lambda: sandboxes.extend(id, timedelta(hours=48), owner=owner, actor="other"))
    with pytest.raises(WrongState, match="meantime"):
        yard.sandboxes.extend(id, timedelta(hours=1), owner=owner, actor="test")
    until = yard.sandboxes.show(id).expires_at
    assert until == BEGIN + timedelta(hours=68)
    if yard.kind == "postgresql":
        [(said,)] = ask(os.environ["YARD_POSTGRES"], f"SELECT rolvaliduntil FROM pg_roles WHERE rolname = '{yard.host.place(id).role}'")
        assert said == until


def test_a_sandbox_is_not_extended_while_it_is_reset(file_yard: Yard) -> None:
    id = file_yard.create(ttl=timedelta(hours=20)).sandbox.id
    refused: list[WrongState] = []

    def extend() -> None:
        with pytest.raises(WrongState, match="reset") as caught:
            file_yard.sandboxes.extend(id, timedelta(hours=2), owner=file_yard.sandboxes.who(ALICE), actor="test")
        refused.append(caught.value)

    at(file_yard, "swapped", extend)
    reset(file_yard, id)
    assert refused


def test_what_is_being_reset_is_not_removed_by_who_saw_it_before(file_yard: Yard) -> None:
    seen = file_yard.create().sandbox
    refused: list[WrongState] = []

    def sweep() -> None:
        with pytest.raises(WrongState, match="reset") as caught:
            remove(file_yard.platform, seen, actor="cron", why="idle")
        refused.append(caught.value)

    at(file_yard, "begun", sweep)
    reset(file_yard, seen.id)
    assert refused
    assert file_yard.sandboxes.show(seen.id).state == "ready"


def test_what_is_given_more_time_during_a_sweep_stays(file_yard: Yard) -> None:
    first = file_yard.create(ttl=timedelta(hours=1)).sandbox.id
    second = file_yard.create(ttl=timedelta(hours=2)).sandbox.id
    file_yard.clock.move(hours=1, minutes=55)

    def extend() -> None:
        file_yard.sandboxes.extend(second, timedelta(hours=2), owner=file_yard.sandboxes.who(ALICE), actor="test")
        file_yard.clock.move(minutes=10)

    at(file_yard, "removed", extend)
    swept = file_yard.sandboxes.sweep(actor="cron")
    assert (swept.expired, swept.kept, swept.errors) == ([first], [second], [])


def test_a_sweep_leaves_what_is_being_reset_to_who_does_so(file_yard: Yard) -> None:
    id = file_yard.create(ttl=timedelta(hours=1)).sandbox.id
    file_yard.clock.move(minutes=59)
    swept = []

    def sweep() -> None:
        file_yard.clock.move(minutes=2)
        swept.append(file_yard.sandboxes.sweep(actor="cron"))

    at(file_yard, "seeded", sweep)
    reset(file_yard, id)
    [during] = swept
    assert (during.expired, during.idle, during.errors) == ([], [], [])


@pytest.mark.parametrize("step", ["recorded", "seeded"])
def test_who_lives_on_gives_up_a_sandbox_once_the_control_database_is_back(file_yard: Yard, step: str, monkeypatch) -> None:
    monkeypatch.setattr(heartbeat, "PAUSE", 0.01)

    @contextmanager
    def gone(control: Control):
        raise ControlFailure("the server is gone")
        yield

    def restart() -> None:
        monkeypatch.setattr(Control, "read", gone)
        monkeypatch.setattr(Control, "write", gone)
        raise ControlFailure("the server is gone")

    reading, writing = Control.read, Control.write
    at(file_yard, step, restart)
    with pytest.raises(ControlFailure):
        file_yard.create()
    monkeypatch.setattr(Control, "read", reading)
    id = only(file_yard)
    assert file_yard.sandboxes.reconcile(actor="test").undone == []
    monkeypatch.setattr(Control, "write", writing)
    for waiting in [t for t in threading.enumerate() if t.name == f"give up {id}"]:
        waiting.join(30)
    assert file_yard.sandboxes.reconcile(actor="test").undone == [id]


def test_a_sweep_that_is_broken_off_says_so(file_yard: Yard) -> None:
    file_yard.create(ttl=timedelta(hours=1))
    file_yard.clock.move(hours=2)

    def fail() -> None:
        raise RuntimeError("postgresql://u:secret@here/")

    at(file_yard, "deleting", fail)
    with pytest.raises(RuntimeError):
        file_yard.sandboxes.sweep(actor="cron")
    with file_yard.control.read() as connection:
        assert last_sweep(connection, file_yard.clock.now)[2] == 1
        assert connection.execute(sa.select(sweeps.c.errors)).scalar() == ["the sweep was broken off: RuntimeError"]


def test_one_orphan_that_cannot_be_removed_keeps_no_other(file_yard: Yard) -> None:
    ids = sorted(file_yard.create().sandbox.id for _ in range(2))
    with file_yard.control.write() as connection:
        connection.exec_driver_sql("DELETE FROM sandboxes")
    assert file_yard.sandboxes.reconcile(actor="test").unknown == ids
    file_yard.clock.move(days=8)
    [path] = (file_yard.folder / "sandboxes").glob(f"companyos_sb_{ids[0][3:]}*/sandbox.duckdb")
    path.rename(file_yard.folder / "aside")
    path.write_bytes(b"somebody else's")
    done = file_yard.sandboxes.reconcile(actor="test")
    assert len(done.errors) == 1 and len(done.orphans) == 1
    assert ids[1][3:] in done.orphans[0]


def test_two_that_make_one_tenant_at_once_make_one(file_yard: Yard) -> None:
    file_yard.create(template="demo", tenant="demo-acme")
    with pytest.raises(TenantExists):
        file_yard.create(template="demo", tenant="demo-acme")


def test_a_tenant_is_not_pinned_to_what_one_before_it_was(file_yard: Yard) -> None:
    values = {"tenant": "demo-acme", "seed": "synthetic:v2", "bundle_digest": "sha256:0", "pinned_at": stamp(BEGIN - timedelta(days=1))}
    with file_yard.control.write() as connection:
        connection.execute(pins.insert().values(**values))
    made = file_yard.create(template="demo", tenant="demo-acme").sandbox
    [tenant] = tenants(file_yard.platform)
    assert (tenant.seed, tenant.bundle_digest) == ("synthetic:v1", made.bundle_digest)


def test_webhooks_go_with_their_sandbox(file_yard: Yard) -> None:
    sandbox = file_yard.create(template="demo", tenant="demo-acme").sandbox
    register(file_yard.platform, sandbox, "https://visitor.example/hook", "*", actor="test")
    file_yard.sandboxes.delete(sandbox.id, actor="test")
    with file_yard.control.read() as connection:
        assert connection.execute(sa.select(webhooks)).all() == []


def test_a_reset_that_takes_long_says_that_it_lives(file_yard: Yard) -> None:
    id = file_yard.create().sandbox.id
    heard: list[object] = []
    at(file_yard, "seeded", lambda: heard.append(file_yard.sandboxes.show(id).beat_at))
    file_yard.sandboxes.reset(
        id,
        owner=file_yard.sandboxes.who(ALICE),
        seed="synthetic:v2",
        actor="test",
        on_progress=lambda progress: file_yard.clock.move(minutes=2),
    )
    assert heard and heard != [BEGIN]


@pytest.mark.parametrize("yard", ["postgresql"], indirect=True)
def test_of_two_new_passwords_at_once_both_are_told_the_one_that_opens(yard: Yard) -> None:
    id = yard.create().sandbox.id
    sandboxes, others = yard.sandboxes, []
    at(yard, "password made", lambda: others.append(sandboxes.address(id, actor="other", rotate=True)))
    mine = yard.sandboxes.address(id, actor="test", rotate=True)
    assert [mine] == others
    [(verifier,)] = ask(os.environ["YARD_POSTGRES"], f"SELECT rolpassword FROM pg_authid WHERE rolname = '{yard.host.place(id).role}'")
    assert opens(str(urlsplit(mine).password), verifier)


def opens(password: str, verifier: str) -> bool:
    """Whether a password is that of a SCRAM verifier (RFC 5803); servers of tests let everybody in without one."""
    _, counted, keys = verifier.split("$")
    rounds, salt = counted.split(":")
    salted = pbkdf2_hmac("sha256", password.encode(), b64decode(salt), int(rounds))
    return sha256(hmac.digest(salted, b"Client Key", "sha256")).digest() == b64decode(keys.partition(":")[0])


@pytest.mark.parametrize("yard", ["postgresql"], indirect=True)
def test_no_password_is_made_beside_that_of_a_reset(yard: Yard) -> None:
    id = yard.create().sandbox.id
    refused: list[WrongState] = []

    def rotate() -> None:
        with pytest.raises(WrongState, match="reset") as caught:
            yard.sandboxes.address(id, actor="test", rotate=True)
        refused.append(caught.value)

    at(yard, "swapped", rotate)
    reset(yard, id)
    assert refused
