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
SCRIPTS = ("containers/build.sh", "containers/base/make.sh", ".ci/run", ".ci/autogluon", ".ci/wheel")
LISTED = {
    line.split()[0]: line.split()[1:]
    for line in (ROOT / "containers" / "images.txt").read_text().splitlines()
    if not line.startswith("#")
}
NAMED = {json.loads(path.read_text()).get("image", "") for path in sorted(ROOT.glob("algorithms/*/manifest.json"))}


def ranges(lines: list[str]) -> dict[str, str]:
    """`name>=1,<2` lines as a mapping; extras and markers are left out."""
    found = (re.match(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?([^;]*)", line.strip()) for line in lines)
    return {match.group(1): match.group(2).strip() for match in found if match}


def test_every_image_that_a_manifest_names_is_built() -> None:
    known = [f"sagelet/{name}" for image, (when, *names) in LISTED.items() for name in (image, *names)]
    assert len(known) == len(set(known)) and NAMED - {""} <= set(known)
    assert {when for when, *_ in LISTED.values()} <= {"always", "asked"}


@pytest.mark.parametrize("name", LISTED)
def test_an_image_has_its_libraries_in_the_house_s_own_ranges(name: str) -> None:
    wanted = ranges((ROOT / "containers" / "requirements" / f"{name}.txt").read_text().splitlines())
    text = (ROOT / "pyproject.toml").read_text()
    house = ranges(re.findall(r'^\s*"([^"]+)",$', text, re.M) + re.findall(r'^parquet = \["([^"]+)"\]', text, re.M))
    assert wanted and {library: house.get(library, wanted[library]) for library in wanted} == wanted


@pytest.mark.parametrize(
    "words, expected",
    [
        (("echo", "any", "command"), (0, "any command")),
        (("train",), (2, "SAGELET_ALGORITHM")),
        (("serve",), (2, "SAGELET_ALGORITHM")),
    ],
)
def test_the_entry_takes_verbs_and_commands(words: tuple[str, ...], expected: tuple[int, str]) -> None:
    entry = str(ROOT / "containers" / "entry.sh")
    ran = subprocess.run(
        ["sh", entry, *words], capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"}
    )
    assert ran.returncode == expected[0] and expected[1] in ran.stdout + ran.stderr


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
    service, trusted = composed["services"]["sagelet"], composed["services"]["sagelet-with-engine"]
    for one in (service, trusted):
        assert all(port.startswith("127.0.0.1:") for port in one["ports"])
        assert one["volumes"][0] == "state:/data" and "state" in composed["volumes"]
        assert one["healthcheck"]["test"][:2] == ["CMD", "sagelet"] and one["cap_drop"] == ["ALL"]
    assert len(service["volumes"]) == 1 and "profiles" not in service


def test_only_who_asks_for_it_gets_the_engine_s_socket() -> None:
    composed: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    holders = [name for name, one in composed["services"].items() if any("docker.sock" in v for v in one["volumes"])]
    assert holders == ["sagelet-with-engine"] and composed["services"]["sagelet-with-engine"]["profiles"] == ["engine"]
