"""A request as the house sees it: the frozen value that the wire makes of bytes, and that engines make themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Answer = Mapping[str, Any]
"""Output members by their wire names. A streaming member (`Body`) is `bytes` or an iterator of `bytes`."""


@dataclass(frozen=True)
class Scope:
    """Where a record lives: one account in one region."""

    account: str
    region: str


@dataclass(frozen=True)
class Extent:
    """A part of the house: what one account has, or one region, or that account in that region; or all of it."""

    account: str = ""
    region: str = ""

    @property
    def everything(self) -> bool:
        """Whether it is the whole house."""
        return not self.account and not self.region

    def covers(self, scope: Scope) -> bool:
        """Whether a scope belongs to it."""
        return self.account in ("", scope.account) and self.region in ("", scope.region)


EVERYTHING = Extent()


@dataclass(frozen=True)
class Call:
    """One operation, to be answered by `emulator.operations.dispatch`.

    `params` holds the input members by their wire names (PascalCase), already parsed by the service model:
    timestamps are aware `datetime`s, blobs are `bytes`, a streaming blob is `bytes` or a readable file object.
    """

    service: str
    operation: str
    params: Mapping[str, Any]
    scope: Scope
    request_id: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


Issue = Callable[[Call], Answer]
"""How an engine issues an operation: as a boto3 client inside the house would. The house hands it in."""
