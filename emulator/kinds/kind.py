"""What a resource is, as data. A `Kind` declares only what cannot be derived from the service model.

Derivation (`emulator.kinds.derive`) reads the model for everything else: operations, key, ARN, which members are
echoed, filters and sort keys of the list call, members of its summaries. Values only: no lambdas here; what must be
computed names a function in `emulator.behaviours`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ASC = "Ascending"
DESC = "Descending"
PAGE = 10
"""Records of a page where neither the request nor the kind says (`docs/quirks.md`)."""


@dataclass(frozen=True)
class Fault:
    """An error as data. `{arn}`, `{name}`, `{parent}` (what is before the name in the key) and `{kind}` are filled in,
    and what the subclass names."""

    code: str
    message: str
    why: str = ""


class Missing(Fault):
    """The error for an absent name."""


class Taken(Fault):
    """The error for a name that exists already."""


class Occupied(Fault):
    """The error for deleting what others hang on; also fills in `{others}`, their noun."""


class Unready(Fault):
    """The error for a verb that the status forbids; also fills in `{verb}`, `{status}`, `{since}` and `{via}`."""


@dataclass(frozen=True)
class Move:
    """What a verb does to the status of a record: it passes `via` and comes to rest in `to` ("" of Delete: gone).

    `since`: the words in which the verb is allowed; empty allows it in every word in which a record rests. Those of
    Create are the words in which a record of the name gives way to a new one; empty: in none.
    """

    via: str = ""
    to: str = ""
    since: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lifecycle:
    """Status words of a kind, by role. `member` is the status member of Describe (derived when empty)."""

    begin: str
    settled: tuple[str, ...]
    failed: str = "Failed"
    stopping: str = ""
    stopped: str = ""
    member: str = ""


JOB = Lifecycle("InProgress", ("Completed", "Failed", "Stopped"), "Failed", "Stopping", "Stopped")
"""The life of training, processing and transform jobs: InProgress -> Completed | Failed | Stopped, via Stopping."""

ENDPOINT = Lifecycle("Creating", ("InService", "Failed"), "Failed")
"""The life of an endpoint; updates and deletes go through `Updating` and `Deleting`."""


@dataclass(frozen=True)
class Listing:
    """How the list call differs from what the model tells."""

    sort: tuple[str, str] = ("CreationTime", DESC)
    page: int = PAGE
    """Records of a page where the request does not say."""
    page_first: tuple[str, ...] = ()
    """Filters that the service applies after it has cut the page."""
    same: Mapping[str, str] = field(default_factory=dict)
    """Filters about what is the same for every record here: {"ManagedBy": "CUSTOMER"}. Any other value finds none."""
    summary: Mapping[str, str] = field(default_factory=dict)
    """Members of a summary, and parameters, with what they are in Describe: {"MonitoringJobDefinitionName":
    "JobDefinitionName"}, or with the way to it: {"ModelName": "Models[].ModelName"}. `listed.X` is what only the list
    call shows: it is kept in `hidden["listed"]`."""
    contains: tuple[str, ...] = ()
    """Parameters that need only occur in what they name: an absent name is no error."""
    why: str = ""


@dataclass(frozen=True)
class Versions:
    """How records are versions of another one: they hang on it, and their key is its key, `/`, and their number.

    Those that the model describes by an operation of the other one (DescribePipeline) are copies of it: it shows the
    latest, and one is kept for every number that it has had. All others are numbered by it, from 1 on, never twice.
    """

    of: str
    """The noun of the other one."""
    number: str
    """The member of Describe, and of requests, that tells the number."""
    alias: str = ""
    """The member of requests that names a version by an alias."""
    aliases: str = ""
    """The member of Describe that tells the aliases of a version."""
    none: str = ""
    """What is said of the latest version where there is none; filled in like an error."""


@dataclass(frozen=True)
class Kind:
    """A noun of the API. `noun` is the word in `Create<noun>`, `Describe<noun>`, `List<noun>s`."""

    noun: str
    lifecycle: Lifecycle | None = None
    recipe: str = ""
    """What `emulator.jobs` runs for it; empty for records."""
    moves: Mapping[str, Move] = field(default_factory=dict)
    """What Create, Update, Delete, Start and Stop do to the status of a record that nobody works for, where the words
    of the status do not tell (`kinds.moves`)."""
    follows: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Members of Describe whose value follows from the status ("" is any other one): {"IsActive": {"": "Inactive"}}."""
    missing: Missing | None = None
    taken: Taken | None = None
    occupied: Occupied | None = None
    unready: Unready | None = None
    listing: Listing = field(default_factory=Listing)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Members that Describe always answers though the request did not give them. A name with dots
    (`OutputDataConfig.KmsKeyId`; `InputDataConfig[].CompressionType` for every element) goes into a structure only
    where the request gave that one; a mapping as value makes its structure."""
    named: tuple[str, ...] = ()
    """Members of Describe that hold the record's name where the request gives none: ("DisplayName",)."""
    arn: str = ""
    """The ARN's resource part, `training-job/{key}`, where the model's regex does not give it. `{parent}` and `{name}`
    are what is before and behind the last `/` of the key, `{short}` is a twelve-letter id."""
    key: tuple[str, ...] = ()
    """Key members, where Describe's required members are not the key. Several are joined by `/`."""
    mint: str = "{short}"
    """The key of a kind whose Create does not give it: `{short}` is a twelve-letter id, `{upper}` one in capitals,
    `{hex}` 32 hex digits."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Members of Create and Update that Describe answers under another name: {"SecurityGroupIds": "SecurityGroups"}."""
    unshown: Mapping[str, str] = field(default_factory=dict)
    """Members of Create and Update that no Describe shows, and why leaving them at that is right. They are kept with
    the record; any other member that Describe has no place for is refused."""
    refers: Mapping[str, str] = field(default_factory=dict)
    """Members of Create and List that name a record of another kind, which must exist: {"DomainId": "Domain"}."""
    parent: str = ""
    """The member by which List finds its records through an index (derived: the first of several key members)."""
    bound: bool = False
    """Whether it is deleted together with what it hangs on, which it would otherwise keep from being deleted."""
    versions: Versions | None = None
    """What it is a version of."""
    linked: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Members of List that name (by `refers`) a record which links tie to those wanted: the relation, and at which end
    of it the named one is: {"TrialName": (IN_TRIAL, "destination")}."""
    tied: tuple[str, ...] = ()
    """Relations whose links keep a record from being deleted (`occupied`). Links of any other one end with it."""
    merges: tuple[str, ...] = ()
    """Maps that Update adds to, where it replaces others."""
    without: Mapping[str, str] = field(default_factory=dict)
    """Verbs that the generic life would get wrong, and why: {"Update": "it makes a new version"}. Refused."""
    refuses: Mapping[str, str] = field(default_factory=dict)
    """Operations beside the verbs whose effect nothing here brings about, and why."""
    caseless: bool = False
    """Whether names that differ only in case are one name."""
    empty: Mapping[str, str] = field(default_factory=dict)
    """List calls of what would hang on a record and nothing here makes, each with the member that names the record, or
    "": {"ListCandidatesForAutoMLJob": "AutoMLJobName"}."""
    service: str = "sagemaker"
    work: bool = False
    """True for nouns whose creation means work (tuning, pipelines...): refused until an engine exists for it."""
    why: str = ""

    @property
    def folded(self) -> bool:
        """Whether names that differ only in case collide: jobs, since their ARNs were once lower-cased."""
        return self.caseless or self.noun.endswith("Job")
