"""`companyos dp suggest`: a `privacy:` section for a schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from companyos.options import json_option, reference_argument, store_option
from companyos.output import print_json

if TYPE_CHECKING:
    from schemas.model import Schema


@click.command()
@reference_argument
@click.option("--unit", metavar="TABLE.COLUMN", help="Whose privacy it is.  [default: the schema's, else a guess by the tables' names]")
@store_option
@json_option
def suggest(reference: str, unit: str | None, store: str | None, as_json: bool) -> None:
    """Propose a `privacy:` section for REF: a schema file, a built-in schema or a bundle.

    Bounds and lists of values are those that the schema declares: of generators, checks and types. No data is looked at, since bounds
    from private data would tell of it. What the schema says of privacy already is kept. Comments say what each bound follows from,
    and what is left open and why; read them before you paste the section into the schema file.
    """
    from dpsql.suggesting import section_text, suggest

    found = suggest(_schema(reference, store), unit)
    if not as_json:
        click.echo(section_text(found), nl=False)
        return
    print_json(
        {
            "unit": found.privacy.unit,
            "guessed": found.guessed,
            "section": section_text(found),
            "columns": {
                path: {
                    **({"bounds": said.bounds} if said.bounds else {"values": said.values}),
                    "from": found.reasons.get(path, "the schema"),
                }
                for path, said in found.privacy.columns.items()
            },
            "contributions": {**found.many, **found.privacy.contributions},
            "ways": found.ways,
            "unbounded": found.unbounded,
            "unclosed": found.unclosed,
            "unplaced": found.unplaced,
        }
    )


def _schema(reference: str, store: str | None) -> Schema:
    from pathlib import Path

    from schemas import read_schema
    from schemas.reader import builtin_names

    if reference in builtin_names() or reference.endswith((".yaml", ".yml")) or Path(reference).is_file():
        return read_schema(reference)
    import bundles

    return bundles.open(reference, store).schema
