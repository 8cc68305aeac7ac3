"""A column of texts as the rules see it, and what several of them ask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from masking.classify import likeness
from masking.classify.checksums import Checked, checked
from masking.classify.context import Surroundings
from masking.classify.finding import Finding
from masking.classify.fitting import is_closed
from masking.classify.names import NameReading
from masking.classify.passages import Find
from masking.classify.profile import Texts

MOST = 0.8


HALF = 0.5


@dataclass(frozen=True)
class Column:
    """A column of texts, or the texts at a path: its name, its values, and what stands around it."""

    name: NameReading
    texts: Texts
    around: Surroundings
    find: Find | None
    today: int

    @cached_property
    def closed(self) -> bool:
        """Whether it is a category: by a constraint, or since few values stand again and again."""
        return self.around.closed is not None or is_closed(self.texts)

    @cached_property
    def checks(self) -> Sequence[Checked]:
        return checked(self.texts.values)

    def share(self, test: Callable[[str], bool]) -> float:
        """The share of the different values that pass a test."""
        return self.texts.share(map(test, self.texts.values))

    def counted(self, share: float, what: str) -> str:
        total = len(self.texts.values)
        return f"{round(share * total)} of {total} different values {what}"


Rule = Callable[[Column], Finding | None]


def is_company(column: Column) -> bool:
    share = column.share(likeness.is_company)
    return share >= HALF and share >= column.share(likeness.is_person)


def is_code(text: str) -> bool:
    return any(c.isdigit() for c in text)


def names_things(column: Column) -> bool:
    """Whether it is the name or title of things, which may be called after persons."""
    return (
        column.around.things
        and not column.around.persons
        and bool({"name", "title", "label", "titel", "titre", "titulo", "titolo", "naam", "nom", "nombre", "nome"} & set(column.name.words))
    )


def is_of_common_words(column: Column) -> bool:
    """Whether most texts are made of words that are known to be common, so that names in them would have been seen."""
    return column.share(likeness.is_common) >= HALF


def is_composed(column: Column) -> bool:
    """Whether the texts are put together from few words, so that they are no free text."""
    texts = column.texts
    return len(texts.values) >= 20 and len(texts.vocabulary) <= 0.4 * len(texts.values)
