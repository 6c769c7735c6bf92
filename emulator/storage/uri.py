"""Where an object is: `s3://bucket/key` and the https spellings of the same, taken apart and put together."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

_HOST = re.compile(r"^(?:(?P<bucket>.+)\.)?s3(?:[.-](?P<region>[a-z0-9-]+))?\.amazonaws\.com(?:\.cn)?$")


def parse(text: str) -> tuple[str, str]:
    """(bucket, key) of an S3 URI or of an https URL of an object; the key may be empty. `ValueError` says why not."""
    parts = urlsplit(text)
    if parts.scheme in ("s3", "s3a", "s3n"):
        bucket, _, key = text.split("://", 1)[1].partition("/")
    elif parts.scheme in ("https", "http"):
        bucket, key = _from_url(text, parts.hostname or "", unquote(parts.path).lstrip("/"))
    else:
        raise ValueError(f"{text!r} is not an S3 location (s3://bucket/key)")
    if not bucket:
        raise ValueError(f"{text!r} names no bucket (s3://bucket/key)")
    return bucket, key


def build(bucket: str, key: str = "") -> str:
    """`s3://bucket/key`."""
    return f"s3://{bucket}/{key}"


def join(folder: str, *names: str) -> str:
    """An S3 URI below another one; exactly one slash between the parts."""
    return "/".join([folder.rstrip("/"), *(name.strip("/") for name in names)])


def _from_url(text: str, host: str, path: str) -> tuple[str, str]:
    found = _HOST.match(host)
    if found is None:
        raise ValueError(f"{text!r} is not on an S3 host (https://bucket.s3.region.amazonaws.com/key)")
    if found["bucket"]:
        return found["bucket"], path
    bucket, _, key = path.partition("/")
    return bucket, key
