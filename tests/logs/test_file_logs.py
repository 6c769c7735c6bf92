"""Streams as files: names, lines, pages by offset, and readers beside a writer."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from emulator.clock import ManualClock
from emulator.logs import FileLogs, Tail
from emulator.logs.pages import page_after, page_before
from emulator.ports import LogLine

GROUP = "/aws/sagemaker/TrainingJobs"
ODD_NAMES = ["a/algo-1-170", "..", ".", ".hidden", "x~y", "50%", "ü/ß", "a:b*c?", "n" * 500, "/" * 200 + "z"]


@pytest.fixture
def logs(tmp_path: Path) -> FileLogs:
    return FileLogs(tmp_path / "logs", ManualClock(1_700_000_000.0))


@pytest.mark.parametrize("name", ODD_NAMES)
def test_any_name_is_one_file_inside_the_folder(logs: FileLogs, tmp_path: Path, name: str) -> None:
    logs.append(name, name, ["hello"])
    assert logs.groups() == [name]
    assert logs.streams(name) == [name]
    assert logs.path(name, name).resolve().parent.parent == (tmp_path / "logs").resolve()
    assert [line.message for line in logs.read(name, name)] == ["hello"]


def test_lines_carry_the_time_of_the_clock_and_tabs_show_as_cloudwatch_shows_them(logs: FileLogs) -> None:
    logs.append(GROUP, "j/algo-1", ["[0]\ttrain-rmse:0.5", "two\nlines", ""])
    assert list(logs.read(GROUP, "j/algo-1")) == [
        LogLine(1_700_000_000_000, "[0]#011train-rmse:0.5"),
        LogLine(1_700_000_000_000, "two"),
        LogLine(1_700_000_000_000, "lines"),
        LogLine(1_700_000_000_000, ""),
    ]
    assert [line.message for line in logs.read(GROUP, "j/algo-1", start=2)] == ["lines", ""]
    assert b"\t" in logs.path(GROUP, "j/algo-1").read_bytes()


def test_a_carriage_return_is_no_line_end(logs: FileLogs) -> None:
    logs.append(GROUP, "j", ["10%\r20%\r30%"])
    assert [line.message for line in logs.read(GROUP, "j")] == ["10%\r20%\r30%"]
    assert [line.message for line in Tail(logs.path(GROUP, "j")).read()] == ["10%\r20%\r30%"]


def test_what_does_not_exist_reads_as_nothing(logs: FileLogs) -> None:
    assert logs.groups() == [] and logs.streams(GROUP) == []
    assert list(logs.read(GROUP, "none")) == []
    assert not logs.has_group(GROUP) and not logs.has_stream(GROUP, "none")


def test_streams_are_found_by_prefix(logs: FileLogs) -> None:
    for stream in ("job-10/algo-1", "job-1/algo-1", "job-1/algo-2"):
        logs.append(GROUP, stream, ["x"])
    assert logs.streams(GROUP, "job-1/") == ["job-1/algo-1", "job-1/algo-2"]


def test_pages_forwards_and_backwards_give_every_line_once(logs: FileLogs) -> None:
    chance = random.Random(7)
    messages = [f"{n} " + "x" * chance.choice((0, 3, 90, 5_000, 70_000)) for n in range(300)]
    logs.put(GROUP, "s", (LogLine(1_000 + n, text) for n, text in enumerate(messages)))
    path = logs.path(GROUP, "s")
    ahead, offset = [], 0
    while (page := page_after(path, offset, 17, 1 << 20)).lines:
        ahead += [placed.line.message for placed in page.lines]
        offset = page.end
    assert ahead == messages and offset == path.stat().st_size
    back: list[str] = []
    while (page := page_before(path, offset, 23, 1 << 20)).lines:
        back = [placed.line.message for placed in page.lines] + back
        offset = page.begin
    assert back == messages and offset == 0


def test_a_page_reads_no_more_than_it_holds(logs: FileLogs, monkeypatch: pytest.MonkeyPatch) -> None:
    logs.put(GROUP, "s", (LogLine(n, "x" * 100) for n in range(50_000)))
    path, parsed = logs.path(GROUP, "s"), []
    monkeypatch.setattr("emulator.logs.pages.parse", lambda raw, fallback=0: parsed.append(raw) or LogLine(0, "x"))
    page_after(path, 0, 10, 1 << 20)
    page_before(path, path.stat().st_size, 10, 1 << 20)
    assert len(parsed) < 1_500


def test_a_page_keeps_to_its_room_yet_never_is_empty(logs: FileLogs) -> None:
    logs.put(GROUP, "s", (LogLine(n, "y" * 1000) for n in range(10)))
    assert len(page_after(logs.path(GROUP, "s"), 0, 100, 2_500).lines) == 2
    assert len(page_after(logs.path(GROUP, "s"), 0, 100, 10).lines) == 1


def test_a_line_that_is_being_written_is_not_shown_before_its_end(logs: FileLogs) -> None:
    path = logs.path(GROUP, "s")
    path.write_bytes(b"1 done\n2 half")
    tail = Tail(path)
    assert [line.message for line in tail.read()] == ["done"]
    assert [p.line.message for p in page_after(path, 0, 10, 100).lines] == ["done"]
    assert [p.line.message for p in page_before(path, path.stat().st_size, 10, 100).lines] == ["done"]
    with path.open("ab") as file:
        file.write(b" no more\n3 last")
    assert tail.read() == [LogLine(2, "half no more")]
    again = Tail(path, tail.offset)
    assert again.read() == [] and again.read(over=True) == [LogLine(3, "last")] and again.read(over=True) == []


def test_a_line_without_a_stamp_takes_the_time_of_the_one_before(logs: FileLogs) -> None:
    logs.path(GROUP, "s").write_bytes(b"7 fine\nTraceback (most recent call last)\n8 fine\n")
    assert [(line.timestamp, line.message) for line in logs.read(GROUP, "s")] == [
        (7, "fine"),
        (7, "Traceback (most recent call last)"),
        (8, "fine"),
    ]


def test_a_line_without_end_is_cut_and_costs_no_memory(logs: FileLogs) -> None:
    path = logs.path(GROUP, "s")
    path.write_bytes(b"5 " + b"z" * 3_000_000)
    lines = page_after(path, 0, 1000, 1 << 30).lines
    assert 10 < len(lines) < 13 and {len(p.line.message) for p in lines[1:]} == {256 * 1024}


def test_the_facts_of_a_stream_come_from_its_two_ends(logs: FileLogs) -> None:
    empty = logs.facts(GROUP, "e") if logs.path(GROUP, "e") else None
    assert empty is not None and empty.first is None and empty.last is None
    logs.put(GROUP, "s", (LogLine(n, "x" * 50) for n in range(100, 9_000)))
    facts = logs.facts(GROUP, "s")
    assert (facts.first, facts.last, facts.created) == (100, 8_999, 100)
    logs.remove_stream(GROUP, "s")
    assert logs.streams(GROUP) == ["e"]
    logs.remove_group(GROUP)
    assert logs.groups() == []
