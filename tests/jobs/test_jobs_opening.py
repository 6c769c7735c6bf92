"""What a job says of the versions that it asks for and gets."""

from __future__ import annotations

from typing import Any

import pytest

from algorithms import catalog
from emulator.jobs.opening import Versions, announced, versions
from emulator.settings import Settings
from tests.jobs.conftest import IMAGE


def test_a_process_runs_what_is_installed_and_says_so(mini: Any) -> None:
    found = versions(IMAGE, "process")
    assert found is not None and found.asked == "1.7" and found.installed
    opening = announced(mini.engine._tools, IMAGE, "process", (), {})
    assert any(f"asks for xgboost 1.7; installed here is {found.installed}" in line for line in opening.lines)
    assert opening.tags["sagelet:versions"] == f"xgboost: asked for 1.7 - ran {found.installed}"


def test_a_container_runs_what_its_image_holds(mini: Any) -> None:
    assert versions(IMAGE, "docker") is None
    assert "sagelet:versions" not in announced(mini.engine._tools, IMAGE, "docker", (), {}).tags


def test_a_stand_in_is_named_in_the_log_and_in_a_tag(mini: Any) -> None:
    listed = catalog.published("jumpstart-cache-prod-eu-west-1")
    own = {key: value for key, value in listed.items() if key.endswith("sourcedir.tar.gz")}
    told = {
        key: announced(mini.engine._tools, IMAGE, "docker", (), given(f'"s3://jumpstart-cache-prod-eu-west-1/{key}"'))
        for key in own
    }
    for key, opening in told.items():
        instead = opening.tags.get("sagelet:stand-in", "")
        assert instead == ("PyTorch for TensorFlow" if "/tensorflow_" in key else "")
        assert (f"A stand-in computes this job: {instead}." in opening.lines) is bool(instead)
    assert len({bool(opening.tags.get("sagelet:stand-in")) for opening in told.values()}) == 2
    for elsewhere in ("s3://mine/source-directory-tarballs/tensorflow_ic/sourcedir.tar.gz", "/opt/ml/code", ""):
        assert "sagelet:stand-in" not in announced(mini.engine._tools, IMAGE, "docker", (), given(elsewhere)).tags


def given(script: str) -> dict[str, Any]:
    return {"HyperParameters": {"sagemaker_submit_directory": script}}


@pytest.mark.parametrize(("asked", "installed", "apart"), [("1.7", "3.0.5", True), ("1.2", "1.9.0", False)])
def test_only_major_versions_set_them_apart(asked: str, installed: str, apart: bool) -> None:
    assert Versions("x", asked, installed).apart is apart


def test_strict_versions_refuse_another_major_version(mini: Any) -> None:
    mini.restart(Settings(data_dir=mini.settings.data_dir, strict_versions=True))
    mini.executor.name = "process"
    mini.submit()
    body = mini.finish()
    assert body["TrainingJobStatus"] == "Failed"
    assert "--strict-versions" in body["FailureReason"] and "xgboost 1.7" in body["FailureReason"]
    assert not mini.executor.programs
