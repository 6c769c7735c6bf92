"""Associations of lineage entities: added, removed, listed with the types and names of their ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from emulator.behaviours.lineage import absent, entity
from emulator.behaviours.lineage_writing import association
from emulator.behaviours.rooms import Rooms
from emulator.call import Answer, Call
from emulator.errors import NotFound, Validation
from emulator.kinds.kind import DESC
from emulator.kinds.listing import PAGING
from emulator.kinds.relations import ASSOCIATION
from emulator.lineage.entities import kind_of, name_of
from emulator.resources import tokens
from emulator.resources.links import NoEnd
from emulator.store.links import Link, LinkQuery
from emulator.store.records import DuplicateKey, Record

PAGE = 10
CHUNK = 500
SORTS = {"CreationTime": "created", "SourceArn": "source", "DestinationArn": "destination"}
TYPES = ("SourceType", "DestinationType", "AssociationType")
EXPERIMENTS = ("Experiment", "TrialComponent")


def add_association(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_AddAssociation.html."""
    ends = {name: call.params[name] for name in ("SourceArn", "DestinationArn")}
    source, destination = (entity(rooms, call, arn) for arn in ends.values())
    if source.kind in EXPERIMENTS and destination.kind in EXPERIMENTS:
        raise Validation(
            f"Associations cannot be created between two experiment entities: {source.arn} and {destination.arn}."
        )
    at = round(rooms.clock.now(), 3)
    try:
        rooms.resources.links.add(association(source, destination, at, call.params.get("AssociationType")))
    except NoEnd as gone:
        raise absent(rooms, gone.arn) from gone
    except DuplicateKey as taken:
        raise Validation(
            "Associations must be unique within an AWS account and region. "
            f"Association from {source.arn} to {destination.arn} already exists."
        ) from taken
    return ends


def delete_association(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeleteAssociation.html."""
    ends = {name: call.params[name] for name in ("SourceArn", "DestinationArn")}
    if not rooms.resources.links.drop(call.scope, ASSOCIATION, *ends.values()):
        raise NotFound(f"Association from {ends['SourceArn']} to {ends['DestinationArn']} does not exist.")
    return ends


def list_associations(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListAssociations.html."""
    params, limit = call.params, int(call.params.get("MaxResults") or PAGE)
    by = params.get("SortBy") or "CreationTime"
    print_ = tokens.fingerprint("Association", call.scope, {k: v for k, v in params.items() if k not in PAGING}, by)
    order = (by, (params.get("SortOrder") or DESC) == DESC)
    after = None
    if params.get("NextToken"):
        value, number = tokens.read(params["NextToken"], print_, float if by == "CreationTime" else str)
        after = (value, int(number))
    page, more = _page(_matching(rooms, call, order, after), limit)
    answer: dict[str, Any] = {"AssociationSummaries": _summaries(rooms, page)}
    if more:
        answer["NextToken"] = tokens.write((_value(page[-1], by), str(page[-1].number)), print_)
    return answer


def _matching(rooms: Rooms, call: Call, order: tuple[str, bool], after: tuple[Any, int] | None) -> Iterator[Link]:
    """The associations that are asked for, in order, behind a position."""
    (by, descending), params = order, call.params
    wanted = {name: params[name] for name in TYPES if params.get(name) is not None}
    bounds = tuple(params[name].timestamp() if params.get(name) else None for name in ("CreatedAfter", "CreatedBefore"))
    query = LinkQuery(
        call.scope,
        ASSOCIATION,
        CHUNK,
        source=params.get("SourceArn") or "",
        destination=params.get("DestinationArn") or "",
        created=(bounds[0], bounds[1]),
        sort=SORTS.get(by, "created"),
        descending=descending,
        after=after if by in SORTS else None,
    )
    links = rooms.resources.links.each(query)
    if by not in SORTS:  # no index knows types
        links = _behind(sorted(links, key=partial(_place, by), reverse=descending), by, descending, after)
    own = (link for link in links if link.scope == call.scope)
    return (link for link in own if all(link.facts.get(name) == value for name, value in wanted.items()))


def _behind(links: list[Link], by: str, descending: bool, after: tuple[Any, int] | None) -> Iterator[Link]:
    for link in links:
        place = _place(by, link)
        if after is None or (place < after if descending else place > after):
            yield link


def _place(by: str, link: Link) -> tuple[Any, int]:
    return _value(link, by), link.number


def _value(link: Link, by: str) -> Any:
    return getattr(link, SORTS[by]) if by in SORTS else link.facts.get(by, "")


def _page(links: Iterator[Link], limit: int) -> tuple[list[Link], bool]:
    page: list[Link] = []
    for link in links:
        if len(page) == limit:
            return page, True
        page.append(link)
    return page, False


def _summaries(rooms: Rooms, links: list[Link]) -> list[dict[str, Any]]:
    ends = {arn for link in links for arn in (link.source, link.destination)}
    artifacts = [arn for arn in ends if kind_of(arn) == "Artifact"]
    records = rooms.resources.reading(lambda transaction: transaction.get_by_arns(artifacts))
    names = {arn: _name(arn, records) for arn in ends}
    return [
        {
            "SourceArn": link.source,
            "DestinationArn": link.destination,
            **link.facts,
            **{f"{end}Name": names[arn] for end, arn in _ends(link) if names[arn]},
            "CreationTime": link.created,
        }
        for link in links
    ]


def _ends(link: Link) -> tuple[tuple[str, str], ...]:
    return ("Source", link.source), ("Destination", link.destination)


def _name(arn: str, artifacts: Mapping[str, Record]) -> str:
    """Artifacts have a name of their own, or none: their ARNs end in an id."""
    if kind_of(arn) != "Artifact":
        return name_of(arn)
    return str(artifacts[arn].body.get("ArtifactName") or "") if arn in artifacts else ""
