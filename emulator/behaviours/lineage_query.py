"""QueryLineage: what is connected with an entity, on which ways; or all entities that match, where none is given.

https://docs.aws.amazon.com/sagemaker/latest/dg/querying-lineage-entities.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest
from itertools import islice
from typing import Any

from emulator.behaviours.lineage import entity
from emulator.behaviours.rooms import Rooms
from emulator.call import Answer, Call
from emulator.kinds.relations import ASSOCIATION
from emulator.lineage.entities import KINDS, kind_of, properties, type_of, vertex_type
from emulator.lineage.graph import Walk, walk
from emulator.resources import tokens
from emulator.store.links import SOURCE, Link
from emulator.store.records import Query, Record, Transaction

PAGE = 50
"""Vertices of a page where the request does not say: as many as it may say (docs/quirks.md)."""

DEPTH = 10
CHUNK = 200
BOUNDS = {"Created": "created", "Modified": "modified"}


@dataclass(frozen=True)
class Filters:
    """Which entities are wanted. What is not given does not narrow; of Properties any pair will do."""

    kinds: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    bounds: tuple[tuple[str, str, float], ...] = ()
    """(time of a record, "After" or "Before", seconds since the epoch)."""
    properties: Mapping[str, str] = field(default_factory=dict)

    def admits(self, kind: str, type_: str) -> bool:
        """What its kind and its type alone tell of an entity."""
        known = bool(kind) and (not self.kinds or kind in self.kinds)
        return known and (not self.types or vertex_type(kind, type_) in self.types)

    @property
    def needs_records(self) -> bool:
        """Whether kind and type alone do not tell."""
        return bool(self.bounds or self.properties)

    def matches(self, record: Record) -> bool:
        """Whether an entity is wanted."""
        if not self.admits(record.kind, type_of(record)):
            return False
        for name, side, bound in self.bounds:
            time = getattr(record, name)
            if not (time > bound if side == "After" else time < bound):
                return False
        there = properties(record)
        return not self.properties or any(there.get(name) == value for name, value in self.properties.items())


def query_lineage(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_QueryLineage.html."""
    params = call.params
    filters = _filters(params.get("Filters") or {})
    asked = {name: value for name, value in params.items() if name not in ("NextToken", "MaxResults")}
    print_ = tokens.fingerprint("QueryLineage", call.scope, asked)
    limit, edges = int(params.get("MaxResults") or PAGE), params.get("IncludeEdges", True)
    token = params.get("NextToken")
    if params.get("StartArns"):
        start = entity(rooms, call, params["StartArns"][0])
        page = _Page(limit, edges, tokens.read(token, print_, int) if token else (-1, ""), print_)
        return _connected(rooms, _walk(rooms, call, start, filters, page), start, filters, page)
    place = tokens.read(token, print_, float) if token else None
    return _everything(rooms, call, filters, _Page(limit, edges, place, print_))


@dataclass(frozen=True)
class _Page:
    """What is asked for of an answer: how many vertices, whether edges, behind which position, the token's print."""

    limit: int
    edges: bool
    after: Any
    print: str


def _filters(given: Mapping[str, Any]) -> Filters:
    bounds = [
        (name, side, given[f"{word}{side}"].timestamp())
        for word, name in BOUNDS.items()
        for side in ("After", "Before")
        if given.get(f"{word}{side}") is not None
    ]
    kinds, types = given.get("LineageTypes") or (), given.get("Types") or ()
    return Filters(tuple(kinds), tuple(types), tuple(bounds), given.get("Properties") or {})


# --- from an entity on --------------------------------------------------------------------------------------------


def _walk(rooms: Rooms, call: Call, start: Record, filters: Filters, page: _Page) -> Walk:
    """As far as the page needs it: with filters only the end of a walk tells what lies on a way."""
    depth = call.params.get("MaxDepth")
    direction = call.params.get("Direction") or "Both"

    def enough(depths: Mapping[str, int]) -> bool:
        left = [arn for arn, far in depths.items() if (far, arn) > page.after and kind_of(arn)]
        return len(left) > page.limit + 1

    def read(transaction: Transaction) -> Walk:
        def links_of(end: str, arns: Any) -> list[Link]:
            return transaction.links_of(ASSOCIATION, end, arns)

        most = DEPTH if depth is None else depth
        return walk(start.arn, direction, most, links_of, enough if filters == Filters() else None)

    return rooms.resources.reading(read)


def _connected(rooms: Rooms, found: Walk, start: Record, filters: Filters, page: _Page) -> Answer:
    """Without edges what matches; with them also what lies on the ways there, the start among it."""
    types = {start.arn: type_of(start), **found.types()}
    matched = _matched(rooms, found, types, filters)
    if not page.edges:
        cut = list(islice((place for place in matched if place > page.after), page.limit + 1))
        return _page(found, types, set(), cut, page)
    ways = found.depths if filters == Filters() else found.ways_to(arn for _, arn in matched)
    shown = {arn for arn in ways if kind_of(arn)}
    cut = nsmallest(page.limit + 1, (place for arn in shown if (place := (found.depths[arn], arn)) > page.after))
    return _page(found, types, shown, cut, page)


def _page(found: Walk, types: Mapping[str, str], shown: set[str], cut: list[tuple[int, str]], page: _Page) -> Answer:
    """The answer of up to `page.limit` vertices; `cut` has one more where there are more."""
    here = cut[: page.limit]
    answer: dict[str, Any] = {"Vertices": [_vertex(arn, types.get(arn, "")) for _, arn in here]}
    answer["Edges"] = list(_edges_of(found, shown, here))
    if len(cut) > len(here):
        answer["NextToken"] = tokens.write(here[-1], page.print)
    return answer


def _matched(rooms: Rooms, found: Walk, types: Mapping[str, str], filters: Filters) -> Iterator[tuple[int, str]]:
    """What is wanted of what was reached, nearest first; the start is nothing that is found."""
    reached = sorted((depth, arn) for arn, depth in found.depths.items() if arn != found.start)
    admitted = (place for place in reached if filters.admits(kind_of(place[1]), types.get(place[1], "")))
    if not filters.needs_records:
        yield from admitted
        return
    while lot := {arn: depth for depth, arn in islice(admitted, CHUNK)}:
        records = _records(rooms, tuple(lot))
        yield from ((lot[arn], arn) for arn in lot if arn in records and filters.matches(records[arn]))


def _edges_of(found: Walk, shown: set[str], cut: list[tuple[int, str]]) -> Iterator[dict[str, str]]:
    """Each edge is on the page of the later one of its ends."""
    here = {arn for _, arn in cut} if shown else set()
    for link in found.edges(here) if here else ():
        if link.source in shown and link.destination in shown:
            later = max((found.depths[arn], arn) for arn in (link.source, link.destination))
            if later[1] in here:
                yield _edge(link)


# --- without a start ----------------------------------------------------------------------------------------------


def _everything(rooms: Rooms, call: Call, filters: Filters, page: _Page) -> Answer:
    """All entities that match, kind by kind, newest first."""
    cut: list[Record] = []
    more = False
    for record in _entities(rooms, call, filters, page.after):
        if len(cut) == page.limit:
            more = True
            break
        cut.append(record)
    answer: dict[str, Any] = {"Vertices": [_vertex(record.arn, type_of(record)) for record in cut], "Edges": []}
    if page.edges:
        arns = [record.arn for record in cut]
        links = rooms.resources.links.of(ASSOCIATION, SOURCE, arns)
        wanted = _wanted(rooms, links, filters)
        answer["Edges"] = [_edge(link) for link in links if link.destination in wanted]
    if more:
        answer["NextToken"] = tokens.write((cut[-1].created, f"{cut[-1].kind}/{cut[-1].key}"), page.print)
    return answer


def _entities(rooms: Rooms, call: Call, filters: Filters, after: tuple[float, str] | None) -> Iterator[Record]:
    kinds = [kind for kind in KINDS.values() if not filters.kinds or kind in filters.kinds]
    position = None
    if after is not None:
        kind, _, key = after[1].partition("/")
        kinds, position = kinds[kinds.index(kind) :], (after[0], key)
    for kind in kinds:
        query = Query(kind, call.scope, CHUNK, descending=True, after=position)
        position = None
        yield from (record for record in rooms.resources.each(query) if filters.matches(record))


def _wanted(rooms: Rooms, links: Iterable[Link], filters: Filters) -> set[str]:
    records = _records(rooms, [link.destination for link in links if kind_of(link.destination)])
    return {arn for arn, record in records.items() if filters.matches(record)}


# --- parts --------------------------------------------------------------------------------------------------------


def _records(rooms: Rooms, arns: Sequence[str]) -> dict[str, Record]:
    return rooms.resources.reading(lambda transaction: transaction.get_by_arns(arns))


def _vertex(arn: str, type_: str) -> dict[str, str]:
    """A trial component that no job made has no type (the SDK's LineageQuery expects that)."""
    kind = kind_of(arn)
    shown = vertex_type(kind, type_)
    return {"Arn": arn, **({"Type": shown} if shown else {}), "LineageType": kind}


def _edge(link: Link) -> dict[str, str]:
    how = link.facts.get("AssociationType")
    ends = {"SourceArn": link.source, "DestinationArn": link.destination}
    return {**ends, "AssociationType": how} if how else ends
