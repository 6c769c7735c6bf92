"""A job on several hosts for the tests: each a process with a base folder and an address of its own."""

import contextlib
import itertools
import os

from tests.algorithms.job import Job

addresses = itertools.count(1)


def text(values):
    return "".join(",".join(map(repr, row)) + "\n" for row in values.tolist())


class Hosts:
    """One job on several hosts: their folders, and their processes once started. `more` are further channels."""

    def __init__(self, folder, number, given, content_type="text/csv", algorithm="xgboost", **more):
        block = next(addresses)
        self.names = [f"127.{31 + os.getpid() % 200}.{block}.{n}" for n in range(1, number + 1)]
        self.jobs = [Job(folder / f"algo-{n}", algorithm) for n in range(1, number + 1)]
        for name, job in zip(self.names, self.jobs, strict=True):
            job.prepare(given, train=content_type, **more)
            job.configure("resourceconfig", {"current_host": name, "hosts": self.names})

    def put(self, name, *contents):
        for job, content in zip(self.jobs, contents, strict=True):
            if content is not None:
                job.put(name, content if isinstance(content, str | bytes) else text(content))

    @contextlib.contextmanager
    def running(self):
        processes = [job.start("train") for job in self.jobs]
        try:
            yield processes
        finally:
            for process in processes:
                process.kill()
                process.wait()
                process.stdout.close()

    def train(self):
        with self.running() as processes:
            return [job.ended(*said(process)) for job, process in zip(self.jobs, processes, strict=True)]

    def models(self):
        return [sorted(path.name for path in job.model.glob("*")) for job in self.jobs]


def said(process):
    output, _ = process.communicate(timeout=60)
    return process.returncode, output
