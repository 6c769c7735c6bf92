"""Search and GetSearchSuggestions: a request becomes an `Asked`, what was found becomes an answer.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Search.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from emulator.call import Call
from emulator.errors import Validation
from emulator.kinds.facts import Facts
from emulator.kinds.kind import PAGE, Kind
from emulator.resources import tokens
from emulator.resources.search import suggesting
from emulator.resources.search.comparing import ANY, alternatives
from emulator.resources.search.contents import Contents
from emulator.resources.search.expression import EVERYTHING, Every, Filter, Node, Some, read
from emulator.resources.search.finding import Asked, Finder, Page
from emulator.resources.search.members import Members, none
from emulator.resources.search.narrowing import Memory, Sizes
from emulator.resources.search.ordering import Sorting
from emulator.resources.search.searchable import TIMES, Searchable, searchable
from emulator.store.search import SearchIndex
from emulator.store.terms import Place

LAST_MODIFIED = "LastModifiedTime"
TAG = "Tags."
PAGING = ("MaxResults", "NextToken")

LATEST = 1000
"""Records whose own names are suggested: those that were changed last."""


class Search:
    """Searches records of every kind. Thread safe, as the index is."""

    def __init__(
        self, index: SearchIndex, kinds: Iterable[Kind], members: Members = none, sizes: Sizes = Sizes()
    ) -> None:
        self._index = index
        self._facts = {kind.noun: Facts(kind) for kind in kinds}
        self._members = members
        self._memory = Memory()
        self._sizes = sizes

    def answer(self, call: Call) -> dict[str, Any]:
        """The answer to a Search request: one page."""
        what = searchable(call.params["Resource"])
        print_ = partial(self._print, call)
        facts = self._facts.get(what.noun)
        asked = self._asked(what, facts, call)
        # Nothing is found where there is no kind, nor of other accounts, of which there are none.
        if facts is None or call.params.get("CrossAccountFilterOption") == "CrossAccount":
            return _shown(what, Page(), "")
        if call.params.get("NextToken"):
            after = asked.sorting.read(call.params["NextToken"], print_())
            asked = replace(asked, after=after)
        contents = Contents(what, facts, self._members(what.noun))
        page = Finder(self._index, asked, contents, self._memory, self._sizes).page()
        return _shown(what, page, asked.sorting.token(page.next, print_()) if page.next else "")

    def suggest(self, call: Call) -> dict[str, Any]:
        """The answer to a GetSearchSuggestions request."""
        what = searchable(call.params["Resource"])
        query = (call.params.get("SuggestionQuery") or {}).get("PropertyNameQuery") or {}
        names = [*suggesting.declared(what), *suggesting.used(self._latest(what, call))]
        found = suggesting.hinted(names, query.get("PropertyNameHint") or "")
        return {"PropertyNameSuggestions": [{"PropertyName": name} for name in found]}

    def touch(self, arn: str) -> None:
        """Say that what a search computes of a record has changed, though nobody wrote the record itself."""
        self._index.touch(arn)

    def close(self) -> None:
        """Nothing is held open: the index is the store's."""

    # --- reading the request ------------------------------------------------------------------------------------------

    @staticmethod
    def _asked(what: Searchable, facts: Facts | None, call: Call) -> Asked:
        params = call.params
        node: Node = read(params.get("SearchExpression"), what.names)
        visible = _visible(what, params.get("VisibilityConditions") or ())
        node = Every((node, *visible)) if visible else node
        limit = int(params.get("MaxResults") or PAGE)
        return Asked(Place(what.noun, call.scope), node, _sorting(what, facts, params), limit)

    @staticmethod
    def _print(call: Call) -> str:
        asked = {name: value for name, value in call.params.items() if name not in PAGING}
        return tokens.fingerprint("Search", call.scope, asked)

    def _latest(self, what: Searchable, call: Call) -> Sequence[Mapping[str, Any]]:
        facts = self._facts.get(what.noun)
        if facts is None:
            return ()
        newest = Sorting(TIMES[LAST_MODIFIED], None, True)
        asked = Asked(Place(what.noun, call.scope), EVERYTHING, newest, LATEST)
        page = Finder(self._index, asked, Contents(what, facts, {})).page()
        return [what.unwrap(body) for _, body in page.records]


def _sorting(what: Searchable, facts: Facts | None, params: Mapping[str, Any]) -> Sorting:
    name = params.get("SortBy") or LAST_MODIFIED
    descending = (params.get("SortOrder") or "Descending") == "Descending"
    if name == LAST_MODIFIED:  # the default, also where the model has no such member
        return Sorting(TIMES[LAST_MODIFIED], None, descending)
    found = what.property(name)
    return Sorting(what.native(found, facts) if facts is not None else "", found, descending)


def _visible(what: Searchable, conditions: Sequence[Mapping[str, str]]) -> tuple[Node, ...]:
    """Records without the tag are visible, and so are those that have one of its values that were given."""
    values: dict[str, list[str]] = {}
    for one in conditions:
        if not one.get("Key", "").startswith(TAG) or not one["Key"][len(TAG) :]:
            raise Validation(f"The Key of a visibility condition is {TAG}<key>, not {one.get('Key', '')!r}.")
        values.setdefault(one["Key"], []).append(one.get("Value", ""))
    found = []
    for key, given in values.items():
        tag = what.property(key)
        having = tuple(way for value in given for way in alternatives(tag, "Equals", value))
        found.append(Some((Filter(tag, ANY, negated=True), Filter(tag, having))))
    return tuple(found)


# --- the answer -------------------------------------------------------------------------------------------------------


def _shown(what: Searchable, page: Page, token: str) -> dict[str, Any]:
    results = [{what.noun: body} if what.shown else {} for _, body in page.records]
    relation = "EqualTo" if page.counted else "GreaterThanOrEqualTo"
    shown: dict[str, Any] = {"Results": results, "TotalHits": {"Value": page.total, "Relation": relation}}
    if token:
        shown["NextToken"] = token
    return shown
