"""Presigned URLs for the artifacts that a hub's content names: objects of our own S3, for a quarter of an hour."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any
from urllib.parse import quote, urlencode

from emulator.behaviours.hubs import HEAD, check_private
from emulator.behaviours.rooms import Rooms
from emulator.call import Answer, Call, Scope
from emulator.errors import NotBuilt, Validation
from emulator.kinds.kind import ASC
from emulator.resources.parts import Part, page
from emulator.storage import uri

SECONDS = 900
"""For how long a URL is good (API_AuthorizedUrl)."""
PAGE = 100


def create_presigned_urls(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateHubContentPresignedUrls.html."""
    check_private(call)
    content = rooms.resources.named(HEAD, call)
    named = sorted(set(_artifacts(json.loads(content.body["HubContentDocument"]))))
    expected = (call.params.get("AccessConfig") or {}).get("ExpectedS3Url")
    if expected and not any(one.startswith(expected) for one in named):
        raise Validation(f"{content.body['HubContentArn']} has no artifact at {expected}.")
    objects = {found for one in named for found in _objects(rooms, one)}
    if not objects:
        where = f"none of {', '.join(named)} is" if named else "its document names no artifact that is"
        raise NotBuilt(f"No URL can be made for {content.body['HubContentArn']}: {where} in the S3 of this server.")
    parts = (
        Part(key, bucket, {"Url": _url(rooms, call.scope, bucket, key), "LocalPath": f"/{key}"})
        for bucket, key in objects
    )
    return page(call, parts, "AuthorizedUrlConfigs", ASC, PAGE)


def _artifacts(value: Any) -> Iterator[str]:
    """Every S3 location that a document names."""
    if isinstance(value, str) and value.startswith("s3://"):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _artifacts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _artifacts(inner)


def _objects(rooms: Rooms, location: str) -> Iterator[tuple[str, str]]:
    """The object of a location, or all that are in it if it is a folder."""
    bucket, key = uri.parse(location)
    try:
        for found in rooms.storage.list(bucket, key):
            if found.key == key or not key or found.key.startswith(f"{key.rstrip('/')}/"):
                yield bucket, found.key
    except FileNotFoundError:
        return


def _url(rooms: Rooms, scope: Scope, bucket: str, key: str) -> str:
    """A URL as S3's clients presign it. Its signature is a hash of what it covers: here is no secret to sign by."""
    path = f"/{bucket}/{quote(key)}"
    date = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")  # as clients do: what has expired is told by real time
    query = urlencode(
        {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": f"{scope.account}/{date[:8]}/{scope.region}/s3/aws4_request",
            "X-Amz-Date": date,
            "X-Amz-Expires": SECONDS,
            "X-Amz-SignedHeaders": "host",
        }
    )
    signature = hashlib.sha256(f"GET\n{path}\n{query}".encode()).hexdigest()
    return f"{rooms.url}{path}?{query}&X-Amz-Signature={signature}"
