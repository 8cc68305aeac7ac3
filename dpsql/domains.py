"""The public groups of a release: every combination of its keys' closed values."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import product

from dpsql.errors import QueryRefused
from dpsql.kept import GroupKey, group_key
from dpsql.planning.model import MOST_GROUPS
from dpsql.tree import Key, Release

Values = Sequence[Hashable]


def public_groups(release: Release, table_values: Callable[[str, str], Values]) -> list[GroupKey]:
    """Return all groups in the order of the keys' values.

    `table_values(table, column)` has the values of a public table's column. Raises QueryRefused where there are too many groups.
    """
    domains: list[Values] = []
    count = 1
    for key in release.keys:
        domains.append(domain(key, table_values))
        count *= len(domains[-1])
        if count > MOST_GROUPS:
            raise QueryRefused(f"the query has more than {MOST_GROUPS:,} groups; group by fewer keys, or by coarser ones")
    return list(product(*domains))


def domain(key: Key, table_values: Callable[[str, str], Values]) -> Values:
    """Return the values of a public key, each once."""
    facts = key.expression.facts
    if facts.values is not None:
        values: list[Hashable] = list(facts.values)
    else:
        assert facts.table is not None
        assert facts.table_column is not None
        values = list(table_values(facts.table, facts.table_column))
    if facts.kind == "double":
        values = [float(value) if isinstance(value, Fraction | Decimal) else value for value in values]  # 0.1 as a double has it
    if facts.nullable and None not in values:
        values.append(None)
    return list(dict.fromkeys(group_key(values)))
