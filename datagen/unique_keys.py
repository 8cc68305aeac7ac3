"""Unique keys over several columns: which column, or which combination of references and columns, keeps each of them unique."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from datagen.composite import CompositeKey, Offspring, Product, Siblings
from datagen.counting import StillCounted
from datagen.errors import Unusable
from datagen.groups import family_key_of
from datagen.inputs import Node, key_of, rows_of
from datagen.randomness import stream
from schemas.model import ForeignKey, Table
from schemas.recipes import BY_NAME

if TYPE_CHECKING:
    from datagen.plan import Plan

_SEQUENTIAL = ("sequence", "uuid4", "uuid7")
_FINITE = ("choice", "uniform", "between")


def factor_name(foreign_key: ForeignKey) -> str:
    """What a reference is called as a factor of a composite key; a column goes by its own name."""
    return "~" + "+".join(foreign_key.columns)


class UniqueKeys:
    """What makes the unique keys over several columns of one table so; `alone` are the columns that are unique by themselves for it."""

    def __init__(self, plan: Plan, table: Table) -> None:
        self._plan = plan
        self._table = table
        self._own = plan.tables[table.name]
        self._keys: list[tuple[tuple[str, ...], CompositeKey]] = []
        self._factor_of: dict[str, CompositeKey] = {}
        self.alone: set[str] = set()

    def of_factor(self, name: str) -> CompositeKey | None:
        """The key of which a column, or a reference by its `factor_name`, is a factor."""
        return self._factor_of.get(name)

    def columns_of(self, key: CompositeKey) -> tuple[str, ...]:
        """The columns that a key makes unique."""
        return next(columns for columns, known in self._keys if known is key)

    def add(self, columns: tuple[str, ...], key: CompositeKey) -> None:
        """Add a key that a reference makes unique itself."""
        self._keys.append((columns, key))

    def plan(self, owned: Collection[str], refused: set[str]) -> None:
        """Decide what makes each key unique, where references set the columns `owned`; adds to `refused` those of keys that cannot be."""
        sets = {frozenset(s) for s in self._table.unique_sets()}
        for columns in sorted((s for s in sets if len(s) > 1), key=lambda s: (len(s), sorted(s))):
            if not any(other < columns for other in sets) and not self._holds_already(columns, owned):
                try:
                    self._plan_key(columns)
                except StillCounted:
                    raise
                except Unusable as problem:
                    refused |= columns
                    self._plan.report(problem, self._table.at)

    def _holds_already(self, columns: frozenset[str], owned: Collection[str]) -> bool:
        family_inside = self._family_inside(columns)
        for name in columns - set(owned):
            recipe = self._table.column(name).generate
            if name in self.alone or (recipe is not None and recipe.name in _SEQUENTIAL and not self._table.foreign_key_of(name)):
                return True
            if family_inside and recipe is not None and recipe.name == "ordinal":
                return True
            if family_inside and recipe is not None and recipe.name == "list" and self._own.family is not None:
                return self._own.family.most <= len(recipe.args["values"])
        return family_inside and self._own.family is not None and self._own.family.most <= 1

    def _family_inside(self, columns: frozenset[str]) -> bool:
        key = family_key_of(self._table)
        return key is not None and set(key.columns) <= columns

    def _plan_key(self, columns: frozenset[str]) -> None:
        family_key = family_key_of(self._table)
        inside = self._family_inside(columns)
        references = [
            f for f in self._table.foreign_keys if f is not family_key and set(f.columns) <= columns and f.columns not in self._own.links
        ]
        covered = {c for f in self._table.foreign_keys for c in f.columns}
        plain = sorted(columns - covered)
        wide = [c for c in plain if self._can_be_unique_alone(c)]
        if wide:
            self.alone.add(wide[0])
            return
        free = [f for f in references if f.acyclic and f.within is None and factor_name(f) not in self._factor_of]
        tree = next((f for f in free if all(self._table.column(c).nullable for c in f.columns)), None)
        # others that are acyclic have no choice of what makes the columns unique
        names = [factor_name(f) for f in references if not f.acyclic] + [c for c in plain if self._is_finite(c)]
        siblings = self._own.family if inside else None
        if (not names and (tree is None or siblings is not None)) or any(n in self._factor_of for n in names):
            raise Unusable(
                f"nothing makes ({', '.join(sorted(columns))}) unique: "
                "let one of them be a sequence, or a text or number that can be unique",
                self._table.at,
            )
        stream_of_key = stream(self._plan.seed, self._table.name, *sorted(columns), "~combination")
        if siblings is not None:
            key: CompositeKey = Siblings(stream_of_key, siblings)
        elif tree is not None:
            key = Offspring(stream_of_key, self._plan.row_count(self._table.name), tree.depth)
            names.append(factor_name(tree))
        else:
            key = Product(stream_of_key, self._plan.row_count(self._table.name))
        self._keys.append((tuple(sorted(columns)), key))
        for name in names:
            self._factor_of[name] = key

    def _can_be_unique_alone(self, column: str) -> bool:
        recipe = self._table.column(column).generate
        return recipe is not None and BY_NAME[recipe.name].unique and recipe.name not in (*_FINITE, "list")

    def _is_finite(self, column: str) -> bool:
        recipe = self._table.column(column).generate
        return recipe is not None and recipe.name in _FINITE

    def note_reads(self, node: Node, key: CompositeKey | None) -> None:
        """Note that a member of a composite key depends on all others, by how many positions each of them has."""
        inputs = self._plan.inputs
        for columns, known in self._keys:
            if known is key:
                inputs.reads(node, key_of(self._table.name, columns))
                inputs.reads(key_of(self._table.name, columns), rows_of(self._table.name))
                if node[0] == "link" and len(node) > 2:
                    inputs.reads(key_of(self._table.name, columns), node)

    def check(self) -> None:
        """Raise Unusable where the finished plan has too few combinations."""
        for columns, key in self._keys:
            self._plan.inputs.note(key_of(self._table.name, columns), type(key).__name__, key.sizes)
            shortage = key.shortage()
            if shortage is not None:
                at = next((u.at for u in self._table.unique if set(u.columns) == set(columns)), None) or self._table.at
                raise Unusable(f"({', '.join(columns)}) of {self._table.name} cannot be unique: {shortage}", at)
