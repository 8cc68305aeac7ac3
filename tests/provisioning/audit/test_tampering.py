"""Whatever is done to a ledger behind its back, verification finds it and says where."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.audit import Problem, anchor_of, checkpoint, make_key, read_private_key, read_public_key, record, verify
from provisioning.control.database import Control
from provisioning.control.tables import events
from schemas.hash_chain import entry_hash
from tests.provisioning.audit.ledgers import attack, found, opened, raw, write

SWAP = tuple(f"UPDATE audit_events SET number = {b} WHERE number = {a}" for a, b in ((4, 99), (6, 4), (99, 6)))


def test_a_ledger_that_nobody_touched_is_whole(control: Control) -> None:
    write(control, 8)
    report = verify(control)
    assert (report.events, report.last.number, report.problems) == (8, 8, [])
    report.require()


def test_an_empty_ledger_is_whole(control: Control) -> None:
    assert verify(control).problems == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (["UPDATE audit_events SET actor = 'eve' WHERE number = 5"], [(5, "altered")]),
        (["UPDATE audit_events SET why = '' WHERE number = 1"], [(1, "altered")]),
        (["UPDATE audit_events SET outcome = replace(outcome, 'true', 'false') WHERE number = 8"], [(8, "altered")]),
        (["UPDATE audit_events SET sandbox = NULL WHERE number = 3"], [(3, "altered")]),
        (["UPDATE audit_events SET hash = previous WHERE number = 3"], [(3, "altered")]),
        (["UPDATE audit_events SET previous = hash WHERE number = 3"], [(3, "altered")]),
        (["UPDATE audit_events SET actor = 'eve' WHERE number IN (2, 3, 7)"], [(2, "altered"), (3, "altered"), (7, "altered")]),
        (["DELETE FROM audit_events WHERE number = 5"], [(5, "removed")]),
        (["DELETE FROM audit_events WHERE number = 1"], [(1, "removed")]),
        (["DELETE FROM audit_events WHERE number IN (2, 3, 6)"], [(2, "removed"), (6, "removed")]),
        (list(SWAP), [(4, "reordered"), (6, "reordered")]),
        (["UPDATE audit_events SET number = 12 WHERE number = 3"], [(3, "removed"), (9, "removed"), (12, "reordered")]),
        (["UPDATE audit_events SET number = -1 WHERE number = 1"], [(-1, "added"), (1, "removed")]),
        (["UPDATE audit_events SET number = 9007199254740993 WHERE number = 8"], [(8, "removed"), (9007199254740993, "reordered")]),
        (["DROP TABLE audit_events"], [(0, "removed")]),
        (["DROP TABLE audit_checkpoints"], [(0, "removed")]),
    ],
)
def test_what_was_altered_removed_or_moved_is_found_and_named(
    control: Control, address: str, changes: list[str], told: list[tuple[int, str]]
) -> None:
    write(control, 8)
    attack(address, *changes)
    assert found(verify(control)) == told


def test_the_rows_and_their_problems_are_said_in_words(control: Control, address: str) -> None:
    write(control, 12)
    attack(address, *SWAP, "DELETE FROM audit_events WHERE number IN (8, 9)", "UPDATE audit_events SET actor = 'eve' WHERE number = 2")
    assert [p.message for p in verify(control).problems if p.number] == [
        "row 2 was altered: it is not what its hash says",
        "row 4 is the one that was row 6",
        "row 6 is the one that was row 4",
        "rows 8 to 9 are missing: the next is row 10",
    ]


def test_a_row_that_was_altered_together_with_its_hash_no_longer_fits_the_next(control: Control, address: str) -> None:
    write(control, 8)
    forge(address, 4, {"actor": "eve"}, to=4)
    report = verify(control)
    assert found(report) == [(5, "altered")]
    assert "row 5 does not follow row 4: one of the two was altered together with its hash" in str(report.problems)


def test_rows_that_come_from_the_middle_of_another_chain_do_not_begin_one(control: Control, address: str) -> None:
    write(control, 3)
    forge(address, 1, {"previous": "1" * 64}, to=3)
    assert found(verify(control)) == [(1, "altered")]


def forge(address: str, first: int, change: dict[str, Any], *, to: int) -> None:
    """Alter a row and make the hashes anew, from it to the row `to`."""
    with raw(address) as connection:
        rows = connection.execute("SELECT * FROM audit_events ORDER BY number").fetchall()  # type: ignore[attr-defined]
    rows = [dict(zip(events.c.keys(), row, strict=True)) for row in rows]
    rows[first - 1] |= change
    statements = []
    for i in range(first - 1, to):
        if i >= first:
            rows[i]["previous"] = rows[i - 1]["hash"]
        rows[i]["hash"] = entry_hash(rows[i])
        values = ", ".join(f"{name} = '{rows[i][name]}'" for name in ("actor", "previous", "hash"))
        statements.append(f"UPDATE audit_events SET {values} WHERE number = {i + 1}")
    attack(address, *statements)


def test_a_chain_that_was_made_anew_is_found_by_its_signed_checkpoint(control: Control, address: str, tmp_path: Path) -> None:
    public = make_key(tmp_path / "key")
    key = read_private_key(tmp_path / "key")
    for n in (1, 5, 9):
        write(control, 4, n)
        checkpoint(control, key)
    assert verify(control, [read_public_key(public)]).signed == 12
    forge(address, 6, {"actor": "eve"}, to=12)
    report = verify(control, [read_public_key(public)])
    assert found(report) == [(5, "rewritten")]
    assert "one or more of rows 5 to 8 are not what its own checkpoint at row 8 knows" in str(report.problems)
    assert report.signed == 4


def test_rows_that_were_cut_off_are_found_by_the_checkpoints_beside_them(control: Control, address: str, tmp_path: Path) -> None:
    make_key(tmp_path / "key")
    write(control, 8)
    checkpoint(control, read_private_key(tmp_path / "key"))
    attack(address, "DELETE FROM audit_events WHERE number > 5")
    report = verify(control)
    assert found(report) == [(6, "truncated")]
    assert "rows 6 to 8 are missing at the end, which its own checkpoint at row 8 knows" in str(report.problems)


def test_rows_that_were_cut_off_together_with_the_checkpoints_are_found_by_one_that_was_kept(
    control: Control, address: str, tmp_path: Path
) -> None:
    public = make_key(tmp_path / "key")
    write(control, 8)
    kept = checkpoint(control, read_private_key(tmp_path / "key"))
    attack(address, "DELETE FROM audit_events WHERE number > 5", "DELETE FROM audit_checkpoints")
    assert found(verify(control, [read_public_key(public)])) == []
    report = verify(control, [read_public_key(public)], kept=[kept])
    assert found(report) == [(6, "truncated")]
    assert "which the checkpoint that was kept at row 8 knows" in str(report.problems)
    write(control, 5, 6)  # others take their place
    assert found(verify(control, [read_public_key(public)], kept=[kept])) == [(1, "rewritten")]
    attack(address, "DELETE FROM audit_events", guards=True)
    assert found(verify(control, kept=[kept])) == [(1, "truncated")]


def test_without_a_key_the_anchor_of_the_last_verification_knows_of_rows_that_were_cut_off(control: Control, address: str) -> None:
    write(control, 8)
    assert verify(control, anchor=anchor_of(control)).problems == []
    attack(address, "DELETE FROM audit_events WHERE number = 8")
    report = verify(control, anchor=anchor_of(control))
    assert found(report) == [(8, "truncated")]
    assert "row 8 is missing at the end, which the anchor at row 8 knows" in str(report.problems)
    write(control, 1, 9)
    assert found(verify(control, anchor=anchor_of(control))) == [(1, "rewritten")]


def test_the_anchor_stays_where_it_was_while_anything_is_wrong(control: Control, address: str) -> None:
    write(control, 4)
    verify(control, anchor=anchor_of(control))
    write(control, 4, 5)
    attack(address, "UPDATE audit_events SET actor = 'eve' WHERE number = 6")
    verify(control, anchor=anchor_of(control))
    mark = anchor_of(control).read()
    assert mark is not None and mark.number == 4


def test_all_problems_are_told_up_to_twenty_and_the_rest_is_counted(control: Control, address: str) -> None:
    write(control, 60)
    attack(address, "UPDATE audit_events SET actor = 'eve' WHERE number > 30", "DELETE FROM audit_events WHERE number = 3")
    report = verify(control)
    assert len(report.problems) == 20 and report.more == 13
    assert (3, "removed") in found(report) and (31, "altered") in found(report)


def test_rows_beyond_a_page_are_read_as_well(control: Control, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provisioning.audit.reading.PAGE", 7)
    write(control, 30)
    assert verify(control).events == 30
    attack(address, "UPDATE audit_events SET actor = 'eve' WHERE number = 8", "DELETE FROM audit_events WHERE number IN (14, 15)")
    assert found(verify(control)) == [(8, "altered"), (14, "removed")]


def test_bytes_that_are_no_text_are_not_taken_for_the_mark_that_stands_for_such(tmp_path: Path) -> None:
    with opened(tmp_path / "control.db") as control:
        with control.write() as connection:
            record(connection, at=control.clock(), actor="ada", action="created", sandbox=None, why="\x00", outcome={})
        attack(tmp_path / "control.db", "UPDATE audit_events SET why = CAST(x'ff' AS TEXT)")
        assert found(verify(control)) == [(1, "altered")]


# SQLite keeps whatever it is given: numbers as texts, bytes, texts that are none
VALUES = st.one_of(st.text(), st.binary(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.none(), st.booleans())


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "control.db"
    with opened(path) as control:
        write(control, 6)
    attack(path)
    return path


@given(column=st.sampled_from(sorted(events.c.keys())), number=st.integers(1, 5), value=VALUES, as_text=st.booleans())
def test_any_change_of_any_field_of_any_row_is_found(whole: Path, column: str, number: int, value: object, as_text: bool) -> None:
    told, changed = changing(whole, number, column, "CAST(? AS TEXT)" if as_text and isinstance(value, bytes) else "?", value)
    assert bool(told) == changed, (column, number, value)


@given(
    column=st.sampled_from(["at", "actor", "action", "sandbox", "why", "outcome", "bundle_digest", "details", "previous", "hash"]),
    number=st.integers(1, 5),
    place=st.integers(1, 20),
    mark=st.characters(codec="utf-8", exclude_characters="\x00"),
)
def test_any_character_that_was_changed_is_found(whole: Path, column: str, number: int, place: int, mark: str) -> None:
    expression = f"substr({column}, 1, {place} - 1) || ? || substr({column}, {place} + 1)"
    told, changed = changing(whole, number, column, expression, mark)
    assert bool(told) == changed, (column, number, place, mark)


def changing(path: Path, number: int, column: str, expression: str, value: object) -> tuple[list[Problem], bool]:
    """What verification finds while a field is changed, and whether it was."""
    with raw(path) as connection:
        assert isinstance(connection, sqlite3.Connection)
        before = connection.execute(f"SELECT hex({column}), typeof({column}) FROM audit_events WHERE number = ?", [number]).fetchone()
        old = connection.execute("SELECT * FROM audit_events WHERE number = ?", [number]).fetchone()
        try:
            connection.execute(f"UPDATE audit_events SET {column} = {expression} WHERE number = ?", [value, number])
        except (sqlite3.IntegrityError, sqlite3.DataError):  # a null where there may be none, a number that is another row's
            return [], False
        try:
            with opened(path) as control:
                report = verify(control)
            row = connection.execute(f"SELECT hex({column}), typeof({column}) FROM audit_events WHERE number = ?", [number]).fetchone()
            changed = (column == "number" and row is None) or row != before
        finally:
            connection.execute("DELETE FROM audit_events WHERE number NOT IN (1, 2, 3, 4, 5, 6)")
            connection.execute(f"INSERT OR REPLACE INTO audit_events VALUES ({', '.join('?' * len(old))})", old)
    return [p for p in report.problems if p.kind != "unguarded"], changed
