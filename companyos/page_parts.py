"""What all pages are made of: one HTML file that needs nothing else, neither a network nor a script, and text made safe for it.

The same contents make the same bytes. Whatever comes from data, names and comments included, is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from companyos.page_style import STYLE

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_INVISIBLE = {
    **{code: chr(0x2400 + code) for code in range(0x20)},
    0x0A: "⏎",
    0x09: "⇥",
    0x7F: "␡",
    **dict.fromkeys((*range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0xFFFE, 0xFFFF), "�"),
}


def document(title: str, contents: str, links: Iterable[tuple[str, str, str]], main: str, footer: str) -> str:
    """Return a page; `links` are (name, id of its place, what stands beside it), the first one leads home, `main` and `footer` HTML."""
    items = "".join(_link(name, place, beside, home=i == 0) for i, (name, place, beside) in enumerate(links))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>{safe(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<nav aria-label="{safe(contents)}"><ul>{items}</ul></nav>
<main id="main">
{main}
<footer>{footer}</footer>
</main>
</body>
</html>
"""


def cards(title: str, shown: Sequence[str], wide: bool = False) -> str:
    """Return a heading and the cards below it, or nothing where there are none."""
    look = "grid-of-cards wide" if wide else "grid-of-cards"
    return f'<h3 class="group">{title}</h3><div class="{look}">{"".join(shown)}</div>' if shown else ""


def fact_list(known: Iterable[tuple[str, str]]) -> str:
    """Return figures under their small names."""
    return f'<dl class="facts">{"".join(f"<div><dt>{safe(name)}</dt><dd>{safe(text)}</dd></div>" for name, text in known)}</dl>'


def safe(text: object) -> str:
    """Return `text` for HTML: markup is escaped, what cannot be seen or turns the line is made visible."""
    return escape(str(text).translate(_INVISIBLE), quote=True)


def data(text: object) -> str:
    """Return a name or a value, in its own direction of writing."""
    return f"<bdi>{safe(text)}</bdi>"


def share(part: int, whole: int) -> str:
    """Return a part in percent; what is not nothing is never 0 %, what is not all never 100 %."""
    if not whole:
        return "0 %"
    if 0 < part < whole:
        percent = min(max(100 * part / whole, 0.1), 99.9)
        return f"{'< ' if 1000 * part < whole else ''}{percent:.1f} %"
    return "100 %" if part else "0 %"


def bar(parts: Sequence[tuple[str, int]], whole: int) -> str:
    """Return a lying bar whose parts, (CSS class, count), are drawn over one another from the left; the text beside it says the same."""
    drawn = "".join(
        f'<rect class="{name}" width="{max(100 * count / whole, 0.8):.4g}" height="8"/>' for name, count in parts if count and whole
    )
    return f'<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">{drawn}</svg>'


def _link(name: str, place: str, beside: str, home: bool) -> str:
    look, text = (' class="home"', safe(name)) if home else ("", data(name))
    more = f'<span class="n">{safe(beside)}</span>' if beside else ""
    return f'<li><a{look} href="#{place}">{text}{more}</a></li>'
