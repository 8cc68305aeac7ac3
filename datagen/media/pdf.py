"""Pages of text as PDF 1.4: the fonts that every reader has, no compression, no dates.

Source: ISO 32000-1, "Document management - Portable document format"; Adobe, font metrics of Helvetica.
"""

from __future__ import annotations

from collections.abc import Sequence

from anyascii import anyascii

WIDTH, HEIGHT = 595, 842  # A4, in points
_WIDTHS = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, *[556] * 10, 278, 278, 584, 584, 584, 556,
    1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611,
    278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556,
    500, 722, 500, 500, 500, 334, 260, 334, 584,
)  # fmt: skip
_BOLD_WIDTHS = (
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, *[556] * 10, 333, 333, 584, 584, 584, 611,
    975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611,
    333, 278, 333, 584, 556, 333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611, 611, 611, 389, 556, 333, 611,
    556, 778, 556, 556, 500, 389, 280, 389, 584,
)  # fmt: skip


class Page:
    """One page; y is counted from its top."""

    def __init__(self) -> None:
        self._operators: list[bytes] = []

    def text(self, x: int, y: int, size: int, text: str, *, bold: bool = False, grey: int = 20) -> None:
        """Write `text` from `x` on; `grey` is a percentage of white."""
        font = b"F2" if bold else b"F1"
        place = f"{_decimal(grey * 10)} g BT /%b {size} Tf {x} {HEIGHT - y} Td (%b) Tj ET".encode()
        self._operators.append(place % (font, _escaped(text)))

    def bar(self, x: int, y: int, width: int, height: int, colour: tuple[int, int, int]) -> None:
        """Fill a rectangle, whose upper left corner is at (x, y)."""
        red, green, blue = (_decimal(part * 1000 // 255) for part in colour)
        self._operators.append(f"{red} {green} {blue} rg {x} {HEIGHT - y - height} {width} {height} re f".encode())

    def content(self) -> bytes:
        """Return the page's content stream."""
        return b"\n".join(self._operators)


def _decimal(thousandths: int) -> str:
    return f"{thousandths // 1000}.{thousandths % 1000:03}"


def width_of(text: str, size: int, *, bold: bool = False) -> int:
    """Return how wide a line is, in points, rounded up; of letters beyond ASCII about."""
    widths = _BOLD_WIDTHS if bold else _WIDTHS
    thousandths = sum(widths[ord(letter) - 32] if 32 <= ord(letter) < 127 else 556 for letter in anyascii(text))
    return -(-thousandths * size // 1000)


def wrapped(text: str, size: int, width: int, *, bold: bool = False) -> list[str]:
    """Return `text` in lines of at most `width` points, broken between words, and within those that are too long."""
    lines, line = [], ""
    for word in text.split():
        while len(word) > 1 and width_of(word, size, bold=bold) > width:
            cut = next(n for n in range(len(word) - 1, 0, -1) if n == 1 or width_of(word[:n], size, bold=bold) <= width)
            lines += [line, word[:cut]] if line else [word[:cut]]
            line, word = "", word[cut:]
        longer = f"{line} {word}" if line else word
        if width_of(longer, size, bold=bold) > width:
            lines += [line] if line else []
            line = word
        else:
            line = longer
    return [*lines, line] if line else lines


def _escaped(text: str) -> bytes:
    """Text in WinAnsi; what that has not is written in ASCII letters (`anyascii`)."""
    found = bytearray()
    for letter in text:
        try:
            encoded = letter.encode("cp1252")
        except UnicodeEncodeError:
            encoded = anyascii(letter).encode("ascii", "replace")
        for byte in encoded:
            if byte < 32 or byte > 126:
                found += b" " if byte < 32 or byte == 127 else f"\\{byte:03o}".encode()
            else:
                found += b"\\" * (byte in b"\\()") + bytes([byte])
    return bytes(found)


def written(pages: Sequence[Page]) -> bytes:
    """Return the pages as a PDF file."""
    fonts = [
        f"<< /Type /Font /Subtype /Type1 /BaseFont /{name} /Encoding /WinAnsiEncoding >>".encode()
        for name in ("Helvetica", "Helvetica-Bold")
    ]
    first = 5
    kids = " ".join(f"{first + 2 * i} 0 R" for i in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        *fonts,
    ]
    for i, page in enumerate(pages):
        resources = "<< /Font << /F1 3 0 R /F2 4 0 R >> >>"
        place = f"/Parent 2 0 R /MediaBox [0 0 {WIDTH} {HEIGHT}] /Resources {resources} /Contents {first + 2 * i + 1} 0 R"
        content = page.content()
        objects.append(f"<< /Type /Page {place} >>".encode())
        objects.append(b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content))
    file = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(file))
        file += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = len(file)
    file += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    file += b"".join(b"%010d 00000 n \n" % place for place in places)
    file += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)
    return bytes(file)
