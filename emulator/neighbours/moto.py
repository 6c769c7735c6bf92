"""moto as a library: one request in, one reply out, by moto's own URL table of the service. Imported on first use.

Knows nothing of the journal. moto's state is global to the process, so there is one of these in use at a time.
"""

from __future__ import annotations

import importlib
import json
import logging
import re
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from emulator import arns
from emulator.call import Extent, Scope
from emulator.errors import CallerFault, HouseFault, NotBuilt, Validation
from emulator.neighbours import moment
from emulator.neighbours.asked import CBOR, QUERY, REST, Asked
from emulator.neighbours.http import HttpReply
from emulator.neighbours.replies import CONTENT_TYPES, worded
from emulator.neighbours.services import SERVICES, Service

log = logging.getLogger(__name__)

Handler = Callable[[Any, str, Any], Any]

DROPPED = ("status", "server", "date", "content-length", "access-control-allow-origin")
"""Headers of moto's replies that the front door writes itself."""


LOCK = threading.RLock()
"""Held around everything that touches moto: its state, its chance and its clock are the whole process's."""


class Moto:
    """moto's services. The caller holds LOCK. Several may exist in a process, but moto's state is that of one of
    them: whoever takes it over starts empty, and the former holder finds that it no longer `holds` it."""

    _holder: Moto | None = None

    def __init__(self) -> None:
        self._urls: dict[str, list[tuple[re.Pattern[str], Handler]]] = {}

    def holds(self) -> bool:
        """Whether the state in moto is what this one has made of it."""
        return Moto._holder is self

    def take(self) -> None:
        """Empty moto, and hold it."""
        _empty()
        Moto._holder = self

    def let_go(self) -> None:
        """Forget the state, if it is ours."""
        if self.holds():
            Moto._holder = None
            _empty()

    def forget(self, extent: Extent) -> None:
        """Forget the state of a part of the house. Backends are made anew when they are asked, not here, so that the
        moment of that request is theirs."""
        base: Any = importlib.import_module("moto.core.base_backend")
        for services in list(base.BackendDict._instances):
            for account, region, backend in list(services.iter_backends()):
                # What has no regions is kept by partition: aws, aws-cn.
                if extent.covers(Scope(account, "" if region.startswith("aws") else region)):
                    backend.reset()
                    del services[account][region]

    def named(self, asked: Asked) -> Asked:
        """The request with its operation, which for a REST service only the router of its model knows."""
        if asked.protocol != REST or asked.operation:
            return asked
        self._handlers(asked.service)
        routing: Any = importlib.import_module("moto.core.routing")
        try:
            operation, _ = routing.get_service_router(SERVICES[asked.service].model).match(self._request(asked))
        except routing.NotFound:
            message = f"{asked.method} {asked.path} is no operation of {SERVICES[asked.service].model}."
            raise CallerFault(message, "UnknownOperationException") from None
        return replace(asked, operation=str(operation.name))

    def answer(self, asked: Asked, now: moment.Moment, seed: int | None = None) -> HttpReply:
        """What moto answers at that moment. Whatever moto cannot do, or breaks on, is a typed error."""
        handlers = self._handlers(asked.service)
        chance: Any = importlib.import_module("moto.moto_api._internal").mock_random
        chance.seed(seed)
        url = f"https://{SERVICES[asked.service].host}.{asked.scope.region}.amazonaws.com{asked.path}"
        handler = next((call for pattern, call in handlers if pattern.match(url)), None)
        if handler is None:
            raise NotBuilt(f"{_title(asked)} is not implemented here.")
        try:
            with moment.during(now):
                return self._call(handler, asked)
        finally:
            moment.settle()

    def backend(self, service: str, account: str, region: str) -> Any:
        """The state of a service in one account and region; of a global service in one partition."""
        self._handlers(service)
        backends: Any = importlib.import_module("moto.backends")
        found = backends.get_backend(SERVICES[service].moto)[account]
        for place in (region, arns.partition(region)):
            if place in found:
                return found[place]
        raise _no_region(service, region)

    def _handlers(self, signing_name: str) -> list[tuple[re.Pattern[str], Handler]]:
        if signing_name not in self._urls:
            service = SERVICES[signing_name]
            urls = _urls_of(service)
            _configure()
            moment.settle()
            self._urls[signing_name] = [(re.compile(pattern), handler) for pattern, handler in urls.items()]
        return self._urls[signing_name]

    def _call(self, handler: Handler, asked: Asked) -> HttpReply:
        request = self._request(asked)
        try:
            result = handler(request, request.raw_url, request.headers)
        except (CallerFault, NotBuilt):
            raise
        except NotImplementedError as error:
            raise NotBuilt(f"{_title(asked)} is not implemented here.") from error
        except KeyError as error:
            if error.args == (asked.scope.region,):
                raise _no_region(asked.service, asked.scope.region) from error
            return _from_exception(asked, error)
        except Exception as error:
            return _from_exception(asked, error)
        status, headers, body = result if len(result) == 3 else (200, {}, result)
        if int(status) == 404 and not body:
            raise NotBuilt(f"{_title(asked)} is not implemented here.")
        return _reply(asked, int(status), headers, body)

    def _request(self, asked: Asked) -> Any:
        requests: Any = importlib.import_module("moto.core.request")
        url = f"http://{asked.headers.get('host', 'localhost')}{asked.path}"
        headers = {
            **asked.headers,
            "x-moto-account-id": asked.scope.account,
            "authorization": (
                f"AWS4-HMAC-SHA256 Credential={asked.access_key or 'AKIAEXAMPLE'}/20200101/{asked.scope.region}"
                f"/{asked.service}/aws4_request, SignedHeaders=host, Signature=0"
            ),
        }
        if asked.query:
            url += f"?{asked.query}"
        request = requests.Request.from_primitives(asked.method, url, headers, asked.body)
        request.environ["RAW_URI"] = asked.path + (f"?{asked.query}" if asked.query else "")
        return request


def _empty() -> None:
    base: Any = sys.modules.get("moto.core.base_backend")
    if base is not None:
        base.BackendDict.reset()


def _urls_of(service: Service) -> Mapping[str, Handler]:
    try:
        backends: Any = importlib.import_module("moto.backends")
        core: Any = importlib.import_module("moto.core")
        account = backends.get_backend(service.moto)[core.DEFAULT_ACCOUNT_ID]
    except ImportError as error:
        raise NotBuilt(
            f"{service.model} needs the Python package {error.name!r}, which is not installed: "
            f"pip install 'moto[{service.moto}]'."
        ) from error
    return dict(account["us-east-1" if "us-east-1" in account else "aws"].urls)


def _configure() -> None:
    config: Any = importlib.import_module("moto.core.config")
    config.default_user_config["lambda"] = {"use_docker": False}


def _no_region(service: str, region: str) -> Validation:
    return Validation(f"{SERVICES[service].model} has no region {region!r}.")


def _title(asked: Asked) -> str:
    return f"{SERVICES[asked.service].model} {asked.operation or asked.method + ' ' + asked.path}"


def _from_exception(asked: Asked, error: Exception) -> HttpReply:
    """moto's own error classes carry an answer; everything else is a defect, and says of which operation."""
    if type(error).__name__ == "OperationNotFoundError":
        raise NotBuilt(f"{_title(asked)} is not implemented here.") from error
    if hasattr(error, "get_body") and hasattr(error, "get_headers"):
        return _reply(asked, int(getattr(error, "code", 400) or 400), dict(error.get_headers()), error.get_body())
    if isinstance(getattr(error, "response", None), dict):
        found = error.response.get("Error", {})  # type: ignore[attr-defined]
        return worded(found.get("Code", "ValidationException"), found.get("Message", str(error)), 400, asked.protocol)
    if type(error).__module__.startswith("moto.") and isinstance(getattr(error, "code", None), str):
        return worded(error.code, getattr(error, "message", None) or str(error), 400, asked.protocol)  # type: ignore[attr-defined]
    log.error("%s failed inside moto\n%s", _title(asked), traceback.format_exc())
    raise HouseFault(f"{_title(asked)} failed: {type(error).__name__}: {error}") from error


def _reply(asked: Asked, status: int, headers: Mapping[str, Any], body: str | bytes) -> HttpReply:
    raw = body.encode("utf-8") if isinstance(body, str) else bytes(body or b"")
    if status >= 400 and raw[:20].lstrip().lower().startswith((b"<!doctype", b"<html")):
        raise HouseFault(f"{_title(asked)} failed without a reason (status {status}).")
    kept = {name.lower(): str(value) for name, value in headers.items() if name.lower() not in DROPPED}
    if asked.protocol in (QUERY, CBOR) or "content-type" not in kept:
        kept["content-type"] = CONTENT_TYPES.get(
            asked.protocol if asked.protocol != CBOR else "json", "application/json"
        )
    if asked.protocol == QUERY and raw[:1] == b"{":
        raw, kept["content-type"] = _error_as_xml(raw, status)
    return HttpReply(status, kept, raw)


def _error_as_xml(raw: bytes, status: int) -> tuple[bytes, str]:
    """Some of moto's errors are JSON whatever the request spoke; a client of the query protocol reads only XML."""
    found = json.loads(raw)
    code = str(found.get("__type", "ServiceUnavailable")).rpartition("#")[2]
    reply = worded(code, str(found.get("message", found.get("Message", ""))), status, QUERY)
    assert isinstance(reply.body, bytes)
    return reply.body, reply.headers["content-type"]
