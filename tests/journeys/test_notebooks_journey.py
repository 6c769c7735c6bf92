"""A team keeps its notebook instances in order with boto3 and its waiters."""

import pytest
from botocore.exceptions import ClientError

from tests.journeys.conftest import ROLE

SOON = {"Delay": 0.1, "MaxAttempts": 100}


def wait(client, state: str, name: str) -> None:
    waiter = client.sagemaker.get_waiter(f"notebook_instance_{state}")
    waiter.wait(NotebookInstanceName=name, WaiterConfig=SOON)


def test_an_instance_from_its_creation_to_its_end(client):
    sagemaker, name = client.sagemaker, client.name("notebook")
    # Given a lifecycle configuration and a code repository
    config, repository = client.name("config"), client.name("repository")
    sagemaker.create_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName=config, OnStart=[{"Content": "ZWNobyBoaQ=="}]
    )
    sagemaker.create_code_repository(
        CodeRepositoryName=repository, GitConfig={"RepositoryUrl": "https://git.example/team/notebooks"}
    )
    # When an instance is created with both, it is in service after a moment
    arn = sagemaker.create_notebook_instance(
        NotebookInstanceName=name,
        InstanceType="ml.t3.medium",
        RoleArn=ROLE,
        LifecycleConfigName=config,
        DefaultCodeRepository=repository,
        Tags=[{"Key": "team", "Value": "blue"}],
    )["NotebookInstanceArn"]
    assert sagemaker.describe_notebook_instance(NotebookInstanceName=name)["NotebookInstanceStatus"] == "Pending"
    wait(client, "in_service", name)
    # Then it says what it has, and no URL that nobody serves
    found = sagemaker.describe_notebook_instance(NotebookInstanceName=name)
    assert (found["NotebookInstanceArn"], found["NotebookInstanceLifecycleConfigName"]) == (arn, config)
    assert "Url" not in found
    with pytest.raises(ClientError) as refused:
        sagemaker.create_presigned_notebook_instance_url(NotebookInstanceName=name)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    # And running it cannot be deleted, in the service's words
    with pytest.raises(ClientError, match=r"Status \(InService\) not in \(\[Stopped, Failed\]\)"):
        sagemaker.delete_notebook_instance(NotebookInstanceName=name)
    # When it is stopped, changed, started and stopped again
    sagemaker.stop_notebook_instance(NotebookInstanceName=name)
    wait(client, "stopped", name)
    sagemaker.update_notebook_instance(
        NotebookInstanceName=name, InstanceType="ml.m5.xlarge", DisassociateDefaultCodeRepository=True
    )
    wait(client, "stopped", name)
    sagemaker.start_notebook_instance(NotebookInstanceName=name)
    wait(client, "in_service", name)
    listed = sagemaker.list_notebook_instances(NotebookInstanceLifecycleConfigNameContains=config)
    assert [one["InstanceType"] for one in listed["NotebookInstances"]] == ["ml.m5.xlarge"]
    assert "DefaultCodeRepository" not in listed["NotebookInstances"][0]
    sagemaker.stop_notebook_instance(NotebookInstanceName=name)
    wait(client, "stopped", name)
    # Then it can be deleted, and what it used too
    sagemaker.delete_notebook_instance(NotebookInstanceName=name)
    wait(client, "deleted", name)
    sagemaker.delete_notebook_instance_lifecycle_config(NotebookInstanceLifecycleConfigName=config)
    sagemaker.delete_code_repository(CodeRepositoryName=repository)
    assert sagemaker.list_notebook_instances(NameContains=name)["NotebookInstances"] == []
