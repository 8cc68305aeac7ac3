"""Rank correlations between columns: what a matrix must satisfy, and the factor by which independent columns get them.

Spearman's correlation rho of two columns under a normal copula is that of a normal pair with Pearson's correlation
2 sin(pi rho / 6) (Kruskal, "Ordinal measures of association", JASA 53, 1958). All is computed in decimal arithmetic with 50
digits, which is the same on every machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Context as Arithmetic
from decimal import Decimal, localcontext
from functools import lru_cache

from schemas.model import Column, Correlation, Schema, Table
from schemas.paths import Found, NoSuchPath, follow
from schemas.recipes import DISTRIBUTIONS, argument

Matrix = tuple[tuple[float, ...], ...]

INVERTIBLE = (*(d.name for d in DISTRIBUTIONS), "between")

_PI = Decimal("3.1415926535897932384626433832795028841971693993751058209749445923")
_TINY = Decimal("1e-20")
_ARITHMETIC = Arithmetic(prec=50)


class NotPositive(ValueError):
    """A symmetric matrix that is not positive semi-definite."""


def pearson(spearman: float) -> Decimal:
    """Return Pearson's correlation of the normal pair whose rank correlation is `spearman` (-1 to 1)."""
    with localcontext(_ARITHMETIC):
        x = _PI * Decimal(str(spearman)) / 6
        term = total = x
        for n in range(2, 60, 2):
            term = -term * x * x / (n * (n + 1))
            total += term
        return 2 * total


def factor(matrix: Sequence[Sequence[Decimal]]) -> tuple[tuple[Decimal, ...], ...]:
    """Return the lower triangle L with L L' = `matrix` (Cholesky); raises NotPositive."""
    with localcontext(_ARITHMETIC):
        rows: list[list[Decimal]] = []
        for i, given in enumerate(matrix):
            row: list[Decimal] = []
            for j in range(i):
                rest = given[j] - sum((row[k] * rows[j][k] for k in range(j)), Decimal(0))
                if rows[j][j]:
                    row.append(rest / rows[j][j])
                elif abs(rest) > _TINY:
                    raise NotPositive
                else:
                    row.append(Decimal(0))
            rest = given[i] - sum((x * x for x in row), Decimal(0))
            if rest < -_TINY:
                raise NotPositive
            row.append(rest.sqrt() if rest > _TINY else Decimal(0))
            rows.append(row)
        return tuple(tuple(row) for row in rows)


@lru_cache(maxsize=256)
def normal_factor(spearman: Matrix) -> tuple[tuple[float, ...], ...]:
    """Return the factor of the normal scores of columns with these rank correlations; raises NotPositive."""
    converted = [[pearson(value) for value in row] for row in spearman]
    return tuple(tuple(float(x) for x in row) for row in factor(converted))


def in_order(correlation: Correlation, table: Table) -> tuple[tuple[str, ...], Matrix]:
    """Return the columns and matrix of a correlation with the columns of other rows, which are given, first."""
    columns = correlation.columns
    order = sorted(range(len(columns)), key=lambda i: table.has(columns[i]))
    return tuple(columns[i] for i in order), tuple(tuple(correlation.matrix[i][j] for j in order) for i in order)


def correlation_of(table: Table, column: str) -> Correlation | None:
    """The correlation that a column of `table` takes part in."""
    return next((c for c in table.correlate if column in c.columns), None)


def correlation_problems(schema: Schema, table: Table, correlation: Correlation) -> Iterator[str]:
    """Yield what is wrong with a correlation whose matrix has the right shape."""
    found: dict[str, Found] = {}
    for name in correlation.columns:
        try:
            found[name] = follow(schema, table, name)
        except NoSuchPath as error:
            yield f"correlate: {error}"
    for name, end in found.items():
        reason = _not_invertible(end.table, end.column)
        if reason is not None:
            yield f"correlate: '{name}' {reason}; columns made by a distribution or `between` can be correlated"
    own = [name for name in correlation.columns if table.has(name)]
    for name in own:
        if next(c for c in table.correlate if name in c.columns) is not correlation:
            yield f"correlate: '{name}' stands in another correlation of '{table.name}' already; give one matrix over all of these columns"
    if len(found) < len(correlation.columns):
        return
    if not own:
        yield f"correlate: none of these is a column of '{table.name}', and those of other rows are given"
    yield from _given_pairs(correlation, table, found)
    try:
        factor([[Decimal(str(value)) for value in row] for row in correlation.matrix])
    except NotPositive:
        yield "correlate: the matrix is not positive semi-definite: no columns can have all these correlations together"
        return
    try:
        normal_factor(in_order(correlation, table)[1])
    except NotPositive:
        yield "correlate: no normal copula has all these rank correlations together; bring them nearer to 0"


def _not_invertible(table: Table, column: Column) -> str | None:
    recipe = column.generate
    if recipe is None or table.foreign_key_of(column.name) is not None:
        return "is a reference" if table.foreign_key_of(column.name) is not None else "has no recipe of its own"
    if recipe.name not in INVERTIBLE:
        return f"is made by {recipe.name}, which has no inverse distribution function"
    if recipe.name == "between" and argument(recipe, "rhythm") != "always":
        return "has a rhythm, which moves its times within the week"
    if any(column.name in columns for columns in table.unique_sets()):
        return "is unique, or part of a unique combination, so its values are not drawn"
    return None


def _given_pairs(correlation: Correlation, table: Table, found: dict[str, Found]) -> Iterator[str]:
    """Columns of other rows have the correlation that they have."""
    given = [(i, name) for i, name in enumerate(correlation.columns) if not table.has(name)]
    for place, (i, first) in enumerate(given):
        for j, second in given[place + 1 :]:
            actual = _between(found[first], found[second])
            if actual != correlation.matrix[i][j]:
                said = f"their correlation is {actual:g}, not {correlation.matrix[i][j]:g}"
                yield f"correlate: '{first}' and '{second}' are columns of other rows, and {said}"


def _between(first: Found, second: Found) -> float:
    if [h.columns for h in first.hops] != [h.columns for h in second.hops]:
        return 0.0
    shared = correlation_of(first.table, first.column.name)
    if shared is None or second.column.name not in shared.columns:
        return 0.0
    return shared.matrix[shared.columns.index(first.column.name)][shared.columns.index(second.column.name)]
