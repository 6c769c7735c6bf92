"""Which resource a request is about, told by the names of its members: for people who read or match requests.

A guess that is right for nearly every operation, and never more than a label: nothing is looked up by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

LONGEST = 256
ENDINGS = ("Name", "Arn", "Id", "Identifier", "Url")
NOBODY = frozenset({"RoleArn", "ExecutionRoleArn", "KmsKeyId", "AccountId", "RegistryId", "CatalogId", "ClientToken"})
"""Members that name somebody else."""

_VERB = re.compile(r"^[A-Z][a-z0-9]+")


def candidates(operation: str, members: Iterable[str]) -> tuple[str, ...]:
    """Those of the members that may name the resource, the best first.

    The best is the operation's own noun (EndpointName of UpdateEndpointWeightsAndCapacities, the ARN of
    StopPipelineExecution); then any name, then any other identifier, in the order of the members.
    """
    noun = _VERB.sub("", operation)
    found = [member for member in members if member.endswith(ENDINGS) and member not in NOBODY]
    return tuple(sorted(found, key=lambda member: (-_kinship(noun, member), ENDINGS.index(_ending(member)))))


def subject(names: Iterable[str], params: Mapping[str, Any]) -> str:
    """The resource that the first of `names` says which there is; empty when there is none."""
    for name in names:
        value = params.get(name)
        if isinstance(value, str) and value:
            return short(value)
    return ""


def short(identifier: str) -> str:
    """A name as it is; of an ARN or a URL what stands behind the type of the resource."""
    if identifier.startswith("arn:"):
        resource = identifier.split(":", 5)[-1]
        identifier = resource.partition("/")[2] or resource.rpartition(":")[2]
    elif "://" in identifier:
        identifier = identifier.rstrip("/").rpartition("/")[2]
    return identifier[:LONGEST]


def _kinship(noun: str, member: str) -> int:
    """How many letters of the noun the member begins with, when these are all that it says."""
    stem = member.removesuffix(_ending(member))
    return len(stem) if stem and noun.startswith(stem) else 0


def _ending(member: str) -> str:
    return next(ending for ending in ENDINGS if member.endswith(ending))
