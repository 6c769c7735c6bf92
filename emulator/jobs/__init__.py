"""Jobs: the pure lifecycle, the engine that lives it, the /opt/ml workspace, and a recipe for each kind of job.

This room runs programs through the executors' port and knows no operation, no HTTP and no algorithm.
"""

from emulator.jobs.engine import JobEngine
from emulator.jobs.recipes.recipe import Tools

__all__ = ["JobEngine", "Tools"]
