"""Monitoring schedules and their alerts, as records: what they watch must exist. Nothing executes a schedule yet."""

from __future__ import annotations

import copy
import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from emulator.behaviours.references import must_exist
from emulator.behaviours.rooms import Rooms
from emulator.call import Answer, Call
from emulator.errors import NotFound, Validation
from emulator.resources import making, tokens
from emulator.resources.parts import Part, page
from emulator.store.records import Record, Transaction

SCHEDULE = "MonitoringSchedule"
ENGINE_TAG = "sagelet:engine"
NO_ENGINE = "none"

ALERTS = 100
"""Alerts of a page."""
WHEN = re.compile(r"NOW|cron\(0 (\*|([01]?\d|2[0-3])(/(0?[1-9]|1\d|2[0-4]))?) \? \* \* \*\)")

log = logging.getLogger(__name__)


def create_monitoring_schedule(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateMonitoringSchedule.html."""
    extra = _watched(rooms, call)
    record = rooms.resources.create(SCHEDULE, call, extra=extra)
    rooms.resources.tag(record.arn, {ENGINE_TAG: NO_ENGINE})
    log.warning(
        "The monitoring schedule %s is kept, but nothing here executes it yet (tag %s).", record.key, ENGINE_TAG
    )
    return rooms.resources.answer("Create", record)


def update_monitoring_schedule(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateMonitoringSchedule.html."""
    there = rooms.resources.get(SCHEDULE, call.scope, call.params["MonitoringScheduleName"])
    facts, extra = rooms.resources.facts(SCHEDULE), _watched(rooms, call)

    def edit(current: Record) -> Record:
        edited = making.edited(facts, current, call)
        kept = {name: value for name, value in edited.body.items() if name not in ("EndpointName", "MonitoringType")}
        body = copy.deepcopy({**kept, **extra})
        making.fill(body, facts.kind.defaults)
        return replace(edited, body=body)

    verb = "Edit" if there.status == "Stopped" else "Update"
    record = rooms.resources.move(SCHEDULE, call.scope, there.key, verb, edit)
    return rooms.resources.answer("Update", record)


def list_monitoring_alerts(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListMonitoringAlerts.html."""
    record = rooms.resources.get(SCHEDULE, call.scope, call.params["MonitoringScheduleName"])
    alert = _alert(record)
    parts = [Part(alert["CreationTime"], alert["MonitoringAlertName"], alert)]
    return page(call, parts, "MonitoringAlertSummaries", "Descending", ALERTS)


def update_monitoring_alert(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateMonitoringAlert.html."""
    there = rooms.resources.get(SCHEDULE, call.scope, call.params["MonitoringScheduleName"])
    _check_alert(there, call.params["MonitoringAlertName"])
    now = round(rooms.clock.now(), 3)
    wanted = {name: call.params[name] for name in ("DatapointsToAlert", "EvaluationPeriod")}
    if wanted["DatapointsToAlert"] > wanted["EvaluationPeriod"]:
        raise Validation("DatapointsToAlert must not be greater than EvaluationPeriod.")

    def keep(transaction: Transaction) -> None:
        current = transaction.get(SCHEDULE, call.scope, there.key)
        if current is not None:
            alert = {**wanted, "LastModifiedTime": now}
            transaction.replace(replace(current, hidden={**current.hidden, "alert": alert}))

    rooms.resources.together(keep)
    return {"MonitoringScheduleArn": there.arn, "MonitoringAlertName": call.params["MonitoringAlertName"]}


def list_alert_history(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListMonitoringAlertHistory.html."""
    name, alert = call.params.get("MonitoringScheduleName"), call.params.get("MonitoringAlertName")
    if name:
        record = rooms.resources.get(SCHEDULE, call.scope, name)
        if alert:
            _check_alert(record, alert)
    if call.params.get("NextToken"):
        raise Validation(tokens.INVALID)
    return {"MonitoringAlertHistory": []}


# --- what a schedule watches ----------------------------------------------------------------------------------------


def _watched(rooms: Rooms, call: Call) -> Mapping[str, Any]:
    """What Describe says of the thing that is watched, after every check."""
    config = call.params["MonitoringScheduleConfig"]
    _check_when(config.get("ScheduleConfig") or {})
    inline, name = config.get("MonitoringJobDefinition"), config.get("MonitoringJobDefinitionName")
    if bool(inline) == bool(name):
        raise Validation("Specify either MonitoringJobDefinition or MonitoringJobDefinitionName, and not both.")
    kind = config.get("MonitoringType") or ("" if name else "DataQuality")
    if not kind:
        raise Validation("MonitoringType is needed together with MonitoringJobDefinitionName.")
    definition = inline or _definition(rooms, call, kind, name)
    rooms.roles(definition["RoleArn"], call.scope)
    endpoint = next(_endpoints(definition), "")
    if endpoint:
        must_exist(rooms, "Endpoint", call.scope, endpoint)
    return {"MonitoringType": kind, **({"EndpointName": endpoint} if endpoint else {})}


def _check_when(schedule: Mapping[str, Any]) -> None:
    when = schedule.get("ScheduleExpression")
    if when is not None and not WHEN.fullmatch(when):
        raise Validation(
            f"Invalid ScheduleExpression: {when}. It must be NOW, cron(0 * ? * * *), cron(0 [00-23] ? * * *) or "
            "cron(0 [00-23]/[01-24] ? * * *)."
        )
    if when == "NOW" and not (schedule.get("DataAnalysisStartTime") and schedule.get("DataAnalysisEndTime")):
        raise Validation("DataAnalysisStartTime and DataAnalysisEndTime are needed when ScheduleExpression is NOW.")


def _definition(rooms: Rooms, call: Call, kind: str, name: str) -> Mapping[str, Any]:
    definition = f"{kind}JobDefinition"
    if call.operation.startswith("Update"):
        return rooms.resources.get(definition, call.scope, name).body
    return must_exist(rooms, definition, call.scope, name).body


def _endpoints(definition: Mapping[str, Any]) -> Iterator[str]:
    """The endpoints in the inputs of a definition: several of an inline one, one of a named one."""
    inputs = [value for name, value in definition.items() if name.endswith("JobInput")]
    for source in (*inputs, *definition.get("MonitoringInputs", ())):
        if "EndpointInput" in source:
            yield source["EndpointInput"]["EndpointName"]


# --- alerts ---------------------------------------------------------------------------------------------------------


def _alert(record: Record) -> dict[str, Any]:
    """The one alert of a schedule. No execution has failed, so it is not raised."""
    made = record.body["CreationTime"]
    own = {"LastModifiedTime": made, "DatapointsToAlert": 1, "EvaluationPeriod": 1, **record.hidden.get("alert", {})}
    return {
        "MonitoringAlertName": record.key,
        "CreationTime": made,
        "AlertStatus": "OK",
        "Actions": {"ModelDashboardIndicator": {"Enabled": True}},
        **own,
    }


def _check_alert(record: Record, name: str) -> None:
    if name != record.key:
        raise NotFound(f"Monitoring alert {name} of '{record.arn}' does not exist.")
