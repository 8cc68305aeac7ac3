"""JSON by path: each value in a document masked by the transformer of its place, all others by `rest`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from masking.errors import MaskingFailed
from masking.transformers.base import Context, Learner, Masker, Rows, Transformer
from masking.transformers.binding import bound
from masking.transformers.constant import Constant
from masking.transformers.fit import WORDS, place_of, require_kind, unfit
from masking.transformers.json_leaves import Bound, Leaves, Plan
from masking.transformers.json_text import Cutter, NotJson, Template, quoted, read_document
from masking.transformers.keep import Keep
from masking.transformers.path_language import Automaton, NotAPath, Place, Step, parse_path
from masking.transformers.redact import Redact, RedactProse
from masking.transformers.template import Template as TextTemplate
from schemas.plurals import counted

HIDDEN = "***"
# names of members that are values rather than words of a programmer: digits alone, with a run of them, an @, a space, very long, or persons
_VALUE_LIKE = re.compile(r"\A[0-9]+\Z|[0-9]{4}|[@\s/+]|[^\x00-\x7f]|.{41}", re.DOTALL)


def _is_value(name: str) -> bool:
    from masking.classify.member_names import names_a_person  # with dictionaries, which only some documents need

    return _VALUE_LIKE.search(name) is not None or names_a_person(name)


@dataclass(frozen=True)
class ByPath:
    """Masks JSON documents by path (`masking.transformers.path_language`); for columns of JSON, and of text that holds it.

    Every string, number and boolean is masked by the transformer of its path, those of no path by `rest` (None: strings become `***`,
    others null); nulls stay. Where `rest` is `redact`, nobody has said that a value may stay: prose, of four words at least, is
    redacted, other strings become `***` unless all of them is found, numbers and booleans null; a path that says `keep` keeps them. How
    numbers and dates are taken is told at `Leaves`. The names of members stay, but for those under a path that ends in `~`, and those
    that no path speaks and that look like values (a date, an e-mail address, a number, a name): `keys` masks them (None: `key-` and a
    keyed hash). Documents come out compact, with their members in order; a number that is kept is written as it was. Where a member
    stands twice, the last counts. A text that is no JSON, or is nested deeper than 400, is masked by `rest` as a whole in a column of
    text, and an error in one of JSON.
    `domains` names the domain of a path's values where it is not the path's own: values of one domain are masked alike.
    """

    name: ClassVar[str] = "by_path"
    whole: ClassVar[bool] = True

    paths: Mapping[str, Transformer | Bound]
    rest: Transformer | None = None
    keys: Transformer | None = None
    domains: Mapping[str, str] = field(default_factory=dict)

    def bind(self, context: Context) -> JsonMasker:
        require_kind(context, self.name, ("json", *WORDS))
        try:
            parsed = [parse_path(path) for path in self.paths]
        except NotAPath as error:
            raise unfit(context, "paths", str(error)) from None
        if len(set(parsed)) < len(parsed):
            raise unfit(context, "paths", "one path stands there twice, in two spellings")
        rules = []
        for path, transformer in self.paths.items():
            rules.append(None if isinstance(transformer, Keep) else self._leaves(path, transformer, context))
        for path, tokens in zip(self.paths, parsed):
            if Step.NAMES in tokens[:-1]:
                raise unfit(context, "paths", f"in '{path}', `~` must be the end")
        unnamed = RedactProse(self.rest) if isinstance(self.rest, Redact) else self.rest
        rest = None if unnamed is None or isinstance(unnamed, Keep) else Leaves(unnamed, context, "", context.domain)
        keys = Leaves(TextTemplate("key-{hash:16}") if self.keys is None else self.keys, context, "~", f"{context.domain}~")
        whole: Masker | None = None
        if context.column.type.kind != "json":
            whole = bound(Constant(HIDDEN) if self.rest is None else self.rest, context)
        everything = [rule for rule in (*rules, rest, keys) if rule is not None]
        kind = LearningJsonMasker if any(rule.learns for rule in everything) or isinstance(whole, Learner) else JsonMasker
        return kind(Automaton(parsed), tuple(rules), rest, isinstance(self.rest, Keep), keys, whole, place_of(context))

    def _leaves(self, path: str, transformer: Transformer | Bound, context: Context) -> Leaves:
        return Leaves(transformer, context, path, self.domains.get(path, f"{context.domain}{path}"))


@dataclass
class JsonMasker:
    """Documents of a batch, each different one read once; the leaves of a rule go through its masker together."""

    automaton: Automaton
    rules: tuple[Leaves | None, ...]
    rest: Leaves | None
    keep_rest: bool
    keys: Leaves
    whole: Masker | None
    place: str

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        documents = _Documents(self, values)
        results = {
            group: iter(plan.write(plan.masker.apply(leaves, rows.take(parents)))) for group, plan, leaves, parents in documents.expanded()
        }
        made: list[str | None] = []
        for template in documents.templates_of_rows():
            if template is None:
                made.append(None)
            else:
                pieces = template.pieces  # every hole is filled anew in every row
                for place, group in template.holes:
                    pieces[place] = next(results[group])
                made.append("".join(pieces))
        masked = pa.array(made, pa.string())
        if not len(documents.broken):
            return masked
        places = pa.array(documents.broken)
        assert self.whole is not None
        replaced = self.whole.apply(values.take(places), rows.take(places)).to_pylist()
        for at, text in zip(documents.broken.tolist(), replaced):
            made[at] = text
        return pa.array(made, pa.string())

    def plan_of(self, place: Place, kind: str, text: str) -> Plan | str | None:
        """How a value at `place` is masked: a plan, the JSON that replaces it, or None where it is kept."""
        if kind == "name":
            return self._plan_of_name(place, text)
        if place.rule is None:
            if self.keep_rest:
                return None
            if self.rest is None:
                return quoted(HIDDEN) if kind == "string" else "null"
            leaves: Leaves | None = self.rest
        else:
            leaves = self.rules[place.rule]
        if leaves is None:
            return None
        return leaves.plan(kind, text) or "null"

    def is_steady(self, place: Place, kind: str) -> bool:
        """Whether `plan_of` says the same for all values of `kind` at `place`."""
        leaves = self.rest if place.rule is None else self.rules[place.rule]
        return leaves is None or leaves.is_steady(kind)

    def _plan_of_name(self, place: Place, text: str) -> Plan | str | None:
        kept = self.keep_rest if place.rule is None else self.rules[place.rule] is None
        leaves: Leaves | None = None
        if place.names is not None:
            leaves = self.rules[place.names]
        elif not kept and text not in self.automaton.vocabulary and _is_value(text):
            leaves = self.keys
        return None if leaves is None else leaves.plan("name", text) or quoted(HIDDEN)


@dataclass
class LearningJsonMasker(JsonMasker):
    """The same where a masker has to see all values first."""

    def learn(self, values: pa.Array, rows: Rows) -> None:
        documents = _Documents(self, values)
        for _, plan, leaves, parents in documents.expanded():
            if isinstance(plan.masker, Learner):
                plan.masker.learn(leaves, rows.take(parents))
        if isinstance(self.whole, Learner) and len(documents.broken):
            places = pa.array(documents.broken)
            self.whole.learn(values.take(places), rows.take(places))

    def finish(self) -> None:
        for leaves in (*self.rules, self.rest, self.keys):
            if leaves is not None:
                leaves.finish()
        if isinstance(self.whole, Learner):
            self.whole.finish()


class _Documents:
    """The documents of one batch as templates, and the leaves of each group of them in the order of the rows."""

    def __init__(self, masker: JsonMasker, values: pa.Array) -> None:
        self._masker = masker
        self._plans: list[Plan] = []
        self._group_of_plan: dict[int, int] = {}
        self._cutter = Cutter(self._group, masker.is_steady)
        encoded = values.dictionary_encode()
        self._templates = [self._template(text) for text in encoded.dictionary.to_pylist()]
        codes = encoded.indices
        self._document = np.asarray(codes.fill_null(-1), np.int64)
        there = np.flatnonzero(self._document >= 0)
        torn = np.array([template is None for template in self._templates], bool)
        self.broken: np.ndarray[Any, np.dtype[np.int64]] = there[torn[self._document[there]]] if len(there) else there
        if len(self.broken) and masker.whole is None:
            raise MaskingFailed(
                f"{masker.place}: {counted(len(self.broken), 'value is', 'values are')} not JSON, or nested too deeply; "
                "mask the whole column instead"
            )

    def templates_of_rows(self) -> Iterator[Template | None]:
        """The template of each row; None for null and for what is no JSON."""
        return (None if code < 0 else self._templates[code] for code in self._document.tolist())

    def expanded(self) -> Iterator[tuple[int, Plan, pa.Array, pa.Array]]:
        """Each group, its plan, its values in the order of rows and places, and the row of each."""
        for group, plan in enumerate(self._plans):
            texts: list[str] = []
            starts, counts = np.zeros(len(self._templates), np.int64), np.zeros(len(self._templates), np.int64)
            for code, template in enumerate(self._templates):
                found = template.leaves.get(group, ()) if template is not None else ()
                starts[code], counts[code] = len(texts), len(found)
                texts += found
            rows = np.flatnonzero(self._document >= 0)
            codes = self._document[rows]
            of_row = counts[codes]
            parents = np.repeat(rows, of_row)
            within = np.arange(len(parents)) - np.repeat(np.cumsum(of_row) - of_row, of_row)
            leaves = plan.read(texts).take(pa.array(np.repeat(starts[codes], of_row) + within))
            yield group, plan, leaves, pa.array(parents)

    def _template(self, text: str) -> Template | None:
        try:
            return self._cutter.cut(read_document(text), self._masker.automaton.root)
        except NotJson:
            return None

    def _group(self, place: Place, kind: str, text: str) -> int | str | None:
        plan = self._masker.plan_of(place, kind, text)
        if not isinstance(plan, Plan):
            return plan
        if id(plan) not in self._group_of_plan:
            self._group_of_plan[id(plan)] = len(self._plans)
            self._plans.append(plan)
        return self._group_of_plan[id(plan)]
