"""Streams of lines in groups, readable while they are written: what CloudWatch Logs shows of jobs and endpoints.

Knows files and lines. May not know what a job is, nor how CloudWatch words its answers (`emulator.neighbours`).
"""

from emulator.logs.files import FileLogs, StreamFacts
from emulator.logs.pages import Page, Placed
from emulator.logs.tail import Tail

__all__ = ["FileLogs", "Page", "Placed", "StreamFacts", "Tail"]
