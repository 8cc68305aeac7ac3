"""Schemas of related tables, and one random edit of anything in them, for the tests of what a table depends on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from schemas.model import Check, Column, ForeignKey, Index, Recipe, Rows, Schema, Table, Unique
from schemas.types import SqlType

# Every way in which one table reads another, and every input that is not a recipe.
RELATED = """locale: {en_US: 2, de_DE: 1}
tables:
  plans:
    rows: {fixed: 4}
    columns:
      id:    {type: bigint, key: true}
      code:  {type: varchar(9), unique: true, generate: {list: [free, basic, pro, big]}}
      price: {type: "numeric(8,2)", generate: {choice: {"1.00": 1, "5.00": 2, "9.50": 1}}}
      heavy: {type: integer, generate: {choice: {1: 4, 7: 1}}}
  tenants:
    rows: 12
    columns:
      id:      {type: uuid, key: true}
      plan_id: {references: plans.id, weight: heavy}
      born:    {type: timestamptz, generate: {between: [-3y, -1y]}}
      users:   {type: integer, generate: {count: users}}
      newest:  {type: timestamptz, null: 0, generate: {latest: users.joined}}
      mood:    {hidden: true, type: text, generate: {choice: {good: 3, bad: 1}}}
  users:
    rows: {per: tenants, count: {zipf: 1.2, min: 1, max: 30}}
    locale: tenant_id
    columns:
      id:         {type: bigint, key: true}
      tenant_id:  {references: tenants.id}
      name:       {type: text, generate: person.name}
      email:      {type: text, unique: true, generate: person.email}
      job:        {type: text, null: 0.2, generate: person.job}
      born:       {type: date, generate: person.birth_date}
      joined:     {type: timestamptz, generate: {after: tenants.born, within: 1y}}
      manager_id: {references: users.id, within: tenant_id, acyclic: true, null: 0.1}
      plan_code:  {references: plans.code}
      phone:      {type: text, generate: {faker: {provider: phone_number, pool: 50}}}
  teams:
    rows: {per: tenants, count: {uniform: [1, 3]}}
    columns:
      id:        {type: bigint, key: true}
      tenant_id: {references: tenants.id}
      mood:      {type: text, generate: {from: tenant_id.mood}}
  members:
    rows: {per: teams, count: {uniform: [0, 1]}}
    key: [team_id, user_id]
    columns:
      team_id:   {references: teams.id}
      tenant_id: {references: tenants.id, generate: {from: team_id.tenant_id}}
      user_id:   {references: users.id, within: tenant_id}
  likes:
    rows: 60
    key: [user_id, team_id]
    columns:
      user_id: {references: users.id}
      team_id: {references: teams.id}
  praises:
    rows: 40
    columns:
      giver_id:  {references: users.id}
      taker_id:  {references: users.id, other_than: giver_id}
      tenant_id: {references: tenants.id}
      mate_id:   {references: users.id, within: tenant_id, other_than: giver_id, null: 0.1}
      near_id:   {references: users.id}
      far_id:    {references: users.id, greater_than: near_id, null: 0.1}
  tickets:
    rows: {per: tenants, count: {poisson: 4}, total: 50}
    columns:
      id:         {type: uuid, key: true, generate: uuid7}
      tenant_id:  {references: tenants.id}
      agent_id:   {references: users.id, within: tenant_id, skew: 1.1}
      created_at: {type: timestamptz, generate: {after: tenants.born, within: 1y, rhythm: office}}
      status:     {type: text, generate: {states: {open: {done: 0.7}, done: {}}}}
      done_at:    {type: timestamptz, null: 0, generate: {entered: done, of: status}}
      rank:       {type: integer, generate: ordinal}
      title:      {type: text, generate: {template: "{agent_id.name} on {tenant_id.mood}, {sentences}"}}
      cost:       {type: "numeric(10,2)", generate: {expression: "tenant_id.plan_id.price * 2"}}
  messages:
    rows: {per: tickets, count: {uniform: [0, 3]}}
    columns:
      id:        {type: bigint, key: true}
      ticket_id: {references: tickets.id}
      tenant_id: {references: tenants.id, generate: {from: ticket_id.tenant_id}}
      author_id: {references: users.id, within: tenant_id}
      doc:       {type: json, generate: {json: {by: {from: author_id.email}, n: {uniform: [1, 9]}}}}
      kind:      {type: text, generate: {choice: {a: 1, b: 1}}}
      nr:        {type: integer, generate: {uniform: [1, 90]}}
    unique: [[ticket_id, kind, nr]]
  badges:
    rows: 8
    columns:
      id:        {type: bigint, key: true}
      tenant_id: {references: tenants.id, unique: true}
"""

_RECIPES: dict[str, tuple[Recipe, ...]] = {
    "bigint": (Recipe("sequence"), Recipe("sequence", {"start": 100, "step": 3}), Recipe("uniform", {"range": (1, 10**9)})),
    "integer": (Recipe("uniform", {"range": (1, 40)}), Recipe("uniform", {"range": (1, 60)}), Recipe("poisson", {"mean": 3.0})),
    "text": (Recipe("person.name"), Recipe("company.name"), Recipe("choice", {"values": (("x", 1.0), ("y", 2.0))}), Recipe("person.job")),
    "varchar": (Recipe("person.username"), Recipe("sequence", {"format": "T{n}"})),
    "date": (Recipe("between", {"period": ("-1y", "now")}), Recipe("between", {"period": ("-2y", "-1y")})),
    "timestamptz": (Recipe("between", {"period": ("-1y", "now")}), Recipe("between", {"period": ("-4y", "-3y")})),
    "numeric": (Recipe("uniform", {"range": (1, 9)}), Recipe("normal", {"mean": 50.0, "sd": 9.0})),
    "uuid": (Recipe("uuid4"), Recipe("uuid7")),
    "double": (Recipe("normal", {"mean": 1.0, "sd": 2.0}), Recipe("exponential", {"mean": 3.0})),
    "boolean": (Recipe("boolean", {"share": 0.9}),),
}
_EACH = (2, Recipe("poisson", {"mean": 3.0, "max": 9}), Recipe("uniform", {"range": (1, 4)}))
_LOCALES: tuple[Any, ...] = ({"en_US": 1.0}, {"de_DE": 1.0, "fr_FR": 3.0}, {"ja_JP": 2.0, "en_GB": 1.0})


@st.composite
def edits(draw: Any, schema: Schema) -> Schema:
    """The schema with one thing changed, which may or may not change cells; it may not be possible to plan what comes out."""
    return draw(st.sampled_from([_edit_table, _edit_table, _edit_table, _edit_schema]))(draw, schema)


def _edit_schema(draw: Any, schema: Schema) -> Schema:
    match draw(st.integers(0, 6)):
        case 0:
            return replace(schema, locale=draw(st.sampled_from(_LOCALES)))
        case 1:
            return replace(schema, tables=tuple(draw(st.permutations(schema.tables))))
        case 2:
            gone = draw(st.sampled_from(schema.tables)).name
            return replace(schema, tables=tuple(t for t in schema.tables if t.name != gone))
        case 3:
            columns = (
                Column("id", SqlType("bigint"), generate=Recipe("sequence")),
                Column("t", SqlType("text"), generate=Recipe("person.name")),
            )
            return replace(schema, tables=(Table("added", columns, Rows(20), key=("id",)), *schema.tables))
        case 4:
            return replace(schema, comment="words", scenarios={}, privacy=None)
        case 5:
            return replace(schema, seed=schema.seed + 1)
    return replace(schema, anchor=schema.anchor + 86_400_000_000)


def _edit_table(draw: Any, schema: Schema) -> Schema:
    table = draw(st.sampled_from(schema.tables))
    change: Callable[[Any, Table, Schema], Table] = draw(
        st.sampled_from(
            [_edit_column, _edit_column, _edit_column, _edit_columns, _edit_reference, _edit_reference, _edit_rows, _edit_keys, _edit_words]
        )
    )
    changed = change(draw, table, schema)
    return replace(schema, tables=tuple(changed if t.name == table.name else t for t in schema.tables))


def _edit_column(draw: Any, table: Table, schema: Schema) -> Table:
    column = draw(st.sampled_from(table.columns))
    match draw(st.integers(0, 4)):
        case 0 | 1:
            changed = replace(column, generate=draw(st.sampled_from([None, *_RECIPES.get(column.type.kind, ())])))
        case 2:
            changed = replace(column, null=draw(st.sampled_from([None, 0, 0.5])))
        case 3:
            length = None if column.type.length is None else column.type.length + draw(st.integers(-3, 3))
            kind = "text" if column.type.kind == "varchar" and draw(st.booleans()) else column.type.kind
            changed = replace(column, type=replace(column.type, kind=kind, length=None if kind == "text" else length))
        case _:
            changed = replace(column, hidden=not column.hidden, default=None)
    return replace(table, columns=tuple(changed if c is column else c for c in table.columns))


def _edit_columns(draw: Any, table: Table, schema: Schema) -> Table:
    match draw(st.integers(0, 2)):
        case 0:
            return replace(table, columns=tuple(draw(st.permutations(table.columns))))
        case 1:
            added = Column(
                draw(st.sampled_from(["added", "created_at", "users", "tenants"])),
                SqlType("timestamptz"),
                generate=_RECIPES["timestamptz"][0],
            )
            return replace(table, columns=(*table.columns, added))
    gone = draw(st.sampled_from(table.columns)).name
    return replace(
        table,
        columns=tuple(c for c in table.columns if c.name != gone),
        key=() if gone in table.key else table.key,
        unique=tuple(u for u in table.unique if gone not in u.columns),
        foreign_keys=tuple(f for f in table.foreign_keys if gone not in f.columns),
    )


def _edit_reference(draw: Any, table: Table, schema: Schema) -> Table:
    if not table.foreign_keys:
        return table
    key = draw(st.sampled_from(table.foreign_keys))
    plain = [c.name for c in schema.table(key.table).columns if c.type.kind in ("integer", "numeric")] if schema.has(key.table) else []
    match draw(st.integers(0, 7)):
        case 0:
            changed = replace(key, skew=None if key.skew else 1.3)
        case 1:
            changed = replace(key, weight=draw(st.sampled_from([None, *plain])))
        case 2:
            self_reference = key.table == table.name
            changed = replace(key, acyclic=not key.acyclic, depth=draw(st.sampled_from([None, 1, 2]))) if self_reference else key
        case 3:
            changed = replace(key, within=None if key.within else draw(st.sampled_from([f.columns[0] for f in table.foreign_keys])))
        case 4:
            return replace(table, foreign_keys=tuple(draw(st.permutations(table.foreign_keys))))
        case 5:
            other = draw(
                st.sampled_from([t for t in schema.tables if t.key and len(t.key) == 1])
                if any(len(t.key) == 1 for t in schema.tables)
                else st.none()
            )
            if other is None:
                return table
            changed = replace(key, table=other.name, target=other.key) if len(key.columns) == 1 else key
            type = other.column(other.key[0]).type
            columns = tuple(replace(c, type=type) if c.name in key.columns and len(key.columns) == 1 else c for c in table.columns)
            table = replace(table, columns=columns)
        case 6:
            changed = replace(key, other_than=None if key.other_than else draw(st.sampled_from([f.columns[0] for f in table.foreign_keys])))
        case _:
            column = f"{key.columns[0]}_too"
            added = replace(table.column(key.columns[0]), name=column, generate=None)
            more = ForeignKey((column,), key.table, key.target)
            return (
                replace(table, columns=(*table.columns, added), foreign_keys=(*table.foreign_keys, more))
                if not table.has(column)
                else table
            )
    return replace(table, foreign_keys=tuple(changed if f == key else f for f in table.foreign_keys))


def _edit_rows(draw: Any, table: Table, schema: Schema) -> Table:
    rows = table.rows
    match draw(st.integers(0, 3)):
        case 0:
            return replace(
                table, rows=replace(rows, count=(rows.count or 3) + draw(st.integers(1, 9)), fixed=not rows.fixed) if not rows.per else rows
            )
        case 1:
            return replace(table, rows=replace(rows, each=draw(st.sampled_from(_EACH))) if rows.per else Rows(17))
        case 2:
            return replace(table, rows=replace(rows, total=draw(st.sampled_from([None, 40, 60]))) if rows.per else rows)
    parents = sorted({f.table for f in table.foreign_keys} - {table.name})
    return replace(table, rows=Rows(per=draw(st.sampled_from(parents)), each=draw(st.sampled_from(_EACH)))) if parents else table


def _edit_keys(draw: Any, table: Table, schema: Schema) -> Table:
    names = [c.name for c in table.columns]
    some = tuple(draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True)))
    match draw(st.integers(0, 3)):
        case 0:
            return replace(table, unique=(*table.unique, Unique(some)))
        case 1:
            return replace(table, unique=table.unique[1:])
        case 2:
            return replace(table, indexes=(*table.indexes, Index(some, unique=draw(st.booleans()))))
    return replace(table, key=draw(st.sampled_from([(), some])))


def _edit_words(draw: Any, table: Table, schema: Schema) -> Table:
    match draw(st.integers(0, 3)):
        case 0:
            return replace(table, comment="Somebody")
        case 1:
            return replace(table, checks=(Check("1 = 1"),), indexes=(Index((table.columns[0].name,)),))
        case 2:
            return replace(table, columns=tuple(replace(c, data_class="sensitive", comment="so") for c in table.columns))
    follows = [f.columns[0] for f in table.foreign_keys]
    return replace(table, locale=draw(st.sampled_from([None, *_LOCALES, *follows])))
