"""The scripts of one of JumpStart's networks in this process, as its archive has them: PyTorch is imported once."""

from __future__ import annotations

import importlib
import io
import json
import shutil
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.algorithms.jumpstart_job import objects, spec


class Context:
    """What a model server gives to `transform_fn`."""

    status = 200

    def set_response_status(self, code: int) -> None:
        self.status = code


class Scripts:
    """One archive of scripts, unpacked and on the path, in a job that has a channel `training`."""

    def __init__(self, folder: Path, model_id: str, patch: pytest.MonkeyPatch) -> None:
        self.folder, self._patch = folder, patch
        self.spec, self.data, self.model = spec(model_id), folder / "data", folder / "model"
        with tarfile.open(fileobj=io.BytesIO(objects()[self.spec["training_script_key"]])) as tar:
            tar.extractall(folder / "code", filter="data")
        patch.syspath_prepend(folder / "code")
        patch.setenv("SM_MODEL_DIR", str(self.model))
        patch.setenv("TMPDIR", str(folder))
        self.model.mkdir()
        self.has("training")
        self.allow_scratch(True)

    def allow_scratch(self, allowed: bool) -> None:
        self._patch.setenv("SAGELET_TRAIN_FROM_SCRATCH", str(allowed).lower())

    def has(self, channel: str) -> Path:
        """The folder of a channel that the job has from now on."""
        (self.data / channel).mkdir(parents=True, exist_ok=True)
        self._patch.setenv(f"SM_CHANNEL_{channel.upper()}", str(self.data / channel))
        return self.data / channel

    def put(self, name: str, content: bytes | str) -> None:
        """A file of a channel: `training/a.csv`."""
        self.has(name.partition("/")[0])
        path = self.data / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    def module(self, name: str) -> ModuleType:
        return importlib.import_module(name)

    def work(self, **values: str) -> Any:
        told = self.module("common.model").told()
        read = self.module("common.parameters").read(told["hyperparameters"], values)
        return self.module("networks.start").Work(told, read)

    def fit(self, **values: str) -> None:
        """As the entry point does it, but that a refusal is raised."""
        self.module("fitting").fit(self.work(**values))

    def refuses(self, **values: str) -> str:
        """Why such a job fails."""
        with pytest.raises(self.module("common.failing").Refused) as refused:
            self.fit(**values)
        return str(refused.value)

    def facts(self) -> Any:
        return json.loads((self.model / "model_info.json").read_text())

    def ask(self, body: bytes | str, content_type: str, accept: str = "application/json") -> tuple[int, str]:
        """The status and the answer of the model that was trained."""
        self._patch.syspath_prepend(self.model / "code")
        context, served = Context(), self.module("inference")
        answer, media = served.transform_fn(served.model_fn(str(self.model)), body, content_type, accept, context)
        assert media == ("application/json" if context.status == 200 else "text/plain")
        return context.status, answer

    def becomes_channel(self, name: str = "model") -> None:
        """The artifact becomes what the next job has as a channel, as SageMaker delivers it."""
        with tarfile.open(self.has(name) / "model.tar.gz", "w:gz") as tar:
            tar.add(self.model, ".")
        shutil.rmtree(self.model)
        self.model.mkdir()


def scripts(folder: Path, model_id: str) -> Iterator[Scripts]:
    """For a fixture: what was imported is forgotten in the end."""
    before = set(sys.modules)
    with pytest.MonkeyPatch.context() as patch:
        made = Scripts(folder, model_id, patch)
        yield made
    for name in set(sys.modules) - before:
        if str(folder) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]
