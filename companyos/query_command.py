"""`companyos query`: one differentially private answer."""

from __future__ import annotations

import csv
import io
import sys
from typing import TYPE_CHECKING

import click

from companyos.options import json_option, store_option
from companyos.output import print_json, print_table
from companyos.private_data import DialectName, open_private
from companyos.private_target import anchor_option, ledger_option, schema_option, synthetic_option, target_argument

if TYPE_CHECKING:
    from dpsql.answers import Answer


@click.command()
@target_argument
@click.argument("sql", metavar="SQL")
@click.option("--epsilon", type=float, metavar="E", help="What the query may spend.  [default: a tenth of the budget]")
@click.option("--delta", type=float, metavar="D", help="The delta it may spend.  [default: a hundredth of the budget's]")
@click.option("--rel-error", metavar="X%", help="Spend the least that should bring the 95 % error below this share of the value.")
@click.option("--max-groups", type=click.IntRange(min=1), metavar="N", help="In how many groups one unit of privacy counts at most.")
@click.option("--min-units", type=click.IntRange(min=1), metavar="N", help="Leave out groups with fewer units than this.")
@click.option("--analyst", metavar="NAME", help="Whose budget pays.  [default: your user name]")
@click.option("--explain", is_flag=True, help="Show cost, expected errors, bounds and SQL; touch neither data nor budget.")
@click.option(
    "--dialect", type=click.Choice(["postgres", "duckdb"]), default="postgres", show_default=True, help="The SQL that is written."
)
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
@schema_option
@ledger_option
@anchor_option
@synthetic_option
@store_option
@json_option
def query(
    target: str,
    sql: str,
    epsilon: float | None,
    delta: float | None,
    rel_error: str | None,
    max_groups: int | None,
    min_units: int | None,
    analyst: str | None,
    explain: bool,
    dialect: DialectName,
    form: str,
    schema_file: str | None,
    ledger: str | None,
    anchor: str | None,
    synthetic: str | None,
    store: str | None,
    as_json: bool,
) -> None:
    """Answer SQL over TARGET, a bundle or a database, so that the answer tells of nobody.

    TARGET is a bundle's reference, postgresql://... or duckdb:///FILE. Each answer is charged to the privacy budget before the data is
    touched; what was answered before is free. In a table the 95 % error stands beside each noisy value.
    """
    form = "json" if as_json else form
    wanted = None if rel_error is None else share(rel_error)
    with open_private(
        target,
        analyst=analyst or None,
        schema=schema_file,
        ledger=ledger,
        anchor=anchor,
        store=store,
        synthetic=synthetic,
        dialect=dialect,
    ) as private:
        if explain:
            explanation = private.explain(sql, epsilon=epsilon, delta=delta, max_groups=max_groups, min_units=min_units)
        else:
            answer = private.ask(sql, epsilon=epsilon, delta=delta, rel_error=wanted, max_groups=max_groups, min_units=min_units)
    if explain:
        if form == "json":
            print_json(explanation.to_json())
        else:
            click.echo("\n".join(explanation.lines()))
    elif form == "json":
        print_json(answer.to_json())
    elif form == "csv":
        _write_csv(answer)
    else:
        show(answer)


def share(text: str) -> float:
    """The share that `2%` or `0.02` means."""
    try:
        return float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        raise click.BadParameter(f"'{text}' is no share; write it like 2% or 0.02", param_hint="--rel-error") from None


def _write_csv(answer: Answer) -> None:
    written = io.StringIO()
    out = csv.writer(written, lineterminator="\n")
    out.writerow(answer.table.column_names)
    out.writerows([["" if v is None else v for v in row] for row in answer.rows()])
    sys.stdout.write(written.getvalue())
    for note in answer.notes:
        click.echo(note, err=True)


def _plain(number: float, digits: int) -> str:
    """`number` with so many digits, and with all that stand before its point, since people compare them."""
    return f"{number:.0f}" if 10**digits <= abs(number) < 1e15 else f"{number:.{digits}g}"


def show(answer: Answer) -> None:
    """Print an answer as a table, the 95 % error beside each noisy value, and what it cost."""
    headings: list[str] = []
    columns: list[list[str]] = []
    numbers: list[int] = []
    for position, (name, column) in enumerate(zip(answer.table.column_names, answer.table.columns, strict=True)):
        values = column.to_pylist()
        if any(isinstance(v, int | float) and not isinstance(v, bool) for v in values) or str(column.type).startswith("decimal"):
            numbers.append(len(headings))
        headings.append(name)
        columns.append(["" if v is None else _plain(v, 6) if isinstance(v, float) else str(v) for v in values])
        if position in answer.errors:
            numbers.append(len(headings))
            headings.append("+- 95 %")
            columns.append(["?" if e is None else _plain(float(f"{e:.3g}"), 3) for e in answer.errors[position]])
    print_table(headings, list(zip(*columns, strict=True)), numbers=numbers)
    cost = f"epsilon {answer.spend.epsilon:.6g}" + (f", delta {answer.spend.delta:.3g}" if answer.spend.delta else "")
    click.echo(f"source {answer.source}; {'free' if answer.source != 'private' else cost}", err=True)
    for note in answer.notes:
        click.echo(note, err=True)
