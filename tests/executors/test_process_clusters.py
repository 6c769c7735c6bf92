"""Several hosts of one job as processes: they talk by name on the same port, isolated ones to each other alone."""

from __future__ import annotations

import importlib.util
import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emulator.executors.process import bubblewrap, clusters, plan
from emulator.executors.process.executor import ProcessExecutor
from emulator.ports import Cluster, ExitReason, RunSpec
from tests.contracts.executor_contract import until
from tests.executors.process_bench import Bench, opened, texts

HOSTS = ("algo-1", "algo-2")

TALK = """
import socket, sys, time
me = socket.gethostname()
peer = {"algo-1": "algo-2", "algo-2": "algo-1"}[me]
with socket.create_server((me, 5000)) as server:
    end = time.monotonic() + 20
    while True:
        try:
            caller = socket.create_connection((peer, 5000), 5)
            break
        except OSError:
            if time.monotonic() > end: raise
            time.sleep(0.02)
    with caller:
        caller.sendall(f"greetings from {me}".encode())
        caller.shutdown(socket.SHUT_WR)
        other, _ = server.accept()
        with other:
            print(other.makefile().read(), flush=True)
"""

COUNT_TOGETHER = """
import socket, threading, numpy, xgboost
from xgboost import collective
from xgboost.tracker import RabitTracker
me, first = socket.gethostname(), socket.gethostbyname("algo-1")
if me == "algo-1":
    tracker = RabitTracker(n_workers=2, host_ip=first, port=9099, sortby="task")
    tracker.start()
    waiting = threading.Thread(target=tracker.wait_for, daemon=True)
    waiting.start()
with collective.CommunicatorContext(
    dmlc_communicator="rabit", dmlc_tracker_uri=first, dmlc_tracker_port=9099, dmlc_task_id=me, dmlc_retry=10
):
    total = collective.allreduce(numpy.array([1.0 + collective.get_rank()]), collective.Op.SUM)
    rows = numpy.arange(40.0).reshape(20, 2) + collective.get_rank()
    data = xgboost.DMatrix(rows, label=rows[:, 0] > 20)
    trained = xgboost.train({"objective": "binary:logistic", "nthread": 1}, data, 3)
    print(collective.get_world_size(), total.tolist(), trained.num_boosted_rounds(), flush=True)
if me == "algo-1":
    waiting.join(20)
"""

REDUCE = """
import os, socket, torch, torch.distributed as dist
rank = {"algo-1": 0, "algo-2": 1}[socket.gethostname()]
dist.init_process_group("gloo", init_method="tcp://algo-1:23456", rank=rank, world_size=2)
value = torch.tensor([rank + 1.0])
dist.all_reduce(value)
print(value.item(), flush=True)
dist.destroy_process_group()
"""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    yield from opened(tmp_path)


def hosts_of(bench: Bench, program: str, **members: Any) -> list[RunSpec]:
    cluster = Cluster(f"job-{os.urandom(4).hex()}", HOSTS)
    command = ("python3", "-c", program)
    return [bench.spec("any", cluster=cluster, hostname=host, entrypoint=command, **members) for host in HOSTS]


def run_all(executor: ProcessExecutor, specs: list[RunSpec]) -> list[list[str]]:
    for spec in specs:
        executor.start(spec)
    for spec in specs:
        over = executor.wait(spec.run_id, 60)
        if over is not None and over.reason is ExitReason.NOT_STARTED and "cannot" in over.detail:
            pytest.skip(over.detail)
        assert over is not None and over.code == 0, (over, spec.log.read_text())
    return [texts(spec) for spec in specs]


@pytest.mark.parametrize(
    ("sandbox", "network"), [("namespaces", True), ("namespaces", False), ("bwrap", True)], ids=str
)
def test_hosts_talk_by_name_on_the_same_port(bench: Bench, sandbox: str, network: bool) -> None:
    if sandbox == "bwrap" and not bubblewrap.find():
        pytest.skip("bwrap is not installed")
    bench.sandbox = sandbox
    specs = hosts_of(bench, TALK, network=network)
    assert run_all(bench.open(), specs) == [["greetings from algo-2"], ["greetings from algo-1"]]


def test_two_jobs_do_not_meet_on_the_same_port(bench: Bench) -> None:
    executor = bench.open()
    first, second = hosts_of(bench, TALK), hosts_of(bench, TALK)
    assert len({address for spec in (first[0], second[0]) for _, address in clusters.addresses(spec)}) == 4
    assert run_all(executor, [*first, *second]) == [["greetings from algo-2"], ["greetings from algo-1"]] * 2


def test_isolated_hosts_reach_nothing_else(bench: Bench) -> None:
    look = (
        "import socket; s = socket.socket(); print(s.connect_ex(('127.0.0.1', {port}))); print(socket.if_nameindex())"
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        specs = hosts_of(bench, look.format(port=listener.getsockname()[1]), network=False)
        for lines in run_all(bench.open(), specs):
            assert lines == ["111", "[(1, 'lo')]"]
        alone = bench.spec("any", network=False, entrypoint=specs[0].entrypoint, cluster=Cluster("one"))
        assert run_all(bench.open(), [alone]) == [["111", "[(1, 'lo')]"]]


def test_a_host_that_starts_late_finds_the_others_also_after_a_restart(bench: Bench) -> None:
    """The network outlives its first host's server, and in a living server also its first host."""
    executor = bench.open()
    one, two = hosts_of(bench, TALK, network=False)
    executor.start(one)
    until(lambda: one.folder.joinpath("process", "process.json").exists())
    executor.close()
    again = bench.open()
    assert again.adopt(one)
    again.start(two)
    for spec in (one, two):
        over = again.wait(spec.run_id, 30)
        assert over is not None and over.code == 0, spec.log.read_text()
    looks = [replace(spec, run_id=f"late-{n}") for n, spec in enumerate(hosts_of(bench, "print('up')", network=False))]
    for spec in looks:
        assert run_all(again, [spec]) == [["up"]]
        again.release(spec.run_id)


def test_a_cluster_gives_its_network_back_with_its_last_host(bench: Bench) -> None:
    executor = bench.open()
    run_all(executor, [bench.spec("any", entrypoint=("true",))])
    before = set(Path("/proc/self/fd").iterdir())
    specs = hosts_of(bench, "print('up')", network=False)
    run_all(executor, specs)
    assert len(list(Path("/proc/self/fd").iterdir())) >= len(before) + 2
    for spec in specs:
        executor.release(spec.run_id)
    assert set(Path("/proc/self/fd").iterdir()) <= before


def test_each_host_knows_its_own_name_first(bench: Bench) -> None:
    look = "import socket; print(socket.gethostbyname(socket.gethostname())); print(open('/etc/hosts').readline())"
    specs = hosts_of(bench, look)
    told = run_all(bench.open(), specs)
    for (host, address), lines in zip(clusters.addresses(specs[0]), told, strict=True):
        assert lines[:2] == [address, f"{address} {host}"]


def test_addresses_follow_from_the_clusters_name(tmp_path: Path) -> None:
    spec = RunSpec("r", "arn", "x", "train", tmp_path, tmp_path)
    assert clusters.addresses(spec) == () == clusters.addresses(replace(spec, cluster=Cluster("job-1")))
    wide = replace(spec, cluster=Cluster("job-1", tuple(f"algo-{n}" for n in range(1, 255))))
    found = clusters.addresses(wide)
    assert found == clusters.addresses(replace(wide, run_id="s", hostname="algo-9"))
    numbers = [[int(part) for part in address.split(".")] for _, address in found]
    assert [n[3] for n in numbers] == list(range(1, 255))
    assert {n[0] for n in numbers} == {127} and all(16 <= n[1] <= 239 for n in numbers)
    assert plan.cluster_refusal(wide, "namespaces") == ""
    more = replace(spec, cluster=Cluster("job-1", tuple(f"algo-{n}" for n in range(1, 256))))
    assert "254" in plan.cluster_refusal(more, "namespaces")


def test_where_hosts_cannot_be_told_apart_they_are_refused(bench: Bench) -> None:
    bench.sandbox = "plain"
    plain = bench.open()
    (spec, _) = hosts_of(bench, TALK)
    assert "bubblewrap" in plain.refusal(spec) and "docker" in plain.refusal(spec)
    assert plain.refusal(replace(spec, cluster=Cluster("one"))) == ""
    over = bench.run(plain, spec)
    assert over.reason is ExitReason.NOT_STARTED and "docker" in over.detail
    bench.sandbox = "bwrap"
    shut = bench.open()
    assert shut.refusal(spec) == ""
    assert "docker" in shut.refusal(replace(spec, network=False))


@pytest.mark.parametrize("network", [True, False])
def test_xgboost_trains_across_hosts(bench: Bench, network: bool) -> None:
    specs = hosts_of(bench, COUNT_TOGETHER, network=network, environment={"OMP_NUM_THREADS": "1"})
    for lines in run_all(bench.open(), specs):
        assert lines[-1] == "2 [3.0] 3"


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")
@pytest.mark.parametrize("network", [True, False])
def test_pytorch_reduces_across_hosts(bench: Bench, network: bool) -> None:
    specs = hosts_of(bench, REDUCE, network=network)
    assert [lines[-1] for lines in run_all(bench.open(), specs)] == ["3.0", "3.0"]
