"""From foreign keys to links: who decides which row is referenced, and which columns follow from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from datagen.arrays import from_units, largest_units
from datagen.attended import AttendedLink
from datagen.casting import conversion, keeps
from datagen.composite import CompositeKey, Offspring, Product, Siblings
from datagen.counting import StillCounted
from datagen.errors import Unusable
from datagen.families import Family
from datagen.groups import FamilyGroups, Groups, family_key_of, groups_of
from datagen.inputs import Node, key_of, link_of, plain_fields, rows_of
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
from datagen.randomness import Int64, Stream, stream
from datagen.rows import Kernel, Link, Rows
from schemas.model import ForeignKey, Recipe, Table
from schemas.recipes import BY_NAME
from schemas.rules import in_order_of_choice
from schemas.types import INTEGERS

if TYPE_CHECKING:
    from datagen.plan import Plan

FactorOf = Callable[[int], Callable[[Rows], Int64]]

_SEQUENTIAL = ("sequence", "uuid4", "uuid7")
_FINITE = ("choice", "uniform", "between")
_CHECK_ROWS = 1 << 18
_ATTEMPTS = 32


class ReferencePlanner:
    """Decides the links of one table, and which of its columns they and its unique keys determine."""

    def __init__(self, plan: Plan, table: Table) -> None:
        self.plan_of_all = plan
        self.table = table
        self.own = plan.tables[table.name]
        self._owner: dict[str, ForeignKey] = {}
        self._unique: set[str] = set()
        self._keys: list[tuple[tuple[str, ...], CompositeKey]] = []
        self._factor_of: dict[str, CompositeKey] = {}
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

    def kernel(self, column: str) -> Kernel | None:
        """The kernel of a column that a reference determines; None for any other."""
        owner = self._owner.get(column)
        return None if owner is None else self._column_kernel(owner, column)

    def must_be_unique(self, column: str) -> bool:
        return column in self._unique or self.table.is_unique(column)

    def factor(self, column: str) -> FactorOf | None:
        """How a column that is a member of a composite unique key gets its position in a domain."""
        key = self._factor_of.get(column)
        self._reads_key((self.table.name, column), key)
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
        self._plan_unique_sets()
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
            self._checks.append(lambda: self._check_width(foreign_key, column, target))
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
        key = self._factor_of.get(self._factor_name(foreign_key))
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
        if unique and foreign_key.acyclic:
            return self._chained(foreign_key, within is not None or required)
        if unique and within is not None and key is None:
            key = self._different_among_siblings(foreign_key, within[0])
        if within is not None:
            groups = groups_of(self.plan_of_all, parent, within[1])
            self._needs(self._node(foreign_key), link_of(name, within[0]))
            self._needs(self._node(foreign_key), link_of(parent, within[1].columns))
            if key is not None:
                self._reads_key(self._node(foreign_key), key)
                return self._grouped_factor(foreign_key, key, groups, within[0])
            self._require_members(foreign_key, groups, within, required)
            grouped = GroupLink(parent, groups, within[0], draws, foreign_key.skew, foreign_key.acyclic, foreign_key.depth, required)
            return self._attended(foreign_key, grouped, required)
        if key is not None:
            self._reads_key(self._node(foreign_key), key)
            if isinstance(key, Offspring) and foreign_key.acyclic:
                return FactorLink(parent, key.above)
            return FactorLink(parent, key.factor(self._factor_name(foreign_key), size))
        if unique:
            if rows > size and required:
                raise Unusable(
                    f"{rows:,} rows of {name} must reference different rows of {parent}, which has only {size:,}", foreign_key.at
                )
            return DistinctLink(parent, max(size, 1), draws)
        uniform = UniformLink(parent, size, draws, foreign_key.skew, foreign_key.acyclic, foreign_key.depth, required)
        return self._attended(foreign_key, uniform, required)

    def _attended(self, foreign_key: ForeignKey, link: GroupLink | UniformLink, required: bool) -> Link:
        """`link`, or, where the referenced row must be there at a time, those of its rows that are."""
        present, plan = foreign_key.present, self.plan_of_all
        if present is None:
            return link
        self._needs(self._node(foreign_key), (self.table.name, present.at))
        for name in (present.begins, present.ends):
            if name is not None:
                self._needs(self._node(foreign_key), (foreign_key.table, name))
        again = tuple(self._stream(foreign_key, f"link {i}") for i in range(_ATTEMPTS))
        presence = plan.presence(foreign_key.table, present)
        return AttendedLink(plan.tables, self.table, plan.row_count(self.table.name), present.at, presence, link, again, required)

    def _weighted(
        self, foreign_key: ForeignKey, within: tuple[tuple[str, ...], ForeignKey] | None, required: bool, draws: Stream
    ) -> WeightedLink:
        plan, name, parent, column = self.plan_of_all, self.table.name, foreign_key.table, foreign_key.weight or ""
        if self._factor_of.get(self._factor_name(foreign_key)) is not None or foreign_key.columns in self.table.unique_sets():
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
        self._keys.append((foreign_key.columns, key))
        return key

    def _one_each(self, foreign_key: ForeignKey) -> bool:
        return isinstance(self.own.links.get(foreign_key.columns), FamilyLink)

    def _require_members(self, foreign_key: ForeignKey, groups: Groups, within: tuple[tuple[str, ...], ForeignKey], required: bool) -> None:
        if not required or foreign_key.acyclic or foreign_key.table == self.table.name:
            return
        if isinstance(groups, FamilyGroups) and all(f.least > 0 for f in groups.chain):
            return
        self._checks.append(lambda: self._check_members(foreign_key, groups, within))

    # Unique keys over several columns

    def _plan_unique_sets(self) -> None:
        sets = [frozenset(s) for s in self.table.unique_sets()]
        for columns in sorted((s for s in sets if len(s) > 1), key=lambda s: (len(s), sorted(s))):
            if not any(other < columns for other in sets) and not self._holds_already(columns):
                try:
                    self._plan_unique_set(columns)
                except StillCounted:
                    raise
                except Unusable as problem:
                    self.refused |= columns
                    self.plan_of_all.report(problem, self.table.at)

    def _holds_already(self, columns: frozenset[str]) -> bool:
        family_inside = self._family_inside(columns)
        for name in columns - set(self._owner):
            recipe = self.table.column(name).generate
            if name in self._unique or (recipe is not None and recipe.name in _SEQUENTIAL and not self.table.foreign_key_of(name)):
                return True
            if family_inside and recipe is not None and recipe.name == "ordinal":
                return True
            if family_inside and recipe is not None and recipe.name == "list" and self.own.family is not None:
                return self.own.family.most <= len(recipe.args["values"])
        return family_inside and self.own.family is not None and self.own.family.most <= 1

    def _family_inside(self, columns: frozenset[str]) -> bool:
        key = family_key_of(self.table)
        return key is not None and set(key.columns) <= columns

    def _plan_unique_set(self, columns: frozenset[str]) -> None:
        family_key = family_key_of(self.table)
        inside = self._family_inside(columns)
        references = [
            f for f in self.table.foreign_keys if f is not family_key and set(f.columns) <= columns and f.columns not in self.own.links
        ]
        covered = {c for f in self.table.foreign_keys for c in f.columns}
        plain = sorted(columns - covered)
        wide = [c for c in plain if self._can_be_unique_alone(c)]
        if wide:
            self._unique.add(wide[0])
            return
        free = [f for f in references if f.acyclic and f.within is None and self._factor_name(f) not in self._factor_of]
        tree = next((f for f in free if all(self.table.column(c).nullable for c in f.columns)), None)
        # others that are acyclic have no choice of what makes the columns unique
        names = [self._factor_name(f) for f in references if not f.acyclic] + [c for c in plain if self._is_finite(c)]
        siblings = self.own.family if inside else None
        if (not names and (tree is None or siblings is not None)) or any(n in self._factor_of for n in names):
            raise Unusable(
                f"nothing makes ({', '.join(sorted(columns))}) unique: "
                "let one of them be a sequence, or a text or number that can be unique",
                self.table.at,
            )
        stream_of_key = stream(self.plan_of_all.seed, self.table.name, *sorted(columns), "~combination")
        if siblings is not None:
            key: CompositeKey = Siblings(stream_of_key, siblings)
        elif tree is not None:
            key = Offspring(stream_of_key, self.plan_of_all.row_count(self.table.name), tree.depth)
            names.append(self._factor_name(tree))
        else:
            key = Product(stream_of_key, self.plan_of_all.row_count(self.table.name))
        self._keys.append((tuple(sorted(columns)), key))
        for name in names:
            self._factor_of[name] = key

    def _reads_key(self, node: Node, key: CompositeKey | None) -> None:
        """Note that a member of a composite key depends on all others, by how many positions each of them has."""
        inputs = self.plan_of_all.inputs
        for columns, known in self._keys:
            if known is key:
                inputs.reads(node, key_of(self.table.name, columns))
                inputs.reads(key_of(self.table.name, columns), rows_of(self.table.name))
                if node[0] == "link" and len(node) > 2:
                    inputs.reads(key_of(self.table.name, columns), node)

    def _factor_name(self, foreign_key: ForeignKey) -> str:
        return "~" + "+".join(foreign_key.columns)

    def _can_be_unique_alone(self, column: str) -> bool:
        recipe = self.table.column(column).generate
        return recipe is not None and BY_NAME[recipe.name].unique and recipe.name not in (*_FINITE, "list")

    def _is_finite(self, column: str) -> bool:
        recipe = self.table.column(column).generate
        return recipe is not None and recipe.name in _FINITE

    def _grouped_factor(self, foreign_key: ForeignKey, key: CompositeKey, groups: Groups, within: tuple[str, ...]) -> Link:
        if not isinstance(key, Siblings):
            raise Unusable(f"a unique pair with `within` needs rows per parent in {self.table.name}", foreign_key.at)

        def sizes(rows: Rows) -> Int64:
            return groups.ranges(np.maximum(rows.links(within), 0))[1]

        position = key.factor(self._factor_name(foreign_key), sizes)

        def place(rows: Rows) -> Int64:
            start, size = groups.ranges(np.maximum(rows.links(within), 0))
            return np.where(size > 0, groups.members(start + position(rows)), np.int64(-1))

        self._checks.append(lambda: self._check_siblings(foreign_key, key))
        return FactorLink(foreign_key.table, place)

    # Checks that need the finished plan

    def check(self) -> None:
        """Check what only the finished plan can tell: enough combinations, no empty group."""
        for columns, key in self._keys:
            self.plan_of_all.inputs.note(key_of(self.table.name, columns), type(key).__name__, key.sizes)
            shortage = key.shortage()
            if shortage is not None:
                at = next((u.at for u in self.table.unique if set(u.columns) == set(columns)), None) or self.table.at
                raise Unusable(f"({', '.join(columns)}) of {self.table.name} cannot be unique: {shortage}", at)
        for step in self._checks:
            step()

    def _check_width(self, foreign_key: ForeignKey, column: str, target: str) -> None:
        """A value that is cut or rounded refers to nothing. Databases let narrow numbers refer to wide keys, which count from 1."""
        parent, type = self.plan_of_all.tables[foreign_key.table], self.table.column(column).type
        source, sequence = parent.table.column(target).type, parent.kernels.get(target)
        if isinstance(sequence, Affine):
            last = sequence.largest(self.plan_of_all.row_span(foreign_key.table)) // 10**source.decimals
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

    def _check_members(self, foreign_key: ForeignKey, groups: Groups, within: tuple[tuple[str, ...], ForeignKey]) -> None:
        for rows in self._all_rows():
            links = rows.links(within[0])
            if (groups.ranges(links[links >= 0])[1] == 0).any():
                parent, shared = foreign_key.table, within[1].table
                raise Unusable(
                    f"some rows of {shared} have no {parent}, so {', '.join(foreign_key.columns)} has nothing to reference; "
                    f"give {parent} `min: 1` per {shared}, or make the column nullable (`null:`)",
                    foreign_key.at,
                )

    def _check_siblings(self, foreign_key: ForeignKey, key: Siblings) -> None:
        for rows in self._all_rows():
            if key.shortage_in(rows):
                raise Unusable(
                    f"some rows of {self.table.rows.per} have more {self.table.name} than there are different {foreign_key.table} "
                    f"for them; lower the count per parent or raise that of {foreign_key.table}",
                    foreign_key.at,
                )

    def _all_rows(self) -> list[Rows]:
        count = self.plan_of_all.row_count(self.table.name)
        tables = self.plan_of_all.tables
        return [Rows(tables, self.table.name, range(a, min(a + _CHECK_ROWS, count))) for a in range(0, count, _CHECK_ROWS)]
