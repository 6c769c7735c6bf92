"""Apps of Studio as records. A deleted one is listed for a day; who creates it anew in that time goes on with it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

from emulator.behaviours.departed import forget
from emulator.behaviours.rooms import Rooms
from emulator.behaviours.studio import check_lifecycle_configs, inherited
from emulator.call import Answer, Call
from emulator.errors import CallerFault, Validation
from emulator.resources import tagging
from emulator.store.records import Record

SETTINGS = {
    "JupyterServer": "JupyterServerAppSettings",
    "KernelGateway": "KernelGatewayAppSettings",
    "TensorBoard": "TensorBoardAppSettings",
    "CodeEditor": "CodeEditorAppSettings",
    "JupyterLab": "JupyterLabAppSettings",
}
"""Where the settings of a domain, a profile or a space have the defaults of a type of app."""
SYSTEM = "ml.t3.medium"
"""What the instance type `system` means for a KernelGateway app (API_ResourceSpec)."""


def create_app(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateApp.html."""
    named = _named(rooms, call)
    domain = rooms.resources.get("Domain", call.scope, call.params["DomainId"])
    owner = _owner(rooms, call)
    if call.params["AppType"] == "JupyterServer" and call.params["AppName"] != "default":
        raise Validation("The AppName of a JupyterServer app must be default.")
    check_lifecycle_configs(rooms, call)
    tags = {**rooms.resources.tags.of(domain.arn), **rooms.resources.tags.of(owner.arn)}
    tags |= tagging.given(call.params.get("Tags"))
    params: dict[str, Any] = {**call.params, "Tags": tagging.answer(tags.items())}
    if "UserProfileName" in call.params:
        params["UserProfileName"] = named.params["UserProfileName"]
    if spec := _spec(call, domain, owner):
        params["ResourceSpec"] = spec
    given = replace(call, params=params)
    forget(rooms, "App", call.scope, "Deleted")
    key = rooms.resources.key("App", named)
    there = rooms.resources.find("App", call.scope, key)
    extra = {"CreationTime": there.created} if there is not None else {}
    on = (domain, owner)
    return {"AppArn": rooms.resources.create("App", given, key=key, parent=domain.key, extra=extra, on=on).arn}


def describe_app(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeApp.html."""
    forget(rooms, "App", call.scope, "Deleted")
    return rooms.resources.describe("App", _named(rooms, call))


def delete_app(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeleteApp.html."""
    forget(rooms, "App", call.scope, "Deleted")
    named = _named(rooms, call)
    app = rooms.resources.get("App", call.scope, rooms.resources.key("App", named))
    if app.status == "Deleted":
        raise Validation(f"App {app.arn} has already been deleted")
    return rooms.resources.delete("App", named)


def list_apps(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListApps.html."""
    if call.params.get("UserProfileNameEquals") and call.params.get("SpaceNameEquals"):
        raise Validation("UserProfileNameEquals and SpaceNameEquals cannot both be set. Give one of them.")
    forget(rooms, "App", call.scope, "Deleted")
    return rooms.resources.list("App", call)


def _named(rooms: Rooms, call: Call) -> Call:
    """A request in the members of the key: a space's name stands in the place of a profile's, which is as the profile
    has it, whatever its case.
    """
    profile, space = call.params.get("UserProfileName"), call.params.get("SpaceName")
    if bool(profile) == bool(space):
        raise Validation(f"Either UserProfileName or SpaceName must be passed for {call.operation} operation.")
    app_type, owner = str(call.params["AppType"]).lower(), profile or space
    with suppress(CallerFault):  # a deleted app may be asked for when its profile is gone
        owner = _owner(rooms, call).body["UserProfileName"] if profile else owner
    return replace(call, params={**call.params, "UserProfileName": owner, "AppType": app_type})


def _owner(rooms: Rooms, call: Call) -> Record:
    profile, space = call.params.get("UserProfileName"), call.params.get("SpaceName")
    noun = "UserProfile" if profile else "Space"
    return rooms.resources.get(noun, call.scope, f"{call.params['DomainId']}/{profile or space}")


def _spec(call: Call, domain: Record, owner: Record) -> dict[str, Any]:
    """What an app runs on: as the request says, else as the settings of its profile, its space or its domain say."""
    app_type = call.params["AppType"]
    default = inherited(domain, owner, SETTINGS.get(app_type, ""), "DefaultResourceSpec")
    spec = {**default, **(call.params.get("ResourceSpec") or {})}
    if app_type == "JupyterServer" and spec.setdefault("InstanceType", "system") != "system":
        raise Validation("JupyterServer apps run on the InstanceType system only.")
    if app_type == "KernelGateway" and not spec.get("InstanceType"):
        raise Validation("A KernelGateway app needs an InstanceType: in its ResourceSpec or in the default settings.")
    if app_type == "KernelGateway" and spec["InstanceType"] == "system":
        spec["InstanceType"] = SYSTEM
    return spec
