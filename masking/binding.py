"""From a policy to maskers: every column gets the transformer that its treatment names, bound to its type and its domain."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from masking.agreement import treatment_at
from masking.errors import PolicyInvalid, TransformerInvalid
from masking.keys import MaskingKey
from masking.policy.model import DROP, REFERENCE, Policy, Step, TablePolicy, Treatment
from masking.references import Families, Place
from masking.transformers.base import Context, KnownTexts, Learner, Masker, Transformer
from masking.transformers.binding import bound
from masking.transformers.conditions import Choice, Condition, Conditional, LearningChoice
from masking.transformers.json_leaves import Bound
from masking.transformers.json_paths import ByPath
from masking.transformers.keep import Keep
from masking.transformers.registry import transformer
from schemas.errors import InputError, Mark, Problem
from schemas.model import Column, Schema, Table

_OF_NOBODY = ("person_id", "text")  # entities whose values are no kind of their own: the domain is the column


@dataclass(frozen=True)
class BoundColumn:
    """A column of the source that is in the output, how it is treated, and its masker; None where every value is kept."""

    column: Column
    treatment: Treatment
    masker: Masker | None


@dataclass(frozen=True)
class BoundTable:
    """A table of the source that is in the output; `subject` holds the columns that name the person of a row."""

    table: Table
    columns: tuple[BoundColumn, ...]
    subject: tuple[str, ...]


class Binder:
    """Binds the treatments of one policy; what does not fit is noted in `problems`.

    `count` gives the rows of a table, `known` finds values of the source in texts. Raises nothing itself: `table` leaves out what
    does not fit.
    """

    def __init__(
        self,
        schema: Schema,
        policy: Policy,
        family: Families,
        key: MaskingKey,
        count: Callable[[str], int],
        known: KnownTexts | None = None,
    ) -> None:
        self._schema, self._policy, self._family, self._key, self._known = schema, policy, family, key, known
        self.problems: list[Problem] = []
        self._learned: dict[str, Any] = {}
        # the number of different values of domains in which no two may become one
        self._distinct: dict[str, int] = {}
        for table in schema.tables:
            treated = policy.tables.get(table.name, TablePolicy(drop=True))
            for column in () if treated.drop else table.stored_columns:
                place, alone = Place(table.name, column.name), table.is_unique(column.name)
                if alone or family.is_member(place):
                    domain = self._domain(place, treated.columns[column.name])
                    self._distinct[domain] = max(self._distinct.get(domain, 0), count(table.name) if alone else 0)

    def table(self, table: Table) -> BoundTable:
        """Bind the columns of a table that is not dropped."""
        treated = self._policy.tables[table.name]
        columns = []
        for column in table.stored_columns:
            treatment = treated.columns[column.name]
            if treatment.mask.name == DROP:
                continue
            made = self._column(table, column, treatment)
            if made is not None:
                columns.append(BoundColumn(column, treatment, None if isinstance(made, Keep) else made))
        return BoundTable(table, tuple(columns), treated.subject)

    def context(self, table: Table, column: Column, place: Place, treatment: Treatment) -> Context:
        """What a transformer may know of a place, whose values stand in `column`."""
        domain = self._domain(place, treatment)
        subject = treatment.subject or self._policy.tables[table.name].subject
        return Context(
            self._schema,
            table,
            column,
            self._key,
            domain,
            unique=domain in self._distinct,
            subject_domain=", ".join(str(self._family.root(Place(table.name, c))) for c in subject) or None,
            distinct=self._distinct.get(domain) or None,
            locale=self._policy.locale,
            known=self._known,
            apart=self._distinct,
            learned=self._learned,
        )

    def fits(self, context: Context, step: Step) -> bool:
        """Whether a transformer can be bound to a column; raises TransformerInvalid where there is none such."""
        made = transformer(step.name, step.parameters, str(Place(context.table.name, context.column.name)))
        try:
            bound(made, context)
        except InputError:
            return False
        return True

    def _column(self, table: Table, column: Column, treatment: Treatment) -> Masker | Keep | None:
        place = Place(table.name, column.name)
        if treatment.paths:
            return self._paths(table, column, treatment)
        if any(self._conditional(place)):
            return self._some_rows(table, column, place, treatment)
        step = self._home(place, treatment)
        context = self.context(table, column, place, treatment)
        made = self._transformer(place, treatment, step)
        return made if made is None or isinstance(made, Keep) else self._bound(made, context, step.at)

    def _home(self, place: Place, treatment: Treatment) -> Step:
        """The step that masks a place: its own, or that of the key which it references."""
        if treatment.mask.name != REFERENCE or not self._family.is_member(place):
            return treatment.mask
        home = treatment_at(self._policy, self._family.root(place))
        assert home is not None, place
        return home.mask

    def _transformer(self, place: Place, treatment: Treatment, step: Step) -> Transformer | None:
        made = self._made(step, str(place))
        if treatment.when is None or treatment.otherwise is None:
            return made
        otherwise = self._made(treatment.otherwise, f"{place}, else")
        return None if made is None or otherwise is None else Conditional(made, treatment.when, otherwise)

    def _paths(self, table: Table, column: Column, treatment: Treatment) -> Masker | None:
        before = len(self.problems)
        inner: dict[str, Transformer | Bound] = {}
        domains: dict[str, str] = {}
        for path, part in treatment.paths.items():
            made: Transformer | Bound | None
            place = Place(table.name, column.name, path)
            root = self._schema.table(self._family.root(place).table).column(self._family.root(place).column)
            if any(self._conditional(place)):
                masker = self._some_rows(table, root, place, part)
                made = None if masker is None else Bound(masker, root.type)
            elif self._family.is_member(place):
                # a value inside a document is masked as the key that it holds: by the type of that column
                step = self._home(place, part)
                home = self._transformer(place, part, step)
                masker = None if home is None else self._bound(home, self.context(table, root, place, part), step.at)
                made = None if masker is None else Bound(masker, root.type)
            else:
                made = self._transformer(place, part, part.mask)
                domains[path] = self._domain(place, part)
            if made is not None:
                inner[path] = made
        rest = self._made(treatment.rest, f"{table.name}.{column.name}, rest") if treatment.rest is not None else None
        if len(self.problems) > before:
            return None
        place = Place(table.name, column.name)
        return self._bound(ByPath(inner, rest, domains=domains), self.context(table, column, place, treatment), treatment.at)

    def _conditional(self, place: Place) -> list[tuple[Place, str, Mark | None]]:
        """The keys that a place holds in some rows, and the condition of each."""
        return [
            (Place(r.target_table, r.target[r.columns.index(place.column)]), r.when, r.at)
            for r in self._policy.references
            if r.when is not None and r.table == place.table and (r.path or "") == place.path and place.column in r.columns
        ]

    def _some_rows(self, table: Table, column: Column, place: Place, treatment: Treatment) -> Masker | None:
        """The masker of a place that holds this key in some rows and that key in others."""
        rest = Step("null") if treatment.mask.name == REFERENCE else treatment.mask
        made = self._made(rest, f"{place}, where no reference holds")
        masker = None if made is None else self._bound(made, self.context(table, column, place, treatment), rest.at)
        for target, when, at in reversed(self._conditional(place)):
            home = treatment_at(self._policy, self._family.root(target))
            if home is None or home.mask.name == DROP:
                self._say(f"{place} references {target}, which is dropped; leave that reference out", at)
                continue
            made = self._made(home.mask, str(place))
            held = None if made is None else self._bound(made, self.context(table, column, target, home), home.mask.at)
            try:
                condition = Condition(when, table, str(place))
            except InputError as error:
                self._say(str(error), at)
                continue
            if masker is not None and held is not None:
                kind = LearningChoice if isinstance(held, Learner) or isinstance(masker, Learner) else Choice
                masker = kind(condition, held, masker)
        return masker

    def _domain(self, place: Place, treatment: Treatment) -> str:
        if self._family.is_member(place):
            root = self._family.root(place)
            home = treatment_at(self._policy, root)
            return (home.domain if home is not None else None) or treatment.domain or str(root)
        # documents hold values of many kinds, each of which has the domain of its own path
        shared = treatment.entity if treatment.entity not in _OF_NOBODY and not treatment.paths else None
        return treatment.domain or shared or str(place)

    def _made(self, step: Step, place: str) -> Transformer | None:
        try:
            return transformer(step.name, step.parameters, place)
        except TransformerInvalid as error:
            for message in error.problems:
                self._say(f"{place}: {message}", step.at)
            return None

    def _bound(self, made: Transformer, context: Context, at: Mark | None) -> Masker | None:
        try:
            return bound(made, context)
        except InputError as error:
            self._say(str(error), at)
            return None

    def _say(self, message: str, at: Mark | None) -> None:
        self.problems.append(Problem(message, at))


def bind(
    schema: Schema, policy: Policy, family: Families, key: MaskingKey, count: Callable[[str], int], known: KnownTexts | None
) -> Mapping[str, BoundTable]:
    """Bind all columns of the tables that are not dropped; raises PolicyInvalid with all that does not fit, at its place."""
    binder = Binder(schema, policy, family, key, count, known)
    made = {t.name: binder.table(t) for t in schema.tables if not policy.tables[t.name].drop}
    if binder.problems:
        raise PolicyInvalid(policy.file, dict.fromkeys(binder.problems))
    return made
