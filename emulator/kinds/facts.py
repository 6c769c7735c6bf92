"""A kind as the house uses it: what its declaration says, and where it says nothing, what the model says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from emulator import ids
from emulator.kinds.derive import Derived, derive, operation
from emulator.kinds.kind import Kind, Missing, Move, Occupied, Taken, Unready
from emulator.kinds.listing import Lister, lister, parent_member
from emulator.kinds.moves import moves

TOKENS = ("ClientToken", "ClientRequestToken")
UNSEEN = ("Tags", *TOKENS)


@dataclass(frozen=True)
class Facts:
    """A kind and its derivation, merged. Made once per kind and house; each fact is read when first asked for."""

    kind: Kind

    @cached_property
    def derived(self) -> Derived:
        """What the model says."""
        return derive(self.kind.noun, self.kind.service)

    @cached_property
    def key(self) -> tuple[str, ...]:
        """The members that name a record."""
        key = self.kind.key or self.derived.key
        return (*key, self.kind.versions.number) if self.copied and self.kind.versions else key

    @cached_property
    def copied(self) -> bool:
        """Whether its records are copies, one for each number that another record has had."""
        return self.kind.versions is not None and not self.operation("Describe")

    @cached_property
    def numbers(self) -> tuple[str, str]:
        """The members by which requests name a version, by number and by alias; "" where there is none."""
        versions, asked = self.kind.versions, self.derived.inputs("Describe")
        if versions is None or versions.number not in asked:
            return "", ""
        return versions.number, versions.alias if versions.alias in asked else ""

    @cached_property
    def arn(self) -> str:
        """The template of the ARN's resource part."""
        return self.kind.arn or self.derived.arn

    @cached_property
    def status_member(self) -> str:
        """The member of Describe that holds the status word, or ""."""
        return (self.kind.lifecycle.member if self.kind.lifecycle else "") or self.derived.status_member

    @cached_property
    def first_status(self) -> str:
        """The status in which work on a new record begins, or in which one rests that there is no work for."""
        if self.kind.lifecycle:
            return self.kind.lifecycle.begin
        return self.moves["Create"].to if "Create" in self.moves else self.derived.settled

    @cached_property
    def moves(self) -> Mapping[str, Move]:
        """What each verb does to the status of a record that nobody works for; copies follow their original."""
        return {} if self.copied else moves(self.kind)

    @cached_property
    def rests(self) -> Mapping[str, str]:
        """The words in which a record is on its way, each with the one in which it comes to rest ("": it is gone)."""
        return {move.via: move.to for move in self.moves.values() if move.via}

    @cached_property
    def gives_way(self) -> tuple[str, ...]:
        """The words in which a record lets a new one of its name be made: what remains of it is a memory."""
        return self.moves["Create"].since if "Create" in self.moves else ()

    @cached_property
    def missing(self) -> Missing:
        """The error for an absent name."""
        return self.kind.missing or self.derived.missing

    @cached_property
    def taken(self) -> Taken:
        """The error for a name in use."""
        return self.kind.taken or self.derived.taken

    @cached_property
    def occupied(self) -> Occupied:
        """The error for deleting what others hang on."""
        return self.kind.occupied or self.derived.occupied

    def unready(self, verb: str) -> Unready:
        """The error for a verb that the status forbids."""
        return self.kind.unready or self.derived.unready(verb)

    @cached_property
    def parent(self) -> str:
        """The member by which records hang together, or ""."""
        return parent_member(self.kind)

    @cached_property
    def lister(self) -> Lister:
        """How the kind is listed."""
        return lister(self.kind)

    @cached_property
    def minted(self) -> bool:
        """Whether the house makes up the key: Create does not give it."""
        return len(self.key) == 1 and self.key[0] not in self.derived.inputs("Create")

    def operation(self, verb: str) -> str:
        """The name of an operation, or ""."""
        return operation(self.kind, verb)

    def values(self, params: Mapping[str, Any]) -> list[str]:
        """The values of the key members in a request; "" for what it does not give."""
        return [str(params.get(member) or "") for member in self.key]

    def unshown(self, params: Mapping[str, Any]) -> list[str]:
        """Members of a Create request that Describe has no place for: nobody would see what became of them."""
        return [name for name, value in params.items() if value not in (None, {}, []) and name not in self._shown]

    @cached_property
    def _shown(self) -> frozenset[str]:
        kind = self.kind
        return frozenset({*self.derived.answered, *self.key, *kind.refers, *kind.renamed, *kind.unshown, *UNSEEN})

    def resource(self, key: str) -> str:
        """The resource part of the ARN of a key."""
        parent, _, name = key.rpartition("/")
        short = ids.short_id() if "{short}" in self.arn else ""
        return self.arn.format(key=key, name=name, parent=parent, short=short)
