"""Buckets: made, found, listed, removed; their versioning."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any

from emulator.arns import partition
from emulator.call import Answer, Call
from emulator.errors import CallerFault, NotBuilt
from emulator.neighbours.s3 import faults
from emulator.neighbours.s3.acl import grants_of
from emulator.neighbours.s3.service import S3, owner

if TYPE_CHECKING:
    from emulator.store.objects import Bucket

_NAME = re.compile(r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
_BAD_STARTS = ("xn--", "sthree-", "amzn-s3-demo-")
_BAD_ENDS = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")


def create_bucket(s3: S3, call: Call) -> Answer:
    """Make a bucket in the region of the request or of its LocationConstraint."""
    from emulator.store.objects import Bucket
    from emulator.store.records import DuplicateKey

    name = call.params["Bucket"]
    check_name(name)
    if call.params.get("ObjectLockEnabledForBucket"):
        raise NotBuilt("Object Lock is not built: nothing here would keep a locked object from being deleted.")
    region = _region(call)
    s3.shelf.public.fill(s3.shelf, name)
    document = {"acl": grants_of(call)} if grants_of(call) else {}
    try:
        s3.shelf.index.create_bucket(Bucket(name, call.scope.account, region, s3.shelf.clock.now(), document=document))
    except DuplicateKey:
        _taken(s3.bucket(call, name), call)
    return {"Location": f"/{name}", "BucketArn": f"arn:{partition(region)}:s3:::{name}"}


def head_bucket(s3: S3, call: Call) -> Answer:
    """Where the bucket is."""
    found = s3.bucket(call)
    return {"BucketRegion": found.region, "AccessPointAlias": False}


def delete_bucket(s3: S3, call: Call) -> Answer:
    """Remove an empty bucket."""
    found = s3.bucket(call)
    parts = [p.blob for u in s3.shelf.index.uploads(found.name) for p in s3.shelf.index.parts(u.upload)]
    if not s3.shelf.index.delete_bucket(found.name):
        versions = " You must delete all versions in the bucket." if found.versioning else ""
        message = "The bucket you tried to delete is not empty." + versions
        raise CallerFault(message, "BucketNotEmpty", BucketName=found.name)
    s3.shelf.blobs.remove(parts)
    return {}


def list_buckets(s3: S3, call: Call) -> Answer:
    """The caller's buckets, by name."""
    params = call.params
    limit = params.get("MaxBuckets", 10_000)
    if not 1 <= limit <= 10_000:
        raise faults.invalid("max-buckets", limit, "Argument max-buckets must be an integer between 1 and 10000.")
    region, prefix, after = params.get("BucketRegion"), params.get("Prefix", ""), params.get("ContinuationToken", "")
    found = [
        bucket
        for bucket in s3.shelf.index.buckets(call.scope.account)
        if bucket.name.startswith(prefix) and bucket.name > after and region in (None, bucket.region)
    ]
    answer: dict[str, Any] = {"Owner": owner(call.scope.account), "Buckets": [_entry(b) for b in found[:limit]]}
    if len(found) > limit:
        answer["ContinuationToken"] = found[limit - 1].name
    if prefix:
        answer["Prefix"] = prefix
    return answer


def get_bucket_location(s3: S3, call: Call) -> Answer:
    """The bucket's region; us-east-1 is the empty answer."""
    region = s3.bucket(call).region
    return {"LocationConstraint": None if region == "us-east-1" else region}


def put_bucket_versioning(s3: S3, call: Call) -> Answer:
    """Enable or suspend versioning."""
    found = s3.bucket(call)
    wanted = call.params["VersioningConfiguration"]
    if wanted.get("MFADelete") == "Enabled":
        raise NotBuilt("MFA Delete is not built: there are no MFA devices here.")
    if wanted.get("Status") not in ("Enabled", "Suspended"):
        raise CallerFault("The Versioning element must be specified", "IllegalVersioningConfigurationException")
    with s3.shelf.turn:
        fresh = s3.bucket(call)
        s3.shelf.index.update_bucket(found.name, fresh.document, wanted["Status"])
    return {}


def get_bucket_versioning(s3: S3, call: Call) -> Answer:
    """Enabled, Suspended, or nothing when it was never set."""
    return {"Status": s3.bucket(call).versioning or None}


def check_name(name: str) -> None:
    """S3's naming rules for general purpose buckets."""
    good = _NAME.match(name) and ".." not in name and not _is_address(name)
    if not good or name.startswith(_BAD_STARTS) or name.endswith(_BAD_ENDS):
        raise CallerFault("The specified bucket is not valid.", "InvalidBucketName", BucketName=name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.IPv4Address(name)
    except ValueError:
        return False
    return True


def _region(call: Call) -> str:
    wanted = (call.params.get("CreateBucketConfiguration") or {}).get("LocationConstraint")
    here = call.scope.region
    if wanted == "EU":
        wanted = "eu-west-1"
    if here == "us-east-1":  # s3fs names it too, which the service refuses; nobody is helped by that here
        return wanted or here
    if wanted != here:
        message = (
            f"The {wanted or 'unspecified'} location constraint is incompatible for the region specific endpoint this"
            " request was sent to."
        )
        raise CallerFault(message, "IllegalLocationConstraintException")
    return here


def _taken(found: Bucket, call: Call) -> None:
    if found.account != call.scope.account:
        raise CallerFault(
            "The requested bucket name is not available. The bucket namespace is shared by all users of the system."
            " Please select a different name and try again.",
            "BucketAlreadyExists",
            BucketName=found.name,
        )
    if not found.region == call.scope.region == "us-east-1":  # there, and only there, it is no fault
        raise CallerFault(
            "Your previous request to create the named bucket succeeded and you already own it.",
            "BucketAlreadyOwnedByYou",
            BucketName=found.name,
        )


def _entry(bucket: Bucket) -> dict[str, Any]:
    return {"Name": bucket.name, "CreationDate": bucket.created, "BucketRegion": bucket.region}
