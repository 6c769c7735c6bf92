"""What every executor owes the engines (`emulator.ports.Executor`), as a class that each adapter's tests inherit.

An adapter gives two fixtures and, where it cannot show a behaviour, says so in a class attribute:

    class TestMine(ExecutorContract):
        @pytest.fixture
        def reopen(self, tmp_path):        # () -> Executor: opens one; called again: the next server
        @pytest.fixture
        def describe(self, tmp_path):      # (Program, **RunSpec members) -> RunSpec that behaves as the Program says
"""

from __future__ import annotations

import re
import shlex
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from emulator.ports import Cluster, Executor, Exit, ExitReason, Mount, RunSpec, Share

LINE = re.compile(r"^(\d{13}) (.*)$")


@dataclass(frozen=True)
class Program:
    """What the program under test does, in this order. `as_shell` gives it as a POSIX shell script."""

    say: tuple[str, ...] = ()
    show: tuple[str, ...] = ()
    """Environment variables to print as `NAME=value`; unset ones as `NAME-`."""
    read: str = ""
    """A file to print."""
    write: str = ""
    """A file to write `written` into; prints `refused` when that is impossible."""
    on_term: str = "die"
    """`die`, `ignore`, or `tidy` (print `tidied`, exit 7)."""
    linger: float = 0.0
    """Seconds to go on; prints `ready` first."""
    orphan: str = ""
    """A file that a background process of the program would write after one second."""
    code: int = 0
    signal: int = 0
    """Kill itself with this signal instead of an exit."""


def as_shell(program: Program) -> str:
    """The program as a script for /bin/sh."""
    lines = [f"echo {shlex.quote(text)}" for text in program.say]
    for name in program.show:
        lines.append(f'if [ -n "${{{name}+x}}" ]; then echo "{name}=${{{name}}}"; else echo "{name}-"; fi')
    if program.read:
        lines.append(f"cat {shlex.quote(program.read)}")
    if program.write:
        lines.append(f"(echo written > {shlex.quote(program.write)}) 2>/dev/null || echo refused")
    if program.orphan:
        lines.append(f"(trap '' TERM; sleep 1; echo left > {shlex.quote(program.orphan)}) > /dev/null 2>&1 &")
    lines += {"ignore": ["trap '' TERM"], "tidy": ["trap 'echo tidied; exit 7' TERM"]}.get(program.on_term, [])
    if program.linger:
        lines += ["echo ready", f"n=0; while [ $n -lt {int(program.linger * 20)} ]; do sleep 0.05; n=$((n+1)); done"]
    lines.append(f"kill -{program.signal} $$" if program.signal else f"exit {program.code}")
    return "\n".join(lines)


Describe = Callable[..., RunSpec]
FOR_EVER = 60.0


@dataclass
class Opened:
    """An executor that can be closed and opened again, as a server that is restarted."""

    open: Callable[[], Executor]
    now: Executor = field(init=False)
    started: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.now = self.open()

    def start(self, spec: RunSpec) -> str:
        self.started.append(spec.run_id)
        self.now.start(spec)
        return spec.run_id

    def restart(self) -> Executor:
        self.now.close()
        self.now = self.open()
        return self.now

    def end(self) -> None:
        for run_id in self.started:
            self.now.release(run_id)
        self.now.close()


def texts(spec: RunSpec) -> list[str]:
    """The log's messages; every line must have the format of a log stream."""
    found = [LINE.match(line) for line in spec.log.read_text(encoding="utf-8").splitlines()]
    assert all(found), spec.log.read_text(encoding="utf-8")
    return [match.group(2) for match in found if match]


def until(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    """Wait for something that another process does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.01)


def said(spec: RunSpec, text: str) -> Callable[[], bool]:
    """Whether the program has printed `text`."""
    return lambda: spec.log.exists() and f" {text}\n" in spec.log.read_text(encoding="utf-8")


class ExecutorContract:
    """Inherit, give the fixtures `reopen` and `describe`."""

    runs_programs = True
    """False for the stub: no environment, no mounts, no processes."""
    survives = True
    """False where nothing is left of a run when the server ends."""
    isolates = True
    """False where a read-only mount can be written and processes are only ended by their kinship."""
    runs_commands = False
    """Whether an entry point and arguments of the caller's are executed."""
    clusters = False
    """Whether several hosts find each other by name."""
    isolates_clusters = True
    """Whether they do so also without a network, on one of their own."""
    limits_memory = False
    """Whether a program that takes more memory than its share is ended, and told so."""
    shows_endpoint = False
    """Whether a program finds the house in AWS_ENDPOINT_URL, unless it has no network."""
    measures = True
    """Whether it knows what a run uses."""
    patience = 30.0

    @pytest.fixture
    def executor(self, reopen: Callable[[], Executor]) -> Iterator[Opened]:
        opened = Opened(reopen)
        yield opened
        opened.end()

    def finish(self, executor: Opened, spec: RunSpec) -> Exit:
        over = executor.now.wait(executor.start(spec), self.patience)
        assert over is not None, "still running"
        return over

    # --- start and end

    def test_a_program_that_returns_ends_with_its_exit_status(self, executor: Opened, describe: Describe) -> None:
        assert self.finish(executor, describe(Program())) == Exit(ExitReason.EXITED, 0)

    def test_the_exit_status_of_a_failure_is_told(self, executor: Opened, describe: Describe) -> None:
        over = self.finish(executor, describe(Program(code=3)))
        assert (over.reason, over.code) == (ExitReason.EXITED, 3)

    def test_a_program_killed_by_a_signal_has_its_negative_number(self, executor: Opened, describe: Describe) -> None:
        over = self.finish(executor, describe(Program(signal=9)))
        assert (over.reason, over.code) == (ExitReason.EXITED, -9)

    def test_two_runs_do_not_disturb_each_other(self, executor: Opened, describe: Describe) -> None:
        one, two = describe(Program(say=("one",), code=1)), describe(Program(say=("two",), code=2))
        for spec in (one, two):
            executor.start(spec)
        ends = [executor.now.wait(spec.run_id, self.patience) for spec in (one, two)]
        assert [over.code for over in ends if over] == [1, 2]
        assert "one" in texts(one) and "two" not in texts(one)

    def test_wait_gives_up_after_its_timeout(self, executor: Opened, describe: Describe) -> None:
        run_id = executor.start(describe(Program(linger=FOR_EVER)))
        assert executor.now.wait(run_id, 0.05) is None
        assert executor.now.wait(run_id, 0) is None

    def test_the_end_is_told_exactly_once(self, executor: Opened, describe: Describe) -> None:
        run_id = executor.start(describe(Program(linger=0.2, code=4)))
        seen: list[Exit | None] = []
        waiters = [
            threading.Thread(target=lambda: seen.append(executor.now.wait(run_id, self.patience))) for _ in range(3)
        ]
        for waiter in waiters:
            waiter.start()
        for waiter in waiters:
            waiter.join()
        assert [over.code for over in seen if over] == [4]
        assert executor.now.wait(run_id, 0) is None

    def test_of_a_run_that_nobody_knows_there_is_no_end(self, executor: Opened) -> None:
        assert executor.now.wait("never-started", 0.05) is None

    def test_it_takes_what_it_describes(self, executor: Opened, describe: Describe) -> None:
        assert executor.now.refusal(describe(Program())) == ""

    # --- stop

    def test_stop_is_a_sigterm_that_the_program_may_use(self, executor: Opened, describe: Describe) -> None:
        spec = describe(Program(on_term="tidy", linger=FOR_EVER))
        run_id = executor.start(spec)
        until(said(spec, "ready"))
        before = time.monotonic()
        executor.now.stop(run_id, 30.0)
        assert time.monotonic() - before < 15.0, "stop must not wait"
        assert executor.now.wait(run_id, self.patience) == Exit(ExitReason.STOPPED, 7)
        assert texts(spec)[-1] == "tidied"

    def test_a_program_that_ignores_sigterm_is_killed_after_the_grace(
        self, executor: Opened, describe: Describe
    ) -> None:
        spec = describe(Program(on_term="ignore", linger=FOR_EVER))
        run_id = executor.start(spec)
        until(said(spec, "ready"))
        began = time.monotonic()
        executor.now.stop(run_id, 1.0)
        assert executor.now.wait(run_id, 0.5) is None, "killed before the grace was over"
        over = executor.now.wait(run_id, self.patience)
        assert over == Exit(ExitReason.STOPPED, -9)
        assert time.monotonic() - began < 30.0

    def test_stop_right_after_start_is_not_lost(self, executor: Opened, describe: Describe) -> None:
        run_id = executor.start(describe(Program(linger=FOR_EVER)))
        executor.now.stop(run_id, 1.0)
        over = executor.now.wait(run_id, self.patience)
        assert over is not None and over.reason is ExitReason.STOPPED

    def test_stop_of_what_is_over_or_unknown_does_nothing(self, executor: Opened, describe: Describe) -> None:
        spec = describe(Program(say=("last",), code=2))
        executor.start(spec)
        until(said(spec, "last"))
        time.sleep(0.3)
        executor.now.stop(spec.run_id, 0.0)
        executor.now.stop("never-started", 0.0)
        over = executor.now.wait(spec.run_id, self.patience)
        assert over is not None and over.code == 2

    # --- log

    def test_what_the_program_prints_is_in_the_log(self, executor: Opened, describe: Describe) -> None:
        spec = describe(Program(say=("first", "zweite Größe", "  third ")))
        began = int(time.time() * 1000)
        self.finish(executor, spec)
        assert texts(spec)[-3:] == ["first", "zweite Größe", "  third "]
        stamps = [int(line.split(" ")[0]) for line in spec.log.read_text(encoding="utf-8").splitlines()[-3:]]
        assert stamps == sorted(stamps)
        assert began - 1000 <= stamps[0] <= time.time() * 1000 + 1000

    def test_the_log_can_be_read_while_the_program_runs(self, executor: Opened, describe: Describe) -> None:
        spec = describe(Program(say=("early",), linger=FOR_EVER))
        run_id = executor.start(spec)
        until(said(spec, "early"))
        assert executor.now.wait(run_id, 0) is None

    def test_lines_that_were_in_the_log_stay(self, executor: Opened, describe: Describe) -> None:
        spec = describe(Program(say=("mine",)))
        spec.log.parent.mkdir(parents=True, exist_ok=True)
        spec.log.write_text("1700000000000 before\n")
        self.finish(executor, spec)
        assert texts(spec)[0] == "before" and texts(spec)[-1] == "mine"

    # --- what the program sees

    def test_the_environment_is_what_the_spec_says(
        self, executor: Opened, describe: Describe, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.needs(self.runs_programs)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of the server")
        monkeypatch.setenv("OF_THE_SERVER", "too")
        shown = ("GIVEN", "EMPTY", "AWS_SECRET_ACCESS_KEY", "OF_THE_SERVER")
        spec = describe(Program(show=shown), environment={"GIVEN": "a b=c 'd'", "EMPTY": ""})
        executor.restart()  # An executor that was opened in this very environment.
        self.finish(executor, spec)
        assert texts(spec)[-4:] == ["GIVEN=a b=c 'd'", "EMPTY=", "AWS_SECRET_ACCESS_KEY-", "OF_THE_SERVER-"]

    def test_mounts_are_seen_and_written(self, executor: Opened, describe: Describe, tmp_path: Path) -> None:
        self.needs(self.runs_programs and self.isolates)
        (tmp_path / "ml").mkdir()
        (tmp_path / "ml" / "data").write_text("seen\n")
        mounts = (Mount(tmp_path / "ml", "/opt/ml"),)
        spec = describe(Program(read="/opt/ml/data", write="/opt/ml/result"), mounts=mounts)
        self.finish(executor, spec)
        assert texts(spec)[-1] == "seen"
        assert (tmp_path / "ml" / "result").read_text() == "written\n"
        assert (tmp_path / "ml" / "result").stat().st_uid == tmp_path.stat().st_uid

    def test_a_read_only_mount_cannot_be_written(self, executor: Opened, describe: Describe, tmp_path: Path) -> None:
        self.needs(self.runs_programs and self.isolates)
        for name in ("ml", "data"):
            (tmp_path / name).mkdir()
        mounts = (Mount(tmp_path / "ml", "/opt/ml"), Mount(tmp_path / "data", "/opt/ml/input/data/train", True))
        spec = describe(Program(write="/opt/ml/input/data/train/x"), mounts=mounts)
        self.finish(executor, spec)
        assert texts(spec)[-1] == "refused"
        assert not list((tmp_path / "data").iterdir())

    # --- commands of the caller's

    def test_a_command_is_executed_with_its_arguments(self, executor: Opened, describe: Describe) -> None:
        self.needs(self.runs_commands)
        script = 'echo "$0|$1|$GIVEN"; exit 5'
        command = {"entrypoint": ("/bin/sh", "-c"), "arguments": (script, "zero", "o n e")}
        spec = describe(Program(), verb="run", environment={"GIVEN": "x"}, **command)
        assert executor.now.refusal(spec) == ""
        assert self.finish(executor, spec) == Exit(ExitReason.EXITED, 5)
        assert texts(spec)[-1] == "zero|o n e|x"

    def test_a_command_is_looked_for_on_path(self, executor: Opened, describe: Describe) -> None:
        self.needs(self.runs_commands)
        spec = describe(Program(), entrypoint=("sh", "-c", "echo found"))
        assert self.finish(executor, spec).code == 0
        assert texts(spec)[-1] == "found"

    @pytest.mark.parametrize("program", ["no-such-program", "/opt/no/such/program"])
    def test_a_command_that_is_not_there_was_not_started(
        self, executor: Opened, describe: Describe, program: str
    ) -> None:
        self.needs(self.runs_commands)
        over = self.finish(executor, describe(Program(), entrypoint=(program, "x")))
        assert over.reason is ExitReason.NOT_STARTED and program in over.detail

    def test_a_command_that_may_not_be_executed_was_not_started(
        self, executor: Opened, describe: Describe, tmp_path: Path
    ) -> None:
        self.needs(self.runs_commands)
        (tmp_path / "ml").mkdir()
        (tmp_path / "ml" / "job.sh").write_text("#!/bin/sh\necho hello\n")
        mounts = (Mount(tmp_path / "ml", "/opt/ml"),)
        over = self.finish(executor, describe(Program(), mounts=mounts, entrypoint=("/opt/ml/job.sh",)))
        assert over.reason is ExitReason.NOT_STARTED and "job.sh" in over.detail
        spec = describe(Program(), mounts=mounts, entrypoint=("/bin/sh", "/opt/ml/job.sh"))
        assert self.finish(executor, spec).code == 0
        assert texts(spec)[-1] == "hello"

    def test_a_command_is_stopped_like_a_program(self, executor: Opened, describe: Describe) -> None:
        self.needs(self.runs_commands)
        script = as_shell(Program(on_term="tidy", linger=FOR_EVER))
        spec = describe(Program(), entrypoint=("/bin/sh", "-c", script))
        run_id = executor.start(spec)
        until(said(spec, "ready"))
        executor.now.stop(run_id, 30.0)
        assert executor.now.wait(run_id, self.patience) == Exit(ExitReason.STOPPED, 7)

    # --- several hosts, the share of the machine, the way back to the house

    @pytest.mark.parametrize("network", [True, False])
    def test_the_hosts_of_a_job_find_each_other_by_name(
        self, executor: Opened, describe: Describe, network: bool
    ) -> None:
        self.needs(self.clusters and (network or self.isolates_clusters))
        cluster = Cluster(f"job-{network}-{time.time_ns()}", ("algo-1", "algo-2"))
        look = 'for h in algo-1 algo-2; do getent hosts $h | head -n 1 | tr -s " " " "; done; hostname; sleep 1'
        specs = [
            describe(Program(), entrypoint=("sh", "-c", look), cluster=cluster, hostname=host, network=network)
            for host in cluster.hosts
        ]
        for spec in specs:
            assert executor.now.refusal(spec) == ""
            executor.start(spec)
        for spec in specs:
            assert executor.now.wait(spec.run_id, self.patience) == Exit(ExitReason.EXITED, 0)
        one, two = (texts(spec)[-3:] for spec in specs)
        assert (one[2], two[2]) == ("algo-1", "algo-2")
        assert one[:2] == two[:2]
        first, second = (line.split() for line in one[:2])
        assert first[0] != second[0] and "algo-1" in first[1:] and "algo-2" in second[1:]

    def test_a_program_that_takes_more_memory_than_its_share_is_ended(
        self, executor: Opened, describe: Describe
    ) -> None:
        self.needs(self.limits_memory)
        eat = "echo ready; x=$(head -c 250000000 /dev/zero | tr '\\0' x); sleep 30; echo $x | wc -c"
        spec = describe(Program(), entrypoint=("sh", "-c", eat), share=Share(memory=100 << 20))
        over = self.finish(executor, spec)
        assert (over.reason, over.code) == (ExitReason.EXITED, -9)
        assert "memory" in over.detail and "100 MiB" in over.detail

    def test_a_program_within_its_share_is_left_alone(self, executor: Opened, describe: Describe) -> None:
        self.needs(self.limits_memory)
        spec = describe(Program(linger=1.0, code=3), share=Share(cpus=1, memory=100 << 20))
        assert self.finish(executor, spec) == Exit(ExitReason.EXITED, 3)

    def test_a_program_finds_the_house_unless_it_has_no_network(self, executor: Opened, describe: Describe) -> None:
        self.needs(self.shows_endpoint)
        keys = {"AWS_ACCESS_KEY_ID": "ASIA1", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t", "OTHER": "o"}
        program = Program(show=("AWS_ENDPOINT_URL", *keys))
        open_, shut, own = (
            describe(program, endpoint="http://127.0.0.1:4577", environment={**keys, **more}, network=network)
            for network, more in ((True, {}), (False, {}), (True, {"AWS_ENDPOINT_URL": "http://mine"}))
        )
        for spec in (open_, shut, own):
            assert self.finish(executor, spec).code == 0
        given = [f"{name}={value}" for name, value in keys.items()]
        assert re.match(r"AWS_ENDPOINT_URL=http://\S+:\d+$", texts(open_)[-5]) and texts(open_)[-4:] == given
        assert texts(own)[-5:] == ["AWS_ENDPOINT_URL=http://mine", *given]
        assert texts(shut)[-5:] == ["AWS_ENDPOINT_URL-", *(f"{name}-" for name in list(keys)[:3]), "OTHER=o"]

    def test_what_a_run_uses_is_measured_for_one_that_was_adopted_too(
        self, executor: Opened, describe: Describe
    ) -> None:
        self.needs(self.measures and self.runs_commands)
        hold = "x=$(head -c 20000000 /dev/zero | tr '\\0' x); echo ready; sleep 60; echo $x | wc -c"
        spec = describe(Program(), entrypoint=("sh", "-c", hold))
        executor.start(spec)
        until(said(spec, "ready"))
        first = executor.now.usage(spec.run_id)
        assert first is not None and first.memory is not None and 20e6 < first.memory < 200e6
        assert 0.005 < first.cpu_seconds < 30
        assert executor.restart().adopt(spec)
        again = executor.now.usage(spec.run_id)
        assert again is not None and again.memory is not None and again.memory > 20e6
        assert again.cpu_seconds >= first.cpu_seconds
        executor.now.stop(spec.run_id, 0.0)
        assert executor.now.wait(spec.run_id, self.patience) is not None
        last = executor.now.usage(spec.run_id)
        assert last is None or (last.memory is None and last.cpu_seconds >= again.cpu_seconds - 0.02)

    def test_what_an_unknown_run_uses_is_not_known(self, executor: Opened, describe: Describe) -> None:
        assert executor.now.usage("nobody") is None
        if not self.measures:
            assert executor.now.usage(executor.start(describe(Program(linger=0.1)))) is None

    # --- restarts

    def test_a_run_goes_on_without_the_server_and_is_adopted(self, executor: Opened, describe: Describe) -> None:
        self.needs(self.survives)
        spec = describe(Program(say=("begun",), linger=1.0, code=5))
        executor.start(spec)
        until(said(spec, "begun"))
        assert executor.restart().adopt(spec)
        assert executor.now.wait(spec.run_id, 0) is None
        assert executor.now.wait(spec.run_id, self.patience) == Exit(ExitReason.EXITED, 5)
        assert texts(spec).count("begun") == 1

    def test_an_adopted_run_can_be_stopped(self, executor: Opened, describe: Describe) -> None:
        self.needs(self.survives)
        spec = describe(Program(on_term="tidy", linger=FOR_EVER))
        executor.start(spec)
        until(said(spec, "ready"))
        assert executor.restart().adopt(spec)
        executor.now.stop(spec.run_id, 30.0)
        assert executor.now.wait(spec.run_id, self.patience) == Exit(ExitReason.STOPPED, 7)

    def test_a_run_that_ended_meanwhile_is_judged_afterwards(self, executor: Opened, describe: Describe) -> None:
        self.needs(self.survives)
        spec = describe(Program(say=("last",), linger=0.3, code=6))
        executor.start(spec)
        executor.now.close()
        until(said(spec, "ready"))
        time.sleep(1.0)
        executor.now = executor.open()
        assert executor.now.adopt(spec)
        assert executor.now.wait(spec.run_id, self.patience) == Exit(ExitReason.EXITED, 6)
        assert "last" in texts(spec)

    def test_what_was_never_started_is_not_adopted(self, executor: Opened, describe: Describe) -> None:
        assert not executor.now.adopt(describe(Program()))

    def test_a_released_run_is_not_adopted(self, executor: Opened, describe: Describe) -> None:
        spec = describe(Program())
        self.finish(executor, spec)
        executor.now.release(spec.run_id)
        assert not executor.now.adopt(spec)
        assert not executor.restart().adopt(spec)

    # --- what is left

    def test_release_may_be_called_again(self, executor: Opened, describe: Describe) -> None:
        spec = describe(Program())
        self.finish(executor, spec)
        for _ in range(2):
            executor.now.release(spec.run_id)
        executor.now.release("never-started")

    def test_nothing_of_a_run_outlives_it(self, executor: Opened, describe: Describe, tmp_path: Path) -> None:
        self.needs(self.runs_programs and self.isolates)
        (tmp_path / "ml").mkdir()
        spec = describe(Program(orphan="/opt/ml/left"), mounts=(Mount(tmp_path / "ml", "/opt/ml"),))
        self.finish(executor, spec)
        time.sleep(1.3)
        assert not (tmp_path / "ml" / "left").exists()

    def test_close_ends_a_waiter(self, executor: Opened, describe: Describe) -> None:
        run_id = executor.start(describe(Program(linger=FOR_EVER)))
        waiter = threading.Thread(target=executor.now.wait, args=(run_id,), daemon=True)
        waiter.start()
        closing = executor.now
        closing.close()
        waiter.join(10)
        assert not waiter.is_alive()
        executor.now = executor.open()
        executor.now.adopt(self.spec_of(describe, run_id))

    def spec_of(self, describe: Describe, run_id: str) -> RunSpec:
        """The spec of a run that was described before (so that the clean-up finds it)."""
        return describe(Program(linger=FOR_EVER), run_id=run_id)

    def needs(self, ability: bool) -> None:
        """Skip what this adapter says it does not do."""
        if not ability:
            pytest.skip("this executor does not promise that")
