"""MLflow servers and apps, apps of partners, projects and the portfolio of Service Catalog as records."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from emulator.call import Scope
from emulator.errors import NotBuilt
from tests.behaviours.conftest import ARN, SCOPE, Desk

ROLE = "arn:aws:iam::123456789012:role/Studio"
STORE = {"ArtifactStoreUri": "s3://bucket/mlflow", "RoleArn": ROLE}
PARTNER = {"Name": "guard", "Type": "lakera-guard", "ExecutionRoleArn": ROLE, "Tier": "small"}


# --- tracking servers -----------------------------------------------------------------------------------------------


def test_a_tracking_server_is_active_but_where_it_is_stopped(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(settle_seconds=2.0)
    on_s = {"TrackingServerName": "s"}
    arn = f"{ARN}:mlflow-tracking-server/s"

    def state(seconds: float = 0.0) -> tuple[str, str]:
        desk.wait(seconds)
        found = desk.do("DescribeMlflowTrackingServer", **on_s)
        (listed,) = desk.do("ListMlflowTrackingServers")["TrackingServerSummaries"]
        assert listed["IsActive"] == found["IsActive"]
        return found["TrackingServerStatus"], found["IsActive"]

    assert desk.do("CreateMlflowTrackingServer", **on_s, **STORE) == {"TrackingServerArn": arn}
    assert state() == ("Creating", "Inactive")
    assert state(2) == ("Created", "Active")
    assert desk.refused("StartMlflowTrackingServer", **on_s)[0] == "ConflictException"
    assert desk.do("StopMlflowTrackingServer", **on_s) == {"TrackingServerArn": arn}
    assert state() == ("Stopping", "Inactive")
    assert state(2) == ("Stopped", "Inactive")
    assert desk.refused("StopMlflowTrackingServer", **on_s)[0] == "ConflictException"
    assert desk.refused("UpdateMlflowTrackingServer", **on_s, TrackingServerSize="Large")[0] == "ConflictException"
    desk.do("StartMlflowTrackingServer", **on_s)
    assert state() == ("Starting", "Inactive")
    assert state(2) == ("Started", "Active")
    desk.do("UpdateMlflowTrackingServer", **on_s, TrackingServerSize="Large")
    assert state() == ("Updating", "Active")
    assert state(2) == ("Updated", "Active")
    assert desk.do("DeleteMlflowTrackingServer", **on_s) == {"TrackingServerArn": arn}
    assert state() == ("Deleting", "Inactive")
    desk.wait(2)
    assert desk.refused("DescribeMlflowTrackingServer", **on_s)[0] == "ResourceNotFound"


def test_a_tracking_server_has_defaults_and_no_url(desk: Desk) -> None:
    desk.do("CreateMlflowTrackingServer", TrackingServerName="s", **STORE, MlflowVersion="3.0")
    found = desk.do("DescribeMlflowTrackingServer", TrackingServerName="s")
    assert (found["TrackingServerSize"], found["AutomaticModelRegistration"]) == ("Small", False)
    assert (found["S3BucketOwnerAccountId"], found["S3BucketOwnerVerification"]) == (SCOPE.account, True)
    assert "TrackingServerUrl" not in found
    with pytest.raises(NotBuilt, match="CreatePresignedMlflowTrackingServerUrl is not built"):
        desk.do("CreatePresignedMlflowTrackingServerUrl", TrackingServerName="s")
    desk.do("CreateMlflowTrackingServer", TrackingServerName="t", **STORE)

    def names(**filters: Any) -> list[str]:
        listed = desk.do("ListMlflowTrackingServers", **filters)["TrackingServerSummaries"]
        return [one["TrackingServerName"] for one in listed]

    assert names(MlflowVersion="3.0") == ["s"]
    assert names(SortBy="Name", SortOrder="Ascending") == ["s", "t"]
    desk.do("StopMlflowTrackingServer", TrackingServerName="t")
    assert names(TrackingServerStatus="Stopped") == ["t"]
    assert desk.refused("CreateMlflowTrackingServer", TrackingServerName="s", **STORE)[0] == "ValidationException"


# --- apps -----------------------------------------------------------------------------------------------------------


def test_an_mlflow_app_is_known_by_an_arn_that_is_made_up(desk: Desk) -> None:
    domain = desk.do("CreateDomain", DomainName="d", AuthMode="IAM", DefaultUserSettings={})["DomainId"]
    absent = {"Name": "a", **STORE, "DefaultDomainIdList": ["d-none"]}
    assert desk.refused("CreateMlflowApp", **absent)[0] == "ValidationException"
    arn = desk.do("CreateMlflowApp", Name="a", **STORE, Tags=[{"Key": "k", "Value": "v"}])["Arn"]
    other = desk.do("CreateMlflowApp", Name="a", **STORE)["Arn"]
    assert arn != other
    assert re.fullmatch(re.escape(ARN) + ":mlflow-app/app-[A-Z0-9]{12}", arn)
    found = desk.do("DescribeMlflowApp", Arn=arn)
    assert (found["Arn"], found["Name"], found["Status"]) == (arn, "a", "Created")
    assert found["ModelRegistrationMode"] == "AutoModelRegistrationDisabled"
    assert desk.do("ListTags", ResourceArn=arn)["Tags"] == [{"Key": "k", "Value": "v"}]
    assert desk.do("UpdateMlflowApp", Arn=arn, Name="b", DefaultDomainIdList=[domain]) == {"Arn": arn}
    assert desk.do("DescribeMlflowApp", Arn=arn)["Status"] == "Updated"
    assert desk.refused("UpdateMlflowApp", Arn=arn, DefaultDomainIdList=["d-none"])[0] == "ResourceNotFound"

    def arns(**filters: Any) -> list[str]:
        return [one["Arn"] for one in desk.do("ListMlflowApps", **filters)["Summaries"]]

    assert arns(DefaultForDomainId=domain) == [arn]
    assert arns(Status="Created", AccountDefaultStatus="DISABLED") == [other]
    with pytest.raises(NotBuilt, match="CreatePresignedMlflowAppUrl is not built"):
        desk.do("CreatePresignedMlflowAppUrl", Arn=arn)
    assert desk.do("DeleteMlflowApp", Arn=arn) == {"Arn": arn}
    assert desk.refused("DescribeMlflowApp", Arn=arn)[0] == "ResourceNotFound"


def test_an_app_of_a_partner_becomes_available(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(settle_seconds=2.0)
    arn = desk.do("CreatePartnerApp", **PARTNER, AuthType="IAM")["Arn"]
    assert re.fullmatch(re.escape(ARN) + ":partner-app/app-[A-Z0-9]{12}", arn)
    assert desk.do("DescribePartnerApp", Arn=arn)["Status"] == "Creating"
    assert desk.refused("UpdatePartnerApp", Arn=arn, Tier="large")[0] == "ConflictException"
    desk.wait(2)
    found = desk.do("DescribePartnerApp", Arn=arn, IncludeAvailableUpgrade=True)
    assert found["Status"] == "Available"
    assert not {"BaseUrl", "Version", "AvailableUpgrade"} & set(found)
    assert found["EnableAutoMinorVersionUpgrade"] is False
    desk.do("UpdatePartnerApp", Arn=arn, Tier="large", Tags=[{"Key": "k", "Value": "v"}])
    assert desk.do("DescribePartnerApp", Arn=arn)["Status"] == "Updating"
    desk.wait(2)
    found = desk.do("DescribePartnerApp", Arn=arn)
    assert (found["Status"], found["Tier"]) == ("Available", "large")
    assert desk.do("ListTags", ResourceArn=arn)["Tags"] == [{"Key": "k", "Value": "v"}]
    assert desk.refused("UpdatePartnerApp", Arn=arn, AppVersion="2.0")[0] == "ValidationException"
    with pytest.raises(NotBuilt, match="CreatePartnerAppPresignedUrl is not built"):
        desk.do("CreatePartnerAppPresignedUrl", Arn=arn)
    once = {"Arn": arn, "ClientToken": "once"}
    assert desk.do("DeletePartnerApp", **once) == {"Arn": arn}
    assert desk.do("DeletePartnerApp", **once) == {"Arn": arn}, "the same request, sent again"
    assert desk.refused("DeletePartnerApp", Arn=arn, ClientToken="twice")[0] == "ConflictException"
    desk.wait(2)
    assert desk.do("ListPartnerApps") == {"Summaries": []}


def test_an_app_of_a_partner_knows_its_users_by_one_way(desk: Desk) -> None:
    center = {"InstanceArn": "arn:aws:sso:::instance/ssoins-1234567890abcdef"}
    assert desk.refused("CreatePartnerApp", **PARTNER, AuthType="IDC")[0] == "ValidationException"
    assert desk.refused("CreatePartnerApp", **PARTNER, AuthType="IAM", IdcConfig=center)[0] == "ValidationException"
    arn = desk.do("CreatePartnerApp", **PARTNER, AuthType="IAM")["Arn"]
    desk.do("UpdatePartnerApp", Arn=arn, AuthType="IDC", IdcConfig=center)
    found = desk.do("DescribePartnerApp", Arn=arn)
    assert (found["AuthType"], found["IdcConfig"]) == ("IDC", center)
    assert desk.refused("UpdatePartnerApp", Arn=arn, AuthType="IAM")[0] == "ValidationException"


# --- projects -------------------------------------------------------------------------------------------------------


def test_a_project_from_its_creation_to_the_day_after_its_end(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(settle_seconds=2.0)
    on_p = {"ProjectName": "p"}
    details = {"ProductId": "prod-1", "ProvisioningArtifactId": "pa-1"}
    absent = ("ValidationException", "Project p does not exist.")

    def status(seconds: float = 0.0) -> str:
        desk.wait(seconds)
        return str(desk.do("DescribeProject", **on_p)["ProjectStatus"])

    for verb in ("Describe", "Update", "Delete"):
        assert desk.refused(f"{verb}Project", **on_p) == absent
    answer = desk.do("CreateProject", **on_p, ServiceCatalogProvisioningDetails=details)
    assert answer["ProjectArn"] == f"{ARN}:project/p"
    assert re.fullmatch("p-[a-z0-9]{12}", answer["ProjectId"])
    assert status() == "CreateInProgress"
    assert desk.refused("DeleteProject", **on_p)[0] == "ConflictException"
    assert status(2) == "CreateCompleted"
    assert "ServiceCatalogProvisionedProductDetails" not in desk.do("DescribeProject", **on_p)
    assert desk.refused("CreateProject", **on_p)[0] == "ValidationException"
    desk.do("UpdateProject", **on_p, ProjectDescription="ours", Tags=[{"Key": "k", "Value": "v"}])
    assert status() == "UpdateInProgress"
    assert status(2) == "UpdateCompleted"
    assert desk.do("ListTags", ResourceArn=answer["ProjectArn"])["Tags"] == [{"Key": "k", "Value": "v"}]
    (listed,) = desk.do("ListProjects", NameContains="p")["ProjectSummaryList"]
    assert (listed["ProjectId"], listed["ProjectDescription"]) == (answer["ProjectId"], "ours")
    desk.do("DeleteProject", **on_p)
    assert status() == "DeleteInProgress"
    assert status(2) == "DeleteCompleted"
    for verb in ("Update", "Delete"):
        assert desk.refused(f"{verb}Project", **on_p) == absent
    again = desk.do("CreateProject", **on_p)
    assert again["ProjectId"] != answer["ProjectId"]
    assert desk.do("ListTags", ResourceArn=answer["ProjectArn"]) == {"Tags": []}
    desk.wait(2)
    desk.do("DeleteProject", **on_p)
    desk.wait(2)
    desk.wait(24 * 3600 + 1)
    assert desk.do("ListProjects") == {"ProjectSummaryList": []}
    assert desk.refused("DescribeProject", **on_p) == absent


def test_what_a_project_was_made_from_can_be_changed(desk: Desk) -> None:
    def given(**parameters: str) -> list[dict[str, str]]:
        return [{"Key": key, "Value": value} for key, value in parameters.items()]

    product = {"ProductId": "prod-1", "ProvisioningArtifactId": "pa-1", "ProvisioningParameters": given(a="1", b="2")}
    desk.do("CreateProject", ProjectName="p", ServiceCatalogProvisioningDetails=product)
    update = {"ProvisioningArtifactId": "pa-2", "ProvisioningParameters": given(b="3", c="4")}
    desk.do("UpdateProject", ProjectName="p", ServiceCatalogProvisioningUpdateDetails=update)
    found = desk.do("DescribeProject", ProjectName="p")["ServiceCatalogProvisioningDetails"]
    changed = {"ProvisioningArtifactId": "pa-2", "ProvisioningParameters": given(a="1", b="3", c="4")}
    assert found == {**product, **changed}

    template = {"TemplateName": "t", "TemplateURL": "https://s3.amazonaws.com/b/t.yaml", "Parameters": given(x="1")}
    desk.do("CreateProject", ProjectName="q", TemplateProviders=[{"CfnTemplateProvider": template}])
    found = desk.do("DescribeProject", ProjectName="q")["TemplateProviderDetails"]
    assert found == [{"CfnTemplateProviderDetail": template}]
    newer = {"TemplateName": "t", "TemplateURL": "https://s3.amazonaws.com/b/u.yaml", "Parameters": given(y="2")}
    desk.do("UpdateProject", ProjectName="q", TemplateProvidersToUpdate=[{"CfnTemplateProvider": newer}])
    (found,) = desk.do("DescribeProject", ProjectName="q")["TemplateProviderDetails"]
    assert found["CfnTemplateProviderDetail"] == {**newer, "Parameters": given(x="1", y="2")}
    other = [{"CfnTemplateProvider": {**newer, "TemplateName": "none"}}]
    code, message = desk.refused("UpdateProject", ProjectName="q", TemplateProvidersToUpdate=other)
    assert (code, "no template none" in message) == ("ValidationException", True)
    assert desk.refused("UpdateProject", ProjectName="q", ServiceCatalogProvisioningUpdateDetails=update)[0] == code


def test_an_update_with_tags_for_which_there_is_no_room_changes_nothing(desk: Desk) -> None:
    desk.do("CreateProject", ProjectName="p", Tags=[{"Key": str(number), "Value": ""} for number in range(50)])
    app = desk.do("CreatePartnerApp", **PARTNER, AuthType="IAM")["Arn"]
    more, reserved = [{"Key": "one more", "Value": ""}], [{"Key": "aws:mine", "Value": ""}]
    assert "51" in desk.refused("UpdateProject", ProjectName="p", ProjectDescription="d", Tags=more)[1]
    assert "reserved" in desk.refused("UpdatePartnerApp", Arn=app, Tier="large", Tags=reserved)[1]
    assert "ProjectDescription" not in desk.do("DescribeProject", ProjectName="p")
    assert desk.do("DescribePartnerApp", Arn=app)["Tier"] == "small"


def test_parts_of_a_project_that_the_model_lets_be_empty(desk: Desk) -> None:
    assert desk.refused("CreateProject", ProjectName="p", TemplateProviders=[{}])[0] == "ValidationException"
    nameless = {"ProductId": "prod-1", "ProvisioningParameters": [{}]}
    desk.do("CreateProject", ProjectName="p", ServiceCatalogProvisioningDetails=nameless)
    update = {"ProvisioningParameters": [{"Value": "1"}]}
    desk.do("UpdateProject", ProjectName="p", ServiceCatalogProvisioningUpdateDetails=update)
    found = desk.do("DescribeProject", ProjectName="p")["ServiceCatalogProvisioningDetails"]
    assert found["ProvisioningParameters"] == [{"Value": "1"}]


def test_the_portfolio_is_enabled_for_one_account_in_one_region(desk: Desk) -> None:
    elsewhere = Scope(SCOPE.account, "us-west-2")

    def status(scope: Scope = SCOPE) -> str:
        return str(desk.do("GetSagemakerServicecatalogPortfolioStatus", scope=scope)["Status"])

    assert status() == "Disabled"
    assert desk.do("EnableSagemakerServicecatalogPortfolio") == {}
    assert (status(), status(elsewhere)) == ("Enabled", "Disabled")
    desk.do("DisableSagemakerServicecatalogPortfolio")
    assert status() == "Disabled"
