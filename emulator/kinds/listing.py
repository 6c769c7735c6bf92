"""Reads from the model how a kind is listed: the member that holds the summaries, filters, sort keys.

Says what each parameter means; `resources.listing` does it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from emulator.kinds.derive import Derived, derive
from emulator.kinds.kind import Kind

PAGING = ("MaxResults", "NextToken", "SortBy", "SortOrder")
CREATED_BOUNDS = {"CreationTime", "Created", "CreatedAt"}
MODIFIED_BOUNDS = {"LastModifiedTime", "ModifiedTime", "LastUpdatedTime"}
OWN_TIMES = ("created", "modified")
"""What a summary may name that is no member of Describe: the times of the record itself."""
SORTS = {
    "name": "name",
    "creationtime": "created",
    "createdate": "created",
    "lastmodifiedtime": "modified",
    "status": "status",
    "version": "created",
    "accountidowner": "created",  # all hubs of an account are its own
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
    orders: tuple[tuple[str, tuple[str, ...]], ...]
    """Values of SortBy that no index of the store knows, each with the path of a member of Describe."""


def lister(kind: Kind) -> Lister:
    """How a kind is listed, read from the model."""
    derived, names = derive(kind.noun, kind.service), kind.listing.summary
    outputs = derived.outputs("List")
    answer = next((name for name, shape in outputs.items() if shape.type_name == "list"), "")
    element = outputs[answer].member if answer else None
    members = tuple(element.members) if element is not None and element.type_name == "structure" else ()
    found = {name: _filter(derived, name, kind) for name in derived.inputs("List") if name not in PAGING}
    found |= {name: Filter(name, "equals", ("linked", *link)) for name, link in kind.linked.items()}
    sort = derived.inputs("List").get("SortBy")
    sorts = {value: _sort(derived, value, names) for value in (sort.enum if sort is not None else ())}
    paths = {name: path for name in members if (path := _summary_path(derived, name, names))}
    return Lister(
        answer,
        tuple((name, path) for name, path in paths.items() if path != (name,)),
        tuple(name for name, path in paths.items() if path == (name,)),
        tuple(item for item in found.values() if item is not None),
        tuple(name for name, item in found.items() if item is None),
        tuple((value, word) for value, word in sorts.items() if isinstance(word, str)),
        tuple((value, path) for value, path in sorts.items() if path and not isinstance(path, str)),
    )


def parent_member(kind: Kind) -> str:
    """The member by which records of a kind hang together, or ""."""
    if kind.parent:
        return kind.parent
    key = kind.key or derive(kind.noun, kind.service).key
    return key[0] if len(key) > 1 else ""


def _plain(sort: str, derived: Derived) -> str:
    """IMAGE_NAME, HubName and Name are one; so are HubStatus and Status."""
    plain, noun = sort.replace("_", "").lower(), derived.noun.lower()
    return plain.removeprefix(noun).removeprefix(noun.removesuffix("version")) or plain


def _path(derived: Derived, member: str, names: Mapping[str, str]) -> tuple[str, ...]:
    name = names.get(member, member)
    return tuple(name.split(".")) if "." in name else derived.path(name)


def _has_another_name(derived: Derived) -> bool:
    """Whether a record's name is not its key: the house makes up the key of such kinds."""
    made_up = bool(derived.key) and derived.key[-1].endswith(("Arn", "Id"))
    return bool(_name(derived)) and (made_up or ("Name" not in derived.key and "Name" in derived.answered))


def _name(derived: Derived) -> str:
    return next((name for name in ("Name", f"{derived.noun}Name") if name in derived.answered), "")


def _sort(derived: Derived, value: str, names: Mapping[str, str]) -> str | tuple[str, ...]:
    """The store's word for a value of SortBy, else the path of the member that it names."""
    plain = _plain(value, derived)
    if plain in SORTS and not (plain == "name" and _has_another_name(derived)):
        return SORTS[plain]
    if plain == "name":
        return (_name(derived),)
    whole = value.replace("_", "").lower()
    member = next((name for name in derived.answered if name.lower() in (whole, plain)), value)
    return _word(derived, _path(derived, member, names))


def _summary_path(derived: Derived, member: str, names: Mapping[str, str]) -> tuple[str, ...]:
    path = _path(derived, member, names)
    if path:
        return path
    if names.get(member) in OWN_TIMES:
        return (names[member],)
    return {"CreationTime": ("created",), "LastModifiedTime": ("modified",)}.get(member, ())


def _filter(derived: Derived, member: str, kind: Kind) -> Filter | None:
    found = re.fullmatch(r"(.+?)(Equals|Contains|Prefix|After|Before)?", member)
    assert found is not None
    subject, suffix = found.group(1), found.group(2) or "Equals"
    test = {"Equals": "equals", "Contains": "contains", "Prefix": "starts", "After": "after", "Before": "before"}[
        suffix
    ]
    if member in kind.listing.contains:
        return Filter(member, "contains", _path(derived, member, kind.listing.summary))
    key = derived.key[-1] if derived.key else "Name"
    if (subject == "Name" and not _has_another_name(derived)) or (subject == key and test in ("contains", "starts")):
        return Filter(member, test, ("key",))
    if subject in ("Status", derived.status_member) and derived.status_member and test == "equals":
        return Filter(member, test, ("status",))
    if test in ("after", "before"):
        for target, subjects in (("created", CREATED_BOUNDS), ("modified", MODIFIED_BOUNDS)):
            if subject in subjects:
                return Filter(member, test, (target,))
    if subject == parent_member(kind) and test == "equals":
        return Filter(member, test, ("parent",))
    path = _path(derived, subject, kind.listing.summary)
    return Filter(member, test, _word(derived, path)) if path else None


def _word(derived: Derived, path: tuple[str, ...]) -> tuple[str, ...]:
    """A status that Describe tells with its particulars (WarmPoolStatus) is compared by its word alone."""
    shape = derived.answered.get(path[0]) if len(path) == 1 else None
    particulars = shape.members if shape is not None and shape.type_name == "structure" else ()
    return (*path, "Status") if "Status" in particulars else path
