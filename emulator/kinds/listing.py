"""Reads from the model how a kind is listed: the member that holds the summaries, filters, sort keys.

Says what each parameter means; `resources.listing` does it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from emulator.kinds.derive import Derived, derive
from emulator.kinds.kind import Kind

PAGING = ("MaxResults", "NextToken", "SortBy", "SortOrder")
CREATED_BOUNDS = {"CreationTime", "Created", "CreatedAt"}
MODIFIED_BOUNDS = {"LastModifiedTime", "ModifiedTime", "LastUpdatedTime"}
SORTS = {
    "name": "name",
    "creationtime": "created",
    "createdate": "created",
    "lastmodifiedtime": "modified",
    "status": "status",
}


@dataclass(frozen=True)
class Filter:
    """One parameter of a list call. `test` is equals, contains, starts, after or before.

    `target` is `key`, `status`, `created`, `modified`, `parent` or `linked` with a relation and an end (all indexed),
    else the path of a member of Describe.
    """

    member: str
    test: str
    target: tuple[str, ...]


@dataclass(frozen=True)
class Lister:
    """How a kind is listed."""

    answer: str
    """The output member that holds the summaries."""
    summary: tuple[tuple[str, tuple[str, ...]], ...]
    """Members of a summary, each with its path in Describe; `created` and `modified` stand for the record's times.
    Those that Describe has under the same name are `echoed` instead."""
    echoed: tuple[str, ...]
    filters: tuple[Filter, ...]
    unknown: tuple[str, ...]
    """Parameters that the model does not explain: refused when given."""
    sorts: tuple[tuple[str, str], ...]
    """Values of SortBy, each with the store's word for it."""


Links = tuple[tuple[str, tuple[str, str]], ...]


@cache
def _lister(noun: str, service: str, parent: str, renamed: tuple[tuple[str, str], ...], links: Links) -> Lister:
    derived = derive(noun, service)
    names = dict(renamed)
    outputs = derived.outputs("List")
    answer = next((name for name, shape in outputs.items() if shape.type_name == "list"), "")
    element = outputs[answer].member if answer else None
    members = tuple(element.members) if element is not None and element.type_name == "structure" else ()
    inputs = [name for name in derived.inputs("List") if name not in PAGING]
    found = {name: _filter(derived, name, parent, names) for name in inputs}
    found |= {name: Filter(name, "equals", ("linked", *link)) for name, link in links}
    sort = derived.inputs("List").get("SortBy")
    words = {value: SORTS.get(_plain(value, derived), "") for value in (sort.enum if sort is not None else ())}
    paths = {name: path for name in members if (path := _summary_path(derived, name, names))}
    return Lister(
        answer,
        tuple((name, path) for name, path in paths.items() if path != (name,)),
        tuple(name for name, path in paths.items() if path == (name,)),
        tuple(item for item in found.values() if item is not None),
        tuple(name for name, item in found.items() if item is None),
        tuple((value, word) for value, word in words.items() if word),
    )


def lister(kind: Kind) -> Lister:
    """How a kind is listed; read from the model once."""
    renamed, links = tuple(kind.listing.summary.items()), tuple(kind.linked.items())
    return _lister(kind.noun, kind.service, parent_member(kind), renamed, links)


def parent_member(kind: Kind) -> str:
    """The member by which records of a kind hang together, or ""."""
    if kind.parent:
        return kind.parent
    key = kind.key or derive(kind.noun, kind.service).key
    return key[0] if len(key) > 1 else ""


def _plain(sort: str, derived: Derived) -> str:
    """IMAGE_NAME, HubName and Name are one; so are HubStatus and Status."""
    plain = sort.replace("_", "").lower()
    return plain.removeprefix(derived.noun.lower()) or plain


def _summary_path(derived: Derived, member: str, renamed: dict[str, str]) -> tuple[str, ...]:
    path = derived.path(renamed.get(member, member))
    if path:
        return path
    return {"CreationTime": ("created",), "LastModifiedTime": ("modified",)}.get(member, ())


def _filter(derived: Derived, member: str, parent: str, renamed: dict[str, str]) -> Filter | None:
    found = re.fullmatch(r"(.+?)(Equals|Contains|Prefix|After|Before)?", member)
    assert found is not None
    subject, suffix = found.group(1), found.group(2) or "Equals"
    test = {"Equals": "equals", "Contains": "contains", "Prefix": "starts", "After": "after", "Before": "before"}[
        suffix
    ]
    key = derived.key[-1] if derived.key else "Name"
    if subject == "Name" or (subject == key and test in ("contains", "starts")):
        return Filter(member, test, ("key",))
    if subject in ("Status", derived.status_member) and derived.status_member and test == "equals":
        return Filter(member, test, ("status",))
    if test in ("after", "before"):
        for target, subjects in (("created", CREATED_BOUNDS), ("modified", MODIFIED_BOUNDS)):
            if subject in subjects:
                return Filter(member, test, (target,))
    if subject == parent and test == "equals":
        return Filter(member, test, ("parent",))
    path = derived.path(renamed.get(subject, subject))
    return Filter(member, test, _word(derived, path)) if path else None


def _word(derived: Derived, path: tuple[str, ...]) -> tuple[str, ...]:
    """A status that Describe tells with its particulars (WarmPoolStatus) is compared by its word alone."""
    shape = derived.answered.get(path[0]) if len(path) == 1 else None
    particulars = shape.members if shape is not None and shape.type_name == "structure" else ()
    return (*path, "Status") if "Status" in particulars else path
