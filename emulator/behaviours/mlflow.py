"""MLflow tracking servers and apps, and apps of partners: what is checked about them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from emulator.behaviours.rooms import Rooms
from emulator.call import Answer, Call
from emulator.errors import Validation
from emulator.store.records import Record


def create_mlflow_tracking_server(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateMlflowTrackingServer.html."""
    rooms.roles(call.params["RoleArn"], call.scope)
    owner = {"S3BucketOwnerAccountId": call.scope.account, **call.params}
    server = rooms.resources.create("MlflowTrackingServer", replace(call, params=owner))
    return {"TrackingServerArn": server.arn}


def create_mlflow_app(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateMlflowApp.html."""
    rooms.roles(call.params["RoleArn"], call.scope)
    _check_domains(rooms, call)
    return {"Arn": rooms.resources.create("MlflowApp", call).arn}


def update_mlflow_app(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateMlflowApp.html."""
    _check_domains(rooms, call)
    return rooms.resources.update("MlflowApp", call)


def create_partner_app(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreatePartnerApp.html."""
    rooms.roles(call.params["ExecutionRoleArn"], call.scope)
    _check_identity(call.params["AuthType"], call)
    return {"Arn": rooms.resources.create("PartnerApp", call).arn}


def update_partner_app(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdatePartnerApp.html."""
    app = rooms.resources.get("PartnerApp", call.scope, call.params["Arn"])
    wanted = call.params.get("AuthType", app.body["AuthType"])
    if app.body["AuthType"] == "IDC" and wanted == "IAM":
        raise Validation("An app of AuthType IDC cannot go back to IAM.")
    if wanted != app.body["AuthType"] or call.params.get("IdcConfig"):
        _check_identity(wanted, call)
    if call.params.get("AppVersion"):
        raise Validation(f"There is no upgrade to {call.params['AppVersion']}: DescribePartnerApp names none.")
    return rooms.resources.update("PartnerApp", call)


def delete_partner_app(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeletePartnerApp.html."""
    token: Any = call.params.get("ClientToken")
    app = rooms.resources.get("PartnerApp", call.scope, call.params["Arn"])
    if app.status == "Deleting" and token and app.hidden.get("ended by") == token:
        return {"Arn": app.arn}  # the same request, sent again
    answer = rooms.resources.delete("PartnerApp", call)
    if token and rooms.resources.find("PartnerApp", call.scope, app.key):
        rooms.resources.change("PartnerApp", call.scope, app.key, lambda now: _ended(now, token))
    return answer


def _ended(app: Record, token: str) -> Record:
    return replace(app, hidden={**app.hidden, "ended by": token})


def _check_identity(auth: str, call: Call) -> None:
    if auth == "IDC" and not call.params.get("IdcConfig"):
        raise Validation("AuthType IDC needs an IdcConfig.")
    if auth != "IDC" and call.params.get("IdcConfig"):
        raise Validation("IdcConfig is for AuthType IDC only.")


def _check_domains(rooms: Rooms, call: Call) -> None:
    for domain in call.params.get("DefaultDomainIdList") or ():
        rooms.resources.get("Domain", call.scope, domain)
