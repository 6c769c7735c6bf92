"""The front door of a House: what happens to a request, as one readable list of steps.

A step returns the reply, or None to let the next one look. What a step raises is told in the words of the protocol
that the request speaks.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, Protocol

from botocore.model import OperationModel

from api import injection, refusals, wire
from api.guard import Guard
from api.identify import S3_NAMES, TARGET, Identity, host_name, identify, of_aws, signature_of
from api.patience import Patience, waits
from api.requests import RequestLog
from api.wire import WireReply, WireRequest, json11
from emulator import ids, spec
from emulator.call import EVERYTHING, Answer, Call, Extent
from emulator.clock import AdjustableClock
from emulator.errors import CallerFault, ExpiredToken, HouseFault, NotBuilt
from emulator.functions import FunctionBook
from emulator.settings import Settings
from emulator.trouble import TroubleBook

if TYPE_CHECKING:
    from api.proxy.authority import Authority

log = logging.getLogger(__name__)

PAGES = "/_sagelet"
"""What begins the paths of our own pages; no bucket can be called so."""

MOTO_RESET = ("POST", "/moto-api/reset")
"""What the decorators of moto call in its server mode; S3 has no POST to a key without a query."""

INVOCATIONS = 64
"""Invocations that may wait for their models at the same time."""

PATIENCE = 0.01
"""Seconds for which a request to the control plane waits for its turn. They take turns because threads of one
interpreter that compute at once lose time to each other at every lock that the interpreter lets go; no request needs
its turn, so that one which waits for something else holds nobody up for longer than this."""

INVOKING = frozenset({"InvokeEndpoint", "InvokeEndpointWithResponseStream"})


FOREIGN = frozenset({"cross-site", "same-site"})
"""What a browser says of a page that is not ours. Its pictures and links are asked for without an Origin, and services
whose operations are a query would take them for such."""


class Rooms(Protocol):
    """What the front door needs of a House."""

    settings: Settings
    clock: AdjustableClock
    trouble: TroubleBook
    functions: FunctionBook
    neighbours: Any
    schema: int

    def dispatch(self, call: Call) -> Answer: ...
    def status(self) -> dict[str, Any]: ...
    def snapshot(self) -> Any: ...
    def load(self, source: IO[bytes]) -> dict[str, Any]: ...
    def reset(self, extent: Extent = EVERYTHING) -> list[str]: ...
    def log_lines(self, name: str, places: Mapping[str, int] | None = None) -> dict[str, Any]: ...


@dataclass
class Exchange:
    """A request on its way through the steps, and what they have found out about it."""

    request: WireRequest
    request_id: str = field(default_factory=ids.request_id)
    identity: Identity | None = None
    operation: OperationModel | None = None
    protocol: wire.Protocol = json11
    params: Mapping[str, Any] | None = None
    operation_name: str = ""
    """Of a service whose model is not ours, as is `subject`: what the request is about."""
    subject: str = ""
    code: str = ""
    """Of the error that it ended in, where we made that."""
    ours: bool = False
    """Whether it was for our own pages."""


Step = Callable[[Any, Exchange], "WireReply | None"]


class FrontDoor:
    """Answers HTTP requests for a house."""

    def __init__(self, house: Rooms, port: int) -> None:
        self.house = house
        self.guard = Guard(house.settings.host, port, house.settings.allow_host)
        self.requests = RequestLog(house.settings.request_log, house.clock)
        self.closing = threading.Event()
        self.patience = Patience(house.settings.hold_waiters, self.closing)
        self.steps = STEPS
        self._turn = threading.Lock()
        self._invocations = threading.BoundedSemaphore(INVOCATIONS)
        self._pages: Callable[[WireRequest], WireReply] | None = None

    @cached_property
    def authority(self) -> Authority:
        """Makes the certificates of names of AWS (`api.proxy`)."""
        from api.proxy.authority import Authority

        return Authority(self.house.settings.data_dir)

    @contextmanager
    def turn(self, request: WireRequest) -> Iterator[None]:
        """What is done for a request of the control plane, until its reply is sent, is done in its turn."""
        ours = request.headers.get("x-amz-target", "").startswith(TARGET) and not waits(request.headers)
        mine = ours and self._turn.acquire(timeout=PATIENCE)
        try:
            yield
        finally:
            if mine:
                self._turn.release()

    def answer(self, request: WireRequest) -> WireReply:
        """The reply to a request. Raises nothing: a bug is logged with its story and answered as InternalFailure."""
        began, exchange = time.perf_counter(), Exchange(request)
        reply = self._answer(exchange)
        if not exchange.ours and self.requests.size:
            self.requests.note(exchange, reply, time.perf_counter() - began)
        return reply

    def _answer(self, exchange: Exchange) -> WireReply:
        try:
            for step in self.steps:
                reply = step(self, exchange)
                if reply is not None:
                    return reply
            raise CallerFault("Nobody answers this request.", code="UnknownOperationException")
        except (CallerFault, NotBuilt) as error:
            exchange.code = error.code
            return exchange.protocol.fault(error, exchange.operation, exchange.request_id)
        except RecursionError:
            log.warning("request %s: nested too deeply", exchange.request_id)
            fault = CallerFault("The request is nested too deeply.", code="SerializationException")
            exchange.code = fault.code
            return exchange.protocol.fault(fault, exchange.operation, exchange.request_id)
        except Exception as error:
            return self._confess(error, exchange)

    def _confess(self, error: Exception, exchange: Exchange) -> WireReply:
        name = exchange.operation.name if exchange.operation is not None else exchange.request.path[:200]
        story = "".join(f"\n  {line}" for line in getattr(error, "story", ()))
        exchange.code = HouseFault.code
        log.error("request %s (%s) failed%s", exchange.request_id, name, story, exc_info=error)
        return exchange.protocol.fault(error, exchange.operation, exchange.request_id)

    # --- the steps ----------------------------------------------------------------------------------------------

    def keep_out_web_pages(self, exchange: Exchange) -> WireReply | None:
        """A foreign Host or Origin: 403."""
        try:
            self.guard.check(exchange.request.headers)
        except CallerFault as error:
            exchange.code = error.code
            return replace(json11.fault(error, None, exchange.request_id), status=403)
        return None

    def refuse_when_closing(self, exchange: Exchange) -> WireReply | None:
        """The server is being stopped: 503, which clients try again."""
        if self.closing.is_set():
            raise CallerFault("Sagelet is being stopped.", code="ServiceUnavailable")
        return None

    def show_our_pages(self, exchange: Exchange) -> WireReply | None:
        """The extension API, and the console."""
        method, path = exchange.request.method, exchange.request.path
        if path != PAGES and not path.startswith(PAGES + "/") and (method, path) != MOTO_RESET:
            return None
        if of_aws(host_name(exchange.request.headers.get("host", ""))):
            return None  # what AWS has under that path: an object in a bucket
        exchange.ours = True
        if self._pages is None:
            from api.pages import pages

            self._pages = pages(self)
        return self._pages(exchange.request)

    def identify(self, exchange: Exchange) -> WireReply | None:
        """Which service is meant, and which operation of it."""
        try:
            exchange.identity = identity = identify(exchange.request, self.house.settings, self._account_of)
        except ExpiredToken as error:
            return self._expired(exchange, error)
        if identity.path != exchange.request.path:
            exchange.request = replace(exchange.request, path=identity.path)
        if identity.operation:
            model = spec.load(identity.service)
            exchange.protocol = wire.protocol(model.metadata["protocol"])
            exchange.operation = model.operation_model(identity.operation)
        return None

    def _account_of(self, access_key: str) -> str | None:
        account: str | None = self.house.neighbours.account_of(access_key)
        return account

    def _expired(self, exchange: Exchange, error: ExpiredToken) -> WireReply:
        service = signature_of(exchange.request).service
        if service in S3_NAMES:
            return refusals.worded(self, exchange, service, CallerFault("The provided token has expired.", error.short))
        code = error.short if refusals.speaks_query(exchange.request) else error.code
        return refusals.worded(self, exchange, service, CallerFault(error.message, code), 403)

    def find_s3_operation(self, exchange: Exchange) -> WireReply | None:
        """S3 tells its operations apart by query and headers."""
        identity = exchange.identity
        if identity is None or identity.service != "s3":
            return None
        exchange.protocol = wire.protocol("rest-xml")
        from api.wire import xmlroutes

        operation, params = xmlroutes.route(spec.load("s3"), exchange.request)
        exchange.operation = operation
        exchange.identity = replace(identity, operation=operation.name, uri_params=params)
        return None

    def read_parameters(self, exchange: Exchange) -> WireReply | None:
        """What is asked, by the service model; the body of an object stays a stream."""
        identity, operation = exchange.identity, exchange.operation
        if identity is not None and operation is not None:
            exchange.params = exchange.protocol.parse(operation, exchange.request, identity.uri_params)
        return None

    def let_it_fail(self, exchange: Exchange) -> WireReply | None:
        """What is to go wrong on purpose."""
        return injection.let_it_fail(self, exchange) if self.house.trouble.requests else None

    def ask_the_neighbours(self, exchange: Exchange) -> WireReply | None:
        """Services of AWS that are not ours."""
        identity, request = exchange.identity, exchange.request
        if identity is None or identity.operation:
            return None
        if request.headers.get("sec-fetch-site") in FOREIGN:
            fault = CallerFault("Requests of other web pages are refused.", code="AccessDenied")
            return refusals.worded(self, exchange, identity.service, fault, 403)
        reply = self.house.neighbours.answer(refusals.neighbours_request(request, identity.service, identity.scope))
        exchange.operation_name, exchange.subject = reply.operation, reply.subject
        return WireReply(reply.status, reply.headers, reply.body)

    def do_the_operation(self, exchange: Exchange) -> WireReply | None:
        """Dispatch, answer."""
        identity, operation, params = exchange.identity, exchange.operation, exchange.params
        if identity is None or operation is None or params is None:
            return None
        protocol, headers = exchange.protocol, exchange.request.headers
        call = Call(identity.service, operation.name, params, identity.scope, exchange.request_id, headers)
        if operation.name not in INVOKING:
            return protocol.answer(operation, self.patience.answer(call, self.house.dispatch), exchange.request_id)
        if not self._invocations.acquire(blocking=False):
            message = f"{INVOCATIONS} invocations are waiting for their models already. Try again."
            raise CallerFault(message, code="ServiceUnavailable")
        return self._invoke(exchange, operation, call)

    def _invoke(self, exchange: Exchange, operation: OperationModel, call: Call) -> WireReply:
        """An invocation holds its place until its reply, which may be a stream, is sent."""
        streaming = False
        try:
            reply = exchange.protocol.answer(operation, self.house.dispatch(call), exchange.request_id)
            streaming = not isinstance(reply.body, bytes)
        finally:
            if not streaming:
                self._invocations.release()
        return replace(reply, body=Stream(reply.body, self._invocations.release)) if streaming else reply


class Stream:
    """An iterable body that calls `done` once, when it was sent or given up."""

    def __init__(self, source: Any, done: Callable[[], None]) -> None:
        self._source = source
        self._done = done
        self._open = True

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._source)

    def close(self) -> None:
        """Let go of the source, then of the place."""
        if not self._open:
            return
        self._open = False
        try:
            close = getattr(self._source, "close", None)
            if close is not None:
                close()
        finally:
            self._done()


STEPS: tuple[Step, ...] = (
    FrontDoor.keep_out_web_pages,  # before anything looks at what a web page may have sent
    FrontDoor.refuse_when_closing,
    FrontDoor.show_our_pages,  # before S3, to which every unsigned path belongs
    FrontDoor.identify,
    FrontDoor.find_s3_operation,
    FrontDoor.read_parameters,
    FrontDoor.let_it_fail,
    FrontDoor.ask_the_neighbours,
    FrontDoor.do_the_operation,
)
