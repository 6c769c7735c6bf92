"""Every setting of the server, as one table: the CLI, the documentation and validation all read it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, make_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

HOME = Path(os.environ.get("HOME", "/nonexistent"))
"""Not `Path.home()`: where a user has neither HOME nor a name (a zygote in a container), that raises."""


@dataclass(frozen=True)
class Setting:
    """One setting: `sagelet up --<name with dashes>`, or the environment variable `SAGELET_<NAME>`."""

    name: str
    type: type
    default: Any
    help: str
    choices: tuple[str, ...] = ()


SETTINGS: tuple[Setting, ...] = (
    Setting("host", str, "127.0.0.1", "Address to listen on. Loopback only, unless you know who else can reach it."),
    Setting("port", int, 4577, "Port to listen on; 0 takes any free one."),
    Setting("data_dir", Path, HOME / ".sagelet", "Folder that holds everything: records, objects, jobs, logs."),
    Setting("executor", str, "auto", "How jobs run.", ("auto", "process", "docker", "stub")),
    Setting(
        "pull",
        str,
        "never",
        "Whether the Docker engine may fetch images from their registry.",
        ("never", "missing", "always"),
    ),
    Setting("ready_file", str, "", "File into which the URL is written once the server can serve."),
    Setting("s3_endpoint", str, "", "URL of an external S3 to use instead of the built-in one."),
    Setting("allow_host", tuple, (), "Further Host names to answer to (may be repeated)."),
    Setting("check_roles", bool, False, "Refuse roles that do not exist in IAM or do not trust SageMaker."),
    Setting("account_id", str, "123456789012", "The account id of callers whose credentials do not name one."),
    Setting("region", str, "us-east-1", "The region of requests that do not name one."),
    Setting("max_jobs", int, 0, "How many jobs run at the same time; 0: twice the cores, but at least 4."),
    Setting("machine_cpus", float, 0.0, "Cores that jobs may use altogether; 0: those of the machine."),
    Setting("machine_memory", float, 0.0, "GiB that jobs may use altogether; 0: four fifths of the machine's."),
    Setting("cpu_factor", float, 4.0, "How many times over the cores are promised to jobs; 0 does not count them."),
    Setting(
        "host_memory",
        float,
        1.0,
        "GiB set aside for each host of a job (never more than its instance type has); 0 does not count them.",
    ),
    Setting(
        "gpu",
        str,
        "cpu",
        "Instance types with accelerators: run on the CPU and say so, are refused, or get the engine's NVIDIA devices.",
        ("cpu", "refuse", "devices"),
    ),
    Setting("quotas", bool, False, "Refuse jobs and records beyond the default quotas of a new AWS account."),
    Setting("stop_grace", float, 120.0, "Seconds between SIGTERM and SIGKILL when a job is stopped."),
    Setting(
        "strict_versions", bool, False, "Refuse to run an image with a library of another major version than it names."
    ),
    Setting(
        "train_from_scratch",
        bool,
        False,
        "Let training jobs begin from scratch where they ask for pretrained weights, which are not here.",
    ),
    Setting(
        "remote_python",
        str,
        "",
        "Python with the SageMaker SDK for remote functions and ModelBuilder's models whose callers are not activated.",
    ),
    Setting("sync_seconds", float, 5.0, "Seconds between uploads of what a running job keeps in step with S3."),
    Setting(
        "usage_seconds",
        float,
        60.0,
        "Seconds between measurements of what a job uses (the first ones come sooner); 0 never measures.",
    ),
    Setting(
        "settle_seconds",
        float,
        0.2,
        "Seconds that a status takes which moves by itself (Pending to InService, Deleting to gone); 0: at once.",
    ),
    Setting(
        "spot_interrupt", float, 0.0, "Interrupt every managed spot job once, after so many seconds; 0 never does."
    ),
    Setting(
        "start_timeout", float, 240.0, "Seconds until a model server must answer /ping (a variant may say otherwise)."
    ),
    Setting(
        "log_limit", int, 1024, "MiB that the log of a run keeps; of a longer one the oldest lines are dropped. 0: all."
    ),
    Setting("invoke_timeout", float, 60.0, "Seconds in which a model must answer an invocation."),
    Setting(
        "hold_waiters",
        float,
        10.0,
        "Seconds for which a look of an SDK's waiter is held until what it waits for is there; 0 holds none.",
    ),
    Setting("request_log", int, 1000, "How many of the last requests `sagelet requests` can show; 0 notes none."),
)

if TYPE_CHECKING:

    @dataclass(frozen=True)
    class Settings:
        """The values of SETTINGS, one attribute each."""

        host: str = ""
        port: int = 0
        data_dir: Path = Path()
        executor: str = ""
        pull: str = ""
        ready_file: str = ""
        s3_endpoint: str = ""
        allow_host: tuple[str, ...] = ()
        check_roles: bool = False
        account_id: str = ""
        region: str = ""
        max_jobs: int = 0
        machine_cpus: float = 0.0
        machine_memory: float = 0.0
        cpu_factor: float = 0.0
        host_memory: float = 0.0
        gpu: str = ""
        quotas: bool = False
        stop_grace: float = 0.0
        strict_versions: bool = False
        train_from_scratch: bool = False
        remote_python: str = ""
        sync_seconds: float = 0.0
        usage_seconds: float = 0.0
        settle_seconds: float = 0.0
        spot_interrupt: float = 0.0
        start_timeout: float = 0.0
        invoke_timeout: float = 0.0
        hold_waiters: float = 0.0
        request_log: int = 0
        log_limit: int = 0
else:
    Settings = make_dataclass("Settings", [(s.name, s.type, field(default=s.default)) for s in SETTINGS], frozen=True)
