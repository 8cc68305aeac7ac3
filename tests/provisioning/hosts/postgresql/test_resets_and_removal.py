"""Swapping in new data, taking it back, and removing; what does not bear the marks is left as it is."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import partial

import psycopg
import pytest

from provisioning.errors import NotASandbox, TargetFailure, WrongState
from provisioning.hosts import postgresql
from provisioning.hosts.postgresql_server import take_over
from tests.spread import one_in

from .conftest import LIMITS, PASSWORD

ID = "sb-aaaaaaaaaa"
NAME = "companyos_sb_aaaaaaaaaa"


def names(yard, place) -> str:
    return ",".join(name for (name,) in yard.ask("SELECT name FROM parents ORDER BY id", place.database))


@pytest.fixture
def changed(yard, bundle):
    """A sandbox whose owner has renamed all parents."""
    place = yard.made(ID, bundle)
    with yard.as_owner(place) as connection:
        connection.execute("UPDATE parents SET name = 'x'")
    return place


def test_a_swap_puts_fresh_data_in_place_and_lets_nobody_in_before_they_are_admitted_again(yard, bundle, changed) -> None:
    with yard.as_owner(changed) as connection:
        yard.host.seed(changed, bundle, limits=LIMITS, swap=True)
        assert connection.execute("SELECT min(name) FROM parents").fetchone() == ("x",)
        yard.host.swap(changed)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError, match="denied|too many"):
        yard.as_owner(changed)
    yard.host.swap(changed)  # once more, as after a crash
    yard.host.configure(changed, {"fresh": True}, {})
    yard.host.admit(changed, None, yard.now + timedelta(hours=1), LIMITS)
    with yard.as_owner(changed) as connection:
        assert connection.execute("SELECT string_agg(name, ',' ORDER BY id) FROM parents").fetchone() == ("0,1,2,3,4",)
        assert connection.execute("SELECT name FROM companyos_sandbox.feature_flags").fetchall() == [("fresh",)]
    for _ in range(2):
        yard.host.forget_old(changed)
    assert {name for name in yard.databases() if name.startswith(NAME)} == {NAME}
    assert yard.host.marker(changed).phase == "ready"


def test_the_old_database_cannot_be_entered_by_its_owner_while_it_is_kept(yard, bundle, changed) -> None:
    yard.host.seed(changed, bundle, limits=LIMITS, swap=True)
    yard.host.swap(changed)
    yard.host.admit(changed, None, yard.now + timedelta(hours=1), LIMITS)
    old = yard.host.address(changed, PASSWORD).replace(f"@/{NAME}", f"@/{NAME}_old")
    with pytest.raises(psycopg.OperationalError, match="too many connections for database"):
        psycopg.connect(old)


@pytest.mark.parametrize("broken_off_after", ["nothing", "seed", "swap", "configure"])
def test_a_swap_is_taken_back_from_wherever_it_was_broken_off(yard, bundle, changed, broken_off_after) -> None:
    steps = {
        "seed": lambda: yard.host.seed(changed, bundle, limits=LIMITS, swap=True),
        "swap": lambda: yard.host.swap(changed),
        "configure": lambda: yard.host.configure(changed, {}, {}),
    }
    for name, step in steps.items() if broken_off_after != "nothing" else ():
        step()
        if name == broken_off_after:
            break
    for _ in range(2):
        yard.host.swap_back(changed)
    yard.host.admit(changed, None, yard.now + timedelta(hours=1), LIMITS)
    with yard.as_owner(changed) as connection:
        assert connection.execute("SELECT DISTINCT name FROM parents").fetchall() == [("x",)]
    assert {name for name in yard.databases() if name.startswith(NAME)} == {NAME}


def test_a_swap_takes_what_was_seeded_last(yard, bundle, bundles_of, changed) -> None:
    yard.host.seed(changed, bundles_of(9), limits=LIMITS, swap=True)
    yard.host.seed(changed, bundle, limits=LIMITS, swap=True)
    yard.host.swap(changed)
    assert names(yard, changed) == "0,1,2,3,4"
    assert yard.host.marker(changed).bundle_digest == bundle.manifest_digest


def test_two_resets_leave_one_old_database_at_a_time(yard, bundle, changed) -> None:
    for _ in range(2):
        yard.host.seed(changed, bundle, limits=LIMITS, swap=True)
        yard.host.swap(changed)
    assert {name for name in yard.databases() if name.startswith(NAME)} == {NAME, NAME + "_old"}


def test_a_session_in_what_was_seeded_does_not_keep_it_from_being_swapped_in(yard, bundle, changed) -> None:
    yard.host.seed(changed, bundle, limits=LIMITS, swap=True)
    with psycopg.connect(yard.of(NAME + "_next")):
        yard.host.swap(changed)
    assert names(yard, changed) == "0,1,2,3,4"


def test_nothing_to_swap_is_an_error_and_ends_no_session(yard, changed) -> None:
    with yard.as_owner(changed) as connection:
        with pytest.raises(WrongState, match="nothing was seeded"):
            yard.host.swap(changed)
        connection.execute("SELECT 1")


def test_what_was_not_made_to_the_end_is_not_swapped_in(yard, bundle, changed, monkeypatch) -> None:
    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("provisioning.hosts.postgresql._count", crash)
    with pytest.raises(KeyboardInterrupt):
        yard.host.seed(changed, bundle, limits=LIMITS, swap=True)
    with pytest.raises(WrongState, match="not made to the end"):
        yard.host.swap(changed)
    yard.as_owner(changed).close()


def test_a_swap_that_is_broken_off_between_two_names_changes_none(yard, bundle, changed, monkeypatch) -> None:
    rename = postgresql._rename

    def crash(connection, found, name, phase) -> None:
        if phase == "ready":
            raise KeyboardInterrupt
        rename(connection, found, name, phase)

    yard.host.seed(changed, bundle, limits=LIMITS, swap=True)
    monkeypatch.setattr(postgresql, "_rename", crash)
    with pytest.raises(KeyboardInterrupt):
        yard.host.swap(changed)
    assert {name for name in yard.databases() if name.startswith(NAME)} == {NAME, NAME + "_next"}
    assert names(yard, changed) == "x,x,x,x,x"


@pytest.mark.parametrize("step", ["remove", "swap_back"])
def test_a_session_that_still_makes_a_sandbox_is_ended_before_it_is_removed_or_put_back(yard, changed, step) -> None:
    with psycopg.connect(yard.url, autocommit=True) as maker:
        take_over(maker, changed.database)
        getattr(yard.host, step)(changed)
        with pytest.raises(psycopg.OperationalError):
            maker.execute("SELECT 1")


def test_nobody_enters_a_sandbox_whose_removal_was_broken_off(yard, changed, monkeypatch) -> None:
    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(postgresql.PostgreSQLHost, "_drop", crash)
        with pytest.raises(KeyboardInterrupt):
            yard.host.remove(changed)
    with pytest.raises(psycopg.OperationalError, match="not permitted to log in"):
        yard.as_owner(changed)


def test_removal_takes_databases_and_roles_along_and_may_be_done_again(yard, bundle, changed) -> None:
    yard.host.seed(changed, bundle, limits=LIMITS, swap=True)
    yard.host.swap(changed)
    yard.host.seed(changed, bundle, limits=LIMITS, swap=True)
    yard.host.admin_address(changed)
    yard.host.admit(changed, None, yard.now + timedelta(hours=1), LIMITS)
    with yard.as_owner(changed) as connection:
        for _ in range(2):
            yard.host.remove(changed)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert [f.what for f in yard.host.found()] == ["template"]
    assert len(yard.databases()) == len(yard.roles()) == 1


def test_a_sandbox_is_made_again_in_place_of_what_an_earlier_try_left(yard, bundle, changed) -> None:
    yard.host.seed(changed, bundle, limits=LIMITS)
    assert names(yard, changed) == "0,1,2,3,4"


def comment(**changes: object) -> str:
    mark = {"companyos": "sandbox", "sandbox": ID, "bundle": "sha256:0", "phase": "ready", "made_at": "2026-01-01T00:00:00.000000Z"}
    return json.dumps(mark | changes)


ROW = (
    "CREATE SCHEMA companyos_sandbox CREATE TABLE marker (sandbox text, control text, bundle_digest text, made_at timestamptz); "
    "INSERT INTO companyos_sandbox.marker VALUES ({}, {}, 'sha256:0', now())"
)


STRANGERS = [
    (None, None),  # a real database that happens to be called so
    (comment(control="{control}"), ("'sb-aaaaaaaaaa'", "'another'")),
    (comment(control="another"), ("'sb-aaaaaaaaaa'", "'{control}'")),
    ("the shop, do not drop", None),
    ("[1, 2]", None),
    (comment(control="{control}"), None),  # renamed, and commented by a copy of a comment
    (comment(control="{control}"), ("'sb-bbbbbbbbbb'", "'{control}'")),
    (comment(control="{control}"), ("''", "''")),  # a template, and no sandbox in the making
    (comment(control="{control}", sandbox="sb-bbbbbbbbbb"), ("'sb-aaaaaaaaaa'", "'{control}'")),
    ("mine", ("'sb-aaaaaaaaaa'", "'{control}'")),
]
CASES = [("", *stranger) for stranger in STRANGERS] + [(suffix, *stranger) for suffix in ("_next", "_old") for stranger in STRANGERS[:3]]


@pytest.mark.parametrize(("suffix", "marked", "row"), one_in(3, CASES))
def test_a_database_without_both_marks_is_never_touched(yard, bundle, suffix, marked, row) -> None:
    place, name = yard.host.place(ID), NAME + suffix
    if suffix:
        yard.made(ID, bundle)
    yard.ask(f"CREATE DATABASE {name}")
    yard.ask("CREATE TABLE theirs AS SELECT 42 AS answer", name)
    if marked:
        text = marked.replace("{control}", yard.control)
        yard.ask(f"COMMENT ON DATABASE {name} IS '{text}'")
    if row:
        yard.ask(ROW.format(*row).format(control=yard.control), name)
    touching = {
        "": (
            yard.host.remove,
            yard.host.swap_back,
            *(partial(yard.host.seed, bundle=bundle, limits=LIMITS, swap=s) for s in (False, True)),
        ),
        "_next": (yard.host.remove, yard.host.swap, yard.host.swap_back, lambda p: yard.host.seed(p, bundle, limits=LIMITS, swap=True)),
        "_old": (yard.host.remove, yard.host.swap_back, yard.host.forget_old),
    }
    with psycopg.connect(yard.of(name), autocommit=True) as theirs:
        for touch in touching[suffix]:
            with pytest.raises(NotASandbox, match=f"'{name}'.*touched"):
                touch(place)
            assert theirs.execute("SELECT answer FROM theirs").fetchone() == (42,)
        if suffix:  # and removal was all or nothing
            yard.as_owner(place).close()
    assert yard.ask(f"SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '{name}'") == [
        (marked and marked.replace("{control}", yard.control),)
    ]
    yard.ask(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_role_without_the_mark_is_never_touched(yard, bundle) -> None:
    place = yard.host.place(ID)
    for name in (place.role, place.role + "_op"):
        yard.ask(f"CREATE ROLE {name} LOGIN")
        for touch in (yard.host.remove, lambda p: yard.host.seed(p, bundle, limits=LIMITS)):
            with pytest.raises(NotASandbox, match=name):
                touch(place)
        assert yard.ask(f"SELECT rolcanlogin FROM pg_roles WHERE rolname = '{name}'") == [(True,)]
        yard.ask(f"DROP ROLE {name}")


def test_a_role_that_owns_something_elsewhere_is_named_and_kept(yard, bundle) -> None:
    place = yard.made(ID, bundle)
    yard.ask("CREATE DATABASE elsewhere")
    yard.ask(f"CREATE TABLE theirs (a int); ALTER TABLE theirs OWNER TO {place.role}", "elsewhere")
    with pytest.raises(TargetFailure, match=r"role companyos_sb_aaaaaaaaaa.*1 object in database elsewhere"):
        yard.host.remove(place)
    yard.ask("DROP DATABASE elsewhere")
    yard.host.remove(place)


def test_what_bears_our_mark_is_found(yard, bundle, changed) -> None:
    yard.host.seed(changed, bundle, limits=LIMITS, swap=True)
    yard.host.admin_address(changed)
    yard.ask("CREATE DATABASE companyos_sb_stranger")
    found = {(f.what, f.name, f.sandbox) for f in yard.host.found()}
    yard.ask("DROP DATABASE companyos_sb_stranger")
    assert found == {
        ("template", "companyos_t_" + bundle.manifest_digest[7:27], None),
        ("database", NAME, ID),
        ("database", NAME + "_next", ID),
        ("role", NAME, ID),
        ("role", NAME + "_op", ID),
    }
