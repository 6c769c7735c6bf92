"""Access control lists: recorded and shown, and never enforced (every caller of a local S3 is its owner)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from emulator.call import Answer, Call
from emulator.neighbours.s3 import faults
from emulator.neighbours.s3.reading import find
from emulator.neighbours.s3.service import S3, owner

_GROUPS = "http://acs.amazonaws.com/groups/"
_EVERYBODY = {"Type": "Group", "URI": _GROUPS + "global/AllUsers"}
_AUTHENTICATED = {"Type": "Group", "URI": _GROUPS + "global/AuthenticatedUsers"}
_LOG_DELIVERY = {"Type": "Group", "URI": _GROUPS + "s3/LogDelivery"}
_CANNED: Mapping[str, tuple[tuple[Mapping[str, str], str], ...]] = {
    "private": (),
    "public-read": ((_EVERYBODY, "READ"),),
    "public-read-write": ((_EVERYBODY, "READ"), (_EVERYBODY, "WRITE")),
    "authenticated-read": ((_AUTHENTICATED, "READ"),),
    "aws-exec-read": (),
    "bucket-owner-read": (),
    "bucket-owner-full-control": (),
    "log-delivery-write": ((_LOG_DELIVERY, "WRITE"), (_LOG_DELIVERY, "READ_ACP")),
}
_HEADERS = {
    "GrantFullControl": "FULL_CONTROL",
    "GrantRead": "READ",
    "GrantReadACP": "READ_ACP",
    "GrantWrite": "WRITE",
    "GrantWriteACP": "WRITE_ACP",
}
_WAYS = {
    "id": ("CanonicalUser", "ID"),
    "uri": ("Group", "URI"),
    "emailAddress": ("AmazonCustomerByEmail", "EmailAddress"),
}


def grants_of(call: Call) -> dict[str, Any]:
    """What a request says about access, in the form that is recorded; empty when it says nothing."""
    canned, policy = call.params.get("ACL"), call.params.get("AccessControlPolicy")
    if canned and canned not in _CANNED:
        raise faults.invalid("x-amz-acl", canned, f"The canned ACL must be one of {', '.join(sorted(_CANNED))}.")
    if policy:
        return {"Grants": policy.get("Grants") or []}
    if canned:
        return {"Canned": canned}
    grants = [grant for member, right in _HEADERS.items() for grant in _header(call.params.get(member, ""), right)]
    return {"Grants": grants} if grants else {}


def get_bucket_acl(s3: S3, call: Call) -> Answer:
    """The owner and the grants of a bucket."""
    bucket = s3.bucket(call)
    return _shown(bucket.account, bucket.document.get("acl") or {})


def put_bucket_acl(s3: S3, call: Call) -> Answer:
    """Record the grants of a bucket."""
    with s3.shelf.turn:
        bucket = s3.bucket(call)
        document = {**bucket.document, "acl": _wanted(call)}
        s3.shelf.index.update_bucket(bucket.name, document, bucket.versioning)
    return {}


def get_object_acl(s3: S3, call: Call) -> Answer:
    """The owner and the grants of a version."""
    bucket = s3.bucket(call)
    return _shown(bucket.account, find(s3, call).facts.get("acl") or {})


def put_object_acl(s3: S3, call: Call) -> Answer:
    """Record the grants of a version."""
    s3.bucket(call)
    with s3.shelf.turn:
        found = find(s3, call)
        found = replace(found, facts={**found.facts, "acl": _wanted(call)})
        s3.shelf.index.replace_facts(found.bucket, found.key, found.version, found.facts)
    return {}


def _wanted(call: Call) -> dict[str, Any]:
    grants = grants_of(call)
    if not grants:
        raise faults.invalid_request("The request must contain a canned ACL, grant headers or an AccessControlPolicy")
    return grants


def _header(text: str, right: str) -> list[dict[str, Any]]:
    grants = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        way, _, value = part.partition("=")
        if way not in _WAYS:
            raise faults.invalid("x-amz-grant", part, "Argument format not recognized")
        kind, member = _WAYS[way]
        grants.append({"Grantee": {"Type": kind, member: value.strip('"')}, "Permission": right})
    return grants


def _shown(account: str, recorded: Mapping[str, Any]) -> Answer:
    me = owner(account)
    if "Grants" in recorded:
        return {"Owner": me, "Grants": recorded["Grants"]}
    grants = [{"Grantee": {"Type": "CanonicalUser", **me}, "Permission": "FULL_CONTROL"}]
    for grantee, right in _CANNED[recorded.get("Canned", "private")]:
        grants.append({"Grantee": dict(grantee), "Permission": right})
    return {"Owner": me, "Grants": grants}
