"""`rabit_run`, which scripts train on several hosts with: they meet, and those that have data join one ring.

The container makes a first ring only for the finding out. Here hosts meet at a plain socket: a worker of xgboost that
comes before its tracker listens tries again for seconds, and now and then for ever.
"""

from __future__ import annotations

import contextlib
import json
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

PORT = 9099
"""The container's: hosts have addresses of their own, so there is no contention."""
SECONDS = 600.0
PAUSE = 0.05


def rabit_run(
    exec_fun: Callable[..., Any],
    args: dict[str, Any],
    include_in_training: bool,
    hosts: list[str],
    current_host: str,
    *ports: int | None,
    **options: Any,
) -> None:
    """Call `exec_fun(**args)` in a ring of those hosts that have data; the others end here with status 0.

    Further, as in the image: `first_port` and `second_port` (also by position), and `update_rabit_args`, which adds
    `is_master` to the arguments.
    """
    given = dict(zip(("first_port", "second_port"), ports, strict=False)) | options
    first = given.get("first_port") or PORT
    told = meet(sorted(hosts), current_host, first, bool(include_in_training))
    members = [name for name, has_data in told.items() if has_data]
    if not members:
        raise RuntimeError("No hosts received training data.")
    if not include_in_training:
        print(f"Host {current_host} not being used for distributed training.", file=sys.stderr)
        sys.exit(0)
    with joined(members, current_host, (first, given.get("second_port") or first + 1)):
        own = {"is_master": current_host == members[0]} if given.get("update_rabit_args") else {}
        exec_fun(**args, **own)


@contextlib.contextmanager
def joined(members: Sequence[str], host: str, ports: tuple[int, int]) -> Iterator[None]:
    """The ring of `members` for the time of the block; the first runs the tracker. One alone needs none."""
    from xgboost import collective
    from xgboost.tracker import RabitTracker

    if len(members) == 1:
        yield
        return
    master = socket.gethostbyname(members[0])
    tracker = None
    if host == members[0]:
        tracker = RabitTracker(len(members), master, ports[1], sortby="task", timeout=int(SECONDS))
        tracker.start()
    meet(members, host, ports[0], True)
    task = f"{members.index(host):05d}"  # Ranks follow the order of task ids as texts.
    with collective.CommunicatorContext(
        dmlc_tracker_uri=master, dmlc_tracker_port=ports[1], dmlc_task_id=task, dmlc_timeout=int(SECONDS)
    ):
        yield
    if tracker is not None:
        tracker.wait_for(timeout=int(SECONDS))


def meet(hosts: Sequence[str], host: str, port: int, value: Any) -> dict[str, Any]:
    """Wait until every host has come with its value; all values by host, in the order of `hosts`."""
    if len(hosts) == 1:
        return {host: value}
    master = socket.gethostbyname(hosts[0])
    told = _receive((master, port), hosts, value) if host == hosts[0] else _send((master, port), host, value)
    return {name: told[name] for name in hosts}


def _receive(where: tuple[str, int], hosts: Sequence[str], value: Any) -> dict[str, Any]:
    told = {hosts[0]: value}
    with contextlib.ExitStack() as opened:
        door = opened.enter_context(socket.create_server(where))
        callers = []
        until = time.monotonic() + SECONDS
        while len(told) < len(hosts):
            door.settimeout(max(until - time.monotonic(), PAUSE))
            try:
                caller, _ = door.accept()
                lines = opened.enter_context(opened.enter_context(caller).makefile("rw"))
                name, told[name] = json.loads(lines.readline())
            except TimeoutError as late:
                missing = ", ".join(name for name in hosts if name not in told)
                raise RuntimeError(
                    f"The hosts {missing} of this job did not come to train within {SECONDS:.0f} s."
                ) from late
            callers.append(lines)
        for lines in callers:
            lines.write(json.dumps(told) + "\n")
            lines.flush()
    return told


def _send(where: tuple[str, int], host: str, value: Any) -> dict[str, Any]:
    until = time.monotonic() + SECONDS
    while True:
        try:
            with socket.create_connection(where, SECONDS) as line, line.makefile("rw") as lines:
                lines.write(json.dumps([host, value]) + "\n")
                lines.flush()
                answer = lines.readline()
            if answer:
                return dict(json.loads(answer))
        except OSError as error:
            if time.monotonic() > until:
                raise RuntimeError(f"The first host of this job cannot be reached at {where[0]}: {error}.") from error
        time.sleep(PAUSE)
