"""Tables and cards of pages: figures of one side or of two, before and after, with bars where they are shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from companyos.page_parts import data, safe

_NO_BREAK = "\u00a0"


@dataclass(frozen=True)
class Figure:
    """A figure of each side of a report (the original, where it is known, then the table), and what it means.

    `shares` are the same from 0 to 1, where they can be drawn.
    """

    name: str
    texts: tuple[str, ...]
    about: str = ""
    shares: tuple[float | None, ...] = ()


def card(title: str, about: str, html: str) -> str:
    """Return a card; `title` and `html` are HTML, `about` is text."""
    told = f'<p class="about">{safe(about)}</p>' if about else ""
    return f'<article class="card"><h3>{title}</h3>{told}{html}</article>\n'


def figure_table(figures: Sequence[Figure], names: Sequence[str], first: str = "") -> str:
    """Return a table of figures with a column for each side, and one of bars where there are shares to draw."""
    drawn = any(f.shares for f in figures)
    head = "".join(f'<th scope="col" class="n">{safe(name)}</th>' for name in names)
    empty = f'<th scope="col">{safe(first)}</th>' if first else "<td></td>"
    rows = []
    for f in figures:
        about = f'<br><span class="note">{safe(f.about)}</span>' if f.about else ""
        bars = f'<td class="b">{share_bars(f.shares) if any(s is not None for s in f.shares) else ""}</td>' if drawn else ""
        texts = "".join(f'<td class="n">{_unbroken(text)}</td>' for text in f.texts)
        rows.append(f'<tr><th scope="row">{_unbroken(f.name)}{about}</th>{bars}{texts}</tr>')
    return f'<table class="sides"><thead><tr>{empty}{"<td></td>" if drawn else ""}{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'


def plain_table(headings: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int] = ()) -> str:
    """Return a table of texts; those of the columns in `numbers` are set to the right, and nothing is returned without rows.

    Where there is little room each row is a list of its cells under their headings.
    """
    if not rows:
        return ""
    looks = ["n" if i in numbers else "" for i in range(len(headings))]
    head = "".join(f'<th scope="col"{_look(look)}>{safe(heading)}</th>' for heading, look in zip(headings, looks, strict=True))
    body = "".join(
        f'<tr><th scope="row">{data(first)}</th>'
        + "".join(
            f'<td{_look(look)} data-name="{safe(heading)}">{data(cell) if cell else ""}</td>'
            for heading, cell, look in zip(headings[1:], others, looks[1:], strict=True)
        )
        + "</tr>"
        for first, *others in rows
    )
    return f'<div class="fit"><table class="sides rows"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _unbroken(text: str) -> str:
    return safe(text.replace(" %", _NO_BREAK + "%"))


def _look(look: str) -> str:
    return f' class="{look}"' if look else ""


def legend(names: Sequence[str]) -> str:
    """Return which colour is which side; nothing where there is one alone."""
    if len(names) < 2:
        return ""
    return '<p class="about">' + " ".join(
        f'<span class="key{" may" if look else ""}"></span> {safe(name)}' for name, look in zip(names, looks(len(names)), strict=True)
    ) + "</p>"  # fmt: skip


def share_bars(shares: Sequence[float | None]) -> str:
    """Return lying bars of shares from 0 to 1, one below the other; the text beside them says the same."""
    height = 8 * len(shares) + 2 * (len(shares) - 1)
    drawn = "".join(
        f'<rect class="{look or "all"}" y="{10 * i}" width="{max(100 * share, 0.8):.4g}" height="8"/>'
        for i, (share, look) in enumerate(zip(shares, looks(len(shares)), strict=True))
        if share
    )
    tall = " pair" if len(shares) > 1 else ""
    return f'<svg class="bar{tall}" viewBox="0 0 100 {height}" preserveAspectRatio="none" aria-hidden="true">{drawn}</svg>'


def looks(sides: int) -> tuple[str, ...]:
    """The CSS class of each side's bars: the original, where there is one, is pale."""
    return ("may", "") if sides == 2 else ("",)
