"""`rabit_run`, which scripts train on several hosts with."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from sagelet_payload import bring


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
    first, second = (*ports, None, None)[:2]
    first, second = options.get("first_port", first), options.get("second_port", second)
    rabit = bring("algorithms.xgboost.rabit")
    port = first or rabit.PORT
    with rabit.joined(hosts, current_host, port) as ring:
        told = ring.gather((current_host, bool(include_in_training)))
    members = [host for host, included in told if included]
    if not members:
        raise RuntimeError("No hosts received training data.")
    if not include_in_training:
        print(f"Host {current_host} not being used for distributed training.", file=sys.stderr)
        sys.exit(0)
    with rabit.joined(members, current_host, second or port + 1) as ring:
        exec_fun(**args, **({"is_master": ring.is_master} if options.get("update_rabit_args") else {}))
