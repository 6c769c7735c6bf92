"""The index of Search: built where somebody looks, kept up from notes, given up where it cannot be trusted."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from emulator.store import Record, open_store, search_queries, search_statements, tables
from emulator.store.sql import SqlStore
from emulator.store.terms import CUT, Condition, Order, Place, Reading, Tags, Term
from tests.contracts.store_contract import ELSEWHERE, HERE, record

ROOT = Path(__file__).resolve().parents[2]
PLACE = Place("Model", HERE)
NAMES = ("color", "size")


class Reader:
    """Reads what the body says of a name; remembers whom it was asked about. A body can be restless."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def __call__(self, record: Record, tags: Callable[[], Tags], names: Sequence[str]) -> Reading:
        self.read.append(record.key)
        values = {**record.body, **dict(tags())}
        terms = {name: [_term(one) for one in _listed(values.get(name))] for name in names}
        return Reading(terms, not record.body.get("restless"))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _term(value: Any) -> Term:
    return Term(text=value) if isinstance(value, str) else Term(number=float(value))


POSTGRES = os.environ.get("SAGELET_TEST_POSTGRES", "")
"""postgresql+psycopg://user:password@host/database, which is emptied."""


@pytest.fixture(params=["file", *(["postgres"] if POSTGRES else [])])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlStore]:
    store = open_store(tmp_path / "house.db" if request.param == "file" else POSTGRES)
    store.reset()
    yield store
    store.close()


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[SqlStore]:
    store = open_store(tmp_path / "house.db")
    yield store
    store.close()


@pytest.fixture
def reader() -> Reader:
    return Reader()


def fill(store: SqlStore, *records: Record) -> None:
    with store.write() as transaction:
        for one in records:
            transaction.insert(one)


def model(key: str, **body: Any) -> Record:
    return record(key, body=body)


def change(store: SqlStore, key: str, **body: Any) -> None:
    with store.write() as transaction:
        before = transaction.get("Model", HERE, key)
        assert before is not None
        transaction.replace(replace(before, body=body))


def found(store: SqlStore, column: str, name: str, *tests: tuple[str, Any], place: Place = PLACE) -> list[str]:
    with store.search.read(place) as view:
        loaded = [view.load(number) for number in view.ids(Condition(column, name, tests))]
    return sorted(one.key for one in loaded if one is not None)


def walked(store: SqlStore, order: Order, step: int = 2) -> list[str]:
    """A walk to the end, in steps."""
    keys, after = [], None
    with store.search.read(PLACE) as view:
        while stops := view.walk(order, after, step):
            for _, _, number in stops:
                loaded = view.load(number)
                assert loaded is not None
                keys.append(loaded.key)
            after = stops[-1][:2]
    return keys


def test_records_from_before_the_index_are_found_by_what_they_say(store: SqlStore, reader: Reader) -> None:
    fill(store, model("a", color="red", size=1), model("b", color="blue", size=3), model("c", color="reddish"))
    store.search.build(PLACE, NAMES, reader)
    assert found(store, "text", "color", ("=", "red")) == ["a"]
    assert found(store, "text", "color", ("contains", "red")) == ["a", "c"]
    assert found(store, "number", "size", (">", 1.0)) == ["b"]
    assert found(store, "number", "size", (">=", 1.0), ("<", 3.0)) == ["a"]
    assert found(store, "any", "size") == ["a", "b"]
    assert found(store, "key", "", ("contains", "b")) == ["b"]
    assert found(store, "all", "") == ["a", "b", "c"]


def test_more_records_than_a_chunk_are_all_indexed(store: SqlStore, reader: Reader) -> None:
    fill(store, *(model(f"m{number:04}", size=number) for number in range(1203)))
    store.search.build(PLACE, NAMES, reader)
    assert len(reader.read) == len(set(reader.read)) == 1203
    assert len(found(store, "number", "size", (">=", 1000.0))) == 203
    with store.search.read(PLACE) as view:
        assert view.count(Condition("any", "size"), 5000) == 1203
        assert view.count(Condition("any", "size"), 10) == 11, "counting ends where it is many"


def test_nothing_is_noted_of_kinds_that_nobody_searched_for(store: SqlStore, reader: Reader) -> None:
    fill(store, model("a", color="red"))
    assert not store._notes.kinds
    store.search.build(PLACE, ("color",), reader)
    fill(store, replace(model("x"), kind="Endpoint", arn="arn:x"), record("e", scope=ELSEWHERE, body={"color": "red"}))
    assert store._notes.count(Place("Endpoint", HERE)) == 0
    assert store._notes.count(PLACE) == 0
    assert store._notes.count(Place("Model", ELSEWHERE)) == 1


def test_what_is_written_later_is_found_when_the_index_has_caught_up(store: SqlStore, reader: Reader) -> None:
    fill(store, model("a", color="red"), model("b", color="red"), model("c", color="red"))
    store.search.build(PLACE, ("color",), reader)
    fill(store, model("d", color="green"))
    change(store, "a", color="green")
    with store.write() as transaction:
        there = transaction.get("Model", HERE, "b")
        assert there is not None
        transaction.delete(there)
        transaction.set_tags(model("c").arn, {"color": "green"})
    reader.read.clear()
    store.search.catch_up(PLACE, reader)
    assert sorted(reader.read) == ["a", "c", "d"], "and nobody else was read again"
    assert found(store, "text", "color", ("=", "green")) == ["a", "c", "d"]
    assert found(store, "text", "color", ("=", "red")) == []
    reader.read.clear()
    store.search.catch_up(PLACE, reader)
    assert reader.read == []


def test_a_deleted_record_leaves_nothing_to_the_next_owner_of_its_id(store: SqlStore, reader: Reader) -> None:
    fill(store, model("a", color="red"))
    store.search.build(PLACE, ("color",), reader)
    with store.write() as transaction:
        there = transaction.get("Model", HERE, "a")
        assert there is not None
        transaction.delete(there)
    fill(store, model("b", color="blue"))
    store.search.catch_up(PLACE, reader)
    assert found(store, "text", "color", ("=", "red")) == []
    assert found(store, "text", "color", ("=", "blue")) == ["b"]


def test_what_was_rolled_back_is_not_found(store: SqlStore, reader: Reader) -> None:
    fill(store, model("a", color="red"))
    store.search.build(PLACE, ("color",), reader)
    with pytest.raises(RuntimeError), store.write() as transaction:
        transaction.insert(model("b", color="red"))
        raise RuntimeError
    change(store, "a", color="blue")
    store.search.catch_up(PLACE, reader)
    assert found(store, "text", "color", ("=", "red")) == []


def test_scopes_are_indexed_apart(store: SqlStore, reader: Reader) -> None:
    fill(store, model("a", color="red"), record("b", scope=ELSEWHERE, body={"color": "red"}))
    other = Place("Model", ELSEWHERE)
    store.search.build(PLACE, ("color",), reader)
    with store.search.read(other) as view:
        assert not view.properties
    store.search.build(other, ("color",), reader)
    assert found(store, "text", "color", ("=", "red")) == ["a"]
    assert found(store, "text", "color", ("=", "red"), place=other) == ["b"]


def test_a_record_that_changes_while_nobody_writes_is_read_at_every_search(store: SqlStore, reader: Reader) -> None:
    fill(store, model("a", size=1, restless=True), model("b", size=2))
    store.search.build(PLACE, ("size",), reader)
    for _ in range(2):
        reader.read.clear()
        store.search.catch_up(PLACE, reader)
        assert reader.read == ["a"]
    assert found(store, "number", "size") == ["a", "b"]
    change(store, "a", size=5)
    store.search.catch_up(PLACE, reader)
    reader.read.clear()
    store.search.catch_up(PLACE, reader)
    assert reader.read == []


def test_a_touched_record_is_read_again(store: SqlStore, reader: Reader) -> None:
    fill(store, model("a", color="red"))
    store.search.build(PLACE, ("color",), reader)
    reader.read.clear()
    store.search.touch(model("a").arn)
    store.search.catch_up(PLACE, reader)
    assert reader.read == ["a"]


def test_walks_are_in_order_and_go_on_where_they_ended(store: SqlStore, reader: Reader) -> None:
    fill(store, model("e", size=2), model("d", size=[5, 1]), model("c", size="x"), model("b"), model("a", size=2))
    store.search.build(PLACE, ("size",), reader)
    assert walked(store, Order("number", "size")) == ["d", "e", "a", "d"]
    assert walked(store, Order("number", "size", descending=True)) == ["d", "a", "e", "d"]
    assert walked(store, Order("text", "size")) == ["c"]
    assert walked(store, Order("absent", "size")) == ["b"]
    assert walked(store, Order("key", descending=True)) == ["e", "d", "c", "b", "a"]


def test_long_texts_are_cut_and_what_they_might_hold_is_a_candidate(store: SqlStore, reader: Reader) -> None:
    long = "x" * CUT + "end"
    fill(store, model("a", color=long), model("b", color="x" * CUT), model("c", color="short"))
    store.search.build(PLACE, ("color",), reader)
    with store.search.read(PLACE) as view:
        assert view.cut == {"color"}
    assert found(store, "text", "color", ("contains", "end")) == ["a", "b"]
    assert found(store, "text", "color", ("=", long)) == ["a", "b"]
    assert found(store, "text", "color", ("contains", "shor")) == ["a", "b", "c"]
    change(store, "c", size=1)
    store.search.build(PLACE, ("size",), reader)
    change(store, "c", size="y" * (CUT + 1))
    store.search.catch_up(PLACE, reader)
    with store.search.read(PLACE) as view:
        assert view.cut == {"color", "size"}, "also where it was cut later"


def test_an_index_is_still_there_when_the_store_opens_again(tmp_path: Path, reader: Reader) -> None:
    store = open_store(tmp_path / "house.db")
    fill(store, *(model(f"m{number}", color="red") for number in range(20)))
    store.search.build(PLACE, ("color",), reader)
    change(store, "m7", color="blue")
    store.close()
    store = open_store(tmp_path / "house.db")
    reader.read.clear()
    store.search.catch_up(PLACE, reader)
    assert reader.read == ["m7"], "what was noted and not yet read is written down"
    assert found(store, "text", "color", ("=", "blue")) == ["m7"]
    store.close()


KILLED = """
import sys
sys.path.insert(0, {root!r})
from tests.store.test_search_index import *
store = open_store(sys.argv[1])
fill(store, *(model(f"m{{number}}", color="red") for number in range(20)))
store.search.build(PLACE, ("color",), Reader())
if sys.argv[2] == "write":
    change(store, "m7", color="blue")
print("done", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("writing", ["write", "no"])
def test_a_killed_server_leaves_an_index_that_is_trusted_only_when_nothing_was_written(
    tmp_path: Path, reader: Reader, writing: str
) -> None:
    command = [sys.executable, "-c", KILLED.format(root=str(ROOT)), str(tmp_path / "house.db"), writing]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, env={**os.environ})
    assert child.stdout is not None
    assert child.stdin is not None
    assert child.stdout.readline() == b"done\n"
    child.send_signal(signal.SIGKILL)
    child.wait(10)
    child.stdin.close()
    child.stdout.close()
    store = open_store(tmp_path / "house.db")
    with store.search.read(PLACE) as view:
        assert set(view.properties) == (set() if writing == "write" else {"color"})
    store.search.catch_up(PLACE, reader)
    store.search.build(PLACE, ("color",), reader)
    assert found(store, "text", "color", ("=", "blue")) == (["m7"] if writing == "write" else [])
    store.close()


def test_an_index_that_was_left_half_built_is_begun_anew(store: SqlStore, reader: Reader) -> None:
    fill(store, *(model(f"m{number:04}", color="red") for number in range(1203)))

    def breaks(record: Record, tags: Callable[[], Tags], names: Sequence[str]) -> Reading:
        if record.key == "m0900":
            raise RuntimeError
        return reader(record, tags, names)

    with pytest.raises(RuntimeError):
        store.search.build(PLACE, ("color",), breaks)
    with store.search.read(PLACE) as view:
        assert not view.properties
    store.search.build(PLACE, ("color",), reader)
    assert len(found(store, "text", "color", ("=", "red"))) == 1203


def test_an_index_that_could_not_catch_up_is_given_up(store: SqlStore, reader: Reader) -> None:
    fill(store, model("a", color="red"))
    store.search.build(PLACE, ("color",), reader)
    change(store, "a", color="blue")

    def breaks(record: Record, tags: Callable[[], Tags], names: Sequence[str]) -> Reading:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store.search.catch_up(PLACE, breaks)
    store.search.catch_up(PLACE, reader)
    with store.search.read(PLACE) as view:
        assert not view.properties
    store.search.build(PLACE, ("color",), reader)
    assert found(store, "text", "color", ("=", "blue")) == ["a"]


def test_an_index_of_which_most_is_old_is_given_up(store: SqlStore, reader: Reader) -> None:
    fill(store, model("a", color="red"))
    store.search.build(PLACE, ("color",), reader)
    fill(store, *(model(f"m{number:04}", color="red") for number in range(600)))
    store.search.catch_up(PLACE, reader)
    with store.search.read(PLACE) as view:
        assert not view.properties
    store.search.build(PLACE, ("color",), reader)
    assert len(found(store, "text", "color", ("=", "red"))) == 601


def test_a_reset_forgets_the_index(store: SqlStore, reader: Reader) -> None:
    fill(store, model("a", color="red"))
    store.search.build(PLACE, ("color",), reader)
    store.reset()
    assert not store._notes.kinds
    with store.search.read(PLACE) as view:
        assert not view.properties
        assert view.size(10) == 0


def test_the_folder_of_a_version_without_an_index_can_be_searched(tmp_path: Path, reader: Reader) -> None:
    store = open_store(tmp_path / "house.db")
    fill(store, model("a", color="red"))
    store.close()
    with sqlite3.connect(tmp_path / "house.db") as connection:
        for table in ("search_terms", "search_properties", "search_notes"):
            connection.execute(f"DROP TABLE {table}")
    connection.close()
    store = open_store(tmp_path / "house.db")
    store.search.catch_up(PLACE, reader)
    store.search.build(PLACE, ("color",), reader)
    assert found(store, "text", "color", ("=", "red")) == ["a"]
    store.close()


CONDITIONS = {
    Condition("text", "color", (("=", "x"),)): "COVERING INDEX search_terms_text (property=? AND text=?)",
    Condition("text", "color", (("contains", "x"),)): "COVERING INDEX search_terms_text (property=? AND text>?)",
    Condition("number", "size", ((">", 1.0), ("<", 2.0))): "COVERING INDEX search_terms_number",
    Condition("any", "size"): "PRIMARY KEY (property=?)",
    Condition("status", "", (("=", "x"),)): "COVERING INDEX records_by_status",
    Condition("created", "", ((">", 1.0),)): "COVERING INDEX records_created",
    Condition("key", "", (("=", "x"),)): "COVERING INDEX records_key",
    Condition("all"): "COVERING INDEX records_",
}
ORDERS = {
    Order("number", "size", True): "COVERING INDEX search_terms_number",
    Order("text", "color"): "INDEX search_terms_text",
    Order("modified", "", True): "COVERING INDEX records_modified",
    Order("created"): "COVERING INDEX records_created",
    Order("key", "", True): "COVERING INDEX records_key",
}


@pytest.mark.parametrize(("condition", "index"), CONDITIONS.items(), ids=lambda value: str(value)[:60])
def test_a_condition_is_looked_up(sqlite_store: SqlStore, reader: Reader, condition: Condition, index: str) -> None:
    sqlite_store.search.build(PLACE, NAMES, reader)
    with sqlite_store.search.read(PLACE) as view:
        plan = view._session.explain(view._name("ids", condition), **view._values(condition))
    assert len(plan) == 1, plan
    assert plan[0].startswith("SEARCH "), plan
    assert index in plan[0], plan


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(("order", "index"), ORDERS.items(), ids=lambda value: str(value)[:60])
def test_a_walk_sorts_nothing(sqlite_store: SqlStore, reader: Reader, order: Order, index: str, after: bool) -> None:
    sqlite_store.search.build(PLACE, NAMES, reader)
    shape = {"what": "walk", "column": order.column, "descending": order.descending, "after": after, "tests": []}
    with sqlite_store.search.read(PLACE) as view:
        values = {**view._scope(order.column, order.name), "limit": 10, "value": 1.0, "tie": 1}
        plan = view._session.explain(f"search_queries:{json.dumps(shape)}", **values)
    assert len(plan) == 1, plan
    assert index in plan[0], plan


SHAPES: list[dict[str, Any]] = [
    *({"what": what, "column": c, "tests": t} for what in ("ids", "count") for c, t in [("all", []), ("any", [])]),
    *({"what": "ids", "column": c, "tests": ["=", ">"]} for c in ("text", "number", "key", "created")),
    *({"what": "ids", "column": "text", "tests": [test]} for test in ("contains", "may contain")),
    *(
        {"what": "walk", "column": c, "descending": d, "after": a, "tests": ["="] if d and c != "absent" else []}
        for c in ("text", "number", "absent", "key", "modified")
        for d in (True, False)
        for a in (True, False)
    ),
    {"what": "stand", "column": "modified"},
]


def test_every_statement_has_words_in_postgresql_too() -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    for shape in SHAPES:
        text = str(search_queries.build(shape, "strpos").compile(dialect=dialect))
        assert text.startswith("SELECT"), text
    for name in ("NOTE", "NOTES", "NEW_TERM", "CHUNK", "DROP_TERMS_OF_RECORD", "PROPERTIES", "SET_STATE"):
        assert str(getattr(search_statements, name).compile(dialect=dialect))
    made = [str(CreateTable(table).compile(dialect=dialect)) for table in tables.META.sorted_tables]
    assert any("search_terms" in text and "rowid" not in text.lower() for text in made)
    (number,) = [index for index in tables.SEARCH_TERMS.indexes if index.name == "search_terms_number"]
    assert "WHERE number IS NOT NULL" in str(CreateIndex(number).compile(dialect=dialect))
