"""Tags of objects; those of buckets are a recorded document."""

from __future__ import annotations

from collections.abc import Mapping

from emulator.call import Answer, Call
from emulator.neighbours.s3 import facts
from emulator.neighbours.s3.reading import find, shown_version
from emulator.neighbours.s3.service import S3


def get_object_tagging(s3: S3, call: Call) -> Answer:
    """The tags of a version."""
    bucket, version = s3.bucket(call), find(s3, call)
    tags = (version.facts.get("tags") or {}).items()
    return {"TagSet": [{"Key": k, "Value": v} for k, v in tags], "VersionId": shown_version(bucket, version)}


def put_object_tagging(s3: S3, call: Call) -> Answer:
    """Replace the tags of a version."""
    pairs = [(tag["Key"], tag["Value"]) for tag in call.params["Tagging"]["TagSet"]]
    return _replace(s3, call, dict(facts.check_tags(pairs)))


def delete_object_tagging(s3: S3, call: Call) -> Answer:
    """Remove the tags of a version."""
    return _replace(s3, call, {})


def _replace(s3: S3, call: Call, tags: Mapping[str, str]) -> Answer:
    bucket = s3.bucket(call)
    with s3.shelf.turn:
        found = find(s3, call)
        s3.shelf.index.replace_facts(found.bucket, found.key, found.version, {**found.facts, "tags": dict(tags)})
    return {"VersionId": shown_version(bucket, found)}
