"""Which variables point a program at the server, and how a shell gets back to where it was."""

import json
import subprocess

import pytest

from sagelet.cli import main
from sagelet.environment import BEFORE, HOOK, changes, former, remembered, variables

URL = "http://127.0.0.1:4577"


def test_what_would_lead_elsewhere_is_taken_away():
    before = {"AWS_PROFILE": "dev", "AWS_SESSION_TOKEN": "t", "AWS_ENDPOINT_URL_S3": "http://minio", "HOME": "/h"}
    changed = changes(URL, before=before)
    assert {name for name, value in changed.items() if value is None} == set(before) - {"HOME"}
    assert changed["AWS_ENDPOINT_URL"] == URL and "HOME" not in changed


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_a_proxy_is_not_asked_for_the_server(name):
    assert variables(URL, before={name: "corp.example"})[name] == "127.0.0.1,localhost,corp.example"
    assert variables(URL, before={})["NO_PROXY"] == "127.0.0.1,localhost"


def test_the_hook_is_before_what_the_user_has_and_there_once():
    once = variables(URL, before={"PYTHONPATH": "/mine"})["PYTHONPATH"]
    assert once == f"{HOOK}:/mine"
    assert variables(URL, before={"PYTHONPATH": once})["PYTHONPATH"] == once


def test_nodes_own_options_stay_and_the_hook_is_there_once():
    once = variables(URL, before={"NODE_OPTIONS": "--max-old-space-size=99"})["NODE_OPTIONS"]
    assert once.startswith("--max-old-space-size=99 --require ")
    assert variables(URL, before={"NODE_OPTIONS": once})["NODE_OPTIONS"] == once


def test_a_second_activation_goes_back_to_before_the_first():
    first = {"AWS_PROFILE": "dev"}
    kept = remembered(changes(URL, before=first), first)
    second = {BEFORE: kept, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    assert remembered(changes(URL, before=second), second) == kept
    back = former(second)
    assert back["AWS_PROFILE"] == "dev" and back["AWS_ENDPOINT_URL"] is None and back[BEFORE] is None
    assert former({}) == {}


def test_a_shell_goes_there_and_back(monkeypatch, capsys):
    """Run by the shell itself: what is printed is its own language."""
    place = 'it\'s "here" $HOME'
    monkeypatch.setenv("PYTHONPATH", place)
    monkeypatch.setenv("AWS_PROFILE", "dev")
    monkeypatch.setenv("AWS_ENDPOINT_URL", URL)
    for name in (BEFORE, "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    assert main(["env"]) == 0
    there = capsys.readouterr().out
    kept = next(line for line in there.splitlines() if line.startswith(f"export {BEFORE}="))
    value = subprocess.run(["bash", "-c", f'{kept}; printf %s "${BEFORE}"'], capture_output=True, text=True).stdout
    monkeypatch.setenv(BEFORE, value)
    assert main(["env", "--off"]) == 0
    back = capsys.readouterr().out
    script = f"{there}\nenv -0\nprintf 'MIDDLE=1\\0'\n{back}\nenv -0"
    monkeypatch.delenv(BEFORE)
    told = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout
    first, last = (
        dict(line.split("=", 1) for line in half.split("\0") if "=" in line) for half in told.split("MIDDLE=1\0")
    )
    assert first["PYTHONPATH"] == f"{HOOK}:{place}" and "AWS_PROFILE" not in first
    assert json.loads(first[BEFORE])["AWS_PROFILE"] == "dev"
    assert last["PYTHONPATH"] == place and last["AWS_PROFILE"] == "dev" and last["AWS_ENDPOINT_URL"] == URL
    assert not {"AWS_REGION", BEFORE} & set(last)
