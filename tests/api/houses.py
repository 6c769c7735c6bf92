"""A real server in front of a real house with a stub executor, in this process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from api.app import FrontDoor
from api.proxy.connection import ProxyConnection
from api.server import Server
from emulator.clock import AdjustableClock
from emulator.house import House


@contextmanager
def opened(**settings) -> Iterator[FrontDoor]:
    """The front door of a house that is gone afterwards; its `url` is where it answers."""
    house = House.for_tests(AdjustableClock(), **settings)
    server = Server("127.0.0.1", 0, workers=8)
    server.ConnectionClass = ProxyConnection
    server.expiration_interval = 0.02
    server.prepare()
    server.door = door = FrontDoor(house, server.bind_addr[1])
    door.url = house.url = server.url
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield door
    finally:
        house.close()
        assert not house.clock.waiting(), "a house that is closed has called off all that was to happen"
        server.stop()
        thread.join(5)
