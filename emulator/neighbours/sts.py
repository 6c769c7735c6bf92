"""STS, wholly our own: SDKs ask it first, so it must cost nothing, and identities must last."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from emulator import arns
from emulator.call import Scope
from emulator.errors import AccessDenied, Validation
from emulator.neighbours import roles
from emulator.neighbours.asked import Asked
from emulator.neighbours.http import HttpReply
from emulator.neighbours.identities import Credentials, Identity, session
from emulator.neighbours.replies import answer_xml, xml

if TYPE_CHECKING:
    from emulator.neighbours.neighbours import Neighbours

LONGEST = 43_200
HOUR = 3600


def get_caller_identity(front: Neighbours, asked: Asked) -> HttpReply:
    """Who asks: by default a role that IAM knows and that trusts SageMaker, which is what SDKs look for."""
    caller = front.identities.caller(asked)
    members = {"Arn": caller.arn, "UserId": caller.user_id, "Account": caller.account}
    return answer_xml("sts", "GetCallerIdentity", xml(members))


def assume_role(front: Neighbours, asked: Asked) -> HttpReply:
    """Credentials of a role's session. With --check-roles the role must exist in IAM."""
    arn, name = _required(asked, "RoleArn"), _required(asked, "RoleSessionName")
    if front.settings.check_roles and roles.find(front.desk, arn, asked.scope) is None:
        caller = front.identities.caller(asked).arn
        raise AccessDenied(
            f"User: {caller} is not authorized to perform: sts:AssumeRole on resource: {arn}", "AccessDenied"
        )
    return _session_of(front, asked, arn, name)


def assume_role_with_web_identity(front: Neighbours, asked: Asked) -> HttpReply:
    """As AssumeRole; the token is not looked at."""
    return _session_of(front, asked, _required(asked, "RoleArn"), _required(asked, "RoleSessionName"))


def get_session_token(front: Neighbours, asked: Asked) -> HttpReply:
    """Temporary credentials of the caller's own."""
    caller = front.identities.caller(asked)
    identity = Identity("", caller.account, caller.arn, caller.user_id, _expiry(front, asked, LONGEST))
    return answer_xml("sts", "GetSessionToken", xml({"Credentials": _wire(front.identities.hand_out(identity))}))


def get_federation_token(front: Neighbours, asked: Asked) -> HttpReply:
    """Temporary credentials of a federated user."""
    name, account = _required(asked, "Name"), asked.scope.account
    arn = f"arn:{arns.partition(asked.scope.region)}:sts::{account}:federated-user/{name}"
    identity = Identity("", account, arn, f"{account}:{name}", _expiry(front, asked, LONGEST))
    given = _wire(front.identities.hand_out(identity))
    user = {"FederatedUserId": identity.user_id, "Arn": arn}
    members = {"Credentials": given, "FederatedUser": user, "PackedPolicySize": 0}
    return answer_xml("sts", "GetFederationToken", xml(members))


def get_access_key_info(front: Neighbours, asked: Asked) -> HttpReply:
    """The account that a key belongs to."""
    found = front.identities.find(_required(asked, "AccessKeyId"))
    account = found.account if found else asked.scope.account
    return answer_xml("sts", "GetAccessKeyInfo", xml({"Account": account}))


def _session_of(front: Neighbours, asked: Asked, role_arn: str, name: str) -> HttpReply:
    try:
        role = arns.parse(role_arn)
    except ValueError:
        raise Validation(f"{role_arn} is invalid", "ValidationError") from None
    if not role.resource.startswith("role/"):
        raise Validation(f"{role_arn} is invalid", "ValidationError")
    scope = Scope(role.account, asked.scope.region)
    identity = session("", scope, role.resource.rpartition("/")[2], name, _expiry(front, asked, HOUR))
    members = {
        "Credentials": _wire(front.identities.hand_out(identity)),
        "AssumedRoleUser": {"AssumedRoleId": identity.user_id, "Arn": identity.arn},
        "PackedPolicySize": 0,
    }
    return answer_xml("sts", asked.operation, xml(members))


def _expiry(front: Neighbours, asked: Asked, usual: int) -> float:
    text = str(asked.params().get("DurationSeconds", usual))
    if not text.isdigit() or not 900 <= int(text) <= 129_600:
        raise Validation(
            f"1 validation error detected: Value '{text}' at 'durationSeconds' failed to satisfy constraint: "
            "Member must have value between 900 and 129600",
            "ValidationError",
        )
    return float(int(front.clock.now()) + int(text))


def _required(asked: Asked, member: str) -> str:
    value = str(asked.params().get(member, ""))
    if not value:
        name = member[0].lower() + member[1:]
        raise Validation(
            f"1 validation error detected: Value null at '{name}' failed to satisfy constraint: "
            "Member must not be null",
            "ValidationError",
        )
    return value


def _wire(given: Credentials) -> dict[str, str]:
    expires = datetime.fromtimestamp(given.expires, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "AccessKeyId": given.access_key,
        "SecretAccessKey": given.secret_key,
        "SessionToken": given.token,
        "Expiration": expires,
    }
