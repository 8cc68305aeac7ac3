"""`username`: names of accounts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from masking.errors import TransformerUnfit
from masking.keyed import KeyedHash, pick
from masking.scripts import known_locale
from masking.transformers.base import Context, Rows
from masking.transformers.choices import fold, left_empty
from masking.transformers.lengths import longest, text_column
from masking.transformers.parameters import parameter
from masking.transformers.persona import Seeds, genders, names
from masking.transformers.suffixes import suffix_length, suffixes
from schemas.types import TEXTS

_DIGITS = 3


@dataclass(frozen=True)
class Username:
    """An account's name made of an invented person's: `klopez482`, picked by the folded name, or by the subject (see `name`).

    In a unique column a suffix of the value's hash keeps different names different, and case counts. A `@` before it stays.
    """

    name: ClassVar[str] = "username"
    fits: ClassVar[tuple[str, ...]] = TEXTS

    subject: bool = parameter("pick by the person whom the row is about, not by the value", default=False)
    gender: str | None = parameter("the column that tells the gender", default=None)
    locale: str | None = parameter("whose values, such as `de_DE`; the policy's where it is left out", default=None)

    def bind(self, context: Context) -> _Usernames:
        """Raises TransformerUnfit for other columns than texts, too short ones, and a missing subject or gender column."""
        where = text_column(context, self.name)
        if self.gender is not None and not context.table.has(self.gender):
            raise TransformerUnfit(f"{where}: the table has no column '{self.gender}' to tell the gender")
        suffix = suffix_length(context.distinct) if context.unique else _DIGITS
        room = longest(context.column.type)
        if room < suffix + 2:
            raise TransformerUnfit(f"{where}: a {context.column.type} is too short for `username`, which needs {suffix + 2} characters")
        locale = known_locale(where, self.locale or context.locale)
        key = KeyedHash(context.key.derive(f"username/{context.domain}/suffix"))
        return _Usernames(Seeds.of(context, "username", self.subject), key, self.gender, locale, room, suffix, context.unique)


@dataclass(frozen=True)
class _Usernames:
    seeds: Seeds
    key: KeyedHash
    gender: str | None
    locale: str
    room: int
    suffix: int
    exact: bool

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        folded = fold(values)
        source = values if self.exact else folded
        words = self.seeds.words(source, rows)
        female = genders(words, None if self.gender is None else rows.columns[self.gender])
        given, family = (
            names(kind, self.locale).slugs.take(pa.array(names(kind, self.locale).choose(female, word)))
            for kind, word in (("given_name", words[1]), ("family_name", words[2]))
        )
        given = pc.utf8_slice_codeunits(given, 0, 1)
        name = pc.utf8_slice_codeunits(pc.binary_join_element_wise(given, family, ""), 0, self.room - self.suffix - 1)
        if self.exact:
            masked = pc.binary_join_element_wise(name, suffixes(self.key, source, self.suffix), "")
        else:
            numbers = 100 + pick(words[3], 900)
            masked = pc.binary_join_element_wise(name, pa.array(numbers).cast(pa.string()), "")
            same = pc.equal(masked, pc.utf8_ltrim(folded, "@")).fill_null(False)
            other = pc.binary_join_element_wise(name, pa.array(100 + (numbers - 99) % 900).cast(pa.string()), "")
            masked = pc.if_else(same, other, masked)
        at = pc.starts_with(folded, "@").fill_null(False)
        masked = pc.if_else(at, pc.binary_join_element_wise("@", masked, ""), masked)
        return left_empty(values, folded, masked)
