"""The scan: planted leaks are found, chance is told from leaks, what is kept on purpose does not count, and no value is told."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.errors import MaskingFailed, PolicyOutdated, Survivors
from masking.known import KnownValues
from masking.policy.reader import parse_policy
from masking.proof import Examined, Scanner, ScanReport, TableLearner, column_entries, examined, learn_pools, scan
from masking.proof.chance import threshold
from schemas.model import Column, Rows, Schema, Table
from schemas.types import SqlType

SECRET = b"a secret of the tests"
PEOPLE = 40
LOCAL = [
    f"{a}{b}"
    for a in ("quentin", "rosalind", "barnaby", "ottoline", "ferdinand")
    for b in ("ash", "oak", "elm", "fir", "yew", "box", "bay", "fig")
]
EMAILS = [f"{name}.{i}@northwind-traders.net" for i, name in enumerate(LOCAL)]
NAMES = [f"{name[:-3].title()} {name[-3:].title()}worthington" for name in LOCAL]
PHONES = [f"+4930{7_000_003 + 7919 * i}" for i in range(PEOPLE)]


@dataclass
class Pool:
    kind: str
    texts: tuple[str, ...]
    locale: str = "en_US"


@dataclass
class MemorySource:
    """A source over tables in memory."""

    tables: Mapping[str, pa.Table]
    schema: Schema
    dialect: str = "postgres"
    read_columns: list[str] = field(default_factory=list)

    def count(self, table: str) -> int:
        return self.tables[table].num_rows

    def read(self, table: str, columns: Sequence[str] | None = None) -> pa.RecordBatchReader:
        self.read_columns += columns or []
        return self.tables[table].select(list(columns or self.tables[table].schema.names)).to_reader(max_chunksize=16)

    def sampled(self, table: str, share: float, columns: Sequence[str] | None = None) -> pa.RecordBatchReader | None:
        return None

    def where(self, table: str, condition: str, columns: Sequence[str]) -> pa.RecordBatchReader:
        raise AssertionError("not asked for")

    def check_unchanged(self) -> None:
        return None


def table(called: str, /, **columns: str) -> Table:
    return Table(called, tuple(Column(c, SqlType(kind), null=0.0) for c, kind in columns.items()), Rows(count=PEOPLE))


USERS = table(
    "users", name="text", email="text", phone="text", born="date", city="text", country="text", notes="text", settings="json", plan="text"
)
SOURCE_USERS: dict[str, list[Any]] = {
    "name": NAMES,
    "email": EMAILS,
    "phone": PHONES,
    "born": [None] * PEOPLE,
    "city": ["Berlin"] * 20 + [f"Kleinostheim {i}" for i in range(20)],
    "country": ["DE"] * PEOPLE,
    "notes": ["nothing to see"] * PEOPLE,
    "settings": [json.dumps({"contact": {"mail": f"private{e}"}, "tags": ["x"], "seen": 5}) for e in EMAILS],
    "plan": ["free"] * PEOPLE,
}
POLICY = """
policy: crm
tables:
  users:
    columns:
      name:     {class: direct, entity: person_name, mask: name}
      email:    {class: direct, entity: email, mask: email}
      phone:    {class: direct, entity: phone, mask: phone}
      born:     {class: quasi, entity: birth_date, mask: {shift: {days: 30}}}
      city:     {class: quasi, entity: city, mask: city}
      country:  {class: quasi, entity: country, mask: keep}
      notes:    {class: free_text, mask: redact}
      settings:
        class: free_text
        paths: {$.contact.mail: {class: direct, entity: email, mask: email}, "$.tags[*]": {class: public, mask: keep}}
        rest: redact
      plan:     {class: public, mask: keep}
  messages:
    columns:
      body:     {class: public, mask: keep}
      payload:  {class: public, mask: keep}
      links:    {class: public, mask: keep}
      blob:     {class: public, mask: keep}
"""
MASKED_USERS: dict[str, list[Any]] = SOURCE_USERS | {
    "name": [f"Person Number {i}" for i in range(PEOPLE)],
    "email": [f"someone{i}@example.org" for i in range(PEOPLE)],
    "phone": [f"+1555000{i:04}" for i in range(PEOPLE)],
    "city": [f"Town {i}" for i in range(PEOPLE)],
    "settings": ['{"contact": {"mail": "x@example.org"}, "tags": ["x"], "seen": 5}'] * PEOPLE,
}
CLEAN: dict[str, list[Any]] = {
    "body": [f"Dear customer, order number {i} is on its way." for i in range(PEOPLE)],
    "payload": [json.dumps({"order": i, "state": "sent", "items": [1, 2]}) for i in range(PEOPLE)],
    "links": [["https://example.org/a", "https://example.org/b"]] * PEOPLE,
    "blob": [b"\x00\xff\xfe" * 5] * PEOPLE,
}


def batch(schema: Table, columns: Mapping[str, list[Any]]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict(dict(columns), schema=schema.arrow)


def learned(
    users: Mapping[str, list[Any]] = SOURCE_USERS, policy: str = POLICY, pools: Sequence[Pool] = ()
) -> tuple[KnownValues, list[Examined]]:
    columns = examined(column_entries(parse_policy(policy)))
    known = KnownValues(SECRET)
    TableLearner(USERS, columns).learn(known, batch(USERS, users))
    learn_pools(known, pools)
    known.seal()
    return known, columns


KNOWN, COLUMNS = learned()


def scanned(users: Mapping[str, list[Any]] = MASKED_USERS, messages: Mapping[str, list[Any]] = CLEAN, **options: Any) -> ScanReport:
    scanner = Scanner(options.pop("known", KNOWN), options.pop("columns", COLUMNS), **options)
    scanner.see("users", batch(USERS, users))
    scanner.see("messages", pa.RecordBatch.from_pydict(dict(messages)))
    return scanner.report()


def pairs(report: ScanReport) -> set[tuple[str, str, str]]:
    return {(f.place, f.output, f.where) for f in report.found if f.survivors}


def with_cell(column: str, value: Any, columns: Mapping[str, list[Any]] = CLEAN) -> dict[str, list[Any]]:
    changed = dict(columns)
    changed[column] = [*columns[column][:7], value, *columns[column][8:]]
    return changed


# --- planted leaks -----------------------------------------------------------------------------------------------------------


def test_a_masked_output_passes() -> None:
    report = scanned()
    assert report.passed and report.survivors == 0 and not pairs(report)
    assert report.values > 4 * PEOPLE
    report.require()


EMAIL, NAME, PHONE = EMAILS[3], NAMES[5], PHONES[9]
LEAKS = {
    "as it is": ("body", EMAIL, "cells"),
    "in upper case": ("body", NAME.upper(), "cells"),
    "with accents": ("body", "R\u00f3salind B\u00e1yworthington", "cells"),
    "without spaces": ("body", NAMES[5].replace(" ", ""), "cells"),
    "with other punctuation": ("body", PHONE[:3] + " (30) " + PHONE[5:8] + "-" + PHONE[8:], "cells"),
    "at the beginning of a text": ("body", f"{NAME} called", "texts"),
    "in the middle of a text": ("body", f"we wrote to {EMAIL}, and waited", "texts"),
    "at the end of a text": ("body", f"call {PHONE}", "texts"),
    "beside emoji": ("body", f"😀{NAME}🎉", "cells"),
    "in a text with emoji": ("body", f"hello 😀{NAME}🎉 and é", "texts"),
    "among ideographs": ("body", f"昨天{NAME}来了", "texts"),
    "in JSON": ("payload", json.dumps({"a": [{"mail": EMAIL}]}), "texts"),
    "in JSON with escapes": ("payload", json.dumps({"a": f"hi\n{NAME} \u00e9"}), "texts"),
    "in JSON escaped to the last letter": ("payload", '{"a": "' + "".join(f"\\u{ord(c):04x}" for c in EMAIL) + '"}', "texts"),
    "in a URL": ("body", f"https://example.org/?m={EMAIL.replace('@', '%40')}&x=1", "texts"),
    "in an array": ("links", ["https://example.org/a", EMAIL], "cells"),
    "inside an item of an array": ("links", [f"mailto:{EMAIL}?subject=x"], "texts"),
    "in bytes": ("blob", f"From: {EMAIL}".encode(), "texts"),
    "as a national number": ("body", f"ring 0{PHONE[3:]} now", "texts"),
    "glued to other letters": ("body", f"xx{EMAIL}xx", "texts"),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_one_planted_value_is_found(leak: str) -> None:
    column, value, where = LEAKS[leak]
    report = scanned(messages=with_cell(column, value))
    assert report.survivors == 1 and not report.passed
    ((place, output, found_where),) = pairs(report)
    assert (output, found_where) == (f"messages.{column}", where)
    assert place in ("users.name", "users.email", "users.phone")


def test_a_value_in_another_column_of_its_own_table_is_found() -> None:
    report = scanned(users=with_cell("notes", f"her number is {PHONE}", MASKED_USERS))
    assert pairs(report) == {("users.phone", "users.notes", "texts")}


def test_a_value_at_a_path_of_json_is_looked_for() -> None:
    report = scanned(messages=with_cell("body", f"private{EMAILS[0]}"))
    assert ("users.settings$.contact.mail", "messages.body", "cells") in pairs(report)


def test_a_column_that_was_not_masked_is_found_whole() -> None:
    report = scanned(users=MASKED_USERS | {"email": EMAILS})
    (found,) = [f for f in report.found if f.output == "users.email" and f.where == "cells"]
    assert found.survivors == found.values == PEOPLE


def test_short_values_are_found_in_cells_of_the_same_kind_alone() -> None:
    users = SOURCE_USERS | {"name": [f"Q{i:02}" for i in range(PEOPLE)]}
    known, columns = learned(users)
    leaked = scanned(users=with_cell("name", "q07", MASKED_USERS), known=known, columns=columns)
    assert ("users.name", "users.name", "cells") in {(f.place, f.output, f.where) for f in leaked.found}
    elsewhere = scanned(users=MASKED_USERS, messages=with_cell("body", "q07"), known=known, columns=columns)
    assert not elsewhere.found
    (name,) = [c for c in leaked.columns if c.place == "users.name"]
    assert (name.inside, name.left_out) == (0, {"short": PEOPLE, "shared": 0})


def test_survivors_stop_with_counts_and_without_values() -> None:
    report = scanned(messages=with_cell("payload", json.dumps({"m": EMAIL})))
    with pytest.raises(Survivors) as stopped:
        report.require()
    message = str(stopped.value)
    assert "1 value of the source is left" in message and "messages.payload: 1 value of users.email" in message
    assert EMAIL not in message and EMAIL.partition("@")[0] not in message
    scanned(messages=with_cell("payload", json.dumps({"m": EMAIL})), allowed=1).require()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, PEOPLE - 1), st.sampled_from(["name", "email", "phone"]), st.text(max_size=20), st.sampled_from(["body", "payload"]))
def test_no_value_stands_in_a_report(row: int, kind: str, around: str, column: str) -> None:
    value = SOURCE_USERS[kind][row]
    report = scanned(messages=with_cell(column, f"{around} {value} {around}"))
    assert report.survivors >= 1
    text = json.dumps(report.document(), ensure_ascii=False)
    told = text + "".join(f.line() for f in report.found)
    assert not any(v in told for kind in ("name", "email", "phone") for v in SOURCE_USERS[kind])
    assert json.loads(text)["survivors"] == report.survivors


# --- what does not count -----------------------------------------------------------------------------------------------------


def test_what_the_policy_keeps_is_told_and_does_not_count() -> None:
    policy = POLICY.replace(
        "{class: direct, entity: email, mask: email}\n      phone", "{class: direct, entity: email, mask: keep}\n      phone"
    )
    known, columns = learned(policy=policy)
    report = scanned(users=MASKED_USERS | {"email": EMAILS}, messages=with_cell("body", EMAIL), known=known, columns=columns)
    assert report.passed
    kept = {c.place: c.kept for c in report.columns}
    assert kept["users.email"] == kept["users.country"] == "the policy keeps it"
    assert kept["users.name"] is None


def test_only_the_rows_that_a_condition_keeps_are_kept() -> None:
    policy = POLICY.replace("mask: email}\n      phone", "mask: email, when: \"plan = 'paid'\", else: keep}\n      phone")
    users = SOURCE_USERS | {"plan": ["paid"] * 20 + ["free"] * 20}
    known, columns = learned(users, policy)
    (email,) = [c for c in columns if c.name == "users.email"]
    assert email.kept == "kept in the rows where the condition does not hold"
    half = EMAILS[:20], EMAILS[20:]
    masked = MASKED_USERS["email"][:20]
    assert scanned(users=MASKED_USERS | {"email": [*masked, *half[1]]}, known=known, columns=columns).passed
    report = scanned(users=MASKED_USERS | {"email": [half[0][0], *masked[1:], *half[1]]}, known=known, columns=columns)
    assert report.survivors == 1


def test_what_the_policy_keeps_does_not_count_as_the_value_of_another_column_either() -> None:
    policy = POLICY.replace("entity: email, mask: email}\n      phone", "entity: email, mask: keep}\n      phone")
    known, columns = learned(with_cell("name", EMAILS[3], SOURCE_USERS), policy)
    report = scanned(users=MASKED_USERS | {"email": EMAILS}, known=known, columns=columns)
    assert [(f.place, f.output, f.kept, f.survivors) for f in report.found] == [("users.name", "users.email", 1, 0)]


def test_a_value_that_identifies_counts_however_many_rows_have_it() -> None:
    known, columns = learned(SOURCE_USERS | {"name": [NAMES[0]] * 20 + NAMES[20:]})
    report = scanned(messages=with_cell("body", f"{NAMES[0]} called"), known=known, columns=columns)
    assert [(f.place, f.shared, f.survivors) for f in report.found] == [("users.name", 0, 1)]


def test_common_words_do_not_count_unless_the_policy_says_so() -> None:
    users = with_cell("name", "Young", SOURCE_USERS)
    known, columns = learned(users)
    messages = with_cell("body", "the young customer called")
    assert scanned(messages=messages, known=known, columns=columns).passed
    assert not scanned(messages=messages, known=known, columns=columns, common_words=False).passed


def test_values_of_many_rows_and_values_that_a_public_column_shows_tell_of_nobody() -> None:
    shared = scanned(users=with_cell("city", "Berlin", MASKED_USERS))
    assert shared.passed and [f.shared for f in shared.found if f.place == "users.city"] == [1]
    public = scanned(messages=with_cell("body", "Kleinostheim 7"))
    assert public.passed and [f.public for f in public.found if f.place == "users.city"] == [1]
    own = scanned(users=with_cell("city", "Kleinostheim 7", MASKED_USERS))
    assert own.survivors == 1
    told = scanned(messages=with_cell("body", "she moved to Kleinostheim 7 in May"))
    assert told.survivors == 1


# --- chance ------------------------------------------------------------------------------------------------------------------


def simulated(kind: str, rng: np.random.Generator, rows: int) -> list[str]:
    if kind == "dense keys":
        return [str(100_000 + int(i)) for i in rng.permutation(2 * rows)[:rows]]
    if kind == "random numbers":
        return [f"{int(i):08}" for i in rng.integers(0, 10**6, rows)]
    if kind == "codes":
        return [f"AB-{int(i):04}-{chr(65 + int(j))}" for i, j in zip(rng.integers(0, 10**4, rows), rng.integers(0, 26, rows))]
    if kind == "composed names":
        given, family = ([f"{a}{b}{c}" for a in "bcdfgh" for b in "aeiou" for c in ends] for ends in (("lda", "nnik"), ("rmont", "sworth")))
        return [f"{given[int(i)]} {family[int(j)]}" for i, j in zip(rng.integers(0, len(given), rows), rng.integers(0, len(family), rows))]
    return [
        f"19{int(y):02}-{int(m):02}-{int(d):02}"
        for y, m, d in zip(rng.integers(40, 99, rows), rng.integers(1, 13, rows), rng.integers(1, 29, rows))
    ]


@pytest.mark.parametrize("kind", ["dense keys", "random numbers", "codes", "composed names", "dates"])
def test_values_that_meet_by_chance_are_expected_and_leaks_are_not(kind: str) -> None:
    """Fixed seeds: the values of one draw meet those of another as often as expected, within a factor of two and four deviations."""
    rng = np.random.default_rng(20_260_101)
    rows = 2000
    column = table("users", name="text")
    columns = examined(
        column_entries(parse_policy("policy: p\ntables: {users: {columns: {name: {class: direct, entity: person_id, mask: code}}}}"))
    )
    source = simulated(kind, rng, rows)
    known = KnownValues(SECRET)
    TableLearner(column, columns).learn(known, batch(column, {"name": source}))
    for _ in range(4):
        drawn = simulated(kind, rng, rows)
        met = len(set(source) & set(drawn))
        scanner = Scanner(known, columns, common_words=False)
        scanner.see("users", batch(column, {"name": drawn}))
        report = scanner.report()
        assert report.passed, "chance alone stops nothing"
        (found,) = [f for f in report.found if f.where == "cells"]
        assert found.values == met > 0
        assert (met - 4 * met**0.5) / 2 <= found.expected <= 2 * met + 16 + 10 * met**0.5
    scanner = Scanner(known, columns, common_words=False)
    scanner.see("users", batch(column, {"name": source}))
    report = scanner.report()
    assert report.passed == (kind == "dense keys" and report.survivors == 0) or kind == "dense keys"
    assert kind == "dense keys" or report.survivors > rows / 8


@pytest.mark.parametrize("secret", [b"0", b"8"])
def test_dense_ids_pass_when_the_sample_has_few_of_them(secret: bytes) -> None:
    """Ids of two bytes are permuted among themselves, so that all meet; with these secrets few of them are in the sample of all."""
    columns = [c for c in COLUMNS if c.name == "users.phone"]
    known = KnownValues(secret)
    known.add(columns[0].place, pa.array(np.arange(1, 600_001)))
    scanner = Scanner(known, columns)
    wide = np.random.default_rng(3).choice(2**31 - 2**15, 567_233, replace=False) + 2**15
    scanner.see("users", pa.record_batch({"phone": pa.array(np.concatenate([np.arange(1, 2**15), wide]))}))
    report = scanner.report()
    assert report.found[0].values >= 2**15 - 1
    assert report.survivors == 0


def test_picks_from_a_pool_pass_and_the_names_of_the_source_do_not() -> None:
    pool = Pool("given_name", tuple(f"{a}{b}{c}ne" for a in "bcdfghjkl" for b in "aeiou" for c in "rstvwxz"))
    draw = random.Random(1)
    names = draw.sample(pool.texts, PEOPLE)
    known, columns = learned(SOURCE_USERS | {"name": names}, pools=[pool])
    report = scanned(users=MASKED_USERS | {"name": draw.choices(pool.texts, k=PEOPLE)}, known=known, columns=columns)
    found = [f for f in report.found if (f.place, f.output) == ("users.name", "users.name")]
    assert report.passed and found[0].in_pools == found[0].values > 0
    assert 1 < found[0].pool_expected < 10
    leaked = scanned(users=MASKED_USERS | {"name": names}, known=known, columns=columns)
    assert pairs(leaked) == {("users.name", "users.name", "cells")}


def test_a_public_copy_of_names_is_found_though_the_source_has_all_of_the_pool() -> None:
    """Picks may be any of the source's values then; a public column that holds nothing else was not picked."""
    pool = Pool("given_name", ("Ottoline", "Xanthippe", *(f"{a}{b}{c}ne" for a in "bcdf" for b in "aeiou" for c in "rst")))
    names = [pool.texts[i % len(pool.texts)] for i in range(PEOPLE)]
    known, columns = learned(SOURCE_USERS | {"name": names}, pools=[Pool("given_name", tuple(names))])
    picked = MASKED_USERS | {"name": names[::-1]}
    assert scanned(users=picked, known=known, columns=columns).passed
    copied = scanned(users=picked, messages=CLEAN | {"body": names}, known=known, columns=columns)
    assert pairs(copied) == {("users.name", "messages.body", "cells")}


def test_what_stands_within_a_pick_from_a_pool_is_no_find_and_a_leak_beside_it_is_one() -> None:
    pool = Pool("job_title", ("Surveyor, quantity", "Surveyor", "Brewer, head", "Farrier"))
    known, columns = learned(SOURCE_USERS | {"name": ["Surveyor", *NAMES[1:]]}, pools=[pool])
    picks = ["Surveyor, quantity", "Brewer, head"] * (PEOPLE // 2)
    messages = CLEAN | {"body": picks, "payload": [json.dumps({"job": pick}) for pick in picks]}
    assert scanned(messages=messages, known=known, columns=columns).passed
    beside = with_cell("body", f"Surveyor, quantity {EMAIL}", messages)
    assert ("users.email", "messages.body", "texts") in pairs(scanned(messages=beside, known=known, columns=columns))


def test_every_cell_counts_where_a_few_values_are_repeated() -> None:
    emails, plans = [EMAIL, "nobody@example.org", f"to {EMAIL} %E2%82%AC", None] * 2000, [7_000_003, 5, None, 5] * 2000
    scanner = Scanner(KNOWN, COLUMNS)
    scanner.see("messages", pa.RecordBatch.from_pydict({"body": emails, "id": plans}))
    report = scanner.report()
    counted = {(f.place, f.output, f.where): (f.values, f.cells) for f in report.found}
    assert counted["users.email", "messages.body", "cells"] == (1, 2000)
    assert counted["users.email", "messages.body", "texts"] == (1, 4000)  # as it is written, and as it is meant
    assert (report.cells, report.texts) == (12_000, 6000)


def test_a_value_that_ends_in_a_number_is_not_found_in_one_with_a_longer_number() -> None:
    known, columns = learned(SOURCE_USERS | {"name": ["barnabyoak4", *NAMES[1:]]})
    assert scanned(messages=with_cell("body", "ask barnabyoak42"), known=known, columns=columns).passed
    assert not scanned(messages=with_cell("body", "ask barnabyoak4x"), known=known, columns=columns).passed


def test_the_threshold_is_passed_at_most_once_in_a_million_times() -> None:
    from scipy.stats import binom, hypergeom

    for draws, share in ((10, 0.01), (1000, 0.002), (1000, 0.5), (50_000, 0.0001), (200, 0.9)):
        limit = threshold(draws, draws * share)
        assert binom.sf(limit, draws, share) <= 1e-6
        assert hypergeom.sf(limit, 10 * draws, int(10 * draws * share), draws) <= 1e-6
        assert limit <= draws
        if limit < draws:
            assert binom.sf(limit // 2, draws, share) > 1e-9 or limit <= 8
    assert threshold(1000, 0.0009) == 0 and threshold(0, 0) == 0


# --- how it is searched ------------------------------------------------------------------------------------------------------


def test_batches_and_their_order_change_no_count() -> None:
    messages = with_cell("payload", json.dumps({"m": EMAIL}), with_cell("body", f"{NAME}!"))
    whole = scanned(messages=messages).document()
    scanner = Scanner(KNOWN, COLUMNS)
    rows = pa.RecordBatch.from_pydict(messages)
    users = batch(USERS, MASKED_USERS)
    for start in reversed(range(0, PEOPLE, 7)):
        scanner.see("users", users.slice(start, 7))
        scanner.see("messages", rows.slice(start, 7))
    parts = scanner.report().document()
    for key in ("survivors", "values", "output", "columns"):
        if key != "output":
            assert parts[key] == whole[key]
    counted = ("place", "in", "where", "values", "cells", "survivors")
    assert [[f[k] for k in counted] for f in parts["found"]] == [[f[k] for k in counted] for f in whole["found"]]


def test_the_same_data_gives_the_same_document_under_the_same_secret() -> None:
    first, second = (scanned(known=learned()[0], messages=with_cell("body", NAME)).document() for _ in range(2))
    assert first == second


def test_a_finished_output_is_scanned_against_its_source() -> None:
    schema = Schema("crm", (USERS,))
    source = MemorySource({"users": pa.Table.from_batches([batch(USERS, SOURCE_USERS)])}, schema)
    masked = MemorySource({"users": pa.Table.from_batches([batch(USERS, with_cell("notes", EMAIL, MASKED_USERS))])}, schema)
    told: list[tuple[str, int]] = []
    report = scan(masked, source, COLUMNS, on_progress=lambda step: told.append((step.stage, step.rows)))
    assert pairs(report) == {("users.email", "users.notes", "cells")}
    assert "plan" not in source.read_columns and "notes" not in source.read_columns
    assert told[-1] == ("search", PEOPLE) and ("learn", PEOPLE) in told


def test_a_scan_that_would_prove_nothing_is_refused() -> None:
    schema = Schema("crm", (USERS,))
    source = MemorySource({"users": pa.Table.from_batches([batch(USERS, SOURCE_USERS)])}, schema)
    with pytest.raises(MaskingFailed, match="prove nothing"):
        scan(source, source, [c for c in COLUMNS if not c.sought])
    strange = examined(column_entries(parse_policy("policy: p\ntables: {users: {columns: {emial: {class: direct, mask: email}}}}")))
    with pytest.raises(PolicyOutdated, match="did you mean 'email'"):
        scan(source, source, strange)
    elsewhere = examined(column_entries(parse_policy("policy: p\ntables: {usres: {columns: {email: {class: direct, mask: email}}}}")))
    with pytest.raises(PolicyOutdated, match="did you mean 'users'"):
        scan(source, source, elsewhere)
