"""The service that answers analysts: it binds, plans, charges, measures, keeps, and works out what was asked."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from hashlib import sha256

import pyarrow as pa
import pyarrow.compute as pc
import sqlglot
from sqlglot import expressions as exp
from sqlglot.errors import SqlglotError

from dpsql.accounting import NOTHING, Limit, Spend
from dpsql.answers import Answer, ColumnExplained, Explanation, Prepared, Source
from dpsql.binding import bind
from dpsql.binding.multiplied import hold_product, multiplying
from dpsql.compiling.dialects import Dialect
from dpsql.compiling.measuring import Measuring
from dpsql.compiling.relations import Relations
from dpsql.declaration import Declaration
from dpsql.domains import domain, public_groups
from dpsql.engines.base import Engine
from dpsql.errors import BudgetSpent, EngineStopped, OutcomeOverflow, QueryInvalid, QueryRefused
from dpsql.kept import Digests, GroupKey, KeptPart, in_order, place
from dpsql.ledger import Charge, Ledger, Question
from dpsql.measuring import Measured, measure, mechanism_of
from dpsql.noise import Sensitivity
from dpsql.noisy_tables import bounds_told, noisy_table, notes, nothing_measured
from dpsql.outcome_errors import WithErrors, with_errors
from dpsql.outcome_overflow import NOTE, null_on_overflow
from dpsql.outcome_types import check_types
from dpsql.planning import Plan, from_plain_sums, plan
from dpsql.planning.model import Settings, Shares
from dpsql.pricing import price, repeated, shared_out
from dpsql.sandbox import work
from dpsql.tree import Query, Release, Value
from schemas.errors import CompanyOSError

DEFAULT_SHARE = 0.1  # of the limit, where neither the analyst nor the declaration says what a query may spend
FIRST_SHARE = 0.001  # of the limit, for the first look of a query with a target
DELTA_SHARE = 0.01
EXACT = 1e9  # the epsilon at which noise is nothing
MOST_SET = 2**31 - 1  # groups of a unit, or units of a group, that an analyst may set
MOST_PUBLIC_ROWS = 1_000_000
# the types that the sandbox gives back as they were
AS_THEY_ARE = {pa.bool_(), pa.int64(), pa.float64(), pa.string(), pa.date32(), pa.timestamp("us"), pa.timestamp("us", "UTC")}
NO_ERROR = "noisy; its error is not told, as it is not known how joins, windows and aggregates of noisy values carry it on"
NO_KNOWN = Measured({}, {})


@dataclass
class Service:
    """Answers about one release of data, called `release`: a bundle's digest, or the name of a database.

    `limit` and `per_analyst` are its budgets. `synthetic`, if given, is an engine over made-up data of the same schema that answers,
    labelled as such, when the budget is gone.
    """

    declaration: Declaration
    engine: Engine
    ledger: Ledger
    release: str
    limit: Limit
    per_analyst: Limit | None = None
    dialect: str = "postgres"
    synthetic: Engine | None = None
    _domains: dict[tuple[str, str], Sequence[Hashable]] = field(default_factory=dict)
    _sizes: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ledger.open_release(self.release, self.limit, self.per_analyst)
        self._dialect = Dialect(self.engine.dialect)
        self._relations = Relations(self.declaration.schema, self._dialect)

    def __enter__(self) -> Service:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the ledger; the engines are their makers' to close."""
        self.ledger.close()

    def prepare(self, sql: str, parameters: Sequence[Value] = ()) -> Prepared:
        """Return the columns that the answer to `sql` will have; QueryInvalid or QueryRefused where there will be none."""
        query = self._bind(sql, parameters)
        outcome = self._of_nothing(query)
        extended = _with_errors(query)
        noisy = tuple(sorted({*extended.errors, *extended.unknown}))
        return Prepared(query.outputs or tuple(outcome.column_names), tuple(outcome.schema.types), noisy)

    def ask(self, sql: str, *, analyst: str, settings: Settings | None = None, parameters: Sequence[Value] = ()) -> Answer:
        """Answer `sql`, charging the budget before the data is touched.

        Raises QueryInvalid, QueryRefused, BudgetSpent, or EngineFailure, after which the charge stays.
        """
        settings = settings or Settings()
        try:
            query = self._bind(sql, parameters)
            if not query.releases:
                return self._public(query)
            if settings.rel_error is not None:
                return self._to_precision(sql, query, analyst, settings)
            return self._private(sql, query, analyst, settings)
        except (QueryRefused, QueryInvalid) as error:
            self.ledger.refuse(self.release, analyst, sql, str(error))
            raise

    def explain(self, sql: str, *, analyst: str, settings: Settings | None = None, parameters: Sequence[Value] = ()) -> Explanation:
        """Say what `sql` would cost, how good the answer would be, and what would run; data and budget stay untouched."""
        settings = settings or Settings()
        query = self._whole_if_kept(self._bind(sql, parameters), settings)
        plans, _, _, spend = self._planned(query, settings)
        free = spend == NOTHING
        bounds: list[str] = []
        statements: list[str] = []
        for one in plans:
            bounds += bounds_told(one)
            measuring = Measuring(one, self._relations, self._dialect)
            if (by_rows := measuring.by_rows) is not None:
                statements.append(by_rows.sql)
                continue
            if (one_pass := measuring.magnitudes) is not None:
                statements.append(one_pass)
                continue
            if (by_unit := measuring.thresholds) is not None:
                statements.append(by_unit)
            statements += [s.sql for s in measuring.sums({t.name: 2**t.highest for t in one.thresholds}, 0)]
        return Explanation(spend, free, self._columns_explained(query, plans), tuple(bounds), (*statements, query.residual))

    def _bind(self, sql: str, parameters: Sequence[Value]) -> Query:
        """The bound query, remembered, since clients ask the same again and again."""
        values = tuple((type(value), repr(value)) for value in parameters)  # 1, 1.0 and true are equal, and not the same
        query = self.declaration.remembered.get((sql, self.dialect, values), lambda: self._bound_anew(sql, parameters))
        self._hold_products(query)
        return query

    def _bound_anew(self, sql: str, parameters: Sequence[Value]) -> Query:
        bound = bind(sql, self.declaration, dialect=self.dialect, parameters=parameters)
        try:
            if bound.releases and _with_errors(bound).columns is None:
                self._of_nothing(bound)  # what cannot be worked out of the noisy outcome is told before it is paid for
        except RecursionError:
            raise QueryInvalid("what the query does with the noisy outcome is nested too deeply") from None
        except SqlglotError as error:
            raise QueryRefused("what the query does with the noisy outcome cannot be written for DuckDB") from error
        return bound

    def _of_nothing(self, query: Query) -> pa.Table:
        """The answer over noisy and public tables without rows, of the types that it will have; QueryInvalid where it must fail."""
        tables = {name: self._public_table(name).slice(0, 0) for name in query.public}
        for release in query.releases:
            one = plan(in_order(release, self._dialect), self.declaration, Settings())
            tables[release.name] = noisy_table(one, nothing_measured(one), [])
        outcome = work(query.residual, tables)
        check_types(query.residual, tables)
        return outcome

    def _planned(self, query: Query, settings: Settings) -> tuple[list[Plan], list[dict[str, str]], list[Measured], Spend]:
        """The plans of a query, their digests, what is kept of them, and the price of the rest.

        Means of what was summed and counted before are taken from that, where nothing is left to be paid then.
        """
        ways = [self._plans(query, settings, planning) for planning in ((plan, from_plain_sums) if _has_means(query) else (plan,))]
        found = self._kept({d for _, digests in ways for of_plan in digests for d in of_plan.values()})
        made: list[tuple[list[Plan], list[dict[str, str]], list[Measured], Spend]] = []
        for plans, digests in ways:
            known = _known(found, plans, digests, settings)
            made.append((plans, digests, known, price(plans, known, repeated(digests))))
            if made[-1][-1] == NOTHING:
                return made[-1]
        return made[0]

    def _kept(self, digests: Iterable[str]) -> dict[str, list[KeptPart]]:
        """The parts that are kept of each digest, in the order of their places."""
        kept: dict[str, list[KeptPart]] = {digest: [] for digest in digests}
        places, before = {place(digest, 0): digest for digest in kept}, 0
        while places:
            found = self.ledger.kept(self.release, tuple(places))
            for at, data in found.items():
                kept[places[at]].append(KeptPart.decode(data))
            before += 1
            places = {place(places[at], before): places[at] for at in found}
        return kept

    def _whole_if_kept(self, query: Query, settings: Settings) -> Query:
        """The query without the conditions on its keys in its rows, where all groups were answered before; else as it is."""
        if query.whole is None:
            return query
        try:
            return query.whole if self._planned(query.whole, settings)[-1] == NOTHING else query
        except QueryRefused:  # of groups that the conditions make public
            return query

    def _plans(
        self, query: Query, settings: Settings, planning: Callable[[Release, Declaration, Settings], Plan] = plan
    ) -> tuple[list[Plan], list[dict[str, str]]]:
        """The plans of a query with their digests, remembered: they follow from the declaration, the query and the settings alone."""
        key = (planning, self._dialect.name, settings, self.limit)
        return query.remembered.get(key, lambda: self._made_plans(query, settings, planning))

    def _made_plans(
        self, query: Query, settings: Settings, planning: Callable[[Release, Declaration, Settings], Plan]
    ) -> tuple[list[Plan], list[dict[str, str]]]:
        epsilon = settings.epsilon if settings.epsilon is not None else self.limit.epsilon * DEFAULT_SHARE
        delta = settings.delta if settings.delta is not None else self.limit.delta * DELTA_SHARE
        if not 1e-6 <= epsilon <= 1e12:
            raise QueryInvalid(f"epsilon must be from 0.000001 to 1000000000000, not {epsilon:g}")
        if not 0 <= delta < 1:
            raise QueryInvalid(f"delta must be at least 0 and below 1, not {delta:g}")
        for name, number in (("max_groups", settings.max_groups), ("min_units", settings.min_units)):
            if number is not None and not 1 <= number <= MOST_SET:
                raise QueryInvalid(f"{name} must be a whole number from 1 to {MOST_SET:,}, not {number}")
        plans = [planning(in_order(r, self._dialect), self.declaration, settings) for r in query.releases]
        if delta == 0 and any(p.private_keys for p in plans):
            raise QueryRefused(
                "groups that are not public are released by a threshold, which needs a delta above 0; "
                "set one, or declare the closed values of the columns that the query groups by"
            )
        digests = [self._digests(p) for p in plans]
        return shared_out(plans, epsilon, delta, repeated(digests)), digests

    def _private(self, sql: str, query: Query, analyst: str, settings: Settings) -> Answer:
        query = self._whole_if_kept(query, settings)
        plans, digests, known, spend = self._planned(query, settings)
        groups = [None if p.private_keys else public_groups(p.release, self._table_values) for p in plans]
        if spend == NOTHING:
            return self._answer_of_kept(query, plans, known, groups, spend)
        asked = tuple(digest for of_plan in digests for digest in of_plan.values())
        question = Question(sha256("\n".join(sorted(asked)).encode()).hexdigest(), sql, asked)
        try:
            charge = self.ledger.reserve(self.release, analyst, spend, question)
        except BudgetSpent:
            if self.synthetic is None or not settings.synthetic:
                raise
            return self._made_up(query, plans, groups)
        try:
            measured = self._measured_once(plans, digests, known, groups)
        except BaseException as error:
            stopped = isinstance(error, EngineStopped) or not isinstance(error, CompanyOSError)
            self.ledger.finish(charge, "cancelled" if stopped else "failed")
            raise
        return self._answer_of_kept(query, plans, self._settled(charge, digests, known, measured), groups, spend)

    def _answer_of_kept(
        self, query: Query, plans: Sequence[Plan], measured: Sequence[Measured], groups: Sequence[Sequence[GroupKey] | None], spend: Spend
    ) -> Answer:
        try:
            return self._answer(query, plans, measured, groups, spend)
        except QueryInvalid as error:
            raise QueryInvalid(f"{error}; the noisy values are kept, so that a query that does something else with them is free") from error

    def _measured_once(
        self,
        plans: Sequence[Plan],
        digests: Sequence[Mapping[str, str]],
        known: Sequence[Measured],
        groups: Sequence[Sequence[GroupKey] | None],
    ) -> list[Measured]:
        """What `known` has, and what is measured now: what several plans have, by the first alone."""
        now: dict[str, KeptPart] = {}
        made = []
        for one, of_plan, have, of_groups in zip(plans, digests, known, groups, strict=True):
            earlier = _measured({n: now[d] for n, d in of_plan.items() if d in now})
            have = Measured({**earlier.thresholds, **have.thresholds}, {**earlier.parts, **have.parts})
            made.append(measure(one, self.declaration.schema, self.engine, of_groups, have))
            now |= {of_plan[f"threshold:{n}"]: k for n, k in made[-1].thresholds.items()}
            now |= {of_plan[f"part:{n}"]: k for n, k in made[-1].parts.items()}
        return made

    def _hold_products(self, query: Query) -> None:
        """Raise QueryRefused where too many public rows would come beside each private one; what public tables hold, all may know."""
        for release in query.releases:
            tables = query.remembered.get(("multiplying", release.name), lambda: multiplying(release.rows, self.declaration.public))  # noqa: B023
            if tables:
                hold_product(release.rows, dict.fromkeys(self.declaration.public, 1) | {name: self._size(name) for name in tables})

    def _size(self, table: str) -> int:
        """The number of rows of a public table."""
        if table not in self._sizes:
            column = self.declaration.schema.table(table).stored_columns[0].name
            self._sizes[table] = self.engine.public_table(table, (column,), MOST_PUBLIC_ROWS).num_rows
        return self._sizes[table]

    def _digests(self, one: Plan) -> dict[str, str]:
        domains = [] if one.private_keys else [domain(key, self._table_values) for key in one.release.keys]
        digests = Digests(one, self._relations, self._dialect, domains)
        return {
            **{f"threshold:{t.name}": digests.threshold(t) for t in one.thresholds},
            **{f"part:{p.name}": digests.part(p) for p in one.parts},
        }

    def _settled(
        self, charge: Charge, digests: Sequence[Mapping[str, str]], known: Sequence[Measured], measured: Sequence[Measured]
    ) -> list[Measured]:
        """Keep what was measured now; where another kept the same, his stays, and answers too unless more epsilon was paid now."""
        new = []
        for have, found in zip(known, measured, strict=True):
            parts = {f"threshold:{n}": k for n, k in found.thresholds.items() if n not in have.thresholds}
            new.append(parts | {f"part:{n}": k for n, k in found.parts.items() if n not in have.parts})
        mine = {of_plan[n]: k for of_plan, parts in zip(digests, new, strict=True) for n, k in parts.items()}
        kept = self._kept(mine)
        best = {d: max((h for h in kept[d] if _over_same(h, k)), key=_paid, default=None) for d, k in mine.items()}
        before = {d: len(kept[d]) for d, k in mine.items() if (b := best[d]) is None or k.epsilon > b.epsilon}
        settled_on = {d: best[d] or k for d, k in mine.items()}
        held = self.ledger.finish(charge, "answered", {place(d, n): mine[d].encode() for d, n in before.items()})
        while before:
            settled_on |= {d: _better(mine[d], held[place(d, n)]) for d, n in before.items()}
            beaten = {d: n + 1 for d, n in before.items() if settled_on[d] is mine[d] and held[place(d, n)] != mine[d].encode()}
            held = self.ledger.keep(charge, {place(d, n): mine[d].encode() for d, n in beaten.items()}) if beaten else {}
            before = beaten  # another took the place meanwhile, with less
        settled = []
        for of_plan, have, parts in zip(digests, known, new, strict=True):
            now = _measured({n: settled_on[of_plan[n]] for n in parts})
            settled.append(Measured({**have.thresholds, **now.thresholds}, {**have.parts, **now.parts}))
        return settled

    def _answer(
        self, query: Query, plans: Sequence[Plan], measured: Sequence[Measured], groups: Sequence[Sequence[GroupKey] | None], spend: Spend
    ) -> Answer:
        extended = _with_errors(query)
        told = [note for one, parts in zip(plans, measured, strict=True) for note in notes(one, parts)]
        outcome = None
        if query.outputs and extended.columns is not None and len(plans) == 1 and not query.public:
            outcome = _picked(extended.columns, noisy_table(plans[0], measured[0], groups[0], extended.columns))
        if outcome is None:
            tables = {name: self._public_table(name) for name in query.public}
            tables |= {one.release.name: noisy_table(one, m, g) for one, m, g in zip(plans, measured, groups, strict=True)}
            try:
                outcome = work(extended.sql, tables)
            except OutcomeOverflow:
                outcome = work(null_on_overflow(extended.sql), tables)
                told.append(NOTE)
        names = query.outputs or tuple(outcome.column_names[: outcome.num_columns - len(extended.errors)])
        noisy = {*extended.errors, *extended.unknown}
        shown = pa.table([_finite(outcome.column(n)) if n in noisy else outcome.column(n) for n in range(len(names))], list(names))
        errors = {n: _finite(outcome.column(at)).to_pylist() for n, at in extended.errors.items()}
        errors |= {n: [None] * outcome.num_rows for n in extended.unknown}
        source: Source = "kept" if spend == NOTHING else "private"
        return Answer(shown, errors, tuple(dict.fromkeys(told)), spend, source)

    def _public(self, query: Query) -> Answer:
        outcome = work(query.residual, {name: self._public_table(name) for name in query.public})
        shown = pa.table(list(outcome.columns), list(query.outputs or outcome.column_names))
        return Answer(shown, {}, (), NOTHING, "public")

    def _public_table(self, name: str) -> pa.Table:
        columns = tuple(c.name for c in self.declaration.schema.table(name).stored_columns)
        return self.engine.public_table(name, columns, MOST_PUBLIC_ROWS)

    def _table_values(self, table: str, column: str) -> Sequence[Hashable]:
        """The values of a public table's column, in their order."""
        known = self._domains.get((table, column))
        if known is None:
            values = set(self.engine.public_table(table, (column,), MOST_PUBLIC_ROWS).column(0).to_pylist())
            known = sorted(values, key=lambda v: (v is None, str(type(v)), v))
            self._domains[table, column] = known
        return known

    def _made_up(self, query: Query, plans: Sequence[Plan], groups: Sequence[Sequence[GroupKey] | None]) -> Answer:
        """The answer of the made-up data, exactly: nobody's privacy is in it."""
        assert self.synthetic is not None
        exact = [replace(p, shares=Shares(threshold=EXACT, keys=EXACT, keys_delta=0.5, part=EXACT)) for p in plans]
        schema = self.declaration.schema
        measured = [measure(p, schema, self.synthetic, g, NO_KNOWN) for p, g in zip(exact, groups, strict=True)]
        answer = self._answer(query, exact, measured, groups, NOTHING)
        notes = ("the budget is spent: made-up data of the same schema answers; source = synthetic, epsilon = 0",)
        return replace(answer, errors={}, notes=notes, source="synthetic")

    def _to_precision(self, sql: str, query: Query, analyst: str, settings: Settings) -> Answer:
        """Answer with the least epsilon that should reach the relative error asked for.

        A first answer with little epsilon tells how large the values are; the error falls with epsilon, so the rest follows. Every
        step is charged, and refused where the limit does not allow it.
        """
        target = settings.rel_error
        assert target is not None
        if not 0 < target < 10:
            raise QueryInvalid(f"the relative error must be above 0 and below 1000 %, not {target:.3g}")
        most = settings.epsilon if settings.epsilon is not None else self.limit.epsilon
        epsilon = min(most, self.limit.epsilon * FIRST_SHARE)
        spent = NOTHING
        while True:
            answer = self._private(sql, query, analyst, replace(settings, epsilon=epsilon))
            spent += answer.spend
            reached = _relative_error(answer)
            if reached is None or reached <= target or epsilon >= most:
                note = (
                    f"95 % error of {reached:.3g} of the value" if reached is not None else "the relative error of this answer is not known"
                )
                return replace(answer, spend=spent, notes=(*answer.notes, note))
            epsilon = min(most, epsilon * min(max(1.5, 1.1 * reached / target), 100.0))

    def _columns_explained(self, query: Query, plans: Sequence[Plan]) -> tuple[ColumnExplained, ...]:
        """Each column's expected error, where bounds are known before the data is touched."""
        errors: dict[str, float | None] = {}
        for one in plans:
            for name, formula in zip(one.release.names, one.formulas, strict=True):
                errors[f"{one.release.name}.{name}"] = _expected(one, formula.parts["value"]) if formula.function == "value" else None
        residual = sqlglot.parse_one(query.residual, dialect="duckdb")
        shown = residual.selects if isinstance(residual, exp.Query) else []
        extended = _with_errors(query)
        explained = []
        for position, (name, expression) in enumerate(zip(query.outputs, shown, strict=False)):
            value = expression.unalias()
            touched = [c.name for c in value.find_all(exp.Column)]
            known = [e for column, e in errors.items() if column.partition(".")[2] in touched]
            if position not in extended.errors and position not in extended.unknown:
                explained.append(ColumnExplained(name, None, "exact"))
            elif isinstance(value, exp.Column) and known and None not in known:
                explained.append(ColumnExplained(name, max(error for error in known if error is not None), ""))  # of several groupings
            elif position in extended.unknown:
                explained.append(ColumnExplained(name, None, NO_ERROR))
            else:
                explained.append(ColumnExplained(name, None, "noisy; its error is told with the answer"))
        return tuple(explained)


def _known(
    found: Mapping[str, Sequence[KeptPart]], plans: Sequence[Plan], digests: Sequence[Mapping[str, str]], settings: Settings
) -> list[Measured]:
    """What is kept of each plan; with an epsilon asked for, only what was measured with at least that."""
    known = []
    for one, of_plan in zip(plans, digests, strict=True):
        kept = {name: sorted(found[d], key=_paid, reverse=True) for name, d in of_plan.items()}
        if settings.epsilon is not None:
            least = {"threshold": one.shares.threshold, "part": one.shares.part}
            kept = {n: [k for k in ks if k.epsilon >= least[n.partition(":")[0]] * (1 - 1e-9)] for n, ks in kept.items()}
        known.append(_measured(_of_same_groups(one, kept)))
    return known


def _of_same_groups(one: Plan, kept: Mapping[str, Sequence[KeptPart]]) -> dict[str, KeptPart]:
    """The first of each; where keys are private, over the release of groups of which most is kept: others have no values in its groups."""
    if not one.private_keys:
        return {name: parts[0] for name, parts in kept.items() if parts}
    thresholds = {name: parts[0] for name, parts in kept.items() if parts and name.startswith("threshold:")}
    released = next(kept[f"part:{part.name}"] for part in one.parts if part.kind == "units")
    ways = [
        {name: same[0] for name, parts in kept.items() if (same := [k for k in parts if _over_same(k, units)])} | thresholds
        for units in released
    ]
    return max(ways, key=len, default=thresholds)


def _over_same(one: KeptPart, other: KeptPart) -> bool:
    return one.groups is other.groups or set(one.groups) == set(other.groups)


def _paid(part: KeptPart) -> float:
    return part.epsilon


def _better(mine: KeptPart, held: bytes) -> KeptPart:
    """The part that is kept, unless more epsilon was paid for the one that was measured now, or it is of other groups."""
    if held == mine.encode():
        return mine
    his = KeptPart.decode(held)
    return his if his.epsilon >= mine.epsilon and _over_same(his, mine) else mine


def _with_errors(query: Query) -> WithErrors:
    aggregates = [(name, a) for r in query.releases for name, a in zip(r.names, r.aggregates, strict=True)]
    moments = tuple(name for name, aggregate in aggregates if aggregate.facts.kind in ("date", "timestamp", "timestamptz"))
    return with_errors(query.residual, tuple((release.name, release.names) for release in query.releases), moments)


def _has_means(query: Query) -> bool:
    return any(aggregate.function == "avg" for release in query.releases for aggregate in release.aggregates)


def _picked(columns: Sequence[str], table: pa.Table) -> pa.Table | None:
    """The columns of a noisy table as the sandbox would give them, None where it might give them as another type."""
    found = [table.column(name) for name in columns]
    if not all(column.type in AS_THEY_ARE or pa.types.is_decimal128(column.type) for column in found):
        return None
    return pa.table(found, [str(n) for n, _ in enumerate(found)])


def _finite(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Noisy values with null for what is no number: PostgreSQL would fail over the logarithm or root of a negative one."""
    return pc.if_else(pc.is_finite(column), column, None) if pa.types.is_floating(column.type) else column


def _measured(parts: Mapping[str, KeptPart]) -> Measured:
    """Thresholds and parts apart, from names as `_digests` gives them."""
    of = {kind: {n.partition(":")[2]: k for n, k in parts.items() if n.startswith(f"{kind}:")} for kind in ("threshold", "part")}
    return Measured(of["threshold"], of["part"])


def _expected(one: Plan, name: str) -> float | None:
    part = one.part(name)
    if part.unit is None or one.groups is None or part.kind == "quantile":
        return None
    if one.private_keys and part.kind == "units":
        return None
    return mechanism_of(Sensitivity(one.groups, part.unit.largest), one.shares).error95 * float(part.step)


def _relative_error(answer: Answer) -> float | None:
    """The largest 95 % error of a value over the value, among all that have one."""
    worst: float | None = None
    for position, errors in answer.errors.items():
        for value, error in zip(answer.table.column(position).to_pylist(), errors, strict=True):
            if error is None or not isinstance(value, int | float | Decimal):
                continue
            relative = error / abs(float(value)) if value else math.inf
            worst = relative if worst is None else max(worst, relative)
    return worst
