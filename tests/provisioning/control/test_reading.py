"""A control database that is only read."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from provisioning.audit import Report, anchor_of, verify
from provisioning.control.reading import open_to_read
from provisioning.errors import ControlFailure
from schemas.errors import InputError
from tests.provisioning.audit.ledgers import attack, found, opened, write

NOBODY = 65_534


@pytest.fixture
def copy() -> Iterator[Path]:
    """A ledger of five events, in a folder that every account may enter."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    with opened(folder / "control.db") as control:
        write(control, 5)
    verified(folder / "control.db")  # what is imported for it is imported, before files can be read no more
    yield folder / "control.db"
    folder.chmod(0o755)
    shutil.rmtree(folder)


@contextmanager
def protected(path: Path) -> Iterator[None]:
    """Nothing in the folder of `path` can be written meanwhile, not even by root, who is somebody else for that time."""
    for file in path.parent.iterdir():
        file.chmod(0o444)
    path.parent.chmod(0o555)
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        path.parent.chmod(0o755)


def verified(path: Path) -> Report:
    with open_to_read(path) as control:
        return verify(control)


def test_a_copy_that_nobody_may_write_is_verified(copy: Path) -> None:
    with protected(copy):
        with pytest.raises(OSError, match="denied"):
            (copy.parent / "x").touch()
        report = verified(copy)
    assert (report.events, report.problems) == (5, [])
    assert [p.name for p in copy.parent.iterdir()] == ["control.db"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("UPDATE audit_events SET actor = 'eve' WHERE number = 2", [(2, "altered")]),
        ("DELETE FROM audit_events WHERE number = 4", [(4, "removed")]),
        ("DELETE FROM audit_events WHERE number > 3", [(4, "truncated")]),
    ],
)
def test_what_was_done_to_it_is_found_all_the_same(copy: Path, tmp_path: Path, change: str, told: list[tuple[int, str]]) -> None:
    with open_to_read(copy) as control:
        anchor = anchor_of(control, tmp_path / "anchor")
        verify(control, anchor=anchor)
        known = anchor.read()
    attack(copy, change)
    elsewhere = Path(tempfile.mkdtemp())
    elsewhere.chmod(0o777)
    with protected(copy), open_to_read(copy) as control:
        anchor = anchor_of(control, elsewhere / "anchor")
        assert known is not None
        anchor.move(known)
        report = verify(control, anchor=anchor)
    shutil.rmtree(elsewhere)
    assert found(report) == told


def test_rows_in_a_journal_are_not_passed_over(copy: Path, tmp_path: Path) -> None:
    with opened(copy) as control:
        write(control, 1, 6)  # while it is open its newest row is in the log
        files = [shutil.copy(copy.with_name(copy.name + end), tmp_path) for end in ("", "-wal")]
    before = [Path(file).read_bytes() for file in files]
    assert before[1]
    assert verified(tmp_path / "control.db").events == 6
    assert [Path(file).read_bytes() for file in files] == before
    for file in copy.parent.iterdir():
        file.unlink()
    with opened(copy.with_name("other.db")) as control:
        write(control, 6)
        for end in ("", "-wal"):
            shutil.copy(copy.with_name(f"other.db{end}"), copy.with_name(f"control.db{end}"))
    with protected(copy), pytest.raises(ControlFailure, match="a journal with rows"):
        verified(copy)


def test_what_changes_meanwhile_is_told(copy: Path) -> None:
    def change() -> None:
        with protected(copy), open_to_read(copy) as control:
            verify(control)
            if os.geteuid() == NOBODY:
                os.seteuid(0)
            copy.parent.chmod(0o755)
            copy.chmod(0o644)
            with opened(copy) as other:
                write(other, 1, 6)

    with pytest.raises(ControlFailure, match="was changed while it was read"):
        change()


def test_nothing_is_made_migrated_or_written(copy: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no control database"):
        verified(tmp_path / "none.db")
    assert not (tmp_path / "none.db").exists()
    with closing(sqlite3.connect(tmp_path / "empty.db")) as connection:
        connection.execute("VACUUM")
    with pytest.raises(ControlFailure, match="is no control database"):
        verified(tmp_path / "empty.db")
    (tmp_path / "text.db").write_text("no database, but a text of some length" * 40)
    with pytest.raises(ControlFailure, match="not a database"):
        verified(tmp_path / "text.db")
    with open_to_read(copy) as control, pytest.raises(ControlFailure, match="readonly"):
        write(control, 1, 6)
    attack(copy, "UPDATE alembic_version SET version_num = '0000'", guards=True)
    with pytest.raises(ControlFailure, match="of version 0000"):
        verified(copy)


def test_a_database_in_use_is_read_with_its_newest_rows(copy: Path) -> None:
    with opened(copy) as control:
        write(control, 1, 6)
        assert verified(copy).events == 6
        write(control, 1, 7)
        assert verified(copy).events == 7
