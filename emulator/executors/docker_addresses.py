"""Addresses in the engine's networks, read from what the engine tells of them."""

from __future__ import annotations

from ipaddress import IPv4Network, ip_network
from typing import Any

from emulator.ports import Cluster


def gateway_address(attributes: dict[str, Any]) -> str:
    """The IPv4 address of a network's bridge. Of its own bridge Docker tells the subnet alone: the first address."""
    for config in (attributes.get("IPAM") or {}).get("Config") or ():
        if ":" in config.get("Subnet", ":"):
            continue
        return str(config.get("Gateway") or next(ip_network(config["Subnet"]).hosts())).partition("/")[0]
    return ""


def host_addresses(cluster: Cluster, attributes: dict[str, Any]) -> dict[str, str]:
    """An address for each host, from the subnet's end: the engine gives out those at its beginning by itself."""
    last = subnet(attributes).broadcast_address
    return {name: str(last - 1 - number) for number, name in enumerate(cluster.hosts)}


def subnet(attributes: dict[str, Any]) -> IPv4Network:
    """The IPv4 subnet of a network."""
    configs = (attributes.get("IPAM") or {}).get("Config") or ()
    return next(IPv4Network(config["Subnet"]) for config in configs if ":" not in config.get("Subnet", ":"))


def used_up(problem: Exception) -> bool:
    """Whether the engine has made no network because it has no addresses left."""
    text = str(problem)
    return "non-overlapping" in text or "address pool" in text or "subnet" in text
