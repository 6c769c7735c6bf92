"""One invocation: which variant answers, and what its answer or its silence means in the service's words."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from emulator import arns
from emulator.call import Scope
from emulator.errors import CallerFault
from emulator.hosts.fleet import Fleet
from emulator.servers import InvokeFailure, ModelServer, Reply


@dataclass(frozen=True)
class InvokeRequest:
    """What a client sends to an endpoint. `headers` are those that a container may see."""

    endpoint: str
    body: bytes
    headers: Mapping[str, str]
    scope: Scope
    target_variant: str = ""


@dataclass(frozen=True)
class Invoked:
    """What the endpoint answers: the container's reply and the variant that gave it. `chunks` when it was streamed."""

    variant: str
    reply: Reply
    chunks: Iterator[bytes] | None = None


def not_found(scope: Scope, endpoint: str) -> CallerFault:
    """The runtime's error for an endpoint that is absent or not in service."""
    return CallerFault(f"Endpoint {endpoint} of account {scope.account} not found.", code="ValidationError")


class Router:
    """Chooses variants by their weights and asks their servers."""

    def __init__(self, timeout: float, choose: random.Random | None = None) -> None:
        self._timeout = timeout
        self._random = choose or random.Random()

    def invoke(self, fleet: Fleet, request: InvokeRequest) -> Invoked:
        """Ask one server; `ModelError` when the container answers an error, too late, or not at all."""
        variant = self._variant(fleet, request)
        with fleet.borrow(variant) as server:
            if server is None:
                raise _model_error(request, 503, "the container is being restarted; its last lines are in the log.")
            try:
                reply = server.invoke(request.body, request.headers, self._timeout)
            except InvokeFailure as failure:
                raise _silence(request, failure, server) from failure
        return Invoked(variant, _checked(request, reply))

    def invoke_stream(self, fleet: Fleet, request: InvokeRequest) -> Invoked:
        """As `invoke`, with the body as it comes; the server is kept until the last chunk was read."""
        variant = self._variant(fleet, request)
        loan = fleet.borrow(variant)
        server = loan.__enter__()
        try:
            if server is None:
                raise _model_error(request, 503, "the container is being restarted; its last lines are in the log.")
            try:
                reply, chunks = server.invoke_stream(request.body, request.headers, self._timeout)
            except InvokeFailure as failure:
                raise _silence(request, failure, server) from failure
            if reply.status >= 400:
                _checked(request, Reply(reply.status, reply.headers, b"".join(chunks)))
        except BaseException:
            loan.__exit__(None, None, None)
            raise

        def body() -> Iterator[bytes]:
            try:
                yield from chunks
            finally:
                loan.__exit__(None, None, None)

        return Invoked(variant, reply, body())

    def _variant(self, fleet: Fleet, request: InvokeRequest) -> str:
        plans = fleet.plans
        if request.target_variant:
            if request.target_variant not in plans:
                raise CallerFault(
                    f"Variant {request.target_variant} not found for endpoint {request.endpoint}; "
                    f"it has {', '.join(sorted(plans))}.",
                    code="ValidationError",
                )
            return request.target_variant
        if len(plans) == 1:
            return next(iter(plans))
        names, weights = list(plans), [plan.weight for plan in plans.values()]
        if not sum(weights):
            raise CallerFault(f"All variants of endpoint {request.endpoint} have weight 0.", code="ValidationError")
        return self._random.choices(names, weights)[0]


def _checked(request: InvokeRequest, reply: Reply) -> Reply:
    if reply.status >= 400:
        raise _model_error(request, reply.status, reply.body.decode("utf-8", "replace"))
    return reply


def _silence(request: InvokeRequest, failure: InvokeFailure, server: ModelServer) -> CallerFault:
    if failure.kind == "timeout":
        text = (
            "Your invocation timed out while waiting for a response from container primary. Review the latency "
            "metrics for each container in Amazon CloudWatch, resolve the issue, and try again."
        )
        return _model_error(request, 0, text)
    return _model_error(request, 500, f"{failure.message} {server.failure()}".strip())


def _model_error(request: InvokeRequest, status: int, original: str) -> CallerFault:
    """A ModelError: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html."""
    who = "client" if 400 <= status < 500 else "server"
    region, account = request.scope.region, request.scope.account
    group = f"/aws/sagemaker/Endpoints/{request.endpoint}"
    message = (
        f'Received {who} error ({status}) from primary with message "{original[:4096]}". See '
        f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}"
        f"#logEventViewer:group={group} in account {account} for more information."
    )
    return CallerFault(
        message,
        code="ModelError",
        OriginalStatusCode=status,
        OriginalMessage=original,
        LogStreamArn=arns.build(request.scope, f"log-group:{group}", service="logs"),
    )
