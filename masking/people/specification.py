"""What a policy asks of the anonymity of persons: `anonymity:`, one item for each kind of subject."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from masking.anonymity import (
    DistinctDiversity,
    EntropyDiversity,
    EqualCloseness,
    KAnonymity,
    Model,
    OrderedCloseness,
    RecursiveDiversity,
)
from masking.errors import PolicyInvalid
from masking.policy.model import DROP, KEEP, Policy
from masking.references import Families, Place, families
from schemas.errors import InputError, Mark, Problem, nearest
from schemas.model import Schema
from schemas.types import FLOATS, INTEGERS, TEXTS

Kind = Literal["own", "child", "parent"]
_KEYS = (
    "subject", "quasi_identifiers", "join", "k", "l", "l_kind", "c", "t", "t_kind", "sensitive", "hierarchies", "notation", "suppression",
    "recoding", "weights",
)  # fmt: skip
_TYPES = (*TEXTS, *INTEGERS, "numeric", *FLOATS, "date", "timestamp", "timestamptz")
_FUNCTIONS = ("prefix", "interval", "network", "date")
_EQUATION = re.compile(r"\s*(\S+)\s*=\s*(\S+)\s*\Z")


@dataclass(frozen=True)
class QuasiColumn:
    """A quasi-identifier of a person and how it hangs on the person.

    An `own` column stands in the subject's table. A `child` stands in a table that references the subject, by `link`; a `parent` in
    a table that the subject references, by `link` of the subject's table, to its key `target`.
    """

    table: str
    column: str
    kind: Kind
    link: str = ""
    target: str = ""
    hierarchy: str | None = None
    weight: float = 1.0

    @property
    def name(self) -> str:
        return f"{self.table}.{self.column}"


@dataclass(frozen=True)
class PeopleSpec:
    """What is asked for the persons of one table: models over their quasi-identifiers; sensitive columns are the subject's own.

    `kept_keys` are the keys of shared rows that stay as they are, so that who knows the rows by their keys knows whose they are;
    `other_references` lead between the same tables another way than rows are joined by, and are not looked at.
    """

    table: str
    key: str
    quasi: tuple[QuasiColumn, ...]
    models: tuple[Model, ...]
    sensitive: tuple[str, ...] = ()
    notation: Literal["labels", "sets", "typed"] = "labels"
    suppression: float = 0.0
    recoding: Literal["local", "global"] = "local"
    folder: Path = Path()
    kept_keys: tuple[str, ...] = ()
    other_references: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """How messages call it."""
        return f"anonymity of {self.table}.{self.key}"

    def of(self, table: str) -> tuple[QuasiColumn, ...]:
        """The quasi-identifiers that stand in a table."""
        return tuple(q for q in self.quasi if q.table == table)


def read_people(policy: Policy, schema: Schema) -> tuple[PeopleSpec, ...]:
    """Read the policy's `anonymity:`; raises PolicyInvalid with all that is wrong in it."""
    at = policy.places.get("anonymity")
    problems: list[Problem] = []
    found = []
    family = families(schema, policy.references)
    for number, said in enumerate(policy.anonymity, 1):
        reader = _Reader(policy, schema, family, f"anonymity, item {number}", at)
        spec = reader.read(said)
        problems += reader.problems
        if spec is not None and not reader.problems:
            found.append(spec)
    taken: dict[str, int] = {}
    for number, spec in enumerate(found, 1):
        for quasi in spec.quasi:
            if taken.setdefault(quasi.name, number) != number:
                problems.append(Problem(f"{quasi.name} is a quasi-identifier of two items of anonymity; it can only be recoded once", at))
    for table, times in Counter(spec.table for spec in found).items():
        if times > 1:
            why = "classes of one do not hold together with those of another; name all quasi-identifiers in one"
            problems.append(Problem(f"{table} is the subject of {times} items of anonymity, and {why}", at))
    if problems:
        raise PolicyInvalid(policy.file, dict.fromkeys(problems))
    return tuple(found)


class _Reader:
    def __init__(self, policy: Policy, schema: Schema, family: Families, what: str, at: Mark | None) -> None:
        self._policy, self._schema, self._families, self._what, self._at = policy, schema, family, what, at
        self.problems: list[Problem] = []
        self.others: list[str] = []

    def _say(self, message: str) -> None:
        self.problems.append(Problem(f"{self._what}: {message}", self._at))

    def read(self, said: Mapping[str, Any]) -> PeopleSpec | None:
        for word in said:
            if word not in _KEYS:
                self._say(f"unknown key '{word}'{nearest(word, _KEYS) or '; known are ' + ', '.join(_KEYS)}")
        subject = self._column(said.get("subject"), "subject")
        names = self._list(said, "quasi_identifiers")
        if subject is None or not names:
            if "quasi_identifiers" not in said:
                self._say("it needs `quasi_identifiers: [table.column, ...]`")
            return None
        table, key = subject
        self._require_written(table, key)
        if not self._schema.table(table).is_unique(key):
            self._say(f"the subject must be a key or unique, and {table}.{key} is not")
        joins = self._joins(said)
        hierarchies = self._by_column(said, "hierarchies", names)
        weights = self._by_column(said, "weights", names)
        quasi = [q for name in names if (q := self._quasi(name, table, key, joins, hierarchies, weights)) is not None]
        sensitive = [c for name in self._list(said, "sensitive") if (c := self._sensitive(name, table)) is not None]
        for name in sensitive:
            if any(q.kind == "own" and q.column == name for q in quasi):
                self._say(f"{table}.{name} is a quasi-identifier and sensitive; it can only be one of the two")
        models = self._models(said, sensitive)
        if any(q.kind == "parent" for q in quasi) and any(isinstance(m, EqualCloseness | OrderedCloseness) for m in models):
            self._say("t-closeness is not offered with columns of a table that the subject references: its rows are shared by persons")
        notation = self._word(said, "notation", ("labels", "sets", "typed"))
        recoding = self._word(said, "recoding", ("local", "global"))
        suppression = self._number(said, "suppression", 0.0)
        if suppression is not None and not 0 <= suppression < 1:
            self._say(f"suppression must be a share from 0 to below 1, not {suppression:g}")
        for q in quasi if suppression else ():
            column = self._schema.table(q.table).column(q.column)
            if q.kind != "parent" and column.type.kind not in TEXTS and not column.nullable:
                self._say(
                    f"{q.name} is NOT NULL and no text, so that a suppressed person's value has nothing to become; leave `suppression` out"
                )
        if self.problems or suppression is None:
            return None
        folder = Path(self._policy.file).parent
        kept = tuple(dict.fromkeys(f"{q.table}.{q.target}" for q in quasi if q.kind == "parent" and self._is_kept(q.table, q.target)))
        return PeopleSpec(
            table,
            key,
            tuple(quasi),
            tuple(models),
            tuple(sensitive),
            notation,
            suppression,
            recoding,
            folder,
            kept,
            tuple(dict.fromkeys(self.others)),
        )

    def _column(self, text: Any, what: str) -> tuple[str, str] | None:
        table, dot, column = text.rpartition(".") if isinstance(text, str) else ("", "", "")
        if not dot:
            self._say(f"{what} must name a table and a column, as in users.id")
            return None
        if not self._schema.has(table):
            self._say(f"there is no table '{table}'{nearest(table, [t.name for t in self._schema.tables])}")
            return None
        known = [c.name for c in self._schema.table(table).stored_columns]
        if column not in known:
            self._say(f"there is no column '{text}'{nearest(column, known)}")
            return None
        return table, column

    def _list(self, said: Mapping[str, Any], key: str) -> list[str]:
        value = said.get(key, [])
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            self._say(f"{key} must be a list of columns")
            return []
        if len(set(names)) < len(names):
            self._say(f"{key} names a column twice")
        return names

    def _by_column(self, said: Mapping[str, Any], key: str, names: Sequence[str]) -> Mapping[str, Any]:
        value = said.get(key, {})
        if not isinstance(value, dict):
            self._say(f"{key} must be a mapping from quasi-identifiers")
            return {}
        for name in value:
            if name not in names:
                self._say(f"{key}: '{name}' is no quasi-identifier of this item{nearest(name, names)}")
        return value

    def _joins(self, said: Mapping[str, Any]) -> list[tuple[tuple[str, str], tuple[str, str]]]:
        found = []
        for text in self._list(said, "join"):
            sides = _EQUATION.match(text)
            if sides is None:
                self._say(f"a join must read like addresses.user_id = users.id, not '{text[:60]}'")
                continue
            left, right = self._column(sides[1], "a join"), self._column(sides[2], "a join")
            if left is not None and right is not None:
                found.append((left, right))
        return found

    def _quasi(
        self, name: str, subject: str, key: str, joins: Sequence[tuple[tuple[str, str], tuple[str, str]]], hierarchies: Mapping[str, Any],
        weights: Mapping[str, Any],
    ) -> QuasiColumn | None:  # fmt: skip
        place = self._column(name, "a quasi-identifier")
        if place is None:
            return None
        table, column = place
        if not self._is_kept(table, column):
            self._say(f"{name} is made anonymous here, so that its own mask in `tables:` must be `keep`")
        found = self._schema.table(table)
        if any(column in columns for columns in found.unique_sets()) or self._families.is_member(Place(table, column)):
            self._say(f"{name} is a key, unique or a reference; such a column names somebody and is masked, not generalised")
        kind = found.column(column).type.kind
        if kind not in _TYPES:
            self._say(f"{name} is of type {kind}, which nothing generalises; mask it, or drop it")
        hierarchy, weight = self._hierarchy(name, hierarchies.get(name)), weights.get(name, 1.0)
        if isinstance(weight, bool) or not isinstance(weight, int | float) or weight <= 0:
            self._say(f"the weight of {name} must be a number above 0")
            weight = 1.0
        if table == subject:
            return QuasiColumn(table, column, "own", hierarchy=hierarchy, weight=float(weight))
        linked = self._link(table, subject, key, joins)
        if linked is None:
            return None
        way, link, target = linked
        if way == "child":
            self._require_alike((table, link), (subject, key))
        else:
            self._require_alike((subject, link), (table, target))
        return QuasiColumn(table, column, way, link, target, hierarchy, float(weight))

    def _hierarchy(self, name: str, said: Any) -> str | None:
        """A file or a function; `{prefix: [3, 2]}` is `prefix:3,2`."""
        if isinstance(said, dict) and len(said) == 1:
            ((function, numbers),) = said.items()
            listed = numbers if isinstance(numbers, list) else [numbers]
            if function in _FUNCTIONS and all(isinstance(n, int | float) and not isinstance(n, bool) for n in listed):
                # what is left of a text without a character is the label of all, which each hierarchy has
                return f"{function}:{','.join(str(n) for n in listed if n or function != 'prefix')}"
        if said is None or isinstance(said, str):
            return said
        self._say(f"the hierarchy of {name} must be a file (`zip.csv`) or a function (`prefix:3,2`, `interval:5,10`, `date`)")
        return None

    def _is_kept(self, table: str, column: str) -> bool:
        treated = self._policy.tables.get(table)
        treatment = None if treated is None or treated.drop else treated.columns.get(column)
        return treatment is not None and treatment.mask.name == KEEP and not treatment.paths and treatment.when is None

    def _require_written(self, table: str, column: str) -> None:
        treated = self._policy.tables.get(table)
        treatment = None if treated is None or treated.drop else treated.columns.get(column)
        if treatment is None or treatment.mask.name == DROP:
            self._say(f"the policy drops {table}.{column}, by which rows are known to be of one person")

    def _require_alike(self, link: tuple[str, str], key: tuple[str, str]) -> None:
        """Joined columns must be masked alike, or nobody could put persons together again to check them."""
        self._require_written(*link)
        self._require_written(*key)
        if self._families.root(Place(*link)) != self._families.root(Place(*key)) and not (self._is_kept(*link) and self._is_kept(*key)):
            names = f"from: {link[0]}.{link[1]}, to: {key[0]}.{key[1]}"
            self._say(f"the database declares no such reference, so that both would be masked apart; add it to `references:` ({{{names}}})")

    def _link(
        self, table: str, subject: str, key: str, joins: Sequence[tuple[tuple[str, str], tuple[str, str]]]
    ) -> tuple[Kind, str, str] | None:
        """How a table hangs on the subject: by a join that is said, else by the one reference that is declared."""
        declared: list[tuple[tuple[str, tuple[str, ...], str | None], str, tuple[str, ...]]] = [
            ((t.name, f.columns, None), f.table, f.target) for t in self._schema.tables for f in t.foreign_keys
        ]
        declared += [((r.table, r.columns, r.path or r.when), r.target_table, r.target) for r in self._policy.references]
        single = [
            ((start, columns[0]), (to, target[0])) for (start, columns, part), to, target in declared if len(columns) == 1 and not part
        ]
        edges = [edge for pair in joins for edge in (pair, pair[::-1]) if table in (pair[0][0], pair[1][0])] or single
        children = sorted({start[1] for start, end in edges if start[0] == table and end == (subject, key)})
        parents = sorted(
            {
                (start[1], end[1])
                for start, end in edges
                if start[0] == subject and end[0] == table and self._schema.table(table).is_unique(end[1])
            }
        )
        # of two tables that share their key each references the other; a row that is one person's alone is a child
        parents = [(link, target) for link, target in parents if link != key or target not in children]
        if len(children) + len(parents) == 1:
            taken = (table, children[0]) if children else (subject, parents[0][0])
            self.others += [
                f"{start[0]}.{start[1]}" for start, end in single if {start[0], end[0]} == {table, subject} and taken not in (start, end)
            ]
            return ("child", children[0], "") if children else ("parent", *parents[0])
        why = "more than one way" if children or parents else "no single reference"
        self._say(
            f"{why} leads from {table} to {subject}.{key}; say `join: [{table}.column = {subject}.{key}]` "
            "(tables further away cannot be joined)"
        )
        return None

    def _sensitive(self, name: str, subject: str) -> str | None:
        place = self._column(name, "a sensitive column")
        if place is not None and place[0] != subject:
            self._say(f"the sensitive column {name} must stand in the subject's table {subject}")
            return None
        if place is not None and not self._is_kept(*place):
            self._say(f"the models are about the values of {name} that are written, so that its own mask in `tables:` must be `keep`")
        return None if place is None else place[1]

    def _models(self, said: Mapping[str, Any], sensitive: Sequence[str]) -> list[Model]:
        models: list[Model] = []
        try:
            k, l, t, c = (self._number(said, word, None) for word in ("k", "l", "t", "c"))  # noqa: E741
            if k is not None and k != int(k):
                self._say(f"k must be a whole number, not {k:g}")
            elif k is not None:
                models.append(KAnonymity(int(k)))
            kind, distance = (
                self._word(said, "l_kind", ("distinct", "entropy", "recursive")),
                self._word(said, "t_kind", ("equal", "ordered")),
            )
            if (l is not None or t is not None) and not sensitive:
                self._say("l and t are about sensitive columns; name them (`sensitive: [users.diagnosis]`)")
            if kind == "recursive" and (c is None or l is None):
                self._say("recursive diversity needs `l` and `c`")
            for name in sensitive:
                if l is not None and kind == "distinct":
                    models.append(DistinctDiversity(l, name))
                elif l is not None and kind == "entropy":
                    models.append(EntropyDiversity(l, name))
                elif l is not None and c is not None:
                    models.append(RecursiveDiversity(l, name, c))
                if t is not None:
                    models.append(EqualCloseness(t, name) if distance == "equal" else OrderedCloseness(t, name))
        except InputError as error:
            self._say(str(error))
        if not models and not self.problems:
            self._say("no privacy model is asked for; say `k: 5`")
        return models

    def _number(self, said: Mapping[str, Any], key: str, default: float | None) -> float | None:
        value = said.get(key, default)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            self._say(f"{key} must be a number")
            return default
        return value

    def _word(self, said: Mapping[str, Any], key: str, known: Sequence[str]) -> Any:
        value = said.get(key, known[0])
        if value not in known:
            self._say(f"{key} must be one of {', '.join(known)}, not '{value}'")
            return known[0]
        return value
