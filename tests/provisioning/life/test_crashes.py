"""Killed at every step: nothing leaks, nothing is half-made, and what is there afterwards is the old or the new."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from databases import ask
from yard import ALICE, Yard, build, clean, make_yard

from provisioning.demo.resetting import reset_tenants
from provisioning.demo.tenants import create_tenant, tenants
from provisioning.errors import WrongState
from schemas.errors import SystemFailure
from tests.spread import one_in

PROJECT = Path(__file__).parents[3]
CHILD = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from yard import ALICE, Yard

folder, kind, what, step, id = sys.argv[2:]

def die(done):
    print(done, flush=True)
    if done == step:
        os.kill(os.getpid(), signal.SIGKILL)

yard = Yard(Path(folder), kind, on_step=die)
if what == "create":
    yard.create()
elif what == "delete":
    yard.sandboxes.delete(id, actor="child")
elif what == "reset":
    yard.sandboxes.reset(id, owner=yard.sandboxes.who(ALICE), seed="synthetic:v2", actor="child")
elif what == "sweep":
    yard.clock.move(days=20)
    yard.sandboxes.sweep(actor="child")
yard.close()
"""
CREATE = ("recorded", "provisioning", "seeded", "configured", "files put", "admitted", "ready")
DELETE = ("deleting", "removed", "forgotten")
RESET = ("begun", "seeded", "swapped", "configured", "files put", "password made", "admitted", "reset", "old forgotten")
SWEEP = ("expired", "shut", "deleting", "removed")


def killed_at(yard: Yard, what: str, step: str, id: str = "") -> None:
    child = subprocess.run(
        [sys.executable, "-c", CHILD, str(Path(__file__).parent), str(yard.folder), yard.kind, what, step, id],
        cwd=PROJECT, env=os.environ | {"PYTHONPATH": str(PROJECT)}, capture_output=True, text=True,
    )  # fmt: skip
    assert child.returncode == -signal.SIGKILL, child.stderr
    assert child.stdout.splitlines()[-1] == step


# the other hosts' crashes are among the longer tests
SOME = [pytest.param("duckdb"), *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("sqlite", "postgresql"))]


@pytest.fixture(params=SOME)
def yard(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Yard]:
    """A yard on each kind of host."""
    made = make_yard(request, request.param, tmp_path)
    yield made
    clean(made)


@pytest.mark.parametrize("step", one_in(4, CREATE))
def test_a_create_that_is_killed_is_undone(yard: Yard, step: str) -> None:
    killed_at(yard, "create", step)
    done = yard.sandboxes.reconcile(actor="test")
    assert not done.errors
    if step == "ready":
        [whole] = yard.sandboxes.list(states=("ready",)).sandboxes
        assert ask(yard.sandboxes.address(whole.id, actor="test"), "SELECT count(*) FROM customers") == [(40,)]
        return
    [failed] = yard.sandboxes.list(states=("failed",)).sandboxes
    assert done.undone == [failed.id]
    assert not [f for f in yard.host.found() if f.sandbox is not None]
    assert yard.passwords.kept() == []
    assert yard.create().sandbox.state == "ready"


@pytest.mark.parametrize("step", DELETE)
@pytest.mark.slow
def test_a_delete_that_is_killed_is_finished(yard: Yard, step: str) -> None:
    id = yard.create().sandbox.id
    killed_at(yard, "delete", step, id)
    done = yard.sandboxes.reconcile(actor="test")
    assert (done.finished, done.errors) == ([id], [])
    assert yard.sandboxes.show(id).state == "deleted"
    assert not [f for f in yard.host.found() if f.sandbox is not None]
    assert yard.passwords.kept() == []


@pytest.mark.parametrize("step", SWEEP)
@pytest.mark.slow
def test_a_sweep_that_is_killed_is_finished_by_the_next(yard: Yard, step: str) -> None:
    id = yard.create().sandbox.id
    killed_at(yard, "sweep", step)
    yard.clock.move(days=20)
    assert yard.sandboxes.sweep(actor="test").errors == []
    assert yard.sandboxes.show(id).state == "deleted"
    assert not [f for f in yard.host.found() if f.sandbox is not None]


@pytest.mark.parametrize("step", one_in(3, RESET))
def test_a_reset_that_is_killed_gives_the_old_or_the_new(yard: Yard, step: str) -> None:
    created = yard.create(flags=("onboarding",))
    id, old = created.sandbox.id, created.address
    assert old is not None
    flags = "companyos_sandbox_feature_flags" if yard.kind == "sqlite" else "companyos_sandbox.feature_flags"
    ask(old, "UPDATE customers SET name = 'visitor'", f"UPDATE {flags} SET enabled = NOT enabled")
    killed_at(yard, "reset", step, id)
    done = yard.sandboxes.reconcile(actor="test")
    assert (done.settled, done.errors) == ([id], [])
    sandbox = yard.sandboxes.show(id)
    assert (sandbox.state, sandbox.doing) == ("ready", None)
    new = yard.sandboxes.address(id, actor="test")
    visited = ask(new, "SELECT count(*) FROM customers WHERE name = 'visitor'")
    switched = yard.host.flags(yard.host.place(id))
    if step in ("reset", "old forgotten"):
        assert (sandbox.seed, visited, switched) == ("synthetic:v2", [(0,)], {"onboarding": True, "billing": True})
    else:
        assert (sandbox.seed, visited, switched, new) == ("synthetic:v1", [(40,)], {"onboarding": False, "billing": False}, old)
    assert sandbox.flags == {"onboarding": True, "billing": True}
    again = yard.sandboxes.reset(id, owner=yard.sandboxes.who(ALICE), actor="test")
    assert again.doing is None


@pytest.mark.parametrize("step", one_in(5, RESET))
def test_a_reset_that_was_killed_is_put_right_by_the_next(yard: Yard, step: str) -> None:
    id = yard.create().sandbox.id
    killed_at(yard, "reset", step, id)
    [told] = [r for r in yard.sandboxes.why(id).reasons if "half-done" in r]
    assert "gone" in told and "companyos sandbox reconcile" in told
    with pytest.raises(WrongState, match="half-done .*reconcile"):
        yard.sandboxes.extend(id, timedelta(hours=1), owner=yard.sandboxes.who(ALICE), actor="test")
    again = yard.sandboxes.reset(id, owner=yard.sandboxes.who(ALICE), seed="synthetic:v1", actor="test")
    assert (again.state, again.doing, again.seed) == ("ready", None, "synthetic:v1")
    assert ask(yard.sandboxes.address(id, actor="test"), "SELECT count(*) FROM customers") == [(40,)]
    found = [f for f in yard.host.found() if f.sandbox is not None]
    assert {f.sandbox for f in found} == {id} and not [f.name for f in found if f.name.endswith(("_next", "_old"))]
    assert yard.sandboxes.reconcile(actor="test").settled == []


@pytest.mark.parametrize("step", one_in(2, ["swapped", "reset"]))
def test_a_demo_tenant_whose_reset_was_killed_is_reset_by_the_next(yard: Yard, step: str) -> None:
    who = yard.sandboxes.who(ALICE)
    made = create_tenant(
        yard.platform, "demo-acme", owner=who, template="demo", seed="synthetic:v1", ttl=timedelta(days=5), actor="test", why=""
    )
    killed_at(yard, "reset", step, made.sandbox.id)
    [outcome] = reset_tenants(yard.platform, tenants(yard.platform), actor="test")
    assert (outcome.done, outcome.error) == ("reset" if step == "reset" else "skipped", None)
    sandbox = yard.sandboxes.show(made.sandbox.id)
    assert (sandbox.state, sandbox.doing, sandbox.seed) == ("ready", None, "synthetic:v1")


@pytest.mark.parametrize("what", ["create", "reset"])
@pytest.mark.parametrize("yard", [pytest.param("postgresql", marks=pytest.mark.slow)], indirect=True)
def test_a_copy_that_the_server_goes_on_with_after_its_client_was_killed_is_ended(yard: Yard, what: str) -> None:
    server = os.environ["YARD_POSTGRES"]
    id = yard.create(seed="synthetic:v2").sandbox.id
    if what == "create":
        yard.sandboxes.delete(id, actor="test")
        yard.sandboxes.delete(yard.create().sandbox.id, actor="test")
    copying = "FROM pg_stat_activity WHERE query LIKE 'CREATE DATABASE \"companyos_sb_%' AND state = 'active'"
    with psycopg.connect(server) as holding:  # a comment that is not committed yet keeps the template from being copied
        for found in [f for f in yard.host.found() if f.what == "template"]:
            holding.execute(f"COMMENT ON DATABASE {found.name} IS NULL")
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(Path(__file__).parent), str(yard.folder), yard.kind, what, "", id],
            cwd=PROJECT, env=os.environ | {"PYTHONPATH": str(PROJECT)}, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        while ask(server, f"SELECT count(*) {copying}") == [(0,)]:
            assert child.poll() is None
            time.sleep(0.02)
        child.kill()
        child.wait()
        done = yard.sandboxes.reconcile(actor="test")
        holding.rollback()
    while ask(server, f"SELECT count(*) {copying}") != [(0,)]:
        time.sleep(0.02)
    assert (len(done.undone), len(done.settled), done.errors) == ((1, 0, []) if what == "create" else (0, 1, []))
    left = ask(server, "SELECT datname FROM pg_database WHERE datname LIKE 'companyos_sb_%'")
    assert left == ([] if what == "create" else [(yard.host.place(id).database,)])


def test_a_database_that_no_record_ever_knew_is_told_and_removed_a_week_after_it_was_found(yard: Yard) -> None:
    lost = yard.create().sandbox
    yard.host.admit(yard.host.place(lost.id), None, yard.clock.now + timedelta(days=20), lost.limits)  # as was allowed after that copy
    stays = yard.create().sandbox
    yard.clock.move(days=3)
    with yard.control.write() as connection:
        connection.exec_driver_sql(f"DELETE FROM sandboxes WHERE id = '{lost.id}'")
    kept = yard.passwords.kept(), yard.media.kept()
    for _ in range(2):
        done = yard.sandboxes.reconcile(actor="test")
        assert (done.orphans, done.passwords, done.unknown) == ([], [], [lost.id])
        [error] = done.errors
        assert "no record ever knew it" in error and lost.id[3:] in error and "removed after 2026-03-12" in error
        assert (yard.passwords.kept(), yard.media.kept()) == kept
        yard.clock.move(days=3)
    yard.clock.move(days=2)
    assert yard.sandboxes.reconcile(actor="test", dry_run=True).orphans
    assert {f.sandbox for f in yard.host.found()} - {None} == {lost.id, stays.id}
    assert yard.sandboxes.reconcile(actor="test").orphans
    assert {f.sandbox for f in yard.host.found()} - {None} == {stays.id}


@pytest.mark.parametrize("end", ["its own", "its bundle's"])
def test_a_database_that_no_record_ever_knew_does_not_outlive_its_end(yard: Yard, end: str) -> None:
    if end == "its bundle's":
        (yard.folder / "store").unlink()
        build(yard.folder, "synthetic:v1", expires=yard.clock.now + timedelta(days=2))
    yard.create(ttl=timedelta(days=2))
    with yard.control.write() as connection:
        connection.exec_driver_sql("DELETE FROM sandboxes")
    yard.clock.move(hours=47)
    [error] = yard.sandboxes.reconcile(actor="test").errors
    if end == "its own" and yard.kind != "postgresql":  # a file knows no end
        assert "removed after 2026-03-11T08" in error
        return
    assert "removed after 2026-03-04T09" in error
    yard.clock.move(hours=1)
    for dry_run in (True, False):
        done = yard.sandboxes.reconcile(actor="test", dry_run=dry_run)
        assert (done.errors, done.unknown, len(done.orphans) > 0) == ([], [], True)
    assert {f.sandbox for f in yard.host.found()} <= {None}
    assert yard.passwords.kept() == []


def test_what_belongs_to_a_database_on_a_host_that_does_not_answer_stays(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    lost, gone = "sb-aaaaaaaaaa", yard.create().sandbox.id
    yard.sandboxes.delete(gone, actor="test")
    for id in (lost, gone):
        yard.passwords.keep(id, "secret")
    with monkeypatch.context() as down:
        down.setattr(yard.host, "found", fail)
        done = yard.sandboxes.reconcile(actor="test")
    assert (done.errors, done.passwords) == (["here: it does not answer"], [gone])
    assert yard.sandboxes.reconcile(actor="test").passwords == [lost]


def fail() -> None:
    raise SystemFailure("it does not answer")


def test_a_record_without_a_database_fails(yard: Yard) -> None:
    id = yard.create().sandbox.id
    yard.host.remove(yard.host.place(id))
    assert yard.sandboxes.reconcile(actor="test").lost == [id]
    assert yard.sandboxes.show(id).failure == "its database is gone"
