"""How hypothesis works here: always the same few examples, so that no run fails by chance; many of them on demand."""

import os

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
