"""The plots of a profile's page, as inline SVG with titles."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bundles.profiled import Bin, Spread
from companyos.page_parts import safe
from schemas.plurals import counted

_WIDTH, _TOP, _BASE, _HEIGHT = 320.0, 16.0, 84.0, 100.0
_LEAST = 1.5
_WIDEST = 32.0
_LABEL_ROOM = 44
_CENTRED, _LETTER = 24.0, 6.5
_PLAIN_ZEROS = re.compile(r"\.0+$")


def histogram(spread: Spread, about: str, what: str) -> str:
    """Return the plot of a spread; `about` names it, `what` is one of what is counted (such as `value` or `row of users`)."""
    bins = spread.bins
    highest = max(bins, key=lambda b: b.rows)
    title = (
        f"{about}: {_number(sum(b.rows for b in bins), what)} from {spread.low.text} to {spread.high.text}; "
        f"the highest bar is {highest.label}, with {highest.rows:,}"
    )
    width = _WIDTH / len(bins)
    single = _single(bins)
    bars = "".join(_bar(b, i * width, width, highest.rows, what, single) for i, b in enumerate(bins))
    return (
        f'<svg class="plot" viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" role="img"><title>{safe(title)}</title>'
        f'<path class="grid" d="M0 {_TOP:g}H{_WIDTH:g}"/><text class="most" x="0" y="{_TOP - 5:g}">{highest.rows:,}</text>'
        f'{bars}<path class="axis" d="M0 {_BASE:g}H{_WIDTH:g}"/>{_labels(bins)}</svg>'
    )


def _number(count: int, what: str) -> str:
    one, of, whose = what.partition(" of ")
    return counted(count, what, f"{one}s{of}{whose}")


def _single(bins: Sequence[Bin]) -> bool:
    """Whether each bar stands for one value."""
    return all(b.tail or b.label == b.start.text for b in bins)


def _bar(b: Bin, x: float, width: float, highest: int, what: str, single: bool) -> str:
    height = max((_BASE - _TOP) * b.rows / highest, _LEAST) if b.rows else 0.0
    gap = max(1.0, width - _WIDEST) if single else 1.0
    look = ' class="tail"' if b.tail else ""
    return (
        f"<g><title>{safe(b.label)}: {safe(_number(b.rows, what))}</title>"
        f'<rect class="hit" x="{x:.5g}" y="{_TOP:g}" width="{width:.5g}" height="{_BASE - _TOP:g}"/>'
        f'<rect{look} x="{x + gap / 2:.5g}" y="{_BASE - height:.5g}" width="{width - gap:.5g}" height="{height:.5g}"/></g>'
    )


def _labels(bins: Sequence[Bin]) -> str:
    """Where the first bar begins, where the last ends, and a place between them where there is room."""
    single, width = _single(bins), _WIDTH / len(bins)
    first = f"< {_short(bins[0].end.text)}" if bins[0].tail else _short(bins[0].start.text)
    last = f"≥ {_short(bins[-1].start.text)}" if bins[-1].tail else _short((bins[-1].start if single else bins[-1].end).text)
    middle = len(bins) // 2
    between = _short(bins[middle].start.text)
    room = len(bins) > 2 and not bins[middle].tail and len(first) + len(last) + len(between) < _LABEL_ROOM
    if single and width > max(_CENTRED, _LETTER * len(first), _LETTER * len(last)):
        placed = [_label(width / 2, "middle", first), _label(_WIDTH - width / 2, "middle", last)]
    else:
        placed = [_label(0, "start", first), _label(_WIDTH, "end", last)]
    if room:
        placed.insert(1, _label(width * (middle + (0.5 if single else 0)), "middle", between))
    return "".join(placed)


def _label(x: float, anchor: str, text: str) -> str:
    return f'<text x="{x:.5g}" y="{_HEIGHT - 3:g}" text-anchor="{anchor}">{safe(text)}</text>'


def _short(text: str) -> str:
    return _PLAIN_ZEROS.sub("", text)
