"""The values of a bundle, column by column: nulls, lengths, enums, ranges, JSON, and content digests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bundles.canonical import NotJson, canonical_values
from bundles.digest import ColumnDigester, table_digest
from bundles.opened import Bundle
from bundles.progress import OnProgress, Progress
from bundles.report import Findings
from schemas.model import OPEN_CLASSES, Column, Table
from schemas.types import SqlType

_SHOWN = 40
_UNDIGESTIBLE = ("json", "encoding")


@dataclass(slots=True)
class _Wrong:
    """How often a rule is broken in a column, where first, and by which value (where it may be shown)."""

    what: str
    row: int
    rows: int
    value: str | None


@dataclass(frozen=True, slots=True)
class _Breach:
    """The places in an array that break a rule."""

    rule: str
    what: str
    mask: pa.BooleanArray


def check_values(bundle: Bundle, table: Table, found: Findings, on_progress: OnProgress, rows_before: int) -> None:
    """Read all rows of `table` once and note what breaks the types and digests that the bundle promises."""
    digesters: dict[str, ColumnDigester | None] = {c.name: ColumnDigester(table.name, c) for c in table.stored_columns}
    wrong: dict[tuple[str, str], _Wrong] = {}
    row = 0
    for batch in bundle.table(table.name).batches():
        for i, column in enumerate(table.stored_columns):
            array = batch.column(i)
            digester = digesters[column.name]
            for breach in _breaches(table, column, array):
                _add(wrong, column, breach, array, row)
                if breach.rule in _UNDIGESTIBLE:
                    digester = digesters[column.name] = None
            if digester is not None:
                digester.update(array)
        row += batch.num_rows
        on_progress(Progress("values", table.name, rows_before + row, bundle.config.rows))
    for (name, rule), w in wrong.items():
        found.wrong(rule, f"{w.what}{f': {w.value}' if w.value is not None else ''}", table.name, name, w.row, w.rows)
    _check_digests(bundle, table, row, digesters, found)
    found.count("tables")
    found.count("rows", row)
    found.count("columns", len(digesters))


def _check_digests(bundle: Bundle, table: Table, rows: int, digesters: dict[str, ColumnDigester | None], found: Findings) -> None:
    promised = bundle.config.tables[table.name]
    digests: dict[str, str] = {}
    for name, digester in digesters.items():
        if digester is None:
            continue
        digests[name] = digester.finish()
        if digests[name] != promised.columns[name]:
            found.wrong("digest", _differs(digests[name], promised.columns[name]), table.name, name)
    whole = table_digest(rows, {**promised.columns, **digests}).content_digest
    if whole != promised.content_digest and all(digests.get(name, d) == d for name, d in promised.columns.items()):
        found.wrong("digest", _differs(whole, promised.content_digest), table.name)


def _differs(digest: str, promised: str) -> str:
    return f"the content digest is {digest} where the config says {promised}"


def _add(wrong: dict[tuple[str, str], _Wrong], column: Column, breach: _Breach, array: pa.Array, first_row: int) -> None:
    count = breach.mask.true_count
    key = (column.name, breach.rule)
    if key in wrong:
        wrong[key].rows += count
        return
    at = breach.mask.index(True).as_py()
    wrong[key] = _Wrong(breach.what, first_row + at, count, _shown(column, breach, array, at))


def _shown(column: Column, breach: _Breach, array: pa.Array, at: int) -> str | None:
    """The value itself, where its data class allows that and it tells more than the rule."""
    if column.data_class not in OPEN_CLASSES or breach.rule != "enum":
        return None
    text = repr(array[at].as_py())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _breaches(table: Table, column: Column, array: pa.Array) -> Iterator[_Breach]:
    """The rules that some value of `array` breaks."""
    if array.null_count and (not column.nullable or column.name in table.key):
        yield _Breach("null", "null in a column that is NOT NULL", array.is_null())
    yield from _typed_breaches(column.type, array)


def _typed_breaches(type: SqlType, array: pa.Array) -> Iterator[_Breach]:
    if type.kind == "array":
        assert type.item is not None
        parents = pc.list_parent_indices(array)
        for breach in _typed_breaches(type.item, array.flatten()):
            yield _Breach(breach.rule, breach.what, _raised(breach.mask, parents, len(array)))
        return
    unsound = _unsound(array)
    if unsound.true_count:
        what = {"numeric": f"beyond {type}", "time": "not a time of the day"}.get(type.kind)
        yield _Breach("range", what, unsound) if what else _Breach("encoding", "the bytes are no value of the type", unsound)
        return
    rule_of = _RULES.get(type.kind)
    if rule_of is not None:
        broken = rule_of(type, array)
        if broken is not None and broken.mask.true_count:
            yield broken


def _unsound(array: pa.Array) -> pa.BooleanArray:
    """Where the bytes are no value of the Arrow type: text that is not UTF-8, numerics with too many digits, times beyond a day."""
    mask = np.zeros(len(array), np.bool_)
    if isinstance(array, pa.ExtensionArray) or _is_sound(array):
        return pa.array(mask)
    for i in range(len(array)):
        mask[i] = not _is_sound(array.slice(i, 1))
    return pa.array(mask)


def _is_sound(array: pa.Array) -> bool:
    try:
        array.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _raised(mask: pa.BooleanArray, parents: pa.Array, rows: int) -> pa.BooleanArray:
    """The rows that own the masked items of their arrays."""
    owners = np.zeros(rows, np.bool_)
    owners[parents.filter(mask).to_numpy()] = True
    return pa.array(owners)


def _length(type: SqlType, array: pa.Array) -> _Breach | None:
    if type.length is None:
        return None
    return _Breach("length", f"longer than {type}", pc.greater(pc.utf8_length(array), type.length).fill_null(False))


def _enum(type: SqlType, array: pa.Array) -> _Breach | None:
    known = pc.or_(pc.is_in(array, pa.array(type.values, pa.string())), array.is_null())
    return _Breach("enum", f"not one of the values of {type}", pc.invert(known))


def _json(type: SqlType, array: pa.Array) -> _Breach | None:
    texts = array.to_pylist()
    present = [i for i, text in enumerate(texts) if text is not None]
    try:
        canonical_values([texts[i] for i in present])
        return None
    except NotJson:
        pass
    mask = np.zeros(len(array), np.bool_)
    for i in present:
        try:
            canonical_values([texts[i]])
        except NotJson:
            mask[i] = True
    return _Breach("json", "not JSON", pa.array(mask))


_RULES: dict[str, Callable[[SqlType, pa.Array], _Breach | None]] = {
    "varchar": _length,
    "char": _length,
    "enum": _enum,
    "json": _json,
}
