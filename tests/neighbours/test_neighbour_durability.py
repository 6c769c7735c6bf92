"""What a neighbour acknowledged is there, with the same ids and dates, after kill -9."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from emulator.call import Scope
from emulator.neighbours import HttpRequest
from tests.neighbours.aws_door import neighbours_of, served

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
ALLOW = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'
FULL_ACCESS = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"


def build(aws: Any) -> dict[str, Any]:
    """Something in many services; what must be remembered of it."""
    iam, sqs, kms, ssm = aws("iam"), aws("sqs"), aws("kms"), aws("ssm")
    iam.create_role(RoleName="R", Path="/service-role/", AssumeRolePolicyDocument=TRUST)
    iam.attach_role_policy(RoleName="R", PolicyArn=FULL_ACCESS)
    iam.put_role_policy(RoleName="R", PolicyName="inline", PolicyDocument=ALLOW)
    policy = iam.create_policy(PolicyName="P", PolicyDocument=ALLOW)["Policy"]["Arn"]
    iam.create_user(UserName="u")
    key = iam.create_access_key(UserName="u")["AccessKey"]["AccessKeyId"]
    session = aws("sts").assume_role(RoleArn="arn:aws:iam::210987654321:role/R", RoleSessionName="sess")
    ssm.put_parameter(Name="/a/b", Value="v1", Type="String")
    ssm.put_parameter(Name="/a/b", Value="v2", Type="String", Overwrite=True)
    symmetric = kms.create_key(Description="d")["KeyMetadata"]["KeyId"]
    signing = kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    curve = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    signed = kms.sign(KeyId=signing, Message=b"m", SigningAlgorithm="RSASSA_PSS_SHA_256")["Signature"]
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]
    for text in ("one", "two", "three"):
        sqs.send_message(QueueUrl=queue, MessageBody=text)
    gone, held = (sqs.receive_message(QueueUrl=queue, VisibilityTimeout=3600)["Messages"][0] for _ in range(2))
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=gone["ReceiptHandle"])
    aws("ecr").create_repository(repositoryName="team/model")
    aws("secretsmanager").create_secret(Name="s", SecretBinary=b"\x00\xff")
    aws("events").put_rule(Name="r", ScheduleExpression="rate(1 minute)")
    aws("glue").create_database(DatabaseInput={"Name": "db"})
    return {
        "policy": policy,
        "key": key,
        "session": session["Credentials"]["AccessKeyId"],
        "kms": symmetric,
        "signing": signing,
        "curve": curve,
        "signature": signed.hex(),
        "cipher": kms.encrypt(KeyId=symmetric, Plaintext=b"abc")["CiphertextBlob"].hex(),
        "held": held["ReceiptHandle"],
    }


def look(aws: Any, made: dict[str, Any]) -> dict[str, Any]:
    """Everything that a client can see of it."""
    iam, kms, sqs = aws("iam"), aws("kms"), aws("sqs")
    queue = sqs.get_queue_url(QueueName="q")["QueueUrl"]
    seen = {
        "role": iam.get_role(RoleName="R")["Role"],
        "default role": iam.get_role(RoleName="SageletExecutionRole")["Role"],
        "attached": iam.list_attached_role_policies(RoleName="R")["AttachedPolicies"],
        "inline": iam.list_role_policies(RoleName="R")["PolicyNames"],
        "policy": iam.get_policy(PolicyArn=made["policy"])["Policy"],
        "users": iam.list_users()["Users"],
        "keys": iam.list_access_keys(UserName="u")["AccessKeyMetadata"],
        "as user": aws("sts", made["key"]).get_caller_identity()["Arn"],
        "as session": aws("sts", made["session"]).get_caller_identity()["Arn"],
        "parameters": aws("ssm").get_parameter_history(Name="/a/b")["Parameters"],
        "kms": kms.describe_key(KeyId=made["kms"])["KeyMetadata"],
        "plain": kms.decrypt(CiphertextBlob=bytes.fromhex(made["cipher"]))["Plaintext"],
        "public": kms.get_public_key(KeyId=made["signing"])["PublicKey"],
        "public curve": kms.get_public_key(KeyId=made["curve"])["PublicKey"],
        "queue": sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"],
        "repositories": aws("ecr").describe_repositories()["repositories"],
        "secret": aws("secretsmanager").get_secret_value(SecretId="s"),
        "rules": aws("events").list_rules()["Rules"],
        "database": aws("glue").get_database(Name="db")["Database"],
    }
    seen["secret"].pop("ResponseMetadata")
    for member in ("role", "default role"):
        seen[member].pop("RoleLastUsed", None)
    return json.loads(json.dumps(seen, default=str))


def run_and_kill(folder: Path) -> dict[str, Any]:
    """Build in a process of its own, which is killed right after the last acknowledgement."""
    child = subprocess.run(
        [sys.executable, "-m", "tests.neighbours.test_neighbour_durability", str(folder)],
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert child.returncode == -signal.SIGKILL, child.stderr.decode()
    return dict(json.loads(child.stdout))


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("house")
    return folder, run_and_kill(folder)


def test_a_new_process_answers_the_same_after_kill_9(killed: tuple[Path, dict[str, Any]]) -> None:
    folder, before = killed
    with served(folder) as aws:
        after = look(aws, before["made"])
        assert after == before["seen"]
        assert after["plain"] == "b'abc'"
        assert after["as session"] == "arn:aws:sts::210987654321:assumed-role/R/sess"
        assert after["queue"]["ApproximateNumberOfMessages"] == "1"
        assert after["queue"]["ApproximateNumberOfMessagesNotVisible"] == "1"
        signature = bytes.fromhex(before["made"]["signature"])
        kms = aws("kms")
        checked = kms.verify(
            KeyId=before["made"]["signing"], Message=b"m", Signature=signature, SigningAlgorithm="RSASSA_PSS_SHA_256"
        )
        assert checked["SignatureValid"] is True
        queue = aws("sqs").get_queue_url(QueueName="q")["QueueUrl"]
        aws("sqs").delete_message(QueueUrl=queue, ReceiptHandle=before["made"]["held"])
        left = aws("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
        assert left["ApproximateNumberOfMessagesNotVisible"] == "0"


def test_secrets_are_readable_by_their_owner_alone(killed: tuple[Path, dict[str, Any]]) -> None:
    for name in ("journal", "identities"):
        mode = (killed[0] / "neighbours" / name).stat().st_mode
        assert stat.S_IMODE(mode) == 0o600


def test_a_torn_last_line_is_forgotten_and_does_not_spoil_the_next(tmp_path: Path) -> None:
    with served(tmp_path) as aws:
        aws("sqs").create_queue(QueueName="whole")
    journal = tmp_path / "neighbours" / "journal"
    whole = journal.read_bytes()
    journal.write_bytes(whole + whole[: len(whole) // 2])
    with served(tmp_path) as aws:
        assert len(aws("sqs").list_queues()["QueueUrls"]) == 1
        aws("sqs").create_queue(QueueName="next")
    assert journal.read_bytes().startswith(whole) and journal.read_bytes().count(b"\n") == 2
    with served(tmp_path) as aws:
        assert len(aws("sqs").list_queues()["QueueUrls"]) == 2


def test_reads_failures_and_empty_receives_do_not_grow_the_journal(tmp_path: Path) -> None:
    with served(tmp_path) as aws:
        sqs = aws("sqs")
        queue = sqs.create_queue(QueueName="q")["QueueUrl"]
        size = (tmp_path / "neighbours" / "journal").stat().st_size
        sqs.list_queues()
        sqs.receive_message(QueueUrl=queue)
        with pytest.raises(sqs.exceptions.QueueDoesNotExist):
            sqs.delete_queue(QueueUrl=queue + "-absent")
        assert (tmp_path / "neighbours" / "journal").stat().st_size == size


def test_what_could_not_be_written_down_did_not_happen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(tmp_path) as aws:
        sqs = aws("sqs")
        sqs.create_queue(QueueName="kept")

        def full(file: int, data: bytes) -> int:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr("emulator.neighbours.journal.os.write", full)
            with pytest.raises(sqs.exceptions.ClientError, match="No space left on device"):
                sqs.create_queue(QueueName="lost")
        assert [url.rpartition("/")[2] for url in sqs.list_queues()["QueueUrls"]] == ["kept"]
        sqs.create_queue(QueueName="later")
    with served(tmp_path) as aws:
        assert [url.rpartition("/")[2] for url in aws("sqs").list_queues()["QueueUrls"]] == ["kept", "later"]


def test_reset_forgets_everything_here_and_on_disk(tmp_path: Path) -> None:
    with served(tmp_path) as aws:
        session = aws("sts").assume_role(RoleArn="arn:aws:iam::210987654321:role/R", RoleSessionName="sess")
        aws("sqs").create_queue(QueueName="q")
        aws.front.reset()
        assert "QueueUrls" not in aws("sqs").list_queues()
        assert aws.front.account_of(session["Credentials"]["AccessKeyId"]) is None
    assert not (tmp_path / "neighbours" / "journal").exists()


def test_the_order_of_the_journal_is_the_order_of_execution(tmp_path: Path) -> None:
    import concurrent.futures

    with served(tmp_path) as aws:
        ssm = aws("secretsmanager")
        ssm.create_secret(Name="s", SecretString="0")
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda n: ssm.put_secret_value(SecretId="s", SecretString=str(n)), range(1, 40)))
        last = ssm.get_secret_value(SecretId="s")
    with served(tmp_path) as aws:
        again = aws("secretsmanager").get_secret_value(SecretId="s")
        assert (again["SecretString"], again["VersionId"]) == (last["SecretString"], last["VersionId"])


def test_closing_leaves_nothing_for_the_next_house_of_this_process(tmp_path: Path) -> None:
    with served(tmp_path / "one") as aws:
        aws("sqs").create_queue(QueueName="mine")
    with served(tmp_path / "two") as aws:
        assert "QueueUrls" not in aws("sqs").list_queues()


def test_an_entry_that_moto_no_longer_takes_loses_no_other(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with served(tmp_path) as aws:
        aws("sqs").create_queue(QueueName="q")
    journal = tmp_path / "neighbours" / "journal"
    row = json.loads(journal.read_bytes())
    broken = {**row, "operation": "Gone", "headers": {**row["headers"], "x-amz-target": "AmazonSQS.Gone"}}
    journal.write_text("".join(json.dumps(r) + "\n" for r in (broken, row)))
    front = neighbours_of(tmp_path)
    headers = {"x-amz-target": "AmazonSQS.ListQueues", "content-type": "application/x-amz-json-1.0"}
    request = HttpRequest("sqs", "POST", "/", "", headers, b"{}", Scope("123456789012", "us-east-1"))
    reply = front.answer(request)
    front.close()
    assert isinstance(reply.body, bytes) and b"/q" in reply.body
    assert "Gone could not be done again" in caplog.text


def main(folder: Path) -> None:
    """The child: build, look, say so, die."""
    with served(folder) as aws:
        made = build(aws)
        print(json.dumps({"made": made, "seen": look(aws, made)}), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
