"""Models, endpoints, and what is done to them before and beside."""

from __future__ import annotations

from emulator.kinds.kind import ASC, ENDPOINT, Kind, Listing, Missing, Taken

NO_CONFIG = 'Could not find endpoint configuration "{arn}".'
NO_GATEWAY = "no inference gateway is served here"
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
    Kind(
        "InferenceComponent",
        work=True,
        refuses={"UpdateInferenceComponentRuntimeConfig": "no inference component is served here"},
    ),
    Kind(
        "GlobalInferenceGateway",
        work=True,
        refuses=dict.fromkeys(("AddInferenceGateway", "RemoveInferenceGateway"), NO_GATEWAY),
        empty={"ListInferenceGateways": "Identifier"},
    ),
    Kind("InferenceExperiment", work=True),
    Kind("InferenceRecommendationsJob", work=True, empty={"ListInferenceRecommendationsJobSteps": "JobName"}),
    Kind("InferenceRouter", work=True),
    Kind("OptimizationJob", work=True, listing=Listing(sort=("CreationTime", ASC), page=50)),
    Kind("AIBenchmarkJob", work=True),
    Kind("AIRecommendationJob", work=True),
    Kind("AIWorkloadConfig"),
)
