"""Several hosts that find each other by name, what they may not reach, and that their network goes with them."""

from __future__ import annotations

import socket
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from emulator.executors.docker_addresses import gateway_address
from emulator.executors.docker_engine import Engine
from emulator.executors.docker_labels import DATA_LABEL
from emulator.ports import Cluster, Exit, ExitReason, RunSpec
from tests.executors.docker_bench import Bench, Images, find_nothing, lines, until

pytestmark = pytest.mark.docker

TALK = """
import os, socket, sys, time
me = socket.gethostname()
if me == "algo-2":
    with socket.create_server(("0.0.0.0", 7000)) as door:
        line, _ = door.accept()
        with line: print(line.recv(100).decode())
else:
    for _ in range(200):
        try:
            with socket.create_connection(("algo-2", 7000), 2) as line:
                line.sendall(f"hello from {me} {socket.gethostbyname(me) != '127.0.0.1'}".encode())
                break
        except OSError: time.sleep(0.05)
"""

KNOCK = """
import socket, sys
for where in sys.argv[1:]:
    host, _, port = where.rpartition(":")
    try:
        socket.create_connection((host, int(port)), 1).close(); print("reached", where)
    except OSError: print("closed", where)
print(open("/proc/net/if_inet6").read().strip() or "no IPv6")
"""


def hosts(bench: Bench, image: str, code: str, count: int = 2, **changes: object) -> list[RunSpec]:
    first = bench.spec(image, code, **changes)
    names = tuple(f"algo-{number + 1}" for number in range(count))
    cluster = Cluster(first.run_id, names)
    others = [bench.spec(image, code, **changes) for _ in names[1:]]
    return [replace(spec, cluster=cluster, hostname=name) for spec, name in zip([first, *others], names, strict=True)]


@pytest.mark.parametrize("network", [True, False])
def test_hosts_talk_to_each_other_by_name_and_leave_no_network(bench: Bench, images: Images, network: bool) -> None:
    specs = hosts(bench, images.own, TALK, network=network)
    starts = [threading.Thread(target=bench.executor.start, args=(spec,)) for spec in specs]
    for start in starts:
        start.start()
    for start in starts:
        start.join()
    assert len(bench.networks()) == 1
    assert [bench.executor.wait(spec.run_id, 30) for spec in specs] == [Exit(ExitReason.EXITED, 0)] * 2
    assert lines(specs[1]) == ["hello from algo-1 True"]
    bench.executor.release(specs[0].run_id)
    assert len(bench.networks()) == 1
    bench.executor.release(specs[1].run_id)
    assert bench.networks() == []


def test_isolated_hosts_reach_neither_this_machine_nor_the_world(bench: Bench, images: Images) -> None:
    specs = hosts(bench, images.own, "import time; time.sleep(60)", network=False)
    bench.executor.start(specs[0])
    attributes = Engine(find_nothing).client().networks.get(bench.networks()[0]).attrs
    gateway = gateway_address(attributes)
    with socket.create_server(("0.0.0.0", 0)) as door:
        port = door.getsockname()[1]
        targets = [f"{gateway}:{port}", f"172.17.0.1:{port}", "192.0.2.77:80"]
        command = (*specs[1].entrypoint[:3], KNOCK)
        bench.executor.start(replace(specs[1], entrypoint=command, arguments=tuple(targets)))
        assert bench.executor.wait(specs[1].run_id, 30) == Exit(ExitReason.EXITED, 0)
    assert lines(specs[1]) == [*(f"closed {target}" for target in targets), "no IPv6"]


def test_one_host_of_a_job_finds_itself(bench: Bench, images: Images) -> None:
    code = "import socket; print(socket.gethostbyname('algo-1') == socket.gethostbyname(socket.gethostname()))"
    for spec in (
        bench.spec(images.own, code),
        bench.spec(images.own, code, network=False),
        bench.spec(images.own, code, cluster=Cluster("one")),
    ):
        assert bench.run(spec).code == 0 and lines(spec) == ["True"]
    assert bench.networks() == []


def test_a_network_is_kept_over_a_restart_and_removed_at_the_end(bench: Bench, images: Images) -> None:
    specs = hosts(bench, images.own, "import time; print('ready', flush=True); time.sleep(60)")
    for spec in specs:
        bench.executor.start(spec)
    until(lambda: all(spec.log.exists() and "ready" in spec.log.read_text() for spec in specs))
    bench.executor.close()
    bench.executor = bench.another()
    assert all(bench.executor.adopt(spec) for spec in specs)
    bench.executor.release(specs[0].run_id)
    assert len(bench.networks()) == 1
    bench.executor.release(specs[1].run_id)
    assert bench.networks() == []


def test_a_run_that_cannot_start_leaves_no_network(bench: Bench, images: Images) -> None:
    spec = hosts(bench, images.own, "pass")[0]
    over = bench.run(replace(spec, entrypoint=("nosuch",)))
    assert over.reason is ExitReason.NOT_STARTED
    assert bench.networks() == [] and bench.containers() == []


def test_what_a_former_life_left_is_removed_and_what_is_in_use_is_not(
    bench: Bench, images: Images, tmp_path: Path
) -> None:
    client = Engine(find_nothing).client()
    labels = {DATA_LABEL: str(bench.folder.resolve())}
    client.networks.create("sagelet-left-over", driver="bridge", labels=labels)
    used = client.networks.create("sagelet-in-use", driver="bridge", labels=labels)
    keeper = client.containers.create(images.own, network="sagelet-in-use")
    try:
        bench.executor.start(hosts(bench, images.own, "pass")[0])
        assert "sagelet-left-over" not in bench.networks() and "sagelet-in-use" in bench.networks()
    finally:
        keeper.remove(force=True)
        used.remove()
