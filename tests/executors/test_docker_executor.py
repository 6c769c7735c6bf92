"""Runs in real containers: adoption after a killed server, isolation, whose the files are, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emulator.executors.docker import DockerExecutor
from emulator.executors.docker_engine import Engine
from emulator.executors.docker_plan import Owner
from emulator.ports import Exit, ExitReason, Mount, RunSpec
from emulator.settings import Settings
from tests.contracts.executor_contract import Describe, ExecutorContract, Opened, Program, as_shell
from tests.executors.docker_bench import EMPTY, ROOT, SERVER, Bench, Images, find_nothing, lines, until

pytestmark = pytest.mark.docker


class Doors:
    """Doors that nobody goes through."""

    def __init__(self) -> None:
        self.open_: dict[tuple[str, int], socket.socket] = {}

    def open(self, host: str, access_key: str, port: int = 0) -> int:
        door = socket.create_server((host, port))
        self.open_[host, door.getsockname()[1]] = door
        return int(door.getsockname()[1])

    def close(self, host: str, port: int) -> None:
        door = self.open_.pop((host, port), None)
        if door is not None:
            door.close()


# --- what every executor owes -----------------------------------------------------------------------------------


class TestDockerContract(ExecutorContract):
    runs_commands = clusters = limits_memory = shows_endpoint = True

    def test_a_run_that_ended_meanwhile_is_judged_afterwards(self, executor: Opened, describe: Describe) -> None:
        """Between two servers the engine keeps the log, and nobody writes the file."""
        spec = describe(Program(say=("last",), linger=0.3, code=6))
        executor.start(spec)
        executor.now.close()
        until(lambda: container_is_over(spec))
        executor.now = executor.open()
        assert executor.now.adopt(spec)
        assert executor.now.wait(spec.run_id, self.patience) == Exit(ExitReason.EXITED, 6)
        assert lines(spec) == ["last", "ready"]

    @pytest.fixture
    def reopen(self, tmp_path: Path, images: Images) -> Iterator[Callable[[], DockerExecutor]]:
        bench = Bench(tmp_path / "house")
        bench.gateways = Doors()
        bench.executor.close()
        yield bench.another
        assert bench.containers() == []

    @pytest.fixture
    def describe(self, tmp_path: Path, images: Images) -> Describe:
        def describe(program: Program, **members: object) -> RunSpec:
            run_id = str(members.pop("run_id", uuid.uuid4().hex[:12]))
            folder = tmp_path / "house" / "work" / run_id
            folder.mkdir(parents=True, exist_ok=True)
            # The kernel shields process 1 of a container from its own signals, so a child has to die of them.
            shell = 'sh -c "$0"; exit $?' if program.signal else 'eval "$0"'
            command = {"entrypoint": ("sh", "-c", shell), "arguments": (as_shell(program),)}
            values = {"verb": "train"} | (members if "entrypoint" in members else command | members)
            return RunSpec(run_id, "arn", images.own, folder=folder, log=folder / "log", **values)  # type: ignore[arg-type]

        return describe


# --- the life of a run ------------------------------------------------------------------------------------------


def test_a_run_sees_its_folder_its_environment_and_its_name_and_nothing_of_the_host(
    bench: Bench, images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_HOST", "1")
    spec = bench.spec(
        images.own,
        """
        import json, os, socket
        with open("/opt/ml/seen.json", "w") as out:
            json.dump({"env": dict(os.environ), "name": socket.gethostname(), "ip": socket.gethostbyname("algo-1"),
                       "caps": [l for l in open("/proc/self/status") if l.startswith(("CapEff", "NoNewPrivs"))]}, out)
        """,
        environment={"GREETING": "hello"},
    )
    assert bench.run(spec) == Exit(ExitReason.EXITED, 0)
    seen = json.loads((spec.folder / "ml" / "seen.json").read_text())
    assert seen["name"] == "algo-1" and seen["ip"]
    assert seen["env"]["GREETING"] == "hello" and "SECRET_OF_THE_HOST" not in seen["env"]
    assert int(seen["caps"][0].split()[1], 16) == 0 and seen["caps"][1].split()[1] == "1"


@pytest.mark.parametrize("verb", ["train", "serve"])
def test_the_verb_is_the_argument(bench: Bench, images: Images, verb: str) -> None:
    spec = bench.spec(images.own, verb=verb)
    assert bench.run(spec).code == 0
    assert lines(spec) == [f"asked to {verb}"]


@pytest.mark.parametrize(
    "code, expected",
    [("raise SystemExit(3)", 3), ("raise SystemExit(128 + 6)", -signal.SIGABRT), ("print('fine')", 0)],
)
def test_the_exit_status_is_told_once(bench: Bench, images: Images, code: str, expected: int) -> None:
    spec = bench.spec(images.own, code)
    over = bench.run(spec)
    assert (over.reason, over.code) == (ExitReason.EXITED, expected)
    assert bench.executor.wait(spec.run_id, 0.01) is None


def test_the_log_is_whole_in_order_and_stamped_by_the_engine(bench: Bench, images: Images) -> None:
    spec = bench.spec(images.own, "for n in range(20000): print('line', n)\nprint('x' * 40000, end='')")
    before = int(time.time() * 1000)
    assert bench.run(spec).code == 0
    assert lines(spec) == [*(f"line {n}" for n in range(20000)), "x" * 40000]
    stamps = [int(line.split(" ", 1)[0]) for line in spec.log.read_text().splitlines()]
    assert before - 2000 <= stamps[0] <= stamps[-1] <= int(time.time() * 1000) + 2000


def test_many_short_runs_lose_neither_their_line_nor_their_end(bench: Bench, images: Images) -> None:
    for number in range(8):
        spec = bench.spec(images.own, "", arguments=(str(number),))
        assert bench.run(spec) == Exit(ExitReason.EXITED, 0)
        assert lines(spec) == [f"asked to {number}"]
        bench.executor.release(spec.run_id)


def test_stop_is_polite_first(bench: Bench, images: Images) -> None:
    spec = bench.spec(
        images.own,
        """
        import signal, sys, time
        signal.signal(signal.SIGTERM, lambda *a: (print("saved"), sys.exit(0)))
        print("ready"); time.sleep(60)
        """,
    )
    bench.executor.start(spec)
    until(lambda: spec.log.exists() and "ready" in spec.log.read_text())
    bench.executor.stop(spec.run_id, 30)
    assert bench.executor.wait(spec.run_id, 20) == Exit(ExitReason.STOPPED, 0)
    assert lines(spec) == ["ready", "saved"]


def test_stop_kills_what_does_not_listen(bench: Bench, images: Images) -> None:
    spec = bench.spec(
        images.own, "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready'); time.sleep(60)"
    )
    bench.executor.start(spec)
    until(lambda: spec.log.exists() and "ready" in spec.log.read_text())
    bench.executor.stop(spec.run_id, 0.3)
    assert bench.executor.wait(spec.run_id, 20) == Exit(ExitReason.STOPPED, -signal.SIGKILL)


# --- what cannot start ------------------------------------------------------------------------------------------


def test_an_absent_image_names_its_remedies(bench: Bench) -> None:
    over = bench.run(bench.spec("nowhere/none:1"))
    assert over.reason is ExitReason.NOT_STARTED
    assert "nowhere/none:1" in over.detail and "docker pull" in over.detail


def test_an_absent_entry_point_is_said(bench: Bench, images: Images) -> None:
    over = bench.run(bench.spec(images.own, entrypoint=("nosuch",)))
    assert over.reason is ExitReason.NOT_STARTED and "no program nosuch" in over.detail


def test_a_program_for_another_machine_is_said(bench: Bench, images: Images) -> None:
    spec = bench.spec(images.own, entrypoint=("/opt/ml/program",))
    (spec.folder / "ml" / "program").write_bytes(b"\x7fELF garbage")
    (spec.folder / "ml" / "program").chmod(0o755)
    over = bench.run(spec)
    assert over.reason is ExitReason.NOT_STARTED and "not a program for this machine" in over.detail


def test_a_folder_that_the_engine_does_not_see_is_said(bench: Bench, images: Images) -> None:
    spec = bench.spec(images.own, "pass", mounts=(Mount(bench.folder / "absent", "/opt/ml"),))
    over = bench.run(spec)
    assert over.reason is ExitReason.NOT_STARTED and "does not see the folder" in over.detail


def test_a_container_that_somebody_removes_is_lost(bench: Bench, images: Images) -> None:
    spec = bench.spec(images.own, "import time; print('ready'); time.sleep(60)")
    bench.executor.start(spec)
    until(lambda: spec.log.exists() and "ready" in spec.log.read_text())
    Engine(find_nothing).client().containers.get(f"sagelet-{spec.run_id}").remove(force=True)
    over = bench.executor.wait(spec.run_id, 20)
    # The engine kills before it removes: which of the two the watch meets first is chance.
    assert over is not None and (over.reason is ExitReason.LOST or over.code == -signal.SIGKILL)


# --- serving and isolation --------------------------------------------------------------------------------------


def get(bench: Bench, run_id: str) -> bytes:
    address = bench.executor.address(run_id)
    assert address is not None
    if not address.socket:
        with urllib.request.urlopen(f"http://127.0.0.1:{address.port}/ping", timeout=5) as answer:
            return bytes(answer.read())
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(5)
        line.connect(address.socket)
        line.sendall(b"GET /ping HTTP/1.0\r\n\r\n")
        answer_bytes = b""
        while chunk := line.recv(4096):
            answer_bytes += chunk
    return answer_bytes.rpartition(b"\r\n")[2]


def answers(bench: Bench, run_id: str) -> bool:
    try:
        return get(bench, run_id) == b"pong"
    except OSError:
        return False


def test_a_server_is_reached_on_loopback_only(bench: Bench, images: Images) -> None:
    spec = bench.spec(images.own, SERVER, verb="serve")
    bench.executor.start(spec)
    until(lambda: answers(bench, spec.run_id))
    container = Engine(find_nothing).client().containers.get(f"sagelet-{spec.run_id}")
    published = container.attrs["NetworkSettings"]["Ports"]["8080/tcp"]
    assert {binding["HostIp"] for binding in published} == {"127.0.0.1"}
    bench.executor.stop(spec.run_id, 0)
    assert bench.executor.wait(spec.run_id, 20) is not None


@pytest.mark.parametrize("whose", ["own", "stranger"])
def test_a_server_without_a_network_is_reached_all_the_same(bench: Bench, images: Images, whose: str) -> None:
    spec = bench.spec(getattr(images, whose), SERVER, verb="serve", network=False)
    bench.executor.start(spec)
    until(lambda: answers(bench, spec.run_id))
    address = bench.executor.address(spec.run_id)
    assert address is not None and address.socket and not address.port
    bench.executor.stop(spec.run_id, 0)
    assert bench.executor.wait(spec.run_id, 20) is not None
    bench.executor.release(spec.run_id)
    assert not Path(address.socket).exists()


def test_isolation_means_no_network_at_all(bench: Bench, images: Images) -> None:
    spec = bench.spec(
        images.own,
        """
        import os, socket
        print(sorted(os.listdir("/sys/class/net")), socket.gethostbyname("algo-1"))
        """,
        network=False,
    )
    assert bench.run(spec).code == 0
    assert lines(spec) == ["['lo'] 127.0.0.1"]


# --- whose the files are ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("whose", ["own", "stranger"])
def test_no_file_is_left_that_belongs_to_somebody_else(tmp_path: Path, images: Images, whose: str) -> None:
    uid, gid = (1000, 1000) if os.getuid() == 0 else (os.getuid(), os.getgid())
    bench = Bench(tmp_path, Owner(uid, gid))
    spec = bench.spec(
        getattr(images, whose),
        """
        import os
        os.makedirs("/opt/ml/model/deep"); open("/opt/ml/model/deep/file", "w").close()
        os.symlink("/etc/passwd", "/opt/ml/model/link"); os.chmod("/opt/ml/model/deep", 0o700)
        """,
    )
    try:
        assert bench.run(spec) == Exit(ExitReason.EXITED, 0)
        left = [spec.folder / "ml", *(spec.folder / "ml").rglob("*")]
        assert len(left) == 5 and {(path.lstat().st_uid, path.lstat().st_gid) for path in left} == {(uid, gid)}
        assert Path("/etc/passwd").stat().st_uid == 0
    finally:
        bench.executor.release(spec.run_id)
        bench.executor.close()
    assert bench.containers() == []


# --- adoption ---------------------------------------------------------------------------------------------------

CHILD = """
import pickle, sys, time
from pathlib import Path
from types import SimpleNamespace
from emulator.executors.docker import DockerExecutor
from emulator.settings import Settings
spec = pickle.loads(Path(sys.argv[2]).read_bytes())
executor = DockerExecutor(Settings(data_dir=Path(sys.argv[1])), SimpleNamespace(find=lambda image: None))
executor.start(spec)
print("started", flush=True)
time.sleep(600)
"""


def killed_server(bench: Bench, spec: RunSpec, seen: str) -> None:
    """A server process starts `spec` and is killed when `seen` has reached the log."""
    import pickle

    packed = bench.folder / "spec.pickle"
    packed.write_bytes(pickle.dumps(spec))
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(bench.folder), str(packed)], cwd=ROOT)
    try:
        until(lambda: spec.log.exists() and seen in spec.log.read_text())
    finally:
        child.kill()
        child.wait()


COUNTING = "import time\nfor n in range(60): print('line', n); time.sleep(0.03)\nprint('end'); raise SystemExit(7)"


@pytest.mark.parametrize("over_meanwhile", [False, True])
def test_a_killed_server_s_run_is_adopted_with_every_line_once(
    bench: Bench, images: Images, over_meanwhile: bool
) -> None:
    spec = bench.spec(images.own, COUNTING)
    killed_server(bench, spec, "line 10")
    if over_meanwhile:
        until(lambda: container_is_over(spec))
    assert bench.executor.adopt(spec)
    assert bench.executor.wait(spec.run_id, 30) == Exit(ExitReason.EXITED, 7)
    assert lines(spec) == [*(f"line {n}" for n in range(60)), "end"]


def container_is_over(spec: RunSpec) -> bool:
    container = Engine(find_nothing).client().containers.get(f"sagelet-{spec.run_id}")
    return str(container.status) == "exited"


@pytest.mark.parametrize("network", [True, False])
def test_an_adopted_server_keeps_its_address(bench: Bench, images: Images, network: bool) -> None:
    spec = bench.spec(images.stranger, SERVER, verb="serve", network=network)
    first = bench.executor
    first.start(spec)
    until(lambda: answers(bench, spec.run_id))
    before = first.address(spec.run_id)
    first.close()
    bench.executor = bench.another()
    assert bench.executor.adopt(spec) and bench.executor.address(spec.run_id) == before
    assert answers(bench, spec.run_id)
    bench.executor.stop(spec.run_id, 0)
    over = bench.executor.wait(spec.run_id, 20)
    assert over is not None and over.reason is ExitReason.STOPPED


def test_two_servers_do_not_adopt_each_other_s_runs(bench: Bench, images: Images, tmp_path: Path) -> None:
    spec = bench.spec(images.own, "import time; time.sleep(60)")
    bench.executor.start(spec)
    other = DockerExecutor(Settings(data_dir=tmp_path / "other"), EMPTY)
    assert not other.adopt(spec)
    other.release(spec.run_id)
    other.close()
    assert bench.containers() == [f"sagelet-{spec.run_id}"]


def test_a_run_that_never_was_is_not_adopted_and_release_is_idempotent(bench: Bench, images: Images) -> None:
    spec = bench.spec(images.own, "pass")
    assert not bench.executor.adopt(spec)
    assert bench.run(spec).code == 0
    bench.executor.release(spec.run_id)
    bench.executor.release(spec.run_id)
    assert not bench.executor.adopt(spec) and bench.containers() == []
