"""The page of a risk report: what attackers reach, the sizes of the classes, and what is left of the original.

It holds counts and shares, and the names of files and columns, but none of the table's values.
"""

from __future__ import annotations

from collections.abc import Sequence

from companyos.page_parts import data, document, safe
from companyos.risk_figures import (
    Figure,
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
from companyos.risk_plots import class_plot, legend, share_bars
from masking.risk import Assessment

_NO_BREAK = "\u00a0"
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
{_verdict(found)}<div class="card">{_table(risk_figures(found), side_names(found))}</div>
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
    shown = [_card(safe(who), knows, _table(figures, names)) for who, knows, figures in attacker_figures(found)]
    return f'{legend(names)}<div class="grid-of-cards">{"".join(shown)}</div>'


def _classes(found: Assessment) -> str:
    names = side_names(found)
    plot = class_plot(class_bins(found), [s.records - s.suppressed for s in risk_sides(found)], names)
    rows = [Figure(size, tuple(counts)) for size, *counts in class_figures(found)]
    table = _table(rows, [f"records {name}" if len(names) > 1 else "records" for name in names], "records alike")
    return f'<div class="grid-of-cards wide">{_card("How many look alike", "", legend(names) + plot)}{_card("In figures", "", table)}</div>'


def _sensitive(found: Assessment) -> str:
    names = side_names(found)
    shown = [_card(data(column), "the worst class", _table(figures, names)) for column, figures in diversity_figures(found)]
    return f'<div class="grid-of-cards wide">{"".join(shown)}</div>'


def _utility(found: Assessment) -> str:
    names = side_names(found)
    return f'{legend(names)}<div class="card">{_table(utility_figures(found), names)}</div>'


def _columns(found: Assessment) -> str:
    names = side_names(found)
    shown = [_card(data(column), "", _table(figures, names)) for column, figures in column_figures(found)]
    return f'{legend(names)}<div class="grid-of-cards">{"".join(shown)}</div>'


def _card(title: str, about: str, html: str) -> str:
    told = f'<p class="about">{safe(about)}</p>' if about else ""
    return f'<article class="card"><h4>{title}</h4>{told}{html}</article>\n'


def _table(figures: Sequence[Figure], names: Sequence[str], first: str = "") -> str:
    """A table of figures with a column for each side, and one of bars where there are shares to draw."""
    drawn = any(f.shares for f in figures)
    head = "".join(f'<th scope="col" class="n">{safe(name)}</th>' for name in names)
    empty = f'<th scope="col">{safe(first)}</th>' if first else "<td></td>"
    rows = []
    for f in figures:
        about = f'<br><span class="note">{safe(f.about)}</span>' if f.about else ""
        bars = f'<td class="b">{share_bars(f.shares) if f.shares else ""}</td>' if drawn else ""
        texts = "".join(f'<td class="n">{safe(text.replace(" %", _NO_BREAK + "%"))}</td>' for text in f.texts)
        rows.append(f'<tr><th scope="row">{safe(f.name)}{about}</th>{bars}{texts}</tr>')
    return f'<table class="sides"><thead><tr>{empty}{"<td></td>" if drawn else ""}{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
