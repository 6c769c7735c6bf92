"""One search at work: the index narrows, the bodies decide. What is few is read and sorted, what is many is walked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import islice
from typing import Any

from emulator.resources.search.contents import Contents, Heads, heads_of
from emulator.resources.search.expression import EVERYTHING, Node
from emulator.resources.search.narrowing import Candidates, Memory, Narrowing, Sizes
from emulator.resources.search.ordering import NUMBERS, Position, Sorting
from emulator.resources.search.walking import Walk
from emulator.store.records import Record
from emulator.store.search import SearchIndex, SearchView
from emulator.store.terms import Condition, Place

EVERY_RECORD = Condition("all")

GLANCE = 5
"""Records that a glance looks at for each that a page has room for."""


@dataclass(frozen=True)
class Asked:
    """A search, understood."""

    place: Place
    node: Node
    sorting: Sorting
    limit: int
    after: Position | None = None


@dataclass(frozen=True)
class Page:
    """What came of it: the records, each with what results show of it; where the next page begins; how many match."""

    records: Sequence[tuple[Record, Mapping[str, Any]]] = ()
    next: Position | None = None
    total: int = 0
    counted: bool = True
    """Whether `total` is all that match, or only as many as were seen."""


@dataclass(frozen=True)
class Finder:
    """Finds the page of one search."""

    index: SearchIndex
    asked: Asked
    contents: Contents
    memory: Memory = field(default_factory=Memory)
    sizes: Sizes = field(default_factory=Sizes)

    def page(self) -> Page:
        """The page."""
        with self.index.read(self.asked.place) as view:
            if view.size(self.sizes.few) <= self.sizes.few:
                return self._among(view, view.ids(EVERY_RECORD))
        while True:
            self.index.catch_up(self.asked.place, self.contents.read)
            commits = self.index.commits  # before the view: what is written meanwhile makes what it finds old
            with self.index.read(self.asked.place) as view:
                found = self._look(view, commits)
            if isinstance(found, Page):
                return found
            self.index.build(self.asked.place, found, self.contents.read)

    def _look(self, view: SearchView, commits: int) -> Page | list[str]:
        """The page, or the properties that must be indexed first."""
        place, node = self.asked.place, self.asked.node
        narrowing = Narrowing(view, self.contents.column, self.sizes.few)
        candidates = self.memory.get(place, node, commits)
        if candidates is None:
            if page := self._glance(view, narrowing):
                return page
            candidates = narrowing.find(node)
        if page := self._of_few(view, candidates):
            return page
        missing = narrowing.missing | self._missing_order(view)
        if missing:
            return sorted(missing)
        self.memory.keep(place, node, commits, candidates)
        if self._unordered:
            return self._among(view, view.ids(EVERY_RECORD) if candidates.ids is None else candidates.ids)
        return self._walk(view, candidates)

    @property
    def _unordered(self) -> bool:
        """Whether nothing can be walked on: what is sorted by has no index."""
        sorting = self.asked.sorting
        return not sorting.column and sorting.found is not None and self.contents.column(sorting.found) is None

    def _missing_order(self, view: SearchView) -> set[str]:
        found = None if self.asked.sorting.column or self._unordered else self.asked.sorting.found
        return {found.name} if found is not None and found.name not in view.properties else set()

    def _glance(self, view: SearchView, narrowing: Narrowing) -> Page | None:
        """The page, if it fills up at once: among very many records, most that match are not looked for."""
        asked = self.asked
        if asked.node == EVERYTHING or self._unordered or self._missing_order(view):
            return None
        if view.size(self.sizes.large) <= self.sizes.large or narrowing.estimate(asked.node) <= self.sizes.few:
            return None
        met = self._met(view, islice(self._way(view).stops(), GLANCE * (asked.limit + 1)))
        return self._made(view, met, len(met), False) if len(met) > asked.limit else None

    # --- few ---------------------------------------------------------------------------------------------------------

    def _of_few(self, view: SearchView, candidates: Candidates) -> Page | None:
        """The page of candidates that are few enough to look at all of them."""
        if candidates.ids is None:
            return None
        if candidates.exact and self.asked.sorting.column and len(candidates.ids) <= self.sizes.sorted:
            return self._sorted(view, candidates.ids)
        return self._among(view, candidates.ids) if len(candidates.ids) <= self.sizes.few else None

    def _among(self, view: SearchView, ids: Iterable[int]) -> Page:
        """The page of candidates that are read, all of them."""
        asked, found = self.asked, []
        for number in ids:
            record = self._load(view, number)
            body = self._body(view, record, self._heads) if record is not None else {}
            if record is not None and asked.node.matches(body):
                found.append((asked.sorting.position(record, number, body), record))
        arranged = asked.sorting.arrange(found)
        rest = [one for one in arranged if asked.after is None or asked.sorting.behind(one[0], asked.after)]
        return self._made(view, rest, len(arranged), True)

    def _sorted(self, view: SearchView, ids: Iterable[int]) -> Page:
        """The page of candidates that are known to match: only those that it shows are read."""
        asked, standing = self.asked, list[tuple[Position, int]]()
        for number in ids:
            stand = view.stand(asked.sorting.column, number)
            if stand is not None:
                standing.append((Position(NUMBERS, *stand), number))
        arranged = asked.sorting.arrange(standing)
        behind = (one for one in arranged if asked.after is None or asked.sorting.behind(one[0], asked.after))
        return self._made(view, self._met(view, behind), len(arranged), True)

    # --- many --------------------------------------------------------------------------------------------------------

    def _walk(self, view: SearchView, candidates: Candidates) -> Page:
        """The page of candidates that are met on a walk through an index, in order."""
        met = self._met(view, self._way(view).stops(candidates.ids))
        if not candidates.exact:
            return self._made(view, met, len(met), False)
        if candidates.ids is not None:
            return self._made(view, met, len(candidates.ids), True)
        total, most = view.size(self.sizes.large), self.sizes.large
        return self._made(view, met, min(total, most), total <= most)

    def _met(self, view: SearchView, stops: Iterable[tuple[Position, int]]) -> list[tuple[Position, Record]]:
        """The records that match among those that are met, until the page is full and one is over."""
        asked, met = self.asked, list[tuple[Position, Record]]()
        for position, number in stops:
            record = self._load(view, number)
            body = self._body(view, record, self._heads) if record is not None else {}
            if record is None or not asked.node.matches(body):
                continue
            # A record with several values is met once for each, and stands where the first of them does. Two of them
            # may be the same there: 1 and 1.0.
            stands_here = asked.sorting.position(record, number, body) == position
            if stands_here and not (met and met[-1][0] == position):
                met.append((position, record))
            if len(met) > asked.limit:
                break
        return met

    def _way(self, view: SearchView) -> Walk:
        return Walk(view, self.asked.sorting, self.asked.node, self.asked.after)

    # --- records -----------------------------------------------------------------------------------------------------

    def _made(self, view: SearchView, found: Sequence[tuple[Position, Record]], total: int, counted: bool) -> Page:
        shown = found[: self.asked.limit]
        following = shown[-1][0] if len(found) > len(shown) else None
        return Page([(record, self._body(view, record)) for _, record in shown], following, total, counted)

    def _load(self, view: SearchView, number: int) -> Record | None:
        record = view.load(number)
        return record if record is not None and Place(record.kind, record.scope) == self.asked.place else None

    def _body(self, view: SearchView, record: Record, heads: Heads | None = None) -> dict[str, Any]:
        return self.contents.of(record, partial(view.tags, record.arn), heads)

    @cached_property
    def _heads(self) -> Heads:
        found = self.asked.sorting.found
        return heads_of([*self.asked.node.properties(), *([found] if found is not None else [])])
