"""A processing job: its inputs put where it wants them, its programs run, what they left uploaded."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emulator.jobs import outputs, processing_workspace
from emulator.jobs.cluster import Host, processing_hosts, resource_config
from emulator.jobs.crew import Member, Verdict
from emulator.jobs.inputs.channel import Channel, processing_inputs
from emulator.jobs.inputs.intake import Place
from emulator.jobs.left import Left
from emulator.jobs.lifecycle import Cause
from emulator.jobs.processing_workspace import local_path
from emulator.jobs.recipes.program import ProgramRun
from emulator.jobs.recipes.recipe import Tools
from emulator.jobs.record import NOTHING, News, job_of
from emulator.jobs.syncing import Sync
from emulator.ports import Exit, Mount
from emulator.store.records import Record

LOG_GROUP = "/aws/sagemaker/ProcessingJobs"
MESSAGE_LIMIT = 1024
"""Bytes of /opt/ml/output/message that become the ExitMessage."""


class ProcessingRun(ProgramRun):
    """One processing job. Fulfils `emulator.jobs.recipes.recipe.Recipe`."""

    group = LOG_GROUP
    verb = "run"

    def __init__(self, tools: Tools, record: Record) -> None:
        image = str(record.body["AppSpecification"]["ImageUri"])
        super().__init__(tools, record, processing_hosts(record.body), image)

    # --- phases -------------------------------------------------------------------------------------------------

    def prepare(self, host: Host) -> None:
        """Make /opt/ml."""
        resources = resource_config(host, self.hosts, self.choose().interface)
        processing_workspace.prepare(self.ml(host.name), self.record, resources)

    def launch(self) -> News:
        """Say also what will not be done."""
        news = super().launch()
        for output in processing_workspace.outputs(self.body):
            group = (output.get("FeatureStoreOutput") or {}).get("FeatureGroupName")
            if group:
                name = output["OutputName"]
                line = f"Sagelet records the output {name} for the feature group {group}, and ingests nothing into it."
                self.say(self.crew.members[0], line)
        return news

    def keep_in_step(self) -> list[Sync]:
        """Continuous outputs, of every host."""
        period = self.tools.settings.sync_seconds
        found = []
        for output in self._uploaded("Continuous"):
            for folder in self.each_ml(self._below(output)):
                found.append(Sync(self.tools.storage, folder, output["S3Uri"], period))
        return found

    def look(self, final: bool) -> None:
        """A processing job has no numbers of its own."""

    def judge(self, member: Member, over: Exit) -> str:
        """A message that is not UTF-8 fails the job (byoc-metadata in the developer guide)."""
        failure = super().judge(member, over)
        try:
            self._message()
        except UnicodeDecodeError as error:
            return failure or f"ClientError: The file /opt/ml/output/message is not UTF-8 encoded: {error}"
        return failure

    def told(self, verdict: Verdict) -> Mapping[str, Any]:
        """The ExitMessage."""
        try:
            message = self._message()
        except UnicodeDecodeError:
            return {}
        return {"ExitMessage": message} if message else {}

    def save(self) -> News:
        """Upload the rest of what is Continuous; and what is EndOfJob, if the job came to its end."""
        self.finish_syncs()
        job = job_of(self.tools.records.get(self.record.kind, self.record.scope, self.record.key))
        if job.failure or job.cause is not Cause.NONE:
            return NOTHING
        for output in self._uploaded("EndOfJob"):
            for folder in self.each_ml(self._below(output)):
                self._upload(folder, output["S3Uri"])
        return NOTHING

    # --- parts --------------------------------------------------------------------------------------------------

    def channels(self) -> list[Channel]:
        """ProcessingInputs."""
        return processing_inputs(self.body)

    def place(self, host: Host, channel: Channel) -> Place:
        """The input's LocalPath."""
        inputs = self.body.get("ProcessingInputs") or ()
        path = next(local_path(given) for given in inputs if given["InputName"] == channel.name)
        return Place(processing_workspace.inside(self.ml(host.name), path), path)

    def command(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """ContainerEntrypoint and ContainerArguments."""
        given = self.body["AppSpecification"]
        return tuple(given.get("ContainerEntrypoint") or ()), tuple(given.get("ContainerArguments") or ())

    def network(self) -> bool:
        """False under EnableNetworkIsolation."""
        return not (self.body.get("NetworkConfig") or {}).get("EnableNetworkIsolation", False)

    def mounts(self, host: Host) -> list[Mount]:
        """All that a processing job sees lies in /opt/ml."""
        return []

    def environment(self) -> dict[str, str]:
        """The request's own variables, and what the service sets."""
        given = {str(k): str(v) for k, v in (self.body.get("Environment") or {}).items()}
        return {**given, "AWS_REGION": self.record.scope.region, "SAGELET_IMAGE": self.image}

    def _uploaded(self, mode: str) -> list[dict[str, Any]]:
        """The S3Outputs of a mode that are ours to upload."""
        found = []
        for output in processing_workspace.outputs(self.body):
            target = output.get("S3Output")
            if target and not output.get("AppManaged") and target["S3UploadMode"] == mode:
                found.append(target)
        return found

    def _below(self, output: Mapping[str, Any]) -> str:
        return processing_workspace.inside(Path(), output["LocalPath"]).as_posix()

    def _upload(self, folder: Left, location: str) -> None:
        self.uploading(lambda: outputs.save_tree(self.tools.storage, folder, location))

    def _message(self) -> str:
        """What the programs of all hosts say, in order; cut to what the service keeps."""
        said = "".join(_text(Left(self.ml(host.name), "output")) for host in self.hosts)
        return said.encode()[:MESSAGE_LIMIT].decode(errors="ignore")


def _text(folder: Left) -> str:
    """How the message begins; a character that is cut in two at its end is left out."""
    begin = folder.beginning("message", MESSAGE_LIMIT + 1)
    return codecs.getincrementaldecoder("utf-8")().decode(begin, final=len(begin) <= MESSAGE_LIMIT)
