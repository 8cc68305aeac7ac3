"""`company`: names of companies, and `job_title`: titles of jobs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from masking.keyed import UInt64
from masking.transformers.base import Context
from masking.transformers.choices import tidy
from masking.transformers.picked import Composer, FromPool, cut, picked_text

# legal forms that stay, as they tell nothing of who it is
_FORM = (
    r"(?P<form>,? (?:inc|incorporated|corp|corporation|co|company|llc|llp|lp|ltd|limited|plc|pty ltd|gmbh|gmbh & co\. kg|ag|kg|ohg|ug|se|"
    r"e\. ?v|sa|s\.a|sas|sarl|s\.a\.r\.l|eurl|sl|s\.l|spa|s\.p\.a|srl|s\.r\.l|bv|b\.v|nv|n\.v|ab|as|a/s|aps|oy|oyj|kft|zrt|sp\. z o\.o|"
    r"s\.r\.o|a\.s|d\.o\.o|lda|ltda|s\.a\. de c\.v|foundation|group|holding|holdings)\.?)$"
)


@dataclass(frozen=True)
class Company(FromPool):
    """An invented company, named after two families: `Hansen & Byrd Ltd`; picked by the folded name.

    The legal form stays where it is known, and the script with it the locale.
    """

    name: ClassVar[str] = "company"
    kind: ClassVar[str] = "family_name"

    def composer(self, context: Context) -> Composer:
        """Two family names, and the legal form."""
        return _company


@dataclass(frozen=True)
class JobTitle(FromPool):
    """Another title of a job, picked by the folded title."""

    name: ClassVar[str] = "job_title"
    kind: ClassVar[str] = "job_title"


def _company(locale: str, texts: pa.Array, folded: pa.Array, words: UInt64, room: int) -> pa.Array:
    texts = tidy(texts)
    at = pc.extract_regex(folded, _FORM).field("form")
    length = pc.utf8_length(at.fill_null(""))
    lengths = pc.subtract(pc.utf8_length(texts.fill_null("")), length).to_pylist()
    forms = pa.array([None if text is None else text[start:] for text, start in zip(texts.to_pylist(), lengths)], pa.string())
    one, other = (picked_text("family_name", locale, words[i], folded) for i in (0, 1))
    joined = pc.binary_join_element_wise(pc.binary_join_element_wise(one, other, " & "), forms, "")
    fits = pc.less_equal(pc.utf8_length(joined), room)
    shorter = cut(pc.binary_join_element_wise(picked_text("family_name", locale, words[0], folded, room), forms, ""), room)
    return pc.if_else(fits, joined, shorter)
