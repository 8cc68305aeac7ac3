"""The page of a risk report: what attackers reach, the sizes of the classes, and what is left of the original.

It holds counts and shares, and the names of files and columns, but none of the table's values.
"""

from __future__ import annotations

from companyos.page_parts import data, document, safe
from companyos.page_tables import Figure, card, figure_table, legend
from companyos.risk_figures import (
    attacker_figures,
    class_bins,
    class_figures,
    column_figures,
    diversity_figures,
    percent,
    risk_figures,
    risk_sides,
    side_names,
    utility_figures,
)
from companyos.risk_plots import class_plot
from masking.risk import Assessment

_FOOTER = """Risks after K. El Emam, utility after V. Iyengar, A. Gionis and T. Tassa, R. Bayardo and R. Agrawal, and K. LeFevre et al., as
ARX defines them. This page holds counts and shares, and none of the table's values. Hold the pointer over a bar to read it."""


def risk_page(found: Assessment, file: str, original: str | None) -> str:
    """Return the HTML of a report on `file`, with `original` before it was anonymised where that is known."""
    parts = [("Attackers", "attackers", _attackers(found)), ("Class sizes", "classes", _classes(found))]
    if found.question.sensitive:
        parts.append(("Sensitive columns", "sensitive", _sensitive(found)))
    parts += [("Utility", "utility", _utility(found)), ("Columns", "columns", _columns(found))]
    sections = "\n".join(f'<section id="{place}"><h2>{name}</h2>{html}</section>' for name, place, html in parts)
    links = [("Overview", "main", ""), *((name, place, "") for name, place, _ in parts)]
    return document(f"{file}: risk and utility", "Parts of the report", links, f"{_head(found, file, original)}\n{sections}", _FOOTER)


def _head(found: Assessment, file: str, original: str | None) -> str:
    against = "" if original is None else f" · before: {data(original)}"
    named = ", ".join(data(name) for name in found.question.quasi_identifiers)
    return f"""<header>
<h1>{data(file)}</h1>
<p class="lead">Risk and utility{against}</p>
<p class="about">quasi-identifiers: {named}</p>
{_verdict(found)}<div class="card">{figure_table(risk_figures(found), side_names(found))}</div>
</header>"""


def _verdict(found: Assessment) -> str:
    """Which records are easier to find than was asked for, in one sentence."""
    kept, share = found.after.records - found.after.suppressed, found.after.prosecutor.at_risk
    if not share:
        return ""
    return (
        f'<p class="notice">{round(share * kept):,} of {kept:,} records have a risk above {percent(found.question.threshold)}: '
        "they look like too few others.</p>"
    )


def _attackers(found: Assessment) -> str:
    names = side_names(found)
    shown = [card(safe(who), knows, figure_table(figures, names)) for who, knows, figures in attacker_figures(found)]
    return f'{legend(names)}<div class="grid-of-cards">{"".join(shown)}</div>'


def _classes(found: Assessment) -> str:
    names, sides = side_names(found), risk_sides(found)
    bins = class_bins([s.class_sizes for s in sides])
    plot = class_plot(bins, [s.records - s.suppressed for s in sides], names)
    rows = [Figure(size, tuple(counts)) for size, *counts in class_figures(bins)]
    table = figure_table(rows, [f"records {name}" if len(names) > 1 else "records" for name in names], "records alike")
    return f'<div class="grid-of-cards wide">{card("How many look alike", "", legend(names) + plot)}{card("In figures", "", table)}</div>'


def _sensitive(found: Assessment) -> str:
    names = side_names(found)
    shown = [card(data(column), "the worst class", figure_table(figures, names)) for column, figures in diversity_figures(found)]
    return f'<div class="grid-of-cards wide">{"".join(shown)}</div>'


def _utility(found: Assessment) -> str:
    names = side_names(found)
    return f'{legend(names)}<div class="card">{figure_table(utility_figures(found), names)}</div>'


def _columns(found: Assessment) -> str:
    names = side_names(found)
    shown = [card(data(column), "", figure_table(figures, names)) for column, figures in column_figures(found)]
    return f'{legend(names)}<div class="grid-of-cards">{"".join(shown)}</div>'
