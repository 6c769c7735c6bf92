"""Answers a list call: parameters become an indexed query; what no index knows is filtered page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from emulator.call import Call
from emulator.errors import NotBuilt
from emulator.kinds.facts import Facts
from emulator.kinds.kind import DESC
from emulator.kinds.listing import PAGING, SORTS, Filter
from emulator.resources import tokens
from emulator.resources.relations import Within
from emulator.store import packing
from emulator.store.links import Linked
from emulator.store.records import Query, Record, Transaction

CHUNK = 200
Test = Callable[[Record], bool]


@dataclass(frozen=True)
class Only:
    """One more test on the records of a list, which follows from the request; `words` tell it from other such tests."""

    words: str
    test: Test


@dataclass(frozen=True)
class Plan:
    """A list call, understood: the indexed query, the tests on its records, the page, the token's fingerprint."""

    query: Query
    tests: tuple[Test, ...]
    late: tuple[Test, ...]
    """Tests that the service makes after it has cut the page."""
    fingerprint: Callable[[], str]
    """Made when a token is read or written: most pages are the only ones."""
    none: bool = False
    """Whether nothing here can be what is asked for."""
    order: tuple[str, ...] = ()
    """The path of the member to sort by where no index does; such a list is read as a whole."""
    after: tuple[Any, str] | None = None
    """The position behind which the page begins, in that order."""

    def position(self, record: Record) -> tuple[Any, str]:
        """Where a record stands in the order of the list."""
        if not self.order:
            return position(self.query, record)
        value = reach(record, self.order)
        return f"{value:020.3f}" if isinstance(value, (int, float)) else str(value or ""), record.key


def position(query: Query, record: Record) -> tuple[Any, str]:
    """Where a record stands in the order of a query."""
    value = {"name": record.key, "created": record.created, "modified": record.modified, "status": record.status}
    return value[query.sort], record.key


def plan(
    facts: Facts, call: Call, named: Mapping[str, Record], within: Within | None = None, only: Only | None = None
) -> Plan:
    """What a list call asks for; `NotBuilt` for a parameter that nothing here can honour.

    `named`: the records that parameters name. `within`: what the records hang on, as the request names it.
    """
    params, listing = call.params, facts.kind.listing
    _check_known(facts, call, within)
    done = within.members if within else ()
    given = [item for item in facts.lister.filters if params.get(item.member) is not None and item.member not in done]
    sort, descending, order = _order(facts, call)
    size = tokens.page_size(params, listing.page)
    query = Query(facts.kind.noun, call.scope, size, sort, descending, parent=within.key if within else None)
    tests: list[Test] = [only.test] if only else []
    late: list[Test] = []
    for item in given:
        value = params[item.member]
        if item.member in listing.page_first:
            late.append(_test(item, value, facts.key[-1]))
        elif (narrowed := _narrow(facts, query, item, named.get(item.member, value))) is not None:
            query = narrowed
        else:
            tests.append(_test(item, value, facts.key[-1]))
            query = _mentioning(query, item, value)
    rest = {name: value for name, value in params.items() if name not in PAGING} | ({"": only.words} if only else {})
    print_ = partial(tokens.fingerprint, facts.kind.noun, call.scope, rest, sort, descending)
    after = None
    if params.get("NextToken"):
        kind = float if sort in ("created", "modified") and not order else str
        after = tokens.read(params["NextToken"], print_(), kind)
    query = query if order else replace(query, after=after)
    none = any(params.get(name) not in (None, value) for name, value in listing.same.items())
    return Plan(query, tuple(tests), tuple(late), print_, none, order, after)


def _check_known(facts: Facts, call: Call, within: Within | None) -> None:
    for name in facts.lister.unknown:
        known = facts.kind.work or name in facts.kind.listing.same or (within and name in within.members)
        if call.params.get(name) is not None and not known:
            raise NotBuilt(f"{call.operation} with {name} is not built. Leave {name} away.")


def _order(facts: Facts, call: Call) -> tuple[str, bool, tuple[str, ...]]:
    default, direction = facts.kind.listing.sort
    wanted = call.params.get("SortBy")
    sort = dict(facts.lister.sorts).get(wanted, "") if wanted else SORTS[default.lower()]
    order = dict(facts.lister.orders).get(wanted, ()) if wanted else ()
    if not sort and not order and not facts.kind.work:
        raise NotBuilt(f"{call.operation} with SortBy {wanted} is not built. Leave SortBy away.")
    return sort or "created", (call.params.get("SortOrder") or direction).capitalize() == DESC, order


def _narrow(facts: Facts, query: Query, item: Filter, value: Any) -> Query | None:
    """The query with a filter that the store knows; None for one that it does not."""
    if item.target[0] == "linked":
        return replace(query, linked=Linked(item.target[1], item.target[2], value.arn))
    target = item.target[0] if len(item.target) == 1 else ""
    if target == "key" and item.test == "contains" and len(facts.key) == 1 and not facts.minted:
        return replace(query, contains=value)
    if target == "status":
        return replace(query, statuses=(value,))
    if target == "parent":
        return replace(query, parent=value.key if isinstance(value, Record) else value)
    if target in ("created", "modified"):
        after, before = query.created if target == "created" else query.modified
        bound = value.timestamp() if hasattr(value, "timestamp") else float(value)
        bounds = (bound, before) if item.test == "after" else (after, bound)
        return replace(query, created=bounds) if target == "created" else replace(query, modified=bounds)
    return None


def _mentioning(query: Query, item: Filter, value: Any) -> Query:
    """The query for the few records whose bodies have a value somewhere; which of them have it in its place, a test
    tells. Reading twenty thousand bodies for that takes half a second.
    """
    if not isinstance(value, str) or item.target[0] == "listed":
        return query
    return replace(query, mentions=(*query.mentions, packing.mention(value, item.test)))


def _test(item: Filter, value: Any, name: str = "") -> Test:
    path = (name,) if item.target == ("key",) else item.target
    wanted = value.timestamp() if hasattr(value, "timestamp") else value

    def test(record: Record) -> bool:
        found = record.status if path == ("status",) else reach(record, path)
        if found is None:
            return False
        if item.test == "equals":
            return bool(found == wanted or (isinstance(found, list) and wanted in found))
        if item.test == "contains":
            return wanted in found
        if item.test == "starts":
            return str(found).startswith(wanted)
        return bool(found > wanted if item.test == "after" else found < wanted)

    return test


def reach(record: Record, path: tuple[str, ...]) -> Any:
    """The value at a path of the body, or None; `created` and `modified` are the record's own times."""
    if path in (("created",), ("modified",)):
        return record.created if path == ("created",) else record.modified
    if path[0] == "listed":
        return _walk(record.hidden.get("listed"), path[1:])
    return _walk(record.body, path)


def _walk(value: Any, path: tuple[str, ...]) -> Any:
    if not path or value is None:
        return value
    inner = value.get(path[0].removesuffix("[]")) if isinstance(value, Mapping) else None
    if path[0].endswith("[]"):
        return [found for item in inner or () if (found := _walk(item, path[1:])) is not None]
    return _walk(inner, path[1:])


def matches(transaction: Transaction, plan: Plan) -> Iterator[Record]:
    """The records that a plan asks for, in its order, from its position on; without end of a page."""
    query = replace(plan.query, limit=plan.query.limit + 1 if not plan.tests else CHUNK)
    while not plan.none:
        chunk = transaction.page(query)
        for record in chunk:
            if all(test(record) for test in plan.tests):
                yield record
        if len(chunk) < query.limit:
            return
        query = replace(query, after=position(query, chunk[-1]), limit=CHUNK)


def _in_order(transaction: Transaction, plan: Plan) -> Iterator[Record]:
    """The records of a plan whose order no index knows, behind its position."""
    if not plan.order:
        return matches(transaction, plan)
    descending, after = plan.query.descending, plan.after
    rows = [(plan.position(record), record) for record in matches(transaction, plan)]
    rows.sort(key=lambda row: row[0], reverse=descending)
    return (record for at, record in rows if after is None or (at < after if descending else at > after))


def answer(transaction: Transaction, facts: Facts, plan: Plan) -> dict[str, Any]:
    """One page. NextToken is absent on the last one: clients loop until it is."""
    limit = plan.query.limit
    page: list[Record] = []
    more = False
    for record in _in_order(transaction, plan):
        if len(page) == limit:
            more = True
            break
        page.append(record)
    shown = [record for record in page if all(test(record) for test in plan.late)]
    listed: dict[str, Any] = {facts.lister.answer: [summary(facts, record) for record in shown]}
    if more:
        listed["NextToken"] = tokens.write(plan.position(page[-1]), plan.fingerprint())
    return listed


def summary(facts: Facts, record: Record) -> dict[str, Any]:
    """A record as its list call shows it."""
    body, lister = record.body, facts.lister
    # Most members are just echoed, and this is most of what a list call costs: they are copied without further ado.
    shown = {name: body[name] for name in lister.echoed if name in body}
    for name, path in lister.summary:
        if name not in shown and (value := reach(record, path)) is not None:
            shown[name] = value
    return shown
