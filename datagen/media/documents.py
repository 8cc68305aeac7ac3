"""Documents: a letterhead, a title, and lines of text or of a label and its value."""

from __future__ import annotations

from datagen.media.pdf import HEIGHT, WIDTH, Page, width_of, wrapped, written
from datagen.media.shapes import Bits, Colour

_MARGIN = 56
_BOTTOM = HEIGHT - 72
_SIZE = 11
_LEADING = 19
_COLOURS: tuple[Colour, ...] = ((31, 78, 121), (46, 125, 50), (106, 27, 154), (0, 105, 120), (55, 71, 79), (173, 20, 87))
_INNER = WIDTH - 2 * _MARGIN


def as_pdf(draw: int, texts: tuple[str, ...]) -> bytes:
    """Return a PDF; `texts` are the letterhead, the title and the lines. A line with ` | ` has its last part at the right margin."""
    letterhead, title, *lines = texts
    colour = _COLOURS[Bits(draw).below(len(_COLOURS))]
    pages = [_begun(colour)]
    pages[0].text(_MARGIN, 70, 12, letterhead, bold=True, grey=35)
    y = 128
    for part in wrapped(title, 24, _INNER, bold=True):
        pages[0].text(_MARGIN, y, 24, part, bold=True, grey=10)
        y += 30
    y += 14
    for line in lines:
        label, bar, value = line.rpartition(" | ")
        rows = _rows(label.strip(), value.strip()) if bar else [(part, "") for part in wrapped(line, _SIZE, _INNER)] or [("", "")]
        for left, right in rows:
            if y > _BOTTOM:
                pages.append(_begun(colour))
                y = 90
            if left:
                pages[-1].text(_MARGIN, y, _SIZE, left, grey=25)
            if right:
                pages[-1].text(WIDTH - _MARGIN - width_of(right, _SIZE, bold=True), y, _SIZE, right, bold=True)
            y += _LEADING
        if bar:
            pages[-1].bar(_MARGIN, y - _LEADING + 5, _INNER, 1, (225, 225, 225))
    for number, page in enumerate(pages, 1):
        page.text(_MARGIN, HEIGHT - 40, 8, f"{letterhead}   {number} / {len(pages)}", grey=55)
    return written(pages)


def _begun(colour: Colour) -> Page:
    page = Page()
    page.bar(0, 0, WIDTH, 14, colour)
    return page


def _rows(label: str, value: str) -> list[tuple[str, str]]:
    """A label and its value on one row, or one below the other where they are too long for it."""
    if width_of(label, _SIZE) + width_of(value, _SIZE, bold=True) + 12 <= _INNER:
        return [(label, value)]
    values = wrapped(value, _SIZE, _INNER * 9 // 10, bold=True)
    return [*((part, "") for part in wrapped(label, _SIZE, _INNER)), *(("", part) for part in values)]
