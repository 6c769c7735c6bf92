"""Further doors to the house, for programs that cannot reach its loopback address: each opens to one key only.

A container reaches this machine at the address of its bridge, where others may reach it too. There a request must be
signed with the access key that the door was opened for, and carry the session token of that key.
"""

from __future__ import annotations

import errno
import socket
import threading

from api import refusals
from api.app import Exchange, FrontDoor, Step
from api.guard import Guard
from api.identify import S3_NAMES, Signature, signature_of, unsigned_service
from api.server import Server
from api.wire import WireReply, WireRequest
from emulator.errors import CallerFault

WORKERS = 6
"""Threads of one gateway: it serves one job."""

DESKTOP_NAME = "host.docker.internal"
"""What containers in a virtual machine call this machine's loopback."""

TICK_SECONDS = 0.1
"""How soon a gateway that is closed lets go of its port."""

REFUSAL = (
    "This address answers only requests that are signed with the key of the job that it was opened for. "
    "Use the AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN of the job's environment."
)


class Gateways:
    """The doors that are open. The adapter of `emulator.ports.Gateways`; all of them end with `close_all`."""

    def __init__(self, front: FrontDoor) -> None:
        self._front = front
        self._open: dict[tuple[str, int], Gateway] = {}
        self._lock = threading.Lock()

    def open(self, host: str, access_key: str, port: int = 0) -> int:
        """Listen at `host` for requests that are signed with `access_key`; the port. `OSError` when that cannot be."""
        with self._lock:
            known = self._open.get((host, port))
            if known is not None and known.access_key == access_key:
                return port
            if known is not None:
                raise OSError(errno.EADDRINUSE, f"{host}:{port} is open for another key already; close it first")
            gateway = Gateway(self._front, host, access_key, port)
            self._open[host, gateway.port] = gateway
            return gateway.port

    def close(self, host: str, port: int) -> None:
        """Stop listening. Idempotent."""
        with self._lock:
            gateway = self._open.pop((host, port), None)
        if gateway is not None:
            gateway.close()

    def close_all(self) -> None:
        """Close every door that is open."""
        with self._lock:
            gateways, self._open = list(self._open.values()), {}
        for gateway in gateways:
            gateway.close()


class Gateway:
    """One door: a server of its own with few threads."""

    def __init__(self, front: FrontDoor, host: str, access_key: str, port: int) -> None:
        self.access_key = access_key
        _try(host, port)
        self._server = Server(host, port, workers=WORKERS)
        self._server.expiration_interval = TICK_SECONDS
        self._server.prepare()
        # Connections inherit this: what a killed server leaves of them must not keep the next one from the port.
        self._server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.port = int(self._server.bind_addr[1])
        self._server.door = SideDoor(front, host, self.port, access_key)
        self._thread = threading.Thread(target=self._server.serve, name=f"gateway:{host}:{self.port}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the threads and let go of the port; what is being answered is given a second."""
        self._server.stop()
        self._thread.join()


def _try(host: str, port: int) -> None:
    """cheroot loses the socket and the number of the error when it cannot listen."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, port), family=family):
            pass
    except OSError as error:
        reason = f"cannot listen on {host}:{port} for a job ({error.strerror or error})"
        raise OSError(error.errno, f"{reason}. Is it an address of this machine, and free?") from None


class SideDoor(FrontDoor):
    """The front door's answers, for one key, without our own pages. Turns, places and the log are the front door's."""

    def __init__(self, front: FrontDoor, host: str, port: int, access_key: str) -> None:
        super().__init__(front.house, port)
        self.guard = Guard(host, port, (*front.house.settings.allow_host, DESKTOP_NAME))
        self.closing, self._turn, self._invocations = front.closing, front._turn, front._invocations
        self.requests = front.requests
        self.steps = STEPS_ASIDE
        self._access_key = access_key

    def keep_out_strangers(self, exchange: Exchange) -> WireReply | None:
        """Whoever does not show key and token: 403, in the words of the protocol that the request speaks."""
        request = exchange.request
        signature = signature_of(request)
        if self._is_known(request, signature):
            return None
        service = signature.service or unsigned_service(request)
        code = "AccessDenied" if service in S3_NAMES else "AccessDeniedException"
        return refusals.worded(self, exchange, service, CallerFault(REFUSAL, code=code), 403)

    def _is_known(self, request: WireRequest, signature: Signature) -> bool:
        query, headers = request.query, request.headers
        if ("authorization" in headers) + ("X-Amz-Credential" in query) + ("AWSAccessKeyId" in query) != 1:
            return False  # unsigned; or signed twice, so that one reader could see another key than the next
        if signature.access_key != self._access_key:
            return False
        tokens = query.get("X-Amz-Security-Token") or query.get("x-amz-security-token") or ()
        known: bool = self.house.neighbours.holds(
            self._access_key, tokens[0] if tokens else headers.get("x-amz-security-token", "")
        )
        return known


STEPS_ASIDE: tuple[Step, ...] = (
    FrontDoor.keep_out_web_pages,
    FrontDoor.refuse_when_closing,
    SideDoor.keep_out_strangers,  # in place of our own pages
    FrontDoor.identify,
    FrontDoor.find_s3_operation,
    FrontDoor.read_parameters,
    FrontDoor.let_it_fail,
    FrontDoor.ask_the_neighbours,
    FrontDoor.do_the_operation,
)
