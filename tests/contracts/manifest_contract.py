"""What the manifest of every algorithm owes: known members, verbs that exist, images that mean it."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from typing import ClassVar

from algorithms import catalog
from tests.algorithms.job import ROOT

MEMBERS = {
    "name", "repositories", "train", "serve", "preload", "image", "metrics", "requires", "versions",
    "commands", "prepare", "run", "bin", "framework",
    "title", "definition", "declares", "form", "answers", "library", "extra", "fidelity", "differs",
    "checkpoints", "instances", "objectives",
}  # fmt: skip


class ManifestContract:
    name: ClassVar[str]
    images: ClassVar[Sequence[str]] = ()

    def test_the_manifest_has_known_members_only(self):
        told = json.loads((catalog.FOLDER / self.name / "manifest.json").read_text())
        assert set(told) <= MEMBERS
        assert told["name"] == self.name

    def test_verbs_and_preloads_exist(self):
        algorithm = catalog.get(self.name)
        for verb in (algorithm.train, algorithm.serve):
            module, _, function = verb.partition(":")
            assert callable(getattr(importlib.import_module(module), function))
        missing = {top for top in algorithm.requires if importlib.util.find_spec(top) is None}
        for module in algorithm.preload:
            if module.partition(".")[0] not in missing:
                importlib.import_module(module)

    def test_its_images_mean_it(self):
        algorithm = catalog.get(self.name)
        own = [
            f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/{name}:1"
            for name in algorithm.repositories
            if "*" not in name
        ]
        for image in (*self.images, *own):
            assert catalog.find(image) is catalog.get(self.name)

    def test_what_is_imported_beforehand_starts_no_thread_and_can_be_forked(self):
        """A zygote imports once and forks for each job: the child must be able to compute."""
        code = (
            "import sys, os, threading, importlib.util\n"
            "for name in sys.argv[1:]:\n"
            "    if importlib.util.find_spec(name.partition('.')[0]): importlib.import_module(name)\n"
            "assert threading.active_count() == 1, threading.enumerate()\n"
            "tasks = '/proc/self/task'\n"
            "assert not os.path.isdir(tasks) or len(os.listdir(tasks)) == 1, os.listdir(tasks)\n"
            "import numpy\n"
            "child = os.fork()\n"
            "if child == 0:\n"
            "    numpy.ones((200, 200)) @ numpy.ones((200, 200))\n"
            "    os._exit(7)\n"
            "assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7\n"
        )
        command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code, *catalog.get(self.name).preload]
        environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}  # As the zygotes set it while they import.
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr

    def test_every_metric_regex_has_one_group(self):
        for metric in catalog.get(self.name).metrics:
            assert re.compile(metric["Regex"]).groups == 1
            assert set(metric) == {"Name", "Regex"}
