"""Domains, user profiles, spaces, apps and their configurations as records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from emulator.errors import NotBuilt
from tests.behaviours.conftest import ARN, SCOPE, Desk

DAY = 24 * 3600.0


def domain(desk: Desk, **more: Any) -> str:
    given = {"DomainName": "team", "AuthMode": "IAM", "DefaultUserSettings": {}, **more}
    return str(desk.do("CreateDomain", **given)["DomainId"])


def profile(desk: Desk, where: str, name: str = "ann", **more: Any) -> str:
    return str(desk.do("CreateUserProfile", DomainId=where, UserProfileName=name, **more)["UserProfileArn"])


def space(desk: Desk, where: str, name: str = "lab", owner: str = "", **settings: Any) -> str:
    more: dict[str, Any] = {"SpaceSettings": settings} if settings else {}
    if owner:
        more["OwnershipSettings"] = {"OwnerUserProfileName": owner}
        more["SpaceSharingSettings"] = {"SharingType": "Private"}
    return str(desk.do("CreateSpace", DomainId=where, SpaceName=name, **more)["SpaceArn"])


def key(where: str, **more: Any) -> dict[str, Any]:
    whose = {} if "SpaceName" in more else {"UserProfileName": "ann"}
    return {"DomainId": where, "AppType": "JupyterServer", "AppName": "default", **whose, **more}


def shared(desk: Desk, where: str, app: str) -> dict[str, Any]:
    return desk.do("DescribeApp", **key(where, SpaceName="lab", AppType="JupyterLab", AppName=app))


# --- domains --------------------------------------------------------------------------------------------------------


def test_a_domain_is_pending_and_then_in_service_without_a_url(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(settle_seconds=2.0)
    answer = desk.do("CreateDomain", DomainName="team", AuthMode="IAM", DefaultUserSettings={}, VpcId="vpc-1")
    name = answer["DomainId"]
    assert answer == {"DomainId": name, "DomainArn": f"{ARN}:domain/{name}"}
    assert name.startswith("d-")
    assert len(name) == 14
    assert desk.do("DescribeDomain", DomainId=name)["Status"] == "Pending"
    desk.wait(2)
    found = desk.do("DescribeDomain", DomainId=name)
    assert found["Status"] == "InService"
    assert (found["AppNetworkAccessType"], found["TagPropagation"]) == ("PublicInternetOnly", "DISABLED")
    assert not {"Url", "HomeEfsFileSystemId", "FailureReason", "SingleSignOnApplicationArn"} & set(found)
    desk.do("DeleteDomain", DomainId=name, RetentionPolicy={"HomeEfsFileSystem": "Delete"})
    assert [one["Status"] for one in desk.do("ListDomains")["Domains"]] == ["Deleting"]
    desk.wait(2)
    assert desk.refused("DescribeDomain", DomainId=name)[0] == "ResourceNotFound"


def test_an_update_changes_the_settings_that_it_names(desk: Desk) -> None:
    role = "arn:aws:iam::123456789012:role/Studio"
    name = domain(desk, DefaultUserSettings={"ExecutionRole": role}, DomainSettings={"SecurityGroupIds": ["sg-1"]})
    desk.do(
        "UpdateDomain",
        DomainId=name,
        DefaultUserSettings={"StudioWebPortal": "DISABLED"},
        DomainSettingsForUpdate={
            "ExecutionRoleIdentityConfig": "USER_PROFILE_NAME",
            "RStudioServerProDomainSettingsForUpdate": {"DomainExecutionRoleArn": role},
        },
    )
    found = desk.do("DescribeDomain", DomainId=name)
    assert found["DefaultUserSettings"] == {"ExecutionRole": role, "StudioWebPortal": "DISABLED"}
    assert found["DomainSettings"] == {
        "SecurityGroupIds": ["sg-1"],
        "ExecutionRoleIdentityConfig": "USER_PROFILE_NAME",
        "RStudioServerProDomainSettings": {"DomainExecutionRoleArn": role},
    }
    refusal = desk.refused("UpdateDomain", DomainId=name, HomeEfsFileSystemCreation="Disabled")
    assert refusal[0] == "ValidationException"


def test_the_network_of_a_domain_stays_while_apps_run_in_it(desk: Desk) -> None:
    name = domain(desk, SubnetIds=["subnet-1", "subnet-2"])
    profile(desk, name)
    desk.do("CreateApp", **key(name))
    for change in ({"AppNetworkAccessType": "VpcOnly"}, {"SubnetIds": ["subnet-1"]}):
        code, message = desk.refused("UpdateDomain", DomainId=name, **change)
        assert code == "ResourceInUse"
        assert f"app/{name}/ann/jupyterserver/default" in message
    desk.do("UpdateDomain", DomainId=name, SubnetIds=["subnet-1", "subnet-2", "subnet-3"])
    desk.do("DeleteApp", **key(name))
    desk.do("UpdateDomain", DomainId=name, AppNetworkAccessType="VpcOnly", SubnetIds=["subnet-1"])
    assert desk.do("DescribeDomain", DomainId=name)["SubnetIds"] == ["subnet-1"]


def test_nobody_is_deleted_whom_others_hang_on(desk: Desk) -> None:
    name = domain(desk)
    ann = profile(desk, name)
    lab = space(desk, name, owner="ann")
    desk.do("CreateApp", **key(name))
    desk.do("CreateApp", **key(name, SpaceName="lab", AppType="JupyterLab"))

    def because(what: str, arn: str, others: str) -> tuple[str, str]:
        return "ResourceInUse", f"Unable to delete {what} [{arn}] because {others}(s) are associated with it."

    on_ann, on_lab = {"DomainId": name, "UserProfileName": "ann"}, {"DomainId": name, "SpaceName": "lab"}
    assert desk.refused("DeleteDomain", DomainId=name) == because("Domain", f"{ARN}:domain/{name}", "UserProfile")
    assert desk.refused("DeleteUserProfile", **on_ann) == because("UserProfile", ann, "App")
    assert desk.refused("DeleteSpace", **on_lab) == because("Space", lab, "App")
    desk.do("DeleteApp", **key(name))
    assert desk.refused("DeleteUserProfile", **on_ann) == because("UserProfile", ann, "Space")
    desk.do("DeleteApp", **key(name, SpaceName="lab", AppType="JupyterLab"))
    desk.do("DeleteSpace", **on_lab)
    desk.do("DeleteUserProfile", **on_ann)
    desk.do("DeleteDomain", DomainId=name)
    assert desk.do("ListDomains") == {"Domains": []}


def test_nothing_is_made_for_a_profile_or_in_a_space_that_is_about_to_go(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(settle_seconds=2.0)
    where = domain(desk)
    profile(desk, where)
    space(desk, where)
    desk.wait(2)
    desk.do("DeleteUserProfile", DomainId=where, UserProfileName="ann")
    desk.do("DeleteSpace", DomainId=where, SpaceName="lab")
    owned = {"OwnershipSettings": {"OwnerUserProfileName": "ann"}, "SpaceSharingSettings": {"SharingType": "Private"}}
    code = "ValidationException"
    assert desk.refused("CreateApp", **key(where)) == (
        code,
        f"UserProfile '{ARN}:user-profile/{where}/ann' does not exist.",
    )
    assert desk.refused("CreateApp", **key(where, SpaceName="lab"))[0] == code
    assert desk.refused("CreateSpace", DomainId=where, SpaceName="own", **owned)[0] == code
    desk.wait(2)
    assert desk.do("ListApps")["Apps"] == desk.do("ListSpaces")["Spaces"] == []


def test_no_url_and_no_session_is_given_for_what_nothing_serves(desk: Desk) -> None:
    name = domain(desk)
    profile(desk, name)
    with pytest.raises(NotBuilt, match="CreatePresignedDomainUrl is not built: a domain is a record here"):
        desk.do("CreatePresignedDomainUrl", DomainId=name, UserProfileName="ann")
    with pytest.raises(NotBuilt, match="StartSession is not built"):
        desk.do("StartSession", ResourceIdentifier=space(desk, name))


# --- profiles and spaces --------------------------------------------------------------------------------------------


def test_a_profile_is_found_whatever_the_case_of_its_name(desk: Desk) -> None:
    name = domain(desk)
    arn = profile(desk, name, "Ann")
    assert desk.do("DescribeUserProfile", DomainId=name, UserProfileName="aNN")["UserProfileName"] == "Ann"
    code, message = desk.refused("CreateUserProfile", DomainId=name, UserProfileName="ann")
    assert (code, arn in message) == ("ResourceInUse", True)
    profile(desk, domain(desk, DomainName="other"), "ann")


def test_who_has_an_app_or_a_space_is_kept_whatever_the_case_of_the_name(desk: Desk) -> None:
    where = domain(desk)
    profile(desk, where, "Ann")
    desk.do("CreateApp", **key(where, UserProfileName="ANN"))
    assert desk.refused("CreateApp", **key(where))[0] == "ResourceInUse"
    assert desk.refused("DeleteUserProfile", DomainId=where, UserProfileName="ann")[0] == "ResourceInUse"
    assert desk.do("DescribeApp", **key(where))["UserProfileName"] == "Ann"
    desk.do("DeleteApp", **key(where))
    space(desk, where, owner="aNN")
    assert desk.refused("DeleteUserProfile", DomainId=where, UserProfileName="ann")[0] == "ResourceInUse"
    desk.do("DeleteSpace", DomainId=where, SpaceName="lab")
    desk.do("DeleteUserProfile", DomainId=where, UserProfileName="ann")
    assert desk.do("DescribeApp", **key(where, UserProfileName="Ann"))["Status"] == "Deleted"


def test_who_signs_on_once_is_named_in_domains_of_that_kind_alone(desk: Desk) -> None:
    plain, single = domain(desk), domain(desk, AuthMode="SSO")
    user = {"SingleSignOnUserIdentifier": "UserName", "SingleSignOnUserValue": "ann@example.com"}
    assert desk.refused("CreateUserProfile", DomainId=plain, UserProfileName="a", **user)[0] == "ValidationException"
    assert desk.refused("CreateUserProfile", DomainId=single, UserProfileName="a")[0] == "ValidationException"
    profile(desk, single, **user)
    found = desk.do("DescribeUserProfile", DomainId=single, UserProfileName="ann")
    assert found["SingleSignOnUserValue"] == "ann@example.com"
    assert "HomeEfsFileSystemUid" not in found


def test_a_space_belongs_to_a_profile_and_keeps_its_type(desk: Desk) -> None:
    name = domain(desk)
    owner = {"OwnershipSettings": {"OwnerUserProfileName": "ann"}}
    sharing = {"SpaceSharingSettings": {"SharingType": "Private"}}
    assert desk.refused("CreateSpace", DomainId=name, SpaceName="s", **owner)[0] == "ValidationException"
    assert desk.refused("CreateSpace", DomainId=name, SpaceName="s", **sharing)[0] == "ValidationException"
    assert desk.refused("CreateSpace", DomainId=name, SpaceName="s", **owner, **sharing)[0] == "ValidationException"
    profile(desk, name)
    space(desk, name, owner="ann", AppType="JupyterLab")
    found = desk.do("DescribeSpace", DomainId=name, SpaceName="lab")
    assert found["SpaceSettings"] == {
        "AppType": "JupyterLab",
        "SpaceStorageSettings": {"EbsStorageSettings": {"EbsVolumeSizeInGb": 5}},
    }
    assert "Url" not in found
    other = {"SpaceSettings": {"AppType": "CodeEditor"}}
    assert desk.refused("UpdateSpace", DomainId=name, SpaceName="lab", **other)[0] == "ValidationException"
    larger = {"SpaceStorageSettings": {"EbsStorageSettings": {"EbsVolumeSizeInGb": 20}}}
    desk.do("UpdateSpace", DomainId=name, SpaceName="lab", SpaceDisplayName="The lab", SpaceSettings=larger)
    found = desk.do("DescribeSpace", DomainId=name, SpaceName="lab")
    assert found["SpaceSettings"] == {"AppType": "JupyterLab", **larger}
    assert found["SpaceDisplayName"] == "The lab"
    (listed,) = desk.do("ListSpaces", DomainIdEquals=name)["Spaces"]
    assert listed["SpaceSettingsSummary"]["AppType"] == "JupyterLab"
    assert listed["OwnershipSettingsSummary"] == {"OwnerUserProfileName": "ann"}
    assert listed["SpaceSharingSettingsSummary"] == {"SharingType": "Private"}
    with pytest.raises(NotBuilt, match="SpaceManagedResources"):
        space(desk, name, "managed", SpaceManagedResources="ENABLED")


def test_the_volume_of_a_space_is_as_large_as_its_domain_says(desk: Desk) -> None:
    sizes = {"DefaultEbsVolumeSizeInGb": 15, "MaximumEbsVolumeSizeInGb": 100}
    name = domain(desk, DefaultUserSettings={"SpaceStorageSettings": {"DefaultEbsStorageSettings": sizes}})
    space(desk, name, AppType="CodeEditor")
    found = desk.do("DescribeSpace", DomainId=name, SpaceName="lab")["SpaceSettings"]
    assert found["SpaceStorageSettings"] == {"EbsStorageSettings": {"EbsVolumeSizeInGb": 15}}


def test_profiles_and_spaces_are_listed_by_domain_and_name(desk: Desk) -> None:
    one, two = domain(desk), domain(desk, DomainName="other")
    for name in ("ann", "bob", "anna"):
        profile(desk, one, name)
        space(desk, one, f"of-{name}")
        desk.wait(1)
    profile(desk, two, "carl")

    def names(**filters: Any) -> list[str]:
        return [found["UserProfileName"] for found in desk.do("ListUserProfiles", **filters)["UserProfiles"]]

    assert names() == ["ann", "bob", "anna", "carl"]
    assert names(DomainIdEquals=one, SortOrder="Descending") == ["anna", "bob", "ann"]
    assert names(DomainIdEquals=one, UserProfileNameContains="ann") == ["ann", "anna"]
    desk.wait(1)
    desk.do("UpdateUserProfile", DomainId=one, UserProfileName="ann", UserSettings={"StudioWebPortal": "ENABLED"})
    assert names(DomainIdEquals=one, SortBy="LastModifiedTime") == ["bob", "anna", "ann"]
    found = desk.do("ListSpaces", SpaceNameContains="of-b")["Spaces"]
    assert [(one_["DomainId"], one_["SpaceName"]) for one_ in found] == [(one, "of-bob")]
    assert desk.refused("ListUserProfiles", DomainIdEquals="d-none")[0] == "ValidationException"


# --- apps -----------------------------------------------------------------------------------------------------------


def test_an_app_from_pending_to_deleted_and_back(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(settle_seconds=2.0)
    name = domain(desk)
    profile(desk, name)
    desk.wait(2)
    arn = f"{ARN}:app/{name}/ann/jupyterserver/default"

    def app() -> dict[str, Any]:
        return desk.do("DescribeApp", **key(name))

    assert desk.refused("DescribeApp", **key(name))[0] == "ResourceNotFound"
    assert desk.do("CreateApp", **key(name)) == {"AppArn": arn}
    assert (app()["Status"], app()["AppType"], app()["UserProfileName"]) == ("Pending", "JupyterServer", "ann")
    assert desk.refused("DeleteApp", **key(name))[0] == "ResourceInUse"
    desk.wait(2)
    born = app()["CreationTime"]
    assert app()["Status"] == "InService"
    code, message = desk.refused("CreateApp", **key(name))
    assert (code, arn in message) == ("ResourceInUse", True)
    desk.do("DeleteApp", **key(name))
    assert app()["Status"] == "Deleting"
    assert desk.refused("CreateApp", **key(name))[0] == "ResourceInUse"
    desk.wait(2)
    assert app()["Status"] == "Deleted"
    assert [one["Status"] for one in desk.do("ListApps")["Apps"]] == ["Deleted"]
    deleted = ("ValidationException", f"App {arn} has already been deleted")
    assert desk.refused("DeleteApp", **key(name)) == deleted
    desk.do("CreateApp", **key(name), Tags=[{"Key": "again", "Value": "yes"}])
    assert (app()["Status"], app()["CreationTime"]) == ("Pending", born)
    assert desk.do("ListTags", ResourceArn=arn)["Tags"] == [{"Key": "again", "Value": "yes"}]
    desk.wait(2)
    desk.do("DeleteApp", **key(name))
    desk.wait(2)
    desk.wait(DAY + 1)
    assert desk.do("ListApps") == {"Apps": []}
    desk.do("CreateApp", **key(name))
    assert app()["CreationTime"] > born, "after a day it is another app"


def test_an_app_belongs_to_a_profile_or_to_a_space(desk: Desk) -> None:
    name = domain(desk)
    profile(desk, name)
    space(desk, name)
    both, none = key(name, SpaceName="lab", UserProfileName="ann"), key(name)
    del none["UserProfileName"]
    for operation in ("CreateApp", "DescribeApp", "DeleteApp"):
        for wrong in (both, none):
            code, message = desk.refused(operation, **wrong)
            known = f"Either UserProfileName or SpaceName must be passed for {operation} operation."
            assert (code, message) == ("ValidationException", known)
    assert desk.refused("CreateApp", **key(name, UserProfileName="bob"))[0] == "ValidationException"
    assert desk.refused("CreateApp", **key(name, SpaceName="none"))[0] == "ValidationException"
    assert desk.refused("CreateApp", **key("d-none"))[0] == "ValidationException"
    assert desk.refused("CreateApp", **key(name, AppName="other"))[0] == "ValidationException"
    desk.do("CreateApp", **key(name))
    desk.do("CreateApp", **key(name, SpaceName="lab", AppType="JupyterLab", AppName="one"))
    assert shared(desk, name, "one")["SpaceName"] == "lab"
    assert "UserProfileName" not in shared(desk, name, "one")

    def listed(**filters: Any) -> list[str]:
        return [found["AppType"] for found in desk.do("ListApps", **filters)["Apps"]]

    assert listed(DomainIdEquals=name) == ["JupyterServer", "JupyterLab"]
    assert listed(DomainIdEquals=name, UserProfileNameEquals="ann") == ["JupyterServer"]
    assert listed(SpaceNameEquals="lab") == ["JupyterLab"]
    assert desk.refused("ListApps", SpaceNameEquals="lab", UserProfileNameEquals="ann")[0] == "ValidationException"


def test_an_app_runs_on_what_its_settings_say(desk: Desk) -> None:
    gateway = {"KernelGatewayAppSettings": {"DefaultResourceSpec": {"InstanceType": "ml.m5.large"}}}
    name = domain(desk)
    profile(desk, name)
    kernel = key(name, AppType="KernelGateway", AppName="k")
    code, message = desk.refused("CreateApp", **kernel)
    assert (code, "InstanceType" in message) == ("ValidationException", True)
    desk.do("UpdateDomain", DomainId=name, DefaultUserSettings=gateway)
    desk.do("CreateApp", **kernel)
    assert desk.do("DescribeApp", **kernel)["ResourceSpec"] == {"InstanceType": "ml.m5.large"}
    system = key(name, AppType="KernelGateway", AppName="s")
    desk.do("CreateApp", **system, ResourceSpec={"InstanceType": "system"})
    assert desk.do("DescribeApp", **system)["ResourceSpec"] == {"InstanceType": "ml.t3.medium"}
    large = {"ResourceSpec": {"InstanceType": "ml.m5.large"}}
    assert desk.refused("CreateApp", **key(name), **large)[0] == "ValidationException"
    desk.do("CreateApp", **key(name))
    assert desk.do("DescribeApp", **key(name))["ResourceSpec"] == {"InstanceType": "system"}


def test_an_app_has_the_tags_of_its_domain_and_its_owner(desk: Desk) -> None:
    def tags(**given: str) -> list[dict[str, str]]:
        return [{"Key": name, "Value": value} for name, value in given.items()]

    name = domain(desk, Tags=tags(team="blue", cost="1"))
    profile(desk, name, Tags=tags(cost="2", person="ann"))
    arn = desk.do("CreateApp", **key(name), Tags=tags(person="ann b."))["AppArn"]
    found = desk.do("ListTags", ResourceArn=arn)["Tags"]
    assert {one["Key"]: one["Value"] for one in found} == {"team": "blue", "cost": "2", "person": "ann b."}


# --- configurations -------------------------------------------------------------------------------------------------


def test_a_lifecycle_config_must_exist_and_stays_while_it_is_used(desk: Desk) -> None:
    absent = f"{ARN}:studio-lifecycle-config/none"
    settings = {"JupyterLabAppSettings": {"LifecycleConfigArns": [absent]}}
    request = {"DomainName": "d", "AuthMode": "IAM", "DefaultUserSettings": settings}
    assert desk.refused("CreateDomain", **request)[0] == "ValidationException"
    config = {"StudioLifecycleConfigName": "idle"}
    arn = desk.do(
        "CreateStudioLifecycleConfig",
        **config,
        StudioLifecycleConfigContent="ZWNobw==",
        StudioLifecycleConfigAppType="JupyterLab",
    )["StudioLifecycleConfigArn"]
    assert arn == f"{ARN}:studio-lifecycle-config/idle"
    name = domain(desk)
    using = {"JupyterLabAppSettings": {"LifecycleConfigArns": [arn]}}
    profile(desk, name, UserSettings=using)
    code, message = desk.refused("DeleteStudioLifecycleConfig", **config)
    assert (code, message) == (
        "ResourceInUse",
        f"Unable to delete StudioLifecycleConfig [{arn}] because UserProfile(s) are associated with it.",
    )
    detached = {"JupyterLabAppSettings": {"LifecycleConfigArns": []}}
    desk.do("UpdateUserProfile", DomainId=name, UserProfileName="ann", UserSettings=detached)
    desk.do("DeleteStudioLifecycleConfig", **config)
    assert desk.do("ListStudioLifecycleConfigs", AppTypeEquals="JupyterLab") == {"StudioLifecycleConfigs": []}


def test_an_app_image_config_has_defaults_and_a_name_of_its_own(desk: Desk) -> None:
    kernels = [{"Name": "python3"}]
    image = {"KernelSpecs": kernels, "FileSystemConfig": {"DefaultUid": 0, "DefaultGid": 0}}
    desk.do("CreateAppImageConfig", AppImageConfigName="c", KernelGatewayImageConfig=image)
    found = desk.do("DescribeAppImageConfig", AppImageConfigName="c")["KernelGatewayImageConfig"]
    mounted = {"DefaultUid": 0, "DefaultGid": 0, "MountPath": "/home/sagemaker-user"}
    assert found == {"KernelSpecs": kernels, "FileSystemConfig": mounted}
    taken = ("ResourceInUse", "The ID or Name specified is already in use.")
    assert desk.refused("CreateAppImageConfig", AppImageConfigName="c") == taken
    update = {"JupyterLabAppImageConfig": {"ContainerConfig": {"ContainerArguments": ["--debug"]}}}
    answer = desk.do("UpdateAppImageConfig", AppImageConfigName="c", **update)
    assert answer == {"AppImageConfigArn": f"{ARN}:app-image-config/c"}
    found = desk.do("DescribeAppImageConfig", AppImageConfigName="c")
    assert found["JupyterLabAppImageConfig"] == update["JupyterLabAppImageConfig"]
    assert found["KernelGatewayImageConfig"]["KernelSpecs"] == kernels


def test_domains_of_another_region_are_not_seen(desk: Desk) -> None:
    from emulator.call import Scope

    name = domain(desk)
    elsewhere = Scope(SCOPE.account, "us-west-2")
    assert desk.do("ListDomains", scope=elsewhere) == {"Domains": []}
    assert [one["DomainId"] for one in desk.do("ListDomains")["Domains"]] == [name]
