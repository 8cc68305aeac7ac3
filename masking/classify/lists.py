"""Whether texts that tell of a person are entries of a closed list, or sentences that may tell of anybody."""

from __future__ import annotations

from functools import cache

from masking.classify import patterns
from masking.classify.dictionaries import dictionaries
from masking.classify.passages import persons_in
from masking.classify.text_column import MOST, Column

# what is one of a few in the rows of persons, and has no pseudonyms of its own
_CATEGORIES = frozenset((
    "region", "country", "birth_date", "age", "gender", "nationality", "language", "marital_status", "religion", "ethnicity", "political",
    "sexuality", "health", "salary",
))  # fmt: skip
_LONGEST = 80
_WORDS_OF_SENTENCES = 4  # in the mean
_MOST_WORDS = 9  # in one


def is_listed(column: Column) -> bool:
    """Whether few short values stand again and again, or all are of known lists, as postal codes are, and none tells of anybody."""
    if column.share(patterns.is_postcode) >= MOST:
        return True
    texts, unknown = column.texts, _unknown(column)
    if not texts.values or texts.longest > _LONGEST or texts.most_words >= _MOST_WORDS:
        return False
    return (column.closed or not unknown) and not persons_in(unknown, None)


def is_prose(column: Column, entity: str) -> bool:
    """Whether a column whose name reads as `entity`, a category, holds what people wrote of it."""
    texts = column.texts
    if entity not in _CATEGORIES or is_listed(column):
        return False
    return texts.mean_words >= _WORDS_OF_SENTENCES or texts.most_words >= _MOST_WORDS or bool(persons_in(_unknown(column), column.find))


def _unknown(column: Column) -> list[str]:
    """The values that stand in no list, for San Marino is no person."""
    return [v for v in column.texts.values if v.lower() not in _known()]


@cache
def _known() -> frozenset[str]:
    words = dictionaries()
    return words.regions | words.countries | words.nationalities | words.religions | words.genders | words.marital | words.illnesses
