"""What commands print: JSON for machines on standard output, tables for people, progress and errors on standard error."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from rich.table import Table

_SHORT, _CUT, _GAP = 11, 5, 3  # characters: of words that are not cut, of what is left of digests at least, between columns
_UNITS = ("B", "KB", "MB", "GB", "TB")
_QUIET_SECONDS = 2.0


class Step(Protocol):
    """How far long work is."""

    @property
    def stage(self) -> str: ...
    @property
    def table(self) -> str: ...
    @property
    def rows(self) -> int: ...
    @property
    def total(self) -> int | None: ...


def print_json(value: Any) -> None:
    """Print JSON on one line, at once: whoever reads it through a pipe may wait for it while the command goes on."""
    print(json.dumps(value, ensure_ascii=False, default=str), flush=True)


def visible(text: str) -> str:
    """Return `text`, or the text of a JSON document, without anything that moves a terminal's cursor, turns its line or cannot be seen.

    What is not printable becomes an escape of JSON, such as \\u001b, so that a document means the same.
    """
    return text if text.isprintable() else "".join(c if c.isprintable() else _escape(c) for c in text)


def _escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))


def human_bytes(size: float) -> str:
    """Return a size such as `3.4 MB`."""
    for unit in _UNITS:
        if size < 1000 or unit == _UNITS[-1]:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    raise AssertionError


def scale_text(scale: str) -> str:
    """A scale as `--scale` takes it; a bundle keeps it as a fraction, unless it was made by others."""
    from fractions import Fraction

    try:
        return f"{float(Fraction(scale)):.15g}"
    except (ValueError, ArithmeticError):
        return scale


def short_digest(digest: str) -> str:
    """Return the first twelve digits of a digest, for people."""
    return digest.rpartition(":")[2][:12]


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Sequence[int] = ()) -> None:
    """Print a table that fits the terminal; the columns in `numbers` are set to the right.

    Names, numbers and short words stay whole, longer cells give way; on a terminal that is too narrow for that, each row is a block of
    lines, one for a cell.
    """
    from rich.console import Console

    headings, rows = [visible(heading) for heading in headings], [[visible(cell) for cell in row] for row in rows]
    terminal = sys.stdout.isatty()
    console = Console(width=None if terminal else 140)
    whole = {i for i in range(len(headings)) if i in numbers or i == 0 or all(len(row[i]) <= _SHORT for row in rows)}
    least = sum(_least([headings[i], *(row[i] for row in rows)], i in whole) + _GAP for i in range(len(headings)))
    table = _blocks(headings, rows) if terminal and least - _GAP > console.width else _columns(headings, rows, numbers, whole)
    with console.capture() as printed:  # rich would end the program where the pipe is closed
        console.print(table)
    sys.stdout.write(printed.get())


def _least(cells: Sequence[str], whole: bool) -> int:
    """How narrow a column may be: wide enough for all of its cells, for each of their words, or for the beginning of a digest."""
    from rich.cells import cell_len

    if whole:
        return max(map(cell_len, cells))
    if not any(" " in cell for cell in cells):
        return _CUT
    return max((cell_len(word) for cell in cells for word in cell.split()), default=0)


def _columns(headings: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int], whole: Container[int]) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_edge=False)
    for i, heading in enumerate(headings):
        table.add_column(Text(heading), justify="right" if i in numbers else "left", no_wrap=i in whole, overflow="ellipsis")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def _blocks(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for i, row in enumerate(rows):
        if i:
            table.add_row()
        for heading, cell in zip(headings, row, strict=True):
            if cell:
                table.add_row(Text(heading), Text(cell))
    return table


@contextmanager
def progress(quiet: bool) -> Iterator[Callable[[Step], None] | None]:
    """Yield what long work tells its progress to: a bar on a terminal, a line every few seconds elsewhere, nothing if quiet."""
    if quiet:
        yield None
    elif sys.stderr.isatty() and not os.environ.get("CI"):
        with _bar() as tell:
            yield tell
    else:
        yield _lines()


@contextmanager
def _bar() -> Iterator[Callable[[Step], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, Any] = {}

        def tell(step: Step) -> None:
            if step.stage not in tasks:
                for done in bar.tasks:
                    bar.update(done.id, description=done.description.split()[0].ljust(40), completed=done.total)
                tasks[step.stage] = bar.add_task(step.stage, total=step.total)
            bar.update(tasks[step.stage], description=f"{step.stage} {step.table}"[:40].ljust(40), completed=step.rows, total=step.total)

        yield tell


def _lines() -> Callable[[Step], None]:
    last = time.monotonic()

    def tell(step: Step) -> None:
        nonlocal last
        if time.monotonic() - last >= _QUIET_SECONDS:
            last = time.monotonic()
            of = "" if step.total is None else f" of {step.total:,}"
            print(f"{step.stage} {step.table}: {step.rows:,}{of}", file=sys.stderr, flush=True)

    return tell
