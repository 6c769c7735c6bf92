"""Amazon Resource Names: built and taken apart in one place.

Names keep their case in the ARN: outputs since 2023 do so for jobs and pipelines, older ones lower-cased every
name (`docs/quirks.md`); one rule for all kinds is what a reader can predict.
"""

from __future__ import annotations

from dataclasses import dataclass

from emulator.call import Scope


@dataclass(frozen=True)
class Arn:
    """The parts of `arn:{partition}:{service}:{region}:{account}:{resource}`."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    def __str__(self) -> str:
        return f"arn:{self.partition}:{self.service}:{self.region}:{self.account}:{self.resource}"


def partition(region: str) -> str:
    """The partition that a region belongs to."""
    if region.startswith("cn-"):
        return "aws-cn"
    if region.startswith("us-gov-"):
        return "aws-us-gov"
    return "aws"


def build(scope: Scope, resource: str, service: str = "sagemaker") -> str:
    """The ARN of `resource` (`training-job/name`) in `scope`."""
    return str(Arn(partition(scope.region), service, scope.region, scope.account, resource))


def parse(text: str) -> Arn:
    """The parts of an ARN; `ValueError` when it has not six of them."""
    parts = text.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn":
        raise ValueError(f"{text!r} is not an ARN (arn:partition:service:region:account:resource)")
    return Arn(*parts[1:])
