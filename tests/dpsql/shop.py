"""A small shop whose privacy unit is the user: its declaration, and rows for DuckDB and PostgreSQL."""

from __future__ import annotations

import datetime
import random
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from dpsql.declaration import Declaration, declare
from schemas import parse_schema
from schemas.privacy import ColumnPrivacy, Privacy

SCHEMA = """
schema: shop
seed: 1
tables:
  plans:
    rows: {fixed: 3}
    columns:
      id:    {type: integer, key: true}
      name:  {type: text, unique: true, generate: {list: [free, pro, team]}}
      price: {type: "numeric(8,2)", generate: {uniform: [0, 90]}}
  products:
    rows: {fixed: 6}
    columns:
      id:       {type: integer, key: true}
      title:    {type: text, generate: {list: [anvil, bolt, cog, drill, easel, file]}}
      category: {type: text, check: "category IN ('tools', 'parts')", generate: {choice: {tools: 1, parts: 1}}}
  users:
    rows: 60
    columns:
      id:         {type: bigint, key: true}
      name:       {type: text, generate: person.name}
      plan_id:    {references: plans.id, null: 0.1}
      country:    {type: text, null: 0.1, generate: {choice: {DE: 1, FR: 1, JP: 1}}}
      city:       {type: text, generate: {choice: {Berlin: 1, Paris: 1, Tokyo: 1}}}
      age:        {type: integer, null: 0.1, check: "age BETWEEN 0 AND 120", generate: {uniform: [18, 90]}}
      score:      {type: double, null: 0.1, generate: {uniform: [-5, 5]}}
      balance:    {type: "numeric(12,2)", generate: {uniform: [-500, 500]}}
      active:     {type: boolean, generate: {choice: {true: 1, false: 1}}}
      born:       {type: date, null: 0.1, generate: {between: [1950-01-01, 2005-12-31]}}
      created_at: {type: timestamp, generate: {between: [2023-01-01, 2024-12-31]}}
      visits:     {type: integer, generate: {uniform: [0, 1000]}}
      invited_by: {references: users.id, null: 0.5}
  orders:
    rows: {per: users, count: {poisson: 5}}
    columns:
      id:        {type: bigint, key: true}
      user_id:   {references: users.id}
      status:    {type: text, check: "status IN ('open', 'paid', 'void')", generate: {choice: {open: 1, paid: 1, void: 1}}}
      total:     {type: "numeric(10,2)", null: 0.1, generate: {uniform: [0, 1000]}}
      discount:  {type: "numeric(3,2)", generate: {uniform: [0, 1]}}
      placed_at: {type: timestamp, generate: {between: [2024-01-01, 2024-12-31]}}
      shipped:   {type: date, null: 0.3, generate: {between: [2024-01-01, 2025-01-31]}}
      note:      {type: text, null: 0.5, generate: {choice: {gift: 1, "leave at door": 1}}}
      weight:    {type: double, null: 0.1, generate: {uniform: [0, 50]}}
      parcels:   {type: integer, generate: {uniform: [1, 5]}}
  items:
    rows: {per: orders, count: {poisson: 2}}
    columns:
      order_id:   {references: orders.id}
      line:       {type: integer, generate: {uniform: [1, 9]}}
      product_id: {references: products.id}
      quantity:   {type: integer, generate: {uniform: [1, 9]}}
      price:      {type: "numeric(10,2)", generate: {uniform: [0, 100]}}
    key: [order_id, line]
  events:
    rows: 400
    columns:
      id:      {type: bigint, key: true}
      user_id: {references: users.id, null: 0.1}
      kind:    {type: text, generate: {choice: {view: 1, click: 1}}}
      happened: {type: timestamptz, generate: {between: [2024-01-01, 2024-12-31]}}
      value:   {type: double, null: 0.1, generate: {uniform: [0, 1]}}
      flag:    {type: boolean, null: 0.1, generate: {choice: {true: 1, false: 1}}}
  profiles:
    rows: 50
    columns:
      user_id: {references: users.id, unique: true}
      bio:     {type: text, generate: person.name}
      height:  {type: integer, generate: {uniform: [120, 220]}}
    key: [user_id]
  audit:
    rows: 5
    columns:
      id:   {type: bigint, key: true}
      what: {type: text, generate: {list: [a, b]}}
privacy: {unit: users.id}
"""

PRIVACY = Privacy(
    "users.id",
    public=("plans", "products"),
    columns={
        "users.country": ColumnPrivacy(values=("DE", "FR", "JP")),
        "users.score": ColumnPrivacy((Decimal(-5), Decimal(5))),
        "users.balance": ColumnPrivacy((Decimal(-500), Decimal(500))),
        "users.born": ColumnPrivacy((datetime.date(1950, 1, 1), datetime.date(2005, 12, 31))),
        "users.created_at": ColumnPrivacy((datetime.datetime(2023, 1, 1), datetime.datetime(2024, 12, 31, 23, 59, 59))),
        "orders.total": ColumnPrivacy((0, 1000)),
        "orders.discount": ColumnPrivacy((0, 1)),
        "orders.placed_at": ColumnPrivacy((datetime.datetime(2024, 1, 1), datetime.datetime(2024, 12, 31, 23, 59, 59))),
        "orders.shipped": ColumnPrivacy((datetime.date(2024, 1, 1), datetime.date(2025, 1, 31))),
        "orders.weight": ColumnPrivacy((Decimal(0), Decimal(50))),
        "orders.parcels": ColumnPrivacy((1, 5)),
        "items.quantity": ColumnPrivacy((1, 9)),
        "items.price": ColumnPrivacy((0, 100)),
        "events.value": ColumnPrivacy((Decimal(0), Decimal(1))),
        "events.kind": ColumnPrivacy(values=("view", "click", "buy")),
        "profiles.height": ColumnPrivacy((120, 220)),
    },
)


def shop() -> Declaration:
    """The declaration of the shop: `users.city`, `users.visits` and the texts have neither bounds nor closed values."""
    return declare(parse_schema(SCHEMA, "shop.yaml"), PRIVACY)


def rows() -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    """The rows of every table, parents first, the same each time."""
    draw = random.Random(7)

    def maybe(value: Any, share: float = 0.1) -> Any:
        return None if draw.random() < share else value

    def cents(low: int, high: int) -> Decimal:
        return Decimal(draw.randint(low * 100, high * 100)) / 100

    def moment(year: int, years: int = 1) -> datetime.datetime:
        return datetime.datetime(year, 1, 1) + datetime.timedelta(seconds=draw.randrange(365 * years * 86400))

    def day(year: int, days: int) -> datetime.date:
        return datetime.date(year, 1, 1) + datetime.timedelta(days=draw.randrange(days))

    yield "plans", [(1, "free", Decimal("0.00")), (2, "pro", Decimal("29.50")), (3, "team", Decimal("90.00"))]
    products = ["anvil", "bolt", "cog", "drill", "easel", "file"]
    yield "products", [(n, title, ("tools", "parts")[n % 2]) for n, title in enumerate(products, 1)]
    yield (
        "users",
        [
            (
                n, f"name {n}", maybe(draw.randint(1, 3)), maybe(draw.choice(["DE", "FR", "JP"])), draw.choice(["Berlin", "Paris", "Tokyo"]),
                maybe(draw.randint(18, 90)), maybe(draw.randint(-20480, 20480) / 4096), cents(-500, 500), draw.random() < 0.6,
                maybe(day(1950, 20000)), moment(2023, 2), draw.randint(0, 1000), maybe(draw.randint(1, n - 1), 0.5) if n > 1 else None,
            )
            for n in range(1, 61)
        ],
    )  # fmt: skip
    orders = [
        (
            n, draw.randint(1, 55), draw.choice(["open", "paid", "void"]), maybe(cents(0, 1000)), Decimal(draw.randint(0, 100)) / 100,
            moment(2024), maybe(day(2024, 390), 0.3), maybe(draw.choice(["gift", "leave at door"]), 0.5), maybe(draw.randint(0, 51200) / 1024),
            draw.randint(1, 5),
        )
        for n in range(1, 301)
    ]  # fmt: skip
    yield "orders", orders
    yield (
        "items",
        [
            (order[0], line, draw.randint(1, 6), draw.randint(1, 9), cents(0, 100))
            for order in orders
            for line in range(1, draw.randint(0, 4) + 1)
        ],
    )
    yield (
        "events",
        [
            (
                n, maybe(draw.randint(1, 58)), draw.choice(["view", "click"]), moment(2024).replace(tzinfo=datetime.UTC),
                maybe(draw.randint(0, 1024) / 1024), maybe(draw.random() < 0.5),
            )
            for n in range(1, 401)
        ],
    )  # fmt: skip
    yield "profiles", [(n, f"bio {n}", draw.randint(120, 220)) for n in range(1, 51)]
    yield "audit", [(n, "a") for n in range(1, 6)]


def inserts(marker: str) -> Iterator[tuple[str, Sequence[tuple[Any, ...]]]]:
    """Statements that insert the rows, with `marker` for each value."""
    for table, values in rows():
        yield f"INSERT INTO {table} VALUES ({', '.join([marker] * len(values[0]))})", values
