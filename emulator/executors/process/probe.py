"""Finds the sandbox that works here, by running a program that does nothing in it, where the runs will be."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from emulator.executors.process import bubblewrap
from emulator.executors.process.request import BWRAP, PLAIN, SANDBOXES, Request
from emulator.executors.process.run import Run, ended
from emulator.executors.process.zygotes import rooms

PATIENCE = 30.0

Launch = Callable[[Request, Run], None]


def best(data_dir: str, launch: Launch) -> str:
    """The first of SANDBOXES that works for folders in `data_dir`."""
    return next(kind for kind in SANDBOXES if kind == PLAIN or _works(kind, data_dir, launch))


def _works(sandbox: str, data_dir: str, launch: Launch) -> bool:
    if sandbox == BWRAP and not bubblewrap.find():
        return False
    work = Path(data_dir, "work")
    work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="probe-", dir=work) as folder:
        run = Run(os.path.join(folder, "process"))
        inside = os.path.join(folder, "ml")
        for new in (run.folder, inside):
            os.mkdir(new, 0o700)
        request = Request(
            folder=run.folder,
            log=os.path.join(folder, "log"),
            sandbox=sandbox,
            program="emulator.executors.process.request:works",
            mounts=((inside, "/opt/ml", False),),
            path=(rooms(),),
            hidden=data_dir,
        )
        request.save()
        launch(request, run)
        end = time.monotonic() + PATIENCE
        while not ended(run, run.handle, end) and time.monotonic() < end:
            pass
        run.close()
        return run.settle().code == 0
