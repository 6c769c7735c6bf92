"""The room that is kept for the house's own notes."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from emulator.store import reserve
from emulator.store.database import Database


def test_a_full_disk_costs_the_reserve_and_the_next_write_lays_it_again(tmp_path: Path) -> None:
    database = Database(tmp_path / "house.db")
    kept = tmp_path / "house.db-reserve"
    assert kept.stat().st_blocks * 512 >= reserve.SIZE
    with pytest.raises(sqlite3.OperationalError), database.write():
        raise sqlite3.OperationalError("database or disk is full")
    assert not kept.exists()
    with database.write():
        pass
    assert kept.stat().st_size == reserve.SIZE
    database.close()


def test_other_errors_cost_nothing(tmp_path: Path) -> None:
    database = Database(tmp_path / "house.db")
    with pytest.raises(sqlite3.OperationalError), database.write():
        raise sqlite3.OperationalError("no such table: x")
    assert (tmp_path / "house.db-reserve").exists()
    database.close()


def test_there_is_no_reserve_where_there_is_hardly_any_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reserve, "ENOUGH", 1 << 62)
    reserve.Reserve(tmp_path / "reserve").lay()
    assert not (tmp_path / "reserve").exists()
