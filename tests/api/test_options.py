"""Settings as the launcher hands them over."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from api import options
from emulator.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


def test_values_of_the_environment_are_strings():
    given = {
        "port": "0",
        "check_roles": "true",
        "allow_host": "a, b",
        "stop_grace": "1.5",
        "data_dir": "/d",
        "other": "x",
    }
    found = options.read(json.dumps(given))
    assert (found.port, found.check_roles, found.allow_host, found.stop_grace) == (0, True, ("a", "b"), 1.5)
    assert found.data_dir == Path("/d") and found.executor == Settings().executor


def test_values_of_the_command_line_have_their_types():
    found = options.read(json.dumps({"port": 80, "check_roles": False, "allow_host": ["a"]}))
    assert (found.port, found.check_roles, found.allow_host) == (80, False, ("a",))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("port", "many"), ("executor", "magic"), ("check_roles", "perhaps"), ("port", None), ("port", 70000)],
        *[("settle_seconds", "-1"), ("settle_seconds", "nan"), ("stop_grace", "inf"), ("max_jobs", -1)],
    ],
)
def test_a_bad_value_is_named(name, value):
    with pytest.raises(options.BadSetting, match=f"--{name.replace('_', '-')} cannot be {value!r}"):
        options.read(json.dumps({name: value}))


def test_a_process_without_a_home_and_a_user_without_a_name_can_read_the_table():
    program = (
        "import os, pwd, sys\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "os.environ.pop('HOME', None)\n"
        "def nobody(_): raise KeyError('no such user')\n"
        "pwd.getpwuid = nobody\n"
        "import emulator.settings\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
