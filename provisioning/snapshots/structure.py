"""The schema of a database as it is now: that of the bundle it was made from, with what was altered since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from provisioning.errors import SchemaRefused
from provisioning.snapshots.live import Live, LiveColumn, LiveTable, Place
from schemas.ddl_expressions import Untranslatable
from schemas.ddl_names import quoted
from schemas.errors import InputError
from schemas.model import Check, Column, ForeignKey, Index, Rows, Schema, Table, Unique
from schemas.times import DAY
from schemas.types import SqlType


class Structure:
    """What became of a bundle's schema in a live database.

    `schema` has the present tables and columns: known ones as the bundle has them, data class included, new ones with the type that the
    database names and `data_class`. Keys, references, unique columns and checks of the bundle stay where the database enforces them or the
    present rows keep them; `left_out` names those that do not, `places` says where each table is, `keys` what its key is there. Recipes,
    rules and scenarios are left out, since they made the bundle's values and not these. Without `constraints` no row is read, and all of
    them are left out. Raises SchemaRefused for a type that a bundle cannot hold.
    """

    def __init__(self, live: Live, schema: Schema, data_class: str, shifted_weeks: int = 0, *, constraints: bool = True) -> None:
        self._live, self._bundle, self._class = live, schema, data_class
        self.left_out: list[str] = []
        self.places: dict[str, Place] = {}
        self.keys: dict[str, tuple[str, ...]] = {}
        found = {self._fold(table.place): table for table in live.tables()}
        pairs: list[tuple[Table | None, LiveTable]] = []
        for table in schema.tables:
            held = found.pop(self._fold(live.place(table.name)), None)
            if held is None:
                self.left_out.append(f"table {table.name}: dropped")
            else:
                pairs.append((table, held))
        pairs += [(None, table) for table in found.values()]
        tables = [self._columns(known, held) for known, held in pairs]
        if constraints:
            tables = [self._constrained(known, held, table) for (known, held), table in zip(pairs, tables, strict=True)]
            by_name = {t.name: t for t in tables}
            tables = [
                replace(t, foreign_keys=self._references(known, held, t, by_name)) for (known, held), t in zip(pairs, tables, strict=True)
            ]
        by_name = {t.name: t for t in tables}
        whole = all(
            t.name in by_name and all(by_name[t.name].has(c.name) for c in t.database_columns) for t in schema.tables
        )  # what is declared of privacy may speak of any of them
        self.schema = replace(
            schema,
            tables=tuple(tables),
            anchor=schema.anchor + shifted_weeks * 7 * DAY,
            privacy=schema.privacy if whole else None,
            scenarios={},
            scenario_places={},
        )

    def _fold(self, place: Place) -> Place:
        return (place[0] and self._folded(place[0]), self._folded(place[1]))

    def _folded(self, name: str) -> str:
        return name.lower() if self._live.folds else name

    def _name(self, place: Place) -> str:
        return place[1] if place[0] in (None, self._live.default) else f"{place[0]}.{place[1]}"

    def _columns(self, known: Table | None, held: LiveTable) -> Table:
        name = known.name if known else self._name(held.place)
        self.places[name] = held.place
        self.keys[name] = held.key
        present = {self._folded(c.name): c for c in held.columns}
        columns = []
        for column in known.database_columns if known else ():
            found = present.pop(self._folded(column.name), None)
            if found is None:
                self.left_out.append(f"table {name}: column {column.name} dropped")
            else:
                columns.append(self._column(known, column, found, name))
        columns += [self._column(None, None, found, name) for found in present.values()]
        table = replace(known, columns=tuple(columns)) if known else Table(name, tuple(columns), Rows(0))
        table = replace(table, key=(), unique=(), foreign_keys=(), checks=(), indexes=(), correlate=(), rules=(), lives=None)
        widened = [replace(c, type=self._live.strays(c, held.place) or c.type) for c in table.columns]
        return replace(table, columns=tuple(widened))

    def _column(self, table: Table | None, known: Column | None, found: LiveColumn, name: str) -> Column:
        null = (known.null if known and known.null is not None else 0.0) if found.nullable else None
        if known is None or table is None:
            return Column(found.name, self._type(found, name), null=null, data_class=self._class)
        same = self._live.carries(known, found, table)
        return replace(
            known,
            type=known.type if same else self._type(found, name),
            null=null,
            computed=known.computed if found.computed and same else None,
            default=known.default if same else None,
            identity=known.identity and same,
            generate=None,
            semantic=known.semantic if same else None,
        )

    def _type(self, found: LiveColumn, table: str) -> SqlType:
        try:
            return self._live.type(found)
        except ValueError:
            raise SchemaRefused(
                f"{self._live.shown}, table '{table}', column '{found.name}': a bundle holds no values of the type {found.type[:60]}; "
                "drop the column, or give it a type that a bundle holds"
            ) from None

    def _constrained(self, known: Table | None, held: LiveTable, table: Table) -> Table:
        place = self._live.sql(held.place)
        if known is None:
            return replace(table, key=held.key, unique=tuple(Unique(u) for u in held.unique if _has(table, u)))
        key = known.key if known.key and set(known.key) == set(held.key) else held.key
        if known.key and key != known.key:
            self.left_out.append(f"table {table.name}: the key ({', '.join(known.key)})")
        enforced = {frozenset(u) for u in (*held.unique, held.key)}

        def stays(columns: Sequence[str], what: str) -> bool:
            kept = _has(table, columns) and (frozenset(columns) in enforced or self._live.is_kept(_repeated(place, columns)))
            if not kept:
                self.left_out.append(f"table {table.name}: {what} ({', '.join(columns)})")
            return kept

        unique = [u for u in known.unique if stays(u.columns, "unique")]
        indexes: list[Index] = [i for i in known.indexes if (stays(i.columns, "unique index") if i.unique else _has(table, i.columns))]
        said = {frozenset(columns) for columns in known.unique_sets()}
        said |= {frozenset(k.target) for t in self._bundle.tables for k in t.foreign_keys if k.table == known.name}
        unique += [Unique(u) for u in held.unique if frozenset(u) not in said and _has(table, u)]
        checks = [check for number, check in enumerate(known.checks, 1) if self._check_stays(check, number, table, place)]
        return replace(table, key=key, unique=tuple(unique), indexes=tuple(indexes), checks=tuple(checks))

    def _check_stays(self, check: Check, number: int, table: Table, place: str) -> bool:
        try:
            asked = self._live.expression(check.sql, table)
        except (Untranslatable, InputError):
            return True  # which the database was never asked to enforce; the build says where it does not hold
        kept = self._live.is_kept(f"SELECT count(*) FROM {place} WHERE NOT ({asked})")
        if not kept:
            self.left_out.append(f"table {table.name}: the check {check.name or number}")
        return kept

    def _references(self, known: Table | None, held: LiveTable, table: Table, tables: dict[str, Table]) -> tuple[ForeignKey, ...]:
        names = {self._fold(place): name for name, place in self.places.items()}
        enforced = {}
        for found in held.references:
            parent = names.get(self._fold(found.place))
            if parent is not None:
                enforced[_reference(found.columns, parent, found.target)] = ForeignKey(found.columns, parent, found.target)
        kept = []
        for key in known.foreign_keys if known else ():
            plain = ForeignKey(key.columns, key.table, key.target, key.name)
            there = enforced.pop(_reference(key.columns, key.table, key.target), None) is not None
            if self._can_refer(plain, table, tables) and (there or self._live.is_kept(self._orphans(plain, table))):
                kept.append(plain)
            else:
                self.left_out.append(f"table {table.name}: the reference ({', '.join(key.columns)}) to {key.table}")
        return (*kept, *(key for key in enforced.values() if self._can_refer(key, table, tables)))

    def _can_refer(self, key: ForeignKey, table: Table, tables: dict[str, Table]) -> bool:
        parent = tables.get(key.table)
        if parent is None or not _has(table, key.columns) or not _has(parent, key.target):
            return False
        return any(set(columns) == set(key.target) for columns in parent.unique_sets())

    def _orphans(self, key: ForeignKey, table: Table) -> str:
        child, parent = self._live.sql(self.places[table.name]), self._live.sql(self.places[key.table])
        present = " AND ".join(f"c.{quoted(c)} IS NOT NULL" for c in key.columns)
        same = " AND ".join(f"p.{quoted(t)} = c.{quoted(c)}" for c, t in zip(key.columns, key.target, strict=True))
        return f"SELECT count(*) FROM {child} c WHERE {present} AND NOT EXISTS (SELECT 1 FROM {parent} p WHERE {same})"


def _has(table: Table, columns: Sequence[str]) -> bool:
    return all(table.has(c) for c in columns)


def _reference(columns: Sequence[str], table: str, target: Sequence[str]) -> tuple[frozenset[tuple[str, str]], str]:
    return frozenset(zip(columns, target, strict=False)), table


def _repeated(place: str, columns: Sequence[str]) -> str:
    names = [quoted(c) for c in columns]
    present = " AND ".join(f"{n} IS NOT NULL" for n in names)
    return f"SELECT count(*) FROM (SELECT 1 FROM {place} WHERE {present} GROUP BY {', '.join(names)} HAVING count(*) > 1) repeated"
