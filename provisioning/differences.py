"""How many rows of a database are not those of the bundle that it was loaded from: what was added, removed and changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from bundles import Bundle
from bundles.canonical import NotJson, canonical_values
from bundles.encoding import relisted
from provisioning.interrupts import interruptible
from provisioning.shifting import Shift
from provisioning.shipment import Shipment
from provisioning.snapshots.live import Live, opened
from provisioning.snapshots.source import carried, lenient
from provisioning.snapshots.structure import Structure
from provisioning.target import parse_target
from schemas.ddl_names import listed, quoted
from schemas.model import Table

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class Difference:
    """How a table differs: rows by their keys, and whether its columns were altered.

    Without a key a row that was changed counts as one that was removed and one that was added.
    """

    added: int = 0
    removed: int = 0
    changed: int = 0
    altered: bool = False


def changed_since(url: str, bundle: Bundle, *, weeks: int = 0) -> Mapping[str, Difference]:
    """Return how each table at `url` differs from `bundle`, with its times moved by `weeks`; tables that do not are left out.

    Every row of both is read once, and its key and a hash (64 bits) of its other values are kept for as long as its table is compared.
    Values are compared as they are meant: documents without regard to the order of members, texts of fixed length without their padding.
    One consistent state is read. Raises TargetFailure where the database cannot be read, SchemaRefused for a type that a bundle cannot
    hold.
    """
    shipment = Shipment(bundle, Shift(weeks))
    found: dict[str, Difference] = {}
    with opened(parse_target(url)) as live:
        structure = Structure(live, bundle.schema, bundle.data_class, constraints=False)
        for table in bundle.schema.tables:
            if structure.schema.has(table.name):
                difference = _compared(live, structure, table, shipment)
            else:
                difference = Difference(removed=bundle.tables[table.name].rows, altered=True)
            if difference != Difference():
                found[table.name] = difference
        for table in structure.schema.tables:
            if not bundle.schema.has(table.name):
                rows = sum(batch.num_rows for batch in live.read(table, structure.places[table.name], ordered=False))
                found[table.name] = Difference(added=rows, altered=True)
    return found


def _compared(live: Live, structure: Structure, table: Table, shipment: Shipment) -> Difference:
    import duckdb  # only where there is something to compare

    present = structure.schema.table(table.name)
    shared = [c for c in table.stored_columns if present.has(c.name) and present.column(c.name).type == c.type]
    altered = len(shared) < len(table.stored_columns) or len(shared) < len(present.stored_columns)
    names = [c.name for c in shared]
    # what the database does not hold to its key is compared as whole rows
    key = table.key if set(table.key) == set(structure.keys[table.name]) and set(table.key) <= set(names) else ()
    # only what both have is asked for: a column of another type holds other values anyway
    asked = replace(present, columns=tuple(present.column(n) for n in names))
    live_rows = (carried(asked, batch) for batch in live.read(asked, structure.places[table.name], ordered=False))
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        _gather(connection, "was", (batch.select(names) for batch in shipment.batches(table)), asked, key)
        _gather(connection, "now", live_rows, asked, key)
        [(added, removed, changed)] = _asked(connection, _by_key(key) if key else _AS_WHOLE)
    return Difference(added, removed, changed, altered)


def _asked(connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    return interruptible(lambda: connection.execute(sql).fetchall(), connection.interrupt)


def _by_key(key: tuple[str, ...]) -> str:
    same = " AND ".join(f"was.key{n} = now.key{n}" for n in range(len(key)))
    both = "was.key0 IS NOT NULL AND now.key0 IS NOT NULL"
    return (
        f"SELECT count(*) FILTER (was.key0 IS NULL), count(*) FILTER (now.key0 IS NULL), "
        f"count(*) FILTER ({both} AND was.rest <> now.rest) FROM was FULL JOIN now ON {same}"
    )


_AS_WHOLE = """
SELECT (SELECT count(*) FROM (SELECT rest FROM now EXCEPT ALL SELECT rest FROM was)),
    (SELECT count(*) FROM (SELECT rest FROM was EXCEPT ALL SELECT rest FROM now)), 0
"""


def _gather(
    connection: duckdb.DuckDBPyConnection, name: str, batches: Iterable[pa.RecordBatch], table: Table, key: tuple[str, ...]
) -> None:
    """Make a table of keys, and hashes of all other values."""
    rest = [c.name for c in table.stored_columns if c.name not in key]
    columns = [f"{quoted(column)} AS key{number}" for number, column in enumerate(key)]
    columns.append(f"hash({listed(rest)}) AS rest" if rest else "0::UBIGINT AS rest")
    selected = f"SELECT {', '.join(columns)} FROM batch"
    connection.register("batch", pa.Table.from_batches([], lenient(table)))
    _asked(connection, f"CREATE TABLE {name} AS {selected}")
    for batch in batches:
        connection.register("batch", pa.Table.from_batches([_meant(table, batch)]))
        _asked(connection, f"INSERT INTO {name} {selected}")
    connection.unregister("batch")


def _meant(table: Table, batch: pa.RecordBatch) -> pa.RecordBatch:
    """A batch whose values are equal where they mean the same."""
    arrays = list(batch.columns)
    for position, column in enumerate(table.stored_columns):
        item = column.type.item
        if column.type.kind == "json":
            arrays[position] = _canonical(arrays[position])
        elif item is not None and item.kind == "json":
            arrays[position] = relisted(arrays[position], _canonical(arrays[position].flatten()))
        elif column.type.kind == "char":
            arrays[position] = pc.utf8_rtrim(arrays[position], " ")
        elif pa.types.is_dictionary(arrays[position].type):
            arrays[position] = arrays[position].dictionary_decode()
    return pa.RecordBatch.from_arrays(arrays, names=[c.name for c in table.stored_columns])


def _canonical(array: pa.Array) -> pa.Array:
    texts = array.to_pylist()
    present = [t for t in texts if t is not None]
    try:
        written = iter(canonical_values(present))
    except NotJson:  # whatever stands there instead is another value
        return array
    return pa.array([None if t is None else next(written) for t in texts], pa.string())
