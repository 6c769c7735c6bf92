"""Feature groups as records: where their stores would be, and what is added to them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from emulator.behaviours.feature_checks import CATALOG, CREATIONS, check_features, check_new, check_throughput
from emulator.behaviours.rooms import Rooms
from emulator.call import Answer, Call, Scope
from emulator.errors import Validation
from emulator.resources import making
from emulator.store.records import Record

GROUP = "FeatureGroup"
DATABASE = "sagemaker_featurestore"
BAD_ROLE = "The execution role ARN is invalid."
UPDATES = ("FeatureAdditions", "OnlineStoreConfig", "ThroughputConfig")


def create_feature_group(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateFeatureGroup.html."""
    check_new(call.params)
    _check_role(rooms, call)
    if rooms.settings.quotas:
        CREATIONS.check(rooms.resources.reading(lambda now: now.counts(GROUP, call.scope)).get("Creating", 0))
    made = round(rooms.clock.now(), 3)
    extra: dict[str, Any] = {"CreationTime": made}
    if call.params.get("OfflineStoreConfig"):
        extra |= _offline(call.params, call.scope, int(made))
    return rooms.resources.answer("Create", rooms.resources.create(GROUP, call, extra=extra))


def update_feature_group(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateFeatureGroup.html."""
    there = rooms.resources.get(GROUP, call.scope, call.params["FeatureGroupName"])
    given = [name for name in UPDATES if call.params.get(name) is not None]
    if not given or ("FeatureAdditions" in given and len(given) > 1):
        raise Validation(f"Validation Error: use one of {', '.join(UPDATES)} at a time.")
    now = round(rooms.clock.now(), 3)

    def edit(current: Record) -> Record:
        if _updating(rooms, current):
            raise Validation(f"Validation Error: another update of FeatureGroup {current.key} is in progress.")
        body = dict(current.body)
        hidden = {**current.hidden, "updated": now}
        if "FeatureAdditions" in given:
            added = making.plain(call.params["FeatureAdditions"])
            body["FeatureDefinitions"] = [*body["FeatureDefinitions"], *added]
            check_features(body["FeatureDefinitions"], body.get("OnlineStoreConfig") or {})
            hidden["added"] = {**hidden.get("added", {}), **{one["FeatureName"]: now for one in added}}
        if "OnlineStoreConfig" in given:
            body["OnlineStoreConfig"] = _online(current, call.params["OnlineStoreConfig"])
        if "ThroughputConfig" in given:
            body["ThroughputConfig"] = _throughput(body, call.params["ThroughputConfig"])
        return replace(current, body=body, hidden=hidden)

    return rooms.resources.answer("Update", rooms.resources.move(GROUP, call.scope, there.key, "Update", edit))


def last_update(rooms: Rooms, record: Record) -> dict[str, str] | None:
    """LastUpdateStatus: how the last update went; nothing before the first one."""
    if "updated" not in record.hidden:
        return None
    return {"Status": "InProgress" if _updating(rooms, record) else "Successful"}


def _updating(rooms: Rooms, record: Record) -> bool:
    since = record.hidden.get("updated")
    return since is not None and bool(rooms.clock.now() < since + rooms.settings.settle_seconds)


def _check_role(rooms: Rooms, call: Call) -> None:
    if not call.params.get("RoleArn"):
        return
    try:
        rooms.roles(call.params["RoleArn"], call.scope)
    except Validation as refused:
        raise Validation(f"{BAD_ROLE} {refused.message}") from None


def _offline(params: Mapping[str, Any], scope: Scope, epoch: int) -> dict[str, Any]:
    """The offline store with the folder and the table that the service would make for it."""
    group, config = params["FeatureGroupName"], dict(making.plain(params["OfflineStoreConfig"]))
    where = config["S3StorageConfig"]["S3Uri"].rstrip("/")
    folder = f"{where}/{scope.account}/sagemaker/{scope.region}/offline-store/{group}-{epoch}/data"
    config["S3StorageConfig"] = {**config["S3StorageConfig"], "ResolvedOutputS3Uri": folder}
    if not config.get("DataCatalogConfig") and not config.get("DisableGlueTableCreation"):
        table = re.sub("-", "_", group.lower())
        config["DataCatalogConfig"] = {"TableName": f"{table}_{epoch}", "Catalog": CATALOG, "Database": DATABASE}
    return {"OfflineStoreConfig": config, "OfflineStoreStatus": {"Status": "Active"}}


def _online(current: Record, change: Mapping[str, Any]) -> dict[str, Any]:
    config = dict(current.body.get("OnlineStoreConfig") or {})
    if not config.get("EnableOnlineStore"):
        raise Validation(f"Validation Error: FeatureGroup {current.key} has no OnlineStore.")
    wanted, tier = change.get("StorageType"), config.get("StorageType", "Standard")
    if wanted and wanted != tier:
        if (tier, wanted) != ("Standard", "Standard_V2"):
            raise Validation(f"Validation Error: StorageType cannot change from {tier} to {wanted}.")
        config["StorageType"] = wanted
    if "TtlDuration" in change:
        told = {name: value for name, value in (change["TtlDuration"] or {}).items() if value is not None}
        if len(told) == 1:
            raise Validation("Validation Error: TtlDuration needs both Unit and Value, or neither to remove it.")
        config = {name: value for name, value in config.items() if name != "TtlDuration"}
        config |= {"TtlDuration": told} if told else {}
    return config


def _throughput(body: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Units of a mode are kept while it stays; on demand there are none."""
    throughput = {**(body.get("ThroughputConfig") or {}), **change}
    check_throughput(throughput, body.get("OnlineStoreConfig") or {})
    if throughput.get("ThroughputMode") == "OnDemand":
        return {"ThroughputMode": "OnDemand"}
    return throughput
