"""Hubs. Importing content is work."""

from __future__ import annotations

from emulator.kinds.kind import Kind

KINDS = (
    Kind("Hub"),
    Kind("HubContent", work=True, refers={"HubName": "Hub"}),
)
