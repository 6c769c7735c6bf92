"""The switchboard of the other services: finds out what is asked, and by whom of us, or moto, it is answered."""

from __future__ import annotations

import importlib
import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from emulator import arns
from emulator.call import EVERYTHING, Extent, Scope
from emulator.clock import Clock, SystemClock
from emulator.errors import ExpiredToken, NotBuilt, SageletError
from emulator.logs import FileLogs
from emulator.metrics import FileMetrics
from emulator.neighbours import asked as requests
from emulator.neighbours.asked import CBOR, Asked
from emulator.neighbours.bus import Bus
from emulator.neighbours.desk import Desk
from emulator.neighbours.http import HttpReply, HttpRequest
from emulator.neighbours.identities import DEFAULT_ROLE, Credentials, Identities, session
from emulator.neighbours.replies import fault, to_cbor
from emulator.neighbours.services import SERVICES
from emulator.ports import LocalImages
from emulator.settings import Settings

log = logging.getLogger(__name__)

OWN_SECONDS = 366 * 86400
"""How long credentials of our own programs are good for: longer than any job, and than most endpoints."""

Override = Callable[["Neighbours", Asked], "HttpReply | None"]

_STS = "emulator.neighbours.sts:"
_IAM = "emulator.neighbours.iam:"
_ECR = "emulator.neighbours.ecr:"
_LOGS = "emulator.neighbours.cloudwatch_logs:"
_EVENTS = "emulator.neighbours.log_events:"
_METRICS = "emulator.neighbours.cloudwatch:read_metrics"

OVERRIDES: tuple[tuple[str, str, str], ...] = (
    ("sts", "GetCallerIdentity", _STS + "get_caller_identity"),
    ("sts", "AssumeRole", _STS + "assume_role"),
    ("sts", "AssumeRoleWithWebIdentity", _STS + "assume_role_with_web_identity"),
    ("sts", "GetSessionToken", _STS + "get_session_token"),
    ("sts", "GetFederationToken", _STS + "get_federation_token"),
    ("sts", "GetAccessKeyInfo", _STS + "get_access_key_info"),
    ("iam", "SimulatePrincipalPolicy", _IAM + "simulate_principal_policy"),
    ("iam", "CreateAccessKey", _IAM + "create_access_key"),
    ("iam", "DeleteAccessKey", _IAM + "delete_access_key"),
    ("sns", "Publish", "emulator.neighbours.sns:publish"),
    ("sns", "Subscribe", "emulator.neighbours.sns:subscribe"),
    ("sqs", "ReceiveMessage", "emulator.neighbours.sqs:receive_message"),
    ("monitoring", "GetMetricData", _METRICS),
    ("monitoring", "GetMetricStatistics", _METRICS),
    ("monitoring", "ListMetrics", _METRICS),
    ("ecr", "BatchGetImage", _ECR + "batch_get_image"),
    ("ecr", "DescribeImages", _ECR + "describe_images"),
    ("ecr", "ListImages", _ECR + "list_images"),
    ("logs", "DescribeLogGroups", _LOGS + "describe_log_groups"),
    ("logs", "DescribeLogStreams", _LOGS + "describe_log_streams"),
    ("logs", "GetLogEvents", _EVENTS + "get_log_events"),
    ("logs", "FilterLogEvents", _EVENTS + "filter_log_events"),
    ("logs", "CreateLogGroup", _LOGS + "create_log_group"),
    ("logs", "CreateLogStream", _LOGS + "create_log_stream"),
    ("logs", "PutLogEvents", _LOGS + "put_log_events"),
    ("logs", "DeleteLogGroup", _LOGS + "delete_log_group"),
    ("logs", "DeleteLogStream", _LOGS + "delete_log_stream"),
    ("logs", "*", _LOGS + "refuse_for_ours"),
)
"""What is answered here before moto is asked; an override that answers None leaves the request to moto."""

_TABLE = {(service, operation): path for service, operation, path in OVERRIDES}

NEEDS_ROLES = ("iam", "lambda")
"""Services before whose first request an account gets its default role."""


class Neighbours:
    """The other services of one data folder. Thread safe. Two in one process are right but slow: moto has one state,
    so that each does its journal again whenever the other was asked in between. `local_images` tells what the local
    engine holds under a repository's name."""

    def __init__(
        self,
        settings: Settings,
        logs: FileLogs,
        metrics: FileMetrics,
        clock: Clock | None = None,
        local_images: LocalImages = lambda repository: (),
    ) -> None:
        folder = Path(settings.data_dir) / "neighbours"
        self.settings = settings
        self.logs = logs
        self.metrics = metrics
        self.clock = clock or SystemClock()
        self.local_images = local_images
        self.closed = threading.Event()
        self.identities = Identities(folder / "identities", self.clock)
        self.desk = Desk(folder, self.clock)
        self.bus = Bus(self.desk)

    def answer(self, request: HttpRequest) -> HttpReply:
        """The reply to any request; what cannot be answered is a typed error in the protocol of the request."""
        protocol = requests.read_protocol(request)
        asked: Asked | None = None
        try:
            asked = requests.understand(request)
            asked = self._named(asked)
            reply = self._answer(asked)
            reply = to_cbor(asked.service, asked.operation, reply) if protocol == CBOR else reply
        except SageletError as error:
            reply = fault(error, protocol)
        except Exception as error:
            log.exception("%s %s %s", request.service, request.method, request.path)
            reply = fault(error, protocol)
        return reply if asked is None else replace(reply, operation=asked.operation, subject=asked.subject())

    def recognise(self, request: HttpRequest) -> tuple[str, str]:
        """The operation of a request and what it is about; empty where that cannot be told."""
        try:
            asked = self._named(requests.understand(request))
        except SageletError:
            return "", ""
        return asked.operation, asked.subject()

    def check_role(self, arn: str, scope: Scope) -> None:
        """With --check-roles: `Validation` unless the role exists and trusts SageMaker."""
        if self.settings.check_roles:
            from emulator.neighbours.roles import check_role

            check_role(self.desk, arn, scope)

    def credentials(self, role_arn: str, scope: Scope, session_name: str) -> Credentials:
        """Temporary credentials of a role, for a program of ours; calls made with them belong to the role's account.
        Without a role, of the default one of the account.
        """
        role = arns.parse(role_arn or f"arn:{arns.partition(scope.region)}:iam::{scope.account}:role/{DEFAULT_ROLE}")
        expires = float(int(self.clock.now()) + OWN_SECONDS)
        whose = session("", Scope(role.account, scope.region), role.resource.rpartition("/")[2], session_name, expires)
        return self.identities.hand_out(whose)

    def account_of(self, access_key: str) -> str | None:
        """The account that an access key was handed out for; None for a key that was not handed out here.
        `ExpiredToken` when its time is over.
        """
        found = self.identities.find(access_key)
        if found is not None and 0 < found.expires <= self.clock.now():
            raise ExpiredToken("The security token included in the request is expired")
        return found.account if found else None

    def holds(self, access_key: str, token: str) -> bool:
        """Whether a session token is the one that was handed out with the key."""
        return self.identities.holds(access_key, token)

    def refuse(self, request: HttpRequest, error: SageletError) -> HttpReply:
        """A fault in the protocol that the request speaks; nothing of it is read but its head."""
        return fault(error, requests.read_protocol(request))

    def reset(self) -> None:
        """Forget everything, on disk too."""
        self.desk.forget()
        self.identities.clear()
        self.bus.forget(EVERYTHING)

    def forget(self, extent: Extent) -> None:
        """Forget what a part of the house has made, on disk too. Keys that were handed out stay good: programs go on
        to use them. With a region, services that know none (IAM) keep what the account has."""
        self.desk.forget_part(extent)
        self.bus.forget(extent)

    def close(self) -> None:
        """Let go of files, and of moto's state: the next Neighbours of this process starts from its own journal."""
        self.closed.set()
        self.bus.close()
        self.desk.sleep()

    def _named(self, asked: Asked) -> Asked:
        """With its operation, also where only a router knows it."""
        if asked.service not in SERVICES:
            raise NotBuilt(f"The service {asked.service!r} is not answered here. Known are: {', '.join(SERVICES)}.")
        return asked if asked.operation else self.desk.named(asked)

    def _answer(self, asked: Asked) -> HttpReply:
        path = _TABLE.get((asked.service, asked.operation)) or _TABLE.get((asked.service, "*"))
        if path is not None:
            reply = _function(path)(self, asked)
            if reply is not None:
                return reply
        if asked.service in NEEDS_ROLES:
            from emulator.neighbours.roles import prepare

            prepare(self.desk, asked.scope)
        return self.desk.forward(asked)


def _function(path: str) -> Override:
    module, _, name = path.partition(":")
    found: Override = getattr(importlib.import_module(module), name)
    return found
