"""What GPU instance types mean under each policy, and the quotas of a new account in the service's words."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.call import Call, Scope
from emulator.errors import LimitExceeded
from emulator.jobs import gpus, quotas
from emulator.jobs.instances import GIB
from emulator.jobs.scheduler import Machine
from emulator.store.records import Record

HERE = Scope("123456789012", "eu-west-1")
THERE = Scope("123456789012", "us-west-2")
LAPTOP = Machine(2.0, 24 * GIB)
SERVER = Machine(32.0, 128 * GIB, gpus=2)
MIXED = ("ml.m5.large", "ml.g5.12xlarge", "ml.g5.12xlarge")


# --- devices ----------------------------------------------------------------------------------------------------


def test_types_without_accelerators_never_mind():
    for policy in ("cpu", "refuse", "devices"):
        names = ("ml.m5.large", "ml.c5.xlarge")
        assert gpus.refusal(names, policy, LAPTOP) == gpus.notice(names, policy, LAPTOP) == ""
        assert gpus.tags(names, policy, LAPTOP) == {}


def test_on_the_cpu_it_is_said():
    assert gpus.refusal(MIXED, "cpu", LAPTOP) == ""
    told = "ml.g5.12xlarge has 4 NVIDIA GPUs; this job has none and runs on the CPU."
    assert gpus.notice(MIXED, "cpu", SERVER) == told
    assert gpus.tags(MIXED, "cpu", SERVER) == {"sagelet:gpu": "none: ran on the CPU"}
    assert gpus.notice(["ml.inf2.xlarge"], "cpu", LAPTOP).startswith("ml.inf2.xlarge has 1 AWS Inferentia chip;")


def test_refused_with_the_settings_that_help():
    told = gpus.refusal(MIXED, "refuse", SERVER)
    assert told.startswith("ml.g5.12xlarge has 4 NVIDIA GPUs, and this server was started with --gpu refuse.")
    assert "--gpu cpu" in told and "--gpu devices" in told


def test_devices_are_given_where_there_are_some():
    assert gpus.refusal(MIXED, "devices", SERVER) == ""
    assert gpus.notice(MIXED, "devices", SERVER).endswith("this job is given 2 of the 2 that this machine has.")
    assert gpus.tags(MIXED, "devices", SERVER) == {"sagelet:gpu": "NVIDIA devices: 2"}
    assert "there is no NVIDIA device on this machine" in gpus.refusal(MIXED, "devices", LAPTOP)
    assert "only NVIDIA devices can be given" in gpus.refusal(["ml.trn1.2xlarge"], "devices", SERVER)


# --- quotas -----------------------------------------------------------------------------------------------------


class UnderWay:
    """Records of jobs that run, as far as quotas look at them."""

    def __init__(self, *records: Record) -> None:
        self.records = records

    def unsettled(self, kind: str, statuses: tuple[str, ...]) -> list[Record]:
        return [record for record in self.records if record.kind == kind]


def training(name: str = "ml.m5.large", count: int = 1, **more: Any) -> dict[str, Any]:
    return {"ResourceConfig": {"InstanceType": name, "InstanceCount": count, "VolumeSizeInGB": 30}, **more}


def record(body: dict[str, Any], kind: str = "TrainingJob", scope: Scope = HERE) -> Record:
    return Record(kind, scope, "job", "arn", body, 0.0, 0.0, "InProgress")


def refused(params: dict[str, Any], *under_way: Record, kind: str = "TrainingJob") -> str:
    call = Call("sagemaker", f"Create{kind}", params, HERE)
    try:
        quotas.check(kind, call, UnderWay(*under_way))
    except LimitExceeded as fault:
        assert fault.code == "ResourceLimitExceeded"
        return fault.message
    return ""


def test_a_new_account_has_no_gpus_in_the_services_words():
    assert refused(training("ml.p3.2xlarge")) == (
        "The account-level service limit 'ml.p3.2xlarge for training job usage' is 0 Instances, with current "
        "utilization of 0 Instances and a request delta of 1 Instances. Please use AWS Service Quotas to request an "
        "increase for this quota. If AWS Service Quotas is not available, contact AWS support to request an increase "
        "for this quota."
    )


def test_what_runs_already_counts_in_its_own_account_region_and_kind():
    three = training(count=3)
    assert refused(training()) == refused(training(), record(three)) == ""
    told = refused(training(count=2), record(three))
    assert "'ml.m5.large for training job usage' is 4 Instances, with current utilization of 3 Instances" in told
    assert "request delta of 2 Instances" in told
    assert refused(training(count=2), record(three, scope=THERE)) == ""
    assert refused(training(count=2), record({**three, "EnableManagedSpotTraining": True})) == ""
    told = refused(training("ml.c5.large", 2), record(three))
    assert "'Number of instances across all training jobs' is 4 Instances" in told


def test_spot_jobs_have_quotas_of_their_own():
    spot = {"EnableManagedSpotTraining": True}
    assert "'ml.p3.2xlarge for spot training job usage' is 0 Instances" in refused(training("ml.p3.2xlarge", **spot))


@pytest.mark.parametrize(
    ("params", "told"),
    [
        (training(count=21), "'Maximum number of instances per training job' is 20 Instances"),
        (
            training(StoppingCondition={"MaxRuntimeInSeconds": 432_001}),
            "'Longest run time for a training job' is 432000 Seconds",
        ),
        (
            {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1025}},
            "'Size of EBS volume for a training job instance' is 1024 Gigabytes",
        ),
    ],
)
def test_limits_of_one_job(params, told):
    assert told in refused(params)
    assert refused(training(StoppingCondition={"MaxRuntimeInSeconds": 432_000})) == ""


def test_processing_and_transform_jobs():
    cluster = {"ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 5, "VolumeSizeInGB": 1}}
    told = refused({"ProcessingResources": cluster}, kind="ProcessingJob")
    assert "'ml.m5.large for processing job usage' is 4 Instances" in told
    transform = {"TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 5}}
    assert "'ml.m5.large for transform job usage' is 4 Instances" in refused(transform, kind="TransformJob")
