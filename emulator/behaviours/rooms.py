"""What a behaviour may use: the rooms of the house, handed to it with every call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from emulator.call import Answer, Call, Scope
from emulator.clock import Clock
from emulator.ports import Logs, Metrics, Storage
from emulator.settings import Settings

if TYPE_CHECKING:
    from emulator.behaviours.following import Followers
    from emulator.executors import Executors
    from emulator.hosts import HostEngine
    from emulator.jobs import JobEngine
    from emulator.neighbours import Neighbours
    from emulator.resources import Resources
    from emulator.resources.search import Search


class Rooms(Protocol):
    """The rooms below the behaviours. Properties, because the house opens a room when it is first entered."""

    @property
    def url(self) -> str:
        """Where programs of this machine reach the house."""
        ...

    @property
    def settings(self) -> Settings:
        """What the server was started with."""
        ...

    @property
    def clock(self) -> Clock:
        """The time."""
        ...

    @property
    def resources(self) -> Resources:
        """Records."""
        ...

    @property
    def followers(self) -> Followers:
        """What follows from written records."""
        ...

    @property
    def search(self) -> Search:
        """Searches of records."""
        ...

    @property
    def storage(self) -> Storage:
        """Objects by URI."""
        ...

    @property
    def logs(self) -> Logs:
        """Streams of lines."""
        ...

    @property
    def metrics(self) -> Metrics:
        """Streams of numbers."""
        ...

    @property
    def executors(self) -> Executors:
        """Where programs run."""
        ...

    @property
    def neighbours(self) -> Neighbours:
        """The other AWS services."""
        ...

    @property
    def jobs(self) -> JobEngine:
        """The engine of jobs."""
        ...

    @property
    def hosts(self) -> HostEngine:
        """The engine of endpoints."""
        ...

    def roles(self, role: str, scope: Scope) -> None:
        """Raises `Validation` for a role that cannot be assumed; does nothing without --check-roles."""
        ...

    def dispatch(self, call: Call) -> Answer:
        """Issue an operation, as a client inside the house."""
        ...
