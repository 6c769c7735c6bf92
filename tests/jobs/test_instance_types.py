"""Every instance type of the installed model has an answer, and the answers are those of EC2's own table."""

from __future__ import annotations

import gzip
import json
from importlib.resources import files

import botocore.session
import pytest

from emulator.jobs import instances
from emulator.jobs.instances import GIB

MODEL = botocore.session.get_session().get_service_model("sagemaker")
ENUMS = (
    "TrainingInstanceType",
    "ProcessingInstanceType",
    "TransformInstanceType",
    "ProductionVariantInstanceType",
)
NAMES = sorted({name for enum in ENUMS for name in MODEL.shape_for(enum).enum})


def recorded() -> dict[str, tuple[int, float, int]]:
    """vCPUs, GiB and accelerators as EC2's DescribeInstanceTypes answers them (recorded by moto)."""
    packed = files("moto").joinpath("ec2/resources/instance_types.json.gz").read_bytes()
    found = {}
    for name, told in json.loads(gzip.decompress(packed)).items():
        chips = [*told.get("GpuInfo", {}).get("Gpus", ()), *told.get("NeuronInfo", {}).get("NeuronDevices", ())]
        memory = told["MemoryInfo"]["SizeInMiB"] / 1024
        found[f"ml.{name}"] = (told["VCpuInfo"]["DefaultVCpus"], memory, sum(chip["Count"] for chip in chips))
    return found


EC2 = recorded()
GONE = {
    "ml.p2.xlarge": (4, 61, 1),
    "ml.p2.8xlarge": (32, 488, 8),
    "ml.p2.16xlarge": (64, 976, 16),
    "ml.p3.2xlarge": (8, 61, 1),
    "ml.p3.8xlarge": (32, 244, 4),
    "ml.p3.16xlarge": (64, 488, 8),
}
"""Types that EC2 does not list any more, as its documentation had them."""


@pytest.mark.parametrize("name", NAMES)
def test_every_type_of_the_model_has_an_answer(name):
    found = instances.find(name)
    assert found.cpus >= 1 and found.memory >= GIB
    assert bool(found.gpus) == bool(found.accelerator)
    if name in EC2 or name in GONE:
        cpus, memory, gpus = EC2.get(name) or GONE[name]
        assert (found.cpus, found.memory / GIB, found.gpus) == (cpus, pytest.approx(memory, rel=0.01), gpus)


def test_accelerated_families_are_told_apart():
    makers = {name: instances.find(name).accelerator for name in NAMES}
    assert all(
        bool(maker) == name.startswith(("ml.p", "ml.g", "ml.trn", "ml.inf", "ml.dl")) for name, maker in makers.items()
    )
    assert instances.find("ml.g5.xlarge").nvidia
    assert not instances.find("ml.trn1.2xlarge").nvidia


@pytest.mark.parametrize(
    ("name", "cpus", "memory", "gpus"),
    [("ml.m9x.12xlarge", 48, 192, 0), ("ml.g99.48xlarge", 192, 768, 8), ("ml.zz1.large", 2, 8, 0), ("local", 2, 8, 0)],
)
def test_a_type_that_is_not_known_is_derived_or_gets_the_stated_default(name, cpus, memory, gpus):
    found = instances.find(name)
    assert (found.cpus, found.memory, found.gpus) == (cpus, memory * GIB, gpus)
