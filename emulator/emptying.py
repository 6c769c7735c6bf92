"""Forgetting: all that the house holds, or what one account or region has of it. The server goes on meanwhile.

What runs is ended first and once more in the end, so that nothing lives on that was begun in between.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from emulator.call import Extent
from emulator.functions import FunctionBook, FunctionImage
from emulator.settings import Settings
from emulator.trouble import Rule, TroubleBook

if TYPE_CHECKING:
    from emulator.behaviours.following import Followers
    from emulator.logs import FileLogs
    from emulator.metrics import FileMetrics
    from emulator.neighbours import Neighbours
    from emulator.neighbours.s3 import S3
    from emulator.resources import Resources
    from emulator.store.sql import SqlStore

FOLDERS = ("work", "logs", "metrics")
"""Of the data folder: what is removed whole when everything is forgotten."""


class Rooms(Protocol):
    """What is emptied."""

    settings: Settings
    data_dir: Path
    store: SqlStore
    resources: Resources
    logs: FileLogs
    metrics: FileMetrics
    s3: S3
    trouble: TroubleBook
    functions: FunctionBook
    followers: Followers

    @property
    def neighbours(self) -> Neighbours:
        """The other services."""
        ...

    def opened(self, room: str) -> Any:
        """A room that opens when it is first entered, if it was."""
        ...

    def leave(self, room: str) -> None:
        """Let such a room be made anew when it is entered again."""
        ...


def forget(house: Rooms, extent: Extent) -> list[str]:
    """Forget a part of the house, or all of it; sentences about what could not be forgotten, if there is anything."""
    _end_what_runs(house, extent)
    if extent.everything:
        _empty(house)
    else:
        _empty_part(house, extent)
    _end_what_runs(house, extent)
    return [sentence.format(url=house.settings.s3_endpoint) for test, sentence in LEFT if test(house, extent)]


LEFT: tuple[tuple[Callable[[Rooms, Extent], bool], str], ...] = (
    (
        lambda house, extent: bool(house.settings.s3_endpoint),
        "The objects of the external S3 at {url} are still there.",
    ),
    (
        lambda house, extent: bool(extent.region),
        "Services that know no regions (IAM) keep what accounts have there: reset the account without a region.",
    ),
    (lambda house, extent: not extent.everything, "Keys that STS handed out stay good until they expire."),
)
"""When what is left."""


def _end_what_runs(house: Rooms, extent: Extent) -> None:
    for room in ("jobs", "hosts"):
        engine = house.opened(room)
        if engine is not None:
            engine.forget(extent)


def _empty(house: Rooms) -> None:
    house.resources.close()
    with house.followers.standing_still():
        house.store.reset()
    house.resources.close()  # who set out in between
    house.leave("search")
    house.s3.clear()
    for name in FOLDERS:
        shutil.rmtree(house.data_dir / name, ignore_errors=True)
    house.neighbours.reset()
    house.trouble.clear()
    house.functions.clear()


def _empty_part(house: Rooms, extent: Extent) -> None:
    with house.followers.standing_still():
        house.resources.forget(extent)
    house.s3.forget(extent)
    house.logs.forget_part(extent)
    house.metrics.forget_part(extent)
    house.neighbours.forget(extent)
    house.trouble.clear(lambda rule: _meant_for(rule, extent))
    house.functions.clear(lambda given: _is_of(given, extent))


def _meant_for(rule: Rule, extent: Extent) -> bool:
    """Whether a fault rule was for that part alone: one for everybody goes on to strike."""
    return extent.account in ("", rule.account) and extent.region in ("", rule.region)


def _is_of(given: FunctionImage, extent: Extent) -> bool:
    """Whether functions are that account's alone. They know no region."""
    return not extent.region and given.account == extent.account
