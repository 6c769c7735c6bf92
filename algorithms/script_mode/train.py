"""A training job in script mode, from the hyperparameters to the failure file."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import machinery
from pathlib import Path
from typing import Any

from algorithms import catalog
from algorithms.common.contract import CLIENT, Layout
from algorithms.common.faults import UserError
from algorithms.script_mode import child, entry, environment, interpreter, launchers, packages, parameters, source
from algorithms.script_mode.child import Children
from algorithms.script_mode.failed import ScriptFailed
from algorithms.script_mode.intermediate import synced
from algorithms.script_mode.interpreter import Interpreter
from algorithms.script_mode.kept import Kept
from algorithms.script_mode.log import say

ROOMS = Path(__file__).resolve().parents[2]
STAND_INS = Path(__file__).resolve().parent / "stand_ins"
FAILED, TERMINATED = 1, 143


def nothing(told: Mapping[str, Any]) -> dict[str, str]:
    return {}


def unchanged(decoded: dict[str, Any]) -> dict[str, Any]:
    return decoded


@dataclass(frozen=True)
class Family:
    """What the images of one framework add: `name` is its manifest's, `module` is SAGEMAKER_TRAINING_MODULE there;
    `hyperparameters` may change the decoded ones, `variables` makes further environment variables of the facts."""

    name: str
    module: str
    hyperparameters: Callable[[dict[str, Any]], dict[str, Any]] = unchanged
    variables: Callable[[Mapping[str, Any]], dict[str, str]] = nothing


def run(family: Family) -> int:
    """The job of this process's base folder; its exit status is the script's."""
    layout = Layout.from_environment()
    children = Children()
    try:
        _train(family, layout, children)
    except child.Stopped:
        return TERMINATED
    except ScriptFailed as failed:
        if not (children.stopped and failed.status == TERMINATED):
            _report(layout, failed.text)
        return failed.status
    except UserError as mistake:
        _report(layout, f"{CLIENT}: {mistake}")
        return FAILED
    except Exception as error:
        _report(layout, f"Framework Error: \n{traceback.format_exc()}\n{error}")
        return FAILED
    say("Reporting training SUCCESS")
    (layout.base / "output/success").touch()
    return 0


def _report(layout: Layout, text: str) -> None:
    say("Reporting training FAILURE", "ERROR")
    say(text, "ERROR")
    layout.failure.parent.mkdir(parents=True, exist_ok=True)
    try:
        with layout.failure.open("x", encoding="utf-8", errors="replace") as file:
            file.write(text)
    except FileExistsError:
        say("Failure file exists. Skipping creation....")


def _train(family: Family, layout: Layout, children: Children) -> None:
    decoded = family.hyperparameters(parameters.decode(layout.config("hyperparameters")))
    told = environment.facts(layout, decoded, family.module)
    say_versions(family.name)
    launchers.check(told["additional_framework_parameters"])
    name = entry.check(told["user_entry_point"])
    (layout.base / "output").mkdir(parents=True, exist_ok=True)
    code = source.bring(layout, str(decoded.get("sagemaker_submit_directory") or ""))
    kind = entry.kind(code, name)
    if kind != entry.MODULE:
        entry.present(code, name)
    with interpreter.own() as python:
        added = _added(family, told, decoded)
        surroundings = surroundings_of(python, code, added)
        if kind != entry.COMMAND:
            stored = Kept(layout, python, code)
            if kind == entry.MODULE or not stored.restore():
                pip = surroundings | interpreter.wheels(layout)
                packages.install(children, python, code, kind == entry.MODULE, pip)
                stored.keep()
        need_libraries(family.name, python)
        launchers.await_names(told["hosts"])
        if kind == entry.COMMAND:
            (code / name).chmod(0o777)
        command = _command(python, (kind, name), told)
        _say_invocation(told, added, command)
        with synced(Path(told["output_intermediate_dir"]), decoded.get("sagemaker_s3_output"), told["job_name"] or ""):
            _invoke(children, command, code, surroundings)


def _invoke(children: Children, command: list[str], code: Path, surroundings: Mapping[str, str]) -> None:
    try:
        status, stderr = children.run(entry.replacing(command), code, surroundings)
    except (OSError, ValueError) as error:
        raise UserError(f"The script could not be started: {error} ({command[0]}).") from error
    if status:
        raise ScriptFailed("ExecuteUserScriptError", child.shell_status(status), child.told(stderr), command)


def _command(python: Interpreter, which: tuple[str, str], told: Mapping[str, Any]) -> list[str]:
    arguments = parameters.arguments(told["hyperparameters"])
    launcher = launchers.torchrun(python.python, which, told)
    return [*launcher, *arguments] if launcher else entry.command(python.python, which, arguments)


def _added(family: Family, told: Mapping[str, Any], decoded: Mapping[str, Any]) -> dict[str, str]:
    return {**environment.variables(told), **environment.of_service(told, decoded), **family.variables(told)}


def surroundings_of(python: Interpreter, code: Path, added: Mapping[str, str]) -> dict[str, str]:
    """The script's environment: this process's, with the rooms of the house taken off its path."""
    own = dict(os.environ)
    kept = [place for place in own.get("PYTHONPATH", "").split(os.pathsep) if place and Path(place).resolve() != ROOMS]
    return {
        **own,
        **added,
        "PATH": os.pathsep.join([str(python.bin), own.get("PATH", os.defpath)]),
        "PYTHONPATH": os.pathsep.join([str(code), *kept, str(STAND_INS)]),
        "PYTHONUNBUFFERED": "1",
        "VIRTUAL_ENV": str(python.folder),
    }


def need_libraries(name: str, python: Interpreter) -> None:
    """UserError, at once, when the framework is not there: the script would find out after minutes of preparations."""
    import sys

    for module, remedy in catalog.get(name).requires.items():
        if not there(module, [str(python.packages), *sys.path]):
            raise UserError(
                f"The library {module} is not installed where this job runs. Install it beside Sagelet: {remedy}. Or "
                "name it in requirements.txt, when the job can reach a package index."
            )


def there(module: str, places: Iterable[str]) -> bool:
    """Whether a module can be found, by each of its names: of `autogluon.tabular` the package may be there alone."""
    for name in module.split("."):
        found = machinery.PathFinder.find_spec(name, list(places))
        if found is None:
            return False
        places = found.submodule_search_locations or ()
    return True


def say_versions(name: str) -> None:
    image = os.environ.get("SAGELET_IMAGE", "")
    family = catalog.get(name)
    asked, here = family.framework_versions(image)
    if family.framework is None:
        return
    running = f"{family.framework.distribution} {here}" if here else f"no {family.framework.distribution}"
    told = f"Image {catalog.parse(image).repository}:{catalog.parse(image).tag}" if image else f"Family {name}"
    wants = f" asks for {family.framework.distribution} {asked}" if asked else ""
    say(f"{told}{wants}; this job runs with {running} and Python {_python()}.")


def _python() -> str:
    import sys

    return ".".join(map(str, sys.version_info[:3]))


def _say_invocation(told: Mapping[str, Any], added: Mapping[str, str], command: list[str]) -> None:
    import json

    shown = "\n".join(f"{name}={value}" for name, value in added.items())
    say(
        f"Invoking user script\n\nTraining Env:\n\n{json.dumps(dict(told), indent=4)}\n\nEnvironment variables:\n\n"
        f"{shown}\n\nInvoking script with the following command:\n\n{' '.join(command)}\n\n"
    )
