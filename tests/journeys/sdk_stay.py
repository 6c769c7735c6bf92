"""What the programs of both SDKs share: connections that leave this machine are told, and of each flow a line."""

from __future__ import annotations

import sys
import time
import traceback


def stay_here(event: str, arguments: tuple) -> None:
    """Says of every name that is looked up, and every address that is called, if it is not of this machine."""
    if event == "socket.getaddrinfo" or (event == "socket.connect" and isinstance(arguments[1], tuple)):
        host = str(arguments[0] if event == "socket.getaddrinfo" else arguments[1][0])
        if host not in ("127.0.0.1", "::1", "localhost", "None"):
            print("outside", event, host, flush=True)


sys.addaudithook(stay_here)


def main(flows: list, names: list[str]) -> None:
    """Run the flows of these names, all of them without any: `ok FLOW seconds` or `FAILED FLOW reason` of each."""
    for flow in [one for one in flows if not names or one.__name__ in names]:
        begun = time.monotonic()
        try:
            flow()
            print(f"\nok {flow.__name__} {time.monotonic() - begun:.1f}", flush=True)
        except BaseException as error:
            traceback.print_exc()
            reason = f"{type(error).__name__}: {error!s:.2000}".replace("\n", " | ")
            print(f"\nFAILED {flow.__name__} {reason}", flush=True)
