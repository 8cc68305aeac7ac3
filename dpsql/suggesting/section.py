"""The proposed `privacy:` section: what the schema says already, and what follows from what it declares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import ceil, floor

from dpsql.column_facts import ColumnKnowledge
from dpsql.errors import DeclarationInvalid
from dpsql.suggesting.ranges import Range, Unranged
from dpsql.suggesting.recipes import MOMENTS, Ranges
from dpsql.suggesting.sources import tables_behind
from dpsql.tree import Facts
from dpsql.ways import Path, Ways, is_nullable, spoken, steps, ways
from schemas.errors import nearest
from schemas.model import Column, Schema, Table
from schemas.privacy import ColumnPrivacy, Privacy
from schemas.privacy_values import BOUNDED, CLOSED, declared_bounds, declared_values
from schemas.times import DAY, EPOCH, MICROSECOND
from schemas.types import FLOATS, TEXTS, SqlType
from schemas.writer import privacy_lines
from schemas.yaml_text import text

LISTED_NUMBERS = 20  # of a number with no more values than this, the values are proposed, so that it can be a key of groups
LISTED_TEXTS = 200
FEW_ROWS = 10  # up to so many rows of a unit, a declared limit is better than one that is chosen privately among powers of two
PEOPLE = ("users", "user", "customers", "customer", "people", "persons", "person", "patients", "patient", "members", "member", "employees",
          "employee", "clients", "client", "students", "student", "citizens", "citizen", "subscribers", "subscriber", "visitors", "visitor",
          "guests", "guest", "accounts", "account")  # fmt: skip


@dataclass(frozen=True)
class Suggestion:
    """A proposed declaration, and what it leaves open.

    `reasons` says of each proposed column what its bounds or values follow from; `ways` which ways were chosen where there are
    several; `unbounded` which numbers, dates and time stamps have no bounds and why; `unclosed` which texts have no closed list;
    `unplaced` which tables are neither public nor anybody's, and why none of them is proposed as public. `many` holds the most rows of
    a unit in tables where that is so much that a limit chosen privately is likely to be lower.
    """

    privacy: Privacy
    guessed: bool
    reasons: Mapping[str, str] = field(default_factory=dict)
    ways: Mapping[str, str] = field(default_factory=dict)
    unbounded: Mapping[str, str] = field(default_factory=dict)
    unclosed: tuple[str, ...] = ()
    unplaced: Mapping[str, str] = field(default_factory=dict)
    many: Mapping[str, int] = field(default_factory=dict)


def suggest(schema: Schema, unit: str | None = None) -> Suggestion:
    """Return the proposal for `schema`: what it declares already stays as it is, no data is looked at.

    `unit` is table.column; left out, the schema's own, else a guess by the tables' names. DeclarationInvalid where there is none.
    """
    said = schema.privacy
    guessed = unit is None and said is None
    wanted = unit or (said.unit if said is not None else _guessed_unit(schema))
    found = schema.at(wanted)
    if found is None or found[1] not in found[0].stored_columns or not found[0].is_unique(found[1].name):
        keys = [f"{t.name}.{u[0]}" for t in schema.tables for u in t.unique_sets() if len(u) == 1]
        raise DeclarationInvalid(f"the unit '{wanted}' is no column that is a key or unique{nearest(wanted, keys)}")
    privacy = Privacy(wanted) if said is None or said.unit != wanted else said
    privacy, known, told = _with_ways(schema, privacy, found[0].name, found[1].name)
    unplaced = {t.name: _why_unplaced(schema, t, known) for t in schema.tables if not _placed(t, privacy, known)}
    public = [name for name, why in unplaced.items() if not why]
    privacy = replace(privacy, public=(*privacy.public, *public))
    ranges = Ranges(schema, privacy.columns)
    most = {name: rows for name, rows in _contributions(schema, known, ranges).items() if name not in privacy.contributions}
    few = {name: rows for name, rows in most.items() if rows <= FEW_ROWS}
    privacy = replace(privacy, contributions={**few, **privacy.contributions})
    knowledge = ColumnKnowledge(schema, privacy)
    made = _Columns(ranges, privacy)
    for table in schema.tables:
        if table.name not in unplaced or table.name in public:
            for column in table.stored_columns:
                made.look_at(table, column, knowledge.facts(table, column))
    privacy = replace(privacy, columns={**privacy.columns, **made.proposed})
    left = {name: why for name, why in unplaced.items() if why}
    many = {name: rows for name, rows in most.items() if name not in few}
    return Suggestion(privacy, guessed, made.reasons, told, made.unbounded, tuple(made.unclosed), left, many)


def section_text(suggestion: Suggestion) -> str:
    """Return the proposal as YAML to paste into a schema file, its reasons and what is left open as comments."""
    return "\n".join(_lines(suggestion)) + "\n"


def _lines(suggestion: Suggestion) -> Iterator[str]:
    privacy = suggestion.privacy
    if suggestion.guessed:
        yield f"# {privacy.unit} is a guess by the name of its table; another one: --unit TABLE.COLUMN"
    for line in privacy_lines(privacy):
        name = line.partition(": {")[0].strip()
        found = next((why for path, why in suggestion.reasons.items() if text(path) == name), None)
        yield line if found is None else f"{line}  # {found}"
    if privacy.budget is None:
        yield "# Queries need a budget, which is yours to decide, such as `budget: {epsilon: 3, delta: 1e-6}`."
    yield from _comment("Which of several ways leads to whom a row belongs; see that they are the right ones:", suggestion.ways)
    many = {name: str(rows) for name, rows in suggestion.many.items()}
    yield from _comment("The most rows of a unit; what is chosen privately, where `contributions` does not say, is likely lower:", many)
    yield from _comment("Neither public nor of a unit, so that no query may use them:", suggestion.unplaced)
    yield from _comment("Without bounds; they can be counted, and summed within LEAST(GREATEST(x, a), b):", suggestion.unbounded)
    if suggestion.unclosed:
        yield "# Texts without a list of values; groups by them are released from a threshold on: " + ", ".join(suggestion.unclosed)


def _comment(title: str, entries: Mapping[str, str]) -> Iterator[str]:
    if entries:
        yield f"# {title}"
        yield from (f"#   {name}: {why}" for name, why in entries.items())


def _guessed_unit(schema: Schema) -> str:
    keyed = [t for t in schema.tables if len(t.key) == 1 and t.column(t.key[0]) in t.stored_columns]
    for word in PEOPLE:
        for table in keyed:
            if table.name.rpartition(".")[2].lower() == word:
                return f"{table.name}.{table.key[0]}"
    raise DeclarationInvalid(
        f"schema '{schema.name}' does not say whose privacy its rows concern, and no table is named so that it could be guessed: "
        "say --unit TABLE.COLUMN"
    )


def _with_ways(schema: Schema, privacy: Privacy, table: str, column: str) -> tuple[Privacy, Ways, dict[str, str]]:
    """Choose a way where several are open: one that cannot be null before one that can, then the shortest."""
    told: dict[str, str] = {}
    known = ways(schema, privacy, table, column)
    for name, several in known.open.items():
        ordered = sorted(several, key=lambda path: (is_nullable(schema, name, path), len(path)))
        chosen = _telling(ordered[0], several)
        if chosen is None:
            continue
        others = " or ".join(spoken(path) for path in ordered[1:])
        told[name] = f"{spoken(ordered[0])}, not {others}"
        privacy = replace(privacy, through={**privacy.through, name: chosen})
    return privacy, ways(schema, privacy, table, column) if told else known, told


def _telling(path: Path, several: Sequence[Path]) -> str | None:
    """A column of the first step of `path` that no other's first step has."""
    return next((c for c in path[0].columns if sum(c in other[0].columns for other in several) == 1), None)


def _placed(table: Table, privacy: Privacy, known: Ways) -> bool:
    return table.name in privacy.public or table.name in known.paths or table.name in known.open


def _why_unplaced(schema: Schema, table: Table, known: Ways) -> str:
    """Why a table that no reference leads from to the unit is not proposed as public; empty where it is."""
    for column in table.stored_columns:
        below = next((name for name in tables_behind(schema, table, column) if name in known.paths or name in known.open), None)
        if below is not None:
            return f"'{column.name}' is made from rows of '{below}', which belong to units"
    classes = {c.data_class for c in table.stored_columns}
    if classes == {"public"}:
        return ""
    personal = [c.name for c in table.stored_columns if c.data_class in ("personal", "sensitive")]
    if personal:
        return f"'{personal[0]}' is of class {table.column(personal[0]).data_class}"
    return "declare it `public` if nothing in it depends on anybody"


def _contributions(schema: Schema, known: Ways, ranges: Ranges) -> dict[str, int]:
    """The most rows of a unit in each table whose `rows` say so, along its way."""
    found = {}
    for name, path in known.paths.items():
        most = 1
        try:
            for table, key in steps(schema, name, path):
                once = any(set(unique) <= set(key.columns) for unique in table.unique_sets())
                most *= 1 if once else max(ranges.most_children(table, key.table), 1)
        except Unranged:
            continue
        if most > 1:
            found[name] = most
    return found


class _Columns:
    """Collects what is proposed of the columns, and what is not."""

    def __init__(self, ranges: Ranges, privacy: Privacy) -> None:
        self._ranges = ranges
        self._privacy = privacy
        self.proposed: dict[str, ColumnPrivacy] = {}
        self.reasons: dict[str, str] = {}
        self.unbounded: dict[str, str] = {}
        self.unclosed: list[str] = []

    def look_at(self, table: Table, column: Column, facts: Facts) -> None:
        """Propose something for a column that has neither bounds nor values, and needs them."""
        path, kind = f"{table.name}.{column.name}", column.type.kind
        referring = any(column.name in key.columns for key in table.foreign_keys)
        known = facts.values is not None or (facts.bounded and kind in BOUNDED)
        if known or facts.identifies or referring or table.is_unique(column.name) or path in self._privacy.columns:
            return
        public = table.name in self._privacy.public
        if kind not in BOUNDED and (kind not in CLOSED or public):
            return
        try:
            said = _declared(self._ranges.of(table, column), column.type, public=public)
        except Unranged as why:
            if kind in BOUNDED:
                self.unbounded[path] = str(why)
            else:
                self.unclosed.append(path)
            return
        self.proposed[path] = said
        self.reasons[path] = f"generator '{column.generate.name}'" if column.generate is not None else "its checks"


def _declared(range_: Range, kind: SqlType, *, public: bool) -> ColumnPrivacy:
    """A range as a declaration of a column: outwards to what its type and a reader can take."""
    if (
        range_.values is not None
        and kind.kind not in FLOATS
        and (kind.kind in TEXTS or len(range_.values) <= LISTED_NUMBERS)
        and not public
    ):
        if len(range_.values) > LISTED_TEXTS:
            raise Unranged("its list is too long")
        values = ColumnPrivacy(values=tuple(_written(v, kind, up=True) if isinstance(v, Fraction) else v for v in range_.values))
        return _checked(values, kind)
    low, high = range_.bounds
    return _checked(ColumnPrivacy(bounds=(_written(low, kind, up=False), _written(high, kind, up=True))), kind)


def _checked(said: ColumnPrivacy, kind: SqlType) -> ColumnPrivacy:
    try:
        if said.values is not None:
            declared_values(said.values, kind)
        else:
            declared_bounds(said.bounds or (), kind)
    except ValueError as error:
        raise Unranged(f"what is declared of it is not of its type: {error}") from None
    return said


def _written(value: Fraction, kind: SqlType, *, up: bool) -> str:
    """A bound as text: moments as days, numbers with the decimals of their type, both no narrower than they are."""
    if kind.kind in MOMENTS:
        # the upper bound of a time stamp means the end of its day
        return (EPOCH + floor(value / DAY) * DAY * MICROSECOND).date().isoformat()
    if kind.kind in FLOATS:
        nearest_float = float(value)
        return repr(int(value)) if value.denominator == 1 else repr(nearest_float)
    scale = 10**kind.decimals
    units = ceil(value * scale) if up else floor(value * scale)
    sign, units = "-" if units < 0 else "", abs(units)
    whole, rest = divmod(units, scale)
    decimals = str(rest).zfill(kind.decimals).rstrip("0") if rest else ""
    return f"{sign}{whole}{'.' + decimals if decimals else ''}"
