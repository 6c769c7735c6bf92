"""The variables that point a program at the local server instead of AWS."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sagelet.proxied import Proxy

ACCOUNT = "123456789012"

HOOK = Path(__file__).resolve().parent / "hook"
"""What Python and Node run as they start in an activated program (`sagelet.hook`)."""

BEFORE = "SAGELET_BEFORE"
"""The variable that holds, as JSON, what the changed ones were: `sagelet env --off` goes back to it."""

UNWANTED = (
    *("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"),
    *("AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"),
    *("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
    *("AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"),
)
"""Variables that would send a program elsewhere, or as somebody else."""

ENDPOINTS = "AWS_ENDPOINT_URL"
"""What begins the variables that name the address of all services, or of one."""

LOCAL = ("127.0.0.1", "localhost")

Changes = dict[str, "str | None"]
"""Variables and their values; None for what must not be there."""


SERVER = "SAGELET_SERVER"
"""The variable that names the server to programs that ask it as their proxy, and have no AWS_ENDPOINT_URL."""


def variables(
    url: str, region: str = "us-east-1", before: Mapping[str, str] = os.environ, account: str = ""
) -> dict[str, str]:
    """What a shell or a child process needs so that every AWS SDK in it talks to the server at `url`.

    An `account` of twelve digits is an access key that acts in it.
    """
    passed = [name for name in ("no_proxy", "NO_PROXY") if name in before] or ["NO_PROXY"]
    return {
        "AWS_ENDPOINT_URL": url,
        **caller(region, before, account),
        **{name: _joined(",", LOCAL, before.get(name, "")) for name in passed},
    }


def caller(region: str = "us-east-1", before: Mapping[str, str] = os.environ, account: str = "") -> dict[str, str]:
    """Who asks, in which region, and the hook: whichever way leads to the server."""
    return {
        "AWS_ACCESS_KEY_ID": account or "sagelet",
        "AWS_SECRET_ACCESS_KEY": "sagelet",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        # Without this botocore asks the instance metadata service of a cloud machine, which is not there.
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONPATH": _joined(os.pathsep, [str(HOOK)], before.get("PYTHONPATH", "")),
        "NODE_OPTIONS": _with_node_hook(before.get("NODE_OPTIONS", "")),
    }


def changes(url: str, region: str = "us-east-1", before: Mapping[str, str] = os.environ, account: str = "") -> Changes:
    """As `variables`, and what must not be there."""
    return _changed(lambda was: variables(url, region, was, account), before)


def changes_by_proxy(found: Proxy, region: str = "us-east-1", before: Mapping[str, str] = os.environ) -> Changes:
    """The same for a program that asks AWS by its own names, and the server as its proxy."""
    from sagelet import proxied

    def wanted(was: Mapping[str, str]) -> dict[str, str]:
        return {SERVER: found.url, **caller(region, was), **proxied.variables(found, was)}

    return _changed(wanted, before)


def _changed(wanted: Callable[[Mapping[str, str]], dict[str, str]], before: Mapping[str, str]) -> Changes:
    """From where the environment was before it was first changed; what led elsewhere there must not be there."""
    back = former(before)
    was = applied(back, before)
    away = [name for name in was if name in UNWANTED or name.startswith(ENDPOINTS)]
    return {**back, **dict.fromkeys(away), **wanted(was)}


def applied(changed: Mapping[str, str | None], before: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment with the changes."""
    kept = {name: value for name, value in before.items() if name not in changed}
    return {**kept, **{name: value for name, value in changed.items() if value is not None}}


def remembered(changed: Mapping[str, str | None], before: Mapping[str, str] = os.environ) -> str:
    """What the variables that are changed were, for `BEFORE`: what it was before the first of several changes."""
    was = applied(former(before), before)
    return json.dumps({name: was.get(name) for name in changed if name != BEFORE})


def former(before: Mapping[str, str] = os.environ) -> Changes:
    """The changes that take everything back; none where nothing was changed."""
    kept = before.get(BEFORE)
    return {**json.loads(kept), BEFORE: None} if kept else {}


def _with_node_hook(options: str) -> str:
    hook = f'--require "{HOOK / "sagelet_hook.cjs"}"'
    return options if hook in options else f"{options} {hook}".strip()


def _joined(separator: str, first: tuple[str, ...] | list[str], there: str) -> str:
    rest = [part for part in there.split(separator) if part and part not in first]
    return separator.join([*first, *rest])
