"""The service as the faces use it."""

from __future__ import annotations

import re
from contextlib import suppress
from cProfile import Profile
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("opendp")

from dpsql.accounting import Limit
from dpsql.answers import Answer
from dpsql.binding import bind
from dpsql.declaration import declare
from dpsql.errors import QueryInvalid
from dpsql.kept import KeptPart
from dpsql.ledger import open_ledger
from dpsql.measuring import Measured, measure
from dpsql.noise.keys import least_released
from dpsql.noisy_tables import notes
from dpsql.outcome_errors import with_errors
from dpsql.outcome_overflow import NOTE
from dpsql.planning import plan
from dpsql.planning.model import Settings
from dpsql.pricing import shared_out
from dpsql.service import Service
from schemas import parse_schema
from schemas.privacy import ColumnPrivacy
from tests.dpsql.shop import PRIVACY, SCHEMA, shop
from tests.dpsql.shop_databases import engine_over, tables


def service(folder: Path, limit: Limit = Limit(1e3, 1e-6)) -> Service:
    return Service(shop(), engine_over(tables()), open_ledger(folder / "ledger.db"), "shop", limit)


def test_a_service_that_ends_closes_its_ledger(tmp_path: Path) -> None:
    with service(tmp_path) as asked:
        asked.ask("SELECT COUNT(*) FROM users", analyst="ada")
        assert (tmp_path / "ledger.db-wal").exists()
    assert not (tmp_path / "ledger.db-wal").exists()  # SQLite keeps it as long as somebody is connected


def test_groups_whose_noisy_value_is_no_number_meet_no_condition(tmp_path: Path) -> None:
    asked = service(tmp_path).ask("SELECT status FROM orders GROUP BY status HAVING LN(COUNT(*) - 1000000) > 0", analyst="ada")
    assert asked.table.num_rows == 0


def test_a_question_is_three_entries_of_the_ledger(tmp_path: Path) -> None:
    with service(tmp_path) as asked:
        for _ in range(2):  # the second time it is answered from what was kept
            asked.ask("SELECT status, COUNT(*), SUM(total) FROM orders GROUP BY status", analyst="ada", settings=Settings(epsilon=1.0))
        assert [e.kind for e in asked.ledger.entries()] == ["limit", "charge", "kept", "finish"]
        asked.ledger.verify()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT COUNT(*) AS n FROM users",
        "SELECT status AS s, COUNT(*) AS n, AVG(total) AS a, COUNT(*) AS again FROM orders GROUP BY status",
        "SELECT country, SUM(balance), MAX(age) FROM users GROUP BY country",
        "SELECT EXTRACT(month FROM placed_at), COUNT(*) FROM orders GROUP BY 1",
        "SELECT active, kind, COUNT(*) FROM events e JOIN users u ON e.user_id = u.id GROUP BY active, kind",
        "SELECT shipped, COUNT(*) FROM orders GROUP BY shipped",
        "SELECT happened, COUNT(*) FROM events GROUP BY happened",
        "SELECT p.name, COUNT(*) FROM plans p JOIN users u ON u.plan_id = p.id GROUP BY p.name",
    ],
)
def test_an_answer_has_the_columns_that_were_announced(tmp_path: Path, sql: str) -> None:
    with service(tmp_path, Limit(1e12, 0.5)) as asked:
        prepared = asked.prepare(sql)
        answer = asked.ask(sql, analyst="ada", settings=Settings(epsilon=1e9, delta=0.01))
    assert tuple(answer.table.column_names) == prepared.columns
    assert tuple(answer.table.schema.types) == prepared.types
    assert tuple(answer.errors) == prepared.noisy


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("SELECT SUM(age), COUNT(age) FROM users", "SELECT AVG(age) AS mean FROM users"),
        ("SELECT SUM(total) AS s, COUNT(total) AS n FROM orders", "SELECT AVG(total) FROM orders"),
        (
            "SELECT status, SUM(total), COUNT(total) FROM orders GROUP BY status",
            "SELECT AVG(total), status AS state FROM orders GROUP BY 2 ORDER BY 1 DESC LIMIT 2",
        ),
    ],
)
def test_a_mean_of_what_was_summed_and_counted_is_free_and_fits(tmp_path: Path, before: str, after: str) -> None:
    with service(tmp_path) as asked:
        settings = Settings(epsilon=100.0, delta=0.0)
        first = asked.ask(before, analyst="ada", settings=settings).rows()
        assert asked.explain(after, analyst="bob", settings=settings).free
        answer = asked.ask(after, analyst="bob", settings=settings)
    assert answer.source == "kept"
    means = {float(row[-2] / row[-1]) for row in first}
    assert all(any(float(v) == pytest.approx(m) for m in means) for row in answer.rows() for v in row if not isinstance(v, str))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("SELECT status, COUNT(*) FROM orders GROUP BY 1", "SELECT n FROM (SELECT status, COUNT(*) AS n FROM orders GROUP BY 1) t"),
        ("SELECT SUM(total) FROM orders", "SELECT s FROM (SELECT SUM(total) AS s FROM orders) t"),
        (
            "SELECT status, note, SUM(total) FROM orders GROUP BY 1, 2",
            "SELECT SUM(o.total), o.note FROM orders o GROUP BY o.note, o.status",
        ),
    ],
)
def test_the_same_question_in_a_subquery_or_with_its_keys_in_another_order_is_free(tmp_path: Path, before: str, after: str) -> None:
    with service(tmp_path) as asked:
        asked.ask(before, analyst="ada")
        assert asked.ask(after, analyst="bob").source == "kept"


COUNTED = "SELECT status, COUNT(*) AS n FROM orders GROUP BY status"
MORE = "SELECT status, COUNT(*) AS n, SUM(total) AS s FROM orders GROUP BY status"
BY_NOTE = "SELECT note AS status, COUNT(*) AS n FROM orders GROUP BY note"


@pytest.mark.parametrize(("one", "other"), [(COUNTED, COUNTED), (BY_NOTE, BY_NOTE), (COUNTED, MORE), (MORE, COUNTED)])
def test_what_a_query_asks_twice_is_measured_and_paid_for_once(tmp_path: Path, one: str, other: str) -> None:
    joined = f"SELECT a.status, a.n, b.n AS m FROM ({one}) a JOIN ({other}) b ON a.status = b.status ORDER BY 1"
    settings = Settings(epsilon=1.0, delta=1e-7)
    with service(tmp_path) as asked:
        alone, both = (asked.explain(sql, analyst="ada", settings=settings).spend for sql in (max(one, other, key=len), joined))
        assert both == alone
        answer = asked.ask(joined, analyst="ada", settings=settings)
        assert answer.table.column("n").to_pylist() == answer.table.column("m").to_pylist()
        again = asked.ask(joined, analyst="bob", settings=settings)
    assert (again.source, again.rows()) == ("kept", answer.rows())


def test_what_a_query_asks_twice_is_drawn_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # a second bound would clip what is told, and be paid for by nobody
    drawn: list[list[str]] = []

    def measured(*arguments: Any) -> Measured:
        made, known = measure(*arguments), arguments[-1]
        drawn.append([n for of, had in ((made.thresholds, known.thresholds), (made.parts, known.parts)) for n in of if n not in had])
        return made

    monkeypatch.setattr("dpsql.service.measure", measured)
    with service(tmp_path) as asked:
        asked.ask(f"SELECT a.s, b.s FROM ({MORE}) a JOIN ({MORE}) b ON a.status = b.status", analyst="ada")
    first, second = drawn
    assert first and not second


@pytest.mark.parametrize(
    "divided",
    [
        "AVG(total) / 0.0",
        "AVG(total) / (COUNT(*) - COUNT(*))",
        "COUNT(*) % 0",
        "COUNT(*) % (COUNT(*) - COUNT(*))",
        "COUNT(*) / (SUM(total) * 0)",
    ],
)
def test_what_is_divided_by_zero_is_null(tmp_path: Path, divided: str) -> None:
    with service(tmp_path) as asked:
        for sql in (f"SELECT {divided} AS q FROM orders", f"SELECT n FROM (SELECT {divided} AS n FROM orders) t"):
            assert asked.ask(sql, analyst="ada").rows() == [(None,)]


def test_what_stands_for_a_null_does_not_tell_an_error_that_is_not_known(tmp_path: Path) -> None:
    with service(tmp_path) as asked:
        answer = asked.ask("SELECT COALESCE(MEDIAN(total), 0) FROM orders", analyst="ada", settings=Settings(epsilon=10.0))
    assert answer.errors[0] == [None]


@pytest.mark.parametrize("dialect", ["postgres", "duckdb"])
@pytest.mark.parametrize("of_negative", ["LN(n)", "SQRT(n)", "1 + LN(n)", "1.5 / (n - n)"])
def test_what_is_no_number_is_null_and_so_is_its_error(tmp_path: Path, dialect: str, of_negative: str) -> None:
    with service(tmp_path) as asked:
        asked.dialect = dialect
        answer = asked.ask(
            f"SELECT {of_negative} FROM (SELECT COUNT(*) - 1000000 AS n FROM orders) t", analyst="ada", settings=Settings(epsilon=1)
        )
    assert (answer.rows(), dict(answer.errors)) == ([(None,)], {0: [None]})


@pytest.mark.parametrize(
    ("sql", "clamped"),
    [("GREATEST(COUNT(*) - 100000, 0)", None), ("LEAST(GREATEST(AVG(total), 0), 5)", 5), ("GREATEST(LEAST(COUNT(*) - 100000, 2), -3)", 5)],
)
def test_what_is_clamped_is_told_with_the_error_that_it_has_unclamped(tmp_path: Path, sql: str, clamped: float | None) -> None:
    plain = {"COUNT(*)": "COUNT(*) + 0.5", "AVG(total)": "AVG(total)"}[next(a for a in ("COUNT(*)", "AVG(total)") if a in sql)]
    with service(tmp_path) as asked:
        answer = asked.ask(f"SELECT {sql} AS c, {plain} AS p FROM orders", analyst="ada", settings=Settings(epsilon=1.0))
    ((error,), (unclamped,)) = answer.errors.values()
    assert error == pytest.approx(min(unclamped, clamped or unclamped))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT country, COUNT(*) FROM users GROUP BY country",
        "SELECT UPPER(country) AS c, SUM(balance), AVG(balance) FROM users GROUP BY 1",
        "SELECT country, MAX(age) FROM users GROUP BY country",
    ],
)
def test_groups_that_were_never_measured_are_not_answered_from_what_was_kept(tmp_path: Path, sql: str) -> None:
    def asked(folder: Path, *countries: str) -> Answer:
        declared = replace(PRIVACY, columns={**PRIVACY.columns, "users.country": ColumnPrivacy(values=countries)})
        ledger = open_ledger(folder / "ledger.db")
        with Service(
            declare(parse_schema(SCHEMA, "shop.yaml"), declared), engine_over(tables()), ledger, "shop", Limit(1e12, 0.5)
        ) as found:
            return found.ask(sql, analyst="ada", settings=Settings(epsilon=1e9))

    first, wider = asked(tmp_path, "DE", "FR"), asked(tmp_path, "DE", "FR", "JP")
    assert (first.source, wider.source) == ("private", "private")
    assert all(value for row in wider.rows() for value in row[1:] if row[0] == "JP")
    again = asked(tmp_path, "JP", "FR", "DE")
    assert again.source == "kept"
    assert sorted(again.rows(), key=str) == sorted(wider.rows(), key=str)


def test_what_a_cte_shows_is_explained_and_told_as_what_it_is(tmp_path: Path) -> None:
    sql = (
        "WITH m AS (SELECT DATE_TRUNC('month', placed_at) AS month, COUNT(*) AS n FROM orders GROUP BY 1) "
        "SELECT month, n, n - LAG(n) OVER (ORDER BY month) AS d FROM m"
    )
    with service(tmp_path) as asked:
        explained = asked.explain(sql, analyst="ada").columns
        answer = asked.ask(sql, analyst="ada", settings=Settings(epsilon=0.1))
        assert asked.prepare(sql).noisy == (1, 2)
    assert [column.note for column in explained] == ["exact", *["noisy; its error is told with the answer"] * 2]
    n, d = answer.errors.values()
    assert d == [None, *[pytest.approx(2**0.5 * n[0], rel=0.1)] * 11]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a.n, b.s FROM (SELECT status, COUNT(*) AS n FROM orders GROUP BY 1) a "
        "JOIN (SELECT status, SUM(parcels) AS s FROM orders GROUP BY 1) b ON a.status = b.status",
        "SELECT SUM(COUNT(*)) OVER () FROM orders GROUP BY status",
    ],
)
def test_an_error_that_will_not_be_told_is_not_promised(tmp_path: Path, sql: str) -> None:
    with service(tmp_path) as asked:
        explained = asked.explain(sql, analyst="ada").columns
        answer = asked.ask(sql, analyst="ada")
    assert all(column.error95 is None and "is not told" in column.note for column in explained)
    assert all(error is None for errors in answer.errors.values() for error in errors)


def test_a_difference_of_times_is_a_timedelta(tmp_path: Path) -> None:
    sql = "SELECT MAX(placed_at) - MIN(placed_at), MIN(placed_at) - MAX(placed_at) FROM orders"
    with service(tmp_path, Limit(1e12, 0.5)) as asked:
        prepared, answer = asked.prepare(sql), asked.ask(sql, analyst="ada", settings=Settings(epsilon=1e9))
    assert prepared.types == tuple(answer.table.schema.types)
    ((after, before),) = answer.rows()
    assert timedelta(days=300) < after < timedelta(days=366)
    assert before == -after


def test_twice_as_many_errors_take_about_twice_the_work() -> None:
    def work(count: int) -> int:
        names = tuple(f"a{n}" for n in range(count))
        residual = f"SELECT {', '.join(names)}, {', '.join(f'{name} * 2' for name in names)} FROM r0"
        profile = Profile()
        profile.runcall(with_errors, residual, (("r0", names),))
        return sum(entry.callcount for entry in profile.getstats())

    work(1)  # what is loaded once is loaded
    assert work(200) < 3 * work(100)


@pytest.mark.parametrize(
    ("sql", "plain"),
    [
        (
            'SELECT "public"."users"."country" AS "country", COUNT(*) AS "count" FROM "public"."users" '
            'GROUP BY "public"."users"."country" ORDER BY "public"."users"."country" ASC',
            "SELECT country, COUNT(*) FROM users GROUP BY country ORDER BY country",
        ),
        (
            'SELECT "public"."orders"."status" AS "status", "Users"."country", SUM("public"."orders"."total") FROM "public"."orders" '
            'LEFT JOIN "public"."users" AS "Users" ON "public"."orders"."user_id" = "Users"."id" '
            'GROUP BY "public"."orders"."status", "Users"."country" ORDER BY 1, 2',
            "SELECT status, country, SUM(total) FROM orders LEFT JOIN users u ON user_id = u.id GROUP BY status, country ORDER BY 1, 2",
        ),
        (
            "SELECT COUNT(*) FROM public.users WHERE EXISTS (SELECT FROM orders WHERE public.orders.user_id = public.users.id)",
            "SELECT COUNT(*) FROM users WHERE EXISTS (SELECT FROM orders WHERE user_id = users.id)",
        ),
        (
            "SELECT COUNT(*) FROM (public.users JOIN public.profiles ON public.users.id = public.profiles.user_id) WHERE public.users.age > 30",
            "SELECT COUNT(*) FROM users JOIN profiles ON users.id = profiles.user_id WHERE age > 30",
        ),
        ("SELECT public.plans.name FROM public.plans ORDER BY public.plans.name", "SELECT name FROM plans ORDER BY name"),
    ],
)
def test_columns_with_the_schema_of_their_table_are_those_without(tmp_path: Path, sql: str, plain: str) -> None:
    with service(tmp_path) as asked:
        settings = Settings(epsilon=100.0)
        assert asked.ask(plain, analyst="ada", settings=settings).rows() == asked.ask(sql, analyst="ada", settings=settings).rows()


def test_a_row_that_a_public_table_got_is_a_group_that_was_never_measured(tmp_path: Path) -> None:
    changed = {**tables(), "plans": tables()["plans"].slice(0, 2)}
    sql, counted = "SELECT plan_id, COUNT(*) FROM users GROUP BY plan_id", []
    for held in (changed, tables()):
        with Service(shop(), engine_over(held), open_ledger(tmp_path / "ledger.db"), "shop", Limit(1e12, 0.5)) as asked:
            counted.append(asked.ask(sql, analyst="ada", settings=Settings(epsilon=1e9)))
    assert [a.source for a in counted] == ["private", "private"]
    assert dict(counted[1].rows())[3] > 0


def test_a_count_beside_another_sum_is_the_one_that_was_kept(tmp_path: Path) -> None:
    with service(tmp_path) as asked:
        first = asked.ask("SELECT COUNT(*) FROM users", analyst="ada", settings=Settings(epsilon=1.0)).rows()
        answer = asked.ask("SELECT SUM(balance), COUNT(*) FROM users", analyst="ada", settings=Settings(epsilon=2.0))
        assert answer.rows()[0][1] == first[0][0]
        assert answer.spend.epsilon == 1.0
        other = asked.ask("SELECT COUNT(*) FROM users WHERE balance > 0", analyst="ada", settings=Settings(epsilon=1.0))
        assert other.source == "private"  # other rows


def test_what_was_paid_with_the_most_epsilon_answers_from_then_on(tmp_path: Path) -> None:
    sql = "SELECT status, SUM(total), AVG(total) FROM orders GROUP BY status"
    with service(tmp_path) as asked:
        for epsilon in (0.1, 1.0, 4.0):
            paid = asked.ask(sql, analyst="ada", settings=Settings(epsilon=epsilon))
            assert (paid.source, paid.spend.epsilon) == ("private", pytest.approx(epsilon))
            for again in (epsilon, 0.05, None):
                free = asked.ask(sql, analyst="bob", settings=Settings(epsilon=again))
                assert (free.source, free.rows()) == ("kept", paid.rows())
        asked.ledger.verify()


def test_groups_that_more_epsilon_releases_have_values_and_what_was_asked_before_stays_free(tmp_path: Path) -> None:
    sql = "SELECT note, COUNT(*), SUM(total) FROM orders GROUP BY note"
    with service(tmp_path, Limit(1e6, 0.9)) as asked:
        few = Settings(epsilon=0.5, delta=1e-9)
        assert asked.ask(sql, analyst="ada", settings=few).rows() == []
        units = "SELECT note, COUNT(DISTINCT user_id) FROM orders GROUP BY note"
        assert len(asked.ask(units, analyst="ada", settings=Settings(epsilon=50.0, delta=1e-3)).rows()) == 3
        assert (asked.ask(sql, analyst="bob").source, asked.ask(sql, analyst="bob", settings=few).rows()) == ("kept", [])
        paid = asked.ask(sql, analyst="ada", settings=Settings(epsilon=60.0, delta=1e-3))
        assert len(paid.rows()) == 3 and all(number and total for _, number, total in paid.rows())
        again = asked.ask(sql, analyst="bob")
        assert (again.source, again.rows()) == ("kept", paid.rows())
        asked.ledger.verify()


def test_a_mean_is_of_the_sum_and_the_count_that_were_paid_with_the_most_epsilon(tmp_path: Path) -> None:
    with service(tmp_path, Limit(1e6, 1e-6)) as asked:
        asked.ask("SELECT COUNT(total) FROM orders", analyst="ada", settings=Settings(epsilon=0.01))
        ((number, total),) = asked.ask(
            "SELECT COUNT(total), SUM(total) FROM orders", analyst="ada", settings=Settings(epsilon=500.0)
        ).rows()
        mean = asked.ask("SELECT AVG(total) FROM orders", analyst="ada", settings=Settings(epsilon=0.01))
        assert mean.source == "kept"
        assert mean.rows() == [(pytest.approx(float(total / number)),)]


def test_a_precision_that_was_reached_is_free_the_next_time(tmp_path: Path) -> None:
    with service(tmp_path) as asked:
        first, again = (asked.ask("SELECT COUNT(*) FROM orders", analyst="ada", settings=Settings(rel_error=0.01)) for _ in range(2))
        assert first.spend.epsilon > 0
        assert (again.source, again.spend.epsilon, again.rows()) == ("kept", 0, first.rows())


@pytest.mark.parametrize(
    ("before", "mine", "other"), [(None, 1.0, 1.0), (0.1, 1.0, 1.0), (0.1, 1.0, 4.0), (None, 4.0, 1.0), (0.1, 4.0, 1.0)]
)
def test_of_two_who_pay_for_the_same_at_once_the_first_is_kept_unless_the_other_paid_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: float | None, mine: float, other: float
) -> None:
    sql = "SELECT SUM(balance) FROM users"  # two noises of scale 10^7 or more are the same about once in 10^7 times
    with service(tmp_path) as asked:

        def ask(epsilon: float) -> Answer:
            return asked.ask(sql, analyst="ada", settings=Settings(epsilon=epsilon))

        if before is not None:
            ask(before)
        meanwhile: list[Answer] = []

        def measured(*arguments: Any) -> Measured:
            if not meanwhile:
                monkeypatch.undo()
                meanwhile.append(ask(other))
            return measure(*arguments)

        monkeypatch.setattr("dpsql.service.measure", measured)
        answer = ask(mine)
        (his,) = meanwhile
        assert answer.spend.epsilon == mine
        assert (answer.rows() == his.rows()) == (mine <= other)
        assert ask(max(mine, other)).rows() == answer.rows()
        assert ask(max(mine, other)).source == "kept"


@pytest.mark.parametrize(("mine", "others"), [(4.0, [1.0]), (1.0, [4.0]), (4.0, [1.0, 2.0]), (2.0, [1.0, 4.0]), (1.0, [1.0])])
def test_of_those_who_keep_the_same_at_once_the_best_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mine: float, others: list[float]
) -> None:
    sql = "SELECT SUM(balance) FROM users"
    with service(tmp_path) as asked:
        waiting, theirs, busy = list(others), dict[float, Answer](), list[bool]()

        def ask(epsilon: float) -> Answer:
            return asked.ask(sql, analyst="ada", settings=Settings(epsilon=epsilon))

        def interrupt(name: str) -> None:  # after what is kept was looked up, before mine is written
            keeping = getattr(asked.ledger, name)

            def late(*arguments: Any) -> Any:
                if waiting and not busy:
                    busy.append(True)
                    epsilon = waiting.pop(0)
                    theirs[epsilon] = ask(epsilon)
                    busy.clear()
                return keeping(*arguments)

            monkeypatch.setattr(asked.ledger, name, late)

        interrupt("finish")
        interrupt("keep")
        answer, best = ask(mine), max(mine, *others)
        again = ask(best)
        assert again.source == "kept"
        assert again.rows() == answer.rows()
        assert best not in theirs or again.rows() == theirs[best].rows()
        asked.ledger.verify()


def test_a_mean_alone_is_measured_about_the_middle_of_its_bounds(tmp_path: Path) -> None:
    with service(tmp_path) as asked:
        explained = asked.explain("SELECT AVG(age) FROM users", analyst="ada")
        assert not explained.free
        assert any("-60 to 60" in bound for bound in explained.bounds)


def test_public_groups_of_which_nothing_is_measured_stand_beside_a_count(tmp_path: Path) -> None:
    sql = "WITH a AS (SELECT DISTINCT country FROM users), b AS (SELECT COUNT(*) AS n FROM users) SELECT * FROM a, b ORDER BY country"
    with service(tmp_path, Limit(1e12, 1e-6)) as asked:
        assert not asked.explain(sql, analyst="ada").free
        answer = asked.ask(sql, analyst="ada", settings=Settings(epsilon=1e9))
    assert answer.rows() == [("DE", 60), ("FR", 60), ("JP", 60), (None, 60)]


def test_rows_beyond_what_is_declared_leave_a_mean_where_it_was(tmp_path: Path) -> None:
    declared = declare(parse_schema(SCHEMA, "shop.yaml"), replace(PRIVACY, contributions={"orders": 2}))
    engine = engine_over(tables())
    with engine.read() as reading:
        # each user's own mean, weighted by the rows that count
        ((expected,),) = reading.rows(
            "SELECT SUM(m * LEAST(n, 2)) / SUM(LEAST(n, 2)) FROM (SELECT AVG(total) AS m, COUNT(total) AS n FROM orders GROUP BY user_id)"
        )
    with Service(declared, engine, open_ledger(tmp_path / "ledger.db"), "shop", Limit(1e12, 1e-6)) as asked:
        answer = asked.ask("SELECT AVG(total), COUNT(total) FROM orders", analyst="ada", settings=Settings(epsilon=1e9))
    assert answer.rows()[0][0] == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT country, TO_CHAR(COUNT(*), '999') AS c FROM users GROUP BY country",
        "SELECT status, COUNT(*) FROM orders GROUP BY status ORDER BY 5",
        "SELECT country, COUNT(*) FROM users GROUP BY country HAVING COUNT(*) = 'many'",
        "SELECT country, COUNT(*) FROM users GROUP BY country HAVING COUNT(*) > 5 AND SUM(balance) BETWEEN 'low' AND 'high'",
        "SELECT country, COUNT(*) FROM users GROUP BY country HAVING COUNT(*) = DATE '2024-01-01'",
        "SELECT country, COUNT(*) FROM users GROUP BY country HAVING country = 5",
        "SELECT country, COUNT(*) FROM users GROUP BY country ORDER BY COUNT(*) IN ('few', 'many')",
        "SELECT COUNT(*) + 'more' FROM users",
        "SELECT CASE WHEN COUNT(*) > 3 THEN COUNT(*) ELSE 'few' END FROM users",
        "SELECT COALESCE(AVG(age), 'none') FROM users",
        "SELECT n FROM (SELECT COUNT(*) AS n FROM users) x WHERE n = 'many'",
    ],
)
def test_what_cannot_be_worked_out_of_the_outcome_is_told_before_it_is_paid_for(tmp_path: Path, sql: str) -> None:
    with service(tmp_path) as asked:
        with pytest.raises(QueryInvalid, match="noisy outcome failed"):
            asked.ask(sql, analyst="ada", settings=Settings(epsilon=1.0))
        assert [e.kind for e in asked.ledger.entries()] == ["limit", "refusal"]


HUGE = "9223372036854775807"


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT COUNT(*) * {HUGE} FROM users",
        f"SELECT -(2 + (COUNT(*) + SUM(age)) * {HUGE}) FROM users",
        "SELECT CAST(COUNT(*) * 1e30 AS BIGINT) FROM users",
        "SELECT CAST(SUM(age) * 1000 AS NUMERIC(4, 2)) FROM users",
        "SELECT DATE '2024-01-01' + CAST(COUNT(*) * 100000000 AS INTEGER) FROM users",
        f"SELECT n * {HUGE} FROM (SELECT COUNT(*) AS n FROM users) t",
    ],
)
def test_what_is_too_large_for_its_type_is_null_and_told(tmp_path: Path, sql: str) -> None:
    with service(tmp_path) as asked:
        answer = asked.ask(sql, analyst="ada", settings=Settings(epsilon=5.0))
        assert answer.rows() == [(None,)]
        assert answer.errors == {0: [None]}
        assert NOTE in answer.notes
        assert answer.table.schema.types == list(asked.prepare(sql).types)


def test_what_is_within_its_type_stands_beside_what_is_not(tmp_path: Path) -> None:
    sql = f"SELECT country, COUNT(*), COUNT(*) * {HUGE} AS huge, COUNT(*) * 2 AS twice FROM users GROUP BY country ORDER BY country"
    with service(tmp_path) as asked:
        answer = asked.ask(sql, analyst="ada", settings=Settings(epsilon=50.0))
    assert [(huge, twice) for _, _, huge, twice in answer.rows()] == [(None, 2 * n) for _, n, _, _ in answer.rows()]
    assert answer.errors_95["huge"] == [None] * answer.table.num_rows
    assert None not in answer.errors_95["twice"]


def test_what_fails_over_the_outcome_was_kept_so_that_a_mended_query_is_free(tmp_path: Path) -> None:
    with service(tmp_path) as asked:
        for failing in ("CAST(status AS INTEGER)", "SUM(COUNT(*)) OVER () * 99999999999999999999999999999999999999"):
            with pytest.raises(QueryInvalid, match="the noisy values are kept"):
                asked.ask(f"SELECT {failing}, COUNT(*) FROM orders GROUP BY status", analyst="ada")
        assert asked.ask("SELECT status, COUNT(*) FROM orders GROUP BY status", analyst="bob").source == "kept"


@pytest.mark.parametrize("dialect", ["postgres", "duckdb"])
@pytest.mark.parametrize("function", ["LN", "SQRT", "NULLIF", "ABS"])
def test_a_function_that_is_no_window_function_is_told_as_such(tmp_path: Path, dialect: str, function: str) -> None:
    with service(tmp_path) as asked:
        asked.dialect = dialect
        with pytest.raises(QueryInvalid, match=rf"{function} is no window function.*{function}\(SUM\(x\) OVER"):
            asked.ask(f"SELECT status, {function}(COUNT(*){', 1' * (function == 'NULLIF')}) OVER () FROM orders GROUP BY 1", analyst="ada")
        assert asked.prepare("SELECT status, LN(SUM(COUNT(*)) OVER ()), SUM(LN(COUNT(*))) OVER () FROM orders GROUP BY 1").noisy == (1, 2)
        assert asked.prepare("SELECT SUM(COUNT(*)) OVER w FROM orders GROUP BY status WINDOW w AS (ORDER BY status)").noisy == (0,)


def test_what_is_nested_too_deeply_for_its_errors_is_told_before_it_is_paid_for(tmp_path: Path) -> None:
    with service(tmp_path) as asked:
        for depth in range(50, 38, -2):  # which of them are too deep depends on who asks
            with suppress(QueryInvalid):
                asked.ask(f"SELECT {'CASE WHEN COUNT(*) > 1 THEN ' * depth}1{' END' * depth} FROM users", analyst="ada")
        ends = [e.detail for e in asked.ledger.entries() if e.kind == "finish"]
        assert len(ends) == sum(e.kind == "charge" for e in asked.ledger.entries()) == sum("answered" in str(end) for end in ends)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT country, COUNT(*) FROM users GROUP BY country HAVING COUNT(*) >= '0'",
        "SELECT country, COUNT(*) FROM users GROUP BY country HAVING country = 'DE' OR TRY_CAST(country AS INTEGER) IS NULL",
        "SELECT MAX(age) + 0.5, CAST(COUNT(*) AS TEXT) || ' users', COUNT(*) > 0 FROM users",
        "SELECT EXTRACT(month FROM placed_at), COUNT(*) FROM orders GROUP BY 1 HAVING MAX(total) > 1.5 ORDER BY 1",
        "SELECT happened, COUNT(*) FROM events GROUP BY happened HAVING happened >= '2024-01-01'",
        "SELECT CAST(COUNT(*) * 0.001 AS DECIMAL(2, 2)) FROM users",
    ],
)
def test_types_that_can_be_converted_are_answered(tmp_path: Path, sql: str) -> None:
    with service(tmp_path, Limit(1e12, 0.5)) as asked:
        assert asked.ask(sql, analyst="ada", settings=Settings(epsilon=1e9, delta=0.01)).table.num_columns


@pytest.mark.parametrize("key", ["EXTRACT(month FROM created_at)", "TO_CHAR(created_at, 'YYYY-MM')"])
def test_days_that_are_never_null_have_no_group_of_nulls(tmp_path: Path, key: str) -> None:
    with service(tmp_path) as asked:
        found = asked.ask(f"SELECT {key} AS k, COUNT(*) FROM users GROUP BY 1", analyst="ada", settings=Settings(epsilon=1.0))
        with_nulls = asked.ask(
            "SELECT EXTRACT(month FROM born), COUNT(*) FROM users GROUP BY 1", analyst="ada", settings=Settings(epsilon=1.0)
        )
    assert None not in [row[0] for row in found.rows()]
    assert None in [row[0] for row in with_nulls.rows()]


@pytest.mark.parametrize("settings", [Settings(epsilon=1.0), Settings(epsilon=1.0, min_units=70), Settings(epsilon=0.3)])
def test_an_answer_says_from_how_many_units_on_its_private_groups_are_shown(tmp_path: Path, settings: Settings) -> None:
    sql = "SELECT city, COUNT(*) FROM users GROUP BY city"
    with service(tmp_path) as asked:
        explained = asked.explain(sql, analyst="ada", settings=settings).bounds
        answers = [asked.ask(sql, analyst="ada", settings=settings) for _ in range(2)]
        public = asked.ask("SELECT country, COUNT(*) FROM users GROUP BY country", analyst="ada")
    assert settings.epsilon is not None
    _, least = least_released(1, settings.epsilon / 2, asked.limit.delta * 0.01, settings.min_units)
    note = f"groups with fewer than about {least} units of privacy are left out, as it is not public which groups there are"
    assert [a.source for a in answers] == ["private", "kept"]
    assert all(a.notes == (note,) for a in answers)
    assert note in explained
    assert public.notes == ()


def test_a_bound_that_was_chosen_is_told_in_the_unit_of_what_is_summed(tmp_path: Path) -> None:
    with service(tmp_path, Limit(1e12, 0.5)) as asked:
        (chosen, _) = asked.ask("SELECT SUM(total) FROM orders", analyst="ada", settings=Settings(epsilon=1e9)).notes
        bound = float(
            re.fullmatch(r"chosen privately: the sum of one unit of privacy in a group at most ([\d,.]+)", chosen)[1].replace(",", "")
        )
    spent: dict[int, Decimal] = {}
    for order in tables()["orders"].to_pylist():
        spent[order["user_id"]] = spent.get(order["user_id"], Decimal(0)) + (order["total"] or 0)
    assert max(spent.values()) <= bound < 2 * max(spent.values())


@pytest.mark.parametrize(
    ("sql", "epsilon", "bound", "units"),
    [
        ("SELECT SUM(total) FROM orders", 0.1, 1, "113"),
        ("SELECT SUM(total) FROM orders", 0.001, 8, "11,250"),
        ("SELECT status, SUM(total) FROM orders GROUP BY status", 0.1, 1, "113"),
        ("SELECT SUM(total) FROM orders", 0.1, 16, None),
        ("SELECT COUNT(*) FROM orders", 0.1, 1, None),  # one row of each is a bound as good as any
        ("SELECT SUM(CASE WHEN total > 5 THEN 1 ELSE 0 END) FROM orders", 0.1, 1, None),
    ],
)
def test_a_sum_of_which_clipping_leaves_next_to_nothing_says_so(sql: str, epsilon: float, bound: int, units: str | None) -> None:
    (planned,) = shared_out([plan(release, shop(), Settings()) for release in bind(sql, shop()).releases], epsilon, 0.0)
    shares = planned.shares
    chosen = {t.name: KeptPart(((),), (bound,), "noisy max", 0.0, shares.threshold) for t in planned.thresholds}
    told = list(notes(planned, Measured(chosen, {p.name: KeptPart(((),), (0,), "laplace", 1.0, shares.part) for p in planned.parts})))
    assert [f"takes some {units} units" in note for note in told if "clipping leaves next to nothing" in note] == ([True] if units else [])


@pytest.mark.parametrize(
    ("mean_of", "scale", "reach"),
    [
        ("EXTRACT(EPOCH FROM (placed_at - TIMESTAMP '2024-07-01')) / 86400", 1e12, "from -182 to 184:"),
        ("EXTRACT(EPOCH FROM (placed_at - TIMESTAMP '2024-07-01')) / 86400", 1e-3, None),
        ("CASE WHEN total > 5 THEN 1 ELSE 0 END", 1e12, None),  # a share has no closer bounds
        ("total", 1e12, None),  # and those of a column were declared
    ],
)
def test_a_mean_that_noise_drowns_says_how_far_its_values_reach(mean_of: str, scale: float, reach: str | None) -> None:
    (release,) = bind(f"SELECT AVG({mean_of}) FROM orders", shop()).releases
    planned = plan(release, shop(), Settings())
    kept = {p.name: KeptPart(((),), (500,), "laplace", scale if p.kind == "sum" else 1e-3, 1.0) for p in planned.parts}
    chosen = {t.name: KeptPart(((),), (8,), "noisy max", 0.0, 1.0) for t in planned.thresholds}
    told = [n for n in notes(planned, Measured(chosen, kept)) if "noise drowns" in n]
    assert len(told) == (reach is not None)
    assert reach is None or (reach in told[0] and "LEAST(GREATEST(x, LOW), HIGH)" in told[0])
