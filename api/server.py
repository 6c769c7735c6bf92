"""A listening server: cheroot with our gateway, in front of a door that answers."""

from __future__ import annotations

import logging

from cheroot.server import HTTPServer

from api.app import INVOCATIONS, FrontDoor
from api.gateway import Connection, HouseGateway

log = logging.getLogger(__name__)

WORKERS = INVOCATIONS + 32
"""Threads: as many as may hang in invocations, and some that then still answer everybody else."""

BACKLOG = 512
CONNECTIONS = 4096
SOCKET_SECONDS = 120
"""How long a client may stop in the middle of a request, or a kept connection stay unused."""


class Server(HTTPServer):
    """cheroot with our gateway; `door` answers."""

    ConnectionClass = Connection
    keep_alive_conn_limit = CONNECTIONS
    request_queue_size = BACKLOG
    timeout = SOCKET_SECONDS
    max_request_header_size = 256 * 1024
    shutdown_timeout = 1

    def __init__(self, host: str, port: int, workers: int = WORKERS) -> None:
        super().__init__((host, port), HouseGateway, minthreads=workers, maxthreads=workers, server_name="Sagelet")
        self.door: FrontDoor | None = None

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        """cheroot's own words go where ours go."""
        log.log(level, "%s", msg, exc_info=traceback)

    @property
    def url(self) -> str:
        """Where clients reach the server, with the port that it really has."""
        host, port = self.bind_addr[:2]
        shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
        return f"http://{shown}:{port}"
