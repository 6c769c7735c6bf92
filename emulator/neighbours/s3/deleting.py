"""Deleting objects: for good, or under a delete marker where the bucket keeps versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from emulator.call import Answer, Call
from emulator.errors import CallerFault
from emulator.neighbours.s3 import conditions, faults
from emulator.neighbours.s3.service import S3
from emulator.storage.shelf import NULL_VERSION

if TYPE_CHECKING:
    from emulator.store.objects import Bucket

_MOST = 1000


def delete_object(s3: S3, call: Call) -> Answer:
    """Delete one version, or the latest; deleting what is absent succeeds."""
    bucket = s3.bucket(call)
    return _delete(s3, bucket, call.params["Key"], call.params)


def delete_objects(s3: S3, call: Call) -> Answer:
    """Delete up to 1,000 objects; each has its own success or fault."""
    bucket, wanted = s3.bucket(call), call.params["Delete"]
    if not 1 <= len(wanted["Objects"]) <= _MOST:
        raise faults.malformed_xml()
    deleted, errors = [], []
    for entry in wanted["Objects"]:
        named = {name: entry[name] for name in ("Key", "VersionId") if entry.get(name)}
        try:
            done = _delete(s3, bucket, entry["Key"], {**entry, "IfMatch": entry.get("ETag")})
            marked = {"DeleteMarker": done.get("DeleteMarker"), "DeleteMarkerVersionId": done.get("VersionId")}
            deleted.append({**named, **(marked if done.get("DeleteMarker") else {})})
        except CallerFault as fault:
            errors.append({**named, "Code": fault.code, "Message": fault.message})
    return {"Deleted": None if wanted.get("Quiet") else deleted, "Errors": errors}


def _delete(s3: S3, bucket: Bucket, key: str, params: Any) -> dict[str, Any]:
    version = params.get("VersionId")
    with s3.shelf.turn:
        found = s3.shelf.index.get(bucket.name, key, version) if params.get("IfMatch") or version else None
        if params.get("IfMatch"):
            conditions.check_write(found, key, {"IfMatch": params["IfMatch"]})
        if version is None and bucket.versioning:
            return {"DeleteMarker": True, "VersionId": s3.shelf.mark_deleted(bucket, key).version}
        s3.shelf.delete(bucket.name, key, version or NULL_VERSION)
    answer: dict[str, Any] = {"VersionId": version} if version and bucket.versioning else {}
    return {**answer, "DeleteMarker": True} if found is not None and found.marker else answer
