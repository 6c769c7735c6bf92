"""A house of records and nothing else: a private store, a clock that tests move, the table of all kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from emulator.call import Answer, Call, Scope
from emulator.clock import ManualClock
from emulator.kinds import KINDS
from emulator.resources import Hooks, Resources, generic_operations
from emulator.store import Record, open_store

SCOPE = Scope("123456789012", "eu-west-1")


@dataclass
class Registry:
    """Resources with everything that a test looks at."""

    resources: Resources
    clock: ManualClock
    told: list[tuple[str, str, str]]
    operations: dict[str, Callable[[Call], Answer]] = field(default_factory=dict)

    def do(self, operation: str, **params: Any) -> dict[str, Any]:
        """Issue a generic operation."""
        return dict(self.operations[operation](self.call(operation, **params)))

    def call(self, operation: str, **params: Any) -> Call:
        return Call("sagemaker", operation, params, SCOPE)

    def create(self, noun: str, **params: Any) -> Record:
        """Make a record of a kind whose Create is more than that."""
        return self.resources.create(noun, self.call(f"Create{noun}", **params))


@pytest.fixture
def registry() -> Iterator[Registry]:
    store, clock, told = open_store(), ManualClock(), []

    def publish(event: str, record: Record) -> None:
        told.append((event, record.kind, record.key))

    resources = Resources(store, KINDS, clock, Hooks(publish))
    yield Registry(resources, clock, told, dict(generic_operations(KINDS, resources)))
    store.close()
