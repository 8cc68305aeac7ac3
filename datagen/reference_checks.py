"""Checks of references that only the finished plan can tell; each raises Unusable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datagen.arrays import largest_units
from datagen.blocks import blocks_of
from datagen.composite import Siblings
from datagen.errors import Unusable
from datagen.groups import Groups
from datagen.keys import Affine
from datagen.other_rows import OtherRows
from datagen.rows import Rows
from schemas.model import ForeignKey, Table
from schemas.types import INTEGERS

if TYPE_CHECKING:
    from datagen.plan import Plan


def check_width(plan: Plan, table: Table, foreign_key: ForeignKey, column: str, target: str) -> None:
    """A value that is cut or rounded refers to nothing. Databases let narrow numbers refer to wide keys, which count from 1."""
    parent, type = plan.tables[foreign_key.table], table.column(column).type
    source, sequence = parent.table.column(target).type, parent.kernels.get(target)
    if isinstance(sequence, Affine):
        last = sequence.largest(plan.row_span(foreign_key.table)) // 10**source.decimals
        if last * 10**type.decimals <= largest_units(type):
            return
        what = f"whose values go to {last:,}"
    elif source.kind in INTEGERS and type.kind in INTEGERS:
        return  # the values that do not fit are told when they are made
    else:
        what = f"which is {source}"
    raise Unusable(
        f"{column} is {type} and references {foreign_key.table}.{target}, {what}, so it cannot hold all values there; "
        "give it a type that is as wide",
        foreign_key.at,
    )


def check_members(plan: Plan, table: Table, foreign_key: ForeignKey, groups: Groups, within: tuple[tuple[str, ...], ForeignKey]) -> None:
    """Every group that a row has to find its reference in has a member."""
    for rows in _all_rows(plan, table):
        links = rows.links(within[0])
        if (groups.ranges(links[links >= 0])[1] == 0).any():
            parent, shared = foreign_key.table, within[1].table
            raise Unusable(
                f"some rows of {shared} have no {parent}, so {', '.join(foreign_key.columns)} has nothing to reference; "
                f"give {parent} `min: 1` per {shared}, or make the column nullable (`null:`)",
                foreign_key.at,
            )


def check_others(plan: Plan, table: Table, foreign_key: ForeignKey, others: OtherRows) -> None:
    """Every row has a row to reference that the reference beside it does not name."""
    for rows in _all_rows(plan, table):
        if (others.room(rows) <= 0).any():
            among = f" with the same {foreign_key.within}" if foreign_key.within is not None else ""
            raise Unusable(
                f"some rows of {table.name} find no row of {foreign_key.table}{among} that is another than that of "
                f"{foreign_key.other_than}; give them at least 2 to choose from, or make {', '.join(foreign_key.columns)} nullable "
                "(`null:`)",
                foreign_key.at,
            )


def check_sequence(plan: Plan, foreign_key: ForeignKey) -> None:
    """Which of two rows has the greater key is known from their numbers."""
    parent, target = foreign_key.table, foreign_key.target[0]
    if not isinstance(plan.tables[parent].kernels.get(target), Affine):
        raise Unusable(f"greater_than compares the numbers of a sequence; let {parent}.{target} be one", foreign_key.at)


def check_siblings(plan: Plan, table: Table, foreign_key: ForeignKey, key: Siblings) -> None:
    """No parent has more rows than there are different ones to reference."""
    for rows in _all_rows(plan, table):
        if key.shortage_in(rows):
            raise Unusable(
                f"some rows of {table.rows.per} have more {table.name} than there are different {foreign_key.table} "
                f"for them; lower the count per parent or raise that of {foreign_key.table}",
                foreign_key.at,
            )


def _all_rows(plan: Plan, table: Table) -> list[Rows]:
    return [Rows(plan.tables, table.name, block) for block in blocks_of(plan.row_count(table.name))]
