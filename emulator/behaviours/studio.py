"""Domains, their profiles and spaces, and lifecycle configurations: what is checked about them, and who keeps whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from emulator.behaviours.in_use import mentions, refuse_if_used
from emulator.behaviours.rooms import Rooms
from emulator.call import Answer, Call
from emulator.errors import InUse, NotBuilt, Validation
from emulator.store.records import Query, Record

LIVE = ("Pending", "InService", "Deleting")
"""Statuses in which an app keeps its profile, its space, its domain."""
STORED = ("JupyterLab", "CodeEditor")
"""Types of spaces that have a volume of their own, of 5 GB where nobody says otherwise."""


def create_domain(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateDomain.html."""
    check_lifecycle_configs(rooms, call)
    return rooms.resources.answer("Create", rooms.resources.create("Domain", call))


def update_domain(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateDomain.html."""
    params = dict(call.params)
    domain = rooms.resources.get("Domain", call.scope, params["DomainId"])
    check_lifecycle_configs(rooms, call)
    files = domain.body.get("HomeEfsFileSystemCreation", "Enabled")
    if files == "Enabled" and params.get("HomeEfsFileSystemCreation") == "Disabled":
        raise Validation("HomeEfsFileSystemCreation cannot be changed from Enabled to Disabled.")
    if _moves_network(domain, params):
        _refuse_if_live(rooms, domain)
    settings = dict(params.pop("DomainSettingsForUpdate", None) or {})
    if "RStudioServerProDomainSettingsForUpdate" in settings:
        settings["RStudioServerProDomainSettings"] = settings.pop("RStudioServerProDomainSettingsForUpdate")
    if settings:
        params["DomainSettingsForUpdate"] = settings
    return rooms.resources.update("Domain", replace(call, params=params))


def _moves_network(domain: Record, params: Mapping[str, Any]) -> bool:
    """Whether an update changes where the traffic of apps goes, or takes subnets away."""
    access = params.get("AppNetworkAccessType")
    subnets = set(params.get("SubnetIds") or ())
    taken = subnets and not set(domain.body.get("SubnetIds") or ()) <= subnets
    return bool((access and access != domain.body["AppNetworkAccessType"]) or taken)


def _refuse_if_live(rooms: Rooms, domain: Record) -> None:
    for app in rooms.resources.each(Query("App", domain.scope, 1, statuses=LIVE, parent=domain.key)):
        raise InUse(f"Unable to update Domain [{domain.arn}] because App [{app.arn}] is {app.status}. Delete it first.")


def create_user_profile(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateUserProfile.html."""
    domain = rooms.resources.get("Domain", call.scope, call.params["DomainId"])
    given = [name for name in ("SingleSignOnUserIdentifier", "SingleSignOnUserValue") if call.params.get(name)]
    if domain.body["AuthMode"] == "SSO" and len(given) < 2:
        raise Validation("Domains of AuthMode SSO need SingleSignOnUserIdentifier and SingleSignOnUserValue.")
    if domain.body["AuthMode"] != "SSO" and given:
        raise Validation(f"{given[0]} is for domains of AuthMode SSO, and this one has {domain.body['AuthMode']}.")
    check_lifecycle_configs(rooms, call)
    return {"UserProfileArn": rooms.resources.create("UserProfile", call).arn}


def update_user_profile(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateUserProfile.html."""
    check_lifecycle_configs(rooms, call)
    return rooms.resources.update("UserProfile", call)


def delete_user_profile(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeleteUserProfile.html."""
    profile = _get(rooms, "UserProfile", call)
    name = profile.body["UserProfileName"]
    domain = profile.body["DomainId"]
    refuse_if_used(
        rooms, profile, "App", lambda app: app.body.get("UserProfileName") == name, statuses=LIVE, parent=domain
    )
    refuse_if_used(rooms, profile, "Space", lambda space: owner_of(space) == name, parent=domain)
    return rooms.resources.delete("UserProfile", call)


def create_space(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateSpace.html."""
    params = call.params
    domain = rooms.resources.get("Domain", call.scope, params["DomainId"])
    settings = dict(params.get("SpaceSettings") or {})
    if settings.get("SpaceManagedResources") == "ENABLED":
        raise NotBuilt("CreateSpace with SpaceManagedResources is not built. Create the profile and the app yourself.")
    owner = (params.get("OwnershipSettings") or {}).get("OwnerUserProfileName")
    sharing = (params.get("SpaceSharingSettings") or {}).get("SharingType")
    if bool(owner) != bool(sharing):
        raise Validation("OwnershipSettings and SpaceSharingSettings go together: give both, or none of them.")
    profile = rooms.resources.get("UserProfile", call.scope, f"{domain.key}/{owner}") if owner else None
    check_lifecycle_configs(rooms, call)
    if settings.get("AppType") in STORED and "SpaceStorageSettings" not in settings:
        gigabytes = inherited(domain, profile, "SpaceStorageSettings", "DefaultEbsStorageSettings")
        size = gigabytes.get("DefaultEbsVolumeSizeInGb", 5)
        settings["SpaceStorageSettings"] = {"EbsStorageSettings": {"EbsVolumeSizeInGb": size}}
    given = {**params, "SpaceSettings": settings} if settings else dict(params)
    if profile is not None:
        given["OwnershipSettings"] = {"OwnerUserProfileName": profile.body["UserProfileName"]}
    on = (profile,) if profile is not None else ()
    return {"SpaceArn": rooms.resources.create("Space", replace(call, params=given), on=on).arn}


def update_space(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateSpace.html."""
    space = _get(rooms, "Space", call)
    wanted = (call.params.get("SpaceSettings") or {}).get("AppType")
    if wanted and wanted != (space.body.get("SpaceSettings") or {}).get("AppType", wanted):
        raise Validation(f"The AppType of the space {space.body['SpaceName']} cannot be changed.")
    check_lifecycle_configs(rooms, call)
    return rooms.resources.update("Space", call)


def delete_space(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeleteSpace.html."""
    space = _get(rooms, "Space", call)
    name, domain = space.body["SpaceName"], space.body["DomainId"]
    refuse_if_used(rooms, space, "App", lambda app: app.body.get("SpaceName") == name, statuses=LIVE, parent=domain)
    return rooms.resources.delete("Space", call)


def delete_lifecycle_config(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeleteStudioLifecycleConfig.html."""
    config = rooms.resources.get("StudioLifecycleConfig", call.scope, call.params["StudioLifecycleConfigName"])
    for noun, statuses in (("App", LIVE), ("Space", ()), ("UserProfile", ()), ("Domain", ())):
        refuse_if_used(rooms, config, noun, lambda user: mentions(user.body, config.arn), statuses=statuses)
    return rooms.resources.delete("StudioLifecycleConfig", call)


def owner_of(space: Record) -> str:
    """The profile that owns a space, or ""."""
    return str((space.body.get("OwnershipSettings") or {}).get("OwnerUserProfileName") or "")


def inherited(domain: Record, owner: Record | None, *way: str) -> dict[str, Any]:
    """What the settings of a profile or space say under these names, above what those of its domain say."""
    found: dict[str, Any] = {}
    for record in (domain, owner):
        for member in ("DefaultUserSettings", "UserSettings", "SpaceSettings"):
            value: Any = record.body.get(member) if record is not None else None
            for name in way:
                value = value.get(name) if isinstance(value, Mapping) else None
            found |= value or {}
    return found


def check_lifecycle_configs(rooms: Rooms, call: Call) -> None:
    """Lifecycle configurations that settings name must exist; `None` names none (the pattern of the member)."""
    for arn in _lifecycle_configs(call.params):
        if arn != "None":
            rooms.resources.get("StudioLifecycleConfig", call.scope, arn)


def _lifecycle_configs(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            if name in ("LifecycleConfigArn", "LifecycleConfigArns"):
                yield from (item if isinstance(item, list) else [item])
            else:
                yield from _lifecycle_configs(item)
    elif isinstance(value, list):
        for item in value:
            yield from _lifecycle_configs(item)


def _get(rooms: Rooms, noun: str, call: Call) -> Record:
    return rooms.resources.get(noun, call.scope, rooms.resources.key(noun, call))
