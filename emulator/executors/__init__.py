"""Runs a program that a RunSpec describes somewhere: in a container, as a sandboxed process, or, as a stub, nowhere.

Executors write log lines into files and know no S3, no jobs and no endpoints; what they run is described by
`algorithms.catalog`, the only file of the payload they import. `Executors` chooses between them.
"""

from emulator.executors.choose import Executors, NoExecutor
from emulator.executors.stub import StubExecutor, StubRun

__all__ = ["Executors", "NoExecutor", "StubExecutor", "StubRun"]
