"""The reference page of the schema language, made from the grammar and the catalogue of generators.

`python -m schemas.reference` writes `docs/schema-language.md`; a test holds it current.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from schemas import grammar
from schemas.grammar import Key
from schemas.recipes import GENERATORS, PARAMETER_KINDS, Generator, Parameter
from schemas.times import format_duration
from schemas.types import ALIASES, KINDS

PAGE = Path(__file__).parent.parent / "docs" / "schema-language.md"

EXAMPLE = """\
schema: shop
seed: 42
anchor: 2026-01-01T00:00:00Z          # the data's 'now'
locale: {en_US: 70, de_DE: 20, ja_JP: 10}
tables:
  tenants:
    rows: 200
    columns:
      id:         {type: uuid, key: true}
      name:       {type: text, generate: company.name, unique: true}
      plan:       {type: text, generate: {choice: {free: 60, pro: 30, enterprise: 10}}}
      created_at: {type: timestamptz, generate: {between: [-3y, now]}}
  users:
    rows: {per: tenants, count: {zipf: 1.3, min: 1, max: 5000}}
    columns:
      id:         {type: bigint, key: true}
      tenant_id:  {references: tenants.id}
      email:      {type: text, generate: person.email, unique: true, class: personal}
      manager_id: {references: users.id, within: tenant_id, acyclic: true, null: 0.1}
      created_at: {type: timestamptz, generate: {after: tenants.created_at, within: 2y}}
  invoices:
    rows: {per: tenants, count: {poisson: 24}}
    columns:
      id:        {type: bigint, key: true}
      tenant_id: {references: tenants.id}
      status:    {type: text, generate: {states: {draft: {open: 1}, open: {paid: 0.9, overdue: 0.1}, overdue: {paid: 0.7, void: 0.3}}}}
      total:     {type: "numeric(12,2)", generate: {sum: invoice_lines.amount}}
  invoice_lines:
    rows: {per: invoices, count: {poisson: 3, min: 1}}
    columns:
      invoice_id: {references: invoices.id}
      line:       {type: integer, generate: ordinal}
      amount:     {type: "numeric(10,2)", generate: {lognormal: {median: 50, sigma: 1.2}, max: 10000}}
    key: [invoice_id, line]
privacy: {unit: users.id}
"""

_TYPE_NOTES = {
    "smallint": "16 bits", "integer": "32 bits", "bigint": "64 bits",
    "numeric": "`numeric(12,2)`: exact; precision 1 to 38, scale up to the precision; carried as `numeric(38,9)` where neither is given",
    "real": "32-bit float", "double": "64-bit float", "text": "", "varchar": "`varchar(40)`: at most so many characters",
    "char": "`char(2)`: at most so many characters", "boolean": "", "date": "", "time": "without a zone, to the microsecond",
    "timestamp": "without a zone, to the microsecond", "timestamptz": "an instant, to the microsecond",
    "interval": "an exact length of time, without months", "uuid": "", "json": "", "bytes": "",
    "enum": "`{enum: [happy, sad]}`, or the name of an entry of `types:`",
    "array": "any of the above with `[]`, such as `text[]`; or `{array: {enum: [happy, sad]}}`",
}  # fmt: skip

_ROOMS = {
    "general": "General", "media": "Files", "person": "People", "company": "Companies", "address": "Addresses", "internet": "Internet",
    "phone": "Phones", "finance": "Finance", "product": "Products", "geo": "Geography",
}  # fmt: skip

_INTRODUCTION = """\
A schema file says what a data set looks like and how it is made: tables, columns, constraints, and a recipe for every column.
It is YAML, read with these rules: a value is taken as the type that is expected where it stands (`no` is text where text is
meant), names may be any Unicode text of 1 to 63 bytes, and every problem of a file is told at once, with its line and column.

    companyos schema check shop.yaml

For completion and hints in editors that know the YAML language server, begin the file with

    # yaml-language-server: $schema=<path to>/schemas/schema.schema.json
"""

_TIMES = """\
- **Lengths of time**: `90s`, `15m`, `8h`, `3d`, `2w`, `6mo` (30 days each), `2y` (365 days each), also `us` and `ms`; several
  together, such as `1d12h`.
- **Moments**: `now` (the schema's `anchor`, never the clock), an offset from it such as `-3y` or `2w`, a date such as
  `2026-01-31`, or a time stamp such as `2026-01-31T09:00:00Z` (UTC where no zone is given).
- **Times of day**, for `time` columns: `08:30`, `17:05:10`.
"""

_PATHS = """\
Recipes name other columns by paths:

- `amount`: a column of the same row;
- `tenant_id.plan_id.price`: along references, each named by its column, to a column of the row at the end;
- `tenants.created_at`: the same, the reference named by its table, where only one leads there;
- in the `count` of `rows`, all of these begin at the row of the parent table;
- `invoice_lines.amount` in `sum`, `earliest` and `latest`, and `invoice_lines` in `count`: the rows of a table that references this one.

A name that contains dots is understood wherever only one meaning is possible; a reference can also be written
`{table: "a.b", columns: [id]}`.
"""

_OTHER_THAN = """\
`followed_id: {references: users.id, other_than: follower_id}` names any row but the one that `follower_id` names; where that is
null, any row at all. It draws nothing again, so each of the others has the same chance.

- With `within`, it is another row of the group, and with `acyclic` another one before this row. Where there is none it is null; a
  column that is NOT NULL must always find one, which `companyos schema check` tells.
- With `skew`, where the row of its draw is the one that the other column names, it is the next by rank.
- Together the two may be unique, also as the key, with rows of a parent or without: `key: [follower_id, followed_id]` makes pairs of
  different rows, up to all there are. Alone, or with columns among which the other is not, it may not be what makes them unique.
- With `present`, it is one that is there and the other is not, drawn again until it is. Where only the other is there it is null; a
  column that is NOT NULL must always find one, or nothing is made.
- The other column may be one of a row that this one references: `approver_id: {references: users.id, other_than: run_id.started_by}`.
- With `weight` and `depth` it is refused, and an `acyclic` one may be null and not be what makes columns unique.
- The two reference the same key of the same table. Bundles are held to what `checks` say: `checks: [follower_id <> followed_id]`.

Where a pair has no direction, such as two friends, `second_id: {references: users.id, greater_than: first_id}` names the one with the
greater key, as `checks: [first_id < second_id]` asks. Each pair of different rows is equally likely.

- The key of the other table is a sequence, with gaps or without. Both columns may have `null:`; where one is null, the other is any row.
- Together the two may be unique, up to all pairs there are; neither alone.
- No other option stands beside it, nor in the reference that it names, and rows do not come per row of either.
"""

SCENARIOS_EXAMPLE = """\
scenarios:
  card_testing: 0.002                   # a ready one; `companyos schema scenarios` lists them
  refund_ring:
    subjects: tenants
    share: 0.01
    near_miss: 0.01
    at: {between: [-30d, now]}
    set:
      users: {pick: 1, columns: {job_title: {template: "{was.job_title}, ring leader"}}}
    add:
      refunds:
        per: payments
        where: status = 'succeeded' AND refunded = 0
        pick: 3
        columns: {reason: {constant: never arrived}, requested_at: {after: episode.at, within: 1h, until: 1d}}
    near:
      add:
        refunds: {per: payments, where: status = 'succeeded' AND refunded = 0, pick: 3}
"""

_SCENARIOS = """\
A scenario befalls some rows of one table, its subjects, and gives each an episode at a moment: columns of rows that belong to the
subject become another, and rows are added. What the rows are in truth stands in a table of its own, `<scenario>_labels`: one row
for each episode and each row that it set or added, with `role` (`positive` or `near_miss`), `change`, `phase` and foreign keys to
the subject and the row. Everything else is as it would be without: leave the scenario out, and the untouched rows are the same.

```yaml
@SCENARIOS@```

- Rows belong to a subject where references lead from them to it, over any number of tables by the shortest way.
- An added row hangs below the row of `per` for which it is added, and its references to that table name that row; all else is made
  by the ordinary recipes, unless `columns` says otherwise. Sums, counts, `earliest` and `latest` see it, and ordinals go on.
- Recipes of a scenario may also read `episode.at`, `episode.phase`, `episode.place` (0 for the first row of those that a change
  sets for a subject, or adds for a row of `per`) and `episode.count` (how many those are), and with `set` `was.<column>`, the
  value without scenarios. `where` is always asked of values without scenarios.
- Subjects are chosen by draws of the scenario's own: a larger share keeps the subjects of a smaller one, and other scenarios move
  none. Several scenarios are planted in the order of their names, and none is moved by those after it. An episode that would set a
  row which an earlier scenario sets or adds rows to, or add rows to one that it sets, is left out as a whole, so labels stay true.
- `pick` takes the same rows in all changes of a part that choose among the same.
- Keys, unique columns and references cannot be set. Rows can be added where no value would tell them from others: integer keys
  need `{sequence: {gaps: 8}}`, which leaves numbers free; `{row}` and `uuid7` without a time are refused.
"""

_CLASSES = """\
Every column has one: what it says under `class:`; else that of the column that it references or repeats (`from`); else that of
its semantic generator, as listed below; else `internal`.
"""


def page() -> str:
    """Return the whole page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# The schema language"
    yield ""
    yield "<!-- Made by `python -m schemas.reference`; do not edit by hand. -->"
    yield ""
    yield _INTRODUCTION
    yield "```yaml"
    yield EXAMPLE.rstrip()
    yield "```"
    for title, keys in (
        ("The file", grammar.SCHEMA),
        ("Tables", grammar.TABLE),
        ("`rows`", grammar.ROWS),
        ("`lives`", grammar.LIVES),
        ("Columns", grammar.COLUMN),
        ("`foreign_keys`", grammar.FOREIGN_KEY),
        ("`present`", grammar.PRESENT),
        ("`correlate`", grammar.CORRELATION),
        ("`unique`", grammar.UNIQUE),
        ("`indexes`", grammar.INDEX),
        ("`privacy`", grammar.PRIVACY),
        ("`columns` of `privacy`", grammar.PRIVACY_COLUMN),
        ("`budget`", grammar.BUDGET),
        ("Scenarios", grammar.SCENARIO),
        ("`set` of a scenario", grammar.SCENARIO_SET),
        ("`add` of a scenario", grammar.SCENARIO_ADD),
    ):
        yield from ("", f"## {title}", "")
        if keys is grammar.SCENARIO:
            yield from (_SCENARIOS.replace("@SCENARIOS@", SCENARIOS_EXAMPLE).rstrip(), "")
        yield from table_lines(("key", "value", "meaning", "example"), (key_row(key) for key in keys))
    yield from ("", "## Types", "")
    yield from table_lines(("type", "also written", "notes"), (_type_row(kind) for kind in KINDS))
    yield from ("", "## Times", "", _TIMES.rstrip(), "", "## Paths", "", _PATHS.rstrip())
    yield from ("", "## References to different rows", "", _OTHER_THAN.rstrip(), "", "## Data classes", "", _CLASSES.rstrip())
    yield from ("", "## Generators", "")
    yield "`generate: NAME`, or `{NAME: MAIN, option: ...}`, or `{NAME: {parameter: ..., ...}}`; the main parameter is in bold."
    yield "Numbers for `interval` columns are lengths of time. ✔ marks what can make unique values."
    for room, listed in groupby(GENERATORS, key=lambda spec: spec.room):
        yield from ("", f"### {_ROOMS[room]}")
        for spec in listed:
            yield from _generator(spec)
    yield from ("", "## Kinds of parameters", "")
    yield from table_lines(("kind", "what is written"), ((kind, doc) for kind, doc in PARAMETER_KINDS.items()))


def table_lines(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> Iterator[str]:
    """Yield the lines of a table in Markdown."""
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"


def key_row(key: Key) -> tuple[str, ...]:
    """Return what a page says of a key: the key, its value, its meaning and an example."""
    needed = " (needed)" if key.required else ""
    return f"`{key.name}`{needed}", key.form, key.doc, f"`{key.example}`"


def _type_row(kind: str) -> tuple[str, ...]:
    aliases = ", ".join(f"`{alias}`" for alias, meant in ALIASES.items() if meant == kind)
    return f"`{kind}`", aliases, _TYPE_NOTES[kind]


def _generator(spec: Generator) -> Iterator[str]:
    unique = " ✔" if spec.unique else ""
    yield from ("", f"#### `{spec.name}`{unique}", "", spec.doc, "")
    data_class = "" if spec.data_class == "internal" else f" Data class: {spec.data_class}."
    yield f"Fits {', '.join(spec.fits)}.{data_class} Example: `generate: {spec.example}`"
    if spec.parameters:
        yield ""
        yield from table_lines(("parameter", "kind", "default", "meaning"), (_parameter_row(p, spec) for p in spec.parameters))


def _parameter_row(parameter: Parameter, spec: Generator) -> tuple[str, ...]:
    name = f"**`{parameter.name}`**" if parameter.name == spec.main else f"`{parameter.name}`"
    return name, parameter.kind, _default(parameter), parameter.doc


def _default(parameter: Parameter) -> str:
    if parameter.required:
        return "needed"
    if parameter.default is None:
        return ""
    if parameter.kind in ("duration", "dwell", "span") and isinstance(parameter.default, int):
        return f"`{format_duration(parameter.default)}`"
    return f'`"{parameter.default}"`' if parameter.default == "" else f"`{parameter.default}`"


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), "utf-8")
