"""Training in the images of PyTorch: the user's script, told where the first host is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from algorithms.script_mode.launchers import master_port
from algorithms.script_mode.train import Family, run

MODULE = "sagemaker_pytorch_container.training:main"


def main() -> int:
    """Run the job of this process's base folder; its exit status."""
    return run(Family("pytorch", MODULE, variables=variables))


def variables(told: Mapping[str, Any]) -> dict[str, str]:
    """Those that the image sets before the script. WORLD_SIZE and RANK are torchrun's, or the script's own."""
    interface = str(told["network_interface_name"])
    return {
        "MASTER_ADDR": str(told["master_hostname"]),
        "MASTER_PORT": master_port(told["job_name"]),
        "NCCL_SOCKET_IFNAME": interface,
        "NCCL_IB_DISABLE": "1",
        "NCCL_DEBUG": "WARN",
    }
