"""The values inside JSON documents, and a transformer bound to each kind of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from math import isfinite

import pyarrow as pa

from masking.errors import TransformerUnfit
from masking.transformers.base import Context, Learner, Masker, Transformer
from masking.transformers.binding import bound_within
from masking.transformers.json_text import quoted
from schemas.types import SqlType

TEXT = SqlType("text")
_TYPES = {kind: SqlType(kind) for kind in ("bigint", "numeric", "double", "boolean", "date", "timestamp", "timestamptz")}
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?\Z")
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\Z")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})?\Z")
_EPOCH = datetime(1970, 1, 1)
_NUMERIC_LIMIT = Decimal(10) ** 28


@dataclass(frozen=True)
class Bound:
    """A masker that is bound already, to a column of `type` that a value inside documents references."""

    masker: Masker
    type: SqlType


@dataclass(frozen=True)
class Plan:
    """How values of one kind are masked: read as `type`, masked, written again as `kind` of JSON value."""

    masker: Masker
    type: SqlType
    kind: str

    def read(self, texts: list[str]) -> pa.Array:
        """The values of leaves; null where one cannot be read as the type."""
        if self.type.kind in ("text", "varchar", "char", "enum"):
            return pa.array(texts, pa.string())
        read = _READERS.get(self.type.kind)
        if read is None:
            return _cast(texts, self.type)
        return pa.array([read(text) for text in texts], self.type.arrow)

    def write(self, masked: pa.Array) -> list[str]:
        """The JSON of masked values: a number stays a number where the masked value is one, a boolean likewise."""
        return [self._written(_text(value, self.type.kind)) for value in masked.to_pylist()]

    def _written(self, text: str | None) -> str:
        if text is None:
            return "null"
        if self.kind == "number" and _NUMBER.match(text):
            return text
        if self.kind == "boolean" and text in ("true", "false"):
            return text
        return quoted(text)


class Leaves:
    """One rule of a document: a transformer, bound to each kind of leaf that comes up.

    Strings are masked as text; where the transformer does not fit text, as the date, time stamp or number that they may hold. Numbers
    are masked as bigint or numeric(38,9), as double where they do not fit that, and booleans as boolean, or each as the text that it
    is written as. What the transformer fits in no such way becomes null, as do numbers and booleans where it is `redact`, which reads
    words alone.
    """

    def __init__(self, transformer: Transformer | Bound, context: Context, path: str, domain: str) -> None:
        self._context = replace(
            context,
            column=replace(context.column, name=f"{context.column.name}{path}", null=0.0),
            domain=domain,
            apart={} if domain == context.domain else context.apart,  # it is documents that stay different, not what stands in them
        )
        self._transformer = transformer
        self._maskers: dict[str, Masker | TransformerUnfit] = {}
        self._plans: dict[tuple[str, str], Plan | None] = {}
        self._looked_into = False
        if isinstance(transformer, Bound):
            self._maskers = dict.fromkeys(("text", *_TYPES), transformer.masker)
            return
        unfit = self._masker("text")
        if isinstance(unfit, TransformerUnfit):
            # strings are looked into for what the transformer does mask
            self._looked_into = True
            if all(isinstance(self._masker(kind), TransformerUnfit) for kind in _TYPES):
                raise unfit

    def plan(self, kind: str, text: str) -> Plan | None:
        """How a leaf of `kind` (string, number, boolean, name) that is written as `text` is masked; None for null."""
        if isinstance(self._transformer, Bound):
            shape = "text"
        else:
            shape = _shape(kind, text, self._looked_into)
        if (kind, shape) not in self._plans:
            self._plans[kind, shape] = self._made(kind, shape)
        return self._plans[kind, shape]

    def is_steady(self, kind: str) -> bool:
        """Whether the plan is the same for all leaves of `kind`, however they are written."""
        return isinstance(self._transformer, Bound) or kind == "boolean" or (kind != "number" and not self._looked_into)

    @property
    def learns(self) -> bool:
        """Whether a masker of it has to see all values first."""
        return any(isinstance(masker, Learner) for masker in self._maskers.values())

    def finish(self) -> None:
        """Finish the maskers that learn, each once."""
        seen: list[Masker | TransformerUnfit] = []
        for masker in self._maskers.values():
            if isinstance(masker, Learner) and not any(masker is other for other in seen):
                seen.append(masker)
                masker.finish()

    def _made(self, kind: str, shape: str) -> Plan | None:
        if isinstance(self._transformer, Bound):
            return Plan(self._transformer.masker, self._transformer.type, kind)
        for type in _ALTERNATIVES[shape]:
            if type == "text" and kind in ("number", "boolean") and getattr(self._transformer, "of_strings", False):
                continue
            masker = self._masker(type)
            # all numbers of a path together are what a statistic is about
            if isinstance(masker, TransformerUnfit) or (type == "bigint" and isinstance(masker, Learner)):
                continue
            return Plan(masker, TEXT if type == "text" else _TYPES[type], kind)
        return None

    def _masker(self, kind: str) -> Masker | TransformerUnfit:
        if kind not in self._maskers:
            assert not isinstance(self._transformer, Bound)
            type = TEXT if kind == "text" else _TYPES[kind]
            try:
                self._maskers[kind] = bound_within(
                    self._transformer, replace(self._context, column=replace(self._context.column, type=type))
                )
            except TransformerUnfit as error:
                self._maskers[kind] = error
        return self._maskers[kind]


_ALTERNATIVES = {
    "text": ("text",),
    "whole": ("bigint", "numeric", "double", "text"),
    "decimal": ("numeric", "double", "text"),
    "real": ("double", "text"),
    "boolean": ("boolean", "text"),
    "date": ("date", "timestamp"),
    "timestamp": ("timestamp",),
    "timestamptz": ("timestamptz", "timestamp"),
    "none": (),
}


def _shape(kind: str, text: str, looked_into: bool) -> str:
    if kind == "boolean":
        return "boolean"
    if kind == "number" or (looked_into and _NUMBER.match(text)):
        return _number_shape(text)
    if not looked_into or kind == "name":
        return "text"
    if _DATE.match(text):
        return "date"
    found = _MOMENT.match(text)
    if found is None:
        return "none"
    return "timestamptz" if found["zone"] else "timestamp"


def _number_shape(text: str) -> str:
    if _WHOLE.match(text):
        return "whole"
    number = Decimal(text)
    digits = number.as_tuple()
    if abs(number.adjusted()) <= 40 and abs(number) < _NUMERIC_LIMIT and isinstance(digits.exponent, int) and digits.exponent >= -9:
        return "decimal"
    return "real" if isfinite(float(text)) else "text"


def _cast(texts: list[str], type: SqlType) -> pa.Array:
    try:
        return pa.array(texts, pa.string()).cast(type.arrow)
    except (pa.ArrowException, ValueError):
        return pa.array([_one(text, type) for text in texts], type.arrow)


def _one(text: str, type: SqlType) -> object:
    from masking.transformers.scalars import Unscalable, scalar

    try:
        return scalar(text, type).as_py()
    except Unscalable:
        return None


def _moment(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    try:
        plain = moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
    except OverflowError:
        return None
    return (plain - _EPOCH) // (datetime(1970, 1, 1, 0, 0, 0, 1) - _EPOCH)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


_READERS: Mapping[str, Callable[[str], object]] = {
    "bigint": lambda text: int(text) if _WHOLE.match(text) else None,
    "numeric": Decimal,
    "double": float,
    "boolean": lambda text: text == "true",
    "date": _day,
    "timestamp": _moment,
    "timestamptz": _moment,
}


def _text(value: object, kind: str) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat() + ("Z" if kind == "timestamptz" else "")
    if isinstance(value, bytes):
        return value.hex()
    return value.isoformat() if isinstance(value, date) else str(value)
