"""Fixtures that several test files of this room share."""

from tests.executors.docker_bench import bench, images

__all__ = ["bench", "images"]
