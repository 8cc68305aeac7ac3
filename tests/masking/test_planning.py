"""A policy is proposed for a whole source: unsure is masked, keys stay together, and nothing raw is in it."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from hashlib import md5, sha1, sha256
from pathlib import Path
from uuid import UUID

import pyarrow as pa
import pytest

from masking import MaskedSource, open_source
from masking.agreement import agree
from masking.binding import bind
from masking.classify import Finding
from masking.discovery import betraying
from masking.errors import SourceFailure
from masking.keys import read_key
from masking.planning import plan
from masking.policy.model import Step
from masking.policy.reader import parse_policy
from masking.policy.writer import policy_yaml
from masking.review import prices, review_notes
from masking.sampling import sample
from masking.transformers.base import Rows
from schemas.model import Column, Schema, Table
from schemas.model import Rows as RowCount
from schemas.types import SqlType
from tests.masking.memory_source import MemorySource

SCHEMA = """
schema: crm
tables:
  users:
    rows: 10
    columns:
      id: {type: bigint, key: true}
      email: {type: text, unique: true, generate: person.email}
      name: {type: text, generate: person.name}
      born_on: {type: date, generate: {between: [1950-01-01, 2000-01-01]}}
      plan: {type: text, generate: {choice: [free, pro]}}
      tags: {type: "text[]", generate: {array: words, count: 2}}
      settings: {type: json, generate: {json: {a: words}}}
  orders:
    rows: 10
    columns:
      id: {type: bigint, key: true}
      user_id: {references: users.id}
      total: {type: "numeric(10,2)", generate: {uniform: [0, 9]}}
  comments:
    rows: 10
    columns:
      id: {type: bigint, key: true}
      owner_type: {type: text, generate: {choice: [user, bot]}}
      owner_id: {type: bigint, generate: sequence}
      job: {type: text, generate: words}
"""
GIVEN = ["Anna", "Bernd", "Carla", "David", "Emma", "Felix", "Greta", "Hugo", "Irene", "Jonas"]
FAMILY = ["Kowalski", "Schneider", "Moreau", "Rossi", "Novak", "Garcia", "Jansen", "Silva", "Weber", "Fischer"]


def name_of(i: int) -> str:
    return f"{GIVEN[i % 10]} {FAMILY[i // 10 % 10]}"


def email_of(i: int) -> str:
    return f"{GIVEN[i % 10]}.{FAMILY[i // 10 % 10]}{i}@post{i % 7}.example".lower()


@pytest.fixture(scope="module")
def source() -> MemorySource:
    import datetime

    users = [
        {
            "id": 1000 + 7 * i,
            "email": email_of(i),
            "name": name_of(i),
            "born_on": datetime.date(1950 + i % 50, 1 + i % 12, 1 + i % 28),
            "plan": ["free", "pro"][i % 2],
            "tags": ["new", "beta"],
            "settings": json.dumps({"user": {"id": 1000 + 7 * i}, "contact": {"email": email_of(i)}, "theme": ["dark", "light"][i % 2]}),
        }
        for i in range(200)
    ]
    orders = [{"id": i, "user_id": 1000 + 7 * (i % 200), "total": None} for i in range(400)]
    comments = [
        {
            "id": i,
            "owner_type": ["user", "bot"][i % 2],
            "owner_id": 1000 + 7 * (i % 200) if i % 2 == 0 else i,
            "job": f"export-{i:05d}" if i % 30 else f"export-{i:05d}-{name_of(i // 30).replace(' ', '-').lower()}",
        }
        for i in range(300)
    ]
    return MemorySource.of(SCHEMA, users=users, orders=orders, comments=comments)


@pytest.fixture(scope="module")
def policy(source):
    return plan(source)


def test_a_proposed_policy_reads_back_agrees_and_binds(source, policy) -> None:
    written = parse_policy(policy_yaml(policy, review_notes(policy, prices(source.schema, policy))))
    assert written == policy
    family = agree(source.schema, written)
    bind(source.schema, written, family, read_key("ephemeral"), source.count, None)


def test_persons_are_found_and_masked_as_what_they_are(policy) -> None:
    users = policy.tables["users"].columns
    assert (users["email"].entity, users["email"].mask) == ("email", Step("email"))
    assert (users["name"].entity, users["name"].mask) == ("person_name", Step("name"))
    assert users["born_on"].mask.name == "shift"
    assert users["plan"].mask == Step("keep")
    assert policy.tables["users"].subject == ("id",)
    assert policy.tables["orders"].subject == ("user_id",)


def test_a_key_is_masked_at_home_and_referenced_elsewhere(policy) -> None:
    assert policy.tables["users"].columns["id"].mask.name == "hash"
    assert policy.tables["orders"].columns["user_id"].mask == Step("reference")


@pytest.mark.parametrize("archive", ["users_archive", "users_2023", "users_old"])
def test_a_person_has_one_number_in_a_table_and_in_its_archive(archive: str) -> None:
    people = [{"id": 1000 + 7 * i, "email": email_of(i)} for i in range(60)]
    columns = "{rows: 9, columns: {id: {type: bigint, key: true}, email: {type: text, generate: person.email}}}"
    schema = f"schema: crm\ntables:\n  users: {columns}\n  {archive}: {columns}\n  users_x: {columns}\n"
    source = MemorySource.of(schema, **{"users": people, archive: people[::-1], "users_x": people})
    planned = parse_policy(policy_yaml(plan(source)))
    masked = MaskedSource(source, planned, read_key("ephemeral"))
    masked.prepare()
    live, archived, other = (set(masked.read(name).read_all().column("id").to_pylist()) for name in ("users", archive, "users_x"))
    assert live == archived and live != other and live != {person["id"] for person in people}


def test_a_column_that_counts_users_is_no_reference_to_them_though_its_numbers_are_keys() -> None:
    people = [{"id": i + 1, "email": email_of(i)} for i in range(60)]
    teams = [{"id": i + 1, "user_count": 1 + i % 30, "user_no": 1 + i % 30} for i in range(60)]
    columns = "{id: {type: bigint, key: true}, email: {type: text, generate: person.email}}"
    counted = "{id: {type: bigint, key: true}, user_count: {type: bigint, generate: sequence}, user_no: {type: bigint, generate: sequence}}"
    schema = f"schema: crm\ntables:\n  users: {{rows: 9, columns: {columns}}}\n  teams: {{rows: 9, columns: {counted}}}\n"
    planned = plan(MemorySource.of(schema, users=people, teams=teams))
    assert [(r.table, r.columns) for r in planned.references] == [("teams", ("user_no",))]
    assert planned.tables["teams"].columns["user_count"].mask == Step("keep")


@pytest.mark.parametrize("word", ["limit", "total"])
def test_a_number_of_a_person_whose_name_has_a_word_for_amounts_is_a_reference(word: str) -> None:
    people = [{"id": i + 1, "email": email_of(i)} for i in range(60)]
    teams = [{"id": i + 1, f"{word}_user_id": 1 + i % 30, f"user_{word}": 1 + i % 30} for i in range(60)]
    columns = "{id: {type: bigint, key: true}, email: {type: text, generate: person.email}}"
    named = f"{{id: {{type: bigint, key: true}}, {word}_user_id: {{type: bigint, generate: sequence}}, user_{word}: {{type: bigint, generate: sequence}}}}"
    schema = f"schema: crm\ntables:\n  users: {{rows: 9, columns: {columns}}}\n  teams: {{rows: 9, columns: {named}}}\n"
    planned = plan(MemorySource.of(schema, users=people, teams=teams))
    assert [(r.table, r.columns) for r in planned.references] == [("teams", (f"{word}_user_id",))]
    assert planned.tables["teams"].columns[f"user_{word}"].mask == Step("keep")


def test_uuids_of_persons_are_references_whatever_they_are_called() -> None:
    schema = """
schema: crm
tables:
  users:
    rows: 9
    columns:
      id: {type: uuid, key: true}
      email: {type: text, generate: person.email}
  customers:
    rows: 9
    columns:
      id: {type: uuid, key: true}
      phone: {type: text, generate: phone.number}
  notes:
    rows: 9
    columns:
      id: {type: bigint, key: true}
      assignee: {type: uuid, generate: uuid4}
      customer: {type: uuid, generate: uuid4}
      thing: {type: uuid, generate: uuid4}
      doc: {type: json, generate: {json: {by: words}}}
"""
    uuids = [UUID(int=random.Random(i).getrandbits(128), version=4) for i in range(60)]
    users = [{"id": u.bytes, "email": email_of(i)} for i, u in enumerate(uuids[:30])]
    customers = [{"id": u.bytes, "phone": f"+49 30 {1000000 + 731 * i}"} for i, u in enumerate(uuids[:30])]
    notes = [
        {"id": i, "assignee": uuids[i % 30].bytes, "customer": uuids[i % 30].bytes, "thing": uuids[30 + i % 30].bytes,
         "doc": json.dumps({"by": str(uuids[i % 30])})}
        for i in range(60)
    ]  # fmt: skip
    planned = plan(MemorySource.of(schema, users=users, customers=customers, notes=notes))
    assert [(r.columns, r.path, r.target_table) for r in planned.references] == [
        (("assignee",), None, "users"),
        (("customer",), None, "customers"),
        (("doc",), "$.by", "users"),
    ]
    assert planned.tables["notes"].columns["thing"].mask == Step("keep")


def test_references_that_nobody_declared_are_proposed(policy) -> None:
    found = {(r.table, r.columns[0], r.path, r.when): r.target_table for r in policy.references}
    assert found == {("users", "settings", "$.user.id", None): "users", ("comments", "owner_id", None, "owner_type = 'user'"): "users"}
    assert policy.tables["users"].columns["settings"].paths["$.user.id"].mask == Step("reference")


def test_the_keys_of_an_audit_of_many_tables_are_those_of_the_table_that_it_names() -> None:
    schema = """
schema: clinic
tables:
  patients:
    rows: 10
    columns:
      id: {type: bigint, key: true}
      name: {type: text, generate: person.name}
  audit:
    rows: 10
    columns:
      no: {type: bigint, key: true}
      table_name: {type: text, generate: {choice: [patients, wards]}}
      row_key: {type: text, generate: {choice: ["1"]}}
      status: {type: text, generate: {choice: [patients]}}
      shelf_key: {type: text, generate: {choice: ["1"]}}
"""
    patients = [{"id": 1000 + 3 * i, "name": name_of(i)} for i in range(100)]
    audit = [
        {"no": i, "table_name": ["patients", "wards"][i % 2], "row_key": str(1000 + 3 * i if i % 2 == 0 else i), "status": "patients", "shelf_key": str(1000 + 3 * i)}
        for i in range(100)
    ]  # fmt: skip
    policy = plan(MemorySource.of(schema, patients=patients, audit=audit))
    found = [(r.table, r.columns, r.target_table, r.when) for r in policy.references]
    assert found == [("audit", ("row_key",), "patients", "table_name = 'patients'")]
    assert policy.tables["audit"].columns["row_key"].mask.name not in ("keep", "reference")  # those of other tables are masked, too


def test_a_public_column_that_repeats_personal_values_is_so_no_longer(source) -> None:
    samples = {table.name: sample(source, table.name, 1000) for table in source.schema.tables}
    public = Finding("public", None, 0.9, ("a code",))
    found = {(t.name, c.name): public for t in source.schema.tables for c in t.stored_columns}
    found["users", "name"] = Finding("direct", "person_name", 0.9, ("a name",))
    told = betraying(found, samples, source.schema)
    assert ("comments", "job") in told
    assert ("users", "plan") not in told
    assert told["comments", "job"].klass == "free_text"
    assert told["comments", "job"].evidence[0] == "10 of 300 different values hold values of personal columns"


def test_a_family_name_of_a_full_name_betrays_a_text_a_path_of_documents_and_the_items_of_arrays() -> None:
    families = ["Quellhaubner", "Brzoskovdor", "Vandermeinzel", "Osterkulin"]
    tables = (
        Table("people", (Column("name", SqlType("text")),), RowCount(1)),
        Table("tickets", tuple(Column(c, SqlType(t)) for c, t in (("subject", "text"), ("state", "text"), ("data", "json"))), RowCount(1)),
        Table("teams", tuple(Column(c, SqlType("array", item=SqlType("text"))) for c in ("members", "tags")), RowCount(1)),
    )
    rows = [(f"Re: invoice {f} {i}", "Young", json.dumps({"file": f"{i}_{f}.jpg", "kind": "scan"})) for i, f in enumerate(families)]
    samples = {
        "people": pa.table({"name": [f"Rose Young {f}" for f in families]}),
        "tickets": pa.table([list(column) for column in zip(*rows)], names=["subject", "state", "data"]),
        "teams": pa.table({"members": [[f, None] for f in families], "tags": [["Young"], None, [], ["a"]]}),
    }
    public = Finding("public", None, 0.9, ("harmless",))
    found = {("people", "name"): Finding("direct", "person_name", 0.9, ("a name",))}
    found |= {("tickets", "subject"): public, ("tickets", "state"): public}
    found["tickets", "data"] = replace(public, paths={"$.file": public, "$.kind": public})
    found |= {("teams", c): replace(public, paths={"$[*]": public}) for c in ("members", "tags")}
    told = betraying(found, samples, Schema("s", tables))
    assert told.keys() == {
        ("tickets", "subject"),
        ("tickets", "data"),
        ("teams", "members"),
    }  # words of the dictionary are other rules' business
    assert told["tickets", "subject"].evidence[0] == "4 of 4 different values hold values of personal columns"
    assert {path: finding.klass for path, finding in told["tickets", "data"].paths.items()} == {"$.file": "free_text", "$.kind": "public"}


@pytest.mark.parametrize(
    ("table", "column", "kind", "called", "few"),
    [
        ("products", "name", "{} shelf {}", 5, True),
        ("products", "product_name", "{} shelf {}", 5, True),
        ("products", "name", "{} shelf {}", 6, False),  # too many for names of things
        ("tickets", "subject", "{} shelf {}", 5, False),  # what people write
        ("files", "file_name", "{}_shelf_{}.pdf", 5, False),
        ("products", "name", "{}@mail.example shelf {}", 5, False),  # no names
    ],
)
def test_names_of_things_of_which_some_are_called_as_persons_lose_these_alone(
    table: str, column: str, kind: str, called: int, few: bool
) -> None:
    families = ["Quellhaubner", "Brzoskovdor", "Vandermeinzel", "Osterkulin", "Trondbakke", "Ellerkamp"]
    people = {"family": families, "mail": [f"{f}@mail.example" for f in families]}
    tables = (
        Table("people", tuple(Column(c, SqlType("text")) for c in people), RowCount(1)),
        Table(table, (Column(column, SqlType("text")),), RowCount(1)),
    )
    things = [kind.format(families[i] if i < called else "oak", i) for i in range(100)]
    samples = {"people": pa.table(people), table: pa.table({column: things})}
    found = {
        ("people", "family"): Finding("direct", "family_name", 0.9, ("a name",)),
        ("people", "mail"): Finding("direct", "email", 0.9, ("",)),
    }
    found[table, column] = Finding("public", None, 0.7, ("made of common words",))
    assert betraying(found, samples, Schema("s", tables))[table, column].few is few


def test_initials_that_are_somebodys_name_are_masked_whole_all_the_same() -> None:
    tables = tuple(Table(name, (Column("c", SqlType("text")),), RowCount(1)) for name in ("people", "notes"))
    samples = {"people": pa.table({"c": ["Quell", "Osterkulin"]}), "notes": pa.table({"c": ["AB", "Osterkulin", "KM"]})}
    found = {("people", "c"): Finding("direct", "family_name", 0.9, ("a name",))}
    initials = Finding("public", None, 0.7, ("its name reads as initials",))
    assert betraying({**found, ("notes", "c"): initials}, samples, Schema("s", tables))[("notes", "c")].few
    assert not betraying({**found, ("notes", "c"): replace(initials, faint=True)}, samples, Schema("s", tables))


def test_a_column_or_path_that_mostly_has_values_of_a_personal_column_is_what_that_is() -> None:
    cities = ["Uelzen", "Gronau", "Lingen", "Chaplygin", "Meppen", "Northeim"]
    tables = (
        Table("people", (Column("city", SqlType("text")),), RowCount(1)),
        Table("audit", tuple(Column(c, SqlType(t)) for c, t in (("place", "text"), ("document", "json"))), RowCount(1)),
    )
    there = [*cities, "Vechta"]
    samples = {
        "people": pa.table({"city": cities}),
        "audit": pa.table({"place": there, "document": [json.dumps({"city": c}) for c in there]}),
    }
    public = Finding("public", None, 0.9, ("harmless",))
    found = {("people", "city"): Finding("quasi", "city", 0.9, ("a city",)), ("audit", "place"): public}
    found["audit", "document"] = replace(public, paths={"$.city": public})
    told = betraying(found, samples, Schema("s", tables))
    for finding in (told["audit", "place"], told["audit", "document"].paths["$.city"]):
        assert (finding.klass, finding.entity) == ("quasi", "city")
        assert finding.evidence[0] == "6 of 7 different values are values of personal columns"


def test_unkeyed_digests_of_personal_values_betray_what_they_stand_in() -> None:
    mails = [email_of(i) for i in range(30)]
    tables = (
        Table("people", tuple(Column(c, SqlType("text")) for c in ("mail", "tel")), RowCount(1)),
        Table("posts", tuple(Column(c, SqlType(t)) for c, t in (*dict.fromkeys(("face", "picture", "tel", "etag", "mixed"), "text").items(), ("doc", "json"))), RowCount(1)),
    )  # fmt: skip
    numbers = [f"+49 30 {1000000 + 731 * i}" for i in range(30)]
    faces = [md5(mail.encode()).hexdigest() for mail in mails]
    samples = {
        "people": pa.table({"mail": [mail.title() for mail in mails], "tel": numbers}),
        "posts": pa.table(
            {
                "face": faces,
                "picture": [f"https://img.example/avatar/{face}?s=80" for face in faces],
                "tel": [sha256(number.replace(" ", "").encode()).hexdigest() for number in numbers],
                "etag": [md5(f"page {i}".encode()).hexdigest() for i in range(30)],
                "mixed": [faces[0], *(md5(f"page {i}".encode()).hexdigest() for i in range(29))],
                "doc": [json.dumps({"by": sha1(mail.encode()).hexdigest()}) for mail in mails],
            }
        ),
    }
    public = Finding("public", None, 0.9, ("harmless",))
    found = {("posts", c): public for c in ("face", "picture", "tel", "etag", "mixed")}
    found |= {("posts", "doc"): replace(public, paths={"$.by": public})}
    found |= {("people", "mail"): Finding("direct", "email", 0.9, ("mail",)), ("people", "tel"): Finding("direct", "phone", 0.9, ("tel",))}
    told = betraying(found, samples, Schema("s", tables))
    assert {place[1]: finding.entity for place, finding in told.items()} == {
        "face": "secret",
        "picture": "text",
        "tel": "secret",
        "mixed": "text",
        "doc": "text",
    }
    assert not told["posts", "mixed"].few  # nobody knows digests when the source is masked
    assert told["posts", "doc"].paths["$.by"].entity == "secret"


def test_texts_of_which_each_has_a_form_of_its_own_are_hashed_where_a_code_would_tell_which_it_was() -> None:
    schema = """
schema: s
tables:
  customers:
    rows: 10
    columns:
      id: {type: text, key: true, generate: words}
      badge: {type: text, unique: true, generate: words}
      doc: {type: json, generate: {json: {device_id: words}}}
"""
    ids = [f"{random.Random(i).randbytes(6).hex()}" for i in range(60)]
    rows = [{"id": id, "badge": f"AB-{i:05d}", "doc": json.dumps({"device_id": id[::-1]})} for i, id in enumerate(ids)]
    columns = plan(MemorySource.of(schema, customers=rows)).tables["customers"].columns
    assert columns["id"].mask == Step("hash")
    assert columns["badge"].mask == Step("code")  # all are of one form, which tells nobody
    assert columns["doc"].paths["$.device_id"].mask == Step("hash")


def test_no_value_of_the_source_is_in_the_policy(source, policy) -> None:
    text = policy_yaml(policy, review_notes(policy, prices(source.schema, policy)))
    assert not [v for i in range(200) for v in (name_of(i), email_of(i)) if v in text]


def test_a_search_is_priced_for_every_hashed_column(source, policy) -> None:
    priced = {price.column: price for price in prices(source.schema, policy)}
    assert {"users.id", "orders.user_id"} <= set(priced)
    assert not any(price.warning for price in priced.values())


def test_a_key_that_lives_long_over_small_domains_is_warned_of(source, policy) -> None:
    warned = [price for price in prices(source.schema, replace(policy, key="env:MASKING_KEY")) if price.warning]
    assert any(price.column == "users.id" for price in warned)
    assert all("MASKING_KEY" not in str(price.warning) for price in warned)


def test_documents_have_a_domain_of_their_own_whatever_one_path_holds() -> None:
    rows = [{"id": i, "email": email_of(i), "tags": None, "name": json.dumps([email_of(i)])} for i in range(60)]
    source = MemorySource.of(SCHEMA, users=rows)
    policy = plan(source)
    name = policy.tables["users"].columns["name"]  # beside an e-mail address that is unique
    assert (name.klass, name.entity) == ("free_text", "text")
    assert (name.paths["$[*]"].entity, name.paths["$[*]"].mask) == ("email", Step("email"))
    family = agree(source.schema, policy)
    as_before = replace(policy.tables["users"], columns={**policy.tables["users"].columns, "name": replace(name, entity="email")})
    for proposed in (policy, replace(policy, tables={**policy.tables, "users": as_before})):
        bind(source.schema, proposed, family, read_key("ephemeral"), source.count, None)


def test_names_of_members_with_spaces_are_masked_by_their_paths() -> None:
    docs = [{"first contact": {"e-mail of it": [f"siobhan{i}@northwind.net"], "seen at": i}, "dark mode": True} for i in range(60)]
    rows = [{"id": i, "settings": json.dumps(doc)} for i, doc in enumerate(docs)]
    schema = (
        "schema: s\ntables: {users: {rows: 10, columns: {id: {type: bigint, key: true}, settings: {type: json, generate: {constant: {}}}}}}"
    )
    source = MemorySource.of(schema, users=rows)
    policy = parse_policy(policy_yaml(plan(source), {}))
    paths = policy.tables["users"].columns["settings"].paths
    assert set(paths) == {'$["first contact"]["e-mail of it"][*]', '$["first contact"]["seen at"]', '$["dark mode"]'}
    made = MaskedSource(source, policy, read_key("ephemeral"))
    made.prepare()
    masked = [json.loads(text) for text in made.read("users").read_all().column("settings").to_pylist()]
    assert {doc["first contact"]["seen at"] for doc in masked} == set(range(60))
    assert all("@" in email and "siobhan" not in email for doc in masked for email in doc["first contact"]["e-mail of it"])


def test_names_of_members_that_are_data_are_masked_by_a_path_of_their_own() -> None:
    names = ["anna.meyer", "meyer_kari", "AnnaMeyer", "bvance"]
    docs = [{"users": {f"{names[i % 4]}{i}": "rw"}, "theme": "dark"} for i in range(60)]
    rows = [{"id": i, "settings": json.dumps(doc)} for i, doc in enumerate(docs)]
    source = MemorySource.of(SCHEMA, users=rows)
    policy = plan(source)
    settings = policy.tables["users"].columns["settings"]
    assert settings.paths["$.users~"].mask == Step("hash") and set(settings.paths) == {"$.users~", "$.theme"}
    bound = bind(source.schema, policy, agree(source.schema, policy), read_key("ephemeral"), source.count, None)
    (masker,) = [c.masker for c in bound["users"].columns if c.column.name == "settings"]
    raw = source.read("users", ["settings"]).read_all().column("settings").combine_chunks()
    masked = [json.loads(text) for text in masker.apply(raw, Rows({}, len(raw))).to_pylist()]
    assert all(
        list(doc) == ["users", "theme"] and list(doc["users"].values()) == ["***"] for doc in masked
    )  # values below, at which nobody has looked
    assert len({name for doc in masked for name in doc["users"]}) == 60
    assert not any(name in json.dumps(masked) for name in names)


def test_names_of_members_that_are_keys_of_persons_reference_them(source) -> None:
    rows = [{**row, "settings": json.dumps({"user": {str(row["id"]): "rw"}})} for row in source.rows["users"]]
    other = MemorySource(source.schema, {**source.rows, "users": rows})
    policy = plan(other)
    assert policy.tables["users"].columns["settings"].paths["$.user~"].mask == Step("reference")
    bind(other.schema, policy, agree(other.schema, policy), read_key("ephemeral"), other.count, None)


@pytest.mark.parametrize("name", ["seen", "b", "date", "mask"])
def test_a_column_that_cannot_be_read_is_proposed_to_be_dropped_and_its_table_is_masked(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT, {name} TIMESTAMP)")
        rows = [(i, email_of(i), 1_767_225_600 if i == 40 else "2026-01-01") for i in range(60)]
        database.executemany("INSERT INTO users VALUES (?, ?, ?)", rows)
        database.commit()
    with open_source(f"sqlite:///{path}") as source:
        policy = plan(source)
        text = policy_yaml(policy)
        seen = policy.tables["users"].columns[name]
        assert (seen.mask, seen.evidence) == (Step("drop"), ("it holds values that no timestamp can carry",))
        assert policy.tables["users"].columns["email"].mask.name == "email"
        assert "1767225600" not in text
        made = MaskedSource(source, parse_policy(text), read_key("ephemeral"))
        made.prepare()
        assert made.read("users").read_all().column_names == ["id", "email"]


def test_references_of_odd_names_are_proposed_so_that_they_can_be_followed(tmp_path: Path) -> None:
    path = tmp_path / "odd.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("""
            CREATE TABLE users (id INTEGER PRIMARY KEY, first_name TEXT, last_name TEXT, email TEXT);
            CREATE TABLE "my$log" (nr INTEGER PRIMARY KEY, "user (id)" INTEGER, "pay.load$" JSON);
        """)
        for i in range(60):
            who = 1_000_003 + 7919 * i
            connection.execute("INSERT INTO users VALUES (?, 'Siobhan', 'Quillfeather', ?)", (who, f"siobhan{i}@northwind.net"))
            connection.execute('INSERT INTO "my$log" VALUES (?, ?, ?)', (i, who, json.dumps({"a user": {"user id": who}})))
        connection.commit()
    with open_source(f"sqlite:///{path}") as source:
        policy = parse_policy(policy_yaml(plan(source), {}))
        assert {(r.columns, r.path) for r in policy.references} == {
            (("user (id)",), None),
            (("pay.load$",), '$["a user"]["user id"]'),
        }
        made = MaskedSource(source, policy, read_key("ephemeral"))
        made.prepare()
        users = set(made.read("users").read_all().column("id").to_pylist())
        log = made.read("my$log").read_all().to_pylist()
    assert {row["user (id)"] for row in log} == {json.loads(row["pay.load$"])["a user"]["user id"] for row in log} == users


def test_a_source_that_fails_is_no_column_that_cannot_be_read() -> None:
    class Lost(MemorySource):
        def read(self, table: str, columns: Sequence[str] | None = None, conditions: Sequence[str] = ()) -> pa.RecordBatchReader:
            raise SourceFailure("the connection was lost")

    with pytest.raises(SourceFailure, match="lost"):
        plan(Lost.of(SCHEMA, users=[], orders=[], comments=[]))
