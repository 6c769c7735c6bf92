"""Streams of numbers, one file a resource: what jobs report while they run, and what they come to.

Knows files and points. May not know what a job is, nor what CloudWatch makes of the numbers (`emulator.neighbours`).
"""

from emulator.metrics.files import FileMetrics

__all__ = ["FileMetrics"]
