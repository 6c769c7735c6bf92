"""Names that differ only in case are one where the API reference says so: read from botocore's documentation."""

from __future__ import annotations

import re

from botocore.loaders import Loader

from emulator.kinds import KINDS

CASELESS = re.compile(r"case[ -]insensitive|not case[ -]sensitive", re.IGNORECASE)


def test_kinds_whose_names_are_not_case_sensitive_are_declared_so() -> None:
    model = Loader().load_service_model("sagemaker", "service-2")
    said = set()
    for kind in KINDS:
        create = model["operations"].get(f"Create{kind.noun}")
        members = model["shapes"][create["input"]["shape"]]["members"] if create else {}
        if any(CASELESS.search(member.get("documentation", "")) for member in members.values()):
            said.add(kind.noun)
    assert said >= {"Endpoint", "Experiment", "Trial", "TrialComponent", "UserProfile"}
    assert said <= {kind.noun for kind in KINDS if kind.folded}
    assert {kind.noun for kind in KINDS if kind.caseless} <= said
