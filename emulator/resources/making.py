"""Makes and edits the body of a record from a request: what is echoed, filled in, merged, left out. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from emulator import arns, ids
from emulator.call import Call, Scope
from emulator.errors import NotBuilt
from emulator.kinds.derive import fit
from emulator.kinds.facts import TOKENS, UNSEEN, Facts
from emulator.resources import tokens
from emulator.store.records import Record

TO_REMOVE = "ToRemove"
TO_ADD = "ToAdd"

USERS = ("CreatedBy", "LastModifiedBy")
"""Who did it, where it was done in Studio; empty for everybody else, as the service answers it."""


@dataclass(frozen=True)
class Given:
    """What the caller of `create` adds to the request."""

    status: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Members of Describe beside the echoed ones."""
    hidden: Mapping[str, Any] = field(default_factory=dict)
    """What no client sees."""
    key: str = ""
    """The key of a kind whose key members the request does not give (versions: `group/3`)."""
    parent: str = ""
    """What the record hangs on, where the request does not give it as it is kept."""
    on: Sequence[Record] = ()
    """What it hangs on beside that, and beside what the request names as the kind says: it must not be about to go."""
    needs: Sequence[tuple[str, str]] = ()
    """Noun and key of what else the request names, deeper than the kind can say: it must be there."""
    version_of: str = ""
    """The key or ARN of what the record is the next version of."""
    aliases: tuple[str, ...] = ()
    """The aliases of such a version."""


def plain(value: Any) -> Any:
    """A request's value as JSON: times as seconds since the epoch."""
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def echo(facts: Facts, params: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a request that Describe answers. What is empty counts as not given, where it may be absent."""
    answered, always = facts.derived.answered, facts.derived.always
    renamed = {facts.kind.renamed.get(name, name): value for name, value in params.items()}
    known = {name: fit(answered[name], value) for name, value in renamed.items() if name in answered}
    bare = {name for name in always if renamed.get(name) in ({}, [])}
    there = {name: value for name, value in known.items() if value not in (None, {}, []) or name in bare}
    return {name: plain(value) for name, value in there.items() if name not in UNSEEN}


def key_of(facts: Facts, call: Call) -> str:
    """The key of a new record: from the request, or minted."""
    if facts.minted:
        token = token_of(call)
        seed = f"{call.scope} {call.operation} {token}" if token else ""
        short = ids.short_id(seed=seed)
        return facts.kind.mint.format(short=short, upper=short.upper(), hex=ids.hex_id(seed=seed))
    values = facts.values(call.params)
    for member, value in zip(facts.key, values, strict=True):
        if not value:
            raise NotBuilt(f"{call.operation} without {member} is not built. Give a {member}. Nothing was created.")
    return "/".join(values)


def new_record(facts: Facts, call: Call, now: float, given: Given) -> Record:
    """The record that a Create request makes."""
    key = given.key or key_of(facts, call)
    arn = arns.build(call.scope, facts.resource(key), facts.kind.service)
    status = facts.first_status if given.status is None else given.status
    body = echo(facts, call.params)
    if facts.minted and facts.key[0] in facts.derived.answered:
        body[facts.key[0]] = arn if facts.key[0].endswith("Arn") else key
    derived = facts.derived
    own = {derived.arn_member: arn, derived.created_member: now, derived.modified_member: now}
    if status:
        own[facts.status_member] = status
    body |= {name: value for name, value in own.items() if name}
    body |= {name: {} for name in USERS if name in derived.answered}
    body |= given.extra
    for member in facts.kind.named:
        body.setdefault(member, key.rsplit("/", 1)[-1])
    fill(body, facts.kind.defaults)
    return Record(
        kind=facts.kind.noun,
        scope=call.scope,
        key=key,
        arn=arn,
        body=body | following(facts, status),
        created=body.get(derived.created_member, now),
        modified=now,
        status=_word(body.get(facts.status_member, status)),
        parent=given.parent or _word(call.params.get(facts.parent, "")),
        hidden={**_kept(facts, call), **given.hidden},
        version=1,
    )


def token_of(call: Call) -> str:
    """The idempotency token of a request, or ""."""
    return next((str(call.params[name]) for name in TOKENS if call.params.get(name)), "")


def _kept(facts: Facts, call: Call) -> dict[str, Any]:
    """What of a request is remembered beside what Describe shows."""
    kept: dict[str, Any] = {}
    if unshown := {name: plain(call.params[name]) for name in facts.kind.unshown if name in call.params}:
        kept["unshown"] = unshown
    if given := asked(call):
        kept["token"], kept["asked"] = given
    return kept


def asked(call: Call) -> tuple[str, str] | None:
    """What a request has in common with itself when it is sent again: its token and a hash; None without token."""
    token = token_of(call)
    return (token, tokens.fingerprint(plain(call.params))) if token else None


def asked_again(record: Record, other: Record) -> bool:
    """Whether a new record comes from the same request, sent again, as the one that is there."""
    hidden = record.hidden
    return "token" in hidden and all(hidden[name] == other.hidden.get(name) for name in ("token", "asked"))


def in_status(facts: Facts, record: Record) -> Record:
    """A record whose body tells its status."""
    member, status = facts.status_member, record.status
    if not member or not status:
        return record
    return replace(record, body={**record.body, member: status, **following(facts, status)})


def following(facts: Facts, status: str) -> dict[str, str]:
    """The members whose values follow from a status."""
    return {member: values.get(status, values[""]) for member, values in facts.kind.follows.items()}


def _word(value: Any) -> str:
    return value if isinstance(value, str) else ""


def fill(body: dict[str, Any], defaults: Mapping[str, Any]) -> None:
    """Put defaults where the request gave nothing; see `Kind.defaults` for the meaning of dots."""
    for path, value in defaults.items():
        *way, last = path.split(".")
        for target in _targets(body, way):
            if isinstance(value, Mapping) and isinstance(target.get(last), dict):
                fill(target[last], value)
            elif last not in target:
                target[last] = dict(value) if isinstance(value, Mapping) else value


def _targets(body: dict[str, Any], way: list[str]) -> Iterator[dict[str, Any]]:
    if not way:
        yield body
        return
    head, rest = way[0], way[1:]
    inner = body.get(head.removesuffix("[]"))
    if head.endswith("[]") and isinstance(inner, list):
        for element in inner:
            if isinstance(element, dict):
                yield from _targets(element, rest)
    elif isinstance(inner, dict):
        yield from _targets(inner, rest)


def edited(facts: Facts, record: Record, call: Call) -> Record:
    """The record after an Update request; `NotBuilt` for members that Describe would not show."""
    body = dict(record.body)
    params = {name: value for name, value in call.params.items() if name not in (*facts.key, *UNSEEN)}
    known = {*facts.derived.answered, *facts.kind.renamed, *facts.kind.unshown}
    for name, value in params.items():
        if name == "DeleteProperties":
            body = {member: item for member, item in body.items() if member not in value}
        elif name.endswith(TO_ADD) and name.removesuffix(TO_ADD) in facts.derived.answered:
            target = name.removesuffix(TO_ADD)
            body[target] = [*(body.get(target) or []), *plain(value)]
        elif name.removesuffix(TO_REMOVE) not in known:
            raise NotBuilt(f"{call.operation} with {name} is not built. Nothing was changed.")
    for name, value in echo(facts, params).items():
        body[name] = {**(body.get(name) or {}), **value} if name in facts.kind.merges else value
    for name in (name.removesuffix(TO_REMOVE) for name in params if name.endswith(TO_REMOVE)):
        body[name] = {k: v for k, v in (body.get(name) or {}).items() if k not in params[name + TO_REMOVE]}
    return replace(record, body=body, status=_word(body.get(facts.status_member, record.status)))


def touched(facts: Facts, before: Record, after: Record, now: float) -> Record:
    """`after` with its times and with one truth about the status, whichever of the two places the edit wrote."""
    body = dict(after.body)
    status, member = after.status, facts.status_member
    if member and status != before.status:
        body |= {member: status, **following(facts, status)}
    elif member and isinstance(body.get(member), str):
        status = body[member]
    if facts.derived.modified_member:
        body[facts.derived.modified_member] = now
    return replace(after, body=body, status=status, modified=now)


def arn_in(scope: Scope, facts: Facts, key: str) -> str:
    """The ARN that a record of this key has, or would have."""
    return arns.build(scope, facts.resource(key), facts.kind.service)
