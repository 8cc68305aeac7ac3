"""Files that come to the disk while something else is done."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from schemas.anchor import Anchor
from schemas.errors import SystemFailure
from schemas.hash_chain import Mark
from schemas.syncing import SYNCING


def test_a_file_is_closed_when_it_is_on_the_disk(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    os.write(descriptor, b"here")
    SYNCING.begin(descriptor)()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
    assert (tmp_path / "file").read_bytes() == b"here"


def test_a_file_that_cannot_come_to_the_disk_is_told_to_who_waits_for_it_and_to_nobody_else(tmp_path: Path) -> None:
    read, write = os.pipe()  # which no disk holds
    failing, fine = SYNCING.begin(write), SYNCING.begin(os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT))
    fine()
    for _ in range(2):
        with pytest.raises(OSError, match="Invalid argument"):
            failing()
    os.close(read)


FORKED = """
import os, sys
from schemas.syncing import SYNCING
def write():
    SYNCING.begin(os.open(sys.argv[1], os.O_RDWR | os.O_CREAT))()
write()
if not (child := os.fork()):
    write()
    os._exit(7)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_process_that_was_forked_has_a_thread_of_its_own(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", FORKED, str(tmp_path / "file")], timeout=60)
    assert done.returncode == 7


def test_an_anchor_is_where_it_moves_to_before_it_is_on_the_disk(tmp_path: Path) -> None:
    anchor = Anchor(tmp_path / "anchor", "the anchor", "mend it", SystemFailure)
    waits = [anchor.move(Mark(number, f"{number:064x}"), soon=True) for number in (1, 3, 2)]
    assert anchor.read() == Mark(3, f"{3:064x}")
    for wait in waits:
        wait()
    anchor.move(Mark(2, "2" * 64), back=True)
    assert anchor.read() == Mark(2, "2" * 64)
