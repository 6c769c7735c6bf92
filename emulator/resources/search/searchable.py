"""What can be searched: each resource with its kind, its member of SearchRecord, and what names of properties mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from emulator import spec
from emulator.errors import Validation
from emulator.kinds.facts import Facts
from emulator.resources.search.expression import Names
from emulator.resources.search.properties import Property, elements, resolve

if TYPE_CHECKING:
    from botocore.model import Shape

NOUNS = {"ExperimentTrial": "Trial", "ExperimentTrialComponent": "TrialComponent"}
"""Resources that are called otherwise than their kind and their member of SearchRecord."""

ALIASES: Mapping[tuple[str, str], str] = {
    ("TrainingJob", "metrics"): "FinalMetricDataList",
    ("FeatureGroup", "alltags"): "Tags",
    ("FeatureMetadata", "allparameters"): "Parameters",
}
"""(noun, first part of a name, in small letters): the member that is meant (API_Filter; "Find feature groups", "Find
features in your feature groups" in the developer guide)."""

WRAPPED = {"Model": "Model"}
"""Members of SearchRecord that have the record in a member: a model, beside what the dashboard knows of it."""

FREE: Mapping[str, frozenset[str]] = {
    "Experiment": frozenset({"DisplayName", "ExperimentName", "Tags"}),
    "Trial": frozenset({"DisplayName", "TrialName", "Tags"}),
    "TrialComponent": frozenset({"DisplayName", "TrialComponentName", "Tags", "InputArtifacts", "OutputArtifacts"}),
}
"""What Contains may ask about more than once (API_Filter)."""

TIMES = {"CreationTime": "created", "LastModifiedTime": "modified"}


@dataclass(frozen=True)
class Searchable:
    """One resource, as the model has it."""

    resource: str

    @cached_property
    def noun(self) -> str:
        """Its kind."""
        return NOUNS.get(self.resource, self.resource)

    @cached_property
    def shape(self) -> Shape:
        """The shape of its results. Images have none in SearchRecord: they are searched by what Describe answers."""
        model = spec.load("sagemaker")
        records = model.shape_for("SearchRecord").members
        if self.noun in records:
            return records[self.noun]
        output: Shape = model.operation_model(f"Describe{self.noun}").output_shape
        return output

    @cached_property
    def shown(self) -> bool:
        """Whether SearchRecord has a member for it."""
        return self.noun in spec.load("sagemaker").shape_for("SearchRecord").members

    @cached_property
    def names(self) -> Names:
        """How names are understood."""
        return Names(self.property, self._elements, FREE.get(self.noun, frozenset()))

    def property(self, name: str) -> Property:
        """The property of a name."""
        try:
            return resolve(self.shape, self._meant(name))
        except Validation:
            raise Validation(f"Unknown property name: {name}") from None

    def _elements(self, name: str) -> tuple[Property, Any]:
        within, element = elements(self.shape, self._meant(name))
        return within, lambda inner: resolve(element, inner)

    def _meant(self, name: str) -> str:
        head, dot, rest = name.partition(".")
        known = {member.lower() for member in self.shape.members}
        if self.noun in WRAPPED and head.lower() not in known:
            return f"{WRAPPED[self.noun]}.{name}"
        return f"{ALIASES.get((self.noun, head.lower()), head)}{dot}{rest}"

    def native(self, found: Property, facts: Facts) -> str:
        """The column of the records that has the values of a property, or ""."""
        name = found.name.removeprefix(f"{WRAPPED[self.noun]}." if self.noun in WRAPPED else "")
        if facts.key == (name,) and not facts.minted and facts.kind.versions is None:
            return "key"
        return "status" if name == facts.status_member else TIMES.get(name, "")

    def wrap(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """A record's members as the member of SearchRecord has them."""
        inner = WRAPPED.get(self.noun)
        return {inner: body} if inner else dict(body)

    def unwrap(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The record's members again."""
        inner: Mapping[str, Any] = body[WRAPPED[self.noun]] if self.noun in WRAPPED else body
        return inner

    def shows(self, member: str) -> bool:
        """Whether the results have this member of a record."""
        inner = WRAPPED.get(self.noun)
        return member in (self.shape.members[inner] if inner else self.shape).members


@cache
def searchable(resource: str) -> Searchable:
    """What is known of a resource."""
    return Searchable(resource)
