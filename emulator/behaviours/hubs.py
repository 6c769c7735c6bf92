"""Contents of hubs: documents that are imported by versions, listed by the latest, and lent out by presigned URLs.

The public hub is a catalogue of AWS's and not here: whoever asks for it is told so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from emulator.behaviours.rooms import Rooms
from emulator.call import Answer, Call
from emulator.errors import InUse, NotBuilt, Validation
from emulator.resources import making, versions
from emulator.resources.faults import fault
from emulator.resources.listing import Only
from emulator.resources.tagging import given as tags_of
from emulator.store.records import Query, Record, Transaction

HEAD, COPIES = "HubContent", "HubContentVersion"
PUBLIC = "SageMakerPublicHub"
REFERENCE = "ModelReference"
FIRST = "1.0.0"
"""The version of what is imported without one (the SDK's default); each further one is a patch."""
CHANGEABLE = (
    "HubContentDisplayName",
    "HubContentDescription",
    "HubContentMarkdown",
    "HubContentSearchKeywords",
    "SupportStatus",
)
ALL = 1000


def describe_hub(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeHub.html."""
    check_private(call)
    return rooms.resources.describe("Hub", call)


def import_hub_content(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ImportHubContent.html."""
    params = call.params
    hub = private_hub(rooms, call)
    if params["HubContentType"] == REFERENCE:
        raise NotBuilt(f"ImportHubContent of a {REFERENCE} is not built: it refers to {PUBLIC}, which is not here.")
    document = _document(params["HubContentDocument"])
    head = rooms.resources.find(HEAD, call.scope, f"{hub.key}/{params['HubContentType']}/{params['HubContentName']}")
    version = params.get("HubContentVersion") or _after(head)
    given = replace(call, params={**params, "HubName": hub.key, "HubContentVersion": version})
    draft = rooms.resources.draft(HEAD, given, round(rooms.clock.now(), 3), extra=_extra(hub, document))
    arn = f"{draft.arn}/{version}"
    draft = replace(draft, body={**draft.body, "HubContentArn": arn})
    tags = tags_of(params.get("Tags"))

    def write(transaction: Transaction) -> None:
        _keep(rooms, transaction, draft)
        if tags:
            transaction.set_tags(arn, tags)

    rooms.resources.together(write)
    return {"HubArn": hub.arn, "HubContentArn": arn}


def update_hub_content(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateHubContent.html."""
    params = call.params
    check_private(call)
    if params["HubContentType"] == REFERENCE:
        raise Validation(f"A {REFERENCE} is updated by UpdateHubContentReference.")
    given = {name: params[name] for name in CHANGEABLE if name in params}
    if not given:
        raise Validation(f"Give at least one of {', '.join(CHANGEABLE)}.")
    version = rooms.resources.named(HEAD, call)
    head = rooms.resources.get(HEAD, call.scope, version.parent)
    facts = rooms.resources.facts(HEAD)
    shown = head.body[COPIES] == version.body[COPIES]
    edited = rooms.resources.change(
        head.kind if shown else version.kind,
        call.scope,
        head.key if shown else version.key,
        lambda current: making.edited(facts, current, replace(call, params=given)),
    )
    return {"HubArn": edited.body["HubArn"], "HubContentArn": edited.body["HubContentArn"]}


def delete_hub_content(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeleteHubContent.html."""
    check_private(call)
    version = rooms.resources.named(HEAD, call)

    def drop(transaction: Transaction) -> None:
        transaction.delete(version)
        head = transaction.get(HEAD, call.scope, version.parent)
        rest = transaction.page(Query(COPIES, call.scope, ALL, parent=version.parent))
        if head is not None and not rest:
            transaction.delete(head)
        elif head is not None and head.body[COPIES] == version.body[COPIES]:
            newest = max(rest, key=lambda one: ordered(one.body[COPIES]))
            transaction.replace(replace(head, body=newest.body, modified=newest.modified, status=newest.status))

    rooms.resources.together(drop)
    return {}


def describe_hub_content(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeHubContent.html."""
    check_private(call)
    return rooms.resources.describe(HEAD, call)


def list_hub_contents(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListHubContents.html."""
    check_private(call)
    return rooms.resources.list(HEAD, *_bounded(call))


def list_hub_content_versions(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListHubContentVersions.html."""
    check_private(call)
    return rooms.resources.list(COPIES, *_bounded(call))


# --- the public hub, and ours -----------------------------------------------------------------------------------------


def check_private(call: Call) -> None:
    """`NotBuilt` for the public hub, by its name or its ARN, which has no account."""
    name = call.params["HubName"]
    if name == PUBLIC or ":aws:hub/" in name:
        raise NotBuilt(
            f"{call.operation} of {PUBLIC} is not built: AWS's public hub is not here. Use a hub of your own."
        )


def private_hub(rooms: Rooms, call: Call) -> Record:
    """The hub that a request names."""
    check_private(call)
    hub = rooms.resources.get("Hub", call.scope, call.params["HubName"])
    if hub.status == "Deleting":
        raise InUse(f"Hub {hub.arn} is being deleted.")
    return hub


# --- versions ---------------------------------------------------------------------------------------------------------


def ordered(version: str) -> tuple[int, ...]:
    """A version as what it is ordered by: 1.10.0 is above 1.9.0."""
    return tuple(int(number) for number in re.findall(r"\d+", version))


def _after(head: Record | None) -> str:
    if head is None:
        return FIRST
    *rest, patch = ordered(head.body[COPIES])
    return ".".join(map(str, (*rest, patch + 1)))


def _keep(rooms: Rooms, transaction: Transaction, draft: Record) -> None:
    """Write a new version; the content itself shows it where it is the highest."""
    copies, number = rooms.resources.facts(COPIES), draft.body[COPIES]
    key = versions.key(draft, number)
    if transaction.get(COPIES, draft.scope, key) is not None:
        raise fault(copies.taken, copies, key, f"{draft.arn}/{number}")
    head = transaction.get(HEAD, draft.scope, draft.key)
    if head is None:
        transaction.insert(draft)
    elif ordered(number) > ordered(head.body[COPIES]):
        transaction.replace(replace(draft, created=head.created, version=head.version))
    versions.keep(transaction, copies, draft)


def _bounded(call: Call) -> tuple[Call, Only]:
    """A list call without the bounds of versions that it gives, and the test for those."""
    params = dict(call.params)
    low, high = params.pop("MinVersion", None), params.pop("MaxSchemaVersion", None)

    def test(content: Record) -> bool:
        return (low is None or ordered(content.body[COPIES]) >= ordered(low)) and (
            high is None or ordered(content.body["DocumentSchemaVersion"]) <= ordered(high)
        )

    return replace(call, params=params), Only(f"{low} {high}", test)


# --- documents --------------------------------------------------------------------------------------------------------


def _document(text: str) -> Mapping[str, Any]:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise Validation(f"HubContentDocument is not JSON: {error}.") from None
    if not isinstance(document, dict):
        raise Validation("HubContentDocument must be a JSON object.")
    return document


def _extra(hub: Record, document: Mapping[str, Any]) -> dict[str, Any]:
    """What Describe tells of a content beside what was given."""
    names = ("DependencyOriginPath", "DependencyCopyPath")
    listed = document.get("Dependencies") if isinstance(document.get("Dependencies"), list) else []
    found = [{name: str(one[name]) for name in names if one.get(name)} for one in listed or [] if isinstance(one, dict)]
    dependencies = [one for one in found if one]
    return {"HubArn": hub.arn, **({"HubContentDependencies": dependencies} if dependencies else {})}
