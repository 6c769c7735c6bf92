"""A house whose clock the test moves, and the short way to call it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from emulator.call import Call, Scope
from emulator.house import House

SCOPE = Scope("123456789012", "eu-west-1")
ROLE = "arn:aws:iam::123456789012:role/Any"


class Caller:
    """Issues operations as a client would: `do("CreateCluster", ClusterName="c")`."""

    def __init__(self, house: House, service: str = "sagemaker") -> None:
        self.house = house
        self.service = service

    def do(self, operation: str, **params: Any) -> Any:
        return self.house.dispatch(Call(self.service, operation, params, SCOPE))

    def of(self, service: str) -> Caller:
        return Caller(self.house, service)

    def wait(self, seconds: float) -> None:
        self.house.clock.advance(seconds)  # type: ignore[attr-defined]

    def pages(self, operation: str, member: str, **params: Any) -> list[Any]:
        """Everything that a list call has, page by page."""
        found, more = [], {}
        while True:
            answer = self.do(operation, **params, **more)
            found += answer[member]
            if "NextToken" not in answer:
                return found
            more = {"NextToken": answer["NextToken"]}


@contextmanager
def caller(pace: float = 2.0) -> Iterator[Caller]:
    house = House.for_tests(settle_seconds=pace)
    try:
        yield Caller(house)
    finally:
        house.close()
