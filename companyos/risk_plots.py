"""The plots of a risk report's page: class sizes and shares, of the original and of the table, side by side."""

from __future__ import annotations

from collections.abc import Sequence

from companyos.page_parts import safe
from companyos.page_tables import looks
from companyos.risk_figures import percent
from schemas.plurals import counted

_WIDTH, _LEFT, _RIGHT = 360.0, 38.0, 356.0
_TOP, _BASE, _HEIGHT = 24.0, 150.0, 186.0
_LETTER, _WIDEST, _LEAST = 6.2, 24.0, 1.0
_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0)


def class_plot(bins: Sequence[tuple[int, int, Sequence[int]]], records: Sequence[int], names: Sequence[str]) -> str:
    """Return the share of records by how many look alike: (from, to, records of each side) over `records` in all of each side."""
    shares = [[n / max(whole, 1) for n, whole in zip(counts, records, strict=True)] for _, _, counts in bins]
    highest = max((max(s) for s in shares), default=0.0)
    step = next(s for s in _STEPS if highest <= 4 * s or s == _STEPS[-1])
    top = step * max(1, -(-highest // step))
    width = (_RIGHT - _LEFT) / max(len(bins), 1)
    parts = [
        f'<svg class="plot broad" viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" role="img"><title>{safe(_title(bins, records, names))}</title>',
        f'<text x="0" y="{_TOP - 12:g}">share of records</text>',
    ]
    for tick in range(round(top / step) + 1):
        y = _BASE - (_BASE - _TOP) * tick * step / top
        parts.append(f'<path class="{"grid" if tick else "axis"}" d="M{_LEFT:g} {y:.5g}H{_RIGHT:g}"/>')
        parts.append(f'<text x="{_LEFT - 4:g}" y="{y + 3.5:.5g}" text-anchor="end">{100 * tick * step:g} %</text>')
    texts = [_short(low) for low, _, _ in bins]
    every = max(1, -int(-(max((len(t) for t in texts), default=1) * _LETTER + 3) // width))
    for i, (low, high, counts) in enumerate(bins):
        x = _LEFT + i * width
        parts.append(_group(x, width, low, high, counts, [s / top for s in shares[i]], names))
        if i % every == 0:
            parts.append(f'<text x="{x + width / 2:.5g}" y="{_BASE + 13:g}" text-anchor="middle">{texts[i]}</text>')
    middle = (_LEFT + _RIGHT) / 2
    parts.append(f'<text x="{middle:g}" y="{_HEIGHT - 6:g}" text-anchor="middle">records that look alike, this many or more</text></svg>')
    return "".join(parts)


def _group(x: float, width: float, low: int, high: int, counts: Sequence[int], heights: Sequence[float], names: Sequence[str]) -> str:
    size = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    told = ", ".join(f"{counted(n, 'record')} {name}" for n, name in zip(counts, names, strict=True))
    each = min(width - 2, _WIDEST) / len(counts)
    start = x + (width - each * len(counts)) / 2
    bars = ""
    for i, (height, look) in enumerate(zip(heights, looks(len(counts)), strict=True)):
        if height:
            tall = max((_BASE - _TOP) * height, _LEAST)
            bars += f'<rect{f" class={chr(34)}{look}{chr(34)}" if look else ""} x="{start + i * each:.5g}" y="{_BASE - tall:.5g}" '
            bars += f'width="{max(each - 0.5, 0.5):.5g}" height="{tall:.5g}"/>'
    hit = f'<rect class="hit" x="{x:.5g}" y="{_TOP:g}" width="{width:.5g}" height="{_BASE - _TOP:g}"/>'
    return f"<g><title>{size} alike: {safe(told)}</title>{hit}{bars}</g>"


def _title(bins: Sequence[tuple[int, int, Sequence[int]]], records: Sequence[int], names: Sequence[str]) -> str:
    alone = bins[0][2] if bins else [0] * len(names)
    told = "; ".join(f"{name}, {percent(n / max(whole, 1))} are unique" for name, n, whole in zip(names, alone, records, strict=True))
    return f"Share of records by the size of their equivalence class; {told}"


def _short(number: int) -> str:
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if number >= size:
            return f"{number / size:g}{letter}"
    return str(number)
