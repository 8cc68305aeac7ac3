"""Bringing a control database to the present version, by Alembic."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from provisioning.errors import ControlFailure

HEAD = "0001"  # the newest of the folder `migrations/versions`
_VERSION = sa.table("alembic_version", sa.column("version_num", sa.Text))


def is_current(connection: sa.Connection) -> bool:
    """Whether the database has the present version already; without Alembic, which takes its time to load."""
    return version(connection) == HEAD


def version(connection: sa.Connection) -> str | None:
    """Return the version of the database, None for one that is empty."""
    if not sa.inspect(connection).has_table(_VERSION.name):
        return None
    return connection.scalar(sa.select(_VERSION.c.version_num))


def migrate(connection: sa.Connection) -> None:
    """Bring the database to the present version within the transaction of `connection`; ControlFailure where it is a newer one."""
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise ControlFailure(
            f"the control database is of version {version(connection)}, this program knows up to {HEAD}: use a newer one"
        ) from error
