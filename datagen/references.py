"""From foreign keys to links: who decides which row is referenced, and which columns follow from it."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from datagen.arrays import from_units
from datagen.attended import AttendedLink
from datagen.casting import conversion, keeps
from datagen.composite import CompositeKey, Offspring, Siblings
from datagen.counting import StillCounted
from datagen.errors import Unusable
from datagen.families import Family
from datagen.groups import FamilyGroups, Groups, family_key_of, groups_of
from datagen.inputs import link_of, plain_fields, rows_of
from datagen.keys import Affine
from datagen.links import (
    ChainLink,
    DistinctLink,
    FactorLink,
    FamilyLink,
    FollowedLink,
    GroupLink,
    NullableLink,
    UniformLink,
    ValueLink,
    WeightedLink,
)  # fmt: skip
from datagen.ordered_pairs import OrderedLink, places, rounds
from datagen.other_rows import OtherLink, OtherRows
from datagen.randomness import Int64, Stream, below, stream
from datagen.reference_checks import check_members, check_others, check_sequence, check_siblings, check_width
from datagen.rows import Kernel, Link, Rows
from datagen.unique_keys import UniqueKeys, factor_name
from schemas.model import ForeignKey, Recipe, Table
from schemas.paths import NoSuchPath, way_to_other
from schemas.rules import in_order_of_choice

if TYPE_CHECKING:
    from datagen.plan import Plan

FactorOf = Callable[[int], Callable[[Rows], Int64]]

_ATTEMPTS = 32


class ReferencePlanner:
    """Decides the links of one table, and which of its columns they and its unique keys determine."""

    def __init__(self, plan: Plan, table: Table) -> None:
        self.plan_of_all = plan
        self.table = table
        self.own = plan.tables[table.name]
        self._owner: dict[str, ForeignKey] = {}
        self._keys = UniqueKeys(plan, table)
        self._checks: list[Callable[[], None]] = []
        self._begun = False
        self.refused: set[str] = set()
        self._waiting: list[tuple[ForeignKey, Callable[[ForeignKey], None]]] = []

    # What the plan asks

    def decides(self, column: str) -> bool:
        """Whether references or composite unique keys may have a say in a column."""
        return self.table.foreign_key_of(column) is not None or any(column in s for s in self.table.unique_sets() if len(s) > 1)

    def require(self, column: str) -> None:
        """Raise Unusable where a column is that of a reference which waits for a table to be counted."""
        waiting = next((f for f, _ in self._waiting if column in f.columns and not self._explicit(column)), None)
        if waiting is not None:
            self.plan_of_all.row_count(waiting.table)
        if column not in self._owner and not self._explicit(column):
            raise Unusable(f"{self.table.name}.{column} is needed to count rows that it depends on itself", self.table.column(column).at)

    def check(self) -> None:
        """Check what only the finished plan can tell: enough combinations, no empty group."""
        self._keys.check()
        for step in self._checks:
            step()

    def kernel(self, column: str) -> Kernel | None:
        """The kernel of a column that a reference determines; None for any other."""
        owner = self._owner.get(column)
        return None if owner is None else self._column_kernel(owner, column)

    def must_be_unique(self, column: str) -> bool:
        return column in self._keys.alone or self.table.is_unique(column)

    def factor(self, column: str) -> FactorOf | None:
        """How a column that is a member of a composite unique key gets its position in a domain."""
        key = self._keys.of_factor(column)
        self._keys.note_reads((self.table.name, column), key)
        return None if key is None else lambda size: key.factor(column, size)

    # Planning

    def plan(self) -> None:
        """Give every foreign key its link, the most binding first; called again, only those that had to wait for a count."""
        if self._begun:
            again, self._waiting = self._waiting, []
            for foreign_key, step in again:
                self._try(foreign_key, step)
            return
        self._begun = True
        family_key = family_key_of(self.table)
        if family_key is not None and self.own.family is not None:
            self._require_only_children(family_key, self.own.family)
            self._own(family_key, FamilyLink(family_key.table, self.own.family))
        waiting = [f for f in self.table.foreign_keys if f is not family_key]
        explicit = [f for f in waiting if any(self._explicit(c) for c in f.columns)]
        for foreign_key in explicit:
            self._try(foreign_key, self._follow_explicit)
        self._keys.plan(self._owner, self.refused)
        rest = [f for f in waiting if f not in explicit]
        for foreign_key in in_order_of_choice(self.table, rest):
            self._try(foreign_key, self._choose)

    def _require_only_children(self, foreign_key: ForeignKey, family: Family) -> None:
        """A table that shares the key of its parent has at most one row for each."""
        alone = next((c for c in foreign_key.columns if self.table.is_unique(c)), None)
        if alone is not None and family.most > 1:
            message = (
                f"{alone} is unique and names the row of {foreign_key.table}, and some of those have {family.most:,} rows of "
                f"{self.table.name}; count at most 1 of them, or add a column to the key"
            )
            self.plan_of_all.report(Unusable(message, self.table.rows.at))

    def _try(self, foreign_key: ForeignKey, step: Callable[[ForeignKey], None]) -> None:
        if any(set(foreign_key.columns) & set(other.columns) for other, _ in self._waiting):
            self._waiting.append((foreign_key, step))
            return
        try:
            step(foreign_key)
        except StillCounted:
            self._waiting.append((foreign_key, step))
        except Unusable as problem:
            self.refused.update(foreign_key.columns)
            self.plan_of_all.report(problem, foreign_key.at or self.table.at)

    def _explicit(self, column: str) -> bool:
        return self.table.column(column).generate is not None

    def _own(self, foreign_key: ForeignKey, link: Link, *, columns: bool = True) -> None:
        self._linked(foreign_key.columns, link)
        for column, target in zip(foreign_key.columns, foreign_key.target, strict=True):
            if columns and column not in self._owner and not self._explicit(column):
                self._owner[column] = foreign_key
                self._needs((self.table.name, column), self._node(foreign_key))
                self._needs((self.table.name, column), (foreign_key.table, target))

    def _linked(self, columns: tuple[str, ...], link: Link) -> None:
        node, inputs = link_of(self.table.name, columns), self.plan_of_all.inputs
        self.own.links[columns] = link
        inputs.note(node, "link", plain_fields(link))
        for table in (self.table.name, link.parent):
            inputs.reads(node, rows_of(table))

    def _node(self, foreign_key: ForeignKey) -> tuple[str, ...]:
        return link_of(self.table.name, foreign_key.columns)

    def _needs(self, node: tuple[str, ...], other: tuple[str, ...]) -> None:
        self.plan_of_all.needs(node, other)

    def _stream(self, foreign_key: ForeignKey, purpose: str) -> Stream:
        return stream(self.plan_of_all.seed, self.table.name, *foreign_key.columns, f"~{purpose}")

    # Columns that a reference determines

    def _column_kernel(self, foreign_key: ForeignKey, column: str) -> Kernel:
        target_table = self.plan_of_all.tables[foreign_key.table]
        target = foreign_key.target[foreign_key.columns.index(column)]
        source, type = target_table.table.column(target).type, self.table.column(column).type
        change = conversion(source, type)
        if change is None:
            raise Unusable(f"{column} is {type} and references {foreign_key.table}.{target}, which is {source}", foreign_key.at)
        if not keeps(source, type):
            self._checks.append(lambda: check_width(self.plan_of_all, self.table, foreign_key, column, target))
        key = foreign_key.columns

        def kernel(rows: Rows) -> pa.Array:
            sequence = target_table.kernels[target]
            if isinstance(sequence, Affine):
                links = rows.links(key)
                absent = links < 0
                values = from_units(source, sequence.units(links), absent if absent.any() else None)
            else:
                values = rows.parent(key).column(target)
            return change(values)

        return kernel

    # Links

    def _follow_explicit(self, foreign_key: ForeignKey) -> None:
        """`generate: {from: reference.column}` on a reference's column: the link is that of the row it takes after."""
        for column, target in zip(foreign_key.columns, foreign_key.target, strict=True):
            recipe = self.table.column(column).generate
            if not isinstance(recipe, Recipe) or recipe.name != "from":
                continue
            hops, end = self.plan_of_all.hops(str(recipe.args["path"]), self.table, recipe.at)
            if not hops:
                continue
            middle = self.plan_of_all.schema.table(hops[-1].table)
            if middle.name == foreign_key.table and end == target and len(hops) == 1:
                self._alias(foreign_key, hops[0])
                return
            for onward in middle.foreign_keys:
                if onward.table == foreign_key.table and end in onward.columns and onward.target[onward.columns.index(end)] == target:
                    self._follow(foreign_key, [*hops, onward])
                    return

        if len(foreign_key.columns) == 1:
            self._look_up(foreign_key)

    def _look_up(self, foreign_key: ForeignKey) -> None:
        """The column has a generator of its own: the row is the one that has its value."""
        plan, column, target = self.plan_of_all, foreign_key.columns[0], foreign_key.target[0]
        size = plan.row_count(foreign_key.table)
        self._needs(self._node(foreign_key), (self.table.name, column))
        self._needs(self._node(foreign_key), (foreign_key.table, target))
        plan.inputs.reads((self.table.name, column), self._node(foreign_key))  # for it is refused where no row is found
        self.own.by_value.append(foreign_key.columns)
        self._own(foreign_key, ValueLink(plan.tables, foreign_key.table, size, column, target), columns=False)

    def _alias(self, foreign_key: ForeignKey, same: ForeignKey) -> None:
        self._needs(self._node(foreign_key), self._node(same))
        self._own(foreign_key, FactorLink(foreign_key.table, lambda rows: rows.links(same.columns)), columns=False)

    def _follow(self, foreign_key: ForeignKey, hops: list[ForeignKey]) -> None:
        table = self.table.name
        for hop in hops:
            self._needs(self._node(foreign_key), link_of(table, hop.columns))
            table = hop.table
        self._own(foreign_key, FollowedLink(foreign_key.table, tuple(h.columns for h in hops)), columns=False)

    def _choose(self, foreign_key: ForeignKey) -> None:
        shared = [c for c in foreign_key.columns if c in self._owner or self._explicit(c)]
        own = [c for c in foreign_key.columns if c not in shared]
        if not own:
            self._follow_owner(foreign_key)
            return
        within = self._shared_parent(foreign_key, shared) if shared else None
        if foreign_key.within is not None:
            within = self._within(foreign_key)
        link = self._link(foreign_key, within)
        shares = [s for s in (self.table.column(c).null for c in own) if s is not None]
        if shares and shares[0] > 0:
            threshold = int(shares[0] * 2.0**53) << 10
            link = NullableLink(link, self._stream(foreign_key, "null"), threshold)
        self._own(foreign_key, link)

    def _follow_owner(self, foreign_key: ForeignKey) -> None:
        """All columns are another reference's already: this one points where that row's own reference points."""
        if foreign_key.options:
            option, columns = foreign_key.options[0], ", ".join(foreign_key.columns)
            raise Unusable(f"{option}: other references set ({columns}), so there is no choice", foreign_key.at)
        owners = {self._owner[c].columns: self._owner[c] for c in foreign_key.columns if c in self._owner}
        for owner in owners.values():
            if owner.table == foreign_key.table and all(
                self._target(owner, c) == t for c, t in zip(foreign_key.columns, foreign_key.target, strict=True)
            ):
                self._alias(foreign_key, owner)
                return
            if not set(foreign_key.columns) <= set(owner.columns):
                continue
            middle = self.plan_of_all.schema.table(owner.table)
            wanted = tuple(self._target(owner, c) for c in foreign_key.columns)
            for onward in middle.foreign_keys:
                if onward.columns == wanted and onward.table == foreign_key.table and onward.target == foreign_key.target:
                    self._follow(foreign_key, [owner, onward])
                    return
        columns = ", ".join(foreign_key.columns)
        raise Unusable(f"({columns}) is set by other references, and nothing makes it reference {foreign_key.table} too", foreign_key.at)

    def _target(self, foreign_key: ForeignKey, column: str) -> str | None:
        return foreign_key.target[foreign_key.columns.index(column)] if column in foreign_key.columns else None

    def _shared_parent(self, foreign_key: ForeignKey, shared: list[str]) -> tuple[tuple[str, ...], ForeignKey]:
        """Columns shared with another reference: both must point below the same row. Returns that reference and the target's."""
        parent = self.plan_of_all.schema.table(foreign_key.table)
        columns = tuple(shared)
        wanted = tuple(self._target(foreign_key, c) for c in columns)
        own = next((f for f in self.table.foreign_keys if f.columns in self.own.links and set(columns) <= set(f.columns)), None)
        theirs = next((f for f in parent.foreign_keys if f.columns == wanted), None)
        if own is not None and theirs is not None:
            if theirs.table == own.table and tuple(self._target(own, c) for c in columns) == theirs.target:
                return own.columns, theirs
            middle = self.plan_of_all.schema.table(own.table)
            between = tuple(self._target(own, c) for c in columns)
            onward = next((f for f in middle.foreign_keys if f.columns == between and f.table == theirs.table), None)
            if onward is not None:
                hidden = (*own.columns, "~", *onward.columns)
                self._linked(hidden, FollowedLink(theirs.table, (own.columns, onward.columns)))
                self._needs(link_of(self.table.name, hidden), self._node(own))
                self._needs(link_of(self.table.name, hidden), link_of(own.table, onward.columns))
                return hidden, theirs
        raise Unusable(
            f"({', '.join(foreign_key.columns)}) shares {', '.join(shared)} with another reference, and no common parent of "
            f"{self.table.name} and {foreign_key.table} is declared by foreign keys",
            foreign_key.at,
        )

    def _within(self, foreign_key: ForeignKey) -> tuple[tuple[str, ...], ForeignKey]:
        assert foreign_key.within is not None
        own = self.table.foreign_key_of(foreign_key.within)
        parent = self.plan_of_all.schema.table(foreign_key.table)
        theirs = None if own is None else next((f for f in parent.foreign_keys if f.table == own.table), None)
        if own is None or theirs is None:
            raise Unusable(
                f"within: {foreign_key.within} needs a reference that {self.table.name} and {foreign_key.table} share", foreign_key.at
            )
        return own.columns, theirs

    def _link(self, foreign_key: ForeignKey, within: tuple[tuple[str, ...], ForeignKey] | None) -> Link:
        name, parent = self.table.name, foreign_key.table
        size = self.plan_of_all.row_count(parent)
        required = not any(self.table.column(c).nullable for c in foreign_key.columns)
        rows = self.plan_of_all.row_count(name)
        if size == 0 and rows and required:
            raise Unusable(f"{name} references {parent}, which has no rows", foreign_key.at)
        pair = self.table.ordered_pair(foreign_key)
        if pair is not None:
            return self._ordered(foreign_key, pair, size, required)
        key = self._keys.of_factor(factor_name(foreign_key))
        draws = self._stream(foreign_key, "link")
        if foreign_key.weight is not None:
            return self._weighted(foreign_key, within, required, draws)
        unique = foreign_key.columns in self.table.unique_sets() and not self._one_each(foreign_key)
        part = self._unique_part(foreign_key)
        if part is not None and key is None and not unique:
            target = tuple(foreign_key.target[foreign_key.columns.index(c)] for c in part)
            if within is not None or set(target) not in map(set, self.plan_of_all.schema.table(parent).unique_sets()):
                raise Unusable(
                    f"({', '.join(part)}) is unique, and what it references, ({', '.join(target)}) of {parent}, is not", foreign_key.at
                )
            unique = True
        if foreign_key.present is not None and (unique or key is not None):
            raise Unusable(f"present is for references that may repeat, and {', '.join(foreign_key.columns)} is unique", foreign_key.at)
        if (unique or key is not None) and foreign_key.skew is not None:
            held = "unique" if unique else "part of a unique key"
            raise Unusable(f"skew is for references that may repeat, and {', '.join(foreign_key.columns)} is {held}", foreign_key.at)
        if unique and foreign_key.other_than is not None:
            raise Unusable(f"other_than is for references that may repeat, and {', '.join(foreign_key.columns)} is unique", foreign_key.at)
        if unique and foreign_key.acyclic:
            return self._chained(foreign_key, within is not None or required)
        if unique and within is not None and key is None:
            key = self._different_among_siblings(foreign_key, within[0])
        if within is not None:
            groups = groups_of(self.plan_of_all, parent, within[1])
            self._needs(self._node(foreign_key), link_of(name, within[0]))
            self._needs(self._node(foreign_key), link_of(parent, within[1].columns))
            if foreign_key.other_than is not None and foreign_key.present is None:
                return self._other(
                    foreign_key, OtherRows(size, self._beside(foreign_key), groups, within[0], foreign_key.acyclic), key, required, draws
                )
            if key is not None:
                self._keys.note_reads(self._node(foreign_key), key)
                return self._grouped_factor(foreign_key, key, groups, within[0])
            self._require_members(foreign_key, groups, within, required)
            grouped = GroupLink(parent, groups, within[0], draws, foreign_key.skew, foreign_key.acyclic, foreign_key.depth, required)
            return self._attended(foreign_key, grouped, required)
        if foreign_key.other_than is not None and foreign_key.present is None:
            return self._other(foreign_key, OtherRows(size, self._beside(foreign_key), acyclic=foreign_key.acyclic), key, required, draws)
        if key is not None:
            self._keys.note_reads(self._node(foreign_key), key)
            if isinstance(key, Offspring) and foreign_key.acyclic:
                return FactorLink(parent, key.above)
            return FactorLink(parent, key.factor(factor_name(foreign_key), size))
        if unique:
            if rows > size and required:
                raise Unusable(
                    f"{rows:,} rows of {name} must reference different rows of {parent}, which has only {size:,}", foreign_key.at
                )
            return DistinctLink(parent, max(size, 1), draws)
        uniform = UniformLink(parent, size, draws, foreign_key.skew, foreign_key.acyclic, foreign_key.depth, required)
        return self._attended(foreign_key, uniform, required)

    def _ordered(self, foreign_key: ForeignKey, pair: tuple[ForeignKey, ForeignKey], size: int, required: bool) -> Link:
        """Both references of a pair are of one round and place, which are drawn or what makes them unique together."""
        columns = (*pair[0].columns, *pair[1].columns)
        keys = [self._keys.of_factor(factor_name(f)) for f in pair]
        held = next((s for s in self.table.unique_sets() if set(s) & set(columns) and not set(columns) <= set(s)), None)
        if held is not None or keys[0] is not keys[1]:
            raise Unusable(f"greater_than: ({', '.join(columns)}) may be unique together, and none without the other", pair[1].at)
        if size < 2 and required and self.plan_of_all.row_count(self.table.name):
            raise Unusable(f"greater_than: ({', '.join(columns)}) name two rows of {foreign_key.table}, which has {size}", pair[1].at)
        plan, parent, target = self.plan_of_all, foreign_key.table, foreign_key.target[0]
        self._checks.append(lambda: check_sequence(plan, pair[1]))
        self._needs(self._node(foreign_key), (parent, target))

        def numbers(rows: Int64) -> Int64:
            sequence = plan.tables[parent].kernels[target]
            assert isinstance(sequence, Affine)
            return sequence.units(rows)

        factors = []
        for end, count in zip(pair, (rounds(size), places(size)), strict=True):
            if keys[0] is not None:
                factors.append(keys[0].factor(factor_name(end), count))
            else:
                factors.append(_drawn(self._stream(end, "link"), count))
        if keys[0] is not None:
            self._keys.note_reads(self._node(foreign_key), keys[0])
        return OrderedLink(parent, size, columns, foreign_key is pair[1], factors[0], factors[1], numbers)

    def _beside(self, foreign_key: ForeignKey) -> tuple[str, ...]:
        """The columns of the reference that this one is to be other than, or the name of the way to it."""
        try:
            way = way_to_other(self.plan_of_all.schema, self.table, foreign_key)
        except NoSuchPath as problem:
            raise Unusable(f"other_than: {problem}", foreign_key.at) from None
        columns = way[0].columns
        if len(way) > 1:
            columns = (*columns, *(name for hop in way[1:] for name in ("~", *hop.columns)))
            self._linked(columns, FollowedLink(foreign_key.table, tuple(hop.columns for hop in way)))
            table = self.table.name
            for hop in way:
                self._needs(link_of(self.table.name, columns), link_of(table, hop.columns))
                table = hop.table
        self._needs(self._node(foreign_key), link_of(self.table.name, columns))
        return columns

    def _other(self, foreign_key: ForeignKey, others: OtherRows, key: CompositeKey | None, required: bool, draws: Stream) -> Link:
        if key is None:
            self._require_others(foreign_key, others, required)
            return OtherLink(foreign_key.table, others, draws, foreign_key.skew)
        together = self._keys.columns_of(key)
        if foreign_key.acyclic:
            raise Unusable(f"({', '.join(together)}) is unique by a reference that is acyclic, which cannot be other_than", foreign_key.at)
        if not set(others.than) <= set(together):
            raise Unusable(
                f"other_than: {', '.join(foreign_key.columns)} makes ({', '.join(together)}) unique, which it can only where "
                f"{foreign_key.other_than} is part of that",
                foreign_key.at,
            )
        self._keys.note_reads(self._node(foreign_key), key)
        if others.groups is not None:
            self._require_siblings(foreign_key, key)
        return FactorLink(foreign_key.table, others.factor(key, factor_name(foreign_key)))

    def _attended(self, foreign_key: ForeignKey, link: GroupLink | UniformLink, required: bool) -> Link:
        """`link`, or, where the referenced row must be there at a time, those of its rows that are, but for the one beside it."""
        present, plan = foreign_key.present, self.plan_of_all
        if present is None:
            return link
        self._needs(self._node(foreign_key), (self.table.name, present.at))
        for name in (present.begins, present.ends):
            if name is not None:
                self._needs(self._node(foreign_key), (foreign_key.table, name))
        again = tuple(self._stream(foreign_key, f"link {i}") for i in range(_ATTEMPTS))
        presence = plan.presence(foreign_key.table, present)
        than = None if foreign_key.other_than is None else self._beside(foreign_key)
        return AttendedLink(plan.tables, self.table, plan.row_count(self.table.name), present.at, presence, link, again, required, than)

    def _weighted(
        self, foreign_key: ForeignKey, within: tuple[tuple[str, ...], ForeignKey] | None, required: bool, draws: Stream
    ) -> WeightedLink:
        plan, name, parent, column = self.plan_of_all, self.table.name, foreign_key.table, foreign_key.weight or ""
        if self._keys.of_factor(factor_name(foreign_key)) is not None or foreign_key.columns in self.table.unique_sets():
            raise Unusable(f"weight is for references that may repeat, and {', '.join(foreign_key.columns)} is unique", foreign_key.at)
        self._needs(self._node(foreign_key), (parent, column))
        groups = None
        if within is not None:
            groups = within[0], groups_of(self.plan_of_all, parent, within[1])
            self._needs(self._node(foreign_key), link_of(name, within[0]))
            self._needs(self._node(foreign_key), link_of(parent, within[1].columns))
        type = plan.schema.table(parent).column(column).type
        return WeightedLink(plan.tables, parent, plan.row_count(parent), column, type, draws, groups, required)

    def _unique_part(self, foreign_key: ForeignKey) -> tuple[str, ...] | None:
        """Columns that are unique by themselves, are not all of a reference, and that nothing else determines."""
        free = {c for c in foreign_key.columns if c not in self._owner and not self._explicit(c)}
        return next((u for u in self.table.unique_sets() if set(u) <= free and len(u) < len(foreign_key.columns)), None)

    def _chained(self, foreign_key: ForeignKey, impossible: bool) -> ChainLink:
        if impossible:
            raise Unusable(
                f"{', '.join(foreign_key.columns)} is unique and acyclic: each row references the one before it, and the first none; "
                "give it `null: 0`, and no `within`",
                foreign_key.at,
            )
        return ChainLink(foreign_key.table, foreign_key.depth)

    def _different_among_siblings(self, foreign_key: ForeignKey, within: tuple[str, ...]) -> Siblings:
        """Unique among the rows of one group, which is unique among all, for no row that is referenced is of two groups."""
        family_key = family_key_of(self.table)
        if self.own.family is None or family_key is None or family_key.columns != within:
            raise Unusable(
                f"{', '.join(foreign_key.columns)} is unique, so {self.table.name} needs rows per parent, by {', '.join(within)}",
                foreign_key.at,
            )
        key = Siblings(stream(self.plan_of_all.seed, self.table.name, *foreign_key.columns, "~combination"), self.own.family)
        self._keys.add(foreign_key.columns, key)
        return key

    def _one_each(self, foreign_key: ForeignKey) -> bool:
        return isinstance(self.own.links.get(foreign_key.columns), FamilyLink)

    def _require_members(self, foreign_key: ForeignKey, groups: Groups, within: tuple[tuple[str, ...], ForeignKey], required: bool) -> None:
        if not required or foreign_key.acyclic or foreign_key.table == self.table.name:
            return
        if isinstance(groups, FamilyGroups) and all(f.least > 0 for f in groups.chain):
            return
        self._checks.append(lambda: check_members(self.plan_of_all, self.table, foreign_key, groups, within))

    def _require_others(self, foreign_key: ForeignKey, others: OtherRows, required: bool) -> None:
        """Every row has another one to reference than that beside it."""
        if not required:
            return
        families = others.groups.chain if isinstance(others.groups, FamilyGroups) else ()
        grouped = all(self.table.has(c) and not self.table.column(c).nullable for c in others.within)
        if (prod(f.least for f in families) if families and grouped else others.size if others.groups is None else 0) < 2:
            self._checks.append(lambda: check_others(self.plan_of_all, self.table, foreign_key, others))

    def _require_siblings(self, foreign_key: ForeignKey, key: CompositeKey) -> None:
        """What makes references within groups unique counts among the children of one parent; they have different ones enough."""
        if not isinstance(key, Siblings):
            raise Unusable(f"a unique pair with `within` needs rows per parent in {self.table.name}", foreign_key.at)
        self._checks.append(lambda: check_siblings(self.plan_of_all, self.table, foreign_key, key))

    def _grouped_factor(self, foreign_key: ForeignKey, key: CompositeKey, groups: Groups, within: tuple[str, ...]) -> Link:
        self._require_siblings(foreign_key, key)

        def sizes(rows: Rows) -> Int64:
            return groups.ranges(np.maximum(rows.links(within), 0))[1]

        position = key.factor(factor_name(foreign_key), sizes)

        def place(rows: Rows) -> Int64:
            start, size = groups.ranges(np.maximum(rows.links(within), 0))
            return np.where(size > 0, groups.members(start + position(rows)), np.int64(-1))

        return FactorLink(foreign_key.table, place)


def _drawn(draws: Stream, count: int) -> Callable[[Rows], Int64]:
    """Any number below `count` for each row."""
    return lambda rows: below(rows.draws(draws), count)
