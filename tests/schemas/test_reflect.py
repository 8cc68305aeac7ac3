"""Reflection: real databases become schema files that build as they are, and nothing of their data comes along."""

from __future__ import annotations

import re
import sqlite3
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

import bundles
import datagen
import provisioning
from schemas.errors import InputError, SystemFailure
from schemas.reader import parse_schema
from schemas.reflect import reflect
from schemas.writer import to_yaml
from tests.schemas.reflecting import column_of, reflected

SHARED = Path(__file__).parents[2] / "../shared/data/chinook"

NASTY = r"""
CREATE SCHEMA sales; CREATE SCHEMA "Odd Schema";
CREATE TYPE mood AS ENUM ('sad','ok','happy');
CREATE DOMAIN email AS text CHECK (VALUE ~ '^[a-z]{3,8}@[a-z]{3,8}\.com$');
CREATE DOMAIN positive AS numeric(10,2) CHECK (VALUE > 0);
CREATE TABLE customers (id serial PRIMARY KEY, email email UNIQUE NOT NULL, first_name varchar(30) NOT NULL, mood mood NOT NULL DEFAULT 'ok', balance positive, tags text[], prefs jsonb, born date CHECK (born < '2010-01-01'), status text NOT NULL CHECK (status IN ('a','b','c')), code char(3) CHECK (code ~ '^[A-Z]{3}$'), created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz, CHECK (updated_at >= created_at), gross numeric(12,2) NOT NULL, net numeric(12,2) NOT NULL, CHECK (gross >= net AND net >= 0), vat numeric(12,2) GENERATED ALWAYS AS (gross - net) STORED);
COMMENT ON TABLE customers IS 'People who buy'; COMMENT ON COLUMN customers.email IS 'where to write';
CREATE TABLE sales.orders (id bigint GENERATED ALWAYS AS IDENTITY, region text NOT NULL, customer_id int NOT NULL REFERENCES customers(id) ON DELETE CASCADE, customer_email text REFERENCES customers(email), placed_at timestamp NOT NULL, shipped_at timestamp, qty int NOT NULL CHECK (qty BETWEEN 1 AND 9), pct real CHECK (pct >= 0 AND pct <= 1), note varchar(5), u uuid UNIQUE NOT NULL DEFAULT gen_random_uuid(), dur interval, b bytea, PRIMARY KEY (id, region), CHECK (length(note) = 5), CHECK (shipped_at > placed_at));
CREATE TABLE sales.lines (order_id bigint NOT NULL, region text NOT NULL, line_no smallint NOT NULL, price numeric(8,2) NOT NULL CHECK (price > 0), PRIMARY KEY (order_id, region, line_no), FOREIGN KEY (order_id, region) REFERENCES sales.orders(id, region));
CREATE TABLE a (id int PRIMARY KEY, b_id int NOT NULL); CREATE TABLE b (id int PRIMARY KEY, a_id int NOT NULL REFERENCES a(id), c_id int NOT NULL); CREATE TABLE c (id int PRIMARY KEY, b_id int NOT NULL REFERENCES b(id), self int NOT NULL REFERENCES c(id));
ALTER TABLE a ADD FOREIGN KEY (b_id) REFERENCES b(id); ALTER TABLE b ADD FOREIGN KEY (c_id) REFERENCES c(id);
CREATE TABLE "Odd Schema"."we""ird 🚀" ("select" int PRIMARY KEY, "näme" text UNIQUE NOT NULL, parent int REFERENCES "Odd Schema"."we""ird 🚀"("select"));
CREATE TABLE m (at date NOT NULL, v int) PARTITION BY RANGE (at); CREATE TABLE m1 PARTITION OF m FOR VALUES FROM ('2020-01-01') TO ('2030-01-01');
CREATE TABLE currency (code char(3) PRIMARY KEY, name text UNIQUE NOT NULL); CREATE TABLE flag (is_on boolean PRIMARY KEY);
CREATE TABLE ym (y int NOT NULL CHECK (y BETWEEN 2020 AND 2025), mth int NOT NULL CHECK (mth BETWEEN 1 AND 12), v numeric, UNIQUE (y, mth));
CREATE TABLE tag (name text, customer_id int REFERENCES customers, PRIMARY KEY (name, customer_id));
CREATE TABLE profile (customer_id int PRIMARY KEY REFERENCES customers(id), bio text);
CREATE VIEW v AS SELECT 1; CREATE MATERIALIZED VIEW mv AS SELECT 1 x;
CREATE UNIQUE INDEX part ON customers(first_name) WHERE mood='ok'; CREATE INDEX lowe ON customers(lower(first_name)); CREATE INDEX ON sales.orders(placed_at);
INSERT INTO customers(email,first_name,balance,status,created_at,gross,net) SELECT substr('abcdefgh',1,3+i%5)||'@'||chr(97+i/26)||chr(97+i%26)||'xx.com','S'||i,1,'a',now(),2,1 FROM generate_series(1,20) i;
INSERT INTO sales.orders(region,customer_id,placed_at,qty,note) SELECT 'eu',1,now(),1,'12345' FROM generate_series(1,50);
INSERT INTO sales.lines SELECT id,region,1,5 FROM sales.orders;
INSERT INTO currency VALUES ('EUR','Euro'),('USD','Dollar'); INSERT INTO flag VALUES (true),(false); INSERT INTO ym SELECT 2020+i/12,1+i%12,1 FROM generate_series(0,29) i; INSERT INTO tag SELECT 't'||i,1 FROM generate_series(1,9) i; INSERT INTO profile SELECT i,'x' FROM generate_series(1,5) i; INSERT INTO m VALUES ('2021-01-01',1);
BEGIN; ALTER TABLE a DISABLE TRIGGER ALL; ALTER TABLE b DISABLE TRIGGER ALL; ALTER TABLE c DISABLE TRIGGER ALL; INSERT INTO a SELECT i,i FROM generate_series(1,5) i;INSERT INTO b SELECT i,i,i FROM generate_series(1,5) i;INSERT INTO c SELECT i,i,i FROM generate_series(1,5) i; ALTER TABLE a ENABLE TRIGGER ALL; ALTER TABLE b ENABLE TRIGGER ALL; ALTER TABLE c ENABLE TRIGGER ALL; COMMIT;
INSERT INTO "Odd Schema"."we""ird 🚀" VALUES (1,'x',NULL),(2,'y',1);
"""

SHOP = """
CREATE TABLE Customer (CustomerId INTEGER PRIMARY KEY, FirstName NVARCHAR(40) NOT NULL, Email NVARCHAR(60) NOT NULL UNIQUE,
  Country CHAR(2), Joined DATETIME NOT NULL, Credit NUMERIC(10,2) CHECK (Credit >= 0),
  Vip BOOLEAN NOT NULL DEFAULT 0 CHECK (Vip IN (0, 1)));
CREATE TABLE "Order" (OrderId INTEGER PRIMARY KEY, CustomerId INTEGER NOT NULL REFERENCES Customer, Status TEXT NOT NULL
  CHECK (Status IN ('open', 'paid')), Placed DATE NOT NULL, Due DATE NOT NULL, Total REAL, CHECK (Due >= Placed));
CREATE TABLE Line (OrderId INTEGER NOT NULL REFERENCES "Order"(OrderId), No INTEGER NOT NULL, Sku VARCHAR(8) NOT NULL,
  Qty INTEGER NOT NULL CHECK (Qty > 0 AND Qty < 10), PRIMARY KEY (OrderId, No));
CREATE UNIQUE INDEX once ON Line (Sku) WHERE Qty = 1;
CREATE VIEW Big AS SELECT * FROM "Order";
CREATE TRIGGER t AFTER INSERT ON Line BEGIN SELECT 1; END;
INSERT INTO Customer VALUES (1, 'Zebulon', 'zebulon@secret.example', 'DE', '2020-01-01 00:00:00', 5, 1), (2, 'Q', 'q@x', NULL, '2020-01-01 00:00:00', 5, 1);
INSERT INTO "Order" VALUES (7, 1, 'open', '2020-01-01', '2020-01-02', 1.5), (8, 1, 'paid', '2020-01-01', '2020-01-02', 1.5);
INSERT INTO Line VALUES (7, 1, 'SECRET1', 2), (7, 2, 'S', 2), (8, 1, 'T', 3);
"""


@pytest.fixture
def nasty(postgres_url):
    import psycopg

    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(NASTY)
    return postgres_url


@pytest.fixture
def shop(tmp_path):
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as database:
        database.executescript(SHOP)
    return f"sqlite:///{path}"


def rebuilt(url: str, store: Path, scale: int = 10) -> bundles.Bundle:
    """Reflect, write, read, build and verify."""
    found = reflect(url)
    text = to_yaml(found.schema, found.notes)
    schema = parse_schema(text, "reflected.yaml")
    assert schema == found.schema
    made = bundles.build(datagen.source(schema, scale=scale), store=store, tag="reflected:v1")
    report = bundles.verify(made)
    assert report.ok, report.problems
    for table in schema.tables:
        assert made.tables[table.name].rows == (table.rows.count or 0) * (1 if table.rows.fixed else scale)
    return made


def test_a_sqlite_database_becomes_a_schema_with_all_its_constraints(shop):
    schema = reflect(shop).schema
    customer, order, line = schema.table("Customer"), schema.table("Order"), schema.table("Line")
    assert customer.key == ("CustomerId",)
    assert [u.columns for u in customer.unique] == [("Email",)]
    assert str(customer.column("Email").type) == "varchar(60)"
    assert str(customer.column("Joined").type) == "timestamp"
    assert order.foreign_keys[0].table == "Customer"
    assert order.foreign_keys[0].target == ("CustomerId",)
    assert line.key == ("OrderId", "No")
    assert schema.table("Customer").rows.count == 2
    assert {c.sql for c in order.checks} == {"Status IN ('open', 'paid')", "Due >= Placed"}


def test_generators_are_proposed_from_names_types_and_checks(shop):
    schema = reflect(shop).schema
    recipes = {c.name: c.generate for t in schema.tables for c in t.columns if c.generate}
    assert recipes["FirstName"].name == "person.first_name"
    assert recipes["Email"].name == "person.email"
    assert recipes["Country"].name == "address.country_code"
    assert recipes["Status"].args["values"] == (("open", 1), ("paid", 1))
    assert recipes["Due"].name == "after"
    assert recipes["Qty"].args["range"] == (1, 9)
    assert schema.table("Customer").column("Email").data_class == "personal"


def test_what_cannot_be_said_is_noted_at_its_place(shop):
    notes = reflect(shop).notes
    assert any("view Big" in n for n in notes[()])
    assert any("unique index once is partial" in n for n in notes["Line",])
    assert any("trigger t" in n for n in notes["Line",])


DETAILS = """
CREATE TABLE people (id int GENERATED ALWAYS AS IDENTITY (START WITH 1000 INCREMENT BY 5) PRIMARY KEY, name text COLLATE "C" NOT NULL,
  badge int UNIQUE NULLS NOT DISTINCT, desk int UNIQUE DEFERRABLE, tags text[]);
CREATE TABLE bosses (car text) INHERITS (people);
CREATE TABLE stays (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, during tsrange NOT NULL, EXCLUDE USING gist (during WITH &&));
CREATE INDEX by_tag ON people USING gin (tags); CREATE INDEX late ON people (desk DESC NULLS LAST) INCLUDE (badge);
CREATE INDEX like_names ON people (name text_pattern_ops); CREATE INDEX plain ON people (name);
"""


def test_details_of_indexes_constraints_and_columns_are_noted_not_dropped_in_silence(postgres_url):
    import psycopg

    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(DETAILS)
    found = reflect(postgres_url)
    assert found.notes["people",] == [
        "unique (badge) says nulls not distinct, which is left out",
        "index by_tag says using gin, which is left out",
        "index late says include (badge), desk desc nulls last, which is left out",
        "index like_names says ops name text_pattern_ops, which is left out",
        "DEFERRABLE of people_desk_key is left out",
    ]
    assert found.notes["people", "id"] == ["its identity says always, start 1000, increment 5, which is left out"]
    assert found.notes["people", "name"] == ["its collation C is left out"]
    assert "inheritance from people is left out" in found.notes["bosses",]
    assert found.notes["stays",] == ["exclusion constraint stays_during_excl is left out"]
    assert not found.schema.table("stays").indexes
    assert ("stays", "id") not in found.notes
    assert [i.name for i in found.schema.table("people").indexes] == ["by_tag", "late", "like_names", "plain"]


@pytest.mark.parametrize(
    ("name", "recipe"),
    [
        ("full_name", "person.name"),
        ("FullName", "person.name"),
        ("lname", "person.last_name"),
        ("staff_name", "person.name"),
        ("staff_uuid", "uuid4"),
    ],
)
def test_a_proposal_takes_words_of_a_name_and_not_what_two_of_them_make_together(tmp_path, name, recipe):
    with sqlite3.connect(tmp_path / "one.db") as database:
        database.execute(f"CREATE TABLE staff (id INTEGER PRIMARY KEY, {name} TEXT NOT NULL)")
    column = reflect(f"sqlite:///{tmp_path / 'one.db'}").schema.table("staff").column(name)
    assert column.generate is not None
    assert column.generate.name == recipe


def test_no_value_of_the_source_enters_the_file(shop, nasty):
    for url, secrets in ((shop, ("Zebulon", "zebulon", "SECRET1")), (nasty, ("S17", "axx.com", "Euro"))):
        found = reflect(url)
        text = to_yaml(found.schema, found.notes)
        assert not [s for s in secrets if s in text]


def test_nothing_but_catalogues_and_counts_is_read(shop, nasty):
    said: list[str] = []

    def listen(connection, cursor, statement, parameters, context, executemany):
        said.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", listen)
    try:
        for url in (shop, nasty):
            reflect(url)
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", listen)
    of_tables = [s for s in said if re.search(r"FROM\s+(\"?(Customer|Order|Line)\b|public\.|sales\.)", s)]
    assert len(of_tables) >= 15
    assert all(re.match(r"SELECT count\(\*\) AS count_1 \nFROM", s) for s in of_tables), of_tables
    assert not [s for s in said if re.match(r"\s*(INSERT|UPDATE|DELETE|CREATE|DROP|ALTER)", s)]


@pytest.mark.parametrize("target", ["duckdb", "sqlite", "postgresql"])
def test_a_reflected_sqlite_database_builds_tenfold_and_loads(shop, tmp_path, target, postgres_url):
    made = rebuilt(shop, tmp_path / "store")
    url = postgres_url if target == "postgresql" else f"{target}:///{tmp_path}/loaded.{target}"
    assert provisioning.load(made, url).content_digest == made.content_digest


def test_a_postgresql_database_with_everything_builds_tenfold_and_loads(nasty, tmp_path, postgres):
    import psycopg

    made = rebuilt(nasty, tmp_path / "store")
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS again")
        connection.execute("CREATE DATABASE again")
    again = postgres.replace("/postgres?", "/again?")
    for url in (again, f"duckdb:///{tmp_path}/a.duckdb", f"sqlite:///{tmp_path}/a.sqlite"):
        assert provisioning.load(made, url).content_digest == made.content_digest
    second = reflect(again).schema
    first = reflect(nasty).schema
    assert [t.name for t in second.tables] == [t.name for t in first.tables]
    for table in first.tables:
        copy = second.table(table.name)
        assert [(c.name, str(c.type), c.nullable, c.identity) for c in copy.columns] == [
            (c.name, str(c.type), c.nullable, c.identity) for c in table.columns
        ]
        assert copy.key == table.key
        assert {u.columns for u in copy.unique} == {u.columns for u in table.unique}
        assert {(f.columns, f.table, f.target) for f in copy.foreign_keys} == {(f.columns, f.table, f.target) for f in table.foreign_keys}
        assert len(copy.checks) == len(table.checks)
        assert copy.comment == table.comment


def test_postgresql_schemas_domains_enums_partitions_and_computed_columns_are_understood(nasty):
    found = reflect(nasty)
    schema = found.schema
    assert {"sales.orders", "sales.lines", "customers", 'Odd Schema.we"ird 🚀'} <= {t.name for t in schema.tables}
    assert "m1" not in {t.name for t in schema.tables}
    assert any("partitioned by RANGE" in n for n in found.notes["m",])
    customers = schema.table("customers")
    assert str(customers.column("balance").type) == "numeric(10,2)"
    assert customers.column("vat").computed is not None
    assert customers.column("id").identity
    assert schema.enums["mood"] == ("sad", "ok", "happy")
    assert schema.table("sales.lines").foreign_keys[0].columns == ("order_id", "region")
    assert any("view v is left out" in n for n in found.notes[()])
    assert any("says ondelete CASCADE" in n for n in found.notes["sales.orders",])


@pytest.mark.skipif(not SHARED.exists(), reason="the sample database is not there")
@pytest.mark.parametrize("source", ["sqlite", "postgresql"])
def test_chinook_builds_tenfold_and_loads_everywhere(source, tmp_path, postgres_url, postgres):
    import psycopg

    if source == "sqlite":
        url = f"sqlite:///{(SHARED / 'chinook.sqlite').resolve()}"
    else:
        script = (SHARED / "chinook_postgres.sql").read_text("utf-8")
        kept = [line for line in script.splitlines() if not re.match(r"(DROP|CREATE) DATABASE|\\c", line)]
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute("\n".join(kept))
        url = postgres_url
    made = rebuilt(url, tmp_path / "store")
    assert sum(t.rows for t in made.tables.values()) == 156_070
    name = f"target_{source}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}")
        connection.execute(f"CREATE DATABASE {name}")
    for target in (f"sqlite:///{tmp_path}/a.sqlite", f"duckdb:///{tmp_path}/a.duckdb", postgres.replace("/postgres?", f"/{name}?")):
        receipt = provisioning.load(made, target)
        assert receipt.content_digest == made.content_digest
        assert not receipt.not_enforced


@pytest.mark.parametrize(
    ("url", "error", "words"),
    [
        ("not a url", InputError, "no database URL"),
        ("sqlite:///nowhere.db", InputError, "no such database file"),
        ("sqlite:////", InputError, "/ is a folder; name a database file in it"),
        ("sqlite://", InputError, "needs a file"),
        ("duckdb:///x.db", InputError, "DuckDB"),
        ("nosuch://x/y", InputError, "nosuch"),
        ("mysql+nosuch://someone:hunter2@h/y", InputError, "mysql"),
        ("postgresql://someone:hunter2@127.0.0.1:1/x?connect_timeout=1", SystemFailure, "127.0.0.1"),
    ],
)
def test_databases_that_cannot_be_read_are_named_without_their_passwords(url, error, words):
    with pytest.raises(error, match=words) as found:
        reflect(url)
    assert "hunter2" not in str(found.value)


def test_a_file_that_is_no_database_and_one_without_tables_are_refused(tmp_path):
    (tmp_path / "x.db").write_text("this is not a database, although it is quite long" * 30)
    with pytest.raises(InputError, match="x.db' is no SQLite database"):
        reflect(f"sqlite:///{tmp_path}/x.db")
    sqlite3.connect(tmp_path / "empty.db").close()
    (tmp_path / "empty.db").touch()
    with pytest.raises(InputError, match="no tables"):
        reflect(f"sqlite:///{tmp_path}/empty.db")


def test_numerics_of_many_decimals_are_reflected_so_that_they_build(tmp_path):
    path = tmp_path / "wide.db"
    with sqlite3.connect(path) as database:
        database.execute(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, wei numeric(38,18) NOT NULL, part numeric(38,38) NOT NULL, price numeric(36,18) NOT NULL,"
            " bound numeric(38,20) NOT NULL CHECK (bound >= 0 AND bound <= 1000))"
        )
        database.executemany("INSERT INTO t VALUES (?, 1, 0.5, ?, 1)", [(i, i) for i in range(20)])
    database.close()
    assert rebuilt(f"sqlite:///{path}", tmp_path / "store").tables["t"].rows == 200


@pytest.mark.parametrize(
    "columns",
    [
        "id integer primary key, a integer not null, b integer not null, check (a = b)",
        "id integer primary key, a integer not null, check (id = a)",
        "id integer primary key, a integer not null unique, b integer, check (b = a)",
        "id integer primary key, a text not null, b text not null check (b in ('x', 'y')), check (b = a)",
        "id integer primary key, a varchar(50) not null, b varchar(5) not null, check (a = b)",
        "id integer primary key, a integer not null, b integer not null check (b < 10), check (a = b)",
        "id integer primary key, a numeric(12,4) not null, b numeric(10,2) not null, check (a = b)",
        "id integer primary key, a integer not null, b integer not null, c integer not null, check (a = b), check (b = c), check (c = a)",
        "id integer primary key, a integer, b integer, check (a is b)",
        "id integer primary key, a integer not null references p (id), b integer not null, check (b = a)",
    ],
)
def test_columns_that_checks_hold_to_be_equal_build(tmp_path, columns):
    with sqlite3.connect(tmp_path / "equal.sqlite") as connection:
        connection.execute("create table p (id integer primary key)")
        connection.executemany("insert into p values (?)", [(i,) for i in range(9)])
        connection.execute(f"create table t ({columns})")
    text = to_yaml(reflect(f"sqlite:///{tmp_path / 'equal.sqlite'}").schema).replace("rows: 0", "rows: 40")
    bundle = bundles.build(datagen.source(parse_schema(text)), store=tmp_path / "store", tag="equal:v1")
    assert bundles.verify(bundles.open("equal:v1", tmp_path / "store")).ok and bundle.tables["t"].rows == 40


def test_columns_that_must_be_equal_and_cannot_both_lead_are_noted(tmp_path):
    with sqlite3.connect(tmp_path / "equal.sqlite") as connection:
        connection.execute("create table t (id integer primary key, a integer not null unique, b integer not null unique, check (a = b))")
    notes = [said for all_of_place in reflect(f"sqlite:///{tmp_path / 'equal.sqlite'}").notes.values() for said in all_of_place]
    assert any("nothing is proposed for the check (a = b)" in said for said in notes)


def test_the_text_key_of_an_empty_table_has_room_for_rows(tmp_path):
    path = tmp_path / "a.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE users (code TEXT PRIMARY KEY)")
    database.close()
    found = reflect(f"sqlite:///{path}")
    schema = parse_schema(to_yaml(found.schema, found.notes).replace("rows: 0", "rows: 1000"))
    assert bundles.build(datagen.source(schema), store=tmp_path / "store").tables["users"].rows == 1000


@pytest.mark.parametrize(
    ("table", "column", "recipe"),
    [
        ("clients", "name", "company.name"),
        ("tbl_client_2024", "legal_name", "company.name"),
        ("dhcp4_client_class", "name", "words"),
        ("client", "boot_file_name", "words"),
        ("user_roles", "name", "words"),
        ("user_posts", "title", "words"),
        ("employee_data", "title", "person.job"),
        ("customer_details", "display_name", "person.name"),
        ("order_items", "name", "product.name"),
    ],
)
def test_names_are_proposed_by_what_the_rows_of_a_table_are_and_not_by_any_word_of_its_name(tmp_path, table, column, recipe):
    found = reflected(tmp_path, f"CREATE TABLE {table}(id INTEGER PRIMARY KEY, {column} VARCHAR(128) NOT NULL);")
    assert column_of(found, table, column).generate.name == recipe


@pytest.mark.parametrize(
    ("url", "module", "package"),
    [
        ("mysql://u@h/d", "MySQLdb", "mysqlclient"),
        ("mysql+pymysql://u@h/d", "pymysql", "pymysql"),
        ("postgresql://u@h/d", "psycopg", "'companyos-data[postgres]'"),
        ("postgresql+psycopg2://u@h/d", "psycopg2", "psycopg2"),
    ],
)
def test_a_driver_that_is_missing_is_told_with_its_package(url: str, module: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InputError) as caught:
        reflect(url)
    assert str(caught.value).endswith(f"is not installed; pip install {package}")
