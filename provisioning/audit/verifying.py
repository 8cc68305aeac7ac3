"""Reading a whole ledger again: every hash, every link, every checkpoint, and the guards of its tables."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from provisioning.audit.checkpoints import Checkpoint
from provisioning.audit.keys import name_of
from provisioning.audit.permissions import gone
from provisioning.audit.reading import any_text, last_mark, pages_after
from provisioning.audit.recording import EVERY
from provisioning.audit.report import MOST, Report
from provisioning.control.tables import checkpoints, events
from schemas.hash_chain import START, Mark, entry_hash, fault

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from provisioning.control.database import Control
    from schemas.anchor import Anchor

_CANDIDATES = 1_000  # numbers that a row may have had before


def verify(
    control: Control,
    public_keys: Sequence[Ed25519PublicKey] = (),
    *,
    kept: Sequence[Checkpoint] = (),
    anchor: Anchor | None = None,
) -> Report:
    """Recompute the ledger as it stands, page by page, and report what is wrong with it and where.

    With `public_keys`, all that ever signed, checkpoints must be signed by one of them, and cover all but the last hundred rows. `kept` are
    checkpoints that were kept elsewhere, `anchor` remembers how far the last verification had come, and is moved on where all is well: they
    know of rows that are missing at the end. Raises ControlFailure where the database or the anchor cannot be read.
    """
    known = None if anchor is None else anchor.read()  # before the rows: it is never ahead of them
    with control.read() as connection, any_text(connection):
        report = _verify(connection, public_keys, kept, known)
    if anchor is not None and not report.problems:
        anchor.move(report.last)
    return report


def _verify(connection: sa.Connection, keys: Sequence[Ed25519PublicKey], kept: Sequence[Checkpoint], known: Mark | None) -> Report:
    report = Report()
    for table in (events, checkpoints):
        if not sa.inspect(connection).has_table(table.name):
            report.tell(0, "removed", f"the table {table.name} is missing")
            return report
    for table_name in gone(connection):
        said = f"the database does not refuse changes of {table_name}: its triggers are gone or altered (docs/audit.md renews them)"
        report.tell(0, "unguarded", said)
    signers = {name_of(key): key for key in keys}
    trusted = [one for one in kept if _is_signed(one, signers, "the checkpoint that was kept", report)]
    marks = [(Mark(one.number, one.hash), "the checkpoint that was kept") for one in trusted]
    marks += [] if known is None else [(known, "the anchor")]
    _tell_truncation(connection, report, marks)
    walk = _Walk(connection, report, signers, sorted(marks, key=lambda mark: mark[0].number))
    for page in pages_after(connection, None):
        walk.page(page)
    walk.end()
    _tell_unsigned(report, signers)
    report.problems.sort(key=lambda problem: problem.number)
    return report


def _tell_truncation(connection: sa.Connection, report: Report, marks: Sequence[tuple[Mark, str]]) -> None:
    last = last_mark(connection).number
    ends = [(mark.number, f"{what} at row {mark.number}") for mark, what in marks]
    if (furthest := connection.scalar(sa.select(sa.func.max(checkpoints.c.number)))) is not None:
        ends.append((furthest, f"its own checkpoint at row {furthest}"))
    number, what = max(ends, default=(0, ""), key=lambda end: end[0])
    if number > last:
        missing = f"row {number} is" if number == last + 1 else f"rows {last + 1} to {number} are"
        report.tell(last + 1, "truncated", f"{missing} missing at the end, which {what} knows; put back the newest copy")


def _tell_unsigned(report: Report, signers: Mapping[str, Ed25519PublicKey]) -> None:
    """Where keys are given, tell of more rows without a signature than writers with a key leave: checkpoints were deleted, or never made.

    Where a checkpoint is false, or the chain another one than was signed, that is told already.
    """
    if not signers:
        return
    report.unsigned = report.last.number - report.signed
    told = {problem.kind for problem in report.problems} & {"signature", "rewritten", "truncated"}
    if report.unsigned > EVERY and not told:
        after = f"after row {report.signed} " if report.signed else ""
        said = (
            f"no checkpoint signs the {report.unsigned:,} rows {after}up to {report.last.number}, though every {EVERY}th row is signed "
            "where a key is configured: they could have been made anew; `companyos audit checkpoint` signs them, once you know that they "
            "are true"
        )
        report.tell(report.signed + 1, "signature", said)


class _Walk:
    """What is known of the chain up to a row."""

    def __init__(
        self,
        connection: sa.Connection,
        report: Report,
        signers: Mapping[str, Ed25519PublicKey],
        marks: Sequence[tuple[Mark, str]],
    ) -> None:
        self._connection, self._report, self._signers = connection, report, signers
        self._marks = marks  # of elsewhere, by their numbers
        self._last = START
        self._doubtful = False  # whether the last row was faulty, so that the next cannot be held to it
        self._altered: dict[int, Mapping[str, Any]] = {}
        self._free: list[int] = []  # numbers that altered rows have or missing ones had
        self._agreed = 0  # the furthest row that a checkpoint or the anchor agreed with
        self._rewritten = False

    def page(self, rows: Sequence[Mapping[str, Any]]) -> None:
        before = self._last.number
        for row in rows:
            self._step(row)
        self._report.events += len(rows)
        hashes = {row["number"]: row["hash"] for row in rows}
        asked = sa.select(checkpoints).where(checkpoints.c.number > before, checkpoints.c.number <= self._last.number)
        found = [(one, "its own checkpoint") for one in self._own(asked)]
        for mark, what in sorted([*found, *self._between(before)], key=lambda mark: mark[0].number):
            self._agree(mark, what, hashes)

    def end(self) -> None:
        """Look at what is beyond the rows, and tell of rows that were altered or had another number."""
        asked = sa.select(checkpoints).where(sa.or_(checkpoints.c.number < 1, checkpoints.c.number > self._last.number))
        for mark in self._own(asked):
            if mark.number < 1 and mark != START:
                self._report.tell(0, "signature", f"the checkpoint at row {mark.number} is of no row")
        self._report.last = self._last
        for number, row in self._altered.items():
            moved = next((n for n in (number - 1, number + 1, *self._free) if n != number and _would_be_whole(row, n)), None)
            if moved is None:
                self._report.tell(number, "altered", f"row {number} was altered: it is not what its hash says")
            else:
                self._report.tell(number, "reordered", f"row {number} is the one that was row {moved}")

    def _step(self, row: Mapping[str, Any]) -> None:
        number = row["number"]
        if number <= self._last.number:  # below 1: numbers are unique and come in their order
            self._report.tell(number, "added", f"row {number} was added: rows count from 1")
            return
        found = fault(row, self._last)
        if found == "missing":
            self._miss(self._last.number + 1, number)
        if found == "missing" or (found == "unlinked" and self._doubtful):
            found = fault(row, Mark(number - 1, row["previous"]))
        if found == "altered":
            self._alter(number, row)
        elif found == "unlinked":
            what = f"row {number} does not follow row {number - 1}: one of the two was altered together with its hash"
            self._report.tell(number, "altered", what if number > 1 else "row 1 does not begin the chain: it was altered with its hash")
        self._doubtful = found == "altered"
        self._last = Mark(number, row["hash"])

    def _miss(self, first: int, beyond: int) -> None:
        said = f"row {first} is" if first == beyond - 1 else f"rows {first} to {beyond - 1} are"
        self._report.tell(first, "removed", f"{said} missing: the next is row {beyond}")
        self._free.extend(islice(range(first, beyond), max(0, _CANDIDATES - len(self._free))))

    def _alter(self, number: int, row: Mapping[str, Any]) -> None:
        if len(self._free) < _CANDIDATES:
            self._free.append(number)
        if len(self._altered) + len(self._report.problems) < MOST:
            self._altered[number] = row
        else:
            self._report.more += 1

    def _own(self, asked: sa.Select[Any]) -> list[Mark]:
        """The checkpoints of the table that are signed as they should be."""
        found = [Checkpoint(**row) for row in self._connection.execute(asked.order_by(checkpoints.c.number)).mappings()]
        self._report.checkpoints += len(found)
        return [Mark(one.number, one.hash) for one in found if _is_signed(one, self._signers, "its own checkpoint", self._report)]

    def _between(self, before: int) -> Sequence[tuple[Mark, str]]:
        """The marks of elsewhere after row `before` and up to the last row."""
        first = bisect_left(self._marks, before + 1, key=lambda mark: mark[0].number)
        beyond = bisect_left(self._marks, self._last.number + 1, key=lambda mark: mark[0].number)
        return self._marks[first:beyond]

    def _agree(self, mark: Mark, what: str, hashes: Mapping[int, object]) -> None:
        found = hashes.get(mark.number)
        if found == mark.hash:
            self._agreed = mark.number
            if self._signers and what != "the anchor":
                self._report.signed = mark.number
        elif found is not None and mark.number not in self._altered and not self._rewritten:
            self._rewritten = True
            first = self._agreed + 1
            rows = f"row {mark.number} is" if first == mark.number else f"one or more of rows {first} to {mark.number} are"
            said = f"{rows} not what {what} at row {mark.number} knows: the chain was made anew from there on"
            self._report.tell(first, "rewritten", said)


def _is_signed(one: Checkpoint, signers: Mapping[str, Ed25519PublicKey], what: str, report: Report) -> bool:
    """Whether a checkpoint may be believed: where no keys are given, each; otherwise those that one of them signed."""
    if not signers:
        return True
    key = signers.get(one.key)
    if key is not None and one.is_signed_by(key):
        return True
    why = "its signature is false" if key is not None else "none of the given public keys signed it: give all, those of before as well"
    report.tell(one.number, "signature", f"{what} at row {one.number} cannot be believed: {why}")
    return False


def _would_be_whole(row: Mapping[str, Any], number: int) -> bool:
    try:
        return bool(entry_hash({**row, "number": number}) == row["hash"])
    except ValueError:
        return False
