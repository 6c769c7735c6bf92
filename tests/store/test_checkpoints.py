"""The log of commits is emptied into the file beside the writers, and again by them when it has grown too long."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from pathlib import Path

import pytest

from emulator.call import Scope
from emulator.store import checkpoints, open_store
from emulator.store.records import Record

SCOPE = Scope("111111111111", "us-east-1")


def write(store, first: int, count: int) -> None:
    for number in range(first, first + count):
        with store.write() as transaction:
            transaction.insert(Record("Model", SCOPE, f"m-{number}", f"arn:{number}", {"A": "x" * 2000}, 1.0, 1.0))


def alone(path: Path) -> int:
    """How many records are in the file itself, whatever the log still holds."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?immutable=1", uri=True)) as connection:
        return int(connection.execute("SELECT count(*) FROM records").fetchone()[0])


def threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "checkpoints"]


def test_commits_arrive_in_the_file_beside_the_writers(tmp_path: Path) -> None:
    store = open_store(tmp_path / "house.db")
    write(store, 0, checkpoints.EVERY)
    deadline = time.monotonic() + 10
    while not (tmp_path / "house.db").stat().st_size > 2000 * checkpoints.EVERY:
        assert time.monotonic() < deadline, "nothing was moved"
        time.sleep(0.01)
    assert threads()
    store.close()
    assert not threads() and alone(tmp_path / "house.db") == checkpoints.EVERY


def test_a_house_that_hardly_writes_has_no_thread_for_it(tmp_path: Path) -> None:
    store = open_store(tmp_path / "house.db")
    write(store, 0, checkpoints.EVERY // 2)
    assert not threads()
    store.close()


def test_the_log_is_bounded_although_nobody_empties_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints.Checkpoints, "noted", lambda self: None)
    monkeypatch.setattr("emulator.store.database.DIALECTS", with_backstop(100))
    store = open_store(tmp_path / "house.db")
    write(store, 0, 400)
    assert (tmp_path / "house.db-wal").stat().st_size < 300 * 4096
    store.close()


def with_backstop(pages: int) -> dict:
    from dataclasses import replace

    from emulator.store.database import DIALECTS

    ours = DIALECTS["sqlite"]
    pragmas = tuple(text.replace(str(checkpoints.BACKSTOP), str(pages)) for text in ours.pragmas)
    assert pragmas != ours.pragmas
    return {**DIALECTS, "sqlite": replace(ours, pragmas=pragmas)}
