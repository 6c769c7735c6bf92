"""Whether a job may have the instances that it asks for, by the server's policies: `--gpu` and `--quotas`."""

from __future__ import annotations

from emulator.behaviours.rooms import Rooms
from emulator.call import Call
from emulator.errors import Validation
from emulator.jobs import gpus, quotas, scheduler
from emulator.jobs.machine import measured


def check(rooms: Rooms, kind: str, call: Call) -> None:
    """`Validation` for accelerators that are not given, `LimitExceeded` beyond a quota."""
    names = scheduler.hosts(call.params)
    if gpus.accelerated(names):
        refusal = gpus.refusal(names, rooms.settings.gpu, measured(rooms.settings))
        if refusal:
            raise Validation(refusal)
    if rooms.settings.quotas:
        quotas.check(kind, call, rooms.resources)
