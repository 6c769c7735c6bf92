"""An administrator sets a Studio domain up and takes it down again, in the order that the service asks for."""

import time

import pytest
from botocore.exceptions import ClientError

from tests.journeys.conftest import ROLE


def until(describe, status: str) -> dict:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        answer = describe()
        if answer["Status"] == status:
            return answer
        time.sleep(0.05)
    raise AssertionError(f"not {status}: {answer}")


def gone(describe, error) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            describe()
        except error:
            return
        time.sleep(0.05)
    raise AssertionError("still there")


def test_a_domain_with_people_spaces_and_apps(client):
    sagemaker = client.sagemaker
    absent = sagemaker.exceptions.ResourceNotFound
    # Given a domain, which is in service after a moment and has no URL
    settings = {"ExecutionRole": ROLE, "SecurityGroups": ["sg-1"]}
    domain = sagemaker.create_domain(
        DomainName=client.name("domain"),
        AuthMode="IAM",
        DefaultUserSettings=settings,
        SubnetIds=["subnet-1"],
        VpcId="vpc-1",
        Tags=[{"Key": "team", "Value": "blue"}],
    )["DomainId"]
    found = until(lambda: sagemaker.describe_domain(DomainId=domain), "InService")
    assert "Url" not in found
    # And a person with a private space
    ann = {"DomainId": domain, "UserProfileName": "ann"}
    lab = {"DomainId": domain, "SpaceName": "lab"}
    profile = sagemaker.create_user_profile(**ann)["UserProfileArn"]
    until(lambda: sagemaker.describe_user_profile(**ann), "InService")
    sagemaker.create_space(
        **lab,
        OwnershipSettings={"OwnerUserProfileName": "ann"},
        SpaceSharingSettings={"SharingType": "Private"},
        SpaceSettings={"AppType": "JupyterLab"},
    )
    until(lambda: sagemaker.describe_space(**lab), "InService")
    # When an app is started for each
    of_ann = {**ann, "AppType": "JupyterServer", "AppName": "default"}
    of_lab = {**lab, "AppType": "JupyterLab", "AppName": "default"}
    arn = sagemaker.create_app(**of_ann)["AppArn"]
    sagemaker.create_app(**of_lab)
    for app in (of_ann, of_lab):
        until(lambda app=app: sagemaker.describe_app(**app), "InService")
    # Then they are found where they belong, with the tags of the domain
    listed = sagemaker.list_apps(DomainIdEquals=domain, SpaceNameEquals="lab")["Apps"]
    assert [(app["AppType"], app["Status"]) for app in listed] == [("JupyterLab", "InService")]
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "blue"}]
    # And nobody is given a way in that leads nowhere
    with pytest.raises(ClientError) as refused:
        sagemaker.create_presigned_domain_url(**ann)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    # When the profile is to be deleted while its app runs, it is kept, in the service's words
    in_use = sagemaker.exceptions.ResourceInUse
    with pytest.raises(in_use, match=r"Unable to delete UserProfile \[.*\] because App\(s\) are associated") as kept:
        sagemaker.delete_user_profile(**ann)
    assert profile in str(kept.value)
    # Then the order is: apps, spaces, profiles, domain
    for app in (of_ann, of_lab):
        sagemaker.delete_app(**app)
        until(lambda app=app: sagemaker.describe_app(**app), "Deleted")
    sagemaker.delete_space(**lab)
    gone(lambda: sagemaker.describe_space(**lab), absent)
    sagemaker.delete_user_profile(**ann)
    gone(lambda: sagemaker.describe_user_profile(**ann), absent)
    sagemaker.delete_domain(DomainId=domain)
    gone(lambda: sagemaker.describe_domain(DomainId=domain), absent)
