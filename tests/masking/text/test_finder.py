"""The finder as a whole: how well it finds, and that a text's spans depend on that text alone."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from benchmarks._pii_texts import texts as made_texts
from benchmarks.pii import SHARED, score
from masking.text import Finder, find
from tests.spread import one_in

MADE = made_texts(200, seed=20)
TEXTS = [text["full_text"] for text in MADE]


@pytest.fixture(scope="module")
def accurate() -> Finder:
    return Finder(threads=1)


@pytest.fixture(scope="module")
def fast() -> Finder:
    return Finder(fast=True, threads=1)


def spans(finder: Finder, texts: Sequence[str | None]) -> list[list[tuple[int, int]]]:
    return [[(f.start, f.end) for f in found] for found in finder.find(texts)]


def test_most_of_what_is_personal_in_texts_of_thirty_locales_is_found(accurate: Finder, fast: Finder) -> None:
    best, quick = score(MADE, spans(accurate, TEXTS)), score(MADE, spans(fast, TEXTS))
    assert best["f2"] >= 0.95 and best["recall"] >= 0.95, best
    assert quick["f2"] >= 0.92, quick


def test_the_model_finds_what_no_dictionary_knows(accurate: Finder) -> None:
    text = "yesterday qorvin plathmeyer told me that his brother drelk is ill"
    covered = {text[f.start : f.end] for f in accurate.find([text])[0] if f.entity == "person_name"}
    assert any("plathmeyer" in name for name in covered), covered


def test_batches_threads_and_neighbours_change_nothing(accurate: Finder) -> None:
    some = TEXTS[:60]
    together = accurate.find(some)
    assert [accurate.find([text])[0] for text in some] == together
    assert Finder(threads=4).find(list(reversed(some))) == list(reversed(together))
    assert accurate.find([*some, *some]) == [*together, *together]


def test_offsets_are_characters_of_the_original(accurate: Finder) -> None:
    for before in ("😀👩‍👩‍👧 ", "e\u0301\u0323 ", "日本語のテキスト。", "\x00\ufeff ", "\r\n\t", "\u202eabc\u202c "):
        text = f"{before}Mail ann.miller@example.org or ask Giovanni Rossi."
        found = {text[f.start : f.end]: f.entity for f in accurate.find([text])[0]}
        assert found.get("ann.miller@example.org") == "email", (before, found)
        assert found.get("Giovanni Rossi") == "person_name", (before, found)


def test_empty_texts_and_nulls_hold_nothing(accurate: Finder) -> None:
    assert accurate.find([]) == []
    assert accurate.find(["", None, " ", "\n", "\ud800", "."]) == [[], [], [], [], [], []]


def test_half_characters_do_not_stop_the_search(accurate: Finder) -> None:
    text = "\ud83d ann@example.org \udc00"
    assert [text[f.start : f.end] for f in accurate.find([text])[0]] == ["ann@example.org"]


@pytest.mark.parametrize("name", ["contract_Smith_Jo.pdf", "CV Anna Berger.docx", "C:\\jobs\\jsmith.docx", "A.B.Smith.xlsx"])
def test_the_endings_of_names_of_files_are_left(accurate: Finder, fast: Finder, name: str) -> None:
    for finder in (accurate, fast):
        assert all(f.end < name.rindex(".") + 1 for f in finder.find([name])[0]), name


def test_a_name_behind_the_ending_of_a_name_of_a_file_is_found(fast: Finder) -> None:
    text = "Notes.Pdf Smith wrote"
    assert any(f.start <= text.index("Smith") and f.end >= text.index(" wrote") for f in fast.find([text])[0])


def test_a_text_longer_than_the_model_reads_at_once_is_read_to_its_end(accurate: Finder) -> None:
    filler = "the report was late and the numbers did not add up, so we had to do all of it once more. "
    text = filler * 60 + "then mister plathmeyer called, and so did drelk plathmeyer. " + filler * 60
    found = [text[f.start : f.end] for f in accurate.find([text])[0]]
    assert any("plathmeyer" in value for value in found), found


@pytest.mark.parametrize(
    "unit", one_in(3, ["1", "A ", "Ab ", "1 ", "12 Main Street, ", "new ", "corner of ", "A de la ", "may 1999 ", "😀", "e\u0301", "\n"])
)
def test_a_million_characters_are_read_in_bounded_time(fast: Finder, unit: str) -> None:
    # what grows with the square of the length would take hours
    fast.find([unit * (200_000 // len(unit))])


def test_the_databases_own_values_are_found_wherever_they_stand(fast: Finder) -> None:
    import ahocorasick_rs

    values = ["wobble pudding", "x9-blue"]
    automaton = ahocorasick_rs.AhoCorasick(values)

    class Own:
        def find(self, texts: Sequence[str]) -> list[list[tuple[int, int, str]]]:
            return [[(start, end, "username") for _, start, end in automaton.find_matches_as_indexes(text)] for text in texts]

    text = "the wobble pudding said 😀 that x9-blue and ann@example.org agree"
    found = {text[f.start : f.end]: f.entity for f in find([text], fast=True, known=Own())[0]}
    assert found == {"wobble pudding": "username", "x9-blue": "username", "ann@example.org": "email"}
    assert set(found) - {text[f.start : f.end] for f in fast.find([text])[0]} >= {"wobble pudding"}


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.exists(), reason="the shared texts are not here")
def test_the_goals_on_texts_by_others_are_met() -> None:
    import json

    truth = json.loads(SHARED.read_text(encoding="utf-8"))
    texts = [text["full_text"] for text in truth]
    best, quick = score(truth, spans(Finder(), texts)), score(truth, spans(Finder(fast=True), texts))
    assert best["f2"] >= 0.92 and best["recall"] >= 0.92, best
    assert quick["f2"] >= 0.85, quick


def test_what_a_line_of_a_log_says_of_the_server_is_nobodys_number_or_name() -> None:
    line = '203.0.113.9 - {} [31/Jan/2024:10:49:00 +0000] "GET /bookings HTTP/1.1" 200 5316'
    other = "status 200 5316 was slow, Status code: 404"
    texts = [line.format("anna"), '"POST /login HTTP/1.1" 404 80', other, line.format("-") + ' "https://kari.example/a" 030 1234567']
    written = [[text[f.start : f.end] for f in spans] for text, spans in zip(texts, find(texts))]
    assert written[:3] == [["203.0.113.9", "anna"], [], []]
    assert "1234567" in written[3][-1]  # behind it stands what anybody may have written
    for number, text in (("200 5316", "call me at {}"), ("5551234567", "status 512 {} is mine"), ("491701234567", "marital status 200 {}")):
        assert any(number in text.format(number)[f.start : f.end] for f in find([text.format(number)])[0])
