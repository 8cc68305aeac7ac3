"""`name`: names of people."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest

from masking.errors import TransformerUnfit
from masking.pools import pool
from masking.transformers import name_shapes
from masking.transformers.email import Email
from masking.transformers.name import Name
from masking.transformers.username import Username
from schemas.types import SqlType
from tests.masking.transformers.binding import context, masked

WOMEN, MEN = (
    sorted(set(pool(f"given_name_{g}", "en_US").texts) - set(pool(f"given_name_{o}", "en_US").texts))
    for g, o in (("female", "male"), ("male", "female"))
)


def test_case_and_spaces_do_not_make_another_person() -> None:
    plain, loud, wide, quiet = masked(Name(), ["Anna Schmidt", "ANNA SCHMIDT", "  Anna   Schmidt ", "anna schmidt"])
    assert plain == wide
    assert loud == plain.upper()
    assert quiet == plain.lower()


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("Иван Петров", "CYRILLIC"), ("山田 さくら", "CJK|KATAKANA|HIRAGANA"), ("محمد علي", "ARABIC"), ("Γιώργος Παπαδόπουλος", "GREEK"),
        ("김 철수", "HANGUL"), ("रमेश कुमार", "DEVANAGARI"), ("Anna Schmidt", "LATIN"),
    ],
)  # fmt: skip
def test_names_keep_their_script_and_the_number_of_their_words(text: str, script: str) -> None:
    result = masked(Name(), [text])[0]
    assert {unicodedata.name(c).split()[0] for c in result if c.isalpha()} <= set(script.split("|"))
    assert len(result.split()) >= 2
    assert not set(result.casefold().split()) & set(text.casefold().split())


def test_a_latin_name_under_a_japanese_policy_stays_latin_and_a_chinese_one_is_japanese() -> None:
    latin, chinese = masked(Name(), ["Anna Schmidt", "山田太郎"], locale="ja_JP")
    assert latin.isascii()
    japanese = {family + given for family in pool("family_name", "ja_JP").texts for given in pool("given_name", "ja_JP").texts}
    assert chinese in japanese


def test_gender_stays_where_the_given_name_tells_it() -> None:
    for names, own in ((WOMEN[:200], WOMEN), (MEN[:200], MEN)):
        result = masked(Name("given"), names)
        both = set(pool(f"given_name_{'female' if own is WOMEN else 'male'}", "en_US").texts)
        assert set(result) <= both
        full = masked(Name(), [f"{name} Smith" for name in names if " " not in name and len(name) > 1])
        assert {text.split()[0] for text in full if len(text.split()) == 2} <= both | {word for name in both for word in name.split()}


def test_gender_comes_from_a_column_where_one_is_named() -> None:
    told = ["f", "M", "female", "male", "weiblich", "Herr", "2", "1", "mujer", "hombre", None, "?"]
    result = masked(Name("given", gender="sex"), [f"Xyz{i}" for i in range(12)], rows={"sex": told})
    women, men = set(pool("given_name_female", "en_US").texts), set(pool("given_name_male", "en_US").texts)
    assert [name in women for name in result[:10:2]] == [True] * 5
    assert [name in men for name in result[1:10:2]] == [True] * 5


def test_titles_initials_commas_and_single_names_keep_their_shape() -> None:
    titled, initial, comma, single, four = masked(
        Name(), ["Dr. Anna Schmidt", "Mary A. Jones", "Smith, John", "Cher", "Ana Maria Lopez Diaz"]
    )
    assert titled.startswith("Dr. ") and len(titled.split()) >= 3
    assert len(initial.split()[1]) == 2 and initial.split()[1].endswith(".")
    assert comma.split()[0].endswith(",")
    assert len(single.split()) == 1
    assert len(four.split()) >= 4


def test_the_length_class_stays_when_asked_for() -> None:
    short = masked(Name("family", keep_length=True), [f"Ab{c}" for c in "abcdefghijklmnopqrstuvwxyz"])
    long = masked(Name("family", keep_length=True), [f"Abcdefghijk{c}" for c in "abcdefghijklmnopqrstuvwxyz"])
    assert max(map(len, short)) <= 5
    assert min(map(len, long)) > 7


def test_one_persons_names_and_addresses_agree_in_all_tables_when_picked_by_the_subject() -> None:
    subjects = [str(i) for i in range(200)]
    people = {"subject_domain": "users.id", "subject": subjects}
    given = masked(Name("given", subject=True), [f"Given{i}" for i in range(200)], domain="given_name", **people)
    family = masked(Name("family", subject=True), [f"Family{i}" for i in range(200)], domain="family_name", **people)
    full = masked(Name(subject=True), [f"Given{i} Family{i}" for i in range(200)], domain="person_name", **people)
    email = masked(Email(subject=True), [f"{i}@acme.com" for i in range(200)], domain="email", **people)
    user = masked(Username(subject=True), [f"u{i}" for i in range(200)], domain="username", **people)
    slugs = {
        **dict(zip(pool("given_name", "en_US").texts, pool("given_name", "en_US").slugs)),
        **dict(zip(pool("family_name", "en_US").texts, pool("family_name", "en_US").slugs)),
    }
    assert full == [f"{a} {b}" for a, b in zip(given, family)]
    for a, b, address, account in zip(given, family, email, user):
        assert address.startswith(f"{slugs[a]}.{slugs[b]}")
        assert account.startswith(f"{slugs[a][0]}{slugs[b]}")
    elsewhere = masked(Email(subject=True), [f"other{i}@foo.org" for i in range(200)], domain="email", **people)
    assert [address.split("@")[0] for address in elsewhere] == [address.split("@")[0] for address in email]


def test_a_row_without_a_subject_is_masked_by_its_value() -> None:
    what = {"subject_domain": "users.id"}
    known, unknown = masked(Name(subject=True), ["Anna Schmidt", "Anna Schmidt"], subject=["7", None], **what)
    assert known != unknown
    assert unknown == masked(Name(subject=True), ["Anna Schmidt"], subject=[None], **what)[0]


def test_picks_are_uniform_over_the_pool() -> None:
    """Chi-squared over family names in 50 bins, limit at a false-alarm rate of 1e-6 (49 degrees of freedom: 111.1)."""
    texts = pool("family_name", "en_US").texts
    places = {text: i for i, text in enumerate(texts)}
    counts = [0] * 50
    result = masked(Name("family"), [f"Qx{i:x}" for i in range(40_000)])
    for text in result:
        counts[places[text] * 50 // len(texts)] += 1
    sizes = [0] * 50
    for i in range(len(texts)):
        sizes[i * 50 // len(texts)] += 1
    expected = [len(result) * size / len(texts) for size in sizes]
    assert sum((count - e) ** 2 / e for count, e in zip(counts, expected)) < 111.1


@pytest.mark.parametrize(
    ("transformer", "what", "message"),
    [
        (Name("whole"), {}, "`parts` is full, given, family"),
        (Name(gender="sexx"), {"others": ("sex",)}, "did you mean 'sex'"),
        (Name(subject=True), {}, "the policy names none"),
        (Name(locale="de_DD"), {}, "did you mean 'de_DE'"),
        (Name(), {"kind": SqlType("varchar", length=5)}, "too short for names"),
    ],
)
def test_what_does_not_fit_is_said(transformer: Name, what: dict, message: str) -> None:
    with pytest.raises(TransformerUnfit, match=message):
        transformer.bind(context(**what))


@pytest.mark.parametrize("parts", ["full", "given", "family"])
@pytest.mark.parametrize("keep_length", [False, True])
def test_names_read_as_a_column_are_masked_as_those_read_one_by_one(parts: str, keep_length: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["Anna", "b", "C.", "D..", ".e", "..", "Dr.", "prof.", "van", "Meyer-Smith", "O'Neil", "42", "#", "SMITH"]
    names = [" ".join(words[(i * step + i // 14) % 14] for step in range(1, count + 1)) for count in range(1, 6) for i in range(80)]
    values = [*names, "Meyer, Anna B.", "", None, "Zoë A. Meyer", "a\x1cb c"]
    at_once = masked(Name(parts=parts, keep_length=keep_length), values)
    monkeypatch.setattr(name_shapes, "_read_by_column", lambda words, first, rows, locale: np.zeros(len(rows), np.bool_))
    assert masked(Name(parts=parts, keep_length=keep_length), values) == at_once


def test_letters_of_which_the_small_ones_are_ascii_are_not_taken_for_ascii() -> None:
    """The Kelvin sign and a dotted capital i: alone or among others, as part of a batch or of one, they are masked alike."""
    values = ["\u212aarl Meyer", "\u0130lker", "a, b \u0130lker", "\u0130lker \u0130. \u212a", "Anna Zoë \u0130lker"]
    for keep_length in (False, True):
        together = masked(Name(keep_length=keep_length), [*values, "Anna Meyer", "Jo B. Ray"])
        assert together[: len(values)] == [masked(Name(keep_length=keep_length), [value])[0] for value in values]
        assert not {"\u212aarl", "\u0130lker", "ilker"} & {word.casefold() for text in together for word in text.split()}
