"""What the process executor must withstand: killed servers, zygotes and supervisors, wild output, curious programs."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from emulator.executors.process import bubblewrap, state
from emulator.executors.process.executor import ProcessExecutor
from emulator.executors.process.request import Request
from emulator.executors.process.stamp import LONGEST_LINE, Stamper
from emulator.ports import Exit, ExitReason, RunSpec
from tests.contracts.executor_contract import until
from tests.executors.process_bench import Bench, descendants, opened, texts

PROGRAMS = """
import os, signal, socket, sys, time

def good(): print("fine"); return 0
def fails(): raise RuntimeError("too many trees")
def leaves(): sys.exit("no such channel")
def unfinished(): sys.stdout.write("no end of line"); return 0
def waits():
    print("ready"); time.sleep(60)
def looks():
    for expression in os.environ["LOOK"].split(";"):
        try: print(repr(eval(expression)))
        except OSError as error: print(type(error).__name__)
def shouts():
    for _ in range(64): os.write(1, (b"x" * 1023 + b"\\n") * 1024)
def mumbles():
    os.write(1, b"a\\xffb\\r\\n\\n" + b"y" * 600_000 + b"\\nend")
def seeds():
    import random, numpy
    print(random.random(), numpy.random.rand())
def seeds_of_torch():
    import torch
    print(torch.rand(1).item(), torch.randn(1).item())
def boosts():
    import numpy, xgboost
    data = xgboost.DMatrix(numpy.arange(2000.0).reshape(200, 10), numpy.arange(200) % 2)
    xgboost.train({"objective": "binary:logistic"}, data, 5)
    print("boosted", (numpy.ones((300, 300)) @ numpy.ones((300, 300)))[0, 0])
def serves():
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.environ["SAGEMAKER_BIND_TO_SOCKET"])
        server.listen()
        while True:
            connection, _ = server.accept()
            connection.sendall(b"hello")
            connection.close()
"""


def processes_of(folder: Path) -> list[str]:
    """Processes that work for a data directory: they have its log open, or it stands in their command."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            links = [str(link.readlink()) for link in (process / "fd").iterdir()]
            if process.name != str(os.getpid()) and any(link.startswith(str(folder)) for link in links):
                found.append(process.name)
    return found


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    yield from opened(tmp_path, PROGRAMS)


def sandboxed(executor: ProcessExecutor) -> None:
    if executor.sandbox() == "plain":
        pytest.skip("no sandbox works here")


# --- programs in Python


def test_a_python_program_ends_as_a_script_would(bench: Bench) -> None:
    executor = bench.open()
    ends = {name: bench.spec(name) for name in ("good", "fails", "leaves", "unfinished")}
    codes = {name: bench.run(executor, spec).code for name, spec in ends.items()}
    assert codes == {"good": 0, "fails": 1, "leaves": 1, "unfinished": 0}
    assert texts(ends["fails"])[0] == "Traceback (most recent call last):"
    assert texts(ends["fails"])[-1] == "RuntimeError: too many trees"
    assert not any("process/program.py" in line for line in texts(ends["fails"]))
    assert texts(ends["leaves"]) == ["no such channel"]
    assert texts(ends["unfinished"]) == ["no end of line"]


def test_a_program_that_cannot_be_imported_says_so_in_its_log(bench: Bench) -> None:
    bench.preload = ("no_such_library",)
    spec = bench.spec("no_such_function")
    assert bench.run(bench.open(), spec).code == 1
    assert "AttributeError" in texts(spec)[-1]


def test_the_libraries_work_in_every_fork(bench: Bench) -> None:
    bench.preload = ("numpy", "xgboost")
    executor = bench.open()
    for _ in range(2):
        spec = bench.spec("boosts")
        assert bench.run(executor, spec) == Exit(ExitReason.EXITED, 0), spec.log.read_text()
        assert texts(spec) == ["boosted 300.0"]


@pytest.mark.parametrize(("library", "program"), [("numpy", "seeds"), ("torch", "seeds_of_torch")])
def test_forks_draw_different_random_numbers(bench: Bench, library: str, program: str) -> None:
    pytest.importorskip(library)
    bench.preload = (library,)
    executor = bench.open()
    drawn = []
    for _ in range(2):
        spec = bench.spec(program)
        bench.run(executor, spec)
        drawn.append(texts(spec)[0].split())
    assert drawn[0][0] != drawn[1][0] and drawn[0][1] != drawn[1][1]


def test_a_fork_of_pytorch_computes_with_all_cores(bench: Bench) -> None:
    pytest.importorskip("torch")
    bench.preload = ("torch",)
    looks = ("'torch' in sys.modules", "__import__('torch').get_num_threads()")
    assert bench.look(bench.open(), *looks) == ["True", str(len(os.sched_getaffinity(0)))]


def test_a_family_that_starts_threads_is_not_forked_from(bench: Bench) -> None:
    start = "threading.Thread(target=time.sleep, args=(99,), daemon=True).start()"
    (bench.code / "threaded.py").write_text(f"import threading, time\n{start}\n")
    bench.preload = ("threaded",)
    before = descendants(os.getpid())
    executor = bench.open()
    for _ in range(2):
        assert bench.look(executor, "'threaded' in sys.modules") == ["False"]
    until(lambda: len(descendants(os.getpid()) - before) == 1)


def test_a_family_is_imported_before_its_runs_and_computes_with_all_cores(bench: Bench) -> None:
    bench.preload = ("numpy",)
    looks = ("'numpy' in sys.modules", "[p['num_threads'] for p in __import__('threadpoolctl').threadpool_info()]")
    executor = bench.open()
    assert bench.look(executor, *looks)[0] == "True"
    wanted = {"OMP_NUM_THREADS": "1"}
    every, one = bench.look(executor, *looks)[1], bench.look(executor, *looks, environment=wanted)[1]
    assert every == f"[{len(os.sched_getaffinity(0))}]" and one == "[1]"


def test_one_zygote_serves_a_family_and_starts_with_its_first_run(bench: Bench) -> None:
    before = descendants(os.getpid())
    executor = bench.open()
    assert descendants(os.getpid()) == before
    for _ in range(3):
        bench.run(executor, bench.spec("good"))
    until(lambda: len(descendants(os.getpid()) - before) == 1)


# --- output


def test_wild_output_stays_within_lines_and_memory(bench: Bench) -> None:
    executor = bench.open()
    spec = bench.spec("mumbles")
    bench.run(executor, spec)
    lines = texts(spec)
    assert lines[:2] == ["a\N{REPLACEMENT CHARACTER}b", ""] and lines[-1] == "end"
    assert [len(line) for line in lines[2:-1]] == [LONGEST_LINE, LONGEST_LINE, 600_000 - 2 * LONGEST_LINE]
    loud = bench.spec("shouts")
    assert bench.run(executor, loud).code == 0
    with loud.log.open() as log:
        assert sum(1 for line in log if re.fullmatch(r"\d{13} x{1023}\n", line)) == 64 * 1024
    loud.log.unlink()


def test_a_full_disk_costs_lines_and_tells_so() -> None:
    with Path("/dev/full").open("wb", buffering=0) as full:
        stamper = Stamper(full.fileno(), lambda: 1.0)
        stamper.feed(b"one\ntwo")
        stamper.close()
    assert stamper.lost == len("1000 one\n1000 two\n")


def test_a_line_after_a_torn_one_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, room = os.write, [6]

    def write(handle: int, data: Any) -> int:
        if not room:
            return real(handle, data)
        if not room[0]:
            room.clear()
            raise OSError(28, "No space left on device")
        done = real(handle, data[: room[0]])
        room[0] -= done
        return done

    with (tmp_path / "log").open("wb", buffering=0) as log:
        stamper = Stamper(log.fileno(), lambda: 1.0)
        monkeypatch.setattr(os, "write", write)
        stamper.feed(b"one\n")
        stamper.feed(b"two\n")
    assert (tmp_path / "log").read_text() == "1000 o\n1000 two\n"


# --- what a program sees


def test_a_program_sees_its_own_world_and_not_the_house(bench: Bench) -> None:
    (bench.folder / "work" / "other").mkdir(parents=True)
    (bench.folder / "house.db").touch()
    executor = bench.open()
    bench.run(executor, bench.spec("good"))
    sandboxed(executor)
    seen = bench.look(
        executor,
        f"os.listdir({str(bench.folder)!r}) if os.path.exists({str(bench.folder)!r}) else []",
        "os.listdir('/opt/ml')",
        "os.path.exists('/run/docker.sock')",
        "open('/etc/x', 'w')",
        "open('/x', 'w')",
        "open(os.path.join(os.path.dirname(__file__), 'x'), 'w')",
        "sorted(os.listdir('/tmp'))[-1], open('/tmp/x', 'w').name, open('/dev/shm/x', 'w').name",
        "socket.gethostname(), socket.gethostbyname('algo-1')",
        "len([p for p in os.listdir('/proc') if p.isdigit()]) < 5",
        "open('/proc/sys/kernel/hostname', 'w')",
    )
    assert seen[0] == "[]" and seen[1] == "[]" and seen[2] == "False"
    assert seen[3:6] == ["OSError"] * 3
    assert "/tmp/x" in seen[6] and "/dev/shm/x" in seen[6]
    assert seen[7:] == ["('algo-1', '127.0.0.1')", "True", "OSError"]
    assert not Path("/tmp/x").exists() and not Path("/dev/shm/x").exists()


@pytest.mark.parametrize("place", [Path.home(), Path("/var/tmp")], ids=str)
def test_the_data_directory_is_hidden_outside_of_tmp_too(bench: Bench, place: Path) -> None:
    home = place / f".sagelet-test-{os.getpid()}"
    bench.folder = home
    try:
        executor = bench.open()
        bench.run(executor, bench.spec("good"))
        sandboxed(executor)
        listed = f"os.listdir({str(home)!r}) if os.path.exists({str(home)!r}) else []"
        looks = (listed, f"open({str(home / 'x')!r}, 'w')", "os.listdir('/opt/ml')")
        seen = bench.look(executor, *looks)
        assert seen in (["[]", "OSError", "[]"], ["[]", "FileNotFoundError", "[]"])
    finally:
        subprocess.run(["rm", "-rf", str(home)], check=True)


def test_nothing_of_the_servers_files_or_environment_is_inherited(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-server")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        os.set_inheritable(listener.fileno(), True)
        seen = bench.look(
            bench.open(),
            "[os.readlink(f'/proc/self/fd/{n}').split(':')[0] for n in range(3)], len(os.listdir('/proc/self/fd'))",
            "'secret-of' in open('/proc/self/environ').read() or 'AWS_SECRET_ACCESS_KEY' in os.environ",
            "oct(os.umask(0o22)), os.getcwd() == os.environ['HOME'] == os.path.expanduser('~')",
            "signal.getsignal(signal.SIGTERM) == signal.SIG_DFL, signal.getsignal(signal.SIGCHLD) == signal.SIG_DFL",
        )
    assert seen == ["(['/dev/null', 'pipe', 'pipe'], 4)", "False", "('0o22', True)", "(True, True)"]


def test_without_a_network_there_is_only_the_own_loopback(bench: Bench) -> None:
    executor = bench.open()
    bench.run(executor, bench.spec("good"))
    sandboxed(executor)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        dial = f"socket.create_connection(('127.0.0.1', {listener.getsockname()[1]}), 2).close()"
        names, refused = bench.look(executor, "socket.if_nameindex()", dial, network=False)
        assert names == "[(1, 'lo')]" and refused == "ConnectionRefusedError"
        assert bench.look(executor, dial) == ["None"]


# --- servers


@pytest.mark.parametrize("deep", [False, True])
def test_a_model_server_is_reached_through_its_socket_however_deep_it_lies(bench: Bench, deep: bool) -> None:
    before = set(Path("/tmp").glob("sagelet-run-*"))
    if deep:
        bench.folder = bench.folder.joinpath(*["a-rather-long-name-of-a-folder"] * 4)
    executor = bench.open()
    spec = bench.spec("serves", verb="serve", network=False)
    executor.start(spec)
    address = executor.address(spec.run_id)
    assert address is not None and len(address.socket) < 108
    until(lambda: Path(address.socket).exists())
    with socket.socket(socket.AF_UNIX) as client:
        until(lambda: client.connect_ex(address.socket) == 0)
        assert client.recv(9) == b"hello"
    again = bench.open()
    assert again.adopt(spec) and again.address(spec.run_id) == address
    again.stop(spec.run_id, 5)
    over = again.wait(spec.run_id, 20)
    assert over is not None and over.reason is ExitReason.STOPPED
    again.release(spec.run_id)
    assert set(Path("/tmp").glob("sagelet-run-*")) == before


def test_a_train_run_has_no_address(bench: Bench) -> None:
    executor = bench.open()
    spec = bench.spec("good")
    bench.run(executor, spec)
    assert executor.address(spec.run_id) is None


# --- deaths

SERVER = """
import json, sys, time
from pathlib import Path
from types import SimpleNamespace
from emulator.executors.process.executor import ProcessExecutor
from emulator.ports import Mount, RunSpec
from emulator.settings import Settings
data, code = Path(sys.argv[1]), sys.argv[2]
more = {"serve": "", "run": "", "prepare": "", "preload": (), "commands": True, "bin": ""}
find = lambda image: SimpleNamespace(name=image, train=f"programs:{image}", **more)
executor = ProcessExecutor(Settings(data_dir=data), SimpleNamespace(find=find), "auto", (code,))
work = data / "work" / "run-1"
mounts = (Mount(work / "ml", "/opt/ml"),)
executor.start(RunSpec("run-1", "arn", "waits", "train", work, data / "logs" / "run-1", mounts=mounts))
print("started", flush=True)
time.sleep(99)
"""


def test_a_run_outlives_a_killed_server_and_its_zygotes_do_not(bench: Bench) -> None:
    spec = bench.spec("waits")
    command = [sys.executable, "-c", SERVER, str(bench.folder), str(bench.code)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None and server.stdout.readline() == "started\n"
        until(lambda: spec.log.exists() and "ready" in spec.log.read_text())
        children = [state.Process.of(pid) for pid in descendants(server.pid)]
        server.kill()
    supervisor = state.read_process(str(spec.folder / "process"))
    assert supervisor is not None
    until(lambda: sum(process.alive() for process in children) <= 3)
    assert supervisor.alive()
    executor = bench.open()
    assert executor.adopt(spec)
    executor.stop(spec.run_id, 5.0)
    assert executor.wait(spec.run_id, 20) == Exit(ExitReason.STOPPED, -signal.SIGTERM)
    until(lambda: not any(process.alive() for process in children))


def test_a_run_whose_supervisor_was_killed_is_lost_and_its_program_gone(bench: Bench) -> None:
    executor = bench.open()
    spec = bench.spec("waits")
    executor.start(spec)
    until(lambda: spec.log.exists() and "ready" in spec.log.read_text())
    supervisor = state.read_process(str(spec.folder / "process"))
    assert supervisor is not None
    family = [state.Process.of(pid) for pid in descendants(supervisor.pid)]
    assert family
    supervisor.send(signal.SIGKILL)
    over = executor.wait(spec.run_id, 20)
    assert over is not None and over.reason is ExitReason.LOST and "killed" in over.detail
    # Its end is seen when its files are closed, a moment before the kernel calls it dead.
    until(lambda: not any(process.alive() for process in (supervisor, *family)))
    assert not bench.open().adopt(spec)


def test_a_killed_zygote_is_replaced_and_its_runs_go_on(bench: Bench) -> None:
    before = descendants(os.getpid())
    executor = bench.open()
    bench.run(executor, bench.spec("good"))
    until(lambda: len(descendants(os.getpid()) - before) == 1)  # The supervisor, too, must have been reaped.
    (zygote,) = descendants(os.getpid()) - before
    waiting = bench.spec("waits")
    executor.start(waiting)
    os.kill(zygote, signal.SIGKILL)
    assert bench.run(executor, bench.spec("good")) == Exit(ExitReason.EXITED, 0)
    executor.stop(waiting.run_id, 5)
    over = executor.wait(waiting.run_id, 20)
    assert over is not None and over.reason is ExitReason.STOPPED


def test_a_pid_that_was_given_to_somebody_else_is_left_alone(bench: Bench) -> None:
    with subprocess.Popen(["sleep", "60"]) as stranger:
        now = state.Process.of(stranger.pid)
        assert now.alive()
        before = replace(now, start=str(int(now.start) - 1))
        assert not before.alive() and before.open() is None
        before.send(signal.SIGKILL)
        assert not replace(now, boot="another").alive()
        folder = bench.folder / "work" / "run-x" / "process"
        folder.mkdir(parents=True)
        state.write_process(str(folder), before)
        Request(folder=str(folder), log="", sandbox="plain", program="").save()
        spec = RunSpec("run-x", "arn", "good", "train", folder.parent, bench.folder / "log")
        assert not bench.open().adopt(spec)
        assert stranger.poll() is None
        stranger.kill()


def test_a_log_that_cannot_be_written_is_a_run_that_did_not_start(bench: Bench) -> None:
    bench.folder.mkdir()
    (bench.folder / "logs").write_text("a file where the folder should be")
    over = bench.run(bench.open(), bench.spec("good"))
    assert over.reason is ExitReason.NOT_STARTED and "logs" in over.detail


def test_a_forced_sandbox_that_does_not_work_is_not_started(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bubblewrap, "find", lambda: None)
    bench.sandbox = "bwrap"
    monkeypatch.setenv("PATH", "/nowhere")
    over = bench.run(bench.open(), bench.spec("good"))
    assert over.reason is ExitReason.NOT_STARTED and "apt install bubblewrap" in over.detail


FALLING_BACK = """
import sys
from pathlib import Path
from types import SimpleNamespace
from emulator.executors.process.executor import ProcessExecutor
from emulator.ports import Mount, RunSpec
from emulator.settings import Settings
data, code = Path(sys.argv[1]), sys.argv[2]
more = {"serve": "", "run": "", "prepare": "", "preload": (), "commands": True, "bin": ""}
find = lambda image: SimpleNamespace(name=image, train=f"programs:{image}", **more)
executor = ProcessExecutor(Settings(data_dir=data), SimpleNamespace(find=find), "auto", (code,))
work = data / "work" / "run-1"
executor.start(RunSpec("run-1", "arn", "good", "train", work, data / "log", mounts=(Mount(work / "ml", "/opt/ml"),)))
print(executor.wait("run-1", 30).code, executor.sandbox())
executor.release("run-1")
executor.close()
"""


@pytest.mark.skipif(not bubblewrap.find(), reason="bwrap is not installed")
@pytest.mark.parametrize(("weaker", "sandbox"), [((), "bwrap"), (("setpriv", "--bounding-set=-all"), "plain")])
def test_where_namespaces_are_refused_the_next_best_is_taken(
    bench: Bench, weaker: tuple[str, ...], sandbox: str
) -> None:
    """A user namespace that allows no further ones: there bwrap works by its capabilities, without them nothing."""
    bench.spec("good")
    inner = [*weaker, sys.executable, "-c", FALLING_BACK, str(bench.folder), str(bench.code)]
    shell = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
    refused = subprocess.run(["unshare", "-Ur", "sh", "-c", shell, "sh", "true"], capture_output=True)
    if refused.returncode:
        pytest.skip("no user namespace can be made here at all")
    ran = subprocess.run(["unshare", "-Ur", "sh", "-c", shell, "sh", *inner], capture_output=True, text=True)
    assert ran.stdout == f"0 {sandbox}\n", ran.stderr


# --- leaks


def traces() -> dict[str, object]:
    return {
        "processes": len(descendants(os.getpid())),
        "files": len(list(Path("/proc/self/fd").iterdir())),
        "threads": threading.active_count(),
        "mounts": len(Path("/proc/self/mountinfo").read_text().splitlines()),
        "temporary": sorted(p.name for p in Path("/tmp").glob("sagelet-run-*")),
    }


@pytest.mark.parametrize("sandbox", ["namespaces", "bwrap", "plain"])
def test_nothing_is_left_behind(bench: Bench, sandbox: str, sandboxes: Callable[[str], None]) -> None:
    sandboxes(sandbox)
    before = traces()
    bench.sandbox = sandbox
    executor = bench.open()
    for program in ("good", "fails", "good"):
        spec = bench.spec(program)
        bench.run(executor, spec)
        executor.release(spec.run_id)
        assert [p.name for p in spec.folder.iterdir()] == ["ml"]
    for verb in ("train", "serve"):
        spec = bench.spec("waits", verb=verb)
        executor.start(spec)
        executor.release(spec.run_id)
        assert [p.name for p in spec.folder.iterdir()] == ["ml"]
    executor.close()
    until(lambda: traces() == before)
    until(lambda: not processes_of(bench.folder))


@pytest.fixture
def sandboxes(bench: Bench) -> Callable[[str], None]:
    """Skip where a sandbox does not work."""

    def check(sandbox: str) -> None:
        bench.sandbox = sandbox
        executor = bench.open()
        over = bench.run(executor, bench.spec("good"))
        executor.release(f"run-{bench.count}")
        executor.close()
        if over.reason is ExitReason.NOT_STARTED:
            pytest.skip(f"{sandbox} does not work here: {over.detail}")

    return check


def test_stop_does_not_wait_for_the_grace(bench: Bench) -> None:
    executor = bench.open()
    spec = bench.spec("waits")
    executor.start(spec)
    until(lambda: spec.log.exists() and "ready" in spec.log.read_text())
    executor.stop(spec.run_id, 60)
    assert executor.wait(spec.run_id, 20) == Exit(ExitReason.STOPPED, -signal.SIGTERM)
