"""Programs that take too much: memory, log, disk; and ends that are easily lost."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.executors.process import kin, linux
from emulator.executors.process.shorten import Limit
from emulator.executors.process.stamp import Stamper
from emulator.logs import FileLogs, Tail
from emulator.logs.pages import backwards, forwards, page_after, page_before
from emulator.ports import Exit, ExitReason, Share
from tests.executors.process_bench import Bench, opened, texts

SANDBOXES = ("namespaces", "bwrap", "plain")

PROGRAMS = """
import mmap, os, sys, time

def shares():
    held = bytearray(os.urandom(1 << 20) * 60)
    for _ in range(4):
        if os.fork() == 0:
            time.sleep(1.5)
            os._exit(0)
    for _ in range(4): os.wait()
    print("done")
def eats():
    import subprocess, threading
    eater = "x = bytearray(b'x' * (150 << 20)); import time; print('full', flush=True); time.sleep(30)"
    thread = threading.Thread(target=subprocess.run, args=([sys.executable, "-c", eater],))
    thread.start()
    thread.join()
def maps():
    with open("/dev/shm/x", "wb") as file: file.truncate(300 << 20)
    with open("/opt/ml/big" if os.path.isdir("/opt/ml") else "big", "w+b") as file:
        file.truncate(300 << 20)
        seen = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        print(sum(seen[n] for n in range(0, len(seen), 4096)))
        time.sleep(1)
def computes():
    import subprocess, time
    subprocess.run([sys.executable, "-c", "import time\\nwhile time.process_time() < 0.3: pass"])
    while time.process_time() < 0.2: pass
def silent():
    os.close(1); os.close(2)
    time.sleep(0.3)
    sys.exit(7)
def leaves_137(): os._exit(137)
def shouts():
    for n in range(300): os.write(1, b"".join(b"%06d " % (n * 1000 + i) + b"x" * 992 + b"\\n" for i in range(1000)))
"""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    yield from opened(tmp_path, PROGRAMS)


def run_in(bench: Bench, sandbox: str, program: str, **members: object) -> tuple[Exit, list[str]]:
    bench.sandbox = sandbox
    spec = bench.spec(program, **members)
    over = bench.run(bench.open(), spec)
    if over.reason is ExitReason.NOT_STARTED:
        pytest.skip(over.detail)
    return over, texts(spec)


# --- memory


@pytest.mark.parametrize("sandbox", SANDBOXES)
def test_what_a_descendant_takes_counts(bench: Bench, sandbox: str) -> None:
    over, _ = run_in(bench, sandbox, "eats", share=Share(memory=100 << 20))
    assert (over.reason, over.code) == (ExitReason.EXITED, -9)
    assert over.detail == "The program used more memory than its host has (100 MiB)."


@pytest.mark.parametrize("sandbox", SANDBOXES)
def test_what_forks_share_counts_once(bench: Bench, sandbox: str) -> None:
    over, said = run_in(bench, sandbox, "shares", share=Share(memory=150 << 20))
    assert (over, said) == (Exit(ExitReason.EXITED, 0), ["done"])


def test_files_that_are_mapped_do_not_count(bench: Bench) -> None:
    over, said = run_in(bench, "namespaces", "maps", share=Share(memory=100 << 20))
    assert (over, said) == (Exit(ExitReason.EXITED, 0), ["0"])


@pytest.mark.parametrize("sandbox", SANDBOXES)
def test_what_a_run_has_computed_is_known_at_its_end(bench: Bench, sandbox: str) -> None:
    over, _ = run_in(bench, sandbox, "computes")
    assert over.code == 0
    used = bench.executors[-1].usage("run-1")
    assert used is not None and used.memory is None and 0.48 <= used.cpu_seconds < 2


@pytest.mark.parametrize("sandbox", SANDBOXES)
def test_what_forks_share_is_used_once(bench: Bench, sandbox: str) -> None:
    bench.sandbox = sandbox
    executor, spec = bench.open(), bench.spec("shares")
    executor.start(spec)
    most, end = 0, time.monotonic() + 30
    while (used := executor.usage(spec.run_id)) is None or used.memory is not None:
        most = max(most, used.memory or 0 if used else 0)
        assert time.monotonic() < end
        time.sleep(0.05)
    assert 60 << 20 <= most < 140 << 20


def test_sizes_in_words() -> None:
    assert [kin.in_words(n) for n in (8 << 30, 3 << 29, 100 << 20, 5)] == ["8 GiB", "1.5 GiB", "100 MiB", "5 bytes"]


# --- ends


@pytest.mark.parametrize("sandbox", SANDBOXES)
def test_a_program_that_closes_its_output_goes_on(bench: Bench, sandbox: str) -> None:
    assert run_in(bench, sandbox, "silent") == (Exit(ExitReason.EXITED, 7), [])


@pytest.mark.parametrize("sandbox", SANDBOXES)
def test_an_exit_status_of_137_is_told(bench: Bench, sandbox: str) -> None:
    over, _ = run_in(bench, sandbox, "leaves_137")
    # bwrap tells a signal as a shell does, so that it cannot be told from such a status.
    assert over == Exit(ExitReason.EXITED, -9 if sandbox == "bwrap" else 137)


FULL = """
import sys, time
from pathlib import Path
from types import SimpleNamespace
from emulator.executors.process.executor import ProcessExecutor
from emulator.ports import Mount, RunSpec
from emulator.settings import Settings
data = Path(sys.argv[1])
more = {"serve": "", "run": "", "prepare": "", "preload": (), "commands": True, "bin": ""}
find = lambda image: SimpleNamespace(name=image, train="a:b", **more)
executor = ProcessExecutor(Settings(data_dir=data), SimpleNamespace(find=find), sys.argv[2])
def spec(n, script):
    work = data / "work" / f"run-{n}"
    (work / "ml").mkdir(parents=True)
    mounts = (Mount(work / "ml", "/opt/ml"),)
    return RunSpec(f"run-{n}", "arn", "x", "run", work, data / f"log-{n}", mounts=mounts,
        entrypoint=("bash", "-c", script))
fill = spec(1, "cat /dev/zero > /opt/ml/x; echo full; head -c 3000000 /dev/zero | tr '\\\\0' x; sleep 0.5; exit 3")
waits = spec(2, "echo ready; sleep 60")
executor.start(waits)
while not waits.log.exists() or "ready" not in waits.log.read_text(): time.sleep(0.02)
executor.start(fill)
over = executor.wait("run-1", 60)
print(over.reason.value, over.code, "could not be written" in over.detail, flush=True)
executor.stop("run-2", 30.0)
over = executor.wait("run-2", 60)
print(over.reason.value, over.code, flush=True)
for n in (1, 2): executor.release(f"run-{n}")
executor.close()
"""


@pytest.mark.parametrize("sandbox", ["namespaces", "plain"])
def test_a_full_disk_loses_neither_the_program_nor_its_end_nor_a_stop(tmp_path: Path, sandbox: str) -> None:
    small = f'mount -t tmpfs -o size=4m none {tmp_path} && exec "$@"'
    command = ["unshare", "-Urm", "sh", "-c", small, "sh"]
    if subprocess.run([*command, "true"], capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    script = FULL if sandbox == "namespaces" else FULL.replace("/opt/ml/x", "$SAGEMAKER_BASE_DIR/x")
    ran = subprocess.run(
        [*command, sys.executable, "-c", script, str(tmp_path), sandbox], capture_output=True, text=True
    )
    assert ran.stdout == "exited 3 True\nstopped -15\n", ran.stderr


# --- an enormous log


def test_an_enormous_log_keeps_its_end_and_says_what_it_dropped(bench: Bench) -> None:
    bench.log_limit = 64
    spec = bench.spec("shouts")
    assert bench.run(bench.open(), spec) == Exit(ExitReason.EXITED, 0)
    facts = spec.log.stat()
    assert facts.st_size > 290 << 20
    if facts.st_blocks * 512 >= facts.st_size:
        pytest.skip("this file system makes no holes")
    assert facts.st_blocks * 512 <= 65 << 20
    placed = page_after(spec.log, 0, 3, 1 << 20).lines
    told = re.fullmatch(
        r"Sagelet dropped the first (\d+) lines of this log: it keeps the last 64 MiB \(SAGELET_LOG_LIMIT\)\.",
        placed[0].line.message,
    )
    assert told and placed[1].line.message.startswith(f"{int(told.group(1)):06d} ")
    (last,) = page_before(spec.log, facts.st_size, 1, 1 << 20).lines
    assert last.line.message.startswith("299999 ")


LIMIT = 4 * 65536


@pytest.fixture
def logs(tmp_path: Path) -> FileLogs:
    return FileLogs(tmp_path / "logs")


def write(logs: FileLogs, count: int, begin: int = 0) -> Path:
    """`count` numbered lines of 100 bytes, in a stream that keeps 256 KiB."""
    path = logs.path("g", "s")
    handle = os.open(path, os.O_WRONLY | os.O_APPEND)
    stamper = Stamper(handle, lambda: 1_700_000_000.0, Limit(str(path), LIMIT))
    for n in range(begin, begin + count, 10):
        stamper.feed(b"".join(b"%08d" % i + b"." * 77 + b"\n" for i in range(n, n + 10)))
    stamper.close()
    os.close(handle)
    return path


def test_lines_keep_their_numbers_and_bytes_when_the_first_are_dropped(logs: FileLogs) -> None:
    write(logs, 1000)
    assert [line.message[:8] for line in logs.read("g", "s", 990)] == [f"{n:08d}" for n in range(990, 1000)]
    for begin in range(1000, 20_000, 1000):
        path = write(logs, 1000, begin)
        wanted = [f"{n:08d}" for n in range(begin + 990, begin + 1000)]
        assert [line.message[:8] for line in logs.read("g", "s", begin + 990)] == wanted
    fresh = FileLogs(path.parent.parent)
    assert [line.message[:8] for line in fresh.read("g", "s", 19_990)] == [f"{n:08d}" for n in range(19_990, 20_000)]
    notice, first, *_ = fresh.read("g", "s")
    assert int(re.findall(r"first (\d+) lines", notice.message)[0]) == int(first.message[:8])
    assert path.stat().st_blocks * 512 <= LIMIT + 8192 < path.stat().st_size
    facts = logs.facts("g", "s")
    assert facts.first == facts.last == 1_700_000_000_000 and facts.size <= LIMIT


def test_every_reader_skips_what_was_dropped(logs: FileLogs) -> None:
    path = write(logs, 20_000)
    there = list(forwards(path))
    assert there == list(reversed(list(backwards(path, path.stat().st_size))))
    assert there[0].line.message.startswith("Sagelet dropped the first")
    assert [p.line.message[:8] for p in there[1:]] == [f"{n:08d}" for n in range(20_001 - len(there), 20_000)]
    for tail in (Tail(path), Tail(path, 1000)):
        read = []
        while lines := tail.read():
            read += lines
        assert [line.message for line in read] == [p.line.message for p in there]
    assert page_before(path, there[5].begin, 100, 1 << 20).lines == tuple(there[:5])
    assert page_before(path, there[0].begin, 100, 1 << 20).lines == ()


def test_a_reader_in_the_middle_goes_on_behind_what_is_dropped_meanwhile(logs: FileLogs) -> None:
    path = write(logs, 2000)
    walk = forwards(path)
    read = [next(walk).line.message[:8] for _ in range(1000)]
    write(logs, 18_000, 2000)
    read += [placed.line.message[:8] for placed in walk]
    assert read[:1000] == [f"{n:08d}" for n in range(1000)] and read[-1] == "00019999"
    assert all(re.fullmatch(r"\d{8}|Sagelet ", text) for text in read[1700:])


def test_where_no_holes_can_be_made_the_rest_is_dropped_and_that_is_told(
    logs: FileLogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(linux, "punch_hole", refuse)
    path = write(logs, 20_000)
    *_, last = logs.read("g", "s")
    assert last.message.startswith("Sagelet drops what follows") and "Operation not supported" in last.message
    assert path.stat().st_size <= LIMIT + 4096


def test_a_program_goes_before_the_server_when_the_machine_is_out_of_memory(bench: Bench) -> None:
    spec = bench.spec("any", entrypoint=("cat", "/proc/self/oom_score_adj"))
    assert bench.run(bench.open(), spec).code == 0
    assert texts(spec) == ["500"]
