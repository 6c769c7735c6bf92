"""Models, endpoints, and what is done to them before and beside."""

from __future__ import annotations

from emulator.kinds.kind import ASC, ENDPOINT, Kind, Listing, Missing, Taken

NO_CONFIG = 'Could not find endpoint configuration "{arn}".'
SAME_CONFIG = 'Cannot create already existing endpoint configuration "{arn}".'

KINDS = (
    Kind("Model", defaults={"EnableNetworkIsolation": False}),
    Kind(
        "EndpointConfig",
        missing=Missing("ValidationException", NO_CONFIG),
        taken=Taken("ValidationException", SAME_CONFIG),
        defaults={"EnableNetworkIsolation": False},
    ),
    Kind("Endpoint", lifecycle=ENDPOINT, caseless=True),
    Kind("InferenceComponent", work=True),
    Kind("GlobalInferenceGateway", work=True),
    Kind("InferenceExperiment", work=True),
    Kind("InferenceRecommendationsJob", work=True),
    Kind("InferenceRouter", work=True),
    Kind("OptimizationJob", work=True, listing=Listing(sort=("CreationTime", ASC), page=50)),
    Kind("AIBenchmarkJob", work=True),
    Kind("AIRecommendationJob", work=True),
    Kind("AIWorkloadConfig"),
)
