"""Amazon S3, small and exact: operations of botocore's model over `emulator.storage`'s shelf.

Knows calls and answers by their wire names; not HTTP, not XML (that is `api.wire.restxml`), not jobs. OPERATIONS says
which function answers what; everything else of the model is refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from emulator.neighbours.s3.service import S3

__all__ = ["OPERATIONS", "S3"]

_HERE = "emulator.neighbours.s3."
_FAMILIES: Mapping[str, str] = {
    "buckets": "CreateBucket HeadBucket DeleteBucket ListBuckets GetBucketLocation"
    " PutBucketVersioning GetBucketVersioning",
    "listing": "ListObjects ListObjectsV2",
    "versions": "ListObjectVersions",
    "reading": "GetObject HeadObject GetObjectAttributes",
    "writing": "PutObject CopyObject",
    "deleting": "DeleteObject DeleteObjects",
    "multipart": "CreateMultipartUpload UploadPart UploadPartCopy CompleteMultipartUpload AbortMultipartUpload",
    "uploads": "ListParts ListMultipartUploads",
    "tagging": "GetObjectTagging PutObjectTagging DeleteObjectTagging",
    "acl": "GetBucketAcl PutBucketAcl GetObjectAcl PutObjectAcl",
}


def _function(operation: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()


OPERATIONS: Mapping[str, str] = {
    operation: f"{_HERE}{module}:{_function(operation)}"
    for module, operations in _FAMILIES.items()
    for operation in operations.split()
}
"""Operation -> "module:function"; sub-resources that are only recorded are in `documents.DOCUMENTS`."""
