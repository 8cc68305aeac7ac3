"""Making sandboxes."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from databases import ask
from yard import ALICE, BEGIN, BOB, Yard, build

import bundles
from provisioning.control.tables import idempotency
from provisioning.errors import KeyUsedTwice, PolicyRefused, SeedRefused, TargetFailure
from provisioning.hosts.hosts import Hosts
from provisioning.life.sandboxes import Sandboxes
from provisioning.life.states import STATES
from schemas.errors import CompanyOSError, InputError


def test_a_sandbox_holds_the_bundle_and_its_owner_gets_in(yard: Yard) -> None:
    created = yard.create(flags=("onboarding",), ttl=timedelta(hours=5), why="a feature")
    sandbox = created.sandbox
    bundle = bundles.open("synthetic:v1", yard.folder / "store")
    assert (sandbox.state, sandbox.owner, sandbox.kind) == ("ready", ALICE, "synthetic")
    assert sandbox.flags == {"onboarding": True, "billing": True}
    assert sandbox.expires_at == BEGIN + timedelta(hours=5)
    assert created.address is not None
    assert ask(created.address, "SELECT count(*) FROM orders") == [(bundle.tables["orders"].rows,)]
    assert sandbox.receipt is not None
    assert sandbox.receipt["content_digest"] == bundle.content_digest
    assert sandbox.receipt["tables"] == {name: table.rows for name, table in bundle.tables.items()}
    assert yard.events(sandbox.id) == ["requested", "ready"]


def test_a_second_sandbox_is_a_copy_of_the_template(yard: Yard) -> None:
    yard.create()
    second = yard.create()
    assert second.sandbox.receipt is not None
    assert second.sandbox.receipt["strategy"] != "load"
    assert second.sandbox.receipt["why"]


def test_the_flags_are_in_the_sandbox(yard: Yard) -> None:
    created = yard.create(flags=("onboarding",))
    assert created.address is not None
    table = "companyos_sandbox.feature_flags" if yard.kind != "sqlite" else "companyos_sandbox_feature_flags"
    assert [(n, bool(on)) for n, on in ask(created.address, f"SELECT name, enabled FROM {table} ORDER BY name")] == [
        ("billing", True),
        ("onboarding", True),
    ]


def test_sandboxes_do_not_see_each_other(yard: Yard) -> None:
    first, second = yard.create(), yard.create(BOB)
    assert first.address is not None and second.address is not None
    ask(first.address, "UPDATE customers SET name = 'changed'")
    assert ask(second.address, "SELECT count(*) FROM customers WHERE name = 'changed'") == [(0,)]


def test_a_quota_holds_for_many_at_once(file_yard: Yard) -> None:
    def one(_: int) -> list[str]:
        try:
            file_yard.create()
        except PolicyRefused as error:
            return [v.rule for v in error.violations]
        return []

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(one, range(12))) == [[]] * 5 + [["quota"]] * 7
    assert len(file_yard.sandboxes.list(owner=ALICE, states=("ready",)).sandboxes) == 5


def test_a_refusal_is_written_down_and_can_be_asked_about(file_yard: Yard) -> None:
    with pytest.raises(PolicyRefused) as refused:
        file_yard.create(ttl=timedelta(days=1000))
    assert refused.value.request is not None
    told = file_yard.sandboxes.why(refused.value.request)
    assert told.verdict == "refused"
    assert [reason.partition(":")[0] for reason in told.reasons] == ["ttl"]


def test_the_same_key_gives_the_same_sandbox(file_yard: Yard) -> None:
    first = file_yard.create(idempotency_key="k1")
    again = file_yard.create(idempotency_key="k1")
    assert (again.sandbox.id, again.address, again.again) == (first.sandbox.id, first.address, True)
    assert file_yard.create(BOB, idempotency_key="k1").sandbox.id != first.sandbox.id
    with pytest.raises(KeyUsedTwice):
        file_yard.create(idempotency_key="k1", seed="synthetic:v2")


def test_a_key_is_forgotten_by_the_sweep_after_a_week(file_yard: Yard) -> None:
    file_yard.create(idempotency_key="k1")
    for since, known in ((timedelta(days=7), 1), (timedelta(days=7, seconds=1), 0)):
        file_yard.clock.now = BEGIN + since
        file_yard.sandboxes.sweep(actor="cron")
        with file_yard.control.read() as connection:
            assert connection.scalar(sa.select(sa.func.count()).select_from(idempotency)) == known


def test_two_at_once_with_one_key_make_one_sandbox(file_yard: Yard) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: file_yard.create(idempotency_key="k"), range(4)))
    assert len({m.sandbox.id for m in made}) == 1
    assert [m.again for m in made].count(False) == 1
    assert len(file_yard.sandboxes.list().sandboxes) == 1


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"template": "plane"}, "did you mean 'plain'"),
        ({"seed": "synthetic:v9"}, "synthetic:v9"),
        ({"owner": "eve@elsewhere.org"}, "eve@elsewhere.org"),
        ({"flags": ("onbording",)}, "did you mean 'onboarding'"),
    ],
)
def test_what_nobody_knows_is_named(file_yard: Yard, asked: dict[str, object], said: str) -> None:
    with pytest.raises(InputError) as error:
        file_yard.create(**asked)  # type: ignore[arg-type]
    assert said in str(error.value)
    assert not file_yard.sandboxes.list().sandboxes


@pytest.mark.parametrize("yard", ["postgresql"], indirect=True)
def test_a_host_that_cannot_be_opened_leaves_no_record(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    anew = Hosts(yard.platform.environments.hosts, yard.folder / "sandboxes", control=yard.control.id)
    yard.sandboxes = Sandboxes(replace(yard.platform, hosts=anew))
    with monkeypatch.context() as patch:
        patch.delenv("YARD_POSTGRES")
        with pytest.raises(InputError, match="YARD_POSTGRES"):
            yard.create()
    assert not yard.sandboxes.list().sandboxes


def test_a_bundle_ends_the_life_of_its_sandboxes(file_yard: Yard) -> None:
    store = file_yard.folder / "store"
    store.unlink()
    build(file_yard.folder, "synthetic:short", rows=5, expires=BEGIN + timedelta(hours=2))
    sandbox = file_yard.create(seed="synthetic:short", ttl=timedelta(hours=50)).sandbox
    assert sandbox.expires_at == BEGIN + timedelta(hours=2)
    assert "bundle" in sandbox.why_expires
    file_yard.clock.move(hours=3)
    with pytest.raises((PolicyRefused, SeedRefused)):
        file_yard.create(seed="synthetic:short")


def test_a_digest_is_asked_for_under_a_name_that_it_has(file_yard: Yard) -> None:
    (file_yard.folder / "store").unlink()
    build(file_yard.folder, "synthetic:v1", rows=5)
    other = build(file_yard.folder, "other:v1", rows=5, seed=2).manifest_digest
    with pytest.raises(InputError, match="no version of 'synthetic'; it is called other"):
        file_yard.create(seed=f"synthetic@{other}")
    with pytest.raises(PolicyRefused, match="may hold"):
        file_yard.create(seed=f"other@{other}")
    bundles.Store(file_yard.folder / "store").tag("other:v1", "synthetic:v2")
    id = file_yard.create(seed=f"synthetic@{other}").sandbox.id
    with pytest.raises(InputError, match="no version of 'third'"):
        file_yard.sandboxes.reset(id, owner=file_yard.sandboxes.who(ALICE), seed=f"third@{other}", actor="test")


def test_an_empty_bundle_makes_no_sandbox(file_yard: Yard) -> None:
    (file_yard.folder / "store").unlink()
    build(file_yard.folder, "synthetic:empty", rows=0)
    with pytest.raises(SeedRefused, match="empty"):
        file_yard.create(seed="synthetic:empty")


def test_a_damaged_bundle_leaves_nothing(yard: Yard) -> None:
    store = yard.folder / "store"
    copied = Path(os.readlink(store))
    store.unlink()
    shutil.copytree(copied, store)
    bundle = build(yard.folder, "synthetic:broken", rows=77, seed=9)
    for layer in bundle.layers("orders"):
        path = bundle.store.layout.blob_path(layer.blob.digest)
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 0xFF
        path.chmod(0o644)
        path.write_bytes(data)
    with pytest.raises(CompanyOSError):
        yard.create(seed="synthetic:broken")
    [failed] = yard.sandboxes.list(states=("failed",)).sandboxes
    assert failed.failure
    assert not [f for f in yard.host.found() if f.sandbox == failed.id]
    assert not [f for f in yard.host.found() if f.bundle_digest == bundle.manifest_digest]
    assert yard.passwords.kept() == []
    assert yard.events(failed.id)[-1] == "failed"


def test_no_password_is_in_the_control_database(yard: Yard) -> None:
    created = yard.create()
    password = yard.passwords.get(created.sandbox.id)
    yard.control.close()
    for path in yard.folder.glob("control.db*"):
        assert password is None or password.encode() not in path.read_bytes()
    if yard.kind == "postgresql":
        assert password is not None and len(password) > 30
        assert created.address is not None and password in created.address


def test_a_server_that_is_away_takes_nothing_of_the_quota(tmp_path: Path, built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YARD_POSTGRES", "postgresql://nobody@127.0.0.1:1/postgres")
    (tmp_path / "store").symlink_to(built / "store")
    yard = Yard(tmp_path, "postgresql")
    for _ in range(2):  # with the same key, as who tries again sends it
        with pytest.raises(TargetFailure, match="cannot be reached"):
            yard.create(idempotency_key="again")
    assert list(yard.sandboxes.list(states=STATES).sandboxes) == []
    yard.close()
