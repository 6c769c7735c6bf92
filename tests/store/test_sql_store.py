"""The SQL store keeps the contract, survives a kill, and answers pages by walking an index."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.store import Linked, Query, Store, open_store
from emulator.store.database import ClosedError, Database
from emulator.store.queries import page_name, page_values
from emulator.store.sql import SqlStore
from tests.contracts.store_contract import HERE, StoreContract, link, record

ROOT = Path(__file__).resolve().parents[2]


class TestFileStore(StoreContract):
    """On a file, as the server runs it."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        store = open_store(tmp_path / "new folder" / "house.db")
        yield store
        store.close()

    def test_a_store_that_is_opened_again_remembers(self, tmp_path: Path) -> None:
        for count in range(3):
            store = open_store(tmp_path / "house.db")
            assert len(self.page(store)) == count
            self.fill(store, record(f"r{count}"))
            store.close()


class TestPrivateStore(StoreContract):
    """Without a place: gone when closed."""

    @pytest.fixture
    def store(self) -> Iterator[Store]:
        store = open_store()
        yield store
        store.close()


if "SAGELET_TEST_POSTGRES" in os.environ:

    class TestPostgresStore(StoreContract):
        """On PostgreSQL: postgresql+psycopg://user:password@host/database, which is emptied."""

        @pytest.fixture
        def store(self) -> Iterator[Store]:
            store = open_store(os.environ["SAGELET_TEST_POSTGRES"])
            store.reset()
            yield store
            store.close()


WRITER = """
import sys
from emulator.call import Scope
from emulator.store import Record, open_store
store = open_store(sys.argv[1])
for number in range(1000000):
    with store.write() as transaction:
        arn = f"arn:{number}"
        transaction.insert(Record("Model", Scope("111111111111", "eu-west-1"), f"m{number}", arn, {}, 1.0, 1.0))
        transaction.set_tags(arn, {"n": str(number)})
    print(number, flush=True)
"""


def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    place = tmp_path / "house.db"
    child = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(place)], stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ}
    )
    assert child.stdout is not None
    acknowledged = [int(child.stdout.readline()) for _ in range(25)][-1]
    child.send_signal(signal.SIGKILL)
    rest = child.stdout.read().split()
    child.wait(10)
    child.stdout.close()
    acknowledged = max([acknowledged, *(int(line) for line in rest)])
    store = open_store(place)
    with store.read() as transaction:
        for number in range(acknowledged + 1):
            assert transaction.get("Model", HERE, f"m{number}") is not None
            assert transaction.tags(f"arn:{number}") == [("n", str(number))]
    store.close()


PAGES = {
    "by age": ({"sort": "created"}, "records_created"),
    "newest first": ({"sort": "created", "descending": True, "after": (2.0, "x")}, "records_created"),
    "by change": ({"sort": "modified", "after": (2.0, "x")}, "records_modified"),
    "by name": ({"sort": "name", "after": ("x", "x")}, "records_key"),
    "by status": ({"sort": "status", "descending": True}, "records_by_status"),
    "one status": ({"statuses": ("Failed",), "after": (2.0, "x")}, "records_status"),
    "one status by name": ({"statuses": ("Failed",), "sort": "name"}, "records_by_status"),
    "of a parent": ({"parent": "p", "descending": True, "after": (2.0, "x")}, "records_parent"),
    "in a time": ({"created": (1.0, 2.0)}, "records_created"),
    "whose name contains": ({"contains": "x"}, "records_created"),
    "whose body mentions": ({"mentions": ("x", "y")}, "records_created"),
}


@pytest.mark.parametrize(("query", "index"), PAGES.values(), ids=list(PAGES))
def test_a_page_walks_an_index_and_sorts_nothing(query: dict[str, object], index: str) -> None:
    """Growth is a property of the plan: a search in the right index costs the page, not the table."""
    store = SqlStore()
    wanted = Query(**{"kind": "Model", "scope": HERE, "limit": 10, **query})  # type: ignore[arg-type]
    with store.database.read() as session:
        plan = session.explain(page_name(wanted), **page_values(wanted))
    store.close()
    assert len(plan) == 1, plan
    assert plan[0].startswith(f"SEARCH records USING INDEX {index} "), plan


LINKED = {
    "links to": (Linked("R", "destination", "arn"), "links_destination"),
    "links from": (Linked("R", "source", "arn"), "links_pair"),
}


@pytest.mark.parametrize(("linked", "index"), LINKED.values(), ids=list(LINKED))
def test_a_page_over_links_reads_the_linked_alone(linked: Linked, index: str) -> None:
    store = SqlStore()
    wanted = Query("Model", HERE, 10, linked=linked)
    with store.database.read() as session:
        plan = session.explain(page_name(wanted), **page_values(wanted))
    store.close()
    assert f"INDEX {index} " in plan[0], plan
    assert plan[1].startswith("SEARCH records USING INDEX ix_records_arn "), plan


LINKS = {
    "by age": ([], "created", "links_created"),
    "from one": (["source"], "created", "links_source"),
    "to one": (["destination"], "created", "links_destination"),
    "between two": (["source", "destination"], "created", "links_pair"),
}


@pytest.mark.parametrize(("ends", "sort", "index"), LINKS.values(), ids=list(LINKS))
def test_a_page_of_links_walks_an_index_and_sorts_nothing(ends: list[str], sort: str, index: str) -> None:
    shape = {"ends": ends, "since": False, "until": False, "sort": sort, "descending": True, "after": True}
    values = {"source": "a", "destination": "b", "account": "1", "region": "r", "after": 1.0, "number": 1}
    store = SqlStore()
    with store.database.read() as session:
        plan = session.explain(f"link_statements:{json.dumps(shape)}", relation="R", limit=10, **values)
    store.close()
    assert len(plan) == 1, plan
    assert plan[0].startswith(f"SEARCH links USING INDEX {index} "), plan


OLDER = """
CREATE TABLE records (id INTEGER PRIMARY KEY, kind VARCHAR NOT NULL, account VARCHAR NOT NULL, region VARCHAR NOT NULL,
key VARCHAR NOT NULL, folded VARCHAR NOT NULL, arn VARCHAR NOT NULL, parent VARCHAR NOT NULL, status VARCHAR NOT NULL,
created FLOAT NOT NULL, modified FLOAT NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL, hidden TEXT NOT NULL);
INSERT INTO records VALUES (1, 'Model', '111111111111', 'eu-west-1', 'a', 'a', 'arn:a', '', '', 1, 1, 1, '{}', '{}');
"""


def test_a_database_from_before_there_were_links_keeps_working(tmp_path: Path) -> None:
    older = sqlite3.connect(tmp_path / "house.db")
    older.executescript(OLDER)
    older.close()
    store = open_store(tmp_path / "house.db")
    with store.write() as transaction:
        transaction.link(link("arn:a", "arn:b"))
        assert transaction.page(Query("Model", HERE, 10, linked=Linked("R", "destination", "arn:b")))[0].key == "a"
    store.close()


def test_links_and_marks_are_said_in_words_of_postgresql() -> None:
    from sqlalchemy.dialects import postgresql

    from emulator.store import link_statements, pages, record_statements

    shapes = [{"end": "source", "many": 8}]
    for ends, sort in (([], "created"), (["source", "destination"], "destination")):
        shapes.append({"ends": ends, "since": True, "until": True, "sort": sort, "descending": False, "after": True})
    wanted = Query("Model", HERE, 10, linked=Linked("R", "source", "arn"), after=(1.0, "x"))
    clauses = [link_statements.build(shape, "strpos") for shape in shapes]
    clauses += [getattr(link_statements, name) for name in ("INSERT", "GET", "DELETE", "DROP_TO", "RENEW_MARK")]
    clauses += [pages.build(json.loads(page_name(wanted).partition(":")[2]), "strpos")]
    clauses += [record_statements.build({"arns": 64}, "strpos")]
    for clause in clauses:
        assert str(clause.compile(dialect=postgresql.dialect()))


def test_opening_the_rooms_door_does_not_load_the_driver() -> None:
    code = "import sys, emulator.store; sys.exit('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_the_tables_that_are_emptied_are_all_there_are() -> None:
    from emulator.store.database import TABLES
    from emulator.store.tables import META

    assert set(TABLES) == set(META.tables)


def test_remembered_texts_are_what_sqlalchemy_makes_and_spare_its_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    code = (
        "import sys; from emulator.store import open_store, Query; from emulator.call import Scope\n"
        "store = open_store(sys.argv[1])\n"
        "with store.read() as t: t.page(Query('Model', Scope('1', 'r'), 10)); t.get('Model', Scope('1', 'r'), 'x')\n"
        "store.objects.buckets('1'); store.close()\n"
        "print('sqlalchemy' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "house.db")]
    seen = [subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout for _ in range(2)]
    assert seen == ["True\n", "False\n"]
    [kept] = (tmp_path / "cache" / "sagelet").glob("sql-sqlite-*.json")
    kept.write_text("torn {")
    assert subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout == "True\n"


def test_who_reads_when_the_database_closes_reads_to_the_end_and_nobody_after(tmp_path: Path) -> None:
    """Closed under the hands of another thread, a connection of SQLite's ends the process."""
    database = Database(tmp_path / "house.db")
    with database.read() as session:
        database.close()
        session.execute("SELECT count(*) FROM records")  # which raises on a closed connection
    with pytest.raises(ClosedError), database.read():
        pass
    with pytest.raises(ClosedError), database.write():
        pass
    database.close()


def test_what_is_no_database_is_refused_and_let_go_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "house.db").write_bytes(b"nothing of SQLite's" * 100)
    connect, made = sqlite3.connect, []
    monkeypatch.setattr(sqlite3, "connect", lambda *place, **more: made.append(connect(*place, **more)) or made[-1])
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        Database(tmp_path / "house.db")
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        made[0].execute("SELECT 1")
