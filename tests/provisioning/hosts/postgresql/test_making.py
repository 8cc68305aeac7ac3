"""Making sandboxes from templates, and configuring them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from databases import contents
from loading_sources import build, complete, shop, shop_rows, simple, simple_rows

import provisioning
from provisioning.control.moments import utc_now
from provisioning.errors import NotASandbox, ReadBackDiffers, SchemaRefused, WrongState
from provisioning.hosts import postgresql, postgresql_copying
from provisioning.hosts.opening import open_host
from schemas.environments import Host, Limits
from schemas.errors import InputError
from schemas.model import Rows, Schema

LIMITS = Limits()
OURS = "(SELECT oid FROM pg_namespace WHERE nspname = 'companyos_sandbox')"


def without_ours(found: dict) -> dict:
    return {name: rows for name, rows in found.items() if "companyos_sandbox" not in name}


def test_a_sandbox_holds_what_a_load_of_its_bundle_gives_and_all_of_it_belongs_to_its_owner(yard, tmp_path, postgres_url) -> None:
    bundle = build(shop(), complete(shop_rows()), tmp_path)
    provisioning.load(bundle, postgres_url)
    place = yard.made("sb-aaaaaaaaaa", bundle)
    assert without_ours(contents(yard.of(place.database))) == contents(postgres_url)
    owners = yard.ask(f"SELECT DISTINCT relowner::regrole::text FROM pg_class WHERE oid > 16383 AND relnamespace <> {OURS}", place.database)
    assert [owner for (owner,) in owners if owner != "postgres"] == [place.role]
    assert yard.ask("SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 'public'", place.database) == [(place.role,)]


def test_the_first_sandbox_of_a_bundle_loads_it_and_the_next_ones_copy(yard, bundle) -> None:
    first = yard.host.seed(yard.host.place("sb-aaaaaaaaaa"), bundle, limits=LIMITS)
    second = yard.host.seed(yard.host.place("sb-bbbbbbbbbb"), bundle, limits=LIMITS)
    assert (first.strategy, first.digest_of) == ("load", "sandbox")
    assert (second.strategy, second.digest_of) == ("wal_log", "template")
    assert "no template" in first.why and "MiB" in second.why
    assert first.content_digest == second.content_digest == bundle.content_digest
    assert first.tables == second.tables == {"parents": 5, "children": 5}
    templates = [f for f in yard.host.found() if f.what == "template"]
    assert [(f.name, f.bundle_digest, f.sandbox) for f in templates] == [
        ("companyos_t_" + bundle.manifest_digest[7:27], bundle.manifest_digest, None)
    ]


def test_one_who_was_let_in_can_do_all_that_an_application_does_with_its_own_database(yard, bundle) -> None:
    place = yard.made("sb-aaaaaaaaaa", bundle)
    with yard.as_owner(place) as connection:
        for statement in (
            "INSERT INTO parents VALUES (77, 'new')",
            "ALTER TABLE parents ADD COLUMN more int DEFAULT 1",
            "CREATE TABLE own AS SELECT * FROM children",
            "CREATE SCHEMA extra CREATE VIEW v AS SELECT 1 AS one",
            "CREATE TEMPORARY TABLE t AS SELECT 1",
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "DROP TABLE children",
            "VACUUM parents",
        ):
            connection.execute(statement)
        assert connection.execute("SELECT count(*) FROM parents").fetchone() == (6,)


def test_times_are_moved_to_the_week_of_the_clock_and_each_week_has_its_template(yard, bundle) -> None:
    yard.now = datetime(2026, 3, 4, tzinfo=UTC)
    places = [yard.host.place("sb-" + letter * 10) for letter in "abc"]
    seeded = [yard.host.seed(places[0], bundle, limits=LIMITS, as_of="now"), yard.host.seed(places[1], bundle, limits=LIMITS)]
    yard.now += timedelta(days=14)
    seeded.append(yard.host.seed(places[2], bundle, limits=LIMITS, as_of="now"))
    weeks = [s.shifted_weeks for s in seeded]
    assert weeks[1] == 0 and weeks[2] == weeks[0] + 2
    assert [s.strategy for s in seeded] == ["load"] * 3
    assert len({s.content_digest for s in seeded}) == 3
    for place, moved in zip(places, weeks, strict=True):
        born = yard.ask("SELECT born FROM children WHERE id = 0", place.database)
        assert born == [(date(2020, 1, 1) + timedelta(weeks=moved),)]


def test_a_bundle_without_rows_is_refused(yard, tmp_path) -> None:
    empty = simple(0)
    empty = replace(empty, tables=tuple(replace(t, rows=Rows(0)) for t in empty.tables))
    with pytest.raises(InputError, match="has no row"):
        yard.host.seed(yard.host.place("sb-aaaaaaaaaa"), build(empty, {}, tmp_path), limits=LIMITS)
    assert yard.databases() == set()


def test_a_bundle_cannot_bring_tables_of_ours(yard, tmp_path) -> None:
    (parents, _) = simple().tables
    forged = Schema("forged", (replace(parents, name="companyos_sandbox.marker"),))
    bundle = build(forged, {"companyos_sandbox.marker": simple_rows()["parents"]}, tmp_path)
    with pytest.raises(SchemaRefused, match="companyos_sandbox"):
        yard.host.seed(yard.host.place("sb-aaaaaaaaaa"), bundle, limits=LIMITS)


def test_eight_who_want_a_sandbox_of_one_new_bundle_at_once_load_it_once(yard, bundle) -> None:
    places = [yard.host.place(f"sb-aaaaaaaaa{letter}") for letter in "abcdefgh"]
    hosts = [yard.another(yard.control) for _ in places]  # as if each were a process of its own
    with ThreadPoolExecutor(8) as pool:
        seeded = list(pool.map(lambda host, place: host.seed(place, bundle, limits=LIMITS), hosts, places))
    assert sorted(s.strategy for s in seeded) == ["load"] + ["wal_log"] * 7
    assert {yard.ask("SELECT count(*) FROM children", p.database)[0] for p in places} == {(5,)}


def test_a_template_that_is_collected_just_when_it_is_to_be_copied_is_made_again(yard, bundle, monkeypatch) -> None:
    yard.host.seed(yard.host.place("sb-aaaaaaaaaa"), bundle, limits=LIMITS)
    chosen = []

    def collected(connection, size):
        if not chosen:
            yard.host.drop_template("companyos_t_" + bundle.manifest_digest[7:27])
        chosen.append(size)
        return postgresql_copying.copying(connection, size)

    monkeypatch.setattr("provisioning.hosts.postgresql.copying", collected)
    seeded = yard.host.seed(yard.host.place("sb-bbbbbbbbbb"), bundle, limits=LIMITS)
    assert len(chosen) == 2 and seeded.strategy == "load"


@pytest.mark.parametrize(("method", "strategy"), [("copy", "file_copy"), ("clone", "clone")])
def test_large_templates_are_copied_by_files(yard, bundle, monkeypatch, method, strategy) -> None:
    monkeypatch.setattr(postgresql_copying, "COPIES_FROM", 0)
    monkeypatch.setattr(postgresql_copying, "CLONES_FROM", 0)
    yard.ask(f"ALTER DATABASE postgres SET file_copy_method = {method}")
    try:
        yard.made("sb-aaaaaaaaaa", bundle)
        place = yard.host.place("sb-bbbbbbbbbb")
        seeded = yard.host.seed(place, bundle, limits=LIMITS)
    finally:
        yard.ask("ALTER DATABASE postgres RESET file_copy_method")
    assert seeded.strategy == strategy
    assert yard.ask("SELECT count(*) FROM children", place.database) == [(5,)]


def test_the_file_system_of_the_servers_files_is_that_of_the_nearest_mount() -> None:
    mounts = """\
22 1 8:1 / / rw - ext4 /dev/sda1 rw
23 22 8:2 / /var/lib/pg\\040data rw shared:1 - btrfs /dev/sdb rw
24 22 8:3 / /var/lib rw - xfs /dev/sdc rw
"""
    kinds = {"/var/lib/pg data/18": "btrfs", "/var/lib/pg": "xfs", "/srv/pg": "ext4"}
    for folder, kind in kinds.items():
        assert postgresql_copying._kind_of(mounts, Path(folder)) == kind


@pytest.mark.parametrize("change", ["DELETE FROM children WHERE id = 3", "INSERT INTO parents VALUES (77, 'x')"])
def test_a_copy_with_other_rows_than_its_template_is_no_sandbox(yard, bundle, change) -> None:
    yard.made("sb-aaaaaaaaaa", bundle)
    template = "companyos_t_" + bundle.manifest_digest[7:27]
    yard.ask(f"ALTER DATABASE {template} ALLOW_CONNECTIONS true")
    yard.ask(change, template)
    yard.ask(f"ALTER DATABASE {template} ALLOW_CONNECTIONS false")
    place = yard.host.place("sb-bbbbbbbbbb")
    with pytest.raises(ReadBackDiffers, match="table '(children|parents)'"):
        yard.host.seed(place, bundle, limits=LIMITS)
    yard.host.remove(place)


def test_a_first_copy_with_another_value_than_the_bundle_is_no_sandbox(yard, bundle, monkeypatch) -> None:
    count = postgresql._count

    def alter(inside, *rest) -> None:
        inside.execute("UPDATE public.parents SET name = 'x' WHERE id = 4")  # the last stays the last
        count(inside, *rest)

    monkeypatch.setattr(postgresql, "_count", alter)
    place = yard.host.place("sb-aaaaaaaaaa")
    with pytest.raises(ReadBackDiffers, match="table 'parents', column 'name'"):
        yard.host.seed(place, bundle, limits=LIMITS)
    assert yard.host.marker(place).phase == "making"


def test_use_of_a_template_is_noted_by_the_hour(yard, bundle) -> None:
    begun = yard.now
    yard.made("sb-aaaaaaaaaa", bundle)
    last = []
    for minutes in (30, 31):
        yard.now += timedelta(minutes=minutes)
        yard.host.seed(yard.host.place("sb-bbbbbbbbbb"), bundle, limits=LIMITS)
        last += [f.last_used for f in yard.host.found() if f.what == "template"]
    assert last == [begun, yard.now]


def test_a_strangers_database_with_the_name_of_a_template_is_neither_used_nor_dropped(yard, bundle) -> None:
    name = "companyos_t_" + bundle.manifest_digest[7:27]
    yard.ask(f"CREATE DATABASE {name}")
    yard.ask("CREATE TABLE theirs AS SELECT 1 AS one", name)
    with pytest.raises(NotASandbox, match=name):
        yard.host.seed(yard.host.place("sb-aaaaaaaaaa"), bundle, limits=LIMITS)
    with pytest.raises(NotASandbox, match=name):
        yard.host.drop_template(name)
    assert yard.ask("SELECT one FROM theirs", name) == [(1,)]
    yard.ask(f"DROP DATABASE {name}")


def test_a_template_is_not_dropped_while_it_is_made(yard, bundle) -> None:
    making = "companyos_m_" + bundle.manifest_digest[7:27]
    refused = []

    def drop(_: object) -> None:
        if not refused:
            with pytest.raises(WrongState, match="being made") as error:
                yard.host.drop_template(making)
            refused.append(error)

    yard.host.seed(yard.host.place("sb-aaaaaaaaaa"), bundle, limits=LIMITS, on_progress=drop)
    assert refused


def test_dropping_a_template_that_is_gone_does_nothing(yard) -> None:
    yard.host.drop_template("companyos_t_00000000000000000000")


def test_flags_and_settings_stand_where_the_application_finds_them(yard, bundle) -> None:
    place = yard.made("sb-aaaaaaaaaa", bundle)
    yard.host.configure(place, {"old": True}, {"gone": 1})
    yard.host.configure(place, {"onboarding": True, "async-billing": False}, {"requests_a_minute": 60, "webhooks": "stub"})
    with yard.as_owner(place) as connection:
        flags = connection.execute("SELECT * FROM companyos_sandbox.feature_flags ORDER BY 1").fetchall()
        settings = connection.execute("SELECT * FROM companyos_sandbox.settings ORDER BY 1").fetchall()
        connection.execute("UPDATE companyos_sandbox.feature_flags SET enabled = true")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("UPDATE companyos_sandbox.settings SET value = '0'")
    assert flags == [("async-billing", False), ("onboarding", True)]
    assert settings == [("requests_a_minute", 60), ("webhooks", "stub")]


def test_what_was_never_made_cannot_be_configured_or_entered(yard) -> None:
    place = yard.host.place("sb-aaaaaaaaaa")
    for step in (
        lambda: yard.host.configure(place, {}, {}),
        lambda: yard.host.admit(place, "x", yard.now, LIMITS),
        lambda: yard.host.admin_address(place),
        lambda: yard.host.restrict(place),
    ):
        with pytest.raises(WrongState, match="never made"):
            step()
    assert (yard.host.marker(place), yard.host.activity(place), yard.host.bytes(place)) == (None, None, 0)


def test_a_host_whose_url_is_not_set_or_cannot_be_read(monkeypatch) -> None:
    host = Host("team", "postgresql", url_from="NO_SUCH_VARIABLE")
    with pytest.raises(InputError, match="host 'team'.*NO_SUCH_VARIABLE"):
        open_host(host, control="c", clock=utc_now)
    for url in (
        "postgresql://u:hunter2@h:not-a-port/db",
        "mysql://u:hunter2@h/db",
        "duckdb:///x",
        "postgresql://u:hunter2@h/db?nonsense=1",
    ):
        monkeypatch.setenv("NO_SUCH_VARIABLE", url)
        with pytest.raises(InputError, match="URL of host 'team'") as error:
            open_host(host, control="c", clock=utc_now)
        assert "hunter2" not in str(error.value)


def test_makers_wait_for_one_another_and_not_for_makers_of_other_templates(yard, bundle, bundles_of) -> None:
    other = bundles_of(7)
    went_on = threading.Event()

    def stop(_: object) -> None:
        if not went_on.is_set():
            yard.host.seed(yard.host.place("sb-bbbbbbbbbb"), other, limits=LIMITS)
            went_on.set()

    yard.host.seed(yard.host.place("sb-aaaaaaaaaa"), bundle, limits=LIMITS, on_progress=stop)
    assert went_on.is_set()
