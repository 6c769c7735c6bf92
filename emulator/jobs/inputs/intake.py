"""A channel delivered to one host: files copied, links made for a read-only view, or pipes that are fed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from emulator.jobs.cluster import Host
from emulator.jobs.inputs import files
from emulator.jobs.inputs.channel import Channel, impossible
from emulator.jobs.inputs.feeder import Feeder
from emulator.jobs.inputs.objects import Item, items
from emulator.jobs.inputs.stream import Stream, Turn
from emulator.jobs.recipes.recipe import JobBroken
from emulator.ports import Mount, Storage

__all__ = ["Delivery", "Place", "Turn", "deliver", "mounts_of", "turn_of"]


@dataclass(frozen=True)
class Place:
    """The channel's own folder on the host, and where the program sees it."""

    outside: Path
    inside: str


@dataclass(frozen=True)
class Delivery:
    """What a run needs to see the channel, and what there was. The feeder is to be started, watched and closed."""

    mounts: tuple[Mount, ...] = ()
    feeder: Feeder | None = None
    objects: int = 0
    bytes: int = 0


def deliver(storage: Storage, channel: Channel, place: Place, turn: Turn, halt: Callable[[], bool]) -> Delivery:
    """Give a host its part of a channel. Gives up (without an error) once `halt()`.

    File: copies below `place.outside`. FastFile: links there, which the program may only see through the mount.
    Pipe: `<folder>_0`, `<folder>_1` … beside `place.outside`, which is not made. A host's part of a sharded channel may
    be empty, the channel may not. Raises `JobBroken`, or `OSError` for a full disk.
    """
    fault = impossible(channel)
    if fault:
        raise JobBroken(f"ClientError: {fault}")
    try:
        delivery, total = (_piped if channel.mode == "Pipe" else _placed)(storage, channel, place, turn, halt)
    except (FileNotFoundError, ValueError) as error:
        raise JobBroken(f"ClientError: Data download failed: {error}") from error
    if not total and not halt():
        if delivery.feeder is not None:
            delivery.feeder.close()
        raise JobBroken(
            "ClientError: Data download failed: No S3 objects found under S3 URL "
            f'"{channel.source.location}" of channel "{channel.name}".'
        )
    return delivery


def mounts_of(channel: Channel, place: Place) -> tuple[Mount, ...]:
    """The mounts of a delivery, known without one: for a run that is adopted."""
    return (Mount(place.outside, place.inside, read_only=True),) if channel.mode == "FastFile" else ()


def turn_of(channel: Channel, host: Host, hosts: Sequence[Host]) -> Turn | None:
    """The turn of a host of a job; None when the channel is for other instance groups."""
    sharing = [each.name for each in hosts if not channel.groups or each.group in channel.groups]
    return Turn(sharing.index(host.name), len(sharing)) if host.name in sharing else None


def _placed(
    storage: Storage, channel: Channel, place: Place, turn: Turn, halt: Callable[[], bool]
) -> tuple[Delivery, int]:
    share = _Share(storage, channel, turn if channel.sharded else Turn())
    objects, size = files.put(storage, share.items(), place.outside, channel.mode == "FastFile", halt)
    return Delivery(mounts_of(channel, place), None, objects, size), share.total


def _piped(
    storage: Storage, channel: Channel, place: Place, turn: Turn, halt: Callable[[], bool]
) -> tuple[Delivery, int]:
    folder = place.outside.parent
    folder.mkdir(parents=True, exist_ok=True)
    stream = Stream(storage, channel, turn, folder)
    feeder = Feeder(place.outside.name, folder, stream)
    return Delivery((), feeder, stream.objects, stream.bytes), len(stream)


class _Share:
    """A host's objects of a channel: every n-th in key order. `total` counts those of all hosts."""

    def __init__(self, storage: Storage, channel: Channel, turn: Turn) -> None:
        self._all = items(storage, channel.source)
        self._turn = turn
        self.total = 0

    def items(self) -> Iterator[Item]:
        """Those of this host."""
        return islice(self._counted(), self._turn.index, None, self._turn.count)

    def _counted(self) -> Iterator[Item]:
        for item in self._all:
            self.total += 1
            yield item
