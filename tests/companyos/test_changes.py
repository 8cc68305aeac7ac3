"""Changes between two moments, replayed: on the state as of the first they give the state as of the second."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import threading
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import bundles
import datagen
import provisioning
from bundles.digest import TableDigester
from companyos.cli import run
from schemas.ddl_names import quoted
from schemas.reader import parse_schema
from tests.provisioning.databases import connect, contents
from tests.spread import one_in

CLUB = """schema: club
seed: 7
anchor: 2026-01-01T00:00:00Z
types: {rank: [new, full, honorary]}
tables:
  posts:
    rows: {fixed: 3}
    columns:
      id:   {type: integer, key: true}
      name: {type: text, unique: true, generate: {list: [head, treasurer, "o'clerk"]}}
  members:
    rows: 400
    lives: {from: joined_on, until: left_at}
    columns:
      id:        {type: bigint, key: true, identity: true}
      name:      {type: text, generate: person.name}
      joined_on: {type: date, generate: {between: [-3y, now]}}
      left_at:   {type: timestamptz, null: 0.4, generate: {after: joined_on, within: 2y, until: 90d}}
      rank:      {type: rank, generate: {states: {new: {full: 1}, full: {honorary: 0.3}}, start: joined_on, dwell: 120d}}
      ranked_at: {type: timestamp, generate: {entered: any, of: rank}}
      sponsor:   {references: members.id, null: 0.2}
      twin:      {references: members.id, acyclic: true, null: 0.5}
      house_id:  {references: houses.id, null: 0.1}
      visits:    {type: integer, generate: {count: visits}}
      spent:     {type: "numeric(20,2)", generate: {sum: visits.price}}
      mood:      {type: "text[]", null: 0.1, generate: {array: {choice: ['a"b', "c\\\\d", "e,f", "g'h"]}, count: {uniform: [0, 3]}}}
      last:      {type: timestamptz, null: 0, generate: {latest: visits.at}}
      days:      {type: "date[]", generate: {array: {between: [-9d, now]}, count: 2}}
      sums:      {type: "numeric(8,2)[]", generate: {array: {uniform: [-5, 5]}, count: 2}}
      flags:     {type: "boolean[]", generate: {array: boolean, count: {uniform: [0, 2]}}}
      bits:      {type: "bytes[]", generate: {array: {bytes: 3}, count: 2}}
      spans:     {type: "interval[]", generate: {array: {uniform: [-90s, 3d]}, count: 2}}
      marks:     {type: "uuid[]", generate: {array: uuid4, count: 1}}
      wide:      {type: "numeric(20,3)[]", generate: {array: {uniform: [-5, 5]}, count: 1}}
      seen:      {type: "timestamptz[]", generate: {array: {between: [-9d, now]}, count: 1}}
      odd:       {type: text, generate: {choice: ["it's", 'a\\b "c"', "", " ", "ü🎉", "line\\nbreak"]}}
    indexes: [[rank]]
  houses:
    rows: 30
    columns:
      id:         {type: uuid, key: true}
      keeper_id:  {references: members.id, null: 0.3}
      founded_on: {type: date, generate: {between: [-4y, -1y]}}
      post_id:    {references: posts.id}
      seal:       {type: bytes, generate: {bytes: 5}}
      open_for:   {type: interval, generate: {uniform: [1h, 9h]}}
      opens:      {type: time, generate: {between: ["08:00", "12:00"]}}
  visits:
    rows: {per: members, count: {poisson: 3}}
    key: [member_id, number]
    columns:
      member_id: {references: members.id}
      number:    {type: smallint, generate: ordinal}
      house_id:  {references: houses.id}
      at:        {type: timestamptz, generate: {after: member_id.joined_on, within: 400d}}
      price:     {type: "numeric(8,2)", generate: {uniform: [1, 50]}}
      paid_at:   {type: timestamptz, null: 0.1, generate: {after: at, within: 60d, until: 60d}}
      note:      {type: json, generate: {json: {rank: {from: member_id.rank}, n: {uniform: [1, 5]}}}}
      fee:       {type: double, generate: {expression: "price * 0.125"}}
      guest:     {type: boolean, generate: boolean}
"""

RING = """schema: ring
seed: 3
anchor: 2026-01-01T00:00:00Z
tables:
  a:
    rows: 120
    lives: {from: at, until: gone}
    columns:
      id:   {type: bigint, key: true}
      at:   {type: timestamptz, generate: {between: [-2y, -500d]}}
      gone: {type: timestamptz, null: 0.97, generate: {after: at, within: 2y}}
      b:    {references: b.id}
      next: {references: a.id, null: 0.1}
  b:
    rows: 120
    lives: always
    columns:
      id: {type: bigint, key: true}
      n:  {type: integer, generate: {count: c}}
      c:  {references: c.id, null: 0.5}
  c:
    rows: 150
    columns:
      id: {type: bigint, key: true}
      at: {type: timestamptz, generate: {between: [-900d, -400d]}}
      b:  {references: b.id}
  d:
    rows: 200
    lives: {from: at, until: gone}
    columns:
      id:   {type: bigint, key: true}
      at:   {type: timestamptz, generate: {between: [-503d, -500d]}}
      gone: {type: timestamptz, null: 0.97, generate: {after: at, within: 1y}}
      me:   {references: d.id}
  e:
    rows: 60
    columns:
      id: {type: bigint, key: true}
      at: {type: timestamptz, generate: {between: [-503d, -500d]}}
      f:  {references: f.id}
  f:
    rows: 60
    columns:
      id: {type: bigint, key: true}
      e:  {references: e.id}
"""

PAIRS = [("2023-01-01", "2024-02-29T12:00:00Z"), ("2024-02-29T12:00:00Z", "2025-09-01"), ("2025-09-01", "now"), ("2022-01-01", "now"), ("2025-03-03", "2025-03-03")]  # fmt: skip


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COMPANYOS_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "club.yaml").write_text(CLUB)
    return tmp_path


@pytest.fixture(params=["sqlite", "postgresql"])
def urls(request: pytest.FixtureRequest, home: Path) -> list[str]:
    """Two empty databases that enforce foreign keys."""
    if request.param == "sqlite":
        return [f"sqlite:///{home / name}.db" for name in ("one", "two")]
    return [request.getfixturevalue(name) for name in ("postgres_url", "another_postgres_url")]


def call(capsys: Any, *arguments: object) -> tuple[int, str, str]:
    capsys.readouterr()
    code = run([str(a) for a in arguments])
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return code, out, err


def state(moment: str) -> Any:
    return bundles.build(datagen.source("club.yaml", as_of=moment), tag=f"club:{moment[:4]}")


def play(url: str, script: str) -> None:
    connection = connect(url)
    try:
        if isinstance(connection, sqlite3.Connection):
            connection.executescript(script)
        else:
            connection.execute(script)
    finally:
        connection.close()


def script_between(capsys, reference, first, last, url):
    """The changes between two moments in the dialect of the database at `url`."""
    dialect = url.partition(":")[0]
    code, script, _ = call(capsys, "bundle", "changes", reference, "--from", first, "--to", last, "--format", "sql", "--dialect", dialect)
    assert code == 0
    return script


@pytest.mark.parametrize(("first", "last"), one_in(2, PAIRS))
def test_sql_replayed_on_a_loaded_state_gives_the_later_state(home, capsys, urls, first, last):
    whole = bundles.build(datagen.source("club.yaml"), tag="club:v1")
    for url, moment in zip(urls, (first, last), strict=True):
        provisioning.load(state(moment), url)
    script = script_between(capsys, whole.reference, first, last, urls[0])
    play(urls[0], script)
    assert contents(urls[0]) == contents(urls[1])


@pytest.mark.parametrize(("first", "last"), [("-3y", "-501d"), ("-501d", "now"), ("-450d", "-10d"), ("-3y", "now")])
def test_rows_that_must_reference_each_other_are_replayed_in_one_transaction(home, capsys, urls, first, last):
    (home / "ring.yaml").write_text(RING)
    whole = bundles.build(datagen.source("ring.yaml"), tag="ring:v1")
    for url, moment in zip(urls, (first, last), strict=True):
        provisioning.load(bundles.build(datagen.source("ring.yaml", as_of=moment), tag="ring:then"), url)
    script = script_between(capsys, whole.reference, first, last, urls[0])
    play(urls[0], script)
    assert contents(urls[0]) == contents(urls[1])


def test_the_ring_has_deletes_of_rows_that_reference_each_other(home, capsys):
    (home / "ring.yaml").write_text(RING)
    bundles.build(datagen.source("ring.yaml"), tag="ring:v1")
    counts = json.loads(call(capsys, "bundle", "changes", "ring:v1", "--from", "-450d", "--to", "-10d", "--json")[1])["tables"]
    assert counts["a"]["delete"] > 1 and counts["d"]["delete"] > 1, counts
    counts = json.loads(call(capsys, "bundle", "changes", "ring:v1", "--from", "-3y", "--json")[1])["tables"]
    assert all(counts[name]["insert"] for name in "acde"), counts


@pytest.mark.slow
def test_a_month_of_the_company_can_be_replayed(home, capsys, urls):
    whole = bundles.build(datagen.source("companyos", scale=0.03), tag="company:v1")
    for url, moment in zip(urls, ("2025-10-15", "2025-11-15"), strict=True):
        provisioning.load(bundles.build(datagen.source("companyos", scale=0.03, as_of=moment), tag="company:then"), url)
    code, _, _ = call(
        capsys, "bundle", "changes", whole.reference, "--from", "2025-10-15", "--to", "2025-11-15",
        "--format", "sql", "--dialect", urls[0].partition(":")[0], "-o", "month.sql",
    )  # fmt: skip
    assert code == 0
    play(urls[0], (home / "month.sql").read_text("utf-8"))
    assert contents(urls[0]) == contents(urls[1])


def test_the_changes_hold_every_operation_and_references_that_come_later(home, capsys):
    bundles.build(datagen.source("club.yaml"), tag="club:v1")
    _, out, _ = call(capsys, "bundle", "changes", "club:v1", "--from", "2024-02-29", "--to", "2025-09-01")
    lines = [json.loads(line) for line in out.splitlines()]
    operations = [line["op"] for line in lines]
    assert operations == sorted(operations, key=["insert", "update", "delete"].index)
    assert {(line["op"], line["table"]) for line in lines} >= {
        ("insert", "members"), ("insert", "visits"), ("update", "members"), ("update", "houses"), ("delete", "members"), ("delete", "visits"),
    }  # fmt: skip
    updates = [line["set"] for line in lines if line["op"] == "update"]
    assert any(new.get("keeper_id") is not None for new in updates)
    assert any(new.get("keeper_id", 0) is None for new in updates)
    assert any("rank" in new for new in updates)
    assert all(line.keys() == {"op", "table", "key"} for line in lines if line["op"] == "delete")


def records_of(moment: str) -> dict[str, dict[Any, dict[str, Any]]]:
    """The rows of a state by table and key, as the command `rows` prints them."""
    from companyos.records import records

    source = datagen.source("club.yaml", as_of=moment)
    found: dict[str, dict[Any, dict[str, Any]]] = {}
    for table in source.schema.tables:
        names = [c.name for c in table.stored_columns]
        rows = [row for batch in source.read(table.name) for row in records(table, batch, names)]
        found[table.name] = {tuple(row[k] for k in table.key): row for row in rows}
    return found


@pytest.mark.parametrize(("first", "last"), PAIRS)
def test_json_lines_can_be_replayed_one_by_one_under_the_foreign_keys(home, capsys, first, last):
    schema = datagen.source("club.yaml").schema
    bundles.build(datagen.source("club.yaml"), tag="club:v1")
    _, out, _ = call(capsys, "bundle", "changes", "club:v1", "--from", first, "--to", last)
    rows = records_of(first)
    referenced: dict[tuple[str, Any], int] = {}

    def count(table: str, row: dict[str, Any], by: int) -> None:
        for key in schema.table(table).foreign_keys:
            value = row[key.columns[0]]
            if value is not None:
                referenced[key.table, value] = referenced.get((key.table, value), 0) + by
                assert by < 0 or (value,) in rows[key.table], (table, row)

    for table, known in rows.items():
        for row in known.values():
            count(table, row, 1)
    for line in map(json.loads, out.splitlines()):
        table, known = line["table"], rows[line["table"]]
        if line["op"] == "insert":
            key = tuple(line["row"][k] for k in schema.table(table).key)
            assert key not in known
            known[key] = line["row"]
            count(table, line["row"], 1)
            continue
        key = tuple(line["key"].values())
        old = known.pop(key)
        count(table, old, -1)
        if line["op"] == "update":
            assert line["set"]
            assert all(old[name] != value for name, value in line["set"].items()), "an update says what is new and nothing else"
            known[key] = {**old, **line["set"]}
            count(table, known[key], 1)
        else:
            assert len(key) > 1 or referenced.get((table, key[0]), 0) == 0, (table, key)
    assert rows == records_of(last)


def digest_of(connection: Any, wanted: bundles.Bundle) -> str:
    """The content digest of the tables of DuckDB, their rows in the order of a bundle."""
    from bundles.digest import bundle_digest
    from provisioning.loaders.duckdb_values import read_back_query

    digests = {}
    for table in wanted.schema.tables:
        found = connection.sql(read_back_query(table, quoted(table.name))).to_arrow_table()
        keys = [found.column(k).to_pylist() for k in table.key]
        places = {tuple(map(str, key)): place for place, key in enumerate(zip(*keys, strict=True))}
        order = zip(*(wanted.table(table.name).to_arrow().column(k).to_pylist() for k in table.key), strict=True)
        positions = [places.pop(tuple(map(str, key))) for key in order]
        assert not places, f"{table.name} holds rows that the later state has not"
        digester = TableDigester(table)
        for batch in found.take(pa.array(positions, pa.int64())).to_batches():
            digester.update(batch)
        digests[table.name] = digester.finish().content_digest
    return bundle_digest(digests)


def filled(bundle: bundles.Bundle) -> duckdb.DuckDBPyConnection:
    """A DuckDB database with the tables of a bundle, without constraints."""
    from provisioning.loaders.duckdb_values import stored_query
    from provisioning.shifting import Shift

    connection = duckdb.connect()
    connection.execute("SET arrow_lossless_conversion = true")
    connection.execute("SET TimeZone = 'UTC'")
    for table in bundle.schema.tables:
        files = ", ".join(f"'{path}'" for path in bundle.table(table.name).paths())
        connection.execute(f"CREATE TABLE {quoted(table.name)} AS {stored_query(table, f'read_parquet([{files}])', Shift(0))}")
    return connection


@pytest.mark.parametrize(("first", "last"), PAIRS)
def test_sql_replayed_in_duckdb_gives_the_content_digest_of_the_later_state(home, capsys, first, last):
    bundles.build(datagen.source("club.yaml"), tag="club:v1")
    _, script, _ = call(capsys, "bundle", "changes", "club:v1", "--from", first, "--to", last, "--format", "sql", "--dialect", "duckdb")
    with filled(state(first)) as connection:
        connection.execute(script)
        later = bundles.build(datagen.source("club.yaml", as_of=last), tag="later:v1")
        assert digest_of(connection, later) == later.content_digest


def test_parquet_files_hold_the_same_changes_in_the_order_of_their_list(home, capsys):
    bundles.build(datagen.source("club.yaml"), tag="club:v1")
    moments = ("--from", "2024-02-29", "--to", "2025-09-01")
    code, out, _ = call(capsys, "bundle", "changes", "club:v1", *moments, "--format", "parquet", "-o", "delta")
    assert code == 0 and "inserts" in out
    _, counts, _ = call(capsys, "bundle", "changes", "club:v1", *moments, "--json")
    steps = json.loads((home / "delta" / "changes.json").read_text())
    expected = {(o, t): n for t, found in json.loads(counts)["tables"].items() for o, n in found.items() if n}
    assert {(s["op"], s["table"]): s["rows"] for s in steps} == expected
    rows = {name: {key: dict(row) for key, row in known.items()} for name, known in records_of("2024-02-29").items()}
    schema = datagen.source("club.yaml").schema
    from companyos.records import records

    for step in steps:
        table, known = schema.table(step["table"]), rows[step["table"]]
        found = pq.read_table(home / "delta" / step["file"])
        for batch in found.to_batches():
            names = [n for n in batch.schema.names if n != "$changed"]
            changed = batch.column("$changed").to_pylist() if step["op"] == "update" else [names] * batch.num_rows
            for row, new in zip(records(table, batch, names), changed, strict=True):
                key = tuple(row[k] for k in table.key)
                if step["op"] == "delete":
                    del known[key]
                else:
                    known[key] = {**known.get(key, {}), **{n: row[n] for n in new}}
    assert rows == records_of("2025-09-01")


def test_a_folder_that_holds_something_is_left_alone(home, capsys):
    bundles.build(datagen.source("club.yaml"), tag="club:v1")
    (home / "delta").mkdir()
    (home / "delta" / "mine").write_text("x")
    code, _, err = call(capsys, "bundle", "changes", "club:v1", "--from", "2025-01-01", "--format", "parquet", "-o", "delta")
    assert code == 2 and "not empty" in err
    assert [p.name for p in (home / "delta").iterdir()] == ["mine"]
    assert not list(home.glob(".*.tmp"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--from", "2025-06-01", "--to", "2025-01-01"), "earlier moment to a later one"),
        (("--from", "2025-06-01", "--to", "2026-06-01"), "lies after the anchor of club"),
        (("--from", "yesterday"), "'yesterday' is no moment"),
        (("--from", "2025-06-01", "--format", "parquet"), "-o DIR"),
    ],
)
def test_moments_that_make_no_sense_are_refused(home, capsys, arguments, words):
    bundles.build(datagen.source("club.yaml"), tag="club:v1")
    code, out, err = call(capsys, "bundle", "changes", "club:v1", *arguments)
    assert (code, out) == (2, "") and words in err


def test_a_state_knows_nothing_of_what_comes_after_it(home, capsys):
    bundles.build(datagen.source("club.yaml", as_of="2025-01-01"), tag="club:then")
    assert call(capsys, "bundle", "changes", "club:then", "--from", "2024-01-01", "--to", "2025-01-01")[0] == 0
    code, _, err = call(capsys, "bundle", "changes", "club:then", "--from", "2024-01-01", "--to", "2025-01-02")
    assert code == 2 and "is a state as of 2025-01-01T00:00:00Z" in err


@pytest.mark.parametrize(
    ("kind", "edit", "words"),
    [
        ("sanitized", {}, "only synthetic bundles have a history"),
        ("synthetic", {"generator_version": 1}, "generator version 1"),
        ("synthetic", {"value_pools": {"faker/x": "0"}}, "other pools of values"),
        ("synthetic", {"seed": None}, "does not say with which seed"),
    ],
)
def test_bundles_that_cannot_be_made_again_are_refused(home, capsys, kind, edit, words):
    class Other:
        def __init__(self) -> None:
            self.source = datagen.source("club.yaml")
            self.schema, self.kind = self.source.schema, kind
            self.provenance = {k: v for k, v in {**self.source.provenance, **edit}.items() if v is not None}

        def read(self, table: str) -> pa.RecordBatchReader:
            return self.source.read(table)

    bundles.build(Other(), tag="club:v1")
    code, out, err = call(capsys, "bundle", "changes", "club:v1", "--from", "2025-01-01")
    assert (code, out) == (2, "") and words in err


def test_rows_without_a_key_that_change_are_refused(home, capsys):
    text = CLUB.replace("    key: [member_id, number]\n", "")
    (home / "club.yaml").write_text(text)
    bundles.build(datagen.source("club.yaml"), tag="club:v1")
    code, _, err = call(capsys, "bundle", "changes", "club:v1", "--from", "2025-01-01")
    assert code == 2 and "rows of 'visits' change" in err and "give it a key" in err


def test_a_member_who_left_before_the_anchor_is_in_no_bundle(home):
    made = bundles.build(datagen.source("club.yaml"), tag="club:v1")
    anchor = parse_schema(CLUB).anchor
    left = made.table("members").to_arrow().column("left_at").cast(pa.int64()).to_pylist()
    assert 0 < made.tables["members"].rows < 400
    assert all(at is None or at > anchor for at in left)


def test_the_commands_speak_of_the_same_state(home, capsys):
    code, out, _ = call(capsys, "bundle", "build", "club.yaml", "--as-of-state", "2024-06-01", "--tag", "club:june", "--json")
    built = json.loads(out)
    assert code == 0 and built["provenance"]["as_of"] == "2024-06-01T00:00:00Z"
    assert "as of 2024-06-01T00:00:00Z" in call(capsys, "bundle", "show", "club:june")[1]
    rows = json.loads(call(capsys, "rows", "club.yaml", "members", "--as-of-state", "2024-06-01", "--to", "5", "--json")[1])
    assert rows["of"] == built["tables"]["members"]["rows"]
    held = bundles.open("club:june").table("members").to_arrow().column("id").to_pylist()
    assert [row["id"] for row in rows["rows"]] == held[:5]
    code, _, err = call(capsys, "bundle", "build", "club.yaml", "--as-of-state", "2027-06-01")
    assert code == 2 and "lies after the anchor of club" in err


def test_a_check_says_when_rows_exist(home, capsys):
    assert (
        "as of a moment (--as-of-state) rows exist from members.joined_on until left_at, houses.founded_on, visits.at\n"
        in call(capsys, "schema", "check", "club.yaml")[1]
    )
    lives = json.loads(call(capsys, "schema", "check", "club.yaml", "--json")[1])["lives"]
    assert lives["members"] == {"from": "joined_on", "until": "left_at"} and lives["posts"] == {"from": None, "until": None}


def test_a_pipe_is_written_to_and_stays_one(home, capsys):
    bundles.build(datagen.source("club.yaml"), tag="club:v1")
    wanted = call(capsys, "bundle", "changes", "club:v1", "--from", "-90d", "--format", "jsonl")[1]
    pipe, read = home / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()), daemon=True)
    reader.start()
    assert call(capsys, "bundle", "changes", "club:v1", "--from", "-90d", "--format", "jsonl", "-o", pipe)[0] == 0
    reader.join(timeout=10)
    assert read == [wanted] != [""]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


PARTY = """schema: party
anchor: 2026-01-01T00:00:00Z
tables:
  guests:
    rows: 40
    columns:
      id: {type: bigint, key: true, generate: {sequence: {gaps: 8}}}
      mood: {type: text, generate: {constant: good}}
      at: {type: timestamptz, generate: {between: [-1y, now]}}
scenarios:
  brawl: {subjects: guests, share: 0.5, set: {guests: {columns: {mood: {constant: bad}}}}}
"""


def test_a_scenario_of_the_schema_that_was_not_planted_is_not_in_the_changes_either(home, capsys):
    (home / "party.yaml").write_text(PARTY)
    source = datagen.source("party.yaml", scenarios={"brawl": 0})
    bundles.build(source, tag="party:calm")
    code, out, err = call(capsys, "bundle", "changes", "party:calm", "--from", "2020-01-01")
    assert (code, err) == (0, "")
    assert [json.loads(line)["row"]["mood"] for line in out.splitlines()] == ["good"] * 40
    bundles.build(datagen.source("party.yaml"), tag="party:wild")
    code, _, err = call(capsys, "bundle", "changes", "party:wild", "--from", "2020-01-01")
    assert code == 2
    assert "'party:wild' has scenarios (brawl)" in err
