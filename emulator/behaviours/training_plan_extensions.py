"""Extensions of training plans: what is offered to follow on a plan, and the plan after it was taken."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from emulator.behaviours import training_plans
from emulator.behaviours.rooms import Rooms
from emulator.behaviours.training_plans import CAPACITY, DAY, HOUR, KIND, LONGEST, by_time, now_of, status_at
from emulator.call import Answer, Call
from emulator.errors import NotFound, Validation
from emulator.kinds.kind import DESC
from emulator.resources import parts
from emulator.resources.parts import Part
from emulator.store.records import Record

EXTENSION = re.compile(r"tpeo-(.+)-(\d+)-(\d+)h")


def search(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_SearchTrainingPlanOfferings.html."""
    if not call.params.get("TrainingPlanArn"):
        return training_plans.search_offerings(rooms, call)
    return {"TrainingPlanOfferings": [], "TrainingPlanExtensionOfferings": _offered(rooms, call)}


def _offered(rooms: Rooms, call: Call) -> list[dict[str, Any]]:
    plan = rooms.resources.get(KIND, call.scope, call.params["TrainingPlanArn"])
    now = status_at(plan, rooms.clock.now())
    if now not in ("Active", "Scheduled"):
        raise Validation(f"Training plan {plan.arn} is {now}. Only Active and Scheduled plans can be extended.")
    hours = -(-int(call.params.get("DurationHours") or DAY) // DAY) * DAY
    start = plan.body["EndTime"]
    span = {"StartDate": start, "EndDate": start + hours * HOUR, "DurationHours": hours}
    name = f"tpeo-{plan.key}-{round(start * 1000)}-{hours}h"
    return [{"TrainingPlanExtensionOfferingId": name, **span}] if hours <= LONGEST else []


def extend_training_plan(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ExtendTrainingPlan.html."""
    wanted, now = call.params["TrainingPlanExtensionOfferingId"], now_of(rooms)
    found = EXTENSION.fullmatch(wanted)
    plan = rooms.resources.find(KIND, call.scope, found.group(1)) if found else None
    if found is None or plan is None:
        raise NotFound(f"Could not find training plan extension offering '{wanted}'.")
    hours = int(found.group(3))

    def edit(current: Record) -> Record:
        end = current.body["EndTime"]
        if round(end * 1000) != int(found.group(2)) or status_at(current, now) not in ("Active", "Scheduled"):
            raise NotFound(f"Training plan extension offering '{wanted}' is no longer there. Search again.")
        span = {"StartDate": end, "EndDate": end + hours * HOUR, "DurationHours": hours}
        extension = {"TrainingPlanExtensionOfferingId": wanted, "ExtendedAt": now, **span}
        hidden = {**current.hidden, "extensions": [*current.hidden.get("extensions", ()), extension]}
        longer = _longer(current.body, hours)
        summaries = [_longer(summary, hours) for summary in current.body["ReservedCapacitySummaries"]]
        return replace(current, body={**longer, "ReservedCapacitySummaries": summaries}, hidden=hidden)

    plan = rooms.resources.change(KIND, call.scope, plan.key, edit)
    for summary in plan.body["ReservedCapacitySummaries"]:
        arn = summary["ReservedCapacityArn"]
        rooms.resources.change(
            CAPACITY, call.scope, arn, lambda current: replace(current, body=_longer(current.body, hours))
        )
    return {"TrainingPlanExtensions": _history(plan, now)}


def extension_history(rooms: Rooms, call: Call) -> Answer:
    """https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeTrainingPlanExtensionHistory.html."""
    plan = rooms.resources.get(KIND, call.scope, call.params["TrainingPlanArn"])
    found = [
        Part(told["ExtendedAt"], f"{number:08}", told) for number, told in enumerate(_history(plan, now_of(rooms)))
    ]
    return parts.page(call, found, "TrainingPlanExtensions", DESC)


def _history(plan: Record, now: float) -> list[dict[str, Any]]:
    return [
        {**extension, "Status": by_time(extension["StartDate"], extension["EndDate"], now)}
        for extension in plan.hidden.get("extensions", ())
    ]


def _longer(body: Mapping[str, Any], hours: int) -> dict[str, Any]:
    end, whole = body["EndTime"] + hours * HOUR, body["DurationHours"] + hours
    return {**body, "EndTime": end, "DurationHours": whole}
