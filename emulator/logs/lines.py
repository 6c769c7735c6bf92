"""One line of a stream file, `"{epoch_ms} {text}\\n"`, to a LogLine and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from emulator.ports import LogLine

TAB_AS_SHOWN = "#011"
"""What CloudWatch shows in place of a TAB of a job's output; clients' regular expressions rely on it."""


def parse(raw: bytes, fallback: int = 0) -> LogLine:
    """The line in `raw` (its newline may be missing); a line without a stamp gets `fallback` as its time."""
    text = raw.rstrip(b"\n").decode("utf-8", "replace")
    stamp, _, message = text.partition(" ")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 18):
        return LogLine(fallback, text.replace("\t", TAB_AS_SHOWN))
    return LogLine(int(stamp), message.replace("\t", TAB_AS_SHOWN))


def format_lines(lines: Iterable[LogLine]) -> bytes:
    """The bytes that `lines` are in a file; a message of several lines becomes several lines."""
    parts: Iterator[str] = (
        f"{line.timestamp} {text}\n" for line in lines for text in (line.message.split("\n") if line.message else [""])
    )
    return "".join(parts).encode("utf-8", "replace")
