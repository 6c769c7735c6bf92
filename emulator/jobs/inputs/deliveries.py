"""The channels of one job: delivered to every host, and their pipes fed while the programs run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from emulator.jobs.cluster import Host
from emulator.jobs.inputs.channel import Channel
from emulator.jobs.inputs.feeder import Feeder
from emulator.jobs.inputs.intake import Place, deliver, mounts_of, turn_of
from emulator.ports import Mount, Storage


class Deliveries:
    """Used by the job's own thread, but for `close`, which any thread may call."""

    def __init__(
        self,
        storage: Storage,
        channels: Sequence[Channel],
        hosts: Sequence[Host],
        place: Callable[[Host, Channel], Place],
    ) -> None:
        self._storage = storage
        self._channels = tuple(channels)
        self._hosts = tuple(hosts)
        self._place = place
        self._feeders: list[Feeder] = []

    @property
    def piped(self) -> bool:
        """Whether programs depend on pipes. These end with the house, and a program cannot tell that from the end of
        an epoch: it must not outlive the house."""
        return any(channel.mode == "Pipe" for channel in self._channels)

    @property
    def failure(self) -> str:
        """Why a pipe cannot be fed any further, so that its program waits in vain; empty when all can."""
        return next((feeder.failure for feeder in self._feeders if feeder.failure), "")

    def deliver(self, host: Host, halt: Callable[[], bool]) -> None:
        """Give a host its part of every channel; raises what `intake.deliver` raises."""
        for channel in self.received(host):
            turn = turn_of(channel, host, self._hosts)
            assert turn is not None
            given = deliver(self._storage, channel, self._place(host, channel), turn, halt)
            self._feeders += [given.feeder] if given.feeder else []

    def received(self, host: Host) -> list[Channel]:
        """The channels that a host has a part of: not those of other instance groups."""
        return [channel for channel in self._channels if turn_of(channel, host, self._hosts) is not None]

    def mounts(self, host: Host) -> list[Mount]:
        """What the program of a host sees of its channels beside /opt/ml."""
        return [mount for channel in self.received(host) for mount in mounts_of(channel, self._place(host, channel))]

    def start(self) -> None:
        """Feed the pipes from now on."""
        for feeder in self._feeders:
            feeder.start()

    def close(self) -> None:
        """The programs are over, or begun again. Idempotent."""
        for feeder in self._feeders:
            feeder.close()
        self._feeders = []
