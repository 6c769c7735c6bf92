"""Times on the wire: epoch seconds, ISO 8601 and the HTTP date, each to and from an aware datetime."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from email.utils import formatdate, parsedate_to_datetime

Time = datetime | float | int | str

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_FRACTION = re.compile(r"\.(\d+)")
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")


def parse(value: object) -> datetime:
    """Any of the three forms, as an aware datetime; `ValueError` when it is none of them."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError("a time is a number or a string")
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        return _parse_text(value)
    try:
        return _EPOCH + timedelta(seconds=float(value))
    except OverflowError as error:
        raise ValueError("the time is out of range") from error


def _parse_text(text: str) -> datetime:
    if "," in text:
        try:
            found = parsedate_to_datetime(text)
        except TypeError as error:  # what Python 3.9 to 3.11 raise for some malformed dates
            raise ValueError("not an HTTP date") from error
    else:
        # fromisoformat before Python 3.11 takes neither `Z` nor fractions of other than 3 or 6 digits
        text = _FRACTION.sub(lambda m: "." + m[1][:6].ljust(6, "0"), text, count=1)
        found = datetime.fromisoformat(text.replace("Z", "+00:00").replace("z", "+00:00"))
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)


def seconds(value: Time) -> float:
    """Seconds since the epoch with milliseconds, as the service prints them."""
    moment = value if isinstance(value, (int, float)) else _aware(value).timestamp()
    return round(float(moment), 3)


def iso(value: Time) -> str:
    """`2024-05-01T10:00:00Z`, with milliseconds where there are any."""
    moment = _EPOCH + timedelta(seconds=seconds(value))
    kind = "milliseconds" if moment.microsecond else "seconds"
    return moment.replace(tzinfo=None).isoformat(timespec=kind) + "Z"


def http_date(value: Time) -> str:
    """`Wed, 01 May 2024 10:00:00 GMT`."""
    return formatdate(int(seconds(value)), usegmt=True)


def render(value: Time, form: str) -> str | float:
    """`value` in botocore's `timestampFormat`: unixTimestamp, iso8601 or rfc822."""
    if form == "iso8601":
        return iso(value)
    if form == "rfc822":
        return http_date(value)
    return seconds(value)


def _aware(value: datetime | str) -> datetime:
    moment = parse(value) if isinstance(value, str) else value
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
