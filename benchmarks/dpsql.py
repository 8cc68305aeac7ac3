"""Private queries beside smartnoise-sql, and beside the plain query in DuckDB.

`python -m benchmarks dpsql` asks both the same queries, at the (epsilon, delta) that smartnoise-sql charges for them: over the Adult
data of `../shared/data/adult` where it is, else over people made here, and over the sessions of the built-in company, where a person
has many rows: smartnoise-sql is told how many, so that 99 % of the people keep all of theirs. It pins NumPy 1, so it lives in an
environment of its own in the user's cache folder. Both take turns, so that what else the machine does slows both, and are asked the
same query twenty times in a turn, each time for fresh noise, as somebody who uses one of them would: after a turn of the other's it takes
about ten questions until the processor's caches hold one's own code again. Ours is asked so with what it remembers of the query, and
`anew`, as if it had never been asked.
`first` is the median of the first questions of the turns alone. Then 10 million rows are asked privately and plainly, and TPC-H forms of
Race-to-the-Top over our own bundle at epsilon 0.8. One JSON line is printed: mean absolute errors with the relative standard error of
their ratio, medians of the seconds and of the CPU seconds of both, how many times as fast all queries of a data set are together, and
the goals.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

import bundles
import datagen
from benchmarks._environments import environment, peer
from dpsql.accounting import Limit
from dpsql.declaration import Declaration, declare
from dpsql.engines.duckdb import DuckDBEngine
from dpsql.ledger import StoredLedger, open_ledger
from dpsql.planning.model import Settings
from dpsql.service import Service
from schemas.model import Column, ForeignKey, Rows, Schema, Table
from schemas.privacy import ColumnPrivacy, Privacy
from schemas.types import SqlType

ADULT = Path(__file__).parents[2] / "shared" / "data" / "adult" / "adult.csv"
PEER = "smartnoise-sql==1.0.10"
EPSILON, DELTA = 1.0, 1e-7
TURNS, IN_A_ROW = 5, 20  # beside smartnoise-sql: the ratio of two mean errors of a hundred questions is known to 12 %
RACES = 10  # asked of TPC-H
ADULT_QUERIES = (
    "SELECT COUNT(*) AS n FROM people",
    "SELECT SUM(age) AS s FROM people",
    "SELECT AVG(age) AS a FROM people",
    "SELECT VARIANCE(age) AS v FROM people",
    "SELECT COUNT(*) AS n FROM people WHERE age > 40",
    "SELECT COUNT(DISTINCT id) AS n FROM people",
    "SELECT sex, COUNT(*) AS n FROM people GROUP BY sex",
    "SELECT education, COUNT(*) AS n FROM people GROUP BY education",
    "SELECT education, SUM(age) AS s FROM people GROUP BY education",
    "SELECT race, AVG(age) AS a FROM people GROUP BY race",
)
SESSION_QUERIES = (
    "SELECT COUNT(*) AS n FROM sessions",
    "SELECT COUNT(DISTINCT user_id) AS n FROM sessions",
    "SELECT SUM(minutes) AS s FROM sessions",
    "SELECT AVG(minutes) AS a FROM sessions",
)
TPCH = {
    "Q3 COUNT": ("COUNT(*)", 0.25), "Q3 SUM": ("SUM(l_extendedprice * (1 - l_discount))", 0.25),
    "Q10 COUNT": ("COUNT(*)", 0.17), "Q10 SUM": ("SUM(l_extendedprice * (1 - l_discount))", 0.17),
    "Q12 COUNT": ("COUNT(*)", 0.023), "Q18 SUM": ("SUM(l_quantity)", 0.13),
}  # fmt: skip
FROM = {
    "Q3": "customer JOIN orders ON c_custkey = o_custkey JOIN lineitem ON l_orderkey = o_orderkey WHERE c_mktsegment = 'BUILDING' "
    "AND o_orderdate < DATE '1995-03-15' AND l_shipdate > DATE '1995-03-15'",
    "Q10": "customer JOIN orders ON c_custkey = o_custkey JOIN lineitem ON l_orderkey = o_orderkey "
    "JOIN nation ON c_nationkey = n_nationkey WHERE o_orderdate >= DATE '1993-10-01' AND o_orderdate < DATE '1994-01-01' "
    "AND l_returnflag = 'R'",
    "Q12": "orders JOIN lineitem ON o_orderkey = l_orderkey WHERE l_shipmode IN ('MAIL', 'SHIP') AND l_commitdate < l_receiptdate "
    "AND l_shipdate < l_commitdate AND l_receiptdate >= DATE '1994-01-01' AND l_receiptdate < DATE '1995-01-01'",
    "Q18": "customer JOIN orders ON c_custkey = o_custkey JOIN lineitem ON o_orderkey = l_orderkey",
}


@dataclass
class Asked:
    """Data under one name: our declaration and engine, and the service of a run, whose budget nobody else uses."""

    declaration: Declaration
    engine: DuckDBEngine
    ledger: StoredLedger
    runs: int = 0

    def service(self, declaration: Declaration | None = None) -> Service:
        self.runs += 1
        return Service(declaration or self.declaration, self.engine, self.ledger, f"run {self.runs}", Limit(1e6, 0.01))

    def plainly(self, sql: str) -> list[tuple[Any, ...]]:
        with self.engine.read() as reading:
            return reading.rows(sql)


def people(folder: Path) -> tuple[Schema, Privacy, pa.Table]:
    """The Adult data with a number for each person, or people made here of the same kind."""
    if ADULT.exists():
        with open(ADULT, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file, delimiter=";"))
    else:
        chance = random.Random(5)
        rows = [
            {"sex": chance.choice(["Male", "Female"]), "age": str(chance.randint(17, 90)), "race": f"R{chance.randrange(5)}",
             "education": f"E{min(chance.randrange(16), chance.randrange(16))}"}
            for _ in range(30_000)
        ]  # fmt: skip
    kinds = {"id": "bigint", "sex": "text", "age": "integer", "race": "text", "education": "text"}
    table = pa.table(
        {"id": list(range(len(rows))), "age": pa.array([int(r["age"]) for r in rows], pa.int32())}
        | {name: [r[name] for r in rows] for name in ("sex", "race", "education")}
    ).select(list(kinds))
    closed = {f"people.{n}": ColumnPrivacy(values=tuple(sorted(set(table[n].to_pylist())))) for n in ("sex", "race", "education")}
    columns = tuple(Column(name, SqlType(kind)) for name, kind in kinds.items())
    schema = Schema("adult", (Table("people", columns, Rows(len(rows)), key=("id",)),))
    return schema, Privacy("people.id", columns={"people.age": ColumnPrivacy(bounds=(0, 120)), **closed}), table


def sessions() -> tuple[Schema, Privacy, dict[str, pa.Table]]:
    """The sessions of the built-in company, with their length in minutes."""
    source = datagen.source("companyos", scale=0.5)
    read = source.read("sessions").read_all()
    users = source.read("users").read_all().select(["id"])
    started, ended = (pc.cast(read[c], pa.int64()) for c in ("started_at", "ended_at"))
    minutes = pc.cast(pc.divide(pc.fill_null(pc.subtract(ended, started), 0), 60_000_000), pa.int32())
    table = pa.table({"id": list(range(read.num_rows)), "user_id": read["user_id"], "minutes": minutes})
    integer = SqlType("bigint")
    schema = Schema(
        "sessions",
        (
            Table("users", (Column("id", integer),), Rows(1), key=("id",)),
            Table(
                "sessions",
                (Column("id", integer), Column("user_id", integer), Column("minutes", SqlType("integer"))),
                Rows(1),
                key=("id",),
                foreign_keys=(ForeignKey(("user_id",), "users", ("id",)),),
            ),
        ),
    )
    return schema, Privacy("users.id", columns={"sessions.minutes": ColumnPrivacy(bounds=(0, 720))}), {"users": users, "sessions": table}


def covering(units: pa.ChunkedArray) -> int:
    """The least power of two that 99 % of the units have no more rows than: smartnoise-sql has to be told, ours chooses it itself."""
    rows: list[int] = sorted(pc.value_counts(units).field("counts").to_pylist())
    return 1 << (rows[len(rows) * 99 // 100] - 1).bit_length()


def error(found: Sequence[Sequence[Any]], exact: Sequence[Sequence[Any]]) -> float:
    """The mean absolute error over the groups that there are; a group that is missing errs by its whole value."""
    by_group = {tuple(row[:-1]): row[-1] for row in found}
    return mean(abs(float(by_group.get(tuple(row[:-1])) or 0.0) - float(row[-1])) for row in exact)


def beside(
    asked_of: Asked, table: str, data: pa.Table, metadata: dict[str, Any], queries: Sequence[str], folder: Path, turns: int
) -> list[dict[str, Any]]:
    """Both systems' errors and seconds for each query."""
    file = folder / f"{table}.csv"
    arrow_csv.write_csv(data, file)
    about = {"": {"": {table: {"rows": data.num_rows, **metadata}}}}
    (folder / "task.json").write_text(json.dumps({"file": str(file), "metadata": about, "epsilon": EPSILON, "delta": DELTA}))
    with peer(environment(PEER, "setuptools<81"), "_smartnoise.py", str(folder / "task.json")) as ask:
        return [compared(asked_of, query, ask, turns) for query in queries]


def compared(asked_of: Asked, query: str, ask: Callable[[str], dict[str, Any]], turns: int) -> dict[str, Any]:
    """Both systems' errors and seconds for one query, asked in turns."""
    exact = asked_of.plainly(query)
    cost = ask(query)
    settings = Settings(epsilon=cost["epsilon"], delta=cost["delta"])
    errors: dict[str, list[float]] = {"ours": [], "smartnoise": []}
    seconds: dict[str, list[float]] = {"ours": [], "anew": [], "smartnoise": []}
    cpu: dict[str, list[float]] = {"ours": [], "anew": [], "smartnoise": []}
    for turn in range(turns):
        for _ in range(IN_A_ROW):
            theirs = ask(query)
            errors["smartnoise"].append(error(theirs["rows"], exact))
            seconds["smartnoise"].append(theirs["seconds"])
            cpu["smartnoise"].append(theirs["cpu"])
        for which in ("ours", "anew") if turn % 2 else ("anew", "ours"):
            for _ in range(IN_A_ROW):
                service = asked_of.service(replace(asked_of.declaration) if which == "anew" else None)
                started, busy = time.perf_counter(), time.process_time()
                answer = service.ask(query, analyst="benchmark", settings=settings)
                seconds[which].append(time.perf_counter() - started)
                cpu[which].append(time.process_time() - busy)
                errors["ours"].append(error(answer.rows(), exact))
    found = {name: mean(each) for name, each in errors.items()}
    ratio = found["ours"] / found["smartnoise"] if found["smartnoise"] else None
    spread = sum((stdev(each) / mean(each)) ** 2 / len(each) for each in errors.values() if len(each) > 1 and mean(each)) ** 0.5
    told = {name: round(each, 4) for name, each in found.items()}
    return {
        "query": query,
        "epsilon": round(cost["epsilon"], 6),
        "error": {**told, "ratio": None if ratio is None else round(ratio, 3), "standard_error_percent": round(100 * spread, 1)},
        "seconds": _times(seconds),
        "first": _times({name: each[::IN_A_ROW] for name, each in seconds.items()}),
        "cpu_seconds": _times(cpu),
    }


def _times(seconds: dict[str, list[float]]) -> dict[str, float]:
    took = {name: median(each) for name, each in seconds.items()}
    theirs = took["smartnoise"]
    told = {name: round(each, 5) for name, each in took.items()}
    return {**told, "times_as_fast": round(theirs / took["ours"], 1), "times_as_fast_anew": round(theirs / took["anew"], 1)}


def together(compared: Sequence[dict[str, Any]]) -> dict[str, float]:
    """The median times of all queries, added up."""
    return _times({who: [sum(query["seconds"][who] for query in compared)] for who in ("ours", "anew", "smartnoise")})


def ten_million(folder: Path) -> list[dict[str, Any]]:
    """Seconds of private and of plain queries over ten million rows of people, a row each, in Parquet."""
    rows = 10_000_000
    ids = pa.array(range(rows), pa.int64())
    values = pc.cast(pc.bit_wise_and(pc.multiply(ids, 2654435761), 65535), pa.int32())
    region = pc.cast(pc.bit_wise_and(ids, 15), pa.string())
    pq.write_table(pa.table({"id": ids, "income": values, "region": region}), folder / "many.parquet", compression="zstd")
    columns = (Column("id", SqlType("bigint")), Column("income", SqlType("integer")), Column("region", SqlType("text")))
    schema = Schema("many", (Table("many", columns, Rows(rows), key=("id",)),))
    said = {"many.income": ColumnPrivacy(bounds=(0, 65535)), "many.region": ColumnPrivacy(values=tuple(map(str, range(16))))}
    held = Asked(
        declare(schema, Privacy("many.id", columns=said)),
        DuckDBEngine({"many": [folder / "many.parquet"]}),
        open_ledger(folder / "many.db"),
    )
    queries = (
        "SELECT COUNT(*) FROM many WHERE income > 30000",
        "SELECT AVG(income) FROM many",
        "SELECT region, COUNT(*), SUM(income) FROM many GROUP BY region",
        "SELECT region, STDDEV(income) FROM many WHERE income > 100 GROUP BY region",
    )
    return [{"query": query, **timed(held, query, Settings(epsilon=1.0, delta=0.0))} for query in queries]


def timed(held: Asked, query: str, settings: Settings, runs: int = 5) -> dict[str, Any]:
    """Median seconds of both, run in turns."""
    plain, private = [], []
    for _ in range(runs):
        plain.append(_seconds(lambda: held.plainly(query)))
        service = held.service()
        private.append(_seconds(lambda: service.ask(query, analyst="benchmark", settings=settings)))  # noqa: B023
    return {"private": round(median(private), 4), "plain": round(median(plain), 4), "ratio": round(median(private) / median(plain), 2)}


def _seconds(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def race(folder: Path, scale: float) -> list[dict[str, Any]]:
    """TPC-H forms with joins and unknown contributions: relative errors over ten runs, and time beside the plain query."""
    source = datagen.source("tpch", scale=scale)
    bundles.build(source, store=folder / "store", tag="tpch:v1")
    opened = bundles.open("tpch:v1", folder / "store")
    engine = DuckDBEngine({name: opened.table(name).paths() for name in opened.tables})
    held = Asked(declare(opened.schema), engine, open_ledger(folder / "tpch.db"))
    outcome = []
    for form, (aggregate, published) in TPCH.items():
        query = f"SELECT {aggregate} FROM {FROM[form.split()[0]]}"
        exact = float(held.plainly(query)[0][0])
        settings = Settings(epsilon=0.8, delta=0.0)
        answers = [held.service().ask(query, analyst="benchmark", settings=settings).rows()[0][0] for _ in range(RACES)]
        percent = 100 * mean(abs(float(a) - exact) / exact for a in answers)
        took = timed(held, query, settings, 3)
        outcome.append({"form": form, "error_percent": round(percent, 4), "goal_percent": 3 * published, **took, "goal_ratio": 3})
    return outcome


def main(arguments: list[str]) -> None:
    """Run all and print one JSON line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks dpsql", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="of TPC-H")
    parser.add_argument("--turns", type=int, default=TURNS, help=f"beside smartnoise-sql, of {IN_A_ROW} questions each")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        schema, privacy, table = people(folder)
        engine = DuckDBEngine()
        engine.add("people", table)
        held = Asked(declare(schema, privacy), engine, open_ledger(folder / "people.db"))
        bounded = {"id": {"type": "int", "private_id": True}, "age": {"type": "int", "lower": 0, "upper": 120}}
        texts = {n: {"type": "string"} for n in ("sex", "race", "education")}
        adult = beside(
            held, "people", table, {"max_ids": 1, "censor_dims": False, **bounded, **texts}, ADULT_QUERIES, folder, options.turns
        )
        schema, privacy, tables = sessions()
        engine = DuckDBEngine()
        for each, rows in tables.items():
            engine.add(each, rows)
        held = Asked(declare(schema, privacy), engine, open_ledger(folder / "sessions.db"))
        said = {"user_id": {"type": "int", "private_id": True}, "minutes": {"type": "int", "lower": 0, "upper": 720}}
        most = covering(tables["sessions"]["user_id"])
        many = beside(
            held, "sessions", tables["sessions"], {"max_ids": most, "censor_dims": False, **said}, SESSION_QUERIES, folder, options.turns
        )
        outcome = {
            "together": {"adult": together(adult), "sessions": together(many)},
            "adult": adult,
            "sessions": many,
            "smartnoise_rows_of_a_person": most,
            "ten_million_rows": ten_million(folder),
            "tpch": race(folder, options.scale),
        }
    print(json.dumps({"benchmark": "dpsql", **outcome, "goals": {"error_ratio": 1, "times_as_fast": 20, "ten_million_ratio": 2}}))
