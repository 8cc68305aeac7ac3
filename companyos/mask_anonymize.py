"""`companyos mask anonymize`: a file in which nobody can be told from fewer than k."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from companyos.options import ColumnsType, json_option
from companyos.output import print_json, print_table

if TYPE_CHECKING:
    from masking.anonymity import Model, Summary

_WEIGHT = "a number above 0, as in zip=2"


def _pairs(ctx: click.Context, param: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or not name or not value:
            raise click.BadParameter(f"'{text}' is not of the form {param.metavar}", ctx, param)
        if name in found:
            raise click.BadParameter(f"'{name}' is given twice", ctx, param)
        found[name] = value
    return found


def _weights(ctx: click.Context, param: click.Parameter, given: str | None) -> dict[str, float]:
    pairs = _pairs(ctx, param, tuple(given.split(",")) if given else ())
    try:
        return {name: float(value) for name, value in pairs.items()}
    except ValueError:
        raise click.BadParameter(f"a weight must be {_WEIGHT}", ctx, param) from None


@click.command()
@click.argument("source", metavar="FILE", type=click.Path(exists=True, dir_okay=False))
@click.option("--quasi-identifiers", metavar="A,B,...", type=ColumnsType(), required=True, help="Columns by which people may be found.")
@click.option("--k", metavar="N", type=int, help="Every class has at least N rows.")
@click.option("--l", "l", metavar="X", type=float, help="Every class has at least X different values of each sensitive column.")
@click.option(
    "--l-kind",
    type=click.Choice(["distinct", "entropy", "recursive"]),
    default="distinct",
    show_default=True,
    help="How they are counted; recursive needs --c.",
)
@click.option("--c", "c", metavar="X", type=float, help="The c of recursive (c, l)-diversity.")
@click.option("--t", "t", metavar="X", type=float, help="Sensitive values are distributed in every class as in all rows, but for X.")
@click.option(
    "--t-kind",
    type=click.Choice(["equal", "ordered"]),
    default="equal",
    show_default=True,
    help="Whether all values are equally far apart, or ordered ones less where they are near.",
)
@click.option("--sensitive", metavar="C,...", type=ColumnsType(), default=(), help="Columns with what nobody should learn of a person.")
@click.option(
    "--hierarchies",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False),
    help="The folder of hierarchies: files NAME_hierarchy_COLUMN.csv or COLUMN.csv, with lines leaf;level 1;...;*.",
)
@click.option(
    "--hierarchy",
    "functions",
    metavar="COLUMN=KIND",
    multiple=True,
    callback=_pairs,
    help="A hierarchy by a function: interval:5,10,20; date; prefix:3,2; network:24,16. May be given more than once.",
)
@click.option(
    "--notation",
    type=click.Choice(["labels", "sets", "typed"]),
    default="labels",
    show_default=True,
    help="What is written: labels; sets {a,b} and [20,29]; or numbers: the middle, the least and the greatest.",
)
@click.option("--suppression", metavar="SHARE", type=float, default=0.0, show_default=True, help="The share of rows that may become *.")
@click.option(
    "--recoding",
    type=click.Choice(["local", "global"]),
    default="local",
    show_default=True,
    help="Each class as little generalised as it needs to be, or one level for each column.",
)
@click.option("--weights", metavar="A=X,B=Y", callback=_weights, help="How much a loss in a column counts.  [default: 1]")
@click.option(
    "--sort-rows",
    is_flag=True,
    help="Sort rows by what is written of them, so that their places do not tell whose they are.",
)
@click.option(
    "-o",
    "--output",
    "target",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    required=True,
    help="Where the anonymised file is written.",
)
@json_option
def anonymize(
    source: str, target: str, as_json: bool, functions: dict[str, str], hierarchies: str | None, sort_rows: bool, **asked: Any
) -> None:
    """Anonymise a CSV or Parquet FILE, so that nobody can be told from fewer than k by the quasi-identifiers together.

    Rows stay where they are: sort them in a file that you hand out. Columns that are not quasi-identifiers stay as they are, so leave
    out what names people directly. The finished file is checked before it is put in its place.
    """
    from companyos.files import require_another
    from masking.anonymity import anonymize_file

    require_another(target, source)
    summary = anonymize_file(source, target, _specification(**asked), hierarchies=hierarchies, functions=functions, sort_rows=sort_rows)
    if as_json:
        print_json({"output": target, **summary.as_json()})
    else:
        _print(summary, target)


def _specification(
    quasi_identifiers: tuple[str, ...],
    weights: dict[str, float],
    suppression: float,
    recoding: Any,
    notation: Any,
    sensitive: tuple[str, ...],
    **asked: Any,
) -> Any:
    from masking.anonymity import QuasiIdentifier, Specification
    from schemas.errors import InputError, nearest

    for name in weights:
        if name not in quasi_identifiers:
            raise InputError(f"a weight is given for '{name}', which is no quasi-identifier{nearest(name, quasi_identifiers)}")
    columns = tuple(QuasiIdentifier(name, None, weights.get(name, 1.0)) for name in quasi_identifiers)
    return Specification(columns, _models(sensitive, **asked), recoding, notation, suppression, tuple(sensitive))


def _models(
    sensitive: tuple[str, ...],
    k: int | None,
    l: float | None,  # noqa: E741
    l_kind: str,
    c: float | None,
    t: float | None,
    t_kind: str,
) -> tuple[Model, ...]:
    from masking.anonymity import DistinctDiversity, EntropyDiversity, EqualCloseness, KAnonymity, OrderedCloseness, RecursiveDiversity

    if (l is not None or t is not None) and not sensitive:
        raise click.UsageError("--l and --t need --sensitive, the columns that they are about")
    if (l_kind == "recursive") != (c is not None) or (c is not None and l is None):
        raise click.UsageError("recursive diversity needs --l-kind recursive, --l and --c together")
    models: list[Model] = [] if k is None else [KAnonymity(k)]
    for column in sensitive:
        if l is not None and c is not None:
            models.append(RecursiveDiversity(l, column, c))
        elif l is not None:
            models.append(EntropyDiversity(l, column) if l_kind == "entropy" else DistinctDiversity(l, column))
        if t is not None:
            models.append(OrderedCloseness(t, column) if t_kind == "ordered" else EqualCloseness(t, column))
    if not models:
        raise click.UsageError("say what the file is to be: --k, or --l or --t with --sensitive")
    return tuple(models)


def _print(summary: Summary, target: str) -> None:
    rows = [
        ("rows", f"{summary.rows:,}"),
        ("suppressed", f"{summary.suppressed:,}"),
        ("classes", f"{summary.classes:,}"),
        ("smallest class", f"{summary.smallest:,}"),
        ("granularity", f"{summary.granularity:.4f}"),
        *((f"worst {name}", f"{value:g}") for name, value in summary.reached.items() if name != "k"),
        *((f"level of {name}", str(level)) for name, level in (summary.levels or {}).items()),
    ]
    print_table(("", target), rows, numbers=(1,))
    print()
    print_table(("column", "loss"), [(name, f"{loss:.4f}") for name, loss in summary.losses.items()], numbers=(1,))
