"""The hosts of a job: their names, groups and instance types, as a request's ResourceConfig lays them out. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

GROUP = "homogeneousCluster"
"""What the service calls the one group of a job that names none."""


@dataclass(frozen=True)
class Host:
    """One instance of a job: `algo-1` is the first of all."""

    name: str
    instance_type: str
    group: str = GROUP


def training_hosts(body: Mapping[str, Any]) -> tuple[Host, ...]:
    """The hosts of a training job, group by group."""
    config = body["ResourceConfig"]
    groups = config.get("InstanceGroups") or [
        {
            "InstanceGroupName": GROUP,
            "InstanceType": config.get("InstanceType", ""),
            "InstanceCount": config.get("InstanceCount", 1),
        }
    ]
    kinds = [(g["InstanceType"], g["InstanceGroupName"]) for g in groups for _ in range(g["InstanceCount"])]
    return tuple(Host(f"algo-{number}", *kind) for number, kind in enumerate(kinds, 1))


def processing_hosts(body: Mapping[str, Any]) -> tuple[Host, ...]:
    """The hosts of a processing job: of InstancePreferences those that were selected."""
    config = body["ProcessingResources"]["ClusterConfig"]
    count = config.get("SelectedInstanceCount") or config.get("InstanceCount") or 1
    kind = config.get("SelectedInstanceType") or config.get("InstanceType") or ""
    return tuple(Host(f"algo-{number}", kind) for number in range(1, count + 1))


def names(hosts: Sequence[Host]) -> tuple[str, ...]:
    """Their names, in order."""
    return tuple(host.name for host in hosts)


def resource_config(host: Host, hosts: Sequence[Host], interface: str = "eth0") -> dict[str, Any]:
    """The content of resourceconfig.json on one host."""
    return {
        "current_host": host.name,
        "current_instance_type": host.instance_type,
        "current_group_name": host.group,
        "hosts": list(names(hosts)),
        "instance_groups": _groups(hosts),
        "network_interface_name": interface,
    }


def _groups(hosts: Sequence[Host]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for host in hosts:
        group = {"instance_group_name": host.group, "instance_type": host.instance_type, "hosts": []}
        found.setdefault(host.group, group)["hosts"].append(host.name)
    return list(found.values())
