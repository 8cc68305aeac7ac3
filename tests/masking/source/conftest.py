"""A real MariaDB server, where one is installed (Debian's package `mariadb-server-core`)."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

SECONDS = 60


@pytest.fixture(scope="session")
def mariadb() -> Iterator[Path]:
    """The socket of a running server; whoever connects may do everything."""
    pytest.importorskip("pymysql")
    program = shutil.which("mariadbd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        pytest.skip("no MariaDB server is installed here")
    folder = Path(tempfile.mkdtemp(prefix="maria-"))  # a socket's path must be short
    (folder / "data").mkdir()
    options = ["--no-defaults", f"--datadir={folder / 'data'}", f"--socket={folder / 'sock'}", "--skip-networking", "--skip-grant-tables"]
    user = ["--user=root"] if os.geteuid() == 0 else []
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [program, *options, *user, "--innodb-buffer-pool-size=64M", "--default-time-zone=+05:00"], stdout=log, stderr=log
        )
    try:
        for _ in range(SECONDS * 10):
            if (folder / "sock").exists() or server.poll() is not None:
                break
            time.sleep(0.1)
        assert (folder / "sock").exists(), (folder / "log").read_text(errors="replace")[-2000:]
        yield folder / "sock"
    finally:
        server.terminate()
        server.wait(SECONDS)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def mariadb_url(mariadb: Path) -> Iterator[str]:
    """The URL of an empty database of the test's own, whose tables are in utf8mb4."""
    import pymysql

    name = f"test_{uuid4().hex}"
    with pymysql.connect(unix_socket=str(mariadb), user="root", autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        yield f"mysql+pymysql://root@localhost/{name}?unix_socket={mariadb}"
        cursor.execute(f"DROP DATABASE {name}")
