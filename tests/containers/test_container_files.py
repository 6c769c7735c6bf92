"""The files that images and CI are made of agree with the rest of the house."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ("containers/build.sh", "containers/base/make.sh", ".ci/run")
BUILT = [
    path.parent.name
    for path in sorted(ROOT.glob("algorithms/*/manifest.json"))
    if json.loads(path.read_text()).get("image")
]


def ranges(lines: list[str]) -> dict[str, str]:
    """`name>=1,<2` lines as a mapping; extras and markers are left out."""
    found = (re.match(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?([^;]*)", line.strip()) for line in lines)
    return {match.group(1): match.group(2).strip() for match in found if match}


@pytest.mark.parametrize("name", BUILT)
def test_an_algorithm_with_an_image_has_its_libraries_in_the_house_s_own_ranges(name: str) -> None:
    wanted = ranges((ROOT / "containers" / "requirements" / f"{name}.txt").read_text().splitlines())
    text = (ROOT / "pyproject.toml").read_text()
    house = ranges(re.findall(r'^\s*"([^"]+)",$', text, re.M) + re.findall(r'^parquet = \["([^"]+)"\]', text, re.M))
    assert wanted and {library: house.get(library) for library in wanted} == wanted


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_are_whole_and_can_be_started(script: str) -> None:
    path = ROOT / script
    assert path.stat().st_mode & 0o111
    subprocess.run(["bash", "-n", str(path)], check=True)


@pytest.mark.parametrize("script", [*SCRIPTS, "containers/Dockerfile", "containers/server/Dockerfile"])
def test_no_index_or_mirror_is_named(script: str) -> None:
    assert not re.search(r"https?://|index-url|trusted-host", (ROOT / script).read_text())


@pytest.mark.parametrize("name", ["containers/Dockerfile", "containers/server/Dockerfile"])
def test_every_stage_stands_on_the_base_that_the_builder_chooses(name: str) -> None:
    text = (ROOT / name).read_text()
    assert re.search(r"^ARG BASE_IMAGE=python:3\.11-slim$", text, re.M)
    assert set(re.findall(r"^FROM (\S+)", text, re.M)) == {"${BASE_IMAGE}"}


def test_compose_publishes_on_loopback_and_keeps_its_state() -> None:
    composed: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    service = composed["services"]["sagelet"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert service["volumes"] == ["state:/data"] and "state" in composed["volumes"]
    assert service["healthcheck"]["test"][:2] == ["CMD", "sagelet"] and service["cap_drop"] == ["ALL"]
