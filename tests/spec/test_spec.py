"""Models load slim, corrected and from a cache that may be damaged; a patch that does not fit is loud."""

import json
from pathlib import Path

import pytest

from emulator import spec
from emulator.spec import models, overlay


@pytest.fixture
def cache_folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    spec.load.cache_clear()
    yield tmp_path / "sagelet" / "models"
    spec.load.cache_clear()


def test_all_sagemaker_services_of_botocore_are_known():
    assert {"sagemaker", "sagemaker-runtime", "sagemaker-metrics", "sagemaker-edge"} <= set(spec.SERVICES)
    for service in spec.SERVICES:
        assert spec.load(service).operation_names


def test_the_payload_limit_is_corrected(cache_folder):
    body = spec.load("sagemaker-runtime").operation_model("InvokeEndpoint").input_shape.members["Body"]
    assert body.metadata["max"] == 25 * 1024 * 1024


def test_documentation_is_stripped_and_nothing_else(cache_folder):
    original = models._original("sagemaker-edge")
    slim = models._description("sagemaker-edge")
    assert "documentation" in json.dumps(original) and '"documentation": "' not in json.dumps(slim)
    assert slim["shapes"].keys() == original["shapes"].keys()
    assert slim["operations"].keys() == original["operations"].keys()


def test_a_member_that_is_called_documentation_stays():
    model = {"shapes": {"S": {"members": {"documentation": {"shape": "Text", "documentation": "words"}}}}}
    assert models._slim(model) == {"shapes": {"S": {"members": {"documentation": {"shape": "Text"}}}}}


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"{}", b"\xff\xfe"])
def test_a_damaged_cache_is_made_anew(cache_folder, damage):
    spec.load("sagemaker-edge")
    (kept,) = cache_folder.iterdir()
    whole = kept.read_bytes()
    kept.write_bytes(damage)
    spec.load.cache_clear()
    assert spec.load("sagemaker-edge").operation_names
    assert kept.read_bytes() == whole


def test_the_cache_is_really_used_and_keyed_by_the_overlay(cache_folder, monkeypatch, tmp_path):
    spec.load("sagemaker-edge")
    spec.load.cache_clear()
    with monkeypatch.context() as patched:
        patched.setattr(models, "_original", lambda service: pytest.fail("read the original again"))
        spec.load("sagemaker-edge")
    (tmp_path / "sagemaker-edge.json").write_text(
        '[{"reason": "r", "op": "replace", "path": "/metadata/serviceId", "value": "Changed"}]'
    )
    monkeypatch.setattr(overlay, "FOLDER", tmp_path)
    spec.load.cache_clear()
    assert str(spec.load("sagemaker-edge").service_id) == "Changed"


def test_a_folder_that_cannot_be_written_costs_only_time(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert models._description("sagemaker-edge")["operations"]


def test_an_unknown_service_is_named():
    with pytest.raises(LookupError, match="no service 'sagemaker-nonsense'"):
        spec.load("sagemaker-nonsense")


@pytest.mark.parametrize(
    "patch",
    [
        {"op": "replace", "path": "/shapes/Gone/max", "value": 1},
        {"op": "remove", "path": "/shapes/A/min"},
        {"op": "test", "path": "/shapes/A/max", "value": 2},
        {"op": "move", "path": "/shapes/A/max"},
        {"op": "replace", "path": "/list/7", "value": 2},
    ],
)
def test_a_patch_that_does_not_apply_is_loud(patch):
    model = {"shapes": {"A": {"max": 1}}, "list": [1]}
    with pytest.raises(spec.OverlayError, match=r"does not apply.*because"):
        overlay.apply(model, [{"reason": "because", **patch}], "s")


def test_a_patch_without_a_reason_is_refused():
    with pytest.raises(spec.OverlayError, match="no reason"):
        overlay.apply({}, [{"op": "add", "path": "/a", "value": 1}], "s")


def test_patches_add_remove_replace():
    model = {"a": {"b/c": 1, "d": [1, 2]}}
    patches = [
        {"reason": "r", "op": "add", "path": "/a/e", "value": 5},
        {"reason": "r", "op": "add", "path": "/a/d/-", "value": 3},
        {"reason": "r", "op": "remove", "path": "/a/d/0"},
        {"reason": "r", "op": "test", "path": "/a/b~1c", "value": 1},
        {"reason": "r", "op": "replace", "path": "/a/b~1c", "value": 9},
    ]
    overlay.apply(model, patches, "s")
    assert model == {"a": {"b/c": 9, "d": [2, 3], "e": 5}}


@pytest.mark.parametrize("file", sorted(overlay.FOLDER.glob("*.json")), ids=lambda f: f.name)
def test_every_overlay_applies_to_the_installed_botocore(file):
    service = file.stem
    overlay.apply(models._slim(models._original(service)), overlay.read(service), service)
