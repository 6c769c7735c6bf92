"""What `sagelet up` becomes: `python -I <rooms>/api/__main__.py '<settings as JSON>'`.

Isolated mode keeps the user's working directory and PYTHONPATH off the path; the rooms' own folder comes first, so
that no module of theirs that is called `api` or `emulator` is taken for ours.
"""

import sys
from pathlib import Path

ROOMS = str(Path(__file__).resolve().parent.parent)


def run() -> int:
    """Put the rooms in front of everything else that can be imported, and serve."""
    sys.path[:] = [ROOMS, *(entry for entry in sys.path if entry not in ("", ROOMS, str(Path(ROOMS, "api"))))]
    from api.serve import main

    return main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(run())
