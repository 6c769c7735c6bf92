"""Search over a private store, for tests: records written straight into it, searched with an index or without one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from emulator.call import Call, Scope
from emulator.kinds import KINDS
from emulator.resources.search import Computed, Search, Sizes
from emulator.store import Record, open_store

SCOPE = Scope("123456789012", "eu-west-1")
READ_ALL = Sizes()
"""All records are read one by one: in the scopes of tests there are few."""
INDEXED = Sizes(few=0, sorted=0)
"""None are: whatever can be looked up is."""
MIXED = Sizes(few=2, sorted=3)
GLANCED = Sizes(few=0, sorted=0, large=2)
"""Three records are very many."""


class Seeker:
    """A store and searches in it; `sizes` make them go about it in one way or another."""

    def __init__(self, sizes: Sizes = READ_ALL, computed: Mapping[str, Mapping[str, Computed]] | None = None) -> None:
        self.store = open_store()
        self.search = self.of(sizes, computed)

    def of(self, sizes: Sizes, computed: Mapping[str, Mapping[str, Computed]] | None = None) -> Search:
        """A search of the same records."""
        return Search(self.store.search, KINDS, lambda noun: (computed or {}).get(noun, {}), sizes)

    def put(self, kind: str, key: str, tags: Mapping[str, str] | None = None, **body: Any) -> Record:
        """Write a record; `scope`, `created` and `modified` may be given beside the members of the body."""
        scope = body.pop("scope", SCOPE)
        created, modified = body.pop("created", 1.0), body.pop("modified", 1.0)
        arn = f"arn:aws:sagemaker:{scope.region}:{scope.account}:{kind.lower()}/{key}"
        status = body.get(f"{kind}Status", "")
        record = Record(kind, scope, key, arn, body, created, modified, status=status)
        with self.store.write() as transaction:
            there = transaction.get(kind, scope, key)
            if there is None:
                record = transaction.insert(record)
            else:
                record = transaction.replace(replace(record, version=there.version))
                transaction.drop_tags(arn, tuple(key for key, _ in transaction.tags(arn)))
            if tags:
                transaction.set_tags(arn, tags)
        return record

    def drop(self, kind: str, key: str) -> None:
        """Delete a record."""
        with self.store.write() as transaction:
            there = transaction.get(kind, SCOPE, key)
            assert there is not None
            transaction.delete(there)

    def ask(self, resource: str, search: Search | None = None, **params: Any) -> dict[str, Any]:
        """The answer to a Search request."""
        scope = params.pop("scope", SCOPE)
        return (search or self.search).answer(Call("sagemaker", "Search", {"Resource": resource, **params}, scope))

    def suggest(self, resource: str, hint: str | None = None) -> list[str]:
        """The names that GetSearchSuggestions answers."""
        params: dict[str, Any] = {"Resource": resource}
        if hint is not None:
            params["SuggestionQuery"] = {"PropertyNameQuery": {"PropertyNameHint": hint}}
        found = self.search.suggest(Call("sagemaker", "GetSearchSuggestions", params, SCOPE))
        return [one["PropertyName"] for one in found["PropertyNameSuggestions"]]

    def keys(self, resource: str, *filters: Sequence[str], **params: Any) -> list[str]:
        """The names of the records that filters (name, operator, value) find, on all pages."""
        operator = params.pop("operator", "And")
        if filters:
            given = [dict(zip(("Name", "Operator", "Value"), one, strict=False)) for one in filters]
            params["SearchExpression"] = {"Filters": given, "Operator": operator}
        return list(self.all(resource, **params))

    def all(self, resource: str, **params: Any) -> Iterator[str]:
        """The names of all that is found, page by page."""
        while True:
            page = self.ask(resource, **params)
            yield from (name_of(one) for one in page["Results"])
            if "NextToken" not in page:
                return
            params["NextToken"] = page["NextToken"]


def name_of(result: Mapping[str, Any]) -> str:
    """The name of what a result shows."""
    ((noun, body),) = result.items()
    found: str = body.get(f"{noun}Name") or body[noun][f"{noun}Name"]
    return found
