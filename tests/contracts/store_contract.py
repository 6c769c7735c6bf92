"""What every store owes: inherit `StoreContract` and give the fixture `store`."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from emulator.call import Scope
from emulator.store import DuplicateKey, Link, Linked, LinkQuery, Mark, Query, Record, StaleVersion, Store
from emulator.store.packing import mention

HERE = Scope("111111111111", "eu-west-1")
ELSEWHERE = Scope("111111111111", "us-east-1")


def record(key: str, created: float = 1.0, scope: Scope = HERE, kind: str = "Model", **more: object) -> Record:
    """A record with an ARN of its own."""
    arn = f"arn:aws:sagemaker:{scope.region}:{scope.account}:{kind.lower()}/{key}"
    made = Record(kind, scope, key, arn, {"Name": key, "Nested": {"Deep": [1, 2.5, None, "ü"]}}, created, created)
    return replace(made, **more)  # type: ignore[arg-type]


def keys(records: list[Record]) -> list[str]:
    return [found.key for found in records]


def link(source: str, destination: str, created: float = 1.0, relation: str = "R", scope: Scope = HERE) -> Link:
    """A link whose facts say its ends."""
    return Link(scope, relation, source, destination, created, {"from": source, "to": destination})


def pairs(links: list[Link]) -> list[str]:
    return [found.source + found.destination for found in links]


class StoreContract:
    """Obligations of `emulator.store.records.Store`."""

    def fill(self, store: Store, *records: Record) -> None:
        with store.write() as transaction:
            for one in records:
                transaction.insert(one)

    def page(self, store: Store, **query: object) -> list[Record]:
        with store.read() as transaction:
            return transaction.page(Query(**{"kind": "Model", "scope": HERE, "limit": 10, **query}))  # type: ignore[arg-type]

    def test_what_was_inserted_is_found_by_key_and_by_arn(self, store: Store) -> None:
        one = record("a", status="InService", parent="p", hidden={"phase": "X"})
        self.fill(store, one)
        with store.read() as transaction:
            assert transaction.get("Model", HERE, "a") == replace(one, version=1)
            assert transaction.get_by_arn(one.arn) == replace(one, version=1)
            assert transaction.get("Model", HERE, "A") is None
            assert transaction.get("Endpoint", HERE, "a") is None
            assert transaction.get_by_arn("arn:none") is None

    def test_scopes_do_not_see_each_other(self, store: Store) -> None:
        self.fill(store, record("a"), record("a", scope=ELSEWHERE))
        with store.read() as transaction:
            assert transaction.get("Model", ELSEWHERE, "a").scope == ELSEWHERE  # type: ignore[union-attr]
        assert keys(self.page(store)) == ["a"]

    def test_records_are_counted_by_their_statuses(self, store: Store) -> None:
        self.fill(store, record("a", status="Up"), record("b", status="Up"), record("c"))
        self.fill(store, record("d", scope=ELSEWHERE), record("e", kind="Endpoint"))
        with store.read() as transaction:
            assert transaction.counts("Model", HERE) == {"Up": 2, "": 1}
            assert transaction.counts("Image", HERE) == {}

    def test_a_key_is_taken_once(self, store: Store) -> None:
        self.fill(store, record("a"))
        with pytest.raises(DuplicateKey):
            self.fill(store, record("b"), record("a"))
        assert keys(self.page(store)) == ["a"], "b was written in the same transaction: it must be gone"

    def test_keys_can_be_compared_without_their_case(self, store: Store) -> None:
        self.fill(store, record("Abc"))
        with store.read() as transaction:
            assert transaction.get_ignoring_case("Model", HERE, "aBC").key == "Abc"  # type: ignore[union-attr]
            assert transaction.get_ignoring_case("Model", HERE, "abcd") is None

    def test_a_stale_version_is_refused(self, store: Store) -> None:
        self.fill(store, record("a"))
        with store.write() as transaction:
            seen = transaction.get("Model", HERE, "a")
            assert seen is not None
            newer = transaction.replace(replace(seen, body={"Name": "new"}, status="Failed", modified=9.0))
            assert newer.version == seen.version + 1
        with store.write() as transaction, pytest.raises(StaleVersion):
            transaction.replace(replace(seen, body={"Name": "lost"}))
        with store.read() as transaction:
            assert transaction.get("Model", HERE, "a") == newer

    def test_a_deleted_record_takes_its_tags_along(self, store: Store) -> None:
        self.fill(store, record("a"), record("b"))
        with store.write() as transaction:
            one, other = (transaction.get("Model", HERE, key) for key in "ab")
            assert one is not None
            assert other is not None
            transaction.set_tags(one.arn, {"k": "v"})
            transaction.set_tags(other.arn, {"k": "v"})
            transaction.delete(one)
        with store.read() as transaction:
            assert transaction.get("Model", HERE, "a") is None
            assert transaction.tags(one.arn) == []
            assert transaction.tags(other.arn) == [("k", "v")]

    def test_tags_are_overwritten_dropped_and_kept_in_order(self, store: Store) -> None:
        with store.write() as transaction:
            transaction.set_tags("arn", {"b": "1", "a": "2"})
            transaction.set_tags("arn", {"b": "3", "c": ""})
            transaction.drop_tags("arn", ("a", "unknown"))
            assert transaction.tags("arn") == [("b", "3"), ("c", "")]

    def test_what_raises_leaves_nothing_behind(self, store: Store) -> None:
        with pytest.raises(RuntimeError), store.write() as transaction:
            transaction.insert(record("a"))
            raise RuntimeError
        assert self.page(store) == []
        self.fill(store, record("a"))

    @pytest.mark.parametrize("descending", [False, True])
    @pytest.mark.parametrize("sort", ["name", "created", "modified", "status"])
    def test_pages_join_into_the_whole_in_order(self, store: Store, sort: str, descending: bool) -> None:
        numbers = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3]
        made = [
            record(f"{letter}{n}", float(n), modified=float(10 - n), status=str(n % 3))
            for letter, n in zip("jihgfedcba", numbers, strict=True)
        ]
        self.fill(store, *made)
        value = {"name": lambda r: r.key, "created": lambda r: r.created}
        value |= {"modified": lambda r: r.modified, "status": lambda r: r.status}
        expected = keys(sorted(made, key=lambda r: (value[sort](r), r.key), reverse=descending))
        found: list[str] = []
        after = None
        while page := self.page(store, sort=sort, descending=descending, limit=3, after=after):
            found += keys(page)
            after = (value[sort](page[-1]), page[-1].key)
        assert found == expected

    def test_a_page_is_narrowed_by_every_filter(self, store: Store) -> None:
        made = [
            record("Ab1", 1.0, status="InService", parent="x"),
            record("ab2", 2.0, status="InService", parent="y"),
            record("ab3", 3.0, status="Failed", parent="x", modified=8.0),
            record("c%4", 4.0, status="Creating", parent="x"),
        ]
        self.fill(store, *made)
        assert keys(self.page(store, contains="ab")) == ["ab2", "ab3"], "contains is case-sensitive"
        assert keys(self.page(store, contains="%")) == ["c%4"]
        assert keys(self.page(store, statuses=("InService",))) == ["Ab1", "ab2"]
        assert keys(self.page(store, statuses=("Failed", "Creating"))) == ["ab3", "c%4"]
        assert keys(self.page(store, parent="x", statuses=("Failed",))) == ["ab3"]
        assert keys(self.page(store, created=(1.0, 4.0))) == ["ab2", "ab3"], "bounds are exclusive"
        assert keys(self.page(store, modified=(4.0, None))) == ["ab3"]

    @pytest.mark.parametrize("text", ["ü", "%", 'a "quote"', "back\\slash", "new\nline", "Ab"])
    @pytest.mark.parametrize("test", ["equals", "starts", "contains"])
    def test_a_page_has_the_bodies_that_mention_a_text(self, store: Store, text: str, test: str) -> None:
        more = {"equals": text, "starts": f"{text} more", "contains": f"some {text} more"}[test]
        bodies = {"one": {"Name": more}, "deep": {"In": [{"Name": more}]}, "none": {"Name": "ab", "ab": 1}}
        self.fill(store, *(record(key, body=body) for key, body in bodies.items()))
        assert keys(self.page(store, mentions=(mention(text, test),), sort="name")) == ["deep", "one"]
        assert keys(self.page(store, mentions=(mention(text, test), "none"))) == []

    def test_names_sort_by_their_bytes(self, store: Store) -> None:
        self.fill(store, record("b"), record("B"), record("ä"), record("-"))
        assert keys(self.page(store, sort="name")) == ["-", "B", "b", "ä"]

    def test_by_status_looks_in_every_scope_oldest_first(self, store: Store) -> None:
        made = [record("new", 2.0, status="Failed"), record("old", 1.0, ELSEWHERE, status="Creating")]
        self.fill(store, *made, record("other", status="InService"))
        with store.read() as transaction:
            assert keys(transaction.by_status("Model", ("Failed", "Creating"))) == ["old", "new"]

    def test_readers_do_not_wait_for_a_writer_nor_see_its_work(self, store: Store) -> None:
        self.fill(store, record("a"))
        inside, done = threading.Event(), threading.Event()

        def write() -> None:
            with store.write() as transaction:
                transaction.insert(record("b"))
                inside.set()
                done.wait(10)

        writer = threading.Thread(target=write)
        writer.start()
        assert inside.wait(10)
        assert keys(self.page(store)) == ["a"]
        done.set()
        writer.join(10)
        assert keys(self.page(store)) == ["a", "b"]

    def test_a_view_stays_what_it_was(self, store: Store) -> None:
        self.fill(store, record("a"))
        with store.read() as transaction:
            assert transaction.get("Model", HERE, "b") is None
            self.fill(store, record("b"))
            assert transaction.get("Model", HERE, "b") is None

    def test_writers_take_turns(self, store: Store) -> None:
        self.fill(store, record("a", body={"count": 0}))

        def count() -> None:
            for _ in range(20):
                with store.write() as transaction:
                    seen = transaction.get("Model", HERE, "a")
                    assert seen is not None
                    transaction.replace(replace(seen, body={"count": seen.body["count"] + 1}))

        threads = [threading.Thread(target=count) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        with store.read() as transaction:
            assert transaction.get("Model", HERE, "a").body == {"count": 80}  # type: ignore[union-attr]

    def tie(self, store: Store, *links: Link) -> None:
        with store.write() as transaction:
            for one in links:
                transaction.link(one)

    def links(self, store: Store, **query: object) -> list[Link]:
        with store.read() as transaction:
            return transaction.links(LinkQuery(**{"scope": HERE, "relation": "R", "limit": 10, **query}))  # type: ignore[arg-type]

    def test_a_link_is_found_between_its_ends_and_made_once(self, store: Store) -> None:
        self.tie(store, link("a", "b"), link("b", "a"), link("a", "b", relation="other"))
        with store.read() as transaction:
            found = transaction.get_link("R", "a", "b")
            assert found is not None
            assert (found.facts, found.created, found.scope) == ({"from": "a", "to": "b"}, 1.0, HERE)
            assert transaction.get_link("R", "a", "c") is None
        with pytest.raises(DuplicateKey):
            self.tie(store, link("a", "c"), link("a", "b", 9.0))
        assert pairs(self.links(store)) == ["ab", "ba"], "ac was written in the same transaction: it must be gone"

    def test_a_link_is_removed_once(self, store: Store) -> None:
        self.tie(store, link("a", "b"), link("a", "b", relation="other"))
        with store.write() as transaction:
            assert transaction.unlink("R", "a", "b")
            assert not transaction.unlink("R", "a", "b")
        assert self.links(store) == []
        assert pairs(self.links(store, relation="other")) == ["ab"]

    def test_links_are_narrowed_by_scope_ends_and_time(self, store: Store) -> None:
        self.tie(store, link("a", "b", 1.0), link("a", "c", 2.0), link("b", "c", 3.0), link("x", "y", scope=ELSEWHERE))
        assert pairs(self.links(store)) == ["ab", "ac", "bc"]
        assert pairs(self.links(store, source="a")) == ["ab", "ac"]
        assert pairs(self.links(store, destination="c")) == ["ac", "bc"]
        assert pairs(self.links(store, source="a", destination="c")) == ["ac"]
        assert pairs(self.links(store, created=(1.0, 3.0))) == ["ac"], "bounds are exclusive"
        assert pairs(self.links(store, scope=ELSEWHERE)) == ["xy"]

    @pytest.mark.parametrize("descending", [False, True])
    @pytest.mark.parametrize("sort", ["created", "source", "destination"])
    def test_pages_of_links_join_into_the_whole_in_order(self, store: Store, sort: str, descending: bool) -> None:
        made = [link(a, b, float(n % 3)) for n, (a, b) in enumerate(["ba", "ac", "bc", "aa", "cb", "cc", "ab"])]
        self.tie(store, *made)
        numbered = self.links(store)
        expected = sorted(numbered, key=lambda one: (getattr(one, sort), one.number), reverse=descending)
        found: list[Link] = []
        after = None
        while page := self.links(store, sort=sort, descending=descending, limit=3, after=after):
            found += page
            after = (getattr(page[-1], sort), page[-1].number)
        assert pairs(found) == pairs(expected)

    def test_the_links_of_many_are_found_at_once(self, store: Store) -> None:
        many = [f"n{number}" for number in range(700)]
        self.tie(store, *(link(name, "hub") for name in many), link("hub", "n0"), link("n1", "x", relation="other"))
        with store.read() as transaction:
            assert sorted(one.source for one in transaction.links_of("R", "source", many)) == sorted(many)
            assert pairs(transaction.links_of("R", "destination", ["n0", "unknown"])) == ["hubn0"]
            assert len(transaction.links_of("R", "destination", ["hub"])) == 700
            assert transaction.links_of("R", "source", []) == []

    def test_a_deleted_record_takes_its_links_along(self, store: Store) -> None:
        one, other = record("a"), record("b")
        self.fill(store, one, other)
        self.tie(store, link(one.arn, "x"), link("x", one.arn, relation="other"), link(other.arn, "x"))
        with store.write() as transaction:
            transaction.delete(one)
        assert pairs(self.links(store)) == [other.arn + "x"]
        assert self.links(store, relation="other") == []

    def test_records_are_found_by_many_arns_and_over_links(self, store: Store) -> None:
        made = [record(key, float(number)) for number, key in enumerate("abcd")]
        self.fill(store, *made)
        arns = {one.key: one.arn for one in made}
        self.tie(store, *(link(arns[key], "group") for key in "adb"), link("group", arns["c"]))
        with store.read() as transaction:
            assert set(transaction.get_by_arns([arns["a"], arns["c"], "arn:none"])) == {arns["a"], arns["c"]}
            assert transaction.get_by_arns([]) == {}
        into, out = Linked("R", "destination", "group"), Linked("R", "source", "group")
        assert keys(self.page(store, linked=into)) == ["a", "b", "d"]
        assert keys(self.page(store, linked=into, sort="name", descending=True, limit=2)) == ["d", "b"]
        assert keys(self.page(store, linked=into, after=(1.0, "b"))) == ["d"]
        assert keys(self.page(store, linked=into, created=(0.0, 3.0))) == ["b"]
        assert keys(self.page(store, linked=out)) == ["c"]

    def test_a_mark_stays_until_its_last_version_was_seen(self, store: Store) -> None:
        with store.write() as transaction:
            transaction.mark(Mark("a", 1, True))
            transaction.mark(Mark("a", 3, False))
            transaction.mark(Mark("b", 7, False))
            assert sorted(transaction.marked(10), key=lambda mark: mark.arn) == [
                Mark("a", 3, True),
                Mark("b", 7, False),
            ], "what is marked again is as fresh as before"
            transaction.unmark(Mark("a", 1, True))
            transaction.unmark(Mark("b", 7, False))
            assert transaction.marked(10) == [Mark("a", 3, True)]
            assert transaction.marked(0) == []

    def test_reset_forgets_everything(self, store: Store) -> None:
        self.fill(store, record("a"))
        with store.write() as transaction:
            transaction.set_tags("arn", {"k": "v"})
            transaction.link(link("a", "b"))
            transaction.mark(Mark("a", 1, True))
        store.reset()
        assert self.page(store) == []
        assert self.links(store) == []
        with store.read() as transaction:
            assert transaction.tags("arn") == []
