"""A house whose operations are asked as a client asks them, without the wire in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from emulator.call import Call, Scope
from emulator.errors import CallerFault
from emulator.house import House

SCOPE = Scope("123456789012", "eu-west-1")
ARN = "arn:aws:sagemaker:eu-west-1:123456789012"


class Desk:
    """Asks a house, and knows how it refuses. Statuses take `pace` seconds of the house's clock."""

    def __init__(self, **settings: Any) -> None:
        self.house = House.for_tests(**settings)

    def do(self, operation: str, scope: Scope = SCOPE, **params: Any) -> dict[str, Any]:
        return dict(self.house.dispatch(Call("sagemaker", operation, params, scope)))

    def refused(self, operation: str, **params: Any) -> tuple[str, str]:
        """The code and the words with which an operation is refused."""
        with pytest.raises(CallerFault) as fault:
            self.do(operation, **params)
        return fault.value.code, fault.value.message

    def wait(self, seconds: float) -> None:
        self.house.clock.advance(seconds)  # type: ignore[attr-defined]


@pytest.fixture
def open_desk() -> Iterator[Callable[..., Desk]]:
    """Desks with settings of their own; closed at the end."""
    opened: list[Desk] = []

    def open_one(**settings: Any) -> Desk:
        opened.append(Desk(**settings))
        return opened[-1]

    yield open_one
    for desk in opened:
        desk.house.close()


@pytest.fixture
def desk(open_desk: Callable[..., Desk]) -> Desk:
    """A desk at which every status has arrived at once."""
    return open_desk()
