"""What only PostgreSQL can have: privileges, infinite dates, and columns whose digits and checks noise must keep."""

from __future__ import annotations

from tests.masking.pipeline.commands import Masking
from tests.masking.pipeline.databases import asked, interlocked

KEEP = {"class": "public", "mask": "keep"}


def refused(masking: Masking, url: str, code: int, *said: str) -> None:
    got, _, err = masking.run(url)
    assert got == code, err
    for words in said:
        assert words in err
    masking.assert_nothing_is_left()


def test_a_user_without_privileges_is_told_what_to_grant(masking: Masking, postgres_url: str):
    interlocked(postgres_url)
    asked(postgres_url, "CREATE ROLE reader LOGIN", "GRANT USAGE ON SCHEMA staff TO reader", "GRANT SELECT ON employees TO reader")
    try:
        masking.write({})
        refused(masking, postgres_url.replace("//postgres:", "//reader:"), 4, "may not read", "GRANT SELECT")
    finally:
        asked(postgres_url, "DROP OWNED BY reader", "DROP ROLE reader")


def test_infinite_dates_are_told_with_their_place(masking: Masking, postgres_url: str):
    asked(postgres_url, "CREATE TABLE t (id int PRIMARY KEY, born_on date)", "INSERT INTO t VALUES (1, 'infinity')")
    masking.write({"t": {"columns": {"id": KEEP, "born_on": KEEP}}})
    refused(masking, postgres_url, 4, "born_on")


def test_noise_stays_within_the_digits_and_the_checks_of_a_column(masking: Masking, postgres_url: str):
    asked(
        postgres_url,
        "CREATE TABLE t (id int PRIMARY KEY, pay numeric(4,0) CHECK (pay > 0))",
        "INSERT INTO t SELECT i, 9949 + i FROM generate_series(1, 50) i",
    )
    masking.write({"t": {"columns": {"id": KEEP, "pay": {"class": "sensitive", "entity": "salary", "mask": {"noise": {"spread": 0.9}}}}}})
    masked = masking.made(postgres_url).read("t").read_all().column("pay").to_pylist()
    assert all(0 < value <= 9999 for value in masked) and len(set(masked)) > 1
