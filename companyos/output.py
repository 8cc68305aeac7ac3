"""What commands print: JSON for machines on standard output, tables for people, progress and errors on standard error."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

_SHORT = 11
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
    """Print a table that fits the terminal; the columns in `numbers` are set to the right."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1), show_edge=False)
    for i, heading in enumerate(headings):
        short = all(len(row[i]) <= _SHORT for row in rows)  # a word, which is not cut while longer cells can give way
        table.add_column(heading, justify="right" if i in numbers else "left", no_wrap=i in numbers or i == 0 or short, overflow="ellipsis")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console = Console(width=None if sys.stdout.isatty() else 140)
    with console.capture() as printed:  # rich would end the program where the pipe is closed
        console.print(table)
    sys.stdout.write(printed.get())


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
