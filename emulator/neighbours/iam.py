"""What IAM needs besides moto: the simulator that SDKs ask before every job, and keys whose owners are remembered."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from emulator import arns
from emulator.call import Scope
from emulator.errors import NotFound, Validation
from emulator.neighbours import roles
from emulator.neighbours.asked import Asked, internal
from emulator.neighbours.http import HttpReply
from emulator.neighbours.identities import Identity
from emulator.neighbours.replies import answer_xml, xml

if TYPE_CHECKING:
    from emulator.neighbours.neighbours import Neighbours

PAGE = 100
_KEY = re.compile(rb"<AccessKeyId>([^<]+)</AccessKeyId>")
_USER = re.compile(rb"<UserName>([^<]+)</UserName>")
_ARN = re.compile(rb"<Arn>([^<]+)</Arn>")
_ID = re.compile(rb"<UserId>([^<]+)</UserId>")


def simulate_principal_policy(front: Neighbours, asked: Asked) -> HttpReply:
    """`allowed` for every action and resource: nothing here is guarded by policies. The principal must exist."""
    params = asked.params()
    source = params.get("PolicySourceArn", "")
    _must_exist(front, source, asked.scope)
    actions = _numbered(params, "ActionNames")
    if not actions:
        raise Validation("1 validation error detected: Value null at 'actionNames'", "ValidationError")
    resources = _numbered(params, "ResourceArns") or ["*"]
    pairs = [(action, resource) for action in actions for resource in resources]
    start, size = _number(params, "Marker", 0), _number(params, "MaxItems", PAGE) or PAGE
    page = pairs[start : start + size]
    more = start + size < len(pairs)
    results = [
        {
            "EvalActionName": action,
            "EvalResourceName": resource,
            "EvalDecision": "allowed",
            "MatchedStatements": [],
            "MissingContextValues": [],
        }
        for action, resource in page
    ]
    members = {"IsTruncated": "true" if more else "false", "EvaluationResults": results}
    if more:
        members["Marker"] = str(start + size)
    return answer_xml("iam", "SimulatePrincipalPolicy", xml(members))


def create_access_key(front: Neighbours, asked: Asked) -> HttpReply:
    """moto makes the key; its owner is remembered, so that the key names its user and account from then on."""
    with front.desk.lock:
        reply = front.desk.forward(asked)
        key, user = _KEY.search(_bytes(reply)), _USER.search(_bytes(reply))
        if reply.status == 200 and key and user:
            shown = _bytes(front.desk.forward(internal("iam", "GetUser", asked.scope, {"UserName": user[1].decode()})))
            arn, ident = _ARN.search(shown), _ID.search(shown)
            if arn and ident:
                owner = Identity(key[1].decode(), asked.scope.account, arn[1].decode(), ident[1].decode())
                front.identities.remember(owner)
    return reply


def delete_access_key(front: Neighbours, asked: Asked) -> HttpReply:
    """A deleted key stands for nobody."""
    reply = front.desk.forward(asked)
    if reply.status == 200:
        front.identities.forget(str(asked.params().get("AccessKeyId", "")))
    return reply


def _must_exist(front: Neighbours, source: str, scope: Scope) -> None:
    try:
        arn = arns.parse(source)
    except ValueError:
        raise Validation(f"Invalid PolicySourceArn {source}", "InvalidInput") from None
    if arn.resource.startswith("role/") and roles.find(front.desk, source, scope) is None:
        raise NotFound(f"No entity found with ARN {source}", "NoSuchEntity")


def _numbered(params: dict[str, str], name: str) -> list[str]:
    found: list[str] = []
    while (value := params.get(f"{name}.member.{len(found) + 1}")) is not None:
        found.append(value)
    return found


def _number(params: dict[str, str], name: str, usual: int) -> int:
    text = params.get(name, str(usual))
    if not text.isdigit():
        raise Validation(f"Invalid {name} {text}", "InvalidInput")
    return int(text)


def _bytes(reply: HttpReply) -> bytes:
    return reply.body if isinstance(reply.body, bytes) else b"".join(reply.body)
