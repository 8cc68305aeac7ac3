"""The person of a row: locale, gender and names, shared by all columns that speak of the same person.

What a person is depends on the table, the entity (`of:`) and the row alone, so a column can be added or dropped without
changing the others, and name, e-mail address, gender and address agree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from datagen.compiling import Context
from datagen.distributions import Discrete
from datagen.inputs import link_of
from datagen.pools import GroupedPool, known_locales
from datagen.randomness import Int64, stream
from datagen.rows import Rows
from schemas.errors import Mark, nearest
from schemas.model import Recipe, Table
from schemas.recipes import argument

LocaleIndex = Callable[[Rows], Int64]

FAMILY_NAME_FIRST = {"ja_JP": " ", "zh_CN": "", "zh_TW": "", "ko_KR": "", "hu_HU": " ", "vi_VN": " "}


@dataclass(frozen=True)
class Locales:
    """The locales that rows may have, and which one each has (None where there is only one)."""

    names: tuple[str, ...]
    of: LocaleIndex | None
    weights: tuple[float, ...] = ()

    def groups(self, rows: Rows) -> Int64 | None:
        return None if self.of is None else self.of(rows)

    def positions(self, rows: Rows) -> Int64:
        """The position in `names` of the locale of each row."""
        return np.zeros(len(rows), np.int64) if self.of is None else self.of(rows)


@dataclass(frozen=True)
class Persona:
    """One person of each row of a table."""

    ctx: Context
    entity: str
    locales: Locales

    def pool(self, kind: str) -> GroupedPool:
        """The pool of a kind of text, over all locales."""
        return GroupedPool([self.ctx.pool(kind, name) for name in self.locales.names])

    def draw(self, pool: GroupedPool, purpose: str) -> Callable[[Rows], Int64]:
        """Positions in a pool, by the person's locale; the same for every column that asks with the same purpose."""
        own, locales, key = (
            self.ctx.entity_stream(self.entity, purpose),
            self.locales,
            (self.entity, purpose, self.locales.names, self.locales.weights),
        )
        return lambda rows: rows.memo(key, lambda: pool.index(rows.draws(own), locales.groups(rows)))

    def is_female(self, rows: Rows) -> np.ndarray:
        own = self.ctx.entity_stream(self.entity, "gender")
        return rows.memo((self.entity, "gender"), lambda: rows.draws(own) >> np.uint64(63) == 0)

    def first_names(self) -> tuple[GroupedPool, Callable[[Rows], Int64]]:
        """The pool of given names (female ones first) and each person's position in it."""
        female = [self.ctx.pool("first_name_female", n) for n in self.locales.names]
        male = [self.ctx.pool("first_name_male", n) for n in self.locales.names]
        pool = GroupedPool([*female, *male])
        own, locales, count = self.ctx.entity_stream(self.entity, "first name"), self.locales, len(female)
        key = (self.entity, "first name", locales.names, locales.weights)

        def positions(rows: Rows) -> Int64:
            group = locales.groups(rows)
            gender: Int64 = np.where(self.is_female(rows), np.int64(0), np.int64(count))
            both = gender if group is None else gender + group
            return pool.index(rows.draws(own), both)

        return pool, lambda rows: rows.memo(key, lambda: positions(rows))

    def last_names(self) -> tuple[GroupedPool, Callable[[Rows], Int64]]:
        """The pool of family names and each person's position in it."""
        pool = self.pool("last_name")
        return pool, self.draw(pool, "last name")


def persona(recipe: Recipe, ctx: Context) -> Persona:
    """The person that a recipe speaks of."""
    entity = str(argument(recipe, "of") or "person")
    return Persona(ctx, entity, locales_of(recipe, ctx, entity))


def locales_of(recipe: Recipe, ctx: Context, entity: str = "person") -> Locales:
    """The locales of a recipe: its own, the table's, those of the row that the table follows, or the schema's."""
    own = recipe.args.get("locale")
    if own is not None:
        mix = {str(own): 1.0} if isinstance(own, str) else own
        return _drawn_locales(ctx, ctx.table, entity, mix, recipe.places.get("locale"))
    return _table_locales(ctx, ctx.table, entity, ())


def _table_locales(ctx: Context, table: Table, entity: str, seen: tuple[str, ...]) -> Locales:
    if not isinstance(table.locale, str):
        mix = table.locale or ctx.schema.locale
        ctx.plan.inputs.note(ctx.node, "locale" if table is ctx.table else f"locale of {table.name}", dict(mix))
        return _drawn_locales(ctx, table, entity, mix, table.locale_at if table.locale else ctx.schema.locale_at)
    key = table.foreign_key_of(table.locale)
    if key is None or table.name in seen:
        ctx.fail(f"the locale of {table.name} follows {table.locale}, which leads to no row with a locale of its own")
    parents = _table_locales(ctx, ctx.schema.table(key.table), "person", (*seen, table.name))
    if parents.of is None:
        return parents
    ctx.plan.needs(ctx.node, link_of(table.name, key.columns))
    above = parents.of

    def followed(rows: Rows) -> Int64:
        selection = rows.parent(key.columns)
        return np.maximum(selection.pick(above(selection.rows)), 0)

    return Locales(parents.names, lambda rows: rows.memo(("locale", entity), lambda: followed(rows)), parents.weights)


def _drawn_locales(ctx: Context, table: Table, entity: str, mix: Mapping[str, float], at: Mark | None) -> Locales:
    names = tuple(sorted(n for n, weight in mix.items() if weight > 0))
    for name in names:
        if name not in known_locales():
            ctx.fail(f"unknown locale '{name}'{nearest(name, known_locales())}", at)
    if len(names) == 1:
        return Locales(names, None)
    sampler = Discrete.of(0, np.array([mix[n] for n in names], np.float64))
    own = stream(ctx.plan.seed, table.name, f"~{entity}", "locale")
    weights = tuple(float(mix[n]) for n in names)
    return Locales(names, lambda rows: rows.memo(("locale", entity, names, weights), lambda: sampler(rows.draws(own))), weights)
