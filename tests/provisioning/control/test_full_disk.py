"""A control database on a full disk says that the disk is full."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioning.control.database import open_control
from provisioning.errors import ControlFailure
from tests.provisioning.audit.ledgers import write

FULL = "no space is left on the disk of the control database '.*control.db'; free some, and do it again"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a megabyte, where this account may make one."""
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", tmp_path], capture_output=True).returncode:
        pytest.skip("only root mounts disks")
    yield tmp_path
    subprocess.run(["umount", tmp_path], check=True)


@pytest.mark.parametrize("left", [0, 16_384, 65_536])
def test_a_full_disk_is_told(small_disk: Path, left: int) -> None:
    open_control(small_disk / "control.db").close()
    with open(small_disk / "rest", "wb", buffering=0) as rest:
        with pytest.raises(OSError, match="No space left"):
            while rest.write(bytes(4096)):
                pass
        rest.truncate(rest.tell() - left)
    with pytest.raises(ControlFailure, match=FULL), open_control(small_disk / "control.db") as control:
        write(control, 2_000)


def test_a_database_that_may_not_grow_is_told_as_a_full_disk(tmp_path: Path) -> None:
    with open_control(tmp_path / "control.db") as control, pytest.raises(ControlFailure, match=FULL), control.write() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
        connection.exec_driver_sql("CREATE TABLE rows AS SELECT randomblob(1000000)")
