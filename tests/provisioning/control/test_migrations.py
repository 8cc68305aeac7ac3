"""The control database and its migrations."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import sqlalchemy as sa

from provisioning.control import migrating
from provisioning.control.database import open_control
from provisioning.control.tables import installation, metadata
from provisioning.errors import ControlFailure
from schemas.errors import InputError


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    return str(tmp_path / "deep" / "control.db")


def test_the_migrations_make_the_tables_as_they_are_declared(address: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with open_control(address) as control, control.write() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_newest_migration_is_the_one_that_is_expected() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(migrating.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [migrating.HEAD]


def test_a_newer_control_database_is_left_alone(address: str) -> None:
    with open_control(address) as control, control.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ControlFailure, match="9999"):
        open_control(address)


def test_many_may_make_it_at_once(address: str) -> None:
    found, errors = set(), []

    def one() -> None:
        try:
            with open_control(address) as control:
                found.add(control.id)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (errors, len(found)) == ([], 1)
    with open_control(address) as control, control.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(installation)) == 1


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    with open_control(tmp_path / "control.db"):
        assert (tmp_path / "control.db").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("address", ["mysql://host/control", "postgresql://host:port/db"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(InputError, match="control database"):
        open_control(address)


def test_a_file_that_cannot_be_one_is_named(tmp_path: Path) -> None:
    junk = tmp_path / "junk.db"
    junk.write_bytes(b"junk" * 500)
    with pytest.raises(ControlFailure, match=f"the control database '{junk}' failed: file is not a database"):
        open_control(junk)
    with pytest.raises(ControlFailure, match=f"'{junk / 'control.db'}' cannot be opened: '{junk}' is no folder"):
        open_control(junk / "control.db")


def test_a_server_that_is_not_there_is_told_without_the_password() -> None:
    with pytest.raises(ControlFailure) as error:
        open_control("postgresql://user:hunter2@127.0.0.1:1/control")
    assert "hunter2" not in str(error.value)
