"""Interprets the job lifecycle: one transaction per step; each job that is under way has one thread of its own, those
that wait have none (who may start, the scheduler says); results come back as events.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

from emulator.call import Extent, Scope
from emulator.errors import CallerFault, HouseFault
from emulator.jobs import lifecycle as life
from emulator.jobs import machine, scheduler
from emulator.jobs.deadlines import Deadlines
from emulator.jobs.leftovers import sweep
from emulator.jobs.lifecycle import INTERNAL
from emulator.jobs.recipes import RECIPES, load
from emulator.jobs.recipes.recipe import JobBroken, Recipe, Tools
from emulator.jobs.record import NOTHING, Face, JobRef, News, job_of, reference, settled, written
from emulator.jobs.transitions import step
from emulator.jobs.trouble import JobTrouble
from emulator.store.records import Record

log = logging.getLogger(__name__)

UNSETTLED = ("InProgress", "Stopping")
RETRY_SECONDS = (0.1, 0.5, 1.0, 5.0)
"""Pauses between attempts to write a step down when the store cannot (a full disk); the last one repeats."""


class _Worker:
    """The thread of one job: does the blocking effects in the order in which they come."""

    def __init__(self, ref: JobRef, recipe: Recipe, closing: threading.Event) -> None:
        self.ref = ref
        self.recipe = recipe
        self.closing = closing
        """Set when the job is to be let go of."""
        self.effects: queue.SimpleQueue[life.Effect | None] = queue.SimpleQueue()
        self.thread: threading.Thread | None = None
        self.leaving = False
        """Whether it does nothing more: what comes next is for another one."""


class JobEngine:
    """Brings every job from its acceptance to its end, across restarts of the house."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._recipes: dict[str, tuple[Callable[..., Recipe], Face]] = {}
        self._workers: dict[JobRef, _Worker] = {}
        self._machine = machine.measured(tools.settings)
        self._line: scheduler.Line[JobRef] = scheduler.Line(
            scheduler.room(self._machine, tools.settings), scheduler.at_once(self._machine, tools.settings)
        )
        self._deadlines = Deadlines(tools.clock)
        self._trouble = JobTrouble(tools)
        self._adopted: dict[JobRef, tuple[Recipe, threading.Event]] = {}
        self._changed = threading.Condition()

    # --- asked by behaviours ------------------------------------------------------------------------------------

    def submit(self, record: Record) -> None:
        """Begin with a job whose record was just created (phase QUEUED in `hidden`)."""
        self._line_up(reference(record), record)

    def request_stop(self, kind: str, scope: Scope, name: str) -> None:
        """End a job; nothing happens when it is over. Its status is `Stopping` (or `Stopped`) on return."""
        self._post(JobRef(kind, scope, name), life.StopRequested())

    def recover(self) -> None:
        """After a start: compare every job that is not over with what its executor has of it, and go on.

        The oldest come first, of whatever kind they are: those that wait keep their places.
        """
        under_way = [r for _, noun, _, _ in RECIPES for r in self._tools.records.unsettled(noun, UNSETTLED)]
        for record in sorted(under_way, key=lambda record: record.created):
            self._resume(record)
        runs = frozenset(record.hidden["run_id"] for record in under_way)
        sweep(self._tools, runs)
        self._tools.pools.recover(runs)

    def keep_warm(self, record: Record, seconds: int) -> bool:
        """Let the warm pool that a finished training job has left wait so long; False when it has left none."""
        return self._tools.pools.keep(record, seconds)

    def idle(self, timeout: float | None = None) -> bool:
        """Block until no job is under way; False when `timeout` seconds passed first."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._workers and not self._line, timeout)

    def close(self, end_runs: bool = True) -> None:
        """Stop working and end what runs, so that no process is left behind; the next start settles those jobs.

        Without `end_runs` programs go on, as when the server is killed, and the next start adopts them.
        Call it before the executors are closed.
        """
        self._tools.closing.set()
        self._tools.pools.close()
        with self._changed:
            workers = list(self._workers.values())
            self._line.clear()
        self._deadlines.clear()
        for worker in workers:
            _let_go(worker)
        for worker in workers:
            if worker.thread is not None:
                worker.thread.join(10.0)
            if end_runs:
                self._end_run(worker)

    def forget(self, extent: Extent) -> None:
        """End all jobs of a part of the house at once and without a trace: nothing is saved, and nothing written down.
        Their records are the caller's to delete, who calls again then: a job may have been begun in between."""
        self._tools.pools.forget(extent)
        with self._changed:
            workers = [worker for ref, worker in self._workers.items() if extent.covers(ref.scope)]
            self._line.forget(lambda ref: extent.covers(ref.scope))
        self._deadlines.forget(lambda ref: extent.covers(ref.scope))
        for worker in workers:
            _let_go(worker)
            self._release(worker)  # ends the program, which its thread may wait for
        for worker in workers:
            if worker.thread is not None:
                worker.thread.join(10.0)
            self._release(worker)  # what the thread has made meanwhile

    def _end_run(self, worker: _Worker) -> None:
        """End a program that runs. Outputs that wait for being saved stay where the next start finds them."""
        record = self._tools.records.find(worker.ref.kind, worker.ref.scope, worker.ref.name)
        if record is None or job_of(record).phase not in (life.Phase.LAUNCHING, life.Phase.RUNNING):
            return
        self._release(worker)

    def _release(self, worker: _Worker) -> None:
        try:
            worker.recipe.release()
        except Exception:
            log.exception("job %s: its run was not ended", worker.ref.name)

    # --- steps --------------------------------------------------------------------------------------------------

    def _post(self, ref: JobRef, event: life.Event, news: News = NOTHING) -> None:
        """Take one step: write the record, then hand the effects to whom they concern."""
        if self._tools.closing.is_set():
            return
        effects: tuple[life.Effect, ...] = ()
        face = self._part(ref.kind)[1]

        def change(record: Record) -> Record:
            nonlocal effects
            after, effects = step(job_of(record), event)
            return written(record, face, after, news, round(self._tools.clock.now(), 3))

        record = self._tools.records.change(ref.kind, ref.scope, ref.name, change)
        for effect in effects:
            self._carry_out(ref, record, effect)

    def _carry_out(self, ref: JobRef, record: Record, effect: life.Effect) -> None:
        if isinstance(effect, life.Enqueue):
            self._line_up(ref, record)
        elif isinstance(effect, life.Kill):
            worker = self._workers.get(ref)
            if worker is not None:
                worker.recipe.kill()
        else:
            if isinstance(effect, life.Launch | life.Watch):
                self._arm(ref, record.hidden.get("run_until"), life.DeadlinePassed(life.Cause.RUNTIME))
            if isinstance(effect, life.Watch):
                self._arm(ref, *self._trouble.failure(record))
                news = News(hidden={"interrupted": True})
                self._arm(ref, self._trouble.interruption(ref, record), life.InterruptRequested(), news)
            if isinstance(effect, life.Release | life.Retreat):
                self._deadlines.disarm(ref)
            self._hand(ref, record, effect)

    def _line_up(self, ref: JobRef, record: Record) -> None:
        self._arm(ref, record.hidden.get("wait_until"), life.DeadlinePassed(life.Cause.WAIT))
        with self._changed:
            self._line.join(ref, self._need(record))
        self._admit()
        phase = job_of(record).phase
        if phase in life.UNSTARTED and self._line.waits(ref):
            self._arm(ref, scheduler.pending_until(record), life.WaitedTooLong())
        if phase is life.Phase.QUEUED and self._line.waits(ref):
            self._remark(ref, life.Delayed())

    def _admit(self) -> None:
        with self._changed:
            while (ref := self._line.next()) is not None:
                try:
                    started = self._start(ref)
                except Exception:
                    log.exception("job %s: cannot be started", ref.name)
                    started = False
                if not started:
                    self._line.give_back(ref)

    def _start(self, ref: JobRef) -> bool:
        """Give a job its thread, unless it was stopped or deleted before it was lined up."""
        record = self._tools.records.find(ref.kind, ref.scope, ref.name)
        if record is None or settled(record):
            return False
        self._employ(ref, record, self._turn)
        return True

    def _need(self, record: Record) -> scheduler.Need:
        return scheduler.need(record.body, self._machine, self._tools.settings)

    def _hand(self, ref: JobRef, record: Record, effect: life.Effect) -> None:
        """Give a blocking effect to the job's thread; a job that has none (it waited, or was adopted) gets one."""
        with self._changed:
            if isinstance(effect, life.Release):
                self._line.leave(ref)
            elif ref not in self._workers:
                self._line.take(ref, self._need(record))
            worker = self._workers.get(ref)
            if worker is None or worker.leaving:
                worker = self._employ(ref, record, None)
            worker.effects.put(effect)

    def _employ(self, ref: JobRef, record: Record, first: Callable[[_Worker], None] | None) -> _Worker:
        worker = _Worker(ref, *(self._adopted.pop(ref, None) or self._make(record)))
        self._workers[ref] = worker
        name = f"job:{ref.name}"
        worker.thread = threading.Thread(target=self._work, args=(worker, first), name=name, daemon=True)
        worker.thread.start()
        return worker

    def _make(self, record: Record) -> tuple[Recipe, threading.Event]:
        tools = self._tools.of(record.scope)
        return self._part(record.kind)[0](tools, record), tools.closing

    # --- a job's own thread -------------------------------------------------------------------------------------

    def _turn(self, worker: _Worker) -> None:
        self._report(worker, self._trouble.admitted(worker.ref))

    def _work(self, worker: _Worker, first: Callable[[_Worker], None] | None) -> None:
        try:
            if first is not None:
                first(worker)
            while (effect := worker.effects.get()) is not None and not worker.closing.is_set():
                self._perform(worker, effect)
                if isinstance(effect, life.Release | life.Retreat):
                    break
        except CallerFault:
            log.info("job %s was deleted under way", worker.ref.name)
        except Exception:
            log.exception("job %s: its thread ends", worker.ref.name)
        with self._changed:
            if self._workers.get(worker.ref) is worker:  # a job that retreated may have another one already
                del self._workers[worker.ref]
                self._line.give_back(worker.ref)
            self._changed.notify_all()
        if not self._tools.closing.is_set():
            self._admit()

    def _perform(self, worker: _Worker, effect: life.Effect) -> None:
        try:
            outcome = self._outcome(worker, effect)
        except JobBroken as broken:
            outcome = life.Broke(str(broken)), NOTHING
        except OSError as error:
            log.warning("job %s: %s: %s", worker.ref.name, effect, error)
            outcome = life.Broke(f"{INTERNAL} ({error.strerror or error}: {error.filename or 'no file'})"), NOTHING
        except Exception:
            log.exception("job %s: %s", worker.ref.name, effect)
            outcome = life.Broke(INTERNAL), NOTHING
        if isinstance(effect, life.Retreat):
            with self._changed:
                worker.leaving = True
        if outcome is not None and not isinstance(effect, life.Release):
            self._report(worker, *outcome)

    def _outcome(self, worker: _Worker, effect: life.Effect) -> tuple[life.Event, News] | None:
        if isinstance(effect, life.Launch):
            return self._trouble.launched(worker.ref, lambda: (life.Launched(), worker.recipe.launch()))
        return _do(worker.recipe, effect)

    def _report(self, worker: _Worker, event: life.Event, news: News = NOTHING) -> None:
        """Post an event of the job's own thread. It must not be lost when the store cannot write for a while."""
        attempt = 0
        while not worker.closing.is_set():
            try:
                return self._post(worker.ref, event, news)
            except CallerFault:
                raise
            except HouseFault as fault:
                if isinstance(event, life.Broke):
                    raise
                log.error("job %s: %s %s", worker.ref.name, fault.message, fault.story)
                event, news = life.Broke(INTERNAL), NOTHING
            except Exception:
                log.exception("job %s: cannot write %s down, trying again", worker.ref.name, event)
                worker.closing.wait(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])
                attempt += 1
        return None

    # --- restarts, deadlines, recipes ---------------------------------------------------------------------------

    def _resume(self, record: Record) -> None:
        ref = reference(record)
        found = life.Found.AGAIN
        if job_of(record).phase in (life.Phase.LAUNCHING, life.Phase.RUNNING):
            try:
                made = self._make(record)
                found = made[0].resume()
                if found is life.Found.ALIVE:
                    self._adopted[ref] = made
            except Exception:
                log.exception("job %s: cannot be adopted", ref.name)
                found = life.Found.GONE
        self._post(ref, life.Resumed(found))

    def _arm(self, ref: JobRef, when: float | None, event: life.Event, news: News = NOTHING) -> None:
        self._deadlines.arm(ref, when, lambda: self._remark(ref, event, news))

    def _remark(self, ref: JobRef, event: life.Event, news: News = NOTHING) -> None:
        """Post an event that may come too late: the job may be over, or even deleted."""
        try:
            self._post(ref, event, news)
        except CallerFault:
            log.debug("job %s was deleted before %s", ref.name, event)
        except Exception:
            log.exception("job %s: cannot write %s down", ref.name, event)

    def _part(self, noun: str) -> tuple[Callable[..., Recipe], Face]:
        """The recipe and the face of a kind, imported when the first job of it comes."""
        if noun not in self._recipes:
            self._recipes[noun] = next((load(run), load(face)) for _, kind, run, face in RECIPES if kind == noun)
        return self._recipes[noun]


def _let_go(worker: _Worker) -> None:
    """Have its thread end. Programs go on."""
    worker.closing.set()
    worker.effects.put(None)
    worker.recipe.leave()


def _do(recipe: Recipe, effect: life.Effect) -> tuple[life.Event, News] | None:
    match effect:
        case life.FetchInputs():
            return life.InputsReady(), recipe.fetch()
        case life.Watch():
            over = recipe.watch()
            return None if over is None else (life.Exited(over[0]), over[1])
        case life.Retreat():
            return life.Retreated(), recipe.retreat()
        case life.SaveOutputs():
            return life.OutputsSaved(), recipe.save()
        case life.Release():
            recipe.release()
    return None
