"""The variables that point a program at the local server instead of AWS."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

ACCOUNT = "123456789012"

HOOK = Path(__file__).resolve().parent / "hook"
"""What interpreters of an activated program run as they start (`sagelet.hook`)."""

BEFORE = "SAGELET_BEFORE"
"""The variable that holds, as JSON, what the changed ones were: `sagelet env --off` goes back to it."""

UNWANTED = (
    *("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"),
    *("AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"),
    *("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
    *("AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"),
)
"""Variables that would send a program elsewhere, or as somebody else."""

OF_A_SERVICE = "AWS_ENDPOINT_URL_"
"""What begins the variables that name the address of one service."""

LOCAL = ("127.0.0.1", "localhost")


def variables(
    url: str, region: str = "us-east-1", before: Mapping[str, str] = os.environ, account: str = ""
) -> dict[str, str]:
    """What a shell or a child process needs so that every AWS SDK in it talks to the server at `url`.

    An `account` of twelve digits is an access key that acts in it.
    """
    proxied = [name for name in ("no_proxy", "NO_PROXY") if name in before] or ["NO_PROXY"]
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": account or "sagelet",
        "AWS_SECRET_ACCESS_KEY": "sagelet",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        # Without this botocore asks the instance metadata service of a cloud machine, which is not there.
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONPATH": _joined(os.pathsep, [str(HOOK)], before.get("PYTHONPATH", "")),
        **{name: _joined(",", LOCAL, before.get(name, "")) for name in proxied},
    }


def changes(
    url: str, region: str = "us-east-1", before: Mapping[str, str] = os.environ, account: str = ""
) -> dict[str, str | None]:
    """As `variables`, and what must not be there (None)."""
    of_services = [name for name in before if name.startswith(OF_A_SERVICE)]
    unwanted = dict.fromkeys([name for name in (*UNWANTED, *of_services) if name in before])
    return {**unwanted, **variables(url, region, before, account)}


def remembered(changed: Mapping[str, str | None], before: Mapping[str, str] = os.environ) -> str:
    """What the variables that are changed were, for `BEFORE`: what it was before the first of several changes."""
    return before.get(BEFORE) or json.dumps({name: before.get(name) for name in changed})


def former(before: Mapping[str, str] = os.environ) -> dict[str, str | None]:
    """The changes that take everything back; none where nothing was changed."""
    kept = before.get(BEFORE)
    return {**json.loads(kept), BEFORE: None} if kept else {}


def _joined(separator: str, first: tuple[str, ...] | list[str], there: str) -> str:
    rest = [part for part in there.split(separator) if part and part not in first]
    return separator.join([*first, *rest])
