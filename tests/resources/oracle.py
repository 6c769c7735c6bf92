"""What every list call has to answer, from the Describe answers of all records.

What a parameter means is written down here once more, by hand: a kind whose parameters or summaries are not called like
what they are about gets a row in one of the tables.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from emulator.kinds.derive import fit
from tests.resources.population import Known, Population

PAGING = ("MaxResults", "NextToken", "SortBy", "SortOrder")
TESTS = r"(?P<subject>\w+?)(?P<test>Equals|Contains|Prefix|After|Before)?"

CREATED = ("CreationTime", "Created", "CreateDate", "CREATION_TIME")
MODIFIED = ("LastModifiedTime", "ModifiedTime", "LastUpdatedDate", "LAST_MODIFIED_TIME")
NAMES = ("Name", "NAME", "IMAGE_NAME")
STATUSES = ("Status", "HubStatus")

ELSEWHERE = {
    "TrainingPlanArn": "ResourceConfig.TrainingPlanArn",
    "WarmPoolStatus": "WarmPoolStatus.Status",
    "OfflineStoreStatus": "OfflineStoreStatus.Status",
    "SourceUri": "Source.SourceUri",
    "SourceArn": "Source.SourceArn",
    "AdditionalCodeRepository": "AdditionalCodeRepositories",
    "DefaultForDomainId": "DefaultDomainIdList",
    "AppType": "StudioLifecycleConfigAppType",
    "MonitoringJobDefinitionName": "MonitoringScheduleConfig.MonitoringJobDefinitionName",
    "DomainId": "DomainId",
    "UserProfileName": "UserProfileName",
    "SpaceName": "SpaceName",
    "NotebookInstanceLifecycleConfigName": "NotebookInstanceLifecycleConfigName",
}
"""What a filter is about that Describe has in another place, or that is about something else than the record's name."""

SHOWN = {
    "Experiment": {"ExperimentSource": "Source"},
    "Trial": {"TrialSource": "Source"},
    "TrialComponent": {"TrialComponentSource": "Source"},
    "TrainingJob": {"TrainingPlanArn": "ResourceConfig.TrainingPlanArn"},
    "MonitoringSchedule": {"MonitoringJobDefinitionName": "MonitoringScheduleConfig.MonitoringJobDefinitionName"},
    "Space": {
        "SpaceSettingsSummary": "SpaceSettings",
        "SpaceSharingSettingsSummary": "SpaceSharingSettings",
        "OwnershipSettingsSummary": "OwnershipSettings",
    },
    **{
        f"{sort}JobDefinition": {
            "MonitoringJobDefinitionName": "JobDefinitionName",
            "MonitoringJobDefinitionArn": "JobDefinitionArn",
            "EndpointName": f"{sort}JobInput.EndpointInput.EndpointName",
        }
        for sort in ("DataQuality", "ModelQuality", "ModelBias", "ModelExplainability")
    },
}
"""Members of a summary that Describe has under another name."""

ANOTHER_TEST = {
    ("Trial", "TrialComponentName"): "associations",
    ("TrialComponent", "ExperimentName"): "associations",
    ("TrialComponent", "TrialName"): "associations",
    ("Pipeline", "ManagedBy"): "the same for all records",
    ("ModelPackageGroup", "CrossAccountFilterOption"): "the same for all records",
    ("Hub", "AccountIdOwner"): "of others' accounts",
    ("Cluster", "TrainingPlanArn"): "the plans of its groups",
    ("FeatureGroup", "OfflineStoreStatus"): "not every group has an offline store",
}
"""Parameters, and orders, that no member of Describe tells about."""


def at(value: Any, path: str) -> Any:
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def first(described: Mapping[str, Any], *names: str) -> Any:
    return next((described[name] for name in names if name in described), None)


class Oracle:
    """What a list call of a kind has to answer, from the Describe answers of all records."""

    def __init__(self, population: Population) -> None:
        self.facts, self.known = population.facts, population.known
        self.noun, self.inputs = self.facts.kind.noun, self.facts.derived.inputs("List")
        self.answer = self.facts.lister.answer
        self.summary_shape = self.facts.derived.outputs("List")[self.answer].member
        self.always = {name: population.above(name) for name in self.inputs if name in self._required()}
        """What every request must give: the name of what the records hang on."""

    def _required(self) -> list[str]:
        model = self.facts.derived.model("List")
        return list(model.input_shape.required_members) if model and model.input_shape else []

    @property
    def filters(self) -> list[str]:
        special = (*PAGING, *self.always)
        return [name for name in self.inputs if name not in special and (self.noun, name) not in ANOTHER_TEST]

    @property
    def sorts(self) -> list[str]:
        shape = self.inputs.get("SortBy")
        return [value for value in (shape.enum if shape else ()) if (self.noun, value) not in ANOTHER_TEST]

    def value(self, known: Known, subject: str) -> Any:
        """What a record says to a parameter or an order."""
        described, name = known.described, self.facts.key[-1]
        if subject in CREATED:
            return first(described, "CreationTime", "CreateDate", "CreatedAt")
        if subject in MODIFIED:
            return first(described, "LastModifiedTime", "LastUpdatedDate", "LastModifiedAt") or known.record.modified
        if subject in ("EndpointName",) and self.noun.endswith("Definition"):
            return at(described, SHOWN[self.noun]["EndpointName"])
        if subject in ELSEWHERE:
            return at(described, ELSEWHERE[subject])
        if subject in (*NAMES, f"{self.noun}Name", name):
            return first(described, "Name", f"{self.noun}Name", name)
        if subject in (*STATUSES, f"{self.noun}Status"):
            return first(described, f"{self.noun}Status", "TrackingServerStatus", "Status")
        return described.get(subject)

    def fits(self, known: Known, member: str, wanted: Any) -> bool:
        found = re.fullmatch(TESTS, member)
        assert found
        value, test = self.value(known, found["subject"]), found["test"] or "Equals"
        wanted = wanted.timestamp() if isinstance(wanted, datetime) else wanted
        if value is None:
            return False
        answers = {
            "Equals": lambda: value == wanted or (isinstance(value, list) and wanted in value),
            "Contains": lambda: wanted in value,
            "Prefix": lambda: value.startswith(wanted),
            "After": lambda: value > wanted,
            "Before": lambda: value < wanted,
        }
        return bool(answers[test]())

    def choices(self, member: str) -> list[Any]:
        """Values of a parameter: such as records have, and such as none has."""
        found, shape = re.fullmatch(TESTS, member), self.inputs[member]
        assert found
        if getattr(shape, "enum", None):
            return list(shape.enum)
        values = [self.value(known, found["subject"]) for known in self.known]
        values = [inner for value in values for inner in (value if isinstance(value, list) else [value])]
        values = sorted({value for value in values if value is not None})
        assert len(values) > 1, f"{member}: the records do not differ"
        if shape.type_name == "timestamp":
            around = [*values, values[0] - 1, values[-1] + 1, values[0] + 0.5]
            return [datetime.fromtimestamp(value, timezone.utc) for value in around]
        if found["test"] in ("Contains", "Prefix"):
            return [*values, *(value[:4] for value in values), *(value[1:5] for value in values), "ed", "zzz"]
        return [*values] if member in self.facts.kind.refers else [*values, "zzz"]

    def summary(self, known: Known) -> dict[str, Any]:
        """A record as its list should show it."""
        names = SHOWN.get(self.noun, {})
        described = {"LastModifiedTime": known.record.modified, **known.described}
        found = {name: at(described, names.get(name, name)) for name in self.summary_shape.members}
        return dict(fit(self.summary_shape, {name: value for name, value in found.items() if value is not None}))

    def expected(self, params: Mapping[str, Any]) -> list[dict[str, Any]]:
        default, direction = self.facts.kind.listing.sort
        by = params.get("SortBy") or default
        descending = (params.get("SortOrder") or direction).lower() == "descending"
        wanted = {name: value for name, value in {**self.always, **params}.items() if name not in PAGING}
        found = [known for known in self.known if all(self.fits(known, *item) for item in wanted.items())]
        found.sort(key=lambda known: (self.value(known, by), known.record.key), reverse=descending)
        return [self.summary(known) for known in found]
