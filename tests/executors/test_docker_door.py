"""The way back to the house from a container: opened for the run's key, shared by a job's hosts, closed at the end."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from emulator.executors.docker import DockerExecutor
from emulator.executors.docker_addresses import gateway_address
from emulator.executors.docker_doors import DOOR_FILE
from emulator.executors.docker_engine import Engine
from emulator.executors.docker_place import Place
from emulator.ports import Cluster, Exit, ExitReason, RunSpec
from emulator.settings import Settings
from tests.executors.docker_bench import EMPTY, SERVER, Bench, Images, find_nothing, lines, until

pytestmark = pytest.mark.docker

CALL = """
import os, urllib.request
url = os.environ.get("AWS_ENDPOINT_URL")
print(urllib.request.urlopen(url, timeout=5).read().decode() if url else "no url")
"""
KEYS = {"AWS_ACCESS_KEY_ID": "ASIAKEY"}


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"house")

    def log_message(self, *_: object) -> None: ...


@dataclass
class FakeGateways:
    """Doors that answer everybody, and remember how they were asked for."""

    doors: dict[tuple[str, int], ThreadingHTTPServer] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)

    def open(self, host: str, access_key: str, port: int = 0) -> int:
        self.keys.append(access_key)
        door = ThreadingHTTPServer((host, port), Answer)
        self.doors[host, door.server_port] = door
        threading.Thread(target=door.serve_forever, args=(0.02,), daemon=True).start()
        return door.server_port

    def close(self, host: str, port: int) -> None:
        door = self.doors.pop((host, port), None)
        if door is not None:
            door.shutdown()
            door.server_close()


@pytest.fixture
def gateways(bench: Bench) -> Iterator[FakeGateways]:
    made = FakeGateways()
    bench.gateways = made
    yield made
    bench.end()
    assert made.doors == {}


def asking(bench: Bench, image: str, code: str = CALL, **changes: object) -> RunSpec:
    return bench.spec(image, code, **{"endpoint": "http://127.0.0.1:1", "environment": KEYS} | changes)


def test_a_program_reaches_the_house(bench: Bench, images: Images, gateways: FakeGateways) -> None:
    spec = asking(bench, images.own)
    assert bench.run(spec) == Exit(ExitReason.EXITED, 0)
    assert lines(spec) == ["house"] and gateways.keys == ["ASIAKEY"]
    bench.executor.release(spec.run_id)
    assert gateways.doors == {} and bench.networks() == []


def test_never_without_a_network(bench: Bench, images: Images, gateways: FakeGateways) -> None:
    spec = asking(bench, images.own, network=False)
    pair = replace(asking(bench, images.own, network=False), cluster=Cluster("pair-of-two", ("algo-1", "algo-2")))
    for one in (spec, pair):
        assert bench.run(one).code == 0 and lines(one) == ["no url"]
    assert gateways.keys == []


def test_hosts_of_a_job_share_a_door(bench: Bench, images: Images, gateways: FakeGateways) -> None:
    specs = [asking(bench, images.own) for _ in range(2)]
    cluster = Cluster("two-" + specs[0].run_id, ("algo-1", "algo-2"))
    for name, spec in zip(cluster.hosts, specs, strict=True):
        assert bench.run(replace(spec, cluster=cluster, hostname=name)).code == 0
        assert lines(spec) == ["house"]
    assert gateways.keys == ["ASIAKEY"]
    bench.executor.release(specs[0].run_id)
    assert len(gateways.doors) == 1
    bench.executor.release(specs[1].run_id)
    assert gateways.doors == {}


WAITING = """
import os, time, urllib.request
print("ready", flush=True)
while not os.path.exists("/opt/ml/go"): time.sleep(0.02)
"""


def test_an_adopted_run_finds_the_same_door(bench: Bench, images: Images, gateways: FakeGateways) -> None:
    spec = asking(bench, images.own, WAITING + CALL)
    bench.executor.start(spec)
    until(lambda: spec.log.exists() and "ready" in spec.log.read_text())
    before = set(gateways.doors)
    bench.executor.close()
    assert gateways.doors == {}
    bench.executor = bench.another()
    # Who adopts has made no new credentials.
    assert bench.executor.adopt(replace(spec, environment={})) and set(gateways.doors) == before
    (spec.folder / "ml" / "go").touch()
    assert bench.executor.wait(spec.run_id, 20) == Exit(ExitReason.EXITED, 0)
    assert lines(spec) == ["ready", "house"]


def test_a_door_that_cannot_be_opened_again_is_said_in_the_log(
    bench: Bench, images: Images, gateways: FakeGateways
) -> None:
    spec = asking(bench, images.own, "import time; print('ready', flush=True); time.sleep(60)")
    bench.executor.start(spec)
    until(lambda: spec.log.exists() and "ready" in spec.log.read_text())
    bench.executor.close()
    told = json.loads((spec.folder / DOOR_FILE).read_text())
    with socket.create_server((told["host"], told["port"])):
        bench.executor = bench.another()
        assert bench.executor.adopt(spec)
    assert any("can no longer reach this server" in line for line in lines(spec))


def test_a_model_server_has_a_door_too(bench: Bench, images: Images, gateways: FakeGateways) -> None:
    spec = asking(
        bench, images.own, "import os\nprint(os.environ['AWS_ENDPOINT_URL'], flush=True)\n" + SERVER, verb="serve"
    )
    bench.executor.start(spec)
    until(lambda: spec.log.exists() and "serving" in spec.log.read_text())
    (host, port), address = next(iter(gateways.doors)), bench.executor.address(spec.run_id)
    assert lines(spec)[0] == f"http://{host}:{port}"
    assert address is not None
    with socket.create_connection(("127.0.0.1", address.port), 5):
        pass


def test_a_server_that_opens_no_doors_says_so_in_the_log(bench: Bench, images: Images) -> None:
    spec = asking(bench, images.own)
    assert bench.run(spec).code == 0
    assert "cannot reach it" in lines(spec)[0] and lines(spec)[1] == "no url"


@pytest.fixture
def elsewhere(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine's addresses are not this machine's."""
    monkeypatch.setattr(Engine, "place", lambda self: Place(near=False))


@pytest.mark.usefixtures("elsewhere")
def test_an_engine_elsewhere_that_does_not_forward_is_said(
    bench: Bench, images: Images, gateways: FakeGateways
) -> None:
    spec = asking(bench, images.own)
    assert bench.run(spec).code == 0
    assert "runs elsewhere" in lines(spec)[0] and lines(spec)[-1] == "no url"
    assert gateways.keys == []


@pytest.mark.usefixtures("elsewhere")
def test_an_engine_elsewhere_that_forwards_is_used(
    bench: Bench, images: Images, gateways: FakeGateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emulator.executors.docker_networks.reaches_loopback", lambda engine, name: True)
    spec = asking(
        bench,
        images.own,
        "import os; print(os.environ['AWS_ENDPOINT_URL'], 'host.docker' in open('/etc/hosts').read())",
    )
    assert bench.run(spec).code == 0
    [(host, port)] = gateways.doors
    assert host == "127.0.0.1" and lines(spec) == [f"http://host.docker.internal:{port} True"]


def test_without_an_address_for_a_network_one_host_uses_the_engine_s_own(
    bench: Bench, images: Images, gateways: FakeGateways, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(*_: object, **__: object) -> None:
        raise RuntimeError("could not find an available, non-overlapping IPv4 address pool among the defaults")

    monkeypatch.setattr("emulator.executors.docker_networks.Networks._make", exhausted)
    spec = asking(bench, images.own)
    assert bench.run(spec).code == 0 and lines(spec) == ["house"]
    shared = Engine(find_nothing).client().networks.get("bridge").attrs
    assert [host for host, _ in gateways.doors] == [gateway_address(shared)]
    pair = replace(asking(bench, images.own), cluster=Cluster("pair-of-two", ("algo-1", "algo-2")))
    over = bench.run(pair)
    assert over.reason is ExitReason.NOT_STARTED and "docker network prune" in over.detail


def test_the_executor_needs_no_doors(tmp_path: Path) -> None:
    DockerExecutor(Settings(data_dir=tmp_path), EMPTY).close()


class PaperGateways:
    """Doors that only exist on paper: they would be another container's."""

    def __init__(self) -> None:
        self.open_: list[tuple[str, int]] = []

    def open(self, host: str, access_key: str, port: int = 0) -> int:
        self.open_.append((host, 1234))
        return 1234

    def close(self, host: str, port: int) -> None:
        self.open_.remove((host, port))


def test_a_server_in_a_container_joins_the_network_of_its_job(
    bench: Bench, images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Engine(find_nothing).client()
    house = client.containers.run(images.own, ["60"], entrypoint="sleep", detach=True)
    monkeypatch.setattr(
        Engine,
        "place",
        lambda self: Place(str(house.id), ((str(bench.folder.resolve()), str(bench.folder.resolve())),)),
    )
    bench.gateways = paper = PaperGateways()
    code = "import os\nprint(os.environ['AWS_ENDPOINT_URL'], flush=True)\n" + SERVER
    spec = asking(bench, images.own, code, verb="serve")
    try:
        bench.executor.start(spec)
        until(lambda: spec.log.exists() and "serving" in spec.log.read_text())
        house.reload()
        seen = house.attrs["NetworkSettings"]["Networks"][f"sagelet-{spec.run_id}"]["IPAddress"]
        assert lines(spec)[0] == f"http://{seen}:1234" and paper.open_ == [(seen, 1234)]
        address = bench.executor.address(spec.run_id)
        assert address is not None and address.port == 8080 and address.host not in ("127.0.0.1", seen)
        until(lambda: answering(address.host, address.port))
        bench.executor.release(spec.run_id)
        assert paper.open_ == [] and bench.networks() == []
        assert house.id in [container.id for container in client.containers.list(ignore_removed=True)]
    finally:
        house.remove(force=True)


def answering(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), 2):
            return True
    except OSError:
        return False
