"""AWS's own policies (`arn:aws:iam::aws:policy/...`), given to moto's IAM when somebody names one.

moto can load all 1,300 of them at start, which costs every account 40 MB: nearly everyone attaches two.
"""

from __future__ import annotations

import hashlib
import importlib
import json
from typing import Any

from emulator.neighbours.asked import Asked
from emulator.neighbours.moto import Moto

OWNER = ":iam::aws:policy/"
LISTED = ("ListPolicies",)


def load(moto: Moto, asked: Asked) -> None:
    """Make sure that the policy that the request names, or all of them when it lists them, are known."""
    params = asked.params()
    arn = str(params.get("PolicyArn") or params.get("PermissionsBoundary") or "")
    everything = asked.operation in LISTED and params.get("Scope") != "Local"
    if OWNER not in arn and not everything:
        return
    known = moto.backend("iam", asked.scope.account, asked.scope.region).managed_policies
    if arn in known and not everything:
        return
    models: Any = importlib.import_module("moto.iam.models")
    data: dict[str, Any] = json.loads(
        importlib.import_module("moto.iam.aws_managed_policies").aws_managed_policies_data
    )
    names = list(data) if everything else [arn.rpartition("/")[2]]
    for name in names:
        if name in data:
            policy = models.AWSManagedPolicy.from_data(name, asked.scope.account, asked.scope.region, data[name])
            policy.id = "ANPA" + hashlib.sha256(policy.arn.encode()).hexdigest()[:17].upper()
            known.setdefault(policy.arn, policy)
