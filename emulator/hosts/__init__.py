"""Endpoints: their pure life, the fleet of model servers behind each, the routing of requests to variants.

It writes endpoint records and no others, and knows no HTTP beyond what `emulator.servers` answers.
"""

from emulator.hosts.engine import HostEngine
from emulator.hosts.router import Invoked, InvokeRequest

__all__ = ["HostEngine", "InvokeRequest", "Invoked"]
