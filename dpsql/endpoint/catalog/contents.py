"""What stands in the catalogs: the schema's tables, columns, keys and comments, PostgreSQL's types, and nothing of the data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dpsql.endpoint.session_settings import OTHERS, REPORTED
from dpsql.endpoint.wire_types import ARRAYS, OF_KIND, SCALARS, TEXT, WireType
from schemas.model import Column, Schema, Table
from schemas.types import SqlType

Row = dict[str, Any]
FIRST_OID = 16_384  # PostgreSQL's first one for what is not its own
PER_TABLE = 2_048  # numbers for the table itself, its type and its constraints, so that a longer schema moves no number of its tables
OWNER = 10
DATABASE = 5
HEAP, BTREE = 2, 403
ARRAY_IN, ARRAY_RECEIVE = 750, 2400  # the functions by which drivers tell arrays
PUBLIC = 2200
NAMESPACES = {"pg_catalog": 11, "public": PUBLIC, "information_schema": 13_000}
CLASSES = {"pg_class": 1259, "pg_type": 1247, "pg_attribute": 1249, "pg_proc": 1255, "pg_namespace": 2615, "pg_constraint": 2606,
           "pg_database": 1262, "pg_attrdef": 2604, "pg_index": 2610, "pg_description": 2609, "pg_authid": 1260}  # fmt: skip
_SQL_NAMES = {"bool": "boolean", "int2": "smallint", "int4": "integer", "int8": "bigint", "float4": "real", "float8": "double precision",
              "varchar": "character varying", "bpchar": "character", "timestamp": "timestamp without time zone",
              "timestamptz": "timestamp with time zone", "time": "time without time zone"}  # fmt: skip
ALIGNMENT = {1: "c", 2: "s", 4: "i", 8: "d"}


def contents(schema: Schema, database: str) -> Iterator[tuple[str, list[Row]]]:
    """Yield the rows of each catalog relation that has any, under its full name."""
    spaces = {**NAMESPACES}
    for table in schema.tables:
        spaces.setdefault(_split(table.name)[0], 13_100 + len(spaces))
    yield "pg_catalog.pg_namespace", [{"oid": o, "nspname": n, "nspowner": OWNER} for n, o in spaces.items()]
    yield "information_schema.schemata", [{"catalog_name": database, "schema_name": n, "schema_owner": "companyos"} for n in spaces]
    yield "pg_catalog.pg_database", [_database(database)]
    roles = {"rolname": "companyos", "rolsuper": False, "rolinherit": True, "rolcreaterole": False, "rolcreatedb": False,
             "rolcanlogin": False, "rolreplication": False, "rolconnlimit": -1, "rolbypassrls": False, "oid": OWNER}  # fmt: skip
    yield "pg_catalog.pg_roles", [roles]
    yield "pg_catalog.pg_user", [{"usename": "companyos", "usesysid": OWNER, "usecreatedb": False, "usesuper": False}]
    yield "pg_catalog.pg_am", [{"oid": HEAP, "amname": "heap", "amtype": "t"}, {"oid": BTREE, "amname": "btree", "amtype": "i"}]
    yield "pg_catalog.pg_tablespace", [{"oid": 1663, "spcname": "pg_default", "spcowner": OWNER}]
    yield "pg_catalog.pg_collation", [{"oid": 100, "collname": "default", "collnamespace": 11, "collencoding": -1, "collprovider": "d"}]
    yield "pg_catalog.pg_type", [*(_type(t) for t in (*SCALARS, *ARRAYS)), *(_row_type(schema, n, spaces) for n in _names(schema))]
    functions = ((ARRAY_IN, "array_in"), (ARRAY_RECEIVE, "array_recv"))
    yield "pg_catalog.pg_proc", [{"oid": o, "proname": n, "pronamespace": 11, "proowner": OWNER, "prokind": "f"} for o, n in functions]
    settings = [{"name": n, "setting": v, "category": "", "context": "user", "vartype": "string"} for n, v in (REPORTED | OTHERS).items()]
    yield "pg_catalog.pg_settings", settings
    classes: list[Row] = []
    attributes: list[Row] = []
    indexes: list[Row] = []
    constraints: list[Row] = []
    described: list[Row] = []
    for table in schema.tables:
        number = oid_of(schema, table.name)
        classes.append(_class(table, number, spaces))
        attributes += [_attribute(column, number, n) for n, column in enumerate(table.stored_columns, 1)]
        described += _described(table, number)
        for name, columns, primary, at in _keys(table, number):
            places = [_place(table, c) for c in columns]
            classes.append(_index_class(name, at, table, spaces, len(columns)))
            attributes += [{**_attribute(table.column(c), at, n), "attname": c} for n, c in enumerate(columns, 1)]
            indexes.append(_index(at, number, places, primary))
            constraints.append(_constraint(name, at + 1, number, "p" if primary else "u", places, spaces, table, index=at))
        constraints += _foreign(schema, table, number, spaces)
    yield "pg_catalog.pg_class", classes
    yield "pg_catalog.pg_attribute", attributes
    yield "pg_catalog.pg_index", indexes
    yield "pg_catalog.pg_constraint", constraints
    yield "pg_catalog.pg_description", described
    yield "pg_catalog.pg_tables", [_listed(t) for t in schema.tables]
    yield from _information(schema, database)
    yield from _looked_up(schema, classes, attributes, constraints, described, spaces)


def oid_of(schema: Schema, table: str) -> int:
    """The number of a table, from its place in the schema."""
    return FIRST_OID + PER_TABLE * _names(schema).index(table)


def type_of(kind: SqlType) -> tuple[WireType, int]:
    """The type of a column and its modifier, -1 for none."""
    if kind.kind == "array" and kind.item is not None:
        item, modifier = type_of(kind.item)
        return next(a for a in ARRAYS if a.item == item), modifier
    found = OF_KIND.get(kind.kind, TEXT)
    if kind.kind == "numeric" and kind.precision is not None:
        return found, (kind.precision << 16 | (kind.scale or 0)) + 4
    return found, kind.length + 4 if kind.length is not None else -1


def _names(schema: Schema) -> list[str]:
    return [t.name for t in schema.tables]


def _split(name: str) -> tuple[str, str]:
    space, _, table = name.rpartition(".")
    return space or "public", table


def _place(table: Table, column: str) -> int:
    return [c.name for c in table.stored_columns].index(column) + 1


def _database(name: str) -> Row:
    return {"oid": DATABASE, "datname": name, "datdba": OWNER, "encoding": 6, "datlocprovider": "c", "datistemplate": False,
            "datallowconn": True, "datconnlimit": -1, "dattablespace": 1663, "datcollate": "C", "datctype": "C"}  # fmt: skip


def _type(kind: WireType) -> Row:
    return {
        "oid": kind.oid, "typname": kind.name, "typnamespace": 11, "typowner": OWNER, "typlen": kind.size,
        "typbyval": kind.size in ALIGNMENT, "typtype": "p" if kind.name == "unknown" else "b", "typcategory": kind.category,
        "typispreferred": kind.name in ("bool", "text", "float8", "oid", "timestamptz", "interval"), "typisdefined": True, "typdelim": ",",
        "typrelid": 0, "typelem": 0 if kind.item is None else kind.item.oid, "typarray": kind.array,
        "typinput": ARRAY_IN if kind.item else 0, "typoutput": 0, "typreceive": ARRAY_RECEIVE if kind.item else 0, "typsend": 0,
        "typalign": ALIGNMENT.get(kind.size, "i"), "typstorage": "p" if kind.size > 0 else "x",
        "typnotnull": False, "typbasetype": 0, "typtypmod": -1, "typndims": 0, "typcollation": 100 if kind.category == "S" else 0,
    }  # fmt: skip


def _row_type(schema: Schema, table: str, spaces: dict[str, int]) -> Row:
    space, name = _split(table)
    number = oid_of(schema, table)
    made = {**_type(TEXT), "oid": number + 1, "typname": name, "typnamespace": spaces[space], "typtype": "c", "typcategory": "C"}
    return {**made, "typispreferred": False, "typrelid": number, "typarray": 0, "typcollation": 0}


def _class(table: Table, number: int, spaces: dict[str, int], triggers: bool = True) -> Row:
    """A table's row; PostgreSQL holds foreign keys by triggers, and psql asks for the keys only where it sees some."""
    space, name = _split(table.name)
    return {
        "oid": number, "relname": name, "relnamespace": spaces[space], "reltype": number + 1, "reloftype": 0, "relowner": OWNER,
        "relam": HEAP, "relfilenode": 0, "reltablespace": 0, "relpages": 0, "reltuples": -1, "relallvisible": 0, "reltoastrelid": 0,
        "relhasindex": bool(list(_keys(table, number))), "relisshared": False, "relpersistence": "p", "relkind": "r",
        "relnatts": len(table.stored_columns), "relchecks": 0, "relhasrules": False, "relhastriggers": triggers, "relhassubclass": False,
        "relrowsecurity": False, "relforcerowsecurity": False, "relispopulated": True, "relreplident": "d", "relispartition": False,
        "relrewrite": 0,
    }  # fmt: skip


def _index_class(name: str, number: int, table: Table, spaces: dict[str, int], width: int) -> Row:
    made = _class(table, number, spaces, triggers=False)
    return {**made, "relname": name, "reltype": 0, "relam": BTREE, "relkind": "i", "relhasindex": False, "relnatts": width}


def _attribute(column: Column, number: int, place: int) -> Row:
    kind, modifier = type_of(column.type)
    return {
        "attrelid": number, "attname": column.name, "atttypid": kind.oid, "attlen": kind.size, "attnum": place, "atttypmod": modifier,
        "attndims": 0 if kind.item is None else 1, "attbyval": kind.size in ALIGNMENT, "attalign": ALIGNMENT.get(kind.size, "i"),
        "attstorage": "p" if kind.size > 0 else "x", "attcompression": "", "attnotnull": not column.nullable, "atthasdef": False,
        "atthasmissing": False, "attidentity": "", "attgenerated": "", "attisdropped": False, "attislocal": True, "attinhcount": 0,
        "attcollation": 100 if kind.category == "S" else 0,
    }  # fmt: skip


def _described(table: Table, number: int) -> Iterator[Row]:
    found = [(0, table.comment), *((n, c.comment) for n, c in enumerate(table.stored_columns, 1))]
    for place, comment in found:
        if comment:
            yield {"objoid": number, "classoid": CLASSES["pg_class"], "objsubid": place, "description": comment}


def _keys(table: Table, number: int) -> Iterator[tuple[str, tuple[str, ...], bool, int]]:
    """The primary and unique keys of a table: name, columns, whether primary, and number of the index."""
    stored = {c.name for c in table.stored_columns}
    base = _split(table.name)[1]
    if table.key and stored.issuperset(table.key):
        yield f"{base}_pkey", table.key, True, number + 2
    at = number + 4
    for unique in table.unique:
        if stored.issuperset(unique.columns):
            yield unique.name or f"{base}_{'_'.join(unique.columns)}_key", unique.columns, False, at
            at += 2


def _index(at: int, number: int, places: list[int], primary: bool) -> Row:
    return {
        "indexrelid": at, "indrelid": number, "indnatts": len(places), "indnkeyatts": len(places), "indisunique": True,
        "indnullsnotdistinct": False, "indisprimary": primary, "indisexclusion": False, "indimmediate": True, "indisclustered": False,
        "indisvalid": True, "indcheckxmin": False, "indisready": True, "indislive": True, "indisreplident": False, "indkey": places,
        "indcollation": [0] * len(places), "indclass": [0] * len(places), "indoption": [0] * len(places),
    }  # fmt: skip


def _constraint(
    name: str, at: int, number: int, kind: str, places: list[int], spaces: dict[str, int], table: Table, *, index: int = 0
) -> Row:
    return {
        "oid": at, "conname": name, "connamespace": spaces[_split(table.name)[0]], "contype": kind, "condeferrable": False,
        "condeferred": False, "conenforced": True, "convalidated": True, "conrelid": number, "contypid": 0, "conindid": index,
        "conparentid": 0, "confrelid": 0, "confupdtype": " ", "confdeltype": " ", "confmatchtype": " ", "conislocal": True,
        "coninhcount": 0, "connoinherit": True, "conkey": places, "confkey": None,
    }  # fmt: skip


def _foreign(schema: Schema, table: Table, number: int, spaces: dict[str, int]) -> Iterator[Row]:
    stored = {c.name for c in table.stored_columns}
    base = _split(table.name)[1]
    for n, key in enumerate(table.foreign_keys):
        if not stored.issuperset(key.columns):
            continue
        name = key.name or f"{base}_{'_'.join(key.columns)}_fkey"
        places = [_place(table, c) for c in key.columns]
        made = _constraint(name, number + PER_TABLE // 2 + n, number, "f", places, spaces, table)
        target: list[int] = [_place(schema.table(key.table), c) for c in key.target]
        far = oid_of(schema, key.table)
        index = next((at for _, its, _, at in _keys(schema.table(key.table), far) if set(its) == set(key.target)), 0)
        yield {**made, "confrelid": far, "conindid": index, "confkey": target, "confupdtype": "a", "confdeltype": "a",
               "confmatchtype": "s"}  # fmt: skip


def _looked_up(
    schema: Schema, classes: list[Row], attributes: list[Row], constraints: list[Row], described: list[Row], spaces: dict[str, int]
) -> Iterator[tuple[str, list[Row]]]:
    """What the functions over the catalogs look up."""
    names = {o: n for n, o in spaces.items()}
    shown = {c["oid"]: _qualified(names[c["relnamespace"]], c["relname"]) for c in classes}
    yield "own_classes", [{"own_oid": c["oid"], "own_name": c["relname"], "own_shown": shown[c["oid"]]} for c in classes]
    types = [{"own_oid": t.oid, "own_name": t.name, "own_shown": type_name(t)} for t in (*SCALARS, *ARRAYS)]
    yield "own_types", [*types, *({"own_oid": oid_of(schema, n) + 1, "own_name": n, "own_shown": n} for n in _names(schema))]
    yield "own_spaces", [{"own_oid": o, "own_name": n} for n, o in spaces.items()]
    columns = {(a["attrelid"], a["attnum"]): a["attname"] for a in attributes}
    yield "own_columns", [{"own_oid": o, "own_place": n, "own_text": name} for (o, n), name in columns.items()]
    yield "own_comments", [{"own_oid": d["objoid"], "own_place": d["objsubid"], "own_text": d["description"]} for d in described]
    definitions: list[Row] = []
    for one in constraints:
        its = ", ".join(columns[one["conrelid"], n] for n in one["conkey"])
        text = {"p": f"PRIMARY KEY ({its})", "u": f"UNIQUE ({its})"}.get(one["contype"])
        if text is None:
            far = ", ".join(columns[one["confrelid"], n] for n in one["confkey"])
            text = f"FOREIGN KEY ({its}) REFERENCES {shown[one['confrelid']]}({far})"
        else:
            index = f"CREATE UNIQUE INDEX {one['conname']} ON {shown[one['conrelid']]} USING btree ({its})"
            definitions.append({"own_oid": one["conindid"], "own_text": index})
        definitions.append({"own_oid": one["oid"], "own_text": text})
    yield "own_definitions", definitions


def type_name(kind: WireType) -> str:
    """The name of a type as SQL writes it."""
    return _SQL_NAMES.get(kind.name, kind.name) if kind.item is None else f"{type_name(kind.item)}[]"


def _qualified(space: str, name: str) -> str:
    return name if space == "public" else f"{space}.{name}"


def _listed(table: Table) -> Row:
    space, name = _split(table.name)
    return {"schemaname": space, "tablename": name, "tableowner": "companyos", "hasindexes": bool(table.key), "hasrules": False,
            "hastriggers": False, "rowsecurity": False}  # fmt: skip


def _information(schema: Schema, database: str) -> Iterator[tuple[str, list[Row]]]:
    tables: list[Row] = []
    columns: list[Row] = []
    constraints: list[Row] = []
    used: list[Row] = []
    targets: list[Row] = []
    for table in schema.tables:
        space, name = _split(table.name)
        here = {"table_catalog": database, "table_schema": space, "table_name": name}
        tables.append({**here, "table_type": "BASE TABLE", "is_insertable_into": "NO", "is_typed": "NO"})
        columns += [{**here, **_column(c, database, n)} for n, c in enumerate(table.stored_columns, 1)]
        keys = [(n, c, "PRIMARY KEY" if primary else "UNIQUE") for n, c, primary, _ in _keys(table, 0)]
        foreign = list(_foreign(schema, table, 0, {space: 0}))
        keys += [(f["conname"], tuple(table.stored_columns[p - 1].name for p in f["conkey"]), "FOREIGN KEY") for f in foreign]
        for constraint, its, kind in keys:
            of = {"constraint_catalog": database, "constraint_schema": space, "constraint_name": constraint}
            constraints.append(
                {**here, **of, "constraint_type": kind, "is_deferrable": "NO", "initially_deferred": "NO", "enforced": "YES"}
            )
            used += [{**here, **of, "column_name": c, "ordinal_position": n} for n, c in enumerate(its, 1)]
            if kind != "FOREIGN KEY":
                targets += [{**here, **of, "column_name": c} for c in its]
        for key, made in zip([k for k in table.foreign_keys if table.has(k.columns[0])], foreign, strict=False):
            far_space, far = _split(key.table)
            of = {"constraint_catalog": database, "constraint_schema": space, "constraint_name": made["conname"]}
            there = {"table_catalog": database, "table_schema": far_space, "table_name": far}
            targets += [{**there, **of, "column_name": c} for c in key.target]
    yield "information_schema.tables", tables
    yield "information_schema.columns", columns
    yield "information_schema.table_constraints", constraints
    yield "information_schema.key_column_usage", used
    yield "information_schema.constraint_column_usage", targets


def _column(column: Column, database: str, place: int) -> Row:
    kind, _ = type_of(column.type)
    digits = {"int2": (16, 2, 0), "int4": (32, 2, 0), "int8": (64, 2, 0), "float4": (24, 2, None), "float8": (53, 2, None),
              "numeric": (column.type.precision, 10, column.type.scale)}.get(kind.name, (None, None, None))  # fmt: skip
    return {
        "column_name": column.name, "ordinal_position": place, "is_nullable": "YES" if column.nullable else "NO",
        "data_type": "ARRAY" if kind.item else type_name(kind), "character_maximum_length": column.type.length,
        "numeric_precision": digits[0], "numeric_precision_radix": digits[1], "numeric_scale": digits[2],
        "datetime_precision": 6 if kind.name.startswith("time") else 0 if kind.name == "date" else None, "udt_catalog": database,
        "udt_schema": "pg_catalog", "udt_name": kind.name, "dtd_identifier": str(place), "is_self_referencing": "NO", "is_identity": "NO",
        "identity_cycle": "NO", "is_generated": "NEVER", "is_updatable": "NO",
    }  # fmt: skip
