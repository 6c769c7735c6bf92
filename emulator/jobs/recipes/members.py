"""How the hosts of a job are described to an executor, and how they are measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from emulator.jobs import scheduler, usage
from emulator.jobs.cluster import Host, names
from emulator.jobs.crew import Member
from emulator.jobs.metrics import LogStream
from emulator.ports import Cluster, Executor, Mount, RunSpec
from emulator.servers.way_back import unmixed

if TYPE_CHECKING:
    from emulator.jobs.recipes.program import ProgramRun

ML = "/opt/ml"
WHEELS = f"{ML}/sagemaker/pip"
NOTHING: Mapping[str, str] = {}


def member(
    run: ProgramRun, host: Host, credentials: Mapping[str, str] = NOTHING, further: Sequence[Mount] = ()
) -> Member:
    """The program of one host. Credentials reach it only with a network."""
    stream = LogStream(run.group, f"{run.record.key}/{host.name}-{int(run.record.created)}")
    entrypoint, arguments = run.command()
    network, machine, own = run.network(), run.tools.machine, run.environment()
    spec = RunSpec(
        run_id=f"{run.run_id}-{host.name}",
        arn=run.record.arn,
        image=run.image,
        verb=run.verb,
        folder=run.host_folder(host.name),
        log=run.tools.logs.path(stream.group, stream.name),
        environment={**unmixed(credentials if network else NOTHING, own), **own},
        mounts=(Mount(run.ml(host.name), ML), *run.inputs.mounts(host), *run.mounts(host), *further),
        hostname=host.name,
        network=network,
        entrypoint=entrypoint,
        arguments=arguments,
        cluster=Cluster(run.run_id, names(run.hosts)) if len(run.hosts) > 1 else None,
        share=scheduler.share(host.instance_type, machine, run.tools.settings.gpu == "devices"),
        endpoint=run.tools.url() if network else "",
    )
    return Member(spec, stream)


def way_back(run: ProgramRun) -> Mapping[str, str]:
    """What a program needs to call the house in its role's name."""
    region = run.record.scope.region
    role = str(run.body.get("RoleArn") or "")
    given = run.tools.credentials(role, run.record.scope, "SageMaker") if run.network() else {}
    return {**given, "AWS_DEFAULT_REGION": region, "AWS_REGION": region}


def wheels(run: ProgramRun, executor: Executor) -> list[Mount]:
    """Where processes keep the wheels that pip built for them; what containers install is their images' matter."""
    if executor.name != "process" or not run.network():
        return []
    folder = Path(run.tools.settings.data_dir) / "cache" / "pip"
    folder.mkdir(parents=True, exist_ok=True)
    return [Mount(folder, WHEELS)]


def meter(run: ProgramRun) -> usage.Meter:
    """What measures the hosts while their programs run."""
    volume, ask = usage.volume(run.body), run.choose().usage
    measured = [
        usage.Host(
            usage.resource(run.group, run.record.key, each.host),
            partial(ask, each.spec.run_id),
            each.spec.share.memory,
            each.spec.folder,
            volume,
        )
        for each in run.crew.members
    ]
    return usage.Meter(run.tools.metrics, run.tools.clock, run.tools.settings.usage_seconds, measured, run.began)
