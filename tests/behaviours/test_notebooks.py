"""Notebook instances, lifecycle configurations and code repositories as records."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from emulator.errors import NotBuilt
from tests.behaviours.conftest import ARN, Desk

ROLE = "arn:aws:iam::123456789012:role/Notebooks"
GIT = "https://git.example/"


def create(desk: Desk, name: str = "n", **more: Any) -> dict[str, Any]:
    return desk.do(
        "CreateNotebookInstance", NotebookInstanceName=name, InstanceType="ml.t3.medium", RoleArn=ROLE, **more
    )


def describe(desk: Desk, name: str = "n") -> dict[str, Any]:
    return desk.do("DescribeNotebookInstance", NotebookInstanceName=name)


def names(desk: Desk, **filters: Any) -> list[str]:
    listed = desk.do("ListNotebookInstances", **filters)["NotebookInstances"]
    return [found["NotebookInstanceName"] for found in listed]


def wrong(status: str, since: str, via: str) -> tuple[str, str]:
    arn = f"{ARN}:notebook-instance/n"
    return (
        "ValidationException",
        f"Status ({status}) not in ([{since}]). Unable to transition to ({via}) for Notebook Instance ({arn}).",
    )


def test_the_way_through_all_statuses(open_desk: Callable[..., Desk]) -> None:
    desk = open_desk(settle_seconds=2.0)
    on_n = {"NotebookInstanceName": "n"}

    def status_after(seconds: float = 0.0) -> str:
        desk.wait(seconds)
        return str(describe(desk)["NotebookInstanceStatus"])

    create(desk)
    assert status_after() == "Pending"
    assert desk.refused("StopNotebookInstance", **on_n) == wrong("Pending", "InService", "Stopping")
    assert status_after(2) == "InService"
    assert desk.refused("StartNotebookInstance", **on_n) == wrong("InService", "Stopped, Failed", "Pending")
    assert desk.refused("UpdateNotebookInstance", **on_n) == wrong("InService", "Stopped", "Updating")
    assert desk.refused("DeleteNotebookInstance", **on_n) == wrong("InService", "Stopped, Failed", "Deleting")
    desk.do("StopNotebookInstance", **on_n)
    assert status_after() == "Stopping"
    assert status_after(2) == "Stopped"
    assert desk.refused("StopNotebookInstance", **on_n) == wrong("Stopped", "InService", "Stopping")
    desk.do("UpdateNotebookInstance", **on_n, InstanceType="ml.m5.xlarge")
    assert status_after() == "Updating"
    assert status_after(2) == "Stopped"
    desk.do("StartNotebookInstance", **on_n)
    assert status_after() == "Pending"
    assert status_after(2) == "InService"
    desk.do("StopNotebookInstance", **on_n)
    desk.wait(2)
    desk.do("DeleteNotebookInstance", **on_n)
    assert status_after() == "Deleting"
    desk.wait(2)
    assert desk.refused("DescribeNotebookInstance", **on_n) == ("ValidationException", "RecordNotFound")


def test_what_an_instance_says_of_itself(desk: Desk) -> None:
    desk.do("CreateNotebookInstanceLifecycleConfig", NotebookInstanceLifecycleConfigName="c")
    create(
        desk,
        SubnetId="subnet-1",
        SecurityGroupIds=["sg-1", "sg-2"],
        LifecycleConfigName="c",
        Tags=[{"Key": "team", "Value": "blue"}],
    )
    found = describe(desk)
    assert found["SecurityGroups"] == ["sg-1", "sg-2"]
    assert found["NotebookInstanceLifecycleConfigName"] == "c"
    assert found["VolumeSizeInGB"] == 5
    assert (found["RootAccess"], found["DirectInternetAccess"]) == ("Enabled", "Enabled")
    assert found["PlatformIdentifier"] == "notebook-al2023-v1"
    assert not {"Url", "NetworkInterfaceId", "FailureReason", "SecurityGroupIds", "LifecycleConfigName"} & set(found)
    assert desk.do("ListTags", ResourceArn=found["NotebookInstanceArn"])["Tags"] == [{"Key": "team", "Value": "blue"}]
    assert desk.refused(
        "CreateNotebookInstance", NotebookInstanceName="n", InstanceType="ml.t3.medium", RoleArn=ROLE
    ) == (
        "ValidationException",
        f"Cannot create a duplicate Notebook Instance ({ARN}:notebook-instance/n)",
    )


def test_no_url_is_given_for_what_nothing_serves(desk: Desk) -> None:
    create(desk)
    with pytest.raises(NotBuilt, match=r"CreatePresignedNotebookInstanceUrl is not built: .*no Jupyter server"):
        desk.do("CreatePresignedNotebookInstanceUrl", NotebookInstanceName="n")


def test_what_an_instance_refers_to_must_exist(desk: Desk) -> None:
    base = {"NotebookInstanceName": "n", "InstanceType": "ml.t3.medium", "RoleArn": ROLE}
    absent = f"{ARN}:notebook-instance-lifecycle-config/none"
    code, message = desk.refused("CreateNotebookInstance", **base, LifecycleConfigName="none")
    assert (code, absent in message, message.endswith("does not exist.)")) == ("ValidationException", True, True)
    no_repository = ("ValidationException", f"Cannot find CodeRepository: {ARN}:code-repository/none")
    assert desk.refused("CreateNotebookInstance", **base, DefaultCodeRepository="none") == no_repository
    repositories = [f"{GIT}a", "none"]
    assert desk.refused("CreateNotebookInstance", **base, AdditionalCodeRepositories=repositories) == no_repository
    assert "Give a SubnetId" in desk.refused("CreateNotebookInstance", **base, DirectInternetAccess="Disabled")[1]
    create(desk, DirectInternetAccess="Disabled", SubnetId="subnet-1", DefaultCodeRepository=f"{GIT}a")
    desk.do("StopNotebookInstance", NotebookInstanceName="n")
    update = {"NotebookInstanceName": "n", "LifecycleConfigName": "none"}
    assert desk.refused("UpdateNotebookInstance", **update)[1].endswith("does not exist.)")
    assert (
        desk.refused("UpdateNotebookInstance", NotebookInstanceName="n", DefaultCodeRepository="none") == no_repository
    )


def test_an_update_adds_replaces_and_takes_away(desk: Desk) -> None:
    for config in ("c", "d"):
        desk.do("CreateNotebookInstanceLifecycleConfig", NotebookInstanceLifecycleConfigName=config)
    create(
        desk,
        LifecycleConfigName="c",
        DefaultCodeRepository=f"{GIT}a",
        AdditionalCodeRepositories=[f"{GIT}b"],
        VolumeSizeInGB=20,
    )
    desk.do("StopNotebookInstance", NotebookInstanceName="n")
    code, message = desk.refused("UpdateNotebookInstance", NotebookInstanceName="n", VolumeSizeInGB=10)
    assert code == "ValidationException"
    assert "cannot shrink" in message
    assert describe(desk)["NotebookInstanceStatus"] == "Stopped"
    desk.do(
        "UpdateNotebookInstance",
        NotebookInstanceName="n",
        VolumeSizeInGB=30,
        DisassociateLifecycleConfig=True,
        DisassociateDefaultCodeRepository=True,
        DisassociateAdditionalCodeRepositories=False,
    )
    found = describe(desk)
    assert found["VolumeSizeInGB"] == 30
    assert found["AdditionalCodeRepositories"] == [f"{GIT}b"]
    assert not {"NotebookInstanceLifecycleConfigName", "DefaultCodeRepository"} & set(found)
    desk.do("UpdateNotebookInstance", NotebookInstanceName="n", LifecycleConfigName="d")
    assert describe(desk)["NotebookInstanceLifecycleConfigName"] == "d"


def test_instances_are_listed_by_name_and_found_by_what_they_have(desk: Desk) -> None:
    desk.do("CreateCodeRepository", CodeRepositoryName="repo", GitConfig={"RepositoryUrl": f"{GIT}a"})
    desk.do("CreateNotebookInstanceLifecycleConfig", NotebookInstanceLifecycleConfigName="idle-stop")
    create(desk, "b", AdditionalCodeRepositories=["repo", f"{GIT}x"])
    create(desk, "c", DefaultCodeRepository="repo")
    create(desk, "a", LifecycleConfigName="idle-stop")
    desk.do("StopNotebookInstance", NotebookInstanceName="a")
    assert names(desk) == ["a", "b", "c"]
    assert names(desk, SortOrder="Descending") == ["c", "b", "a"]
    assert names(desk, SortBy="Status", SortOrder="Descending") == ["a", "c", "b"]
    assert names(desk, AdditionalCodeRepositoryEquals="repo") == ["b"]
    assert names(desk, AdditionalCodeRepositoryEquals=f"{GIT}x") == ["b"]
    assert names(desk, AdditionalCodeRepositoryEquals="rep") == []
    assert names(desk, DefaultCodeRepositoryContains="rep") == ["c"]
    assert names(desk, NotebookInstanceLifecycleConfigNameContains="idle") == ["a"]
    assert names(desk, StatusEquals="Stopped") == ["a"]
    assert names(desk, NameContains="b") == ["b"]


def test_a_lifecycle_config_is_named_in_its_own_words(desk: Desk) -> None:
    scripts = {"OnCreate": [{"Content": "ZWNobw=="}], "OnStart": [{"Content": "bHM="}]}
    key = {"NotebookInstanceLifecycleConfigName": "c"}
    arn = f"{ARN}:notebook-instance-lifecycle-config/c"
    detail = "(Details: Notebook Instance Lifecycle Config does not exist.)"
    for verb in ("Describe", "Update", "Delete"):
        assert desk.refused(f"{verb}NotebookInstanceLifecycleConfig", **key) == (
            "ValidationException",
            f"Unable to {verb.lower()} Notebook Instance Lifecycle Config '{arn}'. {detail}",
        )
    desk.do("CreateNotebookInstanceLifecycleConfig", **key, **scripts)
    assert desk.refused("CreateNotebookInstanceLifecycleConfig", **key, **scripts) == (
        "ValidationException",
        f"Unable to create Notebook Instance Lifecycle Config {arn}. "
        "(Details: Notebook Instance Lifecycle Config already exists.)",
    )
    assert desk.do("DescribeNotebookInstanceLifecycleConfig", **key)["OnCreate"] == scripts["OnCreate"]
    desk.do("UpdateNotebookInstanceLifecycleConfig", **key, OnStart=[{"Content": "cHdk"}])
    found = desk.do("DescribeNotebookInstanceLifecycleConfig", **key)
    assert (found["OnStart"], found["OnCreate"]) == ([{"Content": "cHdk"}], scripts["OnCreate"])
    assert desk.do("DeleteNotebookInstanceLifecycleConfig", **key) == {}
    assert desk.do("ListNotebookInstanceLifecycleConfigs") == {"NotebookInstanceLifecycleConfigs": []}


def test_an_update_of_a_code_repository_changes_its_secret_alone(desk: Desk) -> None:
    secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:git-{}"
    git = {"RepositoryUrl": f"{GIT}a", "Branch": "main", "SecretArn": secret.format("one")}
    desk.do("CreateCodeRepository", CodeRepositoryName="r", GitConfig=git)
    answer = desk.do("UpdateCodeRepository", CodeRepositoryName="r", GitConfig={"SecretArn": secret.format("two")})
    assert answer == {"CodeRepositoryArn": f"{ARN}:code-repository/r"}
    found = desk.do("DescribeCodeRepository", CodeRepositoryName="r")["GitConfig"]
    assert found == {**git, "SecretArn": secret.format("two")}
    absent = ("ValidationException", f"Cannot find CodeRepository: {ARN}:code-repository/none")
    for verb in ("Describe", "Update", "Delete"):
        assert desk.refused(f"{verb}CodeRepository", CodeRepositoryName="none") == absent
