"""Model servers: a model's container or process, started, awaited and asked. Endpoints and transform jobs stand on it.

It knows no endpoint, variant or job, and imports only what lies below: executors, storage and logs through their ports.
"""

from emulator.servers.client import InvokeFailure, Reply
from emulator.servers.server import ModelServer, ModelServers, ServerFailed, ServerSpec
from emulator.servers.way_back import WayBack

__all__ = ["InvokeFailure", "ModelServer", "ModelServers", "Reply", "ServerFailed", "ServerSpec", "WayBack"]
