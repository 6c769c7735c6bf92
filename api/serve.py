"""The server process: binds the port, opens the house, says that it is ready, and ends in good order.

One process with threads. The port is bound before the house is opened, so that a taken port costs nothing; the ready
file is written when requests are answered.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import signal
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from api import options
from api.app import FrontDoor
from api.gateways import Gateways
from api.proxy.connection import ProxyConnection
from api.server import Server
from emulator.settings import Settings

log = logging.getLogger(__name__)

STOP_SECONDS = 25.0
"""After a signal the process ends within this time, whatever still hangs."""

ADDRESS_FILE = "address"
"""In the data folder: the URL of the server that uses it, for `sagelet status`, `logs` and `reset`."""


class StartRefused(Exception):
    """The server cannot start; the message says why and what to do."""


def main(argv: list[str]) -> int:
    """Run a server with the settings of one JSON argument, until SIGINT or SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        settings = options.read(argv[0] if argv else "{}")
    except (options.BadSetting, ValueError) as error:
        print(f"sagelet: {error}", file=sys.stderr)
        return 2
    stop = stop_event()
    try:
        server = bind(settings)
    except StartRefused as error:
        return _refuse(error)
    try:
        house = open_house(settings)
        settle_in(house, server)
    except BaseException as error:
        server.stop()  # its threads, which were started with it, would keep the process
        if isinstance(error, StartRefused):
            return _refuse(error)
        raise
    serve(house, server, stop)
    return 0


def _refuse(error: StartRefused) -> int:
    print(f"sagelet: {error}", file=sys.stderr)
    return 1


def bind(settings: Settings) -> Server:
    """A server that holds its port and answers nobody yet."""
    server = Server(settings.host, settings.port)
    server.ConnectionClass = ProxyConnection  # doors that are opened for jobs are no proxies
    try:
        server.prepare()
    except OSError as error:
        raise StartRefused(
            f"cannot listen on {settings.host}:{settings.port} ({error}). Choose another port with --port,"
            " or --port 0 for any free one."
        ) from None
    return server


def open_house(settings: Settings) -> Any:
    """The house of the data folder."""
    from emulator.errors import SageletError
    from emulator.house import House

    try:
        return House.open(settings)
    except SageletError as error:
        raise StartRefused(str(error)) from None


def settle_in(house: Any, server: Server) -> None:
    """Tell the house where its doors are, and bring back what its former life left: that may go in and out."""
    server.door = FrontDoor(house, server.bind_addr[1])
    house.url = server.url
    house.gateways = gateways = Gateways(server.door)
    try:
        house.start()
    except BaseException:
        gateways.close_all()  # as those of the server, their threads would keep the process
        raise


def serve(house: Any, server: Server, stop: threading.Event) -> None:
    """Answer requests until `stop` is set; then let go of everything."""
    settings: Settings = house.settings
    door = server.door
    assert door is not None, "the house has not settled in"
    gc.set_threshold(50_000, 20, 20)  # a request leaves few cycles behind: looking for them often took its share of it
    gc.freeze()  # what start-up left lives as long as the process: a full collection need not walk it
    threading.Thread(target=server.serve, name="accept", daemon=True).start()
    address = Path(settings.data_dir) / ADDRESS_FILE
    write_whole(address, server.url)
    print(f"Sagelet is ready at {server.url}", flush=True)
    if settings.ready_file:
        write_whole(Path(settings.ready_file), server.url)
    stop.wait()
    _end_for_sure()
    door.closing.set()
    with contextlib.suppress(OSError):
        address.unlink()
    house.close()  # ends what invocations wait for, so that their threads come home
    house.gateways.close_all()
    server.stop()


def stop_event() -> threading.Event:
    """An event that SIGINT and SIGTERM set."""
    stop = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda number, frame: stop.set())
    return stop


def _end_for_sure() -> None:
    """A thread that never comes home must not keep the process."""

    def leave() -> None:
        log.warning("threads did not end within %s seconds; the process ends without them", STOP_SECONDS)
        logging.shutdown()
        os._exit(0)

    timer = threading.Timer(STOP_SECONDS, leave)
    timer.daemon = True
    timer.start()


def write_whole(target: Path, text: str) -> None:
    """Write a file so that a reader sees all of it or nothing."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
    with os.fdopen(handle, "w") as file:
        file.write(text)
    Path(name).replace(target)
