"""The follower's lines: none lost, none doubled, whatever the moment at which a server was killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.executors.docker_logs import LogWriter, split_entry

ENTRIES = [b"2026-01-31T12:00:00.%09dZ line %d\n" % (number, number // 3) for number in range(30)]
LINES = [b"1769860800000 line %d\n" % (number // 3) for number in range(30)]


def follow(folder: Path, entries: list[bytes], finish: bool = True) -> LogWriter:
    writer = LogWriter(folder / "log", folder / "cursor")
    writer.begin()
    for entry in entries:
        writer.feed(entry)
    if finish:
        writer.finish()
    return writer


def log(folder: Path) -> list[bytes]:
    return (folder / "log").read_bytes().splitlines(keepends=True)


@pytest.mark.parametrize(
    "entry, millis, text",
    [
        (b"2026-01-31T12:00:00.014322811Z hello\n", 1769860800014, b"hello\n"),
        (b"2026-01-31T12:00:00Z \n", 1769860800000, b"\n"),
        (b"2026-01-31T13:30:00.5+01:30 podman\n", 1769860800500, b"podman\n"),
    ],
)
def test_the_engine_s_own_timestamp_is_the_line_s(entry: bytes, millis: int, text: bytes) -> None:
    assert split_entry(entry) == (millis, text)


def test_a_follower_that_starts_again_writes_only_what_is_new(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"5 a line of the house, before the run\n")
    for seen in (0, 1, 7, 7, 30):
        follow(tmp_path, ENTRIES[:seen], finish=seen == 30)
    assert log(tmp_path) == [b"5 a line of the house, before the run\n", *LINES]


def test_killed_between_the_line_and_the_cursor(tmp_path: Path) -> None:
    follow(tmp_path, ENTRIES[:5], finish=False)
    cursor = (tmp_path / "cursor").read_bytes()
    follow(tmp_path, ENTRIES[:9], finish=False)
    (tmp_path / "cursor").write_bytes(cursor)
    follow(tmp_path, ENTRIES)
    assert log(tmp_path) == LINES


def test_killed_in_the_middle_of_a_line(tmp_path: Path) -> None:
    follow(tmp_path, ENTRIES[:5], finish=False)
    with (tmp_path / "log").open("ab") as torn:
        torn.write(LINES[5][:11])
    follow(tmp_path, ENTRIES)
    assert log(tmp_path) == LINES


def test_a_long_line_comes_in_pieces_and_the_last_line_may_lack_its_end(tmp_path: Path) -> None:
    stamp = b"2026-01-31T12:00:00Z "
    pieces = [stamp + b"a" * 16384, stamp + b"b" * 16384, stamp + b"c\n", stamp + b"last"]
    follow(tmp_path, pieces[:2], finish=False)
    assert log(tmp_path) == []
    writer = follow(tmp_path, pieces)
    assert log(tmp_path) == [b"1769860800000 " + b"a" * 16384 + b"b" * 16384 + b"c\n", b"1769860800000 last\n"]
    assert writer.last_line == b"last"


# --- enormous logs: the engine drops the oldest entries, and sends some twice --------------------------------------


def stamped(second: int, text: str) -> bytes:
    return b"2026-01-31T12:00:%02d.000000001Z %s\n" % (second, text.encode())


def test_entries_that_come_twice_are_written_once(tmp_path: Path) -> None:
    writer = LogWriter(tmp_path / "log", tmp_path / "cursor", watchful=0)
    writer.begin()
    entries = [stamped(second, "the same") for second in range(20)]
    for entry in [*entries[:10], *entries[7:]]:
        writer.feed(entry)
    writer.finish()
    assert len(log(tmp_path)) == 20


def test_a_copy_that_begins_later_is_continued_by_its_stamps(tmp_path: Path) -> None:
    entries = [stamped(second, f"line {second}") for second in range(10)]
    follow(tmp_path, entries[:5], finish=False)
    follow(tmp_path, entries[3:8], finish=False)
    follow(tmp_path, entries[3:])
    assert [line.split(b" ", 1)[1] for line in log(tmp_path)] == [b"line %d\n" % n for n in range(10)]


def test_a_gap_is_said(tmp_path: Path) -> None:
    entries = [stamped(second, f"line {second}") for second in range(10)]
    follow(tmp_path, entries[:3], finish=False)
    follow(tmp_path, entries[6:])
    told = [line.split(b" ", 1)[1] for line in log(tmp_path)]
    assert told[:3] == [b"line 0\n", b"line 1\n", b"line 2\n"] and b"lines are missing here" in told[3]
    assert told[4:] == [b"line %d\n" % n for n in range(6, 10)]
