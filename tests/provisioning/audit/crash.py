"""Processes that are killed (SIGKILL) at one line after another: `python -m tests.provisioning.audit.crash ADDRESS KEY EVERY`.

Each changes a state, records that, and signs the ledger. After each kill there are as many changes as events and the chain is whole.
Prints how many were killed, and how many of these had made their change.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import sqlalchemy as sa

import provisioning
from provisioning.audit import checkpoint, read_private_key, record, verify
from provisioning.control.tables import pins
from tests.provisioning.audit.ledgers import opened

FOLDERS = tuple(str(Path(provisioning.__file__).parent / name) for name in ("audit", "control"))


def change(address: str, key: str, number: int) -> None:
    with opened(address) as control:
        with control.write() as connection:
            values = {"tenant": f"tenant {number}", "seed": "synthetic:v1", "bundle_digest": "d", "pinned_at": ""}
            connection.execute(pins.insert().values(values))
            record(connection, at=control.clock(), actor="ada", action="pinned", sandbox=None, why="", outcome={})
        checkpoint(control, read_private_key(Path(key)))


def killed_at(line: int) -> Any:
    left = line

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal left
        if not frame.f_code.co_filename.startswith(FOLDERS):
            return None
        if event == "line":
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    return trace


def main() -> None:
    address, key, every = sys.argv[1], sys.argv[2], int(sys.argv[3])
    before, kills, kept, line = 0, 0, 0, 1
    while True:
        if not (child := os.fork()):
            sys.settrace(killed_at(line))
            change(address, key, line)
            os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert code in (0, -signal.SIGKILL), code
        with opened(address) as control:
            report = verify(control)
            checkpoint(control, read_private_key(Path(key)))  # so that the next has no more lines to go than this one
            with control.read() as connection:
                changes = connection.scalar(sa.select(sa.func.count()).select_from(pins))
        assert not report.problems, report
        assert report.events == changes and changes in (before, before + 1), (line, report.events, changes)
        assert code != 0 or changes == before + 1
        if code == 0:
            break
        kept += changes > before
        before, kills, line = changes, kills + 1, line + every
    print(kills, kept)


if __name__ == "__main__":
    main()
