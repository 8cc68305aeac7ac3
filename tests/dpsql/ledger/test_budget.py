"""What a budget allows, whoever asks."""

from __future__ import annotations

import math

import pytest

from dpsql.accounting import NOTHING, Limit, Spend
from dpsql.errors import BudgetSpent
from dpsql.ledger.chain import Chain
from dpsql.ledger.terms import Terms
from schemas.errors import InputError
from tests.dpsql.ledger.books import LIMIT, RELEASE, TENTH, opened, question, reopened


def test_what_is_within_the_limit_is_charged_and_what_is_beyond_is_refused(address: str) -> None:
    book = opened(address, Limit(1.0, 0.0))
    for _ in range(10):
        book.reserve(RELEASE, "ada", TENTH, question())
    with pytest.raises(
        BudgetSpent, match=r"this release .*epsilon 1, .*epsilon 1 is spent and about 0 is left; the query costs epsilon 0.1"
    ):
        book.reserve(RELEASE, "bob", TENTH, question())
    assert book.spending(RELEASE).total.epsilon == 1.0
    assert book.spending(RELEASE).left() == 0.0


def test_each_analyst_has_a_limit_within_the_shared_one(address: str) -> None:
    book = opened(address, LIMIT, Limit(0.25, 0.0))
    book.reserve(RELEASE, "ada", TENTH, question())
    book.reserve(RELEASE, "ada", TENTH, question())
    with pytest.raises(BudgetSpent, match="analyst 'ada'"):
        book.reserve(RELEASE, "ada", TENTH, question())
    book.reserve(RELEASE, "bob", TENTH, question())
    spending = book.spending(RELEASE)
    assert {name: round(one.epsilon, 9) for name, one in spending.analysts.items()} == {"ada": 0.2, "bob": 0.1}
    assert spending.left("bob") == pytest.approx(0.15)
    assert spending.left("new") == 0.25


def test_an_analyst_may_have_a_limit_of_their_own(address: str) -> None:
    book = opened(address, LIMIT, Limit(0.25, 0.0))
    book.set_analyst("ada", Limit(0.5, 0.0), by="root")
    for _ in range(5):
        book.reserve(RELEASE, "ada", TENTH, question())
    with pytest.raises(BudgetSpent):
        book.reserve(RELEASE, "ada", TENTH, question())
    assert book.spending(RELEASE).limit_of("ada") == Limit(0.5, 0.0)
    book.set_analyst("ada", None, by="root")
    assert book.spending(RELEASE).limit_of("ada") == Limit(0.25, 0.0)


def test_many_small_questions_are_counted_by_the_tighter_view(address: str) -> None:
    book = opened(address, Limit(1.0, 1e-6))
    for _ in range(150):
        book.reserve(RELEASE, "ada", Spend.pure(0.01), question())
    assert book.spending(RELEASE).total.epsilon == pytest.approx(1.5)  # more than the limit by sums of epsilon
    assert book.spending(RELEASE).left() > 0


def test_a_budget_of_epsilon_alone_pays_no_delta(address: str) -> None:
    book = opened(address, Limit(1.0, 0.0))
    with pytest.raises(BudgetSpent, match="its delta is too small"):
        book.reserve(RELEASE, "ada", Spend.threshold(0.1, 1e-9), question())


def test_a_delta_that_is_used_up_says_what_questions_may_have_of_it(address: str) -> None:
    book = opened(address, Limit(10.0, 1e-6))
    book.reserve(RELEASE, "ada", Spend.threshold(0.1, 4e-7), question())
    with pytest.raises(BudgetSpent, match=r"its delta is used up \(the deltas of questions .* half of it, 5e-07, and 4e-07 is spent\)"):
        book.reserve(RELEASE, "ada", Spend.threshold(0.1, 2e-7), question())


@pytest.mark.parametrize("wrong", [-0.1, math.nan])
def test_a_charge_gives_nothing_back(address: str, wrong: float) -> None:
    book = opened(address)
    for spend in (Spend(wrong, 0, 0, 0), Spend(0, wrong, 0, 0), Spend(0, 0, wrong, 0), Spend(0, 0, 0, wrong)):
        with pytest.raises(InputError, match="0 or more"):
            book.reserve(RELEASE, "ada", spend, question())
    assert book.spending(RELEASE).total == NOTHING


def test_a_charge_without_end_is_never_within_a_limit(address: str) -> None:
    book = opened(address)
    with pytest.raises(BudgetSpent):
        book.reserve(RELEASE, "ada", Spend(math.inf, 0.0, math.inf, 0.0), question())
    assert book.verify() == 2


def test_a_charge_stays_however_the_question_ends(address: str) -> None:
    book = opened(address)
    for outcome in ("answered", "failed", "cancelled"):
        book.finish(book.reserve(RELEASE, "ada", TENTH, question()), outcome)
    assert round(book.spending(RELEASE).total.epsilon, 9) == 0.3
    assert [e.detail for e in book.entries() if e.kind == "finish"] == ["answered 2", "failed 4", "cancelled 6"]


def test_a_declared_limit_can_be_lowered_and_not_raised_by_opening(address: str) -> None:
    book = opened(address, Limit(1.0, 1e-6))
    opened(address, Limit(5.0, 1e-5), Limit(2.0, 1e-7))
    assert book.spending(RELEASE).limit == Limit(1.0, 1e-6)
    assert book.spending(RELEASE).per_analyst == Limit(2.0, 1e-7)
    opened(address, Limit(0.5, 1e-6))
    assert book.spending(RELEASE).limit == Limit(0.5, 1e-6)
    assert book.spending(RELEASE).per_analyst == Limit(2.0, 1e-7)


def test_a_limit_that_was_raised_on_purpose_stays_raised_when_the_same_declaration_is_opened_again(address: str) -> None:
    book = opened(address, Limit(1.0, 1e-6))
    book.set_limit(RELEASE, Limit(4.0, 1e-6), None, by="root")
    opened(address, Limit(1.0, 1e-6))
    assert book.spending(RELEASE).limit == Limit(4.0, 1e-6)
    assert [(e.analyst, e.detail) for e in book.entries()][-1] == ("root", "epsilon 4, delta 1e-06")
    opened(address, Limit(0.9, 1e-6))
    assert book.spending(RELEASE).limit == Limit(0.9, 1e-6)


@pytest.mark.parametrize(
    "limit", [Limit(0.0, 0.0), Limit(-1.0, 0.0), Limit(math.inf, 0.0), Limit(math.nan, 0.0), Limit(1.0, 1.0), Limit(1.0, -0.1)]
)
def test_a_limit_that_is_none_is_refused(address: str, limit: Limit) -> None:
    book = opened(address)
    for attempt in (lambda: book.open_release("another", limit, None), lambda: book.set_limit(RELEASE, limit, None, "root")):
        with pytest.raises(InputError, match="a budget needs"):
            attempt()
    assert book.releases() == [RELEASE]


def test_releases_have_budgets_of_their_own(address: str) -> None:
    book = opened(address, Limit(0.1, 0.0))
    book.open_release("another", Limit(0.1, 0.0), None)
    book.reserve(RELEASE, "ada", TENTH, question())
    book.reserve("another", "ada", TENTH, question())
    assert book.releases() == [RELEASE, "another"]
    with pytest.raises(InputError, match=r"no release 'anothr'; did you mean 'another'\?"):
        book.spending("anothr")
    with pytest.raises(InputError, match="no release"):
        book.reserve("anothr", "ada", TENTH, question())


def test_the_first_noisy_part_that_is_kept_holds(address: str) -> None:
    book = opened(address)
    first, second = (book.reserve(RELEASE, "ada", TENTH, question()) for _ in range(2))
    assert book.finish(first, "answered", {"a": b"1", "b": b"2"}) == {"a": b"1", "b": b"2"}
    assert book.finish(second, "answered", {"b": b"other", "c": b"3"}) == {"b": b"2", "c": b"3"}
    assert book.kept(RELEASE, ["a", "b", "c", "d"]) == {"a": b"1", "b": b"2", "c": b"3"}
    assert book.kept("another", ["a"]) == {}
    assert book.finish(second, "failed") == {}
    book.verify()


@pytest.mark.parametrize(
    "name",
    [
        "o'Hara",
        "x'); DROP TABLE ledger_entries; --",
        '"; DELETE FROM ledger_entries',
        "%s %(a)s :a ?",
        "李小龙",
        "🦊" * 200,
        "Ω" * 200,
        "null",
        "' OR 1=1",
    ],
)
def test_any_name_is_only_a_name(address: str, name: str) -> None:
    book = opened(address, Limit(1.0, 0.0), Limit(0.15, 0.0))
    book.reserve(RELEASE, name, TENTH, question())
    book.refuse(RELEASE, name, "SELECT '; DROP TABLE ledger_entries", "why")
    with pytest.raises(BudgetSpent):
        book.reserve(RELEASE, name, TENTH, question())
    assert list(book.spending(RELEASE).analysts) == [name]
    assert {e.analyst for e in book.entries(RELEASE)} == {None, name}
    assert book.verify() == 4


@pytest.mark.parametrize("name", ["", " ada", "a" * 201, "a\x00b", "a\nb", "a\ud800", "a\u2028b"])
def test_what_is_no_name_is_refused(address: str, name: str) -> None:
    book = opened(address)
    with pytest.raises(InputError, match="an analyst's name has 1 to 200 characters"):
        book.reserve(RELEASE, name, TENTH, question())
    assert book.verify() == 1


def test_one_name_in_two_spellings_of_unicode_is_one_budget(address: str) -> None:
    book = opened(address, Limit(1.0, 0.0), Limit(0.15, 0.0))
    book.reserve(RELEASE, "Zoe\u0308", TENTH, question())
    with pytest.raises(BudgetSpent):
        book.reserve(RELEASE, "Zo\u00eb", TENTH, question())


def test_texts_that_no_database_holds_are_kept_as_far_as_they_can_be(address: str) -> None:
    book = opened(address)
    book.reserve(RELEASE, "ada", TENTH, question("SELECT '\x00\ud800'" + "x" * 200_000))
    assert book.verify() == 2
    assert len(list(book.entries())[-1].sql or "") == 100_000


def test_the_log_tells_all_that_was_asked(address: str) -> None:
    book = opened(address, Limit(0.1, 0.0))
    charge = book.reserve(RELEASE, "ada", TENTH, question("SELECT 1"))
    book.finish(charge, "answered", {"a": b"secret noise"})
    with pytest.raises(BudgetSpent):
        book.reserve(RELEASE, "bob", TENTH, question("SELECT 2"))
    book.refuse(None, "eve", "SELECT * FROM users", "rows are not released")
    assert [(e.number, e.kind, e.analyst, e.sql, e.spend.epsilon) for e in book.entries()] == [
        (1, "limit", None, None, 0.0),
        (2, "charge", "ada", "SELECT 1", 0.1),
        (3, "kept", "ada", None, 0.0),
        (4, "finish", "ada", None, 0.0),
        (5, "refusal", "bob", "SELECT 2", 0.0),
        (6, "refusal", "eve", "SELECT * FROM users", 0.0),
    ]
    assert [e.number for e in book.entries(RELEASE)] == [1, 2, 3, 4, 5]
    assert [e.number for e in book.entries(analyst="ada")] == [2, 3, 4]
    assert all(len(e.at) == len("2026-01-01T00:00:00.000+00:00") and e.at.endswith("+00:00") for e in book.entries())


def test_a_ledger_is_found_again_as_it_was(address: str) -> None:
    opened(address).reserve(RELEASE, "ada", TENTH, question())
    assert reopened(address).spending(RELEASE).analysts == {"ada": NOTHING + TENTH}


def test_what_others_charge_and_limit_between_two_questions_counts(address: str) -> None:
    mine, other = opened(address, Limit(1.0, 0.0)), reopened(address)
    mine.reserve(RELEASE, "ada", TENTH, question())
    other.reserve(RELEASE, "bob", Spend.pure(0.8), question())
    with pytest.raises(BudgetSpent):
        mine.reserve(RELEASE, "ada", Spend.pure(0.2), question())
    other.set_limit(RELEASE, Limit(2.0, 0.0), None, "root")
    mine.reserve(RELEASE, "ada", Spend.pure(0.2), question())
    other.set_analyst("ada", Limit(0.35, 0.0), "root")
    with pytest.raises(BudgetSpent):
        mine.reserve(RELEASE, "ada", TENTH, question())
    assert mine.spending(RELEASE).total.epsilon == 1.1


def test_what_was_undone_is_not_remembered(address: str) -> None:
    book = opened(address, Limit(1.0, 0.0))
    book.reserve(RELEASE, "ada", TENTH, question())

    def undone(chain: Chain) -> None:
        assert chain.latest("charge", release=RELEASE) is not None
        chain.append("limit", release=RELEASE, document=Terms(Limit(9.0, 0.0), None, None).document())
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        book.database.write(undone)
    with pytest.raises(BudgetSpent):
        book.reserve(RELEASE, "ada", Spend.pure(0.95), question())
    assert book.verify() == 3
