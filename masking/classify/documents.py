"""Looks into JSON and arrays, path by path: `$.contact.email`, `$.tags[*]`, `$.items[*].email`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from masking.classify import patterns
from masking.classify.finding import Finding, harmless, personal, unsure
from masking.classify.member_names import names_a_person
from masking.classify.names import lexicon
from masking.classify.numbers import SURE
from masking.classify.profile import MOST_CHARACTERS
from masking.classify.text_column import HALF

MOST_DOCUMENTS = 500
MOST_PATHS = 200
MOST_DEPTH = 12
MOST_LEAVES = 4000
# a key that stands in fewer objects may be data, unless it is a known word
LEAST_OBJECTS = 3
# so many keys in one place, most of which may be data, are data all together
LEAST_KEYS = 5
# so many in one object, or most of which may be data in one place of all documents, are not read any further
MOST_KEYS = 60
# at the end of the path of an object: the names of its members
MEMBERS = "~"
# in the path of values of which one document has several
ITEMS = "[*]"

_QUOTED = re.compile(r"(.*?)((?:\[\*\])*)\Z")

Leaf = Callable[[str, list[Any]], Finding]


@dataclass
class Leaves:
    """The values at each path of a sample of documents, and in `keyed` the paths below which keys are themselves values, and those."""

    at: dict[str, list[Any]] = field(default_factory=dict)
    keyed: dict[str, list[str]] = field(default_factory=dict)
    objects: dict[str, int] = field(default_factory=dict)
    children: dict[str, list[str]] = field(default_factory=dict)
    texts: set[str] = field(default_factory=set)
    broken: int = 0
    documents: int = 0


def leaves_of(documents: Iterator[bytes | None]) -> Leaves:
    """Read up to MOST_DOCUMENTS JSON texts; what is no JSON is counted as broken."""
    found = Leaves()
    for text in documents:
        if text is None:
            continue
        if found.documents >= MOST_DOCUMENTS:
            break
        found.documents += 1
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            found.broken += 1
            continue
        _walk(found, "$", value, 0)
    return found


def _walk(found: Leaves, path: str, value: Any, depth: int) -> None:
    if isinstance(value, dict) and depth < MOST_DEPTH:
        if _keys_are_values(value, found, path):
            keys = found.keyed.setdefault(path, [])
            keys += list(value)[: MOST_LEAVES - len(keys)]
            return
        for key, inner in value.items():
            below = f"{path}.{key}"
            if below not in found.objects:
                found.children.setdefault(path, []).append(key)
            found.objects[below] = found.objects.get(below, 0) + 1
            _walk(found, below, inner, depth + 1)
    elif isinstance(value, list) and depth < MOST_DEPTH:
        for inner in value[:100]:
            _walk(found, f"{path}[*]", inner, depth + 1)
    elif value is not None:
        if isinstance(value, str):
            found.texts.add(value[:MOST_CHARACTERS])
        values = found.at.setdefault(path, [])
        if len(values) < MOST_LEAVES:
            values.append(json.dumps(value) if isinstance(value, (dict, list)) else value)


def _keys_are_values(value: Mapping[str, Any], found: Leaves, path: str) -> bool:
    """Whether keys are no names but data, such as addresses or numbers, so that no path may show them."""
    if path in found.keyed or len(value) > MOST_KEYS:
        return True
    keys = found.children.get(path, [])
    if len(keys) > MOST_KEYS and _is_crowd(path, keys, found):
        _drop(path, keys, found)
        return True
    return len(found.at) > MOST_PATHS or any(not _is_name(key) for key in value)


def _is_crowd(path: str, keys: Collection[str], leaves: Leaves) -> bool:
    """Whether most keys of a place stand in few of its objects, and are no known words."""
    return sum(not _is_known(f"{path}.{key}", key, leaves) for key in keys) > len(keys) / 2


def _drop(path: str, keys: Collection[str], leaves: Leaves) -> None:
    """Take the keys of a place, which were read as names so far, for data, and make room for the paths of others."""
    leaves.keyed.setdefault(path, []).extend(keys)
    for below in [at for at in leaves.at if _is_below(at, (path,))]:
        del leaves.at[below]


def _is_name(key: str) -> bool:
    if "." in key or "[" in key:
        return False
    plain = key.replace("_", "").replace("-", "").replace("$", "").replace(" ", "")
    digits = sum(c.isdigit() for c in key)
    written = 0 < len(key) <= 40 and plain.isalnum() and digits <= 3 and not patterns.is_uuid(key) and not patterns.is_hash(key)
    return written and not names_a_person(key)


def classify_documents(leaves: Leaves, decide: Leaf) -> Finding:
    """The finding for a column of documents, with one for each path; `decide` says what the values at a path are."""
    if not leaves.documents:
        return unsure("free_text", "there are no documents")
    _find_crowds(leaves)
    shown = {path: values for path, values in sorted(leaves.at.items()) if not _is_below(path, leaves.keyed) and _is_shown(path, leaves)}
    paths = {_quoted(path): decide(path, values) for path, values in shown.items()}
    left = len(leaves.at) - len(shown)
    for path, keys in sorted(leaves.keyed.items()):
        above = _quoted(path)
        paths[above] = unsure("free_text", "its keys are data and no names")
        paths[f"{above}{MEMBERS}"] = _of_members(keys, decide("$", keys))
    if leaves.broken:
        return Finding(
            "free_text", "text", 0.4, (f"{leaves.broken} of {leaves.documents} documents are no JSON, so all are masked",), paths
        )
    if left:
        said = f"{left} of {len(leaves.at)} paths have keys that may be values, so they are not named, and are masked"
        return Finding("free_text", "text", 0.4, (said,), paths)
    return _whole(leaves.documents, paths, "documents")


def _quoted(path: str) -> str:
    """The path as policies write it: `$["first name"].value`."""
    root, *steps = path.split(".")
    return root + "".join(_QUOTED.sub(r'["\1"]\2', step, count=1) if " " in step else f".{step}" for step in steps)


def _of_members(keys: Collection[str], finding: Finding) -> Finding:
    """What the names of members are, which stand where nobody looks for values: personal, even if they seem to be no persons'."""
    if finding.klass == "direct" and finding.confidence >= SURE:
        return finding
    different = set(keys)
    persons = sum(map(names_a_person, different))
    if persons >= HALF * len(different):
        return personal("username", SURE, f"{persons} of {len(different)} different names are those of persons")
    return unsure("free_text", "the names of members are data")


def _find_crowds(leaves: Leaves) -> None:
    """Objects most of whose keys stand in few of them: some recur, and are data all the same."""
    for above, keys in leaves.children.items():
        if len(keys) >= LEAST_KEYS and _is_crowd(above, keys, leaves) and not _is_below(above, leaves.keyed):
            leaves.keyed.setdefault(above, []).extend(keys)


def _is_known(place: str, key: str, leaves: Leaves) -> bool:
    return leaves.objects.get(place, 0) >= LEAST_OBJECTS or lexicon().read(key).telling


def _is_shown(path: str, leaves: Leaves) -> bool:
    """Whether all keys of a path are names: they recur or are known words, and stand nowhere as values."""
    so_far = "$"
    for step in path.split(".")[1:]:
        so_far = f"{so_far}.{step}"
        place = so_far.rstrip("[*]")
        key = step.rstrip("[*]")
        if not _is_known(place, key, leaves) or (len(key) >= 4 and key in leaves.texts):
            return False
    return True


def _is_below(path: str, keyed: Collection[str]) -> bool:
    return any(path.startswith((f"{k}.", f"{k}[")) for k in keyed)


def _whole(rows: int, paths: dict[str, Finding], what: str) -> Finding:
    masked = [f for f in paths.values() if f.personal]
    if not paths:
        return harmless(0.8, f"{rows} {what} hold nothing")
    if masked:
        sure = max(f.confidence for f in masked)
        said = f"{len(masked)} of {len(paths)} paths in {rows} {what} are personal"
        if len(paths) == 1 and not next(iter(paths)).strip("$[*]"):
            return Finding(masked[0].klass, masked[0].entity, sure, (said, *masked[0].evidence), paths)
        return Finding("free_text", "text", sure, (said,), paths)
    return Finding(
        "public", None, min(f.confidence for f in paths.values()), (f"none of {len(paths)} paths in {rows} {what} is personal",), paths
    )


def classify_array(values: pa.Array, decide: Callable[[pa.Array], Finding]) -> Finding:
    """The finding for a column of arrays: that of their items, at `$[*]`, or `$[*][*]` for arrays of arrays."""
    path, items = "$[*]", values.drop_null().flatten()
    while pa.types.is_list(items.type) or pa.types.is_large_list(items.type):
        path, items = f"{path}[*]", items.drop_null().flatten()
    return _whole(len(values) - values.null_count, {path: decide(items)}, "arrays")
