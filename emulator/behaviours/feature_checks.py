"""What a feature group must be like, beyond what the model says: its features, its stores, its throughput.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateFeatureGroup.html
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from emulator.errors import Validation
from emulator.resources.quotas import Quota

MOST = 2500
"""Features of a group."""
RESERVED = ("is_deleted", "write_time", "api_invocation_time")
TIMES = ("String", "Fractional")
CATALOG = "AwsDataCatalog"
TABLE = re.compile(r"[a-z_][a-z0-9_]*")

CREATIONS = Quota("Maximum number of feature group creation workflows executing in parallel", 4, "FeatureGroups")
"""With --quotas; seen in a project's documentation."""

BOTH_DISABLED = (
    "Validation Error: OnlineStore and OfflineStore cannot be both disabled. Please enable at least one of them and "
    "retry the request."
)

Definition = Mapping[str, Any]


def check_new(params: Mapping[str, Any]) -> None:
    """A request to create a group."""
    online, offline = params.get("OnlineStoreConfig") or {}, params.get("OfflineStoreConfig") or {}
    if not online.get("EnableOnlineStore") and not offline:
        raise Validation(BOTH_DISABLED)
    definitions = params["FeatureDefinitions"]
    check_features(definitions, online)
    types = {definition["FeatureName"]: definition["FeatureType"] for definition in definitions}
    for member in ("RecordIdentifierFeatureName", "EventTimeFeatureName"):
        if params[member] not in types:
            raise Validation(f"Validation Error: {member} {params[member]} is not one of the FeatureDefinitions.")
    _check_time(types[params["EventTimeFeatureName"]], offline)
    _check_catalog(offline)
    check_throughput(params.get("ThroughputConfig") or {}, online)


def check_features(definitions: Sequence[Definition], online: Mapping[str, Any]) -> None:
    """All features of a group."""
    if len(definitions) > MOST:
        raise Validation(f"Validation Error: a FeatureGroup has at most {MOST} FeatureDefinitions.")
    for name, count in Counter(definition["FeatureName"] for definition in definitions).items():
        if name in RESERVED:
            raise Validation(f"Validation Error: FeatureName cannot be any of {', '.join(RESERVED)}.")
        if count > 1:
            raise Validation(f"Validation Error: FeatureName {name} is defined more than once.")
    for definition in definitions:
        if definition.get("CollectionType"):
            _check_collection(definition, online)


def check_throughput(throughput: Mapping[str, Any], online: Mapping[str, Any]) -> None:
    """Provisioned throughput is for offline stores and the Standard tier."""
    if throughput.get("ThroughputMode") == "Provisioned" and online.get("StorageType") == "InMemory":
        raise Validation("Validation Error: Provisioned throughput is not supported for the InMemory StorageType.")


def _check_collection(definition: Definition, online: Mapping[str, Any]) -> None:
    name, kind = definition["FeatureName"], definition["CollectionType"]
    if online.get("EnableOnlineStore") and online.get("StorageType") != "InMemory":
        raise Validation(
            f"Validation Error: feature {name} is a {kind}; in an OnlineStore that needs the InMemory StorageType."
        )
    if kind != "Vector":
        return
    if definition["FeatureType"] != "Fractional" or not (definition.get("CollectionConfig") or {}).get("VectorConfig"):
        raise Validation(
            f"Validation Error: feature {name} is a Vector; it needs the FeatureType Fractional and a VectorConfig."
        )


def _check_time(kind: str, offline: Mapping[str, Any]) -> None:
    if kind not in TIMES:
        raise Validation(f"Validation Error: the event time feature is {kind}. It must be String or Fractional.")
    if offline.get("TableFormat") == "Iceberg" and kind != "String":
        raise Validation(f"Validation Error: the event time feature is {kind}. With Iceberg it must be String.")


def _check_catalog(offline: Mapping[str, Any]) -> None:
    """What the service makes a table of must be names that Athena understands; tables of others are theirs."""
    catalog = offline.get("DataCatalogConfig") or {}
    if offline.get("DisableGlueTableCreation"):
        if offline.get("TableFormat") == "Iceberg":
            raise Validation("Validation Error: with the TableFormat Iceberg, DisableGlueTableCreation must be False.")
        return
    if catalog and catalog["Catalog"] != CATALOG:
        raise Validation(f"Validation Error: Catalog is {catalog['Catalog']}. It must be {CATALOG}.")
    for member in ("TableName", "Database"):
        if catalog and not TABLE.fullmatch(catalog[member]):
            raise Validation(
                f"Validation Error: {member} {catalog[member]} may have only small letters, digits and underscores, "
                "and no digit first."
            )
