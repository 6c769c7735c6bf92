"""Roles as SageMaker looks at them: the one that every account has, and whether one exists and trusts SageMaker."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any
from urllib.parse import unquote

from emulator import arns
from emulator.call import Scope
from emulator.errors import Validation
from emulator.neighbours.asked import internal
from emulator.neighbours.desk import Desk
from emulator.neighbours.identities import DEFAULT_ROLE, home_of

PRINCIPAL = "sagemaker.amazonaws.com"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": PRINCIPAL}, "Action": "sts:AssumeRole"}],
}
REFUSAL = (
    "Could not assume role {arn}. Please ensure that the role exists and allows principal "
    "'sagemaker.amazonaws.com' to assume the role."
)
_DOCUMENT = re.compile(r"<AssumeRolePolicyDocument>(.*?)</AssumeRolePolicyDocument>", re.S)
_ARN = re.compile(r"<Arn>(.*?)</Arn>")


def check_role(desk: Desk, arn: str, scope: Scope) -> None:
    """Nothing when SageMaker may assume the role; else `Validation` in the service's words."""
    trust = find(desk, arn, scope)
    if trust is None or not trusts_sagemaker(trust):
        raise Validation(REFUSAL.format(arn=arn))


def find(desk: Desk, arn: str, scope: Scope) -> dict[str, Any] | None:
    """The trust policy of a role; None when there is no role of that very ARN."""
    try:
        role = arns.parse(arn)
    except ValueError:
        return None
    home = Scope(role.account, scope.region)
    prepare(desk, home)
    reply = desk.forward(internal("iam", "GetRole", home, {"RoleName": role.resource.rpartition("/")[2]}))
    text = reply.body.decode() if isinstance(reply.body, bytes) else ""
    found, document = _ARN.search(text), _DOCUMENT.search(text)
    if reply.status != 200 or not found or not document or found.group(1) != arn:
        return None
    trust = json.loads(unquote(unescape(document.group(1))))
    return trust if isinstance(trust, dict) else None


def trusts_sagemaker(trust: dict[str, Any]) -> bool:
    """Whether a statement allows SageMaker to assume the role."""
    for statement in _listed(trust.get("Statement")):
        actions = {action.lower() for action in _listed(statement.get("Action"))}
        principal = statement.get("Principal", {})
        services = _listed(principal.get("Service")) if isinstance(principal, dict) else [PRINCIPAL]
        allowed = statement.get("Effect") == "Allow" and actions & {"sts:assumerole", "sts:*", "*"}
        if allowed and PRINCIPAL in services:
            return True
    return False


def prepare(desk: Desk, scope: Scope) -> None:
    """Give the account its default role, once: a role that somebody has deleted does not come back."""
    with desk.lock:
        desk.wake()
        if home_of(scope) in desk.roles_made:
            return
        desk.roles_made.add(home_of(scope))
        fields = {
            "RoleName": DEFAULT_ROLE,
            "AssumeRolePolicyDocument": json.dumps(TRUST),
            "Description": "The role that callers of Sagelet have by default",
        }
        desk.forward(internal("iam", "CreateRole", scope, fields))


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]
