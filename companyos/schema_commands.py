"""`companyos schema`: check, show and reflect schemas, and profile what bundles hold of them."""

from __future__ import annotations

import sys

import click

from companyos.options import SchemaType, json_option, reference_argument, schema_argument, store_option
from companyos.output import print_json, print_table, progress
from schemas.plurals import counted


@click.group()
def schema() -> None:
    """Check schemas; make one from a live database; profile bundles."""


@schema.command()
@click.argument("file", metavar="FILE", type=SchemaType())
@json_option
def check(file: str, as_json: bool) -> int:
    """Check a schema FILE (or built-in schema) and say everything that is wrong in it."""
    import datagen
    from schemas import read_schema
    from schemas.errors import Problem, SchemaError
    from schemas.lives import lives_of, spoken

    warnings: list[Problem] = []
    try:
        found = read_schema(file, warnings=warnings)
        source = datagen.source(found)
    except SchemaError as error:
        told = datagen.in_full(error)
        if not as_json:
            raise told from None
        problems = [
            {"line": p.at.line if p.at else None, "column": p.at.column if p.at else None, "message": p.message} for p in told.problems
        ]
        print_json({"file": told.file, "ok": False, "problems": problems})
        return told.exit_code
    rows = {table.name: source.row_count(table.name) for table in found.tables}
    if as_json:
        lives = {table.name: lives_of(table) for table in found.tables}
        notes = [{"line": w.at.line if w.at else None, "message": w.message} for w in warnings]
        print_json({"file": file, "ok": True, "problems": [], "warnings": notes, "tables": rows,
                    "lives": {name: {"from": known.begins, "until": known.ends} for name, known in lives.items()}})  # fmt: skip
        return 0
    for warning in warnings:
        click.echo(f"warning: {warning.render(file)}", err=True)
    click.echo(f"{file}: sound; {counted(len(rows), 'table')}, {counted(sum(rows.values()), 'row')} at scale 1")
    for line in spoken(found):
        click.echo(line)
    return 0


@schema.command()
@schema_argument
@json_option
def show(schema: str, as_json: bool) -> None:
    """Print the YAML of a SCHEMA: a good start for one of your own."""
    from schemas.reader import schema_text

    text, file = schema_text(schema)
    if as_json:
        print_json({"file": file, "schema": text})
    else:
        click.echo(text, nl=False)


@schema.command()
@click.argument("schema", metavar="[SCHEMA]", type=SchemaType(), default="companyos")
@json_option
def scenarios(schema: str, as_json: bool) -> None:
    """List the scenarios that can be planted in the data of a SCHEMA (companyos, unless given): its own and the ready ones.

    Plant one with: companyos bundle build SCHEMA --scenario NAME[=SHARE]
    """
    from schemas import read_schema
    from schemas.ready_scenarios import known_scenarios, scenario_named

    found = read_schema(schema)
    listed = [scenario_named(found, name) for name in known_scenarios(found)]
    if as_json:
        print_json(
            [
                {
                    "name": s.name,
                    "subjects": s.subjects,
                    "share": s.share,
                    "near_miss": s.near_miss,
                    "comment": s.comment,
                    "tables": list(dict.fromkeys(c.table for c in s.all_changes())),
                }
                for s in listed
            ]
        )
    elif not listed:
        click.echo(f"{schema} has no scenarios, and there are no ready ones for schemas named '{found.name}'")
    else:
        rows = [[s.name, s.subjects, f"{s.share:g}" if s.share is not None else "", f"{s.near_miss:g}", s.comment or ""] for s in listed]
        print_table(["scenario", "subjects", "share", "near misses", "what it plants"], rows, numbers=(2, 3))


@schema.command()
@click.argument("url")
@click.option("-o", "--output", metavar="FILE", type=click.Path(dir_okay=False), help="Write to FILE instead of standard output.")
@click.option("--replace", "overwrite", is_flag=True, help="Write it even where there is such a file, and lose what was changed in it.")
@json_option
def reflect(url: str, output: str | None, overwrite: bool, as_json: bool) -> None:
    """Make a schema from the database at URL: its structure and row counts, none of its values.

    URL is what SQLAlchemy takes, such as sqlite:///shop.db or postgresql://user@host/database. What the schema language
    cannot say, and constraints that no generated rows can keep, are left out, with a comment at their place. The file builds as it is,
    unless generators break one of the checks of which comments say that nothing is proposed for them.
    """
    from companyos.files import replace_file, require_absent, require_another
    from companyos.plannable import plannable
    from schemas.reflect import reflect as reflected
    from schemas.writer import to_yaml

    require_another(output, url)
    if not overwrite:
        require_absent(output, "give another file, or `--replace` to write it anew")
    found = plannable(reflected(url))
    text = to_yaml(found.schema, found.notes)
    if output is not None:
        replace_file(output, text.encode())
    notes = sum(map(len, found.notes.values()))
    if as_json:
        said = {"tables": {t.name: t.rows.count for t in found.schema.tables}, "notes": notes, "output": output}
        print_json(said if output is not None else {**said, "schema": text})
    elif output is None:
        sys.stdout.write(text)
    else:
        click.echo(
            f"{output}: {counted(len(found.schema.tables), 'table')}, {counted(notes, 'note')}; "
            f"build it with: companyos bundle build {output}"
        )


@schema.command()
@reference_argument
@click.option(
    "-o", "--output", metavar="FILE", type=click.Path(dir_okay=False), help="The page to write.  [default: NAME-VERSION.html here]"
)
@store_option
@json_option
def profile(reference: str, output: str | None, store: str | None, as_json: bool) -> None:
    """Draw what bundle REF holds, as one HTML page: columns, relations and states, in plots and figures.

    With --json, print the figures, and write the page only where -o asks for it. Values of personal and sensitive columns are
    shown for synthetic bundles alone. Figures are exact in tables of up to ten million rows; in larger ones distinct values are
    estimated, and there is no median.
    """
    import bundles
    from companyos.files import replace_file, require_writable
    from companyos.profile_page import page

    opened = bundles.open(reference, store)
    target = output if output is not None or as_json else page_name(opened.reference)
    if target is not None:
        require_writable(target)
    with progress(quiet=as_json) as tell:
        found = bundles.profile(opened, tell)
    if target is not None:
        replace_file(target, page(found).encode())
    if as_json:
        print_json(found.describe())
    else:
        click.echo(target)


def page_name(reference: str) -> str:
    """Return the file for the page of a bundle: its name and version, or the first digits of its digest."""
    name, _, version = reference.replace("@sha256:", ":").partition(":")
    return f"{name.replace('/', '-')}-{version[:12] if '@' in reference else version}.html"
