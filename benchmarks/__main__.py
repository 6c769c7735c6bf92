"""`python -m benchmarks [--write FILE]`: medians of five rounds as a table with ratios; exit 1 on a missed row."""

from __future__ import annotations

import argparse
import contextlib
import platform
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import formats, jobs, many, rows, serving, suite, tabular, training

ROUNDS = 5


@dataclass(frozen=True)
class Line:
    """One line of the table. `bound` holds for ours / theirs, or for ours - theirs where `difference` is set."""

    title: str
    unit: str
    bound: float
    at_least: bool = False
    difference: bool = False


START = (
    Line("process start to first S3 answer, against moto_server", "s", 1.0),
    Line("process start to first SageMaker answer, against moto_server", "s", 1.0),
    Line("idle memory (PSS of the tree), against moto_server", "MiB", 1.0),
)
RATES = (
    Line("DescribeTrainingJob, 8 clients, against moto_server", "requests/s", 5.0, at_least=True),
    Line("ListTrainingJobs, 8 clients, against moto_server", "requests/s", 5.0, at_least=True),
)
PAGES = (Line("ListTrainingJobs, pages that differ, 8 clients, against moto_server", "requests/s", 5.0, at_least=True),)
CREATED = tuple(
    Line(f"{operation}, 8 clients, against moto_server", "requests/s", 5.0, at_least=True)
    for operation in rows.CREATED_RECORDS
)
WORK = (
    Line("CreateTrainingJob and the work of the job, 8 clients, against moto_server", "requests/s", 1.0, at_least=True),
)
TAIL = (Line("p99 of DescribeTrainingJob, 1 client, against moto_server", "ms", 0.5),)
S3 = (
    Line("S3 put of 1 KiB, 8 clients, against moto_server", "requests/s", 1.0, at_least=True),
    Line("S3 get of 1 KiB, 8 clients, against moto_server", "requests/s", 1.0, at_least=True),
)
GROWTH = (Line("a page of ListTrainingJobs, 10,000 stored jobs against 10", "ms", 1.5),)
MANY_START = (Line("process start to first SageMaker answer, 100,000 stored jobs against none", "s", 1.2),)
MANY_PAGES = (
    Line("a page of ListTrainingJobs, 100,000 stored jobs against 100", "ms", 1.5),
    Line("DescribeTrainingJob, 100,000 stored jobs against 100", "ms", 1.5),
)
MANY_SEARCHES = (
    Line("a selective Search p50, 100,000 stored jobs above 100", "ms", 20.0, difference=True),
    Line("a broad Search by a metric p50, 100,000 stored jobs above 100", "ms", 50.0, difference=True),
)
MANY_WRITES = (Line("CreateExperiment with a tag, where experiments are searched, against where not", "ms", 1.1),)
MOST_MEMORY = 200.0
MOST_OF_A_SUITE, MOST_OF_A_START, MOST_OF_A_RESET = 60.0, 1.0, 20.0
"""Seconds, seconds, milliseconds."""
JOB = (Line("CreateTrainingJob to Completed (warm), against a bare train.py", "s", 1.0),)
SCRIPT = (Line("CreateTrainingJob to the first statement of a script, above a bare script", "s", 0.3, difference=True),)
CONTAINER = (Line("a job in a container that does nothing, above `docker run`", "s", 1.0, difference=True),)
CHANNEL = (Line(f"a channel of {jobs.CHANNEL_GIB:g} GiB in File mode, against `cp -r`", "s", 1.3),)
RECORDS = tuple(
    Line(f"{what} recordio-protobuf, {form}, against what is demanded", "MB/s", 1.0, at_least=True)
    for what in ("reading", "writing")
    for form in ("100 dense columns", "10 dense columns", "50 of 10,000 sparse columns")
)
FORMATS = (
    Line("reading recordio-protobuf, 100 dense columns, against the bare bytes", "MB/s", 0.33, at_least=True),
    Line("reading CSV, 40 columns of 17 digits, against numpy.loadtxt", "MB/s", 2.0, at_least=True),
)
INVOKE = (Line("InvokeEndpoint p50, ONNX, above the library's run", "ms", 3.0, difference=True),)
SERVED = tuple(
    Line(f"InvokeEndpoint p50, {model.title}, above its own predict", "ms", 1.0, difference=True)
    for model in tabular.MODELS
)
CORES = tuple(
    Line(f"{model.title}, 8 bare sockets, against what the cores allow", "invocations/s", 0.8, at_least=True)
    for model in tabular.MODELS
)
USERS = tuple(
    Line(f"{model.title}, 8 clients with boto3, against what the cores allow", "invocations/s", 0.8, at_least=True)
    for model in tabular.MODELS
)
TRAINED = tuple(
    Line(f"training {learner.title}, against the library called directly", "s", 1.2) for learner in training.LEARNERS
)


def main() -> int:
    """Measure everything; 1 when a row is missed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--write", type=Path, help="also write the table to this file")
    options.add_argument("--only", choices=tuple(PARTS), help="measure only this part")
    given = options.parse_args()
    report = [_HEAD]
    print(_HEAD, flush=True)
    missed = sum(measure(report) for name, measure in PARTS.items() if given.only in (None, name))
    text = "\n".join(report) + "\n"
    if given.write:
        given.write.write_text(_preface() + text)
    return 1 if missed else 0


_HEAD = "| what | ours | theirs | ours / theirs | must be | |\n|---|---|---|---|---|---|"


def _control(report: list[str]) -> int:
    missed = _rounds(report, START, rows.start)
    with contextlib.ExitStack() as stack:
        control = rows.Control(stack)
        missed += _rounds(report, RATES, control.describe)
        missed += _rounds(report, TAIL, control.tail)
        missed += _rounds(report, S3, control.s3)
        missed += _rounds(report, PAGES, control.pages)
        missed += _rounds(report, CREATED, control.created)
        missed += _rounds(report, WORK, control.jobs)
    return missed + _rounds(report, GROWTH, rows.growth)


def _formats(report: list[str]) -> int:
    with contextlib.ExitStack() as stack:
        files = formats.Formats(stack)
        return _rounds(report, RECORDS, files.rates) + _rounds(report, FORMATS, files.ratios)


def _trained(report: list[str]) -> int:
    with contextlib.ExitStack() as stack:
        trainings = training.Trainings(stack)
        missed = _rounds(report, TRAINED, trainings.measure)
        _say(report, f"| what a job takes besides | {trainings.overhead()} | | | reported | |")
        return missed


def _served(report: list[str]) -> int:
    with contextlib.ExitStack() as stack:
        missed = _rounds(report, INVOKE, rows.Invocations(stack).measure)
    with contextlib.ExitStack() as stack:
        endpoints = serving.Endpoints(stack)
        missed += _rounds(report, SERVED, endpoints.latencies)
        _say(report, f"| of these, the model's own server | {endpoints.told()} | | | reported | |")
        shared = serving.Shared(endpoints, serving.Endpoints(stack))
        missed += _rounds(report, USERS, shared.client_rates)
        missed += _rounds(report, CORES, shared.rates)
        _say(report, f"| the same without the front door | {shared.told()} | | | reported | |")
        return missed


def _many(report: list[str]) -> int:
    with contextlib.ExitStack() as stack:
        records = many.Records(stack)
        missed = _rounds(report, MANY_START, records.start)
        records.open()
        _say(report, f"| the first Search of 100,000 jobs by a property | {records.first:.3g} s | | | reported | |")
        missed += _rounds(report, MANY_PAGES, records.pages)
        missed += _rounds(report, MANY_SEARCHES, records.searches)
        missed += _rounds(report, MANY_WRITES, records.writes)
        size = records.memory()
        good = "ok" if size <= MOST_MEMORY else "MISSED"
        line = f"| memory of the server after that (PSS) | {size:.0f} MiB | | | <= {MOST_MEMORY:g} MiB | {good} |"
        _say(report, line)
        return missed + (size > MOST_MEMORY)


def _jobs(report: list[str]) -> int:
    with contextlib.ExitStack() as stack:
        trained = rows.Jobs(stack)
        missed = _rounds(report, JOB, trained.measure)
        _say(report, f"| the first job of a server (cold) | {trained.cold:.3g} s | | | reported | |")
    with contextlib.ExitStack() as stack:
        missed += _rounds(report, SCRIPT, jobs.Scripts(stack).measure)
    if jobs.Containers.possible():
        with contextlib.ExitStack() as stack:
            missed += _rounds(report, CONTAINER, jobs.Containers(stack).measure)
    with contextlib.ExitStack() as stack:
        channel = jobs.Channel(stack)
        missed += _rounds(report, CHANNEL, channel.measure)
        _say(report, f"| growth of the server by that channel | {channel.grown:.0f} MiB | | | reported | |")
    return missed


def _suite(report: list[str]) -> int:
    """Of one run: each of its tests trains a model, so that it is a mean already."""
    found = suite.measure()
    reset = statistics.median(found.resets) * 1000
    rows_of_it = (
        (f"a suite of {suite.TESTS} tests that train, by `pytest`", found.whole, "s", MOST_OF_A_SUITE),
        ("the start of its server", found.start, "s", MOST_OF_A_START),
        ("`sagelet_reset` between its tests p50", reset, "ms", MOST_OF_A_RESET),
    )
    for title, figure, unit, most in rows_of_it:
        good = "ok" if figure <= most else "MISSED"
        _say(report, f"| {title} | {figure:.3g} {unit} | | | <= {most:g} {unit} | {good} |")
    return sum(figure > most for _, figure, _, most in rows_of_it)


PARTS = {
    "control": _control, "many": _many, "jobs": _jobs, "formats": _formats, "training": _trained, "serving": _served,
    "suite": _suite,
}  # fmt: skip


def _rounds(report: list[str], lines: tuple[Line, ...], measure: Callable[[], list[rows.Figures]]) -> int:
    rounds = [measure() for _ in range(ROUNDS)]
    missed = 0
    for number, line in enumerate(lines):
        ours = statistics.median(one[number][0] for one in rounds)
        theirs = statistics.median(one[number][1] for one in rounds)
        figure = ours - theirs if line.difference else ours / theirs
        good = figure >= line.bound if line.at_least else figure <= line.bound
        missed += not good
        sign = ">=" if line.at_least else "<="
        shown = f"+{figure:.2f} {line.unit}" if line.difference else f"{figure:.2f}"
        must = f"{sign} {line.bound:g}" + (f" {line.unit} more" if line.difference else "")
        text = f"| {line.title} | {ours:.4g} {line.unit} | {theirs:.4g} {line.unit} | {shown} | {must} |"
        _say(report, f"{text} {'ok' if good else 'MISSED'} |")
    return missed


def _say(report: list[str], line: str) -> None:
    report.append(line)
    print(line, flush=True)


def _preface() -> str:
    return (
        "# Benchmarks\n\n"
        f"`make bench`: medians of {ROUNDS} rounds, each side measured in turn within one run, by a raw HTTP load "
        "(`benchmarks/load.py`).\n"
        f"Written by `python -m benchmarks --write docs/benchmarks.md` on {platform.system()}, "
        f"Python {platform.python_version()}, 2 cores.\n\n"
    )


if __name__ == "__main__":
    sys.exit(main())
