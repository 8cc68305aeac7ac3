"""The figures of a risk report in words, for the terminal and for the page alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from companyos.page_tables import Figure
from masking.risk import Assessment, AttackerRisk, ColumnRisk, ColumnUtility, Diversity, TableRisk, Utility, binned

UNKNOWN = "–"

_Side = TypeVar("_Side", TableRisk, Utility, ColumnRisk, ColumnUtility, Diversity)
_ESTIMATORS = {
    "pitman": "Pitman's model",
    "zayatz": "Zayatz's model",
    "snb": "the slide negative binomial model",
}


def percent(share: float | None) -> str:
    """Return a share in percent; what is not nothing is never 0 %, what is not all never 100 %."""
    if share is None:
        return UNKNOWN
    if 0 < share < 0.0001:
        return "< 0.01 %"
    if 0.9999 < share < 1:
        return "> 99.99 %"
    return f"{100 * share:.2f}".rstrip("0").rstrip(".") + " %"


def fixed(figure: float | None, places: int = 4) -> str:
    """Return a figure with so many places, or a dash where it is not known."""
    return UNKNOWN if figure is None else f"{figure:.{places}f}"


def side_names(found: Assessment) -> Sequence[str]:
    """What the sides are called."""
    return ("this table",) if found.before is None else ("before", "after")


def risk_sides(found: Assessment) -> tuple[TableRisk, ...]:
    """The risks of the original, where it is known, and of the table."""
    return (found.after,) if found.before is None else (found.before, found.after)


def utility_sides(found: Assessment) -> tuple[Utility, ...]:
    """The utility of the original, where it is known, and of the table."""
    return (found.utility,) if found.original is None else (found.original, found.utility)


def risk_figures(found: Assessment) -> list[Figure]:
    """Return the sizes of a report's tables and classes, and how many records are unique."""
    sides = risk_sides(found)
    rows = [
        _figure("records", sides, lambda s: f"{s.records:,}"),
        _figure("suppressed records", sides, lambda s: _part(s.suppressed, s.records), "all * and left out of the risks"),
        _figure("equivalence classes", sides, lambda s: f"{s.classes:,}", "of records that look alike"),
        _figure("smallest class", sides, lambda s: UNKNOWN if s.smallest is None else f"{s.smallest:,}", "the k of k-anonymity"),
        _figure("unique records", sides, lambda s: _part(s.unique, s.records), "alone in their class"),
    ]
    estimates = [s.population for s in sides if s.population is not None]
    if estimates:
        models = " and ".join(dict.fromkeys(_ESTIMATORS[e.chosen] for e in estimates if e.uniques))
        name = f"unique among {estimates[0].population:,} people"
        rows.append(
            Figure(name, tuple(f"≈ {e.uniques:,.0f} ({percent(e.share)})" for e in estimates), f"estimated by {models}" if models else "")
        )
    return rows


def attacker_figures(found: Assessment) -> list[tuple[str, str, list[Figure]]]:
    """Return, for each kind of attacker, its name, what it knows, and its figures."""
    sides = risk_sides(found)

    def figures(of: Callable[[TableRisk], AttackerRisk]) -> list[Figure]:
        above = f"records with a risk above {percent(found.question.threshold)}"
        return [
            _share("highest risk", sides, lambda s: of(s).highest, percent),
            _share("average risk", sides, lambda s: of(s).average, percent),
            _share(above, sides, lambda s: of(s).at_risk, percent),
        ]

    people = "the table for want of another" if found.after.in_sample else "a table of their own"
    return [
        ("prosecutor", "looks for one person, who is known to be in the table", figures(lambda s: s.prosecutor)),
        ("journalist", f"looks for anybody of the population ({people})", figures(lambda s: s.journalist)),
        ("marketer", "looks for as many as can be found", [_share("average risk", sides, lambda s: s.marketer, percent)]),
    ]


def class_bins(sides: Sequence[Sequence[tuple[int, int]]]) -> list[tuple[int, int, list[int]]]:
    """Return (from, to, records of each side) by class size, over the same bins for all sides; a side is its (size, classes)."""
    found = [binned(side) for side in sides]
    longest = max(found, key=len)
    return [(low, high, [bins[i][3] if i < len(bins) else 0 for bins in found]) for i, (low, high, _, _) in enumerate(longest)]


def class_figures(bins: Sequence[tuple[int, int, Sequence[int]]]) -> list[list[str]]:
    """Return rows of how many records look like how many others, for each side."""
    return [[f"{low:,}" if low == high else f"{low:,} to {high:,}", *(f"{n:,}" for n in counts)] for low, high, counts in bins]


def diversity_figures(found: Assessment) -> list[tuple[str, list[Figure]]]:
    """Return, for each sensitive column, what the worst class reaches of each model."""
    rows = []
    for i, sensitive in enumerate(found.after.sensitive):
        sides = [side.sensitive[i] for side in risk_sides(found)]
        figures = [
            _figure("distinct l", sides, lambda d: UNKNOWN if d.distinct is None else f"{d.distinct:,}", "different values"),
            _figure("entropy l", sides, lambda d: fixed(d.entropy, 2), "e to the power of their entropy"),
            _figure("recursive c", sides, lambda d: fixed(d.recursive, 2), "for that l, c has to be above this"),
            _figure("t, equal distance", sides, lambda d: fixed(d.equal), "how far the values are from the table's"),
            _figure("t, ordered distance", sides, lambda d: fixed(d.ordered), "the same for numbers"),
        ]
        rows.append((sensitive.column, figures))
    return rows


def utility_figures(found: Assessment) -> list[Figure]:
    """Return what is left of the table as a whole."""
    sides = utility_sides(found)
    rows = [
        _share("granularity", sides, lambda s: s.granularity, fixed, "1: all values are as they were; 0: all are *"),
        _share("non-uniform entropy", sides, lambda s: s.entropy, fixed, "the same in bits: rare values tell more"),
        _share("non-uniform entropy by level", sides, lambda s: s.entropy_by_level, fixed, "as ARX has it for local recoding"),
        _figure("discernibility", sides, lambda s: f"{s.discernibility:,}", "sum of the squared class sizes"),
        _share("discernibility, 0 to 1", sides, lambda s: s.discernibility_quality, fixed, "1: that of the original"),
        _figure("average class size", sides, lambda s: f"{s.average_class_size:,.2f}", "records for each class"),
        _share("average class size, 0 to 1", sides, lambda s: s.class_size_quality, fixed, "1: that of the original"),
    ]
    if any(s.uncovered for s in sides):
        rows.append(_figure("wrong records", sides, lambda s: f"{s.uncovered or 0:,}", "a cell excludes the original's value"))
    return rows


def column_figures(found: Assessment) -> list[tuple[str, list[Figure]]]:
    """Return, for each quasi-identifier, what it tells apart and what is left of it."""
    rows = []
    for i, name in enumerate(found.question.quasi_identifiers):
        risks, kept = [s.columns[i] for s in risk_sides(found)], [s.columns[i] for s in utility_sides(found)]
        figures = [
            _figure("distinct", risks, lambda c: f"{c.distinct:,}"),
            _share("tells apart", risks, lambda c: c.separation, percent),
            _share("granularity", kept, lambda c: c.granularity, fixed),
            _share("entropy", kept, lambda c: c.entropy, fixed),
            _share("by level", kept, lambda c: c.entropy_by_level, fixed),
            _share("generalised", kept, lambda c: c.generalised, percent),
            _share("suppressed", kept, lambda c: c.suppressed, percent),
        ]
        rows.append((name, figures))
    return rows


def _figure(name: str, sides: Sequence[_Side], text: Callable[[_Side], str], about: str = "") -> Figure:
    return Figure(name, tuple(text(side) for side in sides), about)


def _share(
    name: str, sides: Sequence[_Side], share: Callable[[_Side], float | None], text: Callable[[float | None], str], about: str = ""
) -> Figure:
    shares = tuple(share(side) for side in sides)
    return Figure(name, tuple(text(s) for s in shares), about, shares)


def _part(part: int, whole: int) -> str:
    return f"{part:,} ({percent(part / whole)})" if part else "0"
