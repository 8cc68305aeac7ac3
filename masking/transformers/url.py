"""`url`: addresses of web pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import pyarrow as pa
import pyarrow.compute as pc

from masking.errors import TransformerUnfit
from masking.formats import FormatPermutation
from masking.keyed import KeyedHash
from masking.transformers.base import Context, Rows
from masking.transformers.lengths import UNLIMITED, longest, text_column
from masking.transformers.parameters import parameter
from schemas.errors import nearest
from schemas.types import TEXTS

PARTS = ("host", "path")
_URL = r"^(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]*://)(?P<user>[^/?#@]*@)?(?P<host>[^/?#:@]+)(?P<port>:[0-9]{1,5})?(?P<rest>[/?#](?s:.*))?$"
_RESERVED = ".test"


@dataclass(frozen=True)
class Url:
    """An address of the same form: scheme and port stay, all else is permuted within its format, one to one.

    The host gets the ending `.test`, which leads nowhere (RFC 2606), where the column has room for it. `keep` names what stays:
    `host`, `path` (with the query). Names and passwords before the host are always permuted. What is no address is permuted whole.
    """

    name: ClassVar[str] = "url"
    fits: ClassVar[tuple[str, ...]] = TEXTS

    keep: tuple[Literal["host", "path"], ...] = parameter("what stays", default=())

    def bind(self, context: Context) -> _Urls:
        """Raises TransformerUnfit for other columns than texts, and for parts that addresses do not have."""
        where = text_column(context, self.name)
        for part in self.keep:
            if part not in PARTS:
                raise TransformerUnfit(f"{where}: `keep` of `url` is {' or '.join(PARTS)}, not '{part}'{nearest(part, PARTS)}")
        key = KeyedHash(context.key.derive(f"url/{context.domain}"))
        return _Urls(FormatPermutation(key, "host"), FormatPermutation(key, "rest"), self.keep, longest(context.column.type))


@dataclass(frozen=True)
class _Urls:
    hosts: FormatPermutation
    rests: FormatPermutation
    keep: tuple[str, ...]
    room: int

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        parts = pc.extract_regex(values, _URL)
        found = pc.and_(parts.is_valid(), pc.is_valid(values))
        if parts.null_count == len(parts):
            return self.rests.apply(values)
        scheme, user, host, port, rest = (parts.field(name).fill_null("") for name in ("scheme", "user", "host", "port", "rest"))
        if "host" not in self.keep:
            host = self.hosts.apply(host)
            if self.room < UNLIMITED:
                fits = pc.less_equal(pc.utf8_length(values).fill_null(0), self.room - len(_RESERVED))
                host = pc.if_else(fits, pc.binary_join_element_wise(host, _RESERVED, ""), host)
            else:
                host = pc.binary_join_element_wise(host, _RESERVED, "")
        rest = rest if "path" in self.keep else self.rests.apply(rest)
        masked = pc.binary_join_element_wise(scheme, self.rests.apply(user), host, port, rest, "")
        if pc.all(found).as_py():
            return masked
        return pc.if_else(found, masked, self.rests.apply(pc.if_else(found, pa.scalar(None, pa.string()), values)))
