"""What only the values of several columns together tell: references that nobody declared, and columns that repeat what is personal.

Keys and names of persons are read whole, other columns by their sample; all are compared as keyed hashes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from masking.classify import Finding
from masking.classify.finding import class_of
from masking.classify.words import split
from masking.known import KnownPlace, KnownValues
from masking.known.digests import DIGESTED, digests_of
from masking.known.json_leaves import JsonLeaves
from masking.policy.model import VirtualReference
from masking.proof.words import common_words
from masking.references import Families, Place
from masking.sampling import MOST_ROWS
from masking.source.base import Source
from masking.text.dictionary import load
from schemas.model import Column, Schema, Table
from schemas.types import INTEGERS, TEXTS

Findings = Mapping[tuple[str, str], Finding]
Samples = Mapping[str, pa.Table]

_FEWEST = 5  # different values that have to be keys before a column is said to hold them
_KEYS = (*INTEGERS, "uuid", *TEXTS)
_AMOUNTS = {"count", "counts", "total", "totals", "limit", "quota"}  # words of a column that says how many, and not who
_IDENTIFIERS = {"id", "ids", "uuid", "guid", "fk", "key"}  # words at the end of a column that says who all the same: `limit_user_id`
_HITS = 3  # values of a public column that hold something personal, before all of it is read as free text
_FEW = 0.05  # the share of what things are called, in words, that may hold names of persons before all of it is read as free text
_CALLED = frozenset(("name", "label", "naam", "nom", "nombre", "nome", "nazwa"))
_NAMES = ("person_name", "given_name", "family_name")
_LETTERS = 5  # of a word that is a name, and not some abbreviation
_OF_ANY_ROW = frozenset(("row", "record", "object", "entity", "target", "affected", "id", "key", "pk", "no"))
_OF_A_TABLE = frozenset(("table", "name", "target", "affected", "object"))
_BEHIND = r"^\w{1,40}[/:#](?P<key>\d{4,18}|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27})$"  # numbers of fewer digits are keys by chance
_JOINED = r"[A-Za-z0-9][/:#][0-9a-fA-F]"
_NAMED = r"(?i)(?:^|[^a-z])(?:{})[/:#](?P<key>\d{{1,18}}|[0-9a-f]{{8}}-[0-9a-f-]{{27}})(?:$|[^0-9a-z])"
_UUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
_KINDS = 20  # a column that says which table another references has no more different values


@dataclass(frozen=True)
class _Key:
    """The key of a table of persons, and the words that name it."""

    table: Table
    column: Column
    words: frozenset[str]


def virtual_references(source: Source, found: Findings, samples: Samples, family: Families) -> tuple[VirtualReference, ...]:
    """References to keys of persons that no foreign key declares: from columns, paths into JSON, and in some rows only.

    One is proposed where all of the sampled values are keys of the table, and the name says so (`user_id`, `$.user.id`, or
    `owner_id` beside an `owner_type` that says `user`; not `user_count`, whose small numbers are keys by chance) or they are uuids.
    """
    keys = list(_keys_of_persons(source.schema, found))
    if not keys:
        return ()
    known = {key.table.name: _whole(source, key) for key in keys}
    proposed = []
    for table in source.schema.tables:
        for column in table.stored_columns:
            if family.is_member(Place(table.name, column.name)) or column.name in table.key:
                continue
            for path, values in _parts(column, samples[table.name], tuple(found[table.name, column.name].paths)):
                reference = _reference(table, column, path, values, samples[table.name], keys, known)
                if reference is not None:
                    proposed.append(reference)
    return tuple(proposed)


def betraying(found: Findings, samples: Samples, schema: Schema, source: Source | None = None) -> dict[tuple[str, str], Finding]:
    """Findings for the public columns, and paths of documents, whose texts hold values of personal columns, as free texts.

    Few are enough, for the proof would find them in the output. Where they are so few that what they stand in is still what it seemed,
    names of things of which one is called after a person, nothing else is to be hidden in it. Names of persons are read from `source`
    where the sample has only some of them, as the person may be any of them.
    """
    known = _known_values(found, samples, source)
    told = {}
    for table in schema.tables:
        for column in table.stored_columns:
            finding = found[table.name, column.name]
            whole = column.type.kind in TEXTS and not finding.paths
            if (finding.personal and not finding.paths) or not (whole or finding.paths):
                continue
            paths = dict(finding.paths)
            for path, values in _texts(column, samples[table.name], tuple(finding.paths)):
                inner = finding if path is None else finding.paths[path]
                betrayed = None if inner.personal or inner.faint else _betrayed(inner, known, values, _calls(table, path or column.name))
                if betrayed is None:
                    continue
                if path is None:
                    told[table.name, column.name] = betrayed
                else:
                    paths[path] = betrayed
                    told[table.name, column.name] = replace(finding, klass="free_text", entity="text", paths=paths)
    return told


def holding_keys(source: Source, found: Findings, samples: Samples) -> dict[tuple[str, str], Finding]:
    """Findings for public texts, and paths of documents, in which the key of a person stands: `7/70014`, `customer/42`,
    `/customers/42/orders`.

    All of the sampled ones have to end with one, of so many digits that they are not keys by chance; where the person is named before
    it, it may be of any length, and stand anywhere in some of them.
    """
    keys: list[tuple[_Key, KnownValues]] | None = None
    told = {}
    for table in source.schema.tables:
        for column in table.stored_columns:
            finding = found[table.name, column.name]
            if (finding.personal and not finding.paths) or not (column.type.kind in TEXTS or finding.paths):
                continue
            paths = dict(finding.paths)
            for path, values in _parts(column, samples[table.name], tuple(paths)):
                inner = finding if path is None else paths[path]
                texts = pc.unique(values).drop_null()
                if inner.personal or len(texts) < _FEWEST:
                    continue
                if not pc.any(pc.match_substring_regex(texts, _JOINED)).as_py():
                    continue
                if keys is None:
                    keys = [(key, _whole(source, key)) for key in _keys_of_persons(source.schema, found)]
                why = _held(texts, keys)
                if why is None:
                    continue
                held = Finding("direct", "person_id", 0.8, (why, *inner.evidence))
                if path is None:
                    told[table.name, column.name] = held
                else:
                    paths[path] = held
                    told[table.name, column.name] = replace(finding, klass="free_text", entity="text", paths=paths)
    return told


def _held(texts: pa.Array, keys: Sequence[tuple[_Key, KnownValues]]) -> str | None:
    """Whose keys stand in different texts, as evidence says it; None for nobody's."""
    last = pc.struct_field(pc.extract_regex(texts, _BEHIND), "key")
    for key, known in keys:
        named = pc.struct_field(pc.extract_regex(texts, _NAMED.format("|".join(sorted(key.words)))), "key").drop_null()
        if not last.null_count and _all_known(last, known):
            return f"all of {len(texts)} different values end with keys of {key.table.name}"
        if _all_known(named, known):
            return f"in {len(named)} of {len(texts)} different values stand keys of {key.table.name}"
    return None


def _texts(column: Column, sample: pa.Table, paths: Sequence[str]) -> Iterator[tuple[str | None, pa.Array]]:
    """The texts of a column, of each path of its documents, or of all items of its arrays."""
    if column.type.item is None:
        yield from _parts(column, sample, paths)
        return
    items = sample.column(column.name).combine_chunks()
    while pa.types.is_list(items.type):
        items = items.drop_null().flatten()
    if pa.types.is_string(items.type):
        yield paths[0], items


def _known_values(found: Findings, samples: Samples, source: Source | None) -> KnownValues:
    """The values of the personal columns: names as far as they are read, others by their samples."""
    known = KnownValues()
    for (owner, name), finding in found.items():
        if finding.personal and finding.entity not in (None, "person_id", "text") and not finding.paths:
            place, values = KnownPlace(f"{owner}.{name}", finding.entity, finding.klass), samples[owner].column(name).combine_chunks()
            known.add(place, values)
            if finding.entity in DIGESTED:
                known.add(KnownPlace(f"digests of {owner}.{name}", "secret"), digests_of(values))
            if finding.entity == "person_name" and pa.types.is_string(values.type):
                known.add(place, _seldom_words(values))
            if source is not None and finding.entity in _NAMES and source.count(owner) > len(values):
                _add_first(known, place, source, owner, name)
    known.pass_over(pa.array(common_words().words, pa.large_string()))
    known.seal()
    return known


def _add_first(known: KnownValues, place: KnownPlace, source: Source, table: str, column: str) -> None:
    """Add the values of a column of the first rows of a table, as many as are read of any."""
    rows = 0
    with source.read(table, [column]) as reader:
        for batch in reader:
            known.add(place, batch.column(0))
            rows += batch.num_rows
            if rows >= MOST_ROWS:
                return


def _calls(table: Table, name: str) -> bool:
    """Whether a column or path says what the rows are called, some of them as persons are: `name` and `product_name` of products."""
    words = set(split(name.rpartition(".")[2])) - _singular(table.name)
    return bool(words) and words <= _CALLED


def _betrayed(finding: Finding, known: KnownValues, values: pa.Array, calls: bool) -> Finding | None:
    """What is found of a column or path that seemed harmless, where some of its different texts hold known values."""
    texts = pc.unique(values).drop_null().to_pylist()
    told = known.find(texts) if texts else []
    hits = sum(map(bool, told))
    if not hits:
        return None
    whole = Counter(spans[0][2] for text, spans in zip(texts, told) if len(spans) == 1 and spans[0][:2] == (0, len(text)))
    entity, most = whole.most_common(1)[0] if whole else ("text", 0)
    if entity != "text" and most >= max(_HITS, len(texts) / 2):
        why = f"{most} of {len(texts)} different values are values of personal columns"
        return replace(finding, klass=class_of(entity), entity=entity, confidence=0.6, evidence=(why, *finding.evidence))
    entities = {span[2] for spans in told for span in spans}
    named = entities <= set(_NAMES) and 2 * sum(" " in text for text in texts) >= len(texts)
    # what is known when the source is masked are its values, and not their digests
    few = "secret" not in entities and (hits < _HITS or (calls and named and hits <= _FEW * len(texts)))
    why = f"{hits} of {len(texts)} different values {'holds' if hits == 1 else 'hold'} values of personal columns"
    said = (f"{why}, and nothing else is hidden",) if few else (why,)
    return replace(finding, klass="free_text", entity="text", confidence=0.6, evidence=(*said, *finding.evidence), few=few)


def _seldom_words(names: pa.Array) -> pa.Array:
    """The words of full names that no dictionary has, for a family name alone tells as much as the whole."""
    words = pc.unique(pc.list_flatten(pc.split_pattern_regex(names, r"[\s,.]+"))).drop_null()
    seldom = [word for word in words.to_pylist() if len(word) >= _LETTERS and word.isalpha() and not load().bits(word.lower())]
    return pa.array(seldom, pa.string())


def _keys_of_persons(schema: Schema, found: Findings) -> Iterator[_Key]:
    for table in schema.tables:
        if len(table.key) == 1 and table.column(table.key[0]).type.kind in _KEYS:
            column = table.column(table.key[0])
            if found[table.name, column.name].entity == "person_id" and table.foreign_key_of(column.name) is None:
                yield _Key(table, column, _singular(table.name.rpartition(".")[2]))


def _whole(source: Source, key: _Key) -> KnownValues:
    known = KnownValues()
    with source.read(key.table.name, [key.column.name]) as reader:
        for batch in reader:
            known.add(KnownPlace(str(Place(key.table.name, key.column.name)), "person_id"), batch.column(0), inside=False)
    known.seal()
    return known


def _parts(column: Column, sample: pa.Table, paths: Sequence[str]) -> Iterator[tuple[str | None, pa.Array]]:
    values = sample.column(column.name).combine_chunks()
    if paths and column.type.kind in ("json", *TEXTS):
        parts = JsonLeaves(paths).of(values)
        yield from ((path, parts[i]) for i, path in enumerate(paths) if i in parts)
    elif column.type.kind in _KEYS:
        yield None, values


def _reference(
    table: Table,
    column: Column,
    path: str | None,
    values: pa.Array,
    sample: pa.Table,
    keys: list[_Key],
    known: Mapping[str, KnownValues],
) -> VirtualReference | None:
    words = split(column.name if path is None else " ".join(path.replace("[*]", "").split(".")[-2:]))
    if _AMOUNTS & set(words) and words[-1] not in _IDENTIFIERS:
        return None
    named = frozenset(words) - {"id", "key", "no", "uuid", "number"}
    for key in sorted(keys, key=lambda key: not key.words & named):
        if (key.words & named or _are_uuids(values)) and _all_known(values, known[key.table.name]):
            return VirtualReference(table.name, (column.name,), key.table.name, (key.column.name,), path)
    if path is not None:
        return None
    for kind in _kinds_beside(table, column):
        texts = sample.column(kind).combine_chunks().cast(pa.string())
        different = pc.unique(texts).drop_null().to_pylist()
        if not 1 <= len(different) <= _KINDS:
            continue
        for word in sorted(different):
            here = values.filter(pc.equal(texts, word))
            for key in keys:
                if key.words & _singular(word) and _all_known(here, known[key.table.name]):
                    quoted = "'" + word.replace("'", "''") + "'"
                    return VirtualReference(table.name, (column.name,), key.table.name, (key.column.name,), None, f"{kind} = {quoted}")
    return None


def _kinds_beside(table: Table, column: Column) -> Iterator[str]:
    """Columns such as `owner_type` beside `owner_id`, and in what tells of the rows of many tables `table_name` beside `row_key`."""
    stem = column.name.lower().removesuffix("id").rstrip("_")
    of_any_row = set(split(column.name)) <= _OF_ANY_ROW
    for other in table.stored_columns:
        if not stem or other.type.kind not in (*TEXTS, "enum"):
            continue
        name, words = other.name.lower(), set(split(other.name))
        of_its_own = name.startswith(stem) and name[len(stem) :].strip("_") in ("type", "kind", "class", "table")
        if of_its_own or (of_any_row and "table" in words and words <= _OF_A_TABLE):
            yield other.name


def _are_uuids(values: pa.Array) -> bool:
    """Whether all are universally unique, so that none is a key by chance, whatever the name says."""
    if isinstance(values.type, pa.UuidType):
        return True
    return (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)) and bool(
        pc.all(pc.match_substring_regex(values, _UUID)).as_py()
    )


def _all_known(values: pa.Array, known: KnownValues) -> bool:
    values = pc.unique(values.storage if isinstance(values, pa.ExtensionArray) else values).drop_null()
    return len(values) >= _FEWEST and bool(np.all(known.cells(values)))


def _singular(name: str) -> frozenset[str]:
    """The words of a table's name, those in the plural in the singular too."""
    words = split(name)
    return frozenset(words) | {word[:-1] for word in words if word.endswith("s") and len(word) > 3}
