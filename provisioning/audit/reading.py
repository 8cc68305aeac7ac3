"""Reading rows of the ledger as they stand in the database, whatever was done to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from provisioning.control.tables import events
from schemas.hash_chain import START, Mark

PAGE = 1_000
_NAMES = tuple(events.c.keys())

Row = Mapping[str, Any]


def last_mark(connection: sa.Connection) -> Mark:
    """The newest row, or the chain's start."""
    row = connection.execute(sa.select(events.c.number, events.c.hash).order_by(events.c.number.desc()).limit(1)).first()
    return START if row is None else Mark(row.number, row.hash)


def pages_after(connection: sa.Connection, number: int | None) -> Iterator[list[Row]]:
    """Yield the rows after `number`, or all, in their order and in pages, so that a ledger of any length takes the memory of one."""
    while True:
        asked = sa.select(events).order_by(events.c.number).limit(PAGE)
        if number is not None:
            asked = asked.where(events.c.number > number)
        page: list[Row] = [dict(zip(_NAMES, row, strict=True)) for row in connection.execute(asked)]
        if not page:
            return
        yield page
        number = page[-1]["number"]


@contextmanager
def any_text(connection: sa.Connection) -> Iterator[None]:
    """Let texts be read that are none: SQLite holds any bytes as text. They come with half pairs, which no entry of a chain has."""
    if connection.dialect.name != "sqlite":
        yield
        return
    driver: Any = connection.connection.driver_connection
    before = driver.text_factory
    driver.text_factory = lambda found: found.decode("utf-8", "surrogateescape")
    try:
        yield
    finally:
        driver.text_factory = before
