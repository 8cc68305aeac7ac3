"""The index of known values against a plain search over folded characters."""

from __future__ import annotations

import random
import unicodedata

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.known import KnownPlace, KnownValues
from masking.known.folding import DIGIT, IDEOGRAPH, INNER, LETTER, MARK, SEPARATOR, fold
from masking.known.stream import CHUNK, Hasher

SECRET = b"a secret of the tests"


def known(*values: str, entity: str = "person_name", column_class: str = "direct") -> KnownValues:
    index = KnownValues(SECRET)
    index.add(KnownPlace("people.value", entity, column_class), pa.array(values))
    index.seal()
    return index


def fold_text(text: str) -> str:
    """The letters and digits by which `text` is compared."""
    return "".join(fold(character)[1] for character in text)


def spans(index: KnownValues, text: str) -> list[str]:
    return [text[start:end] for start, end, _ in index.find([text])[0]]


# --- what is the same value --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("Anna Smith", "ANNA SMITH"),
        ("Anna Smith", "anna-smith"),
        ("Anna Smith", "annasmith"),
        ("José Muñoz", "Jose Munoz"),
        ("José Muñoz", "Jose\u0301 Mun\u0303oz"),
        ("Straße 12b", "STRASSE 12 B"),
        ("Søren Ærø", "Soren Aero"),
        ("Łukasz", "Lukasz"),
        ("offizier", "oﬃzier"),
        ("+49 30 1234567", "+49 (30) 123-45-67"),
        ("AB-1234-XY", "ab1234xy"),
        ("Ａｎｎａ", "Anna"),
        ("٠١٢٣٤٥٦٧", "01234567"),
        ("İstanbul", "istanbul"),
        ("Ан\u00adна Смит", "АННА СМИТ"),
        ("김철수", unicodedata.normalize("NFD", "김철수")),
        (unicodedata.normalize("NFD", "남궁민수현"), "남궁민수현"),
    ],
)
def test_values_that_differ_in_writing_alone_are_the_same(value: str, written: str) -> None:
    index = known(value)
    assert index.cells(pa.array([written])).tolist() == [True]
    assert spans(index, f"({written})") == [written.lstrip("+")]


@pytest.mark.parametrize(("value", "other"), [("Anna Smith", "Anna Smyth"), ("1234567", "1234568"), ("王伟强", "王伟")])
def test_values_that_differ_are_not_the_same(value: str, other: str) -> None:
    assert known(value).cells(pa.array([other])).tolist() == [False]
    assert spans(known(value), f"see {other} there") == []


# --- where a value stands in a text ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "{} at the beginning",
        "in the {} middle",
        "at the end {}",
        "😀{}😀",
        "\u0301{} \u200d",
        "a\u0300e\u0301 ß ﬁ {} ß",
        '{{"contact": {{"mail": ["{}"]}}}}',
        "https://example.org/?q={}&page=2",
        "漢字{}漢字",
        "<b>{}</b>",
        "x{}x",
    ],
)
def test_long_values_are_found_wherever_they_stand(text: str) -> None:
    value = "anna.smith@example.org"
    whole = text.format(value)
    start = whole.index(value)
    assert known(value, entity="email").find([whole]) == [[(start, start + len(value), "email")]]


def test_short_words_are_found_as_words_alone() -> None:
    index = known("Rosen")
    assert spans(index, "Rosen, rosen; Rosenthal (ROSEN) and Prosen 12rosen") == ["Rosen", "rosen", "ROSEN", "rosen"]


def test_numbers_are_not_found_within_longer_numbers() -> None:
    index = known("4915112345678", "123456")
    assert spans(index, "4915112345678 14915112345678 49151123456789 n4915112345678n 1123456") == ["4915112345678", "4915112345678"]


def test_long_single_words_are_not_found_within_other_words() -> None:
    assert spans(known("Christopher"), "Christopherson and christopher") == ["christopher"]


def test_names_of_two_ideographs_are_found_without_spaces() -> None:
    assert spans(known("王伟"), "昨天王伟来了") == ["王伟"]
    assert spans(known("김민준"), "어제 김민준은 왔다") == ["김민준"]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_syllables_are_not_cut(form: str) -> None:
    """Not even where their first letters are those of a value: `기` is how `김` begins in names of files."""
    text = unicodedata.normalize(form, "어제 홍길동김이 남궁민수기는")
    assert spans(known("홍길동기", "홍길기", "민수김", "남궁민수김"), text) == []
    assert spans(known("길동김", "남궁민수기"), text) == [unicodedata.normalize(form, v) for v in ("길동김", "남궁민수기")]
    assert spans(known("김"), unicodedata.normalize(form, "김 씨")) == []


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_lines_of_mail_that_end_within_a_character_are_looked_behind(line_end: str) -> None:
    name = "გიორგი ბერიძეშვილი"
    escaped = "".join(f"={byte:02X}" for byte in name.encode())
    for cut in range(3, len(escaped) - 2, 3):
        text = f"dear {escaped[:cut]}={line_end}{escaped[cut:]}, so"
        assert [text[a:b] for a, b, _ in known(name).find([text])[0]] == [f"{escaped[:cut]}={line_end}{escaped[cut:]}"]


def test_marks_belong_to_the_span() -> None:
    text = "by Rene\u0301."
    assert known("René").find([text]) == [[(3, 8, "person_name")]]


def test_short_values_are_looked_for_in_whole_cells_only() -> None:
    index = known("DE", "m", "12345", "Ann")
    assert index.cells(pa.array(["de", "M", "12345", "ann", "x"])).tolist() == [True, True, True, True, False]
    assert spans(index, "de m 12345 ann") == []
    assert index.columns[0].left_out == {"short": 4, "shared": 0}


def test_values_that_many_rows_share_identify_nobody_inside_texts() -> None:
    index = known(*["Software Engineer"] * 10, *["Falconer of Dunmore"] * 9, column_class="quasi")
    assert spans(index, "the software engineer and the falconer of Dunmore") == ["falconer of Dunmore"]
    assert index.columns[0].left_out == {"short": 0, "shared": 1}


def test_overlapping_values_are_told_as_the_longest_from_the_left() -> None:
    assert spans(known("Anna Smith", "Anna", "Smith Jones", "Jones"), "Anna Smith Jones") == ["Anna Smith", "Jones"]


def test_values_longer_than_a_sentence_are_found() -> None:
    value = "The quick brown fox jumps over the lazy dog, and then over the fence, and then it sleeps until noon."
    assert spans(known(value), f"He wrote: {value.upper()} Then he left.") == [value.upper()[:-1]]
    assert spans(known(value), f"He wrote: {value[:-6]}") == []


@pytest.mark.parametrize(
    "text",
    [
        "https://example.org/?mail=anna.smith%40example.org&x=1",
        r'{"mail": "anna.smith\u0040example.org"}',
        r'"{\"mail\": \"hi\\nanna.smith\\u0040example.org\"}"',
        "anna.smith&#64;example.org",
        "anna.smith=40example=\n.org",
        "https%3A%2F%2Fexample.org%2F%3Fmail%3Danna.smith%2540example.org",
    ],
)
def test_values_behind_escapes_are_found(text: str) -> None:
    (found,) = known("anna.smith@example.org", entity="email").find([text])
    assert len(found) == 1
    start, end, entity = found[0]
    assert entity == "email" and text[start:end].startswith("anna.smith") and text[start:end].endswith("org")


def test_a_name_after_an_escaped_line_break_is_found() -> None:
    assert spans(known("Rosen"), r'{"text": "Dear\nRosen"}') == ["Rosen"]


def test_words_that_are_passed_over_are_not_told() -> None:
    index = known("Will", "Will Turner")
    index.pass_over(pa.array(["will"]))
    assert spans(index, "Will Turner will come") == ["Will Turner"]
    assert index.cells(pa.array(["will"])).tolist() == [True]


def test_a_huge_text_is_searched_to_its_end() -> None:
    filler = "lorem ipsum dolor sit amet " * (CHUNK // 20)
    text = f"Rosenthal {filler}Rosenthal {filler}é Rosenthal"
    found = known("Rosenthal").find([text])[0]
    assert [text[a:b] for a, b, _ in found] == ["Rosenthal"] * 3


def test_no_texts_and_nulls_are_no_trouble() -> None:
    index = known("Rosenthal")
    assert index.find([]) == []
    assert index.find([""]) == [[]]
    assert index.cells(pa.array([None, "", "rosenthal"], pa.string())).tolist() == [False, False, True]
    empty = KnownValues(SECRET)
    empty.seal()
    assert empty.find(["Rosenthal"]) == [[]]


# --- against a plain search --------------------------------------------------------------------------------------------------

WORDS = st.sampled_from(
    [
        "anna",
        "Ann",
        "SMITH",
        "müller",
        "ß",
        "ﬁ",
        "12",
        "3456",
        "7",
        "王",
        "伟",
        "김",
        "기",
        unicodedata.normalize("NFD", "민준"),
        "é",
        "e\u0301",
        "ﷺ",
        "😀",
        "𝒜nna",
        "ja-pan",
        "o'brien",
        "かが",
        "ａｂｃｄ",
    ]
)
GLUE = st.sampled_from(["", " ", "-", ". ", "\u200d", "@", "\n"])


@st.composite
def texts(draw: st.DrawFn, most: int = 14) -> str:
    return "".join(draw(WORDS) + draw(GLUE) for _ in range(draw(st.integers(0, most))))


def plain_search(values: list[str], text: str) -> set[tuple[int, int]]:
    """All stretches of folded characters that are a value, by trying each."""
    folded: list[tuple[str, int, int]] = []  # character, class, index in the text
    gap, boundary = True, []
    last = SEPARATOR
    for index, character in enumerate(text):
        kind, kept = fold(character)
        if kind == SEPARATOR:
            gap = True
        for place, letter in enumerate(kept):
            inner = INNER[0] <= ord(letter) <= INNER[1]
            boundary.append(place == 0 and (gap or kind != last or kind == IDEOGRAPH) and not inner)
            folded.append((letter, kind, index))
            gap, last = False, kind
        assert kind in (SEPARATOR, MARK, DIGIT, LETTER, IDEOGRAPH)
    boundary.append(True)
    wanted = {fold_text(value) for value in values}
    found = set()
    for start in range(len(folded)):
        for end in range(start + 1, len(folded) + 1):
            stretch = "".join(letter for letter, _, _ in folded[start:end])
            if stretch not in wanted:
                continue
            kinds = {kind for _, kind, _ in folded[start:end]}
            digits, ideographs = kinds == {DIGIT}, kinds == {IDEOGRAPH}
            pair = ideographs and sum(boundary[start:end]) >= 2
            if len(stretch) < (6 if all(c in "0123456789" for c in stretch) else 2 if pair else 4):
                continue
            apart = boundary[start] and boundary[end]
            single = not any(boundary[start + 1 : end]) and not any(c in "0123456789" for c in stretch) and len(stretch) < 16
            cut = INNER[0] <= ord(folded[end][0] if end < len(folded) else " ") <= INNER[1]
            if not apart and (len(stretch) < 10 or digits or single or cut):
                continue
            found.add((folded[start][2], folded[end - 1][2] + 1))
    return found


def with_marks(text: str, spans: set[tuple[int, int]]) -> set[tuple[int, int]]:
    longer = set()
    for start, end in spans:
        while end < len(text) and fold(text[end])[0] == MARK:
            end += 1
        longer.add((start, end))
    return longer


def longest_from_the_left(spans: set[tuple[int, int]]) -> list[tuple[int, int]]:
    kept: list[tuple[int, int]] = []
    for start, end in sorted(spans, key=lambda s: (s[0], -s[1])):
        if not kept or start >= kept[-1][1]:
            kept.append((start, end))
    return kept


@settings(max_examples=150, deadline=None)
@given(st.lists(texts(4), min_size=1, max_size=8), st.lists(texts(), min_size=1, max_size=5))
def test_every_known_value_is_found_and_nothing_else(values: list[str], searched: list[str]) -> None:
    index = known(*values)
    for text, found in zip(searched, index.find(searched), strict=True):
        expected = longest_from_the_left(with_marks(text, plain_search(values, text)))
        assert [(a, b) for a, b, _ in found] == expected


@settings(max_examples=100, deadline=None)
@given(st.lists(texts(3), min_size=1, max_size=10), st.lists(texts(3), min_size=1, max_size=10))
def test_cells_are_known_where_they_fold_to_a_known_value(values: list[str], cells: list[str]) -> None:
    wanted = {fold_text(value) for value in values} - {""}
    assert known(*values).cells(pa.array(cells)).tolist() == [fold_text(cell) in wanted for cell in cells]


def test_half_a_million_random_values_meet_no_others() -> None:
    """By 62 bits of hash: the chance of one false alarm is below 1e-6."""
    numbers = random.Random(7).sample(range(10**13, 10**14), 500_000)
    index = known(*(f"{n:x}q" for n in numbers[:250_000]))
    others = pa.array([f"{n:x}q" for n in numbers[250_000:]])
    assert not index.cells(others).any()
    assert index.cells(pa.array([f"{n:x}q" for n in numbers[:250_000]])).all()


def test_hashes_do_not_depend_on_where_a_text_stands() -> None:
    hasher = Hasher(SECRET)
    cells = [f"Zeile {i % 7} é" if i % 3 else "plain" for i in range(100_000)]
    (alone,) = hasher.streams(pa.array(["plain"]))
    hashes = np.concatenate([stream.cells for stream in hasher.streams(pa.array(cells))])
    assert len(hashes) == len(cells)
    assert all(hashes[i] == alone.cells[0] for i in range(0, len(cells), 3))
    assert len(set(hashes.tolist())) == 8


def test_indexes_of_other_secrets_share_no_hash() -> None:
    texts = pa.array([f"value {i}" for i in range(1000)])
    first, second = (next(Hasher().streams(texts)).cells for _ in range(2))
    assert not set(first.tolist()) & set(second.tolist())
