"""What is answered about things that nothing here makes, where they are no records of a kind's. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from emulator.kinds.hosting import NO_GATEWAY


@dataclass(frozen=True)
class Said:
    """The answer to an operation. In this order: what it names is absent, the effect is missing, the list is empty."""

    member: str = ""
    """The member that names what the request is about; `Entries[].X` names several."""
    kind: str = ""
    """The kind of ours that it names: an absent one is told first."""
    noun: str = ""
    """What it names, where no kind of ours does: nothing makes one, so it is absent."""
    refused: str = ""
    """Why nothing here brings about the effect."""


NO_REVIEWER = "nobody here reviews anything, so there are no human loops"
NO_STORE = "feature groups are kept as records, and no store holds their data"
NO_IMAGES = "the service's collections of satellite images are not here"
NO_MAPS = "no engine here does the work of geospatial jobs"
NO_RECOMMENDATION = "nothing here measures how endpoints would scale"
NO_SCHEMAS = "the service's schemas of jobs are not here"
NO_ROUTER = "no inference router is served here"
NO_SESSION = "no training session is served here"

LOOP = Said("HumanLoopName", noun="Human loop")
FEATURES = Said("FeatureGroupName", kind="FeatureGroup", refused=NO_STORE)
EARTH = Said("Arn", noun="Earth observation job")
VECTOR = Said("Arn", noun="Vector enrichment job")
TAGGED = Said("ResourceArn", noun="Resource")
IMAGES = Said(refused=NO_IMAGES)
GATEWAY = Said("GatewayId", kind="GlobalInferenceGateway", refused=NO_GATEWAY)
ROUTER = Said("InferenceRouterName", kind="InferenceRouter", refused=NO_ROUTER)
SESSION = Said("trainingSessionName", kind="TrainingSession", refused=NO_SESSION)
ROLLOUT = Said("JobArn", noun="Job")
CALLBACK = Said("CallbackToken", noun="Callback token")

ELSEWHERE: Mapping[str, Mapping[str, Said]] = {
    "sagemaker": {
        "DescribeJobSchemaVersion": Said(refused=NO_SCHEMAS),
        "GetScalingConfigurationRecommendation": Said(
            "InferenceRecommendationsJobName", kind="InferenceRecommendationsJob", refused=NO_RECOMMENDATION
        ),
        "ListJobSchemaVersions": Said(refused=NO_SCHEMAS),
        "ListResourceCatalogs": Said(),
        "SendPipelineExecutionStepFailure": CALLBACK,
        "SendPipelineExecutionStepSuccess": CALLBACK,
    },
    "sagemaker-a2i-runtime": {
        "DeleteHumanLoop": LOOP,
        "DescribeHumanLoop": LOOP,
        "StopHumanLoop": LOOP,
        "ListHumanLoops": Said("FlowDefinitionArn", kind="FlowDefinition"),
        "StartHumanLoop": Said("FlowDefinitionArn", kind="FlowDefinition", refused=NO_REVIEWER),
    },
    "sagemaker-featurestore-runtime": {
        "BatchGetRecord": Said("Identifiers[].FeatureGroupName", kind="FeatureGroup", refused=NO_STORE),
        "BatchWriteRecord": Said("Entries[].FeatureGroupName", kind="FeatureGroup", refused=NO_STORE),
        "DeleteRecord": FEATURES,
        "GetRecord": FEATURES,
        "ListRecords": FEATURES,
        "PutRecord": FEATURES,
        "UpdateRecord": FEATURES,
    },
    "sagemaker-geospatial": {
        "DeleteEarthObservationJob": EARTH,
        "DeleteVectorEnrichmentJob": VECTOR,
        "ExportEarthObservationJob": EARTH,
        "ExportVectorEnrichmentJob": VECTOR,
        "GetEarthObservationJob": EARTH,
        "GetRasterDataCollection": IMAGES,
        "GetTile": IMAGES,
        "GetVectorEnrichmentJob": VECTOR,
        "ListEarthObservationJobs": Said(),
        "ListRasterDataCollections": IMAGES,
        "ListTagsForResource": TAGGED,
        "ListVectorEnrichmentJobs": Said(),
        "SearchRasterDataCollection": IMAGES,
        "StartEarthObservationJob": Said(refused=NO_MAPS),
        "StartVectorEnrichmentJob": Said(refused=NO_MAPS),
        "StopEarthObservationJob": EARTH,
        "StopVectorEnrichmentJob": VECTOR,
        "TagResource": TAGGED,
        "UntagResource": TAGGED,
    },
    "sagemaker-gateway-runtime": {
        "InvokeGlobalInferenceGateway": GATEWAY,
        "InvokeGlobalInferenceGatewayWithResponseStream": GATEWAY,
    },
    "sagemaker-inference-router-runtime": {
        "InvokeInferenceRouter": ROUTER,
        "InvokeInferenceRouterAsync": ROUTER,
    },
    "sagemakerjobruntime": {
        "CompleteRollout": ROLLOUT,
        "Sample": ROLLOUT,
        "SampleWithResponseStream": ROLLOUT,
        "UpdateReward": ROLLOUT,
    },
    "sagemakertrainingsessionruntime": {
        "ExecuteSamplingOperation": SESSION,
        "ExecuteTrainingOperation": SESSION,
        "GetSamplingOperationResult": SESSION,
        "GetTrainingOperationResult": SESSION,
        "SampleTrainingSession": SESSION,
        "SampleTrainingSessionWithResponseStream": SESSION,
    },
}
"""By service and operation."""
