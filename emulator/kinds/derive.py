"""Reads from the service model what a kind need not declare: operations, key, ARN, status, echo, errors.

`derive(kind)` is made once per kind, when the kind is first used: start-up pays for none of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from emulator import spec
from emulator.kinds.kind import Kind, Missing, Occupied, Taken, Unready

if TYPE_CHECKING:
    from botocore.model import OperationModel, Shape

CREATED = ("CreationTime", "CreatedAt", "CreateDate", "CreatedTime", "RegistrationTime")
MODIFIED = ("LastModifiedTime", "LastModifiedAt", "LastUpdatedAt", "LastUpdatedTime", "LastUpdatedDate", "UpdatedAt")
SETTLED = (
    "InService",
    "Completed",
    "Active",
    "Created",
    "CREATED",
    "ACTIVE",
    "Available",
    "CreateCompleted",
    "Scheduled",
)
"""Words for "ready", in the order in which they are looked for in a status's enumeration."""

_ARN_SEGMENT = re.compile(r"(?:\[0-9\]\{12\}|\\d\{12\}|aws\)):([a-z][a-z\-]*[a-z])\\?/")


@cache
def operation_names(service: str) -> frozenset[str]:
    """All operations of a service."""
    return frozenset(spec.load(service).operation_names)


def plurals(noun: str) -> Iterator[str]:
    """How a list operation may spell the plural."""
    yield f"{noun}s"
    yield f"{noun[:-1]}ies"
    yield f"{noun}es"


def operation(kind: Kind, verb: str) -> str:
    """The name of a kind's operation, or "": `operation(TRAINING_JOB, "List")` is `ListTrainingJobs`."""
    known = operation_names(kind.service)
    names = (f"List{plural}" for plural in plurals(kind.noun)) if verb == "List" else (f"{verb}{kind.noun}",)
    return next((name for name in names if name in known), "")


def list_member(service: str, name: str) -> str:
    """The output member of a list call that holds the list."""
    shape = spec.load(service).operation_model(name).output_shape
    return next((member for member, inner in shape.members.items() if inner.type_name == "list"), "") if shape else ""


def words(noun: str) -> str:
    """A noun as the service writes it in messages: EndpointConfig -> endpoint config."""
    return " ".join(re.findall(r"AutoML|AI|[A-Z]+(?![a-z])|[A-Z][a-z0-9]*", noun)).lower()


@cache
def derive(kind_noun: str, service: str = "sagemaker") -> Derived:
    """What the model says about a noun."""
    return Derived(kind_noun, service)


@dataclass(frozen=True)
class Derived:
    """What the model says about a noun. Each fact is read when it is first asked for."""

    noun: str
    service: str

    # cached_property writes to __dict__, which a frozen dataclass permits.

    @cache  # noqa: B019 - there are as many as nouns, and they live as long as the process
    def model(self, verb: str) -> OperationModel | None:
        """The model of an operation of this noun; copies of a record are described by the operation of that one."""
        name = operation(Kind(self.noun, service=self.service), verb)
        if not name and verb == "Describe":
            name = operation(Kind(self.noun.removesuffix("Version"), service=self.service), verb)
        return spec.load(self.service).operation_model(name) if name else None

    def inputs(self, verb: str) -> Mapping[str, Shape]:
        """The input members of an operation; empty when there is none."""
        model = self.model(verb)
        return model.input_shape.members if model and model.input_shape else {}

    def outputs(self, verb: str) -> Mapping[str, Shape]:
        """The output members of an operation; empty when there is none."""
        model = self.model(verb)
        return model.output_shape.members if model and model.output_shape else {}

    @cached_property
    def wrapper(self) -> str:
        """The one structure in which Describe answers everything (`Workteam`), or ""."""
        outputs = self.outputs("Describe")
        return self.noun if self.noun in outputs and outputs[self.noun].type_name == "structure" else ""

    @cached_property
    def answered(self) -> Mapping[str, Shape]:
        """The members of the Describe answer."""
        outputs = self.outputs("Describe")
        members: Mapping[str, Shape] = outputs[self.wrapper].members if self.wrapper else outputs
        return members

    @cached_property
    def always(self) -> frozenset[str]:
        """The members that the model says are in every Describe answer."""
        model = self.model("Describe")
        shape = model.output_shape if model else None
        whole = shape.members[self.wrapper] if shape and self.wrapper else shape
        return frozenset(whole.required_members) if whole else frozenset()

    @cached_property
    def key(self) -> tuple[str, ...]:
        """Describe's required members name a record."""
        model = self.model("Describe")
        return tuple(model.input_shape.required_members) if model and model.input_shape else ()

    @cached_property
    def _stem(self) -> str:
        return re.sub("Name$", "", self.key[-1]) if self.key else self.noun

    def _first(self, *names: str) -> str:
        return next((name for name in names if name in self.answered), "")

    @cached_property
    def arn_member(self) -> str:
        """The member of Describe that holds the record's own ARN."""
        return self._first(f"{self.noun}Arn", f"{self._stem}Arn", "Arn")

    @cached_property
    def arn(self) -> str:
        """The resource part of the ARN, as a template: `training-job/{key}`."""
        shape = self.answered.get(self.arn_member)
        found = _ARN_SEGMENT.search(str(shape.metadata.get("pattern", ""))) if shape is not None else None
        segment = found.group(1) if found else words(self.noun.replace("V2", "")).replace(" ", "-")
        return f"{segment}/{{key}}"

    @cached_property
    def created_member(self) -> str:
        """The member of Describe that tells when the record was made."""
        return self._first(*CREATED)

    @cached_property
    def modified_member(self) -> str:
        """The member of Describe that tells when the record was last changed."""
        return self._first(*MODIFIED)

    @cached_property
    def status_member(self) -> str:
        """The member of Describe that holds the status word, or ""."""
        name = self._first(f"{self.noun}Status", f"{self._stem}Status", "Status")
        return name if name and getattr(self.answered[name], "enum", None) else ""

    @cached_property
    def settled(self) -> str:
        """The status of a record whose creation needs no work; "" where Create gives it, or there is none."""
        if not self.status_member or self.status_member in self.inputs("Create"):
            return ""
        enum = self.answered[self.status_member].enum
        return next((word for word in SETTLED if word in enum), "")

    def errors(self, verb: str) -> set[str]:
        """The names of the errors that the model gives an operation."""
        model = self.model(verb)
        return {shape.name for shape in model.error_shapes} if model else set()

    @cached_property
    def missing(self) -> Missing:
        """Where Describe models `ResourceNotFound` that is it; else the older ValidationException."""
        if "ResourceNotFound" in self.errors("Describe"):
            return Missing("ResourceNotFound", "{kind} '{arn}' does not exist.")
        return Missing("ValidationException", f'Could not find {words(self.noun)} "{{arn}}".')

    @cached_property
    def taken(self) -> Taken:
        """Where Create models `ResourceInUse` that is it; else the older ValidationException."""
        errors = self.errors("Create")
        for code in ("ResourceInUse", "ConflictException"):
            if code in errors:
                return Taken(code, "{kind} '{arn}' already exists.")
        return Taken("ValidationException", f'Cannot create already existing {words(self.noun)} "{{arn}}".')

    @cached_property
    def occupied(self) -> Occupied:
        """The error for deleting what others hang on, with the code that the model gives Delete."""
        return Occupied(
            self.conflict("Delete"), "Unable to delete {kind} [{arn}] because {others}(s) are associated with it."
        )

    def unready(self, verb: str) -> Unready:
        """The error for a verb that the status forbids, with the code that the model gives the verb."""
        return Unready(self.conflict(verb), "Unable to {verb} {kind} [{arn}] because its status is {status}.")

    def conflict(self, verb: str) -> str:
        """The code for a verb that what is there stands against, by the errors that the model gives it."""
        errors = self.errors(verb)
        return next((code for code in ("ResourceInUse", "ConflictException") if code in errors), "ValidationException")

    def path(self, member: str) -> tuple[str, ...]:
        """Where Describe has what a summary or filter names: as it is, without or with the noun, or one or two deep."""
        for name in (member, member.removeprefix(self.noun), f"{self.noun}{member}"):
            if name in self.answered:
                return (name,)
        return next(_deep(self.answered, member, 2), ())


def _deep(members: Mapping[str, Shape], wanted: str, depth: int) -> Iterator[tuple[str, ...]]:
    for name, shape in members.items():
        if shape.type_name == "structure":
            if wanted in shape.members:
                yield (name, wanted)
            elif depth > 1:
                yield from ((name, *rest) for rest in _deep(shape.members, wanted, depth - 1))


def fit(shape: Shape, value: Any) -> Any:
    """What of a request's value the answer's shape knows: members of another life (secrets, templates) stay behind."""
    if shape.type_name == "structure" and isinstance(value, Mapping):
        members = shape.members
        return {name: fit(members[name], item) for name, item in value.items() if name in members}
    if shape.type_name == "list" and isinstance(value, (list, tuple)):
        return [fit(shape.member, item) for item in value]
    if shape.type_name == "map" and isinstance(value, Mapping):
        return {name: fit(shape.value, item) for name, item in value.items()}
    if shape.type_name == "timestamp" and hasattr(value, "timestamp"):
        return value.timestamp()
    return value
