"""Demo tenants: what visitors changed is counted, and goes; who was not visited is left alone; nothing is half reset."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
import sqlalchemy as sa
from databases import ask
from yard import ALICE, Yard

import bundles
from provisioning.control.tables import pins
from provisioning.demo.resetting import reset_tenants, roll_back
from provisioning.demo.tenants import create_tenant, tenants, tenants_named
from provisioning.demo.webhooks import register, registered
from provisioning.errors import NoSuchTenant, SeedRefused, TenantExists
from provisioning.life.sandboxes import Sandboxes
from schemas.errors import InputError
from tests.spread import one_in

CUSTOMERS = "SELECT id, name, CAST(since AS TEXT) FROM customers ORDER BY id"


def tenant(yard: Yard, name: str = "demo-acme", seed: str = "synthetic:v1", template: str = "demo") -> str:
    """Make a tenant; return its sandbox's address."""
    made = create_tenant(
        yard.platform, name, owner=yard.sandboxes.who(ALICE), template=template, seed=seed, ttl=timedelta(days=5), actor="test", why=""
    )
    assert made.address is not None
    return made.address


def address(yard: Yard, name: str = "demo-acme") -> str:
    [found] = tenants(yard.platform, name)
    return yard.sandboxes.address(found.sandbox.id, actor="test")


def visit(address: str) -> None:
    """Change three rows, remove the orders of one customer, add one."""
    ask(address, "UPDATE customers SET name = 'visitor ' || id WHERE id IN (SELECT id FROM customers ORDER BY id LIMIT 3)")
    ask(address, "DELETE FROM orders WHERE id = (SELECT min(id) FROM orders)")
    ask(address, "INSERT INTO customers (id, name, since) SELECT max(id) + 1000, 'new', min(since) FROM customers")


def test_what_visitors_changed_is_counted_and_goes(yard: Yard) -> None:
    before = ask(tenant(yard), CUSTOMERS)
    visit(address(yard))
    [looked] = reset_tenants(yard.platform, tenants(yard.platform), dry_run=True, actor="test")
    assert looked.done == "would be reset"
    rows = {name: (d.added, d.removed, d.changed) for name, d in looked.visited.rows.items()}
    assert rows == {"customers": (1, 0, 3), "orders": (0, 1, 0)}
    [outcome] = reset_tenants(yard.platform, tenants(yard.platform), actor="test")
    assert (outcome.done, outcome.error) == ("reset", None)
    assert ask(address(yard), CUSTOMERS) == before
    [again] = reset_tenants(yard.platform, tenants(yard.platform), actor="test")
    assert (again.done, again.visited.reasons) == ("skipped", ())


def test_times_are_of_today_and_never_stale(yard: Yard) -> None:
    newest = "SELECT max(since) FROM customers"
    [(first,)] = ask(tenant(yard), f"SELECT CAST(({newest}) AS DATE)")
    yard.clock.move(days=21)
    yard.sandboxes.platform.control.clock = yard.clock  # type: ignore[method-assign]
    [found] = tenants(yard.platform)
    with yard.control.write() as connection:
        connection.exec_driver_sql(f"UPDATE sandboxes SET expires_at = '2026-06-01T00:00:00.000000Z' WHERE id = '{found.sandbox.id}'")
    [outcome] = reset_tenants(yard.platform, tenants(yard.platform), as_of="2026-03-23", actor="test")
    assert outcome.done == "reset"
    assert any("stale" in reason for reason in outcome.visited.reasons)
    [(later,)] = ask(address(yard), f"SELECT CAST(({newest}) AS DATE)")
    assert (later - first).days % 7 == 0 and later != first


def test_flags_that_visitors_switched_are_counted_and_reset(yard: Yard) -> None:
    url = tenant(yard)
    flags = "companyos_sandbox_feature_flags" if yard.kind == "sqlite" else "companyos_sandbox.feature_flags"
    before = ask(url, f"SELECT name, enabled FROM {flags} ORDER BY name")
    ask(url, f"UPDATE {flags} SET enabled = NOT enabled WHERE name = 'billing'")
    [looked] = reset_tenants(yard.platform, tenants(yard.platform), dry_run=True, actor="test")
    assert (looked.visited.flags, looked.visited.reasons) == (1, ("1 feature flag was changed",))
    [outcome] = reset_tenants(yard.platform, tenants(yard.platform), actor="test")
    assert (outcome.done, outcome.error) == ("reset", None)
    assert ask(address(yard), f"SELECT name, enabled FROM {flags} ORDER BY name") == before
    [again] = reset_tenants(yard.platform, tenants(yard.platform), actor="test")
    assert again.done == "skipped"


def test_what_cannot_be_compared_with_a_bundle_keeps_no_tenant_from_its_reset(yard: Yard) -> None:
    url = tenant(yard)
    before = ask(url, "SELECT count(*) FROM customers")
    ask(
        url,
        f"ALTER TABLE customers ADD COLUMN more {'xml' if yard.kind == 'postgresql' else 'MAP(VARCHAR, INTEGER)'}",
        "DELETE FROM orders",
    )
    [outcome] = reset_tenants(yard.platform, tenants(yard.platform), actor="test")
    assert (outcome.done, outcome.error) == ("reset", None)
    assert "what was changed cannot be counted" in outcome.visited.reasons[0] and "'more'" in outcome.visited.reasons[0]
    assert ask(address(yard), "SELECT count(*) FROM customers") == before
    assert ask(address(yard), "SELECT count(*) FROM orders") != [(0,)]


def test_webhooks_are_purged(yard: Yard) -> None:
    tenant(yard)
    [found] = tenants(yard.platform)
    register(yard.platform, found.sandbox, "https://hooks.example.com/in", "invoice.paid", actor="visitor")
    [outcome] = reset_tenants(yard.platform, tenants(yard.platform), actor="test")
    assert (outcome.done, outcome.visited.webhooks) == ("reset", 1)
    assert registered(yard.platform, found.sandbox) == []


@pytest.mark.parametrize(
    "url", ["ftp://host/x", "https://user:pw@host/x", "nothing", "http://[::1", "https://token@host/x", "https://host/" + "x" * 2_000]
)
def test_a_webhook_is_an_address_without_a_password(file_yard: Yard, url: str) -> None:
    tenant(file_yard)
    [found] = tenants(file_yard.platform)
    with pytest.raises(InputError, match="webhook"):
        register(file_yard.platform, found.sandbox, url, "x", actor="visitor")


def test_one_tenant_that_fails_keeps_no_other(file_yard: Yard) -> None:
    tenant(file_yard, "demo-a")
    tenant(file_yard, "demo-b", seed="synthetic:v2")
    file_yard.sandboxes.recall("synthetic:v1", "quarantine", actor="test", why="a name leaked")
    outcomes = {o.tenant: o for o in reset_tenants(file_yard.platform, tenants(file_yard.platform), force=True, actor="test")}
    assert outcomes["demo-a"].done == "failed" and "recalled" in (outcomes["demo-a"].error or "")
    assert outcomes["demo-b"].done == "reset"


def test_a_tenant_rolls_back_to_any_version(yard: Yard) -> None:
    old = ask(tenant(yard), "SELECT id, name FROM customers ORDER BY id")
    [outcome] = roll_back(yard.platform, tenants(yard.platform), "synthetic:v2", actor="test", why="a new story")
    assert outcome.done == "reset"
    assert ask(address(yard), "SELECT id, name FROM customers ORDER BY id") != old
    [found] = tenants(yard.platform)
    assert (found.seed, found.sandbox.seed) == ("synthetic:v2", "synthetic:v2")
    roll_back(yard.platform, tenants(yard.platform), "synthetic:v1", actor="test", why="it was better")
    assert ask(address(yard), "SELECT id, name FROM customers ORDER BY id") == old


def test_a_tenant_rolls_back_to_no_bundle_under_a_name_that_it_has_not(file_yard: Yard) -> None:
    tenant(file_yard)
    digest = bundles.open("synthetic:v2", file_yard.platform.store).manifest_digest
    with pytest.raises(InputError, match="it is called synthetic"):
        roll_back(file_yard.platform, tenants(file_yard.platform), f"snapshot@{digest}", actor="test", why="")
    [found] = tenants(file_yard.platform)
    assert found.seed == "synthetic:v1"


def test_a_failed_roll_back_leaves_the_pin(file_yard: Yard) -> None:
    tenant(file_yard)
    file_yard.sandboxes.recall("synthetic:v2", "quarantine", actor="test", why="a name leaked")
    [outcome] = roll_back(file_yard.platform, tenants(file_yard.platform), "synthetic:v2", actor="test", why="")
    assert outcome.done == "failed"
    with file_yard.control.read() as connection:
        assert connection.scalar(sa.select(pins.c.seed)) == "synthetic:v1"


STEPS = ("begun", "seeded", "swapped", "configured", "password made", "admitted")


@pytest.mark.parametrize("step", one_in(3, STEPS))
def test_a_failure_at_any_step_leaves_the_old_state(yard: Yard, step: str) -> None:
    tenant(yard)
    visit(address(yard))
    [before] = tenants(yard.platform)
    register(yard.platform, before.sandbox, "https://hooks.example.com/in", "invoice.paid", actor="visitor")
    url, rows = address(yard), ask(address(yard), CUSTOMERS)

    def fail(done: str) -> None:
        if done == step:
            raise SeedRefused("it breaks here")

    broken = dataclasses.replace(yard.platform, on_step=fail)
    [outcome] = reset_tenants(broken, tenants(broken), actor="test")
    assert outcome.done == "failed" and "it breaks here" in (outcome.error or "")
    [after] = tenants(Sandboxes(yard.platform).platform)
    assert (after.sandbox.state, after.sandbox.doing, after.sandbox.flags) == ("ready", None, before.sandbox.flags)
    assert address(yard) == url
    assert ask(url, CUSTOMERS) == rows
    assert len(registered(yard.platform, after.sandbox)) == 1


def test_a_tenant_has_one_sandbox_and_a_proper_name(file_yard: Yard) -> None:
    tenant(file_yard)
    with pytest.raises(TenantExists):
        tenant(file_yard)
    for name in ("Demo", "-acme", "demo acme", "d" * 70, "../x"):
        with pytest.raises(InputError, match="no name of a tenant"):
            tenant(file_yard, name)
    with pytest.raises(InputError, match="not for demos"):
        tenant(file_yard, "demo-other", template="plain")


def test_a_tenant_whose_old_bundle_is_gone_still_goes_to_another(file_yard: Yard) -> None:
    tenant(file_yard)
    [found] = tenants(file_yard.platform)
    lost = dataclasses.replace(found, bundle_digest="sha256:" + "0" * 64)
    [outcome] = roll_back(file_yard.platform, [lost], "synthetic:v2", actor="test", why="its bundle was collected")
    assert (outcome.done, outcome.error) == ("reset", None)


def test_an_unknown_tenant_is_named_with_the_nearest(file_yard: Yard) -> None:
    tenant(file_yard)
    with pytest.raises(NoSuchTenant, match="did you mean 'demo-acme'"):
        tenants_named(file_yard.platform, "demo-acne")
