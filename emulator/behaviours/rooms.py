"""What a behaviour may use: the rooms of the house, handed to it with every call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from emulator.call import Issue, Scope
from emulator.clock import Clock
from emulator.executors import Executors
from emulator.hosts import HostEngine
from emulator.jobs import JobEngine
from emulator.ports import Logs, Metrics, Storage
from emulator.resources import Resources
from emulator.settings import Settings

CheckRole = Callable[[str, Scope], None]
"""Raises `Validation` for a role that cannot be assumed; does nothing without --check-roles."""


@dataclass(frozen=True)
class Rooms:
    """The rooms below the behaviours."""

    settings: Settings
    clock: Clock
    resources: Resources
    storage: Storage
    logs: Logs
    metrics: Metrics
    executors: Executors
    jobs: JobEngine
    hosts: HostEngine
    roles: CheckRole
    issue: Issue
