"""A small shop with scenarios, for tests of them."""

from __future__ import annotations

import polars as pl
import pyarrow as pa

import datagen
from datagen import SyntheticSource
from schemas.reader import parse_schema

TABLES = """schema: shop
seed: 42
anchor: 2026-01-01T00:00:00Z
tables:
  tenants:
    rows: 300
    columns:
      id:         {type: uuid, key: true}
      spent:      {type: "numeric(12,2)", generate: {sum: orders.total}}
      n:          {type: integer, generate: {count: orders}}
      last_at:    {type: timestamptz, null: 0, generate: {latest: orders.at}}
      created_at: {type: timestamptz, generate: {between: [-3y, -1y]}}
  users:
    rows: {per: tenants, count: {poisson: 4, min: 1}}
    columns:
      id:        {type: bigint, key: true}
      tenant_id: {references: tenants.id}
      status:    {type: text, generate: {choice: [active, idle]}}
      note:      {type: text, null: 0.3, generate: {template: "{status} in {tenant_id.n} orders"}}
      orders:    {type: integer, generate: {count: orders}}
  shops:
    rows: 40
    columns:
      id: {type: integer, key: true}
  orders:
    rows: {per: tenants, count: {poisson: 6}}
    columns:
      id:        {type: bigint, key: true, generate: {sequence: {gaps: 8}}}
      tenant_id: {references: tenants.id}
      user_id:   {references: users.id, within: tenant_id}
      shop_id:   {references: shops.id, skew: 1.1}
      number:    {type: varchar(20), unique: true, generate: {template: "ORD-{id:08}"}}
      token:     {type: text, unique: true, generate: {internet.token: 20}}
      serial:    {type: text, unique: true, generate: {sequence: {start: 1000, step: 3, gaps: 16, format: "S{n:012}"}}}
      ref:       {type: uuid, unique: true, generate: {uuid7: at}}
      place:     {type: integer, generate: ordinal}
      status:    {type: text, generate: {choice: [paid, open]}}
      total:     {type: "numeric(12,2)", generate: {sum: lines.amount}}
      at:        {type: timestamptz, generate: {after: tenant_id.created_at, within: 1y}}
  lines:
    rows: {per: orders, count: {poisson: 3, min: 1}}
    key: [order_id, line]
    columns:
      order_id: {references: orders.id}
      line:     {type: integer, generate: ordinal}
      amount:   {type: "numeric(12,2)", generate: {uniform: [1, 100]}}
  visits:
    rows: {per: users, count: {poisson: 5}}
    columns:
      id:      {type: bigint, key: true, generate: {sequence: {gaps: 4}}}
      user_id: {references: users.id}
      at:      {type: timestamptz, generate: {after: users.tenant_id.created_at, within: 1y}}
"""

BURST = """
  burst:
    subjects: users
    where: status = 'active'
    share: 0.08
    near_miss: 0.08
    at: {after: tenant_id.created_at, within: 300d}
    set:
      orders: {where: "status = 'paid'", phase: taken, columns: {status: {template: "lost-{was.status}-{episode.place}"}}}
    add:
      orders:
        count: {uniform: [3, 6]}
        phase: burst
        columns:
          status: {constant: stolen}
          at: {after: episode.at, within: 10m}
      lines: {per: new orders, count: 2, columns: {amount: {constant: 0.5}}}
    near:
      add:
        orders:
          count: {uniform: [3, 6]}
          columns:
            status: {constant: stolen}
            at: {expression: "episode.at + (episode.place + 1) * INTERVAL '5 days'"}
        lines: {per: new orders, count: 2, columns: {amount: {constant: 0.5}}}
"""

LOGINS = """
  logins:
    subjects: tenants
    share: 0.3
    set:
      users: {pick: 2, phase: picked, columns: {status: {constant: locked}}}
      orders: {where: "status = 'paid'", columns: {status: {constant: held}}}
    add:
      visits:
        - {per: users, pick: 1, phase: one, count: {uniform: [2, 9]}, columns: {at: {after: episode.at, within: 1h}}}
        - {per: users, phase: each}
"""

SHOP = TABLES + "scenarios:" + BURST + LOGINS


def shop(text: str = SHOP, *, scale: float = 1.0, **scenarios: float | None) -> SyntheticSource:
    """The shop, with other shares of its scenarios where they are given."""
    return datagen.source(parse_schema(text, "shop.yaml"), scale=scale, scenarios=scenarios)


def frame(source: SyntheticSource, table: str) -> pl.DataFrame:
    """All rows of a table, in the order of the source."""
    rows = source.read(table).read_all()
    return pl.DataFrame({name: pl.from_arrow(_plain(rows.column(name))) for name in rows.column_names})


def _plain(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """uuids as their 16 bytes."""
    if isinstance(values.type, pa.BaseExtensionType):
        return pa.chunked_array([chunk.storage for chunk in values.chunks], values.type.storage_type)
    return values
