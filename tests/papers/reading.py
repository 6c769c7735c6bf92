"""Reads what our PDFs hold, as a reader would find it: by the table at the end, object by object."""

from __future__ import annotations

import re
import zlib


def objects(file: bytes) -> dict[int, bytes]:
    """The objects by their numbers; each must begin where the table says."""
    assert file.startswith(b"%PDF-1.7") and file.endswith(b"%%EOF\n")
    start = int(re.findall(rb"startxref\n(\d+)\n", file)[-1])
    table = re.match(rb"xref\n0 (\d+)\n0000000000 65535 f \n((?:\d{10} 00000 n \n)*)trailer", file[start:])
    assert table is not None
    places = [int(line[:10]) for line in table[2].splitlines()]
    assert len(places) + 1 == int(table[1])
    found = {}
    for number, place in enumerate(places, 1):
        head = f"{number} 0 obj\n".encode()
        assert file[place:].startswith(head)
        found[number] = file[place + len(head) : file.index(b"\nendobj", place)]
    return found


def stream(content: bytes) -> bytes:
    """The unpacked stream of an object, whose length must be the one that it gives."""
    head, _, packed = content.partition(b"\nstream\n")
    length = re.search(rb"/Length (\d+)", head)
    assert length is not None and len(packed) - len(b"\nendstream") == int(length[1])
    return zlib.decompress(packed[: int(length[1])])


def pages(file: bytes) -> list[list[str]]:
    """The lines of text of every page."""
    held = objects(file)
    kids = re.search(rb"/Kids \[(.*?)\] /Count (\d+)", b"".join(held.values()))
    assert kids is not None
    numbers = [int(kid) for kid in re.findall(rb"(\d+) 0 R", kids[1])]
    assert len(numbers) == int(kids[2])
    found = []
    for number in numbers:
        contents = re.search(rb"/Contents (\d+) 0 R", held[number])
        assert contents is not None
        shown = re.findall(rb"<([0-9a-f]*)> Tj", stream(held[int(contents[1])]))
        found.append([bytes.fromhex(line.decode()).decode("cp1252") for line in shown])
    return found


def attachments(file: bytes) -> dict[str, bytes]:
    """The attached files by name."""
    held, found = objects(file), {}
    for content in held.values():
        spec = re.search(rb"/Type /Filespec /F <feff([0-9a-f]*)>.*?/EF << /F (\d+) 0 R", content)
        if spec:
            found[bytes.fromhex(spec[1].decode()).decode("utf-16-be")] = stream(held[int(spec[2])])
    return found
