"""The settings of a server out of the JSON object that the launcher hands over, checked against the table."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from emulator.settings import SETTINGS, Setting, Settings

TRUE = ("1", "true", "yes", "on")
FALSE = ("0", "false", "no", "off", "")


class BadSetting(Exception):
    """A setting has a value that it cannot have; the message names both."""


def read(text: str) -> Settings:
    """Settings from a JSON object; values may be strings, as the environment has them. Unknown names are left out:
    every variable that begins with SAGELET_ arrives here.
    """
    given = json.loads(text)
    known = {setting.name: setting for setting in SETTINGS}
    return Settings(**{name: convert(known[name], value) for name, value in given.items() if name in known})


def convert(setting: Setting, value: Any) -> Any:
    """`value` in the type of the setting."""
    try:
        found = _typed(setting.type, value)
    except (TypeError, ValueError):
        raise BadSetting(f"--{_option(setting)} cannot be {value!r}: {setting.help}") from None
    if setting.name == "port" and not 0 <= found < 65536:
        raise BadSetting(f"--port cannot be {value!r}: it is a number from 0 to 65535.")
    if setting.choices and found not in setting.choices:
        raise BadSetting(f"--{_option(setting)} cannot be {value!r}: it is one of {', '.join(setting.choices)}.")
    return found


def _typed(kind: type, value: Any) -> Any:
    if kind is bool:
        return _truth(value)
    if kind is tuple:
        parts = value.split(",") if isinstance(value, str) else value
        return tuple(part.strip() for part in parts if part.strip())
    if kind is Path:
        return Path(value).expanduser()
    found = kind(value)
    if kind in (int, float) and not 0 <= found < math.inf:  # no setting counts backwards, or without end
        raise ValueError(found)
    return found


def _truth(value: Any) -> bool:
    word = str(value).lower()
    if word not in TRUE + FALSE:
        raise ValueError(word)
    return word in TRUE


def _option(setting: Setting) -> str:
    return setting.name.replace("_", "-")
