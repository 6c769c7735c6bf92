"""Everything that can go wrong, as one tree.

    SageletError
    +-- CallerFault             the caller asked for something that cannot be; carries an AWS error code
    |   +-- Validation          ValidationException
    |   +-- NotFound            ResourceNotFound
    |   +-- InUse               ResourceInUse
    |   +-- LimitExceeded       ResourceLimitExceeded
    |   +-- Conflict            ConflictException
    |   +-- AccessDenied        AccessDeniedException
    |   +-- ExpiredToken        ExpiredTokenException
    +-- NotBuilt                an operation we knowingly refuse, with the reason (never invented success)
    +-- HouseFault              a bug of ours: logged with its story, answered as InternalFailure

Only `api.wire.faults` knows HTTP status codes. A message names the thing, the reason and the remedy.
"""

from __future__ import annotations

from typing import Any


class SageletError(Exception):
    """Root of all errors raised on purpose by the house."""


class CallerFault(SageletError):
    """The caller's request cannot be served; `code` is the AWS error code, `members` further members of the shape."""

    code = "ValidationException"

    def __init__(self, message: str, code: str | None = None, **members: Any) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.members = members


class Validation(CallerFault):
    """A member, or a combination of members, is not acceptable."""


class NotFound(CallerFault):
    """The named resource does not exist, where the service answers `ResourceNotFound`."""

    code = "ResourceNotFound"


class InUse(CallerFault):
    """The name is taken, or the resource is still used."""

    code = "ResourceInUse"


class LimitExceeded(CallerFault):
    """A quota of the service would be exceeded."""

    code = "ResourceLimitExceeded"


class Conflict(CallerFault):
    """Two changes of the same resource disagree."""

    code = "ConflictException"


class AccessDenied(CallerFault):
    """The role does not exist or does not trust SageMaker (only with --check-roles)."""

    code = "AccessDeniedException"


class ExpiredToken(CallerFault):
    """The temporary credentials of the caller are over."""

    code = "ExpiredTokenException"
    short = "ExpiredToken"
    """As S3 and the services of the query protocol call it."""


class NotBuilt(SageletError):
    """The house does not do this (yet) and says so, naming the operation or member and the remedy."""

    code = "NotImplementedException"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class HouseFault(SageletError):
    """A bug of ours. `story` is what happened before, for the log."""

    code = "InternalFailure"

    def __init__(self, message: str, story: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.story = story
