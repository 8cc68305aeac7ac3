"""`companyos mask risk`: how easily people are found again in a table, and how much of the original it still tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from companyos.options import ColumnsType, NumberRange, json_option
from companyos.output import print_json, print_table

if TYPE_CHECKING:
    from masking.risk import Assessment


@click.command()
@click.argument("file", metavar="FILE", type=click.Path())
@click.option("--quasi-identifiers", metavar="COLUMNS", type=ColumnsType(), required=True, help="By which someone may know a person.")
@click.option("--sensitive", metavar="COLUMNS", type=ColumnsType(), default=(), help="What nobody should learn of a person.")
@click.option("--against", "original", metavar="ORIGINAL", type=click.Path(), help="The table before: the same records in the same order.")
@click.option("--hierarchies", metavar="DIR", help="A folder with COLUMN.csv or NAME_hierarchy_COLUMN.csv: value;level 1;...;*")
@click.option(
    "--population", metavar="FILE", type=click.Path(), help="The people from whom the table was taken.  [default: the table itself]"
)
@click.option("--population-size", metavar="N", type=click.IntRange(min=1), help="How many they are; estimates how many are unique.")
@click.option("--threshold", metavar="X", type=NumberRange(0, 1), default=0.2, show_default=True, help="The risk a record may have.")
@click.option("--html", metavar="PAGE", type=click.Path(dir_okay=False), help="Write the report as an HTML page, too.")
@json_option
def risk(
    file: str, quasi_identifiers: tuple[str, ...], sensitive: tuple[str, ...], original: str | None, hierarchies: str | None,
    population: str | None, population_size: int | None, threshold: float, html: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Measure how safe and how useful FILE is, a table of people: CSV (commas or semicolons) or Parquet.

    Its cells may be values, labels of hierarchies, sets {a,b}, ranges [20,29] and *. The report has counts and shares, and none of
    the values.
    """
    from pathlib import Path

    from companyos.files import replace_file, require_another
    from companyos.risk_page import risk_page
    from masking.risk import Question, assess, read_hierarchies
    from masking.tabular import read_table

    require_another(html, file, original, population)
    wanted = list(dict.fromkeys([*quasi_identifiers, *sensitive]))
    table = read_table(file, wanted).table
    before = None if original is None else read_table(original, wanted).table
    people = None if population is None else read_table(population, quasi_identifiers).table
    known = {} if hierarchies is None else read_hierarchies(hierarchies, quasi_identifiers)
    question = Question(quasi_identifiers, sensitive, known, threshold, people, population or "", population_size)
    found = assess(table, question, before, file)
    if html is not None:
        replace_file(html, risk_page(found, Path(file).name, original and Path(original).name).encode())
    if as_json:
        print_json({"file": file, "original": original, **found.describe()})
        return
    _print(found)
    if html is not None:
        click.echo(f"\n{html}")


def _print(found: Assessment) -> None:
    from companyos.risk_figures import (
        attacker_figures,
        class_bins,
        class_figures,
        column_figures,
        diversity_figures,
        risk_figures,
        risk_sides,
        side_names,
        utility_figures,
    )

    names = side_names(found)
    numbers = range(1, len(names) + 1)
    attackers = [[f"{who}: {f.name}", *f.texts] for who, _, known in attacker_figures(found) for f in known]
    print_table(["risk", *names], [*([f.name, *f.texts] for f in risk_figures(found)), *attackers], numbers=numbers)
    click.echo()
    bins = class_bins([side.class_sizes for side in risk_sides(found)])
    print_table(["records alike", *(f"records {name}" for name in names)], class_figures(bins), numbers=range(len(names) + 1))
    for column, known in diversity_figures(found):
        click.echo()
        print_table([f"worst class in {column}", *names], [[f.name, *f.texts] for f in known], numbers=numbers)
    click.echo()
    print_table(["utility", *names], [[f.name, *f.texts] for f in utility_figures(found)], numbers=numbers)
    click.echo()
    columns = column_figures(found)
    headings = ["column", *(f.name for f in columns[0][1])]
    print_table(headings, [[name, *(f.texts[-1] for f in known)] for name, known in columns], numbers=range(1, len(headings)))
    if found.after.in_sample:
        click.echo("\nJournalist and marketer take the table for the whole population; --population FILE gives the true one.")
