"""Who the caller is, and which roles SageMaker may assume, through real boto3."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.call import Scope
from emulator.errors import Validation
from tests.neighbours.aws_door import ACCOUNT, neighbours_of, served

DEFAULT = f"arn:aws:iam::{ACCOUNT}:role/SageletExecutionRole"
HERE = Scope(ACCOUNT, "us-east-1")


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with served(tmp_path_factory.mktemp("house")) as clients:
        yield clients


def trust(principal: Any, action: Any = "sts:AssumeRole", effect: str = "Allow") -> str:
    statement = {"Effect": effect, "Principal": principal, "Action": action}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_the_caller_is_a_role_that_iam_knows_and_that_trusts_sagemaker(aws: Any) -> None:
    caller = aws("sts").get_caller_identity()
    kind, role, session = caller["Arn"].rpartition(":")[2].split("/")
    assert (caller["Account"], kind, session) == (ACCOUNT, "assumed-role", "sagelet")
    assert caller["UserId"].startswith("AROA") and caller["UserId"].endswith(":sagelet")
    found = aws("iam").get_role(RoleName=role)["Role"]
    assert found["Arn"] == DEFAULT
    (statement,) = found["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "sagemaker.amazonaws.com"}


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-3", "us-gov-west-1", "cn-north-1"])
def test_every_account_and_partition_has_the_role(aws: Any, region: str) -> None:
    caller = aws("sts", "111122223333", region).get_caller_identity()
    role = aws("iam", "111122223333", region).get_role(RoleName="SageletExecutionRole")["Role"]["Arn"]
    assert caller["Account"] == "111122223333"
    assert caller["Arn"].split(":")[1] == role.split(":")[1]
    assert role.split(":")[4] == "111122223333"


def test_a_role_that_was_deleted_stays_deleted(tmp_path: Path) -> None:
    with served(tmp_path) as aws:
        assert [role["RoleName"] for role in aws("iam").list_roles()["Roles"]] == ["SageletExecutionRole"]
        aws("iam").delete_role(RoleName="SageletExecutionRole")
    with served(tmp_path) as aws:
        assert aws("iam").list_roles()["Roles"] == []


def test_assumed_roles_keep_their_identity_and_account(aws: Any) -> None:
    arn = "arn:aws:iam::210987654321:role/service-role/Trainer"
    answer = aws("sts").assume_role(RoleArn=arn, RoleSessionName="nightly", DurationSeconds=900)
    given = answer["Credentials"]
    assert answer["AssumedRoleUser"]["Arn"] == "arn:aws:sts::210987654321:assumed-role/Trainer/nightly"
    client = aws("sts", given["AccessKeyId"], aws_session_token=given["SessionToken"])
    seen = client.get_caller_identity()
    assert (seen["Account"], seen["Arn"]) == ("210987654321", answer["AssumedRoleUser"]["Arn"])
    assert seen["UserId"] == answer["AssumedRoleUser"]["AssumedRoleId"]
    assert aws.front.account_of(given["AccessKeyId"]) == "210987654321"
    assert client.get_access_key_info(AccessKeyId=given["AccessKeyId"])["Account"] == "210987654321"


def test_users_and_federated_users_are_themselves(aws: Any) -> None:
    iam = aws("iam")
    user = iam.create_user(UserName="ada", Path="/lab/")["User"]
    key = iam.create_access_key(UserName="ada")["AccessKey"]["AccessKeyId"]
    assert aws("sts", key).get_caller_identity()["Arn"] == user["Arn"]
    assert aws("sts", key).get_caller_identity()["UserId"] == user["UserId"]
    assert aws("iam", key).get_user()["User"]["UserName"] == "ada"
    iam.delete_access_key(UserName="ada", AccessKeyId=key)
    assert "assumed-role" in aws("sts", key).get_caller_identity()["Arn"]
    token = aws("sts").get_federation_token(Name="guest")["Credentials"]["AccessKeyId"]
    assert aws("sts", token).get_caller_identity()["Arn"].endswith(":federated-user/guest")
    session = aws("sts", token).get_session_token()["Credentials"]["AccessKeyId"]
    assert aws("sts", session).get_caller_identity()["Arn"].endswith(":federated-user/guest")


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"RoleArn": "arn:aws:iam::123456789012:user/x", "RoleSessionName": "sess"}, "is invalid"),
        ({"RoleArn": "no arn at all, but long enough", "RoleSessionName": "sess"}, "is invalid"),
        (
            {"RoleArn": DEFAULT, "RoleSessionName": "sess", "DurationSeconds": 200_000},
            "Value '200000' at 'durationSeconds'",
        ),
    ],
)
def test_what_cannot_be_assumed_is_named(aws: Any, members: dict[str, Any], message: str) -> None:
    client = aws("sts")
    with pytest.raises(client.exceptions.ClientError, match=message) as refused:
        client.assume_role(**members)
    assert refused.value.response["Error"]["Code"] == "ValidationError"


def test_the_simulator_allows_everything_page_by_page_to_principals_that_exist(aws: Any) -> None:
    iam = aws("iam")
    actions = [f"s3:Action{n}" for n in range(5)]
    pages = iam.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=DEFAULT,
        ActionNames=actions,
        ResourceArns=["arn:aws:s3:::a&b", "*"],
        PaginationConfig={"PageSize": 3},
    )
    results = [result for page in pages for result in page["EvaluationResults"]]
    assert [r["EvalActionName"] for r in results] == [action for action in actions for _ in range(2)]
    assert {r["EvalDecision"] for r in results} == {"allowed"}
    assert {r["EvalResourceName"] for r in results} == {"arn:aws:s3:::a&b", "*"}
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.simulate_principal_policy(PolicySourceArn=DEFAULT + "X", ActionNames=["s3:GetObject"])


def test_policies_of_aws_can_be_attached_and_keep_their_id(aws: Any) -> None:
    iam = aws("iam")
    iam.create_role(RoleName="Attached", AssumeRolePolicyDocument=trust({"Service": "sagemaker.amazonaws.com"}))
    arn = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
    iam.attach_role_policy(RoleName="Attached", PolicyArn=arn)
    assert iam.list_attached_role_policies(RoleName="Attached")["AttachedPolicies"][0]["PolicyArn"] == arn
    assert iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 1
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.attach_role_policy(RoleName="Attached", PolicyArn="arn:aws:iam::aws:policy/NoSuchPolicy")


@pytest.mark.parametrize(
    ("document", "accepted"),
    [
        (trust({"Service": "sagemaker.amazonaws.com"}), True),
        (trust({"Service": ["lambda.amazonaws.com", "sagemaker.amazonaws.com"]}, ["sts:AssumeRole"]), True),
        (trust({"Service": "lambda.amazonaws.com"}), False),
        (trust({"AWS": "*"}), False),
        (trust({"Service": "sagemaker.amazonaws.com"}, "sts:TagSession"), False),
        (trust({"Service": "sagemaker.amazonaws.com"}, effect="Deny"), False),
    ],
)
def test_a_role_must_trust_sagemaker_where_roles_are_checked(tmp_path: Path, document: str, accepted: bool) -> None:
    with served(tmp_path, check_roles=True) as aws:
        arn = aws("iam").create_role(RoleName="R", Path="/a/", AssumeRolePolicyDocument=document)["Role"]["Arn"]
        aws.front.check_role(DEFAULT, HERE)
        if accepted:
            aws.front.check_role(arn, HERE)
        else:
            with pytest.raises(Validation, match=r"Could not assume role .*/a/R. Please ensure that the role exists"):
                aws.front.check_role(arn, HERE)
        for absent in (DEFAULT + "X", arn.replace("/a/", "/b/"), "no arn"):
            with pytest.raises(Validation, match=r"allows principal 'sagemaker.amazonaws.com' to assume"):
                aws.front.check_role(absent, HERE)
        with pytest.raises(aws("sts").exceptions.ClientError, match="is not authorized to perform: sts:AssumeRole"):
            aws("sts").assume_role(RoleArn=DEFAULT + "X", RoleSessionName="sess")


def test_roles_are_not_checked_unless_asked_for(tmp_path: Path) -> None:
    front = neighbours_of(tmp_path)
    front.check_role("arn:aws:iam::123456789012:role/None", HERE)
    front.close()


def test_neither_identity_nor_logs_import_moto(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tests.neighbours.aws_door import neighbours_of\n"
        "from emulator.neighbours import HttpRequest\n"
        "from emulator.call import Scope\n"
        "front = neighbours_of(Path(sys.argv[1]))\n"
        "scope = Scope('123456789012', 'us-east-1')\n"
        "form = {'content-type': 'application/x-www-form-urlencoded'}\n"
        "reply = front.answer(HttpRequest('sts', 'POST', '/', '', form, b'Action=GetCallerIdentity', scope))\n"
        "assert reply.status == 200, reply\n"
        "target = {'x-amz-target': 'Logs_20140328.DescribeLogGroups'}\n"
        "reply = front.answer(HttpRequest('logs', 'POST', '/', '', target, b'{}', scope))\n"
        "assert reply.status == 200, reply\n"
        "assert not [name for name in sys.modules if name.split('.')[0] in ('moto', 'flask', 'werkzeug')]\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
