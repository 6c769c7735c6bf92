"""How a script is started on several processes and hosts: torchrun; every other launcher is refused by name."""

from __future__ import annotations

import socket
import time
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from algorithms.common.faults import UserError
from algorithms.script_mode.entry import PROGRAM

FIRST_PORT, PORTS = 7777, 20_000
TORCHRUN = ("sagemaker_torch_distributed_enabled", "sagemaker_pytorch_ddp_enabled")
PROCESSES = "sagemaker_mpi_num_of_processes_per_host"
REFUSED = {
    "sagemaker_mpi_enabled": "MPI (Horovod, smdistributed.modelparallel)",
    "sagemaker_distributed_dataparallel_enabled": "smdistributed.dataparallel",
    "sagemaker_parameter_server_enabled": "The parameter server of TensorFlow 1",
    "sagemaker_pytorch_xla_multi_worker_enabled": "PyTorch/XLA",
}
NAMES_SECONDS = 60.0


def check(framework: Mapping[str, Any]) -> None:
    """UserError for a launcher that there is not."""
    for key, name in REFUSED.items():
        if framework.get(key):
            raise UserError(
                f"{name} ({key}) is not available here. Use the distribution torch_distributed, which starts torchrun "
                "(gloo on CPUs), or leave distribution out."
            )


def master_port(job: str | None) -> str:
    """The first host's port: the images' 7777 plus a number of the job's own, since jobs may share a network here."""
    return str(FIRST_PORT + (zlib.crc32(job.encode()) % PORTS if job else 0))


def torchrun(python: str, entry: tuple[str, str], told: Mapping[str, Any]) -> list[str]:
    """The words before the script's arguments when torchrun is to start it on this host; empty when not."""
    framework = told["additional_framework_parameters"]
    asked = next((key for key in TORCHRUN if framework.get(key)), "")
    if not asked or told["current_instance_group"] not in told["distribution_instance_groups"]:
        return []
    what, name = entry
    if what != PROGRAM:
        raise UserError(f"{asked} needs a Python script as the entry point, and {name} is none.")
    hosts = told["distribution_hosts"]
    each = framework.get(PROCESSES) or told["num_gpus"] or 1
    words = [python, "-m", "torch.distributed.run", "--nnodes", str(len(hosts)), "--nproc_per_node", str(each)]
    if len(hosts) == 1:
        return [*words, "--standalone", name]  # On a free port; torchrun's own default is the same for every job.
    rank = str(hosts.index(told["current_host"]))
    port = master_port(told["job_name"])
    return [*words, "--master_addr", told["master_hostname"], "--master_port", port, "--node_rank", rank, name]


def await_names(hosts: Sequence[str]) -> None:
    """Wait until the names of all hosts are known (the toolkit waits a quarter of an hour, also for a single host)."""
    until = time.monotonic() + NAMES_SECONDS
    for host in hosts if len(hosts) > 1 else ():
        while not _known(host):
            if time.monotonic() > until:
                raise UserError(f"The host {host} of this job is not known by its name; its network was not set up.")
            time.sleep(0.1)


def _known(host: str) -> bool:
    try:
        socket.gethostbyname(host)
    except OSError:
        return False
    return True
