"""Where the server stands: beside the engine, in one of its containers, or elsewhere; no engine needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from docker.errors import NotFound

from emulator.executors import docker_place
from emulator.executors.docker_place import NotShared, Place, find_place

ID = "3f" * 32
OWN = f"711 704 254:1 /var/lib/docker/containers/{ID}/hostname /etc/hostname rw,relatime - ext4 /dev/vda rw\n"
OTHERS = f"99 30 0:50 / /var/lib/docker/containers/{ID}/mounts/shm rw,nosuid - tmpfs shm rw\n"
MOUNTS = [
    {"Destination": "/data", "Source": "/var/lib/docker/volumes/state/_data"},
    {"Destination": "/data/s3", "Source": "/mnt/objects"},
]


class FakeEngine:
    def __init__(self, known: str) -> None:
        self.known = known
        self.api = self

    def inspect_container(self, name: str) -> dict[str, Any]:
        if name != self.known:
            raise NotFound("no such container")
        return {"Id": self.known, "Mounts": MOUNTS}


def place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mounts: str, url: str = "unix:///var/run/docker.sock"
) -> Place:
    (tmp_path / "mountinfo").write_text(mounts)
    monkeypatch.setattr(docker_place, "MOUNTS", tmp_path / "mountinfo")
    return find_place(FakeEngine(ID), url)  # type: ignore[arg-type]


def test_a_container_knows_itself_and_translates_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = place(tmp_path, monkeypatch, OWN)
    assert found.container == ID
    assert found.outside(Path("/data/work/a")) == "/var/lib/docker/volumes/state/_data/work/a"
    assert found.outside(Path("/data/s3/bucket")) == "/mnt/objects/bucket"
    assert found.mark(Path("/data")) == "/var/lib/docker/volumes/state/_data"
    with pytest.raises(NotShared, match="on a volume"):
        found.outside(Path("/etc/elsewhere"))
    assert found.mark(Path("/etc/elsewhere")) == f"{ID}:/etc/elsewhere"


def test_the_engine_s_machine_is_no_container_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = place(tmp_path, monkeypatch, OTHERS)
    assert found == Place() and found.outside(tmp_path) == str(tmp_path.resolve())


def test_a_container_of_another_engine_is_a_machine_to_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert place(tmp_path, monkeypatch, OWN.replace("3f", "4e")) == Place()


@pytest.mark.parametrize(
    "url, near",
    [
        ("unix:///run/podman/podman.sock", True),
        ("tcp://127.0.0.1:2375", True),
        ("tcp://localhost:2375", True),
        ("tcp://engine.example.com:2376", False),
        ("ssh://me@engine", False),
    ],
)
def test_only_an_engine_of_this_machine_may_share_its_addresses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, near: bool
) -> None:
    assert place(tmp_path, monkeypatch, "", url).near is near
