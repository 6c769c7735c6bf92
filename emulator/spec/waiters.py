"""What the waiters of the AWS SDKs wait for: all of them have the same definitions, here the installed botocore's."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from emulator.call import Answer
from emulator.spec.models import DATA

Matcher = Callable[[Answer], bool]


@cache
def ends(service: str) -> dict[str, tuple[Matcher, ...]]:
    """By operation: what tells whether an answer ends a wait, well or not. Operations that nobody waits for are absent.

    Where several waiters ask the same operation (an endpoint in service, an endpoint gone) any of their ends counts.
    """
    from botocore.exceptions import UnknownServiceError  # not at the start of the server: few ever wait
    from botocore.loaders import Loader
    from botocore.waiter import WaiterModel

    loader = Loader(extra_search_paths=[str(DATA)], include_default_search_paths=False)
    try:
        waiters = WaiterModel(loader.load_service_model(service, "waiters-2"))
    except UnknownServiceError:
        return {}
    found: dict[str, tuple[Matcher, ...]] = {}
    for name in waiters.waiter_names:
        waiter = waiters.get_waiter(name)
        matchers = tuple(one.matcher_func for one in waiter.acceptors if one.state != "retry")
        found[waiter.operation] = (*found.get(waiter.operation, ()), *matchers)
    return found
