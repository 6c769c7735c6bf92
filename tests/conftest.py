"""How hypothesis works here: always the same few examples, so that no run fails by chance; many of them on demand.

A run tells in the end how long the tests of each room took.
"""

import os
from collections import Counter

from hypothesis import HealthCheck, settings

QUIET = [
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
    HealthCheck.function_scoped_fixture,
    HealthCheck.filter_too_much,
]

settings.register_profile(
    "short", derandomize=True, max_examples=300, deadline=None, database=None, suppress_health_check=QUIET
)
settings.register_profile(
    "long", max_examples=20_000, deadline=None, database=None, print_blob=True, suppress_health_check=QUIET
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "short"))


def pytest_terminal_summary(terminalreporter, config):
    """Minutes by room: of all workers together, over their number what the room takes by itself."""
    workers = config.getoption("numprocesses", None) or 1
    spent = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if room := _room(getattr(report, "nodeid", "")):
                spent[room] += getattr(report, "duration", 0.0)
    told = [f"{room} {seconds / 60 / workers:.1f}" for room, seconds in spent.most_common() if seconds >= 60]
    if told:
        terminalreporter.write_line(f"minutes by room, on {workers}: {', '.join(told)}")


def _room(nodeid):
    parts = nodeid.split("::")[0].split("/")
    return parts[1] if len(parts) > 2 else ""
