"""What PostgreSQL's catalogues tell beyond names."""

from __future__ import annotations

import psycopg
import pytest

import provisioning
from schemas.errors import SystemFailure
from schemas.model import Recipe
from schemas.reader import parse_schema
from schemas.reflect import Reflection, reflect
from schemas.reflection import Loss
from schemas.writer import to_yaml
from tests.schemas.reflecting import built, column_of


@pytest.fixture
def reflected(postgres_url):
    def made(sql: str) -> Reflection:
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(sql)
        return reflect(postgres_url)

    return made


def test_a_user_without_privileges_is_told_what_to_grant(postgres_url):
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE t(id int PRIMARY KEY); CREATE ROLE reader LOGIN")
        try:
            with pytest.raises(SystemFailure, match="permission denied for table t; .*GRANT SELECT"):
                reflect(postgres_url.replace("//postgres:", "//reader:"))
        finally:
            connection.execute("DROP ROLE reader")


def test_types_of_one_name_in_two_schemas_are_two(reflected, tmp_path, another_postgres_url):
    found = reflected(
        "CREATE SCHEMA s2; CREATE DOMAIN posint AS int CHECK (VALUE > 0); CREATE DOMAIN s2.posint AS bigint CHECK (VALUE < 0);"
        "CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE TYPE s2.mood AS ENUM ('up', 'down');"
        "CREATE TABLE t(id int PRIMARY KEY, a posint, b s2.posint, m mood, n s2.mood, ms mood[], ns s2.mood[])"
    )
    t = found.schema.table("t")
    assert [str(t.column(name).type) for name in "ab"] == ["integer", "bigint"]
    assert {c.sql for c in t.checks} == {'("a" > 0)', '("b" < 0)'}
    assert t.column("m").type.values == ("sad", "glad")
    assert t.column("n").type.values == ("up", "down")
    assert t.column("ns").type.item is not None and t.column("ns").type.item.values == ("up", "down")
    assert found.schema.enums == {"mood": ("sad", "glad"), "s2.mood": ("up", "down")}
    assert parse_schema(to_yaml(found.schema, found.notes)) == found.schema
    made = built(found, tmp_path)
    assert provisioning.load(made, another_postgres_url).content_digest == made.content_digest


def test_a_domain_check_speaks_of_its_value_and_not_of_the_word(reflected):
    found = reflected("CREATE DOMAIN d AS text CHECK (VALUE <> 'VALUE'); CREATE TABLE t(id int PRIMARY KEY, a d)")
    assert [c.sql for c in found.schema.table("t").checks] == ["(\"a\" <> CAST('VALUE' AS TEXT))"]


def test_a_domain_over_a_domain_holds_the_checks_of_both(reflected, tmp_path):
    found = reflected(
        "CREATE DOMAIN low AS numeric(8,2) CHECK (VALUE > 5); CREATE DOMAIN between_ AS low CHECK (VALUE < 9);"
        "CREATE TABLE t(id int PRIMARY KEY, a between_ NOT NULL, b low[])"
    )
    assert str(column_of(found, "t", "a").type) == "numeric(8,2)"
    assert len(found.schema.table("t").checks) == 2
    assert column_of(found, "t", "a").generate == Recipe("uniform", {"range": (5.01, 8.99)})
    assert any("of the domain low is left out" in said for said in found.notes["t", "b"])
    built(found, tmp_path)


@pytest.mark.parametrize("name", ['"date"', '"Mood"', '"' + "m" * 63 + '"'])
def test_enums_whose_names_cannot_be_kept_are_written_out(reflected, tmp_path, name):
    found = reflected(
        f"CREATE SCHEMA s2; CREATE TYPE mood AS ENUM ('a'); CREATE TYPE s2.{name} AS ENUM ('b', 'c');"
        f"CREATE TABLE t(id int PRIMARY KEY, a mood, b s2.{name})"
    )
    assert column_of(found, "t", "b").type.values == ("b", "c")
    assert parse_schema(to_yaml(found.schema, found.notes)) == found.schema
    built(found, tmp_path)


def test_arrays_of_several_dimensions_are_said_to_be_taken_as_plain_ones(reflected, tmp_path):
    found = reflected(
        "CREATE DOMAIN grid AS int[][]; CREATE TABLE t(id int PRIMARY KEY, a int[], b int[][], c text[3][3][3], d int ARRAY[4], g grid);"
        "ALTER TABLE t ADD gone int[][]; ALTER TABLE t DROP gone"
    )
    assert {name: found.notes["t", name] for name in "bcg"} == {
        "b": ["an array of 2 dimensions, taken as one of one dimension"],
        "c": ["an array of 3 dimensions, taken as one of one dimension"],
        "g": ["domain grid, written out", "an array of 2 dimensions, taken as one of one dimension"],
    }
    assert not [place for place in found.notes if place[1:] in (("a",), ("d",), ("gone",))]
    assert [str(column_of(found, "t", name).type) for name in "abcdg"] == ["integer[]"] * 2 + ["text[]"] + ["integer[]"] * 2
    built(found, tmp_path)


SILENT = """
CREATE DOMAIN moment AS timestamptz(3); CREATE DOMAIN daily AS time(2) WITH TIME ZONE;
CREATE TABLE p (id int PRIMARY KEY, a int NOT NULL, t text, tags text[] COLLATE "C", at timestamptz(3), day time(0), whole timestamptz(6),
  span interval year to month, spans interval day to second(2)[], m moment, ms moment[], d daily);
CREATE INDEX by_c ON p (t COLLATE "C");
CREATE TABLE k (id int, x int NOT NULL, y int, PRIMARY KEY (id) INCLUDE (x), CONSTRAINT un UNIQUE (x) DEFERRABLE INITIALLY DEFERRED);
ALTER TABLE k ADD CONSTRAINT young CHECK (y > 0) NOT VALID, ADD CONSTRAINT own CHECK (y < 9) NO INHERIT,
  ADD CONSTRAINT told CHECK (y < 7) NOT ENFORCED, ADD CONSTRAINT points FOREIGN KEY (x) REFERENCES p NOT VALID;
CREATE RULE r AS ON INSERT TO k DO ALSO NOTHING;
CREATE POLICY mine ON k USING (x > 1);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE UNLOGGED TABLE spans (i int4range, d int4range, PRIMARY KEY (i, d WITHOUT OVERLAPS));
CREATE TABLE whole (id int, d date, PRIMARY KEY (id, d)) PARTITION BY RANGE (d);
CREATE TABLE part PARTITION OF whole (CONSTRAINT few CHECK (id < 5)) FOR VALUES FROM ('2020-01-01') TO ('2021-01-01') PARTITION BY LIST (id);
CREATE TABLE half PARTITION OF part FOR VALUES IN (1); CREATE INDEX ON whole (d); CREATE INDEX alone ON half (d);
CREATE TRIGGER t BEFORE INSERT ON half FOR EACH ROW EXECUTE FUNCTION f();
CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE far (a int) SERVER s;
"""


def test_what_the_catalogues_alone_tell_is_noted_at_its_place(reflected, tmp_path):
    found = reflected(SILENT)
    assert "foreign table far is left out" in found.notes[()]
    assert found.notes["p",] == ["collation C of index by_c is left out"]
    assert {name: said for (table, *name), said in ((p, n) for p, n in found.notes.items() if p) for name in name if table == "p"} == {
        "tags": ["its collation C is left out"],
        "at": ["its precision of 3 digits is left out"],
        "day": ["its precision of 0 digits is left out"],
        "span": ["interval year to month, taken as interval"],
        "spans": ["interval day to second, taken as interval; its precision of 2 digits is left out"],
        "m": ["domain moment, written out", "its precision of 3 digits is left out"],
        "ms": ["domain moment, written out", "its precision of 3 digits is left out"],
        "d": ["domain daily, written out", "its time zone is dropped; its precision of 2 digits is left out"],
    }
    assert [str(column_of(found, "p", name).type) for name in ("m", "ms", "d")] == ["timestamptz", "timestamptz[]", "time"]
    assert found.notes["k",] == [
        "key (id) says include (x), which is left out",
        "check told is not enforced and left out",
        "rule r is left out",
        "NO INHERIT of own is left out",
        "NOT VALID of points is left out",
        "DEFERRABLE INITIALLY DEFERRED of un is left out",
        "NOT VALID of young is left out",
        "policy mine is left out",
    ]
    assert found.notes["spans",] == ["WITHOUT OVERLAPS of spans_pkey is left out", "UNLOGGED of spans is left out"]
    assert found.notes["whole",] == [
        "partitioned by LIST (id) (one part is half); taken as one table",
        "partitioned by RANGE (d) (one part is part); taken as one table",
        "check few of its part part is left out",
        "index alone of its part half is left out",
        "trigger t of its part half is left out",
    ]
    built(found, tmp_path)


BESIDES = """
CREATE SEQUENCE alone; CREATE SEQUENCE shared; CREATE TYPE size AS (w int, h int); CREATE TYPE mood AS ENUM ('sad'); CREATE DOMAIN d AS int;
CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE TABLE p (id serial CONSTRAINT pk_p PRIMARY KEY, at point, s size, n name, c "char", b bit(4), j json, jb jsonb, x xml, t text, vs varchar[],
  v int GENERATED ALWAYS AS (length(t)) VIRTUAL, num int NOT NULL DEFAULT nextval('shared'), own bigserial, maybe int DEFAULT nextval('shared'),
  code text NOT NULL DEFAULT 'C-' || nextval('shared'), w int CONSTRAINT w_there NOT NULL, CONSTRAINT one CHECK (w > 0),
  CONSTRAINT two CHECK (w > 0), a int GENERATED ALWAYS AS IDENTITY) WITH (fillfactor = 70);
ALTER SEQUENCE p_own_seq INCREMENT 5; ALTER TABLE p ADD CONSTRAINT first UNIQUE (w); ALTER TABLE p ADD CONSTRAINT second UNIQUE (w);
ALTER TABLE p ALTER t SET STATISTICS 500, ALTER x SET STORAGE EXTERNAL, ALTER j SET COMPRESSION pglz, ALTER t SET (n_distinct = 5);
ALTER TABLE p REPLICA IDENTITY FULL; CREATE INDEX i ON p (w); ALTER TABLE p CLUSTER ON i; CREATE STATISTICS together ON w, num FROM p;
COMMENT ON CONSTRAINT one ON p IS 'more'; COMMENT ON INDEX i IS 'fast'; COMMENT ON TYPE size IS 'two'; CREATE TABLE sized OF size;
CREATE TABLE parted (id int) PARTITION BY RANGE (id); CREATE TABLE k (p int REFERENCES p, q int, CONSTRAINT again FOREIGN KEY (p) REFERENCES p);
"""


def test_nothing_that_postgresql_has_is_dropped_in_silence(reflected, tmp_path, another_postgres_url):
    found = reflected(BESIDES)
    assert found.notes[()][1:] == [
        "comment on type size is left out",
        "domain d is left out",
        "functions f(integer), g() are left out",
        "sequences alone, shared are left out",
        "type mood is left out",
    ]
    assert found.notes["p",] == [
        "unique second is left out: (w) is unique already",
        "check two is left out: another says the same",
        "the name of its primary key, pk_p, is left out",
        "the name of NOT NULL, w_there, is left out",
        "the comment on constraint one is left out",
        "the comment on index i is left out",
        "statistics together is left out",
        "WITH (fillfactor=70) of p is left out",
        "REPLICA IDENTITY FULL of p is left out",
        "CLUSTER ON i is left out",
        "COMPRESSION pglz of j is left out",
        "STORAGE EXTERNAL of x is left out",
        "(n_distinct=5) of t is left out",
        "STATISTICS 500 of t is left out",
    ]
    assert {place[1]: said for place, said in found.notes.items() if place[:1] == ("p",) and place[1:]} == {
        "at": ["point, taken as text"],
        "s": ["size, taken as text"],
        "n": ["name, taken as text"],
        "c": ['"char", taken as text'],
        "b": ["bit(4), taken as text"],
        "j": ["json, which PostgreSQL is given as jsonb"],
        "x": ["xml, taken as text"],
        "v": ["it is VIRTUAL, taken as STORED"],
        "num": ["numbered by the sequence shared, which is not its own; taken as an identity"],
        "own": ["its sequence says increment 5, which is left out"],
        "maybe": ["default nextval('shared'::regclass) is left out: it needs sequence shared"],
        "code": ["default ('C-'::text || nextval('shared'::regclass)) is left out: it needs sequence shared"],
        "a": ["its identity says always, which is left out"],
    }
    assert {c.name for c in found.schema.table("p").columns if c.identity} == {"id", "num", "own", "a"}
    assert "OF size of sized is left out" in found.notes["sized",]
    assert "PARTITION BY RANGE (id) of parted is left out" in found.notes["parted",]
    assert "a second reference (p) to p(id) is left out" in found.notes["k",]
    provisioning.load(built(found, tmp_path), another_postgres_url)


def test_rights_and_the_names_of_checks_of_domains_are_noted(reflected):
    found = reflected(
        "CREATE DOMAIN low AS int CONSTRAINT lowest CHECK (VALUE > 5) CHECK (VALUE < 90); CREATE DOMAIN lower AS low CHECK (VALUE < 9);"
        "CREATE TABLE t(id int PRIMARY KEY, a lower, gone int); GRANT SELECT, INSERT ON t TO pg_monitor; GRANT SELECT (id) ON t TO PUBLIC;"
        "GRANT SELECT (gone) ON t TO PUBLIC; ALTER TABLE t DROP gone; ALTER TABLE t FORCE ROW LEVEL SECURITY"
    )
    assert found.notes["t", "a"] == [
        "domain lower, written out; domain low, written out",
        "the name of the domain's check, lowest, is left out",
    ]
    assert found.notes["t",] == [
        "FORCE ROW LEVEL SECURITY of t is left out",
        "grant pg_monitor=ar/postgres is left out",
        "grant =r/postgres of id is left out",
    ]
    assert [c.name for c in found.schema.table("t").checks] == [None] * 3


def test_defaults_of_types_that_are_taken_as_text_are_the_texts(reflected, tmp_path, another_postgres_url):
    found = reflected(
        "CREATE TABLE t(id int PRIMARY KEY, b bit(4) DEFAULT B'1010', ip inet DEFAULT '127.0.0.1', x int4range DEFAULT int4range(1, 3))"
    )
    assert [column_of(found, "t", name).default for name in ("b", "ip")] == ["'1010'", "'127.0.0.1'"]
    provisioning.load(built(found, tmp_path), another_postgres_url)
    with psycopg.connect(another_postgres_url) as connection:
        assert connection.execute("INSERT INTO t(id) VALUES (1000) RETURNING b, ip, x").fetchone() == ("1010", "127.0.0.1", "[1,3)")


def test_checks_that_name_a_truth_value_are_kept_and_held(reflected, tmp_path, another_postgres_url):
    checks = {
        "a": "a = true", "b": "b IN (false)", "c": "c", "d": "NOT d", "e": "e IS TRUE", "f": "f IS NOT FALSE", "g": "g IS FALSE", "h": "h IS NOT TRUE",
        "i": "i IN (true, false)",
    }  # fmt: skip
    found = reflected(f"CREATE TABLE t(id int PRIMARY KEY, {', '.join(f'{name} boolean CHECK ({said})' for name, said in checks.items())})")
    assert not found.notes.get(("t",))
    assert {c.name for c in found.schema.table("t").checks} == {f"t_{name}_check" for name in checks if name != "i"}
    made = {name: column_of(found, "t", name).generate.args.get("values") for name in checks}
    assert made == {name: None if name == "i" else ((name in "acef", 1),) for name in checks}
    assert [name for name in checks if column_of(found, "t", name).null == 0] == ["e", "g"]
    provisioning.load(built(found, tmp_path), another_postgres_url)


def test_times_of_day_that_must_follow_others_do(reflected, tmp_path, another_postgres_url):
    found = reflected(
        "CREATE TABLE t(id int PRIMARY KEY, ends time CHECK (ends > pause), starts time NOT NULL, pause time NOT NULL CHECK (pause >= starts),"
        " late time NOT NULL CHECK (late > '20:00'), later time CHECK (later > late), low time NOT NULL CHECK (low > starts AND low > '09:00'),"
        " made time NOT NULL CHECK (made = starts + INTERVAL '7 hours'), after time CHECK (after > made))"
    )
    assert {name: column_of(found, "t", name).generate.name for name in ("starts", "pause", "ends", "later", "low", "made", "after")} == {
        "starts": "between", "pause": "expression", "ends": "expression", "later": "between", "low": "between", "made": "expression",
        "after": "between",
    }  # fmt: skip
    assert len([said for said in found.notes["t",] if "nothing is proposed" in said]) == 4
    checks = [c for c in found.schema.table("t").checks if any(name in c.sql for name in ("late", "low", "after"))]
    kept = [Loss("t", check, "no generator keeps it") for check in checks]
    provisioning.load(built(found.without(kept), tmp_path, 400), another_postgres_url)


def test_names_that_postgresql_gives_by_itself_and_types_that_are_kept_are_not_noted(reflected):
    table = "t" * 63
    found = reflected(
        f"CREATE DOMAIN word AS text; CREATE TABLE {table} (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, w word, v varchar, vs text[])"
    )
    assert {place: said for place, said in found.notes.items() if place} == {(table, "w"): ["domain word, written out"]}
    assert len(found.notes[()]) == 1


def test_what_matches_a_check_fills_the_char_that_postgresql_would_pad(reflected, tmp_path, another_postgres_url):
    found = reflected(
        "CREATE TABLE t(id int PRIMARY KEY, code char(5) NOT NULL CHECK (code ~ '^[A-Z]{2}[0-9]{1,3}$'),"
        " area char(6) NOT NULL CHECK (area ~ '^[A-Z]{3}(-[0-9]{2})?$'), small char(4) NOT NULL CHECK (small ~ '^[[:lower:]]+$'),"
        " ends char(8) NOT NULL CHECK (ends LIKE '%x'), short varchar(4) NOT NULL CHECK (short ~ '^[a-z]+$'),"
        " odd varchar(9) NOT NULL CHECK (odd ~ '^(?!x)[a-z]*$'))"
    )
    made = {name: column_of(found, "t", name).generate.args["regex"] for name in ("code", "area", "small", "ends", "short")}
    assert made == {
        "code": "^[A-Z]{2}[0-9]{3}$", "area": "^[A-Z]{3}-[0-9]{2}$", "small": "^[a-z]{4}$", "ends": "[a-z0-9]{7}x", "short": "^[a-z]{4}$",
    }  # fmt: skip
    assert [said for said in found.notes["t",] if "nothing is proposed for the check" in said and "(?!x)" in said]
    without = found.without([Loss("t", check, "no generator keeps it") for check in found.schema.table("t").checks if "odd" in check.sql])
    provisioning.load(built(without, tmp_path), another_postgres_url)


def test_conditions_on_types_that_only_postgresql_has_are_left_out_and_noted(reflected, tmp_path, another_postgres_url):
    found = reflected(
        "CREATE TABLE stays(id int PRIMARY KEY, during int4range CHECK (NOT isempty(during)) CHECK (during IS NOT NULL), fee money CHECK (fee > '0'),"
        " ip inet CHECK (family(ip) = 4), at int GENERATED ALWAYS AS (lower(during)) STORED, n name CHECK (n <> ''), a int CHECK (a > 0))"
    )
    assert {c.sql for c in found.schema.table("stays").checks} == {"during IS NOT NULL", "n <> CAST('' AS NAME)", "a > 0"}
    assert "check NOT isempty(during) is left out: during is INT4RANGE, taken as text" in found.notes["stays",]
    assert "check family(ip) = 4 is left out: ip is INET, taken as text" in found.notes["stays",]
    assert [said for said in found.notes["stays",] if said.endswith(" is left out: fee is money, taken as numeric(19,2)")]
    assert found.notes["stays", "at"] == ["computed LOWER(during) is left out: during is INT4RANGE, taken as text"]
    provisioning.load(built(found, tmp_path), another_postgres_url)


def test_a_list_over_a_varchar_is_a_closed_list(reflected, tmp_path):
    found = reflected("CREATE TABLE t(id int PRIMARY KEY, state varchar(20) NOT NULL CHECK (state IN ('draft', 'sent')))")
    assert column_of(found, "t", "state").generate == Recipe("choice", {"values": (("draft", 1), ("sent", 1))})
    built(found, tmp_path)


def test_a_column_with_the_name_of_a_statement_keeps_its_check(reflected, tmp_path, another_postgres_url):
    found = reflected("CREATE TABLE t(lock char(1) NOT NULL CHECK (lock = 'X'), comment text CHECK (comment <> ''))")
    assert {c.sql for c in found.schema.table("t").checks} == {"\"lock\" = CAST('X' AS BPCHAR)", "\"comment\" <> CAST('' AS TEXT)"}
    assert column_of(found, "t", "lock").generate == Recipe("choice", {"values": (("X", 1),)})
    provisioning.load(built(found, tmp_path), another_postgres_url)


def test_no_nulls_are_made_where_a_column_that_is_not_null_may_reference_them(reflected, tmp_path):
    found = reflected(
        "CREATE TABLE users(name text UNIQUE, mail text UNIQUE);"
        "CREATE TABLE keys(user_id text PRIMARY KEY REFERENCES users(name)); CREATE TABLE hints(mail text REFERENCES users(mail))"
    )
    assert (column_of(found, "users", "name").null, column_of(found, "users", "mail").null) == (0.0, 0.1)
    built(found, tmp_path)


def test_what_needs_functions_of_the_database_is_left_out_and_noted(reflected, tmp_path, another_postgres_url):
    found = reflected(
        "CREATE FUNCTION twice(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 2 * $1';"
        "CREATE DOMAIN even AS int CHECK (VALUE <> twice(7)); CREATE TYPE mood AS ENUM ('sad', 'glad');"
        "CREATE TABLE t(id int PRIMARY KEY, a int DEFAULT twice(3), b int GENERATED ALWAYS AS (twice(id)) STORED,"
        " c even, m mood DEFAULT 'sad' CHECK (m = 'sad'), CHECK (a < twice(100)), CHECK (a < 100))"
    )
    t = found.schema.table("t")
    assert [c.sql for c in t.checks] == ["a < 100", "m = CAST('sad' AS mood)"]
    assert (t.column("a").default, t.column("b").computed, t.column("m").default) == (None, None, "CAST('sad' AS mood)")
    for place, said in (
        (("t", "a"), "default twice(3) is left out: it needs function twice(integer)"),
        (("t", "b"), "computed twice(id) is left out: it needs function twice(integer)"),
        (("t",), 'check ("c" <> twice(7)) is left out: it needs function twice(integer)'),
        (("t",), "check a < twice(100) is left out: it needs function twice(integer)"),
    ):
        assert said in found.notes[place]
    provisioning.load(built(found, tmp_path), another_postgres_url)


def test_addresses_of_networks_have_values_of_their_types(reflected, tmp_path):
    found = reflected("CREATE TABLE t(id int PRIMARY KEY, last_sign_in inet, next_server inet NOT NULL, net cidr, card macaddr)")
    generated = [column_of(found, "t", name).generate.name for name in ("last_sign_in", "next_server", "net", "card")]
    assert generated == ["internet.ipv4", "internet.ipv4", "internet.ipv4", "internet.mac"]
    assert parse_schema(to_yaml(found.schema, found.notes)) == found.schema
    built(found, tmp_path)


def test_references_that_a_check_holds_to_differ_are_kept_apart(reflected, tmp_path, another_postgres_url):
    found = reflected(
        "CREATE TABLE users(handle varchar(20) PRIMARY KEY); INSERT INTO users SELECT 'user' || n FROM generate_series(1, 9) n;"
        "CREATE TABLE follows(follower varchar(20) REFERENCES users, followed varchar(20) REFERENCES users,"
        " PRIMARY KEY (follower, followed), CHECK (follower <> followed));"
        "INSERT INTO follows SELECT a.handle, b.handle FROM users a, users b WHERE a.handle <> b.handle"
    )
    assert [(k.columns, k.other_than) for k in found.schema.table("follows").foreign_keys] == [
        (("follower",), None), (("followed",), "follower"),
    ]  # fmt: skip
    assert not found.notes.get(("follows",))
    made = built(found, tmp_path)
    assert provisioning.load(made, another_postgres_url).content_digest == made.content_digest
