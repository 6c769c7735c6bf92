"""Writes a PDF of headings, paragraphs and bullets, with files attached; the fonts are those that every reader has.

Those fonts know the characters of Windows-1252 and no others: a `?` stands for what they lack. So that nothing is lost,
the source of a paper can be attached to it. (fpdf2 would bring 55 MB and 0.6 s of imports for the same fonts.)
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

WIDTH, HEIGHT, MARGIN = 595, 842, 56
"""A4, in points."""
REGULAR, BOLD = "F1", "F2"
LEADING = 1.35
WIDTHS = {
    191: "'",
    222: "ijl",
    260: "|",
    278: " !,./:;I[\\]ft",
    333: "()-`r",
    334: "{}",
    355: '"',
    389: "*",
    469: "^",
    500: "Jcksvxyz",
    584: "+<=>~",
    611: "FTZ",
    667: "&ABEKPSVXY",
    722: "CDHNRUw",
    778: "GOQ",
    833: "Mm",
    889: "%",
    944: "W",
    1015: "@",
}
"""The characters of Helvetica by their widths in thousandths of the size; most others are `USUAL`."""
USUAL = 556
_WIDE = {character: width for width, characters in WIDTHS.items() for character in characters}
BOLDER = 1.08
"""How much wider the bold letters are, at most."""


@dataclass(frozen=True)
class Style:
    """How a piece of text is set."""

    font: str = REGULAR
    size: float = 10
    indent: float = 0
    before: float = 2


class Paper:
    """A document that grows from the top. `finish` once."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._pages: list[list[str]] = []
        self._files: list[tuple[str, bytes]] = []
        self._y = 0.0

    def heading(self, text: str, level: int = 1) -> None:
        """A heading; 0 is the title's."""
        self._set(text, Style(BOLD, (18, 14, 12, 11)[min(level, 3)], before=(0, 12, 8, 6)[min(level, 3)]))

    def paragraph(self, text: str, indent: float = 0) -> None:
        """Text, broken into lines where it must be and where it says."""
        self._set(text, Style(indent=indent))

    def entry(self, label: str, text: str, indent: float = 0) -> None:
        """A label, and what it says below."""
        self._set(label, Style(BOLD, 9, indent, 5))
        self._set(text, Style(indent=indent))

    def bullet(self, text: str, indent: float = 0) -> None:
        """An element of a list."""
        self._set(f"\u2022 {text}", Style(indent=indent))

    def attach(self, name: str, content: bytes) -> None:
        """Put a file into the document."""
        self._files.append((name, content))

    def finish(self) -> bytes:
        """The file."""
        return _Writer(self._title, self._pages or [[]], self._files).write()

    def _set(self, text: str, style: Style) -> None:
        self._y -= style.before
        for line in _lines(text, style, WIDTH - 2 * MARGIN - style.indent):
            if not self._pages or self._y < MARGIN + style.size:
                self._pages.append([])
                self._y = HEIGHT - MARGIN
            self._y -= style.size * LEADING
            place = f"1 0 0 1 {MARGIN + style.indent:.1f} {self._y:.1f} Tm"
            self._pages[-1].append(f"/{style.font} {style.size:g} Tf {place} {_string(line)} Tj")


def _width(text: str, style: Style) -> float:
    wide = sum(_WIDE.get(character, USUAL) for character in text)
    return wide * style.size / 1000 * (BOLDER if style.font == BOLD else 1)


def _lines(text: str, style: Style, room: float) -> Iterator[str]:
    """Words in lines; a word that is longer than a line is broken."""
    for part in text.splitlines() or [""]:
        line = ""
        for word in part.split(" "):
            longer = f"{line} {word}" if line else word
            if _width(longer, style) <= room:
                line = longer
                continue
            if line:
                yield line
            *full, line = _broken(word, style, room)
            yield from full
        yield line


def _broken(word: str, style: Style, room: float) -> Iterator[str]:
    """Pieces of a word that each fit into a line."""
    begin, wide = 0, 0.0
    for place, character in enumerate(word):
        wide += _width(character, style)
        if wide > room and place > begin:
            yield word[begin:place]
            begin, wide = place, _width(character, style)
    yield word[begin:]


def _string(text: str) -> str:
    """A string as PDF has it: Windows-1252, in hexadecimal, so that nothing need be escaped."""
    return f"<{text.encode('cp1252', 'replace').hex()}>"


def _unicode(text: str) -> str:
    return f"<feff{text.encode('utf-16-be').hex()}>"


class _Writer:
    """Numbers the objects of a file and writes them with the table of where each begins."""

    def __init__(self, title: str, pages: list[list[str]], files: list[tuple[str, bytes]]) -> None:
        self._objects: list[bytes] = []
        self._title = title
        self._pages = pages
        self._files = files

    def write(self) -> bytes:
        catalog, pages = self._add(b""), self._add(b"")
        fonts = " ".join(
            f"/{name} {self._add(_font(base))} 0 R" for name, base in ((REGULAR, "Helvetica"), (BOLD, "Helvetica-Bold"))
        )
        kids = [self._page(pages, fonts, lines) for lines in self._pages]
        listed = " ".join(f"{kid} 0 R" for kid in kids)
        self._objects[pages - 1] = f"<< /Type /Pages /Kids [{listed}] /Count {len(kids)} >>".encode()
        names = f" /Names << /EmbeddedFiles << /Names [{self._attached()}] >> >>" if self._files else ""
        self._objects[catalog - 1] = f"<< /Type /Catalog /Pages {pages} 0 R{names} >>".encode()
        information = self._add(f"<< /Title {_unicode(self._title)} /Producer (Sagelet) >>".encode())
        return self._joined(catalog, information)

    def _add(self, content: bytes) -> int:
        self._objects.append(content)
        return len(self._objects)

    def _stream(self, content: bytes, more: str = "") -> int:
        packed = zlib.compress(content)
        head = f"<< /Length {len(packed)} /Filter /FlateDecode{more} >>\nstream\n"
        return self._add(head.encode() + packed + b"\nendstream")

    def _page(self, pages: int, fonts: str, lines: list[str]) -> int:
        content = self._stream("\n".join(["BT", *lines, "ET"]).encode())
        box = f"/MediaBox [0 0 {WIDTH} {HEIGHT}] /Resources << /Font << {fonts} >> >>"
        return self._add(f"<< /Type /Page /Parent {pages} 0 R {box} /Contents {content} 0 R >>".encode())

    def _attached(self) -> str:
        found = []
        for name, content in sorted(self._files):
            held = self._stream(content, f" /Type /EmbeddedFile /Params << /Size {len(content)} >>")
            word = _unicode(name)
            spec = self._add(f"<< /Type /Filespec /F {word} /UF {word} /EF << /F {held} 0 R >> >>".encode())
            found.append(f"{word} {spec} 0 R")
        return " ".join(found)

    def _joined(self, catalog: int, information: int) -> bytes:
        written = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
        places = []
        for number, content in enumerate(self._objects, 1):
            places.append(len(written))
            written += f"{number} 0 obj\n".encode() + content + b"\nendobj\n"
        start = len(written)
        table = "".join(f"{place:010d} 00000 n \n" for place in places)
        written += f"xref\n0 {len(places) + 1}\n0000000000 65535 f \n{table}".encode()
        size = f"<< /Size {len(places) + 1} /Root {catalog} 0 R /Info {information} 0 R >>"
        return bytes(written + f"trailer\n{size}\nstartxref\n{start}\n%%EOF\n".encode())


def _font(base: str) -> bytes:
    return f"<< /Type /Font /Subtype /Type1 /BaseFont /{base} /Encoding /WinAnsiEncoding >>".encode()
